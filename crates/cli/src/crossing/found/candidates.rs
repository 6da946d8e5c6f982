//! Reads what known accounts of a bridge paid, and what the payee of a departure received, near it in amount and time.

mod outputs;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use hansel_heuristics::crossing::{
    Arrival, CANDIDATE_WINDOW, Leaving, Likeness, Payee, Protocol, Reason, candidate_score,
    likenesses,
};
use hansel_ledger::{
    Amount, Chain, Coin, EvmFact, EvmQuery, EvmTransaction, Fact, Gap, NodeId, Query, TransferId,
    UnixTime,
};

use super::super::ask::{account_transaction, ask};
use super::{Hunt, Landing, MOST, SKEW, Spot};
use crate::failure::Failure;

/// A payment that may be what left.
pub(in crate::crossing) struct Near {
    pub(in crate::crossing) score: u64,
    /// True where it pays whom the departure names.
    pub(in crate::crossing) is_to_payee: bool,
    /// True where its amount was compared with what left.
    pub(in crate::crossing) is_measured: bool,
    pub(in crate::crossing) landing: Landing,
}

/// Payments, and what could not be looked at.
type Nearby = (Vec<Near>, Vec<String>);

/// What a candidate must be.
struct Sought {
    likenesses: Vec<Likeness>,
    least: Option<Amount>,
    left: UnixTime,
    payers: BTreeSet<Address>,
    payee: Payee,
}

impl Hunt<'_> {
    /// The candidates of a departure on the hunt's chain.
    pub(in crate::crossing) async fn candidates(
        &self,
        home: &Chain,
        leaving: &Leaving,
    ) -> Result<Nearby, Failure> {
        let there = self.chain();
        let nothing = |problem: String| Ok((Vec::new(), vec![format!("{there}: {problem}")]));
        if leaving.departure.carrier.is_none() {
            return Ok(Nearby::default());
        }
        let mut payers = self.payers(leaving);
        let known = payers.len();
        if let Some(last) = payers.iter().nth(MOST).copied() {
            payers = payers.into_iter().take_while(|one| *one != last).collect();
        }
        let sought = Sought {
            likenesses: likenesses(home, &leaving.departure, there),
            least: leaving.departure.least,
            left: leaving.time,
            payers,
            payee: leaving.departure.payee.clone(),
        };
        if sought.likenesses.is_empty() {
            return nothing("no coin of that symbol is known there, so no candidate".into());
        }
        if let Some(problem) = sought.problem(there) {
            return nothing(problem.into());
        }
        let until = UnixTime(leaving.time.0.saturating_add(CANDIDATE_WINDOW));
        // A miner's clock may be behind by as much.
        let early = if there.network().is_some() { SKEW } else { 0 };
        let since = UnixTime(leaving.time.0.saturating_sub(early));
        let blocks = match self.leg.heights(since, until).await {
            Ok(Some(blocks)) => blocks,
            Ok(None) => return Ok(Nearby::default()),
            Err(reason) => return nothing(reason),
        };
        let (near, mut problems) = match &sought.payee {
            Payee::Script(script) => self.outputs_near(&sought, script, blocks).await?,
            _ => self.near(&sought, blocks).await?,
        };
        if known > sought.payers.len() {
            let asked = sought.payers.len();
            problems.push(format!(
                "only {asked} of the bridge's {known} accounts were asked"
            ));
        }
        let problems = problems.into_iter();
        let problems = problems.map(|problem| format!("candidates on {there}: {problem}"));
        Ok((near, problems.collect()))
    }

    /// The accounts that pay for the bridge on this chain, as far as they are known.
    fn payers(&self, leaving: &Leaving) -> BTreeSet<Address> {
        let chain = self.chain().name();
        let protocol = leaving.departure.protocol;
        let entity = leaving.entity.as_deref().unwrap_or(protocol.name());
        let labelled = self.leg.part.labels.bridges(chain, entity).into_iter();
        let contracts = self.bridges.contracts(chain, protocol).into_iter();
        // Whoever writes a label writes what he likes: what is no address is none of the chain's accounts.
        let labelled = labelled.filter_map(|text| text.parse().ok());
        contracts.chain(labelled).collect()
    }

    async fn near(&self, sought: &Sought, (since, until): (u64, u64)) -> Result<Nearby, Failure> {
        let mut problems = Vec::new();
        let mut seen = BTreeMap::new();
        // Where a payee is named, a payment to anybody else is no candidate.
        if let Payee::Account(payee) = sought.payee {
            self.received_near(sought, payee, (since, until), &mut seen, &mut problems)
                .await?;
        } else {
            for (payer, likeness) in sought.payments() {
                let query = EvmQuery::Account {
                    address: *payer,
                    coin: likeness.coin,
                    since,
                    until,
                    bound: self.leg.request.hub,
                };
                match ask(self.leg, &Query::Evm(query)).await? {
                    Ok(Fact::Evm(EvmFact::Account(statement))) => {
                        problems.extend(statement.coverage.gaps.iter().map(Gap::to_string));
                        let txs = statement.transactions.into_iter();
                        seen.extend(txs.map(|tx| (tx.hash, tx)));
                    }
                    Ok(_) => problems.push("an answer of another kind than the question".into()),
                    Err(reason) => problems.push(reason),
                }
            }
        }
        let near = seen.values().flat_map(|tx| self.fitting(sought, tx));
        Ok((near.collect(), problems))
    }

    /// Reads the transactions that paid the payee about as much.
    async fn received_near(
        &self,
        sought: &Sought,
        address: Address,
        (since, until): (u64, u64),
        seen: &mut BTreeMap<B256, EvmTransaction>,
        problems: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let query = EvmQuery::Deposits {
            address,
            since,
            until,
        };
        let deposits = match ask(self.leg, &Query::Evm(query)).await? {
            Ok(Fact::Evm(EvmFact::Deposits(deposits))) => deposits,
            Ok(_) => {
                problems.push("an answer of another kind than the question".into());
                return Ok(());
            }
            Err(reason) => {
                problems.push(reason);
                return Ok(());
            }
        };
        problems.extend(deposits.coverage.gaps.iter().map(Gap::to_string));
        let fitting = deposits.arrivals.iter();
        let fitting = fitting.filter(|one| sought.score(one.coin, one.amount, 0).is_some());
        let hashes: BTreeSet<B256> = fitting.filter_map(|one| one.tx).collect();
        if hashes.len() > MOST {
            problems.push(format!(
                "only {MOST} of {} transactions were read",
                hashes.len()
            ));
        }
        for hash in hashes.into_iter().take(MOST) {
            match account_transaction(self.leg, hash).await? {
                Ok(tx) => {
                    seen.insert(hash, tx);
                }
                Err(reason) => problems.push(format!("transaction {hash}: {reason}")),
            }
        }
        Ok(())
    }

    fn fitting(&self, sought: &Sought, tx: &EvmTransaction) -> Vec<Near> {
        let time = tx.placement.block.time;
        let Some(after) = time.0.checked_sub(sought.left.0) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for movement in &tx.movements {
            let is_to_payee = sought.payee == Payee::Account(movement.to);
            let is_paid = sought.payers.contains(&movement.from);
            let inside = sought.payers.contains(&movement.to);
            let fits = is_to_payee || sought.payee == Payee::Unknown && is_paid && !inside;
            let score = sought.score(movement.coin, movement.amount, after);
            let Some((score, is_measured)) = score.filter(|_| fits) else {
                continue;
            };
            let arrival = self.guessed(movement.amount, Payee::Account(movement.to));
            let landing = self.landing(
                &arrival,
                tx.placement.block,
                tx.hash.to_string(),
                NodeId::account(self.chain(), &movement.from),
                TransferId::movement(self.chain(), &tx.hash, &movement.origin).into(),
                Spot::Movement(tx.hash, movement.origin.clone(), movement.coin),
            );
            all.push(Near {
                score,
                is_to_payee,
                is_measured,
                landing,
            });
        }
        all
    }

    /// A payment as what may have arrived.
    fn guessed(&self, amount: Amount, payee: Payee) -> Arrival {
        Arrival {
            protocol: Protocol::Unlinked,
            link: self.departure.link.clone(),
            reason: Reason::Paid,
            carrier: None,
            amount,
            payee,
            left: None,
        }
    }
}

impl Sought {
    /// Why nothing can be looked for, if so.
    fn problem(&self, there: &Chain) -> Option<&'static str> {
        match (&self.payee, there.network()) {
            (Payee::Script(_), Some(_)) | (Payee::Account(_), None) => None,
            (Payee::Unknown, Some(_)) => {
                Some("only payments to a payee who is named are looked for on it")
            }
            (Payee::Unknown, None) if !self.payers.is_empty() => None,
            (Payee::Unknown, None) => {
                Some("no account of that bridge is known there, so no candidate")
            }
            (Payee::Script(_) | Payee::Account(_) | Payee::Other(_), _) => {
                Some("the payee is none of that chain's, so no candidate")
            }
        }
    }

    /// What is asked of the bridge's accounts: payments to nobody named are known by their amount only.
    fn payments(&self) -> impl Iterator<Item = (&Address, &Likeness)> {
        let compared = self.likenesses.iter().filter(|one| one.amount.is_some());
        compared.flat_map(|likeness| self.payers.iter().map(move |payer| (payer, likeness)))
    }

    /// How close a payment is, and whether its amount says anything.
    fn score(&self, coin: Coin, arrived: Amount, after: u64) -> Option<(u64, bool)> {
        let likeness = self.likenesses.iter().find(|one| one.coin == coin)?;
        if self.least.is_some_and(|least| arrived < least) {
            return None;
        }
        if likeness.amount.is_none() && self.payee == Payee::Unknown {
            return None;
        }
        let is_measured = likeness.amount.is_some();
        Some((
            candidate_score(likeness.amount, arrived, after)?,
            is_measured,
        ))
    }
}
