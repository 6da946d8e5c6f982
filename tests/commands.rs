//! The other commands: reports in every format, explanations, lists, and what helps a shell.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use hansel_report::Report;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::reading::Reading;
use crate::scene::{CHAIN, Scene};
use crate::wide::Wide;

const FORMATS: [&str; 8] = [
    "text",
    "json",
    "csv",
    "graphml",
    "gexf",
    "cytoscape",
    "dot",
    "md",
];

/// The theft traced under the name `theft`.
fn traced(scene: &Scene) -> (TempDir, Finished) {
    let data = directory();
    let words = format!("{} --min-share 0 --name theft", scene.scenario.theft);
    let run = scene.esplora().trace(&words).data(data.path()).run();
    (data, run.exits(0))
}

#[test]
fn a_report_is_written_to_files_in_every_format_without_a_network() {
    let Some(scene) = Scene::shared() else { return };
    let (data, trace) = traced(&scene);
    let report = trace.report();
    for format in FORMATS {
        let place = directory();
        let written = Hansel::new("report theft --format")
            .args([format])
            .option("--output", place.path().join("theft"))
            .data(data.path())
            .without_network()
            .run()
            .exits(0);
        assert_eq!(written.stdout, "", "{format}");
        let files = fs::read_dir(place.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        let texts: Vec<String> = files
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        let count = match format {
            "csv" => 3,
            "neo4j" => 2,
            _ => 1,
        };
        assert_eq!(texts.len(), count, "{format}");
        let named = |text: &String| text.contains(&report.seeds[0].tx);
        assert!(texts.iter().any(named), "{format}");
        if format == "json" {
            assert!(texts[0] == trace.stdout);
        }
    }
    let shown = Hansel::new("report theft --format json")
        .data(data.path())
        .run();
    assert!(shown.exits(0).stdout == trace.stdout);
    let text = Hansel::new("report theft").data(data.path()).run().exits(0);
    assert!(text.stdout.contains("balances"), "{}", text.stdout);
    Hansel::new("report theft --format docx")
        .run()
        .fails(2, &["graphml"]);
    let binary = Hansel::new("report theft --format parquet").data(data.path());
    binary.run().fails(2, &["--output PATH"]);
    let nowhere = Hansel::new("report theft -o /nonexistent/x").data(data.path());
    nowhere.run().fails(1, &["cannot write /nonexistent/x"]);
}

#[test]
fn a_traced_case_is_compared_with_a_report_in_a_file() {
    let Some(scene) = Scene::shared() else { return };
    let (data, trace) = traced(&scene);
    let before = data.path().join("before.json");
    let mut report = trace.report();
    fs::write(&before, report.to_json()).unwrap();
    let compare = |flags: &str| {
        let compare = Hansel::new(&format!("report {flags} --compare"));
        let compare = compare.args([before.to_str().unwrap(), "theft"]);
        compare
            .data(data.path())
            .without_network()
            .run()
            .exits(3)
            .stdout
    };
    assert_eq!(compare(""), "From theft to theft\nNothing differs\n");
    let gone = report.flows.pop().unwrap().id;
    fs::write(&before, report.to_json()).unwrap();
    let compared: Value = serde_json::from_str(&compare("--json")).unwrap();
    assert_eq!(compared["flows"]["new"], serde_json::json!([gone]));
    assert!(compare("").contains("New flows (1)"));
    let nothing = Hansel::new("report --compare theft ./nothing.json").data(data.path());
    nothing
        .run()
        .fails(1, &["is no traced case and no file", "hansel cases"]);
    Hansel::new("report theft --compare a b")
        .run()
        .fails(2, &["cannot be used with"]);
}

#[test]
fn a_report_of_a_killed_trace_says_what_is_known_so_far() {
    let wide = Wide::new(300, Duration::from_millis(20));
    let data = directory();
    let trace = wide
        .trace()
        .option("--name", "theft")
        .data(data.path())
        .start();
    while wide.server.requests() < 80 {
        sleep(Duration::from_millis(2));
    }
    assert_eq!(trace.kill().code, None);
    let report = Hansel::new("report theft --json").data(data.path());
    let report = report.without_network().run().exits(3).report();
    report.balances();
    assert!(!report.visited().is_empty());
    assert!(report.accounting.iter().all(|row| !row.frontier.is_zero()));
    assert!(
        report
            .unknown
            .iter()
            .all(|entry| entry.detail.contains("not fetched yet"))
    );
    let cases: Value = Hansel::new("cases --json")
        .data(data.path())
        .run()
        .exits(0)
        .json();
    assert_eq!(cases["traced"][0]["name"], "theft");
    assert_eq!(cases["traced"][0]["complete"], Value::Null);
}

#[test]
fn a_running_trace_can_be_looked_at() {
    let wide = Wide::new(300, Duration::from_millis(20));
    let data = directory();
    let trace = wide
        .trace()
        .option("--name", "theft")
        .data(data.path())
        .start();
    while wide.server.requests() < 80 {
        sleep(Duration::from_millis(2));
    }
    let report = Hansel::new("report theft --json").data(data.path()).run();
    let report = report.exits(3).report();
    report.balances();
    assert!(!report.visited().is_empty());
    let theft = wide.ledger.theft().to_string();
    let explain = Hansel::new("explain theft").args([theft]).data(data.path());
    explain.run().exits(0);
    assert!(trace.wait().exits(0).stdout.contains("\"name\": \"theft\""));
}

#[test]
fn a_case_that_was_never_traced_is_an_error_that_lists_those_that_were() {
    let Some(scene) = Scene::shared() else { return };
    let (data, _) = traced(&scene);
    for words in ["report other", "explain other x"] {
        let other = Hansel::new(words).data(data.path()).run();
        other.fails(1, &["there is no case `other`", "hint: ", "theft"]);
        Hansel::new(words)
            .run()
            .fails(1, &["no case was traced yet", "hint: "]);
    }
}

#[test]
fn an_explanation_leads_from_the_theft_to_the_output_step_by_step() {
    let Some(scene) = Scene::shared() else { return };
    let (data, _) = traced(&scene);
    let scenario = &scene.scenario;
    let peel = scenario.peels[3];
    let explain = |node: &str| {
        Hansel::new("explain theft --json")
            .args([node])
            .data(data.path())
            .run()
    };
    let told: Value = explain(&format!("{peel}:0")).exits(0).json();
    let path = &told["paths"][0];
    assert_eq!(path["rule"], "fifo");
    assert_eq!(path["tainted"], "100000000");
    let steps = path["steps"].as_array().unwrap();
    let txids: Vec<String> = steps
        .iter()
        .map(|step| step["tx"].as_str().unwrap().into())
        .collect();
    let mut expected: Vec<String> = scenario.peels[..=3]
        .iter()
        .rev()
        .map(ToString::to_string)
        .collect();
    expected.push(scenario.theft.to_string());
    assert_eq!(txids, expected);
    assert_eq!(steps.last().unwrap()["seed"], "s1");
    // 25 BTC less three peels of 1 BTC and their fees poured in.
    let sum = steps[0]["arithmetic"][0].as_str().unwrap();
    assert_eq!(
        sum.matches("2199970000").count(),
        2,
        "all of it is taint: {sum}"
    );

    let text = Hansel::new("explain theft")
        .args([format!("{peel}:0")])
        .data(data.path());
    let text = text.run().exits(0).stdout;
    let step = |(number, txid): (usize, &String)| text.find(&format!("  {number}. {txid}"));
    let places: Vec<_> = expected
        .iter()
        .rev()
        .enumerate()
        .map(|one| step(one).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(
        text.contains("1.00000000 BTC of 1.00000000 BTC tainted under fifo"),
        "{text}"
    );

    let by_id = format!("{CHAIN}:output:{peel}:0");
    let by_id: Value = explain(&by_id).exits(0).json();
    assert_eq!(by_id["paths"], told["paths"]);
    let merged: Value = explain(&scenario.merge.to_string()).exits(0).json();
    let rules: Vec<_> = merged["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| &path["rule"])
        .collect();
    assert_eq!(
        rules,
        ["fifo", "haircut", "haircut"],
        "the second output is clean under fifo"
    );
    let clean = explain(&scenario.clean.to_string());
    clean.fails(1, &["carries no taint", "hint: "]);
    explain("nonsense").fails(2, &["error: ", "hint: "]);
}

#[test]
fn known_cases_are_listed_and_shown_with_their_sources() {
    let cases: Value = Hansel::new("cases --json").run().exits(0).json();
    let known = cases["known"].as_array().unwrap();
    let dmm = known
        .iter()
        .find(|case| case["name"] == "dmm-bitcoin")
        .unwrap();
    assert_eq!(dmm["date"], "2024-05-31");
    assert!(known.len() >= 5);
    assert_eq!(cases["traced"], Value::Array(Vec::new()));
    for case in known {
        let name = case["name"].as_str().unwrap();
        let shown: Value = Hansel::new("cases --json")
            .args([name])
            .run()
            .exits(0)
            .json();
        assert_eq!(shown["name"], name);
        let text = Hansel::new("cases").args([name]).run().exits(0).stdout;
        assert!(text.contains("sources"), "{text}");
    }
    let wazirx = Hansel::new("cases wazirx").run().exits(0).stdout;
    let period = ", since 2024-10-13T00:00:00Z, until 2024-10-15T23:59:59Z";
    assert!(wazirx.contains(period), "{wazirx}");
    let text = Hansel::new("cases").run().exits(0).stdout;
    assert!(text.contains("dmm-bitcoin") && text.contains("no case was traced yet"));
    Hansel::new("cases nobody")
        .run()
        .fails(2, &["nobody", "hint: "]);
}

#[test]
fn a_listing_leaves_no_data_behind() {
    let home = directory();
    for words in ["cases", "endpoints --offline", "report x", "explain x y"] {
        Hansel::new(words).env("HOME", home.path()).run();
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn endpoints_are_listed_without_asking_them_and_with() {
    let listed: Value = Hansel::new("endpoints --offline --json")
        .without_network()
        .run()
        .exits(0)
        .json();
    let rows = listed["endpoints"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row["chain"] == "bitcoin" && row["kind"] == "esplora")
    );
    assert!(rows.iter().all(|row| row["reachable"] == Value::Null));
    let Some(scene) = Scene::shared() else { return };
    let asked = Hansel::new("endpoints --json --retries 0 --chain")
        .args([CHAIN, "--endpoint", &scene.esplora().endpoint])
        .args(["--endpoint", "core=http://127.0.0.1:1"])
        .run()
        .exits(3);
    let asked: Value = asked.json();
    assert_eq!(asked["endpoints"][0]["reachable"], true);
    assert_eq!(asked["endpoints"][0]["tip"], scene.scenario.height);
    assert_eq!(asked["endpoints"][1]["reachable"], false);
    assert!(asked["endpoints"][1]["problem"].is_string());
}

#[test]
fn a_directory_of_ones_own_goes_before_the_shipped_configuration() {
    let wide = Wide::new(3, Duration::ZERO);
    let config = directory();
    let entry = format!(
        "schema = \"hansel-endpoints/1\"\n[[endpoints]]\nchain = \"{CHAIN}\"\nkind = \"esplora\"\nurl = \"{}\"\n",
        wide.server.url()
    );
    fs::write(config.path().join("endpoints.toml"), entry).unwrap();
    let trace = Hansel::new("trace --json --quiet --min-share 0 --chain")
        .args([CHAIN, &*wide.ledger.theft().to_string()])
        .option("--config", config.path());
    assert!(trace.run().exits(0).stdout == wide.undisturbed());
    fs::write(
        config.path().join("endpoints.toml"),
        "schema = \"hansel-endpoints/9\"\n",
    )
    .unwrap();
    let broken = Hansel::new("endpoints --offline").option("--config", config.path());
    broken.run().fails(1, &["endpoints.toml"]);
}

#[test]
fn the_manual_and_the_completions_name_every_command() {
    let commands = ["trace", "report", "explain", "cases", "endpoints", "demo"];
    let mut texts = vec![Hansel::new("man").run().exits(0).stdout];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        texts.push(
            Hansel::new("completions")
                .args([shell])
                .run()
                .exits(0)
                .stdout,
        );
    }
    texts.push(Hansel::new("--help").run().exits(0).stdout);
    for text in &texts {
        for command in commands {
            assert!(text.contains(command), "{command}: {text}");
        }
    }
    assert!(
        texts[0].contains("coverage is partial"),
        "the manual tells the exit codes"
    );
    let version = Hansel::new("--version").run().exits(0).stdout;
    assert_eq!(version, format!("hansel {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_report_counts_its_sources_only_when_asked_to() {
    let wide = Wide::new(3, Duration::ZERO);
    assert!(wide.trace().run().exits(0).report().sources.is_empty());
    wide.server.reset_counts();
    let report: Report = wide
        .trace()
        .args(["--with-sources"])
        .run()
        .exits(0)
        .report();
    assert_eq!(report.sources.len(), 1);
    assert_eq!(report.sources[0].requests, wide.server.requests());
}
