//! What the rollups have in common: the far transaction is known by its hash, and what moved here is used once.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, Coin, EvmTransaction, Movement, Origin};

use super::fields::carrier;
use super::{Arrival, Carrier, Certainty, Departure, Link, Payee, Place, Protocol, Reason, Search};

/// The movements of a transaction, each of which carries one deposit.
pub(super) struct Purse<'a> {
    tx: &'a EvmTransaction,
    used: BTreeSet<Origin>,
}

impl<'a> Purse<'a> {
    pub(super) fn new(tx: &'a EvmTransaction) -> Self {
        Self {
            tx,
            used: BTreeSet::new(),
        }
    }

    pub(super) fn tx(&self) -> &'a EvmTransaction {
        self.tx
    }

    /// What brought an amount to its holder, else to another of its contracts: without a trace only the first of them
    /// is seen to receive it.
    pub(super) fn take(
        &mut self,
        holder: Address,
        contracts: &[Address],
        coin: Coin,
        amount: Amount,
    ) -> Option<Carrier> {
        let exact = |one: &&Movement| one.coin == coin && one.amount == amount;
        let held = self.find(|one| exact(one) && one.to == holder);
        let held = held.or_else(|| self.find(|one| exact(one) && contracts.contains(&one.to)));
        held.map(|one| self.spend(one))
    }

    fn find(&self, fits: impl Fn(&&Movement) -> bool) -> Option<&'a Movement> {
        let mut unused = self.tx.movements.iter();
        unused.find(|one| fits(one) && !self.used.contains(&one.origin))
    }

    fn spend(&mut self, movement: &Movement) -> Carrier {
        self.used.insert(movement.origin.clone());
        carrier(movement)
    }
}

/// A departure to a rollup of which the parties and the amount are still to be said.
pub(super) fn departure(
    protocol: Protocol,
    id: B256,
    place: Place,
    search: Option<Search>,
) -> Departure {
    Departure {
        protocol,
        link: Link(id.to_string()),
        carrier: None,
        amount: Amount::ZERO,
        place,
        payee: Payee::Unknown,
        refund_to: Vec::new(),
        payee_binds: true,
        asset: None,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Derived,
        searches: search.into_iter().collect(),
        parked: None,
    }
}

impl Departure {
    /// What a transaction brings of this departure that is its own by its computed hash: the amount that left, to whom
    /// the departure names, in the coin that it names or, where it names none, in one token.
    pub fn delivered_by(&self, tx: &EvmTransaction) -> Option<Arrival> {
        let Payee::Account(payee) = self.payee else {
            return None;
        };
        let fits = |one: &&Movement| {
            let coin = self
                .brings
                .map_or(one.coin != Coin::Native, |coin| one.coin == coin);
            coin && one.to == payee && one.amount == self.amount
        };
        let fitting: Vec<&Movement> = tx.movements.iter().filter(fits).collect();
        let coins: BTreeSet<Coin> = fitting.iter().map(|one| one.coin).collect();
        let first = fitting.first().filter(|_| coins.len() == 1)?;
        Some(Arrival {
            protocol: self.protocol,
            link: self.link.clone(),
            reason: Reason::Paid,
            carrier: Some(carrier(first)),
            amount: first.amount,
            payee: self.payee.clone(),
            left: Some(self.amount),
        })
    }
}
