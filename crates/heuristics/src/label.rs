//! What others call an address: a claim of its source, never a fact of the chain.

use serde::Serialize;

/// The kind of entity that a label names. The order is the order in which kinds decide about a trail: the first
/// that somebody claims ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityKind {
    /// Holds customers' money and can freeze it.
    Exchange,
    /// Mixes the money of many.
    Mixer,
    /// Takes value on one chain and pays it on another.
    Bridge,
    /// Another service that holds money of others: gambling, a payment processor, a market, a lender.
    Service,
    /// A router, aggregator or pool that value passes through within one transaction.
    Router,
    /// A party of a theft, a sanctioned person: says who, and does not end a trail.
    Actor,
    /// Anything else: says what, and does not end a trail.
    Other,
}

impl EntityKind {
    /// True where value that arrives is no longer the sender's to move, so that a trail ends.
    pub fn ends_trails(self) -> bool {
        matches!(
            self,
            Self::Exchange | Self::Mixer | Self::Bridge | Self::Service
        )
    }

    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Mixer => "mixer",
            Self::Bridge => "bridge",
            Self::Service => "service",
            Self::Router => "router",
            Self::Actor => "actor",
            Self::Other => "other",
        }
    }
}

/// A name that a source gives to an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Label {
    /// The name, such as `Binance hot wallet 6`. Text of its source: escape it where it is shown.
    pub label: String,
    /// The entity behind it, such as `binance`, where the source names it.
    pub actor: Option<String>,
    /// The kind of entity.
    pub kind: EntityKind,
    /// The source's own words for the kind, such as `hosted_wallet`.
    pub category: String,
    /// Who says so: an address of a page or the name of a list.
    pub source: String,
    /// How sure the source is, in the source's own words.
    pub confidence: String,
    /// The day since when the source says so, `YYYY-MM-DD`; `None` where it does not say.
    pub as_of: Option<String>,
}

/// Where labels are looked up.
pub trait Labels: Send + Sync + std::fmt::Debug {
    /// All labels of an address on a chain, sorted, conflicting ones included; empty where there is none.
    ///
    /// `chain` is the name of an entry of `chains.toml`, `address` the address in the chain's own notation
    /// (on EVM chains in any case).
    fn lookup(&self, chain: &str, address: &str) -> Vec<&Label>;
}
