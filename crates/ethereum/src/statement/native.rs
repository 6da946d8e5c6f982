//! What an account did with the native coin: by a search for its calls, by its nonces, or block by block.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{AccountNature, ErrorClass, Gap, SourceError};
use serde_json::json;

use super::book::Book;
use super::inquiry::{AT_A_TIME, Draft, Ends, Found, Inquiry};
use super::lack::Lacks;
use crate::decode::{self, FlatTrace, Transactions};
use crate::history::{
    Advice, Contradiction, NonceHistory, NonceRise, OtsWalk, Reply, Side, Span, Step, TracePiece,
    TraceWalk, UNSEEN, WalkError, nonce_histories, walk_traces,
};
use crate::source::reader::hex;
use crate::source::state::searched;

/// Blocks that are read one by one where nothing better is offered.
const SCANNED: u64 = 256;
/// Requests of one search for calls; an endpoint that needs more answers for too few blocks at once.
const REQUESTS: u64 = 5_000;
/// Parts of such a search that are asked for at a time.
const WALKERS: usize = 8;

/// Every transaction in which the account gave the coin that the endpoint's best way finds.
pub(super) async fn find(
    inquiry: &Inquiry<'_>,
    nature: AccountNature,
    ends: Ends,
) -> Result<Found, SourceError> {
    let state = ends.opening.is_some() && ends.closing.is_some();
    let abilities = inquiry.reader.abilities().await?;
    if abilities.filter || abilities.otterscan {
        if state && inquiry.nonces_exceed(nature).await? {
            return Ok(Found::Hub);
        }
        if abilities.filter
            && let Some(found) = by_filter(inquiry).await?
        {
            return Ok(found);
        }
        if abilities.otterscan
            && let Some(found) = by_otterscan(inquiry, state).await?
        {
            return Ok(found);
        }
    }
    if state && let Some(found) = by_nonces(inquiry, nature).await? {
        return Ok(found);
    }
    by_blocks(inquiry).await
}

/// By `trace_filter`; `None` where the endpoint refuses after all, or answers for too few blocks at once.
async fn by_filter(inquiry: &Inquiry<'_>) -> Result<Option<Found>, SourceError> {
    let sides = futures::try_join!(inquiry.touches(Side::From), inquiry.touches(Side::To));
    let (mut hashes, received) = match sides {
        Ok(sides) => sides,
        Err(WalkError::TooMany) => return Ok(Some(Found::Hub)),
        Err(WalkError::TooNarrow(_)) => return Ok(None),
        Err(WalkError::Inconsistent(error)) => {
            return Err(inquiry.contradiction("trace_filter", &error));
        }
        Err(WalkError::Endpoint(error)) if error.class == ErrorClass::Unsupported => {
            return Ok(None);
        }
        Err(WalkError::Endpoint(error)) => return Err(error),
    };
    hashes.extend(received);
    if exceeds(hashes.len(), inquiry.bound) {
        return Ok(Some(Found::Hub));
    }
    inquiry
        .entered(hashes, Lacks::default(), true)
        .await
        .map(Some)
}

/// By Otterscan's index of calls; `None` where the endpoint refuses after all.
///
/// Whoever gives the coin makes a call or destroys himself in one, so every payment is listed. What arrives without a
/// call (withdrawals, on some nodes what is left by contracts that destroy themselves) shows in the balances, and where
/// the endpoint does not keep those it stays unknown.
async fn by_otterscan(inquiry: &Inquiry<'_>, state: bool) -> Result<Option<Found>, SourceError> {
    let hashes = match inquiry.listed().await {
        Ok(Some(hashes)) => hashes,
        Ok(None) => return Ok(Some(Found::Hub)),
        Err(error) if error.class == ErrorClass::Unsupported => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut lacks = Lacks::default();
    if !state {
        let reason = "the endpoints keep no state of that time, and their index of calls does not list all that arrives \
                      without one"
            .to_owned();
        lacks.from(inquiry.since, Gap::HistoryUnknown { reason });
    }
    inquiry.entered(hashes, lacks, true).await.map(Some)
}

/// By the blocks in which the nonce rose; `None` where state is missing in between.
///
/// What contracts moved is found by whoever compares the entries with the balances.
async fn by_nonces(
    inquiry: &Inquiry<'_>,
    nature: AccountNature,
) -> Result<Option<Found>, SourceError> {
    let mut lacks = Lacks::default();
    let rises = match nature {
        // A contract signs nothing; its nonce counts what it creates.
        AccountNature::Contract => Some(NonceHistory::Rises(Vec::new())),
        AccountNature::External | AccountNature::Delegated(_) | AccountNature::Unknown => {
            inquiry.rises().await?
        }
    };
    let rises = match rises {
        None => return Ok(None),
        Some(NonceHistory::TooMany { .. }) => return Ok(Some(Found::Hub)),
        Some(NonceHistory::Rises(rises)) => rises,
    };
    let (hashes, raised) = inquiry.sent_in(&rises).await?;
    // Without code of its own an account gives only what it signs, so its balances hide nothing.
    if nature != AccountNature::External || raised {
        let reason = UNSEEN.to_owned();
        lacks.from(inquiry.since, Gap::HistoryUnknown { reason });
    }
    inquiry.entered(hashes, lacks, false).await.map(Some)
}

/// By reading blocks, as many as is reasonable.
async fn by_blocks(inquiry: &Inquiry<'_>) -> Result<Found, SourceError> {
    let last = inquiry.since.saturating_add(SCANNED - 1).min(inquiry.until);
    let mut lacks = Lacks::default();
    if last < inquiry.until {
        let reason = format!(
            "the endpoints neither keep state of that time nor search by account, so only blocks {} to {last} were read",
            inquiry.since
        );
        lacks.from(last + 1, Gap::HistoryUnknown { reason });
    }
    let mut draft = Draft {
        book: Book::new(inquiry.address, inquiry.coin),
        lacks,
        blind: 0,
        searched: false,
    };
    let read = |height| async move {
        let mut told = inquiry.touched(height).await?;
        told.height = height;
        Ok::<_, SourceError>(told)
    };
    let mut all = stream::iter(inquiry.since..=last).map(read).buffered(8);
    while let Some(touched) = all.try_next().await? {
        for tx in touched.transactions {
            draft.book.enter(tx);
        }
        for arrival in touched.withdrawals {
            draft.book.arrive(arrival);
        }
        if touched.block.value.miner == Some(inquiry.address) {
            let reason = "the account made blocks, and no endpoint keeps state of that time, so what it earned by \
                          that is not known"
                .to_owned();
            draft
                .lacks
                .from(touched.height, Gap::HistoryUnknown { reason });
        }
        if draft.book.len() > inquiry.bound {
            return Ok(Found::Hub);
        }
        if !touched.traced {
            draft.blind += touched.untraced;
            let reason = "no endpoint traces transactions nor keeps state of that time, so what contracts moved is \
                          not known"
                .to_owned();
            if touched.untraced > 0 {
                draft
                    .lacks
                    .from(touched.height, Gap::HistoryUnknown { reason });
            }
        }
    }
    Ok(Found::Entries(draft))
}

impl Inquiry<'_> {
    /// True where the nonce alone says that there are more transfers than are read.
    async fn nonces_exceed(&self, nature: AccountNature) -> Result<bool, SourceError> {
        if nature == AccountNature::Contract {
            return Ok(false);
        }
        let before = async {
            match self.since.checked_sub(1) {
                Some(height) => self.reader.nonce(self.address, height).await,
                None => Ok(Some(0)),
            }
        };
        let after = self.reader.nonce(self.address, self.until);
        let (before, after) = futures::try_join!(before, after)?;
        let rise = before
            .zip(after)
            .map(|(before, after)| after.saturating_sub(before));
        Ok(rise.is_some_and(|rise| rise > self.bound))
    }

    /// The blocks in which the nonce rose; `None` where state is missing in between.
    async fn rises(&self) -> Result<Option<NonceHistory>, SourceError> {
        let span = Span {
            address: self.address,
            since: self.since,
            until: self.until,
        };
        let found = nonce_histories(&self.reader.probes, &[span], self.bound).await;
        let contradiction =
            |error: &Contradiction| self.contradiction("eth_getTransactionCount", error);
        let mut histories = searched(found, contradiction)?;
        Ok(histories.as_mut().and_then(|found| found.remove(&span)))
    }

    /// The transactions that the account sent in these blocks, and whether its nonce rose by more than those.
    async fn sent_in(&self, rises: &[NonceRise]) -> Result<(BTreeSet<B256>, bool), SourceError> {
        let read = |rise: NonceRise| async move {
            let body = self.reader.body(rise.block).await?;
            let Transactions::Full(all) = &body.value.transactions else {
                return Ok((Vec::new(), true));
            };
            let own = all.iter().filter(|tx| tx.from == self.address);
            let own: Vec<B256> = own.map(|tx| tx.hash).collect();
            let raised = rise.by > u64::try_from(own.len()).unwrap_or(u64::MAX);
            Ok::<_, SourceError>((own, raised))
        };
        let blocks: Vec<_> = stream::iter(rises.iter().copied())
            .map(read)
            .buffered(AT_A_TIME)
            .try_collect()
            .await?;
        let raised = blocks.iter().any(|(_, raised)| *raised);
        let hashes = blocks.into_iter().flat_map(|(own, _)| own).collect();
        Ok((hashes, raised))
    }

    /// The transactions in which the account made or received a call that may have moved the coin.
    async fn touches(&self, side: Side) -> Result<BTreeSet<B256>, WalkError<SourceError>> {
        let range = (self.since, self.until);
        let bound = usize::try_from(self.bound).unwrap_or(usize::MAX);
        let learned = self.reader.trace_reach.known();
        let walk = TraceWalk::new((self.address, side), range, learned, bound, REQUESTS);
        let form = walk.clone();
        let ask = |piece| self.traces_of(piece, &form);
        let (touches, learned) = walk_traces(walk, WALKERS, ask).await?;
        self.reader.trace_reach.learn(learned);
        Ok(touches.into_iter().filter_map(|touch| touch.tx).collect())
    }

    async fn traces_of(
        &self,
        piece: TracePiece,
        walk: &TraceWalk,
    ) -> Result<Reply<Vec<FlatTrace>>, SourceError> {
        let (method, params) = match piece {
            TracePiece::Range(part) => ("trace_filter", walk.parameters(part)),
            TracePiece::Block(height) => ("trace_block", json!([hex(height)])),
        };
        let heard = match self.reader.ask.try_call(method, &params).await {
            Ok(heard) => heard,
            Err(failure) => {
                let advice = Advice::of(&failure.kind);
                return advice.map(Reply::TooWide).ok_or(failure.error);
            }
        };
        let calls = self.reader.ask.read(&heard, decode::flat_traces)?;
        self.notes.keep(&heard.evidence);
        Ok(Reply::Told(calls.unwrap_or_default()))
    }

    /// The transactions that called the account or were called by it; `None` where there are more than are read.
    async fn listed(&self) -> Result<Option<BTreeSet<B256>>, SourceError> {
        let method = "ots_searchTransactionsAfter";
        let bound = usize::try_from(self.bound).unwrap_or(usize::MAX);
        let mut walk = OtsWalk::new(self.address, (self.since, self.until), bound);
        while let Some(params) = walk.ask() {
            let heard = self.reader.ask.call(method, &params).await?;
            let page = self.reader.ask.read(&heard, decode::ots_page)?;
            self.notes.keep(&heard.evidence);
            let step = walk.answered(&page);
            if step.map_err(|error| self.reader.ask.inconsistent(&heard, error))? == Step::TooMany {
                return Ok(None);
            }
        }
        let listed = walk.finish().into_iter();
        Ok(Some(listed.map(|one| one.tx).collect()))
    }

    /// A draft with these transactions in full.
    async fn entered(
        &self,
        hashes: BTreeSet<B256>,
        lacks: Lacks,
        searched: bool,
    ) -> Result<Found, SourceError> {
        let transactions = self.in_full(hashes).await?;
        let mut book = Book::new(self.address, self.coin);
        for tx in transactions.into_values() {
            let block = tx.placement.block.height;
            if !(self.since..=self.until).contains(&block) {
                let what = "a transaction";
                let error = Contradiction::NotAsked { what, block };
                return Err(self.contradiction("eth_getTransactionByHash", &error));
            }
            book.enter(tx);
        }
        Ok(Found::Entries(Draft {
            book,
            lacks,
            blind: 0,
            searched,
        }))
    }
}

fn exceeds(count: usize, bound: u64) -> bool {
    u64::try_from(count).is_ok_and(|count| count > bound)
}
