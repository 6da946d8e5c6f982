//! The HTML report in a real browser: it loads nothing, says nothing wrong, and answers to clicks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::UnixTime;
use hansel_report::model::*;
use hansel_report::{Format, render};
use hansel_testkit::require_browser;
use serde::Deserialize;
use serde_json::json;

use crate::command::{Hansel, directory};

/// What the browser met on a page.
#[derive(Debug, Deserialize)]
struct Met {
    file: PathBuf,
    /// Errors on the console, exceptions, dialogs.
    said: Vec<String>,
    /// Whatever was asked for besides the page.
    loaded: Vec<String>,
    /// Milliseconds to the first paint and to the drawn graph: printed, never asserted.
    paint: Option<f64>,
    drawn: f64,
    found: Option<Found>,
    sorted: Option<SortedTable>,
    /// What axe-core calls serious or critical.
    violations: Vec<String>,
    /// By paper, where it was asked for.
    printed: Option<BTreeMap<String, Printed>>,
    scripts: u32,
    injected: u32,
    owned: Option<u32>,
}

/// How the page prints on a paper.
#[derive(Debug, Deserialize)]
struct Printed {
    /// Pixels that stick out to the right.
    over: i32,
    /// Buttons and fields that are printed.
    controls: u32,
    /// The colour of the text.
    ink: String,
    pages: u32,
}

/// What a search led to.
#[derive(Debug, Deserialize)]
struct Found {
    hits: u32,
    #[serde(default)]
    path: u32,
    flow: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SortedTable {
    order: Option<String>,
    cells: Vec<String>,
}

fn met(pages: &serde_json::Value) -> Option<Vec<Met>> {
    let (chromium, puppeteer) = require_browser()?;
    let output = Command::new("node")
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../web/check-page.mjs"
        ))
        .arg(pages.to_string())
        .env("CHROMIUM", chromium)
        .env("PUPPETEER", puppeteer)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let met: Vec<Met> = serde_json::from_slice(&output.stdout).unwrap();
    for page in &met {
        eprintln!(
            "{}: first paint after {:?} ms, graph after {} ms",
            page.file.display(),
            page.paint,
            page.drawn
        );
    }
    Some(met)
}

fn assert_sound(page: &Met) {
    let name = page.file.display();
    assert_eq!(page.said, [""; 0], "{name}");
    assert_eq!(page.loaded, [""; 0], "{name}");
    assert_eq!(page.violations, [""; 0], "{name}");
    assert_eq!(
        (page.scripts, page.injected, page.owned),
        (2, 0, None),
        "{name}"
    );
}

/// Where `make images` asks for the pictures of the documentation.
fn picture(name: &str) -> Option<PathBuf> {
    std::env::var_os("HANSEL_IMAGES").map(|directory| Path::new(&directory).join(name))
}

#[test]
fn the_demos_pages_load_nothing_find_the_thief_and_follow_the_money_by_clicks() {
    let directory = directory();
    let output = directory.path().join("demo.html");
    Hansel::new("demo --format html -o")
        .args([&output])
        .run()
        .exits(3);
    let page = |case: &str| directory.path().join(format!("demo-{case}.html"));
    let Some(met) = met(&json!([
        { "file": page("dmm-bitcoin"), "search": "1B6rJRfj", "picture": picture("dmm-bitcoin.png") },
        { "file": page("block-702861"), "search": "bc1qv2hy850", "picture": picture("block-702861.png") },
        { "file": page("block-702861"), "dark": true },
    ])) else {
        return;
    };
    met.iter().for_each(assert_sound);
    let found = |at: usize| met[at].found.as_ref().unwrap();
    assert_eq!((found(0).hits, found(0).path), (1, 1));
    assert!(
        found(0)
            .flow
            .as_ref()
            .unwrap()
            .contains("4,502.90000000 BTC")
    );
    assert!(found(1).path >= 17, "{:?}", found(1));
    let sorted = met[1].sorted.as_ref().unwrap();
    assert_eq!(sorted.order.as_deref(), Some("ascending"));
    let amounts: Vec<u64> = sorted
        .cells
        .iter()
        .map(|cell| cell.parse().unwrap())
        .collect();
    assert!(amounts.is_sorted() && amounts.len() > 10);
}

/// Draws the training case for the documentation, where that is asked for.
fn draw_the_training_case(place: &Path) {
    for format in ["svg", "png"] {
        let Some(image) = picture(&format!("training-flow.{format}")) else {
            return;
        };
        Hansel::new("demo --quiet --format")
            .args([format])
            .option("--output", place.join("drawn"))
            .run()
            .exits(3);
        fs::copy(place.join(format!("drawn-training.{format}")), image).unwrap();
    }
}

#[test]
fn a_page_prints_on_a4_and_on_letter_with_nothing_cut_off_and_no_buttons_even_where_the_screen_is_dark()
 {
    let directory = directory();
    let output = directory.path().join("demo.html");
    Hansel::new("demo --format html -o")
        .args([&output])
        .run()
        .exits(3);
    draw_the_training_case(directory.path());
    let page = |case: &str| directory.path().join(format!("demo-{case}.html"));
    let Some(met) = met(&json!([
        { "file": page("training"), "search": "0x7099", "picture": picture("training.png"), "print": true },
        { "file": page("training"), "dark": true, "print": true },
        { "file": page("block-702861"), "dark": true, "print": true },
    ])) else {
        return;
    };
    met.iter().for_each(assert_sound);
    for page in &met {
        let papers = page.printed.as_ref().unwrap();
        assert_eq!(papers.keys().collect::<Vec<_>>(), ["A4", "Letter"]);
        for (paper, printed) in papers {
            assert_eq!(
                (printed.over, printed.controls),
                (0, 0),
                "{paper} {printed:?}"
            );
            assert_eq!(printed.ink, "rgb(0, 0, 0)", "{paper}");
            assert!((2..60).contains(&printed.pages), "{paper} {printed:?}");
        }
    }
}

#[test]
fn a_page_of_five_thousand_places_draws_and_finds_its_way() {
    let directory = directory();
    let file = directory.path().join("large.html");
    fs::write(
        &file,
        &render(&dense(large(5_000), 20_000), Format::Html).unwrap()[0].bytes,
    )
    .unwrap();
    let last = "bitcoin:output:0000000000000000000000000000000000000000000000000000000000000009";
    let Some(met) =
        met(&json!([{ "file": file, "search": last, "picture": picture("five-thousand.png") }]))
    else {
        return;
    };
    assert_sound(&met[0]);
    let found = met[0].found.as_ref().unwrap();
    assert!(found.hits >= 1 && found.path >= 2, "{found:?}");
}

#[test]
fn hostile_text_stays_text_in_the_browser() {
    let directory = directory();
    let hostile = [
        "<script>globalThis.owned=1</script>",
        "</script><script>globalThis.owned=2</script>",
        "<img src=x onerror=globalThis.owned=3>",
        "\"><svg onload=globalThis.owned=4>",
        "]]><!--<script>",
        "\u{202e}evil\u{0}\u{1b}[2J",
        &"A".repeat(1_000_000),
    ];
    let pages: Vec<_> = hostile
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let file = directory.path().join(format!("hostile-{number}.html"));
            let mut report = large(12);
            report.case.name = (*text).into();
            report.case.title = Some((*text).into());
            for node in &mut report.nodes {
                node.address = Some((*text).into());
                node.labels = vec![Label {
                    label: (*text).into(),
                    source: (*text).into(),
                    ..label()
                }];
            }
            report.seeds[0].asset = (*text).into();
            for flow in &mut report.flows {
                flow.asset = (*text).into();
                flow.tx = (*text).into();
            }
            fs::write(&file, &render(&report, Format::Html).unwrap()[0].bytes).unwrap();
            json!({ "file": file, "search": "bitcoin:output:" })
        })
        .collect();
    let Some(met) = met(&json!(pages)) else {
        return;
    };
    met.iter().for_each(assert_sound);
    assert!(met.iter().all(|page| page.found.as_ref().unwrap().hits > 0));
}

/// A report of a theft that was split again and again: every transaction pays four, one of which goes on.
fn large(places: usize) -> Report {
    let time = |step: usize| {
        Some(Timestamp(UnixTime(
            1_717_129_586 + 3_600 * u64::try_from(step).unwrap(),
        )))
    };
    let txid = |number: usize| format!("{number:064}");
    let mut report = empty();
    report.nodes.push(node(
        format!("bitcoin:tx:{}", txid(0)),
        NodeKind::Transaction,
        time(0),
        None,
    ));
    let mut open: Vec<(usize, u64)> = vec![(0, 400_000_000_000)];
    let mut next = 1;
    while report.nodes.len() < places {
        let (tx, amount) = open.remove(0);
        let part = amount / 4;
        for vout in 0..4_u64 {
            let paid = if vout == 3 { amount - 3 * part } else { part };
            let goes_on = vout < 2 && paid > 1_000 && report.nodes.len() + 8 < places;
            let to = if goes_on {
                open.push((next, paid));
                next += 1;
                node(
                    format!("bitcoin:tx:{}", txid(next - 1)),
                    NodeKind::Transaction,
                    time(next),
                    None,
                )
            } else {
                let kind = if vout == 2 {
                    StopKind::Exchange
                } else {
                    StopKind::AtRest
                };
                node(
                    format!("bitcoin:output:{}:{vout}", txid(tx)),
                    NodeKind::Output,
                    time(tx),
                    Some(kind),
                )
            };
            report
                .flows
                .push(flow(&txid(tx), vout, &to.id, paid, time(tx)));
            report.nodes.push(to);
        }
    }
    report
}

/// The report with more flows between its places, each to one that is later, until there are so many.
fn dense(mut report: Report, flows: usize) -> Report {
    let payers = report.nodes.iter().enumerate();
    let payers = payers.filter(|(_, node)| node.kind == NodeKind::Transaction);
    let payers: Vec<(usize, String)> = payers.map(|(at, node)| (at, node.id.clone())).collect();
    let mut number = 0;
    while report.flows.len() < flows {
        let (at, id) = &payers[number % payers.len()];
        let later = at + 1 + number * 37 % (report.nodes.len() - at - 1);
        let to = &report.nodes[later];
        let tx = id.trim_start_matches("bitcoin:tx:");
        let vout = 10 + u64::try_from(number).unwrap();
        let more = flow(tx, vout, &to.id, 1_000, to.time);
        report.flows.push(more);
        number += 1;
    }
    report
}

fn empty() -> Report {
    let seed = Seed {
        id: "s1".into(),
        chain: "bitcoin".into(),
        asset: "BTC".into(),
        decimals: 8,
        amount: 400_000_000_000.into(),
        tx: format!("{:064}", 0),
        vout: Some(0),
        flow: None,
        to: None,
        block: Some(845_923),
        time: None,
    };
    Report {
        schema: SchemaName,
        case: Case {
            name: "large".into(),
            title: Some("Made up: a theft that was split again and again".into()),
            training: true,
            subjects: Vec::new(),
            direction: Direction::Forward,
            limits: Limits::default(),
            overrides: Vec::new(),
            rules: vec![Rule::Fifo],
            fee_rule: FeeRule::Last,
        },
        tips: Vec::new(),
        seeds: vec![seed],
        assets: Vec::new(),
        accounting: Vec::new(),
        nodes: Vec::new(),
        flows: Vec::new(),
        findings: Vec::new(),
        cash_outs: Vec::new(),
        unknown: Vec::new(),
        values: None,
        sources: Vec::new(),
    }
}

fn label() -> Label {
    Label {
        label: "Example Exchange".into(),
        category: "exchange".into(),
        source: "made up".into(),
        confidence: "made up".into(),
        as_of: None,
        actor: None,
        hindsight: false,
    }
}

fn node(id: String, kind: NodeKind, time: Option<Timestamp>, stop: Option<StopKind>) -> Node {
    Node {
        id,
        kind,
        chain: "bitcoin".into(),
        address: None,
        block: Some(845_923),
        time,
        labels: Vec::from_iter((stop == Some(StopKind::Exchange)).then(label)),
        coverage: None,
        gaps: Vec::new(),
        holdings: Vec::new(),
        stop: stop.map(|kind| Stop::new(kind, "made up")),
    }
}

fn flow(tx: &str, vout: u64, to: &str, amount: u64, time: Option<Timestamp>) -> Flow {
    let claims = Sorted::from([("s1".into(), amount.into())]);
    Flow {
        id: format!("bitcoin:output:{tx}:{vout}"),
        chain: "bitcoin".into(),
        tx: tx.into(),
        block: Some(845_923),
        time,
        from: format!("bitcoin:tx:{tx}").into(),
        to: to.into(),
        from_addresses: Vec::new(),
        to_address: None,
        asset: "BTC".into(),
        amount: amount.into(),
        tainted: Sorted::from([(Rule::Fifo, amount.into())]),
        claims: Sorted::from([(Rule::Fifo, claims)]),
        proof: Proof::None,
        kind: FlowKind::Transfer,
    }
}
