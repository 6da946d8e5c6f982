//! What every source needs of a network: bounded, paced, patient HTTP, recordings of answers, endpoints as
//! users name them, and several sources as one.

mod busy;
mod credentials;
mod endpoint;
mod failover;
mod http;
mod open;
mod pace;
mod recording;
mod webhook;
mod wire;

pub use busy::asks_for_patience;
pub use credentials::Credentials;
pub use endpoint::{
    EndpointEntry, EndpointError, EndpointKind, EndpointSpec, Endpoints, EndpointsSchema,
};
pub use failover::Failover;
pub use http::{ClientError, HttpOptions, HttpWire, JsonRpc, Limits, Tally};
pub use open::{Named, Notice, OpenError, OpenOptions, Protocols, Record, http_wire, open};
pub use pace::Paces;
pub use recording::{Clock, RecordWire, Recorder, Recording, RecordingError, ReplayWire};
pub use webhook::{Webhook, WebhookError, WebhookSecret};
pub use wire::{Request, Wire, failure, one_line};
