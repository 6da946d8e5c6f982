//! The flow graph as GEXF 1.3 with time, for Gephi and NetworkX.
//!
//! A flow stands at the time of its block and a node at the first moment the report knows of it, so that Gephi's
//! time line plays the theft. Source: docs.gephi.org, GEXF.

use std::collections::HashMap;
use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use crate::assets::Assets;
use crate::caption::Captions;
use crate::columns::{self, Column, Kind, Value};
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::look::Looks;
use crate::model::{Flow, Node, Timestamp};
use crate::references::Numbers;
use crate::xml::{Xml, escaped, line};
use crate::{Report, references, visible};

const NAMESPACE: &str = "http://gexf.net/1.3";
const DRAWING: &str = "http://gexf.net/1.3/viz";

/// Writes nodes and flows in the report's order. Fails where a flow names a node that is not listed.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let holdings = Holdings::of(report)?;
    let numbers = Numbers::of(report);
    let graph = Graph {
        report,
        holdings: &holdings,
        assets: Assets::of(report),
        looks: Looks::of(report, &holdings),
        captions: Captions::of(report),
        first_seen: first_seen(report, &numbers),
        numbers,
    };
    let mut xml = Writer::new_with_indent(out, b' ', 1);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let root = xml.create_element("gexf").with_attributes([
        ("xmlns", NAMESPACE),
        ("xmlns:viz", DRAWING),
        ("version", "1.3"),
    ]);
    root.write_inner_content(|xml| graph.write(xml))?;
    Ok(xml.get_mut().write_all(b"\n")?)
}

/// The first moment that the report knows of each node, by number.
fn first_seen(report: &Report, numbers: &Numbers<'_>) -> Vec<Option<Timestamp>> {
    let mut first: Vec<_> = report.nodes.iter().map(|node| node.time).collect();
    for flow in &report.flows {
        for node in [&flow.from, &flow.to] {
            let Some(first) = numbers.get(node).map(|node| &mut first[node]) else {
                continue;
            };
            *first = first.iter().copied().chain(flow.time).min();
        }
    }
    first
}

struct Graph<'a> {
    report: &'a Report,
    holdings: &'a Holdings<'a>,
    assets: Assets<'a>,
    looks: Looks<'a>,
    captions: Captions<'a>,
    numbers: Numbers<'a>,
    first_seen: Vec<Option<Timestamp>>,
}

impl Graph<'_> {
    fn write(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        let meta = xml.create_element("meta");
        meta.write_inner_content(|xml| {
            let creator = xml.create_element("creator");
            creator.write_text_content(quick_xml::events::BytesText::new("hansel"))?;
            let case = visible(&self.report.case.name);
            let about = xml.create_element("description");
            about.write_text_content(quick_xml::events::BytesText::new(&case))?;
            Ok(())
        })?;
        let graph = xml.create_element("graph").with_attributes([
            ("mode", "dynamic"),
            ("defaultedgetype", "directed"),
            ("timeformat", "dateTime"),
            ("timerepresentation", "timestamp"),
        ]);
        graph.write_inner_content(|xml| self.write_content(xml))?;
        Ok(())
    }

    fn write_content(&self, xml: &mut Xml<'_>) -> io::Result<()> {
        let (nodes, flows) = (
            columns::of_nodes(self.report),
            columns::of_flows(self.report),
        );
        let number = match columns::amounts_fit_long(self.report) {
            true => "long",
            false => "string",
        };
        declare(xml, "node", &nodes, number)?;
        declare(xml, "edge", &flows, number)?;
        let element = xml.create_element("nodes");
        element.write_inner_content(|xml| {
            let mut all = self.report.nodes.iter().zip(&self.first_seen);
            all.try_for_each(|(node, first)| self.write_node(xml, node, *first))
        })?;
        let element = xml.create_element("edges");
        element.write_inner_content(|xml| {
            let mut parallel: HashMap<_, u32> = HashMap::new();
            for flow in &self.report.flows {
                let number = |node: &str| u32::try_from(self.numbers.get(node)?).ok();
                let ends = [number(&flow.from), number(&flow.to)];
                let number = parallel.entry(ends).or_default();
                *number += 1;
                self.write_flow(xml, flow, *number)?;
            }
            Ok(())
        })?;
        Ok(())
    }

    fn write_node(
        &self,
        xml: &mut Xml<'_>,
        node: &Node,
        first: Option<Timestamp>,
    ) -> io::Result<()> {
        let label = self.captions.lines(node).join(" | ");
        let id = visible(&node.id);
        let mut element = xml
            .create_element("node")
            .with_attributes([("id", &*id), ("label", &*label)]);
        if let Some(time) = first {
            element = element.with_attribute(("timestamp", &*time.to_string()));
        }
        let held = self.holdings.at(&node.id);
        element.write_inner_content(|xml| {
            write_values(xml, &columns::of_node(self.report, node, held))?;
            let [red, green, blue] = self.looks.colour(node).0;
            let colour = format!("<viz:color r=\"{red}\" g=\"{green}\" b=\"{blue}\"/>");
            line(xml, &[&colour])?;
            let size = self.looks.size(held).to_string();
            line(xml, &["<viz:size value=\"", &size, "\"/>"])
        })?;
        Ok(())
    }

    /// Edges between the same two nodes are told apart by their kind: the first has none.
    fn write_flow(&self, xml: &mut Xml<'_>, flow: &Flow, number: u32) -> io::Result<()> {
        let (id, from, to) = (visible(&flow.id), visible(&flow.from), visible(&flow.to));
        let label = self.assets.show(&flow.chain, &flow.asset, flow.amount);
        let mut element = xml.create_element("edge").with_attributes([
            ("id", &*id),
            ("source", &*from),
            ("target", &*to),
            ("label", &*label),
        ]);
        if number > 1 {
            element = element.with_attribute(("kind", &*number.to_string()));
        }
        if let Some(time) = flow.time {
            element = element.with_attribute(("timestamp", &*time.to_string()));
        }
        element.write_inner_content(|xml| {
            write_values(xml, &columns::of_flow(self.report, flow))?;
            let width = self.looks.width(flow).to_string();
            line(xml, &["<viz:thickness value=\"", &width, "\"/>"])
        })?;
        Ok(())
    }
}

fn declare(xml: &mut Xml<'_>, class: &str, columns: &[Column], number: &str) -> io::Result<()> {
    let element = xml
        .create_element("attributes")
        .with_attributes([("class", class), ("mode", "static")]);
    element.write_inner_content(|xml| {
        for (index, column) in columns.iter().enumerate() {
            let kind = match column.kind {
                Kind::Text | Kind::Time => "string",
                Kind::Whole => "long",
                Kind::Amount => number,
            };
            let id = index.to_string();
            let attribute = xml.create_element("attribute");
            attribute
                .with_attributes([("id", &*id), ("title", &*column.name), ("type", kind)])
                .write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_values(xml: &mut Xml<'_>, values: &[Option<Value<'_>>]) -> io::Result<()> {
    xml.create_element("attvalues").write_inner_content(|xml| {
        for (index, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            let (index, value) = (index.to_string(), value.shown());
            line(
                xml,
                &[
                    "<attvalue for=\"",
                    &index,
                    "\" value=\"",
                    &escaped(&value),
                    "\"/>",
                ],
            )?;
        }
        Ok(())
    })?;
    Ok(())
}
