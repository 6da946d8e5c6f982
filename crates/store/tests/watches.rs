//! What cases watch, how far chains were read for them, and which are due.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use hansel_ledger::{BlockRef, Chain, UnixTime};
use hansel_store::{Cursor, CursorState, Ended, Ending, Store, Watch, Watcher};
use tempfile::TempDir;

fn block(height: u64) -> BlockRef {
    BlockRef {
        height,
        hash: BlockHash::hash(&height.to_be_bytes()),
        time: UnixTime(height),
    }
}

fn cursor(tip: u64) -> Cursor {
    Cursor {
        tip: block(tip),
        state: CursorState::Complete,
        scanned: None,
        follows: true,
    }
}

fn watch(key: &str) -> Watch {
    Watch {
        key: key.into(),
        note: format!("of {key}"),
    }
}

fn ending(part: Ended<'_>) -> Ending<'_> {
    Ending {
        parts: vec![part],
        because: None,
    }
}

/// Ends a run of a case at a block.
fn end(store: &Store, name: &str, tip: u64, keys: &[&str]) {
    let chain = Chain::bitcoin();
    let part = Ended {
        chain: &chain,
        cursor: cursor(tip),
        watches: keys.iter().map(|key| watch(key)).collect(),
    };
    store.end_case(name, &"report", &ending(part)).unwrap();
}

fn watching(store: &Store, key: &str) -> BTreeSet<String> {
    let watchers = store.watchers(&Chain::bitcoin(), key.as_bytes()).unwrap();
    let noted = |one: &Watcher| assert_eq!(one.note, format!("of {key}"));
    watchers.iter().for_each(noted);
    watchers.into_iter().map(|one| one.case).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn reach(store: &Store, name: &str) -> u64 {
    let reach = store.reach(&Chain::bitcoin(), name).unwrap();
    reach.unwrap().height
}

fn pass(store: &Store, through: u64, due: &[&str]) {
    let due: BTreeMap<_, _> = due
        .iter()
        .map(|name| ((*name).to_owned(), "touched".to_owned()))
        .collect();
    let recent = [block(through - 1), block(through)];
    store
        .put_pass(&Chain::bitcoin(), &block(through), &recent, &due)
        .unwrap();
}

fn store() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let genesis = block(0).hash;
    store.register_chain(&Chain::bitcoin(), genesis).unwrap();
    (dir, store)
}

#[test]
fn what_a_case_watches_is_found_by_its_key_and_replaced_as_a_whole() {
    let (_dir, store) = store();
    end(&store, "a", 10, &["x", "y"]);
    end(&store, "b", 10, &["y"]);
    assert_eq!(watching(&store, "x"), names(&["a"]));
    assert_eq!(watching(&store, "y"), names(&["a", "b"]));
    let watched = store.watched(&Chain::bitcoin());
    let keys: Result<BTreeSet<_>, _> = watched.map(|watch| watch.map(|watch| watch.key)).collect();
    assert_eq!(
        keys.unwrap(),
        BTreeSet::from([b"x".to_vec(), b"y".to_vec()])
    );
    assert_eq!(watching(&store, "z"), names(&[]));
    let asked: BTreeSet<Vec<u8>> = ["a", "x", "y", "z"].map(|key| key.into()).into();
    let mut found = store.watched_among(&Chain::bitcoin(), &asked).unwrap();
    found.sort();
    assert_eq!(found, [b"x".to_vec(), b"y".to_vec()]);
    end(&store, "a", 11, &["z"]);
    assert_eq!(watching(&store, "x"), names(&[]));
    assert_eq!(watching(&store, "y"), names(&["b"]));
    let of_case = store.watches_of(&Chain::bitcoin(), "a").unwrap();
    assert_eq!(of_case, [watch("z")]);
    assert!(store.remove_case("a").unwrap());
    assert_eq!(watching(&store, "z"), names(&[]));
}

#[test]
fn one_row_moves_every_case_on_but_those_that_are_due() {
    let (_dir, store) = store();
    for name in ["a", "b"] {
        end(&store, name, 10, &["x"]);
    }
    pass(&store, 12, &["b"]);
    assert_eq!((reach(&store, "a"), reach(&store, "b")), (12, 10));
    end(&store, "c", 13, &["x"]);
    pass(&store, 15, &["b"]);
    let reached = ["a", "b", "c"].map(|name| reach(&store, name));
    assert_eq!(reached, [15, 10, 15]);
    let due = store.due("b").unwrap().unwrap();
    assert_eq!(due.because, "touched");
    end(&store, "b", 15, &["x"]);
    assert_eq!(store.due("b").unwrap(), None);
    assert_eq!(reach(&store, "b"), 15);
}

#[test]
fn a_case_that_is_traced_to_an_earlier_block_than_was_read_for_all_is_due() {
    let (_dir, store) = store();
    end(&store, "a", 10, &["x"]);
    pass(&store, 20, &[]);
    end(&store, "late", 15, &["y"]);
    let due = store.due("late").unwrap().unwrap();
    assert!(due.because.contains("read further"), "{due:?}");
    assert_eq!(reach(&store, "late"), 15);
}

#[test]
fn a_case_that_does_not_follow_stays_where_it_is() {
    let (_dir, store) = store();
    end(&store, "a", 10, &["x"]);
    let chain = Chain::bitcoin();
    let cursor = Cursor {
        follows: false,
        ..cursor(5)
    };
    let part = Ended {
        chain: &chain,
        cursor,
        watches: Vec::new(),
    };
    store.end_case("fixed", &"report", &ending(part)).unwrap();
    pass(&store, 12, &[]);
    assert_eq!(reach(&store, "fixed"), 5);
    assert_eq!(store.due("fixed").unwrap(), None);
}

#[test]
fn a_run_that_begins_makes_its_case_due_until_it_ends() {
    let (_dir, store) = store();
    let chain = Chain::bitcoin();
    let begun = cursor(10);
    let begin = || store.begin_case("a", &"asked", Some((&chain, &begun)));
    begin().unwrap();
    assert_eq!(store.all_due().unwrap().len(), 1);
    end(&store, "a", 10, &["x"]);
    assert!(store.all_due().unwrap().is_empty());
}

#[test]
fn a_reorganisation_makes_the_cases_due_that_were_traced_into_it() {
    let (_dir, store) = store();
    for (name, tip) in [("a", 10), ("b", 12), ("c", 14)] {
        end(&store, name, tip, &["x"]);
    }
    store.forget_from(&Chain::bitcoin(), 12).unwrap();
    let due = store.all_due().unwrap();
    let due: BTreeSet<String> = due.into_keys().collect();
    assert_eq!(due, names(&["b", "c"]));
}

/// Whoever forgets may be killed before it reads the chain again, or be a trace that reads nothing for others.
#[test]
fn after_a_reorganisation_only_what_is_below_it_counts_as_read_for_all() {
    let (_dir, store) = store();
    end(&store, "a", 10, &["x"]);
    pass(&store, 20, &[]);
    store.forget_from(&Chain::bitcoin(), 20).unwrap();
    let sound = || store.sound_through(&Chain::bitcoin()).unwrap();
    assert_eq!((sound(), reach(&store, "a")), (Some(19), 10));
    end(&store, "new", 20, &["x"]);
    assert_eq!(store.due("new").unwrap(), None);
    store.forget_from(&Chain::bitcoin(), 12).unwrap();
    assert_eq!(sound(), Some(10));
    pass(&store, 15, &[]);
    assert_eq!((sound(), reach(&store, "a")), (None, 15));
}

#[test]
fn all_cases_of_a_store_of_the_format_before_are_due() {
    let (dir, store) = store();
    for name in ["a", "b"] {
        end(&store, name, 10, &["x"]);
    }
    drop(store);
    fs::write(dir.path().join("hansel-store"), "hansel-store/1\n").unwrap();
    let due = Store::open(dir.path()).unwrap().all_due().unwrap();
    assert_eq!(due.len(), 2);
    let marker = fs::read_to_string(dir.path().join("hansel-store")).unwrap();
    assert_eq!(marker, "hansel-store/2\n");
}
