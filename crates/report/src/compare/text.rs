//! A comparison for people; lists show their first entries and say how many more there are.

use crate::assets::Assets;
use crate::layout::wrapped;
use crate::model::{CashOut, StopKind};
use crate::text::{DEFAULT_WIDTH, counted};
use crate::units::grouped;
use crate::visible::clipped;
use crate::{Report, format_units};

use super::{Changes, Comparison, SumChange};

const SHOWN: usize = 10;
const LONGEST: usize = 200;

impl Comparison {
    /// The comparison as text; the later report says how its amounts are shown.
    pub fn to_text(&self, after: &Report) -> String {
        let assets = Assets::of(after);
        let shown = |text: &str| clipped(text, LONGEST);
        let mut text = line(
            &format!("From {} to {}", shown(&self.before), shown(&self.after)),
            0,
        );
        if self.is_empty() {
            return text + "Nothing differs\n";
        }
        if !self.asked_differently.is_empty() {
            let fields = self.asked_differently.join(", ");
            text += &line(&format!("Asked differently: {fields}"), 0);
        }
        let tips = self.tips.iter().map(|tip| {
            let height = |height: Option<u64>| match height {
                Some(height) => grouped(&height.to_string()),
                None => "not looked at".to_owned(),
            };
            format!(
                "{}: {} -> {}",
                shown(&tip.chain),
                height(tip.before),
                height(tip.after)
            )
        });
        text += &section("Looked at blocks up to", tips);
        text += &section(
            "Sums that changed",
            self.sums.iter().map(|sum| sum_line(sum, &assets)),
        );
        text += &section(
            "New cash-outs",
            self.cash_outs
                .new
                .iter()
                .map(|row| cash_out_line(row, &assets)),
        );
        text += &section(
            "Cash-outs that are gone",
            self.cash_outs
                .gone
                .iter()
                .map(|row| cash_out_line(row, &assets)),
        );
        let finding = |finding: &crate::model::Finding| {
            let (name, summary) = (shown(&finding.heuristic), shown(&finding.summary));
            format!("{name} ({}): {summary}", finding.confidence.name())
        };
        text += &section("New findings", self.findings.new.iter().map(finding));
        text += &section(
            "Findings that are gone",
            self.findings.gone.iter().map(finding),
        );
        let ends = self.ends.iter().map(|end| {
            let kind = |kind: Option<StopKind>| kind.map_or("followed", StopKind::name);
            format!(
                "{}: {} -> {}",
                shown(&end.node),
                kind(end.before),
                kind(end.after)
            )
        });
        text += &section("Trails that end otherwise", ends);
        text += &ids("nodes", &self.nodes);
        text += &ids("flows", &self.flows);
        let tainted = self.tainted.iter().map(|change| {
            let amount = |amount: hansel_ledger::Amount| grouped(&amount.to_string());
            let (before, after) = (amount(change.before), amount(change.after));
            format!(
                "{}: {} {before} -> {after} base units",
                shown(&change.flow),
                change.rule
            )
        });
        text += &section("Flows with another tainted part", tainted);
        let gap = |gap: &crate::model::Unknown| {
            format!("{}: {}", shown(&gap.subject), shown(&gap.detail))
        };
        text += &section("Not known any more", self.unknown.new.iter().map(gap));
        text + &section("Known by now", self.unknown.gone.iter().map(gap))
    }
}

fn ids(thing: &str, changes: &Changes<String>) -> String {
    let shown = |id: &String| clipped(id, LONGEST);
    section(&format!("New {thing}"), changes.new.iter().map(shown))
        + &section(
            &format!("{thing} that are gone"),
            changes.gone.iter().map(shown),
        )
}

fn sum_line(sum: &SumChange, assets: &Assets<'_>) -> String {
    let show = |amount| match assets.decimals(&sum.chain, &sum.asset) {
        Some(decimals) => format_units(amount, decimals),
        None => grouped(&amount.to_string()),
    };
    let (chain, asset) = (clipped(&sum.chain, LONGEST), clipped(&sum.asset, LONGEST));
    let category = sum.category.replace('_', " ");
    let (before, after) = (show(sum.before), show(sum.after));
    format!(
        "{asset} on {chain}, {}, {category}: {before} -> {after}",
        sum.rule
    )
}

fn cash_out_line(row: &CashOut, assets: &Assets<'_>) -> String {
    let [entity, address, tx] =
        [&row.entity, &row.deposit_address, &row.tx].map(|text| clipped(text, LONGEST));
    let amount = assets.show(&row.chain, &row.asset, row.amount);
    let time = row
        .time
        .map(|time| format!(" at {time}"))
        .unwrap_or_default();
    format!("{entity}: {amount} to {address} by {tx}{time}")
}

fn section(head: &str, entries: impl ExactSizeIterator<Item = String>) -> String {
    let count = entries.len();
    if count == 0 {
        return String::new();
    }
    let mut head: String = head.to_owned();
    if let Some(first) = head.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut text = format!("\n{head} ({})\n", grouped(&count.to_string()));
    text.extend(entries.take(SHOWN).map(|entry| line(&entry, 2)));
    if count > SHOWN {
        text += &format!(
            "  and {}; --json lists all\n",
            counted(count - SHOWN, "more line")
        );
    }
    text
}

fn line(text: &str, indent: usize) -> String {
    wrapped(text, DEFAULT_WIDTH, indent)
}
