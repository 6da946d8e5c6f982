//! The first lines: which case, what was stolen, how it was traced.

use std::collections::BTreeMap;

use hansel_graph::Direction;
use hansel_ledger::Amount;

use super::{LONGEST, Page, SHOWN, counted};
use crate::model::Seed;
use crate::units::grouped;
use crate::visible::clipped;

pub(super) fn section(page: &Page<'_>) -> String {
    let case = &page.report.case;
    let name = clipped(&case.name, LONGEST);
    let title = case
        .title
        .as_ref()
        .map(|title| format!(": {}", clipped(title, LONGEST)));
    let mut text = page.wrapped(&format!("Case {name}{}", title.unwrap_or_default()), 0);
    if case.training {
        text += "TRAINING CASE: made up, not a real theft\n";
    }
    let count = counted(page.report.seeds.len(), "seed");
    text += &page.wrapped(
        &format!("{}: {} ({count})", asked(case.direction), seed_sum(page)),
        0,
    );
    let rules: Vec<_> = case.rules.iter().map(|rule| rule.name()).collect();
    let rules = if rules.is_empty() {
        "no rule".to_owned()
    } else {
        rules.join(", ")
    };
    text += &page.wrapped(
        &format!(
            "Traced {} under {rules}; fee rule {}",
            case.direction, case.fee_rule
        ),
        0,
    );
    text + &seeds(page)
}

/// What the seeds are to the question.
pub(crate) fn asked(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "Stolen",
        Direction::Backward => "Source sought of",
    }
}

/// The seeds' sum per asset.
pub(crate) fn seed_sum(page: &Page<'_>) -> String {
    let mut sums: BTreeMap<(&str, &str), Option<Amount>> = BTreeMap::new();
    for seed in &page.report.seeds {
        let sum = sums
            .entry((&seed.chain, &seed.asset))
            .or_insert(Some(Amount::ZERO));
        *sum = sum.and_then(|sum| sum.checked_add(seed.amount).ok());
    }
    let shown = sums.into_iter().map(|((chain, asset), sum)| match sum {
        Some(sum) => format!(
            "{} on {}",
            page.assets.show(chain, asset, sum),
            clipped(chain, LONGEST)
        ),
        None => "more than can be counted".to_owned(),
    });
    let shown: Vec<_> = shown.collect();
    if shown.is_empty() {
        "nothing".to_owned()
    } else {
        shown.join(" and ")
    }
}

fn seeds(page: &Page<'_>) -> String {
    let seeds = &page.report.seeds;
    let mut text: String = seeds
        .iter()
        .take(SHOWN)
        .map(|seed| page.wrapped(&seed_line(page, seed), 2))
        .collect();
    if seeds.len() > SHOWN {
        text += &format!("  and {}\n", counted(seeds.len() - SHOWN, "more seed"));
    }
    text
}

pub(crate) fn seed_line(page: &Page<'_>, seed: &Seed) -> String {
    let id = clipped(&seed.id, LONGEST);
    let amount = page.assets.show(&seed.chain, &seed.asset, seed.amount);
    let tx = clipped(&seed.tx, LONGEST);
    let to = seed
        .to
        .as_ref()
        .map(|to| format!(" to {}", clipped(to, LONGEST)));
    let time = seed.time.map(|time| format!(" at {time}"));
    let block = seed
        .block
        .map(|block| format!(" in block {}", grouped(&block.to_string())));
    let [to, time, block] = [to, time, block].map(Option::unwrap_or_default);
    let output = seed.vout.map(|vout| format!(":{vout}")).unwrap_or_default();
    let worth = page.worths.words(&seed.id);
    let worth = if worth.is_empty() {
        worth
    } else {
        format!("; {worth}")
    };
    format!("{id}: {amount}{to} by {tx}{output}{block}{time}{worth}")
}
