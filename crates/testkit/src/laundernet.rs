//! Cases of the LaunderNet data set: real flows of stolen money that experts followed by hand.

mod order;
mod people;
mod read;
mod replay;
mod score;
mod spam;
mod story;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

pub use read::LaunderNetError;
pub use replay::LaunderReplay;
pub use score::{FoundFlow, LaunderScore, score};

/// One case: the flows that experts hold to be illicit, where they start and where they end.
///
/// Source: LaunderNetEvm41 (MIT licence). Values are dollars of the day; no asset is named.
#[derive(Clone, Debug)]
pub struct LaunderNet {
    /// The name of its directory.
    pub name: String,
    /// The flows, in an order in which nobody passes on before receiving, as far as blocks allow.
    pub flows: Vec<LaunderFlow>,
    /// Where the stolen money was first.
    pub sources: BTreeSet<Address>,
    /// Where the experts stopped.
    pub terminals: BTreeSet<Address>,
    /// What the data set calls an address, where it calls it anything.
    pub labels: BTreeMap<Address, String>,
}

/// Value that moved from one address to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunderFlow {
    /// The height of its block.
    pub block: u64,
    /// The time of its block, in seconds since 1970.
    pub time: u64,
    /// The transaction.
    pub tx: B256,
    /// Who gave.
    pub from: Address,
    /// Who received.
    pub to: Address,
    /// How much, in millionths of a dollar.
    pub value: u64,
}

impl LaunderNet {
    /// The value of all flows together, in millionths of a dollar.
    pub fn total(&self) -> u64 {
        self.flows.iter().map(|flow| flow.value).sum()
    }

    /// Every address of the case.
    pub fn addresses(&self) -> BTreeSet<Address> {
        self.flows
            .iter()
            .flat_map(|flow| [flow.from, flow.to])
            .collect()
    }

    /// Where the experts stopped because many people use the address, with its label.
    pub fn services(&self) -> BTreeMap<Address, &str> {
        let passers = self.passers();
        let ends = self.terminals.iter();
        let services =
            ends.filter(|end| people::runs_service(self, end) && !passers.contains_key(*end));
        services.map(|end| (*end, &*self.labels[end])).collect()
    }

    /// The addresses that the data set calls a customer's deposit address of an exchange.
    pub fn deposits(&self) -> BTreeSet<Address> {
        let labels = self.labels.iter();
        let deposits = labels.filter(|(_, label)| label.contains("_Deposit_"));
        deposits.map(|(address, _)| *address).collect()
    }

    /// The addresses that the data set calls the launderers' own.
    pub fn launderers(&self) -> BTreeSet<Address> {
        let own = |label: &str| {
            let label = label.to_lowercase();
            ["exploiter", "phish", "transit"]
                .iter()
                .any(|word| label.contains(word))
        };
        let labels = self.labels.iter();
        let named = labels
            .filter(|(_, label)| own(label))
            .map(|(address, _)| *address);
        named.chain(self.sources.iter().copied()).collect()
    }

    /// Contracts that passed value on in the transaction in which they received it.
    fn passers(&self) -> BTreeMap<Address, usize> {
        let received: BTreeSet<_> = self.flows.iter().map(|flow| (flow.tx, flow.to)).collect();
        let passed = self
            .flows
            .iter()
            .map(|flow| (flow.tx, flow.from))
            .filter(|step| received.contains(step));
        let mut passers = BTreeMap::new();
        for (_, passer) in passed.collect::<BTreeSet<_>>() {
            *passers.entry(passer).or_default() += 1;
        }
        passers
    }
}
