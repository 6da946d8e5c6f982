//! How many real CoinJoins the detectors recognise, and what they take for one that is none.
//!
//! `make evaluate`, or `cargo bench -p hansel --bench evaluate_coinjoin`. The binary reads every transaction as a
//! user would have it read, by `hansel inspect --jsonl -`. The data lie under `$HANSEL_DATA/coinjoin` and
//! `$HANSEL_DATA/bitcoin-blocks`; block 702861 comes with the crate `bitcoin-test-data`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

#[path = "evaluate_coinjoin/data.rs"]
mod data;
#[path = "evaluate_coinjoin/said.rs"]
mod said;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use data::{Set, sets};
use said::FAMILIES;

/// How often each verdict was given in a set; the last place counts transactions without one.
type Row = [usize; FAMILIES.len() + 1];

fn main() {
    let Some(sets) = sets() else {
        println!("skipped: no CoinJoin data (set HANSEL_DATA)");
        return;
    };
    let (mut rows, mut took, mut lines) = (Vec::new(), Duration::ZERO, 0);
    let mut fired = BTreeMap::new();
    for set in &sets {
        let start = Instant::now();
        let row = row(set, &mut fired);
        took += start.elapsed();
        lines += set.lines.len();
        rows.push(row);
    }
    matrix(&sets, &rows);
    table(&sets, &rows);
    println!("\n| rule | findings in all of these real transactions |");
    println!("|---|---|");
    for (rule, count) in fired {
        println!("| `{rule}` | {count} |");
    }
    let rate = lines as f64 / took.as_secs_f64();
    println!(
        "\n{lines} transactions read and inspected by {} runs of the binary: {rate:.0} per second.",
        sets.len()
    );
}

fn row(set: &Set, fired: &mut BTreeMap<String, usize>) -> Row {
    let mut row = [0; FAMILIES.len() + 1];
    for verdict in said::verdicts(&set.lines, fired) {
        row[verdict.unwrap_or(FAMILIES.len())] += 1;
    }
    row
}

fn matrix(sets: &[Set], rows: &[Row]) {
    println!("| set | transactions | {} | none |", FAMILIES.join(" | "));
    println!("|---|{}", "---|".repeat(FAMILIES.len() + 2));
    for (set, row) in sets.iter().zip(rows) {
        let counts: Vec<String> = row.iter().map(usize::to_string).collect();
        println!(
            "| {} | {} | {} |",
            set.name,
            set.lines.len(),
            counts.join(" | ")
        );
    }
}

fn table(sets: &[Set], rows: &[Row]) {
    println!(
        "\n| detector | recall | 95 % interval | precision | 95 % interval | false among negatives |"
    );
    println!("|---|---|---|---|---|---|");
    let mut families = BTreeMap::<&str, Vec<usize>>::new();
    for (column, family) in FAMILIES.iter().enumerate() {
        families.entry(group(family)).or_default().push(column);
    }
    for (family, columns) in families {
        let (mut hits, mut positives, mut wrong, mut false_ones) = (0, 0, 0, 0);
        for (set, row) in sets.iter().zip(rows) {
            let found: usize = columns.iter().map(|column| row[*column]).sum();
            let expected = set.expected(family);
            let right = found.min(expected);
            hits += right;
            positives += expected;
            if set.is_labelled {
                wrong += found - right;
            }
            if set.is_negative {
                false_ones += found - right;
            }
        }
        println!(
            "| {family} | {} | {} | {} | {} | {false_ones} |",
            share(hits, positives),
            wilson(hits, positives),
            share(hits, hits + wrong),
            wilson(hits, hits + wrong)
        );
    }
}

/// Both versions of Wasabi 1 are one family in the data.
fn group(family: &'static str) -> &'static str {
    family.strip_suffix("-1").unwrap_or(family)
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "no data".into(),
        _ => format!(
            "{:.2} % ({part}/{whole})",
            100.0 * part as f64 / whole as f64
        ),
    }
}

/// Wilson's interval of a share at 95 %.
fn wilson(part: usize, whole: usize) -> String {
    if whole == 0 {
        return String::new();
    }
    let (share, count, z) = (part as f64 / whole as f64, whole as f64, 1.959_964);
    let middle = share + z * z / (2.0 * count);
    let spread = z * (share * (1.0 - share) / count + z * z / (4.0 * count * count)).sqrt();
    let scale = 1.0 + z * z / count;
    let bound = |value: f64| (100.0 * value / scale).clamp(0.0, 100.0);
    format!(
        "{:.2} to {:.2} %",
        bound(middle - spread),
        bound(middle + spread)
    )
}
