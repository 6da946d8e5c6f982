//! Pairs of movements that belong together by what the chain itself says: filled orders, and coins that a contract
//! wraps one to one.

use std::collections::VecDeque;

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin, EvmTransaction, Movement, Trade};
use hashbrown::{HashMap, HashSet};

use super::PoolKey;
use super::net::Roles;
use super::plan::{Doubt, Plan};

/// From whom to whom, or to anybody; what; how much.
type Wanted = (Address, Option<Address>, Coin, Amount);

/// Movements that are not linked yet, found by what they are, first come first served.
struct Free {
    waiting: HashMap<Wanted, VecDeque<usize>>,
    taken: HashSet<usize>,
}

impl Free {
    fn new(movements: &[Movement]) -> Self {
        let mut waiting: HashMap<Wanted, VecDeque<usize>> = HashMap::new();
        for (number, one) in movements.iter().enumerate() {
            for to in [Some(one.to), None] {
                let queue = waiting.entry((one.from, to, one.coin, one.amount));
                queue.or_default().push_back(number);
            }
        }
        Self {
            waiting,
            taken: HashSet::new(),
        }
    }

    fn peek(&mut self, wanted: &Wanted) -> Option<usize> {
        let queue = self.waiting.get_mut(wanted)?;
        while let Some(number) = queue.front() {
            if !self.taken.contains(number) {
                return Some(*number);
            }
            queue.pop_front();
        }
        None
    }

    /// Takes two movements, or none where one of them is not there.
    fn take_both(&mut self, one: &Wanted, other: &Wanted) -> Option<(usize, usize)> {
        let (one, other) = (self.peek(one)?, self.peek(other)?);
        (one != other).then(|| {
            self.taken.extend([one, other]);
            (one, other)
        })
    }
}

/// Links what belongs together and returns the numbers of the movements linked.
pub(crate) fn link(
    plan: &mut Plan,
    transaction: &EvmTransaction,
    movements: &[Movement],
    roles: &mut Roles<'_>,
) -> HashSet<usize> {
    let may_wrap = movements
        .iter()
        .any(|one| one.coin == Coin::Token(one.from) || one.coin == Coin::Token(one.to));
    if transaction.trades.is_empty() && !may_wrap {
        return HashSet::new();
    }
    let mut free = Free::new(movements);
    link_trades(plan, &transaction.trades, &mut free, roles);
    if may_wrap {
        link_wraps(plan, movements, &mut free, roles);
    }
    free.taken
}

/// An order is filled where its owner gave the venue exactly what was sold and the venue gave somebody exactly what
/// was bought. Orders that pay their owner are served first, so that none takes what another's owner received.
fn link_trades(plan: &mut Plan, trades: &[Trade], free: &mut Free, roles: &mut Roles<'_>) {
    let mut left: Vec<&Trade> = Vec::new();
    for trade in trades {
        if roles.is_made_by_holder(&trade.venue)
            || !link_trade(plan, trade, Some(trade.owner), free, roles)
        {
            left.push(trade);
        }
    }
    for trade in left {
        if roles.is_made_by_holder(&trade.venue) || !link_trade(plan, trade, None, free, roles) {
            let sold = PoolKey {
                account: trade.venue,
                coin: trade.sold,
            };
            plan.doubts.extend(plan.find(&sold).map(|node| Doubt {
                nodes: vec![node],
                text: format!(
                    "{} says that it filled an order of {}, and no two movements match it: the order was not counted",
                    trade.venue, trade.owner
                ),
            }));
        }
    }
}

fn link_trade(
    plan: &mut Plan,
    trade: &Trade,
    to: Option<Address>,
    free: &mut Free,
    roles: &mut Roles<'_>,
) -> bool {
    let sold = (
        trade.owner,
        Some(trade.venue),
        trade.sold,
        trade.sold_amount,
    );
    let bought = (trade.venue, to, trade.bought, trade.bought_amount);
    let found = free.take_both(&sold, &bought);
    if let Some(pair) = found {
        roles.add_owner(trade.owner);
        join(plan, pair);
    }
    found.is_some()
}

/// A token's contract that receives the native coin and makes as much of its token for the same account, or the other
/// way round.
fn link_wraps(plan: &mut Plan, movements: &[Movement], free: &mut Free, roles: &mut Roles<'_>) {
    for (number, one) in movements.iter().enumerate() {
        let (contract, account, paid) = match one.coin {
            Coin::Token(contract) if contract == one.from => (contract, one.to, false),
            Coin::Token(contract) if contract == one.to => (contract, one.from, true),
            Coin::Token(_) | Coin::Native => continue,
        };
        if free.taken.contains(&number) || roles.is_principal(&contract) {
            continue;
        }
        let token = (one.from, Some(one.to), one.coin, one.amount);
        let native = (one.to, Some(one.from), Coin::Native, one.amount);
        let pair = if contract == account {
            None
        } else if paid {
            free.take_both(&token, &native)
        } else {
            free.take_both(&native, &token)
        };
        if let Some(pair) = pair {
            join(plan, pair);
        }
    }
}

/// What leaves in the first movement arrives in the second.
fn join(plan: &mut Plan, (gave, got): (usize, usize)) {
    let (venue, payee) = (plan.hops[gave].to, plan.hops[got].to);
    let (entry, exit) = plan.bridge(venue, payee, plan.hops[got].amount);
    plan.hops[gave].to = entry;
    plan.hops[got].from = exit;
}
