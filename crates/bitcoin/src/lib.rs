//! Bitcoin sources: Esplora REST, Bitcoin Core and Electrum.

mod conversation;
mod core;
mod electrum;
mod electrum_wire;
mod esplora;
mod merkle;
mod normalize;
mod protocols;

pub use core::CoreSource;
pub use electrum::ElectrumSource;
pub use electrum_wire::{ElectrumLimits, ElectrumWire};
pub use esplora::EsploraSource;
pub use normalize::{Disbelief, believe, output, recognise, statement};
pub use protocols::BitcoinProtocols;
