//! One theft through every kind of endpoint: the same bytes, and the truth as the chain was built.

use std::collections::BTreeSet;

use bitcoin::{OutPoint, Txid};
use hansel_graph::{FeeRule, Rule};
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::StopKind;
use hansel_testkit::{Payee, Scenario};

use crate::command::Finished;
use crate::reading::Reading;
use crate::scene::{CHAIN, Others, Scene, output, pool};

const ALL_RULES: &str = "--rule fifo,lifo,haircut,tiho,seniority,reverse-seniority,poison";

/// Traces through every kind of endpoint and returns what all of them say.
#[track_caller]
fn agreed(others: &Others, words: &str, code: i32) -> Finished {
    let mut ways = others.ways().into_iter();
    let first = ways.next().unwrap();
    let expected = first.trace(words).run().exits(code);
    for way in ways {
        let told = way.trace(words).run().exits(code);
        assert!(
            told.stdout == expected.stdout,
            "{} and {} differ about {words}: {}",
            first.name,
            way.name,
            difference(&expected.stdout, &told.stdout)
        );
    }
    expected
}

/// The first line that differs.
fn difference(one: &str, other: &str) -> String {
    let mut pairs = one.lines().zip(other.lines()).enumerate();
    let differing = pairs.find(|(_, (one, other))| one != other);
    format!("{differing:?}")
}

#[test]
fn a_transaction_is_traced_to_the_same_bytes_through_every_endpoint_under_every_rule() {
    let Some(others) = Others::shared() else {
        return;
    };
    let theft = others.scene().scenario.theft;
    for fee_rule in FeeRule::ALL {
        let words = format!("{theft} {ALL_RULES} --fee-rule {fee_rule} --min-share 0");
        let report = agreed(&others, &words, 0).report();
        report.balances();
        let rules: BTreeSet<Rule> = report.accounting.iter().map(|row| row.rule).collect();
        assert_eq!(rules.len(), 6, "all but poison");
        assert_eq!(report.seeds.len(), 3);
    }
}

#[test]
fn an_address_is_traced_to_the_same_bytes_through_every_endpoint() {
    let Some(others) = Others::shared() else {
        return;
    };
    let scenario = &others.scene().scenario;
    let thief = others.scene().address(Payee::Taproot(21));
    let report = agreed(&others, &format!("{thief} {ALL_RULES} --min-share 0"), 0).report();
    let seeds: Vec<_> = report
        .seeds
        .iter()
        .map(|seed| (&*seed.tx, seed.vout))
        .collect();
    assert_eq!(seeds, [(&*scenario.theft.to_string(), Some(1))]);
    report.balances();
    // The victim's address was paid before the theft and by it.
    let victim = others.scene().address(Payee::Segwit(10));
    let report = agreed(&others, &format!("{victim} --min-share 0"), 0).report();
    assert_eq!(report.seeds.len(), 2);
    let since = format!(
        "{victim} --min-share 0 --since {}",
        height_of(&report, scenario.theft)
    );
    assert_eq!(agreed(&others, &since, 0).report().seeds.len(), 1);
}

#[test]
fn an_output_is_traced_back_to_the_same_bytes_through_every_endpoint() {
    let Some(others) = Others::shared() else {
        return;
    };
    let scenario = &others.scene().scenario;
    let words = format!(
        "{}:0 {ALL_RULES} --min-share 0 --direction backward",
        scenario.merge
    );
    let report = agreed(&others, &words, 0).report();
    report.balances();
    let visited = report.visited();
    for txid in [
        scenario.merge,
        scenario.split,
        scenario.theft,
        scenario.clean.txid,
    ] {
        assert!(visited.contains(&*txid.to_string()), "{txid}");
    }
    assert!(!visited.contains(&*scenario.peels[0].to_string()));
    let fifo = report.row(Rule::Fifo);
    assert_eq!(fifo.at_rest, fifo.stolen, "all of it was mined once");
}

#[test]
fn every_output_of_the_loot_that_nobody_moved_is_found_at_rest() {
    let Some((scenario, report)) = both_stolen_outputs(FeeRule::Last) else {
        return;
    };
    let mut resting: BTreeSet<String> = BTreeSet::new();
    let mut rests = |txid: Txid, vouts: &[u32]| {
        resting.extend(
            vouts
                .iter()
                .map(|vout| OutPoint::new(txid, *vout).to_string()),
        );
    };
    for peel in &scenario.peels {
        rests(*peel, &[0]);
    }
    // Spent in the mempool only.
    rests(scenario.peels[7], &[1]);
    rests(scenario.split, &[10]);
    rests(scenario.merge, &[0, 1]);
    rests(scenario.consolidation, &[0]);
    rests(scenario.burn, &[1]);
    rests(scenario.child, &[0]);
    rests(scenario.replacement, &[0]);
    rests(scenario.coinbase_merge, &[0, 1]);
    rests(scenario.dust, &[0, 2, 3]);
    assert_eq!(report.stopped(StopKind::AtRest), resting);
    let burned = BTreeSet::from([OutPoint::new(scenario.burn, 0).to_string()]);
    assert_eq!(report.stopped(StopKind::Burned), burned);
    assert_eq!(scenario.unspent, OutPoint::new(scenario.split, 10));
}

#[test]
fn every_satoshi_of_the_loot_is_where_it_is_by_hand() {
    let Some((_, report)) = both_stolen_outputs(FeeRule::Last) else {
        return;
    };
    let categories = |seed: &str, rule| {
        let mut rows = report.accounting.iter();
        let row = rows.find(|row| row.seed == seed && row.rule == rule);
        let row = row.unwrap();
        [row.stolen, row.at_rest, row.fees, row.burned, row.total]
    };
    let amounts = |satoshi: [u64; 5]| satoshi.map(Amount::from);
    // 25 BTC less the fees of eight peels.
    let peeled = amounts([2_500_000_000, 2_499_920_000, 80_000, 0, 2_500_000_000]);
    assert_eq!(categories("s1", Rule::Fifo), peeled);
    assert_eq!(categories("s1", Rule::Haircut), peeled);
    // 12 BTC: five fees of 10,000, one of 50,000; where clean value is mixed in, it pays the fee under fifo.
    let fifo = amounts([
        1_200_000_000,
        1_174_900_000,
        100_000,
        25_000_000,
        1_200_000_000,
    ]);
    assert_eq!(categories("s2", Rule::Fifo), fifo);
    // Under lifo the clean coins are the newest, so taint pays the fee of the merge and of the coinbase merge.
    let lifo = amounts([
        1_200_000_000,
        1_174_880_000,
        120_000,
        25_000_000,
        1_200_000_000,
    ]);
    assert_eq!(categories("s2", Rule::Lifo), lifo);
}

#[test]
fn clean_value_that_is_mixed_in_stays_apart_as_each_rule_says() {
    let Some((scenario, report)) = both_stolen_outputs(FeeRule::Last) else {
        return;
    };
    // 1 BTC of taint, then 2 BTC clean, into 2.5 BTC, 0.4999 BTC and a fee of 0.0001 BTC.
    let merged = [
        (Rule::Fifo, [100_000_000, 0, 0]),
        (Rule::Lifo, [50_000_000, 49_990_000, 10_000]),
        (Rule::Haircut, [83_333_333, 16_663_333, 3_334]),
        (Rule::Tiho, [100_000_000, 0, 0]),
        (Rule::Seniority, [100_000_000, 0, 0]),
        (Rule::ReverseSeniority, [50_000_000, 49_990_000, 10_000]),
        (Rule::Poison, [250_000_000, 49_990_000, 10_000]),
    ];
    let flows = [
        output(scenario.merge, 0),
        output(scenario.merge, 1),
        format!("{CHAIN}:fee:{}", scenario.merge),
    ];
    for (rule, expected) in merged {
        let tainted = flows.each_ref().map(|id| report.flow(id).tainted[&rule]);
        assert_eq!(tainted, expected.map(Amount::from), "{rule}");
    }
    for clean in [scenario.clean, scenario.coinbase] {
        let flow = report.flow(&output(clean.txid, clean.vout));
        assert!(
            flow.tainted.values().all(|taint| taint.is_zero()),
            "{clean}"
        );
    }
}

#[test]
fn a_shared_out_fee_takes_taint_from_every_part_of_the_pool() {
    let Some((scenario, report)) = both_stolen_outputs(FeeRule::ProRata) else {
        return;
    };
    report.balances();
    // A third of the pool is tainted: floor(10,000 * 1 / 3), and one unit more for the first segment.
    let fee = report.flow(&format!("{CHAIN}:fee:{}", scenario.merge));
    assert_eq!(fee.tainted[&Rule::Fifo], 3_334.into());
    assert_eq!(fee.tainted[&Rule::Haircut], 3_333.into());
    let first = report.flow(&output(scenario.merge, 0));
    assert_eq!(first.tainted[&Rule::Fifo], 99_996_666.into());
}

#[test]
fn what_only_the_mempool_knows_is_named_and_not_followed() {
    let Some((scenario, report)) = both_stolen_outputs(FeeRule::Last) else {
        return;
    };
    let last = report.node(&output(scenario.peels[7], 1));
    let gaps: Vec<_> = last
        .gaps
        .iter()
        .map(|gap| (&*gap.kind, &*gap.detail))
        .collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].0, "unconfirmed-spend");
    assert!(
        gaps[0].1.contains(&scenario.unconfirmed.to_string()),
        "{gaps:?}"
    );
    let unconfirmed = pool(scenario.unconfirmed);
    assert!(report.nodes.iter().all(|node| node.id != unconfirmed));
    let json = report.to_json();
    assert!(!json.contains(&scenario.replaced.to_string()));
    assert!(json.contains(&scenario.replacement.to_string()));
}

#[test]
fn a_parent_stands_before_its_child_in_the_same_block() {
    let Some((scenario, report)) = both_stolen_outputs(FeeRule::Last) else {
        return;
    };
    let place = |txid| {
        let id = pool(txid);
        let place = report.nodes.iter().position(|node| node.id == id);
        (report.node(&id).block, place.unwrap())
    };
    let pairs = [
        (scenario.parent, scenario.child),
        (scenario.peels[4], scenario.peels[5]),
    ];
    for (parent, child) in pairs {
        let ((above, first), (below, second)) = (place(parent), place(child));
        assert_eq!(above, below);
        assert!(above.is_some() && first < second);
        let flow = |txid| report.flows.iter().position(|flow| flow.tx == txid);
        assert!(flow(parent.to_string()) < flow(child.to_string()));
    }
    assert_eq!(report.tips[0].height, scenario.height);
}

/// The two outputs that the thief took, traced through Esplora under every rule.
fn both_stolen_outputs(fee_rule: FeeRule) -> Option<(Scenario, Report)> {
    let scene = Scene::shared()?;
    let theft = scene.scenario.theft;
    let words = format!("{theft}:0 {theft}:1 {ALL_RULES} --fee-rule {fee_rule} --min-share 0");
    let report = scene.esplora().trace(&words).run().exits(0).report();
    Some((scene.scenario.clone(), report))
}

fn height_of(report: &Report, txid: Txid) -> u64 {
    report.node(&pool(txid)).block.unwrap()
}
