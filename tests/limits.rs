//! Limits: what they cut off is counted, to the unit, under every rule and in any combination.

use bitcoin::{Network, OutPoint};
use hansel_graph::Rule;
use hansel_ledger::UnixTime;
use hansel_report::Report;
use hansel_report::model::StopKind;
use hansel_testkit::{EsploraOptions, EsploraServer, Ledger, Random, Shape};

use crate::command::Finished;
use crate::reading::Reading;
use crate::scene::Way;

const COMBINATIONS: usize = 30;
/// Requests besides the questions: the hash of the first block; hash and header of the tip, of the pinned block
/// where that is another, and of the pinned block once more at the end.
const OVERHEAD: u64 = 7;

/// A made-up ledger behind a server.
struct Made {
    ledger: Ledger,
    server: EsploraServer,
}

impl Made {
    fn new(seed: u64, transactions: usize) -> Self {
        let ledger = Ledger::random(seed, transactions, &Shape::default());
        let chain = ledger.chain(Network::Regtest);
        let server = EsploraServer::over_chain(chain, EsploraOptions::default()).unwrap();
        Self { ledger, server }
    }

    fn trace(&self, words: &str) -> Finished {
        self.server.reset_counts();
        let way = Way::open("Esplora", format!("esplora={}", self.server.url()));
        way.trace(words).run()
    }
}

/// A limit of each kind with even odds, and one to seven rules.
fn combination(random: &mut Random, height: u64) -> String {
    let mut words = Vec::new();
    let mut add = |random: &mut Random, name: &str, values: &[u64]| {
        if random.percent(50) {
            words.push(format!("--{name} {}", values[random.index(values.len())]));
        }
    };
    add(random, "hops", &[0, 1, 2, 3, 7, 20]);
    add(random, "min-amount", &[1, 1_000, 5_000_000, 2_000_000_000]);
    add(random, "max-nodes", &[1, 2, 5, 17, 60]);
    add(random, "max-requests", &[1, 2, 3, 10, 33, 100]);
    add(
        random,
        "until",
        &[height, height - 1, height - 3, height - 6],
    );
    let share = ["0", "0.000001", "0.01", "0.3", "1"][random.index(5)];
    words.push(format!("--min-share {share}"));
    let fee_rule = ["last", "pro-rata"][random.index(2)];
    words.push(format!("--fee-rule {fee_rule}"));
    let mut rules: Vec<&str> = Rule::ALL.map(Rule::name).to_vec();
    for _ in 0..random.index(rules.len()) {
        rules.remove(random.index(rules.len()));
    }
    words.push(format!("--rule {}", rules.join(",")));
    words.join(" ")
}

#[test]
fn every_combination_of_limits_balances_and_repeats_itself_to_the_byte() {
    let made = Made::new(7, 400);
    let theft = made.ledger.theft();
    let mut random = Random::new(2024);
    for _ in 0..COMBINATIONS {
        let words = combination(&mut random, made.ledger.height());
        let one = made.trace(&format!("{theft} {words}"));
        assert!(matches!(one.code, Some(0 | 3)), "{words}: {}", one.stderr);
        check(&made, &words, &one.report());
        let other = made.trace(&format!("{theft} {words}"));
        assert!(one.stdout == other.stdout, "{words}");
    }
}

#[track_caller]
fn check(made: &Made, words: &str, report: &Report) {
    for row in &report.accounting {
        assert!(row.balances(), "{words}: {row:?}");
    }
    let limits = &report.case.limits;
    if let Some(most) = limits.max_requests {
        let asked = made.server.requests();
        assert!(asked <= most + OVERHEAD, "{words}: {asked} requests");
    }
    if let Some(most) = limits.max_nodes {
        let visited = u64::try_from(report.visited().len()).unwrap();
        assert!(visited <= most, "{words}: {visited} transactions");
    }
    let tip = report.tips[0].height;
    if let Some(until) = &limits.until {
        assert_eq!(tip, until.parse::<u64>().unwrap(), "{words}");
    }
    let blocks = report.flows.iter().filter_map(|flow| flow.block);
    assert!(blocks.max() <= Some(tip), "{words}");
}

#[test]
fn a_limit_that_is_met_is_named_where_the_trail_ends_and_counted_as_not_followed() {
    let made = Made::new(3, 200);
    let theft = made.ledger.theft();
    for (limit, code) in [
        ("--hops 1", 0),
        ("--max-nodes 3", 3),
        ("--max-requests 4", 3),
    ] {
        let report = made
            .trace(&format!("{theft} --min-share 0 {limit}"))
            .exits(code)
            .report();
        let stops = report.nodes.iter().filter_map(|node| node.stop.as_ref());
        let limits: Vec<_> = stops.filter(|stop| stop.kind == StopKind::Limit).collect();
        assert!(!limits.is_empty(), "{limit}");
        let name = limit.trim_start_matches("--").split(' ').next().unwrap();
        assert!(
            limits.iter().all(|stop| stop.reason.contains(name)),
            "{limits:?}"
        );
        assert!(
            report.accounting.iter().any(|row| !row.frontier.is_zero()),
            "{limit}"
        );
    }
}

#[test]
fn until_a_time_counts_every_block_up_to_that_second() {
    let made = Made::new(5, 200);
    let theft = made.ledger.theft();
    let cut = made.ledger.blocks().len() - 4;
    let time = u64::from(made.ledger.blocks()[cut].header.time);
    let height = u64::try_from(cut).unwrap();
    let until = |moment: String| {
        let words = format!("{theft} --until {moment}");
        made.trace(&words).exits(0).report()
    };
    let by_time = until(UnixTime(time).to_string());
    let by_height = until(height.to_string());
    assert_eq!(by_time.tips[0].height, height);
    assert_eq!(by_time.accounting, by_height.accounting);
    assert_eq!(by_time.flows, by_height.flows);
    let before = until(UnixTime(time - 1).to_string());
    assert_eq!(before.tips[0].height, height - 1);
    // What was spent later was unspent then.
    let later = |output: &OutPoint| {
        made.ledger
            .spender(output)
            .is_some_and(|(_, at)| at > height)
    };
    let resting = by_height.stopped(StopKind::AtRest);
    let spent_later = resting
        .iter()
        .filter(|output| later(&output.parse().unwrap()));
    assert!(spent_later.count() > 0);
    made.trace(&format!("{theft} --until yesterday"))
        .fails(2, &["yesterday", "hint: "]);
}

#[test]
fn a_theft_after_the_last_block_that_counts_is_in_no_block() {
    let made = Made::new(5, 200);
    let words = format!("{} --until 1", made.ledger.theft());
    let report = made.trace(&words).exits(3).report();
    report.balances();
    assert_eq!(report.tips[0].height, 1);
    assert!(report.flows.iter().all(|flow| flow.block.is_none()));
    let gaps = report.unknown.iter().map(|entry| &*entry.kind);
    assert_eq!(gaps.collect::<Vec<_>>(), ["unconfirmed"]);
}

#[test]
fn a_smaller_share_is_counted_as_below_the_threshold() {
    let made = Made::new(9, 200);
    let words = format!("{} --min-share 0.2 --rule haircut", made.ledger.theft());
    let report = made.trace(&words).exits(0).report();
    report.balances();
    assert!(
        report
            .accounting
            .iter()
            .any(|row| !row.below_threshold.is_zero())
    );
    for stop in report.stopped(StopKind::BelowThreshold) {
        let flow = report.flow(&format!("{}:output:{stop}", report.seeds[0].chain));
        for seed in &report.seeds {
            let claim = flow.claims[&Rule::Haircut]
                .get(&*seed.id)
                .copied()
                .unwrap_or_default();
            let fifth = seed.amount.mul_div(1.into(), 5.into()).unwrap();
            assert!(claim <= fifth, "{stop}");
        }
    }
}
