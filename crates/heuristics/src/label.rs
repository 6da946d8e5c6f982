//! What others call an address: a claim of its source, never a fact of the chain.

use std::str::FromStr;

use hansel_ledger::UnixTime;
use serde::{Deserialize, Serialize};

/// The kind of entity that a label names. The order is the order in which kinds decide about a trail: the first
/// that somebody claims ends it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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
    #[default]
    Other,
}

impl EntityKind {
    /// Every kind, in the order in which they decide.
    pub const ALL: [Self; 7] = [
        Self::Exchange,
        Self::Mixer,
        Self::Bridge,
        Self::Service,
        Self::Router,
        Self::Actor,
        Self::Other,
    ];

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

/// The text is no kind of entity.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no kind of entity; the kinds are exchange, mixer, bridge, service, router, actor, other"
)]
pub struct NotAKind(String);

impl FromStr for EntityKind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| NotAKind(text.chars().take(40).flat_map(char::escape_debug).collect()))
    }
}

/// A name that a source gives to an address. All text is the source's: escape it where it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Label {
    /// The kind of entity.
    pub kind: EntityKind,
    /// The name, such as `Binance hot wallet 6`.
    pub label: String,
    /// The entity behind it, such as `binance`, where the source names it.
    pub actor: Option<String>,
    /// The source's own words for the kind, such as `hosted_wallet`.
    pub category: String,
    /// Who says so: an address of a page or the name of a list.
    pub source: String,
    /// How sure the source is, in the source's own words.
    pub confidence: String,
    /// The day since when the source says so, `YYYY-MM-DD`; `None` where it does not say.
    pub as_of: Option<String>,
    /// The chain that the source speaks of: an entry of `chains.toml`, or `evm` for every EVM chain.
    pub network: String,
    /// The file of labels that brought it here, by its name among the shipped and imported ones.
    pub pack: String,
}

impl Label {
    /// True where the source says so only since a later day than that of `event`: hindsight, which a reader must know.
    ///
    /// Where the source names no day it is not known, and the answer is `None`.
    pub fn is_hindsight(&self, event: UnixTime) -> Option<bool> {
        let day = event.to_string();
        let as_of = self.as_of.as_deref()?;
        Some(as_of > day.get(..10)?)
    }
}

/// Where labels are looked up.
pub trait Labels: Send + Sync + std::fmt::Debug {
    /// All labels of an address on a chain, sorted, conflicting ones included; empty where there is none.
    ///
    /// `chain` is the name of an entry of `chains.toml`, `address` the address in the chain's own notation
    /// (on EVM chains in any case).
    fn lookup(&self, chain: &str, address: &str) -> Vec<Label>;

    /// The addresses on a chain that are said to be a bridge of an entity, by its actor or else its label, sorted.
    fn bridges(&self, chain: &str, entity: &str) -> Vec<String> {
        let (_, _) = (chain, entity);
        Vec::new()
    }
}

/// Knows no label.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLabels;

impl Labels for NoLabels {
    fn lookup(&self, _: &str, _: &str) -> Vec<Label> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_a_later_day_than_the_event_is_hindsight() {
        let said = |day: &str| Label {
            as_of: Some(day.into()),
            ..Label::default()
        };
        let event: UnixTime = "2024-05-31T04:14:00Z".parse().unwrap();
        assert_eq!(said("2024-05-30").is_hindsight(event), Some(false));
        assert_eq!(said("2024-05-31").is_hindsight(event), Some(false));
        assert_eq!(said("2024-06-01").is_hindsight(event), Some(true));
        assert_eq!(Label::default().is_hindsight(event), None);
    }

    #[test]
    fn every_kind_is_read_by_its_name() {
        for kind in EntityKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let wrong = "ex\u{1b}change".parse::<EntityKind>().unwrap_err();
        assert!(!wrong.to_string().contains('\u{1b}'), "{wrong}");
    }
}
