//! The chains of `chains.toml`, checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::Address;
use bitcoin::Network;
use hansel_heuristics::crossing::{Deployment, Protocol};
use hansel_ledger::{Asset, BlockForm, Chain, EvmNetwork, Family, KnownToken, Subject};
use serde::Deserialize;
use toml::Spanned;

use crate::output::printable;

const SCHEMA: &str = "hansel-chains/1";

/// More digits than 256 bits have.
const MOST_DECIMALS: u8 = 77;
const LONGEST_SYMBOL: usize = 20;
/// Of so many blocks the hashes are kept at most.
const MOST_CONFIRMATIONS: u64 = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainsFile {
    #[expect(dead_code, reason = "read by `Form`, before the rest")]
    schema: String,
    chains: Vec<ChainEntry>,
}

/// The schema is looked at before the rest, so that a later form is named as such.
#[derive(Debug, Deserialize)]
struct Form {
    schema: Option<String>,
}

/// What each family takes of the optional fields is told in `chains.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainEntry {
    name: String,
    family: String,
    network: Option<String>,
    chain_id: Option<u64>,
    native: Option<NativeEntry>,
    wrapped: Option<String>,
    tokens: Option<Vec<TokenEntry>>,
    header: Option<String>,
    bridge_receipt: Option<bool>,
    bridges: Option<Vec<BridgeEntry>>,
    confirmations: Option<Spanned<u64>>,
    #[expect(dead_code, reason = "a remark for readers of the file")]
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NativeEntry {
    symbol: String,
    decimals: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenEntry {
    contract: String,
    symbol: String,
    decimals: u8,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BridgeEntry {
    protocol: String,
    #[serde(default)]
    contracts: Vec<String>,
    code: Option<String>,
}

/// Says what is wrong with `chains.toml`; text of the file is made printable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ChainsError {
    /// Not TOML, or fields that an entry does not have.
    #[error("line {line}: {reason}")]
    Syntax {
        /// The line, counted from one.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// Written for another version.
    #[error("it is of form `{0}`; this program reads `{SCHEMA}`")]
    Schema(String),
    /// A name with other characters, or too long.
    #[error("`{0}` is not a chain name: 1 to 40 of a-z, 0-9 and hyphens")]
    Name(String),
    /// Two chains of one name.
    #[error("two chains are called `{0}`")]
    Twice(String),
    /// A family that does not exist.
    #[error("chain `{chain}` is of family `{family}`; the families are `bitcoin` and `evm`")]
    Family {
        /// The chain.
        chain: String,
        /// What was given.
        family: String,
    },
    /// A field that the family needs.
    #[error("chain `{chain}` lacks `{field}`, which a chain of family `{family}` needs")]
    Missing {
        /// The chain.
        chain: String,
        /// Its family.
        family: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// A field of another family.
    #[error("chain `{chain}` has `{field}`, which a chain of family `{family}` does not take")]
    Foreign {
        /// The chain.
        chain: String,
        /// Its family.
        family: &'static str,
        /// What is too much.
        field: &'static str,
    },
    /// A depth that no chain has.
    #[error(
        "line {line}: chain `{chain}`: `{value}` is no number of confirmations: it takes 1 to {MOST_CONFIRMATIONS}"
    )]
    Confirmations {
        /// The line, counted from one.
        line: usize,
        /// The chain.
        chain: String,
        /// What was given.
        value: u64,
    },
    /// A value that is not what it should be.
    #[error("chain `{chain}`: `{value}` is no {field}: {reason}")]
    Value {
        /// The chain.
        chain: String,
        /// What it should be.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Text of the file as far as a person reads it, without anything that could steer a terminal.
fn shown(text: &str) -> String {
    printable(&text.chars().take(200).collect::<String>())
}

fn line_of(text: &str, error: &toml::de::Error) -> usize {
    line_at(text, error.span().map_or(0, |span| span.start))
}

/// The line of an offset in bytes, counted from one.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    1 + before.filter(|byte| **byte == b'\n').count()
}

/// Reads the text of a `chains.toml`: its chains, in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Chain>, ChainsError> {
    let syntax = |error: toml::de::Error| ChainsError::Syntax {
        line: line_of(text, &error),
        reason: shown(error.message()),
    };
    let form: Form = toml::from_str(text).map_err(syntax)?;
    let schema = form.schema.unwrap_or_default();
    if schema != SCHEMA {
        return Err(ChainsError::Schema(shown(&schema)));
    }
    let file: ChainsFile = toml::from_str(text).map_err(syntax)?;
    let mut names = BTreeSet::new();
    for entry in &file.chains {
        if !names.insert(&entry.name) {
            return Err(ChainsError::Twice(shown(&entry.name)));
        }
        check_confirmations(entry, text)?;
    }
    file.chains.iter().map(chain).collect()
}

fn check_confirmations(entry: &ChainEntry, text: &str) -> Result<(), ChainsError> {
    let Some(given) = &entry.confirmations else {
        return Ok(());
    };
    let value = *given.get_ref();
    if (1..=MOST_CONFIRMATIONS).contains(&value) {
        return Ok(());
    }
    Err(ChainsError::Confirmations {
        line: line_at(text, given.span().start),
        chain: shown(&entry.name),
        value,
    })
}

/// The bridges of the chains of a `chains.toml` that [`parse`] takes.
pub(super) fn bridges(text: &str) -> Result<Vec<Deployment>, ChainsError> {
    parse(text)?;
    let file: ChainsFile = toml::from_str(text).map_err(|error| ChainsError::Syntax {
        line: line_of(text, &error),
        reason: shown(error.message()),
    })?;
    let mut all = Vec::new();
    for chain in &file.chains {
        for bridge in chain.bridges.iter().flatten() {
            all.push(deployment(chain, bridge)?);
        }
    }
    Ok(all)
}

fn deployment(chain: &ChainEntry, bridge: &BridgeEntry) -> Result<Deployment, ChainsError> {
    let known: Vec<&str> = Protocol::ALL.map(Protocol::name).to_vec();
    let protocol = Protocol::of_name(&bridge.protocol).ok_or_else(|| {
        let reason = format!("the protocols are {}", known.join(", "));
        chain.wrong("bridge protocol", &bridge.protocol, &reason)
    })?;
    let contract = |text: &String| {
        let address = text.parse::<Address>();
        address
            .map_err(|_| chain.wrong("bridge contract", text, "20 bytes in hex, as in 0xC02a..."))
    };
    Ok(Deployment {
        protocol,
        chain: chain.name.clone(),
        contracts: bridge
            .contracts
            .iter()
            .map(contract)
            .collect::<Result<_, _>>()?,
        code: bridge.code.clone(),
    })
}

fn chain(entry: &ChainEntry) -> Result<Chain, ChainsError> {
    let family = match entry.family.as_str() {
        "bitcoin" => Family::Bitcoin(bitcoin_network(entry)?),
        "evm" => Family::Evm(Arc::new(evm_network(entry)?)),
        other => {
            return Err(ChainsError::Family {
                chain: shown(&entry.name),
                family: shown(other),
            });
        }
    };
    let chain = named(entry, family)?;
    Ok(match &entry.confirmations {
        Some(depth) => chain.with_confirmations(*depth.get_ref()),
        None => chain,
    })
}

fn named(entry: &ChainEntry, family: Family) -> Result<Chain, ChainsError> {
    let chain = Chain::new(&entry.name, family);
    chain.ok_or_else(|| ChainsError::Name(shown(&entry.name)))
}

fn bitcoin_network(entry: &ChainEntry) -> Result<Network, ChainsError> {
    entry.takes_no("bitcoin", "chain_id", entry.chain_id.is_some())?;
    entry.takes_no("bitcoin", "native", entry.native.is_some())?;
    entry.takes_no("bitcoin", "wrapped", entry.wrapped.is_some())?;
    entry.takes_no("bitcoin", "tokens", entry.tokens.is_some())?;
    entry.takes_no("bitcoin", "header", entry.header.is_some())?;
    entry.takes_no("bitcoin", "bridge_receipt", entry.bridge_receipt.is_some())?;
    let network = entry.needs("bitcoin", "network", entry.network.as_ref())?;
    network.parse().map_err(|_| {
        entry.wrong(
            "network",
            network,
            "the networks are bitcoin, testnet4, signet and regtest",
        )
    })
}

fn evm_network(entry: &ChainEntry) -> Result<EvmNetwork, ChainsError> {
    entry.takes_no("evm", "network", entry.network.is_some())?;
    let chain_id = *entry.needs("evm", "chain_id", entry.chain_id.as_ref())?;
    if chain_id == 0 {
        return Err(entry.wrong("chain_id", "0", "ids of chains begin with 1"));
    }
    let NativeEntry { symbol, decimals } = entry.needs("evm", "native", entry.native.as_ref())?;
    let mut network = EvmNetwork {
        chain_id,
        native: asset(entry, symbol, *decimals)?,
        wrapped: None,
        tokens: Vec::new(),
        blocks: block_form(entry)?,
    };
    // Addresses are spelt as on any chain of the family, so the chain without them reads them.
    let bare = named(entry, Family::Evm(Arc::new(network.clone())))?;
    if let Some(wrapped) = &entry.wrapped {
        let wrapped = token(entry, &bare, wrapped, network.native.clone())?;
        network.wrapped = Some(wrapped.contract);
    }
    for one in entry.tokens.iter().flatten() {
        if one.source.trim().is_empty() {
            let reason = "a token without a source is left out";
            return Err(entry.wrong("source", &one.source, reason));
        }
        let asset = asset(entry, &one.symbol, one.decimals)?;
        network
            .tokens
            .push(token(entry, &bare, &one.contract, asset)?);
    }
    network.tokens.sort_by_key(|one| one.contract);
    let twice = network
        .tokens
        .windows(2)
        .find(|two| two[0].contract == two[1].contract);
    match twice {
        Some(two) => Err(entry.wrong("token", &two[0].contract.to_string(), "it is listed twice")),
        None => Ok(network),
    }
}

fn block_form(entry: &ChainEntry) -> Result<BlockForm, ChainsError> {
    let ethereum_header = match entry.header.as_deref() {
        None => false,
        Some("ethereum") => true,
        Some(other) => {
            let reason = "the one form known is `ethereum`; leave it out for any other";
            return Err(entry.wrong("form of headers", other, reason));
        }
    };
    Ok(BlockForm {
        ethereum_header,
        bridge_receipt: entry.bridge_receipt.unwrap_or_default(),
    })
}

fn token(
    entry: &ChainEntry,
    bare: &Chain,
    text: &str,
    asset: Asset,
) -> Result<KnownToken, ChainsError> {
    match Subject::parse(text, bare) {
        Ok(Subject::Account(contract)) if !contract.is_zero() => Ok(KnownToken { contract, asset }),
        Ok(_) => Err(entry.wrong("contract", text, "it takes the address of a contract")),
        Err(error) => Err(entry.wrong("contract", text, &error.to_string())),
    }
}

fn asset(entry: &ChainEntry, symbol: &str, decimals: u8) -> Result<Asset, ChainsError> {
    let plain = !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_graphic());
    if !plain || symbol.len() > LONGEST_SYMBOL {
        let reason = format!("it takes 1 to {LONGEST_SYMBOL} visible ASCII characters");
        return Err(entry.wrong("symbol", symbol, &reason));
    }
    if decimals > MOST_DECIMALS {
        let reason = format!("at most {MOST_DECIMALS}");
        return Err(entry.wrong("number of decimals", &decimals.to_string(), &reason));
    }
    Ok(Asset {
        symbol: symbol.to_owned(),
        decimals,
    })
}

impl ChainEntry {
    fn needs<'a, T>(
        &self,
        family: &'static str,
        field: &'static str,
        value: Option<&'a T>,
    ) -> Result<&'a T, ChainsError> {
        value.ok_or_else(|| ChainsError::Missing {
            chain: shown(&self.name),
            family,
            field,
        })
    }

    fn takes_no(
        &self,
        family: &'static str,
        field: &'static str,
        given: bool,
    ) -> Result<(), ChainsError> {
        if !given {
            return Ok(());
        }
        Err(ChainsError::Foreign {
            chain: shown(&self.name),
            family,
            field,
        })
    }

    fn wrong(&self, field: &'static str, value: &str, reason: &str) -> ChainsError {
        ChainsError::Value {
            chain: shown(&self.name),
            field,
            value: shown(value),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
