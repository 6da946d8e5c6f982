//! A server that writes what it is told to, byte for byte, and counts who asks.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running server; it ends with its runtime.
pub(crate) struct Hostile {
    pub(crate) port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    heads: Mutex<Vec<String>>,
    open: AtomicUsize,
    peak: AtomicUsize,
}

impl Hostile {
    /// Answers the `n`th request, counted from 0, with `answer(n, head)`, raw, and closes the connection.
    pub(crate) async fn start<F, A>(answer: F) -> Self
    where
        F: Fn(usize, String) -> A + Send + Sync + 'static,
        A: Future<Output = Vec<u8>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let (shared, answer) = (seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (shared.clone(), answer.clone());
                tokio::spawn(serve(stream, seen, answer));
            }
        });
        Self { port, seen }
    }

    /// Gives everybody the same raw answer.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |_, _| std::future::ready(answer.clone())).await
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("http://127.0.0.1:{}", self.port).parse().unwrap()
    }

    /// The heads of all requests so far, with the body where it came along.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// The most requests that were open at a time.
    pub(crate) fn peak(&self) -> usize {
        self.seen.peak.load(Ordering::SeqCst)
    }
}

async fn serve<F, A>(mut stream: TcpStream, seen: Arc<Seen>, answer: Arc<F>)
where
    F: Fn(usize, String) -> A,
    A: Future<Output = Vec<u8>>,
{
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&buffer[..read]),
        }
    }
    let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
    seen.peak.fetch_max(open, Ordering::SeqCst);
    let head = String::from_utf8_lossy(&head).into_owned();
    let number = {
        let mut heads = seen.heads.lock().unwrap();
        heads.push(head.clone());
        heads.len() - 1
    };
    let bytes = answer(number, head).await;
    seen.open.fetch_sub(1, Ordering::SeqCst);
    // The client may have gone away.
    let _sent = stream.write_all(&bytes).await;
    let _closed = stream.shutdown().await;
}

/// A well-formed answer.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
    .into()
}
