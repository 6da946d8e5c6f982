//! Reads files of labels, good and hostile, and looks them up.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

mod book;
mod case;
mod compiled;
mod ofac;
mod round_trip;
mod shipped;
mod table;
mod tagpack;

use std::sync::Arc;

use bitcoin::Network;
use hansel_labels::{Day, Pack, Reader, Refusal};
use hansel_ledger::{Asset, Chain, EvmNetwork, Family};

/// The first address that ever received a block's reward.
const GENESIS: &str = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
/// The 100 ETH pool of Tornado Cash on Ethereum.
const POOL: &str = "0xA160cdAB225685dA1d56aa342Ad8841c3b53f291";

fn chains() -> Vec<Chain> {
    let evm = |name: &str, chain_id| {
        let network = EvmNetwork {
            chain_id,
            native: Asset {
                symbol: "ETH".into(),
                decimals: 18,
            },
            wrapped: None,
            tokens: Vec::new(),
            blocks: hansel_ledger::BlockForm::default(),
        };
        Chain::new(name, Family::Evm(Arc::new(network))).unwrap()
    };
    let testnet = Family::Bitcoin(Network::Testnet4);
    let mut chains = vec![
        Chain::bitcoin(),
        Chain::new("bitcoin-testnet4", testnet).unwrap(),
    ];
    let evms = [
        ("ethereum", 1),
        ("arbitrum", 42_161),
        ("bnb", 56),
        ("base", 8453),
        ("optimism", 10),
        ("polygon", 137),
        ("avalanche", 43_114),
    ];
    chains.extend(evms.map(|(name, id)| evm(name, id)));
    chains
}

/// Reads something by the rules of the tests: from `file`, on 2026-11-21.
fn read<T>(name: &str, with: impl FnOnce(&Reader<'_>) -> T) -> T {
    let chains = chains();
    let today: Day = "2026-11-21".parse().unwrap();
    with(&Reader {
        file: "file",
        name,
        chains: &chains,
        today: &today,
        imported: true,
    })
}

fn tagpack(text: &str) -> Result<Pack, Refusal> {
    read("pack", |reader| reader.tagpack(text.as_bytes()))
}

fn csv(text: &str) -> Result<Pack, Refusal> {
    read("table", |reader| reader.csv(text.as_bytes()))
}

fn sdn(text: &[u8]) -> Result<Pack, Refusal> {
    read("ofac", |reader| reader.ofac(text))
}

/// A TagPack with these tags.
fn pack_of(tags: &str) -> String {
    format!(
        "title: Test\ncreator: nobody\nsource: https://example.org\nconfidence: web_crawl\nnetwork: BTC\ntags:\n{tags}"
    )
}

/// The one thing that was refused, as a user reads it.
fn only_refusal(pack: &Pack) -> String {
    assert_eq!(pack.refused.len(), 1, "{:?}", pack.refused);
    assert_eq!(pack.refusals, 1);
    let refusal = &pack.refused[0];
    assert!(!refusal.hint().is_empty());
    refusal.to_string()
}
