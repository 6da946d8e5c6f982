//! The flow graph as the two tables that `neo4j-admin database import` and `apoc.import.csv` read.
//!
//! Source: Neo4j operations manual, import: heads `name:type`, `:ID`, `:LABEL`, `:START_ID`, `:END_ID`, `:TYPE`.

use std::io;

use crate::assets::Assets;
use crate::caption::Captions;
use crate::columns::{self, Column, Kind, Value};
use crate::format::FormatError;
use crate::holding::Holdings;
use crate::model::{FlowKind, NodeKind};
use crate::{Report, cell, references};

/// Writes one row per node. Fails where a flow names a node that is not listed.
pub fn write_nodes(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let holdings = Holdings::of(report)?;
    let captions = Captions::of(report);
    let mut table = cell::table(out);
    let own = ["id:ID(node)", "label:string"]
        .map(str::to_owned)
        .into_iter();
    let heads = own.chain(heads(report, columns::of_nodes(report)));
    table.write_record(heads.chain([":LABEL".to_owned()]))?;
    for node in &report.nodes {
        let class = match node.kind {
            NodeKind::Transaction => "Transaction",
            NodeKind::Account => "Account",
            NodeKind::Output => "Output",
        };
        let label = captions.lines(node).join(" | ");
        let own = [cell::text(&node.id), cell::text(&label)].into_iter();
        let values = columns::of_node(report, node, holdings.at(&node.id));
        let values: Vec<_> = values.iter().map(cell_of).collect();
        table.write_record(own.chain(values).chain([class.to_owned()]))?;
    }
    Ok(table.flush()?)
}

/// Writes one row per flow. Fails where a flow names a node that is not listed.
pub fn write_flows(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let assets = Assets::of(report);
    let mut table = cell::table(out);
    let own = [
        ":START_ID(node)",
        ":END_ID(node)",
        "flow:string",
        "label:string",
    ];
    let own = own.map(str::to_owned).into_iter();
    let heads = own.chain(heads(report, columns::of_flows(report)));
    table.write_record(heads.chain([":TYPE".to_owned()]))?;
    for flow in &report.flows {
        let class = match flow.kind {
            FlowKind::Transfer => "TRANSFER",
            FlowKind::Conversion => "CONVERSION",
            FlowKind::Crossing => "CROSSING",
            FlowKind::Fee => "FEE",
        };
        let label = assets.show(&flow.chain, &flow.asset, flow.amount);
        let own = [&*flow.from, &*flow.to, &flow.id, &label].map(cell::text);
        let values = columns::of_flow(report, flow);
        let values: Vec<_> = values.iter().map(cell_of).collect();
        table.write_record(own.into_iter().chain(values).chain([class.to_owned()]))?;
    }
    Ok(table.flush()?)
}

/// Amounts are `long` where all fit, and `string` otherwise: Neo4j has no larger whole numbers.
fn heads(report: &Report, columns: Vec<Column>) -> impl Iterator<Item = String> {
    let number = match columns::amounts_fit_long(report) {
        true => "long",
        false => "string",
    };
    columns.into_iter().map(move |Column { name, kind }| {
        let kind = match kind {
            Kind::Text | Kind::Time => "string",
            Kind::Whole => "long",
            Kind::Amount => number,
        };
        format!("{name}:{kind}")
    })
}

fn cell_of(value: &Option<Value<'_>>) -> String {
    match value {
        Some(Value::Text(text)) => cell::text(text),
        Some(value) => value.shown().into_owned(),
        None => String::new(),
    }
}
