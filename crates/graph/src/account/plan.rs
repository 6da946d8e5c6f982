//! What a transaction does to taint, step by step, which no rule decides.

use hansel_ledger::{Amount, EvmTransaction, Movement};
use hashbrown::HashMap;

use super::PoolKey;
use super::ledger::Ledger;
use super::net::{Roles, total};
use super::{exchange, link, schedule, venue};

/// Up to so many nodes are looked for one by one.
const FEW: usize = 6;

/// The steps of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<Node>,
    pub(crate) steps: Vec<Step>,
    /// What allows more than one reading.
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) hops: Vec<Hop>,
    pub(crate) conversions: Vec<Conversion>,
    numbers: HashMap<PoolKey, usize>,
}

/// A pool that takes part in a transaction, or a stage between two pools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Where what is left over comes to rest.
    pub(crate) key: PoolKey,
    /// The pool's number, where it has one.
    pub(crate) pool: Option<usize>,
    /// True where the pool's balance is known in this block.
    pub(crate) followed: bool,
    /// True for a stage, which gives nothing of its own.
    pub(crate) stage: bool,
}

/// One step.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Value goes from node to node.
    Hop(Hop),
    /// Value of some nodes becomes value of others, and keeps its claims.
    Convert {
        /// What is taken, node by node.
        ins: Vec<(usize, Amount)>,
        /// What it becomes, node by node.
        outs: Vec<(usize, Amount)>,
    },
}

/// Value of one coin that goes from node to node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop {
    /// The movement's number in its transaction.
    pub(crate) movement: usize,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) amount: Amount,
    /// False for the first of two hops of one movement.
    pub(crate) arrives: bool,
}

/// What comes into some nodes leaves from others.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    pub(crate) ins: Vec<usize>,
    /// With the amounts that leave from them.
    pub(crate) outs: Vec<(usize, Amount)>,
    pub(crate) shape: Shape,
}

/// How the nodes of a conversion belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All nodes in hold one coin, and all nodes out another.
    Joint,
    /// One coin becomes several: equal parts of it become each.
    PartsOut,
    /// Several coins become one: each becomes an equal part of it.
    PartsIn,
}

/// Something that allows more than one reading; it matters where taint reached one of the nodes.
#[derive(Clone, Debug)]
pub(crate) struct Doubt {
    pub(crate) nodes: Vec<usize>,
    pub(crate) text: String,
}

impl Plan {
    /// Lists the movements of a transaction and the pools that take part.
    pub(crate) fn lay(&mut self, movements: &[Movement], ledger: &Ledger) {
        self.nodes.clear();
        self.steps.clear();
        self.doubts.clear();
        self.hops.clear();
        self.conversions.clear();
        self.numbers.clear();
        for (number, movement) in movements.iter().enumerate() {
            let coin = movement.coin;
            let ends = [movement.from, movement.to];
            let [from, to] = ends.map(|account| self.node(PoolKey { account, coin }, ledger));
            self.hops.push(Hop {
                movement: number,
                from,
                to,
                amount: movement.amount,
                arrives: true,
            });
        }
    }

    /// Puts the movements that were listed in order.
    pub(crate) fn make(
        &mut self,
        transaction: &EvmTransaction,
        movements: &[Movement],
        ledger: &Ledger,
    ) {
        let converts = movements
            .windows(2)
            .any(|pair| pair[0].coin != pair[1].coin);
        if converts {
            self.number();
            self.convert(transaction, movements, ledger);
        }
        schedule::order(self);
    }

    /// Finds what was converted, most certain first.
    fn convert(&mut self, transaction: &EvmTransaction, movements: &[Movement], ledger: &Ledger) {
        let mut roles = Roles::new(transaction, ledger);
        let linked = link::link(self, transaction, movements, &mut roles);
        let exchanged = exchange::find(movements, &linked, &mut roles);
        let nets = total(self, &linked);
        venue::find(self, &nets, &mut roles);
        exchange::stage(self, &exchanged);
    }

    /// The node of a pool.
    fn node(&mut self, key: PoolKey, ledger: &Ledger) -> usize {
        if self.nodes.len() == FEW {
            self.number();
        }
        if let Some(number) = self.find(&key) {
            return number;
        }
        let number = self.nodes.len();
        if number >= FEW {
            self.numbers.insert(key, number);
        }
        self.nodes.push(Node {
            key,
            pool: ledger.find(&key),
            followed: false,
            stage: false,
        });
        number
    }

    /// Makes nodes found by key, which pays where there are more than a few.
    fn number(&mut self) {
        if self.numbers.is_empty() {
            let keys = self.nodes.iter().map(|node| node.key);
            self.numbers.extend(keys.zip(0..));
        }
    }

    /// The node of a pool that takes part, where it does.
    pub(crate) fn find(&self, key: &PoolKey) -> Option<usize> {
        if self.numbers.is_empty() {
            return self.nodes.iter().position(|node| node.key == *key);
        }
        self.numbers.get(key).copied()
    }

    /// Makes a stage before or after a node.
    pub(crate) fn stage(&mut self, beside: usize) -> usize {
        let stage = Node {
            stage: true,
            ..self.nodes[beside]
        };
        self.nodes.push(stage);
        self.nodes.len() - 1
    }

    /// Makes a conversion between two new stages: what enters the first, worth `to` when it leaves the second.
    pub(crate) fn bridge(&mut self, first: usize, second: usize, to: Amount) -> (usize, usize) {
        let (entry, exit) = (self.stage(first), self.stage(second));
        self.conversions.push(Conversion {
            ins: vec![entry],
            outs: vec![(exit, to)],
            shape: Shape::Joint,
        });
        (entry, exit)
    }
}
