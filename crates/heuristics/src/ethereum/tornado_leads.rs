//! Who may be behind a withdrawal from Tornado Cash: leads, never taint.
//!
//! The rules are those of Tutela (`src/tcash/heuristic.py`); each lead says how many depositors fit it.

mod accounts;
mod habits;
mod torn_mining;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use hansel_ledger::{Amount, EvmPlacement, Movement, NodeId};

use crate::verdict::Verdict;
use crate::{EntityKind, Finding};

use super::mixing::{Deposit, depositor};
use super::pools::Pool;
use super::scene::{AccountIx, Moved, Scene};

/// How many depositors a lead names at most; it counts all.
const NAMED: usize = 20;

/// A deposit or a withdrawal that is known.
struct Mixed {
    pool: Address,
    account: Address,
    placement: EvmPlacement,
    time: u64,
    /// The id of the transfer.
    id: String,
    /// How many deposits the pool had by then, where it said so.
    deposits: Option<u64>,
    /// The price of gas that the account chose itself, where it sent the transaction and chose one.
    price: Option<Amount>,
}

/// What is known of the pools, in chain order.
struct Mixing {
    deposits: Vec<Mixed>,
    withdrawals: Vec<Mixed>,
    /// What is known of each pool after each deposit.
    pools: BTreeMap<Address, Vec<Crowd>>,
}

/// Who was in a pool after a deposit.
struct Crowd {
    placement: EvmPlacement,
    /// How many depositors are known.
    known: usize,
    /// How many deposits the pool had had, as it said itself; zero where it did not.
    deposits: u64,
}

/// The crowds of each pool, in chain order.
fn crowds(deposits: &[Mixed]) -> BTreeMap<Address, Vec<Crowd>> {
    let mut seen: BTreeSet<(Address, Address)> = BTreeSet::new();
    let mut pools: BTreeMap<Address, Vec<Crowd>> = BTreeMap::new();
    for deposit in deposits {
        let crowds = pools.entry(deposit.pool).or_default();
        let new = seen.insert((deposit.pool, deposit.account));
        let (known, before) = crowds
            .last()
            .map_or((0, 0), |last| (last.known, last.deposits));
        crowds.push(Crowd {
            placement: deposit.placement,
            known: known + usize::from(new),
            deposits: before.max(deposit.deposits.unwrap_or_default()),
        });
    }
    pools
}

/// A lead for each recipient and rule that a known depositor fits.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mixing = Mixing::of(scene);
    if mixing.deposits.is_empty() || mixing.withdrawals.is_empty() {
        return Vec::new();
    }
    let mut found = accounts::same_address(scene, &mixing);
    found.extend(accounts::linked(scene, &mixing));
    found.extend(habits::same_price(scene, &mixing));
    found.extend(habits::same_numbers(scene, &mixing));
    found.extend(torn_mining::findings(scene, &mixing));
    found
}

impl Mixing {
    fn of(scene: &Scene<'_>) -> Self {
        let accounts = 0..scene.account_count();
        let pools: Vec<AccountIx> = accounts.filter(|one| is_pool(scene, *one)).collect();
        let came = pools.iter().flat_map(|pool| scene.received(*pool));
        let went = pools.iter().flat_map(|pool| scene.given(*pool));
        let (came, went) = (in_order(came), in_order(went));
        let deposits: Vec<Mixed> = came
            .into_iter()
            .filter_map(|moved| deposited(scene, moved))
            .collect();
        let withdrawals = went.into_iter().filter_map(|moved| withdrawn(scene, moved));
        let withdrawals = withdrawals.collect();
        Self {
            pools: crowds(&deposits),
            deposits,
            withdrawals,
        }
    }

    /// Who was in a pool before a withdrawal.
    fn crowd(&self, withdrawal: &Mixed) -> Option<&Crowd> {
        let crowds = self.pools.get(&withdrawal.pool)?;
        let before = crowds.partition_point(|crowd| crowd.placement < withdrawal.placement);
        crowds.get(before.checked_sub(1)?)
    }

    /// Those of each account, in chain order.
    fn by_account(mixed: &[Mixed]) -> BTreeMap<Address, Vec<&Mixed>> {
        let mut accounts: BTreeMap<Address, Vec<&Mixed>> = BTreeMap::new();
        for one in mixed {
            accounts.entry(one.account).or_default().push(one);
        }
        accounts
    }
}

/// A pool of the table, or what labels call a mixer of that name.
fn is_pool(scene: &Scene<'_>, account: AccountIx) -> bool {
    if Pool::at(scene.view.chain, &scene.address(account)).is_some() {
        return true;
    }
    let labels = scene.labels(account).iter();
    let mut mixers = labels.filter(|label| label.kind == EntityKind::Mixer);
    mixers.any(|label| {
        let name = label.actor.as_deref().unwrap_or(&label.label);
        name.to_ascii_lowercase().contains("tornado")
    })
}

fn in_order<'s, 'a>(moved: impl Iterator<Item = &'s Moved<'a>>) -> Vec<&'s Moved<'a>>
where
    'a: 's,
{
    let mut moved: Vec<&Moved<'_>> = moved.collect();
    moved.sort_unstable_by_key(|one| one.order());
    moved
}

/// What a relayer keeps is no withdrawal of his: the recipient gets the most.
fn withdrawn(scene: &Scene<'_>, moved: &Moved<'_>) -> Option<Mixed> {
    let pool = scene.address(moved.from?);
    let account = scene.address(moved.to);
    is_largest(moved, pool).then(|| Mixed {
        pool,
        account,
        placement: *moved.placement,
        time: moved.time(),
        id: scene.id(moved),
        deposits: None,
        price: price(moved, account),
    })
}

fn is_largest(moved: &Moved<'_>, pool: Address) -> bool {
    let Some(transaction) = moved.transaction else {
        return true;
    };
    let largest = transaction
        .movements
        .iter()
        .filter(|one| one.from == pool)
        .map(|one: &Movement| one.amount)
        .max();
    largest == Some(moved.amount())
}

fn deposited(scene: &Scene<'_>, moved: &Moved<'_>) -> Option<Mixed> {
    let pool = scene.address(moved.to);
    let transaction = moved.transaction?;
    let mut told = transaction.events.iter().filter_map(Deposit::read);
    let deposits = told.find(|deposit| deposit.pool == pool)?.deposits;
    let account = depositor(transaction, pool);
    Some(Mixed {
        pool,
        account,
        price: price(moved, account),
        placement: *moved.placement,
        time: moved.time(),
        id: scene.id(moved),
        deposits: Some(deposits),
    })
}

/// The price of gas that an account chose, where it sent the transaction itself: a relayer chooses his own.
fn price(moved: &Moved<'_>, account: Address) -> Option<Amount> {
    let transaction = moved.transaction?;
    transaction
        .gas_price
        .filter(|_| transaction.sender == account)
}

/// Deposits with withdrawals from the same pool after them.
fn pairs<'m>(deposits: &[&'m Mixed], withdrawals: &[&'m Mixed]) -> Vec<&'m Mixed> {
    let mut pools: BTreeMap<Address, Vec<&'m Mixed>> = BTreeMap::new();
    for deposit in deposits {
        pools.entry(deposit.pool).or_default().push(deposit);
    }
    let mut paired = Vec::new();
    for withdrawal in withdrawals {
        let of_pool = pools.get(&withdrawal.pool).map_or(&[][..], Vec::as_slice);
        let before = of_pool.partition_point(|one| one.placement < withdrawal.placement);
        let fitting = &of_pool[..before.min(NAMED)];
        if !fitting.is_empty() {
            paired.extend_from_slice(fitting);
            paired.push(withdrawal);
        }
    }
    paired
}

/// A rule that fits.
struct Lead<'m> {
    /// The rule, with what is its own among the parameters.
    verdict: Verdict,
    recipient: Address,
    depositors: BTreeSet<Address>,
    /// Deposits and withdrawals that fit together.
    pairs: Vec<&'m Mixed>,
    /// Ids of other transfers that the rule rests on.
    besides: Vec<String>,
}

impl Lead<'_> {
    /// `None` where no deposit comes before a withdrawal, or where the account is not one to speak of.
    fn finding(self, scene: &Scene<'_>, mixing: &Mixing) -> Option<Finding> {
        let last = self.pairs.iter().max_by_key(|one| one.placement)?;
        let spoken_of = |account: &Address| {
            let accounts = scene.view.accounts;
            accounts.is_none_or(|accounts| accounts.contains(account))
        };
        let all = self.depositors.iter().chain([&self.recipient]);
        let spoken: Vec<String> = all
            .filter(|account| spoken_of(account))
            .map(|account| NodeId::account(scene.view.chain, account).into())
            .collect();
        if spoken.is_empty() {
            return None;
        }
        let crowd = mixing.crowd(last)?;
        let named: Vec<String> = self
            .depositors
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        let mut verdict = self
            .verdict
            .with("recipient", self.recipient.to_string())
            .with("depositors", named)
            .count("fitting-depositors", self.depositors.len())
            .count("known-depositors-before", crowd.known);
        // What the pool itself said with the last deposit that is known.
        if crowd.deposits > 0 {
            verdict = verdict.with("anonymity-set", crowd.deposits);
        }
        let pairs = self.pairs.iter().map(|one| one.id.clone());
        let evidence = pairs.chain(self.besides).collect();
        let summary = format!(
            "{} of {} known depositors may be behind the withdrawals of {}: a lead, no taint",
            self.depositors.len(),
            crowd.known,
            self.recipient
        );
        Some(verdict.finding(spoken, evidence, summary))
    }
}
