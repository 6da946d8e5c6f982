//! Facts of EVM chains: kept compactly, given back as they came, and only where they are still the answer.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod scenario;

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Arrival, Asset, BlockRef, Chain, Coin, Coverage,
    Creation, Deposits, Event, EvmFact, EvmNetwork, EvmPlacement, EvmQuery, EvmTransaction, Fact,
    Family, FoundLog, Gap, InternalTransfers, Logs, Movement, Noise, Origin, Query, Trade, topics,
};
use hansel_store::{Store, StoreError};
use proptest::prelude::*;
use rocksdb::{DB, IteratorMode, Options};
use scenario::{NOW, answer, block, block_on, genesis};
use tempfile::TempDir;

fn ethereum() -> Chain {
    let network = EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    };
    Chain::new("ethereum", Family::Evm(Arc::new(network))).unwrap()
}

fn open(dir: &Path) -> Store {
    let store = Store::open(dir).unwrap();
    store.register_chain(&ethereum(), genesis()).unwrap();
    store
}

fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path());
    (dir, store)
}

fn hash(name: &str) -> B256 {
    keccak256(name)
}

fn account(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

fn token() -> Coin {
    Coin::Token(account("token"))
}

fn placement(height: u64) -> EvmPlacement {
    EvmPlacement {
        block: block(height),
        index: 3,
    }
}

fn movement(origin: Origin, coin: Coin) -> Movement {
    Movement {
        origin,
        from: account("thief"),
        to: account("mule"),
        coin,
        amount: Amount::from(7),
    }
}

/// A transaction with something of everything.
fn transaction(name: &str, height: u64) -> EvmTransaction {
    EvmTransaction {
        hash: hash(name),
        placement: placement(height),
        sender: account("thief"),
        to: Some(account("router")),
        succeeded: true,
        fee: Amount::from(21_000),
        gas_price: None,
        movements: vec![
            movement(Origin::Call(vec![0, 2, 1]), Coin::Native),
            movement(Origin::Log(17), token()),
        ],
        created: vec![Creation {
            creator: account("thief"),
            contract: account("splitter"),
        }],
        executed: vec![account("router")],
        trades: vec![Trade {
            venue: account("venue"),
            owner: account("thief"),
            sold: token(),
            sold_amount: Amount::from(7),
            bought: Coin::Native,
            bought_amount: Amount::from(6),
        }],
        events: vec![Event {
            index: 18,
            address: account("router"),
            topics: vec![topics::THORCHAIN_DEPOSIT, hash("vault")],
            data: Bytes::from_static(b"\x00memo\xff"),
        }],
        carried: Bytes::from_static(b"=:b:bc1q"),
        noise: Noise {
            zero_value: 1,
            forged: 2,
            collectibles: 3,
            unreadable: 4,
        },
        internal: InternalTransfers::Known,
    }
}

fn arrival(name: &str, height: u64) -> Arrival {
    Arrival {
        tx: Some(hash(name)),
        placement: placement(height),
        origin: Origin::Log(4),
        from: Some(account("victim")),
        coin: token(),
        amount: Amount::from(9),
    }
}

fn withdrawal(height: u64) -> Arrival {
    Arrival {
        tx: None,
        origin: Origin::Withdrawal(1_000_000),
        from: None,
        coin: Coin::Native,
        ..arrival("", height)
    }
}

/// The statement of the thief's tokens over blocks 90 to `until`, with nothing missing.
fn statement(until: u64) -> AccountStatement {
    AccountStatement {
        address: account("thief"),
        coin: token(),
        since: 90,
        until,
        opening: Some(Amount::ZERO),
        closing: Some(Amount::from(2)),
        nature: AccountNature::Delegated(account("code")),
        transactions: vec![transaction("hop", 100), transaction("swap", 110)],
        arrivals: vec![arrival("theft", 95), withdrawal(96)],
        noise: Noise::default(),
        coverage: Coverage {
            complete_through: Some(until),
            gaps: Vec::new(),
        },
    }
}

fn with_gap(until: u64, gap: Gap) -> AccountStatement {
    AccountStatement {
        coverage: Coverage {
            complete_through: Some(until),
            gaps: vec![gap],
        },
        ..statement(until)
    }
}

fn hub(until: u64) -> AccountStatement {
    AccountStatement {
        opening: None,
        closing: None,
        transactions: Vec::new(),
        arrivals: Vec::new(),
        ..with_gap(until, Gap::Hub { bound: 1000 })
    }
}

fn deposits(until: u64) -> Deposits {
    Deposits {
        address: account("thief"),
        since: 90,
        until,
        arrivals: vec![arrival("theft", 95), withdrawal(96)],
        noise: Noise::default(),
        coverage: Coverage {
            complete_through: Some(until),
            gaps: Vec::new(),
        },
    }
}

fn ask(name: &str) -> EvmQuery {
    EvmQuery::Transaction { hash: hash(name) }
}

fn ask_account(until: u64) -> EvmQuery {
    EvmQuery::Account {
        address: account("thief"),
        coin: token(),
        since: 90,
        until,
        bound: 1000,
    }
}

fn ask_deposits(until: u64) -> EvmQuery {
    EvmQuery::Deposits {
        address: account("thief"),
        since: 90,
        until,
    }
}

fn put_under(
    store: &Store,
    query: &EvmQuery,
    fact: EvmFact,
    tip: &BlockRef,
) -> Result<(), StoreError> {
    let answer = answer(Fact::Evm(fact));
    store.put_answer(&ethereum(), &Query::Evm(query.clone()), &answer, tip, NOW)
}

fn put(store: &Store, query: &EvmQuery, fact: EvmFact, tip: u64) {
    put_under(store, query, fact, &block(tip)).unwrap();
}

fn try_read(store: &Store, query: &EvmQuery, tip: u64) -> Result<Option<Fact>, StoreError> {
    store.answer(&ethereum(), &Query::Evm(query.clone()), &block(tip))
}

fn read(store: &Store, query: &EvmQuery, tip: u64) -> Option<EvmFact> {
    match try_read(store, query, tip).unwrap() {
        Some(Fact::Evm(fact)) => Some(fact),
        Some(other) => panic!("{other:?}"),
        None => None,
    }
}

#[test]
fn a_traced_transaction_answers_under_every_tip_that_has_its_block() {
    let (_dir, store) = fresh();
    let fact = EvmFact::Transaction(transaction("theft", 100));
    put(&store, &ask("theft"), fact.clone(), 120);
    for tip in [100, 120, 500] {
        assert_eq!(
            read(&store, &ask("theft"), tip),
            Some(fact.clone()),
            "{tip}"
        );
    }
    assert_eq!(read(&store, &ask("theft"), 99), None);
    assert_eq!(read(&store, &ask("other"), 120), None);
}

#[test]
fn a_transaction_without_traces_is_asked_again_under_a_new_tip_and_replaces_none_with_them() {
    let (_dir, store) = fresh();
    let traced = EvmFact::Transaction(transaction("theft", 100));
    let plain = EvmFact::Transaction(EvmTransaction {
        internal: InternalTransfers::Unknown,
        ..transaction("theft", 100)
    });
    put(&store, &ask("theft"), plain.clone(), 120);
    assert_eq!(read(&store, &ask("theft"), 120), Some(plain.clone()));
    assert_eq!(read(&store, &ask("theft"), 121), None);
    put(&store, &ask("theft"), traced.clone(), 121);
    put(&store, &ask("theft"), plain, 122);
    assert_eq!(read(&store, &ask("theft"), 122), Some(traced));
}

#[test]
fn a_statement_comes_back_as_it_was_given_under_every_tip_that_has_its_last_block() {
    let (_dir, store) = fresh();
    let fact = EvmFact::Account(statement(120));
    put(&store, &ask_account(120), fact.clone(), 120);
    for tip in [120, 130] {
        assert_eq!(
            read(&store, &ask_account(120), tip),
            Some(fact.clone()),
            "{tip}"
        );
    }
    assert_eq!(read(&store, &ask_account(120), 119), None);
    let bodies = store.evidence_of(&ethereum(), &Query::Evm(ask_account(120)));
    assert_eq!(bodies.unwrap().len(), 1);
}

#[test]
fn a_statement_answers_no_other_account_coin_blocks_or_bound() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        130,
    );
    let asked = |address: &str, coin, since, until, bound| EvmQuery::Account {
        address: account(address),
        coin,
        since,
        until,
        bound,
    };
    assert!(read(&store, &asked("thief", token(), 90, 120, 1000), 130).is_some());
    for other in [
        asked("mule", token(), 90, 120, 1000),
        asked("thief", Coin::Native, 90, 120, 1000),
        asked("thief", Coin::Token(Address::ZERO), 90, 120, 1000),
        asked("thief", token(), 91, 120, 1000),
        asked("thief", token(), 89, 120, 1000),
        // An earlier balance and nature are not in the statement; whether it was a hub by then is not either.
        asked("thief", token(), 90, 119, 1000),
        asked("thief", token(), 90, 121, 1000),
        asked("thief", token(), 90, 120, 999),
        asked("thief", token(), 90, 120, 1001),
        ask_deposits(120),
    ] {
        assert_eq!(read(&store, &other, 130), None, "{other:?}");
    }
}

#[test]
fn statements_through_several_blocks_are_kept_beside_each_other() {
    let (_dir, store) = fresh();
    for until in [120, 110, 130] {
        put(
            &store,
            &ask_account(until),
            EvmFact::Account(statement(until)),
            until,
        );
    }
    for until in [110, 120, 130] {
        let expected = EvmFact::Account(statement(until));
        assert_eq!(
            read(&store, &ask_account(until), 130),
            Some(expected),
            "{until}"
        );
    }
}

#[test]
fn what_another_endpoint_might_tell_is_asked_again_under_a_new_tip() {
    let gaps = [
        Gap::NoState { block: 89 },
        Gap::NoTraces { transactions: 1 },
        Gap::HistoryUnknown {
            reason: "no state".into(),
        },
        Gap::BlocksUnavailable {
            since: 100,
            until: 101,
            reason: "pruned".into(),
        },
        Gap::Unexplained {
            since: 100,
            until: 101,
            gained: true,
            amount: Amount::ONE,
        },
    ];
    let mut wanting: Vec<_> = gaps.map(|gap| with_gap(120, gap)).into();
    wanting.push(AccountStatement {
        opening: None,
        ..statement(120)
    });
    wanting.push(AccountStatement {
        closing: None,
        ..statement(120)
    });
    wanting.push(AccountStatement {
        nature: AccountNature::Unknown,
        ..statement(120)
    });
    for reach in [None, Some(119)] {
        let mut short = statement(120);
        short.coverage.complete_through = reach;
        wanting.push(short);
    }
    for statement in wanting {
        let (_dir, store) = fresh();
        let fact = EvmFact::Account(statement);
        put(&store, &ask_account(120), fact.clone(), 120);
        assert_eq!(read(&store, &ask_account(120), 120), Some(fact.clone()));
        assert_eq!(read(&store, &ask_account(120), 121), None, "{fact:?}");
        let elsewhere = block_on("other", 120);
        let elsewhere = store.answer(&ethereum(), &Query::Evm(ask_account(120)), &elsewhere);
        assert_eq!(elsewhere.unwrap(), None);
    }
}

#[test]
fn a_whole_statement_is_not_lost_to_a_source_that_knows_less() {
    let (_dir, store) = fresh();
    let whole = EvmFact::Account(statement(120));
    let poor = EvmFact::Account(with_gap(120, Gap::NoTraces { transactions: 2 }));
    for fact in [&poor, &whole, &poor] {
        put(&store, &ask_account(120), fact.clone(), 125);
    }
    assert_eq!(read(&store, &ask_account(120), 125), Some(whole));
    let whole = EvmFact::Deposits(deposits(120));
    let poor = EvmFact::Deposits(Deposits {
        arrivals: Vec::new(),
        coverage: Coverage::default(),
        ..deposits(120)
    });
    for fact in [&poor, &whole, &poor] {
        put(&store, &ask_deposits(120), fact.clone(), 125);
    }
    assert_eq!(read(&store, &ask_deposits(120), 125), Some(whole));
}

#[test]
fn a_hub_is_one_for_every_endpoint() {
    let (_dir, store) = fresh();
    let fact = EvmFact::Account(hub(120));
    put(&store, &ask_account(120), fact.clone(), 120);
    assert_eq!(read(&store, &ask_account(120), 121), Some(fact));
    let mut lacking = hub(119);
    lacking.coverage.gaps.push(Gap::NoState { block: 89 });
    put(&store, &ask_account(119), EvmFact::Account(lacking), 120);
    assert_eq!(read(&store, &ask_account(119), 121), None);
}

#[test]
fn deposits_answer_the_same_question_under_later_tips() {
    let (_dir, store) = fresh();
    let fact = EvmFact::Deposits(deposits(110));
    put(&store, &ask_deposits(110), fact.clone(), 120);
    for tip in [110, 120, 500] {
        assert_eq!(
            read(&store, &ask_deposits(110), tip),
            Some(fact.clone()),
            "{tip}"
        );
    }
    assert_eq!(read(&store, &ask_deposits(110), 109), None);
    assert_eq!(read(&store, &ask_deposits(111), 120), None);
    let mut lacking = deposits(112);
    lacking
        .coverage
        .gaps
        .push(Gap::NoTraces { transactions: 1 });
    let lacking = EvmFact::Deposits(lacking);
    put(&store, &ask_deposits(112), lacking.clone(), 120);
    assert_eq!(read(&store, &ask_deposits(112), 121), None);
}

#[test]
fn a_transaction_is_kept_once_in_all_statements_and_each_reads_back_as_its_source_told_it() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    let first = store.statistics().unwrap().statements;
    assert_eq!(first, 1 + 2);
    put(
        &store,
        &ask_account(121),
        EvmFact::Account(statement(121)),
        121,
    );
    assert_eq!(store.statistics().unwrap().statements, first + 1);
    // The same transaction as an endpoint without traces tells it.
    let mut plain = with_gap(122, Gap::NoTraces { transactions: 1 });
    plain.transactions[0].movements.remove(0);
    plain.transactions[0].internal = InternalTransfers::Unknown;
    put(
        &store,
        &ask_account(122),
        EvmFact::Account(plain.clone()),
        122,
    );
    assert_eq!(store.statistics().unwrap().statements, first + 1 + 2);
    assert_eq!(
        read(&store, &ask_account(122), 122),
        Some(EvmFact::Account(plain))
    );
    assert_eq!(
        read(&store, &ask_account(120), 122),
        Some(EvmFact::Account(statement(120)))
    );
}

#[test]
fn a_transaction_of_a_statement_is_no_answer_to_a_question_for_it() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    // Its evidence would be that of the whole statement.
    assert_eq!(read(&store, &ask("hop"), 120), None);
}

#[test]
fn a_fact_that_does_not_answer_the_query_is_refused_and_nothing_is_written() {
    let (_dir, store) = fresh();
    let theft = EvmFact::Transaction(transaction("theft", 100));
    let account = |change: fn(&mut AccountStatement)| {
        let mut changed = statement(120);
        change(&mut changed);
        (ask_account(120), EvmFact::Account(changed))
    };
    let received = |change: fn(&mut Deposits)| {
        let mut changed = deposits(120);
        change(&mut changed);
        (ask_deposits(120), EvmFact::Deposits(changed))
    };
    let wrong = [
        (ask("other"), theft.clone()),
        (ask_account(120), theft),
        (ask("theft"), EvmFact::Account(statement(120))),
        (ask_deposits(120), EvmFact::Account(statement(120))),
        account(|fact| fact.address = Address::ZERO),
        account(|fact| fact.coin = Coin::Native),
        account(|fact| fact.since = 91),
        account(|fact| fact.until = 121),
        account(|fact| fact.transactions[0].placement.block = block(89)),
        account(|fact| fact.transactions[1].placement.block = block(121)),
        account(|fact| fact.arrivals[0].placement.block = block(121)),
        account(|fact| *fact = with_gap(120, Gap::Hub { bound: 1000 })),
        account(|fact| {
            *fact = hub(120);
            fact.coverage.gaps = vec![Gap::Hub { bound: 10 }];
        }),
        received(|fact| fact.address = Address::ZERO),
        received(|fact| fact.since = 91),
        received(|fact| fact.until = 119),
        received(|fact| fact.arrivals[1].placement.block = block(121)),
        received(|fact| fact.arrivals[0].placement.block = block(89)),
    ];
    for (query, fact) in wrong {
        let refused = put_under(&store, &query, fact, &block(130));
        assert!(
            matches!(refused, Err(StoreError::WrongAnswer { .. })),
            "{query:?}"
        );
    }
    let bitcoin = Query::Transaction {
        txid: scenario::txid("theft"),
        height: None,
    };
    let fact = Fact::Evm(EvmFact::Transaction(transaction("theft", 100)));
    let refused = store.put_answer(&ethereum(), &bitcoin, &answer(fact), &block(130), NOW);
    assert!(matches!(refused, Err(StoreError::WrongAnswer { .. })));
    assert_eq!(store.statistics().unwrap(), Default::default());
}

#[test]
fn an_entry_in_a_block_of_another_branch_is_refused_and_nothing_is_written() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask("theft"),
        EvmFact::Transaction(transaction("theft", 100)),
        120,
    );
    let before = store.statistics().unwrap();
    let stray = EvmPlacement {
        block: block_on("other", 100),
        index: 0,
    };
    let mut sent = statement(120);
    sent.transactions[0].placement = stray;
    let mut received = deposits(120);
    received.arrivals[1].placement = stray;
    // Two blocks of one height that the store has never heard of.
    let mut torn = statement(120);
    torn.arrivals[0].placement.block = block_on("other", 110);
    let moved = EvmTransaction {
        placement: stray,
        ..transaction("moved", 100)
    };
    for (query, fact) in [
        (ask_account(120), EvmFact::Account(sent)),
        (ask_account(120), EvmFact::Account(torn)),
        (ask_deposits(120), EvmFact::Deposits(received)),
        (ask("moved"), EvmFact::Transaction(moved)),
    ] {
        let refused = put_under(&store, &query, fact, &block(120));
        assert!(
            matches!(refused, Err(StoreError::ConflictingBlock { .. })),
            "{query:?}"
        );
    }
    assert_eq!(store.statistics().unwrap(), before);
}

#[test]
fn a_reorganisation_forgets_exactly_what_speaks_of_the_lost_blocks() {
    let (_dir, store) = fresh();
    for name in ["at 104", "at 105"] {
        let height = name[3..].parse().unwrap();
        put(
            &store,
            &ask(name),
            EvmFact::Transaction(transaction(name, height)),
            120,
        );
    }
    let mut early = statement(104);
    early.transactions.truncate(1);
    put(
        &store,
        &ask_account(104),
        EvmFact::Account(early.clone()),
        120,
    );
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    put(
        &store,
        &ask_deposits(104),
        EvmFact::Deposits(deposits(104)),
        120,
    );
    put(
        &store,
        &ask_deposits(105),
        EvmFact::Deposits(deposits(105)),
        120,
    );
    let before = store.statistics().unwrap();

    let forgotten = store.forget_from(&ethereum(), 105).unwrap();

    // A transaction, a statement with the transaction of its that no other has, and deposits.
    assert_eq!(forgotten.statements, 1 + 2 + 1);
    let after = store.statistics().unwrap();
    assert_eq!(after.evidence, before.evidence);
    assert_eq!(after.statements, before.statements - 4);
    assert!(read(&store, &ask("at 104"), 104).is_some());
    assert_eq!(
        read(&store, &ask_account(104), 104),
        Some(EvmFact::Account(early))
    );
    assert!(read(&store, &ask_deposits(104), 104).is_some());
    for lost in [ask("at 105"), ask_account(120), ask_deposits(105)] {
        assert_eq!(read(&store, &lost, 120), None, "{lost:?}");
    }
    // The same again on the new branch, where the transaction moved to another block.
    let mut moved = statement(120);
    moved.transactions[1].placement.block = block_on("new", 111);
    let fact = EvmFact::Account(moved);
    put_under(
        &store,
        &ask_account(120),
        fact.clone(),
        &block_on("new", 121),
    )
    .unwrap();
    let found = store.answer(
        &ethereum(),
        &Query::Evm(ask_account(120)),
        &block_on("new", 121),
    );
    assert_eq!(found.unwrap(), Some(Fact::Evm(fact)));
}

#[test]
fn a_fact_that_proved_false_is_forgotten_alone_and_its_evidence_stays() {
    let (_dir, store) = fresh();
    put(
        &store,
        &ask("theft"),
        EvmFact::Transaction(transaction("theft", 100)),
        120,
    );
    put(
        &store,
        &ask_account(119),
        EvmFact::Account(statement(119)),
        120,
    );
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    put(
        &store,
        &ask_deposits(120),
        EvmFact::Deposits(deposits(120)),
        120,
    );
    let before = store.statistics().unwrap();
    for query in [
        ask("theft"),
        ask_account(120),
        ask_deposits(120),
        ask("never seen"),
    ] {
        store.forget_evm(&ethereum(), &query).unwrap();
        assert_eq!(read(&store, &query, 120), None);
    }
    let expected = EvmFact::Account(statement(119));
    assert_eq!(read(&store, &ask_account(119), 120), Some(expected));
    let after = store.statistics().unwrap();
    assert_eq!(after.evidence, before.evidence);
    assert_eq!(after.statements, before.statements - 3);
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    assert!(read(&store, &ask_account(120), 120).is_some());
}

/// A row's key and value.
type Row = (Box<[u8]>, Box<[u8]>);

/// The database behind the store's back, with the statements of a kind.
fn of_kind(dir: &Path, kind: u8) -> (DB, Vec<Row>) {
    let columns = [
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
    let db = DB::open_cf(&Options::default(), dir.join("rocksdb"), columns).unwrap();
    let rows = db
        .iterator_cf(db.cf_handle("statements").unwrap(), IteratorMode::Start)
        .map(|row| row.unwrap())
        .filter(|(key, _)| key[8] == kind)
        .collect();
    (db, rows)
}

const KINDS: [u8; 4] = [6, 10, 12, 13];

/// What reading ends in after every row of a kind was changed; `None` deletes it.
fn after_damage(kind: u8, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> StoreError {
    let dir = TempDir::new().unwrap();
    let writer = open(dir.path());
    put(
        &writer,
        &ask("theft"),
        EvmFact::Transaction(transaction("theft", 100)),
        120,
    );
    put(
        &writer,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    put(
        &writer,
        &ask_deposits(120),
        EvmFact::Deposits(deposits(120)),
        120,
    );
    drop(writer);
    let (db, rows) = of_kind(dir.path(), kind);
    assert!(!rows.is_empty());
    let family = db.cf_handle("statements").unwrap();
    for (key, value) in rows {
        match change(&value) {
            Some(value) => db.put_cf(family, key, value).unwrap(),
            None => db.delete_cf(family, key).unwrap(),
        }
    }
    drop(db);
    let store = Store::open(dir.path()).unwrap();
    let queries = [ask("theft"), ask_account(120), ask_deposits(120)];
    let read = |query: &EvmQuery| try_read(&store, query, 120);
    queries.iter().find_map(|query| read(query).err()).unwrap()
}

fn replaced(row: &[u8], old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(row);
    assert!(text.contains(old), "{old}: {text}");
    text.replace(old, new).into_bytes()
}

#[test]
fn rows_that_were_tampered_with_are_named_and_never_believed() {
    type Change = fn(&[u8]) -> Option<Vec<u8>>;
    let changes: [Change; 6] = [
        |row| Some(row[..row.len() / 2].to_vec()),
        |row| Some(replaced(row, "\"v\":1", "\"v\":2")),
        |_| Some(vec![0xff, 0x00, 0x1b]),
        |_| Some(Vec::new()),
        |_| Some([vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
        |row| Some(replaced(row, "\"amount\":\"", "\"amount\":\"-")),
    ];
    for kind in KINDS {
        for change in changes {
            let error = after_damage(kind, change);
            let StoreError::BadRow { column, key, .. } = &error else {
                panic!("{kind}: {error:?}")
            };
            assert_eq!(*column, "statements");
            assert_eq!(key[16..18], format!("{kind:02x}"));
            let shown = error.to_string();
            assert!(
                shown.bytes().all(|b| b.is_ascii_graphic() || b == b' '),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_row_of_another_question_than_its_key_is_not_believed() {
    let (thief, mule) = (account("thief").to_string(), account("mule").to_string());
    let lower = |text: &str| text.to_ascii_lowercase();
    for kind in [6, 13] {
        let error = after_damage(kind, |row| {
            Some(replaced(row, &lower(&thief), &lower(&mule)))
        });
        assert!(error.to_string().contains("another question"), "{error}");
    }
    let (theft, other) = (hash("theft").to_string(), hash("other").to_string());
    let error = after_damage(12, |row| Some(replaced(row, &theft, &other)));
    assert!(error.to_string().contains("another question"), "{error}");
    let late = after_damage(13, |row| {
        Some(replaced(row, "\"until\":120", "\"until\":119"))
    });
    assert!(late.to_string().contains("another question"), "{late}");
}

#[test]
fn a_statement_whose_transactions_are_gone_or_changed_is_not_shortened() {
    let gone = after_damage(10, |_| None);
    assert!(gone.to_string().contains("it is missing"), "{gone}");
    let changed = after_damage(10, |row| {
        Some(replaced(row, "\"amount\":\"7\"", "\"amount\":\"8\""))
    });
    assert!(
        changed.to_string().contains("does not have the hash"),
        "{changed}"
    );
}

#[test]
fn a_store_of_bitcoin_facts_takes_facts_of_other_chains_and_keeps_its_own() {
    let dir = TempDir::new().unwrap();
    let store = scenario::store(dir.path());
    let bitcoin = Fact::Transaction(scenario::transaction(
        "theft",
        hansel_ledger::Placement::Confirmed(block(100)),
    ));
    scenario::put(
        &store,
        &scenario::ask_transaction("theft"),
        bitcoin.clone(),
        120,
    );
    store.register_chain(&ethereum(), genesis()).unwrap();
    put(
        &store,
        &ask_account(120),
        EvmFact::Account(statement(120)),
        120,
    );
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(read(&store, &ask_account(120), 120).is_some());
    store.forget_from(&ethereum(), 0).unwrap();
    assert_eq!(read(&store, &ask_account(120), 120), None);
    let found = scenario::read(&store, &scenario::ask_transaction("theft"), 120);
    assert_eq!(found, Some(bitcoin));
}

/// What an endpoint of some kind says of the thief's account through a block, in a world where the account has
/// one transaction in every second block, all with traces.
fn told(until: u64, traces: bool) -> AccountStatement {
    let numbers = (90..=until).filter(|height| height % 2 == 0);
    let transactions = numbers.map(|height| EvmTransaction {
        internal: if traces {
            InternalTransfers::Known
        } else {
            InternalTransfers::Unknown
        },
        ..transaction(&height.to_string(), height)
    });
    let transactions: Vec<_> = transactions.collect();
    let missing = Gap::NoTraces {
        transactions: u64::try_from(transactions.len()).unwrap(),
    };
    AccountStatement {
        closing: Some(Amount::from(until)),
        arrivals: vec![arrival("theft", 90)],
        coverage: Coverage {
            complete_through: Some(until),
            gaps: if traces { Vec::new() } else { vec![missing] },
        },
        transactions,
        ..statement(until)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_cache_says_what_some_endpoint_said_of_the_same_question_and_never_less_than_it_was_told(
        runs in prop::collection::vec((91_u64..100, any::<bool>(), prop::option::weighted(0.2, 90_u64..101)), 1..12),
    ) {
        let (_dir, store) = fresh();
        // The best of what was said of the statement through a block, and whether under that block as the tip.
        let mut best = std::collections::BTreeMap::new();
        for (until, traces, fork) in runs {
            put(&store, &ask_account(until), EvmFact::Account(told(until, traces)), until);
            let known: &mut bool = best.entry(until).or_insert(false);
            *known |= traces;
            if let Some(fork) = fork {
                store.forget_from(&ethereum(), fork).unwrap();
                best.retain(|until, _| *until < fork);
            }
        }
        for until in 90..101 {
            for tip in until..102 {
                let found = read(&store, &ask_account(until), tip);
                let expected = match best.get(&until) {
                    Some(true) => Some(told(until, true)),
                    Some(false) if tip == until => Some(told(until, false)),
                    Some(false) | None => None,
                };
                prop_assert_eq!(found, expected.map(EvmFact::Account), "{} under {}", until, tip);
            }
        }
    }
}

fn ask_logs(topic: &str) -> EvmQuery {
    EvmQuery::Logs {
        contracts: vec![account("router")],
        topics: vec![vec![topics::THORCHAIN_TRANSFER_OUT], vec![hash(topic)]],
        since: 90,
        until: 120,
    }
}

fn logs(topic: &str, height: u64) -> Logs {
    let EvmQuery::Logs {
        contracts, topics, ..
    } = ask_logs(topic)
    else {
        unreachable!()
    };
    Logs {
        contracts,
        topics,
        since: 90,
        until: 120,
        logs: vec![FoundLog {
            block: block(height),
            tx: hash("payout"),
            event: transaction("payout", height).events.remove(0),
        }],
        coverage: Coverage {
            complete_through: Some(120),
            gaps: Vec::new(),
        },
    }
}

#[test]
fn logs_answer_the_question_that_was_asked_and_go_with_their_blocks() {
    let (_dir, store) = fresh();
    let fact = EvmFact::Logs(logs("thief", 100));
    put(&store, &ask_logs("thief"), fact.clone(), 120);
    assert_eq!(read(&store, &ask_logs("thief"), 500), Some(fact.clone()));
    assert_eq!(read(&store, &ask_logs("other"), 500), None);
    for wrong in [logs("other", 100), logs("thief", 121)] {
        let put = put_under(
            &store,
            &ask_logs("thief"),
            EvmFact::Logs(wrong),
            &block(120),
        );
        put.unwrap_err();
    }
    store.forget_from(&ethereum(), 110).unwrap();
    assert_eq!(read(&store, &ask_logs("thief"), 500), None);
}
