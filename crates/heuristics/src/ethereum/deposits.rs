//! Customers' addresses of exchanges: what is paid in is soon swept into a wallet of the exchange.

use std::collections::BTreeSet;

use hansel_graph::PoolKey;
use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};

/// A sweep keeps at most so much of a chain's own coin back for gas, in base units: 0.01 ether.
/// Source: Victor 2020, algorithm 1, as Tutela implements it.
pub const MOST_KEPT: u64 = 10_000_000_000_000_000;

/// A deposit is swept within so many blocks. Source: as above.
pub const MOST_BLOCKS: u64 = 3_200;

/// How many deposits and sweeps a finding names at most; it counts all.
const NAMED: usize = 100;

/// A payment to an exchange and what it moved on.
struct Sweep<'s, 'a> {
    paid: &'s Moved<'a>,
    deposits: Vec<&'s Moved<'a>>,
    kept: Amount,
    /// Blocks between the last deposit and the payment.
    blocks: u64,
}

/// A finding for each account that an exchange empties.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let accounts = scene.subjects();
    accounts
        .filter_map(|account| finding(scene, account))
        .collect()
}

fn finding(scene: &Scene<'_>, account: AccountIx) -> Option<Finding> {
    let mut entities = BTreeSet::new();
    for paid in scene.given(account) {
        entities.extend(scene.exchanges(paid.to));
    }
    let entity = *entities.first()?;
    if scene.is_service(account) {
        return None;
    }
    let sweeps = sweeps(scene, account);
    let best = sweeps.iter().map(Sweep::score).max()?;
    let sure = entities.len() == 1
        && gives_nothing_else(scene, account, entity)
        && is_run_by(scene, account, entity, &sweeps);
    let confidence = if sure {
        Confidence::Strong
    } else {
        Confidence::Weak
    };
    let deposits = || sweeps.iter().flat_map(|sweep| &sweep.deposits);
    let customers: BTreeSet<String> = deposits()
        .filter_map(|one| Some(scene.address(one.from?).to_string()))
        .collect();
    let evidence = sweeps
        .iter()
        .flat_map(|sweep| sweep.deposits.iter().copied().chain([sweep.paid]))
        .take(NAMED)
        .map(|one| scene.id(one));
    let address = scene.address(account);
    let summary = format!(
        "{address} moves what it receives on to {entity}, as a customer's deposit address does"
    );
    let verdict = Verdict::new("evm.exchange-deposit", confidence)
        .with("exchanges", words(&entities))
        .count("sweeps", sweeps.len())
        .count("deposits", deposits().count())
        .count("customers", customers.len())
        .with(
            "customer-addresses",
            customers.into_iter().take(NAMED).collect::<Vec<_>>(),
        )
        .with("score-per-mille", best)
        .with("most-blocks", MOST_BLOCKS)
        .with("most-kept", MOST_KEPT.to_string());
    Some(verdict.finding(vec![scene.node(account)], evidence.collect(), summary))
}

fn words(entities: &BTreeSet<&str>) -> Vec<String> {
    entities.iter().map(|entity| (*entity).to_owned()).collect()
}

/// The payments to exchanges that move on what came since the payment before, to the unit for tokens.
fn sweeps<'s, 'a>(scene: &'s Scene<'a>, account: AccountIx) -> Vec<Sweep<'s, 'a>> {
    let mut coins: Vec<Coin> = scene.given(account).iter().map(Moved::coin).collect();
    coins.sort_unstable();
    coins.dedup();
    coins.retain(|coin| scene.is_known(*coin));
    let found = coins
        .into_iter()
        .flat_map(|coin| sweeps_of(scene, account, coin));
    found.collect()
}

fn sweeps_of<'s, 'a>(scene: &'s Scene<'a>, account: AccountIx, coin: Coin) -> Vec<Sweep<'s, 'a>> {
    let mut received = scene.received(account).peekable();
    let mut found = Vec::new();
    // What lay there when its history begins was paid in before and is swept along.
    let mut lay = opening(scene, account, coin);
    for paid in scene.given(account) {
        if paid.coin() != coin {
            continue;
        }
        let mut deposits = Vec::new();
        while let Some(deposit) = received.next_if(|one| one.order() < paid.order()) {
            let customer = deposit
                .from
                .is_some_and(|from| !scene.is_service(from) && from != account);
            if deposit.coin() == coin && customer {
                deposits.push(deposit);
            }
        }
        if !scene.exchanges(paid.to).is_empty() {
            found.extend(Sweep::of(paid, deposits, lay));
        }
        lay = Amount::ZERO;
    }
    found
}

/// What an account held before the first block that is known of it; nothing where that is not known.
fn opening(scene: &Scene<'_>, account: AccountIx, coin: Coin) -> Amount {
    let key = PoolKey {
        account: scene.address(account),
        coin,
    };
    let first = scene.view.facts.statements(key).next();
    first
        .and_then(|statement| statement.opening)
        .unwrap_or_default()
}

impl<'s, 'a> Sweep<'s, 'a> {
    /// A payment that moves on deposits and what lay there before, within the rule's bounds.
    fn of(paid: &'s Moved<'a>, deposits: Vec<&'s Moved<'a>>, lay: Amount) -> Option<Self> {
        let blocks = paid.block().checked_sub(deposits.last()?.block())?;
        let sum = Amount::checked_sum(deposits.iter().map(|one| one.amount())).ok()?;
        let held = sum.checked_add(lay).ok()?;
        let kept = held.checked_sub(paid.amount()).ok()?;
        let most = match paid.coin() {
            Coin::Native => Amount::from(MOST_KEPT),
            Coin::Token(_) => Amount::ZERO,
        };
        (blocks <= MOST_BLOCKS && kept <= most).then_some(Self {
            paid,
            deposits,
            kept,
            blocks,
        })
    }

    /// Victor's confidence in thousandths: half for how soon, half for how little was kept back.
    fn score(&self) -> u64 {
        let soon = (MOST_BLOCKS - self.blocks) * 500 / MOST_BLOCKS;
        let kept = u64::try_from(self.kept.to_u256()).unwrap_or(MOST_KEPT);
        let little = (MOST_KEPT - kept.min(MOST_KEPT)) / (MOST_KEPT / 500);
        soon + little
    }
}

/// True where everything of value that an account gave went to one exchange.
fn gives_nothing_else(scene: &Scene<'_>, account: AccountIx, entity: &str) -> bool {
    let mut given = scene
        .given(account)
        .iter()
        .filter(|paid| scene.is_known(paid.coin()));
    given.all(|paid| scene.exchanges(paid.to).contains(entity))
}

/// True where more than the shape speaks for the exchange's hand: it signs the sweep, it pays the gas, or it sweeps again
/// and again. A thief who pays an exchange once from a fresh address looks like the shape alone.
fn is_run_by(
    scene: &Scene<'_>,
    account: AccountIx,
    entity: &str,
    sweeps: &[Sweep<'_, '_>],
) -> bool {
    let address = scene.address(account);
    let signed_by_another = sweeps.iter().any(|sweep| {
        let transaction = sweep.paid.transaction;
        transaction.is_some_and(|transaction| transaction.sender != address)
    });
    let fed = scene.received(account).any(|fed| {
        let from = fed.from.map(|from| scene.exchanges(from));
        fed.coin() == Coin::Native && from.is_some_and(|from| from.contains(entity))
    });
    signed_by_another || fed || sweeps.len() > 1
}
