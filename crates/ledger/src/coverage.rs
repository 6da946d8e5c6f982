//! What a source could not tell: carried to the report, never dropped.

use std::fmt;

use bitcoin::{OutPoint, Txid};
use serde::{Deserialize, Serialize};

/// How far an answer reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Everything up to and including this height is known; `None` where nothing is.
    pub complete_through: Option<u64>,
    /// What is missing, by name.
    pub gaps: Vec<Gap>,
}

/// Something that is not known, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Gap {
    /// The source holds the transaction but not the block it is in.
    BlockUnknown,
    /// The transaction is not in a block yet.
    Unconfirmed,
    /// The values of some inputs are not known, so the pool cannot be settled.
    InputsUnknown {
        /// How many inputs lack a value.
        inputs: u32,
    },
    /// The source could not say what spent the output.
    SpendUnknown {
        /// The source's reason, already made safe to print.
        reason: String,
    },
    /// A transaction in the mempool spends the output: it may confirm, or be replaced.
    UnconfirmedSpend {
        /// The transaction seen in the mempool.
        by: Txid,
    },
    /// The source named a spender that does not spend the output.
    FalseSpend {
        /// The transaction that was named.
        by: Txid,
    },
    /// The source named an output as paid to an address, which the output does not pay.
    FalsePayment {
        /// The output that was named.
        output: OutPoint,
    },
    /// The source could not give the transaction.
    TransactionUnavailable {
        /// The source's reason, already made safe to print.
        reason: String,
    },
}

impl Gap {
    /// The gap's name in reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BlockUnknown => "block-unknown",
            Self::Unconfirmed => "unconfirmed",
            Self::InputsUnknown { .. } => "inputs-unknown",
            Self::SpendUnknown { .. } => "spend-unknown",
            Self::UnconfirmedSpend { .. } => "unconfirmed-spend",
            Self::FalseSpend { .. } => "false-spend",
            Self::FalsePayment { .. } => "false-payment",
            Self::TransactionUnavailable { .. } => "transaction-unavailable",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockUnknown => write!(f, "the block that holds this transaction is not known"),
            Self::Unconfirmed => write!(f, "not in a block yet"),
            Self::InputsUnknown { inputs: 1 } => {
                write!(
                    f,
                    "the value of one input is not known, so what poured in cannot be settled"
                )
            }
            Self::InputsUnknown { inputs } => {
                write!(
                    f,
                    "the values of {inputs} inputs are not known, so what poured in cannot be settled"
                )
            }
            Self::SpendUnknown { reason } => {
                write!(f, "what spent this output is not known: {reason}")
            }
            Self::UnconfirmedSpend { by } => {
                write!(f, "an unconfirmed transaction spends this output: {by}")
            }
            Self::FalseSpend { by } => write!(
                f,
                "the source named {by} as the spender, which does not spend it"
            ),
            Self::FalsePayment { output } => write!(
                f,
                "the source named {output} as paid to this address, which it does not pay"
            ),
            Self::TransactionUnavailable { reason } => {
                write!(f, "the transaction could not be fetched: {reason}")
            }
        }
    }
}
