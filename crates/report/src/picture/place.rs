//! Where each node stands in the interactive graph: time from left to right, trails side by side.
//!
//! Layout engines take minutes for some thousand nodes. Money has a direction that they do not know: time. So
//! nodes stand in columns by time, quiet months are drawn short, and within a column nodes stand near what paid them.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::Report;
use crate::references::Numbers;

/// How many columns the nodes are sorted into at most.
const COLUMNS: usize = 400;
/// How often the rows are improved; more sweeps change little.
const SWEEPS: usize = 4;
/// How much of the width follows time; the rest follows the order, so that a busy hour does not become a dot.
const BY_TIME: f64 = 0.35;

/// The place of each node, in the order of the report's nodes, and the marks of the time axis.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Places {
    /// From left to right, 0 to 1000.
    pub(crate) x: Vec<i32>,
    /// From top to bottom.
    pub(crate) y: Vec<i32>,
    /// Times with their places.
    pub(crate) ticks: Vec<Tick>,
}

/// A mark of the time axis.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tick {
    pub(crate) x: i32,
    pub(crate) time: String,
}

/// Places the nodes of a report.
pub(crate) fn place(report: &Report) -> Places {
    let links = Links::of(report);
    let moments = moments(report);
    let hops = links.hops();
    let order = by_moment(&moments, &hops);
    let across = across(&moments, &hops);
    let columns = columns(&across);
    let down = rows(&columns, &links, report.nodes.len());
    let ticks = ticks(report, &order, &across);
    Places {
        x: across.into_iter().map(rounded).collect(),
        y: down.into_iter().map(rounded).collect(),
        ticks,
    }
}

/// When each node came to be, in seconds; a node without a time takes that of what paid it.
fn moments(report: &Report) -> Vec<i64> {
    let numbers = Numbers::of(report);
    let mut known: Vec<Option<i64>> = report
        .nodes
        .iter()
        .map(|node| node.time.map(|time| seconds(time.0.0)))
        .collect();
    for flow in &report.flows {
        let (Some(time), Some(to)) = (flow.time, numbers.get(&flow.to)) else {
            continue;
        };
        if report.nodes[to].time.is_none() {
            let moment = seconds(time.0.0);
            known[to] = Some(known[to].map_or(moment, |before| before.min(moment)));
        }
    }
    let last = known.iter().flatten().max().copied().unwrap_or(0);
    known
        .into_iter()
        .map(|moment| moment.unwrap_or(last))
        .collect()
}

fn seconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

/// Older nodes first; of one moment those that are nearer to the theft.
fn by_moment(moments: &[i64], hops: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..moments.len()).collect();
    order.sort_by_key(|node| (moments[*node], hops[*node], *node));
    order
}

fn across(moments: &[i64], hops: &[usize]) -> Vec<f64> {
    let start = moments.iter().min().copied().unwrap_or(0);
    let end = moments.iter().max().copied().unwrap_or(0);
    let mut distinct: Vec<(i64, usize)> =
        moments.iter().copied().zip(hops.iter().copied()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let by_time = if end > start { BY_TIME } else { 0.0 };
    let place = |(moment, hop): (&i64, &usize)| {
        let rank = distinct.partition_point(|other| *other < (*moment, *hop));
        let by_order = part(rank, distinct.len().saturating_sub(1));
        1000.0 * (by_time * ratio(moment - start, end - start) + (1.0 - by_time) * by_order)
    };
    moments.iter().zip(hops).map(place).collect()
}

fn part(number: usize, of: usize) -> f64 {
    let exact = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if of == 0 {
        0.0
    } else {
        exact(number) / exact(of)
    }
}

fn ratio(number: i64, of: i64) -> f64 {
    // Thousandths are as fine as a screen.
    if of <= 0 {
        return 0.0;
    }
    let thousandths = i128::from(number) * 1_000_000 / i128::from(of);
    f64::from(i32::try_from(thousandths).unwrap_or(0)) / 1_000_000.0
}

/// Nodes by column, each column in the order of the report.
fn columns(across: &[f64]) -> Vec<Vec<usize>> {
    let mut columns: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    let width = 1000.0 / f64::from(u32::try_from(COLUMNS).unwrap_or(u32::MAX));
    for (node, x) in across.iter().enumerate() {
        columns.entry(rounded(x / width)).or_default().push(node);
    }
    columns.into_values().collect()
}

/// Which nodes share a flow.
struct Links {
    /// For each node the nodes that it paid or was paid by.
    around: Vec<Vec<usize>>,
    /// For each node the nodes that it paid.
    next: Vec<Vec<usize>>,
    /// How many flows each node received.
    received: Vec<usize>,
}

impl Links {
    fn of(report: &Report) -> Self {
        let numbers = Numbers::of(report);
        let mut links = Self {
            around: vec![Vec::new(); report.nodes.len()],
            next: vec![Vec::new(); report.nodes.len()],
            received: vec![0; report.nodes.len()],
        };
        for flow in &report.flows {
            let (Some(from), Some(to)) = (numbers.get(&flow.from), numbers.get(&flow.to)) else {
                continue;
            };
            links.around[from].push(to);
            links.around[to].push(from);
            links.next[from].push(to);
            links.received[to] += 1;
        }
        links
    }

    /// The fewest steps from a node that received nothing.
    fn hops(&self) -> Vec<usize> {
        let mut hops = vec![usize::MAX; self.next.len()];
        let mut queue: VecDeque<usize> = (0..hops.len())
            .filter(|node| self.received[*node] == 0)
            .collect();
        for node in &queue {
            hops[*node] = 0;
        }
        while let Some(node) = queue.pop_front() {
            for next in &self.next[node] {
                if hops[*next] == usize::MAX {
                    hops[*next] = hops[node] + 1;
                    queue.push_back(*next);
                }
            }
        }
        hops
    }
}

/// Rows by repeated averaging over neighbours, then even spacing within each column.
fn rows(columns: &[Vec<usize>], links: &Links, nodes: usize) -> Vec<f64> {
    let mut down = vec![0.0; nodes];
    for column in columns {
        spread(column, &mut down);
    }
    for sweep in 0..SWEEPS {
        let forth: Vec<&Vec<usize>> = if sweep % 2 == 0 {
            columns.iter().collect()
        } else {
            columns.iter().rev().collect()
        };
        for column in forth {
            let wish = |node: &usize| -> f64 {
                let around = &links.around[*node];
                if around.is_empty() {
                    return down[*node];
                }
                let sum: f64 = around.iter().map(|other| down[*other]).sum();
                sum / f64::from(u32::try_from(around.len()).unwrap_or(u32::MAX))
            };
            let mut sorted: Vec<(f64, usize)> =
                column.iter().map(|node| (wish(node), *node)).collect();
            sorted.sort_by(|one, next| one.0.total_cmp(&next.0).then(one.1.cmp(&next.1)));
            let sorted: Vec<usize> = sorted.into_iter().map(|(_, node)| node).collect();
            spread(&sorted, &mut down);
        }
    }
    down
}

/// Sets a column's nodes one under the other around the middle.
fn spread(column: &[usize], down: &mut [f64]) {
    let size = f64::from(u32::try_from(column.len()).unwrap_or(u32::MAX));
    for (row, node) in column.iter().enumerate() {
        let row = f64::from(u32::try_from(row).unwrap_or(u32::MAX));
        down[*node] = (row - (size - 1.0) / 2.0) * 10.0;
    }
}

/// About ten marks, each at a node whose time is known.
fn ticks(report: &Report, order: &[usize], across: &[f64]) -> Vec<Tick> {
    let mut ticks: Vec<Tick> = Vec::new();
    for node in order {
        let Some(time) = report.nodes[*node].time else {
            continue;
        };
        let x = rounded(across[*node]);
        if ticks.last().is_none_or(|last| x - last.x >= 90) {
            ticks.push(Tick {
                x,
                time: time.to_string(),
            });
        }
    }
    ticks
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a place within a drawing, saturated by the cast itself"
)]
fn rounded(place: f64) -> i32 {
    (place.round()) as i32
}
