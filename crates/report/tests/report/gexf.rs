use hansel_report::Format;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::readers;
use crate::sample::{self, SPLIT, THEFT};

/// The attributes of all elements of a name.
fn elements(xml: &str, name: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().enable_all_checks(true);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(element) | Event::Empty(element) if element.name().as_ref() == name => {
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                found.push(attributes.collect());
            }
            _ => {}
        }
    }
}

fn values(xml: &str, name: &str, attribute: &str) -> Vec<Option<String>> {
    let find = |all: Vec<(String, String)>| all.into_iter().find(|(key, _)| key == attribute);
    let found = elements(xml, name).into_iter();
    found.map(|all| find(all).map(|(_, value)| value)).collect()
}

#[test]
fn every_node_and_flow_is_listed_once_in_order() {
    let report = sample::report();
    let xml = sample::rendered(&report, Format::Gexf);
    let nodes = report.nodes.iter().map(|node| Some(node.id.clone()));
    let flows = report.flows.iter().map(|flow| Some(flow.id.clone()));
    assert_eq!(values(&xml, "node", "id"), nodes.collect::<Vec<_>>());
    assert_eq!(values(&xml, "edge", "id"), flows.collect::<Vec<_>>());
}

#[test]
fn a_node_stands_at_the_first_moment_that_is_known_of_it() {
    let xml = sample::rendered(&sample::report(), Format::Gexf);
    let (theft, split) = ("2024-05-31T04:26:26Z", "2024-06-21T20:00:00Z");
    let expected = [theft, theft, split, split, split].map(|time| Some(time.to_owned()));
    assert_eq!(values(&xml, "node", "timestamp"), expected);
    let expected = [theft, split, split, split].map(|time| Some(time.to_owned()));
    assert_eq!(values(&xml, "edge", "timestamp"), expected);
}

#[test]
fn parallel_flows_are_told_apart_by_their_kind() {
    let mut report = sample::report();
    let mut again = report.flows[1].clone();
    again.id += "-again";
    report.flows.push(again);
    let kinds = values(&sample::rendered(&report, Format::Gexf), "edge", "kind");
    assert_eq!(kinds, [None, None, None, None, Some("2".to_owned())]);
}

#[test]
fn the_largest_holding_is_drawn_largest_and_in_the_colour_of_its_end() {
    let xml = sample::rendered(&sample::report(), Format::Gexf);
    let sizes = values(&xml, "viz:size", "value");
    let shown = ["10", "60", "50", "38", "10"].map(|size| Some(size.to_owned()));
    assert_eq!(sizes, shown);
    let spring = [("r", "140"), ("g", "29"), ("b", "24")];
    let spring = spring.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(elements(&xml, "viz:color")[0], spring);
}

#[test]
fn networkx_reads_the_graph_with_whole_numbers_and_times() {
    let xml = sample::rendered(&sample::report(), Format::Gexf);
    let script = format!(
        "import sys, networkx as nx\n\
         g = nx.read_gexf(sys.stdin.buffer)\n\
         e = g.edges['bitcoin:tx:{SPLIT}', 'bitcoin:output:{SPLIT}:0']\n\
         print(len(g.nodes), len(g.edges), g.is_directed(), e['amount'] + e['tainted_haircut'], e['time'])\n\
         print(g.graph['mode'], g.nodes['bitcoin:tx:{THEFT}']['viz']['color']['r'])"
    );
    if let Some(output) = readers::python("networkx", &script, xml.as_bytes()) {
        assert_eq!(
            output,
            "5 4 True 592846148843 2024-06-21T20:00:00Z\ndynamic 140\n"
        );
    }
}

#[test]
fn amounts_that_no_long_can_hold_are_text_to_the_last_digit() {
    let mut report = sample::report();
    let amount = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    report.flows[1].amount = amount.parse().unwrap();
    let xml = sample::rendered(&report, Format::Gexf);
    let script = "import sys, networkx as nx\n\
        g = nx.read_gexf(sys.stdin.buffer)\n\
        print([d['amount'] for _, _, d in g.edges(data=True)][1])";
    assert!(xml.contains(amount));
    if let Some(output) = readers::python("networkx", script, xml.as_bytes()) {
        assert_eq!(output.trim(), amount);
    }
}
