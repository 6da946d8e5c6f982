//! Tables.

use hansel_heuristics::EntityKind;

use crate::{GENESIS, POOL, csv, only_refusal};

const HEADER: &str = "address,chain,label,actor,category,source,confidence,as_of\n";

#[test]
fn a_table_is_read_by_its_header() {
    let text = format!(
        "{HEADER}{POOL},ethereum,\"Pool, 100 ETH\",tornado,mixing_service,https://example.org,service_data,2022-08-08\n{GENESIS},BTC,Satoshi,,,book,,\n"
    );
    let pack = csv(&text).unwrap();
    assert!(pack.refused.is_empty(), "{:?}", pack.refused);
    let labels: Vec<_> = pack.labels().collect();
    assert_eq!(labels[0].0, GENESIS);
    assert_eq!(labels[0].1.actor, None);
    assert_eq!(labels[0].1.confidence, "unknown");
    assert_eq!(labels[1].1.label, "Pool, 100 ETH");
    assert_eq!(labels[1].1.kind, EntityKind::Mixer);
    assert_eq!(labels[1].1.as_of.as_deref(), Some("2022-08-08"));
    let other_order = format!("label,source,chain,address\nSatoshi,book,BTC,{GENESIS}\n");
    assert_eq!(csv(&other_order).unwrap().len(), 1);
}

#[test]
fn a_header_that_is_missing_or_wrong_is_named() {
    for (text, says) in [
        (
            format!("{GENESIS},bitcoin,x,,,s,,\n"),
            "the header has a column",
        ),
        ("address,chain,label\n".into(), "lacks the column `source`"),
        (
            "address,chain,label,source,label\n".into(),
            "the column `label` twice",
        ),
        (String::new(), "lacks the column `address`"),
    ] {
        let refusal = csv(&text).unwrap_err().to_string();
        assert!(refusal.starts_with("file, line 1: "), "{refusal}");
        assert!(refusal.contains(says), "{refusal}");
    }
}

#[test]
fn a_bad_line_is_named_by_its_number_also_after_a_field_of_several_lines() {
    let text = format!("{HEADER}{GENESIS},bitcoin,\"two\nlines\",,,s,,\n0x12,ethereum,bad,,,s,,\n");
    let pack = csv(&text).unwrap();
    assert_eq!(pack.len(), 1);
    assert!(only_refusal(&pack).starts_with("file, line 4: `0x12` is neither"));
    let short = csv(&format!("{HEADER}{GENESIS},bitcoin,x\n")).unwrap_err();
    assert_eq!(
        short.to_string(),
        "file, line 2: 3 fields where the header has 8"
    );
    let latin = crate::read("table", |reader| {
        reader.csv(&[HEADER.as_bytes(), b"\xff,bitcoin,x,,,s,,\n"].concat()[..])
    });
    assert_eq!(latin.unwrap_err().to_string(), "file, line 2: not UTF-8");
}
