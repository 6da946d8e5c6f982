//! Evidence, cases, cursors and networks go in and out unchanged; hostile rows are named, never believed.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod scenario;

use std::path::Path;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use hansel_ledger::{Answer, Evidence, Fact, Placement, UnixTime};
use hansel_store::{Cursor, CursorState, EvidenceHash, Store, StoreError};
use rocksdb::{DB, IteratorMode, Options};
use scenario::*;
use tempfile::TempDir;

const COLUMNS: [&str; 15] = [
    "default",
    "chains",
    "evidence",
    "provenance",
    "statements",
    "heights",
    "headers",
    "cases",
    "cursors",
    "watches",
    "outbox",
    "passes",
    "watched",
    "watchers",
    "due",
];

/// Opens the database behind the store's back.
fn raw(dir: &Path) -> DB {
    DB::open_cf(&Options::default(), dir.join("rocksdb"), COLUMNS).unwrap()
}

/// Replaces the value of every row of a column family.
fn overwrite(dir: &Path, column: &str, change: impl Fn(&[u8]) -> Vec<u8>) {
    let db = raw(dir);
    let family = db.cf_handle(column).unwrap();
    for row in db.iterator_cf(family, IteratorMode::Start) {
        let (key, value) = row.unwrap();
        db.put_cf(family, key, change(&value)).unwrap();
    }
}

fn theft() -> Fact {
    Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))))
}

#[test]
fn evidence_comes_back_as_it_was_received_in_the_order_of_the_requests() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    let query = ask_transaction("theft");
    let sent = vec![evidence("second"), evidence("first"), evidence("second")];
    let answer = Answer {
        fact: theft(),
        evidence: sent.clone(),
    };
    store
        .put_answer(&bitcoin(), &query, &answer, &block(100), NOW)
        .unwrap();
    drop(store);

    let store = Store::open_read_only(dir.path()).unwrap();
    let records = store.evidence_of(&bitcoin(), &query).unwrap();
    let bodies: Vec<_> = records.iter().map(|record| record.body.clone()).collect();
    assert_eq!(bodies, [b"second".to_vec(), b"first".to_vec()]);
    assert_eq!(records[0].endpoint, sent[0].endpoint);
    assert_eq!(records[0].request, sent[0].request);
    assert_eq!(records[0].at, NOW);
    assert_eq!(records[0].sha256, EvidenceHash::of(b"second"));
    assert_eq!(
        store
            .evidence_of(&bitcoin(), &ask_transaction("other"))
            .unwrap(),
        []
    );
}

#[test]
fn a_body_given_twice_is_kept_once_with_everybody_who_gave_it_first() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    for (endpoint, at) in [("a.example", 5), ("b.example", 6), ("a.example", 7)] {
        let one = Evidence {
            endpoint: endpoint.into(),
            request: "GET /tx".into(),
            body: b"body".to_vec(),
        };
        let answer = Answer {
            fact: theft(),
            evidence: vec![one],
        };
        store
            .put_answer(
                &bitcoin(),
                &ask_transaction("theft"),
                &answer,
                &block(100),
                UnixTime(at),
            )
            .unwrap();
    }
    let others = Answer {
        fact: theft(),
        evidence: (0..20).map(|n| evidence(&n.to_string())).collect(),
    };
    store
        .put_answer(
            &bitcoin(),
            &ask_transaction("theft"),
            &others,
            &block(100),
            NOW,
        )
        .unwrap();
    let mut records = store.evidence(&EvidenceHash::of(b"body")).unwrap();
    records.sort_by_key(|record| record.at);
    let origins: Vec<_> = records
        .iter()
        .map(|one| (one.endpoint.as_str(), one.at.0))
        .collect();
    assert_eq!(origins, [("a.example", 5), ("b.example", 6)]);
    assert_eq!(store.evidence(&EvidenceHash::of(b"other")).unwrap(), []);
    drop(store);
    let db = raw(dir.path());
    let bodies = db.iterator_cf(db.cf_handle("evidence").unwrap(), IteratorMode::Start);
    assert_eq!(bodies.count(), 1 + 20);
}

#[test]
fn cases_are_kept_listed_in_order_and_removed_with_their_cursors() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    let cursor = Cursor {
        tip: block(120),
        state: CursorState::Running,
        scanned: None,
        follows: false,
    };
    for name in ["wazirx", "dmm-bitcoin", "a.b_c-1"] {
        store.put_case(name, &vec![name, "subject"]).unwrap();
        store.put_cursor(&bitcoin(), name, &cursor).unwrap();
    }
    assert_eq!(store.cases().unwrap(), ["a.b_c-1", "dmm-bitcoin", "wazirx"]);
    let case: Option<Vec<String>> = store.case("wazirx").unwrap();
    assert_eq!(case.unwrap(), ["wazirx", "subject"]);
    assert_eq!(store.cursor(&bitcoin(), "wazirx").unwrap(), Some(cursor));
    let complete = Cursor {
        state: CursorState::Complete,
        ..cursor
    };
    store.put_cursor(&bitcoin(), "wazirx", &complete).unwrap();
    assert_eq!(store.cursor(&bitcoin(), "wazirx").unwrap(), Some(complete));

    assert!(store.remove_case("wazirx").unwrap());
    assert!(!store.remove_case("wazirx").unwrap());
    assert_eq!(store.case::<Vec<String>>("wazirx").unwrap(), None);
    assert_eq!(store.cursor(&bitcoin(), "wazirx").unwrap(), None);
    assert_eq!(
        store.cursor(&bitcoin(), "dmm-bitcoin").unwrap(),
        Some(cursor)
    );
    assert_eq!(store.statistics().unwrap().cases, 2);
}

#[test]
fn a_case_name_that_is_not_one_is_refused_without_echoing_control_characters() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    let long = "a".repeat(101);
    for name in [
        "",
        "DMM",
        "a b",
        "../x",
        "a/b",
        "é",
        "\u{1b}[31m",
        long.as_str(),
    ] {
        let refused = store.put_case(name, &1).unwrap_err();
        assert!(matches!(refused, StoreError::CaseName(_)), "{name}");
        assert!(!refused.to_string().contains('\u{1b}'));
        assert!(store.case::<u8>(name).is_err());
        assert!(store.cursor(&bitcoin(), name).is_err());
        assert!(store.remove_case(name).is_err());
    }
    store.put_case(&"a".repeat(100), &1).unwrap();
}

#[test]
fn a_cursor_under_a_block_of_another_branch_is_refused() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    let cursor = |tip| Cursor {
        tip,
        state: CursorState::Running,
        scanned: None,
        follows: false,
    };
    store
        .put_cursor(&bitcoin(), "dmm", &cursor(block(120)))
        .unwrap();
    let refused = store.put_cursor(&bitcoin(), "dmm", &cursor(block_on("other", 120)));
    assert!(matches!(
        refused,
        Err(StoreError::ConflictingBlock { height: 120, .. })
    ));
    assert_eq!(
        store.cursor(&bitcoin(), "dmm").unwrap(),
        Some(cursor(block(120)))
    );
}

#[test]
fn a_chain_of_another_network_is_refused_under_the_same_name() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    store.register_chain(&bitcoin(), genesis()).unwrap();
    let refused = store
        .register_chain(&bitcoin(), BlockHash::hash(b"other"))
        .unwrap_err();
    assert!(matches!(refused, StoreError::OtherNetwork { .. }));
    assert!(
        refused.to_string().contains("belongs to another network"),
        "{refused}"
    );
    assert!(refused.hint().is_some());
}

#[test]
fn two_chain_names_with_one_key_are_told_apart() {
    let dir = TempDir::new().unwrap();
    drop(store(dir.path()));
    // Nobody has two names whose SHA-256 share eight bytes, so the stored name is changed instead.
    overwrite(dir.path(), "chains", |row| {
        String::from_utf8_lossy(row)
            .replace("\"bitcoin\"", "\"nioctib\"")
            .into_bytes()
    });
    let store = Store::open(dir.path()).unwrap();
    let refused = store.register_chain(&bitcoin(), genesis()).unwrap_err();
    assert!(
        matches!(refused, StoreError::ChainCollision { .. }),
        "{refused:?}"
    );
}

/// Damages a column family and gives the error that reading the theft, a case and a cursor then ends in.
fn after_damage(column: &str, change: impl Fn(&[u8]) -> Vec<u8>) -> StoreError {
    let dir = TempDir::new().unwrap();
    let writer = store(dir.path());
    put(&writer, &ask_transaction("theft"), theft(), 120);
    writer.put_case("dmm", &vec!["subject"]).unwrap();
    let cursor = Cursor {
        tip: block(120),
        state: CursorState::Running,
        scanned: None,
        follows: false,
    };
    writer.put_cursor(&bitcoin(), "dmm", &cursor).unwrap();
    drop(writer);
    overwrite(dir.path(), column, change);
    let store = Store::open(dir.path()).unwrap();
    let read = || {
        store.register_chain(&bitcoin(), genesis())?;
        store.answer(&bitcoin(), &ask_transaction("theft"), &block(120))?;
        store.evidence_of(&bitcoin(), &ask_transaction("theft"))?;
        store.case::<Vec<String>>("dmm")?;
        store.cursor(&bitcoin(), "dmm")
    };
    read().unwrap_err()
}

#[test]
fn rows_that_were_tampered_with_are_named_by_column_and_key() {
    let truncated = |row: &[u8]| row[..row.len() / 2].to_vec();
    let later = |row: &[u8]| {
        String::from_utf8_lossy(row)
            .replace("\"v\":1", "\"v\":2")
            .into_bytes()
    };
    let noise = |_: &[u8]| vec![0xff, 0x00, 0x1b];
    let empty = |_: &[u8]| Vec::new();
    let nested = |_: &[u8]| [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for column in ["chains", "provenance", "statements", "cases", "cursors"] {
        let errors = [
            after_damage(column, truncated),
            after_damage(column, later),
            after_damage(column, noise),
            after_damage(column, empty),
            after_damage(column, nested),
        ];
        for error in errors {
            let StoreError::BadRow {
                column: named, key, ..
            } = &error
            else {
                panic!("{column}: {error:?}")
            };
            assert_eq!(*named, column);
            assert!(!key.is_empty() && key.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(error.hint().is_some());
            assert!(
                error
                    .to_string()
                    .bytes()
                    .all(|b| b.is_ascii_graphic() || b == b' ')
            );
        }
    }
    let version = after_damage("statements", later).to_string();
    assert!(
        version.contains("its version is 2, this program reads 1"),
        "{version}"
    );
}

#[test]
fn a_statement_of_another_transaction_than_its_key_is_not_believed() {
    let (theft, other) = (txid("theft").to_string(), txid("other").to_string());
    let error = after_damage("statements", |row| {
        String::from_utf8_lossy(row)
            .replace(&theft, &other)
            .into_bytes()
    });
    assert!(error.to_string().contains("another transaction"), "{error}");
}

#[test]
fn a_body_that_no_longer_has_its_hash_is_not_handed_out() {
    let error = after_damage("evidence", |body| [body, b"!"].concat());
    assert!(
        error.to_string().contains("does not have the hash"),
        "{error}"
    );
    let header = after_damage("headers", |_| b"short".to_vec());
    assert!(matches!(
        header,
        StoreError::BadRow {
            column: "headers",
            ..
        }
    ));
}
