//! The page as text; `tests/browser.rs` opens it in a browser.

use hansel_graph::Rule;
use hansel_report::model::*;
use hansel_report::{Format, Report};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::sample;

fn page() -> String {
    sample::rendered(&sample::report(), Format::Html)
}

#[test]
fn the_page_says_the_same_amounts_as_the_summary() {
    let page = page();
    for words in [
        "4,502.90000000 BTC on bitcoin",
        "1,502.90000000",
        "Example Exchange",
        sample::DEPOSIT,
        "esplora.example",
        "the label of the exchange has no date",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn equal_reports_give_equal_pages() {
    assert_eq!(page(), page());
}

#[test]
fn the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() {
    let page = page();
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let digest = Sha256::digest(between(&page, open, close).as_bytes());
        let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
        assert!(policy.contains(&format!("'sha256-{digest}'")), "{open}");
    }
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
    assert!(!between(&page, "<head>", "</head>").contains("http://"));
}

#[test]
fn the_bundled_script_is_the_one_that_was_recorded() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let recorded = std::fs::read_to_string(format!("{root}/web/page.js.sha256")).unwrap();
    let script = std::fs::read(format!("{root}/crates/report/src/html/page.js")).unwrap();
    let digest: String = Sha256::digest(script)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(recorded.split_whitespace().next(), Some(&*digest));
}

/// The sample with more outputs of the split than a graph draws, of which each is worth less than those before it.
fn crowded(outputs: u32) -> Report {
    let mut report = sample::report();
    let place = report.nodes[2].clone();
    let model = report.flows[1].clone();
    for vout in 2..2 + outputs {
        let id = format!("bitcoin:output:{}:{vout}", sample::SPLIT);
        let claim = Sorted::from([("s1".into(), u64::from(1_000_000 - vout).into())]);
        report.nodes.push(Node {
            id: id.clone(),
            ..place.clone()
        });
        report.flows.push(Flow {
            id: id.clone(),
            to: id.into(),
            claims: Sorted::from([(Rule::Fifo, claim)]),
            ..model.clone()
        });
    }
    report
}

fn drawn(page: &str) -> Value {
    let data = between(page, "id=\"data\">", "</script>");
    serde_json::from_str(data).unwrap()
}

#[test]
fn a_graph_of_a_large_case_draws_the_heaviest_flows_and_says_what_it_leaves_out() {
    let report = crowded(20_100);
    let page = sample::rendered(&report, Format::Html);
    let data = drawn(&page);
    let flows = data["report"]["flows"].as_array().unwrap();
    let ids: Vec<_> = flows
        .iter()
        .map(|flow| flow["id"].as_str().unwrap())
        .collect();
    let heaviest = report
        .flows
        .iter()
        .filter(|flow| flow.kind != FlowKind::Fee);
    let heaviest: Vec<_> = heaviest.take(20_000).map(|flow| &*flow.id).collect();
    assert!(ids == heaviest);
    assert_eq!(data["left_out"]["flows"], 104);
    // The fee's node too, to which no drawn flow leads.
    assert_eq!(data["left_out"]["nodes"], 104);
    for words in [
        "draws 20,000 flows between 20,001 places",
        "under fifo",
        "leaves out 104 flows and 104 places",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_graph_that_leaves_flows_out_shows_the_way_from_the_theft_to_each_flow_it_draws() {
    let mut report = crowded(20_100);
    let through = format!("bitcoin:tx:{}", sample::THEFT.replace('9', "8"));
    let light = report.flows.last().unwrap().id.clone();
    report.nodes.push(Node {
        id: through.clone(),
        ..report.nodes[1].clone()
    });
    report.flows.last_mut().unwrap().to = through.clone().into();
    report.flows[1].from = through.into();
    let page = sample::rendered(&report, Format::Html);
    let flows = drawn(&page)["report"]["flows"].as_array().unwrap().clone();
    assert_eq!(flows.len(), 20_001);
    assert!(flows.iter().any(|flow| flow["id"] == *light));
}

#[test]
fn a_graph_of_a_case_that_a_browser_can_draw_is_whole() {
    let report = crowded(19_996);
    let page = sample::rendered(&report, Format::Html);
    let data = drawn(&page);
    assert_eq!(data["report"], serde_json::to_value(&report).unwrap());
    assert_eq!(data.get("left_out"), None);
    assert!(!page.contains("The graph draws"));
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}
