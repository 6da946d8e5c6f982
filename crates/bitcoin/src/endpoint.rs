//! Endpoints as a user and `config/endpoints.toml` name them.

mod kind;
mod open;
mod spec;

pub use kind::EndpointKind;
pub use open::{Notice, OpenError, OpenOptions, Record, open};
pub use spec::{EndpointEntry, EndpointError, EndpointSpec, Endpoints, EndpointsSchema};
