//! Values seeds, flows and cash-outs of a report at the moment at which they moved.
//!
//! Nothing else of the report is read from or made of what is written here.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::Rule;
use hansel_ledger::{Amount, UnixTime};

use crate::Report;
use crate::assets::Assets;
use crate::model::{CashOut, Flow, Sorted, Timestamp, Unpriced, Values, Worth};
use crate::prices::{LONGEST_AGE, Prices};

/// Something that moved.
struct Moved<'a> {
    of: String,
    place: (&'a str, &'a str),
    time: Option<Timestamp>,
    amount: Amount,
    tainted: Option<&'a Sorted<Rule, Amount>>,
}

impl Report {
    /// Writes down what everything that moved was worth in the currencies of the prices, in place of what was known.
    pub fn value(&mut self, prices: &Prices) {
        let hours = LONGEST_AGE / 3_600;
        let mut values = Values {
            basis: format!(
                "the last price at or before the block's time, at most {hours} hours old, times the exact amount, \
                 rounded half up to a hundredth; prices take no part in the accounting"
            ),
            worth: Vec::new(),
            missing: Vec::new(),
        };
        let assets = Assets::of(self);
        let mut missing: BTreeMap<Unpriced, u64> = BTreeMap::new();
        for moved in self.moved() {
            for currency in prices.currencies() {
                match worth(&moved, currency, prices, &assets) {
                    Ok(worth) => values.worth.push(worth),
                    Err(reason) => {
                        *missing.entry(moved.unpriced(currency, reason)).or_default() += 1;
                    }
                }
            }
        }
        values.missing = missing
            .into_iter()
            .map(|(one, entries)| Unpriced { entries, ..one })
            .collect();
        self.values = Some(values);
    }

    /// Chain, asset and moment of everything that [`Self::value`] values.
    pub fn moments(&self) -> BTreeSet<(String, String, UnixTime)> {
        let named = |moved: Moved<'_>| {
            let (chain, asset) = moved.place;
            Some((chain.to_owned(), asset.to_owned(), moved.time?.0))
        };
        self.moved().filter_map(named).collect()
    }

    fn moved(&self) -> impl Iterator<Item = Moved<'_>> {
        let seeds = self.seeds.iter().map(|seed| Moved {
            of: seed.id.clone(),
            place: (&seed.chain, &seed.asset),
            time: seed.time,
            amount: seed.amount,
            tainted: None,
        });
        let stolen = |flow: &&Flow| flow.tainted.values().any(|taint| !taint.is_zero());
        let flows = self.flows.iter().filter(stolen).map(|flow| Moved {
            of: flow.id.clone(),
            place: (&flow.chain, &flow.asset),
            time: flow.time,
            amount: flow.amount,
            tainted: Some(&flow.tainted),
        });
        let outs = self.cash_outs.iter().map(|out| Moved {
            of: out.id(),
            place: (&out.chain, &out.asset),
            time: out.time,
            amount: out.amount,
            tainted: Some(&out.tainted),
        });
        seeds.chain(flows).chain(outs)
    }
}

impl CashOut {
    /// How [`Worth::of`] names it.
    pub(crate) fn id(&self) -> String {
        let swept = self.service_tx.as_ref().map(|tx| format!(":{tx}"));
        format!(
            "cash-out:{}:{}:{}:{}{}",
            self.chain,
            self.tx,
            self.deposit_address,
            self.asset,
            swept.unwrap_or_default()
        )
    }
}

impl Moved<'_> {
    fn unpriced(&self, currency: &str, reason: &str) -> Unpriced {
        Unpriced {
            chain: self.place.0.to_owned(),
            asset: self.place.1.to_owned(),
            currency: currency.to_owned(),
            reason: reason.to_owned(),
            entries: 0,
        }
    }
}

fn worth(
    moved: &Moved<'_>,
    currency: &str,
    prices: &Prices,
    assets: &Assets<'_>,
) -> Result<Worth, &'static str> {
    let (chain, asset) = moved.place;
    let decimals = assets
        .decimals(chain, asset)
        .ok_or("nobody vouches for the decimals of the asset")?;
    let time = moved.time.ok_or("the time is not known")?;
    let (at, price) = prices
        .at(moved.place, currency, time.0)
        .ok_or("there is no price of the time or shortly before")?;
    let too_large = "the worth is too large a number";
    let show = |amount: Amount| {
        let hundredths = price.worth(amount, decimals).ok_or(too_large)?;
        Ok(crate::format_units(hundredths, 2).replace(',', ""))
    };
    let tainted = moved.tainted.into_iter().flatten();
    let tainted = tainted.map(|(rule, amount)| Ok((*rule, show(*amount)?)));
    Ok(Worth {
        of: moved.of.clone(),
        currency: currency.to_owned(),
        price: price.text.clone(),
        priced_at: at.into(),
        source: price.source.clone(),
        amount: show(moved.amount)?,
        tainted: tainted.collect::<Result<_, &'static str>>()?,
    })
}
