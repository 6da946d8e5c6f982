//! An exchange whose hot wallet has many customers, among whom the thief hides.

use alloy_primitives::{Address, U256};

use super::EvmStoryError;
use super::book::Effect;
use super::stage::{Stage, cents, dollars, ether};
use super::teller::Act;
use crate::evm::{EvmKey, evm_call};

/// How many customers are paid in one transaction.
const PAID_AT_ONCE: usize = 100;
/// How many customers deposit in one block.
const PER_BLOCK: usize = 100;
/// Customers' keys start here.
const FIRST_CUSTOMER: u32 = 1_000;

impl Stage {
    /// Gives every customer an ether, and every tenth 50 dollars.
    pub(super) fn gather_crowd(&mut self, customers: u32) -> Result<(), EvmStoryError> {
        self.teller.scene("crowd");
        let everybody: Vec<Address> = keys(customers).map(|key| key.address()).collect();
        let payer = self.at("batch-payer");
        for some in everybody.chunks(PAID_AT_ONCE) {
            let amounts = vec![ether(1); some.len()];
            let value = amounts.iter().sum();
            let effects = some.iter().map(|to| Effect::native(payer, *to, ether(1)));
            let data = evm_call("payNative(address[],uint256[])", (some.to_vec(), amounts));
            let act = Act::call(payer, data)
                .with_value(value)
                .with_gas(10_000_000);
            let act = act.moving(effects.collect::<Vec<_>>());
            self.teller.alone(&EvmKey::faucet(), act)?;
        }
        self.approve("deployer", "usd", "batch-payer")?;
        self.teller.block()?;
        let tenths: Vec<Address> = everybody.into_iter().step_by(10).collect();
        tenths
            .chunks(PAID_AT_ONCE)
            .try_for_each(|some| self.give_dollars(some))
    }

    fn give_dollars(&mut self, some: &[Address]) -> Result<(), EvmStoryError> {
        let (payer, usd, from) = (self.at("batch-payer"), self.at("usd"), self.at("deployer"));
        let effects = some
            .iter()
            .map(|to| Effect::token(usd, from, *to, dollars(50)));
        let parameters = (usd, some.to_vec(), vec![dollars(50); some.len()]);
        let data = evm_call("payToken(address,address[],uint256[])", parameters);
        let act = Act::call(payer, data).with_gas(10_000_000);
        let act = act.moving(effects.collect::<Vec<_>>());
        self.alone("deployer", act).map(drop)
    }

    /// Everybody deposits; in the midst of them the thief's relay does, through an address of its own.
    pub(super) fn crowd_exchange(&mut self, customers: u32) -> Result<(), EvmStoryError> {
        self.teller.scene("exchange");
        let everybody: Vec<EvmKey> = keys(customers).collect();
        let (before, after) = everybody.split_at(everybody.len() / 2);
        self.deposit(before, 0)?;
        self.pay("relay3", "deposit", ether(6))?;
        // A sweep leaves behind what its gas costs at most.
        self.pay("deposit", "hot", ether(6) - cents(1))?;
        self.deposit(after, before.len())?;
        self.withdraw(&everybody)?;
        self.pay("hot", "cold", ether(100)).map(drop)
    }

    fn deposit(&mut self, some: &[EvmKey], first: usize) -> Result<(), EvmStoryError> {
        let (hot, usd) = (self.at("hot"), self.at("usd"));
        for (place, customer) in (first..).zip(some) {
            // Amounts differ, so that no two deposits look alike.
            let amount = cents(10) + U256::from(place);
            self.teller.act(customer, Act::pay(hot, amount))?;
            if place.is_multiple_of(10) {
                let data = evm_call("transfer(address,uint256)", (hot, dollars(40)));
                let effects = [Effect::token(usd, customer.address(), hot, dollars(40))];
                let act = Act::call(usd, data).with_gas(100_000);
                self.teller.act(customer, act.moving(effects))?;
            }
            if (place + 1).is_multiple_of(PER_BLOCK) {
                self.teller.block()?;
            }
        }
        self.teller.block()
    }

    /// The hot wallet pays every fourth customer.
    fn withdraw(&mut self, everybody: &[EvmKey]) -> Result<(), EvmStoryError> {
        for some in everybody.chunks(4 * PER_BLOCK) {
            for customer in some.iter().step_by(4) {
                let act = Act::pay(customer.address(), cents(7));
                self.act("hot", act)?;
            }
            self.teller.block()?;
        }
        Ok(())
    }
}

fn keys(customers: u32) -> impl Iterator<Item = EvmKey> {
    (FIRST_CUSTOMER..FIRST_CUSTOMER + customers).map(EvmKey::numbered)
}
