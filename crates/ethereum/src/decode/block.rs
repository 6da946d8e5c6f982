//! Blocks and transactions as nodes spell them, with the fields that facts need.

use std::fmt;

use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use hansel_ledger::{BlockRef, UnixTime};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::json::parse;
use super::quantity::{optional, required};
use super::{DecodeError, WithdrawalLean};

/// A block. What not every chain or node sends may be absent; unknown fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields of the yellow paper and its EIPs")]
pub struct HeaderLean {
    #[serde(deserialize_with = "required")]
    pub number: u64,
    pub hash: B256,
    pub parent_hash: B256,
    #[serde(deserialize_with = "required")]
    pub timestamp: u64,
    #[serde(default)]
    pub transactions_root: Option<B256>,
    #[serde(default)]
    pub receipts_root: Option<B256>,
    #[serde(default)]
    pub logs_bloom: Option<Bloom>,
    #[serde(default)]
    pub sha3_uncles: Option<B256>,
    #[serde(default)]
    pub miner: Option<Address>,
    #[serde(default)]
    pub state_root: Option<B256>,
    #[serde(default, deserialize_with = "optional")]
    pub difficulty: Option<U256>,
    #[serde(default, deserialize_with = "optional")]
    pub gas_limit: Option<u64>,
    #[serde(default, deserialize_with = "optional")]
    pub gas_used: Option<u64>,
    #[serde(default)]
    pub extra_data: Option<Bytes>,
    #[serde(default)]
    pub mix_hash: Option<B256>,
    #[serde(default)]
    pub nonce: Option<B64>,
    #[serde(default, deserialize_with = "optional")]
    pub base_fee_per_gas: Option<u64>,
    #[serde(default)]
    pub withdrawals_root: Option<B256>,
    #[serde(default, deserialize_with = "optional")]
    pub blob_gas_used: Option<u64>,
    #[serde(default, deserialize_with = "optional")]
    pub excess_blob_gas: Option<u64>,
    #[serde(default)]
    pub parent_beacon_block_root: Option<B256>,
    #[serde(default)]
    pub requests_hash: Option<B256>,
    #[serde(default)]
    pub block_access_list_hash: Option<B256>,
    #[serde(default, deserialize_with = "optional")]
    pub slot_number: Option<u64>,
    /// The block's withdrawals; `None` before Shanghai and where the node does not send them.
    #[serde(default)]
    pub withdrawals: Option<Vec<WithdrawalLean>>,
    /// The block's transactions, as the request asked for them.
    #[serde(default)]
    pub transactions: Transactions,
}

impl HeaderLean {
    /// The block as facts name it.
    pub fn block_ref(&self) -> BlockRef {
        BlockRef::evm(self.number, self.hash, UnixTime(self.timestamp))
    }
}

/// The transactions of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Transactions {
    /// Not sent.
    #[default]
    Absent,
    /// Their hashes, in order. An empty block has no hashes.
    Hashes(Vec<B256>),
    /// All of each, in order.
    Full(Vec<TxLean>),
}

impl Transactions {
    /// Their hashes in order; `None` where they were not sent.
    pub fn hashes(&self) -> Option<Vec<B256>> {
        match self {
            Self::Absent => None,
            Self::Hashes(hashes) => Some(hashes.clone()),
            Self::Full(list) => Some(list.iter().map(|tx| tx.hash).collect()),
        }
    }
}

/// A transaction of any type, known or not.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TxLean {
    /// Its hash.
    pub hash: B256,
    /// The type of EIP-2718; `None` where an old node does not say.
    #[serde(default, rename = "type", deserialize_with = "optional")]
    pub kind: Option<u64>,
    /// Its block; `None` while it is pending.
    #[serde(default)]
    pub block_hash: Option<B256>,
    /// Its block's number.
    #[serde(default, deserialize_with = "optional")]
    pub block_number: Option<u64>,
    /// Its index in the block.
    #[serde(default, deserialize_with = "optional")]
    pub transaction_index: Option<u32>,
    /// The sender's nonce; L2 deposits have none.
    #[serde(default, deserialize_with = "optional")]
    pub nonce: Option<u64>,
    /// Who signed it.
    pub from: Address,
    /// What it calls; `None` where it creates a contract.
    #[serde(default)]
    pub to: Option<Address>,
    /// The native coin that it sends along.
    #[serde(deserialize_with = "required")]
    pub value: U256,
    /// The most gas it may use.
    #[serde(default, deserialize_with = "optional")]
    pub gas: Option<u64>,
    /// What a unit of gas costs; since London nodes put here what was paid.
    #[serde(default, deserialize_with = "optional")]
    pub gas_price: Option<U256>,
    /// Its data; `None` where the node does not send them.
    #[serde(default)]
    pub input: Option<Bytes>,
    /// What a deposit from the chain below brings to the sender (type 0x7e).
    #[serde(default, deserialize_with = "optional")]
    pub mint: Option<U256>,
    /// Delegations that accounts signed (EIP-7702); each raises a nonce.
    #[serde(default)]
    pub authorization_list: Option<Vec<AuthorizationLean>>,
}

/// A delegation of an account to code (EIP-7702). Who signed it is in the signature, which is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationLean {
    /// The chain it is valid on; zero for every chain.
    #[serde(deserialize_with = "required")]
    pub chain_id: U256,
    /// The contract whose code the account runs.
    pub address: Address,
    /// The account's nonce before.
    #[serde(deserialize_with = "required")]
    pub nonce: u64,
}

/// Reads the result of `eth_getBlockBy…`; `None` for null.
pub fn block(json: &[u8]) -> Result<Option<HeaderLean>, DecodeError> {
    parse("block", json)
}

/// Reads the result of `eth_getTransactionByHash` and its like; `None` for null.
pub fn transaction_by_hash(json: &[u8]) -> Result<Option<TxLean>, DecodeError> {
    parse("transaction", json)
}

impl<'de> Deserialize<'de> for Transactions {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(List)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Transactions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of hashes or of transactions")
    }

    fn visit_unit<E: Error>(self) -> Result<Transactions, E> {
        Ok(Transactions::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Transactions, A::Error> {
        match list.next_element()? {
            None => Ok(Transactions::Hashes(Vec::new())),
            Some(Entry::Hash(first)) => rest(first, list).map(Transactions::Hashes),
            Some(Entry::Full(first)) => rest(*first, list).map(Transactions::Full),
        }
    }
}

/// The first entry decides what all others must be.
fn rest<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    first: T,
    mut list: A,
) -> Result<Vec<T>, A::Error> {
    let mut all = vec![first];
    while let Some(next) = list.next_element()? {
        all.push(next);
    }
    Ok(all)
}

enum Entry {
    Hash(B256),
    Full(Box<TxLean>),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(EntryReader)
    }
}

struct EntryReader;

impl<'de> Visitor<'de> for EntryReader {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hash or a transaction")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Entry, E> {
        let hash = text.parse().map_err(|_| E::custom("not a hash"))?;
        Ok(Entry::Hash(hash))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        let tx = TxLean::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Entry::Full(Box::new(tx)))
    }
}
