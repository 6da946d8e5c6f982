//! Value that one account spreads over many others, and value of many that one account gathers.

use std::collections::{BTreeSet, HashMap};

use alloy_primitives::Address;
use hansel_ledger::{Amount, Coin};

use crate::verdict::Verdict;
use crate::{Confidence, Finding};

use super::scene::{AccountIx, Moved, Scene};
use super::transaction::EvmView;

/// How many accounts there are at least on the wide side. Ours.
const ACCOUNTS: usize = 10;

/// Within how many seconds they are paid or pay. Ours.
const SECONDS: u64 = 86_400;

/// How many transfers a finding names at most; it counts all.
const NAMED: usize = 100;

/// Says that a transaction alone spreads a coin of one account over many.
pub(super) fn in_one_transaction(view: &EvmView<'_>) -> Vec<Finding> {
    if view.tx.movements.len() < ACCOUNTS {
        return Vec::new();
    }
    let mut payees: HashMap<(Address, Coin), BTreeSet<Address>> = HashMap::new();
    // A token of somebody's own making can be spread in anybody's name.
    let honest = view.tx.movements.iter().filter(|movement| {
        let network = view.chain.evm();
        let known = network.is_some_and(|network| network.asset(movement.coin).is_some());
        known || movement.from == view.tx.sender
    });
    for movement in honest {
        let key = (movement.from, movement.coin);
        payees.entry(key).or_default().insert(movement.to);
    }
    payees.retain(|_, payees| payees.len() >= ACCOUNTS);
    let spread = payees.into_iter().map(|((from, coin), payees)| {
        let movements = view.paid_by(from).filter(|movement| movement.coin == coin);
        let amount = Amount::checked_sum(movements.clone().map(|movement| movement.amount));
        let mut verdict = Verdict::new("evm.spread", Confidence::Certain)
            .count("payees", payees.len())
            .count("least-payees", ACCOUNTS)
            .with("coin", coin.to_string());
        if let Ok(amount) = amount {
            verdict = verdict.amount("amount", amount);
        }
        let evidence = movements.take(NAMED).map(|movement| view.id(movement));
        let summary = format!("{from} pays {} accounts in one transaction", payees.len());
        verdict.finding(vec![view.node(&from)], evidence.collect(), summary)
    });
    spread.collect()
}

/// The two ways in which value fans.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

impl Way {
    fn rule(self) -> &'static str {
        match self {
            Self::Out => "evm.fan-out",
            Self::In => "evm.fan-in",
        }
    }

    /// Whom the account of the finding deals with.
    fn other(self, moved: &Moved<'_>) -> Option<AccountIx> {
        match self {
            Self::Out => Some(moved.to),
            Self::In => moved.from,
        }
    }
}

/// A finding for each account and coin that fans out or in. Services do so all day and are left out.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let fans = scene.subjects().flat_map(|account| {
        let out = fan(scene, account, Way::Out);
        out.into_iter().chain(fan(scene, account, Way::In))
    });
    fans.collect()
}

fn fan(scene: &Scene<'_>, account: AccountIx, way: Way) -> Vec<Finding> {
    let count = match way {
        Way::Out => scene.given(account).len(),
        Way::In => scene.received(account).len(),
    };
    if count < ACCOUNTS || scene.is_service(account) {
        return Vec::new();
    }
    let mut by_coin: HashMap<Coin, Vec<&Moved<'_>>> = HashMap::new();
    let mut sort = |moved| {
        let moved: &Moved<'_> = moved;
        // Anybody can make a token and spread it in anybody's name.
        if scene.is_known(moved.coin()) && moved.from != Some(moved.to) {
            by_coin.entry(moved.coin()).or_default().push(moved);
        }
    };
    match way {
        Way::Out => scene.given(account).iter().for_each(&mut sort),
        Way::In => scene.received(account).for_each(&mut sort),
    }
    let fans = by_coin.into_iter().filter_map(|(coin, moved)| {
        let widest = widest(&moved, way)?;
        Some(finding(scene, account, coin, widest, way))
    });
    fans.collect()
}

/// The stretch of transfers within the time with the most others, where there are enough; the first of equals.
fn widest<'m, 's, 'a>(moved: &'m [&'s Moved<'a>], way: Way) -> Option<&'m [&'s Moved<'a>]> {
    let mut counts: HashMap<AccountIx, usize> = HashMap::new();
    let (mut start, mut best, mut stretch) = (0, 0, 0..0);
    for (end, last) in moved.iter().enumerate() {
        let Some(other) = way.other(last) else {
            continue;
        };
        *counts.entry(other).or_default() += 1;
        while last.time().saturating_sub(moved[start].time()) > SECONDS {
            if let Some(gone) = way.other(moved[start])
                && let Some(count) = counts.get_mut(&gone)
            {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&gone);
                }
            }
            start += 1;
        }
        if counts.len() > best {
            (best, stretch) = (counts.len(), start..end + 1);
        }
    }
    (best >= ACCOUNTS).then(|| &moved[stretch])
}

fn finding(
    scene: &Scene<'_>,
    account: AccountIx,
    coin: Coin,
    moved: &[&Moved<'_>],
    way: Way,
) -> Finding {
    let others: BTreeSet<AccountIx> = moved.iter().filter_map(|one| way.other(one)).collect();
    let mut verdict = Verdict::new(way.rule(), Confidence::Weak)
        .count("accounts", others.len())
        .count("least-accounts", ACCOUNTS)
        .count("transfers", moved.len())
        .with("within-seconds", SECONDS)
        .with("coin", scene.coin(coin));
    if let Ok(sum) = Amount::checked_sum(moved.iter().map(|one| one.amount())) {
        verdict = verdict.amount("amount", sum);
    }
    let evidence = moved.iter().take(NAMED).map(|one| scene.id(one)).collect();
    let address = scene.address(account);
    let summary = match way {
        Way::Out => format!("{address} pays {} accounts within a day", others.len()),
        Way::In => format!(
            "{address} is paid by {} accounts within a day",
            others.len()
        ),
    };
    verdict.finding(vec![scene.node(account)], evidence, summary)
}
