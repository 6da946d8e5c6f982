//! tBTC that is made only when a wallet has swept deposits: real transactions of Bitcoin that spend the deposits' scripts, and a
//! real EVM node on which a contract logs what the bridge and its vault do.

use alloy_primitives::{Address, B256, FixedBytes, U256};
use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, Txid};
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_testkit::{Pay, evm_call};
use serde_json::json;

use crate::command::{Hansel, directory};
use crate::crossings::{COIN, crossings, require_balance, sum};
use crate::mints::{
    Story, UNITS, WALLET, configured, deposit_script, deposited, finalize, minted, tell, wallet,
};

/// What the wallet makes for a deposit: for whom, how much, and whether it first repays what was made before.
type Made = (Address, U256, bool);

/// The wallet's key.
const KEY: u32 = 970;

/// 30 bitcoin less a share of the fee.
fn swept() -> U256 {
    U256::from(30 * COIN - 5_001) * U256::from(UNITS)
}

/// Somebody else's deposit, the wallet's own output and the thief's deposit become one output of the wallet's.
fn sweep(story: &mut Story) -> Txid {
    let other = deposit_script(&story.bridge, story.bridge.cast.other);
    let own = deposit_script(&story.bridge, story.owner);
    let regtest = &mut story.bridge.regtest;
    let outputs = [Pay::lock(other.to_p2wsh(), 4 * COIN), Pay::rest(WALLET)];
    let before = regtest.pay(&[OutPoint::new(story.theft, 1)], &outputs, 1_000);
    regtest.mine();
    let inputs = [
        OutPoint::new(before, 0),
        OutPoint::new(before, 1),
        OutPoint::new(story.paid, 0),
    ];
    regtest.unlock(inputs[0], KEY, other);
    regtest.unlock(inputs[2], KEY, own);
    let swept = regtest.pay(&inputs, &[Pay::rest(WALLET)], 10_000);
    regtest.mine();
    story.bridge.catch_up();
    swept
}

/// Proves the sweep, which makes tokens for each deposit in the order of its inputs.
fn prove(story: &Story, sweep: Txid, made: &[Made]) {
    let wallet = FixedBytes::<20>::from(wallet(&story.bridge));
    let to: Vec<Address> = made.iter().map(|one| one.0).collect();
    let values: Vec<U256> = made.iter().map(|one| one.1).collect();
    let repay: Vec<bool> = made.iter().map(|one| one.2).collect();
    let sweep = B256::from(sweep.to_byte_array());
    let call = evm_call(
        "prove(bytes20,bytes32,address[],uint256[],bool[])",
        (wallet, sweep, to, values, repay),
    );
    let (from, to) = (story.bridge.cast.victim, story.mint);
    let call = json!({"from": from, "to": to, "data": call, "gas": "0x4c4b40"});
    story.bridge.transact(call);
}

/// What was made for the other deposit had been made before, as of most.
fn other(story: &Story) -> Made {
    (story.bridge.cast.other, U256::ZERO, true)
}

fn require_refused(story: &Story, why: &str) {
    let report = story.run("", "tbtc", story.mint).report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let said = |one: &hansel_report::model::Unknown| one.detail.contains(why);
    assert!(report.unknown.iter().any(said), "{:?}", report.unknown);
    assert_eq!(
        sum(&report, Rule::Fifo, |row| row.bridges),
        Amount::from(30 * COIN)
    );
}

#[test]
fn a_deposit_is_followed_to_what_its_sweep_made_for_it_among_others() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    let sweep = sweep(&mut story);
    let made = [other(&story), (story.owner, swept(), false)];
    prove(&story, sweep, &made);
    story.pay_on(swept() / U256::from(3));
    story.require_crossed("tbtc", swept());
}

#[test]
fn two_deposits_of_one_account_are_told_apart_by_the_order_of_the_inputs() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    let sweep = sweep(&mut story);
    let first = U256::from(4 * COIN - 5_000) * U256::from(UNITS);
    let made = [(story.owner, first, false), (story.owner, swept(), false)];
    prove(&story, sweep, &made);
    let report = story.run("", "tbtc", story.mint).report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].amount, Amount::from(swept()));
}

#[test]
fn what_was_made_before_the_sweep_is_followed_and_the_sweep_is_not() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    finalize(&story);
    let sweep = sweep(&mut story);
    let made = [other(&story), (story.owner, swept(), false)];
    prove(&story, sweep, &made);
    story.pay_on(minted() / U256::from(3));
    let report = story.run("", "tbtc", story.mint).report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].amount, Amount::from(minted()));
}

#[test]
fn a_sweep_that_repays_other_deposits_of_the_depositor_is_not_divided() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    let sweep = sweep(&mut story);
    let made = [other(&story), (story.owner, swept(), true)];
    prove(&story, sweep, &made);
    require_refused(&story, "not divided");
}

#[test]
fn a_proof_that_tells_of_more_deposits_than_were_swept_is_not_believed() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    let sweep = sweep(&mut story);
    let own = (story.owner, swept(), false);
    prove(&story, sweep, &[other(&story), own, own]);
    require_refused(&story, "does not tell tokens of");
}

#[test]
fn a_rescan_finds_a_sweep_and_its_proof_and_leaves_the_report_of_a_trace_from_scratch() {
    let Some(mut story) = deposited() else {
        return;
    };
    tell(&story);
    let (config, kept, fresh) = (configured("tbtc", story.mint), directory(), directory());
    let rescan = |story: &Story| {
        let outcome = story.ask("rescan minted --json", config.path(), kept.path());
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let report = Hansel::new("report minted --json")
            .option("--config", config.path())
            .data(kept.path())
            .run();
        crossings(&report.report()).len()
    };
    story.ask(&story.trace(), config.path(), kept.path());
    assert_eq!(rescan(&story), 0);
    let sweep = sweep(&mut story);
    assert_eq!(rescan(&story), 0);
    require_refused(
        &story,
        &format!("{sweep} spent it, of which no proof is logged"),
    );
    prove(
        &story,
        sweep,
        &[other(&story), (story.owner, swept(), false)],
    );
    assert_eq!(rescan(&story), 1);
    let scratch = story.ask(&story.trace(), config.path(), fresh.path());
    let report = Hansel::new("report minted --json")
        .option("--config", config.path())
        .data(kept.path())
        .run();
    assert_eq!(report.stdout, scratch.stdout);
}
