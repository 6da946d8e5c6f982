//! Bitcoin sources: Esplora REST, Bitcoin Core, Electrum, and recorded answers of any of them.

mod conversation;
mod core;
mod normalize;
mod wire;

pub use core::CoreSource;
pub use normalize::{Disbelief, believe, output, recognise, statement};
pub use wire::{Request, Wire};
