//! Settlement against a naive simulation, on random ledgers, in any order of arrival.
#![allow(
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "a test of small numbers"
)]

mod ledgers;
mod naive;
mod stops;

use bitcoin::OutPoint;
use hansel_graph::{Direction, FeeRule, FlowGraph, PoolIx, Rule, Seed, Settlement, Strand};
use hansel_ledger::TransactionStatement;
use ledgers::Dice;
use naive::Coin;
use proptest::prelude::*;
use stops::Scattered;

const IN_ORDER: [Rule; 5] = [
    Rule::Fifo,
    Rule::Lifo,
    Rule::Tiho,
    Rule::Seniority,
    Rule::ReverseSeniority,
];

fn choose_seeds(ledger: &[TransactionStatement], dice: &mut Dice, count: usize) -> Vec<Seed> {
    let mut seeds: Vec<Seed> = Vec::new();
    for _ in 0..count * 4 {
        let transaction = &ledger[dice.roll((ledger.len() as u64 / 2).max(1)) as usize];
        let vout = dice.roll(transaction.outputs.len() as u64) as u32;
        let amount = transaction.outputs[vout as usize].value.to_sat();
        let outpoint = OutPoint {
            txid: transaction.txid,
            vout,
        };
        if amount > 0 && seeds.len() < count && seeds.iter().all(|seed| seed.outpoint != outpoint) {
            seeds.push(Seed { outpoint, amount });
        }
    }
    seeds
}

fn settle(
    ledger: &[TransactionStatement],
    seeds: &[Seed],
    rules: &[Rule],
    fee_rule: FeeRule,
    stops: Option<Scattered>,
) -> (FlowGraph, Settlement) {
    let mut graph = FlowGraph::default();
    let mut settlement = Settlement::new(rules, fee_rule, Direction::Forward);
    for seed in seeds {
        settlement.add_seed(*seed);
    }
    let pools: Vec<PoolIx> = ledger
        .iter()
        .map(|statement| graph.insert(statement).unwrap())
        .collect();
    if let Some(stops) = stops {
        end(&graph, &mut settlement, stops);
    }
    settlement.update(&graph, pools, |_| {}).unwrap();
    (graph, settlement)
}

/// Ends trails as a trace does.
fn end(graph: &FlowGraph, settlement: &mut Settlement, stops: Scattered) {
    for flow in graph.flows() {
        let script = graph.flow(flow).script;
        settlement.end_flow(flow, script.is_some_and(|script| stops.ends(script)));
    }
    for pool in graph.pools() {
        settlement.shut_pool(pool, stops.shuts(&graph.pool(pool).txid));
    }
}

fn coins(strands: &[Strand<u64>]) -> Vec<Coin> {
    let unit = |strand: &Strand<u64>| {
        vec![strand.owner.map(|seed| seed.position()); strand.amount as usize]
    };
    strands.iter().flat_map(unit).collect()
}

fn taint(strands: &[Strand<u64>]) -> u64 {
    strands
        .iter()
        .filter(|strand| strand.owner.is_some())
        .map(|strand| strand.amount)
        .sum()
}

/// A wholly clean parcel is stored as nothing.
fn stored(coins: Vec<Coin>) -> Vec<Coin> {
    if coins.iter().all(Option::is_none) {
        Vec::new()
    } else {
        coins
    }
}

fn check_in_order(
    ledger: &[TransactionStatement],
    seeds: &[Seed],
    fee_rule: FeeRule,
    stops: Option<Scattered>,
) {
    let (graph, settlement) = settle(ledger, seeds, &IN_ORDER, fee_rule, stops);
    let outpoints: Vec<OutPoint> = seeds.iter().map(|seed| seed.outpoint).collect();
    for rule in IN_ORDER {
        let mut naive = naive::simulate(
            ledger,
            &outpoints,
            rule.name(),
            fee_rule == FeeRule::ProRata,
            stops,
        );
        for flow in graph.flows() {
            let expected = naive.outputs.remove(&graph.outpoint(flow)).unwrap();
            assert_eq!(
                coins(settlement.strands(rule, flow)),
                stored(expected),
                "{rule} {}",
                graph.outpoint(flow)
            );
        }
        for (transaction, fee) in ledger.iter().zip(naive.fees) {
            let pool = graph.find(&transaction.txid).unwrap();
            assert_eq!(
                coins(settlement.fee_strands(rule, pool)),
                stored(fee),
                "{rule} fee"
            );
        }
    }
}

fn check_haircut(
    ledger: &[TransactionStatement],
    seeds: &[Seed],
    fee_rule: FeeRule,
    stops: Option<Scattered>,
) {
    let (graph, settlement) = settle(ledger, seeds, &[Rule::Haircut], fee_rule, stops);
    let outpoints: Vec<OutPoint> = seeds.iter().map(|seed| seed.outpoint).collect();
    let (held, fees) = naive::haircut(ledger, &outpoints, fee_rule == FeeRule::ProRata, stops);
    for flow in graph.flows() {
        assert_eq!(
            settlement.tainted(Rule::Haircut, flow),
            held[&graph.outpoint(flow)]
        );
    }
    for (transaction, fee) in ledger.iter().zip(fees) {
        let pool = graph.find(&transaction.txid).unwrap();
        assert_eq!(taint(settlement.fee_strands(Rule::Haircut, pool)), fee);
    }
}

/// True where a flow ends: unspent, or at a place where trails end.
fn stays(graph: &FlowGraph, settlement: &Settlement, flow: hansel_graph::FlowIx) -> bool {
    let next = graph.flow(flow).spender;
    settlement.is_ended(flow) || next.is_none_or(|pool| settlement.is_shut(graph, pool))
}

fn check_conservation(
    ledger: &[TransactionStatement],
    seeds: &[Seed],
    fee_rule: FeeRule,
    stops: Option<Scattered>,
) {
    let rules: Vec<Rule> = Rule::ALL
        .into_iter()
        .filter(|rule| rule.conserves())
        .collect();
    let (graph, settlement) = settle(ledger, seeds, &rules, fee_rule, stops);
    for rule in rules {
        for pool in graph.pools() {
            let view = graph.pool(pool);
            let flows = |flows: &[hansel_graph::FlowIx]| -> u64 {
                flows
                    .iter()
                    .map(|flow| settlement.tainted(rule, *flow))
                    .sum()
            };
            let seeded = view
                .outputs
                .iter()
                .any(|flow| settlement.seed_at(*flow).is_some());
            let drawn = flows(view.outputs) + taint(settlement.fee_strands(rule, pool));
            let mut poured = view.inputs.to_vec();
            poured.retain(|flow| !stays(&graph, &settlement, *flow));
            assert!(flows(&poured) == drawn || seeded, "{rule} {}", view.txid);
        }
        for (position, seed) in seeds.iter().enumerate() {
            let own = |strands: &[Strand<u64>]| -> u64 {
                strands
                    .iter()
                    .filter(|strand| strand.owner.is_some_and(|o| o.position() == position))
                    .map(|s| s.amount)
                    .sum()
            };
            let ends = graph
                .flows()
                .filter(|flow| stays(&graph, &settlement, *flow));
            let resting: u64 = ends.map(|flow| own(settlement.strands(rule, flow))).sum();
            let fees: u64 = graph
                .pools()
                .map(|pool| own(settlement.fee_strands(rule, pool)))
                .sum();
            let claimed = own(settlement.strands(rule, graph.find_output(&seed.outpoint).unwrap()));
            assert_eq!(resting + fees, claimed, "{rule} seed {position}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_rule_agrees_with_the_naive_simulation(number: u64, size in 1_u64..400, thefts in 1_usize..5, pro_rata: bool, stops: u64) {
        let ledger = ledgers::random(number, size);
        let seeds = choose_seeds(&ledger, &mut Dice(number), thefts);
        let fee_rule = if pro_rata { FeeRule::ProRata } else { FeeRule::Last };
        for stops in [None, Some(Scattered(stops))] {
            check_in_order(&ledger, &seeds, fee_rule, stops);
            check_haircut(&ledger, &seeds, fee_rule, stops);
            check_conservation(&ledger, &seeds, fee_rule, stops);
        }
    }

    #[test]
    fn facts_may_arrive_in_any_order(number: u64, size in 1_u64..200, thefts in 1_usize..4, pro_rata: bool, stops: u64) {
        let fee_rule = if pro_rata { FeeRule::ProRata } else { FeeRule::Last };
        let ledger = ledgers::random(number, size);
        let seeds = choose_seeds(&ledger, &mut Dice(number), thefts);
        let (graph, settled) = settle(&ledger, &seeds, &Rule::ALL, fee_rule, Some(Scattered(stops)));
        let (late_graph, late) =
            settle_one_by_one(&ledger, &seeds, fee_rule, Scattered(stops), &mut Dice(!number));
        for transaction in &ledger {
            let (pool, late_pool) = (graph.find(&transaction.txid).unwrap(), late_graph.find(&transaction.txid).unwrap());
            prop_assert_eq!(graph.order(pool), late_graph.order(late_pool));
            prop_assert_eq!(settled.hops(pool), late.hops(late_pool));
            for rule in Rule::ALL {
                prop_assert_eq!(settled.fee_strands(rule, pool), late.fee_strands(rule, late_pool));
                for (one, other) in graph.pool(pool).outputs.iter().zip(late_graph.pool(late_pool).outputs) {
                    prop_assert_eq!(settled.strands(rule, *one), late.strands(rule, *other));
                }
            }
        }
    }
}

/// Adds the facts in random order and settles after each.
fn settle_one_by_one(
    ledger: &[TransactionStatement],
    seeds: &[Seed],
    fee_rule: FeeRule,
    stops: Scattered,
    dice: &mut Dice,
) -> (FlowGraph, Settlement) {
    let mut left: Vec<&TransactionStatement> = ledger.iter().collect();
    let mut graph = FlowGraph::default();
    let mut settlement = Settlement::new(&Rule::ALL, fee_rule, Direction::Forward);
    for seed in seeds {
        settlement.add_seed(*seed);
    }
    while !left.is_empty() {
        let next = left.swap_remove(dice.roll(left.len() as u64) as usize);
        let pool = graph.insert(next).unwrap();
        end(&graph, &mut settlement, stops);
        let readers: Vec<PoolIx> = graph
            .pool(pool)
            .outputs
            .iter()
            .filter_map(|flow| graph.flow(*flow).spender)
            .collect();
        settlement
            .update(&graph, readers.into_iter().chain([pool]), |_| {})
            .unwrap();
    }
    (graph, settlement)
}

#[test]
fn a_hundred_thousand_transactions_agree_with_the_naive_simulation() {
    let ledger = ledgers::random(2024, 100_000);
    let seeds = choose_seeds(&ledger, &mut Dice(7), 40);
    for fee_rule in FeeRule::ALL {
        check_in_order(&ledger, &seeds, fee_rule, None);
        check_haircut(&ledger, &seeds, fee_rule, None);
        check_conservation(&ledger, &seeds, fee_rule, None);
    }
}
