//! The taint rules by name.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a pool assigns taint to what leaves it. Definitions: `docs/methods.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// First in, first out (Clayton's case, 1816): inputs in order fill outputs in order.
    Fifo,
    /// Last in, first out: inputs reversed fill outputs in order.
    Lifo,
    /// Pro rata: each output takes its share of the taint, rounded down, the last one the rest.
    Haircut,
    /// Taint in, highest out: taint fills the largest outputs first.
    Tiho,
    /// Taint leaves first: taint fills outputs in order.
    Seniority,
    /// Clean value leaves first (the lowest intermediate balance rule of law): taint fills outputs last.
    ReverseSeniority,
    /// Anything that touches taint is tainted in full. Reach, not a measure: it conserves nothing.
    Poison,
}

/// Who pays a transaction's fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FeeRule {
    /// The fee is drawn after all outputs.
    #[default]
    Last,
    /// Every segment of the pool gives its share of the fee before the outputs are drawn.
    ProRata,
}

/// Whether a trace follows value to where it went or to where it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Where the value went.
    #[default]
    Forward,
    /// Where the value came from.
    Backward,
}

/// Says that a text names no rule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not one of {known}")]
pub struct RuleError {
    given: String,
    known: String,
}

impl Rule {
    /// All rules, in the order in which reports list them.
    pub const ALL: [Self; 7] = [
        Self::Fifo,
        Self::Lifo,
        Self::Haircut,
        Self::Tiho,
        Self::Seniority,
        Self::ReverseSeniority,
        Self::Poison,
    ];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Lifo => "lifo",
            Self::Haircut => "haircut",
            Self::Tiho => "tiho",
            Self::Seniority => "seniority",
            Self::ReverseSeniority => "reverse-seniority",
            Self::Poison => "poison",
        }
    }

    /// True where the rule moves every unit of taint exactly once.
    pub fn conserves(self) -> bool {
        self != Self::Poison
    }
}

impl FeeRule {
    /// Both fee rules.
    pub const ALL: [Self; 2] = [Self::Last, Self::ProRata];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::ProRata => "pro-rata",
        }
    }
}

impl Direction {
    /// Both directions.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Backward];

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

macro_rules! named {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = RuleError;

            fn from_str(text: &str) -> Result<Self, RuleError> {
                let found = Self::ALL.into_iter().find(|one| one.name() == text);
                found.ok_or_else(|| RuleError {
                    given: text.chars().take(40).collect(),
                    known: Self::ALL.map(Self::name).join(", "),
                })
            }
        }
    };
}

named!(Rule);
named!(FeeRule);
named!(Direction);
