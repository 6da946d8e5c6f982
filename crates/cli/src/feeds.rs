//! Prices by feeds on chain: what to ask for a report, and the lines of the CSV file that `--prices` takes.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::U256;
use anyhow::anyhow;
use futures::future::try_join_all;
use hansel_ledger::{Amount, ChainSource, ErrorClass, FeedPrice, SourceError, UnixTime};
use hansel_report::format_units;
use serde::Serialize;

use crate::config::Feed;
use crate::failure::Failure;

/// Digits behind the point of a price that was converted.
const CONVERTED: u8 = 8;

/// A line of the file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Line {
    pub(crate) asset: String,
    pub(crate) currency: String,
    pub(crate) time: String,
    pub(crate) price: String,
    pub(crate) source: String,
}

/// A feed and what it is asked for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) feed: &'a Feed,
    /// What turns its currency into the wanted one; `None` where it is that one.
    pub(crate) by: Option<&'a Feed>,
    pub(crate) currency: &'a str,
    pub(crate) moments: BTreeSet<UnixTime>,
}

/// Finds the feeds for things that moved: chain, asset and moment of each. What no feed prices is returned beside it,
/// as `CHAIN/ASSET in CURRENCY`.
pub(crate) fn wanted<'a>(
    feeds: &'a [Feed],
    moved: &BTreeSet<(String, String, UnixTime)>,
    currencies: &'a [String],
) -> (Vec<Wanted<'a>>, BTreeSet<String>) {
    let mut moments: BTreeMap<(&str, &str), BTreeSet<UnixTime>> = BTreeMap::new();
    for (chain, asset, time) in moved {
        let of = moments.entry((chain, asset)).or_default();
        of.insert(*time);
    }
    let mut wanted: Vec<Wanted<'a>> = Vec::new();
    let mut missing = BTreeSet::new();
    for currency in currencies {
        for ((chain, asset), moments) in &moments {
            match way(feeds, chain, asset, currency) {
                Some((feed, by)) => match wanted
                    .iter_mut()
                    .find(|one| one.currency == currency && one.feed == feed)
                {
                    Some(known) => known.moments.extend(moments),
                    None => wanted.push(Wanted {
                        feed,
                        by,
                        currency,
                        moments: moments.clone(),
                    }),
                },
                None => {
                    missing.insert(format!("{chain}/{asset} in {currency}"));
                }
            }
        }
    }
    (wanted, missing)
}

/// The feed of an asset, that of this chain first, and what converts it.
fn way<'a>(
    feeds: &'a [Feed],
    chain: &str,
    asset: &str,
    currency: &str,
) -> Option<(&'a Feed, Option<&'a Feed>)> {
    let own = format!("{chain}/{asset}");
    let mut all: Vec<_> = feeds.iter().filter(|feed| feed.asset == own).collect();
    all.extend(feeds.iter().filter(|feed| feed.asset == asset));
    let direct = all.iter().find(|feed| feed.currency == currency);
    direct.map(|feed| (*feed, None)).or_else(|| {
        all.iter().find_map(|feed| {
            let converts = |by: &&Feed| {
                by.chain == feed.chain && by.asset == currency && by.currency == feed.currency
            };
            Some((*feed, Some(feeds.iter().find(converts)?)))
        })
    })
}

/// The lines for one feed, and at how many of the moments there is no price.
pub(crate) async fn lines(
    source: &dyn ChainSource,
    wanted: &Wanted<'_>,
) -> Result<(BTreeSet<Line>, usize), Failure> {
    let told = told(source, wanted.feed, &wanted.moments).await?;
    let by = match wanted.by {
        Some(by) => Some((by, self::told(source, by, &wanted.moments).await?)),
        None => None,
    };
    let mut lines = BTreeSet::new();
    let mut without = wanted.moments.len() - told.len();
    for (moment, price) in &told {
        let line = match &by {
            None => direct(wanted, price),
            Some((feed, all)) => match all.get(moment) {
                Some(by) => converted(wanted, price, (feed, by))?,
                None => None,
            },
        };
        without += usize::from(line.is_none());
        lines.extend(line);
    }
    Ok((lines, without))
}

/// The line of a price; `None` where the feed told none above zero.
fn direct(wanted: &Wanted<'_>, price: &FeedPrice) -> Option<Line> {
    let Feed {
        publisher, chain, ..
    } = wanted.feed;
    Some(Line {
        asset: wanted.feed.asset.clone(),
        currency: wanted.currency.to_owned(),
        time: price.updated.to_string(),
        price: plain(price.answer?, price.decimals),
        source: format!("{publisher} {} on {chain}", named(wanted.feed, price)),
    })
}

fn converted(
    wanted: &Wanted<'_>,
    price: &FeedPrice,
    (feed, by): (&Feed, &FeedPrice),
) -> Result<Option<Line>, Failure> {
    let Some(both) = price.answer.zip(by.answer) else {
        return Ok(None);
    };
    let quotient = quotient(both, (price.decimals, by.decimals)).ok_or_else(|| {
        anyhow!(
            "{} by {} at {} is too large a number",
            wanted.feed.pair,
            feed.pair,
            price.updated
        )
    })?;
    let (own, other) = (named(wanted.feed, price), named(feed, by));
    let Feed {
        publisher, chain, ..
    } = wanted.feed;
    Ok(Some(Line {
        asset: wanted.feed.asset.clone(),
        currency: wanted.currency.to_owned(),
        time: price.updated.max(by.updated).to_string(),
        price: plain(quotient, CONVERTED),
        source: format!("{publisher} {own} over {other} on {chain}"),
    }))
}

/// `ETH / USD 0x… round 7`: with it anybody finds the price again by `getRoundData`.
fn named(feed: &Feed, price: &FeedPrice) -> String {
    format!("{} {} round {}", feed.pair, feed.contract, price.round)
}

fn plain(amount: Amount, decimals: u8) -> String {
    format_units(amount, decimals).replace(',', "")
}

/// One price divided by another, each with its decimals, to [`CONVERTED`] digits, rounded half up.
fn quotient((price, by): (Amount, Amount), decimals: (u8, u8)) -> Option<Amount> {
    let two = U256::from(2);
    let ten = |places: u8| U256::from(10).checked_pow(U256::from(places));
    let above = price.to_u256();
    let above = above.checked_mul(ten(decimals.1.checked_add(CONVERTED)?)?)?;
    let below = by.to_u256().checked_mul(ten(decimals.0)?)?;
    let doubled = above.checked_mul(two)?.checked_add(below)?;
    Some(doubled.checked_div(below.checked_mul(two)?)?.into())
}

/// What a feed said at each moment; nothing where it said nothing yet.
///
/// Where it said the same at two moments it said that in between as well, so that it is not asked about each.
async fn told(
    source: &dyn ChainSource,
    feed: &Feed,
    moments: &BTreeSet<UnixTime>,
) -> Result<BTreeMap<UnixTime, FeedPrice>, Failure> {
    let moments: Vec<UnixTime> = moments.iter().copied().collect();
    let mut told: BTreeMap<usize, Option<FeedPrice>> = BTreeMap::new();
    let last = moments.len().saturating_sub(1);
    let mut ask: Vec<usize> = if moments.is_empty() {
        vec![]
    } else {
        vec![0, last]
    };
    let mut open = vec![(0, last)];
    while !ask.is_empty() {
        let asked = ask.drain(..).map(|at| one(source, feed, moments[at], at));
        told.extend(try_join_all(asked).await?);
        for (low, high) in std::mem::take(&mut open) {
            if high - low < 2 {
                continue;
            }
            if same(&told[&low], &told[&high]) {
                let between = told[&low].clone();
                told.extend((low + 1..high).map(|at| (at, between.clone())));
                continue;
            }
            let middle = low + (high - low) / 2;
            ask.push(middle);
            open.extend([(low, middle), (middle, high)]);
        }
    }
    let known = told.into_iter();
    Ok(known
        .filter_map(|(at, price)| Some((moments[at], price?)))
        .collect())
}

async fn one(
    source: &dyn ChainSource,
    feed: &Feed,
    moment: UnixTime,
    at: usize,
) -> Result<(usize, Option<FeedPrice>), Failure> {
    let asked = source.feed_price(feed.contract, moment).await;
    let price = asked.map_err(|error| not_told(feed, error))?;
    match price {
        Some(price) if price.pair != feed.pair => {
            let (contract, pair) = (feed.contract, price.pair.escape_debug());
            Err(Failure::usage(
                anyhow!(
                    "the feed {contract} calls itself `{pair}`, not `{}`",
                    feed.pair
                ),
                "correct or remove its entry in a prices.toml of your own, see `--config`",
            ))
        }
        price => Ok((at, price)),
    }
}

fn not_told(feed: &Feed, error: SourceError) -> Failure {
    let Feed { pair, contract, .. } = feed;
    let lacks_state = error.class == ErrorClass::Unsupported;
    let error = anyhow::Error::new(error).context(format!("cannot read {pair} from {contract}"));
    if !lacks_state {
        return error.into();
    }
    Failure::advised(
        error,
        "the endpoint has to keep the state of old blocks: name an archive node by --endpoint CHAIN:rpc=URL",
    )
}

fn same(one: &Option<FeedPrice>, other: &Option<FeedPrice>) -> bool {
    let what = |price: &Option<FeedPrice>| price.as_ref().map(|price| (price.round, price.updated));
    what(one) == what(other)
}
