//! Detectors for Bitcoin: what the shape of transactions says about those who made them.
//!
//! The rules, their constants and where each comes from are in `docs/heuristics.md`.

mod coinjoin;
mod equal_outputs;
mod joinmarket;
mod shape;
mod stonewall;
mod subset_sum;
mod tx0;
mod verdict;
mod view;
mod wasabi1;
mod wasabi2;
mod whirlpool;

pub use coinjoin::coinjoin;
pub use stonewall::stonewall;
pub use tx0::whirlpool_tx0;
pub use view::{Coin, TxInput, TxView};
