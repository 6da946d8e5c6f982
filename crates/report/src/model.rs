//! The report as data: `hansel-report/1`, field by field in the order in which it is written.
//!
//! Reading is strict: a report of another version, or with a field this version does not know, is refused
//! rather than shown incomplete.

mod accounting;
mod case;
mod finding;
mod flow;
mod node;
mod schema_name;
mod shared;
mod sorted;
mod timestamp;
mod value;

pub use accounting::Accounting;
pub use case::{AssetEntry, Case, Limits, Override, OverrideKind, Seed, Tip};
pub use finding::{CashOut, Confidence, Finding, Source, Unknown};
pub use flow::{Flow, FlowKind, Proof};
pub use node::{Label, Node, NodeCoverage, NodeGap, NodeHolding, NodeKind, Stop, StopKind};
pub use schema_name::SchemaName;
pub(crate) use shared::Pool;
pub use shared::Shared;
pub use sorted::Sorted;
pub use timestamp::Timestamp;
pub use value::{Unpriced, Values, Worth};

use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::visible::clipped;

const LONGEST_DETAIL: usize = 300;

/// Everything a trace found out, and everything it could not.
///
/// Amounts are decimal strings in base units, times are UTC in RFC 3339, arrays are sorted by position in
/// the chain, then by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The version of this form.
    pub schema: SchemaName,
    /// What was asked, and under which rules and limits.
    pub case: Case,
    /// The block of each chain up to which the trace looked.
    pub tips: Vec<Tip>,
    /// The stolen transfers that the trace starts from.
    pub seeds: Vec<Seed>,
    /// The assets of the flows; absent where the seeds tell all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetEntry>,
    /// Where each seed's value is, one row per seed and rule.
    pub accounting: Vec<Accounting>,
    /// The pools of value that the trace touched.
    pub nodes: Vec<Node>,
    /// The transfers between those pools.
    pub flows: Vec<Flow>,
    /// What heuristics say about nodes and flows.
    pub findings: Vec<Finding>,
    /// Tainted value that reached a service which can freeze it.
    pub cash_outs: Vec<CashOut>,
    /// What transfers were worth, where prices were given; no other field is made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
    /// What is not known, in words.
    pub unknown: Vec<Unknown>,
    /// The endpoints that were asked.
    pub sources: Vec<Source>,
}

/// Says why a text is not a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The text is not a hansel-report/1 document; the detail is short and safe to print.
    #[error("not a {name} report: {0}", name = SchemaName::TEXT)]
    Malformed(String),
}

impl Report {
    /// Writes the report as indented JSON with a final newline; equal reports give equal bytes.
    pub fn to_json(&self) -> String {
        let mut bytes = Vec::new();
        self.write_json(&mut bytes)
            .expect("a report's map keys are strings and its numbers integers");
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    /// Writes what [`Self::to_json`] gives, piece by piece. Fails where `out` does.
    pub fn write_json(&self, mut out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut out, self)?;
        out.write_all(b"\n")
    }

    /// Reads a report that [`Self::to_json`] or another program wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, ReportError> {
        let malformed = |error: serde_json::Error| clipped(&error.to_string(), LONGEST_DETAIL);
        serde_json::from_slice(json).map_err(|error| ReportError::Malformed(malformed(error)))
    }

    /// Puts every array into the order of the form: by block, the unknown last, otherwise as it was given.
    ///
    /// The sort is stable, so a builder that adds flows in chain order keeps their order within a block.
    pub fn sort(&mut self) {
        let last = |block: Option<u64>| block.unwrap_or(u64::MAX);
        self.tips.sort_by(|one, next| one.chain.cmp(&next.chain));
        self.nodes.sort_by_key(|node| last(node.block));
        self.flows.sort_by_key(|flow| last(flow.block));
        self.findings.sort_by(|one, next| {
            (&one.heuristic, &one.subjects).cmp(&(&next.heuristic, &next.subjects))
        });
        self.cash_outs
            .sort_by(|one, next| one.order().cmp(&next.order()));
        self.unknown.sort();
    }
}
