//! Claims that cross chains are neither lost nor made, whatever crosses where and how often.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test of small numbers"
)]

#[path = "report/sample.rs"]
#[allow(
    dead_code,
    reason = "another test's sample, of which this one uses a part"
)]
mod sample;

use std::collections::BTreeMap;

use hansel_graph::{Category, Rule};
use hansel_ledger::Amount;
use hansel_report::model::{Accounting, Flow, FlowKind, Report, Sorted};
use hansel_report::{Built, Crossed, Departed, PartSeed, join};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

const RULES: [Rule; 2] = [Rule::Fifo, Rule::Haircut];

fn row(seed: &str, rule: Rule, amounts: [u64; 10]) -> Accounting {
    let [
        at_rest,
        exchanges,
        mixers,
        bridges,
        services,
        hubs,
        frontier,
        below,
        fees,
        burned,
    ] = amounts.map(Amount::from);
    let sum = Amount::from(amounts.iter().sum::<u64>());
    Accounting {
        seed: seed.into(),
        rule,
        stolen: sum,
        at_rest,
        exchanges,
        mixers,
        bridges,
        services,
        hubs,
        frontier,
        below_threshold: below,
        fees,
        burned,
        total: sum,
    }
}

fn part(seeds: &[(String, BTreeMap<Rule, [u64; 10]>)]) -> Built {
    let mut report: Report = sample::report();
    let template = report.seeds[0].clone();
    report.nodes.clear();
    report.flows.clear();
    report.accounting.clear();
    report.seeds.clear();
    for (id, rows) in seeds {
        let mut seed = template.clone();
        seed.id.clone_from(id);
        report.seeds.push(seed);
        for (rule, amounts) in rows {
            report.accounting.push(row(id, *rule, *amounts));
        }
    }
    Built {
        report,
        partial: false,
    }
}

fn crossing_flow() -> Flow {
    let mut flow = sample::report().flows.remove(0);
    flow.kind = FlowKind::Crossing;
    flow.claims = Sorted::default();
    flow
}

/// One seed of a part: what is where, by rule, and what of its bridges is still to be given away.
struct Placed {
    at: PartSeed,
    rows: BTreeMap<Rule, [u64; 10]>,
    left: BTreeMap<Rule, u64>,
}

fn placed(dice: &mut Dice, at: PartSeed, most: u64) -> Placed {
    let mut rows = BTreeMap::new();
    let mut left = BTreeMap::new();
    for rule in RULES {
        let mut amounts = [0; 10];
        for amount in &mut amounts {
            *amount = if dice.roll(3) == 0 {
                0
            } else {
                dice.roll(most)
            };
        }
        left.insert(rule, amounts[3]);
        rows.insert(rule, amounts);
    }
    Placed { at, rows, left }
}

#[test]
fn random_crossings_over_three_chains_keep_every_claim_to_the_unit() {
    for game in 0..400 {
        let dice = &mut Dice(game);
        let most = 1 + dice.roll(1_000_000);
        let mut counts = [2, 1, 0];
        let mut seeds = vec![
            placed(dice, (0, "s1".into()), most),
            placed(dice, (0, "s2".into()), most),
            placed(dice, (1, "s1".into()), most),
        ];
        let origins = seeds.len();
        let mut crossed = Vec::new();
        let mut departed = Vec::new();
        for _ in 0..dice.roll(12) {
            let to = dice.roll(3) as usize;
            counts[to] += 1;
            let at = (to, format!("s{}", counts[to]));
            let mut claims: BTreeMap<Rule, BTreeMap<PartSeed, Amount>> = BTreeMap::new();
            for parent in &mut seeds {
                if dice.roll(2) == 0 {
                    continue;
                }
                for rule in RULES {
                    let left = parent.left.get_mut(&rule).unwrap();
                    let claim = dice.roll(*left + 1);
                    *left -= claim;
                    let of = claims.entry(rule).or_default();
                    of.insert(parent.at.clone(), claim.into());
                    departed.push(Departed {
                        seed: parent.at.clone(),
                        rule,
                        category: Category::Bridges,
                        claim: claim.into(),
                    });
                }
            }
            crossed.push(Crossed {
                seed: at.clone(),
                claims,
                flow: crossing_flow(),
                finding: sample::report().findings.remove(0),
            });
            let units = 1 + dice.roll(1_000);
            seeds.push(placed(dice, at, units));
        }
        let parts = (0..3).map(|number| {
            let here = seeds.iter().filter(|seed| seed.at.0 == number);
            let rows: Vec<_> = here
                .map(|seed| (seed.at.1.clone(), seed.rows.clone()))
                .collect();
            part(&rows)
        });
        let whole = join(parts.collect(), &departed, crossed).unwrap().unwrap();
        assert_eq!(whole.report.seeds.len(), origins, "{game}");
        assert_eq!(whole.report.accounting.len(), origins * RULES.len());
        for (place, row) in whole.report.accounting.iter().enumerate() {
            assert!(row.balances(), "{game}: {row:?}");
            let origin = &seeds[place / RULES.len()];
            let stolen: u64 = origin.rows[&row.rule].iter().sum();
            assert_eq!(row.stolen, Amount::from(stolen), "{game}");
            assert_eq!(row.seed, format!("s{}", place / RULES.len() + 1));
        }
        for flow in &whole.report.flows {
            let mut seeds = flow.claims.values().flat_map(Sorted::keys);
            assert!(
                seeds.all(|seed| ["s1", "s2", "s3"].contains(&&**seed)),
                "{flow:?}"
            );
        }
    }
}

/// Everything of a seed crosses, and everything crosses again: nothing stays in a bridge on the way.
#[test]
fn value_that_crosses_twice_is_counted_where_it_came_to_rest() {
    let bridges = |amount: u64| [0, 0, 0, amount, 0, 0, 0, 0, 0, 0];
    let all = |amounts: [u64; 10]| BTreeMap::from([(Rule::Fifo, amounts)]);
    let first = part(&[
        ("s1".into(), all(bridges(100))),
        ("s2".into(), all([2, 0, 1, 0, 0, 0, 0, 0, 0, 0])),
    ]);
    let second = part(&[("s1".into(), all(bridges(7)))]);
    let crossed = |seed: (usize, &str), of: (usize, &str), claim: u64| {
        let of = BTreeMap::from([((of.0, of.1.to_owned()), Amount::from(claim))]);
        Crossed {
            seed: (seed.0, seed.1.to_owned()),
            claims: BTreeMap::from([(Rule::Fifo, of)]),
            flow: crossing_flow(),
            finding: sample::report().findings.remove(0),
        }
    };
    // Out to the second chain, and back to the first.
    let there = crossed((1, "s1"), (0, "s1"), 100);
    let back = crossed((0, "s2"), (1, "s1"), 7);
    let whole = join(vec![first, second], &[], vec![there, back]);
    let whole = whole.unwrap().unwrap().report;
    let [row] = &whole.accounting[..] else {
        panic!("{:?}", whole.accounting)
    };
    assert_eq!(
        (row.at_rest, row.mixers, row.bridges),
        (57.into(), 43.into(), Amount::ZERO)
    );
    let claims: Vec<_> = whole
        .flows
        .iter()
        .map(|flow| &flow.claims[&Rule::Fifo])
        .collect();
    for claims in claims {
        assert_eq!(claims["s1"], Amount::from(100));
    }
}

#[test]
fn claims_are_counted_as_departed_wherever_their_part_counted_them_and_never_more_than_that() {
    let burned = BTreeMap::from([(Rule::Fifo, [0, 0, 0, 0, 0, 0, 0, 0, 10, 90])]);
    let departed = |claim: u64| Departed {
        seed: (0, "s1".into()),
        rule: Rule::Fifo,
        category: Category::Burned,
        claim: claim.into(),
    };
    for (claim, left) in [(60, 60), (500, 90)] {
        let one = part(&[("s1".into(), burned.clone())]);
        let whole = join(vec![one], &[departed(claim)], Vec::new());
        let row = &whole.unwrap().unwrap().report.accounting[0];
        assert_eq!(row.bridges, Amount::from(left));
        assert!(row.balances(), "{row:?}");
    }
}
