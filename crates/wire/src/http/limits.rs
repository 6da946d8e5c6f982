//! What a client allows itself and an endpoint.

use std::num::NonZeroU32;
use std::time::Duration;

/// Bounds of the traffic with one HTTP endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at a time; 8. Lowered by itself while the endpoint refuses requests.
    pub concurrency: usize,
    /// Requests started per second at the endpoint's host; `None`, the default, for no limit.
    ///
    /// Endpoints of one host share the limit of the one that was opened first.
    pub requests_per_second: Option<NonZeroU32>,
    /// How long making a connection may take; 15 s.
    pub connect_timeout: Duration,
    /// How long the endpoint may send nothing; 60 s.
    pub idle_timeout: Duration,
    /// How long one request may take from its start to the last byte; 180 s.
    pub timeout: Duration,
    /// Bytes a body may have once unpacked; 64 MiB.
    pub longest_body: usize,
    /// How often a request is sent again after a failure that may pass; 5.
    pub retries: u32,
    /// The pause before the first repetition; 250 ms. It doubles with each, up to 30 s, with jitter.
    pub back_off: Duration,
    /// The longest pause an endpoint may ask for with `Retry-After`; 120 s. Longer ones are cut to it.
    pub longest_pause: Duration,
    /// How long all pauses of one request may take together; 300 s.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 8,
            requests_per_second: None,
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            timeout: Duration::from_secs(180),
            longest_body: 64 << 20,
            retries: 5,
            back_off: Duration::from_millis(250),
            longest_pause: Duration::from_secs(120),
            patience: Duration::from_secs(300),
        }
    }
}
