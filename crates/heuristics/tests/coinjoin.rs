//! CoinJoins are recognised by family, and what only looks like one is not.

mod detectors;

use hansel_heuristics::bitcoin::{coinjoin, stonewall, whirlpool_tx0};
use hansel_heuristics::{Confidence, Finding, Parameter};
use hansel_ledger::{Chain, TransactionStatement};

use detectors::{example, output, person, transaction, view};

fn mix(statement: &TransactionStatement) -> Option<Finding> {
    let chain = Chain::bitcoin();
    coinjoin(&view(&chain, statement))
}

fn family(statement: &TransactionStatement) -> Option<&'static str> {
    mix(statement).map(|finding| finding.heuristic)
}

#[test]
fn every_family_is_recognised_by_a_real_mix() {
    let families = [
        ("whirlpool", "btc.coinjoin.whirlpool"),
        ("whirlpool-witness-script", "btc.coinjoin.whirlpool"),
        ("wasabi1-coordinator", "btc.coinjoin.wasabi1"),
        ("wasabi1", "btc.coinjoin.wasabi1"),
        ("wasabi1-1", "btc.coinjoin.wasabi1-1"),
        ("wasabi2", "btc.coinjoin.wasabi2"),
        ("joinmarket", "btc.coinjoin.joinmarket"),
    ];
    for (name, expected) in families {
        let found = mix(&example(name)).unwrap_or_else(|| panic!("{name} is not recognised"));
        assert_eq!(found.heuristic, expected, "{name}");
        assert_eq!(found.confidence, Confidence::Strong, "{name}");
    }
}

#[test]
fn transactions_that_were_found_to_be_no_mixes_are_not_taken_for_any() {
    for name in ["omni", "assets", "payout", "dear-makers", "whirlpool-tx0"] {
        assert_eq!(family(&example(name)), None, "{name}");
    }
}

#[test]
fn a_finding_names_its_transaction_its_equal_outputs_and_its_numbers() {
    let statement = example("whirlpool");
    let found = mix(&statement).unwrap();
    assert_eq!(found.subjects, [format!("bitcoin:tx:{}", statement.txid)]);
    assert_eq!(found.evidence.len(), 5);
    assert_eq!(
        found.evidence[4],
        format!("bitcoin:output:{}:4", statement.txid)
    );
    assert_eq!(found.parameters["participants"], Parameter::Count(5));
    assert_eq!(
        found.parameters["denomination"],
        Parameter::Text("1000000".into())
    );
    assert_eq!(
        found.parameters["operator"],
        Parameter::Text("samourai".into())
    );
}

#[test]
fn of_several_families_the_most_specific_speaks_and_names_the_others() {
    let found = mix(&example("joinmarket")).unwrap();
    let also = Parameter::List(vec!["btc.coinjoin.equal-outputs".into()]);
    assert_eq!(found.parameters["also"], also);
}

#[test]
fn a_square_of_equal_coins_is_no_whirlpool_mix_unless_somebody_enters_and_pays_the_miners() {
    let mut coins = [
        (1_000_000, 1),
        (1_000_000, 2),
        (1_000_000, 3),
        (1_004_000, 4),
        (1_004_000, 5),
    ];
    let paid = [
        (1_000_000, 11),
        (1_000_000, 12),
        (1_000_000, 13),
        (1_000_000, 14),
        (1_000_000, 15),
    ];
    assert_eq!(
        family(&transaction(1, &coins, &paid)),
        Some("btc.coinjoin.whirlpool")
    );
    // More than an entrant brings.
    coins[4].0 = 1_110_001;
    assert_eq!(family(&transaction(1, &coins, &paid)), None);
    // The purse of one person.
    coins[4] = (1_004_000, 4);
    assert_eq!(family(&transaction(1, &coins, &paid)), None);
    // Nobody enters.
    let coins = [1, 2, 3, 4, 5].map(|owner| (1_000_000, owner));
    assert_eq!(family(&transaction(1, &coins, &paid)), None);
}

#[test]
fn a_mix_in_a_pool_known_at_second_hand_is_a_weak_finding() {
    let coins = [
        (2_500_000, 1),
        (2_500_000, 2),
        (2_500_000, 3),
        (2_504_000, 4),
        (2_504_000, 5),
    ];
    let paid = [11, 12, 13, 14, 15].map(|owner| (2_500_000, owner));
    let found = mix(&transaction(1, &coins, &paid)).unwrap();
    assert_eq!(found.confidence, Confidence::Weak);
    assert_eq!(
        found.parameters["operator"],
        Parameter::Text("ashigaru".into())
    );
}

#[test]
fn inputs_of_unknown_value_make_a_finding_weak() {
    let mut statement = example("whirlpool");
    statement.inputs[0].spent = None;
    let found = mix(&statement).unwrap();
    assert_eq!(found.confidence, Confidence::Weak);
    let mut statement = example("joinmarket");
    statement.inputs[0].spent = None;
    assert_eq!(family(&statement), None);
}

#[test]
fn the_coordinators_address_speaks_only_for_its_time() {
    let mut statement = example("wasabi1-coordinator");
    assert_eq!(
        mix(&statement).unwrap().parameters["coordinator-paid"],
        Parameter::Flag(true)
    );
    let hansel_ledger::Placement::Confirmed(block) = &mut statement.placement else {
        panic!("the example has a block")
    };
    block.height = 610_000;
    assert_ne!(family(&statement), Some("btc.coinjoin.wasabi1"));
}

/// An exchange pays ten customers 0.1 bitcoin each out of many coins of its own.
#[test]
fn a_payout_of_the_denomination_is_no_mix() {
    let coins: Vec<_> = (0..12).map(|coin| (9_000_000, coin % 2)).collect();
    let mut paid: Vec<_> = (0..10)
        .map(|customer| (10_000_000, 100 + customer))
        .collect();
    paid.extend([(3_141_592, 200), (2_718_281, 201)]);
    assert_eq!(family(&transaction(1, &coins, &paid)), None);
    // Even from twelve scripts, where all it pays is a multiple of 0.1 bitcoin.
    let mut coins: Vec<_> = (0..12).map(|coin| (1_010_000, coin)).collect();
    coins[0].0 = 99_000_000;
    paid.truncate(10);
    paid.extend([(7_000_000, 200), (3_000_000, 201)]);
    assert_eq!(family(&transaction(1, &coins, &paid)), None);
}

#[test]
fn standard_denominations_out_of_order_are_a_payout_and_no_mix() {
    let sorted = example("wasabi2");
    let mut shuffled = sorted.clone();
    shuffled.outputs.reverse();
    assert_eq!(family(&sorted), Some("btc.coinjoin.wasabi2"));
    assert_eq!(family(&shuffled), None);
}

#[test]
fn equal_outputs_that_one_purse_paid_are_no_mix() {
    let paid = [
        (5_000_000, 11),
        (5_000_000, 12),
        (5_000_000, 13),
        (1_000_000, 14),
        (2_000_000, 15),
    ];
    let three = [(6_001_000, 1), (7_001_000, 2), (5_000_000, 3)];
    assert_eq!(
        family(&transaction(1, &three, &paid)),
        Some("btc.coinjoin.joinmarket")
    );
    let lopsided = [(17_900_000, 1), (50_000, 2), (52_000, 3)];
    assert_eq!(family(&transaction(1, &lopsided, &paid)), None);
    let own_change = [(6_001_000, 1), (7_001_000, 15), (5_000_000, 3)];
    assert_eq!(family(&transaction(1, &own_change, &paid)), None);
}

#[test]
fn a_stonewall_is_named_and_is_no_mix() {
    let chain = Chain::bitcoin();
    let coins = [(6_001_000, 1), (7_001_000, 2)];
    let paid = [
        (5_000_000, 11),
        (5_000_000, 12),
        (1_000_000, 13),
        (2_000_000, 14),
    ];
    let statement = transaction(1, &coins, &paid);
    let found = stonewall(&view(&chain, &statement)).unwrap();
    assert_eq!(found.heuristic, "btc.stonewall");
    assert_eq!(family(&statement), None);
    let paid = [
        (5_000_000, 11),
        (4_000_000, 12),
        (1_000_000, 13),
        (2_000_000, 14),
    ];
    assert_eq!(
        stonewall(&view(&chain, &transaction(1, &coins, &paid))),
        None
    );
}

#[test]
fn coins_are_prepared_for_whirlpool_by_a_tx0_and_not_by_other_protocols() {
    let chain = Chain::bitcoin();
    let real = example("whirlpool-tx0");
    let found = whirlpool_tx0(&view(&chain, &real)).unwrap();
    assert_eq!(found.heuristic, "btc.coinjoin.whirlpool-tx0");
    assert_eq!(found.parameters["pieces"], Parameter::Count(3));
    assert_eq!(found.evidence.len(), 3);
    let data = real
        .outputs
        .iter()
        .position(|output| output.script.is_op_return())
        .unwrap();
    let mut memo = real.clone();
    let text: [u8; 64] = *b"=:BTC.BTC:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4:0/1/0:ss:10";
    memo.outputs[data] = output(0, bitcoin::ScriptBuf::new_op_return(text));
    assert_eq!(whirlpool_tx0(&view(&chain, &memo)), None);
    let mut unpaid = real.clone();
    let fee = real
        .outputs
        .iter()
        .position(|output| output.value.to_sat() == 50_000)
        .unwrap();
    unpaid.outputs[fee] = output(500_000, person(9));
    assert_eq!(whirlpool_tx0(&view(&chain, &unpaid)), None);
}

#[test]
fn a_coinbase_and_transactions_of_any_size_are_answered_without_a_panic() {
    assert_eq!(family(&transaction(1, &[], &[(5_000_000_000, 1)])), None);
    let many: Vec<_> = (0..20_000).map(|coin| (3_000_000, coin)).collect();
    let paid: Vec<_> = (0..10_000).map(|coin| (5_000_000, 50_000 + coin)).collect();
    assert_eq!(family(&transaction(1, &many, &paid)), None);
    let most = u64::MAX;
    assert_eq!(
        family(&transaction(
            1,
            &[(most, 1), (most, 2), (most, 3)],
            &[(most, 4), (most, 5), (most, 6)]
        )),
        None
    );
}
