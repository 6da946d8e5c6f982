//! Reads what the payee of a departure received on a Bitcoin chain.

use bitcoin::{OutPoint, ScriptBuf, Txid};
use hansel_heuristics::crossing::Payee;
use hansel_ledger::{Amount, Coin};

use super::super::super::ask::output_transaction;
use super::super::{Hunt, MOST};
use super::{Near, Nearby, Sought};
use crate::failure::Failure;

impl Hunt<'_> {
    pub(super) async fn outputs_near(
        &self,
        sought: &Sought,
        script: &ScriptBuf,
        blocks: (u64, u64),
    ) -> Result<Nearby, Failure> {
        let paying = match self.paying(script, blocks).await? {
            Ok(paying) => paying,
            Err(reason) => return Ok((Vec::new(), vec![reason])),
        };
        let (mut near, mut problems) = Nearby::default();
        if paying.len() > MOST {
            problems.push(format!(
                "only {MOST} of {} transactions were read",
                paying.len()
            ));
        }
        for (txid, height) in paying.into_iter().take(MOST) {
            match self.payments_of(sought, script, txid, height).await? {
                Ok(payments) => near.extend(payments),
                Err(reason) => problems.push(format!("transaction {txid}: {reason}")),
            }
        }
        Ok((near, problems))
    }

    async fn payments_of(
        &self,
        sought: &Sought,
        script: &ScriptBuf,
        txid: Txid,
        height: u64,
    ) -> Result<Result<Vec<Near>, String>, Failure> {
        let statement = match output_transaction(self.leg, txid, Some(height)).await? {
            Ok(statement) => statement,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(block) = statement.placement.block().copied() else {
            return Ok(Err("it is in no block".into()));
        };
        let after = block.time.0.saturating_sub(sought.left.0);
        let mut all = Vec::new();
        for (vout, output) in (0..).zip(&statement.outputs) {
            let amount = Amount::from(output.value.to_sat());
            let score = sought.score(Coin::Native, amount, after);
            let Some((score, is_measured)) = score.filter(|_| output.script == *script) else {
                continue;
            };
            let guessed = self.guessed(amount, Payee::Script(script.clone()));
            let landing = self.output_landing(&guessed, block, OutPoint { txid, vout });
            all.push(Near {
                score,
                is_to_payee: true,
                is_measured,
                landing,
            });
        }
        Ok(Ok(all))
    }
}
