//! What moves on an EVM chain.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::Address;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A chain's native coin or the token of a contract. A token is its contract; symbols are never trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coin {
    /// Ether, or whatever pays for gas.
    Native,
    /// The ERC-20 token of the contract at this address.
    Token(Address),
}

/// Says that a text names no coin.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a coin is `native` or the address of a token contract")]
pub struct CoinError;

/// `native`, or the token's address with its EIP-55 checksum.
impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native => f.write_str("native"),
            Self::Token(contract) => write!(f, "{contract}"),
        }
    }
}

impl FromStr for Coin {
    type Err = CoinError;

    fn from_str(text: &str) -> Result<Self, CoinError> {
        if text == "native" {
            return Ok(Self::Native);
        }
        text.parse().map(Self::Token).map_err(|_| CoinError)
    }
}

impl Serialize for Coin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Coin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
