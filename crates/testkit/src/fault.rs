//! A proxy that lies, stalls and breaks off where a test tells it to.

mod forge;
mod upstream;

use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bitcoin::Txid;

use crate::http::{HttpReply, HttpRequest, header, read_body, read_head};
use upstream::Upstream;

/// What goes wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is cut after this many bytes of a body whose full length was announced.
    Truncate(usize),
    /// The body is cut after this many bytes and announced as complete.
    TruncateJson(usize),
    /// The body is followed by this many MiB of blanks, which JSON allows.
    OverLong {
        /// How many MiB.
        mebibytes: usize,
        /// Whether the length is announced; otherwise it shows only while reading.
        announced: bool,
    },
    /// Another transaction's answer; where it is JSON, it carries the id that was asked for.
    WrongTx(Txid),
    /// Status 200 and a web page.
    Html,
    /// A redirection to the same path.
    RedirectLoop,
    /// Status 429 with a `Retry-After` in seconds.
    TooManyRequests {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// This status with a line of text.
    Status(u16),
    /// Every output of an `outspend`, `outspends` or `gettxspendingprevout` is spent by this transaction.
    FalseSpend(Txid),
    /// The answer comes after this time.
    Delay(Duration),
    /// The connection is closed without an answer.
    Drop,
    /// This body instead of the true one, with status 200.
    Body(Vec<u8>),
}

/// Which requests a rule is about.
///
/// A GET request is known by its path, as `/tx/TXID`; a call by its path, a space and its JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every request.
    Any,
    /// Exactly this.
    Exactly(String),
    /// All that contain this, as `outspends` or `"getblock"`.
    Containing(String),
    /// All that end in this.
    Ending(String),
}

impl Target {
    fn matches(&self, request: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(text) => request == text,
            Self::Containing(text) => request.contains(text),
            Self::Ending(text) => request.ends_with(text),
        }
    }
}

/// A fault, the requests it befalls, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    target: Target,
    fault: Fault,
    skip: u32,
    times: Option<u32>,
}

impl Rule {
    /// The fault at every matching request.
    pub fn always(target: Target, fault: Fault) -> Self {
        Self {
            target,
            fault,
            skip: 0,
            times: None,
        }
    }

    /// The fault at the first `times` matching requests.
    pub fn times(times: u32, target: Target, fault: Fault) -> Self {
        Self {
            times: Some(times),
            ..Self::always(target, fault)
        }
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Whether the rule applies to this request, counting it.
    fn applies(&mut self, request: &str) -> bool {
        if !self.target.matches(request) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// A running proxy; dropped, it stops.
///
/// Of several rules the first that applies decides. Every connection carries one request.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    upstream: Upstream,
    script: Mutex<Script>,
    stopped: AtomicBool,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<Rule>,
    requests: Vec<String>,
    faults: u64,
}

impl FaultProxy {
    /// Stands in front of `http://[USER:PASSWORD@]HOST:PORT[/PREFIX]`; credentials are added where a request has none.
    pub fn over(upstream: &str, rules: impl Into<Vec<Rule>>) -> io::Result<Self> {
        Self::start(Upstream::at(upstream)?, rules.into())
    }

    /// Stands in front of a function.
    pub fn over_answers(
        answer: impl Fn(&HttpRequest) -> HttpReply + Send + Sync + 'static,
        rules: impl Into<Vec<Rule>>,
    ) -> io::Result<Self> {
        Self::start(Upstream::function(answer), rules.into())
    }

    fn start(upstream: Upstream, rules: Vec<Rule>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let script = Mutex::new(Script {
            rules,
            ..Script::default()
        });
        let state = Arc::new(State {
            upstream,
            script,
            stopped: AtomicBool::new(false),
        });
        let shared = state.clone();
        let thread = Some(thread::spawn(move || accept(&listener, &shared)));
        Ok(Self {
            address,
            state,
            thread,
        })
    }

    /// The base URL, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a rule behind the others.
    pub fn add(&self, rule: Rule) {
        self.state.script().rules.push(rule);
    }

    /// Drops all rules: from now on the proxy is honest.
    pub fn heal(&self) {
        self.state.script().rules.clear();
    }

    /// All requests so far, in the form that [`Target`] describes.
    pub fn requests(&self) -> Vec<String> {
        self.state.script().requests.clone()
    }

    /// How many requests met a fault.
    pub fn faults(&self) -> u64 {
        self.state.script().faults
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // The connection wakes the thread from its wait; where it fails, the thread has ended.
        let _wake = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed already.
            let _ended = thread.join();
        }
    }
}

impl State {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request and finds what befalls it.
    fn fault(&self, request: String) -> Option<Fault> {
        let mut script = self.script();
        let rule = script.rules.iter_mut().find_map(|rule| {
            let applies = rule.applies(&request);
            applies.then(|| rule.fault.clone())
        });
        script.faults += u64::from(rule.is_some());
        script.requests.push(request);
        rule
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    for connection in listener.incoming() {
        if state.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else {
            continue;
        };
        let state = state.clone();
        thread::spawn(move || {
            // A client that went away is its own test's concern.
            let _served = serve(&connection, &state);
        });
    }
}

fn serve(connection: &TcpStream, state: &State) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    let request = read_request(connection)?;
    let fault = state.fault(name(&request));
    let honest = || state.upstream.send(&request);
    match fault {
        None => write_reply(connection, &honest(), ""),
        Some(Fault::Delay(time)) => {
            thread::sleep(time);
            write_reply(connection, &honest(), "")
        }
        Some(Fault::Drop) => Ok(()),
        Some(Fault::Truncate(at)) => write_part(connection, &honest(), at),
        Some(Fault::TruncateJson(at)) => {
            let mut reply = honest();
            reply.body.truncate(at);
            write_reply(connection, &reply, "")
        }
        Some(Fault::OverLong {
            mebibytes,
            announced,
        }) => write_padded(connection, &honest(), mebibytes, announced),
        Some(Fault::WrongTx(other)) => {
            let reply = forge::wrong_transaction(&state.upstream, &request, &other);
            write_reply(connection, &reply, "")
        }
        Some(Fault::FalseSpend(by)) => {
            let reply = forge::false_spend(&state.upstream, &request, &by);
            write_reply(connection, &reply, "")
        }
        Some(Fault::Body(body)) => write_reply(connection, &HttpReply { body, ..honest() }, ""),
        Some(Fault::Html) => write_reply(connection, &page(), ""),
        Some(Fault::Status(status)) => {
            write_reply(connection, &HttpReply::text(status, "as scripted"), "")
        }
        Some(Fault::RedirectLoop) => {
            let location = format!("Location: {}\r\n", request.path);
            write_reply(connection, &HttpReply::text(302, ""), &location)
        }
        Some(Fault::TooManyRequests { retry_after }) => {
            let wait = format!("Retry-After: {retry_after}\r\n");
            write_reply(connection, &HttpReply::text(429, "slow down"), &wait)
        }
    }
}

fn page() -> HttpReply {
    HttpReply {
        status: 200,
        content_type: "text/html".into(),
        body: b"<!DOCTYPE html><html><body>Checking your browser</body></html>".to_vec(),
    }
}

/// The request in the form that [`Target`] describes.
fn name(request: &HttpRequest) -> String {
    if request.body.is_empty() {
        return request.path.clone();
    }
    let body = String::from_utf8_lossy(&request.body);
    format!("{} {body}", request.path)
}

fn read_request(connection: &TcpStream) -> io::Result<HttpRequest> {
    let mut reader = BufReader::new(connection);
    let head = read_head(&mut reader)?;
    let mut words = head.split(' ');
    let (method, path) = (words.next(), words.next());
    let body = match header(&head, "content-length") {
        None => Vec::new(),
        Some(_) => read_body(&mut reader, &head)?,
    };
    Ok(HttpRequest {
        method: method.unwrap_or_default().to_owned(),
        path: path.unwrap_or_default().to_owned(),
        authorization: header(&head, "authorization").map(str::to_owned),
        body,
    })
}

fn head(reply: &HttpReply, further: &str) -> String {
    let HttpReply {
        status,
        content_type,
        ..
    } = reply;
    format!(
        "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nConnection: close\r\n{further}\r\n"
    )
}

fn announce(length: usize) -> String {
    format!("Content-Length: {length}\r\n")
}

fn write_reply(mut connection: &TcpStream, reply: &HttpReply, further: &str) -> io::Result<()> {
    let further = announce(reply.body.len()) + further;
    connection.write_all(&[head(reply, &further).as_bytes(), &reply.body].concat())
}

fn write_part(mut connection: &TcpStream, reply: &HttpReply, at: usize) -> io::Result<()> {
    let part = &reply.body[..at.min(reply.body.len())];
    let head = head(reply, &announce(reply.body.len()));
    connection.write_all(&[head.as_bytes(), part].concat())
}

fn write_padded(
    mut connection: &TcpStream,
    reply: &HttpReply,
    mebibytes: usize,
    announced: bool,
) -> io::Result<()> {
    let length = reply.body.len() + (mebibytes << 20);
    let further = if announced {
        announce(length)
    } else {
        String::new()
    };
    connection.write_all(head(reply, &further).as_bytes())?;
    connection.write_all(&reply.body)?;
    let blanks = vec![b' '; 1 << 20];
    (0..mebibytes).try_for_each(|_| connection.write_all(&blanks))
}
