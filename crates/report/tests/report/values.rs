//! Worth in a currency: exact, beside the amounts, with its source, and never part of the accounting.

use hansel_report::{Format, Prices, Report};

use crate::{links, sample};

#[test]
fn a_theft_and_its_cash_outs_are_valued_at_their_time_with_the_source_beside_it() {
    let report = sample::valued();
    let text = sample::rendered(&report, Format::Text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "worth 308,003,988.63 USD at 68401.25 USD of 2024-05-31T00:00:00Z (says a price list)",
        "worth 283,682,700.00 EUR at 63000 EUR of 2024-05-31T00:00:00Z (says another list)",
        "no price in EUR",
        "prices take no part in the accounting",
        "there is no price of the time or shortly before",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    for format in [
        Format::Html,
        Format::Markdown,
        Format::CashOutCsv,
        Format::Json,
    ] {
        let shown = sample::rendered(&report, format).replace(['\\', ','], "");
        // 1,612.89990000 BTC at 64,000.5
        assert!(shown.contains("103226400.05"), "{format}\n{shown}");
    }
}

#[test]
fn nothing_but_the_values_changes_by_prices() {
    let mut report = sample::valued();
    let values = report.values.take().unwrap();
    assert_eq!(report, sample::report());
    assert!(!values.worth.is_empty() && !values.missing.is_empty());
}

#[test]
fn tables_get_columns_for_each_currency_and_no_others_without_prices() {
    let flows = |report: &Report| links::tables(report, Format::Csv).remove(1);
    let plain = flows(&sample::report());
    let valued = flows(&sample::valued());
    assert_eq!(valued[0].len() - plain[0].len(), 12);
    assert!(valued[0].contains(&"value_USD".to_owned()));
    assert!(valued[0].contains(&"value_EUR_tainted_haircut".to_owned()));
    let priced = valued[1..]
        .iter()
        .filter(|row| row.contains(&"68401.25".to_owned()));
    assert!(priced.count() > 0);
}

#[test]
fn a_report_that_was_valued_is_valued_anew_and_not_twice() {
    let mut report = sample::valued();
    report.value(&Prices::default());
    let values = report.values.unwrap();
    assert!(values.worth.is_empty() && values.missing.is_empty());
}
