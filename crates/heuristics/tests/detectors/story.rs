//! A few transactions that spend each other, as a graph.

use std::collections::BTreeSet;

use bitcoin::hashes::Hash as _;
use bitcoin::{BlockHash, OutPoint};
use hansel_graph::{FlowGraph, FlowIx};
use hansel_heuristics::bitcoin::{GraphView, detect};
use hansel_heuristics::{EntityKind, Finding, Label, Labels, NoLabels};
use hansel_ledger::{BlockRef, Chain, Input, Placement, TransactionStatement, UnixTime};

use super::{id, output, person};

/// The time of the block at height zero; a block takes ten minutes.
pub(crate) const START: u64 = 1_600_000_000;

/// Transactions by number, each at a height.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) told: Vec<TransactionStatement>,
    pub(crate) unspent: Vec<(u64, u32)>,
    pub(crate) now: Option<u64>,
}

impl Story {
    /// Adds a transaction that spends outputs of earlier ones, named by number and index.
    pub(crate) fn pay(
        mut self,
        number: u64,
        height: u64,
        spent: &[(u64, u32)],
        paid: &[(u64, u64)],
    ) -> Self {
        let input = |(number, vout): &(u64, u32)| {
            let made = self
                .told
                .iter()
                .find(|one| one.txid == id(*number))
                .unwrap();
            Input {
                previous: OutPoint {
                    txid: made.txid,
                    vout: *vout,
                },
                spent: Some(made.outputs[usize::try_from(*vout).unwrap()].clone()),
            }
        };
        let statement = TransactionStatement {
            txid: id(number),
            placement: Placement::Confirmed(BlockRef {
                height,
                hash: BlockHash::hash(&height.to_be_bytes()),
                time: UnixTime(START + 600 * height),
            }),
            inputs: spent.iter().map(input).collect(),
            outputs: paid
                .iter()
                .map(|(value, owner)| output(*value, person(*owner)))
                .collect(),
        };
        self.told.push(statement);
        self
    }

    /// The graph of all transactions.
    pub(crate) fn graph(&self) -> FlowGraph {
        let mut graph = FlowGraph::default();
        for statement in &self.told {
            graph.insert(statement).unwrap();
        }
        graph
    }

    /// What all detectors say, of one id.
    pub(crate) fn findings(&self, heuristic: &str, labels: &dyn Labels) -> Vec<Finding> {
        let found = self.all(labels);
        found
            .into_iter()
            .filter(|finding| finding.heuristic == heuristic)
            .collect()
    }

    /// What all detectors say.
    pub(crate) fn all(&self, labels: &dyn Labels) -> Vec<Finding> {
        let (chain, graph) = (Chain::bitcoin(), self.graph());
        let unspent: BTreeSet<FlowIx> = self
            .unspent
            .iter()
            .map(|(number, vout)| {
                graph
                    .find_output(&OutPoint {
                        txid: id(*number),
                        vout: *vout,
                    })
                    .unwrap()
            })
            .collect();
        let now = self.now;
        detect(&GraphView {
            chain: &chain,
            graph: &graph,
            labels,
            unspent: &unspent,
            now,
        })
    }

    /// What all detectors say where nobody is called anything, of one id.
    pub(crate) fn unlabelled(&self, heuristic: &str) -> Vec<Finding> {
        self.findings(heuristic, &NoLabels)
    }
}

/// Calls people exchanges.
#[derive(Debug)]
pub(crate) struct Exchanges(pub(crate) Vec<(u64, &'static str)>);

impl Labels for Exchanges {
    fn lookup(&self, chain: &str, address: &str) -> Vec<Label> {
        assert_eq!(chain, "bitcoin");
        let named = self
            .0
            .iter()
            .filter(|(owner, _)| address == super::address(*owner));
        let label = |actor: &str| Label {
            kind: EntityKind::Exchange,
            label: format!("{actor} hot wallet"),
            actor: Some(actor.to_owned()),
            source: "a test".to_owned(),
            ..Label::default()
        };
        named.map(|(_, actor)| label(actor)).collect()
    }
}
