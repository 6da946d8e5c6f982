//! Compares what was found with the balances, and looks into the blocks where they differ.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::{AccountNature, Amount, Arrival, Coin, EvmPlacement, Gap, Origin, SourceError};

use super::block::Touched;
use super::book::Rest;
use super::inquiry::{Draft, Ends, Inquiry};
use super::logs::Rows;
use super::own::held;
use crate::decode::{self, LogLean};
use crate::history::{BalanceHistory, Held, LogFilter, Unexplained, balance_history};
use crate::source::state::searched;

/// Blocks of a token that are looked into; a token whose balances change by themselves differs in every one.
const TOKEN_BLOCKS: usize = 32;
/// Balances that are looked at in between where contracts can move the coin in and out again.
const LOOKS: usize = 64;
/// Rounds of comparing and looking into blocks; one does unless the endpoint changes its mind.
const ROUNDS: usize = 4;

/// Says whether the transfers stay within the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Compared,
    TooMany,
}

/// Explains every difference that can be explained and names the rest.
pub(super) async fn reconcile(
    inquiry: &Inquiry<'_>,
    draft: &mut Draft,
    nature: AccountNature,
    ends: Ends,
) -> Result<Outcome, SourceError> {
    let Some((opening, closing)) = ends.opening.zip(ends.closing) else {
        draft.name_missing(inquiry, ends);
        return Ok(Outcome::Compared);
    };
    // Balances of an account without code fall only by what it signs, so equal ends leave nothing to look for.
    let hides =
        inquiry.coin == Coin::Native && nature != AccountNature::External && !draft.searched;
    let mut seen = BTreeSet::new();
    for _ in 0..ROUNDS {
        if !hides && draft.book.rest(opening, closing).is_none() {
            return Ok(Outcome::Compared);
        }
        let looks = if hides { LOOKS } else { 0 };
        let Some(history) = inquiry.search(draft, looks).await? else {
            draft.name_rest(inquiry, opening, closing);
            return Ok(Outcome::Compared);
        };
        if history.too_many {
            return Ok(match inquiry.coin {
                Coin::Native => Outcome::TooMany,
                Coin::Token(_) => {
                    draft.name_rest(inquiry, opening, closing);
                    Outcome::Compared
                }
            });
        }
        let new: Vec<Unexplained> = history
            .unexplained
            .into_iter()
            .filter(|one| seen.insert(one.block))
            .collect();
        if new.is_empty() {
            return Ok(Outcome::Compared);
        }
        for unexplained in new {
            inquiry.explain(draft, unexplained.block).await?;
        }
    }
    Ok(Outcome::Compared)
}

impl Draft {
    fn name_missing(&mut self, inquiry: &Inquiry<'_>, ends: Ends) {
        let before = inquiry.since.saturating_sub(1);
        for (balance, block) in [(ends.opening, before), (ends.closing, inquiry.until)] {
            if balance.is_none() {
                self.lacks.from(inquiry.since, Gap::NoState { block });
            }
        }
    }

    /// Names the whole difference at once.
    fn name_rest(&mut self, inquiry: &Inquiry<'_>, opening: U256, closing: U256) {
        if let Some(rest) = self.book.rest(opening, closing) {
            self.name_unexplained(inquiry.since, inquiry.until, rest);
        }
    }

    fn name_unexplained(&mut self, since: u64, until: u64, rest: Rest) {
        let Rest { gained, amount } = rest;
        let gap = Gap::Unexplained {
            since,
            until,
            gained,
            amount,
        };
        self.lacks.from(since, gap);
    }
}

impl Inquiry<'_> {
    /// Finds the blocks where balances and entries differ; `None` where state is missing in between.
    async fn search(
        &self,
        draft: &Draft,
        looks: usize,
    ) -> Result<Option<BalanceHistory>, SourceError> {
        let held = Held {
            address: self.address,
            coin: self.coin,
            since: self.since,
            until: self.until,
        };
        let bound = match self.coin {
            Coin::Native => usize::try_from(self.bound).unwrap_or(usize::MAX),
            Coin::Token(_) => TOKEN_BLOCKS,
        };
        let explained = draft.book.explained();
        let found = balance_history(&self.reader.probes, held, explained, looks, bound).await;
        searched(found, |error| self.contradiction("eth_getBalance", error))
    }

    /// Looks into a block where the balance changed by more or less than is known.
    async fn explain(&self, draft: &mut Draft, height: u64) -> Result<(), SourceError> {
        let before = async {
            match height.checked_sub(1) {
                Some(before) => self.balance(before, true).await,
                None => Ok(Some(U256::ZERO)),
            }
        };
        let (before, after) = futures::try_join!(before, self.balance(height, true))?;
        let Some(balances) = before.zip(after) else {
            return Ok(());
        };
        match self.coin {
            Coin::Native => self.explain_native(draft, height, balances).await,
            Coin::Token(contract) => self.explain_token(draft, height, balances, contract).await,
        }
    }

    async fn explain_native(
        &self,
        draft: &mut Draft,
        height: u64,
        (before, after): (U256, U256),
    ) -> Result<(), SourceError> {
        let mut touched = self.touched(height).await?;
        for tx in std::mem::take(&mut touched.transactions) {
            draft.book.enter(tx);
        }
        for arrival in std::mem::take(&mut touched.withdrawals) {
            draft.book.arrive(arrival);
        }
        let Some(rest) = draft.book.rest_at(height, before, after) else {
            return Ok(());
        };
        let maker = touched.block.value.miner == Some(self.address);
        if maker && let Some(tips) = self.tips(&touched, rest).await? {
            draft.book.arrive(tips);
        }
        let Some(rest) = draft.book.rest_at(height, before, after) else {
            return Ok(());
        };
        // What the chain began with comes from nowhere.
        let given = height == 0;
        if !touched.traced && !given {
            draft.blind += 1;
        }
        if rest.gained {
            self.notes.keep(&touched.block.evidence);
            draft
                .book
                .arrive(self.unexplained_arrival(&touched, rest.amount));
        }
        if !rest.gained || maker || touched.traced && !given {
            draft.name_unexplained(height, height, rest);
        }
        Ok(())
    }

    /// What a block's transactions tipped to the account that the block names for that; `None` where the endpoint
    /// does not give all receipts at once, and where the balance did not rise by as much: not every chain pays so.
    async fn tips(&self, touched: &Touched, rest: Rest) -> Result<Option<Arrival>, SourceError> {
        if !rest.gained || !self.reader.abilities().await?.block_receipts {
            return Ok(None);
        }
        let block = &touched.block.value;
        let receipts = self.reader.receipts(block).await?;
        let tips = decode::tips(block, &receipts.value).unwrap_or_default();
        let tips = Amount::from(tips);
        if tips.is_zero() || tips > rest.amount {
            return Ok(None);
        }
        self.notes.keep(&receipts.evidence);
        self.notes.keep(&touched.block.evidence);
        Ok(Some(Arrival {
            tx: None,
            placement: EvmPlacement {
                block: block.block_ref(),
                index: u32::MAX,
            },
            origin: Origin::Tips(block.number),
            from: None,
            coin: Coin::Native,
            amount: tips,
        }))
    }

    /// Value that came in a block in a way that is not known; in its transaction where it can only be one.
    fn unexplained_arrival(&self, touched: &Touched, amount: Amount) -> Arrival {
        let only = touched.only.filter(|_| !touched.traced);
        let placement = EvmPlacement {
            block: touched.block.value.block_ref(),
            index: only.map_or(u32::MAX, |(_, index)| index),
        };
        Arrival {
            tx: only.map(|(hash, _)| hash),
            placement,
            origin: Origin::Unexplained,
            from: None,
            coin: Coin::Native,
            amount,
        }
    }

    async fn explain_token(
        &self,
        draft: &mut Draft,
        height: u64,
        (before, after): (U256, U256),
        contract: Address,
    ) -> Result<(), SourceError> {
        let naming = self.naming(height, contract).await?;
        let hashes = naming.values().map(|log| log.transaction_hash).collect();
        for tx in self.in_full(hashes).await?.into_values() {
            let own = self.address == contract;
            draft
                .book
                .enter(if own { held(tx, contract, &naming) } else { tx });
        }
        let Some(rest) = draft.book.rest_at(height, before, after) else {
            return Ok(());
        };
        let forged = draft.book.forged_at(height, rest);
        for index in forged {
            draft.book.drop_forged(height, index);
        }
        if let Some(rest) = draft.book.rest_at(height, before, after) {
            draft.name_unexplained(height, height, rest);
        }
        Ok(())
    }

    /// The token's logs of a block that name the account, read from all of the block's logs so that an answer that
    /// leaves some out is found out.
    async fn naming(&self, height: u64, contract: Address) -> Result<Rows, SourceError> {
        let names = |topics: &[B256]| {
            let mut words = topics.iter().skip(1);
            words.any(|word| *word == self.address.into_word())
        };
        if self.reader.abilities().await?.block_receipts {
            let header = self.reader.header(height).await?;
            let receipts = self.reader.receipts(&header.value).await?;
            let logs = receipts.value.iter().flat_map(|receipt| &receipt.logs);
            let found = logs.filter(|log| log.address == contract && names(&log.topics));
            let row = |log: &LogLean| ((log.block_number, log.log_index), log.clone());
            return Ok(found.map(row).collect());
        }
        let filter = LogFilter {
            contracts: vec![contract],
            topics: Vec::new(),
        };
        let block = Inquiry {
            since: height,
            until: height,
            ..*self
        };
        let mut rows = block.logs(&filter).await?.unwrap_or_default();
        rows.retain(|_, log| names(&log.topics));
        Ok(rows)
    }
}
