//! What an account did with a token, from the token's logs.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use hansel_ledger::{ErrorClass, EvmTransaction, Movement, Origin, SourceError};
use serde_json::json;

use super::book::Book;
use super::inquiry::{Draft, Found, Inquiry};
use super::lack::Lacks;
use super::logs::{RowReadings, Rows, gives, read_rows};
use super::own::held;
use crate::decode::LogLean;
use crate::history::LogFilter;

/// Every transaction in which the account gave the token, and what it received in others.
pub(super) async fn find(inquiry: &Inquiry<'_>, contract: Address) -> Result<Found, SourceError> {
    let given = LogFilter::given(Some(contract), inquiry.address, true);
    let received = LogFilter::received(Some(contract), inquiry.address);
    let found = futures::try_join!(inquiry.logs(&given), inquiry.logs(&received))?;
    let (Some(mut rows), Some(more)) = found else {
        return Ok(Found::Hub);
    };
    rows.extend(more);
    let own = inquiry.address == contract;
    let named = if own { rows.clone() } else { Rows::new() };
    let RowReadings {
        moved,
        wraps,
        noise,
    } = read_rows(rows);
    let transfers = u64::try_from(moved.len() + wraps.len()).unwrap_or(u64::MAX);
    if transfers > inquiry.bound {
        return Ok(Found::Hub);
    }
    let mut book = Book::new(inquiry.address, inquiry.coin);
    book.noise = noise;
    // Whether a log of wrapping is a movement depends on what else the transaction did.
    let mut whole: BTreeSet<B256> = wraps.iter().map(|log| log.transaction_hash).collect();
    let giving = |(_, movement): &&(LogLean, Movement)| {
        own || gives(movement, inquiry.address, inquiry.coin)
    };
    whole.extend(
        moved
            .iter()
            .filter(giving)
            .map(|(log, _)| log.transaction_hash),
    );
    let transactions = inquiry.in_full(whole).await?;
    for (log, movement) in &moved {
        if let Some(tx) = transactions.get(&log.transaction_hash) {
            require(inquiry, tx, movement)?;
        }
    }
    let arriving = moved
        .into_iter()
        .filter(|(log, _)| !transactions.contains_key(&log.transaction_hash));
    let arrivals = inquiry.arrivals(arriving.collect()).await?;
    for tx in transactions.into_values() {
        book.enter(if own { held(tx, contract, &named) } else { tx });
    }
    for arrival in arrivals {
        book.arrive(arrival);
    }
    Ok(Found::Entries(Draft {
        book,
        lacks: Lacks::default(),
        blind: 0,
        searched: false,
    }))
}

/// Fails where a receipt does not hold what `eth_getLogs` told of the transaction.
fn require(
    inquiry: &Inquiry<'_>,
    tx: &EvmTransaction,
    movement: &Movement,
) -> Result<(), SourceError> {
    if tx.movements.contains(movement) {
        return Ok(());
    }
    let Origin::Log(index) = &movement.origin else {
        return Ok(());
    };
    let params = json!([tx.hash]);
    let detail = format!("the receipt does not hold log {index}, which eth_getLogs told");
    let class = ErrorClass::Inconsistent;
    let method = "eth_getTransactionReceipt";
    Err(inquiry.reader.refusal(class, method, &params, &detail))
}
