//! Chains, transactions and events made by hand, for the tests of crossings.

#![allow(dead_code, reason = "each test uses its own part")]

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use hansel_ledger::{
    Amount, Asset, BlockForm, BlockRef, Chain, Event, EvmNetwork, EvmPlacement, EvmTransaction,
    Family, InternalTransfers, Noise, UnixTime,
};

pub(crate) fn evm(name: &str, id: u64) -> Chain {
    let network = EvmNetwork {
        chain_id: id,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: BlockForm::default(),
    };
    Chain::new(name, Family::Evm(Arc::new(network))).unwrap()
}

pub(crate) fn ethereum() -> Chain {
    evm("ethereum", 1)
}

/// A transaction that moves nothing.
pub(crate) fn transaction(sender: Address) -> EvmTransaction {
    EvmTransaction {
        hash: B256::repeat_byte(0x77),
        placement: EvmPlacement {
            block: BlockRef::evm(5, B256::repeat_byte(5), UnixTime(100)),
            index: 0,
        },
        sender,
        to: None,
        succeeded: true,
        fee: Amount::ZERO,
        gas_price: None,
        movements: Vec::new(),
        created: Vec::new(),
        executed: Vec::new(),
        trades: Vec::new(),
        events: Vec::new(),
        carried: Bytes::default(),
        noise: Noise::default(),
        internal: InternalTransfers::Known,
    }
}

pub(crate) fn event(address: Address, topics: &[B256], data: Vec<u8>) -> Event {
    Event {
        index: 9,
        address,
        topics: topics.to_vec(),
        data: data.into(),
    }
}

pub(crate) fn n(number: u64) -> B256 {
    B256::from(U256::from(number))
}

pub(crate) fn words(all: &[B256]) -> Vec<u8> {
    all.iter().flat_map(|word| word.0).collect()
}

/// Bytes behind their length, padded.
pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().div_ceil(32) * 32, 0);
    [n(bytes.len() as u64).to_vec(), padded].concat()
}
