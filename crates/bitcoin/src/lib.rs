//! Bitcoin sources: Esplora REST, Bitcoin Core, Electrum, and recorded answers of any of them.

mod conversation;
mod core;
mod credentials;
mod electrum;
mod electrum_wire;
mod endpoint;
mod esplora;
mod failover;
mod http;
mod merkle;
mod normalize;
mod pace;
mod recording;
mod wire;

pub use core::CoreSource;
pub use credentials::Credentials;
pub use electrum::ElectrumSource;
pub use electrum_wire::{ElectrumLimits, ElectrumWire};
pub use endpoint::{
    EndpointEntry, EndpointError, EndpointKind, EndpointSpec, Endpoints, EndpointsSchema, Notice,
    OpenError, OpenOptions, Record, open,
};
pub use esplora::EsploraSource;
pub use failover::Failover;
pub use http::{ClientError, HttpOptions, HttpWire, Limits};
pub use normalize::{Disbelief, believe, output, recognise, statement};
pub use pace::Paces;
pub use recording::{Clock, RecordWire, Recorder, Recording, RecordingError, ReplayWire};
pub use wire::{Request, Wire};
