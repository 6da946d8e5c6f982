//! Traces on a real EVM node: what the story says happened is what the report shows, whatever the endpoint offers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use hansel_report::Report;
use hansel_report::model::{Flow, FlowKind, Node, StopKind};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmIndex, EvmIndexRow, EvmScenario, EvmStory, RpcFault, RpcProxy, RpcRule,
    require_anvil,
};

use serde_json::Value;

use crate::command::{Hansel, directory};

/// More transfers than any account of the story but the exchange's makes.
const HUB: u64 = 60;

/// A story on a node of its own; `None` where no node is to be had.
fn told() -> Option<(Anvil, EvmStory)> {
    let anvil = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
    let scenario = EvmScenario { customers: 100 };
    let story = scenario.play(anvil.rpc()).unwrap();
    Some((anvil, story))
}

fn trace(story: &EvmStory, url: &str, more: &str) -> Hansel {
    unasked(story, &format!("--endpoint {url} {more}"))
}

/// A trace that names no endpoint by itself.
fn unasked(story: &EvmStory, more: &str) -> Hansel {
    let mut words = "trace --json --chain anvil --name story".to_owned();
    for deed in story.scene("theft") {
        write!(words, " {}", deed.hash).unwrap();
    }
    Hansel::new(&format!("{words} --hub {HUB} {more}"))
}

fn node<'a>(report: &'a Report, story: &EvmStory, name: &str) -> &'a Node {
    let address = story.account(name).to_string();
    let found = report
        .nodes
        .iter()
        .find(|node| node.address.as_deref() == Some(&*address));
    found.unwrap_or_else(|| panic!("the report does not list {name} ({address})"))
}

fn require_balance(report: &Report) {
    assert!(!report.accounting.is_empty());
    for row in &report.accounting {
        assert!(row.balances(), "{row:?}");
    }
}

/// Every flow but fees must be a movement that truly happened, with its amount.
fn require_truth(report: &Report, story: &EvmStory) {
    let mut truth: BTreeMap<String, BTreeSet<(String, String, String)>> = BTreeMap::new();
    for deed in &story.deeds {
        let moves = deed.movements.iter().map(|one| {
            (
                one.from.to_string(),
                one.to.to_string(),
                one.amount.to_string(),
            )
        });
        truth.insert(deed.hash.to_string(), moves.collect());
    }
    let moved = report
        .flows
        .iter()
        .filter(|flow| flow.kind != FlowKind::Fee);
    for flow in moved {
        let to = flow.to_address.clone().unwrap();
        let from = flow.from_addresses[0].to_string();
        let said = (from, to.to_string(), flow.amount.to_string());
        assert!(
            truth[&flow.tx].contains(&said),
            "{} never happened",
            flow.id
        );
    }
}

#[test]
fn a_laundering_story_is_followed_to_the_wei() {
    let Some((anvil, story)) = told() else { return };
    let url = anvil.url();
    let done = trace(&story, &url, "--rule fifo,haircut,seniority").run();
    let report = done.report();
    require_balance(&report);
    require_truth(&report, &story);
    for name in ["thief", "relay1", "partner", "heir", "quiet"] {
        node(&report, &story, name);
    }
    let mixer = node(&report, &story, "mixer").stop.as_ref().unwrap();
    assert_eq!(mixer.kind, StopKind::Service, "{mixer:?}");
    let hot = node(&report, &story, "hot").stop.as_ref().unwrap();
    assert_eq!(hot.kind, StopKind::Hub, "{hot:?}");
    let quiet = node(&report, &story, "quiet").stop.as_ref().unwrap();
    assert_eq!(quiet.kind, StopKind::AtRest, "{quiet:?}");
}

/// An account of ERC-4337 signs operations that a bundler submits and is paid back for.
#[test]
fn a_trail_goes_through_an_account_that_is_a_contract_and_not_through_its_bundler() {
    let Some((anvil, story)) = told() else { return };
    let report = trace(&story, &anvil.url(), "--rule fifo").run().report();
    let smart = node(&report, &story, "smart");
    assert!(
        smart
            .stop
            .as_ref()
            .is_none_or(|stop| stop.kind == StopKind::AtRest)
    );
    let operation = story.scene("user-operation").last().unwrap();
    let hash = operation.hash.to_string();
    let flows = report.flows.iter().filter(|flow| flow.tx == hash);
    let bundler = story.account("operator").to_string().into();
    let mut given = BTreeSet::new();
    for flow in flows {
        assert!(!flow.from_addresses.contains(&bundler), "{}", flow.id);
        assert_ne!(
            flow.kind,
            FlowKind::Fee,
            "the bundler paid the gas: {}",
            flow.id
        );
        if flow.from_addresses == [smart.address.clone().unwrap()] {
            given.insert((
                String::from(flow.to_address.clone().unwrap()),
                flow.amount.to_string(),
            ));
        }
    }
    let payee = story.account("beneficiary").to_string();
    for amount in ["3000000000000000000", "600000000"] {
        let paid = (payee.clone(), amount.to_owned());
        assert!(given.contains(&paid), "{given:?}");
    }
    // What it paid for gas goes through the entry point to the bundler, and from there no further.
    let entry = story.account("entry-point").to_string();
    let gas = |flow: &&Flow| flow.tx == hash && flow.from_addresses == [entry.clone()];
    let gas: Vec<_> = report.flows.iter().filter(gas).collect();
    assert_eq!(gas.len(), 1);
    assert_eq!(gas[0].to_address.as_ref(), Some(&bundler));
    assert_eq!(gas[0].amount.to_string(), "40000000000000000");
    let mut all = report.flows.iter();
    assert!(!all.any(|flow| flow.from_addresses.contains(&bundler)));
}

#[test]
fn spam_and_counterfeits_enter_no_trail_and_are_counted() {
    let Some((anvil, story)) = told() else { return };
    let report = trace(&story, &anvil.url(), "").run().report();
    let forged = story.account("counterfeit").to_string();
    for flow in &report.flows {
        assert_ne!(flow.asset, forged, "{}", flow.id);
        let spammer = story.account("spammer");
        let mut spam = story.deeds.iter().filter(|deed| deed.sender == spammer);
        let is_spam = spam.any(|deed| deed.hash.to_string() == flow.tx);
        assert!(!is_spam, "{} is spam", flow.id);
    }
    let noise = report
        .findings
        .iter()
        .find(|finding| finding.heuristic == "evm.noise");
    assert!(noise.is_some(), "{:?}", report.findings);
}

#[test]
fn equal_traces_give_equal_bytes() {
    let Some((anvil, story)) = told() else { return };
    let run = || trace(&story, &anvil.url(), "").run().stdout;
    assert_eq!(run(), run());
}

/// Flows and holdings without what endpoints differ in: how a movement is known.
fn essence(report: &Report) -> (BTreeSet<String>, BTreeSet<String>) {
    let flows = report.flows.iter().map(|flow| {
        let taints = serde_json::to_string(&flow.tainted).unwrap();
        format!(
            "{} {} {} {} {taints}",
            flow.tx, flow.from, flow.to, flow.amount
        )
    });
    let held = report.nodes.iter().map(|node| {
        let holdings = serde_json::to_string(&node.holdings).unwrap();
        format!("{} {holdings}", node.id)
    });
    (flows.collect(), held.collect())
}

#[test]
fn a_plain_archive_node_shows_what_traces_show_but_for_what_its_gaps_name() {
    let Some((anvil, story)) = told() else { return };
    let untraced = ["trace_", "debug_", "ots_"]
        .map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()));
    let proxy = RpcProxy::over(&anvil.url(), untraced).unwrap();
    let traced = trace(&story, &anvil.url(), "").run().report();
    let plain = trace(&story, &proxy.url(), "").run().report();
    require_balance(&plain);
    require_truth_of_tokens(&plain, &story);
    let (flows, _) = essence(&traced);
    let (plainly, _) = essence(&plain);
    if flows != plainly {
        let gaps: Vec<_> = plain.unknown.iter().map(|gap| &*gap.kind).collect();
        assert!(
            gaps.contains(&"no-traces") || gaps.contains(&"unexplained-change"),
            "{gaps:?}"
        );
    }
}

/// As [`require_truth`], for flows of which both sides are known.
fn require_truth_of_tokens(report: &Report, story: &EvmStory) {
    let mut known = report.clone();
    known.flows.retain(|flow| flow.id.contains(":log:"));
    require_truth(&known, story);
}

#[test]
fn a_node_without_old_state_names_what_it_cannot_know() {
    let Some((anvil, story)) = told() else { return };
    let mut rules: Vec<RpcRule> = ["trace_", "debug_", "ots_"]
        .map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()))
        .into();
    let before = story.tip();
    rules.push(RpcRule::always("eth_", RpcFault::Pruned { before }));
    let proxy = RpcProxy::over(&anvil.url(), rules).unwrap();
    let done = trace(&story, &proxy.url(), "").run().exits(3);
    let report = done.report();
    require_balance(&report);
    require_truth_of_tokens(&report, &story);
    let gaps: BTreeSet<_> = report.unknown.iter().map(|gap| &*gap.kind).collect();
    assert!(gaps.contains("no-state"), "{gaps:?}");
}

/// Every file below a directory, the directories' own names left out.
fn bytes_below(directory: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes_below(&path, all);
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn hints_of_an_index_leave_the_trail_as_it_is_and_its_key_is_written_nowhere() {
    const KEY: &str = "s3cr3t-k3y-of-the-index";
    let Some((anvil, story)) = told() else { return };
    let unsearched =
        ["trace_filter", "ots_"].map(|name| RpcRule::always(name, RpcFault::unknown_method()));
    let proxy = RpcProxy::over(&anvil.url(), unsearched).unwrap();
    let index = EvmIndex::start(EvmIndexRow::of(&story), Some(KEY)).unwrap();
    let endpoint = format!("etherscan={}?apikey=${{INDEX_KEY}}", index.url());
    let plain = trace(&story, &proxy.url(), "").run().report();
    let (data, record) = (directory(), directory());
    let hinted = trace(&story, &proxy.url(), "")
        .option("--endpoint", &endpoint)
        .option("--record", record.path())
        .env("INDEX_KEY", KEY)
        .data(data.path())
        .run();
    let report = hinted.report();
    require_truth(&report, &story);
    assert_eq!(essence(&report), essence(&plain));
    assert!(index.asked().contains(&"/v2/api txlistinternal".to_owned()));
    let replayed = unasked(&story, "").option("--replay", record.path()).run();
    assert_eq!(essence(&replayed.report()), essence(&plain));
    let shown = Hansel::new("endpoints --chain anvil")
        .option("--endpoint", &endpoint)
        .env("INDEX_KEY", KEY)
        .run()
        .exits(0);
    assert!(shown.stdout.contains("etherscan"), "{}", shown.stdout);
    assert!(shown.stdout.contains("hints: yes"), "{}", shown.stdout);
    let refused = Hansel::new("endpoints --chain anvil")
        .option("--endpoint", &endpoint)
        .env("INDEX_KEY", "another-k3y")
        .run()
        .exits(3);
    let mut written = Vec::new();
    bytes_below(data.path(), &mut written);
    bytes_below(record.path(), &mut written);
    for done in [&hinted, &shown, &refused] {
        written.extend(done.stdout.bytes().chain(done.stderr.bytes()));
    }
    for key in [KEY, "another-k3y"] {
        let leaks = written
            .windows(key.len())
            .any(|part| part == key.as_bytes());
        assert!(!leaks, "{key}");
    }
}

#[test]
fn a_run_that_is_repeated_asks_the_store() {
    let Some((anvil, story)) = told() else { return };
    let data = directory();
    let again = |data: &Path| trace(&story, &anvil.url(), "").data(data).run();
    let first = again(data.path());
    let second = again(data.path());
    assert_eq!(first.stdout, second.stdout);
    let told = Hansel::new("report story --json").data(data.path()).run();
    assert_eq!(told.stdout, first.stdout);
    let quiet = story.account("quiet").to_string();
    let why = Hansel::new("explain story")
        .args([quiet])
        .data(data.path())
        .run()
        .exits(0);
    assert!(why.stdout.contains("stolen, seed"), "{}", why.stdout);
}

#[test]
fn an_explanation_shows_the_payers_balance_step_by_step() {
    let Some((anvil, story)) = told() else { return };
    let data = directory();
    trace(&story, &anvil.url(), "").data(data.path()).run();
    let quiet = story.account("quiet").to_string();
    let explain = |words: &str| {
        let explain = Hansel::new(words).args([&quiet]).data(data.path());
        explain.run().exits(0)
    };
    let why: Value = explain("explain story --json").json();
    let paths = why["paths"].as_array().unwrap().iter();
    let steps = paths.flat_map(|path| path["steps"].as_array().unwrap());
    let tables: Vec<&Vec<Value>> = steps
        .filter_map(|step| step["balance"]["rows"].as_array())
        .collect();
    assert!(!tables.is_empty(), "{why:#}");
    for rows in tables {
        assert_eq!(rows.last().unwrap()["what"], "draw");
        for pair in rows.windows(2) {
            let number =
                |row: &Value, name: &str| -> i128 { row[name].as_str().unwrap().parse().unwrap() };
            let [before, after, moved] = [
                number(&pair[0], "balance"),
                number(&pair[1], "balance"),
                number(&pair[1], "amount"),
            ];
            if pair[1]["block"].is_null() {
                continue; // several steps in one row
            }
            match pair[1]["what"].as_str().unwrap() {
                "arrival" => assert_eq!(before + moved, after),
                "draw" => assert_eq!(before - moved, after),
                other => panic!("{other}"),
            }
            assert!(number(&pair[1], "balance_tainted") <= after);
        }
    }
    let text = explain("explain story").stdout;
    assert!(text.contains("the payer's balance: "), "{text}");
    assert!(text.contains("base units"), "{text}");
}

#[test]
fn a_chain_of_another_id_is_refused() {
    let Some((anvil, story)) = told() else { return };
    let deed = story.scene("theft").next().unwrap();
    let words = format!(
        "trace {} --chain ethereum --endpoint rpc={}",
        deed.hash,
        anvil.url()
    );
    Hansel::new(&words).run().fails(1, &["31337"]);
}

#[test]
fn an_evm_subject_without_its_chain_is_a_usage_error() {
    let subject = "0xca4e0aa223e3190ab477efb25617eff3a42af7bdb29cdb7dc9e7935ea88626b4";
    let words = format!("trace {subject}");
    Hansel::new(&words).run().fails(2, &["--chain"]);
}
