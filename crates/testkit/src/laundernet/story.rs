//! What will happen on the chain, before it is known what everybody needs to have for it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use hansel_ledger::Coin;

use crate::evm_ledger::{EVM_GAS_PRICE, EvmLedgerBuilder, EvmSent, EvmStep};

/// Transactions by block, in order.
#[derive(Debug, Default)]
pub(super) struct Story(BTreeMap<u64, Vec<EvmSent>>);

impl Story {
    /// Puts a transaction at the end of a block.
    pub(super) fn push(&mut self, block: u64, sent: EvmSent) {
        self.0.entry(block).or_default().push(sent);
    }

    /// What everybody has to hold before the first block so that nobody ever gives what is not there.
    pub(super) fn needs(&self) -> BTreeMap<(Address, Coin), U256> {
        let mut books = Books::default();
        for sent in self.0.values().flatten() {
            books.run(sent);
        }
        books.needs
    }

    /// Tells it to the builder.
    pub(super) fn tell(self, builder: &mut EvmLedgerBuilder) {
        for (block, all) in self.0 {
            for sent in all {
                builder.push(block, sent);
            }
        }
    }
}

#[derive(Default)]
struct Books {
    held: BTreeMap<(Address, Coin), U256>,
    needs: BTreeMap<(Address, Coin), U256>,
}

impl Books {
    fn run(&mut self, sent: &EvmSent) {
        let fee = U256::from(sent.gas) * U256::from(EVM_GAS_PRICE);
        self.take(sent.sender, Coin::Native, fee);
        self.shift(Coin::Native, sent.sender, sent.to, sent.value);
        for step in &sent.steps {
            match step {
                EvmStep::Token {
                    contract,
                    from,
                    to,
                    amount,
                } => self.shift(Coin::Token(*contract), *from, *to, *amount),
                EvmStep::Ether { from, to, value } => {
                    self.shift(Coin::Native, *from, *to, *value);
                }
                EvmStep::Forged { .. } | EvmStep::Logged(_) => {}
            }
        }
    }

    fn shift(&mut self, coin: Coin, from: Address, to: Address, amount: U256) {
        self.take(from, coin, amount);
        *self.held.entry((to, coin)).or_default() += amount;
    }

    fn take(&mut self, account: Address, coin: Coin, amount: U256) {
        let held = self.held.entry((account, coin)).or_default();
        let missing = amount.saturating_sub(*held);
        *held = held.saturating_sub(amount);
        if !missing.is_zero() {
            *self.needs.entry((account, coin)).or_default() += missing;
        }
    }
}
