//! The searches for what an account did find it all, and with no more questions than they say.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, U256, address};
use hansel_ethereum::history::{
    BalanceHistory, BalanceSearch, Contradiction, Explained, Held, NonceHistory, NonceRise,
    NonceSearch, Span, Unexplained,
};
use hansel_ledger::{Amount, Coin};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

const ALICE: Address = address!("00000000000000000000000000000000000000a1");
const BOB: Address = address!("00000000000000000000000000000000000000b1");

/// By how much a nonce rose, by block.
type Rises = BTreeMap<u64, u64>;

fn nonce_after(rises: &Rises, block: u64) -> u64 {
    rises.range(..=block).map(|(_, by)| by).sum()
}

/// Runs a search; returns how many nonces it asked for and in how many rounds.
fn run(search: &mut NonceSearch, chains: &BTreeMap<Address, Rises>) -> (usize, usize) {
    let (mut asked, mut rounds) = (0, 0);
    loop {
        let probes = search.probes();
        if probes.is_empty() {
            return (asked, rounds);
        }
        asked += probes.len();
        rounds += 1;
        for probe in probes {
            let nonce = nonce_after(&chains[&probe.0], probe.1);
            search.learn(probe, nonce).unwrap();
        }
    }
}

fn span(address: Address, since: u64, until: u64) -> Span {
    Span {
        address,
        since,
        until,
    }
}

fn inside(rises: &Rises, since: u64, until: u64) -> Vec<NonceRise> {
    let blocks = rises.range(since..=until);
    blocks
        .map(|(block, by)| NonceRise {
            block: *block,
            nonce: block.checked_sub(1).map_or(0, |b| nonce_after(rises, b)),
            by: *by,
        })
        .collect()
}

/// `k * (log2(N / k) + 2)`.
fn bound(blocks: u64, k: usize) -> f64 {
    let n = f64::from(u32::try_from(blocks).unwrap());
    let k = f64::from(u32::try_from(k).unwrap());
    k * ((n / k).log2() + 2.0)
}

proptest! {
    #[test]
    fn every_rise_of_a_nonce_is_found_within_the_bound(
        since in 1_u64..1_000,
        length in 1_u64..100_000,
        offsets in btree_map(0_u64..100_000, 1_u64..4, 1..80),
        early in 1_u64..50,
    ) {
        let until = since + length - 1;
        let mut rises: Rises = offsets
            .iter()
            .map(|(offset, by)| (since + offset % length, *by))
            .collect();
        rises.insert(since - 1, early);
        rises.insert(until + 1, 3);
        let wanted = inside(&rises, since, until);
        let span = span(ALICE, since, until);
        let mut search = NonceSearch::new([span], 1_000);
        let (asked, rounds) = run(&mut search, &BTreeMap::from([(ALICE, rises)]));
        prop_assert_eq!(search.rises(&span), wanted.clone());
        // The nonce at the end says how many there are; all other questions count.
        let counted = f64::from(u32::try_from(asked - 1).unwrap());
        let found = wanted.len();
        prop_assert!(counted <= bound(length, found) + 1e-6, "{asked} for {found} of {length}");
        let halvings = usize::try_from(length.next_power_of_two().ilog2()).unwrap();
        prop_assert!(rounds <= 1 + halvings, "{rounds}");
    }

    #[test]
    fn accounts_share_rounds_and_do_not_mix(
        chains in vec(btree_map(0_u64..5_000, 1_u64..3, 0..20), 1..20),
        until in 4_000_u64..6_000,
    ) {
        let chains: BTreeMap<Address, Rises> = (1_u64..)
            .map(|number| Address::left_padding_from(&number.to_be_bytes()))
            .zip(chains)
            .collect();
        let spans: Vec<_> = chains.keys().map(|account| span(*account, 0, until)).collect();
        let mut search = NonceSearch::new(spans.clone(), 1_000);
        let (_, rounds) = run(&mut search, &chains);
        for span in &spans {
            prop_assert_eq!(search.rises(span), inside(&chains[&span.address], 0, until));
        }
        prop_assert!(rounds <= 14, "{rounds}");
    }
}

#[test]
fn an_account_that_sent_nothing_costs_its_two_ends() {
    let span = span(ALICE, 5, 1 << 40);
    let mut search = NonceSearch::new([span], 10);
    let chains = BTreeMap::from([(ALICE, Rises::from([(3, 7)]))]);
    assert_eq!(run(&mut search, &chains), (2, 1));
    assert_eq!(search.history(&span), NonceHistory::Rises(Vec::new()));
}

#[test]
fn an_account_that_sent_more_than_the_bound_costs_its_two_ends() {
    let span = span(ALICE, 5, 1 << 40);
    let mut search = NonceSearch::new([span], 99);
    let chains = BTreeMap::from([(ALICE, Rises::from([(7, 50), (8, 50)]))]);
    assert_eq!(run(&mut search, &chains), (2, 1));
    assert_eq!(search.history(&span), NonceHistory::TooMany { rises: 100 });
}

#[test]
fn a_range_of_one_block_and_an_empty_one_are_searched() {
    let (one, none) = (span(ALICE, 7, 7), span(BOB, 8, 7));
    let mut search = NonceSearch::new([one, none], 10);
    let chains = BTreeMap::from([(ALICE, Rises::from([(6, 1), (7, 2)])), (BOB, Rises::new())]);
    assert_eq!(run(&mut search, &chains), (2, 1));
    let rise = NonceRise {
        block: 7,
        nonce: 1,
        by: 2,
    };
    assert_eq!(search.rises(&one), [rise]);
    assert_eq!(search.rises(&none), []);
}

#[test]
fn nonces_that_fall_are_not_believed() {
    for (low, high) in [(5, 4), (4, 5)] {
        let mut search = NonceSearch::new([span(ALICE, 1, 100)], 10);
        search.learn((ALICE, 0), low).unwrap();
        let end = search.learn((ALICE, 100), high);
        if low > high {
            assert!(matches!(end, Err(Contradiction::NonceFell { .. })));
        } else {
            let middle = search.probes()[0];
            let beyond = search.learn(middle, 6);
            assert!(matches!(beyond, Err(Contradiction::NonceFell { .. })));
        }
    }
}

/// What comes and goes in a block: explained in, explained out, unexplained in, unexplained out.
type Moves = BTreeMap<u64, [u64; 4]>;

fn balance_after(opening: u64, moves: &Moves, block: u64) -> Amount {
    let all = moves.range(..=block);
    let sum = all.fold(opening, |sum, (_, [a, b, c, d])| sum + a + c - b - d);
    sum.into()
}

fn search_balance(
    opening: u64,
    moves: &Moves,
    held: Held,
    looks: usize,
    limit: usize,
) -> (BalanceHistory, usize) {
    let explained = moves.iter().map(|(block, [received, given, ..])| {
        let (received, given) = ((*received).into(), (*given).into());
        (*block, Explained { received, given })
    });
    let mut search = BalanceSearch::new(held, explained.collect(), looks, limit);
    let mut asked = 0;
    loop {
        let probes = search.probes();
        if probes.is_empty() {
            return (search.history(), asked);
        }
        asked += probes.len();
        for (_, _, height) in probes {
            let balance = balance_after(opening, moves, height);
            search.learn(height, balance).unwrap();
        }
    }
}

fn held(since: u64, until: u64) -> Held {
    Held {
        address: ALICE,
        coin: Coin::Native,
        since,
        until,
    }
}

proptest! {
    #[test]
    fn every_gain_is_found_where_nothing_goes_unexplained(
        moves in btree_map(1_u64..50_000, (0_u64..100, 0_u64..2, 0_u64..3), 0..40),
        looks in 0_usize..20,
    ) {
        let moves: Moves = moves
            .into_iter()
            .map(|(block, (paid, share, gain))| (block, [paid, paid * share, gain, 0]))
            .collect();
        let (history, asked) = search_balance(9, &moves, held(1, 60_000), looks, 1_000);
        let gains: Vec<_> = moves
            .iter()
            .filter(|(_, [.., gain, _])| *gain > 0)
            .map(|(block, [.., gain, _])| Unexplained {
                block: *block,
                gained: true,
                amount: (*gain).into(),
            })
            .collect();
        prop_assert!(asked <= 3 + looks + gains.len() * 16, "{asked} for {}", gains.len());
        prop_assert_eq!(history.unexplained, gains);
        prop_assert_eq!(history.opening, 9.into());
        prop_assert_eq!(history.closing, balance_after(9, &moves, 60_000));
    }

    #[test]
    fn what_is_found_sums_up_to_the_change_of_the_balance(
        moves in btree_map(1_u64..5_000, (0_u64..9, 0_u64..9, 0_u64..9, 0_u64..9), 0..60),
        looks in 0_usize..9,
    ) {
        let moves: Moves = moves
            .into_iter()
            .map(|(block, (a, b, c, d))| (block, [a, b, c, d]))
            .collect();
        let opening = 10_000;
        let (history, _) = search_balance(opening, &moves, held(1, 5_000), looks, 1_000);
        let mut is = i128::from(opening);
        for [received, given, ..] in moves.values() {
            is += i128::from(*received) - i128::from(*given);
        }
        for found in &history.unexplained {
            let amount = i128::try_from(found.amount.to_u256().to::<u128>()).unwrap();
            is += if found.gained { amount } else { -amount };
            let [.., gain, loss] = moves[&found.block];
            prop_assert_eq!(found.gained, gain > loss);
            prop_assert_eq!(found.amount, gain.abs_diff(loss).into());
        }
        prop_assert_eq!(Amount::from(U256::from(is)), history.closing);
    }
}

#[test]
fn value_that_rests_over_a_look_is_seen_though_it_goes_again() {
    let moves = Moves::from([(10, [0, 0, 5, 0]), (900, [0, 0, 0, 5])]);
    let (unseen, _) = search_balance(0, &moves, held(20, 800), 0, 10);
    assert_eq!((unseen.opening, unseen.closing), (5.into(), 5.into()));
    let (seen, _) = search_balance(0, &moves, held(10, 1_000), 0, 10);
    let blocks: Vec<_> = seen.unexplained.iter().map(|one| one.block).collect();
    assert_eq!(
        blocks,
        [10, 900],
        "the balance after the first block is looked at"
    );
    let later = Moves::from([(300, [0, 0, 5, 0]), (700, [0, 0, 0, 5])]);
    let (missed, _) = search_balance(0, &later, held(1, 1_000), 0, 10);
    assert_eq!(missed.unexplained, [], "as UNSEEN says");
    let (seen, _) = search_balance(0, &later, held(1, 1_000), 4, 10);
    assert_eq!(seen.unexplained.len(), 2, "with looks in between");
}

#[test]
fn the_search_for_changes_ends_at_its_bound() {
    let moves: Moves = (1..=1_000).map(|block| (block, [0, 0, 1, 0])).collect();
    let (history, asked) = search_balance(0, &moves, held(1, 1_000), 0, 20);
    assert!(history.too_many);
    assert!(asked < 60, "{asked}");
    assert_eq!(history.closing, 1_000.into());
}

#[test]
fn no_height_is_asked_for_twice() {
    let moves: Moves = (1..=300).map(|block| (block * 3, [1, 0, 1, 0])).collect();
    let explained = moves.keys().map(|block| {
        let received = Amount::ONE;
        (
            *block,
            Explained {
                received,
                given: Amount::ZERO,
            },
        )
    });
    let mut search = BalanceSearch::new(held(1, 1_000), explained.collect(), 50, 10_000);
    let mut seen = BTreeSet::new();
    loop {
        let probes = search.probes();
        if probes.is_empty() {
            break;
        }
        for (_, _, height) in probes {
            assert!(seen.insert(height), "{height}");
            let balance = balance_after(0, &moves, height);
            search.learn(height, balance).unwrap();
        }
    }
    assert_eq!(search.history().unexplained.len(), 300);
}
