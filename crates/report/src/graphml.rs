//! The flow graph as GraphML, for NetworkX, Gephi and yEd.
//!
//! Typed keys carry the data; the `y:` elements beside them only tell yEd what to write on nodes and edges.

use std::io;

use hansel_ledger::Amount;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::assets::Assets;
use crate::format::FormatError;
use crate::holding::{Holding, Holdings};
use crate::model::{Flow, Node, NodeKind};
use crate::{Report, caption, cell, references, visible};

type Xml<'a> = Writer<&'a mut dyn io::Write>;

const NAMESPACE: &str = "http://graphml.graphdrawing.org/xmlns";
const YED: &str = "http://www.yworks.com/xml/graphml";

/// Keys of nodes with their types; those of amounts follow.
const NODE_KEYS: [(&str, &str); 11] = [
    ("label", "string"),
    ("kind", "string"),
    ("chain", "string"),
    ("address", "string"),
    ("block", "long"),
    ("time", "string"),
    ("stop", "string"),
    ("stop_reason", "string"),
    ("labels", "string"),
    ("gaps", "string"),
    ("asset", "string"),
];

/// Keys of edges with their types; those of amounts follow.
const EDGE_KEYS: [(&str, &str); 9] = [
    ("label", "string"),
    ("kind", "string"),
    ("chain", "string"),
    ("tx", "string"),
    ("block", "long"),
    ("time", "string"),
    ("to_address", "string"),
    ("proof", "string"),
    ("asset", "string"),
];

/// Writes nodes and flows in the report's order. Fails where a flow names a node that is not listed.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let holdings = Holdings::of(report)?;
    let assets = Assets::of(report);
    let mut xml = Writer::new_with_indent(out, b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml
        .create_element("graphml")
        .with_attributes([("xmlns", NAMESPACE), ("xmlns:y", YED)]);
    root.write_inner_content(|xml| {
        write_keys(xml, report)?;
        let graph = xml
            .create_element("graph")
            .with_attribute(("edgedefault", "directed"));
        graph.write_inner_content(|xml| write_graph(xml, report, &holdings, &assets))?;
        Ok(())
    })?;
    Ok(xml.get_mut().write_all(b"\n")?)
}

fn write_keys(xml: &mut Xml<'_>, report: &Report) -> io::Result<()> {
    let number = amount_type(report);
    for (class, keys) in [("node", &NODE_KEYS[..]), ("edge", &EDGE_KEYS[..])] {
        for (name, kind) in keys {
            write_key(xml, class, name, kind)?;
        }
        write_key(xml, class, "amount", number)?;
        for head in cell::rule_heads(&report.case.rules) {
            write_key(xml, class, &head, number)?;
        }
        let drawing = format!("{class}graphics");
        let key = xml
            .create_element("key")
            .with_attributes([("id", &*drawing), ("for", class)]);
        key.with_attribute(("yfiles.type", &*drawing))
            .write_empty()?;
    }
    Ok(())
}

/// Amounts are numbers where all fit a signed 64-bit `long`, and text otherwise: a float would round them.
fn amount_type(report: &Report) -> &'static str {
    let largest = report
        .flows
        .iter()
        .map(|flow| flow.amount)
        .max()
        .unwrap_or_default();
    let flows = u64::try_from(report.flows.len()).unwrap_or(u64::MAX);
    let sum = largest.mul_div(flows.into(), Amount::ONE);
    let fits = sum.is_ok_and(|sum| sum <= Amount::from(i64::MAX.unsigned_abs()));
    if fits { "long" } else { "string" }
}

fn write_key(xml: &mut Xml<'_>, class: &str, name: &str, kind: &str) -> io::Result<()> {
    let id = format!("{class}_{name}");
    let key = xml
        .create_element("key")
        .with_attributes([("id", &*id), ("for", class)]);
    key.with_attributes([("attr.name", name), ("attr.type", kind)])
        .write_empty()?;
    Ok(())
}

fn write_graph(
    xml: &mut Xml<'_>,
    report: &Report,
    holdings: &Holdings<'_>,
    assets: &Assets<'_>,
) -> io::Result<()> {
    for node in &report.nodes {
        let id = visible(&node.id);
        let element = xml.create_element("node").with_attribute(("id", &*id));
        element.write_inner_content(|xml| write_node(xml, report, node, holdings.at(&node.id)))?;
    }
    for flow in &report.flows {
        let (id, from, to) = (visible(&flow.id), visible(&flow.from), visible(&flow.to));
        let element = xml.create_element("edge").with_attribute(("id", &*id));
        let element = element.with_attributes([("source", &*from), ("target", &*to)]);
        element.write_inner_content(|xml| write_edge(xml, report, flow, assets))?;
    }
    Ok(())
}

fn write_node(
    xml: &mut Xml<'_>,
    report: &Report,
    node: &Node,
    held: &[Holding<'_>],
) -> io::Result<()> {
    let mut data = Data { xml, class: "node" };
    let lines = caption::lines(node);
    data.put("label", Some(&lines.join(" | ")))?;
    data.put("kind", Some(node.kind.name()))?;
    data.put("chain", Some(&node.chain))?;
    data.put("address", node.address.as_deref())?;
    data.put_shown("block", node.block)?;
    data.put_shown("time", node.time)?;
    data.put("stop", node.stop.as_ref().map(|stop| stop.kind.name()))?;
    data.put("stop_reason", node.stop.as_ref().map(|stop| &*stop.reason))?;
    data.put_list("labels", node.labels.iter().map(|label| &*label.label))?;
    data.put_list("gaps", node.gaps.iter().map(|gap| &*gap.detail))?;
    // A sum over different assets would mean nothing.
    if let [holding] = held {
        data.put("asset", Some(holding.asset))?;
        data.put_shown("amount", Some(holding.amount))?;
        for rule in &report.case.rules {
            data.put_shown(&cell::tainted_head(*rule), holding.tainted.get(rule))?;
        }
    }
    draw_node(xml, node, &lines)
}

fn write_edge(
    xml: &mut Xml<'_>,
    report: &Report,
    flow: &Flow,
    assets: &Assets<'_>,
) -> io::Result<()> {
    let label = assets.show(&flow.chain, &flow.asset, flow.amount);
    let mut data = Data { xml, class: "edge" };
    data.put("label", Some(&label))?;
    data.put("kind", Some(flow.kind.name()))?;
    data.put("chain", Some(&flow.chain))?;
    data.put("tx", Some(&flow.tx))?;
    data.put_shown("block", flow.block)?;
    data.put_shown("time", flow.time)?;
    data.put("to_address", flow.to_address.as_deref())?;
    data.put("proof", Some(flow.proof.name()))?;
    data.put("asset", Some(&flow.asset))?;
    data.put_shown("amount", Some(flow.amount))?;
    for rule in &report.case.rules {
        data.put_shown(&cell::tainted_head(*rule), flow.tainted.get(rule))?;
    }
    draw_edge(xml, &label)
}

/// Writes the `data` elements of one node or edge; what is absent has no element.
struct Data<'x, 'w> {
    xml: &'x mut Xml<'w>,
    class: &'static str,
}

impl Data<'_, '_> {
    fn put(&mut self, name: &str, value: Option<&str>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        let key = format!("{}_{name}", self.class);
        let data = self
            .xml
            .create_element("data")
            .with_attribute(("key", &*key));
        data.write_text_content(BytesText::new(&visible(value)))?;
        Ok(())
    }

    fn put_shown(&mut self, name: &str, value: Option<impl ToString>) -> io::Result<()> {
        self.put(name, value.map(|value| value.to_string()).as_deref())
    }

    fn put_list<'a>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = &'a str>,
    ) -> io::Result<()> {
        let values: Vec<_> = values.collect();
        self.put(
            name,
            (!values.is_empty()).then(|| values.join("; ")).as_deref(),
        )
    }
}

fn draw_node(xml: &mut Xml<'_>, node: &Node, lines: &[String]) -> io::Result<()> {
    let shape = match node.kind {
        NodeKind::Transaction => "rectangle",
        NodeKind::Account => "ellipse",
        NodeKind::Output => "roundrectangle",
    };
    let height = (20 * lines.len() + 10).to_string();
    let data = xml
        .create_element("data")
        .with_attribute(("key", "nodegraphics"));
    data.write_inner_content(|xml| {
        xml.create_element("y:ShapeNode")
            .write_inner_content(|xml| {
                let size = [("width", "230"), ("height", &*height)];
                xml.create_element("y:Geometry")
                    .with_attributes(size)
                    .write_empty()?;
                let label = xml.create_element("y:NodeLabel");
                label.write_text_content(BytesText::new(&lines.join("\n")))?;
                xml.create_element("y:Shape")
                    .with_attribute(("type", shape))
                    .write_empty()?;
                Ok(())
            })?;
        Ok(())
    })?;
    Ok(())
}

fn draw_edge(xml: &mut Xml<'_>, label: &str) -> io::Result<()> {
    let data = xml
        .create_element("data")
        .with_attribute(("key", "edgegraphics"));
    data.write_inner_content(|xml| {
        xml.create_element("y:PolyLineEdge")
            .write_inner_content(|xml| {
                let arrows = [("source", "none"), ("target", "standard")];
                xml.create_element("y:Arrows")
                    .with_attributes(arrows)
                    .write_empty()?;
                xml.create_element("y:EdgeLabel")
                    .write_text_content(BytesText::new(label))?;
                Ok(())
            })?;
        Ok(())
    })?;
    Ok(())
}
