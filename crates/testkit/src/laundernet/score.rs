//! Compares what a trace found with what experts found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};

use super::{LaunderFlow, LaunderNet};

/// A movement of the dollar that a trace holds to be tainted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundFlow {
    /// The transaction.
    pub tx: B256,
    /// Who gave.
    pub from: Address,
    /// Who received.
    pub to: Address,
    /// How much of it is tainted, in millionths of a dollar; above zero.
    pub tainted: u64,
}

/// How well a trace did. Values are millionths of a dollar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunderScore {
    /// The value of the case's flows.
    pub value: u64,
    /// Flows of the case that were found with any taint on them.
    pub found_flows: usize,
    /// Their value as the data set has it.
    pub found_value: u64,
    /// The tainted part of that.
    pub found_tainted: u64,
    /// Terminal addresses of the case.
    pub terminals: usize,
    /// Those that a found flow of the case reached.
    pub found_terminals: usize,
    /// Flows of the case that were not found, in their order.
    pub missed: Vec<LaunderFlow>,
    /// Flows that were reported and are not of the case, most tainted first.
    pub wrong: Vec<FoundFlow>,
}

/// Scores the flows of a report. Flows that paid the sources are what was stolen and count neither way.
///
/// Money sent to the zero address is destroyed; a trace may say so by naming the token's contract instead.
pub fn score(case: &LaunderNet, dollar: Address, found: &[FoundFlow]) -> LaunderScore {
    let mut tainted: BTreeMap<(B256, Address, Address), u64> = BTreeMap::new();
    for flow in found.iter().filter(|flow| !case.sources.contains(&flow.to)) {
        let to = if flow.to == dollar {
            Address::ZERO
        } else {
            flow.to
        };
        *tainted.entry((flow.tx, flow.from, to)).or_default() += flow.tainted;
    }
    let mut score = LaunderScore {
        value: case.total(),
        terminals: case.terminals.len(),
        ..LaunderScore::default()
    };
    let mut reached = BTreeSet::new();
    for flow in &case.flows {
        if let Some(taint) = tainted.remove(&(flow.tx, flow.from, flow.to)) {
            score.found_flows += 1;
            score.found_value += flow.value;
            score.found_tainted += taint.min(flow.value);
            reached.insert(flow.to);
        } else {
            score.missed.push(flow.clone());
        }
    }
    score.found_terminals = reached.intersection(&case.terminals).count();
    score.wrong = wrong(tainted);
    score
}

fn wrong(left: BTreeMap<(B256, Address, Address), u64>) -> Vec<FoundFlow> {
    let flows = left.into_iter().map(|((tx, from, to), tainted)| FoundFlow {
        tx,
        from,
        to,
        tainted,
    });
    let mut flows: Vec<_> = flows.collect();
    flows.sort_by_key(|flow| Reverse(flow.tainted));
    flows
}

impl LaunderScore {
    /// The share of the case's value whose flows were found, in hundredths of a percent.
    pub fn coverage(&self) -> u64 {
        share(self.found_value, self.value)
    }

    /// The share of the case's value that was found as tainted, in hundredths of a percent.
    pub fn tainted_coverage(&self) -> u64 {
        share(self.found_tainted, self.value)
    }

    /// The share of terminal addresses that were found, in hundredths of a percent.
    pub fn terminal_coverage(&self) -> u64 {
        share(wide(self.found_terminals), wide(self.terminals))
    }

    /// The share of reported flows that are of the case, in hundredths of a percent.
    pub fn precision(&self) -> u64 {
        share(
            wide(self.found_flows),
            wide(self.found_flows + self.wrong.len()),
        )
    }

    /// The share of reported taint that is on flows of the case, in hundredths of a percent.
    pub fn tainted_precision(&self) -> u64 {
        let wrong: u64 = self.wrong.iter().map(|flow| flow.tainted).sum();
        share(self.found_tainted, self.found_tainted + wrong)
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("a count in memory fits 64 bits")
}

fn share(part: u64, whole: u64) -> u64 {
    let share = u128::from(part) * 10_000 / u128::from(whole.max(1));
    u64::try_from(share).expect("a part is no more than its whole")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laundernet::LaunderFlow;

    fn address(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    fn flow(tx: u8, from: u8, to: u8, value: u64) -> LaunderFlow {
        LaunderFlow {
            block: 1,
            time: 1,
            tx: B256::repeat_byte(tx),
            from: address(from),
            to: address(to),
            value,
        }
    }

    fn found(tx: u8, from: u8, to: u8, tainted: u64) -> FoundFlow {
        FoundFlow {
            tx: B256::repeat_byte(tx),
            from: address(from),
            to: address(to),
            tainted,
        }
    }

    /// 1 pays 2, who pays 3 and burns some.
    fn case() -> LaunderNet {
        LaunderNet {
            name: "case".into(),
            flows: vec![flow(1, 1, 2, 100), flow(2, 2, 3, 60), flow(3, 2, 0, 40)],
            sources: BTreeSet::from([address(1)]),
            terminals: BTreeSet::from([address(3), address(0)]),
            labels: BTreeMap::new(),
        }
    }

    #[test]
    fn found_flows_count_by_their_value_and_false_ones_by_their_taint() {
        let dollar = address(0xdd);
        let flows = [
            found(9, 8, 1, 100),
            found(1, 1, 2, 50),
            found(3, 2, 0xdd, 40),
            found(4, 2, 7, 10),
        ];
        let score = score(&case(), dollar, &flows);
        assert_eq!((score.coverage(), score.tainted_coverage()), (7_000, 4_500));
        assert_eq!(
            (score.precision(), score.tainted_precision()),
            (6_666, 9_000)
        );
        assert_eq!(
            (score.found_terminals, score.terminal_coverage()),
            (1, 5_000)
        );
    }

    #[test]
    fn the_same_parties_in_another_transaction_are_not_the_flow() {
        let score = score(&case(), address(0xdd), &[found(5, 1, 2, 100)]);
        assert_eq!(
            (score.found_flows, score.wrong),
            (0, vec![found(5, 1, 2, 100)])
        );
        assert_eq!(score.missed, case().flows);
    }

    #[test]
    fn nothing_found_is_nothing_and_no_error() {
        let score = score(&case(), address(0xdd), &[]);
        assert_eq!((score.coverage(), score.precision()), (0, 0));
    }
}
