//! Detectors that look at several transactions, on stories with a known truth.

mod detectors;

use std::collections::BTreeSet;

use bitcoin::Script;
use hansel_heuristics::bitcoin::{Clusters, GraphView, PeelChain, peel_chains};
use hansel_heuristics::{Confidence, NoLabels, Parameter};
use hansel_ledger::Chain;

use detectors::story::{Exchanges, START, Story};
use detectors::{id, person};

/// One coin pays three times; what is left moves on.
fn peels() -> Story {
    Story::default()
        .pay(1, 1, &[], &[(1_000_000_123, 1)])
        .pay(2, 2, &[(1, 0)], &[(10_000_000, 50), (989_999_123, 2)])
        .pay(3, 3, &[(2, 1)], &[(959_998_123, 3), (30_000_000, 51)])
        .pay(4, 4, &[(3, 0)], &[(50_000_000, 52), (909_997_123, 4)])
}

fn chains(story: &Story) -> Vec<PeelChain> {
    let (chain, graph, unspent) = (Chain::bitcoin(), story.graph(), BTreeSet::new());
    peel_chains(&GraphView {
        chain: &chain,
        graph: &graph,
        labels: &NoLabels,
        unspent: &unspent,
        now: None,
    })
}

#[test]
fn a_peel_chain_comes_with_its_hop_table_and_every_hop_adds_up() {
    let story = peels();
    let chains = chains(&story);
    assert_eq!(chains.len(), 1);
    let hops = &chains[0].hops;
    let ids: Vec<_> = hops.iter().map(|hop| hop.txid).collect();
    assert_eq!(ids, [id(2), id(3), id(4)]);
    assert_eq!(chains[0].peeled(), 90_000_000);
    for hop in hops {
        assert_eq!(hop.spent, hop.peel + hop.change + hop.fee);
        assert_eq!(hop.chosen_by, ["round-amount", "larger-output"]);
    }
    for (hop, next) in hops.iter().zip(&hops[1..]) {
        assert_eq!(hop.change, next.spent);
    }
    let found = story.unlabelled("btc.peel-chain");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].confidence, Confidence::Strong);
    assert_eq!((found[0].subjects.len(), found[0].evidence.len()), (3, 6));
    let Parameter::List(table) = &found[0].parameters["table"] else {
        panic!("no table")
    };
    let row = format!(
        "{} in 1000000123 peel 10000000 change 989999123 fee 1000 time 2020-09-13T12:46:40Z chosen by round-amount+larger-output",
        id(2)
    );
    assert_eq!(table[0], row);
}

#[test]
fn a_single_payment_is_no_peel_chain_nor_are_halves() {
    let one = Story::default().pay(1, 1, &[], &[(1_000_000_123, 1)]).pay(
        2,
        2,
        &[(1, 0)],
        &[(10_000_000, 50), (989_999_123, 2)],
    );
    assert_eq!(chains(&one), []);
    let halves = one.pay(3, 3, &[(2, 1)], &[(489_999_000, 51), (499_999_123, 3)]);
    assert_eq!(chains(&halves), []);
}

#[test]
fn where_the_smaller_output_moves_on_the_chain_ends() {
    let story = peels().pay(5, 5, &[(4, 0)], &[(1_000_000, 53), (48_999_000, 5)]);
    let chains = chains(&story);
    assert_eq!(chains.len(), 1);
    assert_eq!(chains[0].hops.len(), 3);
}

#[test]
fn scripts_spent_together_are_a_cluster_and_clusters_that_meet_are_one() {
    let story = Story::default()
        .pay(
            1,
            1,
            &[],
            &[(500, 1), (600, 2), (700, 2), (800, 3), (900, 4), (950, 5)],
        )
        .pay(2, 2, &[(1, 0), (1, 1)], &[(1_000, 60)])
        .pay(3, 3, &[(1, 2), (1, 3)], &[(1_400, 61)])
        .pay(4, 3, &[(1, 4)], &[(900, 62)]);
    let (chain, graph, unspent) = (Chain::bitcoin(), story.graph(), BTreeSet::new());
    let view = GraphView {
        chain: &chain,
        graph: &graph,
        labels: &NoLabels,
        unspent: &unspent,
        now: None,
    };
    let clusters = Clusters::of(&view);
    let people = [1, 2, 3, 4].map(person);
    let [one, two, three, four] = [0, 1, 2, 3].map(|ix: usize| people[ix].as_script());
    let cluster = clusters.find(one).unwrap();
    let members: BTreeSet<&Script> = cluster.scripts.iter().copied().collect();
    assert_eq!(members, BTreeSet::from([one, two, three]));
    assert_eq!(
        cluster.joined_by.iter().copied().collect::<BTreeSet<_>>(),
        BTreeSet::from([id(2), id(3)])
    );
    assert!(clusters.together(one, three) && !clusters.together(one, four));
    assert_eq!(clusters.find(four), None);
    assert_eq!(story.unlabelled("btc.cluster").len(), 1);
}

/// Three people bring a coin each; each receives the same amount and keeps the change.
#[test]
fn a_coinjoin_joins_nobody() {
    let story = Story::default()
        .pay(1, 1, &[], &[(6_001_000, 1), (7_001_000, 2), (5_000_000, 3)])
        .pay(
            2,
            2,
            &[(1, 0), (1, 1), (1, 2)],
            &[
                (5_000_000, 11),
                (5_000_000, 12),
                (5_000_000, 13),
                (1_000_000, 14),
                (2_000_000, 15),
            ],
        );
    assert_eq!(story.unlabelled("btc.coinjoin.joinmarket").len(), 1);
    assert_eq!(story.unlabelled("btc.cluster"), []);
    let (chain, graph, unspent) = (Chain::bitcoin(), story.graph(), BTreeSet::new());
    let view = GraphView {
        chain: &chain,
        graph: &graph,
        labels: &NoLabels,
        unspent: &unspent,
        now: None,
    };
    assert_eq!(Clusters::of(&view).left_apart().len(), 1);
}

#[test]
fn clusters_of_two_exchanges_are_never_joined() {
    let story = Story::default()
        .pay(
            1,
            1,
            &[],
            &[(500, 1), (600, 2), (700, 3), (800, 4), (900, 2), (950, 4)],
        )
        .pay(2, 2, &[(1, 0), (1, 1)], &[(1_000, 60)])
        .pay(3, 3, &[(1, 2), (1, 3)], &[(1_400, 61)])
        .pay(4, 4, &[(1, 4), (1, 5)], &[(1_800, 62)]);
    assert_eq!(story.unlabelled("btc.cluster").len(), 1);
    let labels = Exchanges(vec![(1, "one"), (3, "three")]);
    assert_eq!(story.findings("btc.cluster", &labels).len(), 2);
    let same = Exchanges(vec![(1, "one"), (3, "one")]);
    assert_eq!(story.findings("btc.cluster", &same).len(), 1);
}

/// Six customers' deposit addresses, emptied into person 99's.
fn sweep() -> Story {
    let paid: Vec<(u64, u64)> = (1..=6).map(|owner| (1_000 * owner, owner)).collect();
    let spent: Vec<(u64, u32)> = (0..6).map(|vout| (1, vout)).collect();
    Story::default()
        .pay(1, 1, &[], &paid)
        .pay(2, 2, &spent, &[(20_900, 99)])
}

#[test]
fn addresses_emptied_into_an_exchanges_are_its_deposit_addresses() {
    let found = sweep().findings(
        "btc.exchange-deposit-sweep",
        &Exchanges(vec![(99, "kraken")]),
    );
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].parameters["deposit-addresses"],
        Parameter::Count(6)
    );
    assert_eq!(
        found[0].parameters["swept"],
        Parameter::Text("21000".into())
    );
    assert_eq!(found[0].evidence.len(), 6);
    assert_eq!(sweep().unlabelled("btc.exchange-deposit-sweep"), []);
    let contradiction = Exchanges(vec![(99, "kraken"), (99, "okx")]);
    let found = sweep().findings("btc.exchange-deposit-sweep", &contradiction);
    let both = Parameter::List(vec!["kraken".into(), "okx".into()]);
    assert_eq!(
        (&found[0].parameters["exchanges"], found[0].confidence),
        (&both, Confidence::Weak)
    );
}

#[test]
fn coins_that_lay_still_for_a_year_wake_and_younger_ones_do_not() {
    let year = 365 * 144;
    let spent_after = |blocks: u64| {
        Story::default()
            .pay(1, 1, &[], &[(500_000, 1)])
            .pay(2, 1 + blocks, &[(1, 0)], &[(499_000, 2)])
            .unlabelled("btc.waking")
    };
    let found = spent_after(year);
    assert_eq!(found[0].parameters["days"], Parameter::Count(365));
    assert_eq!(found[0].confidence, Confidence::Certain);
    assert_eq!(spent_after(year - 1), []);
}

#[test]
fn only_outputs_known_to_be_unspent_are_dormant() {
    let mut story = Story::default().pay(1, 0, &[], &[(500_000, 1), (600_000, 2)]);
    story.now = Some(START + 400 * 86_400);
    assert_eq!(story.unlabelled("btc.dormant"), []);
    story.unspent = vec![(1, 1)];
    let found = story.unlabelled("btc.dormant");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].parameters["days"], Parameter::Count(400));
    story.now = Some(START + 364 * 86_400);
    assert_eq!(story.unlabelled("btc.dormant"), []);
}

#[test]
fn findings_do_not_depend_on_the_order_in_which_facts_arrive() {
    let mut story = peels().pay(10, 4, &[], &[(500, 1), (600, 2)]).pay(
        11,
        5,
        &[(10, 0), (10, 1)],
        &[(1_000, 60)],
    );
    let labels = Exchanges(vec![(1, "one")]);
    let forward = story.all(&labels);
    story.told.reverse();
    assert_eq!(story.all(&labels), forward);
    assert!(forward.is_sorted());
}
