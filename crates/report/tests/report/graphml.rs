use hansel_report::{Format, FormatError, render};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::readers;
use crate::sample::{self, SPLIT};

/// Reads the whole document and gives the ids of its nodes and edges.
pub(crate) fn ids(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().enable_all_checks(true);
    let mut ids = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return ids,
            Event::Start(element) if matches!(element.name().as_ref(), "node" | "edge") => {
                let id = element
                    .try_get_attribute("id")
                    .unwrap()
                    .expect("nodes and edges have ids");
                let name = element.name().as_ref().to_owned();
                ids.push((
                    name,
                    quick_xml::escape::unescape(&id.value).unwrap().into_owned(),
                ));
            }
            _ => {}
        }
    }
}

#[test]
fn every_node_and_flow_is_listed_once_in_order() {
    let report = sample::report();
    let found = ids(&sample::rendered(&report, Format::GraphMl));
    let nodes = report
        .nodes
        .iter()
        .map(|node| ("node".to_owned(), node.id.clone()));
    let edges = report
        .flows
        .iter()
        .map(|flow| ("edge".to_owned(), flow.id.clone()));
    assert_eq!(found, nodes.chain(edges).collect::<Vec<_>>());
}

#[test]
fn amounts_are_typed_numbers_with_one_key_per_rule() {
    let xml = sample::rendered(&sample::report(), Format::GraphMl);
    assert!(xml.contains(r#"<key id="edge_tainted_haircut" for="edge" attr.name="tainted_haircut" attr.type="long"/>"#));
    assert!(xml.contains(r#"<data key="edge_tainted_haircut">292846148843</data>"#));
    assert!(xml.contains(r#"<data key="node_stop">at-rest</data>"#));
    assert!(xml.contains(r#"<data key="edge_label">3,000.00000000 BTC</data>"#));
}

#[test]
fn amounts_that_no_long_can_hold_are_typed_as_text() {
    let mut report = sample::report();
    report.flows[0].amount = 9_223_372_036_854_775_808.into();
    let xml = sample::rendered(&report, Format::GraphMl);
    assert!(
        xml.contains(r#"attr.name="amount" attr.type="string""#),
        "{xml}"
    );
}

#[test]
fn a_flow_to_a_node_that_is_not_listed_is_refused() {
    for format in [
        Format::GraphMl,
        Format::Gexf,
        Format::Cytoscape,
        Format::Dot,
    ] {
        let mut report = sample::report();
        report.nodes.pop();
        let error = render(&report, format).unwrap_err();
        assert!(
            matches!(&error, FormatError::UnlistedNode { node, .. } if node == "bitcoin:fees"),
            "{error}"
        );
        let mut report = sample::report();
        report.nodes.push(report.nodes[0].clone());
        assert!(matches!(
            render(&report, format),
            Err(FormatError::RepeatedNode(_))
        ));
    }
}

/// Runs a Python script on the graph; `None` where Python or NetworkX is not installed.
pub(crate) fn with_networkx(xml: &str, script: &str) -> Option<String> {
    let script =
        format!("import sys, networkx as nx\ng = nx.parse_graphml(sys.stdin.read())\n{script}");
    readers::python("networkx", &script, xml.as_bytes())
}

#[test]
fn networkx_reads_the_graph_with_whole_numbers() {
    let xml = sample::rendered(&sample::report(), Format::GraphMl);
    let script = format!(
        "e = g.edges['bitcoin:tx:{SPLIT}', 'bitcoin:output:{SPLIT}:0']\n\
         print(len(g.nodes), len(g.edges), g.is_directed(), e['amount'] + e['tainted_haircut'])\n\
         print(g.nodes['bitcoin:output:{SPLIT}:1']['label'])"
    );
    if let Some(output) = with_networkx(&xml, &script) {
        let label =
            "Example Exchange\nbc1qw508…7kv8f3t4\noutput:2f1d8e64…445566ff:1\nstop: exchange";
        assert_eq!(output, format!("5 4 True 592846148843\n{label}\n"));
    }
}

#[test]
fn nodes_and_edges_are_drawn_by_their_share_and_their_end() {
    let xml = sample::rendered(&sample::report(), Format::GraphMl);
    let script = format!(
        "n = g.nodes['bitcoin:output:{SPLIT}:0']\nprint(n['size'], n['r'], n['g'], n['b'])"
    );
    assert!(xml.contains(r##"<y:Fill color="#3c6e47"/>"##), "{xml}");
    assert_eq!(xml.matches("<y:LineStyle width=").count(), 4);
    if let Some(output) = with_networkx(&xml, &script) {
        assert_eq!(output, "50 60 110 71\n");
    }
}
