//! Movements of the native coin.

use alloy_primitives::{Address, U256};
use hansel_ledger::{Amount, Coin, Creation, InternalTransfers, Movement, Origin};

use super::fee::{ARBITRUM_DEPOSIT, DEPOSIT};
use super::{Call, CallKind, Calls, DecodeError, Misfit, ReceiptLean, TxLean};

/// What a transfer to an account without code costs: with this much gas used and no data, no code can have sent
/// value on, as a call with value alone costs 6,700 and at most a fifth of all gas is refunded.
const PLAIN_GAS: u64 = 21_000;

/// The trace, as far as it can be read for what moved: it must be of this transaction, as far as both tell.
///
/// A deposit into Arbitrum runs no code, so that its trace has nothing to add; of Arbitrum's other types a trace is used
/// where it fits, since what nodes tell of them differs.
pub(super) fn usable<'c>(
    tx: &TxLean,
    succeeded: bool,
    calls: Option<&'c Calls>,
) -> Result<Option<&'c Calls>, DecodeError> {
    let calls = calls.filter(|_| tx.kind != Some(ARBITRUM_DEPOSIT));
    match calls.and_then(|calls| misfit(tx, succeeded, calls)) {
        None => Ok(calls),
        Some(_) if !is_known(tx) => Ok(None),
        Some(misfit) => Err(DecodeError::Contradiction {
            tx: tx.hash,
            misfit,
        }),
    }
}

fn misfit(tx: &TxLean, succeeded: bool, calls: &Calls) -> Option<Misfit> {
    let top = calls.top();
    let same_target = tx.to.is_none() || top.to == tx.to;
    let wanted_kind = match tx.to {
        Some(_) => top.kind == CallKind::Call,
        None => top.kind.creates(),
    };
    let same = top.from == tx.from && top.value == tx.value && same_target;
    if !same || !wanted_kind {
        Some(Misfit::Trace)
    } else if succeeded && top.failed {
        Some(Misfit::Success)
    } else {
        None
    }
}

/// Every movement that calls of a transaction that succeeded made, by path.
pub(super) fn traced(calls: &Calls) -> Vec<Movement> {
    let moving = calls.iter().filter(|call| moves(call));
    let movement = |call: &Call| {
        let to = call.to?;
        let path = calls.path(call);
        Some(movement(path, call.from, to, call.value))
    };
    moving.filter_map(movement).collect()
}

fn moves(call: &Call) -> bool {
    let remains_to_itself = call.kind == CallKind::SelfDestruct && call.to == Some(call.from);
    !call.failed && call.kind.moves_value() && !call.value.is_zero() && !remains_to_itself
}

/// What a deposit from the chain below brought its sender; that stays even where the deposit fails. Its path is that
/// of what comes before the top-level call. Arbitrum's deposit brings what it then pays.
pub(super) fn minted(tx: &TxLean) -> Option<Movement> {
    let amount = match tx.kind {
        Some(DEPOSIT) => tx.mint.unwrap_or_default(),
        Some(ARBITRUM_DEPOSIT) => tx.value,
        Some(_) | None => return None,
    };
    let brings = !amount.is_zero();
    brings.then(|| movement(Vec::new(), Address::ZERO, tx.from, amount))
}

/// True for a type of transaction whose every movement of the native coin is in its calls, its mint and its fee.
/// Arbitrum's others (0x65 to 0x6a) move escrowed value and refunds besides; what exactly is not known here.
fn is_known(tx: &TxLean) -> bool {
    matches!(tx.kind, None | Some(0..=4 | DEPOSIT | ARBITRUM_DEPOSIT))
}

/// The movement of the top-level call of a transaction that succeeded.
pub(super) fn top_level(
    tx: &TxLean,
    receipt: &ReceiptLean,
) -> Result<Option<Movement>, DecodeError> {
    if tx.value.is_zero() {
        return Ok(None);
    }
    let to = tx.to.or(receipt.contract_address);
    let to = to.ok_or(DecodeError::Missing {
        tx: tx.hash,
        field: "contractAddress",
    })?;
    Ok(Some(movement(vec![0], tx.from, to, tx.value)))
}

fn movement(path: Vec<u32>, from: Address, to: Address, value: U256) -> Movement {
    Movement {
        origin: Origin::Call(path),
        from,
        to,
        coin: Coin::Native,
        amount: Amount::from(value),
    }
}

/// What is known of movements below the top-level call.
pub(super) fn internal(
    tx: &TxLean,
    receipt: &ReceiptLean,
    succeeded: bool,
    calls: Option<&Calls>,
) -> InternalTransfers {
    let all_known = match calls {
        _ if !is_known(tx) => false,
        Some(calls) => !calls.iter().any(is_riddle),
        None => !succeeded || runs_no_code(tx, receipt),
    };
    if all_known {
        InternalTransfers::Known
    } else {
        InternalTransfers::Unknown
    }
}

fn is_riddle(call: &Call) -> bool {
    call.kind == CallKind::Other && !call.failed && !call.value.is_zero()
}

fn runs_no_code(tx: &TxLean, receipt: &ReceiptLean) -> bool {
    let no_data = tx.input.as_ref().is_some_and(|input| input.is_empty());
    let plain = tx.to.is_some() && no_data && receipt.gas_used == PLAIN_GAS;
    plain || tx.kind == Some(ARBITRUM_DEPOSIT)
}

/// Contracts that a transaction which succeeded created, in order of execution.
pub(super) fn created(tx: &TxLean, receipt: &ReceiptLean, calls: Option<&Calls>) -> Vec<Creation> {
    let Some(calls) = calls else {
        let contract = receipt.contract_address.filter(|_| tx.to.is_none());
        let creation = contract.map(|contract| Creation {
            creator: tx.from,
            contract,
        });
        return creation.into_iter().collect();
    };
    let creating = calls
        .iter()
        .filter(|call| call.kind.creates() && !call.failed);
    let creation = |call: &Call| {
        Some(Creation {
            creator: call.from,
            contract: call.to?,
        })
    };
    creating.filter_map(creation).collect()
}
