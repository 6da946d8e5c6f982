//! Extra data of tBTC's deposits, which stand in the deposit's script and which `DepositRevealed` leaves out: a contract that
//! takes deposits for other chains puts in whom they are for.
//!
//! Such a contract logs them beside the deposit's key (`DepositInitialized` of the Bitcoin depositors in
//! `@keep-network/tbtc-v2.ts` 2.4.1). Which of its words they are need not be known: the script of the payment, which was
//! hashed with them, fits one word and no other.

use alloy_primitives::{Address, B256};
use bitcoin::OutPoint;
use hansel_graph::Trace;
use hansel_ledger::Event;

use super::leaving::names_output;
use super::{Bridges, Payee, Told};

/// The words of one log that are tried.
const MOST: usize = 64;

/// Where the extra data of a deposit may be logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExtraLogs {
    /// The chain.
    pub chain: String,
    /// The payment.
    pub output: OutPoint,
    /// The contract that revealed the deposit.
    pub contract: Address,
    /// The deposit's key, which stands behind the form of the event.
    pub key: B256,
}

/// Where to look for the extra data of a deposit that a trace pays by its index and value, but by another script than one
/// without extra data.
pub fn extra_logs(trace: &Trace, bridges: &Bridges, told: &Told) -> Option<ExtraLogs> {
    let backing = bridges.backing(&trace.plan().chain, told)?;
    let key = backing.key?;
    let Payee::Account(contract) = backing.payee else {
        return None;
    };
    let graph = trace.graph();
    let pool = graph.find(&backing.txid)?;
    let mut outputs = graph
        .pool(pool)
        .outputs
        .iter()
        .map(|flow| graph.flow(*flow));
    let paid = outputs.find(|flow| Some(flow.vout) == backing.vout)?;
    let script = paid.script?;
    let hides = script.is_p2wsh() || script.is_p2sh();
    let fits = backing.departure(paid.vout, paid.value?, script).is_some();
    let is_other = told.extra.is_none() && hides && !fits && paid.value == Some(backing.paid);
    is_other.then(|| ExtraLogs {
        chain: told.chain.clone(),
        output: OutPoint::new(backing.txid, paid.vout),
        contract,
        key,
    })
}

/// The event with the extra data that a log tells of, where the script of the payment fits them.
pub fn with_extra(trace: &Trace, bridges: &Bridges, told: &Told, log: &Event) -> Option<Told> {
    let words = log.data.chunks_exact(32).map(B256::from_slice);
    let words = log.topics.iter().skip(2).copied().chain(words).take(MOST);
    let mut tried = words.map(|word| Told {
        extra: Some(word),
        ..told.clone()
    });
    tried.find(|told| names_output(trace, bridges, told))
}
