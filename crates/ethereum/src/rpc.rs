//! Calls of an EVM endpoint, one or many at a time: what came back as a result or as a failure whose kind says
//! what to do about it.

mod answer;
mod ask;
mod kind;
mod range;

pub use answer::{Complaint, Reply, read_reply};
pub use ask::{Ask, Heard};
pub use kind::{RpcFailure, RpcKind};
