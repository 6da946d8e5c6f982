//! Leads from TORN mining: who swaps the points of a note for TORN says for how many blocks it lay in its pool.
//!
//! A note earned its pool's rate of points for each block. Sources: `Miner.sol` and `RewardSwap.sol` of the npm package
//! tornado-anonymity-mining 2.1.5; the contract's address is on the project's page of addresses; the rule is Tutela's.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, address};
use hansel_ledger::{Event, EvmPlacement, EvmTransaction, TransferId, topics};

use crate::crossing::abi::{Words, address, topic};
use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::super::pools::Pool;
use super::super::scene::Scene;
use super::{Lead, Mixed, Mixing, NAMED};

/// The contract that gives TORN for points, and the only chain that has it.
const REWARD_SWAP: Address = address!("5cab7692d4e94096462119ab7bf57319726eed2a");
const CHAIN_ID: u64 = 1;

/// Points of a block by pool, as Tutela has them. `config.js` of the npm package torn-token 1.0.8 has 10 for 0.1 ETH, no
/// token, and the others alike; votes could change rates (`RateChanged`), so both are tried.
const RATES: &[(&str, &[u64])] = &[
    ("0.1 ETH", &[4, 10]),
    ("1 ETH", &[20]),
    ("10 ETH", &[50]),
    ("100 ETH", &[400]),
    ("100 DAI", &[2]),
    ("1000 DAI", &[10]),
    ("10000 DAI", &[40]),
    ("100000 DAI", &[250]),
    ("5000 cDAI", &[2]),
    ("50000 cDAI", &[10]),
    ("500000 cDAI", &[40]),
    ("5000000 cDAI", &[250]),
    ("0.1 WBTC", &[15]),
    ("1 WBTC", &[120]),
    ("10 WBTC", &[1_000]),
];

/// Points that somebody swapped in a transaction.
struct Claim {
    claimant: Address,
    /// With those that a relayer took as his fee.
    points: u64,
    placement: EvmPlacement,
    transaction: String,
    /// The ids of what the contract paid.
    paid: Vec<String>,
}

/// A deposit and a withdrawal as far apart as points say.
struct Fit<'m> {
    deposit: &'m Mixed,
    withdrawal: &'m Mixed,
    rate: u64,
    blocks: u64,
}

/// Deposits or withdrawals by who made them and by where they stand.
struct Found<'m> {
    accounts: BTreeMap<Address, Vec<&'m Mixed>>,
    blocks: BTreeMap<(Address, u64), Vec<&'m Mixed>>,
}

/// A lead for each recipient whose withdrawal lies as many blocks behind a deposit as the points of one of the two say.
pub(super) fn findings(scene: &Scene<'_>, mixing: &Mixing) -> Vec<Finding> {
    let (deposits, withdrawals) = (Found::of(&mixing.deposits), Found::of(&mixing.withdrawals));
    let found = claims(scene).into_iter().flat_map(|claim| {
        let fits = fits(scene, &claim, &deposits, &withdrawals);
        leads(&claim, &fits)
            .into_iter()
            .filter_map(|lead| lead.finding(scene, mixing))
            .collect::<Vec<_>>()
    });
    found.collect()
}

fn claims(scene: &Scene<'_>) -> Vec<Claim> {
    let network = scene.view.chain.evm();
    if network.is_none_or(|network| network.chain_id != CHAIN_ID) {
        return Vec::new();
    }
    let transactions = scene.view.facts.transactions();
    transactions
        .filter_map(|transaction| Claim::of(scene, transaction))
        .collect()
}

impl Claim {
    /// `None` where nothing was swapped, or for more than one.
    fn of(scene: &Scene<'_>, transaction: &EvmTransaction) -> Option<Self> {
        let swaps: Vec<(Address, u64)> = transaction.events.iter().filter_map(swap).collect();
        // `Miner.withdraw` swaps for the recipient first, then its fee for the relayer.
        let (claimant, points) = match swaps[..] {
            [(recipient, points)] => (recipient, points),
            [(recipient, points), (_, fee)] => (recipient, points.checked_add(fee)?),
            _ => return None,
        };
        let movements = transaction.movements.iter();
        let paid = movements.filter(|movement| movement.from == REWARD_SWAP);
        let id = |origin| TransferId::movement(scene.view.chain, &transaction.hash, origin).into();
        Some(Self {
            claimant,
            points,
            placement: transaction.placement,
            transaction: transaction.hash.to_string(),
            paid: paid.map(|movement| id(&movement.origin)).collect(),
        })
    }

    /// The rates of a pool that divide the points, each with the blocks that it makes of them.
    fn lasted(
        &self,
        scene: &Scene<'_>,
        pool: &Address,
    ) -> impl Iterator<Item = (u64, u64)> + use<> {
        let points = self.points;
        let pool = Pool::at(scene.view.chain, pool);
        let rates = pool.and_then(|pool| RATES.iter().find(|(name, _)| *name == pool.name));
        let rates = rates.map_or(&[][..], |(_, rates)| rates);
        let whole = rates
            .iter()
            .filter(move |rate| points.is_multiple_of(**rate));
        whole.map(move |rate| (*rate, points / *rate))
    }
}

/// Who received for how many points, where an event says that some were swapped.
fn swap(event: &Event) -> Option<(Address, u64)> {
    let is_swap = event.address == REWARD_SWAP && event.form() == topics::TORNADO_REWARD_SWAP;
    if !is_swap || event.topics.len() != 2 {
        return None;
    }
    let recipient = topic(event, 1).and_then(address)?;
    Some((recipient, Words::of(event).number(0)?))
}

impl<'m> Found<'m> {
    fn of(mixed: &'m [Mixed]) -> Self {
        let mut blocks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in mixed {
            let place = (one.pool, one.placement.block.height);
            blocks.entry(place).or_default().push(one);
        }
        Self {
            accounts: Mixing::by_account(mixed),
            blocks,
        }
    }

    fn by(&self, account: &Address) -> impl Iterator<Item = &'m Mixed> {
        self.accounts.get(account).into_iter().flatten().copied()
    }

    fn at(&self, pool: Address, block: Option<u64>) -> impl Iterator<Item = &'m Mixed> {
        let there = block.and_then(|block| self.blocks.get(&(pool, block)));
        there.into_iter().flatten().copied()
    }
}

/// Pairs that lie as far apart as the points say, where the deposit or the withdrawal is the claimant's own. With those of
/// others, everybody in the pool would fit somebody's points sooner or later.
fn fits<'m>(
    scene: &Scene<'_>,
    claim: &Claim,
    deposits: &Found<'m>,
    withdrawals: &Found<'m>,
) -> Vec<Fit<'m>> {
    let mut fits = Vec::new();
    for deposit in deposits.by(&claim.claimant) {
        for (rate, blocks) in claim.lasted(scene, &deposit.pool) {
            let block = deposit.placement.block.height.checked_add(blocks);
            let out = withdrawals.at(deposit.pool, block);
            fits.extend(out.map(|withdrawal| Fit {
                deposit,
                withdrawal,
                rate,
                blocks,
            }));
        }
    }
    for withdrawal in withdrawals.by(&claim.claimant) {
        for (rate, blocks) in claim.lasted(scene, &withdrawal.pool) {
            let block = withdrawal.placement.block.height.checked_sub(blocks);
            let into = deposits.at(withdrawal.pool, block);
            let strangers = into.filter(|deposit| deposit.account != claim.claimant);
            fits.extend(strangers.map(|deposit| Fit {
                deposit,
                withdrawal,
                rate,
                blocks,
            }));
        }
    }
    fits.retain(|fit| {
        let withdrawn = fit.withdrawal.placement;
        fit.deposit.placement < withdrawn && withdrawn < claim.placement
    });
    fits
}

/// One for each recipient, pool and rate.
fn leads<'m>(claim: &Claim, fits: &[Fit<'m>]) -> Vec<Lead<'m>> {
    let mut groups: BTreeMap<(Address, Address, u64), Vec<&Fit<'m>>> = BTreeMap::new();
    for fit in fits {
        let group = (fit.withdrawal.account, fit.withdrawal.pool, fit.rate);
        groups.entry(group).or_default().push(fit);
    }
    let leads = groups
        .into_iter()
        .filter_map(|((recipient, _, rate), group)| {
            let depositors: BTreeSet<Address> =
                group.iter().map(|fit| fit.deposit.account).collect();
            let verdict = Verdict::new("evm.tornado.lead.torn-mining", Confidence::Weak)
                .with("points", claim.points)
                .with("points-per-block", rate)
                .with("blocks", group.first()?.blocks)
                .with("claim", claim.transaction.clone())
                .with("claimant", claim.claimant.to_string())
                .with("claimant-is", role(claim, recipient, &depositors))
                .count("fitting-pairs", fits.len());
            let pairs = group.iter().take(NAMED);
            Some(Lead {
                verdict,
                recipient,
                depositors,
                pairs: pairs
                    .flat_map(|fit| [fit.deposit, fit.withdrawal])
                    .collect(),
                besides: claim.paid.clone(),
            })
        });
    leads.collect()
}

fn role(claim: &Claim, recipient: Address, depositors: &BTreeSet<Address>) -> &'static str {
    match (
        recipient == claim.claimant,
        depositors.contains(&claim.claimant),
    ) {
        (true, true) => "depositor and recipient",
        (true, false) => "recipient",
        (false, _) => "depositor",
    }
}
