//! Places the stations of a river in columns and its streams between them.

use std::collections::BTreeMap;

use hansel_graph::Rule;
use hansel_ledger::AmountError;

use super::river::{River, Role, Station, Stream, river};
use crate::Report;

/// The width of the drawing in its own units; a page scales it.
pub(crate) const WIDTH: f64 = 1200.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 24.0;
const LEFT: f64 = 12.0;
/// Room for the names of the ends.
const RIGHT: f64 = 250.0;
const BAR: f64 = 12.0;
/// Room between two stations of a column: two lines of text.
const GAP: f64 = 40.0;
/// How tall all that was stolen is.
const WHOLE: f64 = 300.0;
const THINNEST: f64 = 1.5;
/// More columns than this leave no room for names between them.
const DEEPEST: usize = 6;
const SWEEPS: usize = 8;

/// A drawing of where the money went.
pub(crate) struct Drawing<'a> {
    pub(super) height: f64,
    pub(super) boxes: Vec<Box<'a>>,
    pub(super) ribbons: Vec<Ribbon>,
}

/// A station with its place.
pub(super) struct Box<'a> {
    pub(super) station: Station<'a>,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A stream with its place: from `(x1, y1)` to `(x2, y2)`, measured at its middle.
pub(super) struct Ribbon {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) x1: f64,
    pub(super) y1: f64,
    pub(super) x2: f64,
    pub(super) y2: f64,
    pub(super) thickness: f64,
    pub(super) weight: f64,
}

/// Draws where the money of a report went, under one rule.
pub(crate) fn draw(report: &Report, rule: Rule) -> Result<Drawing<'_>, AmountError> {
    let river = river(report, rule, DEEPEST)?;
    let columns = columns(&river);
    let tops = rows(&river, &columns);
    Ok(lay(river, &columns, &tops))
}

/// The column of each station; the ends stand in the last one.
fn columns(river: &River<'_>) -> Vec<usize> {
    let mut columns = vec![0_usize; river.stations.len()];
    for _ in 0..river.stations.len() {
        let mut settled = true;
        for stream in &river.streams {
            let next = columns[stream.from] + 1;
            if columns[stream.to] < next && next < river.stations.len() {
                columns[stream.to] = next;
                settled = false;
            }
        }
        if settled {
            break;
        }
    }
    let last = columns.iter().max().copied().unwrap_or(0);
    for (column, station) in columns.iter_mut().zip(&river.stations) {
        if matches!(station.role, Role::End(_)) {
            *column = last;
        }
    }
    columns
}

/// Value that goes in circles passes a place more than once; a report whose flows claim more than that is not drawn to scale.
const MOST_OFTEN: f64 = 10.0;

fn tall(station: &Station<'_>) -> f64 {
    (station.weight.min(MOST_OFTEN) * WHOLE).max(THINNEST)
}

/// The top of each station, by repeated averaging over what it is joined with.
fn rows(river: &River<'_>, columns: &[usize]) -> Vec<f64> {
    let mut by_column: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (station, column) in columns.iter().enumerate() {
        by_column.entry(*column).or_default().push(station);
    }
    let mut tops = vec![0.0; columns.len()];
    for stations in by_column.values_mut() {
        stations.sort_by(|one, next| {
            let weight = |station: &usize| river.stations[*station].weight;
            weight(next).total_cmp(&weight(one)).then(one.cmp(next))
        });
        stack(river, stations, &mut tops);
    }
    for _ in 0..SWEEPS {
        for stations in by_column.values_mut() {
            let wish: Vec<f64> = stations
                .iter()
                .map(|one| middle(river, *one, &tops))
                .collect();
            let mut order: Vec<usize> = (0..stations.len()).collect();
            order.sort_by(|one, next| wish[*one].total_cmp(&wish[*next]).then(one.cmp(next)));
            *stations = order.into_iter().map(|place| stations[place]).collect();
            stack(river, stations, &mut tops);
        }
    }
    let highest = tops.iter().copied().fold(f64::INFINITY, f64::min);
    tops.iter().map(|top| top - highest + TOP).collect()
}

/// Sets the stations of a column one under the other around the middle.
fn stack(river: &River<'_>, stations: &[usize], tops: &mut [f64]) {
    let heights = stations.iter().map(|one| tall(&river.stations[*one]) + GAP);
    let mut next = -heights.sum::<f64>() / 2.0;
    for station in stations {
        tops[*station] = next;
        next += tall(&river.stations[*station]) + GAP;
    }
}

/// Where a station would like its middle to be: the weighted mean of what it is joined with.
fn middle(river: &River<'_>, station: usize, tops: &[f64]) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for stream in &river.streams {
        let other = match (stream.from == station, stream.to == station) {
            (true, _) => stream.to,
            (_, true) => stream.from,
            (false, false) => continue,
        };
        sum += stream.weight * (tops[other] + tall(&river.stations[other]) / 2.0);
        weight += stream.weight;
    }
    if weight > 0.0 {
        sum / weight
    } else {
        tops[station]
    }
}

fn lay<'a>(river: River<'a>, columns: &[usize], tops: &[f64]) -> Drawing<'a> {
    let River { stations, streams } = river;
    let last = columns.iter().max().copied().unwrap_or(0).max(1);
    let step = (WIDTH - LEFT - RIGHT - BAR) / number(last);
    let boxes: Vec<Box<'a>> = stations
        .into_iter()
        .enumerate()
        .map(|(at, station)| Box {
            x: LEFT + number(columns[at]) * step,
            y: tops[at],
            width: BAR,
            height: tall(&station),
            station,
        })
        .collect();
    let lowest = boxes
        .iter()
        .map(|one| one.y + one.height)
        .fold(TOP, f64::max);
    let ribbons = ribbons(&boxes, streams);
    Drawing {
        height: lowest + GAP + BOTTOM,
        boxes,
        ribbons,
    }
}

/// Joins the boxes; at each box the ribbons lie in the order of what they lead to, so that few cross.
fn ribbons(boxes: &[Box<'_>], streams: Vec<Stream>) -> Vec<Ribbon> {
    let mut leaving: Vec<usize> = (0..streams.len()).collect();
    let mut arriving = leaving.clone();
    leaving.sort_by(|one, next| {
        let key = |at: usize| boxes[streams[at].to].y;
        key(*one).total_cmp(&key(*next)).then(one.cmp(next))
    });
    arriving.sort_by(|one, next| {
        let key = |at: usize| boxes[streams[at].from].y;
        key(*one).total_cmp(&key(*next)).then(one.cmp(next))
    });
    let place = |order: &[usize], end: &dyn Fn(&Stream) -> usize| {
        let mut used = vec![0.0; boxes.len()];
        let mut places = vec![0.0; streams.len()];
        for at in order {
            let thickness = streams[*at].weight * WHOLE;
            let used = &mut used[end(&streams[*at])];
            places[*at] = *used + thickness / 2.0;
            *used += thickness;
        }
        places
    };
    let from = place(&leaving, &|stream| stream.from);
    let to = place(&arriving, &|stream| stream.to);
    streams
        .into_iter()
        .enumerate()
        .map(|(at, stream)| Ribbon {
            x1: boxes[stream.from].x + BAR,
            y1: boxes[stream.from].y + from[at],
            x2: boxes[stream.to].x,
            y2: boxes[stream.to].y + to[at],
            thickness: (stream.weight * WHOLE).max(0.75),
            weight: stream.weight,
            from: stream.from,
            to: stream.to,
        })
        .collect()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
