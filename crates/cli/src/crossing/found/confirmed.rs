//! Reads the transaction that a log on the chain which value left names for it.

use bitcoin::OutPoint;
use hansel_heuristics::crossing::{Carrier, OutputView, Payment, Search};
use hansel_ledger::{Gap, TransactionStatement, UnixTime};

use super::super::ask::output_transaction;
use super::logged::{log_query, logs_of};
use super::{Catch, Hunt, Landing, SKEW};
use crate::failure::Failure;

impl Hunt<'_> {
    pub(super) async fn confirmed(
        &self,
        search: &Search,
        left: UnixTime,
    ) -> Result<Result<Catch, String>, Failure> {
        let (named, mut problems) = match self.confirmation(search, left).await? {
            Ok(told) => told,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(payment) = named else {
            return Ok(Ok((Vec::new(), problems)));
        };
        let txid = payment.txid;
        let mut found = Vec::new();
        match output_transaction(self.leg, txid, None).await? {
            Ok(statement) => match self.paid(&payment, &statement, left) {
                Ok(landing) => found.extend(landing),
                Err(reason) => problems.push(format!("its transaction {txid} {reason}")),
            },
            Err(reason) => problems.push(format!("its transaction {txid}: {reason}")),
        }
        Ok(Ok((found, problems)))
    }

    /// The payment that the logs name, and what may be missing of them.
    async fn confirmation(
        &self,
        search: &Search,
        left: UnixTime,
    ) -> Result<Result<(Option<Payment>, Vec<String>), String>, Failure> {
        let Search::Confirmed {
            by,
            contracts,
            topics,
            within,
            ..
        } = search
        else {
            return Ok(Ok(Default::default()));
        };
        let mut legs = self.legs.iter();
        let Some(there) = legs.find(|leg| leg.part.chain.name() == by) else {
            return Ok(Ok(Default::default()));
        };
        let until = UnixTime(left.0.saturating_add(*within));
        let blocks = match there.heights(left, until).await {
            Ok(Some(blocks)) => blocks,
            Ok(None) => return Ok(Ok(Default::default())),
            Err(reason) => return Ok(Err(reason)),
        };
        let query = log_query(contracts, topics, blocks);
        let logs = match logs_of(there, query).await? {
            Ok(logs) => logs,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut problems: Vec<String> = logs.coverage.gaps.iter().map(Gap::to_string).collect();
        let events: Vec<_> = logs.logs.iter().map(|log| &log.event).collect();
        let named = self.bridges.payment(self.departure, by, &events);
        let named = named.unwrap_or_else(|reason| {
            problems.push(reason.to_owned());
            None
        });
        Ok(Ok((named, problems)))
    }

    /// What the transaction brings; nothing where it is in no block that counts yet.
    fn paid(
        &self,
        payment: &Payment,
        statement: &TransactionStatement,
        left: UnixTime,
    ) -> Result<Option<Landing>, &'static str> {
        let as_of = self.leg.as_of.map(|block| block.height);
        let Some(block) = statement.placement.block().copied() else {
            return Err("is in no block");
        };
        if as_of.is_some_and(|height| block.height > height) {
            self.leg.is_behind();
            return Ok(None);
        }
        if block.time.0.saturating_add(SKEW) < left.0 {
            return Err("is older than what it is said to pay for");
        }
        let outputs: Vec<OutputView<'_>> = (0..)
            .zip(&statement.outputs)
            .map(|(vout, output)| OutputView {
                vout,
                value: output.value.to_sat(),
                script: &output.script,
            })
            .collect();
        let arrival = self.departure.paid_by(payment, &outputs)?;
        Ok(match arrival.carrier {
            Some(Carrier::Output(vout)) => {
                let outpoint = OutPoint::new(payment.txid, vout);
                Some(self.output_landing(&arrival, block, outpoint))
            }
            _ => None,
        })
    }
}
