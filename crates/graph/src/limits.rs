//! How far a trace goes.

use hansel_ledger::{Amount, Share};

/// Bounds of a trace. What lies beyond them is counted and named, never dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Transactions or accounts further than this from a seed are not visited; the seed's own is at zero.
    pub hops: Option<u32>,
    /// An output is followed where some seed's claim in it reaches this share of the seed.
    pub min_share: Share,
    /// An output is followed where its taint reaches this many base units; an account where a claim in it does.
    pub min_amount: Amount,
    /// How many transactions, or coins of accounts, are visited at most, seeds included.
    pub max_nodes: Option<u64>,
    /// How many questions are asked at most; a question costs one request or more.
    pub max_requests: Option<u64>,
}

impl Limits {
    /// No bound at all.
    pub const NONE: Self = Self {
        hops: None,
        min_share: Share::ZERO,
        min_amount: Amount::ZERO,
        max_nodes: None,
        max_requests: None,
    };
}
