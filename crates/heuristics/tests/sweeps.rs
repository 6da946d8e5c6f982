//! What the proof of a sweep makes for one of its deposits: told by the order of the inputs, and only by contracts that are
//! known.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, address};
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, ScriptBuf, Txid, WPubkeyHash};
use hansel_heuristics::crossing::{
    Arrival, Bridges, Carrier, Certainty, Departure, Link, Payee, Place, Protocol,
};
use hansel_ledger::{
    Chain, Coin, Event, EvmTransaction, Input, Movement, Origin, Output, Placement,
    TransactionStatement, topics,
};

use crate::logged::{ethereum, n, transaction, words};

mod logged;

const BRIDGE: Address = address!("5e4861a80B55f035D899f66772117F00FA0E8e7B");
const VAULT: Address = address!("9C070027cdC9dc8F82416B2e5314E11DFb4FE3CD");
const TBTC: Address = address!("18084fbA666a33d37592fA2633fD49a74DD93a88");
const OWNER: Address = Address::repeat_byte(0x44);
const OTHER: Address = Address::repeat_byte(0x55);
const WALLET: [u8; 20] = [0x8d; 20];
const UNITS: u64 = 10_000_000_000;
const PAID: u64 = 100_000;
const MADE: u64 = (PAID - 500) * UNITS;

fn point(number: u8) -> OutPoint {
    OutPoint::new(Txid::from_byte_array([number; 32]), 0)
}

/// A sweep of these outputs; the wallet's own is number 0.
fn sweep(numbers: &[u8]) -> TransactionStatement {
    let wallet = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(WALLET));
    let input = |number: &u8| Input {
        previous: point(*number),
        spent: Some(Output {
            value: bitcoin::Amount::from_sat(PAID),
            script: if *number == 0 {
                wallet.clone()
            } else {
                ScriptBuf::from(vec![*number]).to_p2wsh()
            },
        }),
    };
    TransactionStatement {
        txid: Txid::from_byte_array([0xab; 32]),
        placement: Placement::Unknown,
        inputs: numbers.iter().map(input).collect(),
        outputs: Vec::new(),
    }
}

fn log(index: u64, address: Address, topics: &[B256], data: &[B256]) -> Event {
    Event {
        index,
        address,
        topics: topics.to_vec(),
        data: words(data).into(),
    }
}

fn swept(index: u64, hash: u8) -> Event {
    let fields = [B256::right_padding_from(&WALLET), B256::repeat_byte(hash)];
    log(index, BRIDGE, &[topics::TBTC_DEPOSITS_SWEPT], &fields)
}

fn repaid(index: u64, depositor: Address) -> Event {
    let form = topics::TBTC_OPTIMISTIC_MINTING_DEBT_REPAID;
    log(index, VAULT, &[form, depositor.into_word()], &[n(0)])
}

/// The log of what is made, and the movement behind it.
fn make(tx: &mut EvmTransaction, index: u64, to: Address, amount: u64) {
    let topics = [topics::TBTC_MINTED, to.into_word()];
    tx.events.push(log(index, VAULT, &topics, &[n(amount)]));
    if amount > 0 {
        tx.movements.push(Movement {
            origin: Origin::Log(index + 1),
            from: TBTC,
            to,
            coin: Coin::Token(TBTC),
            amount: amount.into(),
        });
    }
}

/// The proof of a sweep, with what is made for each deposit.
fn proof(made: &[(Address, u64)]) -> EvmTransaction {
    let mut tx = transaction(OTHER);
    tx.events.push(swept(10, 0xab));
    for (index, (to, amount)) in (20..).step_by(10).zip(made) {
        make(&mut tx, index, *to, *amount);
    }
    tx
}

/// What was paid for the owner by output number 2.
fn departure() -> Departure {
    Departure {
        protocol: Protocol::Tbtc,
        link: Link("key".into()),
        carrier: Some(Carrier::Output(0)),
        amount: PAID.into(),
        place: Place::Chain(ethereum()),
        payee: Payee::Account(OWNER),
        refund_to: Vec::new(),
        payee_binds: true,
        asset: Some("tBTC".into()),
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: Vec::new(),
        parked: None,
    }
}

fn read(tx: &EvmTransaction, sweep: &TransactionStatement) -> Result<Arrival, &'static str> {
    let bridges = Bridges::new(vec![Chain::bitcoin(), ethereum()], Vec::new());
    let found = bridges.swept(&departure(), (&ethereum(), tx), (sweep, &point(2)))?;
    assert!(departure().is_answered_by(&found));
    Ok(found)
}

fn require(tx: &EvmTransaction, numbers: &[u8], log: u64) {
    let found = read(tx, &sweep(numbers)).unwrap();
    assert_eq!(found.amount, MADE.into());
    let Some(Carrier::Movement { origin, to, .. }) = found.carrier else {
        panic!("{found:?}");
    };
    assert_eq!((origin, to), (Origin::Log(log), OWNER));
}

#[test]
fn the_wallets_own_output_may_stand_anywhere_among_the_inputs() {
    let tx = proof(&[(OTHER, 7), (OWNER, MADE), (OTHER, 0)]);
    for numbers in [[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0]] {
        require(&tx, &numbers, 31);
    }
    require(&tx, &[1, 2, 3], 31);
    require(&proof(&[(OWNER, MADE)]), &[2], 21);
}

#[test]
fn deposits_of_one_account_are_told_apart_even_where_they_made_the_same() {
    let tx = proof(&[(OWNER, MADE), (OWNER, MADE)]);
    require(&tx, &[2, 1], 21);
    require(&tx, &[1, 2], 31);
}

#[test]
fn another_sweep_in_the_same_transaction_makes_its_own() {
    let mut tx = proof(&[(OWNER, MADE)]);
    tx.events.push(swept(40, 0xcd));
    make(&mut tx, 50, OWNER, 7);
    require(&tx, &[0, 2], 21);
    let mut tx = transaction(OTHER);
    tx.events.push(swept(1, 0xcd));
    make(&mut tx, 2, OWNER, 7);
    tx.events.push(swept(10, 0xab));
    make(&mut tx, 20, OWNER, MADE);
    require(&tx, &[0, 2], 21);
}

#[test]
fn what_strangers_log_changes_nothing_and_proves_nothing() {
    let mut tx = proof(&[(OWNER, MADE)]);
    for topic in [
        topics::TBTC_MINTED,
        topics::TBTC_OPTIMISTIC_MINTING_DEBT_REPAID,
    ] {
        let forged = log(15, OTHER, &[topic, OWNER.into_word()], &[n(MADE)]);
        tx.events.insert(1, forged);
    }
    require(&tx, &[0, 2], 21);
    tx.events[0].address = OTHER;
    assert!(read(&tx, &sweep(&[0, 2])).unwrap_err().contains("nobody"));
    let other = proof(&[(OWNER, MADE)]);
    let mut statement = sweep(&[0, 2]);
    statement.txid = Txid::from_byte_array([0xac; 32]);
    assert!(read(&other, &statement).is_err());
}

#[test]
fn what_does_not_add_up_is_refused() {
    let cases = [
        (
            proof(&[(OWNER, MADE), (OWNER, MADE)]),
            vec![0, 2],
            "does not tell tokens of",
        ),
        (
            proof(&[(OWNER, MADE)]),
            vec![1, 2],
            "does not tell tokens of",
        ),
        (
            proof(&[(OWNER, MADE)]),
            vec![0, 1],
            "does not spend the deposit",
        ),
        (proof(&[(OTHER, MADE)]), vec![0, 2], "for somebody else"),
        (proof(&[(OWNER, 0)]), vec![0, 2], "makes nothing"),
        (
            proof(&[(OWNER, PAID * UNITS + 1)]),
            vec![0, 2],
            "more than was deposited",
        ),
    ];
    for (tx, numbers, why) in cases {
        let refused = read(&tx, &sweep(&numbers)).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let mut unknown = sweep(&[0, 2]);
    unknown.inputs[0].spent = None;
    let refused = read(&proof(&[(OWNER, MADE)]), &unknown).unwrap_err();
    assert!(refused.contains("does not tell"), "{refused}");
}

#[test]
fn a_sweep_that_repays_what_was_made_before_for_the_depositor_is_not_divided() {
    let mut tx = proof(&[(OTHER, 0), (OWNER, MADE)]);
    tx.events.insert(1, repaid(19, OTHER));
    require(&tx, &[0, 1, 2], 31);
    tx.events.insert(3, repaid(29, OWNER));
    let refused = read(&tx, &sweep(&[0, 1, 2])).unwrap_err();
    assert!(refused.contains("not divided"), "{refused}");
}

#[test]
fn tokens_that_moved_otherwise_are_not_what_was_made() {
    for change in 0..4 {
        let mut tx = proof(&[(OTHER, 0), (OWNER, MADE)]);
        let movement = &mut tx.movements[0];
        match change {
            0 => movement.from = OTHER,
            1 => movement.origin = Origin::Log(12),
            2 => movement.amount = (MADE - 1).into(),
            _ => movement.coin = Coin::Token(OTHER),
        }
        assert_eq!(read(&tx, &sweep(&[1, 2])).unwrap().carrier, None);
    }
}
