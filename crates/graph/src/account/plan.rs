//! The order in which a transaction's movements are settled, which no rule decides.

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin, Movement};
use hashbrown::HashMap;

use super::PoolKey;
use super::ledger::Ledger;

/// What a transaction does to taint, step by step.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    pub(crate) steps: Vec<Step>,
    /// Nodes of pools, found by key while the plan is made.
    numbers: HashMap<PoolKey, usize>,
}

/// A pool that takes part in a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) key: PoolKey,
    /// The pool's number, where it has one.
    pub(crate) pool: Option<usize>,
    /// True where the pool's balance is known in this block, so that it gives of its own.
    pub(crate) followed: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A movement of value between nodes.
    Hop(Hop),
}

/// Value of one coin that goes from node to node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    /// The movement's number in its transaction.
    pub(crate) movement: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) amount: Amount,
}

impl Plan {
    /// Plans a transaction's movements. The pools' pieces must have begun.
    pub(crate) fn make(&mut self, movements: &[Movement], height: u64, ledger: &Ledger) {
        self.nodes.clear();
        self.steps.clear();
        self.numbers.clear();
        for (number, movement) in movements.iter().enumerate() {
            let from = self.node(movement.from, movement.coin, ledger, height);
            let to = self.node(movement.to, movement.coin, ledger, height);
            self.steps.push(Step::Hop(Hop {
                movement: number,
                from,
                to,
                amount: movement.amount,
            }));
        }
    }

    fn node(&mut self, account: Address, coin: Coin, ledger: &Ledger, height: u64) -> usize {
        let key = PoolKey { account, coin };
        let next = self.nodes.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            let pool = ledger.find(&key);
            let followed = pool.is_some_and(|pool| ledger.pools[pool].is_followed(height));
            self.nodes.push(Node {
                key,
                pool,
                followed,
            });
        }
        number
    }
}
