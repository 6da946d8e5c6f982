//! Address poisoning: accounts made to look like somebody an account deals with, so that a copied address is the wrong one.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};

/// How many hexadecimal digits are alike at the beginning and at the end. Ours: wallets show about four of each.
const FIRST: u64 = 3;
const LAST: u64 = 3;

/// A bait is at most this part of what was paid to the account that it imitates. Ours.
const TINY: u64 = 1_000;

/// How many transfers a finding names at most.
const NAMED: usize = 20;

/// A finding for each account that somebody imitated to another.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let subjects = scene.subjects();
    subjects
        .flat_map(|victim| imitated(scene, victim))
        .collect()
}

/// The digits of an address that people look at.
fn shown(address: &Address) -> [u8; 4] {
    let [a, b, .., y, z] = address.0.0;
    [a, b & 0xf0, y & 0x0f, z]
}

/// The accounts that a victim deals with, those that look alike together, where there are several.
fn alike(scene: &Scene<'_>, victim: AccountIx) -> Vec<Vec<AccountIx>> {
    let paid = scene.given(victim).iter().map(|one| Some(one.to));
    let payers = scene.received(victim).map(|one| one.from);
    let others = paid.chain(payers).flatten().filter(|one| *one != victim);
    let mut keyed: Vec<([u8; 4], AccountIx)> = others
        .map(|other| (shown(&scene.address(other)), other))
        .collect();
    keyed.sort_unstable();
    keyed.dedup();
    let groups = keyed.chunk_by(|(one, _), (next, _)| one == next);
    groups
        .filter(|group| group.len() > 1)
        .map(|group| group.iter().map(|(_, account)| *account).collect())
        .collect()
}

/// What passed between the victim and one of several that look alike.
#[derive(Default)]
struct Dealings<'s, 'a> {
    /// What moved at the victim's will, or came to it as more than a bait.
    honest: Vec<&'s Moved<'a>>,
    /// Counterfeit tokens, and coins that came.
    other: Vec<&'s Moved<'a>>,
}

fn imitated(scene: &Scene<'_>, victim: AccountIx) -> Vec<Finding> {
    let groups = alike(scene, victim);
    if groups.is_empty() {
        return Vec::new();
    }
    let mut dealings: BTreeMap<AccountIx, Dealings<'_, '_>> = BTreeMap::new();
    for account in groups.iter().flatten() {
        dealings.insert(*account, Dealings::default());
    }
    for moved in scene.given(victim) {
        if let Some(dealing) = dealings.get_mut(&moved.to) {
            let willed = is_signed_by(scene, moved, victim) && scene.is_known(moved.coin());
            let list = if willed {
                &mut dealing.honest
            } else {
                &mut dealing.other
            };
            list.push(moved);
        }
    }
    for moved in scene.received(victim) {
        if let Some(dealing) = moved.from.and_then(|from| dealings.get_mut(&from)) {
            dealing.other.push(moved);
        }
    }
    let found = groups
        .iter()
        .flat_map(|group| group_findings(scene, victim, group, &dealings));
    found.collect()
}

/// True where the account signed the transaction, or nobody knows who did.
fn is_signed_by(scene: &Scene<'_>, moved: &Moved<'_>, account: AccountIx) -> bool {
    let transaction = moved.transaction;
    transaction.is_none_or(|transaction| transaction.sender == scene.address(account))
}

/// Who was paid first, and at the victim's will, is imitated; the others are imitations where something baits for them.
fn group_findings(
    scene: &Scene<'_>,
    victim: AccountIx,
    group: &[AccountIx],
    dealings: &BTreeMap<AccountIx, Dealings<'_, '_>>,
) -> Vec<Finding> {
    let place = |moved: &Moved<'_>| (moved.place(), moved.origin.clone());
    let first = |account: &AccountIx| dealings[account].honest.first().map(|moved| place(moved));
    let known = group.iter().filter(|account| first(account).is_some());
    let Some(genuine) = known.min_by_key(|account| first(account)) else {
        return Vec::new();
    };
    let paid = &dealings[genuine].honest;
    let since = paid.first().map(|moved| moved.place());
    let mut largest: BTreeMap<Coin, Amount> = BTreeMap::new();
    for moved in paid {
        let most = largest.entry(moved.coin()).or_default();
        *most = moved.amount().max(*most);
    }
    let others = group.iter().filter(|account| *account != genuine);
    let found = others.filter_map(|account| {
        let baits = baits(scene, &dealings[account], since, &largest);
        let fell = &dealings[account].honest;
        (!baits.is_empty())
            .then(|| finding(scene, [victim, *genuine, *account], paid, &baits, fell))
    });
    found.collect()
}

/// What came as a bait after the first payment: a token that nobody knows, or next to nothing of one that was paid.
fn baits<'s, 'a>(
    scene: &Scene<'_>,
    dealing: &Dealings<'s, 'a>,
    since: Option<(u64, u32)>,
    largest: &BTreeMap<Coin, Amount>,
) -> Vec<&'s Moved<'a>> {
    let is_bait = |moved: &&&Moved<'_>| {
        if !scene.is_known(moved.coin()) {
            return true;
        }
        let whole = moved.amount().to_u256().checked_mul(U256_TINY);
        let most = largest.get(&moved.coin());
        whole
            .zip(most)
            .is_some_and(|(whole, most)| whole <= most.to_u256())
    };
    let later = dealing
        .other
        .iter()
        .filter(|moved| Some(moved.place()) >= since);
    later.filter(is_bait).copied().collect()
}

const U256_TINY: alloy_primitives::U256 = alloy_primitives::U256::from_limbs([TINY, 0, 0, 0]);

fn finding(
    scene: &Scene<'_>,
    [victim, genuine, imitation]: [AccountIx; 3],
    paid: &[&Moved<'_>],
    baits: &[&Moved<'_>],
    fell: &[&Moved<'_>],
) -> Finding {
    let [own, real, false_one] = [victim, genuine, imitation].map(|one| scene.address(one));
    let counterfeit = baits.iter().any(|moved| !scene.is_known(moved.coin()));
    let kind = if counterfeit {
        "counterfeit token"
    } else {
        "tiny transfer"
    };
    let verdict = Verdict::new("evm.address-poisoning", Confidence::Strong)
        .with("imitated", real.to_string())
        .with("imitation", false_one.to_string())
        .with("kind", kind)
        .with("first-digits", FIRST)
        .with("last-digits", LAST)
        .with("tiny-part", TINY)
        .count("baits", baits.len())
        .with("paid-the-imitation", !fell.is_empty());
    let named = [&paid[..1], baits, fell].concat();
    let evidence = named.iter().take(NAMED).map(|moved| scene.id(moved));
    let fell = if fell.is_empty() {
        ""
    } else {
        ", and it was paid"
    };
    let summary = format!("{false_one} looks like {real}, whom {own} paid before{fell}");
    let nodes = [victim, imitation].map(|one| scene.node(one));
    verdict.finding(nodes.to_vec(), evidence.collect(), summary)
}
