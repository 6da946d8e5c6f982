//! Logs by contract and topic.

use alloy_primitives::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{Event, FoundLog, Gap, Logs, SourceError};

use super::inquiry::{AT_A_TIME, Inquiry};
use super::lack::Lacks;
use crate::decode::LogLean;
use crate::history::LogFilter;

/// The logs that a filter lets through in the blocks of the inquiry, whatever its account and coin.
pub(crate) async fn logs(inquiry: Inquiry<'_>, filter: LogFilter) -> Result<Logs, SourceError> {
    let mut lacks = Lacks::default();
    let rows = inquiry.logs(&filter).await?.unwrap_or_else(|| {
        let bound = inquiry.bound;
        lacks.from(inquiry.since, Gap::Hub { bound });
        super::logs::Rows::new()
    });
    let found = stream::iter(rows.into_values())
        .map(|log| found(&inquiry, log))
        .buffered(AT_A_TIME);
    Ok(Logs {
        contracts: filter.contracts,
        topics: filter.topics,
        since: inquiry.since,
        until: inquiry.until,
        logs: found.try_collect().await?,
        coverage: lacks.coverage(inquiry.since, inquiry.until),
    })
}

async fn found(inquiry: &Inquiry<'_>, log: LogLean) -> Result<FoundLog, SourceError> {
    let header = inquiry.reader.header(log.block_number).await?;
    if header.value.hash != log.block_hash {
        let params = serde_json::json!([log.block_hash]);
        let class = hansel_ledger::ErrorClass::Inconsistent;
        let detail = "a log stands in a block of another hash";
        let refusal = inquiry
            .reader
            .refusal(class, "eth_getLogs", &params, detail);
        return Err(refusal);
    }
    let kept = log.data.len().min(Event::MOST_DATA);
    Ok(FoundLog {
        block: header.value.block_ref(),
        tx: log.transaction_hash,
        event: Event {
            index: log.log_index,
            address: log.address,
            topics: log.topics,
            data: Bytes::copy_from_slice(&log.data[..kept]),
        },
    })
}
