//! Accounts that pay each other, told as a source tells them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by several tests, where a step that fails is a test that fails"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, address};
use hansel_graph::AccountFacts;
use hansel_heuristics::ethereum::{AccountView, EvmView, detect, transaction_findings};
use hansel_heuristics::{EntityKind, Finding, Label, Labels, NoLabels};
use hansel_ledger::{
    Amount, Asset, BlockForm, BlockRef, Chain, Coin, Event, EvmNetwork, EvmPlacement,
    EvmTransaction, Family, InternalTransfers, KnownToken, Movement, Noise, Origin, UnixTime,
};

/// A token that the configuration knows, of six decimals.
pub(crate) const DOLLAR: Address = address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48");

/// When the stories begin, and the block of that time; a block takes twelve seconds.
const START: u64 = 1_700_000_000;
const FIRST: u64 = 18_500_000;

pub(crate) fn ethereum() -> Chain {
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

pub(crate) fn dollar() -> Coin {
    Coin::Token(DOLLAR)
}

/// An account of a number, unlike any other from the first digit on.
pub(crate) fn account(number: u64) -> Address {
    let hash = alloy_primitives::keccak256(number.to_be_bytes());
    Address::from_slice(&hash[12..])
}

/// Thousandths of an ether in wei.
pub(crate) fn milli(thousandths: u64) -> Amount {
    Amount::from(U256::from(thousandths) * U256::from(10_u64.pow(15)))
}

/// What addresses are called.
#[derive(Debug, Default)]
pub(crate) struct Book(BTreeMap<Address, Label>);

impl Book {
    pub(crate) fn with(mut self, address: Address, kind: EntityKind, actor: &str) -> Self {
        let label = Label {
            kind,
            label: format!("{actor} wallet"),
            actor: Some(actor.into()),
            source: "a test".into(),
            ..Label::default()
        };
        self.0.insert(address, label);
        self
    }
}

impl Labels for Book {
    fn lookup(&self, _: &str, address: &str) -> Vec<Label> {
        let address: Address = address.parse().unwrap();
        self.0.get(&address).cloned().into_iter().collect()
    }
}

/// Transactions one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) transactions: Vec<EvmTransaction>,
}

impl Story {
    /// A transaction `seconds` after the beginning, signed by `sender`.
    pub(crate) fn transaction(
        mut self,
        seconds: u64,
        sender: Address,
        moved: &[(Address, Address, Coin, Amount)],
    ) -> Self {
        let height = FIRST + seconds / 12;
        let number = u64::try_from(self.transactions.len()).unwrap();
        let movement =
            |(log, (from, to, coin, amount)): (usize, &(Address, Address, Coin, Amount))| {
                Movement {
                    origin: match coin {
                        Coin::Native => Origin::Call(vec![0, u32::try_from(log).unwrap()]),
                        Coin::Token(_) => Origin::Log(u64::try_from(log).unwrap()),
                    },
                    from: *from,
                    to: *to,
                    coin: *coin,
                    amount: *amount,
                }
            };
        self.transactions.push(EvmTransaction {
            hash: B256::from(U256::from(number + 1)),
            placement: EvmPlacement {
                block: BlockRef::evm(
                    height,
                    B256::from(U256::from(height)),
                    UnixTime(START + seconds),
                ),
                index: u32::try_from(number).unwrap(),
            },
            sender,
            to: None,
            succeeded: true,
            fee: Amount::from(21_000_u64),
            gas_price: None,
            movements: moved.iter().enumerate().map(movement).collect(),
            created: Vec::new(),
            executed: Vec::new(),
            trades: Vec::new(),
            events: Vec::new(),
            carried: Bytes::default(),
            noise: Noise::default(),
            internal: InternalTransfers::Known,
        });
        self
    }

    /// A payment of a coin, signed by who gives.
    pub(crate) fn pay(
        self,
        seconds: u64,
        from: Address,
        to: Address,
        coin: Coin,
        amount: Amount,
    ) -> Self {
        self.transaction(seconds, from, &[(from, to, coin, amount)])
    }

    /// A payment of thousandths of ether.
    pub(crate) fn ether(self, seconds: u64, from: Address, to: Address, thousandths: u64) -> Self {
        self.pay(seconds, from, to, Coin::Native, milli(thousandths))
    }

    /// A payment of dollars.
    pub(crate) fn dollars(self, seconds: u64, from: Address, to: Address, dollars: u64) -> Self {
        let amount = Amount::from(dollars * 1_000_000);
        self.pay(seconds, from, to, dollar(), amount)
    }

    /// The sender of the last transaction offered so much for gas.
    pub(crate) fn offers(mut self, price: u64) -> Self {
        let last = self.transactions.last_mut().unwrap();
        last.gas_price = Some(Amount::from(price));
        self
    }

    /// The last transaction also logs an event.
    pub(crate) fn logs(mut self, address: Address, topics: &[B256], words: &[B256]) -> Self {
        let last = self.transactions.last_mut().unwrap();
        last.events.push(Event {
            index: 1_000 + u64::try_from(last.events.len()).unwrap(),
            address,
            topics: topics.to_vec(),
            data: words.iter().flat_map(|word| word.0).collect(),
        });
        self
    }

    pub(crate) fn facts(&self) -> AccountFacts {
        let mut facts = AccountFacts::default();
        for transaction in &self.transactions {
            facts.add_transaction(transaction.clone());
        }
        facts
    }

    /// What the detectors say under a rule, with labels. What they read is as it was.
    pub(crate) fn found(&self, rule: &str, labels: &dyn Labels) -> Vec<Finding> {
        let (chain, facts) = (ethereum(), self.facts());
        let mut found = detect(&AccountView {
            chain: &chain,
            facts: &facts,
            labels,
            coins: &std::collections::BTreeSet::new(),
            accounts: None,
        });
        let known: Vec<EvmTransaction> = facts.transactions().cloned().collect();
        let mut told = self.transactions.clone();
        told.sort_by_key(|tx| (tx.placement, tx.hash));
        assert_eq!(known, told, "a detector changed the facts");
        self.check_evidence(&found);
        found.retain(|finding| finding.heuristic == rule);
        found
    }

    pub(crate) fn unlabelled(&self, rule: &str) -> Vec<Finding> {
        self.found(rule, &NoLabels)
    }

    /// What the detectors of single transactions say about the last one.
    pub(crate) fn inspected(&self, labels: &dyn Labels) -> Vec<Finding> {
        transaction_findings(&EvmView {
            chain: &ethereum(),
            tx: self.transactions.last().unwrap(),
            labels,
        })
    }

    /// Findings rest on transfers that there are.
    fn check_evidence(&self, findings: &[Finding]) {
        let chain = ethereum();
        let ids: std::collections::BTreeSet<String> = self
            .transactions
            .iter()
            .flat_map(|tx| {
                let movements = tx.movements.iter();
                movements.map(|one| {
                    hansel_ledger::TransferId::movement(&chain, &tx.hash, &one.origin).into()
                })
            })
            .collect();
        for finding in findings {
            assert!(!finding.evidence.is_empty(), "{finding:?}");
            for id in &finding.evidence {
                assert!(ids.contains(id), "{id} of {}", finding.heuristic);
            }
        }
    }
}

/// A number as a word.
pub(crate) fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}
