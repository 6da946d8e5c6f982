//! Transactions before they are on the chain.

use alloy_primitives::{Address, B256, Bytes, Log, U256};

/// A transaction as it was sent, with what it does.
#[derive(Clone, Debug)]
pub struct EvmSent {
    /// Its hash; `None` for one made up.
    pub hash: Option<B256>,
    /// Who pays for its gas.
    pub sender: Address,
    /// What it calls.
    pub to: Address,
    /// Wei sent along.
    pub value: U256,
    /// Its data.
    pub input: Bytes,
    /// The gas that it uses.
    pub gas: u64,
    /// False where it is reverted: then it does nothing of what follows.
    pub succeeds: bool,
    /// What it does, in order.
    pub steps: Vec<EvmStep>,
}

/// Something that a transaction does.
#[derive(Clone, Debug)]
pub enum EvmStep {
    /// A token moves and says so.
    Token {
        /// Its contract.
        contract: Address,
        /// Who gives.
        from: Address,
        /// Who receives.
        to: Address,
        /// How many base units; zero is logged as well.
        amount: U256,
    },
    /// A contract says that it moved, and nothing moves.
    Forged {
        /// The contract.
        contract: Address,
        /// Who is said to give.
        from: Address,
        /// Who is said to receive.
        to: Address,
        /// How many base units are claimed.
        amount: U256,
    },
    /// A contract logs something else.
    Logged(Log),
    /// A contract sends ether.
    Ether {
        /// Who gives.
        from: Address,
        /// Who receives.
        to: Address,
        /// How many wei.
        value: U256,
    },
}

impl EvmSent {
    /// A payment of ether.
    pub fn ether(from: Address, to: Address, value: U256) -> Self {
        Self {
            hash: None,
            sender: from,
            to,
            value,
            input: Bytes::new(),
            gas: 21_000,
            succeeds: true,
            steps: Vec::new(),
        }
    }

    /// A payment in a token by the token's own `transfer`.
    pub fn token(contract: Address, from: Address, to: Address, amount: U256) -> Self {
        let selector = [0xa9, 0x05, 0x9c, 0xbb];
        let words = [to.into_word().0, amount.to_be_bytes()].concat();
        let step = EvmStep::Token {
            contract,
            from,
            to,
            amount,
        };
        Self {
            input: [selector.as_slice(), &words].concat().into(),
            ..Self::call(from, contract, vec![step])
        }
    }

    /// A call that makes a contract do something.
    pub fn call(sender: Address, contract: Address, steps: Vec<EvmStep>) -> Self {
        let gas = u64::try_from(steps.len()).map_or(u64::MAX, |steps| 30_000 + 35_000 * steps);
        Self {
            input: Bytes::from_static(&[0x12, 0x34, 0x56, 0x78]),
            gas,
            steps,
            ..Self::ether(sender, contract, U256::ZERO)
        }
    }

    /// The same transaction under this hash.
    pub fn hashed(mut self, hash: B256) -> Self {
        self.hash = Some(hash);
        self
    }
}
