//! Messages wait in order until they are removed, and are kept with the case that they speak of or not at all.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod scenario;

use hansel_store::{Ending, Message, Store, StoreError};
use rocksdb::{DB, Options};
use scenario::*;

fn waiting(store: &Store) -> Vec<(u64, String)> {
    let messages = store.messages::<String>(0).map(Result::unwrap);
    messages.map(|one| (one.number, one.content)).collect()
}

fn said(numbered: &[(u64, &str)]) -> Vec<(u64, String)> {
    let own = |(number, text): &(u64, &str)| (*number, (*text).to_owned());
    numbered.iter().map(own).collect()
}

#[test]
fn messages_wait_in_the_order_of_their_cases_until_they_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    store
        .put_watched_case("one", "case", &Ending::default(), "watch", &["a", "b"])
        .unwrap();
    store
        .put_watched_case("two", "case", &Ending::default(), "watch", &["c"])
        .unwrap();
    assert_eq!(waiting(&store), said(&[(0, "a"), (1, "b"), (2, "c")]));
    store.remove_message(1).unwrap();
    let changed = Message {
        number: 0,
        content: "a, said to one",
    };
    store.put_message(&changed).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(waiting(&store), said(&[(0, "a, said to one"), (2, "c")]));
    store
        .put_watched_case("one", "case", &Ending::default(), "watch", &["d"])
        .unwrap();
    assert_eq!(waiting(&store).last(), said(&[(3, "d")]).last());
}

#[test]
fn a_case_is_kept_with_its_watch_and_its_messages_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let refused = store.put_watched_case("Not A Name", "case", &Ending::default(), "watch", &["a"]);
    assert!(matches!(refused, Err(StoreError::CaseName(_))));
    assert_eq!(waiting(&store), []);
    store
        .put_watched_case("one", "case", &Ending::default(), "watch", &["a"])
        .unwrap();
    let case: Option<String> = store.case("one").unwrap();
    let watch: Option<String> = store.watch("one").unwrap();
    assert_eq!(
        (case.as_deref(), watch.as_deref()),
        (Some("case"), Some("watch"))
    );
    assert!(store.remove_case("one").unwrap());
    assert_eq!(store.watch::<String>("one").unwrap(), None);
    assert_eq!(waiting(&store), said(&[(0, "a")]), "it was not delivered");
}

#[test]
fn a_block_that_was_forgotten_is_known_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(dir.path());
    let cursor = hansel_store::Cursor {
        tip: block(700),
        state: hansel_store::CursorState::Complete,
        scanned: None,
        follows: false,
    };
    store.put_cursor(&bitcoin(), "one", &cursor).unwrap();
    let known = || store.known_block(&bitcoin(), 700).unwrap();
    assert_eq!(known(), Some(block(700).hash));
    store.forget_from(&bitcoin(), 700).unwrap();
    assert_eq!(known(), None);
}

#[test]
fn a_store_from_before_there_were_messages_is_read_and_written_as_ever() {
    let dir = tempfile::tempdir().unwrap();
    let first = store(dir.path());
    first.put_case("one", "case").unwrap();
    drop(first);
    let options = Options::default();
    let database = dir.path().join("rocksdb");
    let mut old = DB::open_cf(
        &options,
        &database,
        DB::list_cf(&options, &database).unwrap(),
    )
    .unwrap();
    old.drop_cf("watches").unwrap();
    old.drop_cf("outbox").unwrap();
    drop(old);
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(
        reader.case::<String>("one").unwrap().as_deref(),
        Some("case")
    );
    assert_eq!(waiting(&reader), []);
    assert_eq!(reader.watch::<String>("one").unwrap(), None);
    drop(reader);
    let writer = Store::open(dir.path()).unwrap();
    writer
        .put_watched_case("one", "case", &Ending::default(), "watch", &["a"])
        .unwrap();
    assert_eq!(waiting(&writer), said(&[(0, "a")]));
}
