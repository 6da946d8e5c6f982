//! From a path to an answer, as Esplora gives it.

use std::str::FromStr;

use bitcoin::consensus::encode::{serialize, serialize_hex};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Address, Block, OutPoint, Txid};
use serde_json::{Value, json};

use super::json;
use crate::chain_index::{ChainIndex, script_hash};
use crate::http::HttpReply;

/// Confirmed rows on a page of an address's history. Source: `CHAIN_TXS_PER_PAGE`.
const PAGE: usize = 25;
/// Unconfirmed rows before them. Source: `MAX_MEMPOOL_TXS`.
const MEMPOOL_ROWS: usize = 50;

/// Answers a path, which may start with `/api`.
pub fn answer(chain: &ChainIndex, path: &str) -> HttpReply {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let parts = parts.strip_prefix(&["api"]).unwrap_or(&parts);
    let outcome = match parts {
        ["tx", txid, rest @ ..] => parse(txid).and_then(|txid| transaction(chain, &txid, rest)),
        ["address", name, rest @ ..] => {
            address(chain, name).and_then(|hash| history(chain, ("address", name), &hash, rest))
        }
        ["scripthash", name, rest @ ..] => {
            parse(name).and_then(|hash| history(chain, ("scripthash", name), &hash, rest))
        }
        ["block", hash, rest @ ..] => parse(hash).and_then(|hash| {
            let height = chain
                .height(&hash)
                .ok_or_else(|| missing("Block not found"))?;
            block(chain, height, rest)
        }),
        ["block-height", height] => block_at(chain, height),
        ["blocks", rest @ ..] => blocks(chain, rest),
        _ => Err(missing("endpoint does not exist")),
    };
    outcome.unwrap_or_else(|refusal| refusal)
}

type Outcome = Result<HttpReply, HttpReply>;

fn transaction(chain: &ChainIndex, txid: &Txid, rest: &[&str]) -> Outcome {
    // Unlike the other paths, this one knows an answer for transactions that do not exist.
    if let ["status"] = rest {
        return Ok(HttpReply::json(&json::status(chain, txid)));
    }
    let found = chain
        .transaction(txid)
        .ok_or_else(|| missing("Transaction not found"))?;
    let spend = |vout| json::outspend(chain, &OutPoint::new(*txid, vout));
    match rest {
        [] => json_or_missing(json::transaction(chain, txid)),
        ["hex"] => Ok(HttpReply::text(200, serialize_hex(found))),
        ["raw"] => Ok(HttpReply::bytes(serialize(found))),
        ["outspends"] => {
            let spends = (0..).zip(&found.output).map(|(vout, _)| spend(vout));
            Ok(HttpReply::json(&spends.collect()))
        }
        ["outspend", vout] => Ok(HttpReply::json(&spend(parse(vout)?))),
        ["merkle-proof"] => merkle_proof(chain, txid),
        _ => Err(missing("endpoint does not exist")),
    }
}

fn merkle_proof(chain: &ChainIndex, txid: &Txid) -> Outcome {
    let unconfirmed = || missing("Transaction not found or is unconfirmed");
    let height = chain.indexed(txid).and_then(|found| found.height);
    let height = height.ok_or_else(unconfirmed)?;
    let txids = &chain.block(height).ok_or_else(unconfirmed)?.txids;
    let position = txids.iter().position(|other| other == txid);
    let position = position.ok_or_else(unconfirmed)?;
    Ok(HttpReply::json(&json!({
        "block_height": height,
        "merkle": merkle_branch(txids, position),
        "pos": position,
    })))
}

/// The hashes that lead from a transaction to the Merkle root, lowest first; an odd last one is its own pair.
fn merkle_branch(txids: &[Txid], mut position: usize) -> Vec<Txid> {
    let mut level = txids.to_vec();
    let mut branch = Vec::new();
    while level.len() > 1 {
        let pair = (position ^ 1).min(level.len() - 1);
        branch.push(level[pair]);
        let pairs = level.chunks(2);
        let parents = pairs.map(|pair| {
            let last = pair.last().unwrap_or(&pair[0]);
            let both = [pair[0].to_byte_array(), last.to_byte_array()].concat();
            Txid::hash(&both)
        });
        level = parents.collect();
        position /= 2;
    }
    branch
}

fn history(
    chain: &ChainIndex,
    (kind, name): (&str, &str),
    hash: &sha256::Hash,
    rest: &[&str],
) -> Outcome {
    let page = |after: Option<Txid>| page(&confirmed(chain, hash), after);
    match rest {
        [] => Ok(HttpReply::json(&json::totals(chain, kind, name, hash))),
        ["txs"] => Ok(list(chain, [unconfirmed(chain, hash), page(None)].concat())),
        ["txs", "mempool"] => Ok(list(chain, unconfirmed(chain, hash))),
        ["txs", "chain"] => Ok(list(chain, page(None))),
        ["txs", "chain", last] => Ok(list(chain, page(Some(parse(last)?)))),
        ["utxo"] => Ok(HttpReply::json(&json::unspent(chain, hash))),
        _ => Err(missing("endpoint does not exist")),
    }
}

fn list(chain: &ChainIndex, txids: Vec<Txid>) -> HttpReply {
    let rows = txids
        .iter()
        .filter_map(|txid| json::transaction(chain, txid));
    HttpReply::json(&rows.collect())
}

/// One page, newest first. A last row that is not in the history gives nothing, and no error.
fn page(newest_first: &[Txid], after: Option<Txid>) -> Vec<Txid> {
    let start = match after {
        None => 0,
        Some(last) => {
            let place = newest_first.iter().position(|txid| *txid == last);
            place.map_or(newest_first.len(), |place| place + 1)
        }
    };
    newest_first[start..].iter().take(PAGE).copied().collect()
}

fn confirmed(chain: &ChainIndex, hash: &sha256::Hash) -> Vec<Txid> {
    newest_first(chain, hash, |height| height != usize::MAX)
}

fn unconfirmed(chain: &ChainIndex, hash: &sha256::Hash) -> Vec<Txid> {
    let mut txids = newest_first(chain, hash, |height| height == usize::MAX);
    txids.truncate(MEMPOOL_ROWS);
    txids
}

/// The transactions of a history, each once, at its highest row.
fn newest_first(
    chain: &ChainIndex,
    hash: &sha256::Hash,
    wanted: impl Fn(usize) -> bool,
) -> Vec<Txid> {
    let rows = chain.history(hash).into_iter().flatten().rev();
    let mut seen = std::collections::HashSet::new();
    rows.filter(|row| wanted(row.height) && seen.insert(row.txid))
        .map(|row| row.txid)
        .collect()
}

fn block(chain: &ChainIndex, height: usize, rest: &[&str]) -> Outcome {
    let found = chain
        .block(height)
        .ok_or_else(|| missing("Block not found"))?;
    match rest {
        [] => json_or_missing(json::block(chain, height)),
        ["header"] => Ok(HttpReply::text(200, serialize_hex(&found.header))),
        ["txids"] => Ok(HttpReply::json(&json!(found.txids))),
        ["raw"] => {
            let content = found
                .txids
                .iter()
                .filter_map(|txid| chain.transaction(txid));
            Ok(HttpReply::bytes(serialize(&Block {
                header: found.header,
                txdata: content.cloned().collect(),
            })))
        }
        ["status"] => Ok(HttpReply::json(&json!({
            "in_best_chain": true,
            "height": height,
            "next_best": chain.block(height + 1).map(|next| next.hash),
        }))),
        ["txid", place] => {
            let place: usize = parse(place)?;
            let txid = found.txids.get(place);
            let txid = txid.ok_or_else(|| missing("tx not found"))?;
            Ok(HttpReply::text(200, txid.to_string()))
        }
        ["txs"] => block_transactions(chain, &found.txids, 0),
        ["txs", start] => block_transactions(chain, &found.txids, parse(start)?),
        _ => Err(missing("endpoint does not exist")),
    }
}

fn block_transactions(chain: &ChainIndex, txids: &[Txid], start: usize) -> Outcome {
    if !start.is_multiple_of(PAGE) {
        let words = format!("start index must be a multipication of {PAGE}");
        return Err(HttpReply::text(400, words));
    }
    if start >= txids.len() {
        return Err(missing("start index out of range"));
    }
    let page = txids[start..].iter().take(PAGE).copied();
    Ok(list(chain, page.collect()))
}

fn block_at(chain: &ChainIndex, height: &str) -> Outcome {
    let block = chain.block(parse(height)?);
    let block = block.ok_or_else(|| missing("Block not found"))?;
    Ok(HttpReply::text(200, block.hash.to_string()))
}

fn blocks(chain: &ChainIndex, rest: &[&str]) -> Outcome {
    let (height, hash) = chain.tip().ok_or_else(|| missing("Block not found"))?;
    let newest = match rest {
        ["tip", "height"] => return Ok(HttpReply::text(200, height.to_string())),
        ["tip", "hash"] => return Ok(HttpReply::text(200, hash.to_string())),
        [] => height,
        [start] => parse(start)?,
        _ => return Err(missing("endpoint does not exist")),
    };
    let ten = (newest.saturating_sub(9)..=newest.min(height)).rev();
    let rows = ten.filter_map(|height| json::block(chain, height));
    Ok(HttpReply::json(&rows.collect()))
}

fn address(chain: &ChainIndex, name: &str) -> Result<sha256::Hash, HttpReply> {
    let address: Address<_> = parse(name)?;
    let network = chain.network();
    let here = address.require_network(network);
    let here = here.map_err(|_| HttpReply::text(400, "Address on invalid network"))?;
    Ok(script_hash(&here.script_pubkey()))
}

fn json_or_missing(value: Option<Value>) -> Outcome {
    let value = value.ok_or_else(|| missing("not found"))?;
    Ok(HttpReply::json(&value))
}

fn missing(what: &str) -> HttpReply {
    HttpReply::text(404, what)
}

fn parse<T: FromStr>(text: &str) -> Result<T, HttpReply>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| HttpReply::text(400, format!("{error}")))
}
