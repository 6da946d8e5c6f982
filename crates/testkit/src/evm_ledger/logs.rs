//! `eth_getLogs`: filters by contract and topics, and the limits of providers.

use alloy_primitives::{Address, B256, Log};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::rpc_error::RpcRefusal;
use super::server::EvmServerOptions;
use super::{EvmLedger, Made, answer, json};

/// What is asked of logs. An empty list asks for anything.
struct Filter {
    since: u64,
    until: u64,
    addresses: Vec<Address>,
    topics: Vec<Vec<B256>>,
}

/// A log with its transaction, block, transaction index and index in the block.
type Found<'a> = (&'a Made, &'a Log, (u64, usize, u64));

/// Answers `eth_getLogs`.
pub(super) fn get_logs(
    ledger: &EvmLedger,
    options: &EvmServerOptions,
    filter: &Value,
) -> Result<Value, RpcRefusal> {
    let filter = Filter::read(ledger, filter)?;
    if let Some(limit) = options.log_blocks
        && filter.until.saturating_sub(filter.since) >= limit
    {
        return Err(RpcRefusal::range(limit));
    }
    let mut found = filter.find(ledger);
    if let Some(limit) = options.log_results
        && let Some((_, _, (height, ..))) = found.get(limit)
    {
        let until = height.saturating_sub(1).max(filter.since);
        return Err(RpcRefusal::results(limit, filter.since, until));
    }
    if let Some(limit) = options.logs_cut_at {
        found.truncate(limit);
    }
    let listed = found
        .into_iter()
        .map(|(made, log, at)| json::log(ledger, made, log, at));
    Ok(listed.collect())
}

impl Filter {
    fn read(ledger: &EvmLedger, filter: &Value) -> Result<Self, RpcRefusal> {
        let (since, until) = match filter.get("blockHash") {
            Some(hash) => {
                let height = answer::by_hash(ledger, hash)?.ok_or_else(RpcRefusal::no_block)?;
                (height, height)
            }
            None => (
                answer::height(ledger, filter.get("fromBlock"))?,
                answer::height(ledger, filter.get("toBlock"))?.min(ledger.tip),
            ),
        };
        let topics = match filter.get("topics") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(topics)) => topics.iter().map(any_of).collect::<Result<_, _>>()?,
            Some(_) => return Err(RpcRefusal::bad_parameter("topics")),
        };
        Ok(Self {
            since,
            until,
            addresses: filter.get("address").map_or(Ok(Vec::new()), any_of)?,
            topics,
        })
    }

    fn find<'a>(&self, ledger: &'a EvmLedger) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        if self.since > self.until {
            return found;
        }
        for (height, body) in ledger.blocks.range(self.since..=self.until) {
            for (at, made) in body.transactions.iter().enumerate() {
                let numbered = (made.first_log..).zip(&made.logs);
                let fitting = numbered.filter(|(_, log)| self.fits(log));
                found.extend(fitting.map(|(number, log)| (made, log, (*height, at, number))));
            }
        }
        found
    }

    fn fits(&self, log: &Log) -> bool {
        let topics = log.topics();
        (self.addresses.is_empty() || self.addresses.contains(&log.address))
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(asked, topic)| asked.is_empty() || asked.contains(topic))
    }
}

/// One, a list of which any will do, or null for anything.
fn any_of<T: DeserializeOwned>(value: &Value) -> Result<Vec<T>, RpcRefusal> {
    let read = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(_) => serde_json::from_value(value.clone()),
        _ => serde_json::from_value(value.clone()).map(|one| vec![one]),
    };
    read.map_err(|error| RpcRefusal::bad_parameter(&error.to_string()))
}
