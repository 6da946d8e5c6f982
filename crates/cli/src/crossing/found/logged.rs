//! Reads transactions that log what a departure is answered by.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use hansel_heuristics::crossing::{Arrival, Carrier, TransactionView};
use hansel_ledger::{
    EvmFact, EvmQuery, EvmTransaction, Fact, Gap, Logs, NodeId, Query, TransferId,
};

use super::super::ask::{account_transaction, ask};
use super::{Catch, Hunt, Landing, MOST, Spot, holds};
use crate::failure::Failure;
use crate::leg::Leg;

impl Hunt<'_> {
    /// The logs that answer a question.
    pub(super) async fn logs(&self, query: EvmQuery) -> Result<Result<Logs, String>, Failure> {
        logs_of(self.leg, query).await
    }

    pub(super) async fn logged(
        &self,
        query: EvmQuery,
        mark: &[u8],
    ) -> Result<Result<Catch, String>, Failure> {
        let logs = match self.logs(query).await? {
            Ok(logs) => logs,
            Err(reason) => return Ok(Err(reason)),
        };
        let (mut found, mut problems) = Catch::default();
        problems.extend(logs.coverage.gaps.iter().map(Gap::to_string));
        let marked = logs.logs.iter().filter(|log| holds(&log.event.data, mark));
        let hashes: BTreeSet<B256> = marked.map(|log| log.tx).collect();
        if hashes.len() > MOST {
            problems.push(format!(
                "only {MOST} of {} transactions were read",
                hashes.len()
            ));
        }
        for hash in hashes.into_iter().take(MOST) {
            match account_transaction(self.leg, hash).await? {
                Ok(tx) => self.movements_of(&tx, &mut found, &mut problems),
                Err(reason) => problems.push(format!("transaction {hash}: {reason}")),
            }
        }
        Ok(Ok((found, problems)))
    }

    fn movements_of(
        &self,
        tx: &EvmTransaction,
        found: &mut Vec<Landing>,
        problems: &mut Vec<String>,
    ) {
        let arrivals = self
            .bridges
            .arrivals(self.chain(), &TransactionView::Evm(tx))
            .into_iter();
        for arrival in arrivals.filter(|arrival| self.departure.is_answered_by(arrival)) {
            self.land(&arrival, tx, found, problems);
        }
    }

    pub(super) fn land(
        &self,
        arrival: &Arrival,
        tx: &EvmTransaction,
        found: &mut Vec<Landing>,
        problems: &mut Vec<String>,
    ) {
        let Some(Carrier::Movement { origin, coin, .. }) = arrival.carrier.clone() else {
            problems.push(format!(
                    "{} pays it, but no endpoint tells the movement of value; one that traces transactions may",
                    tx.hash
                ));
            return;
        };
        let movement = tx.movements.iter().find(|one| one.origin == origin);
        let from = movement.map(|one| NodeId::account(self.chain(), &one.from));
        found.push(self.landing(
            arrival,
            tx.placement.block,
            tx.hash.to_string(),
            from.unwrap_or_else(|| NodeId::unknown(self.chain())),
            TransferId::movement(self.chain(), &tx.hash, &origin).into(),
            Spot::Movement(tx.hash, origin, coin),
        ));
    }
}

/// The logs of a part's chain that answer a question.
pub(super) async fn logs_of(
    leg: &Leg<'_>,
    query: EvmQuery,
) -> Result<Result<Logs, String>, Failure> {
    Ok(match ask(leg, &Query::Evm(query)).await? {
        Ok(Fact::Evm(EvmFact::Logs(logs))) => Ok(logs),
        Ok(_) => Err("an answer of another kind than the question".into()),
        Err(reason) => Err(reason),
    })
}

/// The question for logs in some blocks.
pub(super) fn log_query(
    contracts: &[Address],
    topics: &[Vec<B256>],
    (since, until): (u64, u64),
) -> EvmQuery {
    EvmQuery::Logs {
        contracts: contracts.to_vec(),
        topics: topics.to_vec(),
        since,
        until,
    }
}
