//! What counts as a movement of value, and what only looks like one.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, address};
use hansel_ethereum::decode::{DecodeError, Misfit};
use hansel_ledger::{Amount, Coin, Creation, InternalTransfers, Noise};
use serde_json::{Value, json};

use crate::answers::{
    Answers, BATCH, DEPOSIT, HASH, SETTLEMENT, SINGLE, TRADE, TRANSFER, WETH, WITHDRAWAL, account,
    party, word,
};

mod answers;

fn call(kind: &str, from: u8, to: u8, value: &str) -> Value {
    json!({"type": kind, "from": account(from), "to": account(to), "value": value})
}

fn with(mut frame: Value, name: &str, value: Value) -> Value {
    frame[name] = value;
    frame
}

fn misfit(answers: &Answers) -> Misfit {
    match answers.decode() {
        Err(DecodeError::Contradiction { tx: HASH, misfit }) => misfit,
        other => panic!("{other:?}"),
    }
}

fn noise(answers: &Answers) -> Noise {
    answers.told().noise
}

const UNREADABLE: Noise = Noise {
    zero_value: 0,
    forged: 0,
    collectibles: 0,
    unreadable: 1,
};
const COLLECTIBLE: Noise = Noise {
    zero_value: 0,
    forged: 0,
    collectibles: 1,
    unreadable: 0,
};

#[test]
fn calls_creations_and_self_destructions_move_value_and_other_calls_do_not() {
    let calls = json!([
        call("CALL", 2, 3, "0x1"),
        call("DELEGATECALL", 2, 3, "0x64"),
        call("CALLCODE", 2, 3, "0x2"),
        call("STATICCALL", 2, 3, "0x3"),
        call("CREATE", 2, 4, "0x4"),
        call("CREATE2", 2, 5, "0x5"),
        call("SELFDESTRUCT", 2, 6, "0x6"),
        call("CALL", 2, 3, "0x0"),
    ]);
    let moved = Answers::new().calls(calls).moved();
    let expected = [
        "call:0 1>2 native 100",
        "call:0.0 2>3 native 1",
        "call:0.4 2>4 native 4",
        "call:0.5 2>5 native 5",
        "call:0.6 2>6 native 6",
    ];
    assert_eq!(moved, expected);
}

#[test]
fn a_contract_that_destroys_itself_in_favour_of_itself_moves_nothing() {
    let calls = json!([call("SELFDESTRUCT", 2, 2, "0x6"), call("CALL", 2, 2, "0x7")]);
    let moved = Answers::new().calls(calls).moved();
    assert_eq!(moved, ["call:0 1>2 native 100", "call:0.1 2>2 native 7"]);
}

#[test]
fn everything_below_a_failed_call_is_dropped_and_its_neighbours_keep_their_paths() {
    let inner = call("CALL", 3, 4, "0x1");
    let failed = with(
        call("CALL", 2, 3, "0x2"),
        "error",
        json!("execution reverted"),
    );
    let failed = with(
        failed,
        "calls",
        json!([with(inner, "calls", json!([call("CALL", 4, 5, "0x3")]))]),
    );
    let silent = with(call("CALL", 2, 3, "0x4"), "error", Value::Null);
    let told = Answers::new().calls(json!([failed, silent]));
    assert_eq!(
        told.moved(),
        ["call:0 1>2 native 100", "call:0.1 2>3 native 4"]
    );
}

#[test]
fn a_failed_creation_has_no_address_and_creates_nothing() {
    let failed =
        json!({"type": "CREATE", "from": account(2), "value": "0x9", "error": "out of gas"});
    let made = call("CREATE", 2, 4, "0x0");
    let told = Answers::new().calls(json!([failed, made])).told();
    let creation = Creation {
        creator: account(2),
        contract: account(4),
    };
    assert_eq!(told.created, [creation]);
    assert_eq!(told.movements.len(), 1);
}

#[test]
fn a_failed_transaction_moves_its_fee_only() {
    let answers = Answers::new().receipt(json!({"status": "0x0"}));
    let told = answers.told();
    assert!(!told.succeeded && told.movements.is_empty());
    assert_eq!(told.fee, Amount::from(300_000_u64));
    assert_eq!(told.internal, InternalTransfers::Known);
    let calls = json!([call("CALL", 2, 3, "0x1")]);
    assert!(answers.calls(calls).told().movements.is_empty());
}

#[test]
fn without_a_trace_internal_transfers_are_known_for_plain_transfers_only() {
    let internal = |input: &str, gas: &str| {
        let answers = Answers::new().tx(json!({"input": input}));
        answers.receipt(json!({"gasUsed": gas})).told().internal
    };
    assert_eq!(internal("0x", "0x5208"), InternalTransfers::Known);
    assert_eq!(internal("0x", "0x5209"), InternalTransfers::Unknown);
    assert_eq!(internal("0x00", "0x5208"), InternalTransfers::Unknown);
    let creation = Answers::new().tx(json!({"to": null, "input": "0x"}));
    let creation = creation.receipt(json!({
        "to": null, "gasUsed": "0x5208", "contractAddress": account(9),
    }));
    assert_eq!(creation.told().internal, InternalTransfers::Unknown);
    assert_eq!(creation.moved(), ["call:0 1>9 native 100"]);
    assert_eq!(creation.told().created[0].contract, account(9));
    let unsent = Answers::new().tx(json!({"input": null}));
    let unsent = unsent.receipt(json!({"gasUsed": "0x5208"})).told();
    assert_eq!(unsent.internal, InternalTransfers::Unknown);
    let traced = Answers::new().calls(json!([])).told();
    assert_eq!(traced.internal, InternalTransfers::Known);
}

#[test]
fn a_contract_that_a_call_would_have_created_is_no_creation() {
    let called = Answers::new().receipt(json!({"contractAddress": account(9)}));
    assert_eq!(called.told().created, []);
}

#[test]
fn the_fee_holds_gas_blobs_the_chain_below_and_the_operator() {
    let fee = |tx: Value, receipt: Value| {
        let told = Answers::new().tx(tx).receipt(receipt).decode();
        told.map(|told| told.fee.to_string())
    };
    let nothing = json!({});
    assert_eq!(fee(nothing.clone(), nothing.clone()).unwrap(), "300000");
    let old = json!({"effectiveGasPrice": null});
    assert_eq!(fee(nothing.clone(), old.clone()).unwrap(), "330000");
    let field = "effectiveGasPrice";
    let missing = Err(DecodeError::Missing { tx: HASH, field });
    assert_eq!(fee(json!({"gasPrice": null}), old), missing);
    let blob = json!({"blobGasUsed": "0x20000", "blobGasPrice": "0x2"});
    assert_eq!(fee(json!({"type": "0x3"}), blob).unwrap(), "562144");
    let field = "blobGasPrice";
    let missing = Err(DecodeError::Missing { tx: HASH, field });
    assert_eq!(fee(json!({"type": "0x3"}), nothing.clone()), missing);
    let measure = json!({"blobGasUsed": "0x20000", "l1Fee": "0x5"});
    assert_eq!(fee(nothing.clone(), measure).unwrap(), "300005");
    let isthmus = json!({"operatorFeeScalar": "0xf4240", "operatorFeeConstant": "0x7"});
    assert_eq!(fee(nothing.clone(), isthmus).unwrap(), "330007");
    let jovian = json!({"operatorFeeScalar": "0x1", "daFootprintGasScalar": "0x190"});
    assert_eq!(fee(nothing.clone(), jovian).unwrap(), "3300000");
    let largest = json!({"effectiveGasPrice": format!("0x{}", "f".repeat(64))});
    assert_eq!(fee(nothing, largest), Err(DecodeError::Overflow(HASH)));
}

#[test]
fn a_chains_own_transaction_pays_nothing_for_more_gas_than_a_block_has() {
    let own = Answers::new().tx(json!({"gas": "0x7fffffffffffffff", "gasPrice": "0x0"}));
    let own = own.receipt(json!({"effectiveGasPrice": "0x0"}));
    let own = own
        .head(json!({"extraData": format!("0x{}", "ab".repeat(1_600)), "milliTimestamp": "0x1"}));
    assert_eq!(own.told().fee, Amount::ZERO);
    assert_eq!(own.moved(), ["call:0 1>2 native 100"]);
}

#[test]
fn a_price_of_gas_was_chosen_only_where_blocks_had_no_base_fee() {
    let chosen = |kind: &str, head: Value| {
        let answers = Answers::new().tx(json!({"type": kind})).head(head);
        let price = answers.receipt(json!({"type": kind})).told().gas_price;
        price.map(|price| price.to_string())
    };
    let none = json!({});
    assert_eq!(chosen("0x0", none.clone()).as_deref(), Some("11"));
    assert_eq!(chosen("0x1", none.clone()).as_deref(), Some("11"));
    assert_eq!(chosen("0x2", none), None, "a type of later blocks");
    let london = json!({"baseFeePerGas": "0x7"});
    assert_eq!(chosen("0x0", london), None);
}

#[test]
fn a_deposit_from_the_chain_below_costs_nothing_here_and_brings_what_it_mints() {
    let deposit = json!({
        "type": "0x7e", "mint": "0x64", "gasPrice": "0x0", "sourceHash": word(1), "nonce": null,
        "r": "0x0", "isSystemTx": false,
    });
    let answers = Answers::new().tx(deposit).receipt(json!({
        "type": "0x7e", "effectiveGasPrice": "0x1", "depositNonce": "0x9", "l1Fee": "0x5",
    }));
    assert_eq!(answers.told().fee, Amount::ZERO);
    assert_eq!(
        answers.moved(),
        ["call:mint 0>1 native 100", "call:0 1>2 native 100"]
    );
    let failed = answers.receipt(json!({"status": "0x0"}));
    assert_eq!(failed.moved(), ["call:mint 0>1 native 100"]);
    let other = Answers::new().tx(json!({"mint": "0x64"}));
    assert_eq!(other.moved(), ["call:0 1>2 native 100"]);
}

#[test]
fn ether_that_arbitrum_takes_from_the_chain_below_is_minted_before_it_is_paid() {
    let deposit = Answers::new()
        .tx(json!({"type": "0x64", "requestId": word(9), "input": "0x", "gas": "0x0", "gasPrice": "0x0"}))
        .receipt(json!({"type": "0x64", "gasUsed": "0x5208", "effectiveGasPrice": "0x5f5e100"}));
    let paid = ["call:mint 0>1 native 100", "call:0 1>2 native 100"];
    assert_eq!(deposit.moved(), paid);
    assert_eq!(deposit.told().fee, Amount::ZERO);
    let free = deposit.receipt(json!({"gasUsed": "0x0"})).told();
    assert_eq!(free.internal, InternalTransfers::Known);
    // What a retryable ticket moves besides its calls is not known, trace or no trace.
    for kind in ["0x65", "0x66", "0x68", "0x69", "0x6a"] {
        let answers = Answers::new().tx(json!({"type": kind})).calls(json!([]));
        assert_eq!(
            answers.told().internal,
            InternalTransfers::Unknown,
            "{kind}"
        );
        assert_eq!(answers.moved(), ["call:0 1>2 native 100"]);
    }
    let known = Answers::new().calls(json!([])).told();
    assert_eq!(known.internal, InternalTransfers::Known);
}

#[test]
fn a_call_of_a_kind_that_nobody_knows_moves_nothing_and_leaves_open_what_it_moved() {
    let told = |value: &str| {
        let calls = json!([call("INVALID", 0, 2, value), call("CALL", 2, 3, "0x5")]);
        Answers::new().calls(calls)
    };
    let moved = ["call:0 1>2 native 100", "call:0.1 2>3 native 5"];
    assert_eq!(told("0x7").moved(), moved);
    assert_eq!(told("0x7").told().internal, InternalTransfers::Unknown);
    assert_eq!(told("0x0").moved(), moved);
    assert_eq!(told("0x0").told().internal, InternalTransfers::Known);
}

#[test]
fn what_nodes_trace_of_arbitrums_own_types_is_used_only_where_it_fits() {
    let of = |kind: &str, top: Value| {
        let mut answers = Answers::new().tx(json!({"type": kind, "input": "0x"}));
        answers = answers.calls(json!([call("CALL", 2, 3, "0x5")]));
        answers.trace.as_mut().unwrap()["value"] = top;
        answers
    };
    let fits = ["call:0 1>2 native 100", "call:0.0 2>3 native 5"];
    for kind in ["0x65", "0x66", "0x68", "0x69", "0x6a"] {
        assert_eq!(of(kind, json!("0x64")).moved(), fits, "{kind}");
        assert_eq!(of(kind, json!("0x63")).moved(), fits[..1], "{kind}");
    }
    // A deposit of ether runs no code, whatever a trace says.
    let deposit = of("0x64", json!("0x0"));
    assert_eq!(deposit.told().internal, InternalTransfers::Known);
    let paid = ["call:mint 0>1 native 100", "call:0 1>2 native 100"];
    assert_eq!(deposit.moved(), paid);
    assert_eq!(misfit(&of("0x2", json!("0x63"))), Misfit::Trace);
}

#[test]
fn types_that_nobody_knows_and_receipts_of_old_nodes_are_read() {
    let unknown = Answers::new().tx(json!({"type": "0x6a", "requestId": {"a": [1, {}]}}));
    let unknown = unknown.receipt(json!({"type": "0x6a", "gasUsedForL1": "0x1"}));
    assert_eq!(unknown.moved(), ["call:0 1>2 native 100"]);
    let mut old = Answers::new().tx(json!({"type": null}));
    let fields = old.receipt.as_object_mut().unwrap();
    for name in [
        "type",
        "effectiveGasPrice",
        "from",
        "to",
        "cumulativeGasUsed",
    ] {
        fields.remove(name).unwrap();
    }
    assert_eq!(old.moved(), ["call:0 1>2 native 100"]);
}

#[test]
fn before_byzantium_success_is_told_by_gas_logs_or_trace_and_never_guessed() {
    let old = || Answers::new().receipt(json!({"status": null, "root": word(8)}));
    assert!(old().told().succeeded);
    let all_gas = || old().tx(json!({"gas": "0x7530"}));
    assert_eq!(all_gas().decode(), Err(DecodeError::OutcomeUnknown(HASH)));
    assert!(all_gas().log(account(2), &[], &[]).told().succeeded);
    assert!(all_gas().calls(json!([])).told().succeeded);
    let mut failed = all_gas().calls(json!([]));
    failed.trace.as_mut().unwrap()["error"] = json!("out of gas");
    assert!(!failed.told().succeeded && failed.moved().is_empty());
}

#[test]
fn a_token_transfer_has_three_topics_and_one_word() {
    let log = |topics: &[B256], words: &[B256]| Answers::new().log(account(7), topics, words);
    let (from, to) = (party(3), party(4));
    let sound = log(&[TRANSFER, from, to], &[word(5)]);
    assert_eq!(sound.moved()[1..], ["log:17 3>4 7 5"]);
    assert_eq!(sound.told().noise, Noise::default());
    for (topics, words) in [
        (&[TRANSFER, from, to][..], &[][..]),
        (&[TRANSFER, from, to], &[word(5), word(6)]),
        (&[TRANSFER, from], &[word(4), word(5)]),
        (&[TRANSFER], &[from, to, word(5)]),
        (&[TRANSFER, from, to, word(5)], &[word(5)]),
    ] {
        let answers = log(topics, words);
        assert_eq!(answers.moved().len(), 1);
        assert_eq!(noise(&answers), UNREADABLE, "{topics:?}");
    }
    let other = log(&[word(1), from, to], &[word(5)]);
    assert_eq!((other.moved().len(), noise(&other)), (1, Noise::default()));
    assert_eq!(noise(&log(&[], &[word(5)])), Noise::default());
}

#[test]
fn a_topic_with_dirty_upper_bytes_names_no_account() {
    let mut dirty = party(3);
    dirty.0[11] = 1;
    for topics in [[TRANSFER, dirty, party(4)], [TRANSFER, party(4), dirty]] {
        let answers = Answers::new().log(account(7), &topics, &[word(5)]);
        assert_eq!(answers.moved().len(), 1);
        assert_eq!(noise(&answers), UNREADABLE);
    }
}

#[test]
fn transfers_of_nothing_and_of_collectibles_are_counted_and_move_nothing() {
    let nothing = Answers::new().log(account(7), &[TRANSFER, party(3), party(4)], &[word(0)]);
    let counted = Noise {
        zero_value: 1,
        ..Noise::default()
    };
    assert_eq!((nothing.moved().len(), noise(&nothing)), (1, counted));
    let (operator, from, to) = (party(3), party(4), party(5));
    for (topics, words) in [
        ([TRANSFER, from, to, word(9)], 0),
        ([SINGLE, operator, from, to], 2),
        ([BATCH, operator, from, to], 6),
    ] {
        let sound = Answers::new().log(account(7), &topics, &vec![word(1); words]);
        assert_eq!((sound.moved().len(), noise(&sound)), (1, COLLECTIBLE));
        let short = Answers::new().log(account(7), &topics[..3], &[]);
        assert_eq!((short.moved().len(), noise(&short)), (1, UNREADABLE));
    }
}

#[test]
fn tokens_come_from_their_contract_and_go_there_but_ether_sent_to_zero_stays_there() {
    let log = |from, to| Answers::new().log(account(7), &[TRANSFER, from, to], &[word(5)]);
    assert_eq!(log(party(0), party(4)).moved()[1..], ["log:17 7>4 7 5"]);
    assert_eq!(log(party(4), party(0)).moved()[1..], ["log:17 4>7 7 5"]);
    let burned = Answers::new().tx(json!({"to": Address::ZERO}));
    let burned = burned.receipt(json!({"to": Address::ZERO}));
    assert_eq!(burned.moved(), ["call:0 1>0 native 100"]);
}

#[test]
fn the_known_wrapping_contract_is_believed() {
    let wrap = |event, contract| Answers::new().log(contract, &[event, party(3)], &[word(5)]);
    assert_eq!(wrap(DEPOSIT, WETH).moved()[1..], ["log:17 W>3 W 5"]);
    assert_eq!(wrap(WITHDRAWAL, WETH).moved()[1..], ["log:17 3>W W 5"]);
    assert_eq!(wrap(DEPOSIT, account(7)).moved().len(), 1);
    assert_eq!(wrap(WITHDRAWAL, account(7)).moved().len(), 1);
    assert_eq!(noise(&wrap(DEPOSIT, account(7))), Noise::default());
}

#[test]
fn another_wrapping_contract_is_believed_for_as_much_ether_as_moved() {
    let deposit = |amount| Answers::new().log(account(2), &[DEPOSIT, party(1)], &[word(amount)]);
    assert_eq!(deposit(100).moved()[1..], ["log:17 2>1 2 100"]);
    assert_eq!(deposit(99).moved().len(), 1);
    let twice = deposit(100).log(account(2), &[DEPOSIT, party(3)], &[word(100)]);
    assert_eq!(twice.moved()[1..], ["log:17 2>1 2 100"]);
    let unwrap = |calls| {
        let log = Answers::new().log(account(7), &[WITHDRAWAL, party(2)], &[word(5)]);
        log.calls(calls).moved()
    };
    let paid = unwrap(json!([call("CALL", 7, 2, "0x5")]));
    assert_eq!(paid[2..], ["log:17 2>7 7 5"]);
    assert_eq!(unwrap(json!([call("CALL", 2, 7, "0x5")])).len(), 2);
    let reverted = with(call("CALL", 7, 2, "0x5"), "error", json!("x"));
    assert_eq!(unwrap(json!([reverted])).len(), 1);
    assert_eq!(unwrap(json!([call("DELEGATECALL", 7, 2, "0x5")])).len(), 1);
}

#[test]
fn a_wrap_that_is_logged_as_a_transfer_too_is_counted_once() {
    let transfer = [TRANSFER, party(0), party(3)];
    let both = || Answers::new().log(WETH, &transfer, &[word(5)]);
    let once = both().log(WETH, &[DEPOSIT, party(3)], &[word(5)]);
    assert_eq!(once.moved()[1..], ["log:17 W>3 W 5"]);
    let different = both().log(WETH, &[DEPOSIT, party(3)], &[word(6)]);
    assert_eq!(different.moved()[1..], ["log:17 W>3 W 5", "log:18 W>3 W 6"]);
    let two = once.log(WETH, &[DEPOSIT, party(3)], &[word(5)]);
    assert_eq!(two.moved()[1..], ["log:17 W>3 W 5", "log:19 W>3 W 5"]);
    let burned = Answers::new().log(WETH, &[WITHDRAWAL, party(3)], &[word(5)]);
    let burned = burned.log(WETH, &[TRANSFER, party(3), party(0)], &[word(5)]);
    assert_eq!(burned.moved()[1..], ["log:18 3>W W 5"]);
}

#[test]
fn calls_come_before_logs_and_each_in_order() {
    let answers = Answers::new()
        .log(WETH, &[DEPOSIT, party(3)], &[word(5)])
        .log(account(7), &[TRANSFER, party(3), party(4)], &[word(6)])
        .log(WETH, &[WITHDRAWAL, party(3)], &[word(7)])
        .calls(json!([call("CALL", 2, 3, "0x1")]));
    let expected = [
        "call:0 1>2 native 100",
        "call:0.0 2>3 native 1",
        "log:17 W>3 W 5",
        "log:18 3>4 7 6",
        "log:19 3>W W 7",
    ];
    assert_eq!(answers.moved(), expected);
}

#[test]
fn the_settlement_contract_tells_trades_and_nobody_else_does() {
    let native = address!("EeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE").into_word();
    let words = [
        party(7),
        native,
        word(5),
        word(6),
        word(1),
        word(0xc0),
        word(0),
    ];
    let trade = |venue, words: &[B256]| Answers::new().log(venue, &[TRADE, party(3)], words);
    let told = trade(SETTLEMENT, &words).told();
    let [only] = told.trades[..] else {
        panic!("{:?}", told.trades);
    };
    assert_eq!((only.venue, only.owner), (SETTLEMENT, account(3)));
    assert_eq!(
        (only.sold, only.bought),
        (Coin::Token(account(7)), Coin::Native)
    );
    assert_eq!(
        (only.sold_amount, only.bought_amount),
        (Amount::from(5), Amount::from(6))
    );
    let other = trade(account(8), &words);
    assert_eq!(
        (other.told().trades, noise(&other)),
        (vec![], Noise::default())
    );
    let short = trade(SETTLEMENT, &words[..3]);
    assert_eq!((short.told().trades, noise(&short)), (vec![], UNREADABLE));
}

#[test]
fn code_ran_where_data_were_sent_logs_written_and_calls_made() {
    let answers = Answers::new().log(account(9), &[], &[]).calls(json!([with(
        call("CALL", 2, 3, "0x0"),
        "calls",
        json!([call("CALL", 3, 4, "0x0")])
    )]));
    assert_eq!(
        answers.told().executed,
        [account(2), account(3), account(9)]
    );
    let plain = Answers::new().tx(json!({"input": "0x"}));
    assert!(plain.told().executed.is_empty());
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let tx = |fields| misfit(&Answers::new().tx(fields));
    let receipt = |fields| misfit(&Answers::new().receipt(fields));
    assert_eq!(
        receipt(json!({"transactionHash": word(1)})),
        Misfit::Receipt
    );
    assert_eq!(receipt(json!({"blockHash": word(6)})), Misfit::Place);
    assert_eq!(receipt(json!({"blockNumber": "0x6"})), Misfit::Place);
    assert_eq!(tx(json!({"blockHash": word(6)})), Misfit::Place);
    assert_eq!(tx(json!({"transactionIndex": "0x4"})), Misfit::Place);
    assert_eq!(receipt(json!({"from": account(9)})), Misfit::Parties);
    assert_eq!(receipt(json!({"to": account(9)})), Misfit::Parties);
    assert_eq!(receipt(json!({"status": "0x2"})), Misfit::Status);
}

#[test]
fn logs_that_belong_elsewhere_are_refused() {
    let log = |fields: Value| {
        let mut answers = Answers::new()
            .log(account(7), &[TRANSFER, party(3), party(4)], &[word(5)])
            .log(account(7), &[TRANSFER, party(3), party(4)], &[word(5)]);
        for (name, value) in fields.as_object().unwrap() {
            answers.receipt["logs"][1][name] = value.clone();
        }
        misfit(&answers)
    };
    assert_eq!(log(json!({"transactionHash": word(1)})), Misfit::Log(18));
    assert_eq!(log(json!({"blockHash": word(6)})), Misfit::Log(18));
    assert_eq!(log(json!({"blockNumber": "0x6"})), Misfit::Log(18));
    assert_eq!(log(json!({"transactionIndex": "0x4"})), Misfit::Log(18));
    assert_eq!(log(json!({"removed": true})), Misfit::Removed(18));
    assert_eq!(log(json!({"logIndex": "0x13"})), Misfit::LogOrder(19));
    assert_eq!(log(json!({"logIndex": "0x11"})), Misfit::LogOrder(17));
    assert_eq!(log(json!({"topics": vec![word(1); 5]})), Misfit::Topics(18));
}

#[test]
fn a_trace_of_another_call_is_refused() {
    let trace = |fields: Value| {
        let mut answers = Answers::new().calls(json!([]));
        for (name, value) in fields.as_object().unwrap() {
            answers.trace.as_mut().unwrap()[name] = value.clone();
        }
        misfit(&answers)
    };
    assert_eq!(trace(json!({"from": account(9)})), Misfit::Trace);
    assert_eq!(trace(json!({"to": account(9)})), Misfit::Trace);
    assert_eq!(trace(json!({"value": "0x65"})), Misfit::Trace);
    assert_eq!(trace(json!({"type": "CREATE"})), Misfit::Trace);
    assert_eq!(trace(json!({"type": "DELEGATECALL"})), Misfit::Trace);
    assert_eq!(trace(json!({"error": "out of gas"})), Misfit::Success);
}
