//! The flow graph as GraphML, for NetworkX, Gephi and yEd.
//!
//! Typed keys carry the data; the `y:` elements beside them tell yEd how to draw, the keys `size`, `r`, `g`, `b` Gephi.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use crate::assets::Assets;
use crate::caption::Captions;
use crate::columns::{self, Column, Kind, Value};
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::look::{Colour, Looks};
use crate::model::{Flow, Node, NodeKind};
use crate::xml::{Xml, escaped, line};
use crate::{Report, references, visible};

const NAMESPACE: &str = "http://graphml.graphdrawing.org/xmlns";
const YED: &str = "http://www.yworks.com/xml/graphml";

/// What Gephi draws a node with; it finds them by these names.
const NODE_LOOKS: [&str; 4] = ["size", "r", "g", "b"];

/// Writes nodes and flows in the report's order. Fails where a flow names a node that is not listed.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let holdings = Holdings::of(report)?;
    let graph = Graph {
        report,
        holdings: &holdings,
        assets: Assets::of(report),
        looks: Looks::of(report, &holdings),
        captions: Captions::of(report),
        node_keys: keys("node", &columns::of_nodes(report)),
        flow_keys: keys("edge", &columns::of_flows(report)),
    };
    let mut xml = Writer::new_with_indent(out, b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml
        .create_element("graphml")
        .with_attributes([("xmlns", NAMESPACE), ("xmlns:y", YED)]);
    root.write_inner_content(|xml| {
        write_keys(xml, report)?;
        let element = xml
            .create_element("graph")
            .with_attribute(("edgedefault", "directed"));
        element.write_inner_content(|xml| graph.write(xml))?;
        Ok(())
    })?;
    Ok(xml.get_mut().write_all(b"\n")?)
}

fn keys(class: &str, columns: &[Column]) -> Vec<String> {
    let names = columns.iter().map(|column| &column.name);
    names.map(|name| format!("{class}_{name}")).collect()
}

fn write_keys(xml: &mut Xml<'_>, report: &Report) -> io::Result<()> {
    // Amounts are numbers where all fit a signed 64-bit `long`, and text otherwise: a float would round them.
    let number = match columns::amounts_fit_long(report) {
        true => "long",
        false => "string",
    };
    let (nodes, flows) = (columns::of_nodes(report), columns::of_flows(report));
    for (class, columns) in [("node", nodes), ("edge", flows)] {
        write_key(xml, class, "label", "string")?;
        for Column { name, kind } in columns {
            let kind = match kind {
                Kind::Text | Kind::Time => "string",
                Kind::Whole => "long",
                Kind::Amount => number,
            };
            write_key(xml, class, &name, kind)?;
        }
        if class == "node" {
            let mut looks = NODE_LOOKS.iter();
            looks.try_for_each(|name| write_key(xml, class, name, "int"))?;
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

fn write_key(xml: &mut Xml<'_>, class: &str, name: &str, kind: &str) -> io::Result<()> {
    let id = format!("{class}_{name}");
    let key = xml
        .create_element("key")
        .with_attributes([("id", &*id), ("for", class)]);
    key.with_attributes([("attr.name", name), ("attr.type", kind)])
        .write_empty()?;
    Ok(())
}

struct Graph<'a> {
    report: &'a Report,
    holdings: &'a Holdings<'a>,
    assets: Assets<'a>,
    looks: Looks<'a>,
    captions: Captions<'a>,
    node_keys: Vec<String>,
    flow_keys: Vec<String>,
}

impl Graph<'_> {
    fn write(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        for node in &self.report.nodes {
            let id = visible(&node.id);
            let element = xml.create_element("node").with_attribute(("id", &*id));
            element.write_inner_content(|xml| self.write_node(xml, node))?;
        }
        for flow in &self.report.flows {
            let (id, from, to) = (visible(&flow.id), visible(&flow.from), visible(&flow.to));
            let element = xml.create_element("edge").with_attribute(("id", &*id));
            let element = element.with_attributes([("source", &*from), ("target", &*to)]);
            element.write_inner_content(|xml| self.write_flow(xml, flow))?;
        }
        Ok(())
    }

    fn write_node(&self, xml: &mut Xml<'_>, node: &Node) -> io::Result<()> {
        let held = self.holdings.at(&node.id);
        let lines = self.captions.lines(node);
        put(xml, "node_label", &lines.join(" | "))?;
        let values = columns::of_node(self.report, node, held);
        put_all(xml, &self.node_keys, &values)?;
        let colour = self.looks.colour(node);
        let [red, green, blue] = colour.0.map(u64::from);
        for (name, value) in NODE_LOOKS
            .iter()
            .zip([self.looks.size(held), red, green, blue])
        {
            put(xml, &format!("node_{name}"), &value.to_string())?;
        }
        draw_node(xml, node, &lines, colour)
    }

    fn write_flow(&self, xml: &mut Xml<'_>, flow: &Flow) -> io::Result<()> {
        let label = self.assets.show(&flow.chain, &flow.asset, flow.amount);
        put(xml, "edge_label", &label)?;
        let values = columns::of_flow(self.report, flow);
        put_all(xml, &self.flow_keys, &values)?;
        draw_edge(xml, &label, self.looks.width(flow))
    }
}

/// Writes a `data` element for each value; what is absent has none.
fn put_all(xml: &mut Xml<'_>, keys: &[String], values: &[Option<Value<'_>>]) -> io::Result<()> {
    for (key, value) in keys.iter().zip(values) {
        if let Some(value) = value {
            put(xml, key, &value.shown())?;
        }
    }
    Ok(())
}

/// The key is one of this program's; the text must be shown as it may be: without hidden characters.
fn put(xml: &mut Xml<'_>, key: &str, shown: &str) -> io::Result<()> {
    line(
        xml,
        &["<data key=\"", key, "\">", &escaped(shown), "</data>"],
    )
}

fn draw_node(xml: &mut Xml<'_>, node: &Node, lines: &[String], colour: Colour) -> io::Result<()> {
    let shape = match node.kind {
        NodeKind::Transaction => "rectangle",
        NodeKind::Account => "ellipse",
        NodeKind::Output => "roundrectangle",
    };
    let height = (20 * lines.len() + 10).to_string();
    let (fill, label) = (colour.hex(), lines.join("\n"));
    draw(xml, "node", "y:ShapeNode", |xml| {
        line(
            xml,
            &["<y:Geometry width=\"230\" height=\"", &height, "\"/>"],
        )?;
        line(xml, &["<y:Fill color=\"", &fill, "\"/>"])?;
        let open = "<y:NodeLabel textColor=\"#ffffff\">";
        line(xml, &[open, &escaped(&label), "</y:NodeLabel>"])?;
        line(xml, &["<y:Shape type=\"", shape, "\"/>"])
    })
}

fn draw_edge(xml: &mut Xml<'_>, label: &str, width: u64) -> io::Result<()> {
    draw(xml, "edge", "y:PolyLineEdge", |xml| {
        line(xml, &["<y:LineStyle width=\"", &width.to_string(), "\"/>"])?;
        line(xml, &["<y:Arrows source=\"none\" target=\"standard\"/>"])?;
        line(xml, &["<y:EdgeLabel>", &escaped(label), "</y:EdgeLabel>"])
    })
}

/// Tells yEd how to draw a node or an edge.
fn draw(
    xml: &mut Xml<'_>,
    class: &str,
    kind: &str,
    content: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let drawing = format!("{class}graphics");
    let data = xml
        .create_element("data")
        .with_attribute(("key", &*drawing));
    data.write_inner_content(|xml| {
        xml.create_element(kind).write_inner_content(content)?;
        Ok(())
    })?;
    Ok(())
}
