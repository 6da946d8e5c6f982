//! What was written is read as the same labels.

use hansel_labels::{LabelBook, Pack};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{chains, read};

const ADDRESSES: [(&str, &str); 5] = [
    ("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("ethereum", "0xA160cdAB225685dA1d56aa342Ad8841c3b53f291"),
    ("arbitrum", "0xA160cdAB225685dA1d56aa342Ad8841c3b53f291"),
    ("evm", "0x1111111111111111111111111111111111111111"),
];

/// Any text that a source may write: control characters, quotes, marks of direction, YAML's own signs.
fn text() -> impl Strategy<Value = String> {
    let hostile = prop_oneof![
        any::<String>(),
        "[ -~]{1,40}",
        "(true|null|~|0x1F|1e3|-|- a|a: b|#x|&a|\\*a|\\|\n x|>|%|@|`|'|\"|---|\\.\\.\\.| x|x | \t|<<)",
        proptest::string::string_regex(
            "[\u{0}-\u{ff}\u{202e}\u{feff}\u{2028}\u{85}\u{fffe}]{1,20}"
        )
        .unwrap(),
    ];
    hostile.prop_filter("empty", |text| !text.trim().is_empty() && text.len() <= 150)
}

fn row() -> impl Strategy<Value = [String; 8]> {
    let word = "(exchange|mixing_service|mention|a word, another|)";
    let confidence = "(|web_crawl|ownership)";
    let day = "(|2021-04-21|2009-01-03)";
    let place = 0..ADDRESSES.len();
    (place, text(), text(), text(), word, confidence, day).prop_map(
        |(place, label, source, actor, category, confidence, day)| {
            let (chain, address) = ADDRESSES[place];
            [
                address.into(),
                chain.into(),
                label,
                source,
                actor,
                category,
                confidence,
                day,
            ]
        },
    )
}

fn pack(rows: &[[String; 8]]) -> Pack {
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record([
            "address",
            "chain",
            "label",
            "source",
            "actor",
            "category",
            "confidence",
            "as_of",
        ])
        .unwrap();
    for row in rows {
        table.write_record(row).unwrap();
    }
    let table = table.into_inner().unwrap();
    let pack = read("pack", |reader| reader.csv(&table[..])).unwrap();
    assert!(pack.refused.is_empty(), "{:?}", pack.refused);
    pack
}

proptest! {
    #[test]
    fn a_tagpack_that_was_written_reads_as_the_same_labels(rows in vec(row(), 0..12)) {
        let pack = pack(&rows);
        let written = pack.to_tagpack();
        let read = read("pack", |reader| reader.tagpack(written.as_bytes()));
        let read = read.map_err(|refusal| TestCaseError::fail(format!("{refusal}\n{written:?}")))?;
        prop_assert!(read.refused.is_empty(), "{:?}\n{}", read.refused, written);
        prop_assert_eq!(read.labels().collect::<Vec<_>>(), pack.labels().collect::<Vec<_>>());
        prop_assert_eq!(read.to_tagpack(), written);
    }

    #[test]
    fn what_is_kept_reads_as_the_same_labels(rows in vec(row(), 0..12)) {
        let pack = pack(&rows);
        let read = Pack::from_bytes(&pack.to_bytes()).unwrap();
        prop_assert_eq!(read.labels().collect::<Vec<_>>(), pack.labels().collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..300), text in any::<String>()) {
        for bytes in [&bytes[..], text.as_bytes()] {
            let _ = read("x", |reader| reader.tagpack(bytes));
            let _ = read("x", |reader| reader.csv(bytes));
            let _ = read("x", |reader| reader.ofac(bytes));
            let _ = Pack::from_bytes(bytes);
        }
    }

    #[test]
    fn every_label_is_found_by_its_address(rows in vec(row(), 1..30)) {
        use hansel_heuristics::Labels as _;
        let pack = pack(&rows);
        let all: Vec<_> = pack.labels().map(|(address, label)| (address.to_owned(), label)).collect();
        let book = LabelBook::new(vec![pack]);
        for (address, label) in all {
            let on: Vec<_> = chains().iter().map(|chain| chain.name().to_owned()).collect();
            let chain = if label.network == "evm" { &on[2] } else { &label.network };
            prop_assert!(book.lookup(chain, &address).contains(&label));
        }
    }
}
