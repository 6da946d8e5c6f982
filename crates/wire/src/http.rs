//! An HTTP endpoint as a wire: paced, bounded, patient, and silent about its secrets.

mod batch;
mod client;
mod exchange;
mod limits;
mod post;
mod secrets;
mod setback;
mod slots;
mod tally;
mod verdict;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError};
use reqwest::Client;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::pace::{HostPace, Paces};
use crate::wire::failure;
use crate::{Credentials, Request, Wire};
pub use client::ClientError;
pub(crate) use client::{causes, client_builder, host_and_port, through};
pub use limits::Limits;
pub use post::JsonRpc;
use post::{Post, check_answer};
use secrets::Secrets;
use setback::{Patience, Setback};
use slots::Slots;
pub use tally::Tally;

/// What an [`HttpWire`] needs to know besides the URL.
#[derive(Clone, Default)]
pub struct HttpOptions {
    /// The bounds of the traffic.
    pub limits: Limits,
    /// Sent with every request, by HTTP basic authentication.
    pub credentials: Option<Credentials>,
    /// `http://`, `socks5://` or `socks5h://`, with user and password if it wants them. Host names are
    /// resolved by the proxy with each of them. Proxies named in the environment are ignored.
    pub proxy: Option<Url>,
    /// In which version calls are made; 1.0.
    pub version: JsonRpc,
}

/// A live HTTP endpoint: GET below its base URL, JSON-RPC by POST to the base URL itself.
///
/// A failure that may pass is retried with growing pauses; what the endpoint asks for with 429 and
/// `Retry-After` holds for all requests to its host. At most three redirects are followed, on the same scheme,
/// host and port.
pub struct HttpWire {
    client: Client,
    base: Url,
    endpoint: String,
    credentials: Option<Credentials>,
    version: JsonRpc,
    /// Calls that a batch may have, as far as is known.
    longest_batch: AtomicUsize,
    secrets: Secrets,
    limits: Limits,
    pace: Arc<HostPace>,
    slots: Slots,
    tally: Tally,
}

impl HttpWire {
    /// Names an endpoint; nothing is sent before the first request. `paces` is shared by all wires of a run.
    ///
    /// User and password in `base` are not used; they belong into [`HttpOptions::credentials`].
    pub fn new(base: &Url, options: HttpOptions, paces: &Paces) -> Result<Self, ClientError> {
        let client = client::build(base, &options)?;
        let endpoint = client::host_and_port(base)?;
        let HttpOptions {
            limits,
            credentials,
            proxy: _,
            version,
        } = options;
        Ok(Self {
            client,
            base: base.clone(),
            secrets: Secrets::of(base),
            version,
            longest_batch: AtomicUsize::new(batch::LONGEST_BATCH),
            pace: paces.of(&endpoint, limits.requests_per_second),
            endpoint,
            credentials,
            limits,
            slots: Slots::new(limits.concurrency),
            tally: Tally::default(),
        })
    }

    /// Tries until there is an answer, a failure that does not pass, or no patience left.
    ///
    /// The place is kept through the pauses: whoever waits behind would otherwise have to find out first, each
    /// for itself, that the endpoint does not answer.
    async fn persist(&self, post: Post<'_>) -> Result<Vec<u8>, Setback> {
        let mut place = self.slots.enter().await;
        let started = Instant::now();
        let mut patience = Patience::new(&self.limits);
        loop {
            let ready = self.pace.ready_for(post.count()).await;
            ready.map_err(|class| Setback::new(class, "the endpoint has just failed others"))?;
            let setback = match self.attempt(post).await {
                Ok(body) => return Ok(body),
                Err(setback) => setback,
            };
            let Some(pause) = patience.pause(&setback) else {
                self.note_end(&setback, started);
                return Err(setback);
            };
            if setback.class == ErrorClass::RateLimited || setback.pause.is_some() {
                self.pace.hold(pause);
                place = self.slots.refused(place).await;
            } else {
                sleep(pause).await;
            }
            self.tally.retry();
        }
    }

    async fn attempt(&self, post: Post<'_>) -> Result<Vec<u8>, Setback> {
        self.tally.request();
        let answer = self.exchange(post).await;
        let outcome = match (post, self.version) {
            (Post::One(Request::Call { .. }), JsonRpc::V2) => answer.and_then(check_answer),
            (Post::One(_) | Post::Batch(_), _) => answer,
        };
        let failed = matches!(&outcome, Err(setback) if setback.class.is_transient());
        if !failed {
            self.slots.answered();
            self.pace.answered();
        }
        outcome
    }

    fn note_end(&self, setback: &Setback, started: Instant) {
        if setback.class.is_transient() {
            self.pace.gave_up(setback.class, started);
        }
    }
}

/// The path of the URL and the credentials may be secret, so neither is printed.
impl fmt::Debug for HttpWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWire")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// The proxy may hold a password, so it is not printed.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("limits", &self.limits)
            .field("credentials", &self.credentials)
            .field("proxied", &self.proxy.is_some())
            .field("version", &self.version)
            .finish()
    }
}

#[async_trait]
impl Wire for HttpWire {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let outcome = self.persist(Post::One(request)).await;
        match &outcome {
            Ok(_) => self.tally.answered(),
            Err(setback) => self.tally.failed(setback.class),
        }
        outcome.map_err(|setback| failure(setback.class, &self.endpoint, request, setback.detail))
    }

    async fn send_batch(&self, requests: &[Request]) -> Vec<Result<Vec<u8>, SourceError>> {
        self.batches(requests).await
    }

    fn activity(&self) -> EndpointActivity {
        self.tally.activity(&self.endpoint)
    }
}
