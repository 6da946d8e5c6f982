//! The report as Markdown: a case file to read, to print and to paste into a letter.
//!
//! Text of outsiders is escaped, so that it can become neither a link nor a heading nor HTML.

mod escape;
mod table;

use std::io;

use hansel_graph::Direction;
use hansel_ledger::{Amount, AmountError};

use crate::Report;
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::html::methods;
use crate::text::resting::{self, End};
use crate::text::{Page, accounting, conditions, counted, headline, unknown};
use crate::visible::clipped;
use escape::{code, plain};
use table::Table;

/// How many rows a table holds; the JSON and CSV formats hold all of them.
const ROWS: usize = 200;

/// The longest text of an outsider that is shown whole.
const LONGEST: usize = 300;

/// Writes the case file.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    Ok(out.write_all(text(report)?.as_bytes())?)
}

/// The case file.
pub(crate) fn text(report: &Report) -> Result<String, FormatError> {
    let page = Page::new(report);
    let holdings = Holdings::of(report)?;
    let sections = [
        opening(&page),
        accounts(&page)?,
        ends(&page, &holdings),
        cash_outs(&page),
        findings(&page),
        gaps(&page),
        conditions_of(&page),
        appendix(&page),
    ];
    Ok(sections.join("\n"))
}

fn opening(page: &Page<'_>) -> String {
    let case = &page.report.case;
    let mut text = format!("# {}\n\n", plain(&clipped(&case.name, LONGEST)));
    if case.training {
        text += "**TRAINING CASE: made up, not a real theft**\n\n";
    }
    if let Some(title) = &case.title {
        text += &format!("{}\n\n", plain(&clipped(title, LONGEST)));
    }
    let asked = headline::asked(case.direction);
    text += &format!("{asked} **{}**\n\n", plain(&headline::seed_sum(page)));
    let seeds = page.report.seeds.iter();
    text += &items(seeds.map(|seed| headline::seed_line(page, seed)));
    text
}

fn accounts(page: &Page<'_>) -> Result<String, AmountError> {
    let mut text = "## Where it was last seen, to the unit\n".to_owned();
    for (chain, asset) in accounting::assets(page) {
        let columns = accounting::columns(page, chain, asset)?;
        let show = |amount: Amount| page.assets.digits(chain, asset, amount);
        let rules = columns.iter().map(|column| column.rule.name());
        let mut table = Table::new(["what became of it"].into_iter().chain(rules));
        let mut row = |name: &str, value: &dyn Fn(&accounting::Column) -> String| {
            table.add(
                [name.to_owned()]
                    .into_iter()
                    .chain(columns.iter().map(value)),
            );
        };
        for (index, name) in accounting::NAMES.iter().enumerate() {
            row(name, &|column| show(column.categories[index]));
        }
        row("total", &|column| show(column.total));
        row("stolen", &|column| show(column.stolen));
        row("balances", &|column| column.balances.to_owned());
        let (chain, asset) = (clipped(chain, LONGEST), clipped(asset, LONGEST));
        text += &format!("\nIn {} on {}:\n\n", plain(&asset), plain(&chain));
        text += &table.to_string();
    }
    let poison = accounting::poison_note(page);
    if !poison.is_empty() {
        text += &format!(
            "\n{}\n",
            poison.split_whitespace().collect::<Vec<_>>().join(" ")
        );
    }
    Ok(text)
}

fn ends(page: &Page<'_>, holdings: &Holdings<'_>) -> String {
    let head = match page.report.case.direction {
        Direction::Forward => "## Where the value was last seen, by asset and size\n\n",
        Direction::Backward => "## Where the value came from, by asset and size\n\n",
    };
    let all = resting::ends(page, holdings);
    if all.is_empty() {
        return format!("{head}No tainted value was found.\n");
    }
    let rules = page.report.case.rules.iter().map(|rule| rule.name());
    let heads = ["place", "known as"].into_iter().chain(rules);
    let mut table = Table::new(heads.chain(["what is known of it"]));
    for end in all.iter().take(ROWS) {
        table.add(end_row(page, end));
    }
    format!("{head}{table}{}", more(all.len(), "place"))
}

fn end_row(page: &Page<'_>, end: &End<'_>) -> Vec<String> {
    let node = end.node;
    let holder = node.address.as_deref().unwrap_or(&node.id);
    let names = node.labels.iter().map(|label| {
        let (label, source) = (
            clipped(&label.label, LONGEST),
            clipped(&label.source, LONGEST),
        );
        plain(&format!("{label}, says {source}"))
    });
    let show = |amount: &Amount| page.assets.show(&node.chain, end.holding.asset, *amount);
    let mut row = vec![
        code(&clipped(holder, LONGEST)),
        names.take(3).collect::<Vec<_>>().join("; "),
    ];
    row.extend(end.tainted.iter().map(|amount| plain(&show(amount))));
    row.push(plain(&resting::stopped(page, end, "")));
    row
}

fn cash_outs(page: &Page<'_>) -> String {
    let head = "## Cash-outs: services that may freeze it, newest first\n\n";
    let all = &page.report.cash_outs;
    if all.is_empty() {
        return format!("{head}No tainted value reached a known service.\n");
    }
    let rules = page.report.case.rules.iter();
    let rules = rules.map(|rule| format!("tainted, {}", rule.name()));
    let currencies = page.worths.currencies.iter();
    let worth = currencies.map(|currency| plain(&format!("worth, {}", clipped(currency, LONGEST))));
    let heads = [
        "time",
        "service",
        "deposit address",
        "transaction",
        "amount",
    ];
    let heads = heads.map(str::to_owned).into_iter();
    let mut table = Table::new(
        heads
            .chain(rules)
            .chain(worth)
            .chain(["confidence".to_owned()]),
    );
    for row in all.iter().take(ROWS) {
        let show = |amount: Amount| plain(&page.assets.show(&row.chain, &row.asset, amount));
        let service = [&row.entity, &row.category].map(|text| clipped(text, LONGEST));
        let mut cells = vec![
            row.time.map(|time| time.to_string()).unwrap_or_default(),
            plain(&format!("{} ({})", service[0], service[1])),
            code(&clipped(&row.deposit_address, LONGEST)),
            code(&clipped(&row.tx, LONGEST)),
            show(row.amount),
        ];
        let rules = page.report.case.rules.iter();
        cells
            .extend(rules.map(|rule| row.tainted.get(rule).copied().map(show).unwrap_or_default()));
        let (id, currencies) = (row.id(), page.worths.currencies.iter());
        cells.extend(currencies.map(|currency| plain(&page.worths.cell(&id, currency))));
        cells.push(row.confidence.name().to_owned());
        table.add(cells);
    }
    format!("{head}{table}{}", more(all.len(), "cash-out"))
}

fn findings(page: &Page<'_>) -> String {
    let head = "## Findings: opinions with evidence, not facts\n\n";
    let all = &page.report.findings;
    if all.is_empty() {
        return format!("{head}No heuristic found anything.\n");
    }
    let mut table = Table::new(["rule", "confidence", "finding", "about", "known error rate"]);
    for finding in all.iter().take(ROWS) {
        let about = finding.subjects.iter().take(3);
        let about: Vec<_> = about.map(|id| code(&clipped(id, LONGEST))).collect();
        table.add([
            plain(&clipped(&finding.heuristic, LONGEST)),
            finding.confidence.name().to_owned(),
            plain(&clipped(&finding.summary, LONGEST)),
            about.join(", "),
            plain(&clipped(&finding.error_rate, LONGEST)),
        ]);
    }
    format!("{head}{table}{}", more(all.len(), "finding"))
}

fn gaps(page: &Page<'_>) -> String {
    let head = "## What is not known\n\n";
    let groups = unknown::groups(page);
    if groups.is_empty() {
        return format!("{head}Nothing that was asked for is missing.\n");
    }
    let all = groups
        .iter()
        .flat_map(|(kind, gaps)| gaps.iter().map(move |gap| (kind, gap)));
    let mut table = Table::new(["kind", "about", "what is not known"]);
    for (kind, (subject, detail)) in all.clone().take(ROWS) {
        table.add([
            plain(&clipped(kind, LONGEST)),
            code(&clipped(subject, LONGEST)),
            plain(&clipped(detail, LONGEST)),
        ]);
    }
    format!("{head}{table}{}", more(all.count(), "gap"))
}

fn conditions_of(page: &Page<'_>) -> String {
    let report = page.report;
    let tips = report.tips.iter().map(|tip| {
        let (chain, hash) = (clipped(&tip.chain, LONGEST), clipped(&tip.hash, LONGEST));
        format!("{chain}: looked at blocks up to {} ({hash})", tip.height)
    });
    let limits = [
        format!("asked for: {}", conditions::subjects(page)),
        format!("traced {}", report.case.direction),
        format!("limits: {}", conditions::limits(page)),
    ];
    let decided = conditions::decisions(page);
    let notes = crate::worth::notes(report);
    let all = limits.into_iter().chain(tips).chain(decided).chain(notes);
    format!("## Conditions\n\n{}", items(all))
}

fn appendix(page: &Page<'_>) -> String {
    let case = &page.report.case;
    let rules = case.rules.iter();
    let rules = rules.map(|rule| format!("{}: {}", rule.name(), methods::meaning(*rule)));
    let fee = format!(
        "fee rule {}: {}",
        case.fee_rule,
        methods::fees(case.fee_rule)
    );
    let said = [
        fee,
        "labels: a label is the claim of its source, never a fact of the chain".to_owned(),
        "amounts: whole numbers of base units, split without rounding; shown with every decimal"
            .to_owned(),
    ];
    format!("## Methods\n\n{}", items(rules.chain(said)))
}

/// A list of at most [`ROWS`] items.
fn items(texts: impl Iterator<Item = String>) -> String {
    let all: Vec<_> = texts.collect();
    let shown = all.iter().take(ROWS);
    let shown: String = shown.map(|text| format!("- {}\n", plain(text))).collect();
    shown + &more(all.len(), "item")
}

fn more(number: usize, thing: &str) -> String {
    match number.saturating_sub(ROWS) {
        0 => String::new(),
        rest => format!(
            "\nand {}; the JSON and CSV formats hold all\n",
            counted(rest, &format!("more {thing}"))
        ),
    }
}
