//! Scripts that were spent together, as a view over the graph: an opinion about owners, never a fact.

use std::collections::{BTreeSet, HashMap};

use bitcoin::{Script, Txid};
use hansel_graph::PoolIx;
use hansel_ledger::NodeId;

use crate::bitcoin::coinjoin::coinjoin;
use crate::bitcoin::stonewall::stonewall;
use crate::bitcoin::view::{TxView, name};
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::GraphView;
use super::labelled::{entity, exchange_labels};

/// How many members and flows of a cluster a finding names; the others are counted.
const NAMED: usize = 1_000;

/// Scripts with the clusters that they belong to.
#[derive(Debug)]
pub struct Clusters<'a> {
    /// Each script that was spent together with another, in the order in which they were seen.
    scripts: Vec<&'a Script>,
    /// What each script is called: its address, or its bytes where it has none.
    names: Vec<String>,
    numbers: HashMap<&'a Script, usize>,
    /// The clusters, by their first scripts.
    clusters: Vec<Cluster<'a>>,
    /// Each script's cluster.
    cluster_of: Vec<Option<usize>>,
    /// Transactions that join scripts, by the first of them.
    joins: Vec<(usize, Txid)>,
    /// Transactions whose inputs were left apart, each with the reason.
    apart: Vec<(Txid, &'static str)>,
}

/// Scripts that one owner is held to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster<'a> {
    /// The scripts, sorted.
    pub scripts: Vec<&'a Script>,
    /// The transactions that spend several of them together, sorted.
    pub joined_by: Vec<Txid>,
}

/// A forest in which scripts of a cluster have the same root.
struct Forest {
    parents: Vec<usize>,
    /// The exchange that each root's cluster is said to be.
    exchanges: Vec<Option<String>>,
}

impl<'a> Clusters<'a> {
    /// The clusters of a graph: the scripts of each transaction's inputs belong together, but for CoinJoins,
    /// Stonewalls, and inputs of several exchanges. Source: BlockSci; the guard is Möser and Narayanan's idea.
    pub fn of(view: &GraphView<'a>) -> Self {
        Self::of_transactions(view, &view.transactions())
    }

    pub(super) fn of_transactions(
        view: &GraphView<'a>,
        transactions: &[(PoolIx, TxView<'a>)],
    ) -> Self {
        let mut clusters = Self {
            scripts: Vec::new(),
            names: Vec::new(),
            numbers: HashMap::new(),
            clusters: Vec::new(),
            cluster_of: Vec::new(),
            joins: Vec::new(),
            apart: Vec::new(),
        };
        let mut forest = Forest {
            parents: Vec::new(),
            exchanges: Vec::new(),
        };
        for (_, tx) in transactions {
            clusters.add(view, tx, &mut forest);
        }
        clusters.gather(&mut forest);
        clusters
    }

    fn add(&mut self, view: &GraphView<'a>, tx: &TxView<'a>, forest: &mut Forest) {
        let coins = tx.inputs.iter().filter_map(|input| input.coin);
        let scripts: BTreeSet<&'a Script> = coins.map(|coin| coin.script).collect();
        if scripts.len() < 2 {
            return;
        }
        if coinjoin(tx).is_some() || stonewall(tx).is_some() {
            self.apart
                .push((tx.txid, "several people may have signed it"));
            return;
        }
        let numbers: Vec<usize> = scripts
            .into_iter()
            .map(|script| self.number(view, script, forest))
            .collect();
        if forest.join(&numbers) {
            self.joins.push((numbers[0], tx.txid));
        } else {
            self.apart
                .push((tx.txid, "its inputs belong to several exchanges"));
        }
    }

    fn number(&mut self, view: &GraphView<'a>, script: &'a Script, forest: &mut Forest) -> usize {
        if let Some(number) = self.numbers.get(script) {
            return *number;
        }
        let number = self.scripts.len();
        self.scripts.push(script);
        self.numbers.insert(script, number);
        forest.parents.push(number);
        let name = name(view.chain, script);
        let labels = exchange_labels(view, &name);
        forest
            .exchanges
            .push(labels.first().map(|label| entity(label).to_owned()));
        self.names.push(name);
        number
    }

    /// Writes down the clusters once all scripts are joined.
    fn gather(&mut self, forest: &mut Forest) {
        let mut members: Vec<(usize, &'a Script, usize)> = Vec::with_capacity(self.scripts.len());
        for (number, script) in self.scripts.iter().enumerate() {
            members.push((forest.root(number), script, number));
        }
        members.sort_unstable();
        let mut grouped: Vec<&[(usize, &'a Script, usize)]> =
            members.chunk_by(|one, other| one.0 == other.0).collect();
        grouped.retain(|group| group.len() >= 2);
        grouped.sort_unstable_by_key(|group| group[0].1);
        self.cluster_of = vec![None; self.scripts.len()];
        for group in grouped {
            for (_, _, number) in group {
                self.cluster_of[*number] = Some(self.clusters.len());
            }
            self.clusters.push(Cluster {
                scripts: group.iter().map(|(_, script, _)| *script).collect(),
                joined_by: Vec::new(),
            });
        }
        self.joins.sort_unstable_by_key(|(_, txid)| *txid);
        for (number, txid) in &self.joins {
            if let Some(cluster) = self.cluster_of[*number] {
                self.clusters[cluster].joined_by.push(*txid);
            }
        }
    }

    /// The cluster of a script; `None` where it was never spent together with another.
    pub fn find(&self, script: &Script) -> Option<&Cluster<'a>> {
        let cluster = self.cluster_of[*self.numbers.get(script)?]?;
        Some(&self.clusters[cluster])
    }

    /// True where two scripts are held to have the same owner.
    pub fn together(&self, one: &Script, other: &Script) -> bool {
        let cluster = |script| self.cluster_of[*self.numbers.get(script)?];
        one == other || (cluster(one).is_some() && cluster(one) == cluster(other))
    }

    /// The transactions whose inputs were left apart, each with the reason, in the order of execution.
    pub fn left_apart(&self) -> &[(Txid, &'static str)] {
        &self.apart
    }

    /// All clusters of two scripts or more, by their first scripts.
    pub fn clusters(&self) -> &[Cluster<'a>] {
        &self.clusters
    }

    /// What a script is called.
    fn name(&self, script: &Script) -> String {
        let number = self.numbers.get(script);
        number.map_or_else(String::new, |number| self.names[*number].clone())
    }

    /// A finding for each cluster.
    pub(super) fn findings(&self, view: &GraphView<'_>) -> Vec<Finding> {
        let clusters = self.clusters.iter();
        clusters
            .map(|cluster| self.finding(view, cluster))
            .collect()
    }

    fn finding(&self, view: &GraphView<'_>, cluster: &Cluster<'_>) -> Finding {
        let Cluster { scripts, joined_by } = cluster;
        let named = joined_by.iter().take(NAMED);
        let subjects = named
            .clone()
            .map(|txid| NodeId::transaction(view.chain, txid).into());
        let pools = named.filter_map(|txid| view.graph.find(txid));
        let flows = pools.flat_map(|pool| view.graph.pool(pool).inputs.iter().copied());
        let evidence = flows.take(NAMED).map(|flow| super::flow_id(view, flow));
        let members = scripts.iter().take(NAMED).map(|script| self.name(script));
        let (addresses, transactions) = (scripts.len(), joined_by.len());
        Verdict::new("btc.cluster", Confidence::Strong)
            .count("addresses", addresses)
            .count("transactions", transactions)
            .with("named", members.collect::<Vec<_>>())
            .finding(
                subjects.collect(),
                evidence.collect(),
                format!(
                    "{addresses} addresses were spent together, in {transactions} transaction{}",
                    if transactions == 1 { "" } else { "s" }
                ),
            )
    }
}

impl Forest {
    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            // Halving the path keeps later searches short.
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    /// Joins scripts, unless they would make one cluster of two exchanges.
    fn join(&mut self, numbers: &[usize]) -> bool {
        let roots: BTreeSet<usize> = numbers.iter().map(|number| self.root(*number)).collect();
        let named = roots
            .iter()
            .filter_map(|root| self.exchanges[*root].clone());
        let exchanges: BTreeSet<String> = named.collect();
        if exchanges.len() > 1 {
            return false;
        }
        let mut roots = roots.into_iter();
        if let Some(first) = roots.next() {
            self.exchanges[first] = exchanges.into_iter().next();
            for root in roots {
                self.parents[root] = first;
            }
        }
        true
    }
}
