//! A transaction as facts.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bytes};
use hansel_ledger::{
    Amount, Event, EvmNetwork, EvmPlacement, EvmTransaction, Movement, Noise, Trade, topics,
};

use super::fee::fee;
use super::log::{LogReading, read_log};
use super::wrap::{self, WrapLog};
use super::{Calls, DecodeError, HeaderLean, LogLean, Misfit, ReceiptLean, TxLean, native};

/// The transaction with every movement of value that it made.
///
/// `calls` is the trace of its calls, where there is one. Fails where the parts contradict each other.
pub fn transaction(
    network: &EvmNetwork,
    block: &HeaderLean,
    tx: &TxLean,
    receipt: &ReceiptLean,
    calls: Option<&Calls>,
) -> Result<EvmTransaction, DecodeError> {
    check_parts(block, tx, receipt)?;
    let succeeded = succeeded(tx, receipt, calls)?;
    let calls = native::usable(tx, succeeded, calls)?;
    let mut told = EvmTransaction {
        hash: tx.hash,
        placement: EvmPlacement {
            block: block.block_ref(),
            index: receipt.transaction_index,
        },
        sender: tx.from,
        to: tx.to,
        succeeded,
        fee: Amount::from(fee(tx, receipt)?),
        gas_price: offered(block, tx),
        movements: native::minted(tx).into_iter().collect(),
        created: Vec::new(),
        executed: executed(tx, receipt, calls),
        trades: Vec::new(),
        events: Vec::new(),
        carried: Bytes::new(),
        noise: Noise::default(),
        internal: native::internal(tx, receipt, succeeded, calls),
    };
    if succeeded {
        match calls {
            Some(calls) => told.movements.extend(native::traced(calls)),
            None => told.movements.extend(native::top_level(tx, receipt)?),
        }
        told.created = native::created(tx, receipt, calls);
        add_logs(network, receipt, &mut told);
        told.events = events(receipt);
        told.carried = carried(tx, receipt);
    }
    Ok(told)
}

/// The price that the sender chose: in a transaction of the types that there were before blocks had a base fee.
fn offered(block: &HeaderLean, tx: &TxLean) -> Option<Amount> {
    let early = matches!(tx.kind, None | Some(0 | 1)) && block.base_fee_per_gas.is_none();
    let chosen = tx.gas_price.filter(|_| early);
    chosen.map(Amount::from)
}

fn check_parts(block: &HeaderLean, tx: &TxLean, receipt: &ReceiptLean) -> Result<(), DecodeError> {
    let same_hash = receipt.transaction_hash == tx.hash;
    ensure(tx, same_hash, Misfit::Receipt)?;
    let here = receipt.block_hash == block.hash
        && receipt.block_number == block.number
        && tx.block_hash.is_none_or(|hash| hash == block.hash)
        && tx.block_number.is_none_or(|number| number == block.number)
        && tx
            .transaction_index
            .is_none_or(|index| index == receipt.transaction_index);
    ensure(tx, here, Misfit::Place)?;
    let same_parties = receipt.from.is_none_or(|from| from == tx.from)
        && (receipt.to == tx.to || receipt.to.is_none());
    ensure(tx, same_parties, Misfit::Parties)?;
    check_logs(tx.hash, receipt)
}

/// Checks that the logs are of this receipt and follow each other.
fn check_logs(hash: B256, receipt: &ReceiptLean) -> Result<(), DecodeError> {
    let mut before: Option<u64> = None;
    for log in &receipt.logs {
        let index = log.log_index;
        let here = log.transaction_hash == receipt.transaction_hash
            && log.block_hash == receipt.block_hash
            && log.block_number == receipt.block_number
            && log
                .transaction_index
                .is_none_or(|index| index == receipt.transaction_index);
        let follows = before.is_none_or(|before| before.checked_add(1) == Some(index));
        let misfit = if !here {
            Misfit::Log(index)
        } else if log.removed == Some(true) {
            Misfit::Removed(index)
        } else if !follows {
            Misfit::LogOrder(index)
        } else if log.topics.len() > 4 {
            Misfit::Topics(index)
        } else {
            before = Some(index);
            continue;
        };
        return Err(DecodeError::Contradiction { tx: hash, misfit });
    }
    Ok(())
}

fn ensure(tx: &TxLean, holds: bool, misfit: Misfit) -> Result<(), DecodeError> {
    if holds {
        return Ok(());
    }
    Err(DecodeError::Contradiction {
        tx: tx.hash,
        misfit,
    })
}

/// Whether it succeeded. Before Byzantium receipts do not say so; failures then used all their gas and logged
/// nothing.
fn succeeded(
    tx: &TxLean,
    receipt: &ReceiptLean,
    calls: Option<&Calls>,
) -> Result<bool, DecodeError> {
    match (receipt.status, calls) {
        (Some(status), _) => {
            ensure(tx, status <= 1, Misfit::Status)?;
            Ok(status == 1)
        }
        (None, Some(calls)) => Ok(!calls.top().failed),
        (None, None) if !receipt.logs.is_empty() => Ok(true),
        (None, None) if tx.gas.is_some_and(|gas| receipt.gas_used < gas) => Ok(true),
        (None, None) => Err(DecodeError::OutcomeUnknown(tx.hash)),
    }
}

fn executed(tx: &TxLean, receipt: &ReceiptLean, calls: Option<&Calls>) -> Vec<Address> {
    let with_data = tx.input.as_ref().is_none_or(|input| !input.is_empty());
    let called = tx.to.filter(|_| with_data);
    let logging = receipt.logs.iter().map(|log| log.address);
    let below_top = calls.into_iter().flat_map(|calls| calls.iter().skip(1));
    let calling = below_top.filter(|call| !call.failed).map(|call| call.from);
    let all: BTreeSet<Address> = called.into_iter().chain(logging).chain(calling).collect();
    all.into_iter().collect()
}

/// The events of protocols that carry value elsewhere, as many and as much of each as is kept.
fn events(receipt: &ReceiptLean) -> Vec<Event> {
    let kept = receipt
        .logs
        .iter()
        .filter(|log| log.topics.first().is_some_and(topics::is_kept));
    let event = |log: &LogLean| Event {
        index: log.log_index,
        address: log.address,
        topics: log.topics.clone(),
        data: Bytes::copy_from_slice(&log.data[..log.data.len().min(Event::MOST_DATA)]),
    };
    kept.take(Event::MOST).map(event).collect()
}

/// What a transfer of the native coin carries: an account without code logs nothing.
fn carried(tx: &TxLean, receipt: &ReceiptLean) -> Bytes {
    let is_transfer = tx.to.is_some() && !tx.value.is_zero() && receipt.logs.is_empty();
    let short = |data: &&Bytes| data.len() <= Event::MOST_CARRIED;
    let carried = tx.input.as_ref().filter(short).filter(|_| is_transfer);
    // A copy, so that a fact does not hold the whole answer that it was read from.
    carried.map_or_else(Bytes::new, |data| Bytes::copy_from_slice(data))
}

/// Adds what the logs say to a transaction that holds the movements of the native coin.
fn add_logs(network: &EvmNetwork, receipt: &ReceiptLean, told: &mut EvmTransaction) {
    let Readings {
        mut tokens,
        wraps,
        trades,
        noise,
    } = readings(receipt);
    if !wraps.is_empty() {
        let wrapped = wrap::movements(network, wraps, &told.movements, &tokens);
        tokens.extend(wrapped);
        tokens.sort_by(|a, b| a.origin.cmp(&b.origin));
    }
    told.movements.append(&mut tokens);
    told.trades = trades;
    told.noise = noise;
}

#[derive(Default)]
struct Readings {
    tokens: Vec<Movement>,
    wraps: Vec<WrapLog>,
    trades: Vec<Trade>,
    noise: Noise,
}

fn readings(receipt: &ReceiptLean) -> Readings {
    let mut all = Readings::default();
    for log in &receipt.logs {
        match read_log(log) {
            LogReading::Moved(movement) => all.tokens.push(movement),
            LogReading::Wrapped(movement) => all.wraps.push(WrapLog {
                movement,
                wrapped: true,
            }),
            LogReading::Unwrapped(movement) => all.wraps.push(WrapLog {
                movement,
                wrapped: false,
            }),
            LogReading::Traded(trade) => all.trades.push(trade),
            LogReading::Nothing => all.noise.zero_value += 1,
            LogReading::Collectible => all.noise.collectibles += 1,
            LogReading::Unreadable => all.noise.unreadable += 1,
            LogReading::Other => {}
        }
    }
    all
}
