//! Endpoints that lie, stall and break off: a typed failure or a named gap, nothing believed, nothing lost.

use std::time::{Duration, Instant};

use bitcoin::Txid;
use hansel_report::Report;
use hansel_report::model::StopKind;
use hansel_testkit::{Fault, FaultProxy, Payee, Rule, Target};
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::reading::Reading;
use crate::scene::{CHAIN, Scene, Way, output};
use crate::wide::Wide;

/// A server behind a proxy that obeys the test.
struct Behind {
    wide: Wide,
    proxy: FaultProxy,
    data: TempDir,
}

impl Behind {
    fn new() -> Self {
        let wide = Wide::new(12, Duration::ZERO);
        let proxy = FaultProxy::over(&wide.server.url(), []).unwrap();
        let data = directory();
        Self { wide, proxy, data }
    }

    fn trace(&self) -> Finished {
        let trace = self.wide.trace_at(&self.proxy.url());
        let trace = trace.args(["--retries", "1", "--timeout", "5"]);
        trace.data(self.data.path()).run()
    }

    fn theft(&self) -> Txid {
        self.wide.ledger.theft()
    }

    /// The transaction that spends the theft's first output.
    fn spender(&self) -> Txid {
        let first = bitcoin::OutPoint::new(self.theft(), 0);
        self.wide.ledger.spender(&first).unwrap().0
    }

    /// With the server healed, the same command says what it says where nothing ever went wrong.
    #[track_caller]
    fn heals(&self) {
        self.proxy.heal();
        let healed = self.trace().exits(0);
        assert!(healed.stdout == self.wide.undisturbed());
    }

    /// Every fault at the spender's own answer: the trail ends there, with this class as the reason.
    #[track_caller]
    fn loses_the_spender(&self, fault: Fault, class: &str) {
        let path = format!("/tx/{}", self.spender());
        self.proxy
            .add(Rule::always(Target::Exactly(path), fault.clone()));
        let finished = self.trace();
        assert!(self.proxy.faults() > 0);
        let report = finished.exits(3).report();
        report.balances();
        assert!(
            !report.visited().contains(&*self.spender().to_string()),
            "{fault:?}"
        );
        let node = report.node(&output(self.theft(), 0));
        assert_eq!(
            node.stop.as_ref().unwrap().kind,
            StopKind::Failed,
            "{fault:?}"
        );
        assert_eq!(node.gaps[0].kind, "transaction-unavailable");
        assert!(
            node.gaps[0].detail.contains(class),
            "{fault:?}: {}",
            node.gaps[0].detail
        );
        assert_eq!(report.stopped(StopKind::Failed).len(), 1);
        self.heals();
    }

    /// Every fault at what the theft's outputs were spent by.
    #[track_caller]
    fn loses_the_spends(&self, fault: Fault, class: &str) {
        let path = format!("/tx/{}/outspends", self.theft());
        self.proxy
            .add(Rule::always(Target::Exactly(path), fault.clone()));
        let report = self.trace().exits(3).report();
        report.balances();
        assert_eq!(report.visited().len(), 1, "{fault:?}");
        assert_eq!(report.stopped(StopKind::Failed).len(), 10);
        for entry in &report.unknown {
            assert_eq!(entry.kind, "spend-unknown");
            assert!(entry.detail.contains(class), "{fault:?}: {}", entry.detail);
        }
        self.heals();
    }
}

/// Answers that are not answers, and what they are called.
fn nonsense() -> [(Fault, &'static str); 6] {
    let announced = |announced| Fault::OverLong {
        mebibytes: 65,
        announced,
    };
    [
        (Fault::TruncateJson(100), "malformed"),
        (announced(true), "malformed"),
        (announced(false), "malformed"),
        (Fault::Html, "malformed"),
        (Fault::RedirectLoop, "malformed"),
        (
            Fault::Body(b"[[[[[[[[[[[[[[[[[[[[[[[[".repeat(10_000)),
            "malformed",
        ),
    ]
}

/// Faults that may pass, and what they are called.
fn setbacks() -> [(Fault, &'static str); 4] {
    [
        (Fault::Truncate(100), "unreachable"),
        (Fault::Drop, "unreachable"),
        (Fault::Status(503), "unreachable"),
        (Fault::TooManyRequests { retry_after: 1 }, "rate-limited"),
    ]
}

#[test]
fn an_answer_that_is_none_is_not_believed_and_not_kept() {
    for (fault, class) in nonsense() {
        Behind::new().loses_the_spender(fault.clone(), class);
        Behind::new().loses_the_spends(fault, class);
    }
}

#[test]
fn a_failure_that_does_not_pass_is_a_gap_of_its_class() {
    for (fault, class) in setbacks() {
        Behind::new().loses_the_spender(fault.clone(), class);
        Behind::new().loses_the_spends(fault, class);
    }
}

#[test]
fn a_failure_that_passes_leaves_no_trace() {
    for (fault, _) in setbacks() {
        let behind = Behind::new();
        behind.proxy.add(Rule::times(
            1,
            Target::Ending("/outspends".into()),
            fault.clone(),
        ));
        let finished = behind.trace().exits(0);
        assert_eq!(behind.proxy.faults(), 1);
        assert!(finished.stdout == behind.wide.undisturbed(), "{fault:?}");
    }
}

#[test]
fn the_bytes_of_another_transaction_are_not_believed() {
    let behind = Behind::new();
    let other = behind.theft();
    behind.loses_the_spender(Fault::WrongTx(other), "inconsistent");
}

#[test]
fn a_spender_that_does_not_spend_is_named_and_not_followed() {
    let behind = Behind::new();
    let block = &behind.wide.ledger.blocks()[1];
    let innocent = block.txdata[0].compute_txid();
    let spends = Target::Exactly(format!("/tx/{}/outspends", behind.theft()));
    behind
        .proxy
        .add(Rule::always(spends, Fault::FalseSpend(innocent)));
    let report = behind.trace().exits(3).report();
    report.balances();
    assert_eq!(report.visited().len(), 1);
    assert!(
        report
            .flows
            .iter()
            .all(|flow| flow.tx != innocent.to_string())
    );
    let gaps: Vec<_> = report
        .unknown
        .iter()
        .filter(|entry| entry.kind == "false-spend")
        .collect();
    assert_eq!(gaps.len(), 10);
    assert!(
        gaps.iter()
            .all(|gap| gap.detail.contains(&innocent.to_string()))
    );
    behind.heals();
}

#[test]
fn a_node_that_answers_nothing_at_all_is_an_error_with_advice() {
    for (fault, class) in nonsense().into_iter().chain(setbacks()) {
        let behind = Behind::new();
        behind.proxy.add(Rule::always(Target::Any, fault.clone()));
        let started = Instant::now();
        let refused = behind.trace();
        refused.fails(1, &["error: no endpoint told the newest block", "hint: "]);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{fault:?} {class}"
        );
        behind.heals();
    }
}

#[test]
fn an_endpoint_that_is_silent_is_given_up_after_the_time_allowed() {
    let behind = Behind::new();
    behind.proxy.add(Rule::always(
        Target::Any,
        Fault::Delay(Duration::from_secs(30)),
    ));
    let started = Instant::now();
    let trace = behind.wide.trace_at(&behind.proxy.url());
    let silent = trace.args(["--retries", "0", "--timeout", "1"]).run();
    silent.fails(1, &["error: ", "hint: "]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_transaction_that_nobody_knows_is_an_error_with_advice() {
    let wide = Wide::new(1, Duration::ZERO);
    let way = Way::open("Esplora", format!("esplora={}", wide.server.url()));
    let unknown = "00000000000000000000000000000000000000000000000000000000000000ff";
    way.trace(unknown)
        .run()
        .fails(1, &["nothing to trace", unknown, "not-found", "hint: "]);
    let missing = format!("{}:99", wide.ledger.theft());
    way.trace(&missing)
        .run()
        .fails(1, &[&missing, "fewer outputs"]);
}

#[test]
fn a_subject_that_is_none_is_a_fault_of_usage() {
    let wide = Wide::new(1, Duration::ZERO);
    let way = Way::open("Esplora", format!("esplora={}", wide.server.url()));
    let other_network = "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P";
    for subject in [
        "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7Q",
        other_network,
        "975ec405",
        "0xd8da6bf26964af9d7eed9e03e53415d37aa96045",
        "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7:x",
    ] {
        way.trace(subject)
            .run()
            .fails(2, &["error: ", subject, "hint: "]);
    }
    assert_eq!(
        wide.server.requests(),
        0,
        "nothing was asked about nonsense"
    );
    let twisted = Hansel::new("trace").args(["\u{1b}[31mred\u{1b}[0m"]).run();
    assert!(!twisted.fails(2, &["error: "]).stderr.contains('\u{1b}'));
    Hansel::new("trace x --endpoint ftp://127.0.0.1")
        .run()
        .fails(2, &["error: "]);
    Hansel::new("trace x --rule first")
        .run()
        .fails(2, &["reverse-seniority"]);
    Hansel::new("trace x --chain dogecoin")
        .run()
        .fails(2, &["dogecoin", "hint: "]);
    Hansel::new("").run().exits(2);
}

#[test]
fn a_second_endpoint_answers_where_the_first_lies() {
    let behind = Behind::new();
    let lies = Fault::WrongTx(behind.theft());
    behind.proxy.add(Rule::always(
        Target::Containing(behind.spender().to_string()),
        lies,
    ));
    let trace = behind.wide.trace_at(&behind.proxy.url());
    let second = format!("esplora={}", behind.wide.server.url());
    let run = trace.option("--endpoint", second).run().exits(0);
    assert!(behind.proxy.faults() > 0);
    assert!(run.stdout == behind.wide.undisturbed());
}

#[test]
fn an_endpoint_of_another_chain_is_refused() {
    let Some(scene) = Scene::shared() else { return };
    let endpoint = scene.esplora().endpoint;
    let theft = scene.scenario.theft.to_string();
    let other = Hansel::new("trace --json --chain bitcoin --retries 0 --endpoint");
    let other = other.args([endpoint, theft]).run();
    other.fails(1, &["error: ", "regtest", "hint: "]);
}

#[test]
fn a_password_never_reaches_the_output() {
    let Some(scene) = Scene::shared() else { return };
    let theft = scene.scenario.theft.to_string();
    let core = format!("core={}", scene.regtest.node().url());
    let refused = Hansel::new("trace --json --retries 0 --chain")
        .args([CHAIN, &*theft, "--endpoint", &*core])
        .env("HANSEL_CORE_USER", "somebody")
        .env("HANSEL_CORE_PASSWORD", "open-sesame")
        .run();
    let refused = refused.fails(1, &["error: ", "401"]);
    assert!(
        !refused.stderr.contains("open-sesame"),
        "{}",
        refused.stderr
    );
    let in_url = format!(
        "core=http://somebody:open-sesame@127.0.0.1:{}",
        scene.regtest.node().rpc_port()
    );
    let refused = Hansel::new("trace")
        .args([&*theft, "--endpoint", &*in_url])
        .run();
    let refused = refused.fails(2, &["HANSEL_CORE_USER"]);
    assert!(
        !refused.stderr.contains("open-sesame"),
        "{}",
        refused.stderr
    );
    let recording = directory();
    let way = scene.core();
    let words = format!("{} --with-sources", scene.address(Payee::Segwit(20)));
    let run = way
        .trace(&words)
        .option("--record", recording.path())
        .run()
        .exits(0);
    let (_, password) = scene.regtest.node().credentials().split_once(':').unwrap();
    let report: Report = run.report();
    assert_eq!(report.sources.len(), 1);
    assert!(!run.stdout.contains(password) && !run.stderr.contains(password));
    let found = std::process::Command::new("grep")
        .args(["-r", "-l", "-F", password])
        .arg(recording.path())
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );
}
