//! When alloy's retry layer sends a request again, and for how long its connection lives.

use std::time::Duration;

use alloy_pubsub::{ConnectionHandle, PubSubConnect};
use alloy_transport::layers::{RateLimitRetryPolicy, RetryPolicy};
use alloy_transport::{TransportError, TransportErrorKind, TransportResult};
use hansel_wire::asks_for_patience;

/// Sends again what was refused for the number of requests, and nothing else: alloy's own policy takes an
/// answer that would be too long for such a refusal, as both have the code -32005.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) longest_pause: Duration,
}

impl RetryPolicy for Patience {
    fn should_retry(&self, error: &TransportError) -> bool {
        let refusal = error.as_error_resp();
        refusal.is_some_and(|refusal| asks_for_patience(refusal.code, &refusal.message))
    }

    fn backoff_hint(&self, error: &TransportError) -> Option<Duration> {
        let hint = RateLimitRetryPolicy::default().backoff_hint(error);
        hint.map(|hint| hint.min(self.longest_pause))
    }
}

/// A connection that is not made again by itself. Alloy would send everything that is open again, however
/// often an answer breaks the connection.
pub(super) struct Once<C>(pub(super) C);

impl<C: PubSubConnect> PubSubConnect for Once<C> {
    fn is_local(&self) -> bool {
        self.0.is_local()
    }

    async fn connect(&self) -> TransportResult<ConnectionHandle> {
        self.0.connect().await
    }

    async fn try_reconnect(&self) -> TransportResult<ConnectionHandle> {
        Err(TransportErrorKind::non_retryable_str("connection lost"))
    }
}
