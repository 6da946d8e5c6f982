//! A machine whose time is set while cases are kept current: nothing is lost, doubled or late.

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use hansel_testkit::{Pay, Payee};
use tempfile::TempDir;

use crate::alerts::{Watched, rules};
use crate::command::{Hansel, directory};
use crate::receiver::{Received, Receiver, SECRET};

const YEAR: u64 = 31_536_000;

/// A clock that jumps ten years with each reading; `None`, and said, where there is no compiler for it.
fn jumping() -> Option<(TempDir, PathBuf)> {
    let files = directory();
    let library = files.path().join("jumping.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clock/jumping.c");
    let cc = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &PathBuf::from(source)])
        .arg("-ldl")
        .status();
    if cc.is_ok_and(|status| status.success()) {
        return Some((files, library));
    }
    eprintln!("SKIPPED: there is no `cc` to make a clock that jumps");
    None
}

#[test]
fn a_clock_that_jumps_loses_no_alert_doubles_none_and_changes_no_report() {
    let Some((_files, clock)) = jumping() else {
        return;
    };
    let Some(mut watched) = Watched::new() else {
        return;
    };
    let receiver = Receiver::start();
    let tx = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let jumped = |hansel: Hansel| hansel.env("LD_PRELOAD", &clock).run().exits(0);
    jumped(watched.signed(&receiver, ""));
    let told = receiver.received();
    assert_eq!(rules(&[told[0].json()]), [("moved", "low")]);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let stamp: u64 = told[0].header("x-hansel-timestamp").parse().unwrap();
    assert!(
        stamp.abs_diff(now) > 5 * YEAR,
        "the clock of the run did not jump"
    );
    jumped(watched.signed(&receiver, ""));
    assert_eq!(receiver.received().len(), 1);
    let kept = Hansel::new("report loot --json").data(watched.data.path());
    let words = format!("{} --min-share 0 --name loot", watched.loot);
    let fresh = watched.core().trace(&words).run().exits(0);
    assert_eq!(jumped(kept).stdout, fresh.stdout);
    assert_eq!(told[0].json()["tx"], tx.to_string());
}

#[test]
fn a_clock_that_jumps_makes_nothing_wait_that_is_followed() {
    let Some((_files, clock)) = jumping() else {
        return;
    };
    let Some(mut watched) = Watched::new() else {
        return;
    };
    // The first try fails, so that the next one waits for a pause to pass.
    let receiver = Receiver::answering(&["503 Down", "503 Down", "200 OK"]);
    let words = "rescan --all --follow --every 1 --quiet";
    let follow = watched.core().asked_by(Hansel::new(words));
    let follow = follow.option("--webhook", receiver.url());
    let follow = follow
        .env("HANSEL_WEBHOOK_SECRET", SECRET)
        .env("LD_PRELOAD", &clock);
    let running = follow.data(watched.data.path()).start();
    let tx = watched.pay(watched.loot, &[Pay::rest(Payee::Segwit(11))]);
    watched.mine();
    let told = receiver.wait_for(3);
    running.signal("INT");
    running.wait().exits(0);
    let told: Vec<_> = told.iter().map(Received::json).collect();
    assert!(told.iter().all(|one| one["id"] == told[0]["id"]));
    assert_eq!(told[2]["tx"], tx.to_string());
}
