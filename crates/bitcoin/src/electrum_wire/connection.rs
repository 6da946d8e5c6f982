//! One connection to an Electrum server: newline-delimited JSON-RPC 2.0, answers in any order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hansel_ledger::ErrorClass;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::stream::{Address, Stream, open};

/// The protocol versions spoken, oldest and newest.
const VERSIONS: &str = r#"["hansel",["1.4","1.6"]]"#;
/// Requests that wait to be written.
const QUEUE: usize = 64;

/// Why a connection, or a request on it, failed.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) class: ErrorClass,
    /// Not yet made printable.
    pub(super) detail: String,
}

impl Failure {
    /// A failure that may pass.
    pub(super) fn unreachable(detail: impl Into<String>) -> Self {
        Self {
            class: ErrorClass::Unreachable,
            detail: detail.into(),
        }
    }

    fn malformed(detail: impl Into<String>) -> Self {
        Self {
            class: ErrorClass::Malformed,
            detail: detail.into(),
        }
    }
}

type Reply = oneshot::Sender<Vec<u8>>;

/// The requests in flight, or why there can be none any more.
type InFlight = Mutex<Result<HashMap<u64, Reply>, Failure>>;

/// An open connection; dropped, it is closed.
pub(super) struct Connection {
    lines: mpsc::Sender<String>,
    in_flight: Arc<InFlight>,
    next_id: AtomicU64,
    tasks: [AbortHandle; 2],
}

/// What a server sends: an answer, or a notification, which has no id.
#[derive(Deserialize)]
struct Message<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl Connection {
    /// Connects and agrees on a protocol version.
    pub(super) async fn make(address: &Address, longest_line: u64) -> Result<Self, Failure> {
        let (reading, writing) = tokio::io::split(open(address).await?);
        let in_flight = Arc::new(Mutex::new(Ok(HashMap::new())));
        let (lines, queue) = mpsc::channel(QUEUE);
        let writer = tokio::spawn(write(writing, queue, Arc::clone(&in_flight)));
        let reader = tokio::spawn(read(reading, longest_line, Arc::clone(&in_flight)));
        let connection = Self {
            lines,
            in_flight,
            next_id: AtomicU64::new(0),
            tasks: [reader.abort_handle(), writer.abort_handle()],
        };
        let greeting = connection.exchange("server.version", VERSIONS).await?;
        if greeting.starts_with(br#"{"error""#) {
            let words = String::from_utf8_lossy(&greeting).into_owned();
            return Err(Failure {
                class: ErrorClass::Unsupported,
                detail: format!("no common protocol version: {words}"),
            });
        }
        Ok(connection)
    }

    /// Sends a request and waits for its answer: `{"result":…}` or `{"error":…}`, without the id, which
    /// differs from run to run.
    pub(super) async fn exchange(&self, method: &str, params: &str) -> Result<Vec<u8>, Failure> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let method = serde_json::Value::from(method);
        let line = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":{method},\"params\":{params}}}\n"
        );
        let (reply, answer) = oneshot::channel();
        let _slot = self.await_reply(id, reply)?;
        if self.lines.send(line).await.is_err() {
            return Err(self.reason());
        }
        answer.await.map_err(|_| self.reason())
    }

    /// True once nothing more can be sent.
    pub(super) fn is_closed(&self) -> bool {
        lock(&self.in_flight).is_err()
    }

    fn await_reply(&self, id: u64, reply: Reply) -> Result<Slot<'_>, Failure> {
        let mut in_flight = lock(&self.in_flight);
        let waiting = in_flight.as_mut().map_err(|failure| failure.clone())?;
        waiting.insert(id, reply);
        Ok(Slot {
            in_flight: &self.in_flight,
            id,
        })
    }

    fn reason(&self) -> Failure {
        match &*lock(&self.in_flight) {
            Err(failure) => failure.clone(),
            Ok(_) => Failure::unreachable("the connection was closed"),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A place among the requests in flight, given back when the asker has its answer or gives up.
struct Slot<'a> {
    in_flight: &'a InFlight,
    id: u64,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if let Ok(waiting) = &mut *lock(self.in_flight) {
            waiting.remove(&self.id);
        }
    }
}

fn lock(in_flight: &InFlight) -> MutexGuard<'_, Result<HashMap<u64, Reply>, Failure>> {
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the connection for everybody who waits; the first reason stays.
fn close(in_flight: &InFlight, failure: Failure) {
    let mut state = lock(in_flight);
    if state.is_ok() {
        *state = Err(failure);
    }
}

async fn write(
    mut writing: WriteHalf<Box<dyn Stream>>,
    mut queue: mpsc::Receiver<String>,
    in_flight: Arc<InFlight>,
) {
    while let Some(line) = queue.recv().await {
        let mut written = writing.write_all(line.as_bytes()).await;
        if written.is_ok() {
            written = writing.flush().await;
        }
        if let Err(error) = written {
            return close(&in_flight, Failure::unreachable(error.to_string()));
        }
    }
}

async fn read(reading: ReadHalf<Box<dyn Stream>>, longest: u64, in_flight: Arc<InFlight>) {
    let mut reading = BufReader::new(reading);
    loop {
        let outcome = match read_line(&mut reading, longest).await {
            Ok(line) => deliver(&line, &in_flight),
            Err(failure) => Err(failure),
        };
        if let Err(failure) = outcome {
            return close(&in_flight, failure);
        }
    }
}

async fn read_line(
    reading: &mut BufReader<ReadHalf<Box<dyn Stream>>>,
    longest: u64,
) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    let mut bounded = reading.take(longest);
    let read = bounded.read_until(b'\n', &mut line).await;
    read.map_err(|error| Failure::unreachable(error.to_string()))?;
    if line.last() == Some(&b'\n') {
        return Ok(line);
    }
    if bounded.limit() == 0 {
        let detail = format!("an answer of more than {longest} bytes");
        return Err(Failure::malformed(detail));
    }
    Err(Failure::unreachable("the server closed the connection"))
}

/// Hands an answer to the one who waits for it; one that nobody waits for any more is dropped.
fn deliver(line: &[u8], in_flight: &InFlight) -> Result<(), Failure> {
    let message: Message<'_> = serde_json::from_slice(line)
        .map_err(|error| Failure::malformed(format!("not a JSON-RPC message: {error}")))?;
    let Some(id) = message.id else { return Ok(()) };
    let body = match (message.error, message.result) {
        (Some(error), _) => format!("{{\"error\":{error}}}"),
        (None, Some(result)) => format!("{{\"result\":{result}}}"),
        (None, None) => "{\"result\":null}".to_owned(),
    };
    let reply = match &mut *lock(in_flight) {
        Ok(waiting) => waiting.remove(&id),
        Err(_closed) => None,
    };
    if let Some(reply) = reply {
        // The asker may have given up this moment.
        let _unheard = reply.send(body.into_bytes());
    }
    Ok(())
}
