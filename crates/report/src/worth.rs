//! What things were worth, as people read it.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::Rule;

use crate::Report;
use crate::model::{Unpriced, Worth};
use crate::units::grouped;
use crate::visible::clipped;

const LONGEST: usize = 200;

/// The values of a report by what they are of; empty where the report has none.
pub(crate) struct Worths<'a> {
    by: BTreeMap<&'a str, Vec<&'a Worth>>,
    pub(crate) currencies: Vec<&'a str>,
}

impl<'a> Worths<'a> {
    pub(crate) fn of(report: &'a Report) -> Self {
        let worth = report.values.iter().flat_map(|values| &values.worth);
        let mut by: BTreeMap<&str, Vec<&Worth>> = BTreeMap::new();
        for one in worth.clone() {
            by.entry(&one.of).or_default().push(one);
        }
        let missing = report.values.iter().flat_map(|values| &values.missing);
        let names = worth.map(|one| &*one.currency);
        let names: BTreeSet<&str> = names.chain(missing.map(|one| &*one.currency)).collect();
        Self {
            by,
            currencies: names.into_iter().collect(),
        }
    }

    /// The worth of something in a currency.
    pub(crate) fn find(&self, of: &str, currency: &str) -> Option<&'a Worth> {
        let all = self.by.get(of)?;
        all.iter().copied().find(|one| one.currency == currency)
    }

    /// In words, in every currency: `worth 1,234.50 USD (…)`, or that there is no price; empty in a report without values.
    pub(crate) fn words(&self, of: &str) -> String {
        let words = self.currencies.iter().map(|currency| {
            self.find(of, currency).map_or_else(
                || format!("no price in {}", clipped(currency, LONGEST)),
                in_words,
            )
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Worths<'_> {
    /// `, of which tainted: fifo 12.00 USD, haircut 11.00 USD`; empty where nothing has a worth.
    pub(crate) fn tainted_words(&self, of: &str) -> String {
        let found = self
            .currencies
            .iter()
            .filter_map(|currency| self.find(of, currency));
        let words: Vec<_> = found.map(tainted).collect();
        if words.is_empty() {
            return String::new();
        }
        format!(", of which tainted: {}", words.join(", "))
    }

    /// The worth of a whole amount as a cell of a table; empty where it has none.
    pub(crate) fn cell(&self, of: &str, currency: &str) -> String {
        let found = self.find(of, currency);
        let shown = |worth: &Worth| {
            money(
                &clipped(&worth.amount, LONGEST),
                &clipped(currency, LONGEST),
            )
        };
        found.map(shown).unwrap_or_default()
    }
}

/// `1,234.50 USD`.
fn money(amount: &str, currency: &str) -> String {
    let (whole, hundredths) = amount.split_once('.').unwrap_or((amount, "00"));
    format!("{}.{hundredths} {currency}", grouped(whole))
}

fn in_words(worth: &Worth) -> String {
    let currency = clipped(&worth.currency, LONGEST);
    format!(
        "worth {} at {} {currency} of {} (says {})",
        money(&clipped(&worth.amount, LONGEST), &currency),
        clipped(&worth.price, LONGEST),
        worth.priced_at,
        clipped(&worth.source, LONGEST)
    )
}

/// The worth of the tainted part under each rule: `fifo 12.00 USD, haircut 11.00 USD`.
fn tainted(worth: &Worth) -> String {
    let one = |(rule, amount): (&Rule, &String)| {
        let currency = clipped(&worth.currency, LONGEST);
        format!("{rule} {}", money(&clipped(amount, LONGEST), &currency))
    };
    worth.tainted.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// How values were found and what has none, a sentence each; nothing in a report without values.
pub(crate) fn notes(report: &Report) -> Vec<String> {
    let Some(values) = &report.values else {
        return Vec::new();
    };
    let mut notes = vec![format!("values: {}", clipped(&values.basis, 400))];
    let sources: BTreeSet<String> = values
        .worth
        .iter()
        .map(|one| clipped(&one.source, LONGEST))
        .collect();
    let sources: Vec<_> = sources.into_iter().take(10).collect();
    if !sources.is_empty() {
        notes.push(format!("prices are from: {}", sources.join("; ")));
    }
    notes.extend(values.missing.iter().take(10).map(missing));
    notes
}

fn missing(one: &Unpriced) -> String {
    format!(
        "no value in {} for {} entries of {} on {}: {}",
        clipped(&one.currency, LONGEST),
        grouped(&one.entries.to_string()),
        clipped(&one.asset, LONGEST),
        clipped(&one.chain, LONGEST),
        clipped(&one.reason, LONGEST)
    )
}

/// The heads of CSV columns, for each currency.
pub(crate) fn heads(worths: &Worths<'_>, rules: &[Rule]) -> Vec<String> {
    let mut heads = Vec::new();
    for currency in &worths.currencies {
        let currency = crate::cell::text(currency);
        for name in ["value", "price", "priced_at", "price_source"] {
            heads.push(format!("{name}_{currency}"));
        }
        heads.extend(
            rules
                .iter()
                .map(|rule| format!("value_{currency}_tainted_{}", rule.name().replace('-', "_"))),
        );
    }
    heads
}

/// The cells under [`heads`]; empty ones where there is no value.
pub(crate) fn cells(worths: &Worths<'_>, rules: &[Rule], of: &str) -> Vec<String> {
    let mut cells = Vec::new();
    for currency in &worths.currencies {
        let worth = worths.find(of, currency);
        let text = |of: fn(&Worth) -> &str| worth.map(|one| crate::cell::text(of(one)));
        let time = worth.map(|one| one.priced_at.to_string());
        let first = [
            text(|one| &one.amount),
            text(|one| &one.price),
            time,
            text(|one| &one.source),
        ];
        cells.extend(first.map(Option::unwrap_or_default));
        cells.extend(rules.iter().map(|rule| {
            let tainted = worth.and_then(|one| one.tainted.get(rule));
            tainted
                .map(|amount| crate::cell::text(amount))
                .unwrap_or_default()
        }));
    }
    cells
}
