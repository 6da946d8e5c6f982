//! Reads reports as an investigator does: what moved, what rests where, what is not known.

use std::collections::BTreeSet;

use hansel_graph::Rule;
use hansel_report::Report;
use hansel_report::model::{Accounting, Flow, Node, NodeKind, StopKind};

/// What tests ask of a report.
pub(crate) trait Reading {
    fn node(&self, id: &str) -> &Node;
    fn flow(&self, id: &str) -> &Flow;
    /// The transactions that were visited, by txid.
    fn visited(&self) -> BTreeSet<&str>;
    /// The outputs at which trails end for this reason, as `TXID:VOUT`.
    fn stopped(&self, kind: StopKind) -> BTreeSet<String>;
    /// The only seed's row under a rule.
    fn row(&self, rule: Rule) -> &Accounting;
    fn balances(&self);
}

impl Reading for Report {
    #[track_caller]
    fn node(&self, id: &str) -> &Node {
        let found = self.nodes.iter().find(|node| node.id == id);
        found.unwrap_or_else(|| panic!("no node {id}"))
    }

    #[track_caller]
    fn flow(&self, id: &str) -> &Flow {
        let found = self.flows.iter().find(|flow| flow.id == id);
        found.unwrap_or_else(|| panic!("no flow {id}"))
    }

    fn visited(&self) -> BTreeSet<&str> {
        let transactions = self
            .nodes
            .iter()
            .filter(|node| node.kind == NodeKind::Transaction && node.coverage.is_some());
        transactions
            .filter_map(|node| node.id.rsplit(':').next())
            .collect()
    }

    fn stopped(&self, kind: StopKind) -> BTreeSet<String> {
        let here = |node: &&Node| node.stop.as_ref().is_some_and(|stop| stop.kind == kind);
        let prefix = |node: &Node| format!("{}:output:", node.chain);
        let outputs = self.nodes.iter().filter(here);
        outputs
            .filter_map(|node| node.id.strip_prefix(&prefix(node)).map(str::to_owned))
            .collect()
    }

    #[track_caller]
    fn row(&self, rule: Rule) -> &Accounting {
        let mut rows = self.accounting.iter().filter(|row| row.rule == rule);
        let row = rows.next().unwrap_or_else(|| panic!("no row for {rule}"));
        assert!(rows.next().is_none(), "several seeds under {rule}");
        row
    }

    #[track_caller]
    fn balances(&self) {
        assert!(!self.accounting.is_empty());
        for row in &self.accounting {
            assert!(row.balances(), "{row:?}");
        }
        for seed in &self.seeds {
            let mut rows = self.accounting.iter().filter(|row| row.seed == seed.id);
            assert!(rows.all(|row| row.stolen == seed.amount), "{seed:?}");
        }
    }
}
