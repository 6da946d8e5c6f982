use hansel_report::{Format, Report};
use serde_json::Value;

use crate::readers;
use crate::sample::{self, SPLIT};

/// Counts what Cytoscape.js makes of a document, and asks it for one amount.
const ASK: &str = "const cytoscape = require('cytoscape');\n\
    const given = JSON.parse(require('fs').readFileSync(0));\n\
    const graph = cytoscape({ headless: true, elements: given.elements });\n\
    console.log(graph.nodes().length, graph.edges().length, graph.edges()[1].data('amount'));";

/// How many nodes and edges Cytoscape.js sees, and the amount of the second flow.
pub(crate) fn counted(report: &Report) -> Option<String> {
    let json = sample::rendered(report, Format::Cytoscape);
    readers::node("cytoscape", ASK, json.as_bytes())
}

#[test]
fn cytoscape_reads_every_node_and_flow() {
    if let Some(counts) = counted(&sample::report()) {
        assert_eq!(counts, "5 4 300000000000\n");
    }
}

#[test]
fn amounts_are_strings_and_ids_are_unique_among_nodes_and_flows_together() {
    let json = sample::rendered(&sample::report(), Format::Cytoscape);
    let document: Value = serde_json::from_str(&json).unwrap();
    let elements = &document["elements"];
    let all = ["nodes", "edges"].map(|class| elements[class].as_array().unwrap());
    let ids: std::collections::BTreeSet<_> = all
        .into_iter()
        .flatten()
        .map(|element| element["data"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 9);
    let cold = &elements["edges"][1]["data"];
    assert_eq!(cold["flow"], format!("bitcoin:output:{SPLIT}:0"));
    assert_eq!(cold["amount"], "300000000000");
    assert_eq!(cold["tainted_haircut"], "292846148843");
    assert_eq!(elements["nodes"][2]["data"]["colour"], "#3c6e47");
}
