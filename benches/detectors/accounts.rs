//! Accounts that pay each other, ten transfers for each, with services, deposits, fans, mixing and spam among them.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use hansel_graph::AccountFacts;
use hansel_heuristics::ethereum::{AccountView, detect};
use hansel_heuristics::{EntityKind, Label, Labels};
use hansel_ledger::{
    Amount, Asset, BlockForm, BlockRef, Chain, Coin, Event, EvmNetwork, EvmPlacement,
    EvmTransaction, Family, InternalTransfers, KnownToken, Movement, Noise, Origin, UnixTime,
    topics,
};

const DOLLAR: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");
const POOL: Address = address!("12D66f87A04A9E220743712cE6d9bB1B5616B8Fc");

/// One in so many accounts is an exchange's.
const EXCHANGES: u64 = 1_000;

pub(crate) fn measure(size: usize) {
    let (chain, facts, labels) = (ethereum(), Traffic::new(size).facts(), Book);
    let view = AccountView {
        chain: &chain,
        facts: &facts,
        labels: &labels,
        coins: &BTreeSet::new(),
        accounts: None,
    };
    let (took, found) = super::fastest(|| detect(&view));
    let transactions = facts.transactions().count();
    super::row(facts.transfers().count(), transactions, took, &found);
}

fn ethereum() -> Chain {
    let asset = |symbol: &str, decimals| Asset {
        symbol: symbol.into(),
        decimals,
    };
    let network = EvmNetwork {
        chain_id: 1,
        native: asset("ETH", 18),
        wrapped: None,
        tokens: vec![KnownToken {
            contract: DOLLAR,
            asset: asset("USDC", 6),
        }],
        blocks: BlockForm::default(),
    };
    Chain::new("ethereum", Family::Evm(Arc::new(network))).unwrap()
}

/// Calls the accounts exchanges whose addresses say so.
#[derive(Debug)]
struct Book;

impl Labels for Book {
    fn lookup(&self, _: &str, address: &str) -> Vec<Label> {
        let address: Address = address.parse().unwrap();
        let named = address[..4] == [0xee; 4];
        let label = Label {
            kind: EntityKind::Exchange,
            actor: Some(format!("exchange {}", address[19] % 8)),
            ..Label::default()
        };
        named.then_some(label).into_iter().collect()
    }
}

/// Payments drawn from a fixed seed.
struct Traffic {
    dice: u64,
    accounts: u64,
    left: usize,
    number: u64,
    facts: AccountFacts,
}

impl Traffic {
    fn new(size: usize) -> Self {
        Self {
            dice: 1,
            accounts: u64::try_from(size / 10).unwrap(),
            left: size,
            number: 0,
            facts: AccountFacts::default(),
        }
    }

    fn roll(&mut self, below: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    fn anybody(&mut self) -> Address {
        // A few accounts deal with very many.
        let among = if self.roll(5) == 0 { 20 } else { self.accounts };
        account(self.roll(among))
    }

    fn facts(mut self) -> AccountFacts {
        while self.left > 0 {
            self.next();
        }
        self.facts
    }

    fn next(&mut self) {
        let (from, to) = (self.anybody(), self.anybody());
        let amount = Amount::from(1_000_000 + self.roll(1_000_000_000));
        let dollar = Coin::Token(DOLLAR);
        match self.roll(100) {
            // A deposit and its sweep.
            0..10 => {
                let exchange = account(EXCHANGES * self.roll(self.accounts / EXCHANGES + 1));
                self.pay(&[(from, to, dollar, amount)], None);
                self.pay(&[(to, exchange, dollar, amount)], None);
            }
            10..12 => {
                let fan: Vec<_> = (0..12)
                    .map(|_| (from, self.anybody(), dollar, amount))
                    .collect();
                self.pay(&fan, None);
            }
            12..13 => {
                let unit = Amount::from(100_000_000_000_000_000_u64);
                self.pay(&[(from, POOL, Coin::Native, unit)], Some(self.number));
            }
            13..14 => {
                let unit = Amount::from(99_000_000_000_000_000_u64);
                self.pay(&[(POOL, to, Coin::Native, unit)], None);
            }
            // Next to nothing, and tokens that nobody knows.
            14..20 => self.pay(&[(from, to, dollar, Amount::ONE)], None),
            20..25 => self.pay(&[(from, to, Coin::Token(POOL), amount)], None),
            25..60 => {
                let wei = Amount::from(U256::from(self.roll(1 << 30)) << 24);
                self.pay(&[(from, to, Coin::Native, wei)], None);
            }
            _ => self.pay(&[(from, to, dollar, amount)], None),
        }
    }

    fn pay(&mut self, moved: &[(Address, Address, Coin, Amount)], leaf: Option<u64>) {
        self.number += 1;
        self.left = self.left.saturating_sub(moved.len());
        let height = 18_000_000 + self.number / 100;
        let movement =
            |(log, (from, to, coin, amount)): (u64, &(Address, Address, Coin, Amount))| Movement {
                origin: Origin::Log(log),
                from: *from,
                to: *to,
                coin: *coin,
                amount: *amount,
            };
        let event = leaf.map(|leaf| Event {
            index: 9,
            address: POOL,
            topics: vec![topics::TORNADO_DEPOSIT, B256::ZERO],
            data: [B256::from(U256::from(leaf & 0xffff_ffff)), B256::ZERO]
                .concat()
                .into(),
        });
        self.facts.add_transaction(EvmTransaction {
            hash: B256::from(U256::from(self.number)),
            placement: EvmPlacement {
                block: BlockRef::evm(
                    height,
                    B256::from(U256::from(height)),
                    UnixTime(1_690_000_000 + 12 * height - 12 * 18_000_000),
                ),
                index: u32::try_from(self.number % 100).unwrap(),
            },
            sender: moved[0].0,
            to: None,
            succeeded: true,
            fee: Amount::ZERO,
            gas_price: None,
            movements: (0..).zip(moved).map(movement).collect(),
            created: Vec::new(),
            executed: Vec::new(),
            trades: Vec::new(),
            events: event.into_iter().collect(),
            carried: Bytes::default(),
            noise: Noise::default(),
            internal: InternalTransfers::Known,
        });
    }
}

fn account(number: u64) -> Address {
    let mut address = Address::from_slice(&keccak256(number.to_be_bytes())[12..]);
    if number.is_multiple_of(EXCHANGES) {
        address[..4].copy_from_slice(&[0xee; 4]);
    }
    address
}
