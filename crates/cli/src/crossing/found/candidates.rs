//! Reads what known accounts of a bridge paid, and what the payee of a departure received, near it in amount and time.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use hansel_heuristics::crossing::{
    Arrival, CANDIDATE_WINDOW, Carrier, Leaving, Payee, Protocol, Reason, candidate_score,
    same_asset,
};
use hansel_ledger::{
    Amount, Chain, Coin, EvmFact, EvmQuery, EvmTransaction, Fact, Gap, NodeId, Query, TransferId,
    UnixTime,
};

use super::super::ask::{account_transaction, ask};
use super::{Hunt, Landing, MOST, Spot};
use crate::failure::Failure;

/// Payments with their scores, true where they pay whom the departure names; and what could not be looked at.
type Near = (Vec<(u64, bool, Landing)>, Vec<String>);

/// What a candidate must be.
struct Sought {
    coin: Coin,
    /// How much left, in units of this chain's coin.
    amount: Amount,
    left: UnixTime,
    payers: BTreeSet<Address>,
    payee: Option<Address>,
}

impl Hunt<'_> {
    /// The candidates of a departure on the hunt's chain.
    pub(in crate::crossing) async fn candidates(
        &self,
        home: &Chain,
        leaving: &Leaving,
    ) -> Result<Near, Failure> {
        let there = self.chain();
        let nothing = |problem: String| Ok((Vec::new(), vec![format!("{there}: {problem}")]));
        let Some(Carrier::Movement { coin, .. }) = leaving.departure.carrier else {
            return Ok(Near::default());
        };
        let Some((coin, amount)) = same_asset(home, coin, leaving.departure.amount, there) else {
            return nothing("no coin of that symbol is known there, so no candidate".into());
        };
        let sought = Sought {
            coin,
            amount,
            left: leaving.time,
            payers: self.payers(leaving),
            payee: match leaving.departure.payee {
                Payee::Account(payee) => Some(payee),
                Payee::Script(_) | Payee::Other(_) | Payee::Unknown => None,
            },
        };
        if sought.payers.is_empty() && sought.payee.is_none() {
            return nothing("no account of that bridge is known there, so no candidate".into());
        }
        let until = UnixTime(leaving.time.0.saturating_add(CANDIDATE_WINDOW));
        match self.leg.heights(leaving.time, until).await {
            Ok(Some(blocks)) => self.near(&sought, blocks).await,
            Ok(None) => Ok(Near::default()),
            Err(reason) => nothing(reason),
        }
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

    async fn near(&self, sought: &Sought, (since, until): (u64, u64)) -> Result<Near, Failure> {
        let mut problems = Vec::new();
        let mut seen = BTreeMap::new();
        for payer in &sought.payers {
            let query = EvmQuery::Account {
                address: *payer,
                coin: sought.coin,
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
        if let Some(payee) = sought.payee {
            self.received_near(sought, payee, (since, until), &mut seen, &mut problems)
                .await?;
        }
        let chain = self.chain();
        let problems = problems.into_iter();
        let problems = problems.map(|problem| format!("candidates on {chain}: {problem}"));
        let near = seen.values().flat_map(|tx| self.fitting(sought, tx));
        Ok((near.collect(), problems.collect()))
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
        let fits = |coin: Coin, amount| coin == sought.coin && sought.score(amount, 0).is_some();
        let fitting = deposits.arrivals.iter();
        let fitting = fitting.filter(|one| fits(one.coin, one.amount));
        let hashes: BTreeSet<B256> = fitting.filter_map(|one| one.tx).collect();
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

    fn fitting(&self, sought: &Sought, tx: &EvmTransaction) -> Vec<(u64, bool, Landing)> {
        let time = tx.placement.block.time;
        let Some(after) = time.0.checked_sub(sought.left.0) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        for movement in tx.movements.iter().filter(|one| one.coin == sought.coin) {
            let is_to_payee = sought.payee == Some(movement.to);
            let is_paid = sought.payers.contains(&movement.from);
            let inside = sought.payers.contains(&movement.to);
            // Where a payee is named, a payment to anybody else is none.
            let fits = is_to_payee || sought.payee.is_none() && is_paid && !inside;
            let Some(score) = sought.score(movement.amount, after).filter(|_| fits) else {
                continue;
            };
            let arrival = Arrival {
                protocol: Protocol::Unlinked,
                link: self.departure.link.clone(),
                reason: Reason::Paid,
                carrier: None,
                amount: movement.amount,
                payee: Payee::Account(movement.to),
                left: None,
            };
            let landing = self.landing(
                &arrival,
                tx.placement.block,
                tx.hash.to_string(),
                NodeId::account(self.chain(), &movement.from),
                TransferId::movement(self.chain(), &tx.hash, &movement.origin).into(),
                Spot::Movement(tx.hash, movement.origin.clone(), movement.coin),
            );
            all.push((score, is_to_payee, landing));
        }
        all
    }
}

impl Sought {
    fn score(&self, arrived: Amount, after: u64) -> Option<u64> {
        candidate_score(self.amount, arrived, after)
    }
}
