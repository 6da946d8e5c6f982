//! What the store keeps of a case: the request, so that it can be repeated, and the last report.

use std::collections::BTreeMap;

use hansel_graph::{Direction, FeeRule, Rule};
use hansel_report::Report;
use serde::{Deserialize, Serialize};

/// A theft to trace, as the user asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) chain: String,
    pub(crate) subjects: Vec<NamedSubject>,
    pub(crate) context: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fee_rule: FeeRule,
    pub(crate) direction: Direction,
    pub(crate) hops: Option<u32>,
    pub(crate) min_share: String,
    pub(crate) min_amount: u64,
    pub(crate) max_nodes: u64,
    pub(crate) max_requests: Option<u64>,
    pub(crate) until: Option<String>,
    /// What the case file says is not covered.
    pub(crate) unknown: Vec<(String, String, String)>,
}

/// A subject and the heights or times between which an address counts what it received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedSubject {
    pub(crate) text: String,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

/// A case as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CaseRecord {
    pub(crate) request: Request,
    /// The heights that the subjects' times stood for, by subject.
    pub(crate) windows: BTreeMap<String, (u64, u64)>,
    /// Why questions failed, by question, so that the report can be laid out again without a network.
    pub(crate) failures: BTreeMap<String, String>,
    /// The last report, once a run ended.
    pub(crate) report: Option<Report>,
    /// True where that report left something open.
    pub(crate) partial: bool,
}

impl CaseRecord {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            windows: BTreeMap::new(),
            failures: BTreeMap::new(),
            report: None,
            partial: false,
        }
    }
}
