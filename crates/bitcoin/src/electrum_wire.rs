//! An Electrum server as a wire: one connection, many requests in flight, made again when it is lost.

mod connection;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use url::Url;

use crate::conversation::complaint_class;
use connection::{Connection, Failure};
use hansel_wire::Tally;
use hansel_wire::failure;
use hansel_wire::{Request, Wire};
use stream::Address;

/// What an [`ElectrumWire`] allows itself and the server.
#[derive(Clone, Copy, Debug)]
pub struct ElectrumLimits {
    /// Requests that wait for their answers at the same time.
    pub in_flight: usize,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long one answer may take.
    pub answer_timeout: Duration,
    /// How often a request is sent again after a failure that may pass.
    pub retries: u32,
    /// The pause before the first repetition; it doubles with each, up to 30 s.
    pub back_off: Duration,
    /// Bytes an answer may have.
    pub longest_answer: u64,
}

impl Default for ElectrumLimits {
    fn default() -> Self {
        Self {
            in_flight: 16,
            connect_timeout: Duration::from_secs(20),
            answer_timeout: Duration::from_secs(60),
            retries: 4,
            back_off: Duration::from_millis(500),
            longest_answer: 64 << 20,
        }
    }
}

/// Pauses between repetitions grow no longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A server that speaks the Electrum protocol over TCP or TLS, directly or through a SOCKS5 proxy.
pub struct ElectrumWire {
    address: Address,
    endpoint: String,
    limits: ElectrumLimits,
    slots: Semaphore,
    connection: tokio::sync::Mutex<Option<Arc<Connection>>>,
    tally: Tally,
}

impl ElectrumWire {
    /// Names a server; the connection is made with the first request.
    ///
    /// With `tls` the server's certificate must be valid for `host`. `proxy` is `socks5://[USER:PASSWORD@]HOST:PORT`
    /// (or `socks5h`); host names are always resolved by the proxy.
    pub fn new(
        host: &str,
        port: u16,
        tls: bool,
        proxy: Option<Url>,
        limits: ElectrumLimits,
    ) -> Self {
        Self {
            address: Address {
                // An IPv6 address wears brackets in URLs only.
                host: host.trim_matches(['[', ']']).to_owned(),
                port,
                tls,
                proxy,
            },
            endpoint: format!("{host}:{port}"),
            limits,
            slots: Semaphore::new(limits.in_flight.max(1)),
            connection: tokio::sync::Mutex::default(),
            tally: Tally::default(),
        }
    }

    async fn attempt(&self, method: &str, params: &str) -> Result<Vec<u8>, Failure> {
        let connection = self.connected().await?;
        self.tally.request();
        let exchange = connection.exchange(method, params);
        let outcome = timeout(self.limits.answer_timeout, exchange).await;
        match outcome {
            Ok(Ok(body)) => self.passable(body),
            Ok(Err(failure)) => {
                self.forget(&connection).await;
                Err(failure)
            }
            // A server that went silent is indistinguishable from a dead connection.
            Err(_elapsed) => {
                self.forget(&connection).await;
                Err(Failure::unreachable("no answer in time"))
            }
        }
    }

    /// An answer that asks for patience is no answer yet.
    fn passable(&self, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        if complaint_class(&body) != Some(ErrorClass::RateLimited) {
            return Ok(body);
        }
        Err(Failure {
            class: ErrorClass::RateLimited,
            detail: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    async fn connected(&self) -> Result<Arc<Connection>, Failure> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = current.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        *current = None;
        let making = Connection::make(&self.address, self.limits.longest_answer);
        let made = timeout(self.limits.connect_timeout, making).await;
        let made = made.map_err(|_| Failure::unreachable("no connection in time"))??;
        let connection = Arc::new(made);
        *current = Some(Arc::clone(&connection));
        Ok(connection)
    }

    async fn forget(&self, broken: &Arc<Connection>) {
        let mut current = self.connection.lock().await;
        if current.as_ref().is_some_and(|c| Arc::ptr_eq(c, broken)) {
            *current = None;
        }
    }

    fn count_outcome(&self, outcome: &Result<Vec<u8>, Failure>) {
        match outcome {
            Ok(body) => {
                self.tally.answered();
                self.tally.bytes(body.len());
            }
            Err(failure) => self.tally.failed(failure.class),
        }
    }

    async fn repeat(&self, method: &str, params: &str) -> Result<Vec<u8>, Failure> {
        let mut pause = self.limits.back_off;
        for _ in 0..self.limits.retries {
            match self.attempt(method, params).await {
                Err(failure) if failure.class.is_transient() => {}
                outcome => return outcome,
            }
            self.tally.retry();
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        self.attempt(method, params).await
    }
}

/// The proxy may hold a password, so it is never printed.
impl fmt::Debug for ElectrumWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElectrumWire")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Wire for ElectrumWire {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let fail = |class, detail: &str| failure(class, &self.endpoint, request, detail);
        let Request::Call { method, params } = request else {
            return Err(fail(
                ErrorClass::Unsupported,
                "an Electrum server has no paths",
            ));
        };
        let slot = self.slots.acquire().await;
        let _slot = slot.expect("the semaphore is never closed");
        let outcome = self.repeat(method, params).await;
        self.count_outcome(&outcome);
        outcome.map_err(|failure| fail(failure.class, &failure.detail))
    }

    fn activity(&self) -> EndpointActivity {
        self.tally.activity(&self.endpoint)
    }
}
