//! Reads what a script of a Bitcoin chain received.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Txid};
use hansel_heuristics::crossing::{Arrival, Carrier, OutputView, TransactionView};
use hansel_ledger::{BlockRef, Fact, NodeId, Query, TransferId};

use super::super::ask::{ask, output_transaction};
use super::{Catch, Hunt, Landing, MOST, Spot};
use crate::failure::Failure;

impl Hunt<'_> {
    pub(super) async fn received(
        &self,
        script: &bitcoin::ScriptBuf,
        (since, until): (u64, u64),
    ) -> Result<Result<Catch, String>, Failure> {
        let paying = match self.paying(script, (since, until)).await? {
            Ok(paying) => paying,
            Err(reason) => return Ok(Err(reason)),
        };
        let (mut found, mut problems) = Catch::default();
        if paying.len() > MOST {
            problems.push(format!(
                "only {MOST} of {} transactions were read",
                paying.len()
            ));
        }
        for (txid, height) in paying.into_iter().take(MOST) {
            match self.outputs_of(txid, height).await? {
                Ok(landings) => found.extend(landings),
                Err(reason) => problems.push(format!("transaction {txid}: {reason}")),
            }
        }
        Ok(Ok((found, problems)))
    }

    /// The transactions of some blocks that pay a script, with their heights.
    pub(super) async fn paying(
        &self,
        script: &bitcoin::ScriptBuf,
        (since, until): (u64, u64),
    ) -> Result<Result<BTreeMap<Txid, u64>, String>, Failure> {
        let query = Query::Received {
            script: script.clone(),
            since,
            as_of: self.leg.as_of.map_or(until, |block| block.height),
        };
        let outputs = match ask(self.leg, &query).await? {
            Ok(Fact::Received(outputs)) => outputs,
            Ok(_) => return Ok(Err("an answer of another kind than the question".into())),
            Err(reason) => return Ok(Err(reason)),
        };
        let within = outputs.into_iter();
        let within = within.filter(|(_, height)| (since..=until).contains(height));
        Ok(Ok(within
            .map(|(output, height)| (output.txid, height))
            .collect()))
    }

    async fn outputs_of(
        &self,
        txid: Txid,
        height: u64,
    ) -> Result<Result<Vec<Landing>, String>, Failure> {
        let statement = match output_transaction(self.leg, txid, Some(height)).await? {
            Ok(statement) => statement,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(block) = statement.placement.block().copied() else {
            return Ok(Err("it is in no block".into()));
        };
        let outputs = (0..).zip(&statement.outputs);
        let spent = statement.inputs.first().and_then(|one| one.spent.as_ref());
        let sender = spent.map(|output| output.script.clone());
        let view = TransactionView::Bitcoin {
            txid,
            sender: sender.as_deref(),
            outputs: outputs
                .map(|(vout, output)| OutputView {
                    vout,
                    value: output.value.to_sat(),
                    script: &output.script,
                })
                .collect(),
        };
        let arrivals = self.bridges.arrivals(self.chain(), &view).into_iter();
        let answers = arrivals.filter(|arrival| self.departure.is_answered_by(arrival));
        // Outputs do not say which of two like networks paid; what left may know.
        let answers = answers.map(|arrival| Arrival {
            protocol: self.departure.protocol,
            ..arrival
        });
        Ok(Ok(answers
            .filter_map(|arrival| {
                let Some(Carrier::Output(vout)) = arrival.carrier else {
                    return None;
                };
                let outpoint = OutPoint { txid, vout };
                Some(self.output_landing(&arrival, block, outpoint))
            })
            .collect()))
    }

    pub(super) fn output_landing(
        &self,
        arrival: &Arrival,
        block: BlockRef,
        outpoint: OutPoint,
    ) -> Landing {
        let chain = self.chain();
        self.landing(
            arrival,
            block,
            outpoint.txid.to_string(),
            NodeId::transaction(chain, &outpoint.txid),
            TransferId::output(chain, &outpoint).into(),
            Spot::Output(outpoint),
        )
    }
}
