//! The hansel-report/1 model and its formats.
//!
//! A report is laid out, never computed: every amount in it comes from a settled graph. Each format is one
//! file with one function, and the same report always gives the same bytes.

pub mod csv_accounting;
pub mod csv_cash_outs;
pub mod csv_flows;
pub mod csv_links;
pub mod csv_neo4j;
pub mod csv_nodes;
pub mod cytoscape;
pub mod dot;
pub mod gexf;
pub mod graphml;
pub mod html;
pub mod markdown;
pub mod model;
pub mod stix;
pub mod tables;
pub mod tagpack;
pub mod text;

mod account;
mod annotate;
mod assets;
mod build;
mod caption;
mod cash_outs;
mod cell;
mod columns;
mod compare;
mod crossing;
mod departed;
mod font;
mod format;
mod gs;
mod holding;
mod layout;
mod look;
mod merge;
mod moves_on;
mod pdf;
mod picture;
mod prices;
mod references;
mod schema;
mod units;
mod valuation;
mod visible;
mod worth;
mod xml;

pub use account::build_accounts;
pub use annotate::annotate;
pub use build::{BuildError, Built, Heading, build};
pub use compare::{Changes, Comparison, EndChange, SumChange, TaintChange, TipChange};
pub use crossing::{Crossed, Departed, PartSeed};
pub use format::{Format, FormatError, Rendered, UnknownFormat, render, write_file};
pub use merge::{join, merge};
pub use model::{Report, ReportError};
pub use prices::{Prices, PricesError};
pub use schema::json_schema;
pub use units::format_units;
pub use visible::visible;
