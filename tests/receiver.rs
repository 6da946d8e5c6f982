//! A server that takes alerts, or refuses them as it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

/// The key that the tests sign with.
pub(crate) const SECRET: &str = "a key that nobody guesses";

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// What the server answers with, first to last; the last answer stays.
type Answers = Arc<Mutex<Vec<String>>>;

/// A webhook on a port of loopback.
pub(crate) struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) fn start() -> Self {
        Self::on((Ipv4Addr::LOCALHOST, 0).into(), &["200 OK"])
    }

    /// Answers with these status lines, one after the other.
    pub(crate) fn answering(answers: &[&str]) -> Self {
        Self::on((Ipv4Addr::LOCALHOST, 0).into(), answers)
    }

    /// Starts again where one was stopped.
    pub(crate) fn on(address: SocketAddr, answers: &[&str]) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (received, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let answers: Answers = Arc::new(Mutex::new(owned(answers)));
        let served = (Arc::clone(&received), answers, Arc::clone(&stop));
        let thread = thread::spawn(move || serve(&listener, &served.0, &served.1, &served.2));
        Self {
            address,
            received,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook/t0ken", self.address)
    }

    /// Everything that came so far, whatever was answered.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many messages came.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let started = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(started.elapsed() < Duration::from_secs(120), "{received:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The thread sees the wish with the next connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found
            .next()
            .unwrap_or_else(|| panic!("{name}: {}", self.head))
            .1
    }

    /// Checks the signature as a receiver does, from the documentation alone.
    pub(crate) fn is_signed(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(self.header("x-hansel-timestamp").as_bytes());
        mac.update(b".");
        mac.update(self.body.as_bytes());
        let digits = mac.finalize().into_bytes();
        let digits: String = digits.iter().map(|byte| format!("{byte:02x}")).collect();
        self.header("x-hansel-signature") == format!("v1={digits}")
    }
}

fn owned(answers: &[&str]) -> Vec<String> {
    answers.iter().map(|answer| (*answer).to_owned()).collect()
}

fn serve(
    listener: &TcpListener,
    received: &Mutex<Vec<Received>>,
    answers: &Mutex<Vec<String>>,
    stop: &AtomicBool,
) {
    for stream in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        // A sender that is killed half-way sends nothing.
        if let Some(one) = read(&mut stream.unwrap(), answers) {
            received.lock().unwrap().push(one);
        }
    }
}

fn read(stream: &mut TcpStream, answers: &Mutex<Vec<String>>) -> Option<Received> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case("content-length")
            .then(|| value.parse().ok())?
    });
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    let mut answers = answers.lock().unwrap();
    let answer = if answers.len() > 1 {
        answers.remove(0)
    } else {
        answers[0].clone()
    };
    let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    Some(Received {
        head,
        body: String::from_utf8(body).unwrap(),
    })
}
