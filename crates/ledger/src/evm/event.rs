//! What bridges, mixers and shielded pools say of a transaction.

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

/// A log whose first topic is one of [`super::topics`], as the contract wrote it.
///
/// Any contract can write any event: what it says is believed only of a contract that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its index in the block.
    pub index: u64,
    /// The contract that wrote it.
    pub address: Address,
    /// Its topics: at least one, at most four.
    pub topics: Vec<B256>,
    /// The rest, cut off after [`Event::MOST_DATA`] bytes.
    pub data: Bytes,
}

impl Event {
    /// The bytes of data that are kept of an event; the longest form that is read has less than half of it.
    pub const MOST_DATA: usize = 8192;
    /// The events that are kept of a transaction: the first so many.
    pub const MOST: usize = 256;
    /// The most data that a transfer may carry for them to be kept; memos have at most 250 bytes.
    pub const MOST_CARRIED: usize = 1024;

    /// The form of the event.
    pub fn form(&self) -> B256 {
        self.topics.first().copied().unwrap_or_default()
    }
}
