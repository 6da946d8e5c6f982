//! What happens around the addresses of a case: poisoning, dust, and people who pay them for honest things.

use alloy_primitives::{Address, B256, U256};

use super::people::{People, made_up};
use super::story::Story;
use super::{LaunderFlow, LaunderNet};
use crate::evm_ledger::{EvmSent, EvmStep};
use crate::ledger::Random;

/// Puts unwanted and unrelated transfers next to those of a case.
pub(super) struct Spam<'a> {
    pub(super) case: &'a LaunderNet,
    pub(super) people: &'a People,
    pub(super) story: &'a mut Story,
    pub(super) random: Random,
    /// The last block of the chain.
    pub(super) tip: u64,
    pub(super) dollar: Address,
    /// A token that calls itself like the real one.
    pub(super) counterfeit: Address,
}

impl Spam<'_> {
    pub(super) fn make(mut self) {
        let contracts = self.people.contracts();
        for flow in &self.case.flows {
            if !contracts.contains(&flow.from) && !flow.to.is_zero() {
                self.poison(flow);
            }
        }
        for address in self.case.addresses() {
            let kept =
                self.case.sources.contains(&address) || self.case.terminals.contains(&address);
            if !kept && !contracts.contains(&address) {
                self.honest(address);
            }
        }
    }

    /// Makes the payer's history show an address that looks like the one that was paid.
    fn poison(&mut self, flow: &LaunderFlow) {
        let twin = self.look_alike(flow.to);
        let spammer = made_up("spammer", self.random.index(30));
        if self.random.percent(60) {
            // Anybody may transfer nothing in anybody's name.
            let nothing = self.step(flow.from, twin, U256::ZERO);
            let block = self.soon(flow.block);
            self.story
                .push(block, EvmSent::call(spammer, self.dollar, vec![nothing]));
        }
        if self.random.percent(40) {
            let forged = EvmStep::Forged {
                contract: self.counterfeit,
                from: flow.from,
                to: twin,
                amount: U256::from(flow.value),
            };
            let block = self.soon(flow.block);
            self.story.push(
                block,
                EvmSent::call(spammer, self.counterfeit, vec![forged]),
            );
        }
        if self.random.percent(30) {
            let dust = U256::from(1 + self.random.below(10_000));
            let block = self.soon(flow.block);
            self.story
                .push(block, EvmSent::token(self.dollar, twin, flow.from, dust));
        }
    }

    /// Users pay the address something, and a few addresses pay some of it to users.
    fn honest(&mut self, address: Address) {
        let flows = self.case.flows.iter();
        let blocks = flows.filter(|flow| flow.from == address || flow.to == address);
        let blocks = blocks.map(|flow| flow.block);
        let (Some(first), Some(last)) = (blocks.clone().min(), blocks.max()) else {
            return;
        };
        let until = (last + 5_000).min(self.tip - 2);
        if !self.random.percent(40) {
            return;
        }
        for _ in 0..=self.random.below(3) {
            let block = first + self.random.below(until - first);
            let cents = 500 + self.random.below(50_000);
            let user = self.people.user(&mut self.random);
            let paid = U256::from(cents * 10_000);
            self.story
                .push(block, EvmSent::token(self.dollar, user, address, paid));
            if self.random.percent(25) {
                let shop = self.people.user(&mut self.random);
                let spent = U256::from(cents * 10_000 / (1 + self.random.below(4)));
                let later = block + 1 + self.random.below(self.tip - 1 - block);
                self.story
                    .push(later, EvmSent::token(self.dollar, address, shop, spent));
            }
        }
    }

    fn soon(&mut self, block: u64) -> u64 {
        (block + 1 + self.random.below(50)).min(self.tip)
    }

    fn step(&self, from: Address, to: Address, amount: U256) -> EvmStep {
        EvmStep::Token {
            contract: self.dollar,
            from,
            to,
            amount,
        }
    }

    /// Equal in the first and last two bytes, which is what wallets show.
    fn look_alike(&mut self, address: Address) -> Address {
        let mut word = B256::ZERO;
        self.random.fill(&mut word.0);
        let mut twin = Address::from_word(word);
        twin.0[..2].copy_from_slice(&address[..2]);
        twin.0[18..].copy_from_slice(&address[18..]);
        twin
    }
}
