//! The flow graph, the taint rules, settlement and the trace loop.
//!
//! Facts come in as statements, in any order; taint is a pure function of the set of facts. Nothing here
//! talks to a network, a disk, a clock or a terminal.

mod account;
mod account_trace;
mod accounting;
mod book;
mod confidence;
mod graph;
mod growth;
mod inflow;
mod limits;
mod pool;
mod rule;
mod scripts;
mod seed;
mod settlement;
mod trace;
mod units;
mod venues;
mod workings;

pub use account::{
    AccountFacts, AccountFlow, AccountSeed, AccountSettleError, AccountSettlement, AccountStep,
    AccountTransfer, Parcel, PoolChange, PoolKey, PoolState, PoolStep, Reading, Shortfall,
};
pub use account_trace::{AccountEnding, AccountPlan, AccountTrace};
pub use accounting::{Accounting, Category};
pub use confidence::Confidence;
pub use graph::{Flow, FlowGraph, FlowIx, GraphError, Pool, PoolIx};
pub use inflow::{AccountInflow, Inflow, Parts};
pub use limits::Limits;
pub use pool::{Drawn, Pour, Strand, leaving_order, settle_pool};
pub use rule::{Direction, FeeRule, Rule, RuleError};
pub use seed::{Seed, SeedIx};
pub use settlement::{Claim, SettleError, Settlement};
pub use trace::{Ending, Plan, Theft, Trace, TraceError};
pub use units::Units;
pub use venues::{NoVenues, Venue, Venues};
pub use workings::{Draw, Workings};
