//! Looks for what arrived of a link, and believes it only where its own chain says so.

pub(super) mod candidates;
mod confirmed;
mod derived;
mod logged;
mod received;
mod swept;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use bitcoin::OutPoint;
use hansel_graph::{AccountInflow, Inflow, Parts};
use hansel_heuristics::crossing::{
    Arrival, Bridges, Departure, Leaving, Likeness, Payee, Protocol, Reason, Search, likenesses,
};
use hansel_ledger::{Amount, BlockRef, Chain, Coin, NodeId, UnixTime};
use hansel_report::format_units;

use logged::log_query;

use crate::case_record::CaseInflow;
use crate::failure::Failure;
use crate::leg::Leg;

/// How long after its departure value is looked for among what a script received.
const LATEST: u64 = 7 * 24 * 3600;
/// How far two chains' clocks may be apart: Bitcoin allows its miners two hours.
pub(super) const SKEW: u64 = 2 * 3600;
/// Transactions that are read for one search.
const MOST: usize = 500;

/// What was found of a link.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What arrived, by time.
    pub(super) landings: Vec<Landing>,
    /// What could not be looked at, safe to print.
    pub(super) problems: Vec<String>,
    /// How many candidates are listed, where any were looked for.
    pub(super) listed: Option<usize>,
}

/// Value that arrived and is followed.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    pub(super) protocol: Protocol,
    pub(super) chain: String,
    pub(super) reason: Reason,
    pub(super) amount: Amount,
    pub(super) asset: String,
    /// Amount and asset in words.
    pub(super) shown: String,
    pub(super) tx: String,
    pub(super) block: BlockRef,
    /// The node that it came out of.
    pub(super) from: NodeId,
    pub(super) payee: Option<String>,
    /// The flow that brought it: what sorts and names it.
    pub(super) key: String,
    /// Why it is only a guess, where it is.
    pub(super) guess: Option<Guess>,
    place: Spot,
}

/// What makes a payment a candidate.
#[derive(Clone, Debug)]
pub(super) struct Guess {
    /// Its name on the command line.
    pub(super) id: String,
    /// How close it is, of a thousand.
    pub(super) score: u64,
    /// How many candidates there are, this one included.
    pub(super) of: usize,
    /// True where it pays whom the departure names.
    pub(super) is_to_payee: bool,
    /// True where its amount was compared with what left.
    pub(super) is_measured: bool,
    /// True where all was looked at that was to be.
    pub(super) is_complete: bool,
    /// True where it is followed.
    pub(super) followed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Spot {
    Output(OutPoint),
    Movement(B256, hansel_ledger::Origin, Coin),
}

impl Landing {
    /// The seed that it is on its chain.
    pub(super) fn inflow(&self, parts: Parts) -> CaseInflow {
        match &self.place {
            Spot::Output(outpoint) => CaseInflow::Output(Inflow {
                outpoint: *outpoint,
                parts,
            }),
            Spot::Movement(hash, origin, _) => CaseInflow::Account(AccountInflow {
                hash: *hash,
                origin: origin.clone(),
                parts,
            }),
        }
    }

    /// True for the seed that it is.
    pub(super) fn is(&self, inflow: &CaseInflow) -> bool {
        match (inflow, &self.place) {
            (CaseInflow::Output(one), Spot::Output(outpoint)) => one.outpoint == *outpoint,
            (CaseInflow::Account(one), Spot::Movement(hash, origin, _)) => {
                (&one.hash, &one.origin) == (hash, origin)
            }
            (CaseInflow::Output(_) | CaseInflow::Account(_), _) => false,
        }
    }

    fn coin(&self) -> Option<Coin> {
        match self.place {
            Spot::Output(_) => None,
            Spot::Movement(_, _, coin) => Some(coin),
        }
    }
}

/// Everything that arrived of what left under one link.
pub(super) async fn find(
    bridges: &Bridges,
    legs: &[Leg<'_>],
    home: usize,
    leaving: &[&Leaving],
) -> Result<Found, Failure> {
    let mut landings = BTreeMap::new();
    let mut problems = BTreeSet::new();
    for one in leaving {
        for search in &one.departure.searches {
            let Some(leg) = legs
                .iter()
                .find(|leg| leg.part.chain.name() == search.chain())
            else {
                continue;
            };
            let is_known = !(landings.is_empty() && problems.is_empty());
            if is_known && matches!(search, Search::Swept { .. }) {
                continue;
            }
            let hunt = Hunt {
                bridges,
                legs,
                leg,
                departure: &one.departure,
            };
            match hunt.search(search, one.time).await? {
                Ok((found, doubts)) => {
                    landings.extend(found.into_iter().map(|one| (one.key.clone(), one)));
                    problems.extend(doubts);
                }
                Err(reason) => {
                    problems.insert(format!(
                        "{} could not be searched: {reason}",
                        search.chain()
                    ));
                }
            }
        }
    }
    let mut found = Found {
        landings: landings.into_values().collect(),
        problems: problems.into_iter().collect(),
        listed: None,
    };
    let home = &legs[home].part.chain;
    if let Some(first) = leaving.first() {
        leave_out_other_coins(&mut found, home, &first.departure);
        leave_out_crumbs(&mut found, home, &first.departure);
    }
    put_in_order(&mut found);
    Ok(found)
}

/// Leaves out payouts in another coin than the departure names, where one in that coin arrived: anybody can pay anything out
/// before the network does.
fn leave_out_other_coins(found: &mut Found, home: &Chain, departure: &Departure) {
    let Some(there) = departure.place.chain() else {
        return;
    };
    let wanted: Vec<Coin> = likenesses(home, departure, there)
        .into_iter()
        .map(|likeness| likeness.coin)
        .collect();
    let fits = |one: &Landing| {
        one.chain == there.name() && wanted.contains(&one.coin().unwrap_or(Coin::Native))
    };
    let paid = |one: &&Landing| one.reason == Reason::Paid;
    if !found.landings.iter().filter(paid).any(fits) {
        return;
    }
    let problems = &mut found.problems;
    found.landings.retain(|one| {
        let keeps = one.reason == Reason::Refunded || fits(one);
        if !keeps {
            problems.push(format!("{} pays another asset and is not followed", one.tx));
        }
        keeps
    });
}

/// Leaves out payouts of the same coin that are together less than half of what left by nobody's word but the sender's:
/// such crumbs anybody could pay him, to make his own payment look like a bridge's.
fn leave_out_crumbs(found: &mut Found, home: &Chain, departure: &Departure) {
    let Some(there) = departure.place.chain().filter(|_| departure.only_said) else {
        return;
    };
    for Likeness { coin, amount } in likenesses(home, departure, there) {
        let Some(left) = amount else { continue };
        let pays = |one: &Landing| {
            let same = one.chain == there.name() && one.coin().unwrap_or(Coin::Native) == coin;
            same && one.reason == Reason::Paid
        };
        let paid = found.landings.iter().filter(|one| pays(one));
        let paid = Amount::checked_sum(paid.map(|one| one.amount)).unwrap_or(left);
        if paid.checked_add(paid).is_ok_and(|twice| twice >= left) {
            continue;
        }
        for one in found.landings.extract_if(.., |one| pays(one)) {
            found.problems.push(format!(
                "{} pays less than half of it in the same coin, as anybody could, and is not followed",
                one.tx
            ));
        }
    }
}

/// Sorts what is followed by time, and leaves out what shares no asset with the first.
pub(super) fn put_in_order(found: &mut Found) {
    let landings = &mut found.landings;
    landings.sort_by(|one, next| (one.block.time, &one.key).cmp(&(next.block.time, &next.key)));
    let mut problems: BTreeSet<String> = found.problems.drain(..).collect();
    drop_other_assets(landings, &mut problems);
    found.problems = problems.into_iter().collect();
}

/// Payouts share claims by their amounts, which only those of one asset have in common.
fn drop_other_assets(landings: &mut Vec<Landing>, problems: &mut BTreeSet<String>) {
    let paid = landings.iter().find(|one| one.reason == Reason::Paid);
    let Some(first) = paid.map(|one| (one.chain.clone(), one.coin())) else {
        return;
    };
    landings.retain(|one| {
        let same = one.reason == Reason::Refunded || (one.chain.clone(), one.coin()) == first;
        if !same {
            problems.insert(format!("{} pays another asset and is not followed", one.tx));
        }
        same
    });
}

/// What was found, and what could not be followed.
type Catch = (Vec<Landing>, Vec<String>);

pub(super) struct Hunt<'a> {
    pub(super) bridges: &'a Bridges,
    pub(super) legs: &'a [Leg<'a>],
    pub(super) leg: &'a Leg<'a>,
    pub(super) departure: &'a Departure,
}

impl Hunt<'_> {
    fn chain(&self) -> &Chain {
        &self.leg.part.chain
    }

    async fn search(
        &self,
        search: &Search,
        left: UnixTime,
    ) -> Result<Result<Catch, String>, Failure> {
        let since = UnixTime(left.0.saturating_sub(SKEW));
        let within = match search {
            Search::Transaction { hash, .. } => return self.computed(*hash).await,
            Search::Confirmed { .. } => return self.confirmed(search, left).await,
            Search::Swept { .. } => return self.swept(search, left).await,
            Search::Received { .. } => LATEST,
            Search::Logs { within, .. } | Search::Named { within, .. } => *within,
        };
        let until = UnixTime(left.0.saturating_add(within));
        let blocks = match self.leg.heights(since, until).await {
            Ok(Some(blocks)) => blocks,
            Ok(None) => return Ok(Ok(Catch::default())),
            Err(reason) => return Ok(Err(reason)),
        };
        match search {
            Search::Named {
                contracts,
                topics,
                topic,
                ..
            } => {
                self.named(log_query(contracts, topics, blocks), *topic)
                    .await
            }
            Search::Received { script, .. } => self.received(script, blocks).await,
            Search::Logs {
                contracts,
                topics,
                mark,
                ..
            } => {
                self.logged(log_query(contracts, topics, blocks), mark)
                    .await
            }
            Search::Transaction { .. } | Search::Confirmed { .. } | Search::Swept { .. } => {
                Ok(Ok(Catch::default()))
            }
        }
    }

    /// The asset of an arrival, and its amount with the asset in words.
    fn in_words(&self, place: &Spot, amount: Amount) -> (String, String) {
        let chain = self.chain();
        let asset = match place {
            Spot::Output(_) | Spot::Movement(_, _, Coin::Native) => chain.native(),
            Spot::Movement(_, _, Coin::Token(contract)) => {
                let network = chain.evm();
                let known = network.and_then(|network| network.asset(Coin::Token(*contract)));
                let Some(asset) = known else {
                    return (
                        contract.to_string(),
                        format!("{amount} units of {contract}"),
                    );
                };
                asset.clone()
            }
        };
        let units = format_units(amount, asset.decimals);
        (asset.symbol.clone(), format!("{units} {}", asset.symbol))
    }

    fn landing(
        &self,
        arrival: &Arrival,
        block: BlockRef,
        tx: String,
        from: NodeId,
        key: String,
        place: Spot,
    ) -> Landing {
        let chain = self.chain();
        let (asset, shown) = self.in_words(&place, arrival.amount);
        let payee = match &arrival.payee {
            Payee::Script(script) => chain
                .network()
                .and_then(|network| bitcoin::Address::from_script(script, network).ok())
                .map(|address| address.to_string()),
            Payee::Account(account) => Some(account.to_string()),
            Payee::Other(_) | Payee::Unknown => None,
        };
        Landing {
            protocol: arrival.protocol,
            chain: chain.name().to_owned(),
            reason: arrival.reason,
            amount: arrival.amount,
            asset,
            shown,
            tx,
            block,
            from,
            payee,
            key,
            guess: None,
            place,
        }
    }
}

/// True where some bytes stand somewhere in others.
fn holds(data: &[u8], mark: &[u8]) -> bool {
    mark.is_empty() || data.windows(mark.len()).any(|window| window == mark)
}
