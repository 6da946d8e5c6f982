//! What the cache answers: what a source would under the pinned tip, or nothing.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod scenario;

use bitcoin::OutPoint;
use hansel_ledger::{Fact, Gap, Placement, Query, SpendState};
use hansel_store::{Store, StoreError};
use proptest::prelude::*;
use scenario::*;
use tempfile::TempDir;

fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path());
    (dir, store)
}

fn unknown() -> SpendState {
    SpendState::Unknown {
        gap: Gap::SpendUnknown {
            reason: "no index".into(),
        },
    }
}

#[test]
fn a_confirmed_transaction_answers_under_every_tip_that_has_its_block() {
    let (_dir, store) = fresh();
    let fact = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    put(&store, &ask_transaction("theft"), fact.clone(), 120);
    for tip in [100, 120, 500] {
        assert_eq!(
            read(&store, &ask_transaction("theft"), tip),
            Some(fact.clone()),
            "{tip}"
        );
    }
    assert_eq!(read(&store, &ask_transaction("theft"), 99), None);
    assert_eq!(read(&store, &ask_transaction("other"), 120), None);
}

#[test]
fn a_transaction_without_block_answers_only_under_the_tip_it_was_seen_under() {
    let (_dir, store) = fresh();
    for (name, placement) in [("a", Placement::Unconfirmed), ("b", Placement::Unknown)] {
        let fact = Fact::Transaction(transaction(name, placement));
        put(&store, &ask_transaction(name), fact.clone(), 120);
        assert_eq!(read(&store, &ask_transaction(name), 120), Some(fact));
        assert_eq!(read(&store, &ask_transaction(name), 121), None);
    }
}

#[test]
fn a_transaction_with_unknown_inputs_is_asked_again_under_a_new_tip() {
    let (_dir, store) = fresh();
    let full = transaction("theft", Placement::Confirmed(block(100)));
    let mut poor = full.clone();
    poor.inputs[0].spent = None;
    let query = ask_transaction("theft");
    put(&store, &query, Fact::Transaction(poor.clone()), 120);
    assert_eq!(
        read(&store, &query, 120),
        Some(Fact::Transaction(poor.clone()))
    );
    assert_eq!(read(&store, &query, 121), None);
    put(&store, &query, Fact::Transaction(full.clone()), 121);
    put(&store, &query, Fact::Transaction(poor), 122);
    assert_eq!(read(&store, &query, 122), Some(Fact::Transaction(full)));
}

#[test]
fn a_confirmed_transaction_is_not_lost_to_a_source_that_does_not_know_its_block() {
    let (_dir, store) = fresh();
    let query = ask_transaction("theft");
    let confirmed = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    let unknown = Fact::Transaction(transaction("theft", Placement::Unknown));
    put(&store, &query, unknown.clone(), 119);
    put(&store, &query, confirmed.clone(), 120);
    put(&store, &query, unknown, 121);
    assert_eq!(read(&store, &query, 121), Some(confirmed));
}

#[test]
fn spends_answer_only_where_every_output_asked_for_is_known() {
    let (_dir, store) = fresh();
    let first = spends("theft", 120, &[(0, spent("hop", 110))]);
    put(&store, &ask_spends("theft", &[0], 120), first, 120);
    let second = spends("theft", 120, &[(2, SpendState::Unspent)]);
    put(&store, &ask_spends("theft", &[2], 120), second, 120);
    let both = ask_spends("theft", &[0, 2], 120);
    let expected = spends(
        "theft",
        120,
        &[(0, spent("hop", 110)), (2, SpendState::Unspent)],
    );
    assert_eq!(read(&store, &both, 120), Some(expected));
    assert_eq!(read(&store, &ask_spends("theft", &[0, 1], 120), 120), None);
}

#[test]
fn a_spend_answers_later_tips_and_reads_as_unspent_before_its_block() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask_spends("theft", &[0], 120),
        spends("theft", 120, &[(0, spent("hop", 110))]),
        120,
    );
    for as_of in [110, 120, 130] {
        let expected = spends("theft", as_of, &[(0, spent("hop", 110))]);
        assert_eq!(
            read(&store, &ask_spends("theft", &[0], as_of), as_of),
            Some(expected)
        );
    }
    let before = spends("theft", 109, &[(0, SpendState::Unspent)]);
    assert_eq!(
        read(&store, &ask_spends("theft", &[0], 109), 109),
        Some(before)
    );
}

#[test]
fn an_unspent_output_is_asked_again_under_a_later_tip() {
    let (_dir, store) = fresh();
    let query = ask_spends("theft", &[0, 1], 120);
    let mempool = SpendState::SpentUnconfirmed { by: txid("hop") };
    let fact = spends("theft", 120, &[(0, SpendState::Unspent), (1, mempool)]);
    put(&store, &query, fact.clone(), 120);
    assert_eq!(read(&store, &query, 120), Some(fact));
    assert_eq!(read(&store, &ask_spends("theft", &[0], 121), 121), None);
    assert_eq!(read(&store, &ask_spends("theft", &[1], 121), 121), None);
    let elsewhere = store
        .answer(&bitcoin(), &query, &block_on("other", 120))
        .unwrap();
    assert_eq!(elsewhere, None);
}

#[test]
fn an_older_case_still_finds_its_unspent_outputs_after_a_newer_run() {
    let (_dir, store) = fresh();
    let old = ask_spends("theft", &[0], 120);
    let unspent = |as_of| spends("theft", as_of, &[(0, SpendState::Unspent)]);
    put(&store, &old, unspent(120), 120);
    put(&store, &ask_spends("theft", &[0], 150), unspent(150), 150);
    assert_eq!(read(&store, &old, 120), Some(unspent(120)));
    // A tip that the store never saw may be on another branch, so nothing follows from the later row.
    assert_eq!(read(&store, &ask_spends("theft", &[0], 130), 130), None);
    put(&store, &old, unspent(120), 120);
    assert_eq!(
        read(&store, &ask_spends("theft", &[0], 150), 150),
        Some(unspent(150))
    );
}

#[test]
fn what_a_source_could_not_tell_is_never_a_hit_and_hides_nothing() {
    let (_dir, store) = fresh();
    let query = ask_spends("theft", &[0], 120);
    put(&store, &query, spends("theft", 120, &[(0, unknown())]), 120);
    assert_eq!(read(&store, &query, 120), None);
    assert_eq!(store.evidence_of(&bitcoin(), &query).unwrap().len(), 1);
    let known = spends("theft", 120, &[(0, spent("hop", 110))]);
    put(&store, &query, known.clone(), 120);
    put(&store, &query, spends("theft", 120, &[(0, unknown())]), 120);
    assert_eq!(read(&store, &query, 120), Some(known));
}

#[test]
fn receipts_answer_the_same_script_start_and_tip() {
    let (_dir, store) = fresh();
    let ask = |since, as_of| Query::Received {
        script: script(),
        since,
        as_of,
    };
    let paid = |name: &str, height| (OutPoint::new(txid(name), 0), height);
    let fact = Fact::Received(vec![paid("a", 100), paid("b", 115)]);
    put(
        &store,
        &ask(90, 110),
        Fact::Received(vec![paid("a", 100)]),
        110,
    );
    put(&store, &ask(90, 120), fact.clone(), 120);
    assert_eq!(read(&store, &ask(90, 120), 120), Some(fact));
    assert_eq!(read(&store, &ask(91, 120), 120), None);
    assert_eq!(read(&store, &ask(90, 121), 121), None);
    let earlier = Fact::Received(vec![paid("a", 100)]);
    assert_eq!(read(&store, &ask(90, 110), 110), Some(earlier));
}

#[test]
fn a_fact_that_does_not_answer_the_query_is_refused_and_nothing_is_written() {
    let (_dir, store) = fresh();
    let theft = transaction("theft", Placement::Confirmed(block(100)));
    let wrong = [
        (ask_transaction("other"), Fact::Transaction(theft)),
        (ask_transaction("theft"), spends("theft", 120, &[])),
        (
            ask_spends("theft", &[0], 120),
            spends("theft", 121, &[(0, SpendState::Unspent)]),
        ),
        (
            ask_spends("theft", &[0], 120),
            spends("theft", 120, &[(1, SpendState::Unspent)]),
        ),
        (
            Query::Received {
                script: script(),
                since: 5,
                as_of: 9,
            },
            Fact::Received(vec![(OutPoint::null(), 10)]),
        ),
    ];
    for (query, fact) in wrong {
        let refused = store.put_answer(&bitcoin(), &query, &answer(fact), &block(120), NOW);
        assert!(
            matches!(refused, Err(StoreError::WrongAnswer { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(store.statistics().unwrap(), Default::default());
}

#[test]
fn a_block_of_another_branch_is_refused_and_nothing_is_written() {
    let (_dir, store) = fresh();
    let confirmed = Fact::Transaction(transaction("a", Placement::Confirmed(block(100))));
    put(&store, &ask_transaction("a"), confirmed, 120);
    let before = store.statistics().unwrap();
    let stray = Fact::Transaction(transaction(
        "b",
        Placement::Confirmed(block_on("other", 100)),
    ));
    let attempts = [
        (block(121), stray.clone()),
        (
            block_on("other", 120),
            Fact::Transaction(transaction("b", Placement::Unknown)),
        ),
        (block(100), stray),
    ];
    for (tip, fact) in attempts {
        let refused = store.put_answer(&bitcoin(), &ask_transaction("b"), &answer(fact), &tip, NOW);
        let Err(error @ StoreError::ConflictingBlock { .. }) = refused else {
            panic!("{refused:?}")
        };
        assert!(error.hint().is_some());
    }
    assert_eq!(store.statistics().unwrap(), before);
}

#[test]
fn a_reorganisation_forgets_exactly_what_speaks_of_the_lost_blocks() {
    let (_dir, store) = fresh();
    for height in [99, 100, 101] {
        let name = format!("at {height}");
        let fact = Fact::Transaction(transaction(&name, Placement::Confirmed(block(height))));
        put(&store, &ask_transaction(&name), fact, 101);
        let fact = spends(
            &name,
            101,
            &[(0, spent("hop", height)), (1, SpendState::Unspent)],
        );
        put(&store, &ask_spends(&name, &[0, 1], 101), fact, 101);
    }
    put(
        &store,
        &ask_transaction("mempool"),
        Fact::Transaction(transaction("mempool", Placement::Unconfirmed)),
        101,
    );
    let heights = |store: &Store| -> Vec<u64> {
        store
            .known_headers(&bitcoin())
            .map(|header| header.unwrap().0)
            .collect()
    };
    assert_eq!(heights(&store), [101, 100, 99]);
    let before = store.statistics().unwrap();

    let forgotten = store.forget_from(&bitcoin(), 100).unwrap();

    assert_eq!(
        (forgotten.headers, forgotten.statements),
        (2, 2 + 2 + 3 + 1)
    );
    assert_eq!(heights(&store), [99]);
    let after = store.statistics().unwrap();
    assert_eq!(after.evidence, before.evidence);
    assert_eq!(after.statements, 2);
    assert!(read(&store, &ask_transaction("at 99"), 101).is_some());
    assert!(read(&store, &ask_spends("at 99", &[0], 101), 101).is_some());
    for lost in ["at 100", "at 101", "mempool"] {
        assert_eq!(read(&store, &ask_transaction(lost), 101), None, "{lost}");
    }
    assert_eq!(read(&store, &ask_spends("at 99", &[1], 101), 101), None);
    assert_eq!(read(&store, &ask_spends("at 100", &[0], 101), 101), None);
    let moved = Fact::Transaction(transaction(
        "at 100",
        Placement::Confirmed(block_on("new", 102)),
    ));
    store
        .put_answer(
            &bitcoin(),
            &ask_transaction("at 100"),
            &answer(moved),
            &block_on("new", 103),
            NOW,
        )
        .unwrap();
}

#[test]
fn a_row_that_moved_to_another_height_is_not_forgotten_with_its_old_one() {
    let (_dir, store) = fresh();
    let query = ask_transaction("theft");
    put(
        &store,
        &query,
        Fact::Transaction(transaction("theft", Placement::Unconfirmed)),
        120,
    );
    let confirmed = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    put(&store, &query, confirmed.clone(), 121);
    assert_eq!(store.forget_from(&bitcoin(), 120).unwrap().statements, 0);
    assert_eq!(read(&store, &query, 130), Some(confirmed));
}

#[test]
fn a_fact_that_proved_false_is_forgotten_alone_and_its_evidence_stays() {
    let (_dir, store) = fresh();
    let fact = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    put(&store, &ask_transaction("theft"), fact.clone(), 120);
    let states = [(0, spent("liar", 110)), (1, spent("hop", 110))];
    let both = ask_spends("theft", &[0, 1], 120);
    put(&store, &both, spends("theft", 120, &states), 120);
    let before = store.statistics().unwrap();

    store
        .forget_spend(&bitcoin(), &OutPoint::new(txid("theft"), 0))
        .unwrap();
    assert_eq!(read(&store, &both, 120), None);
    let other = spends("theft", 120, &states[1..]);
    assert_eq!(
        read(&store, &ask_spends("theft", &[1], 120), 120),
        Some(other)
    );
    assert_eq!(read(&store, &ask_transaction("theft"), 120), Some(fact));

    store
        .forget_transaction(&bitcoin(), &txid("theft"))
        .unwrap();
    store
        .forget_transaction(&bitcoin(), &txid("never seen"))
        .unwrap();
    assert_eq!(read(&store, &ask_transaction("theft"), 120), None);
    let after = store.statistics().unwrap();
    assert_eq!(after.statements, before.statements - 2);
    assert_eq!(after.evidence, before.evidence);
}

#[test]
fn nothing_answers_under_a_tip_that_the_chain_has_left() {
    let (_dir, store) = fresh();
    let fact = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    put(&store, &ask_transaction("theft"), fact, 120);
    let left = store.answer(
        &bitcoin(),
        &ask_transaction("theft"),
        &block_on("other", 120),
    );
    assert_eq!(left.unwrap(), None);
}

#[test]
fn chains_with_different_names_share_nothing() {
    let (_dir, store) = fresh();
    let regtest = hansel_ledger::Chain::new("bitcoin-regtest", bitcoin().family().clone()).unwrap();
    let query = ask_transaction("theft");
    let unregistered = store.put_answer(
        &regtest,
        &query,
        &answer(Fact::Transaction(transaction("theft", Placement::Unknown))),
        &block(1),
        NOW,
    );
    assert!(matches!(unregistered, Err(StoreError::UnknownChain { .. })));
    store.register_chain(&regtest, block(0).hash).unwrap();
    let fact = Fact::Transaction(transaction("theft", Placement::Confirmed(block(100))));
    put(&store, &query, fact.clone(), 120);
    assert_eq!(store.answer(&regtest, &query, &block(120)).unwrap(), None);
    // Whichever chain's key sorts first, neither list runs on into the other.
    assert_eq!(store.known_headers(&regtest).count(), 0);
    let unseen = Fact::Transaction(transaction("theft", Placement::Unknown));
    store
        .put_answer(&regtest, &query, &answer(unseen), &block(7), NOW)
        .unwrap();
    let heights = |chain| -> Vec<u64> {
        let headers = store.known_headers(chain);
        headers.map(|header| header.unwrap().0).collect()
    };
    assert_eq!(heights(&regtest), [7]);
    assert_eq!(heights(&bitcoin()), [120, 100]);
    store.forget_from(&regtest, 7).unwrap();
    assert_eq!(store.forget_from(&regtest, 0).unwrap(), Default::default());
    assert_eq!(read(&store, &query, 120), Some(fact));
}

/// One output's true history, and what an honest source says of it at a height.
#[derive(Clone, Debug)]
struct Said {
    as_of: u64,
    knows: bool,
    mempool: bool,
}

fn honest(truth: Option<u64>, said: &Said) -> SpendState {
    match truth {
        _ if !said.knows => unknown(),
        Some(height) if height <= said.as_of => spent("hop", height),
        _ if said.mempool => SpendState::SpentUnconfirmed { by: txid("hop") },
        _ => SpendState::Unspent,
    }
}

fn said() -> impl Strategy<Value = Said> {
    let weights = (
        100_u64..110,
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.2),
    );
    weights.prop_map(|(as_of, knows, mempool)| Said {
        as_of,
        knows,
        mempool,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_cache_never_contradicts_the_chain_and_never_loses_what_it_was_told(
        histories in prop::collection::vec(history(), 1..20),
    ) {
        let (_dir, store) = fresh();
        for (name, (truth, told)) in histories.iter().enumerate() {
            for said in told {
                let fact = spends(&name.to_string(), said.as_of, &[(7, honest(*truth, said))]);
                let query = ask_spends(&name.to_string(), &[7], said.as_of);
                put(&store, &query, fact, said.as_of);
            }
        }
        for (name, (truth, told)) in histories.iter().enumerate() {
            for as_of in 97..113 {
                let found = read(&store, &ask_spends(&name.to_string(), &[7], as_of), as_of);
                check_against_history(found, *truth, told, as_of)?;
            }
        }
        // One output, told any number of times, is one fact with one place among the heights.
        let facts = u64::try_from(histories.len()).unwrap();
        prop_assert_eq!(store.statistics().unwrap().statements, facts);
        prop_assert_eq!(store.forget_from(&bitcoin(), 0).unwrap().statements, facts);
    }
}

fn history() -> impl Strategy<Value = (Option<u64>, Vec<Said>)> {
    (
        prop::option::of(98_u64..112),
        prop::collection::vec(said(), 1..12),
    )
}

fn check_against_history(
    found: Option<Fact>,
    truth: Option<u64>,
    told: &[Said],
    as_of: u64,
) -> Result<(), TestCaseError> {
    let told_here = told.iter().any(|said| said.knows && said.as_of == as_of);
    let Some(Fact::Spends(found)) = found else {
        prop_assert!(!told_here, "lost at {as_of}");
        return Ok(());
    };
    let spent_then = truth.filter(|height| *height <= as_of);
    match (&found.outputs[0].1, spent_then) {
        (SpendState::Spent { height, .. }, Some(then)) => prop_assert_eq!(*height, then),
        (SpendState::Unspent, None) => {}
        (SpendState::SpentUnconfirmed { .. }, None) => prop_assert!(told_here),
        (other, then) => prop_assert!(false, "{:?} but {:?} at {}", other, then, as_of),
    }
    Ok(())
}
