//! The order of flows that share a block or a transaction, which the data set does not tell.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};

use super::LaunderFlow;

/// Orders by block; within one, transactions and their flows follow the value: who receives comes before who
/// passes on. Where that goes round in a circle, the order of the file stands.
pub(super) fn in_order(flows: Vec<LaunderFlow>) -> Vec<LaunderFlow> {
    let mut blocks: BTreeMap<u64, Vec<Vec<LaunderFlow>>> = BTreeMap::new();
    let mut places: BTreeMap<B256, usize> = BTreeMap::new();
    for flow in flows {
        let transactions = blocks.entry(flow.block).or_default();
        let place = *places.entry(flow.tx).or_insert(transactions.len());
        match transactions.get_mut(place) {
            Some(transaction) => transaction.push(flow),
            None => transactions.push(vec![flow]),
        }
    }
    let sorted = blocks.into_values().map(|transactions| {
        let inner = transactions.into_iter().map(|flows| {
            let single = flows.into_iter().map(|flow| vec![flow]);
            along(single.collect()).concat()
        });
        along(inner.collect()).concat()
    });
    sorted.flatten().collect()
}

fn along(mut groups: Vec<Vec<LaunderFlow>>) -> Vec<Vec<LaunderFlow>> {
    let mut ordered = Vec::with_capacity(groups.len());
    while !groups.is_empty() {
        let waits = |at: usize, group: &[LaunderFlow]| {
            let others = groups.iter().enumerate().filter(|(other, _)| *other != at);
            others
                .flat_map(|(_, other)| other)
                .any(|flow| gives(group, flow.to))
        };
        let free = groups
            .iter()
            .enumerate()
            .position(|(at, group)| !waits(at, group));
        ordered.push(groups.remove(free.unwrap_or(0)));
    }
    ordered
}

fn gives(group: &[LaunderFlow], account: Address) -> bool {
    group.iter().any(|flow| flow.from == account)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(block: u64, tx: u8, from: u8, to: u8) -> LaunderFlow {
        LaunderFlow {
            block,
            time: block,
            tx: B256::repeat_byte(tx),
            from: Address::repeat_byte(from),
            to: Address::repeat_byte(to),
            value: 1,
        }
    }

    #[test]
    fn who_receives_comes_before_who_passes_on() {
        let chain = [
            flow(1, 1, 1, 2),
            flow(1, 2, 2, 3),
            flow(1, 2, 3, 4),
            flow(2, 3, 4, 1),
        ];
        let mut mixed = chain.to_vec();
        mixed.reverse();
        assert_eq!(in_order(mixed), chain);
    }

    #[test]
    fn a_circle_keeps_the_order_of_the_file() {
        let circle = vec![flow(1, 1, 1, 2), flow(1, 2, 2, 1)];
        assert_eq!(in_order(circle.clone()), circle);
    }
}
