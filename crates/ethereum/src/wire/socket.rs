//! A WebSocket or a local socket as a wire, on alloy's client with its retry and throttle layers.

use std::path::PathBuf;
use std::time::Duration;

use alloy_pubsub::RawSubscription;
use alloy_rpc_client::{ClientBuilder, IpcConnect, RpcClient, WebSocketConfig, WsConnect};
use alloy_transport::layers::{RetryBackoffLayer, ThrottleLayer};
use alloy_transport::{RpcError, TransportError, TransportErrorKind};
use async_trait::async_trait;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError};
use hansel_wire::{Limits, Request, Tally, Wire, failure, one_line};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{sleep, timeout};
use url::Url;

use super::policy::{Once, Patience};

/// The longest pause between two tries.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);
/// Requests per second where no limit was given, more than any endpoint answers.
const UNLIMITED: u32 = 1_000_000;

/// Where a socket is.
#[derive(Clone)]
pub enum SocketPlace {
    /// `ws://` or `wss://`; the path may hold a key.
    WebSocket(Url),
    /// A local socket, or named pipe, of an own node.
    Ipc(PathBuf),
}

/// A live endpoint behind a socket, connected at the first request and again when the connection is lost.
///
/// Over WebSocket a message longer than [`Limits::longest_body`] breaks the connection. A local socket is
/// trusted with memory: alloy reads its messages without a bound.
pub struct SocketWire {
    endpoint: String,
    place: SocketPlace,
    limits: Limits,
    throttle: ThrottleLayer,
    slots: Semaphore,
    connection: Mutex<Connection>,
    /// New blocks, once somebody waits for them.
    news: Mutex<Option<RawSubscription>>,
    tally: Tally,
}

#[derive(Default)]
struct Connection {
    /// Counts the connections, so that only the one that failed is given up.
    number: u64,
    client: Option<RpcClient>,
}

/// Why there is no answer, without the words of whoever failed: they may hold the URL.
struct Setback {
    class: ErrorClass,
    detail: &'static str,
    is_lost: bool,
}

impl SocketWire {
    /// Names an endpoint; nothing is sent before the first request.
    pub fn new(place: SocketPlace, limits: Limits) -> Self {
        let rate = limits.requests_per_second;
        let throttle = match rate {
            Some(rate) => ThrottleLayer::new_with_burst(rate.get(), rate),
            None => ThrottleLayer::new(UNLIMITED),
        };
        let places = limits.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            endpoint: name(&place),
            place,
            limits,
            throttle,
            slots: Semaphore::new(places),
            connection: Mutex::default(),
            news: Mutex::default(),
            tally: Tally::default(),
        }
    }

    async fn persist(&self, request: &Request) -> Result<Vec<u8>, Setback> {
        let place = self.slots.acquire().await;
        let _place = place.expect("the semaphore is never closed");
        let mut pause = self.limits.back_off;
        for _ in 0..self.limits.retries {
            match self.attempt(request).await {
                // The retry layer has been patient already.
                Err(setback) if setback.class == ErrorClass::Unreachable => {}
                outcome => return outcome,
            }
            sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_BACK_OFF);
            self.tally.retry();
        }
        self.attempt(request).await
    }

    async fn attempt(&self, request: &Request) -> Result<Vec<u8>, Setback> {
        self.tally.request();
        let (number, client) = self.client().await?;
        let outcome = match timeout(self.limits.timeout, call(&client, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Setback::lost("no answer in time")),
        };
        match &outcome {
            Ok(body) => self.tally.bytes(body.len()),
            Err(setback) if setback.is_lost => self.give_up(number).await,
            Err(_) => {}
        }
        outcome
    }

    /// Has the node tell of new blocks from now on.
    async fn subscribe(&self, request: &Request) -> Result<RawSubscription, SourceError> {
        let failed = |setback: Setback| {
            self.tally.failed(setback.class);
            failure(setback.class, &self.endpoint, request, setback.detail)
        };
        self.tally.request();
        let (number, client) = self.client().await.map_err(&failed)?;
        let made = match timeout(self.limits.timeout, subscription(&client)).await {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(error)) => Err(setback(&error)),
            Err(_) => Err(Setback::lost("no answer in time")),
        };
        match made {
            Ok(made) => {
                self.tally.answered();
                Ok(made)
            }
            Err(setback) => {
                if setback.is_lost {
                    self.give_up(number).await;
                }
                Err(failed(setback))
            }
        }
    }

    /// The connection, made where there is none.
    async fn client(&self) -> Result<(u64, RpcClient), Setback> {
        let mut connection = self.connection.lock().await;
        if let Some(client) = &connection.client {
            return Ok((connection.number, client.clone()));
        }
        let made = timeout(self.limits.connect_timeout, self.connect()).await;
        let client = match made {
            Ok(Ok(client)) => client,
            Ok(Err(_)) => return Err(Setback::lost("no connection")),
            Err(_) => return Err(Setback::lost("no connection in time")),
        };
        connection.number += 1;
        connection.client = Some(client.clone());
        Ok((connection.number, client))
    }

    async fn give_up(&self, number: u64) {
        let mut connection = self.connection.lock().await;
        if connection.number == number {
            connection.client = None;
        }
    }

    async fn connect(&self) -> Result<RpcClient, TransportError> {
        let back_off = u64::try_from(self.limits.back_off.as_millis()).unwrap_or(u64::MAX);
        let longest_pause = self.limits.longest_pause;
        let patience = Patience { longest_pause };
        let retry =
            RetryBackoffLayer::new_with_policy(self.limits.retries, back_off, u64::MAX, patience);
        let throttle = ThrottleLayer {
            throttle: self.throttle.throttle.clone(),
        };
        let layers = ClientBuilder::default().layer(retry).layer(throttle);
        match &self.place {
            SocketPlace::WebSocket(url) => {
                let longest = Some(self.limits.longest_body);
                let bounds = WebSocketConfig::default()
                    .max_message_size(longest)
                    .max_frame_size(longest);
                let connect = WsConnect::new(url.as_str()).with_config(bounds);
                layers.pubsub(Once(connect)).await
            }
            SocketPlace::Ipc(path) => layers.pubsub(Once(IpcConnect::from(path.clone()))).await,
        }
    }
}

impl Setback {
    fn new(class: ErrorClass, detail: &'static str) -> Self {
        let is_lost = false;
        Self {
            class,
            detail,
            is_lost,
        }
    }

    fn lost(detail: &'static str) -> Self {
        let is_lost = true;
        let class = ErrorClass::Unreachable;
        Self {
            class,
            detail,
            is_lost,
        }
    }
}

/// Makes a call and writes its outcome as the JSON-RPC answer that another protocol would have brought.
async fn call(client: &RpcClient, request: &Request) -> Result<Vec<u8>, Setback> {
    let unsupported = |detail| Setback::new(ErrorClass::Unsupported, detail);
    let Request::Call { method, params } = request else {
        return Err(unsupported("only calls go over a socket"));
    };
    let params = RawValue::from_string(params.clone());
    let params = params.map_err(|_| unsupported("the parameters are no JSON"))?;
    let outcome = client.request::<_, Box<RawValue>>(method.clone(), params);
    match outcome.await {
        Ok(result) => Ok(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#).into_bytes()),
        Err(RpcError::ErrorResp(refusal)) => {
            let (code, message, data) = (refusal.code, refusal.message, refusal.data);
            let error = json!({ "code": code, "message": message, "data": data });
            Ok(format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#).into_bytes())
        }
        Err(error) => Err(setback(&error)),
    }
}

async fn subscription(client: &RpcClient) -> Result<RawSubscription, TransportError> {
    let told = client.pubsub_frontend().ok_or_else(|| {
        TransportErrorKind::non_retryable_str("the connection carries no subscriptions")
    })?;
    let id = client.request("eth_subscribe", ("newHeads",)).await?;
    told.get_subscription(id).await
}

fn setback(error: &TransportError) -> Setback {
    match error {
        RpcError::Transport(TransportErrorKind::Custom(cause))
            if cause.to_string().starts_with("Max retries exceeded") =>
        {
            let detail = "the endpoint says that there are too many requests";
            Setback::new(ErrorClass::RateLimited, detail)
        }
        RpcError::Transport(_) => Setback::lost("the connection was lost"),
        RpcError::DeserError { .. } | RpcError::NullResp => {
            Setback::new(ErrorClass::Malformed, "not a JSON-RPC answer")
        }
        RpcError::ErrorResp(_)
        | RpcError::UnsupportedFeature(_)
        | RpcError::LocalUsageError(_)
        | RpcError::SerError(_) => {
            Setback::new(ErrorClass::Unsupported, "the call could not be made")
        }
    }
}

/// The host and port, or the name of the socket without its directory.
fn name(place: &SocketPlace) -> String {
    match place {
        SocketPlace::WebSocket(url) => {
            let host = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}"));
            format!("{host}{}", port.unwrap_or_default())
        }
        SocketPlace::Ipc(path) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("ipc:{}", one_line(&name, 200).replace(' ', "?"))
        }
    }
}

#[async_trait]
impl Wire for SocketWire {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let outcome = self.persist(request).await;
        match &outcome {
            Ok(_) => self.tally.answered(),
            Err(setback) => self.tally.failed(setback.class),
        }
        outcome.map_err(|setback| failure(setback.class, &self.endpoint, request, setback.detail))
    }

    /// By `eth_subscribe`, over the connection that requests take too.
    async fn told_of_block(&self, patience: Duration) -> Result<bool, SourceError> {
        let request = Request::call("eth_subscribe", &json!(["newHeads"]));
        let mut news = self.news.lock().await;
        if let Some(told) = news.as_mut() {
            match timeout(patience, told.recv()).await {
                Err(_) => return Ok(false),
                // Of many blocks the oldest are forgotten; there are new ones all the same.
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => return Ok(true),
                Ok(Err(RecvError::Closed)) => *news = None,
            }
        }
        *news = Some(self.subscribe(&request).await?);
        // Nothing tells of a block that came before.
        Ok(true)
    }

    fn activity(&self) -> EndpointActivity {
        self.tally.activity(&self.endpoint)
    }
}
