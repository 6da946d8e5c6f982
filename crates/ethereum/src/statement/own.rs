//! A token's contract as a holder of its own token.
//!
//! In a transaction the contract stands for what is made and destroyed, which changes nothing of what it holds. Its
//! statement is about what it holds: there each movement has the parties that its log names, and a movement whose log
//! does not name the contract is none of its own.

use alloy_primitives::Address;
use hansel_ledger::{Coin, EvmTransaction, Movement, Origin};

use super::logs::Rows;
use crate::decode::{self, LogLean, LogReading};

/// The transaction as its logs among `rows` say what it did to what the contract holds of its own token.
pub(super) fn held(mut tx: EvmTransaction, contract: Address, rows: &Rows) -> EvmTransaction {
    let height = tx.placement.block.height;
    let own = |movement: Movement| {
        if movement.coin != Coin::Token(contract) {
            return Some(movement);
        }
        let Origin::Log(index) = movement.origin else {
            return None;
        };
        let (from, to) = parties(rows.get(&(height, index))?)?;
        let concerned = from == contract || to == contract;
        concerned.then_some(Movement {
            from,
            to,
            ..movement
        })
    };
    tx.movements = tx.movements.into_iter().filter_map(own).collect();
    tx
}

/// Whom a log names, the zero address where tokens are made or destroyed.
fn parties(log: &LogLean) -> Option<(Address, Address)> {
    match decode::read_log(log) {
        LogReading::Moved(_) => {
            let named = |at: usize| log.topics.get(at).map(|word| Address::from_word(*word));
            named(1).zip(named(2))
        }
        LogReading::Wrapped(movement) => Some((Address::ZERO, movement.to)),
        LogReading::Unwrapped(movement) => Some((movement.from, Address::ZERO)),
        LogReading::Nothing
        | LogReading::Collectible
        | LogReading::Unreadable
        | LogReading::Traded(_)
        | LogReading::Other => None,
    }
}
