//! Thieves who write behind a payment to themselves that it goes to another chain: the trail ends there, the report says whose
//! word that is, and goes on where the user does not believe it. A real Bitcoin node and a real EVM node.

use alloy_primitives::{Address, Bytes, U256};
use bitcoin::OutPoint;
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_testkit::{Pay, Payee};
use serde_json::json;

use crate::crossings::{Bridge, COIN, ETHER, VAULT, crossings, out, require_balance, sum};

const SELF: Payee = Payee::Segwit(960);
const MEMO: &[u8] = b"=:ETH.ETH:0x7070707070707070707070707070707070707070";

/// What is said of the crossing that nothing confirms.
fn said(report: &Report) -> &str {
    let unknown = report.unknown.iter();
    let mut of = unknown.filter(|one| one.kind == "crossing");
    let said = &of.next().expect("the crossing is named").detail;
    assert!(said.contains("by the sender's own words"), "{said}");
    said
}

fn reaches(report: &Report, address: &str) -> bool {
    let mut nodes = report.nodes.iter();
    nodes.any(|node| node.address.as_deref() == Some(address))
}

#[test]
fn a_memo_behind_a_payment_to_oneself_ends_the_trail_until_the_user_goes_through() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let coinbases = bridge.regtest.fund(VAULT, 1);
    let stolen = [Pay::to(Payee::Segwit(961), 4 * COIN), Pay::rest(VAULT)];
    let theft = bridge.regtest.pay(&coinbases, &stolen, 1_000);
    bridge.regtest.mine();
    let outputs = [
        Pay::to(SELF, 3 * COIN),
        Pay::note(MEMO, 0),
        Pay::rest(Payee::Segwit(962)),
    ];
    let lie = bridge
        .regtest
        .pay(&[OutPoint::new(theft, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    let end = Payee::Segwit(963);
    let outputs = [Pay::to(end, 2 * COIN), Pay::rest(Payee::Segwit(964))];
    bridge
        .regtest
        .pay(&[OutPoint::new(lie, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    let (config, esplora) = (bridge.config_of("thorchain"), bridge.esplora());
    let end = bridge.regtest.address(end).to_string();
    let words = format!("--chain bitcoin-regtest {theft} --rule fifo,haircut");
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    assert!(
        said(&report).contains(&format!("--through {lie}")),
        "{}",
        said(&report)
    );
    assert_eq!(
        sum(&report, Rule::Fifo, |row| row.bridges),
        Amount::from(3 * COIN)
    );
    assert!(!reaches(&report, &end));
    let place = bridge.regtest.address(SELF).to_string();
    for through in [lie.to_string(), place] {
        let words = format!("{words} --through {through}");
        let report = bridge.trace(&words, config.path(), &esplora).run().report();
        require_balance(&report);
        assert!(crossings(&report).is_empty());
        for rule in [Rule::Fifo, Rule::Haircut] {
            assert_eq!(
                sum(&report, rule, |row| row.bridges),
                Amount::ZERO,
                "{rule}"
            );
        }
        assert!(reaches(&report, &end), "{through}");
        assert_eq!(report.case.overrides[0].subject, through);
    }
}

#[test]
fn data_like_a_memo_with_a_transfer_to_oneself_ends_the_trail_until_the_user_goes_through() {
    let Some(bridge) = Bridge::start() else {
        return;
    };
    let (victim, thief, own) = (bridge.cast.victim, bridge.cast.thief, bridge.cast.vault);
    let theft = bridge.pay(victim, thief, 4 * ETHER);
    let lie = json!({
        "from": thief,
        "to": own,
        "value": U256::from(3 * ETHER),
        "data": Bytes::from_static(MEMO),
    });
    bridge.transact(lie);
    let end = Address::repeat_byte(0x99);
    bridge.pay(own, end, 2 * ETHER);
    let (config, esplora) = (bridge.config_of("thorchain"), bridge.esplora());
    let words = format!("--chain anvil {theft} --rule fifo,haircut");
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    assert!(
        said(&report).contains(&format!("--through {own}")),
        "{}",
        said(&report)
    );
    let bridges = |report: &Report| sum(report, Rule::Fifo, |row| row.bridges);
    assert_eq!(bridges(&report).to_string(), (3 * ETHER).to_string());
    assert!(!reaches(&report, &end.to_string()));
    let words = format!("{words} --through {own}");
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    assert_eq!(bridges(&report), Amount::ZERO);
    assert!(reaches(&report, &end.to_string()));
}

#[test]
fn a_memo_with_a_single_wei_hides_nothing_of_what_else_an_account_gets() {
    let Some(bridge) = Bridge::start() else {
        return;
    };
    let (victim, thief, own) = (bridge.cast.victim, bridge.cast.thief, bridge.cast.vault);
    let theft = bridge.pay(victim, thief, 4 * ETHER);
    let lie = json!({
        "from": thief,
        "to": own,
        "value": U256::from(1),
        "data": Bytes::from_static(MEMO),
    });
    bridge.transact(lie);
    bridge.pay(thief, own, 3 * ETHER);
    let end = Address::repeat_byte(0x99);
    bridge.pay(own, end, 2 * ETHER);
    let (config, esplora) = (bridge.config_of("thorchain"), bridge.esplora());
    let words = format!("--chain anvil {theft} --rule fifo,haircut");
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    let said = said(&report);
    assert!(said.contains("the trail goes on there; --stop"), "{said}");
    assert!(reaches(&report, &end.to_string()));
    assert_eq!(sum(&report, Rule::Fifo, |row| row.bridges), Amount::ZERO);
}

#[test]
fn crumbs_that_answer_a_memo_to_oneself_do_not_take_the_claims() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let coinbases = bridge.regtest.fund(VAULT, 2);
    let stolen = [Pay::to(Payee::Segwit(961), 4 * COIN), Pay::rest(VAULT)];
    let theft = bridge.regtest.pay(&coinbases[..1], &stolen, 1_000);
    bridge.regtest.mine();
    let mule = Payee::Segwit(970);
    let memo = format!("=:BTC.BTC:{}", bridge.regtest.address(mule));
    let outputs = [
        Pay::to(SELF, 3 * COIN),
        Pay::note(memo.as_bytes(), 0),
        Pay::rest(Payee::Segwit(962)),
    ];
    let lie = bridge
        .regtest
        .pay(&[OutPoint::new(theft, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    let answer = out(&lie.to_string());
    let outputs = [
        Pay::to(mule, 600),
        Pay::note(answer.as_bytes(), 0),
        Pay::rest(VAULT),
    ];
    bridge.regtest.pay(&coinbases[1..], &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    let (config, esplora) = (bridge.config_of("thorchain"), bridge.esplora());
    let words = format!("--chain bitcoin-regtest {theft} --rule fifo,haircut");
    let done = bridge.trace(&words, config.path(), &esplora).run();
    let report = done.report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let three = Amount::from(3 * COIN);
    assert_eq!(sum(&report, Rule::Fifo, |row| row.bridges), three);
    let said = said(&report);
    assert!(said.contains("less than half"), "{said}");
    assert!(said.contains(&format!("--through {lie}")), "{said}");
}
