//! Each rule on one pool written by hand: the expected strands follow from the definitions in `docs/methods.md`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a test of values written by hand"
)]

use hansel_graph::{Drawn, FeeRule, Pour, Rule, SeedIx, Strand, Units, settle_pool};
use hansel_ledger::{Amount, AmountError};
use proptest::prelude::*;

/// A parcel as text: `.5` are five clean units, `a3` three of seed a.
type Parcel<'a> = &'a str;

/// A pool: what pours in, what is drawn, and the fee.
struct PoolOf<'a> {
    inputs: &'a [Parcel<'a>],
    outputs: &'a [u64],
    fee: u64,
}

/// What poured in: a wallet's own coins, loot, and an output that is partly loot. B = 24, T = 13.
const ONE_THEFT: PoolOf<'_> = PoolOf {
    inputs: &[".6", "a10", "a3 .5"],
    outputs: &[5, 12, 1],
    fee: 6,
};

/// Two thefts that meet in one pool, with as much clean value. B = 20, T = 10.
const TWO_THEFTS: PoolOf<'_> = PoolOf {
    inputs: &["a6", "b4", ".10"],
    outputs: &[7, 8],
    fee: 5,
};

fn strands(parcel: Parcel<'_>) -> Vec<Strand<u64>> {
    parcel
        .split_whitespace()
        .map(|run| {
            let (owner, amount) = run.split_at(1);
            let seeds = [".", "a", "b", "c"];
            let position = seeds.iter().position(|seed| *seed == owner).unwrap();
            Strand {
                amount: amount.parse().unwrap(),
                owner: position.checked_sub(1).and_then(SeedIx::from_position),
            }
        })
        .collect()
}

fn text(strands: &[Strand<u64>]) -> String {
    let run = |strand: &Strand<u64>| {
        let name = strand
            .owner
            .map_or('.', |seed| char::from(b"abc"[seed.position()]));
        format!("{name}{}", strand.amount)
    };
    strands.iter().map(run).collect::<Vec<_>>().join(" ")
}

fn total<U: Units>(strands: &[Strand<U>]) -> U {
    strands
        .iter()
        .try_fold(U::ZERO, |sum, strand| sum.plus(strand.amount))
        .unwrap()
}

/// Settles a pool; the strands of each output, then those of the fee.
fn settled<U: Units>(
    rule: Rule,
    fee_rule: FeeRule,
    inputs: &[Vec<Strand<U>>],
    outputs: &[U],
    fee: U,
) -> Result<Vec<Vec<Strand<U>>>, AmountError> {
    let pours: Vec<Pour<'_, U>> = inputs
        .iter()
        .map(|strands| Pour {
            value: total(strands),
            strands,
        })
        .collect();
    let mut drawn = Drawn::default();
    settle_pool(rule, fee_rule, &pours, outputs, fee, &mut drawn)?;
    Ok((0..=outputs.len())
        .map(|draw| drawn.strands(draw).to_vec())
        .collect())
}

fn drawn(rule: Rule, fee_rule: FeeRule, pool: &PoolOf<'_>) -> Vec<String> {
    let inputs: Vec<_> = pool.inputs.iter().map(|parcel| strands(parcel)).collect();
    settled(rule, fee_rule, &inputs, pool.outputs, pool.fee)
        .unwrap()
        .iter()
        .map(|strands| text(strands))
        .collect()
}

fn every_rule() -> impl Iterator<Item = (Rule, FeeRule)> {
    Rule::ALL
        .into_iter()
        .flat_map(|rule| FeeRule::ALL.map(|fee_rule| (rule, fee_rule)))
}

#[test]
fn one_theft_leaves_a_pool_as_each_rule_defines() {
    // The queue before fees: fifo .6 a13 .5, lifo .5 a13 .6, taint first a13 .11, clean first .11 a13.
    let expected = [
        (Rule::Fifo, ["", ".1 a11", "a1", "a1 .5"]),
        (Rule::Lifo, ["", "a12", "a1", ""]),
        // floor(13*5/24) = 2, floor(11*12/19) = 6, floor(5*1/7) = 0, the fee takes the rest.
        (Rule::Haircut, ["a2", "a6", "", "a5"]),
        (Rule::Tiho, ["a1 .4", "a12", "", ""]),
        (Rule::Seniority, ["a5", "a8 .4", "", ""]),
        (Rule::ReverseSeniority, ["", ".6 a6", "a1", "a6"]),
        (Rule::Poison, ["a5", "a12", "a1", "a6"]),
    ];
    for (rule, draws) in expected {
        assert_eq!(drawn(rule, FeeRule::Last, &ONE_THEFT), draws, "{rule}");
    }
}

#[test]
fn one_theft_pays_its_share_of_a_fee_as_each_rule_defines() {
    // The fee is a quarter of the pool. Segments give floor(segment/4), the first one unit more:
    // fifo 2 of .6, 3 of a13, 1 of .5; taint first 4 of a13, 2 of .11; clean first 3 of .11, 3 of a13.
    let expected = [
        (Rule::Fifo, [".4 a1", "a9 .3", "", ".2 a3 .1"]),
        (Rule::Lifo, [".3 a2", "a8 .4", "", ".2 a3 .1"]),
        // The fee first: floor(13*6/24) = 3, then floor(10*5/18) = 2, floor(8*12/13) = 7, the rest.
        (Rule::Haircut, ["a2", "a7", "a1", "a3"]),
        (Rule::Tiho, ["", "a9 .3", "", "a4 .2"]),
        (Rule::Seniority, ["a5", "a4 .8", "", "a4 .2"]),
        (Rule::ReverseSeniority, ["", ".3 a9", "a1", ".3 a3"]),
        (Rule::Poison, ["a5", "a12", "a1", "a6"]),
    ];
    for (rule, draws) in expected {
        assert_eq!(drawn(rule, FeeRule::ProRata, &ONE_THEFT), draws, "{rule}");
    }
}

#[test]
fn two_thefts_in_one_pool_keep_their_own_units() {
    let expected = [
        (Rule::Fifo, ["a6 b1", "b3 .5", ""]),
        (Rule::Lifo, ["", ".3 b4 a1", "a5"]),
        // 3 of 10 tainted: floor(3*6/10) = 1 is a's; then 4 of 7: floor(4*5/7) = 2 is a's; then the rest.
        (Rule::Haircut, ["a1 b2", "a2 b2", "a3"]),
        (Rule::Tiho, ["b2 .5", "a6 b2", ""]),
        (Rule::Seniority, ["a6 b1", "b3 .5", ""]),
        (Rule::ReverseSeniority, ["", ".3 a5", "a1 b4"]),
        (Rule::Poison, ["a7", "a8", "a5"]),
    ];
    for (rule, draws) in expected {
        assert_eq!(drawn(rule, FeeRule::Last, &TWO_THEFTS), draws, "{rule}");
    }
}

#[test]
fn two_thefts_share_their_segments_part_of_the_fee() {
    // Each colour is one segment of 10: floor(10*5/20) = 2, the first one unit more. Inside the tainted
    // segment the same rule splits its part: 3 of a6 b4 is a2 b1, 2 of b4 a6 is b1 a1, 2 of a6 b4 is a2.
    let expected = [
        (Rule::Fifo, ["a4 b3", "", "a2 b1 .2"]),
        (Rule::Lifo, ["", "b3 a5", ".3 b1 a1"]),
        // floor(10*5/20) = 2, of which a's floor(2*6/10) = 1; then 3 of 8, of which a's 1; then the rest.
        (Rule::Haircut, ["a1 b2", "a4 b1", "a1 b1"]),
        (Rule::Tiho, ["", "a4 b3 .1", "a2 b1 .2"]),
        (Rule::Seniority, ["a4 b3", "", "a2 b1 .2"]),
        (Rule::ReverseSeniority, ["", "a4 b4", ".3 a2"]),
        (Rule::Poison, ["a7", "a8", "a5"]),
    ];
    for (rule, draws) in expected {
        assert_eq!(drawn(rule, FeeRule::ProRata, &TWO_THEFTS), draws, "{rule}");
    }
}

#[test]
fn equal_outputs_take_taint_in_their_own_order_under_tiho() {
    let pool = PoolOf {
        inputs: &[".5", "a5"],
        outputs: &[2, 4, 4],
        fee: 0,
    };
    let expected = ["", "a4", "a1 .3", ""];
    assert_eq!(drawn(Rule::Tiho, FeeRule::Last, &pool), expected);
}

#[test]
fn a_clean_pool_taints_nothing() {
    let pool = PoolOf {
        inputs: &[".6", ".18", ""],
        outputs: &[5, 12, 1],
        fee: 6,
    };
    for (rule, fee_rule) in every_rule() {
        assert_eq!(drawn(rule, fee_rule, &pool), [""; 4], "{rule} {fee_rule}");
    }
}

#[test]
fn an_output_of_nothing_is_never_tainted() {
    let pool = PoolOf {
        inputs: &["", "a7", ".3"],
        outputs: &[0, 10, 0],
        fee: 0,
    };
    for (rule, fee_rule) in every_rule() {
        let draws = drawn(rule, fee_rule, &pool);
        assert_eq!(
            (&*draws[0], &*draws[2], &*draws[3]),
            ("", "", ""),
            "{rule} {fee_rule}"
        );
        assert!(draws[1].contains('a'), "{rule} {fee_rule}");
    }
}

#[test]
fn a_wholly_tainted_pool_taints_everything_under_every_rule() {
    let pool = PoolOf {
        inputs: &["a20", "a4"],
        outputs: &[5, 12, 1],
        fee: 6,
    };
    for (rule, fee_rule) in every_rule() {
        let expected = ["a5", "a12", "a1", "a6"];
        assert_eq!(drawn(rule, fee_rule, &pool), expected, "{rule} {fee_rule}");
    }
}

#[test]
fn a_fee_as_large_as_the_pool_takes_all_taint() {
    for (rule, fee_rule) in every_rule() {
        for outputs in [&[][..], &[0, 0]] {
            let pool = PoolOf {
                inputs: &["a7", ".3"],
                outputs,
                fee: 10,
            };
            let draws = drawn(rule, fee_rule, &pool);
            let (fee, others) = draws.split_last().unwrap();
            let taint = if rule == Rule::Poison { "a10" } else { "a7" };
            assert!(
                fee.split(' ').any(|run| run == taint),
                "{rule} {fee_rule}: {fee}"
            );
            assert!(others.iter().all(String::is_empty), "{rule} {fee_rule}");
        }
    }
}

#[test]
fn a_pool_of_nothing_draws_nothing() {
    for (rule, fee_rule) in every_rule() {
        assert_eq!(
            settled::<u64>(rule, fee_rule, &[], &[], 0),
            Ok(vec![vec![]])
        );
        assert_eq!(
            settled::<u64>(rule, fee_rule, &[vec![]], &[0], 0),
            Ok(vec![vec![], vec![]])
        );
    }
}

#[test]
fn a_pool_must_be_worth_what_is_drawn_from_it() {
    let inputs = [strands("a7"), strands(".3")];
    let nothing = [strands("")];
    for (rule, fee_rule) in every_rule() {
        for (outputs, fee) in [
            (&[11][..], 0),
            (&[4, 4], 3),
            (&[], 11),
            (&[9], 0),
            (&[4], 5),
        ] {
            let refused = settled(rule, fee_rule, &inputs, outputs, fee);
            assert_eq!(
                refused,
                Err(AmountError::Underflow),
                "{rule} {fee_rule} {outputs:?} {fee}"
            );
        }
        for (outputs, fee) in [(&[][..], 5), (&[0], 5), (&[5], 0)] {
            let refused = settled(rule, fee_rule, &nothing, outputs, fee);
            assert_eq!(
                refused,
                Err(AmountError::Underflow),
                "{rule} {fee_rule} {outputs:?} {fee}"
            );
        }
    }
}

#[test]
fn values_near_the_end_of_64_bits_are_exact() {
    let half = u64::MAX / 2;
    let pool = PoolOf {
        inputs: &["a9223372036854775807", ".9223372036854775808"],
        outputs: &[half, half],
        fee: 1,
    };
    for (rule, fee_rule) in every_rule().filter(|(rule, _)| rule.conserves()) {
        let draws = drawn(rule, fee_rule, &pool);
        let taint: u64 = draws
            .iter()
            .flat_map(|draw| strands(draw))
            .filter(|s| s.owner.is_some())
            .map(|s| s.amount)
            .sum();
        assert_eq!(taint, half, "{rule} {fee_rule}");
    }
    // floor(half * half / (2 * half + 1)) by hand: half is 2^63 - 1, so 2^61 - 1 whole shares fit and more.
    let share = (u128::from(half) * u128::from(half) / u128::from(u64::MAX)).to_string();
    assert_eq!(
        drawn(Rule::Haircut, FeeRule::Last, &pool)[0],
        format!("a{share}")
    );
}

#[test]
fn sums_beyond_64_bits_are_refused_or_exact() {
    let inputs = [
        strands("a18446744073709551615"),
        strands(".18446744073709551615"),
    ];
    let largest = [u64::MAX; 2];
    for (rule, fee_rule) in every_rule() {
        match settled(rule, fee_rule, &inputs, &largest, 0) {
            Err(error) => assert_eq!(error, AmountError::Overflow, "{rule} {fee_rule}"),
            Ok(draws) => assert_eq!(
                wide(&draws),
                in_256_bits(rule, fee_rule, &inputs, &largest, 0).unwrap()
            ),
        }
    }
    // Sums that wrapped around would make this pool worth the 5 units that are drawn.
    let wrapping = [
        strands(".18446744073709551615"),
        strands(".1"),
        strands("a5"),
    ];
    for (rule, fee_rule) in every_rule() {
        let refused = settled(rule, fee_rule, &wrapping, &[5], 0);
        assert!(refused.is_err(), "{rule} {fee_rule}");
    }
}

fn wide(parcels: &[Vec<Strand<u64>>]) -> Vec<Vec<Strand<Amount>>> {
    let widen = |strand: &Strand<u64>| Strand {
        amount: Amount::from(strand.amount),
        owner: strand.owner,
    };
    parcels
        .iter()
        .map(|strands| strands.iter().map(widen).collect())
        .collect()
}

fn in_256_bits(
    rule: Rule,
    fee_rule: FeeRule,
    inputs: &[Vec<Strand<u64>>],
    outputs: &[u64],
    fee: u64,
) -> Result<Vec<Vec<Strand<Amount>>>, AmountError> {
    let outputs: Vec<Amount> = outputs.iter().map(|value| Amount::from(*value)).collect();
    settled(rule, fee_rule, &wide(inputs), &outputs, fee.into())
}

/// A pool that balances: parcels of up to `largest` units a strand, drawn in random cuts.
fn pools(largest: u64) -> impl Strategy<Value = (Vec<Vec<Strand<u64>>>, Vec<u64>, u64)> {
    let strand = (0_usize..4, 1..=largest).prop_map(|(owner, amount)| Strand {
        amount,
        owner: owner.checked_sub(1).and_then(SeedIx::from_position),
    });
    let inputs = proptest::collection::vec(proptest::collection::vec(strand, 0..4), 0..5);
    let cuts = proptest::collection::vec(any::<u64>(), 0..5);
    (inputs, cuts).prop_map(|(inputs, cuts)| {
        let whole: u64 = inputs.iter().map(|strands| total(strands)).sum();
        let mut left = whole;
        let outputs = cuts
            .into_iter()
            .map(|cut| {
                let output = if left == u64::MAX {
                    cut
                } else {
                    cut % (left + 1)
                };
                left -= output;
                output
            })
            .collect();
        (inputs, outputs, left)
    })
}

fn claims(parcels: &[Vec<Strand<u64>>]) -> [u64; 3] {
    let mut claims = [0; 3];
    for strand in parcels.iter().flatten() {
        if let Some(seed) = strand.owner {
            claims[seed.position()] += strand.amount;
        }
    }
    claims
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_unit_of_every_seed_leaves_once((inputs, outputs, fee) in pools(30)) {
        for (rule, fee_rule) in every_rule().filter(|(rule, _)| rule.conserves()) {
            let draws = settled(rule, fee_rule, &inputs, &outputs, fee).unwrap();
            prop_assert_eq!(claims(&draws), claims(&inputs), "{} {}", rule, fee_rule);
            for (draw, value) in draws.iter().zip(outputs.iter().chain([&fee])) {
                let listed = total(draw);
                prop_assert!(listed <= *value);
                let whole = listed == *value || draw.is_empty() || rule == Rule::Haircut;
                prop_assert!(whole, "{} {}", rule, fee_rule);
            }
        }
    }

    #[test]
    fn counting_in_64_and_in_256_bits_gives_the_same(
        (inputs, outputs, fee) in prop_oneof![pools(30), pools(u64::MAX / 20)],
    ) {
        for (rule, fee_rule) in every_rule() {
            let narrow = settled(rule, fee_rule, &inputs, &outputs, fee).map(|draws| wide(&draws));
            prop_assert_eq!(narrow, in_256_bits(rule, fee_rule, &inputs, &outputs, fee));
        }
    }

    #[test]
    fn unbalanced_pools_are_refused_in_64_and_in_256_bits(
        (inputs, outputs, fee) in prop_oneof![pools(30), pools(u64::MAX / 20)],
        excess in 1_u64..1000,
    ) {
        for (rule, fee_rule) in every_rule() {
            let more = fee.saturating_add(excess);
            prop_assert!(settled(rule, fee_rule, &inputs, &outputs, more).is_err(), "{} {}", rule, fee_rule);
            let wide = in_256_bits(rule, fee_rule, &inputs, &outputs, more);
            prop_assert_eq!(wide, Err(AmountError::Underflow), "{} {}", rule, fee_rule);
            if let Some(less) = fee.checked_sub(excess) {
                let narrow = settled(rule, fee_rule, &inputs, &outputs, less);
                prop_assert_eq!(narrow, Err(AmountError::Underflow), "{} {}", rule, fee_rule);
            }
        }
    }
}
