//! What a rescan does where it is killed, where the disk is full, and where an endpoint knows less or something else.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bitcoin::OutPoint;
use hansel_store::Store;
use hansel_testkit::{Payee, Random};

use super::{Kept, states};
use crate::command::{Hansel, directory};

/// Everything that a user is told of the cases.
fn reports(kept: &Kept) -> Vec<String> {
    let names = kept.cases.iter().map(|(name, _)| name);
    names.map(|name| kept.report(name).stdout).collect()
}

fn spend(kept: &mut Kept, loose: &mut OutPoint, key: &mut u32) {
    *key += 1;
    *loose = kept.pay(*loose, Payee::Segwit(*key));
    kept.mine();
}

#[test]
fn a_rescan_that_is_killed_at_200_points_ends_as_if_nothing_had_happened() {
    let Some(mut kept) = Kept::new() else { return };
    let mut random = Random::new(20_261_121);
    let (mut loose, mut key) = (kept.scene.scenario.unspent, 400);
    spend(&mut kept, &mut loose, &mut key);
    let started = Instant::now();
    kept.rescan(&kept.scene.core(), "--all");
    let mut whole = u64::try_from(started.elapsed().as_millis()).unwrap();
    let mut killed = 0;
    for round in 0..200 {
        if round % 4 == 0 {
            spend(&mut kept, &mut loose, &mut key);
        }
        let rescan = kept.scene.core().rescan("--all").data(kept.data.path());
        let running = rescan.start();
        whole = whole.max(10);
        sleep(Duration::from_millis(random.below(whole)));
        // Other work on the machine ends or begins: two of three runs shall be cut off all the same.
        if running.kill().code.is_none() {
            killed += 1;
            whole += whole / 20;
        } else {
            whole -= whole / 10;
        }
        if round % 40 == 39 {
            kept.rescan(&kept.scene.core(), "--all");
            kept.are_as_from_scratch();
        }
    }
    assert!(killed >= 100, "only {killed} of 200 runs were cut off");
    // A spend that waits in the mempool leaves one case due for ever.
    let left = states(&kept.rescan(&kept.scene.core(), "--all"));
    assert!(left.iter().all(|(_, state)| state == "unmoved"), "{left:?}");
}

/// What moved is said once more where a run was killed after it had begun to trace, and never lost.
#[test]
fn what_moved_is_told_by_the_run_that_ends() {
    let Some(mut kept) = Kept::new() else { return };
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    let mut told = Vec::new();
    for pause in [20, 40, 60, 80, 100, 120] {
        let rescan = kept.scene.core().rescan("--all").data(kept.data.path());
        let running = rescan.start();
        sleep(Duration::from_millis(pause));
        let finished = running.kill();
        if finished.code == Some(0) {
            told.extend(finished.json::<Vec<serde_json::Value>>());
        }
    }
    told.extend(kept.rescan(&kept.scene.core(), "--all"));
    let of_case = |one: &&serde_json::Value| one["case"] == "resting" && one["state"] == "moved";
    let moved: Vec<_> = told.iter().filter(of_case).collect();
    // A run that is killed once it has kept the report may not have printed it.
    assert!(moved.len() <= 1, "{moved:?}");
    for one in moved {
        let before = one["from"].as_array().unwrap();
        assert_eq!(
            before.len(),
            1,
            "it is compared with the last report: {one}"
        );
    }
    kept.are_as_from_scratch();
}

/// `hansel rescan --all` whose files may not grow beyond some blocks of 512 bytes.
fn with_little_room(kept: &Kept, blocks: u64) -> std::process::Output {
    let node = kept.scene.regtest.node();
    Command::new("sh")
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""),
        ])
        .arg(env!("CARGO_BIN_EXE_hansel"))
        .args(["rescan", "--all", "--endpoint"])
        .arg(format!("core={}", node.url()))
        .arg("--data")
        .arg(kept.data.path())
        .env("HANSEL_CORE_COOKIE", node.cookie_file())
        .output()
        .unwrap()
}

#[test]
fn a_disk_that_is_full_is_said_and_the_next_run_ends_it() {
    let Some(mut kept) = Kept::new() else { return };
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    let mut refused = 0;
    for blocks in [1, 4, 16, 64, 256] {
        let output = with_little_room(&kept, blocks);
        refused += u32::from(output.status.code() == Some(1));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(!words.contains("panicked"), "{words}");
    }
    assert!(refused > 0);
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
}

#[test]
fn two_rescans_of_one_store_are_refused() {
    let Some(kept) = Kept::new() else { return };
    let held = Store::open(kept.data.path()).unwrap();
    let rescan = kept.scene.core().rescan("--all").data(kept.data.path());
    rescan.run().fails(1, &["in use by another process"]);
    drop(held);
    kept.rescan(&kept.scene.core(), "--all");
}

#[test]
fn an_endpoint_that_is_down_changes_nothing() {
    let Some(mut kept) = Kept::new() else { return };
    kept.mine();
    let before = reports(&kept);
    let rescan = |words: &str, data: &Path| {
        let down = "core=http://127.0.0.1:9";
        let rescan = Hansel::new(words).option("--endpoint", down).data(data);
        rescan.args(["--retries", "0"]).run()
    };
    let data = kept.data.path();
    let all = rescan("rescan --all", data).exits(1);
    assert!(all.stderr.contains("no endpoint told the newest block"));
    let named = rescan("rescan --json dust", data).exits(1);
    assert_eq!(
        states(&named.json::<Vec<serde_json::Value>>())[0].1,
        "failed"
    );
    assert_eq!(reports(&kept), before);
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
}

#[test]
fn an_endpoint_that_is_behind_changes_nothing() {
    let Some(mut kept) = Kept::new() else { return };
    kept.mine();
    kept.rescan(&kept.scene.core(), "--all");
    let before = reports(&kept);
    let tip = kept.scene.regtest.tip();
    kept.scene.regtest.invalidate(tip);
    let outcomes = kept.rescan(&kept.scene.core(), "dust");
    assert_eq!(states(&outcomes), [("dust".into(), "left".into())]);
    assert_eq!(reports(&kept), before);
    let node = kept.scene.regtest.node();
    node.call("reconsiderblock", serde_json::json!([tip]))
        .unwrap();
    node.wait_for_indexes().unwrap();
    let outcomes = kept.rescan(&kept.scene.core(), "dust");
    assert_eq!(states(&outcomes), [("dust".into(), "unmoved".into())]);
    kept.are_as_from_scratch();
}

#[test]
fn an_endpoint_on_a_branch_of_its_own_is_followed_and_left_again() {
    let Some(mut kept) = Kept::new() else { return };
    let fork = kept.scene.regtest.height();
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    kept.rescan(&kept.scene.core(), "--all");
    let hash = serde_json::json!([fork + 1]);
    let node = kept.scene.regtest.node();
    let hash = node.call("getblockhash", hash).unwrap();
    let hash = hash.as_str().unwrap().to_owned();
    kept.scene.regtest.invalidate(hash.parse().unwrap());
    let (branch, _) = kept.scene.regtest.mine_to(Payee::Segwit(300));
    for key in 301..303 {
        kept.scene.regtest.mine_to(Payee::Segwit(key));
    }
    kept.scene.regtest.node().wait_for_indexes().unwrap();
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
    kept.scene.regtest.invalidate(branch);
    let node = kept.scene.regtest.node();
    node.call("reconsiderblock", serde_json::json!([hash]))
        .unwrap();
    kept.mine();
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
}

#[test]
fn a_reorganisation_that_is_deeper_than_what_is_kept_is_refused() {
    let Some(mut kept) = Kept::new() else { return };
    for _ in 0..101 {
        kept.mine();
    }
    kept.rescan(&kept.scene.core(), "--all");
    let before = reports(&kept);
    let hash = serde_json::json!([1]);
    let node = kept.scene.regtest.node();
    let hash = node.call("getblockhash", hash).unwrap();
    let height = kept.scene.regtest.height();
    let first = hash.as_str().unwrap().parse().unwrap();
    kept.scene.regtest.invalidate(first);
    for _ in 0..=height {
        kept.scene.regtest.mine_to(Payee::Segwit(777));
    }
    kept.scene.regtest.node().wait_for_indexes().unwrap();
    let rescan = kept.scene.core().rescan("--all").data(kept.data.path());
    let refused = rescan.run().exits(1);
    let words = "no reorganisation is believed to go so deep";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(reports(&kept), before);
}

/// The hashes of as many blocks are kept as a block needs to count as settled.
#[test]
fn a_reorganisation_within_the_confirmations_that_are_configured_is_believed() {
    let Some(mut kept) = Kept::new() else { return };
    let config = directory();
    let chain =
        "[[chains]]\nname = \"bitcoin-regtest\"\nfamily = \"bitcoin\"\nnetwork = \"regtest\"";
    let text = format!("schema = \"hansel-chains/1\"\n{chain}\nconfirmations = 120\n");
    std::fs::write(config.path().join("chains.toml"), text).unwrap();
    let rescan = |kept: &Kept| {
        let rescan = kept.scene.core().rescan("--all");
        let rescan = rescan.option("--config", config.path());
        rescan.data(kept.data.path()).run()
    };
    for _ in 0..2 {
        (0..55).for_each(|_| kept.mine());
        rescan(&kept).exits(0);
    }
    let fork = kept.scene.regtest.height() - 105;
    let node = kept.scene.regtest.node();
    let hash = node
        .call("getblockhash", serde_json::json!([fork]))
        .unwrap();
    let replaced = hash.as_str().unwrap().parse().unwrap();
    kept.scene.regtest.invalidate(replaced);
    for _ in 0..107 {
        kept.scene.regtest.mine_to(Payee::Segwit(778));
    }
    kept.scene.regtest.node().wait_for_indexes().unwrap();
    rescan(&kept).exits(0);
    kept.are_as_from_scratch();
}

/// Blocks that were read while a case waited to be traced again say nothing of what was spent before them.
#[test]
fn a_case_that_is_touched_again_before_it_is_traced_is_as_from_scratch() {
    let Some(mut kept) = Kept::new() else { return };
    let scenario = &kept.scene.scenario;
    let later = [scenario.consolidation, scenario.merge].map(|txid| OutPoint::new(txid, 0));
    kept.pay(kept.scene.scenario.unspent, Payee::Segwit(200));
    kept.mine();
    kept.rescan(&kept.scene.core(), "dust");
    for outpoint in later {
        kept.pay(outpoint, Payee::Segwit(201));
    }
    kept.mine();
    kept.rescan(&kept.scene.core(), "dust");
    kept.rescan(&kept.scene.core(), "--all");
    kept.are_as_from_scratch();
}
