//! The price feeds of `prices.toml`, checked.

use alloy_primitives::Address;
use anyhow::{anyhow, bail, ensure};
use hansel_ledger::LONGEST_PAIR;
use serde::Deserialize;

use crate::output::printable;

const SCHEMA: &str = "hansel-prices/1";
/// Few enough that a price's source fits a line.
const LONGEST_PUBLISHER: usize = 20;
const LONGEST_ASSET: usize = 80;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedsFile {
    schema: String,
    #[serde(default)]
    feeds: Vec<FeedEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeedEntry {
    publisher: String,
    chain: String,
    contract: String,
    asset: String,
    pair: String,
    currency: String,
    #[expect(dead_code, reason = "a remark for readers of the file")]
    source: String,
}

/// A contract that tells prices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Feed {
    /// Who runs it.
    pub(crate) publisher: String,
    /// The chain that it is on.
    pub(crate) chain: String,
    pub(crate) contract: Address,
    /// What is priced: `SYMBOL`, or `CHAIN/SYMBOL`.
    pub(crate) asset: String,
    /// What the contract has to call itself.
    pub(crate) pair: String,
    /// What it is priced in: three capitals.
    pub(crate) currency: String,
}

/// Reads the feeds of a file, in its order.
pub(super) fn parse(text: &str) -> anyhow::Result<Vec<Feed>> {
    let file: FeedsFile = toml::from_str(text).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..before]
            .iter()
            .filter(|byte| **byte == b'\n');
        anyhow!("line {}: {}", line.count() + 1, printable(error.message()))
    })?;
    if file.schema != SCHEMA {
        let form = file.schema.escape_debug();
        bail!("it is of form `{form}`; this program reads `{SCHEMA}`");
    }
    file.feeds.into_iter().map(Feed::try_from).collect()
}

impl TryFrom<FeedEntry> for Feed {
    type Error = anyhow::Error;

    fn try_from(entry: FeedEntry) -> Result<Self, Self::Error> {
        let name = format!("the feed of `{}`", printable(&entry.asset));
        let plain = |text: &str, longest: usize| {
            let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            !text.is_empty() && text.len() <= longest && printable
        };
        let contract = entry.contract.parse();
        let contract = contract.map_err(|_| anyhow!("{name}: its contract is not an address"))?;
        ensure!(
            is_currency(&entry.currency),
            "{name}: its currency is not three capitals, as USD"
        );
        for (field, text, longest) in [
            ("publisher", &entry.publisher, LONGEST_PUBLISHER),
            ("asset", &entry.asset, LONGEST_ASSET),
            ("pair", &entry.pair, LONGEST_PAIR),
        ] {
            ensure!(
                plain(text, longest),
                "{name}: its {field} takes 1 to {longest} characters of ASCII"
            );
        }
        Ok(Self {
            publisher: entry.publisher,
            chain: entry.chain,
            contract,
            asset: entry.asset,
            pair: entry.pair,
            currency: entry.currency,
        })
    }
}

/// True for a currency's code, as `EUR`.
pub(crate) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(more: &str) -> anyhow::Result<Vec<Feed>> {
        let entry = "schema = \"hansel-prices/1\"\n[[feeds]]\npublisher = \"P\"\nchain = \"ethereum\"\n\
                     contract = \"0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419\"\nasset = \"ETH\"\npair = \"ETH / USD\"\n\
                     currency = \"USD\"\nsource = \"s\"\n";
        parse(&format!("{entry}{more}"))
    }

    #[test]
    fn what_is_shipped_can_be_read_and_prices_the_coins_of_the_shipped_cases() {
        let feeds = parse(include_str!("../../../../config/prices.toml")).unwrap();
        for asset in ["BTC", "ETH", "USDT", "USDC", "DAI", "EUR"] {
            assert!(feeds.iter().any(|feed| feed.asset == asset), "{asset}");
        }
    }

    #[test]
    fn an_entry_that_is_no_feed_is_refused_by_name_or_line() {
        assert_eq!(feed("").unwrap().len(), 1);
        let replaced = |from: &str, to: &str| {
            let text = include_str!("../../../../config/prices.toml");
            parse(&text.replacen(from, to, 1)).unwrap_err().to_string()
        };
        let refused = replaced("0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", "0x5f4e");
        assert!(refused.contains("the feed of `ETH`"), "{refused}");
        let refused = replaced("currency = \"USD\"", "currency = \"dollars\"");
        assert!(refused.contains("three capitals"), "{refused}");
        let refused = replaced("\"ETH / USD\"", "\"ETH \\u001b[2J\"");
        assert!(refused.contains("pair"), "{refused}");
        let refused = replaced("hansel-prices/1", "hansel-prices/2");
        assert!(refused.contains("hansel-prices/1"), "{refused}");
        let refused = feed("colour = 1").unwrap_err().to_string();
        assert!(refused.starts_with("line 10:"), "{refused}");
    }
}
