//! What a source could not tell: carried to the report, never dropped.

use std::fmt;

use bitcoin::{OutPoint, Txid};
use serde::{Deserialize, Serialize};

use crate::Amount;

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
    /// The endpoints keep no state of the time, so a balance is not known.
    NoState {
        /// The block after which the balance was asked for.
        block: u64,
    },
    /// No endpoint traces transactions, so what contracts moved in them is not known.
    NoTraces {
        /// How many transactions.
        transactions: u64,
    },
    /// What the account sent, or what contracts sent it, cannot be found with what the endpoints offer.
    HistoryUnknown {
        /// The source's reason, already made safe to print.
        reason: String,
    },
    /// The account makes more transfers than are read of one account.
    Hub {
        /// How many were allowed.
        bound: u64,
    },
    /// The balance changed by more or less than the transfers that were found.
    Unexplained {
        /// The first block in which it may have happened.
        since: u64,
        /// The last one.
        until: u64,
        /// How many base units more (`true`) or less than explained.
        gained: bool,
        /// How much, in base units.
        amount: Amount,
    },
    /// A transaction changed one asset into others in a way that allows more than one reading.
    AmbiguousConversion {
        /// The transaction.
        tx: String,
        /// What is ambiguous, and how it was read.
        reading: String,
    },
    /// Blocks whose answers are missing.
    BlocksUnavailable {
        /// The first.
        since: u64,
        /// The last.
        until: u64,
        /// The source's reason, already made safe to print.
        reason: String,
    },
    /// Tokens that the account received, which were not counted as stolen.
    TokensNotCounted {
        /// Their contracts and amounts, already made safe to print.
        tokens: String,
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
            Self::NoState { .. } => "no-state",
            Self::NoTraces { .. } => "no-traces",
            Self::HistoryUnknown { .. } => "history-unknown",
            Self::Hub { .. } => "hub",
            Self::Unexplained { .. } => "unexplained-change",
            Self::AmbiguousConversion { .. } => "ambiguous-conversion",
            Self::BlocksUnavailable { .. } => "blocks-unavailable",
            Self::TokensNotCounted { .. } => "tokens-not-counted",
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
            Self::NoState { block } => write!(
                f,
                "the balance after block {block} is not known: the endpoints keep no state of that time"
            ),
            Self::NoTraces { transactions } => write!(
                f,
                "what contracts moved in {transactions} of the transactions is not known: no endpoint traces them"
            ),
            Self::HistoryUnknown { reason } => {
                write!(f, "part of the account's history is not known: {reason}")
            }
            Self::Hub { bound } => write!(
                f,
                "more than {bound} transfers: the account is a hub and was not followed"
            ),
            Self::Unexplained {
                since,
                until,
                gained,
                amount,
            } => {
                let more = if *gained { "more" } else { "less" };
                write!(
                    f,
                    "in blocks {since} to {until} the balance became {amount} base units {more} than the transfers found explain"
                )
            }
            Self::AmbiguousConversion { tx: _, reading } => {
                write!(f, "it can be read in more than one way: {reading}")
            }
            Self::BlocksUnavailable {
                since,
                until,
                reason,
            } => write!(f, "blocks {since} to {until} could not be read: {reason}"),
            Self::TokensNotCounted { tokens } => write!(
                f,
                "received, and not counted as stolen because the tokens are unknown and never moved on: {tokens}"
            ),
        }
    }
}
