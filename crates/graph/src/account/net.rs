//! What a transaction changed, account by account, and who acted in it.

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin, EvmTransaction};
use hashbrown::{HashMap, HashSet};

use super::ledger::Ledger;
use super::plan::Plan;

/// Who is a principal in a transaction, and whose code ran.
///
/// A principal acts for itself: what it receives is its own, however the transaction goes on.
pub(crate) struct Roles<'a> {
    transaction: &'a EvmTransaction,
    ledger: &'a Ledger,
    height: u64,
    owners: HashSet<Address>,
    made: HashMap<Address, bool>,
}

impl<'a> Roles<'a> {
    pub(crate) fn new(transaction: &'a EvmTransaction, ledger: &'a Ledger) -> Self {
        Self {
            transaction,
            ledger,
            height: transaction.placement.block.height,
            owners: HashSet::new(),
            made: HashMap::new(),
        }
    }

    /// Notes that an order of this account was filled.
    pub(crate) fn add_owner(&mut self, owner: Address) {
        self.owners.insert(owner);
    }

    /// True for the sender, accounts that are followed, owners of orders that were filled, and contracts that go
    /// back to a holder of taint.
    pub(crate) fn is_principal(&mut self, account: &Address) -> bool {
        *account == self.transaction.sender
            || self.owners.contains(account)
            || self.ledger.is_account_followed(account, self.height)
            || self.is_made_by_holder(account)
    }

    /// True for a contract that goes back to a holder of taint.
    pub(crate) fn is_made_by_holder(&mut self, account: &Address) -> bool {
        let (ledger, height) = (self.ledger, self.height);
        let made = self.made.entry(*account);
        *made.or_insert_with(|| ledger.is_made_by_holder(account, height))
    }

    /// True where the account's code ran.
    pub(crate) fn ran(&self, account: &Address) -> bool {
        self.transaction.executed.binary_search(account).is_ok()
    }
}

/// What an account gained and gave of its coins, by node.
#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) account: Address,
    pub(crate) gained: Vec<(usize, Amount)>,
    pub(crate) given: Vec<(usize, Amount)>,
}

impl Net {
    /// True where the account is the contract of the coin at a node.
    pub(crate) fn issues(&self, plan: &Plan, node: usize) -> bool {
        plan.nodes[node].key.coin == Coin::Token(self.account)
    }
}

/// Sums what every account gained and gave, ascending by account, leaving out the movements that are linked.
/// Sums above 256 bits, which only an invented token has, count as no change.
pub(crate) fn total(plan: &Plan, linked: &HashSet<usize>) -> Vec<Net> {
    let mut sums = vec![Some((Amount::ZERO, Amount::ZERO)); plan.nodes.len()];
    let hops = plan
        .hops
        .iter()
        .filter(|hop| !linked.contains(&hop.movement));
    for hop in hops {
        sums[hop.to] = sums[hop.to]
            .and_then(|(gained, given)| Some((gained.checked_add(hop.amount).ok()?, given)));
        sums[hop.from] = sums[hop.from]
            .and_then(|(gained, given)| Some((gained, given.checked_add(hop.amount).ok()?)));
    }
    let mut order: Vec<usize> = (0..plan.nodes.len())
        .filter(|node| !plan.nodes[*node].stage)
        .collect();
    order.sort_by_key(|node| plan.nodes[*node].key);
    let account = |node: usize| plan.nodes[node].key.account;
    let accounts = order.chunk_by(|one, next| account(*one) == account(*next));
    accounts
        .map(|nodes| net(account(nodes[0]), nodes, &sums))
        .collect()
}

fn net(account: Address, nodes: &[usize], sums: &[Option<(Amount, Amount)>]) -> Net {
    let mut net = Net {
        account,
        gained: Vec::new(),
        given: Vec::new(),
    };
    for node in nodes {
        let (gained, given) = sums[*node].unwrap_or_default();
        match (gained.checked_sub(given), given.checked_sub(gained)) {
            (Ok(more), _) if !more.is_zero() => net.gained.push((*node, more)),
            (_, Ok(less)) if !less.is_zero() => net.given.push((*node, less)),
            (_, _) => {}
        }
    }
    net
}
