//! Puts a case's real flows into a chain full of other people's traffic.

use alloy_primitives::{Address, U256, keccak256};
use hansel_ledger::Coin;

use super::people::{People, made_up};
use super::spam::Spam;
use super::story::Story;
use super::traffic::Traffic;
use super::{LaunderFlow, LaunderNet};
use crate::evm_ledger::{EvmLedger, EvmLedgerBuilder, EvmLedgerError, EvmSent, EvmStep, EvmToken};
use crate::ledger::Random;

/// Blocks of other people's traffic before the case begins and after it ended.
const MARGIN: (u64, u64) = (5_000, 5_000);
/// How long before its first payment a source receives what was stolen, in blocks.
const THEFT: u64 = 200;
/// Into how many payments each theft is split at most.
const VICTIMS: u64 = 8;
/// Wei that an address is given for each transaction that it will send: enough for the most expensive.
const GAS_MONEY: u64 = 4_000_000_000_000_000;

/// A chain on which a case happened.
#[derive(Debug)]
pub struct LaunderReplay {
    /// The chain.
    pub ledger: EvmLedger,
    /// The token that carries the dollars, with six decimals.
    pub dollar: Address,
    /// The first block in which a source received stolen money; nothing was received before.
    pub since: u64,
}

impl LaunderNet {
    /// The case on a chain of this id, with background traffic made from a seed.
    ///
    /// Each flow is a transfer of one token with six decimals, under its real transaction hash, in its real
    /// block, at its real time. Sources receive all that they are short of from victims just before they pay
    /// it out. What any other address gives beyond what it received is clean money it held before: the data
    /// set's dollars change along a path as prices do. A contract that passes on more than it received in a
    /// transaction takes the rest from a pool within that transaction.
    pub fn replay(&self, chain_id: u64, seed: u64) -> Result<LaunderReplay, EvmLedgerError> {
        let dollar = made_up("dollar", 0);
        let mut play = Play {
            case: self,
            people: People::of(self),
            story: Story::default(),
            random: Random::new(seed),
            dollar,
        };
        let first_flow = self
            .flows
            .first()
            .map_or(MARGIN.0 + THEFT, |flow| flow.block);
        let last_flow = self.flows.last().map_or(first_flow, |flow| flow.block);
        let blocks = (first_flow.saturating_sub(MARGIN.0), last_flow + MARGIN.1);
        play.flows();
        let since = play.thefts();
        play.background(blocks);
        Ok(LaunderReplay {
            ledger: play.build(chain_id, blocks)?,
            dollar,
            since,
        })
    }
}

struct Play<'a> {
    case: &'a LaunderNet,
    people: People,
    story: Story,
    random: Random,
    dollar: Address,
}

impl Play<'_> {
    /// The real flows, one transaction at a time.
    fn flows(&mut self) {
        let same = |a: &LaunderFlow, b: &LaunderFlow| a.tx == b.tx;
        for flows in self.case.flows.chunk_by(same) {
            let [first, ..] = flows else { continue };
            let sent = self.transaction(first, flows);
            self.story.push(first.block, sent.hashed(first.tx));
            for flow in flows {
                self.gas_money(flow);
            }
        }
    }

    fn transaction(&self, first: &LaunderFlow, flows: &[LaunderFlow]) -> EvmSent {
        let contracts = self.people.contracts();
        // A contract sends no transaction of its own.
        let sender = match contracts.contains(&first.from) {
            true => made_up("keeper", 0),
            false => first.from,
        };
        let called = [first.from, first.to]
            .into_iter()
            .find(|one| contracts.contains(one));
        match (called, flows) {
            (None, [_]) => {
                let value = U256::from(first.value);
                EvmSent::token(self.dollar, first.from, first.to, value)
            }
            (called, _) => EvmSent::call(sender, called.unwrap_or(first.to), self.steps(flows)),
        }
    }

    fn steps(&self, flows: &[LaunderFlow]) -> Vec<EvmStep> {
        let mut steps = Vec::new();
        for (at, flow) in flows.iter().enumerate() {
            let before = flows[..at].iter();
            let held: u64 = before
                .clone()
                .filter(|one| one.to == flow.from)
                .map(|one| one.value)
                .sum();
            let spent: u64 = before
                .filter(|one| one.from == flow.from)
                .map(|one| one.value)
                .sum();
            let missing = (flow.value + spent).saturating_sub(held);
            if at > 0 && missing > 0 && self.people.routers.contains(&flow.from) {
                let pool = self.people.pools[0];
                steps.push(self.step(pool, flow.from, missing));
            }
            steps.push(self.step(flow.from, flow.to, flow.value));
        }
        steps
    }

    fn step(&self, from: Address, to: Address, value: u64) -> EvmStep {
        EvmStep::Token {
            contract: self.dollar,
            from,
            to,
            amount: U256::from(value),
        }
    }

    /// Some launderers pay the gas of the next address; the others' ether was there before.
    fn gas_money(&mut self, flow: &LaunderFlow) {
        let sends = self
            .case
            .flows
            .iter()
            .filter(|one| one.from == flow.to)
            .count();
        let contracts = self.people.contracts();
        let own = !contracts.contains(&flow.from) && !contracts.contains(&flow.to);
        if own && sends > 0 && self.random.percent(60) {
            let money = U256::from(GAS_MONEY) * U256::from(sends);
            self.story
                .push(flow.block, EvmSent::ether(flow.from, flow.to, money));
        }
    }

    /// Victims pay each source what it will be short of; returns the first block of that.
    fn thefts(&mut self) -> u64 {
        let needs = self.story.needs();
        let mut since = u64::MAX;
        for source in &self.case.sources {
            let coin = Coin::Token(self.dollar);
            let stolen = needs.get(&(*source, coin)).copied().unwrap_or_default();
            let paid = self.case.flows.iter().find(|flow| flow.from == *source);
            let Some(paid) = paid else { continue };
            let start = paid.block.saturating_sub(THEFT);
            since = since.min(start);
            self.theft(*source, stolen, start);
        }
        since
    }

    fn theft(&mut self, source: Address, stolen: U256, start: u64) {
        let mut left = stolen;
        for number in 0..VICTIMS {
            let victim = made_up(
                &format!("victim of {source}"),
                usize::try_from(number).expect("few"),
            );
            let part = left / U256::from(2 + self.random.below(3));
            let part = if number + 1 == VICTIMS { left } else { part };
            left -= part;
            if !part.is_zero() {
                let block = start + number * (THEFT / 2) / VICTIMS;
                self.story
                    .push(block, EvmSent::token(self.dollar, victim, source, part));
            }
        }
    }

    fn background(&mut self, blocks: (u64, u64)) {
        Spam {
            case: self.case,
            people: &self.people,
            story: &mut self.story,
            random: Random::new(self.random.bits()),
            tip: blocks.1,
            dollar: self.dollar,
            counterfeit: made_up("counterfeit", 0),
        }
        .make();
        Traffic {
            people: &self.people,
            story: &mut self.story,
            random: Random::new(self.random.bits()),
            // Sweeps come a little later than the deposits.
            blocks: (blocks.0, blocks.1 - 400),
            dollar: self.dollar,
            other: made_up("other", 0),
        }
        .make();
    }

    fn build(self, chain_id: u64, blocks: (u64, u64)) -> Result<EvmLedger, EvmLedgerError> {
        let times = self.case.flows.iter().map(|flow| (flow.block, flow.time));
        let mut builder = EvmLedgerBuilder::new(chain_id, blocks.0, blocks.1, times.collect());
        for (name, symbol, decimals) in [
            ("dollar", "USD", 6),
            ("counterfeit", "USD", 6),
            ("other", "OTH", 18),
        ] {
            builder.token(EvmToken {
                contract: made_up(name, 0),
                symbol: symbol.into(),
                decimals,
            });
        }
        for contract in self.people.contracts() {
            builder.contract(contract);
        }
        let users = self.people.users.iter().chain(&self.people.exchanges);
        let spare: std::collections::BTreeSet<_> =
            users.chain(&self.people.pools).copied().collect();
        for ((account, coin), need) in self.story.needs() {
            let extra = match spare.contains(&account) {
                true => need * U256::from(keccak256(account)[0]) / U256::from(256),
                false => U256::ZERO,
            };
            builder.fund(account, coin, need + extra);
        }
        self.story.tell(&mut builder);
        builder.build()
    }
}
