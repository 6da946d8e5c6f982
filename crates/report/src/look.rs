//! How graph formats draw a node or a flow: its size by its share of the largest, its colour by what it is.
//!
//! Sizes and colours only illustrate; the amounts stand beside them.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::Rule;
use hansel_ledger::Amount;

use crate::Report;
use crate::holding::{Holding, Holdings};
use crate::model::{Flow, Node, Seed, Sorted};
use crate::picture::stop_class;

/// A colour of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) [u8; 3]);

impl Colour {
    /// `#3c6e47`.
    pub(crate) fn hex(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }
}

/// Amounts whose areas are drawn in thousandths of the largest one's side.
const WHOLE: u64 = 1_000;
const SMALLEST_NODE: u64 = 10;
const LARGEST_NODE: u64 = 60;
const THINNEST_FLOW: u64 = 1;
const THICKEST_FLOW: u64 = 9;

/// What sizes of one report are measured against.
pub(crate) struct Looks<'a> {
    rule: Option<Rule>,
    largest_node: BTreeMap<&'a str, Amount>,
    largest_flow: BTreeMap<&'a str, Amount>,
    springs: BTreeSet<&'a str>,
}

impl<'a> Looks<'a> {
    /// Sizes are those of the first rule that conserves value.
    pub(crate) fn of(report: &'a Report, holdings: &'a Holdings<'a>) -> Self {
        let rules = &report.case.rules;
        let rule = rules.iter().find(|rule| rule.conserves()).or(rules.first());
        let mut looks = Self {
            rule: rule.copied(),
            largest_node: BTreeMap::new(),
            largest_flow: BTreeMap::new(),
            springs: springs(report),
        };
        for holding in report.nodes.iter().flat_map(|node| holdings.at(&node.id)) {
            let amount = looks.weighed(&holding.tainted);
            let largest = looks.largest_node.entry(holding.asset).or_default();
            *largest = amount.max(*largest);
        }
        for flow in &report.flows {
            let amount = looks.weighed(&flow.tainted);
            let largest = looks.largest_flow.entry(&flow.asset).or_default();
            *largest = amount.max(*largest);
        }
        looks
    }

    fn weighed(&self, tainted: &Sorted<Rule, Amount>) -> Amount {
        let amount = self.rule.and_then(|rule| tainted.get(&rule));
        amount.copied().unwrap_or_default()
    }

    /// The diameter of a node.
    pub(crate) fn size(&self, held: &[Holding<'_>]) -> u64 {
        let sides = held.iter().map(|holding| {
            let largest = self.largest_node.get(holding.asset).copied();
            side(self.weighed(&holding.tainted), largest.unwrap_or_default())
        });
        let side = sides.max().unwrap_or(0);
        SMALLEST_NODE + (LARGEST_NODE - SMALLEST_NODE) * side / WHOLE
    }

    /// The width of a flow's line.
    pub(crate) fn width(&self, flow: &Flow) -> u64 {
        let largest = self.largest_flow.get(&*flow.asset).copied();
        let side = side(self.weighed(&flow.tainted), largest.unwrap_or_default());
        THINNEST_FLOW + (THICKEST_FLOW - THINNEST_FLOW) * side / WHOLE
    }

    /// The colour of a node, the same as in the other drawings.
    pub(crate) fn colour(&self, node: &Node) -> Colour {
        let class = match &node.stop {
            Some(stop) => stop_class(stop.kind),
            None if self.springs.contains(&*node.id) => "spring",
            None => "passing",
        };
        colour(class)
    }
}

/// The nodes that the stolen flows left.
fn springs(report: &Report) -> BTreeSet<&str> {
    let stolen: BTreeSet<_> = report.seeds.iter().map(stolen_flow).collect();
    let flows = report.flows.iter();
    let flows = flows.filter(|flow| stolen.contains(&flow.id));
    flows.map(|flow| &*flow.from).collect()
}

fn stolen_flow(seed: &Seed) -> String {
    let output = |vout: u32| format!("{}:output:{}:{vout}", seed.chain, seed.tx);
    let told = seed.flow.clone();
    told.or_else(|| seed.vout.map(output)).unwrap_or_default()
}

/// The side of a square whose area is the amount's share of the largest, in thousandths.
fn side(amount: Amount, largest: Amount) -> u64 {
    let area = Amount::from(WHOLE * WHOLE);
    let share = amount.mul_div(area, largest.max(Amount::ONE));
    let share = share.ok().and_then(|share| share.to_string().parse().ok());
    u64::isqrt(share.unwrap_or(0)).min(WHOLE)
}

/// The colours of `html/style.css` on a light ground.
fn colour(class: &str) -> Colour {
    Colour(match class {
        "spring" => [0x8c, 0x1d, 0x18],
        "at-rest" => [0x3c, 0x6e, 0x47],
        "exchange" => [0x0b, 0x5c, 0xad],
        "mixer" => [0x6a, 0x2c, 0x91],
        "bridge" => [0xa8, 0x5b, 0x00],
        "service" => [0x0a, 0x7d, 0x83],
        "hub" => [0x7a, 0x5c, 0x00],
        "open" => [0x8a, 0x8a, 0x8a],
        "lost" => [0x44, 0x44, 0x44],
        _ => [0x5b, 0x6b, 0x7f],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_that_is_drawn_is_the_share_of_the_largest() {
        let side = |amount: u64, largest: u64| side(amount.into(), largest.into());
        assert_eq!(side(100, 100), 1_000);
        assert_eq!(side(25, 100), 500);
        assert_eq!(side(0, 100), 0);
        assert_eq!(side(0, 0), 0);
        assert_eq!(side(u64::MAX, u64::MAX), 1_000);
    }
}
