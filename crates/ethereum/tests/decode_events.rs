//! Which events and which carried data a transaction keeps, and how much of them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::B256;
use hansel_ledger::{Event, topics};
use serde_json::json;

use crate::answers::{Answers, TRANSFER, WETH, account, party, word};

mod answers;

const MEMO_TOPICS: [B256; 1] = [topics::THORCHAIN_DEPOSIT];

#[test]
fn events_of_bridges_and_mixers_are_kept_as_they_were_logged_and_others_are_not() {
    let told = Answers::new()
        .log(WETH, &[TRANSFER, party(1), party(2)], &[word(5)])
        .log(
            account(9),
            &[topics::TORNADO_DEPOSIT, word(8)],
            &[word(1), word(2)],
        )
        .log(account(9), &[], &[word(1)])
        .log(account(8), &MEMO_TOPICS, &[])
        .told();
    let data = [word(1).0, word(2).0].concat();
    let deposit = Event {
        index: 18,
        address: account(9),
        topics: vec![topics::TORNADO_DEPOSIT, word(8)],
        data: data.into(),
    };
    let bare = Event {
        index: 20,
        address: account(8),
        topics: MEMO_TOPICS.to_vec(),
        data: Vec::new().into(),
    };
    assert_eq!(told.events, [deposit, bare]);
}

#[test]
fn a_transaction_that_failed_keeps_no_event() {
    let failed = Answers::new().receipt(json!({"status": "0x0"})).told();
    assert_eq!((failed.events.len(), failed.carried.len()), (0, 0));
}

#[test]
fn of_an_event_and_of_a_transaction_no_more_is_kept_than_the_bounds() {
    let long = vec![word(7); Event::MOST_DATA / 32 + 1];
    let mut answers = Answers::new().log(account(9), &MEMO_TOPICS, &long);
    for _ in 0..Event::MOST {
        answers = answers.log(account(9), &MEMO_TOPICS, &[]);
    }
    let told = answers.told();
    assert_eq!(told.events.len(), Event::MOST);
    assert_eq!(told.events[0].data.len(), Event::MOST_DATA);
}

#[test]
fn a_transfer_keeps_what_it_carries_and_a_call_that_logs_does_not() {
    let memo = alloy_primitives::Bytes::from_static(b"=:BTC.BTC:bc1qexample");
    let carrying = Answers::new().tx(json!({ "input": memo }));
    assert_eq!(carrying.told().carried, memo);
    let logging = carrying.log(WETH, &[TRANSFER, party(1), party(2)], &[word(5)]);
    assert!(logging.told().carried.is_empty());
}

#[test]
fn what_carries_nothing_of_value_or_too_much_data_keeps_none() {
    let memo = alloy_primitives::Bytes::from_static(b"=:BTC.BTC:bc1qexample");
    let worthless = Answers::new().tx(json!({"input": memo, "value": "0x0"}));
    assert!(worthless.told().carried.is_empty());
    let long = alloy_primitives::Bytes::from(vec![b'a'; Event::MOST_CARRIED + 1]);
    assert!(
        Answers::new()
            .tx(json!({ "input": long }))
            .told()
            .carried
            .is_empty()
    );
}
