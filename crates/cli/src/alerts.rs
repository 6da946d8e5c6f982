//! Tells the world what moved: what counts as news, what was told before, and how messages are delivered.

mod alert;
mod channels;
mod command;
mod delivery;
mod events;
mod memory;
mod watching;

pub(crate) use alert::{Alert, Severity};
pub(crate) use channels::Channels;
pub(crate) use delivery::{Delivery, Left};
pub(crate) use watching::Watching;
