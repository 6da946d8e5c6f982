//! Cases that are followed are brought up to every new block, through outages, until the user stops.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::OutPoint;
use hansel_testkit::{Fault, FaultProxy, Pay, Payee, Random, Rule, Target};
use serde_json::Value;

use crate::alerts::{Watched, lines, rules};
use crate::command::{Finished, Hansel, Running};
use crate::receiver::{Received, Receiver, SECRET};

/// Starts `hansel rescan --all --follow` through a proxy before the node.
fn follow(watched: &Watched, proxy: &FaultProxy, receiver: &Receiver, words: &str) -> Running {
    let way = watched.core().through(&proxy.url());
    let rescan = Hansel::new("rescan --all --follow --retries 0").args(words.split_whitespace());
    let rescan = rescan.option("--webhook", receiver.url());
    let rescan = way.asked_by(rescan.env("HANSEL_WEBHOOK_SECRET", SECRET));
    rescan.data(watched.data.path()).start()
}

fn stop(running: Running, signal: &str) -> Finished {
    running.signal(signal);
    running.wait().exits(0)
}

fn told(receiver: &Receiver, count: usize) -> Vec<Value> {
    let received = receiver.wait_for(count);
    received.iter().map(Received::json).collect()
}

#[test]
fn a_new_block_is_heard_of_at_once_and_ctrl_c_ends_it_cleanly() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, proxy) = (Receiver::start(), open(&watched));
    // Were the node not waited at, nothing would happen for a day.
    let running = follow(&watched, &proxy, &receiver, "--every 86400");
    wait_until(&proxy, "waitforblockheight");
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    assert_eq!(rules(&told(&receiver, 1)), [("moved", "low")]);
    let done = stop(running, "INT");
    assert!(done.stdout.contains("loot: moved"), "{}", done.stdout);
    let kept = Hansel::new("report loot --json").data(watched.data.path());
    let words = format!("{} --min-share 0 --name loot", watched.loot);
    let fresh = watched.core().trace(&words).run().exits(0);
    assert_eq!(kept.run().exits(0).stdout, fresh.stdout);
}

#[test]
fn a_payment_is_warned_of_before_any_block_has_it() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, proxy) = (Receiver::start(), open(&watched));
    let running = follow(&watched, &proxy, &receiver, "--every 1");
    wait_until(&proxy, "gettxspendingprevout");
    let parts = [Pay::rest(Payee::Segwit(11))];
    let sent = watched.regtest.broadcast(&[watched.loot], &parts, 1_000);
    let warnings = told(&receiver, 1);
    assert_eq!(warnings[0]["tx"], sent.to_string());
    assert_eq!(warnings[0]["confirmed"], false);
    watched.regtest.confirm(sent);
    watched.mine();
    assert_eq!(told(&receiver, 2)[1]["confirmed"], true);
    stop(running, "INT");
    assert_eq!(receiver.received().len(), 2);
}

#[test]
fn a_long_run_keeps_its_memory_flat() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, proxy) = (Receiver::start(), open(&watched));
    let running = follow(&watched, &proxy, &receiver, "--every 86400");
    wait_until(&proxy, "waitforblockheight");
    let (mut last, mut told) = (watched.loot, 0);
    // Blocks that touch nothing, and then one that does, so that all of them were read.
    let mut blocks = |count: u32| {
        for _ in 1..count {
            watched.regtest.mine();
        }
        let to = [Pay::rest(Payee::Segwit(100 + u32::try_from(told).unwrap()))];
        last = OutPoint::new(watched.pay(last, &to), 0);
        watched.mine();
        told += 1;
        receiver.wait_for(told);
        running.resident()
    };
    let (early, late) = (blocks(50), blocks(1_000));
    let Some((early, late)) = early.zip(late) else {
        eprintln!("SKIPPED: the system does not say how much memory a process has");
        return;
    };
    // What the report of the case grows by, and what RocksDB keeps before it writes.
    assert!(
        late < early + 24 * 1_024,
        "{early} KiB and {late} KiB later"
    );
    stop(running, "INT");
}

#[test]
fn an_endpoint_that_is_down_for_a_while_is_said_once_and_nothing_is_missed() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, proxy) = (Receiver::start(), open(&watched));
    let running = follow(&watched, &proxy, &receiver, "--every 1");
    wait_until(&proxy, "getblockchaininfo");
    proxy.add(Rule::always(Target::Any, Fault::Drop));
    let before = proxy.faults();
    while proxy.faults() < before + 2 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    assert!(receiver.received().is_empty());
    proxy.heal();
    assert_eq!(rules(&told(&receiver, 1)), [("moved", "low")]);
    let said = stop(running, "INT").stderr;
    assert_eq!(said.matches("cannot be read for now").count(), 1, "{said}");
    assert_eq!(said.matches("is read again").count(), 1, "{said}");
}

#[test]
fn a_reorganisation_is_followed_and_takes_alerts_back_in_order() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, proxy) = (Receiver::start(), open(&watched));
    let running = follow(&watched, &proxy, &receiver, "--every 1 --alert json");
    wait_until(&proxy, "getblockchaininfo");
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let first = told(&receiver, 1);
    watched.regtest.invalidate(watched.regtest.tip());
    watched.mine();
    watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(12))]);
    watched.mine();
    let all = told(&receiver, 3);
    assert_eq!(all[1]["retracts"], first[0]["id"]);
    assert_eq!(rules(&all[2..]), [("moved", "low")]);
    assert_eq!(all[2].get("retracts"), None);
    assert_eq!(lines(&stop(running, "TERM").stdout), all);
}

#[test]
fn what_cannot_be_followed_is_refused_and_a_screen_needs_a_terminal() {
    let Some(watched) = Watched::new() else {
        return;
    };
    let rescan = Hansel::new("rescan nothing --follow").data(watched.data.path());
    let rescan = watched.core().asked_by(rescan);
    rescan.run().fails(1, &["there is no case `nothing`"]);
    let replay = Hansel::new("rescan --all --follow --replay x").run();
    replay.fails(2, &["--follow", "--replay"]);
    let watch = Hansel::new("watch").data(watched.data.path()).run();
    watch.fails(2, &["there is none", "hansel rescan --all --follow"]);
}

fn open(watched: &Watched) -> FaultProxy {
    FaultProxy::over(&watched.regtest.node().url(), []).unwrap()
}

/// Waits until a request of this kind has come through.
#[track_caller]
fn wait_until(proxy: &FaultProxy, method: &str) {
    let started = std::time::Instant::now();
    while !proxy
        .requests()
        .iter()
        .any(|request| request.contains(method))
    {
        assert!(started.elapsed().as_secs() < 120, "{:?}", proxy.requests());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn runs_that_are_killed_at_any_moment_lose_no_alert_and_repeat_none_under_another_id() {
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let (receiver, mut random) = (Receiver::start(), Random::new(20_261_121));
    let (mut last, mut paid) = (watched.loot, Vec::new());
    for round in 0..50 {
        let tx = watched.pay(last, &[Pay::rest(Payee::Segwit(100 + round))]);
        last = OutPoint::new(tx, 0);
        paid.push(tx.to_string());
        watched.mine();
        for _ in 0..4 {
            let running = watched.signed(&receiver, "").start();
            std::thread::sleep(std::time::Duration::from_millis(random.below(300)));
            running.kill();
        }
    }
    // The first run ends what was cut off, as of the block that it was begun under; the second one goes on from there.
    watched.signed(&receiver, "").run().exits(0);
    watched.signed(&receiver, "").run().exits(0);
    let (mut order, mut ids) = (Vec::new(), BTreeMap::new());
    for alert in receiver.received().iter().map(Received::json) {
        let word = |key: &str| alert[key].as_str().unwrap().to_owned();
        let known: &mut BTreeSet<String> = ids.entry(word("tx")).or_default();
        if known.is_empty() {
            order.push(word("tx"));
        }
        known.insert(word("id"));
    }
    assert_eq!(order, paid);
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
}
