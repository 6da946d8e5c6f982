//! What answers say that cannot be true.

use alloy_primitives::{Address, B256};

/// Says how an endpoint contradicts the question, itself or the chain's rules; nothing of the answer is believed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Contradiction {
    /// A nonce falls with height.
    #[error(
        "the nonce of {address} is {nonce} after block {height} and {other_nonce} after block {other}"
    )]
    NonceFell {
        /// Whose.
        address: Address,
        /// The height asked for.
        height: u64,
        /// The answer.
        nonce: u64,
        /// Another height.
        other: u64,
        /// The answer for that one.
        other_nonce: u64,
    },
    /// More was received than there can be.
    #[error("the balance of {address} changes by more than 256 bits up to block {block}")]
    TooMuch {
        /// Whose.
        address: Address,
        /// The last block looked at.
        block: u64,
    },
    /// Something in the answer lies outside of what was asked for.
    #[error("{what} in block {block} was not asked for")]
    NotAsked {
        /// What it is.
        what: &'static str,
        /// Where it says it is.
        block: u64,
    },
    /// Null where there must be a list.
    #[error("{what}: null for blocks {first} to {last}")]
    Nothing {
        /// What was asked for.
        what: &'static str,
        /// The first block.
        first: u64,
        /// The last block.
        last: u64,
    },
    /// An answer that is not in the form of its method.
    #[error("{what} of block {block} cannot be read")]
    Unreadable {
        /// What was asked for.
        what: &'static str,
        /// The first block of the question.
        block: u64,
    },
    /// Something that is no number where there must be one.
    #[error("{what} after block {block} is no number")]
    NoNumber {
        /// What was asked for.
        what: &'static str,
        /// The block.
        block: u64,
    },
    /// A log of a block that is not part of the chain any more.
    #[error("log {index} of block {block} is marked as removed")]
    Removed {
        /// The block.
        block: u64,
        /// The log's index in it.
        index: u64,
    },
    /// Two different things at one place, or one thing at two.
    #[error("{what} of block {block} is told in two ways")]
    TwoWays {
        /// What it is.
        what: &'static str,
        /// The block.
        block: u64,
    },
    /// What was told of a wide range is missing in a narrower one.
    #[error("{what} of block {block} is told for a wide range and not for a narrow one")]
    Vanished {
        /// What it is.
        what: &'static str,
        /// The block.
        block: u64,
    },
    /// A page does not go on where the last one ended.
    #[error("{what}: a page does not go on from block {block}")]
    Page {
        /// What was asked for.
        what: &'static str,
        /// Where the last page ended.
        block: u64,
    },
    /// A transaction that is not in a block, or is another one than was asked for.
    #[error("transaction {hash} does not fit the question")]
    Stranger {
        /// Which.
        hash: B256,
    },
}
