//! Each detector of single transactions fires on its shape and not on the look-alike.

mod detectors;

use bitcoin::ScriptBuf;
use hansel_heuristics::bitcoin::{
    TxView, address_reuse, batch_payout, change, change_of, chips, consolidation, fan_out,
    op_return, transaction_findings,
};
use hansel_heuristics::{Confidence, Finding, Parameter};
use hansel_ledger::{Chain, TransactionStatement};

use detectors::{example, output, transaction, view};

type Detector = fn(&TxView<'_>) -> Option<Finding>;

fn ask(detector: Detector, statement: &TransactionStatement) -> Option<Finding> {
    let chain = Chain::bitcoin();
    detector(&view(&chain, statement))
}

fn people(count: u64, value: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    (0..count)
        .map(|person| (value(person), 100 + person))
        .collect()
}

#[test]
fn a_payout_pays_many_different_amounts_and_a_fan_out_cuts_equal_pieces() {
    let purse = [(1_000_000_000, 1)];
    let payout = transaction(1, &purse, &people(10, |person| 1_234_567 + 1_111 * person));
    assert_eq!(
        ask(batch_payout, &payout).unwrap().parameters["paid"],
        Parameter::Count(10)
    );
    assert_eq!(ask(fan_out, &payout), None);
    let cut = transaction(
        1,
        &purse,
        &people(10, |person| if person < 5 { 5_000_000 } else { person }),
    );
    assert_eq!(ask(fan_out, &cut).unwrap().evidence.len(), 5);
    assert_eq!(ask(batch_payout, &cut), None);
    let few = transaction(1, &purse, &people(9, |person| 1_234_567 + person));
    assert_eq!(ask(batch_payout, &few), None);
}

#[test]
fn many_inputs_pay_no_batch() {
    let coins = people(6, |_| 50_000_000);
    let statement = transaction(1, &coins, &people(11, |person| 1_234_567 + person));
    assert_eq!(ask(batch_payout, &statement), None);
    let statement = transaction(1, &coins[..5], &people(11, |person| 1_234_567 + person));
    assert!(ask(batch_payout, &statement).is_some());
}

#[test]
fn coins_of_a_mix_are_no_payout() {
    for name in ["wasabi1-1", "wasabi2", "whirlpool", "whirlpool-tx0"] {
        assert_eq!(ask(batch_payout, &example(name)), None, "{name}");
        assert_eq!(ask(fan_out, &example(name)), None, "{name}");
    }
}

#[test]
fn a_consolidation_has_many_inputs_and_one_output() {
    let coins = people(5, |_| 1_000_000);
    let found = ask(consolidation, &transaction(1, &coins, &[(4_990_000, 1)])).unwrap();
    assert_eq!(found.parameters["inputs"], Parameter::Count(5));
    assert_eq!(
        ask(
            consolidation,
            &transaction(1, &coins[..4], &[(3_990_000, 1)])
        ),
        None
    );
    assert_eq!(
        ask(
            consolidation,
            &transaction(1, &coins, &[(4_000_000, 1), (990_000, 2)])
        ),
        None
    );
}

#[test]
fn chips_are_round_coins_of_few_values_made_after_chipmixer_began() {
    let made = |values: [u64; 4]| {
        let outputs: Vec<_> = (10..)
            .zip(values)
            .map(|(owner, value)| (value, owner))
            .collect();
        transaction(1, &[(1_000_000_000, 1)], &outputs)
    };
    let chain = Chain::bitcoin();
    let real = made([102_400_000, 102_400_000, 102_400_000, 34_567]);
    assert_eq!(
        ask(chips, &real).unwrap().parameters["chips"],
        Parameter::Count(3)
    );
    assert_eq!(
        ask(
            chips,
            &made([102_400_001, 102_400_001, 102_400_001, 34_567])
        ),
        None
    );
    assert_eq!(
        ask(chips, &made([102_400_000, 102_400_000, 51_200_000, 34_567])),
        None
    );
    let mut early = view(&chain, &real);
    early.time = Some(1_493_596_799);
    assert_eq!(chips(&early), None);
    early.time = Some(1_493_596_800);
    assert!(chips(&early).is_some());
}

fn data(bytes: &[u8]) -> ScriptBuf {
    let push = bitcoin::script::PushBytesBuf::try_from(bytes.to_vec()).expect("short enough");
    ScriptBuf::new_op_return(&push)
}

fn carrying(script: ScriptBuf) -> TransactionStatement {
    let mut statement = transaction(1, &[(1_000_000, 1)], &[(600, 2), (900_000, 3)]);
    statement.outputs.push(output(0, script));
    statement
}

#[test]
fn data_are_named_after_their_protocol() {
    let runes = ScriptBuf::from_hex("6a5d0714b4a83a14f73a").unwrap();
    let cases = [
        (runes, "runes"),
        (ScriptBuf::new_op_return(*b"omni\0\0\0\0\0\0\0\x1f"), "omni"),
        (ScriptBuf::new_op_return(*b"OTS\x01abc"), "opentimestamps"),
        (ScriptBuf::new_op_return(*b"CNTRPRTYx"), "counterparty"),
        (ScriptBuf::new_op_return(*b"VBKx"), "veriblock"),
        (data(&[7; 80]), "unknown"),
        (ScriptBuf::new_op_return(*b"=:ETH.ETH:0xabc"), "text"),
        (ScriptBuf::new_op_return([0xff; 32]), "unknown"),
    ];
    for (script, protocol) in cases {
        let mut statement = carrying(script);
        if protocol == "unknown" {
            // Without the small output of a notification.
            statement.outputs[0] = output(2_000, detectors::person(2));
        }
        let found = ask(op_return, &statement).unwrap();
        assert_eq!(
            found.parameters["protocols"],
            Parameter::List(vec![protocol.into()])
        );
    }
    let notification = ask(op_return, &carrying(data(&[7; 80]))).unwrap();
    assert_eq!(
        notification.parameters["protocols"],
        Parameter::List(vec!["bip47-notification".into()])
    );
    assert_eq!(
        ask(op_return, &transaction(1, &[(2_000, 1)], &[(1_000, 2)])),
        None
    );
}

#[test]
fn long_data_are_cut_and_broken_pushes_are_read_as_far_as_they_go() {
    let mut bytes = vec![0x6a, 0x4d, 0xff, 0xff];
    bytes.extend([b'a'; 200]);
    let found = ask(op_return, &carrying(ScriptBuf::from_bytes(bytes))).unwrap();
    assert_eq!(
        found.parameters["protocols"],
        Parameter::List(vec!["unknown".into()])
    );
    let found = ask(op_return, &carrying(data(&[b'a'; 60_000]))).unwrap();
    let Parameter::List(data) = &found.parameters["data"] else {
        panic!("no list")
    };
    assert!(
        data[0].len() < 200 && data[0].ends_with("59920 bytes more"),
        "{}",
        data[0]
    );
}

#[test]
fn the_address_that_paid_is_the_change_beyond_doubt() {
    let statement = transaction(1, &[(5_000_000, 1)], &[(1_234_567, 2), (3_700_000, 1)]);
    let found = ask(change, &statement).unwrap();
    assert_eq!(found.confidence, Confidence::Strong);
    assert_eq!(
        found.subjects,
        [format!("bitcoin:output:{}:1", statement.txid)]
    );
    assert_eq!(
        found.parameters["chosen-by"],
        Parameter::List(vec!["address-reuse".into()])
    );
}

#[test]
fn the_tests_that_choose_the_change_and_those_against_it_are_named() {
    let chain = Chain::bitcoin();
    let of = |inputs: &[(u64, u64)], outputs: &[(u64, u64)]| {
        let statement = transaction(1, inputs, outputs);
        change_of(&view(&chain, &statement))
    };
    let two = [(3_000_000, 1), (4_000_000, 2)];
    let both = of(&two, &[(5_000_000, 11), (1_990_123, 12)]).unwrap();
    assert_eq!(
        (both.output, both.chosen_by),
        (1, vec!["optimal-change", "round-amount"])
    );
    let torn = of(&two, &[(5_990_123, 11), (1_000_000, 12)]).unwrap();
    assert_eq!((torn.output, torn.chosen_by), (0, vec!["round-amount"]));
    assert_eq!(torn.against, ["optimal-change"]);
    // With one coin every output is smaller than it, which says nothing.
    assert_eq!(of(&two[..1], &[(1_500_123, 11), (1_490_123, 12)]), None);
    // A payment to one is no payment with change.
    assert_eq!(of(&two, &[(6_990_123, 11)]), None);
}

#[test]
fn change_of_another_kind_of_script_than_the_coins_is_ruled_out() {
    let chain = Chain::bitcoin();
    let mut statement = transaction(1, &[(5_000_000, 1)], &[(1_234_567, 2), (3_700_001, 3)]);
    statement.outputs[0].script =
        ScriptBuf::from_hex(&format!("76a914{}88ac", "00".repeat(20))).unwrap();
    let found = change_of(&view(&chain, &statement)).unwrap();
    assert_eq!((found.output, found.chosen_by), (1, vec!["address-type"]));
}

#[test]
fn a_mix_has_no_change() {
    for name in ["joinmarket", "whirlpool", "wasabi1"] {
        assert_eq!(ask(change, &example(name)), None, "{name}");
    }
}

#[test]
fn an_address_that_occurs_twice_is_named() {
    let found = ask(
        address_reuse,
        &transaction(1, &[(500, 1), (600, 1)], &[(700, 2), (100, 3)]),
    )
    .unwrap();
    assert_eq!(found.parameters["spent-several-times"], Parameter::Count(1));
    assert_eq!(found.parameters["spent-and-paid"], Parameter::Count(0));
    let found = ask(
        address_reuse,
        &transaction(1, &[(500, 1)], &[(400, 1), (100, 3)]),
    )
    .unwrap();
    assert_eq!(found.parameters["spent-and-paid"], Parameter::Count(1));
    assert_eq!(found.confidence, Confidence::Certain);
    assert_eq!(
        ask(
            address_reuse,
            &transaction(1, &[(500, 1)], &[(400, 2), (100, 3)])
        ),
        None
    );
}

#[test]
fn all_findings_of_a_transaction_come_sorted_and_always_the_same() {
    let chain = Chain::bitcoin();
    let statement = example("omni");
    let findings = transaction_findings(&view(&chain, &statement));
    let ids: Vec<_> = findings.iter().map(|finding| finding.heuristic).collect();
    assert!(ids.is_sorted() && ids.len() >= 2, "{ids:?}");
    assert_eq!(findings, transaction_findings(&view(&chain, &statement)));
}
