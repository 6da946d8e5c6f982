//! The flow graph as the JSON that Cytoscape and Cytoscape.js read.
//!
//! Every value is a string, so that no reader rounds an amount; sizes alone are numbers.

use std::io;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::assets::Assets;
use crate::caption::Captions;
use crate::columns::{self, Column, Value};
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::look::Looks;
use crate::model::{Flow, Node};
use crate::{Report, references, visible};

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
        node_columns: columns::of_nodes(report),
        flow_columns: columns::of_flows(report),
    };
    serde_json::to_writer(&mut *out, &Document(&graph)).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

struct Graph<'a> {
    report: &'a Report,
    holdings: &'a Holdings<'a>,
    assets: Assets<'a>,
    looks: Looks<'a>,
    captions: Captions<'a>,
    node_columns: Vec<Column>,
    flow_columns: Vec<Column>,
}

struct Document<'a>(&'a Graph<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        let name = visible(&self.0.report.case.name);
        document.serialize_entry("data", &serde_json::json!({ "name": name }))?;
        document.serialize_entry("elements", &Elements(self.0))?;
        document.end()
    }
}

struct Elements<'a>(&'a Graph<'a>);

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = serializer.serialize_map(None)?;
        elements.serialize_entry("nodes", &Nodes(self.0))?;
        elements.serialize_entry("edges", &Edges(self.0))?;
        elements.end()
    }
}

struct Nodes<'a>(&'a Graph<'a>);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.0.report.nodes.iter();
        serializer.collect_seq(nodes.map(|node| InData(NodeData(self.0, node))))
    }
}

struct Edges<'a>(&'a Graph<'a>);

impl Serialize for Edges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flows = self.0.report.flows.iter();
        serializer.collect_seq(flows.map(|flow| InData(EdgeData(self.0, flow))))
    }
}

/// Every element keeps its values in `data`.
struct InData<T>(T);

impl<T: Serialize> Serialize for InData<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut element = serializer.serialize_map(Some(1))?;
        element.serialize_entry("data", &self.0)?;
        element.end()
    }
}

struct NodeData<'a>(&'a Graph<'a>, &'a Node);

impl Serialize for NodeData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(graph, node) = self;
        let held = graph.holdings.at(&node.id);
        let mut data = serializer.serialize_map(None)?;
        data.serialize_entry("id", &visible(&node.id))?;
        data.serialize_entry("label", &graph.captions.lines(node).join("\n"))?;
        let values = columns::of_node(graph.report, node, held);
        put(&mut data, &graph.node_columns, &values)?;
        data.serialize_entry("colour", &graph.looks.colour(node).hex())?;
        data.serialize_entry("size", &graph.looks.size(held))?;
        data.end()
    }
}

struct EdgeData<'a>(&'a Graph<'a>, &'a Flow);

impl Serialize for EdgeData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(graph, flow) = self;
        let label = graph.assets.show(&flow.chain, &flow.asset, flow.amount);
        let mut data = serializer.serialize_map(None)?;
        // Nodes and edges share one space of ids there, and an output may be both.
        data.serialize_entry("id", &format!("flow {}", visible(&flow.id)))?;
        data.serialize_entry("flow", &visible(&flow.id))?;
        data.serialize_entry("source", &visible(&flow.from))?;
        data.serialize_entry("target", &visible(&flow.to))?;
        data.serialize_entry("label", &label)?;
        let values = columns::of_flow(graph.report, flow);
        put(&mut data, &graph.flow_columns, &values)?;
        data.serialize_entry("width", &graph.looks.width(flow))?;
        data.end()
    }
}

fn put<M: SerializeMap>(
    data: &mut M,
    columns: &[Column],
    values: &[Option<Value<'_>>],
) -> Result<(), M::Error> {
    for (column, value) in columns.iter().zip(values) {
        if let Some(value) = value {
            data.serialize_entry(&column.name, &value.shown())?;
        }
    }
    Ok(())
}
