//! Why an answer cannot be read as a fact.

use alloy_primitives::B256;

/// Says why a node's JSON is no fact. Holds positions and hashes, never the text itself.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The text is not the JSON that was expected.
    #[error("the {what} cannot be read at byte {offset}: {fault}")]
    Json {
        /// What was expected.
        what: &'static str,
        /// How many bytes were read before.
        offset: usize,
        /// What is wrong there.
        fault: JsonFault,
    },
    /// A number that the fact needs was not sent.
    #[error("transaction {tx} comes without {field}")]
    Missing {
        /// Which transaction.
        tx: B256,
        /// The field's name in JSON.
        field: &'static str,
    },
    /// Parts of the answer contradict each other.
    #[error("transaction {tx}: {misfit}")]
    Contradiction {
        /// Which transaction.
        tx: B256,
        /// What does not fit.
        misfit: Misfit,
    },
    /// An amount does not fit 256 bits.
    #[error("an amount of transaction {0} overflows 256 bits")]
    Overflow(B256),
    /// The receipt is older than the status field, and neither its gas nor a trace tells whether the
    /// transaction succeeded.
    #[error("whether transaction {0} succeeded is not told")]
    OutcomeUnknown(B256),
    /// The trace of calls is no tree, or a call in it is not complete.
    #[error("trace entry {at} is incomplete or has no place in the tree of calls")]
    BrokenTree {
        /// Which entry, in the order of the answer.
        at: usize,
    },
    /// The trace of calls is larger than any transaction can make it.
    #[error("the trace holds more than {limit} {what}")]
    TooLarge {
        /// What is too many.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
    },
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum JsonFault {
    /// It ends too early.
    #[error("it ends too early")]
    Truncated,
    /// It is not JSON.
    #[error("it is not json")]
    Syntax,
    /// It is not UTF-8.
    #[error("it is not utf-8")]
    Encoding,
    /// It nests deeper than any answer does.
    #[error("it nests too deep")]
    Nesting,
    /// A field is missing, twice there, or holds something else than it must.
    #[error("a field is missing or holds something else than it must")]
    Content,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Misfit {
    /// The transaction and its receipt have different hashes.
    #[error("the receipt is of another transaction")]
    Receipt,
    /// Transaction or receipt stand in another block or at another index.
    #[error("it stands elsewhere than its block or receipt says")]
    Place,
    /// The receipt names other parties than the transaction.
    #[error("the receipt names other parties")]
    Parties,
    /// A log of the receipt names another transaction or block.
    #[error("log {0} belongs elsewhere")]
    Log(u64),
    /// A log of the receipt was removed by a reorganisation.
    #[error("log {0} was removed from the chain")]
    Removed(u64),
    /// The indices of the logs have gaps.
    #[error("log {0} does not follow the one before it")]
    LogOrder(u64),
    /// A log has more topics than the virtual machine allows.
    #[error("log {0} has more than four topics")]
    Topics(u64),
    /// The trace's top-level call is not the transaction.
    #[error("the trace is of another call")]
    Trace,
    /// The trace says that the transaction failed, the receipt that it succeeded.
    #[error("trace and receipt disagree on its success")]
    Success,
    /// The status is neither success nor failure.
    #[error("its status is neither 0 nor 1")]
    Status,
}
