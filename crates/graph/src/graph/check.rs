//! What a statement must agree with before the graph believes it: with itself, and with what is known.

use std::collections::BTreeSet;

use bitcoin::{Amount, Txid};
use hansel_ledger::{Input, Output, TransactionStatement};

use super::{Flow, FlowGraph, FlowIx, GraphError, Place, PoolIx};

impl FlowGraph {
    /// Refuses a statement that contradicts itself or what is known. Changes nothing.
    pub(super) fn check(
        &self,
        known: Option<PoolIx>,
        statement: &TransactionStatement,
    ) -> Result<(), GraphError> {
        check_inputs(statement)?;
        check_values(statement)?;
        self.check_outputs(known, statement)?;
        for input in &statement.inputs {
            self.check_input(&statement.txid, input)?;
        }
        self.check_balance(statement)?;
        self.check_spenders(known, statement)
    }

    /// What others said about this transaction's outputs must agree with the transaction itself.
    fn check_outputs(
        &self,
        known: Option<PoolIx>,
        statement: &TransactionStatement,
    ) -> Result<(), GraphError> {
        for flow in known
            .into_iter()
            .flat_map(|pool| self.row(pool).outputs().iter())
        {
            let outpoint = self.outpoint(*flow);
            let named = self.flow(*flow);
            let spender = named
                .spender
                .map_or(statement.txid, |pool| self.row(pool).txid);
            let Some(actual) = usize::try_from(outpoint.vout)
                .ok()
                .and_then(|at| statement.outputs.get(at))
            else {
                return Err(GraphError::NoSuchOutput { outpoint, spender });
            };
            if named.value.is_some() && !agrees(&named, actual) {
                return Err(GraphError::Contradiction { outpoint, spender });
            }
        }
        Ok(())
    }

    fn check_input(&self, spender: &Txid, input: &Input) -> Result<(), GraphError> {
        let outpoint = input.previous;
        let Some(pool) = self.find(&outpoint.txid) else {
            return Ok(());
        };
        let Some(flow) = self.output_of(pool, outpoint.vout) else {
            let complete = self.row(pool).place != Place::Unvisited;
            let missing = GraphError::NoSuchOutput {
                outpoint,
                spender: *spender,
            };
            return if complete { Err(missing) } else { Ok(()) };
        };
        let named = self.flow(flow);
        if let Some(first) = named.spender {
            return Err(GraphError::DoubleSpend {
                outpoint,
                first: self.row(first).txid,
                second: *spender,
            });
        }
        match &input.spent {
            Some(claim) if named.value.is_some() && !agrees(&named, claim) => {
                Err(GraphError::Contradiction {
                    outpoint,
                    spender: *spender,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A transaction pays out no more than it takes in, where the values of all inputs are known.
    fn check_balance(&self, statement: &TransactionStatement) -> Result<(), GraphError> {
        let mut inputs = statement.inputs.iter();
        let paid = inputs.try_fold(0_u64, |sum, input| {
            let stated = input.spent.as_ref().map(|spent| spent.value.to_sat());
            let known = || self.flow(self.find_output(&input.previous)?).value;
            sum.checked_add(stated.or_else(known)?)
        });
        let drawn = sum(statement.outputs.iter().map(|output| output.value));
        match paid {
            Some(paid) if !statement.is_coinbase() && drawn > u128::from(paid) => {
                Err(GraphError::Overdrawn {
                    spender: statement.txid,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A spender that did not know the value of what it spends must balance with the value that the creator tells.
    fn check_spenders(
        &self,
        known: Option<PoolIx>,
        statement: &TransactionStatement,
    ) -> Result<(), GraphError> {
        let Some(creator) = known else { return Ok(()) };
        let named = self.row(creator).outputs().iter();
        let unpriced = named.filter(|flow| self.flow(**flow).value.is_none());
        let spenders: BTreeSet<PoolIx> = unpriced
            .filter_map(|flow| self.flow(*flow).spender)
            .collect();
        let value = |flow: &FlowIx| {
            let view = self.flow(*flow);
            let told = || statement.outputs.get(usize::try_from(view.vout).ok()?);
            let here = (view.creator == creator).then(told).flatten();
            view.value.or_else(|| Some(here?.value.to_sat()))
        };
        for spender in spenders {
            let row = self.row(spender);
            let mut inputs = row.inputs().iter();
            let paid = inputs.try_fold(0_u64, |sum, flow| sum.checked_add(value(flow)?));
            let drawn = self.sum(row.outputs());
            if paid.is_some() && paid < drawn {
                return Err(GraphError::Overdrawn { spender: row.txid });
            }
        }
        Ok(())
    }
}

/// No output is spent twice, and none of the transaction's own.
fn check_inputs(statement: &TransactionStatement) -> Result<(), GraphError> {
    let spender = statement.txid;
    let mut seen = BTreeSet::new();
    for Input { previous, .. } in &statement.inputs {
        if previous.txid == spender {
            return Err(GraphError::SpendsItself { spender });
        }
        if !seen.insert(*previous) {
            let outpoint = *previous;
            return Err(GraphError::SpentTwice { outpoint, spender });
        }
    }
    Ok(())
}

/// Neither inputs nor outputs are worth more than all coins there can be, so that no sum overflows.
fn check_values(statement: &TransactionStatement) -> Result<(), GraphError> {
    let spent = statement
        .inputs
        .iter()
        .filter_map(|input| input.spent.as_ref());
    let paid = sum(spent.map(|output| output.value));
    let drawn = sum(statement.outputs.iter().map(|output| output.value));
    if paid.max(drawn) > u128::from(Amount::MAX_MONEY.to_sat()) {
        return Err(GraphError::TooMuch {
            transaction: statement.txid,
        });
    }
    Ok(())
}

/// Fewer than 2^64 amounts of 64 bits fit 128 bits.
fn sum(amounts: impl Iterator<Item = Amount>) -> u128 {
    amounts.map(|amount| u128::from(amount.to_sat())).sum()
}

fn agrees(named: &Flow<'_>, actual: &Output) -> bool {
    named.value == Some(actual.value.to_sat()) && named.script == Some(actual.script.as_script())
}
