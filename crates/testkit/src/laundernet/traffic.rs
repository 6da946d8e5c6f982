//! What everybody else does meanwhile.

use alloy_primitives::{Address, U256};

use super::people::{People, dollars, made_up, one_of};
use super::story::Story;
use crate::evm_ledger::{EvmSent, EvmStep};
use crate::ledger::Random;

/// Transfers of one service, at least and at most.
const SERVICE: (u64, u64) = (6_000, 12_000);
/// Uses of a router by others.
const ROUTER: (u64, u64) = (2_000, 4_000);
/// Trades with a pool.
const POOL: (u64, u64) = (2_000, 4_000);
/// Payments between users.
const PAYMENTS: u64 = 5_000;

/// Fills blocks of a range with traffic in these tokens.
pub(super) struct Traffic<'a> {
    pub(super) people: &'a People,
    pub(super) story: &'a mut Story,
    pub(super) random: Random,
    pub(super) blocks: (u64, u64),
    pub(super) dollar: Address,
    pub(super) other: Address,
}

impl Traffic<'_> {
    pub(super) fn make(mut self) {
        for exchange in &self.people.exchanges {
            for _ in 0..self.number(SERVICE) {
                self.exchange(*exchange);
            }
        }
        for vault in &self.people.vaults {
            for _ in 0..self.number(SERVICE) {
                self.vault(*vault);
            }
        }
        for router in &self.people.routers {
            for _ in 0..self.number(ROUTER) {
                self.route(*router);
            }
        }
        for pool in &self.people.pools {
            for _ in 0..self.number(POOL) {
                self.trade(*pool);
            }
        }
        for _ in 0..PAYMENTS {
            self.pay();
        }
    }

    fn number(&mut self, (least, most): (u64, u64)) -> u64 {
        least + self.random.below(most - least)
    }

    fn block(&mut self) -> u64 {
        self.blocks.0 + self.random.below(self.blocks.1 - self.blocks.0)
    }

    /// A withdrawal, a direct deposit, or one by way of the customer's own deposit address.
    fn exchange(&mut self, hot: Address) {
        let (block, user) = (self.block(), self.people.user(&mut self.random));
        let amount = dollars(&mut self.random);
        match self.random.below(10) {
            0..4 => self.transfer(block, hot, user, amount),
            4..8 => self.transfer(block, user, hot, amount),
            _ => {
                let number = self.random.index(self.people.users.len());
                let deposit = made_up(&format!("deposit at {hot}"), number);
                self.transfer(block, user, deposit, amount);
                let later = block + 1 + self.random.below(300);
                self.transfer(later, deposit, hot, amount);
            }
        }
    }

    /// A deposit, or a payout that a relayer has made.
    fn vault(&mut self, vault: Address) {
        let (block, user) = (self.block(), self.people.user(&mut self.random));
        let amount = dollars(&mut self.random);
        let pays_out = self.random.percent(40);
        let (sender, from, to) = match pays_out {
            true => (made_up("relayer", self.random.index(20)), vault, user),
            false => (user, user, vault),
        };
        let step = self.dollars(from, to, amount);
        self.story
            .push(block, EvmSent::call(sender, vault, vec![step]));
    }

    /// In and out in one transaction, to a vault, an exchange or another user.
    fn route(&mut self, router: Address) {
        let (block, user) = (self.block(), self.people.user(&mut self.random));
        let target = match self.random.below(3) {
            0 if !self.people.vaults.is_empty() => one_of(&self.people.vaults, &mut self.random),
            1 => one_of(&self.people.exchanges, &mut self.random),
            _ => self.people.user(&mut self.random),
        };
        let amount = dollars(&mut self.random);
        let steps = [(user, router), (router, target)].map(|(f, t)| self.dollars(f, t, amount));
        self.story
            .push(block, EvmSent::call(user, router, steps.to_vec()));
    }

    /// Dollars for the other token, or the other way round.
    fn trade(&mut self, pool: Address) {
        let (block, user) = (self.block(), self.people.user(&mut self.random));
        let (amount, sells) = (dollars(&mut self.random), self.random.percent(50));
        let (giver, taker) = if sells { (user, pool) } else { (pool, user) };
        let dollars = self.dollars(giver, taker, amount);
        let other = EvmStep::Token {
            contract: self.other,
            from: taker,
            to: giver,
            amount: amount * U256::from(3_000_000_000_u64),
        };
        self.story
            .push(block, EvmSent::call(user, pool, vec![dollars, other]));
    }

    fn pay(&mut self) {
        let block = self.block();
        let [from, to] = [(); 2].map(|()| self.people.user(&mut self.random));
        let amount = dollars(&mut self.random);
        self.transfer(block, from, to, amount);
    }

    fn transfer(&mut self, block: u64, from: Address, to: Address, amount: U256) {
        self.story
            .push(block, EvmSent::token(self.dollar, from, to, amount));
    }

    fn dollars(&self, from: Address, to: Address, amount: U256) -> EvmStep {
        EvmStep::Token {
            contract: self.dollar,
            from,
            to,
            amount,
        }
    }
}
