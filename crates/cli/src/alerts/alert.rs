//! An alert as it is sent, form `hansel-alert/1`; `docs/alerts.md` describes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use hansel_graph::Rule as TaintRule;
use hansel_ledger::Amount;
use hansel_report::model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::depth::Depth;

/// The form that this version writes.
const SCHEMA: &str = "hansel-alert/1";

/// How much an alert matters, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum News {
    /// Value reached a service that can freeze it.
    ReachedService,
    /// Value entered a mixer.
    EnteredMixer,
    /// Value entered a bridge.
    EnteredBridge,
    /// Value moved that had rested for long.
    Woke,
    /// Value moved.
    Moved,
}

/// A message about a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Alert {
    pub(crate) schema: String,
    /// The same for the same event, however often it is sent.
    pub(crate) id: String,
    /// The id of the alert that a reorganisation undid; absent for an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retracts: Option<String>,
    pub(crate) case: String,
    pub(crate) severity: Severity,
    pub(crate) rule: News,
    pub(crate) chain: String,
    pub(crate) tx: String,
    /// False for a transaction that is in no block: a warning, not a fact.
    pub(crate) confirmed: bool,
    /// The block of the transaction; null where it is in none.
    pub(crate) block: Option<Block>,
    /// How deep that block was when the alert was made.
    #[serde(flatten, default)]
    pub(crate) depth: Depth,
    /// The time of that block by its header.
    pub(crate) time: Option<Timestamp>,
    /// What the alert is about: an address where there is one, else the id of the report's node.
    pub(crate) place: String,
    /// Who holds the place; null where nobody said.
    pub(crate) entity: Option<String>,
    /// Where the value came from and went to, the first [`LONGEST_LIST`] places of each.
    pub(crate) from: Vec<String>,
    pub(crate) to: Vec<String>,
    /// How much moved, by asset.
    pub(crate) amounts: Vec<Moved>,
    /// Days for which the value had rested; null where it is not known.
    pub(crate) rested_days: Option<u64>,
    /// What happened, in one sentence.
    pub(crate) summary: String,
    /// What to do about it.
    pub(crate) todo: String,
}

/// Places that a list of an alert names at most.
pub(crate) const LONGEST_LIST: usize = 10;

/// The block of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) height: u64,
    /// Null where no fact in the store names it.
    pub(crate) hash: Option<String>,
}

/// An amount of one asset, in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moved {
    pub(crate) asset: String,
    /// Clean and tainted together.
    pub(crate) amount: Amount,
    /// The tainted part under each rule.
    pub(crate) tainted: BTreeMap<TaintRule, Amount>,
}

impl News {
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::ReachedService => Severity::Critical,
            Self::EnteredMixer | Self::EnteredBridge => Severity::High,
            Self::Woke => Severity::Medium,
            Self::Moved => Severity::Low,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReachedService => "reached-service",
            Self::EnteredMixer => "entered-mixer",
            Self::EnteredBridge => "entered-bridge",
            Self::Woke => "woke",
            Self::Moved => "moved",
        }
    }
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl Alert {
    pub(crate) fn schema() -> String {
        SCHEMA.to_owned()
    }

    /// The message that takes this one back.
    pub(crate) fn retraction(&self) -> Self {
        let what = match &self.block {
            Some(block) => format!("block {} was replaced", block.height),
            None => "no block took it".to_owned(),
        };
        Self {
            id: id_of(&["retraction", &self.id]),
            retracts: Some(self.id.clone()),
            summary: format!(
                "{what}: transaction {} is not what the chain says any more",
                self.tx
            ),
            todo: "take back what was done because of the alert that this one names; if the transaction comes back, \
                   a new alert says so"
                .into(),
            depth: Depth::default(),
            ..self.clone()
        }
    }

    /// One line of JSON in ASCII, so that no character of it can steer a terminal or a log.
    pub(crate) fn to_line(&self) -> Result<String, serde_json::Error> {
        Ok(ascii(&serde_json::to_string(self)?))
    }
}

/// Writes every character of a JSON text that is not printable ASCII as an escape, which changes nothing of its meaning.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(text, "\\u{unit:04x}").expect("a string takes any text");
        }
    }
    text
}

/// The id that stands for these words: 32 hexadecimal digits of their SHA-256, each with its length.
pub(crate) fn id_of(words: &[&str]) -> String {
    let mut engine = sha256::Hash::engine();
    engine.input(SCHEMA.as_bytes());
    for word in words {
        let length = u64::try_from(word.len()).unwrap_or(u64::MAX);
        engine.input(&length.to_be_bytes());
        engine.input(word.as_bytes());
    }
    let mut digits = sha256::Hash::from_engine(engine).to_string();
    digits.truncate(32);
    digits
}
