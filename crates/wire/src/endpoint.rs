//! Endpoints as a user and `config/endpoints.toml` name them.

mod kind;
mod spec;

pub use kind::EndpointKind;
pub use spec::{EndpointEntry, EndpointError, EndpointSpec, Endpoints, EndpointsSchema};
