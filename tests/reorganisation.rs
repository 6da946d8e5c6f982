//! The chain changes between two runs: what is no longer true is forgotten, in the store and in the reports.

use bitcoin::{BlockHash, OutPoint, Txid};
use hansel_testkit::{Pay, Payee, Regtest};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::reading::Reading;
use crate::scene::{Scene, Way, output, pool};

/// A scene that was traced before its chain changes.
struct Traced {
    scene: Scene,
    data: TempDir,
}

impl Traced {
    fn new() -> Option<Self> {
        let scene = Scene::build()?;
        let data = directory();
        let traced = Self { scene, data };
        let first = traced.again(&traced.scene.esplora()).report();
        assert!(
            first
                .visited()
                .contains(&*traced.scene.scenario.dust.to_string())
        );
        Some(traced)
    }

    fn words(&self) -> String {
        format!("{} --min-share 0 --name theft", self.scene.scenario.theft)
    }

    fn again(&self, way: &Way) -> Finished {
        let run = way.trace(&self.words()).data(self.data.path()).run();
        run.exits(0)
    }

    /// Fails where the store makes a difference, whoever is asked.
    #[track_caller]
    fn like_new(&self) -> Finished {
        self.scene.regtest.node().wait_for_indexes().unwrap();
        self.like_new_through(&self.scene.core());
        self.like_new_through(&self.scene.esplora())
    }

    #[track_caller]
    fn like_new_through(&self, way: &Way) -> Finished {
        let last = self.again(way);
        let fresh = way.trace(&self.words()).run().exits(0);
        assert!(last.stdout == fresh.stdout, "{}", way.name);
        let kept = Hansel::new("report theft --json")
            .data(self.data.path())
            .run();
        assert!(kept.exits(0).stdout == last.stdout);
        last
    }

    fn regtest(&mut self) -> &mut Regtest {
        &mut self.scene.regtest
    }

    /// Rejects the block that holds a transaction, and all above it.
    fn reject_block_of(&mut self, txid: Txid) {
        let found = self
            .regtest()
            .node()
            .call("getrawtransaction", json!([txid, 1]));
        let hash: BlockHash = found.unwrap()["blockhash"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        self.regtest().invalidate(hash);
    }
}

#[test]
fn a_spend_that_another_one_took_the_place_of_is_forgotten() {
    let Some(mut traced) = Traced::new() else {
        return;
    };
    let (split, dust) = (traced.scene.scenario.split, traced.scene.scenario.dust);
    traced.reject_block_of(dust);
    let spent = OutPoint::new(split, 9);
    let other = traced
        .regtest()
        .pay(&[spent], &[Pay::rest(Payee::Segwit(95))], 10_000);
    for _ in 0..5 {
        traced.regtest().mine();
    }
    let last = traced.like_new();
    assert!(!last.stdout.contains(&dust.to_string()));
    let report = last.report();
    assert_eq!(report.flow(&output(split, 9)).to, pool(other));
    report.balances();
}

#[test]
fn a_spend_that_went_back_to_the_mempool_is_a_gap_again() {
    let Some(mut traced) = Traced::new() else {
        return;
    };
    let (split, merge) = (
        traced.scene.scenario.split,
        traced.scene.scenario.coinbase_merge,
    );
    traced.reject_block_of(merge);
    // The chain is shorter now than the store knows it. The node's own indexes wait for the next block.
    let esplora = traced.scene.esplora();
    let report = traced.like_new_through(&esplora).report();
    let node = report.node(&output(split, 8));
    assert_eq!(node.gaps[0].kind, "unconfirmed-spend");
    assert!(report.nodes.iter().all(|node| node.id != pool(merge)));
    // And longer again, with the spend where it was.
    traced.regtest().confirm(merge);
    for _ in 0..5 {
        traced.regtest().mine();
    }
    let report = traced.like_new().report();
    assert!(report.visited().contains(&*merge.to_string()));
}

#[test]
fn a_theft_that_is_no_longer_in_the_chain_is_not_reported_as_if_it_were() {
    let Some(mut traced) = Traced::new() else {
        return;
    };
    let theft = traced.scene.scenario.theft;
    let victim = traced.scene.scenario.victim;
    traced.reject_block_of(theft);
    traced
        .regtest()
        .pay(&victim, &[Pay::rest(Payee::Segwit(10))], 10_000);
    for _ in 0..40 {
        traced.regtest().mine();
    }
    let way = traced.scene.esplora();
    let again = way.trace(&traced.words()).data(traced.data.path()).run();
    again.fails(1, &["nothing to trace", "not-found"]);
}
