//! What an amount is an amount of.

use serde::{Deserialize, Serialize};

/// An asset of one chain: its symbol as the chain itself defines it, and the decimals of its base unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Asset {
    /// The native coin's ticker; a token is named by its contract, never by its self-chosen symbol.
    pub symbol: String,
    /// Digits after the decimal point when an amount is shown to a person.
    pub decimals: u8,
}

impl Asset {
    /// Bitcoin, counted in satoshi.
    pub fn bitcoin() -> Self {
        Self {
            symbol: "BTC".into(),
            decimals: 8,
        }
    }
}
