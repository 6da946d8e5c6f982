//! Detectors for EVM chains: what transactions and the flows between accounts say about those who made them.
//!
//! The rules, their constants and where each comes from are in `docs/heuristics.md`.

mod deposits;
mod detect;
mod fans;
mod funders;
mod instant;
mod mixing;
mod passing;
mod poisoning;
mod pools;
mod privacy_pools;
mod railgun;
mod round_trips;
mod scene;
mod structuring;
mod tornado;
mod tornado_leads;
mod transaction;

pub use deposits::{MOST_BLOCKS, MOST_KEPT};
pub use detect::detect;
pub use scene::AccountView;
pub use transaction::{EvmView, transaction_findings};
