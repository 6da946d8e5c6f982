//! What a detector says, with everything that a reader needs to check it.

use std::collections::BTreeMap;

pub use hansel_graph::Confidence;
use serde::Serialize;

/// What a report says of a rule whose errors nobody has counted in public.
pub const NO_ERROR_RATE: &str = "none published";

/// What a detector says about nodes or flows: an opinion with its evidence, never a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The detector's id, such as `btc.coinjoin.wasabi1`.
    pub heuristic: &'static str,
    /// The ids of the nodes or flows that it speaks about, sorted.
    pub subjects: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// The ids of the flows that it rests on, sorted.
    pub evidence: Vec<String>,
    /// The numbers and bounds under which the detector spoke, by name.
    pub parameters: BTreeMap<&'static str, Parameter>,
    /// How often the rule is known to be wrong and who measured it; `None` where nobody published that.
    pub error_rate: Option<&'static str>,
    /// The finding in one sentence. May quote bytes of a chain: escape it where it is shown.
    pub summary: String,
}

/// A number or a word that a detector used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
pub enum Parameter {
    /// A count, a height, a number of seconds.
    Count(u64),
    /// A share or another broken number, or an amount in base units, as text; never a float.
    Text(String),
    /// A condition that held or did not.
    Flag(bool),
    /// Several words.
    List(Vec<String>),
}

impl From<u64> for Parameter {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<bool> for Parameter {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Parameter {
    fn from(words: Vec<String>) -> Self {
        Self::List(words)
    }
}
