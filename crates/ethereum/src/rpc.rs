//! Calls of an EVM endpoint, one or many at a time: what came back as a result or as a failure whose kind says
//! what to do about it.

mod answer;
mod chain;
mod kind;
mod range;
mod talk;

pub use answer::{Complaint, Reply, read_reply};
pub use chain::recognise_chain;
pub use kind::{RpcFailure, RpcKind};
pub use talk::{Heard, Talk};
