//! Reads transactions whose hashes follow from a departure, or that the far chain names for it.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use hansel_ledger::{EvmQuery, Gap};

use super::super::ask::account_transaction;
use super::{Catch, Hunt, MOST};
use crate::failure::Failure;

impl Hunt<'_> {
    /// The transaction of a computed hash. It may not be there yet, so that its absence is no failure.
    pub(super) async fn computed(&self, hash: B256) -> Result<Result<Catch, String>, Failure> {
        let mut catch = Catch::default();
        self.read(hash, &mut catch).await?;
        Ok(Ok(catch))
    }

    /// The transactions that a topic of some logs names.
    pub(super) async fn named(
        &self,
        query: EvmQuery,
        topic: usize,
    ) -> Result<Result<Catch, String>, Failure> {
        let logs = match self.logs(query).await? {
            Ok(logs) => logs,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut catch = Catch::default();
        catch
            .1
            .extend(logs.coverage.gaps.iter().map(Gap::to_string));
        let named = logs
            .logs
            .iter()
            .filter_map(|log| log.event.topics.get(topic));
        let hashes: BTreeSet<B256> = named.copied().collect();
        for hash in hashes.into_iter().take(MOST) {
            self.read(hash, &mut catch).await?;
        }
        Ok(Ok(catch))
    }

    async fn read(&self, hash: B256, (found, problems): &mut Catch) -> Result<(), Failure> {
        let tx = match account_transaction(self.leg, hash).await? {
            Ok(tx) => tx,
            Err(reason) => {
                problems.push(format!("its transaction {hash}: {reason}"));
                return Ok(());
            }
        };
        let as_of = self.leg.as_of.map(|block| block.height);
        if as_of.is_some_and(|height| tx.placement.block.height > height) {
            return Ok(());
        }
        match self.departure.delivered_by(&tx) {
            Some(arrival) => self.land(&arrival, &tx, found, problems),
            None => problems.push(format!(
                "its transaction {hash} does not pay it to whom it was sent, as far as the endpoint tells"
            )),
        }
        Ok(())
    }
}
