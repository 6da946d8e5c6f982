//! What a source knows of one node.

use bitcoin::{Amount, OutPoint, Script, ScriptBuf, Txid};
use serde::{Deserialize, Serialize};

use crate::{Gap, Placement};

/// A Bitcoin transaction as a pool: what poured in, what was drawn, in serialisation order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionStatement {
    /// The transaction, recomputed from its bytes by whoever made this statement.
    pub txid: Txid,
    /// Where it stands in the chain.
    pub placement: Placement,
    /// Inputs in serialisation order; empty for a coinbase.
    pub inputs: Vec<Input>,
    /// Outputs in serialisation order.
    pub outputs: Vec<Output>,
}

/// One input of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The output it spends.
    pub previous: OutPoint,
    /// That output's value and script as the source states them; `None` where it did not.
    pub spent: Option<Output>,
}

/// One output of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its value.
    #[serde(with = "bitcoin::amount::serde::as_sat")]
    pub value: Amount,
    /// Its locking script.
    pub script: ScriptBuf,
}

/// True where an output locked by `script` can never be spent, so that its value is burned.
///
/// Source: Bitcoin Core `CScript::IsUnspendable`: an OP_RETURN script or one above 10,000 bytes.
pub fn is_unspendable(script: &Script) -> bool {
    script.is_op_return() || script.len() > 10_000
}

impl TransactionStatement {
    /// True for the transaction that creates a block's new coins.
    pub fn is_coinbase(&self) -> bool {
        self.inputs.is_empty()
    }

    /// How many inputs lack a value.
    pub fn unknown_inputs(&self) -> usize {
        self.inputs
            .iter()
            .filter(|input| input.spent.is_none())
            .count()
    }

    /// The fee; `None` for a coinbase, where input values are missing, or where outputs exceed inputs.
    pub fn fee(&self) -> Option<Amount> {
        if self.is_coinbase() {
            return None;
        }
        let paid = self.inputs.iter().try_fold(Amount::ZERO, |sum, input| {
            sum.checked_add(input.spent.as_ref()?.value)
        })?;
        let received = self
            .outputs
            .iter()
            .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value))?;
        paid.checked_sub(received)
    }
}

/// What a source knows about the spending of one transaction's outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spends {
    /// The transaction whose outputs were asked for.
    pub txid: Txid,
    /// The height through which the answer is complete; later spends are not facts yet.
    pub as_of: u64,
    /// Each output asked for, by index, ascending.
    pub outputs: Vec<(u32, SpendState)>,
}

/// Whether an output was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum SpendState {
    /// Not spent in any block through the answer's height.
    Unspent,
    /// Spent by a confirmed transaction. A claim until that transaction is seen to spend it.
    Spent {
        /// The spender.
        by: Txid,
        /// The height of the spender's block.
        height: u64,
    },
    /// Unspent in the chain, but spent by a transaction in the mempool.
    SpentUnconfirmed {
        /// The transaction seen in the mempool.
        by: Txid,
    },
    /// The source could not tell.
    Unknown {
        /// Why.
        gap: Gap,
    },
}
