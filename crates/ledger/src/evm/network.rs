//! What is known of an EVM chain before anything is asked of it.

use alloy_primitives::Address;

use super::Coin;
use crate::Asset;

/// An EVM chain as `config/chains.toml` describes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvmNetwork {
    /// The chain's id (EIP-155); an endpoint of another id is refused.
    pub chain_id: u64,
    /// The coin that pays for gas.
    pub native: Asset,
    /// The canonical contract that wraps the native coin one to one, where one is known.
    pub wrapped: Option<Address>,
    /// Tokens known by a public source, ascending by contract. What such a token calls itself is not asked.
    pub tokens: Vec<KnownToken>,
}

/// A token known by a public source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KnownToken {
    /// Its contract.
    pub contract: Address,
    /// Its usual ticker and decimals.
    pub asset: Asset,
}

impl EvmNetwork {
    /// The ticker and decimals of a coin; `None` for a token that the configuration does not know.
    pub fn asset(&self, coin: Coin) -> Option<&Asset> {
        match coin {
            Coin::Native => Some(&self.native),
            Coin::Token(contract) => self
                .tokens
                .iter()
                .find(|token| token.contract == contract)
                .map(|token| &token.asset),
        }
    }
}
