//! Every known transfer between accounts, told once.

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, Coin, EvmPlacement, EvmTransaction, Origin};

use super::AccountFacts;
use super::facts::Event;

/// Value that moved, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct AccountTransfer<'a> {
    /// The transaction's hash; `None` for what is not part of one.
    pub hash: Option<&'a B256>,
    /// The transaction, where it is known in full.
    pub transaction: Option<&'a EvmTransaction>,
    /// Where it stands.
    pub placement: &'a EvmPlacement,
    /// What says so.
    pub origin: &'a Origin,
    /// Who gave, where that is known.
    pub from: Option<Address>,
    /// Who received.
    pub to: Address,
    /// What moved.
    pub coin: Coin,
    /// How much, in base units; never zero.
    pub amount: Amount,
}

impl AccountFacts {
    /// Every movement and arrival in chain order; what arrived in a transaction that is known in full is told once.
    pub fn transfers(&self) -> impl Iterator<Item = AccountTransfer<'_>> {
        self.events().flat_map(|event| {
            let (transaction, arrival) = match event {
                Event::Transaction(transaction) => (Some(&**transaction), None),
                Event::Arrival(received) => (None, Some(received)),
            };
            let moved = transaction.into_iter().flat_map(|transaction| {
                let movements = transaction.movements.iter();
                movements.map(move |movement| AccountTransfer {
                    hash: Some(&transaction.hash),
                    transaction: Some(transaction),
                    placement: &transaction.placement,
                    origin: &movement.origin,
                    from: Some(movement.from),
                    to: movement.to,
                    coin: movement.coin,
                    amount: movement.amount,
                })
            });
            moved.chain(arrival.map(|received| AccountTransfer {
                hash: received.tx,
                transaction: None,
                placement: received.placement,
                origin: received.origin,
                from: received.from,
                to: received.to.account,
                coin: received.to.coin,
                amount: received.amount,
            }))
        })
    }
}
