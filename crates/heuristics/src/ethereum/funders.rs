//! Who gave accounts their first gas: one who moves tokens needs some of the chain's own coin first.

use std::collections::BTreeMap;

use hansel_graph::PoolKey;
use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene, entity};

/// Gas is at most so much of the chain's own coin, in base units: 0.1 ether. Ours.
const MOST: u64 = 100_000_000_000_000_000;

/// From so many on a funder looks like a service. Ours.
const MANY: usize = 50;

/// How many accounts a finding names at most; it counts all.
const NAMED: usize = 100;

/// A finding for each account that paid the first gas of others.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut funded: BTreeMap<AccountIx, Vec<(AccountIx, &Moved<'_>)>> = BTreeMap::new();
    for account in scene.subjects() {
        if let Some((funder, gas)) = first_gas(scene, account) {
            funded.entry(funder).or_default().push((account, gas));
        }
    }
    let findings = funded.into_iter();
    findings
        .map(|(funder, funded)| finding(scene, funder, &funded))
        .collect()
}

/// The first of the chain's own coin that an account received before it moved a token, where somebody else paid the token.
fn first_gas<'s, 'a>(
    scene: &'s Scene<'a>,
    account: AccountIx,
) -> Option<(AccountIx, &'s Moved<'a>)> {
    let is_token = |moved: &&Moved<'_>| matches!(moved.coin(), Coin::Token(_));
    let own = scene.address(account);
    let moved = scene.given(account).iter().filter(is_token).find(|moved| {
        let transaction = moved.transaction;
        transaction.is_some_and(|transaction| transaction.sender == own)
    })?;
    let gas = scene
        .received(account)
        .find(|gas| gas.coin() == Coin::Native)?;
    let before = gas.place() < moved.place();
    if !before || gas.amount() > Amount::from(MOST) || scene.is_service(account) {
        return None;
    }
    let funder = gas.from.filter(|funder| *funder != account)?;
    let mut tokens = scene.received(account).filter(is_token);
    let apart = tokens.all(|token| token.from != Some(funder));
    apart.then_some((funder, gas))
}

/// True where the account is known to have held nothing of the chain's own coin before.
fn is_first(scene: &Scene<'_>, account: AccountIx, gas: &Moved<'_>) -> bool {
    let key = PoolKey {
        account: scene.address(account),
        coin: Coin::Native,
    };
    let statements = scene.view.facts.statements(key);
    statements
        .into_iter()
        .any(|one| one.opening == Some(Amount::ZERO) && one.since <= gas.block())
}

fn finding(scene: &Scene<'_>, funder: AccountIx, funded: &[(AccountIx, &Moved<'_>)]) -> Finding {
    let called: Vec<String> = scene
        .labels(funder)
        .iter()
        .map(|label| entity(label).to_owned())
        .collect();
    let first = funded
        .iter()
        .filter(|(account, gas)| is_first(scene, *account, gas))
        .count();
    let common = called.is_empty() && funded.len() < MANY;
    let verdict = Verdict::new("evm.first-gas", Confidence::Weak)
        .with("funder", scene.address(funder).to_string())
        .with("called", called)
        .count("funded", funded.len())
        .count("known-to-be-first", first)
        .with("could-be-one-owner", common)
        .with("most-gas", MOST.to_string())
        .count("many", MANY);
    let evidence = funded.iter().take(NAMED).map(|(_, gas)| scene.id(gas));
    let mut nodes: Vec<String> = funded
        .iter()
        .take(NAMED)
        .map(|(account, _)| scene.node(*account))
        .collect();
    if scene.is_subject(funder) {
        nodes.push(scene.node(funder));
    }
    let summary = format!(
        "{} gave {} accounts their first gas, and none of the tokens that they moved",
        scene.address(funder),
        funded.len()
    );
    verdict.finding(nodes, evidence.collect(), summary)
}
