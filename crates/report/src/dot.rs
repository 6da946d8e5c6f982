//! The flow graph as a Graphviz drawing.
//!
//! A stop is told by shape and by word, so that the drawing can be read without colour.

use std::io;

use crate::assets::Assets;
use crate::caption::Captions;
use crate::format::FormatError;
use crate::model::{Flow, Node, NodeKind, StopKind};
use crate::{Report, references, visible};

/// Writes nodes and flows in the report's order. Fails where a flow names a node that is not listed.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    references::check(report)?;
    let assets = Assets::of(report);
    let captions = Captions::of(report);
    writeln!(out, "digraph {} {{", quoted(&report.case.name))?;
    writeln!(out, "  graph [rankdir=LR];")?;
    writeln!(out, "  node [shape=box, fontname=\"monospace\"];")?;
    writeln!(out, "  edge [fontname=\"monospace\"];")?;
    for node in &report.nodes {
        write_node(node, &captions, out)?;
    }
    for flow in &report.flows {
        write_edge(report, flow, &assets, out)?;
    }
    Ok(writeln!(out, "}}")?)
}

fn write_node(node: &Node, captions: &Captions<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let (id, label) = (quoted(&node.id), label(&captions.lines(node)));
    writeln!(out, "  {id} [shape={}, label={label}];", shape(node))
}

fn shape(node: &Node) -> &'static str {
    let Some(stop) = &node.stop else {
        return match node.kind {
            NodeKind::Transaction => "box",
            NodeKind::Account => "ellipse",
            NodeKind::Output => "oval",
        };
    };
    match stop.kind {
        StopKind::AtRest => "cylinder",
        StopKind::Exchange => "house",
        StopKind::Mixer => "octagon",
        StopKind::BridgeUnresolved => "parallelogram",
        StopKind::Service => "invhouse",
        StopKind::Hub => "hexagon",
        StopKind::BelowThreshold => "underline",
        StopKind::Limit => "cds",
        StopKind::Failed => "tripleoctagon",
        StopKind::Burned => "invtriangle",
        StopKind::Fees => "note",
        StopKind::Origin => "diamond",
    }
}

fn write_edge(
    report: &Report,
    flow: &Flow,
    assets: &Assets<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut lines = vec![assets.show(&flow.chain, &flow.asset, flow.amount)];
    for rule in &report.case.rules {
        let tainted = flow.tainted.get(rule).copied();
        lines.extend(tainted.map(|tainted| {
            format!(
                "{rule} {}",
                assets.digits(&flow.chain, &flow.asset, tainted)
            )
        }));
    }
    let (from, to, id) = (quoted(&flow.from), quoted(&flow.to), quoted(&flow.id));
    writeln!(out, "  {from} -> {to} [id={id}, label={}];", label(&lines))
}

/// An id as a quoted string.
fn quoted(untrusted: &str) -> String {
    format!("\"{}\"", escaped(&visible(untrusted)))
}

/// The lines of a label as a quoted string.
fn label(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| escaped(line)).collect();
    format!("\"{}\"", lines.join("\\n"))
}

/// Graphviz ends a string at `"`, expands `\N` and `\G` in labels, and reads HTML entities such as `&#8238;`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('&', "&amp;")
}
