//! Traces that are repeated, killed, interrupted or started twice.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bitcoin::OutPoint;
use hansel_report::Report;
use hansel_report::model::StopKind;
use hansel_testkit::{Fault, FaultProxy, Pay, Payee, Random, Rule, Target};

use crate::command::{Hansel, Running, directory};
use crate::reading::Reading;
use crate::scene::Scene;
use crate::wide::Wide;

/// Requests that may be under way at a time.
const CONCURRENCY: u64 = 8;

#[test]
fn a_second_run_asks_only_whether_unspent_outputs_were_spent_since() {
    let Some(mut scene) = Scene::build() else {
        return;
    };
    let data = directory();
    let trace = |scene: &Scene| {
        scene.esplora.reset_counts();
        let words = format!("{} --min-share 0", scene.scenario.theft);
        let run = scene.esplora().trace(&words).data(data.path()).run();
        let mut asked = scene.esplora.requests_by_path();
        asked.retain(|path, _| path.starts_with("/tx/"));
        (run.exits(0).stdout, asked.into_keys().collect::<Vec<_>>())
    };
    let (first, _) = trace(&scene);
    let (second, asked) = trace(&scene);
    assert_eq!(first, second);
    let unconfirmed = |path: &str| path == format!("/tx/{}/outspends", scene.scenario.peels[7]);
    assert!(asked.iter().all(|path| unconfirmed(path)), "{asked:?}");

    scene.regtest.mine();
    let (_, asked) = trace(&scene);
    let report: Report = serde_json::from_str(&first).unwrap();
    let resting = report.stopped(StopKind::AtRest);
    let mut open: Vec<String> = resting
        .iter()
        .map(|output| output.parse::<OutPoint>().unwrap())
        .map(|output| format!("/tx/{}/outspends", output.txid))
        .collect();
    open.dedup();
    assert_eq!(asked, open, "spends alone, of nothing but what rested");

    let moved = scene.scenario.unspent;
    let next = scene
        .regtest
        .pay(&[moved], &[Pay::rest(Payee::Segwit(90))], 10_000);
    scene.regtest.mine();
    let (_, asked) = trace(&scene);
    let transactions: Vec<_> = asked
        .iter()
        .filter(|path| !path.ends_with("/outspends"))
        .collect();
    assert_eq!(transactions, [&format!("/tx/{next}")]);
}

#[test]
fn a_trace_that_is_killed_again_and_again_ends_as_if_nothing_had_happened() {
    let wide = Wide::new(300, Duration::from_millis(10));
    let expected = wide.undisturbed();
    let data = directory();
    let mut random = Random::new(20_240_531);
    let mut killed = 0;
    let mut before = BTreeMap::new();
    for _ in 0..20 {
        let running = wide.trace().data(data.path()).start();
        sleep(Duration::from_millis(20 + random.below(100)));
        let finished = running.kill();
        killed += u32::from(finished.code.is_none());
        // What was under way at the kill before this one may be asked again, and nothing else.
        before = asked_again_at_most(&wide, &before, CONCURRENCY);
    }
    assert!(killed >= 5, "only {killed} of 20 runs were cut off");
    let last = wide.trace().data(data.path()).run().exits(0);
    asked_again_at_most(&wide, &before, CONCURRENCY);
    assert!(last.stdout == expected);
}

/// Fails where the last run repeated more questions than this; returns all questions so far.
#[track_caller]
fn asked_again_at_most(
    wide: &Wide,
    before: &BTreeMap<String, u64>,
    most: u64,
) -> BTreeMap<String, u64> {
    let now = wide.questions();
    let again =
        |(path, count): (&String, &u64)| count - before.get(path).unwrap_or(count).min(count);
    let repeated: u64 = now.iter().map(again).sum();
    assert!(repeated <= most, "{repeated} questions were asked again");
    now
}

#[test]
fn an_interrupted_trace_reports_what_it_knows_and_is_resumed() {
    let wide = Wide::new(300, Duration::from_millis(20));
    let data = directory();
    let running = wide.trace().data(data.path()).start();
    wait_for_requests(&wide, 60);
    running.signal("INT");
    let (finished, took) = timed(running);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let report = finished.exits(3).report();
    report.balances();
    let stops = report.nodes.iter().filter_map(|node| node.stop.as_ref());
    let cut: Vec<_> = stops.filter(|stop| stop.kind == StopKind::Limit).collect();
    assert!(!cut.is_empty());
    assert!(
        cut.iter().all(|stop| stop.reason.contains("interrupted")),
        "{cut:?}"
    );
    assert!(report.accounting.iter().any(|row| !row.frontier.is_zero()));
    let resumed = wide.trace().data(data.path()).run().exits(0);
    assert!(resumed.stdout == wide.undisturbed());
    let repeated = wide
        .questions()
        .values()
        .filter(|count| **count > 1)
        .count();
    assert!(repeated <= 8, "{repeated}");
}

#[test]
fn an_interrupt_is_heard_before_the_first_answer() {
    let wide = Wide::new(3, Duration::from_secs(20));
    let running = wide.trace().start();
    wait_for_requests(&wide, 1);
    running.signal("INT");
    let (finished, took) = timed(running);
    assert!(took < Duration::from_secs(5), "{took:?}");
    finished.fails(1, &["interrupted"]);
}

#[test]
fn an_interrupt_does_not_wait_for_an_endpoint_that_fell_silent() {
    let wide = Wide::new(30, Duration::ZERO);
    let silence = Rule::always(Target::Any, Fault::Delay(Duration::from_secs(20)));
    let proxy = FaultProxy::over(&wide.server.url(), [silence.after(30)]).unwrap();
    let data = directory();
    let running = wide.trace_at(&proxy.url()).data(data.path()).start();
    while proxy.faults() == 0 {
        sleep(Duration::from_millis(2));
    }
    running.signal("INT");
    let (finished, took) = timed(running);
    assert!(took < Duration::from_secs(8), "{took:?}");
    finished.exits(3).report().balances();
    proxy.heal();
    let resumed = wide.trace_at(&proxy.url()).data(data.path()).run().exits(0);
    assert!(resumed.stdout == wide.undisturbed());
}

#[test]
fn two_traces_never_write_to_the_same_directory() {
    let wide = Wide::new(300, Duration::from_millis(20));
    let data = directory();
    let first = wide.trace().data(data.path()).start();
    wait_for_requests(&wide, 20);
    let second = wide.trace().data(data.path()).run();
    second.fails(1, &["error: ", "another process", "hint: "]);
    assert!(first.wait().exits(0).stdout == wide.undisturbed());
}

#[test]
fn a_case_is_traced_again_by_its_name_alone() {
    let wide = Wide::new(10, Duration::ZERO);
    let data = directory();
    let named = wide.trace().option("--name", "theft-1").data(data.path());
    let first = named.run().exits(0);
    let again = Hansel::new("trace theft-1 --json --quiet --endpoint")
        .args([format!("esplora={}", wide.server.url())])
        .data(data.path())
        .run()
        .exits(0);
    assert_eq!(first.stdout, again.stdout);
}

fn wait_for_requests(wide: &Wide, count: u64) {
    let started = Instant::now();
    while wide.server.requests() < count {
        assert!(started.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(2));
    }
}

fn timed(running: Running) -> (crate::command::Finished, Duration) {
    let started = Instant::now();
    let finished = running.wait();
    (finished, started.elapsed())
}
