//! Cells of CSV files that a spreadsheet shows instead of running.

use std::io;

use hansel_graph::Rule;
use hansel_ledger::Amount;

use crate::model::Sorted;
use crate::visible::{is_hidden, visible};

/// Characters that start a formula in common spreadsheets, with their full-width forms.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A table with the line ends of RFC 4180.
pub(crate) fn table(out: &mut dyn io::Write) -> csv::Writer<&mut dyn io::Write> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out)
}

/// Untrusted text as a cell: hidden characters become visible, and an apostrophe disarms a formula.
///
/// The text after a semicolon is treated like the start of a cell, because spreadsheets of many countries
/// split CSV there.
pub(crate) fn text(untrusted: &str) -> String {
    let disarmed: Vec<_> = untrusted.split(';').map(disarmed).collect();
    disarmed.join(";")
}

fn disarmed(part: &str) -> String {
    let quiet = |c: char| c.is_whitespace() || is_hidden(c) || c == '"';
    let formula = part.trim_start_matches(quiet).starts_with(FORMULA_STARTS);
    let runs = formula || part.starts_with(['\t', '\r']);
    let shown = visible(part);
    if runs {
        format!("'{shown}")
    } else {
        shown.into_owned()
    }
}

/// Text that may be absent; an absent one is an empty cell.
pub(crate) fn optional_text(untrusted: Option<&str>) -> String {
    untrusted.map(text).unwrap_or_default()
}

/// A number or time that may be absent.
pub(crate) fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Several texts in one cell.
pub(crate) fn list<'a>(untrusted: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<_> = untrusted.into_iter().collect();
    text(&texts.join("; "))
}

/// The heads of the columns that hold one amount per rule: `tainted_fifo`, `tainted_reverse_seniority`.
pub(crate) fn rule_heads(rules: &[Rule]) -> impl Iterator<Item = String> {
    rules.iter().map(|rule| tainted_head(*rule))
}

/// The name of a rule's amount in flat formats.
pub(crate) fn tainted_head(rule: Rule) -> String {
    format!("tainted_{}", rule.name().replace('-', "_"))
}

/// One cell per rule; empty where the report holds no amount.
pub(crate) fn rule_cells(
    rules: &[Rule],
    tainted: &Sorted<Rule, Amount>,
) -> impl Iterator<Item = String> {
    rules.iter().map(|rule| optional(tainted.get(rule)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_disarmed_wherever_a_spreadsheet_would_start_a_cell() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            " =1",
            "\u{a0}=1",
            "\"=1",
            "＝1",
            "\u{200b}=1",
        ] {
            assert!(text(formula).starts_with('\''), "{formula}");
        }
        assert_eq!(text("\t=1"), r"'\u{9}=1");
        assert_eq!(text("\rx"), r"'\u{d}x");
        assert_eq!(text("a;=1; @b"), "a;'=1;' @b");
        assert_eq!(list(["a", "=1"]), "a;' =1");
    }

    #[test]
    fn harmless_text_is_left_as_it_is() {
        for harmless in [
            "",
            "bc1qxyz",
            "a=b",
            "x - y",
            "2024-05-31T00:00:00Z",
            "O'Neill",
            "a;b",
        ] {
            assert_eq!(text(harmless), harmless);
        }
    }
}
