//! The proxy's side towards its clients.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::time::sleep;

use super::exchange::Exchange;
use super::{RpcFault, State};
use crate::server::ServerThread;

pub(super) fn start(state: Arc<State>) -> io::Result<ServerThread> {
    let router = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::disable())
        .with_state(state);
    ServerThread::start(|listener| async move {
        // It ends only with its listener, which the thread owns.
        let _ended = axum::serve(listener, router).await;
    })
}

async fn answer(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let _flight = Flight::start(&state);
    let latency = state.script().latency;
    sleep(latency).await;
    let Ok(request) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "not json").into_response();
    };
    let exchange = Exchange::judge(&state, request);
    state
        .largest_batch
        .fetch_max(exchange.size(), Ordering::SeqCst);
    sleep(delay(&exchange)).await;
    if let Some(response) = exchange.faults().find_map(whole) {
        return response;
    }
    let asked = tokio::task::spawn_blocking(move || exchange.answer(&state.upstream)).await;
    match asked {
        Ok(Ok(answer)) => json(answer.to_string().into()),
        // The node broke off; so does a gateway in front of it.
        Ok(Err(_)) | Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn delay(exchange: &Exchange) -> Duration {
    let delays = exchange.faults().filter_map(|fault| match fault {
        RpcFault::Delay(time) => Some(*time),
        _ => None,
    });
    delays.max().unwrap_or_default()
}

/// The answer to the whole request, where a fault decides on it.
fn whole(fault: &RpcFault) -> Option<Response> {
    match fault {
        RpcFault::Status {
            status,
            retry_after,
        } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::IM_A_TEAPOT);
            let mut response = (status, "as scripted").into_response();
            if let Some(seconds) = retry_after {
                let headers = response.headers_mut();
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Some(response)
        }
        RpcFault::HangUp => {
            let cut = stream::iter([Err::<Bytes, _>(io::Error::other("cut"))]);
            Some(json(Body::from_stream(cut)))
        }
        RpcFault::Flood { mebibytes } => Some(json(flood(*mebibytes))),
        _ => None,
    }
}

fn json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// An answer that begins well and goes on, made as it is read.
fn flood(mebibytes: u64) -> Body {
    let start = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":""#);
    let mebibyte = Bytes::from(vec![b'a'; 1 << 20]);
    let pieces = (0..=mebibytes).map(move |place| {
        let piece = if place == 0 { &start } else { &mebibyte };
        Ok::<_, io::Error>(piece.clone())
    });
    Body::from_stream(stream::iter(pieces))
}

/// A request that is being answered, counted until dropped.
struct Flight {
    state: Arc<State>,
}

impl Flight {
    fn start(state: &Arc<State>) -> Self {
        state.requests.fetch_add(1, Ordering::SeqCst);
        let now = state.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_in_flight.fetch_max(now, Ordering::SeqCst);
        let state = state.clone();
        Self { state }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.state.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
