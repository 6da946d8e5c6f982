//! Cases brought up to the newest block are as if they had been traced there from the beginning.

mod accounts;
mod decoys;
mod faults;

use std::path::PathBuf;

use bitcoin::OutPoint;
use hansel_testkit::{Fault, FaultProxy, Pay, Payee, Random, Rule, Target};
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::scene::{CHAIN, Scene, Way};

/// Cases of one scene, all in one store.
pub(crate) struct Kept {
    pub(crate) scene: Scene,
    pub(crate) data: TempDir,
    /// Name and subject.
    pub(crate) cases: Vec<(&'static str, String)>,
}

impl Kept {
    pub(crate) fn new() -> Option<Self> {
        let scene = Scene::build()?;
        let scenario = &scene.scenario;
        let cases = vec![
            ("address", scene.address(Payee::Segwit(73))),
            ("dust", scenario.dust.to_string()),
            ("merge", scenario.merge.to_string()),
            ("resting", scenario.unspent.to_string()),
            ("theft", scenario.theft.to_string()),
        ];
        let data = directory();
        let kept = Self { scene, data, cases };
        for (name, subject) in &kept.cases {
            let words = kept.words(name, subject);
            let trace = kept.scene.core().trace(&words).data(kept.data.path());
            trace.run().exits(0);
        }
        Some(kept)
    }

    fn words(&self, name: &str, subject: &str) -> String {
        format!("{subject} --min-share 0 --name {name}")
    }

    pub(crate) fn pay(&mut self, outpoint: OutPoint, to: Payee) -> OutPoint {
        let regtest = &mut self.scene.regtest;
        let txid = regtest.pay(&[outpoint], &[Pay::rest(to)], 10_000);
        OutPoint::new(txid, 0)
    }

    pub(crate) fn mine(&mut self) {
        self.scene.regtest.mine();
        self.scene.regtest.node().wait_for_indexes().unwrap();
    }

    pub(crate) fn rescan(&self, way: &Way, words: &str) -> Vec<Value> {
        let rescan = way.rescan(words).data(self.data.path());
        rescan.run().exits(0).json()
    }

    pub(crate) fn report(&self, name: &str) -> Finished {
        let report = Hansel::new("report --json").args([name]);
        report.data(self.data.path()).run().exits(0)
    }

    /// Fails where a case differs from the same one traced by a user who never traced it before.
    #[track_caller]
    pub(crate) fn are_as_from_scratch(&self) {
        for (name, subject) in &self.cases {
            let words = self.words(name, subject);
            let fresh = self.scene.core().trace(&words).run().exits(0);
            let kept = self.report(name);
            assert!(
                kept.stdout == fresh.stdout,
                "{name}: {}\n{}",
                kept.stdout,
                fresh.stdout
            );
        }
    }

    /// The node's own files.
    fn files(&self) -> PathBuf {
        self.scene.regtest.node().directory().join("regtest/blocks")
    }
}

/// The states of the cases, by name.
pub(crate) fn states(outcomes: &[Value]) -> Vec<(String, String)> {
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let state = |one| (word(one, "case"), word(one, "state"));
    outcomes.iter().map(state).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(case, state): &(&str, &str)| ((*case).to_owned(), (*state).to_owned());
    expected.iter().map(pair).collect()
}

#[test]
fn blocks_that_touch_no_case_move_every_case_on_and_leave_it_as_it_is() {
    let Some(mut kept) = Kept::new() else { return };
    kept.mine();
    kept.mine();
    let outcomes = kept.rescan(&kept.scene.core(), "address dust merge resting");
    let unmoved = ["address", "dust", "merge", "resting"].map(|case| (case, "unmoved"));
    assert_eq!(states(&outcomes), pairs(&unmoved));
    for outcome in &outcomes {
        assert_eq!(outcome["because"], "no new block touches it");
        let height = |tips: &Value| tips[0]["height"].as_u64().unwrap();
        assert_eq!(height(&outcome["from"]) + 2, height(&outcome["to"]));
        assert_eq!(height(&outcome["to"]), kept.scene.regtest.height());
    }
    kept.rescan(&kept.scene.core(), "theft");
    kept.are_as_from_scratch();
    let explained = Hansel::new("explain resting").args([kept.scene.scenario.unspent.to_string()]);
    let explained = explained.data(kept.data.path()).run().exits(0);
    assert!(
        !explained.stdout.contains("not fetched"),
        "{}",
        explained.stdout
    );
}

#[test]
fn what_moves_is_traced_on_and_said_while_the_rest_is_left_alone() {
    let Some(mut kept) = Kept::new() else { return };
    let resting = kept.scene.scenario.unspent;
    let moved = kept.pay(resting, Payee::Segwit(200));
    kept.mine();
    let again = kept.pay(moved, Payee::Taproot(201));
    kept.mine();
    let outcomes = kept.rescan(&kept.scene.core(), "--all");
    // Of all cases those are told of which something became.
    let expected = [("resting", "moved"), ("theft", "moved")];
    assert_eq!(states(&outcomes), pairs(&expected));
    let case = &outcomes[0];
    assert_eq!(case["because"], "new blocks move it");
    let flows: Vec<_> = case["new_flows"].as_array().unwrap().iter().collect();
    assert!(
        flows
            .iter()
            .any(|flow| flow["tx"] == again.txid.to_string())
    );
    let depths = case["depths"].as_array().unwrap().iter();
    let mut depths: Vec<_> = depths
        .map(|one| (one["confirmations"].as_u64().unwrap(), one["tx"].clone()))
        .collect();
    depths.sort_by_key(|(confirmations, _)| *confirmations);
    let txids = [again.txid, moved.txid].map(|txid| txid.to_string().into());
    assert_eq!(depths, (1..).zip(txids).collect::<Vec<_>>());
    assert!(
        case["depths"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["settled"] == false)
    );
    let id = format!("{CHAIN}:output:{again}");
    let rests = case["new_resting_places"].as_array().unwrap();
    assert!(rests.iter().any(|node| node["id"] == *id), "{rests:?}");
    assert_eq!(
        case["left"],
        serde_json::json!([format!("{CHAIN}:output:{resting}")])
    );
    assert!(!case["changed_sums"].as_array().unwrap().is_empty());
    kept.are_as_from_scratch();
}

#[test]
fn the_files_of_a_node_and_endpoints_without_blocks_lead_to_the_same() {
    let Some(mut kept) = Kept::new() else { return };
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    let rescan = kept.scene.core().rescan("--all").data(kept.data.path());
    let read = rescan.option("--blocks", kept.files()).run().exits(0);
    assert_eq!(states(&read.json::<Vec<Value>>())[0].1, "moved");
    kept.are_as_from_scratch();
    kept.pay(
        OutPoint::new(kept.scene.scenario.dust, 3),
        Payee::Segwit(210),
    );
    kept.mine();
    let lacks = Rule::always(Target::Ending("/raw".into()), Fault::Status(404));
    let proxy = FaultProxy::over(&kept.scene.esplora.url(), [lacks]).unwrap();
    let without = Way::open("Esplora without blocks", format!("esplora={}", proxy.url()));
    let outcomes = kept.rescan(&without, "--all");
    assert_eq!(outcomes[2]["because"], "no endpoint serves whole blocks");
    assert_eq!(
        states(&outcomes)[1..3],
        pairs(&[("dust", "moved"), ("merge", "unmoved")])
    );
    kept.are_as_from_scratch();
}

#[test]
fn an_esplora_server_is_asked_for_blocks_where_they_are_few_and_for_little_else() {
    let Some(mut kept) = Kept::new() else { return };
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    let outcomes = kept.rescan(&kept.scene.esplora(), "--all");
    let of = |outcomes: &[Value], case: &str| {
        let mut found = outcomes.iter().filter(|one| one["case"] == case);
        found.next().map(|one| one["because"].clone())
    };
    assert_eq!(of(&outcomes, "resting").unwrap(), "new blocks move it");
    assert_eq!(of(&outcomes, "dust"), None, "{outcomes:?}");
    kept.are_as_from_scratch();
    // More than all cases together watch.
    for _ in 0..400 {
        kept.scene.regtest.mine();
    }
    kept.mine();
    let outcomes = kept.rescan(&kept.scene.esplora(), "--all");
    let because = "its endpoint is asked for less than by whole blocks";
    assert_eq!(of(&outcomes, "dust").unwrap(), because);
    kept.are_as_from_scratch();
}

#[test]
fn a_payment_to_a_watched_address_counts() {
    let Some(mut kept) = Kept::new() else { return };
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(73));
    kept.mine();
    let outcomes = kept.rescan(&kept.scene.core(), "address dust");
    assert_eq!(
        states(&outcomes),
        pairs(&[("address", "moved"), ("dust", "unmoved")])
    );
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
}

/// More than is read into memory for a handful of blocks.
const MUCH: u32 = 150_000;

/// Once with little watched, which is read into memory, and once with much, in which blocks are looked up.
#[test]
fn cases_of_a_chain_that_is_replaced_again_and_again_are_as_from_scratch() {
    for decoys in [0, MUCH] {
        let Some(kept) = Kept::new() else { return };
        decoys::add(kept.data.path(), decoys);
        is_replaced_again_and_again(kept);
    }
}

fn is_replaced_again_and_again(mut kept: Kept) {
    let mut random = Random::new(20_261_121);
    let mut loose = vec![
        kept.scene.scenario.unspent,
        OutPoint::new(kept.scene.scenario.dust, 3),
        OutPoint::new(kept.scene.scenario.merge, 0),
        OutPoint::new(kept.scene.scenario.consolidation, 0),
    ];
    let mut key = 300;
    for _ in 0..6 {
        let before = loose.clone();
        let fork = kept.scene.regtest.height();
        for _ in 0..=random.below(3) {
            if random.below(3) > 0 {
                let spent = usize::try_from(random.below(4)).unwrap();
                key += 1;
                loose[spent] = kept.pay(loose[spent], Payee::Segwit(key));
            }
            kept.mine();
        }
        kept.rescan(&kept.scene.core(), "--all");
        kept.are_as_from_scratch();
        if random.below(2) == 0 {
            let hash = serde_json::json!([fork + 1]);
            let hash = kept
                .scene
                .regtest
                .node()
                .call("getblockhash", hash)
                .unwrap();
            kept.scene
                .regtest
                .invalidate(hash.as_str().unwrap().parse().unwrap());
            loose = before;
            for _ in 0..4 {
                key += 1;
                kept.scene.regtest.mine_to(Payee::Segwit(key));
            }
            kept.mine();
            kept.rescan(&kept.scene.core(), "--all");
            kept.are_as_from_scratch();
        }
    }
}

#[test]
fn cases_that_cannot_move_are_left_and_unknown_ones_are_refused() {
    let Some(mut kept) = Kept::new() else { return };
    let height = kept.scene.regtest.height();
    let words = format!(
        "{} --name fixed --until {height}",
        kept.scene.scenario.unspent
    );
    let trace = kept.scene.core().trace(&words).data(kept.data.path());
    trace.run().exits(0);
    kept.mine();
    let before = kept.report("fixed").stdout;
    let outcomes = kept.rescan(&kept.scene.core(), "fixed");
    assert_eq!(states(&outcomes), pairs(&[("fixed", "left")]));
    assert_eq!(kept.report("fixed").stdout, before);
    let unknown = kept.scene.core().rescan("nothing").data(kept.data.path());
    unknown.run().fails(1, &["there is no case `nothing`"]);
    let none = kept.scene.core().rescan("").data(kept.data.path());
    none.run().fails(2, &["<CASE>"]);
}
