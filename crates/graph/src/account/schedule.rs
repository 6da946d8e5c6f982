//! The order in which a transaction's hops are settled.
//!
//! A hop waits until what its giver passes on has arrived: what came in before it in the order of execution;
//! everything, where the giver's net change is zero; and the conversion, where it gives what it converts to. Native
//! coins and tokens are listed one after the other, so a swap that pays out ether gives before it takes. Where all wait
//! for each other, as in a flash loan, one is settled with what there is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hansel_ledger::Amount;

use super::parcel::capped;
use super::plan::{Conversion, Plan, Shape, Step};

/// Puts the steps of a plan in order.
pub(crate) fn order(plan: &mut Plan) {
    if plan.conversions.is_empty() && runs_in_order(plan) {
        plan.steps.extend(plan.hops.iter().copied().map(Step::Hop));
        return;
    }
    let schedule = Schedule::new(plan);
    plan.steps = schedule.run();
}

/// True where every account whose net change is zero takes before it gives.
fn runs_in_order(plan: &Plan) -> bool {
    if plan.hops.len() < 2 {
        return true;
    }
    let mut sums = vec![(Amount::ZERO, Amount::ZERO, false); plan.nodes.len()];
    for hop in &plan.hops {
        let from = &mut sums[hop.from];
        from.1 = capped(from.1, hop.amount);
        from.2 |= from.1 > from.0;
        let to = &mut sums[hop.to];
        to.0 = capped(to.0, hop.amount);
    }
    sums.iter()
        .all(|(taken, given, early)| !early || taken != given)
}

/// What goes through one node.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// Hops into the node, in order, and how many of the first have arrived.
    takes: Vec<usize>,
    arrived: usize,
    /// Hops out of the node, in order, and the next of them.
    gives: Vec<usize>,
    next: usize,
    /// The conversion that this node takes from.
    gate: Option<usize>,
    /// The conversion that this node feeds.
    feeds: Option<usize>,
    /// What has arrived and was not passed on.
    held: Amount,
    /// What is still to be given.
    owed: Amount,
}

#[derive(Clone, Copy, Debug, Default)]
struct Wait {
    /// How many of the giver's first takes must have arrived.
    takes: usize,
    /// How many came before it in the order of execution.
    earlier: usize,
    settled: bool,
}

struct Schedule<'a> {
    plan: &'a Plan,
    lanes: Vec<Lane>,
    waits: Vec<Wait>,
    /// By conversion: how many hops of its nodes are not settled.
    open: Vec<usize>,
    ready: BinaryHeap<Reverse<usize>>,
    steps: Vec<Step>,
    /// Steps that may still be spent on looking for the best hop to force.
    patience: usize,
}

impl<'a> Schedule<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut schedule = Self {
            plan,
            lanes: vec![Lane::default(); plan.nodes.len()],
            waits: vec![Wait::default(); plan.hops.len()],
            open: vec![0; plan.conversions.len()],
            ready: BinaryHeap::new(),
            steps: Vec::with_capacity(plan.hops.len() + plan.conversions.len()),
            patience: 64 + 16 * plan.hops.len(),
        };
        schedule.lay();
        schedule.wait();
        schedule
    }

    /// Lists what goes through each node.
    fn lay(&mut self) {
        for (number, conversion) in self.plan.conversions.iter().enumerate() {
            for node in &conversion.ins {
                self.lanes[*node].feeds = Some(number);
            }
            for (node, _) in &conversion.outs {
                self.lanes[*node].gate = Some(number);
            }
        }
        for (number, hop) in self.plan.hops.iter().enumerate() {
            let from = &mut self.lanes[hop.from];
            from.gives.push(number);
            from.owed = capped(from.owed, hop.amount);
            self.lanes[hop.to].takes.push(number);
            for node in [hop.from, hop.to] {
                if let Some(conversion) = self.lanes[node].feeds {
                    self.open[conversion] += 1;
                }
            }
        }
    }

    /// Says how many takes each hop waits for.
    fn wait(&mut self) {
        for node in 0..self.lanes.len() {
            let lane = &self.lanes[node];
            let takes = lane.takes.iter().map(|hop| self.plan.hops[*hop].amount);
            let even = takes.fold(Amount::ZERO, capped) == lane.owed;
            let (mut given, mut taken, mut count) = (Amount::ZERO, Amount::ZERO, 0);
            let mut earlier = 0;
            for give in &lane.gives {
                given = capped(given, self.plan.hops[*give].amount);
                while let Some(take) = lane.takes.get(count) {
                    if taken >= given || (!even && take > give) {
                        break;
                    }
                    taken = capped(taken, self.plan.hops[*take].amount);
                    count += 1;
                }
                while lane.takes.get(earlier).is_some_and(|take| take < give) {
                    earlier += 1;
                }
                self.waits[*give] = Wait {
                    takes: count,
                    earlier: earlier.min(count),
                    settled: false,
                };
            }
        }
    }

    fn run(mut self) -> Vec<Step> {
        for node in 0..self.lanes.len() {
            self.call(node);
        }
        for conversion in 0..self.open.len() {
            if self.open[conversion] == 0 {
                self.convert(conversion);
            }
        }
        let mut first = 0;
        loop {
            while let Some(Reverse(hop)) = self.ready.pop() {
                self.settle(hop);
            }
            while self.waits.get(first).is_some_and(|wait| wait.settled) {
                first += 1;
            }
            if first == self.waits.len() {
                return self.steps;
            }
            let forced = self.choose(first);
            self.settle(forced);
        }
    }

    /// The next hop out of a node.
    fn head(&self, node: usize) -> Option<usize> {
        let lane = &self.lanes[node];
        lane.gives.get(lane.next).copied()
    }

    fn is_open(&self, node: usize) -> bool {
        self.lanes[node]
            .gate
            .is_none_or(|conversion| self.open[conversion] == 0)
    }

    /// Makes the next hop out of a node ready where it waits for nothing.
    fn call(&mut self, node: usize) {
        if let Some(hop) = self.head(node)
            && self.is_open(node)
            && self.waits[hop].takes <= self.lanes[node].arrived
        {
            self.ready.push(Reverse(hop));
        }
    }

    fn settle(&mut self, number: usize) {
        if std::mem::replace(&mut self.waits[number].settled, true) {
            return;
        }
        let hop = self.plan.hops[number];
        self.steps.push(Step::Hop(hop));
        let from = &mut self.lanes[hop.from];
        from.next += 1;
        from.held = less(from.held, hop.amount);
        from.owed = less(from.owed, hop.amount);
        let to = &mut self.lanes[hop.to];
        to.held = capped(to.held, hop.amount);
        while to
            .takes
            .get(to.arrived)
            .is_some_and(|take| self.waits[*take].settled)
        {
            to.arrived += 1;
        }
        for node in [hop.from, hop.to] {
            if let Some(conversion) = self.lanes[node].feeds {
                self.open[conversion] -= 1;
                if self.open[conversion] == 0 {
                    self.convert(conversion);
                }
            }
        }
        self.call(hop.from);
        self.call(hop.to);
    }

    /// Converts what the nodes in hold to what the nodes out are still to give.
    fn convert(&mut self, number: usize) {
        let plan = self.plan;
        let conversion = &plan.conversions[number];
        match conversion.shape {
            Shape::Joint => self.convert_jointly(conversion),
            Shape::PartsOut => self.convert_to_parts(conversion),
            Shape::PartsIn => self.convert_from_parts(conversion),
        }
        for (node, _) in &conversion.outs {
            self.call(*node);
        }
    }

    fn convert_jointly(&mut self, conversion: &Conversion) {
        let mut outs = Vec::new();
        let (mut whole, mut left) = (Amount::ZERO, Amount::ZERO);
        for (node, amount) in &conversion.outs {
            let part = self.lanes[*node].owed.min(*amount);
            whole = capped(whole, *amount);
            left = capped(left, part);
            outs.push((*node, part));
        }
        let held = conversion.ins.iter().map(|node| self.lanes[*node].held);
        let mut taken = part(held.fold(Amount::ZERO, capped), left, whole);
        let mut ins = Vec::new();
        for node in &conversion.ins {
            let amount = self.lanes[*node].held.min(taken);
            taken = less(taken, amount);
            ins.push((*node, amount));
        }
        self.push(ins, outs);
    }

    fn convert_to_parts(&mut self, conversion: &Conversion) {
        let Some(from) = conversion.ins.first() else {
            return;
        };
        let parts = parts(self.lanes[*from].held, conversion.outs.len());
        for ((node, amount), share) in conversion.outs.iter().zip(parts) {
            let left = self.lanes[*node].owed.min(*amount);
            self.push(
                vec![(*from, part(share, left, *amount))],
                vec![(*node, left)],
            );
        }
    }

    fn convert_from_parts(&mut self, conversion: &Conversion) {
        let Some((to, whole)) = conversion.outs.first() else {
            return;
        };
        let left = self.lanes[*to].owed.min(*whole);
        let parts = parts(left, conversion.ins.len());
        for (node, share) in conversion.ins.iter().zip(parts) {
            let taken = part(self.lanes[*node].held, left, *whole);
            self.push(vec![(*node, taken)], vec![(*to, share)]);
        }
    }

    /// Adds a conversion to the steps, unless it takes or makes nothing.
    fn push(&mut self, mut ins: Vec<(usize, Amount)>, mut outs: Vec<(usize, Amount)>) {
        ins.retain(|(_, amount)| !amount.is_zero());
        outs.retain(|(_, amount)| !amount.is_zero());
        if ins.is_empty() || outs.is_empty() {
            return;
        }
        for (node, amount) in &ins {
            self.lanes[*node].held = less(self.lanes[*node].held, *amount);
        }
        for (node, amount) in &outs {
            self.lanes[*node].held = capped(self.lanes[*node].held, *amount);
        }
        self.steps.push(Step::Convert { ins, outs });
    }

    /// The hop to settle when all wait: one of those that wait for each other, best one that waits only because its
    /// giver's net change is zero, as a lender's in a flash loan is; else the earliest.
    fn choose(&mut self, first: usize) -> usize {
        let mut node = self.plan.hops[first].from;
        let mut path: Vec<usize> = Vec::new();
        let mut seen = vec![];
        let budget = self.patience.min(self.lanes.len() + 1);
        if budget > 0 {
            seen = vec![false; self.lanes.len()];
            self.patience = self.patience.saturating_sub(self.lanes.len() / 8);
        }
        for _ in 0..budget {
            self.patience = self.patience.saturating_sub(1);
            if std::mem::replace(&mut seen[node], true) {
                let start = path.iter().position(|one| *one == node).unwrap_or(0);
                return self.best(&path[start..]).unwrap_or(first);
            }
            path.push(node);
            match self.blocker(node) {
                Some(hop) => node = self.plan.hops[hop].from,
                None => break,
            }
        }
        self.head(self.plan.hops[first].from).unwrap_or(first)
    }

    /// A hop that is not settled for which the next hop out of a node waits.
    fn blocker(&self, node: usize) -> Option<usize> {
        if self.is_open(node) {
            let lane = &self.lanes[node];
            return lane.takes.get(lane.arrived).copied();
        }
        let conversion = &self.plan.conversions[self.lanes[node].gate?];
        conversion.ins.iter().find_map(|node| {
            let lane = &self.lanes[*node];
            lane.takes.get(lane.arrived).copied().or(self.head(*node))
        })
    }

    fn best(&self, nodes: &[usize]) -> Option<usize> {
        let heads = nodes.iter().filter_map(|node| {
            let hop = self.head(*node)?;
            let eager = self.is_open(*node) && self.waits[hop].earlier <= self.lanes[*node].arrived;
            Some((!eager, hop))
        });
        heads.min().map(|(_, hop)| hop)
    }
}

fn less(one: Amount, other: Amount) -> Amount {
    one.checked_sub(other).unwrap_or(Amount::ZERO)
}

/// The part of `whole` that `some` is of `all`, rounded down.
fn part(whole: Amount, some: Amount, all: Amount) -> Amount {
    if some >= all {
        return whole;
    }
    whole.mul_div(some, all).unwrap_or(Amount::ZERO)
}

/// Equal parts, the remainder in the last.
fn parts(whole: Amount, count: usize) -> Vec<Amount> {
    let number = Amount::from(u64::try_from(count).unwrap_or(u64::MAX));
    let each = whole.mul_div(Amount::ONE, number).unwrap_or(Amount::ZERO);
    let mut parts = vec![each; count];
    let others = (1..count).fold(Amount::ZERO, |sum, _| capped(sum, each));
    if let Some(last) = parts.last_mut() {
        *last = less(whole, others);
    }
    parts
}
