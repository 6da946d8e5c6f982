//! What blocks may name, and its form in the store.

use alloy_primitives::{Address, B256};
use anyhow::anyhow;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{OutPoint, ScriptBuf};

/// Something that a block may name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// An output that nobody spent.
    Output(OutPoint),
    /// A script whose receipts count.
    Script(ScriptBuf),
    /// An account whose value counts.
    Account(Address),
    /// An account of which only counts whether it has code.
    Code(Address),
    /// A contract whose logs count.
    Logger(Address),
    /// A topic of logs that count whoever writes them.
    Topic(B256),
    /// An endpoint that traces transactions, where the case was told of some without.
    Traces,
    /// What accounts hold of tokens that may change without a sign.
    Silent,
}

impl Key {
    /// Its form in the store: a byte for the kind, then what it is.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (kind, rest) = match self {
            Self::Output(outpoint) => (1, serialize(outpoint)),
            Self::Script(script) => (2, script.to_bytes()),
            Self::Account(account) => (3, account.to_vec()),
            Self::Code(account) => (4, account.to_vec()),
            Self::Logger(contract) => (5, contract.to_vec()),
            Self::Topic(topic) => (6, topic.to_vec()),
            Self::Traces => (7, Vec::new()),
            Self::Silent => (8, Vec::new()),
        };
        [&[kind], &*rest].concat()
    }

    /// The form of an output, given its outpoint as serialised.
    pub(crate) fn of_output(outpoint: &[u8; 36]) -> Vec<u8> {
        [&[1], outpoint.as_slice()].concat()
    }

    /// The form of a script.
    pub(crate) fn of_script(script: &[u8]) -> Vec<u8> {
        [&[2], script].concat()
    }

    /// Reads what the store keeps.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, anyhow::Error> {
        let account = |rest: &[u8]| Address::try_from(rest).ok();
        let key = match bytes.split_first() {
            Some((1, rest)) => deserialize(rest).ok().map(Self::Output),
            Some((2, rest)) => Some(Self::Script(ScriptBuf::from_bytes(rest.to_vec()))),
            Some((3, rest)) => account(rest).map(Self::Account),
            Some((4, rest)) => account(rest).map(Self::Code),
            Some((5, rest)) => account(rest).map(Self::Logger),
            Some((6, rest)) => B256::try_from(rest).ok().map(Self::Topic),
            Some((7, [])) => Some(Self::Traces),
            Some((8, [])) => Some(Self::Silent),
            Some(_) | None => None,
        };
        key.ok_or_else(|| anyhow!("the store holds a watch that cannot be read"))
    }
}
