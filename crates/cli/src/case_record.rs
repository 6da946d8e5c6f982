//! What the store keeps of a case: the request, so that it can be repeated, and the last report.

use std::collections::BTreeMap;

use hansel_graph::{AccountInflow, Direction, FeeRule, Inflow, Rule};
use hansel_heuristics::crossing::Told;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::Unknown;
use serde::{Deserialize, Serialize};

/// A theft to trace, as the user asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    /// True for a case made up for training.
    #[serde(default)]
    pub(crate) training: bool,
    pub(crate) chain: String,
    pub(crate) subjects: Vec<NamedSubject>,
    pub(crate) context: Vec<String>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) fee_rule: FeeRule,
    pub(crate) direction: Direction,
    pub(crate) hops: Option<u32>,
    pub(crate) min_share: String,
    pub(crate) min_amount: Amount,
    pub(crate) max_nodes: u64,
    pub(crate) max_requests: Option<u64>,
    pub(crate) until: Option<String>,
    /// Places that trails go through whatever they are: addresses, Bitcoin transactions, or `coinjoins`.
    #[serde(default)]
    pub(crate) through: Vec<String>,
    /// Places where the user ends trails: `ADDRESS` or `ADDRESS=ENTITY`.
    #[serde(default)]
    pub(crate) stops: Vec<String>,
    /// Coins that count as stolen besides those that the configuration knows.
    #[serde(default)]
    pub(crate) assets: Vec<String>,
    /// True where payments that may be what a bridge took are listed.
    #[serde(default)]
    pub(crate) candidates: bool,
    /// The ids of those that are followed.
    #[serde(default)]
    pub(crate) followed: Vec<String>,
    /// With more transfers than this an account is a hub.
    pub(crate) hub: u64,
}

/// A subject and the heights or times between which an address counts what it received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedSubject {
    pub(crate) text: String,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    /// The coins that count, for an account; empty for those that usually do.
    #[serde(default)]
    pub(crate) assets: Vec<String>,
}

/// A case as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CaseRecord {
    /// One part for each chain.
    pub(crate) parts: Vec<PartRecord>,
    /// What no part covers.
    pub(crate) unknown: Vec<Unknown>,
    /// The last report, once a run ended.
    pub(crate) report: Option<Report>,
    /// True where that report left something open.
    pub(crate) partial: bool,
    /// The last report while a run is unfinished, to say what moved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Report>,
}

/// The part of a case that is on one chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PartRecord {
    pub(crate) request: Request,
    /// The heights that the subjects' times stood for, by subject.
    pub(crate) windows: BTreeMap<String, (u64, u64)>,
    /// Why questions failed, by question, so that the report can be laid out again without a network.
    pub(crate) failures: BTreeMap<String, String>,
    /// What came from other chains.
    #[serde(default)]
    pub(crate) inflows: Vec<CaseInflow>,
    /// What other chains tell of payments on this one.
    #[serde(default)]
    pub(crate) told: Vec<Told>,
}

/// Value that a bridge brought from another chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CaseInflow {
    /// To an output of a Bitcoin chain.
    Output(Inflow),
    /// To an account of an EVM chain.
    Account(AccountInflow),
}

impl PartRecord {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            windows: BTreeMap::new(),
            failures: BTreeMap::new(),
            inflows: Vec::new(),
            told: Vec::new(),
        }
    }
}

impl CaseRecord {
    pub(crate) fn new(requests: Vec<Request>, unknown: Vec<Unknown>) -> Self {
        Self {
            parts: requests.into_iter().map(PartRecord::new).collect(),
            unknown,
            report: None,
            partial: false,
            before: None,
        }
    }

    /// The case without what came from other chains, as far as a run was cut off before it could join them.
    pub(crate) fn without_inflows(mut self) -> Self {
        self.parts.retain(|part| !part.request.subjects.is_empty());
        for part in &mut self.parts {
            part.inflows.clear();
            part.told.clear();
        }
        self
    }

    /// The part on a chain.
    pub(crate) fn on(&self, chain: &str) -> Option<&PartRecord> {
        self.parts.iter().find(|part| part.request.chain == chain)
    }

    /// The names of its chains, in the order of the case.
    pub(crate) fn chains(&self) -> Vec<&str> {
        let parts = self.parts.iter();
        parts.map(|part| &*part.request.chain).collect()
    }
}
