//! How sure an opinion is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How sure an opinion is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A hint: innocent explanations are common.
    Weak,
    /// Innocent explanations are rare.
    Strong,
    /// Follows from the chain itself.
    Certain,
}

impl Confidence {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::Certain => "certain",
        }
    }
}
