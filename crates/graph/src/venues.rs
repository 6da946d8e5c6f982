//! Places where value is no longer its sender's to move, so that a trail ends there and says why.
//!
//! Who knows such places (labels, detectors, the user) is not this crate's business: a trace asks, and what it is
//! told is a function of the chain's facts. The same facts and the same answers give the same settlement.

use std::fmt::Debug;

use alloy_primitives::Address;
use bitcoin::{Script, Txid};
use hansel_ledger::Chain;

use crate::{Category, Confidence, FlowGraph, PoolIx};

/// A place at which a trail ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venue {
    /// Where the value is counted: with exchanges, mixers, bridges or services.
    pub category: Category,
    /// Who holds the value, such as `binance`. Text of a source: escape it where it is shown.
    pub entity: String,
    /// Why the trail ends, in words. May quote a source: escape it where it is shown.
    pub reason: String,
    /// The id of the rule that recognised the place, such as `label.exchange` or `btc.coinjoin.wasabi1`.
    pub rule: String,
    /// How sure the rule is.
    pub confidence: Confidence,
}

/// Knows the places at which trails end.
///
/// The answers must not change while a trace runs, except that a transaction of which more is known may be
/// recognised then. Value that was stolen there is not stopped: a trace does not ask about its seeds.
pub trait Venues: Send + Sync + Debug {
    /// The place that an output with this locking script pays.
    fn script(&self, chain: &Chain, script: &Script) -> Option<Venue> {
        let (_, _) = (chain, script);
        None
    }

    /// The place that a visited transaction is, such as a CoinJoin: what pours in ends there.
    fn transaction(&self, chain: &Chain, graph: &FlowGraph, pool: PoolIx) -> Option<Venue> {
        let (_, _, _) = (chain, graph, pool);
        None
    }

    /// The place that an account of an EVM chain is.
    fn account(&self, chain: &Chain, account: &Address) -> Option<Venue> {
        let (_, _) = (chain, account);
        None
    }

    /// True where the user wishes the trail to go through an output of a transaction, whatever is said of it.
    fn passes_output(&self, txid: &Txid, script: &Script) -> bool {
        let (_, _) = (txid, script);
        false
    }

    /// True where the user wishes the trail to go through an account, whatever is said of it.
    fn passes_account(&self, account: &Address) -> bool {
        let _ = account;
        false
    }
}

/// Knows no place at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVenues;

impl Venues for NoVenues {}
