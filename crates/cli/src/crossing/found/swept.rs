//! Reads what was made for an output when the transaction that spent it was proven to another chain.

use alloy_primitives::B256;
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, ScriptBuf};
use hansel_heuristics::crossing::Search;
use hansel_ledger::{EvmQuery, Fact, Gap, Query, SpendState, TransactionStatement, UnixTime};

use super::super::ask::{account_transaction, ask, output_transaction};
use super::logged::log_query;
use super::{Catch, Hunt, SKEW, holds};
use crate::failure::Failure;
use crate::leg::Leg;

impl Hunt<'_> {
    pub(super) async fn swept(
        &self,
        search: &Search,
        left: UnixTime,
    ) -> Result<Result<Catch, String>, Failure> {
        let Search::Swept {
            home,
            output,
            script,
            contracts,
            form,
            within,
            ..
        } = search
        else {
            return Ok(Ok(Catch::default()));
        };
        let mut legs = self.legs.iter();
        let Some(home) = legs.find(|leg| leg.part.chain.name() == home) else {
            return Ok(Ok(Catch::default()));
        };
        let sweep = match spender(home, output, script).await? {
            Ok(Some(sweep)) => sweep,
            Ok(None) => return Ok(Ok(Catch::default())),
            Err(reason) => return Ok(Err(reason)),
        };
        let since = UnixTime(left.0.saturating_sub(SKEW));
        let until = UnixTime(left.0.saturating_add(*within));
        let blocks = match self.leg.heights(since, until).await {
            Ok(Some(blocks)) => blocks,
            Ok(None) => return Ok(Ok(Catch::default())),
            Err(reason) => return Ok(Err(reason)),
        };
        let query = log_query(contracts, &[vec![*form]], blocks);
        self.proofs(query, &sweep, output).await
    }

    /// What the transactions bring that prove a sweep.
    async fn proofs(
        &self,
        query: EvmQuery,
        sweep: &TransactionStatement,
        output: &OutPoint,
    ) -> Result<Result<Catch, String>, Failure> {
        let logs = match self.logs(query).await? {
            Ok(logs) => logs,
            Err(reason) => return Ok(Err(reason)),
        };
        let (mut found, mut problems) = Catch::default();
        problems.extend(logs.coverage.gaps.iter().map(Gap::to_string));
        let hash = sweep.txid.to_byte_array();
        let mut proving = logs.logs.iter().filter(|log| holds(&log.event.data, &hash));
        // A sweep is proven once.
        match proving.next() {
            Some(log) => {
                let catch = (&mut found, &mut problems);
                self.proof(log.tx, sweep, output, catch).await?;
            }
            None => problems.push(format!(
                "{} spent it, of which no proof is logged in the time that was searched: a sweep that is not proven yet, or whoever deposited it took it back",
                sweep.txid
            )),
        }
        Ok(Ok((found, problems)))
    }

    async fn proof(
        &self,
        hash: B256,
        sweep: &TransactionStatement,
        output: &OutPoint,
        (found, problems): (&mut Vec<super::Landing>, &mut Vec<String>),
    ) -> Result<(), Failure> {
        let tx = match account_transaction(self.leg, hash).await? {
            Ok(tx) => tx,
            Err(reason) => {
                problems.push(format!("transaction {hash}: {reason}"));
                return Ok(());
            }
        };
        let (proof, sweep) = ((self.chain(), &tx), (sweep, output));
        match self.bridges.swept(self.departure, proof, sweep) {
            Ok(arrival) => self.land(&arrival, &tx, found, problems),
            Err(reason) => problems.push(format!("its sweep {} {reason}", sweep.0.txid)),
        }
        Ok(())
    }
}

/// The transaction that spent an output; `None` where none did in a block that counts.
async fn spender(
    home: &Leg<'_>,
    output: &OutPoint,
    script: &ScriptBuf,
) -> Result<Result<Option<TransactionStatement>, String>, Failure> {
    let Some(as_of) = home.as_of else {
        return Ok(Ok(None));
    };
    let paid = match output_transaction(home, output.txid, None).await? {
        Ok(paid) => paid,
        Err(reason) => return Ok(Err(reason)),
    };
    let query = Query::Spends {
        txid: output.txid,
        height: paid.placement.height(),
        outputs: vec![(output.vout, script.clone())],
        as_of: as_of.height,
    };
    let spends = match ask(home, &query).await? {
        Ok(Fact::Spends(spends)) => spends,
        Ok(_) => return Ok(Err("an answer of another kind than the question".into())),
        Err(reason) => return Ok(Err(reason)),
    };
    let (by, height) = match spends.outputs.as_slice() {
        [(vout, SpendState::Spent { by, height })] if *vout == output.vout => (*by, *height),
        [(_, SpendState::Unspent | SpendState::SpentUnconfirmed { .. })] => return Ok(Ok(None)),
        _ => return Ok(Err(format!("whether {output} was swept is not known"))),
    };
    let told = output_transaction(home, by, Some(height)).await?;
    let spends = |one: &TransactionStatement| {
        let mut inputs = one.inputs.iter();
        inputs.any(|input| input.previous == *output)
    };
    Ok(told.and_then(|sweep| match spends(&sweep) {
        true => Ok(Some(sweep)),
        false => Err(format!("{by} does not spend {output}")),
    }))
}
