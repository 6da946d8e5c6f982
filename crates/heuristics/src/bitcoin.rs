//! Detectors for Bitcoin: what the shape of transactions says about those who made them.
//!
//! The rules, their constants and where each comes from are in `docs/heuristics.md`.

mod change;
mod chips;
mod coinjoin;
mod consolidation;
mod equal_outputs;
mod graph;
mod joinmarket;
mod op_return;
mod payout;
mod reuse;
mod shape;
mod stonewall;
mod subset_sum;
mod transaction;
mod tx0;
mod view;
mod wasabi1;
mod wasabi2;
mod whirlpool;

pub use change::{Change, change, change_of};
pub use chips::chips;
pub use coinjoin::coinjoin;
pub use consolidation::consolidation;
pub use graph::{Cluster, Clusters, GraphView, PeelChain, PeelHop, detect, peel_chains};
pub use op_return::op_return;
pub use payout::{batch_payout, fan_out};
pub use reuse::address_reuse;
pub use stonewall::stonewall;
pub use transaction::transaction_findings;
pub use tx0::whirlpool_tx0;
pub use view::{Coin, TxInput, TxView};
