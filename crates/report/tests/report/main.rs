//! The report and its formats, seen from outside.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "the helpers of tests fail and speak like tests"
)]

mod compare;
mod csv;
mod cytoscape;
mod dot;
mod gexf;
mod graphml;
mod gs;
mod hostile;
mod html;
mod json;
mod links;
mod markdown;
mod pdf;
mod png;
mod readers;
mod sample;
mod stix;
mod svg;
mod tables;
mod tagpack;
mod text;
mod values;
