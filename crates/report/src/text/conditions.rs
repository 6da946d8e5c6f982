//! The conditions under which all of this holds: blocks, limits, endpoints.

use super::{LONGEST, Page, SHOWN, counted};
use crate::model::{Override, OverrideKind};
use crate::units::grouped;
use crate::visible::clipped;

pub(super) fn section(page: &Page<'_>) -> String {
    let mut text = "Conditions\n".to_owned();
    text += &page.wrapped(&format!("asked for: {}", subjects(page)), 2);
    for tip in &page.report.tips {
        let height = grouped(&tip.height.to_string());
        let (chain, hash) = (clipped(&tip.chain, LONGEST), clipped(&tip.hash, LONGEST));
        text += &page.wrapped(
            &format!("{chain}: looked at blocks up to {height} ({hash})"),
            2,
        );
    }
    text += &page.wrapped(&format!("limits: {}", limits(page)), 2);
    for decision in decisions(page) {
        text += &page.wrapped(&decision, 2);
    }
    for note in crate::worth::notes(page.report) {
        text += &page.wrapped(&note, 2);
    }
    for source in page.report.sources.iter().take(SHOWN) {
        let number = |value: u64| grouped(&value.to_string());
        let endpoint = clipped(&source.endpoint, LONGEST);
        let (requests, bytes) = (number(source.requests), number(source.bytes));
        let retries = number(source.retries);
        text += &page.wrapped(
            &format!("{endpoint}: requests {requests}, bytes {bytes}, retries {retries}"),
            2,
        );
    }
    if page.report.sources.len() > SHOWN {
        text += &format!(
            "  and {}\n",
            counted(page.report.sources.len() - SHOWN, "more endpoint")
        );
    }
    text
}

/// Where the user of the case decided against or besides labels and rules, a sentence each.
pub(crate) fn decisions(page: &Page<'_>) -> Vec<String> {
    let overrides = &page.report.case.overrides;
    let sentence = |said: &Override| {
        let subject = clipped(&said.subject, LONGEST);
        match (&said.kind, &said.entity) {
            (OverrideKind::Through, _) => format!("the user followed value through {subject}"),
            (OverrideKind::Stop, None) => format!("the user ended trails at {subject}"),
            (OverrideKind::Stop, Some(entity)) => format!(
                "the user ended trails at {subject}, held by {}",
                clipped(entity, LONGEST)
            ),
        }
    };
    let mut sentences: Vec<String> = overrides.iter().take(SHOWN).map(sentence).collect();
    let more = overrides.len().saturating_sub(SHOWN);
    if more > 0 {
        sentences.push(format!("and {}", counted(more, "more decision")));
    }
    sentences
}

/// What the investigator named, with the blocks or days that count.
pub(crate) fn subjects(page: &Page<'_>) -> String {
    let subjects = &page.report.case.subjects;
    let shown = subjects.iter().take(SHOWN);
    let mut shown: Vec<_> = shown.map(|subject| clipped(subject, LONGEST)).collect();
    if subjects.len() > SHOWN {
        shown.push(format!("{} more", subjects.len() - SHOWN));
    }
    shown.join(", ")
}

pub(crate) fn limits(page: &Page<'_>) -> String {
    let limits = &page.report.case.limits;
    let number = |value: Option<u64>| value.map(|value| grouped(&value.to_string()));
    let smallest = limits.min_amount.map(|amount| match &*page.report.seeds {
        [seed, ..] => page.assets.show(&seed.chain, &seed.asset, amount),
        [] => amount.to_string(),
    });
    let all = [
        ("hops", number(limits.hops)),
        (
            "smallest share of a seed",
            limits
                .min_share
                .as_ref()
                .map(|share| clipped(share, LONGEST)),
        ),
        ("smallest amount", smallest),
        ("nodes", number(limits.max_nodes)),
        ("requests", number(limits.max_requests)),
        (
            "until",
            limits.until.as_ref().map(|until| clipped(until, LONGEST)),
        ),
    ];
    let set = all
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let set: Vec<_> = set.collect();
    if set.is_empty() {
        "none".to_owned()
    } else {
        set.join(", ")
    }
}
