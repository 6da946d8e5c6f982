//! The money as a river with few branches: the heaviest stations on its way and where it ended.
//!
//! Everything between the stations is drawn as one ribbon. What flows through a node that is not drawn leaves it
//! in proportion, so the ribbons show how much, and the ends hold exactly what the report says they hold.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use hansel_graph::Rule;
use hansel_ledger::AmountError;

use super::claims::{Claims, add, departed, merge};
use super::weight::Weights;
use crate::Report;
use crate::model::{Node, NodeKind, StopKind};
use crate::references::Numbers;

/// How many nodes on the way are drawn one by one.
const STATIONS: usize = 12;
/// How many thefts are drawn one by one.
const SPRINGS: usize = 6;
/// How many ends are drawn one by one.
const ENDS: usize = 10;
/// What is lighter than this part of all that was stolen is not drawn one by one.
const LIGHTEST: f64 = 0.01;
/// A node on the way is a link of a chain where one way in and one way out carry at least this part.
const LINK: f64 = 0.85;
/// Ribbons thinner than this part are left out.
const THINNEST: f64 = 0.000_5;

/// The river.
pub(super) struct River<'a> {
    pub(super) stations: Vec<Station<'a>>,
    pub(super) streams: Vec<Stream>,
}

/// A place of the river.
pub(super) struct Station<'a> {
    pub(super) role: Role,
    /// The node, where the place is one.
    pub(super) node: Option<&'a Node>,
    /// How many nodes it stands for.
    pub(super) count: usize,
    pub(super) claims: Claims<'a>,
    pub(super) weight: f64,
}

/// What a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Where the stolen value came from.
    Spring,
    /// On the way.
    Passing,
    /// Where it is now; `None` where it was not followed.
    End(Option<StopKind>),
}

/// Value that went from station to station, through however many nodes.
pub(super) struct Stream {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) weight: f64,
}

/// The tainted part of the graph, by number of node.
struct Net<'a> {
    report: &'a Report,
    out: Vec<BTreeMap<usize, f64>>,
    entered: Vec<f64>,
    /// The heaviest way into each node.
    before: Vec<f64>,
    claims: Vec<Claims<'a>>,
    /// What came to an end at each node.
    held: Vec<f64>,
    held_claims: Vec<Claims<'a>>,
    /// What was stolen from each node, where something was.
    departed: BTreeMap<usize, Claims<'a>>,
}

/// Draws the river of a report under a rule, with at most so many stations on the way one behind the other.
pub(super) fn river(report: &Report, rule: Rule, deepest: usize) -> Result<River<'_>, AmountError> {
    let net = Net::of(report, rule)?;
    let mut most = STATIONS;
    loop {
        let mut river = River {
            stations: Vec::new(),
            streams: Vec::new(),
        };
        let on_the_way = river.open(&net, most)?;
        let ends = river.close(&net)?;
        river.join(&net, &on_the_way, &ends);
        if most == 0 || river.depth() <= deepest {
            return Ok(river);
        }
        most -= 1;
    }
}

impl<'a> Net<'a> {
    fn of(report: &'a Report, rule: Rule) -> Result<Self, AmountError> {
        let weights = Weights::of(report);
        let numbers = Numbers::of(report);
        let assets: BTreeMap<&str, (&str, &str)> = report
            .seeds
            .iter()
            .map(|seed| (&*seed.id, (&*seed.chain, &*seed.asset)))
            .collect();
        let size = report.nodes.len();
        let mut net = Self {
            report,
            out: vec![BTreeMap::new(); size],
            entered: vec![0.0; size],
            before: vec![0.0; size],
            claims: vec![Claims::default(); size],
            held: vec![0.0; size],
            held_claims: vec![Claims::default(); size],
            departed: departed(report, &numbers)?,
        };
        for flow in &report.flows {
            let weight = weights.share(&flow.claims, rule);
            let (Some(from), Some(to)) = (numbers.get(&flow.from), numbers.get(&flow.to)) else {
                continue;
            };
            if weight > 0.0 && from != to {
                *net.out[from].entry(to).or_default() += weight;
                net.entered[to] += weight;
                add(&mut net.claims[to], flow.claims.get(&rule), &assets)?;
            }
        }
        for out in &net.out {
            for (to, weight) in out {
                net.before[*to] = net.before[*to].max(*weight);
            }
        }
        for (number, node) in report.nodes.iter().enumerate() {
            if node.keeps_accounts() {
                for holding in &node.holdings {
                    net.held[number] += weights.share(&holding.claims, rule);
                    add(
                        &mut net.held_claims[number],
                        holding.claims.get(&rule),
                        &assets,
                    )?;
                }
            } else if node.stop.is_some() || node.kind == NodeKind::Output {
                net.held[number] = net.entered[number];
                net.held_claims[number] = net.claims[number].clone();
            }
        }
        Ok(net)
    }

    /// True where the money of a node divides or meets; a link of a chain is drawn as part of the ribbon.
    fn is_fork(&self, node: usize) -> bool {
        let whole = self.entered[node].max(f64::MIN_POSITIVE);
        let most = |weights: &mut dyn Iterator<Item = f64>| weights.fold(0.0, f64::max) / whole;
        let out = most(&mut self.out[node].values().copied());
        out < LINK || self.before[node] < LINK * whole
    }

    fn departed(&self, node: usize) -> Claims<'a> {
        self.departed.get(&node).cloned().unwrap_or_default()
    }

    fn is_spring(&self, node: usize) -> bool {
        self.entered[node] == 0.0 && !self.out[node].is_empty()
    }

    /// Every node after those that paid it, as far as there is such an order; otherwise the older first.
    fn order(&self) -> Vec<usize> {
        let size = self.out.len();
        let mut waiting = vec![0_usize; size];
        for to in self.out.iter().flat_map(BTreeMap::keys) {
            waiting[*to] += 1;
        }
        let age = |node: usize| Reverse((self.report.nodes[node].block.unwrap_or(u64::MAX), node));
        let mut ready: BinaryHeap<_> = (0..size)
            .filter(|node| waiting[*node] == 0)
            .map(age)
            .collect();
        let mut rest: BinaryHeap<_> = (0..size).map(age).collect();
        let mut done = vec![false; size];
        let mut order = Vec::with_capacity(size);
        while let Some(Reverse((_, node))) = ready.pop().or_else(|| rest.pop()) {
            if std::mem::replace(&mut done[node], true) {
                continue;
            }
            order.push(node);
            for to in self.out[node].keys() {
                waiting[*to] = waiting[*to].saturating_sub(1);
                if waiting[*to] == 0 {
                    ready.push(age(*to));
                }
            }
        }
        order
    }
}

impl<'a> River<'a> {
    /// Makes stations of the heaviest springs and of the heaviest nodes on the way: the station of each node.
    fn open(&mut self, net: &Net<'a>, most: usize) -> Result<BTreeMap<usize, usize>, AmountError> {
        let nodes = 0..net.out.len();
        let left = |node: &usize| net.out[*node].values().sum::<f64>();
        let springs: Vec<usize> = nodes.clone().filter(|node| net.is_spring(*node)).collect();
        let passing = |node: &usize| {
            net.entered[*node] > 0.0 && !net.out[*node].is_empty() && net.is_fork(*node)
        };
        let mut stations = BTreeMap::new();
        let (drawn, others) = heaviest(springs, SPRINGS, 0.0, &left);
        for node in drawn {
            stations.insert(node, self.stations.len());
            let claims = net.departed(node);
            self.put(
                Role::Spring,
                Some(&net.report.nodes[node]),
                1,
                claims,
                left(&node),
            );
        }
        if !others.is_empty() {
            let mut claims = Claims::default();
            for node in &others {
                stations.insert(*node, self.stations.len());
                merge(&mut claims, &net.departed(*node))?;
            }
            let weight = others.iter().map(left).sum();
            self.put(Role::Spring, None, others.len(), claims, weight);
        }
        let entered = |node: &usize| net.entered[*node];
        let (drawn, _) = heaviest(nodes.filter(passing).collect(), most, LIGHTEST, &entered);
        for node in drawn {
            stations.insert(node, self.stations.len());
            let claims = net.claims[node].clone();
            self.put(
                Role::Passing,
                Some(&net.report.nodes[node]),
                1,
                claims,
                entered(&node),
            );
        }
        Ok(stations)
    }

    /// Makes stations of the ends: the heaviest one by one, the others by kind. The station of each node.
    fn close(&mut self, net: &Net<'a>) -> Result<BTreeMap<usize, usize>, AmountError> {
        let held = |node: &usize| net.held[*node];
        let all: Vec<usize> = (0..net.out.len()).filter(|node| held(node) > 0.0).collect();
        let kind = |node: usize| net.report.nodes[node].stop.as_ref().map(|stop| stop.kind);
        let (drawn, others) = heaviest(all, ENDS, LIGHTEST, &held);
        let mut stations = BTreeMap::new();
        for node in drawn {
            stations.insert(node, self.stations.len());
            let claims = net.held_claims[node].clone();
            let place = Some(&net.report.nodes[node]);
            self.put(Role::End(kind(node)), place, 1, claims, held(&node));
        }
        let mut groups: BTreeMap<Option<StopKind>, Vec<usize>> = BTreeMap::new();
        for node in others {
            groups.entry(kind(node)).or_default().push(node);
        }
        for (kind, nodes) in groups {
            let mut claims = Claims::default();
            for node in &nodes {
                stations.insert(*node, self.stations.len());
                merge(&mut claims, &net.held_claims[*node])?;
            }
            let weight = nodes.iter().map(held).sum();
            self.put(Role::End(kind), None, nodes.len(), claims, weight);
        }
        Ok(stations)
    }

    /// How many streams follow each other at most.
    fn depth(&self) -> usize {
        let most = self.stations.len();
        let mut depth = vec![0_usize; most];
        for _ in 0..most {
            for stream in &self.streams {
                let next = (depth[stream.from] + 1).min(most);
                depth[stream.to] = depth[stream.to].max(next);
            }
        }
        depth.into_iter().max().unwrap_or(0)
    }

    fn put(
        &mut self,
        role: Role,
        node: Option<&'a Node>,
        count: usize,
        claims: Claims<'a>,
        weight: f64,
    ) {
        self.stations.push(Station {
            role,
            node,
            count,
            claims,
            weight,
        });
    }

    /// Lets the value flow from station to station, node by node.
    fn join(
        &mut self,
        net: &Net<'a>,
        stations: &BTreeMap<usize, usize>,
        ends: &BTreeMap<usize, usize>,
    ) {
        let mut arrived: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); net.out.len()];
        let mut streams: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        let mut done = vec![false; net.out.len()];
        for node in net.order() {
            done[node] = true;
            let mut coming = std::mem::take(&mut arrived[node]);
            if let Some(station) = stations.get(&node) {
                for (from, weight) in &coming {
                    *streams.entry((*from, *station)).or_default() += weight;
                }
                let whole = net.out[node].values().sum::<f64>() + net.held[node];
                coming = BTreeMap::from([(*station, whole)]);
            }
            let leaving = net.out[node].values().sum::<f64>() + net.held[node];
            let part = |weight: f64, out: f64| {
                if leaving > 0.0 {
                    weight * out / leaving
                } else {
                    0.0
                }
            };
            for (from, weight) in coming {
                if let Some(end) = ends.get(&node) {
                    *streams.entry((from, *end)).or_default() += part(weight, net.held[node]);
                }
                // What flows back to a place that is drawn already would turn the river round.
                for (to, out) in net.out[node].iter().filter(|(to, _)| !done[**to]) {
                    *arrived[*to].entry(from).or_default() += part(weight, *out);
                }
            }
        }
        let streams = streams
            .into_iter()
            .filter(|((from, to), weight)| from != to && *weight > THINNEST);
        self.streams = streams
            .map(|((from, to), weight)| Stream { from, to, weight })
            .collect();
    }
}

/// The heaviest nodes above a bound, at most so many, and the others.
fn heaviest(
    mut nodes: Vec<usize>,
    most: usize,
    bound: f64,
    weight: &dyn Fn(&usize) -> f64,
) -> (Vec<usize>, Vec<usize>) {
    nodes.sort_by(|one, next| weight(next).total_cmp(&weight(one)).then(one.cmp(next)));
    let heavy = nodes
        .iter()
        .take(most)
        .filter(|node| weight(node) >= bound)
        .count();
    let others = nodes.split_off(heavy);
    (nodes, others)
}
