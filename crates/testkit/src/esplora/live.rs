//! Keeps a chain in memory equal to a node's.

use std::collections::BTreeSet;

use bitcoin::consensus::Decodable;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash, Transaction, Txid};
use serde_json::{Value, json};

use crate::chain_index::ChainIndex;
use crate::rpc::{RpcClient, RpcError};

/// Brings the chain to the node's tip and mempool; after a reorganisation it is read anew.
pub(super) fn refresh(chain: &mut ChainIndex, rpc: &RpcClient) -> Result<(), RpcError> {
    let tip: BlockHash = parsed(rpc, "getbestblockhash", json!([]))?;
    let known = chain.tip().map(|(_, hash)| hash);
    if known != Some(tip) {
        chain.forget_unconfirmed();
        follow(chain, rpc, tip)?;
    }
    let mempool: BTreeSet<Txid> = parsed(rpc, "getrawmempool", json!([]))?;
    if mempool != *chain.unconfirmed() {
        chain.forget_unconfirmed();
        append_mempool(chain, rpc, mempool)?;
    }
    Ok(())
}

/// Reads blocks from the tip down to one that is known, then puts them on top.
fn follow(chain: &mut ChainIndex, rpc: &RpcClient, tip: BlockHash) -> Result<(), RpcError> {
    let mut new = Vec::new();
    let mut next = tip;
    while chain.height(&next).is_none() {
        let block: Block = decoded(rpc, "getblock", json!([next, 0]))?;
        next = block.header.prev_blockhash;
        let genesis = next == BlockHash::all_zeros();
        new.push(block);
        if genesis {
            break;
        }
    }
    if chain.tip().map(|(_, hash)| hash) != Some(next) {
        let kept = chain.height(&next).map_or(0, |height| height + 1);
        *chain = chain.cut(kept);
    }
    new.into_iter().rev().for_each(|block| chain.append(block));
    Ok(())
}

/// Adds the mempool, parents first; what left it in the meantime is left out.
fn append_mempool(
    chain: &mut ChainIndex,
    rpc: &RpcClient,
    mempool: BTreeSet<Txid>,
) -> Result<(), RpcError> {
    let mut waiting: Vec<Transaction> = Vec::new();
    for txid in mempool {
        match decoded(rpc, "getrawtransaction", json!([txid, 0])) {
            Ok(transaction) => waiting.push(transaction),
            Err(RpcError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|transaction| {
            let mut inputs = transaction.input.iter();
            inputs.all(|input| chain.output(&input.previous_output).is_some())
        });
        ready.into_iter().for_each(|t| chain.append_unconfirmed(t));
        waiting = rest;
        if waiting.len() == before {
            break;
        }
    }
    Ok(())
}

fn parsed<T: serde::de::DeserializeOwned>(
    rpc: &RpcClient,
    method: &str,
    params: Value,
) -> Result<T, RpcError> {
    let result = rpc.call(method, &params)?;
    serde_json::from_value(result).map_err(|error| malformed(method, error))
}

fn decoded<T: Decodable>(rpc: &RpcClient, method: &str, params: Value) -> Result<T, RpcError> {
    let result = rpc.call(method, &params)?;
    deserialize_hex(result.as_str().unwrap_or_default()).map_err(|error| malformed(method, error))
}

fn malformed(method: &str, error: impl std::fmt::Display) -> RpcError {
    RpcError::Malformed {
        method: method.to_owned(),
        answer: error.to_string(),
    }
}
