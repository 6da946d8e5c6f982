//! What the events of several protocols have in common.

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, Coin, EvmTransaction, Movement};

use super::abi::address;
use super::{Carrier, Payee};

/// The movement that carries an amount to an account: of the coin named, else of any.
pub(super) fn paid(
    tx: &EvmTransaction,
    to: Address,
    coin: Coin,
    amount: Amount,
) -> Option<&Movement> {
    let mut fitting = tx
        .movements
        .iter()
        .filter(|one| one.to == to && one.amount == amount);
    let first = fitting.clone().find(|one| one.coin == coin);
    first.or_else(|| fitting.next())
}

/// A movement as what carries value.
pub(super) fn carrier(movement: &Movement) -> Carrier {
    Carrier::Movement {
        origin: movement.origin.clone(),
        to: movement.to,
        coin: movement.coin,
    }
}

/// The account in a word that may hold an account of another kind of chain.
pub(super) fn payee(word: B256) -> Payee {
    address(word).map_or_else(|| Payee::Other(word.to_string()), Payee::Account)
}
