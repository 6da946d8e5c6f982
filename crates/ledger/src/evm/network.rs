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
    /// How its blocks prove themselves.
    pub blocks: BlockForm,
}

/// What is known of the form of a chain's blocks. By default nothing is: then hashes are believed, receipts are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockForm {
    /// True where a block's hash is that of the fields which Ethereum's headers have, so that no other is believed.
    pub ethereum_header: bool,
    /// True where the last receipt of a block may be one by which the chain's bridge reports, which the root in the
    /// header leaves out (Polygon).
    pub bridge_receipt: bool,
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
