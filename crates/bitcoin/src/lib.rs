//! Bitcoin sources: Esplora REST, Bitcoin Core, Electrum, and recorded answers of any of them.

mod conversation;
mod core;
mod electrum;
mod electrum_wire;
mod merkle;
mod normalize;
mod wire;

pub use core::CoreSource;
pub use electrum::ElectrumSource;
pub use electrum_wire::{ElectrumLimits, ElectrumWire};
pub use normalize::{Disbelief, believe, output, recognise, statement};
pub use wire::{Request, Wire};
