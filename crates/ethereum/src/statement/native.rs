//! What an account did with the native coin: by a search for its calls, by its nonces, or block by block.

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{AccountNature, ErrorClass, Gap, SourceError};
use serde_json::{Value, json};

use super::book::Book;
use super::inquiry::{AT_A_TIME, Draft, Ends, Found, Inquiry};
use super::lack::Lacks;
use crate::decode::{self, FlatTrace, Transactions};
use crate::history::{NonceHistory, NonceRise, NonceSearch, Span, UNSEEN};
use crate::source::reader::hex;

/// Blocks that are read one by one where nothing better is offered.
const SCANNED: u64 = 256;
/// Calls asked for at a time.
const PAGE: usize = 1_000;
/// Calls without value that are looked through for each transfer that may be found.
const SPAM: u64 = 16;

/// Every transaction in which the account gave the coin that the endpoint's best way finds.
pub(super) async fn find(
    inquiry: &Inquiry<'_>,
    nature: AccountNature,
    ends: Ends,
) -> Result<Found, SourceError> {
    let state = ends.opening.is_some() && ends.closing.is_some();
    if state && inquiry.nonces_exceed(nature).await? {
        return Ok(Found::Hub);
    }
    if inquiry.reader.abilities().await?.filter
        && let Some(found) = by_filter(inquiry).await?
    {
        return Ok(found);
    }
    if state && let Some(found) = by_nonces(inquiry, nature).await? {
        return Ok(found);
    }
    by_blocks(inquiry).await
}

/// By `trace_filter`; `None` where the endpoint refuses after all.
async fn by_filter(inquiry: &Inquiry<'_>) -> Result<Option<Found>, SourceError> {
    let sides = futures::try_join!(
        inquiry.calls_of("fromAddress"),
        inquiry.calls_of("toAddress")
    );
    let (gave, received) = match sides {
        Ok(sides) => sides,
        Err(error) if error.class == ErrorClass::Unsupported => return Ok(None),
        Err(error) => return Err(error),
    };
    let (Some(mut hashes), Some(received)) = (gave, received) else {
        return Ok(Some(Found::Hub));
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
        let mut search = NonceSearch::new([span], self.bound);
        loop {
            let probes = search.probes();
            if probes.is_empty() {
                return Ok(Some(search.history(&span)));
            }
            let ask = |probe: (Address, u64)| async move {
                let nonce = self.reader.nonce(probe.0, probe.1).await?;
                Ok::<_, SourceError>((probe, nonce))
            };
            let answers: Vec<_> = stream::iter(probes)
                .map(ask)
                .buffered(AT_A_TIME)
                .try_collect()
                .await?;
            for (probe, nonce) in answers {
                let Some(nonce) = nonce else {
                    return Ok(None);
                };
                let learnt = search.learn(probe, nonce);
                learnt.map_err(|error| self.contradiction("eth_getTransactionCount", &error))?;
            }
        }
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

    /// The transactions in which the account made (`fromAddress`) or received (`toAddress`) a call that counts;
    /// `None` where there are too many.
    async fn calls_of(&self, side: &str) -> Result<Option<BTreeSet<B256>>, SourceError> {
        let mut hashes = BTreeSet::new();
        let mut after = 0_usize;
        loop {
            let page = self.page_of_calls(side, after).await?;
            let full = page.len() >= PAGE;
            after = after.saturating_add(page.len());
            let counts = |call: &&FlatTrace| counts(call, self.address);
            hashes.extend(page.iter().filter(counts).filter_map(|call| call.tx));
            let looked = after / usize::try_from(SPAM).unwrap_or(1);
            if exceeds(hashes.len(), self.bound)
                || exceeds(looked, self.bound.saturating_add(1_000))
            {
                return Ok(None);
            }
            if !full {
                return Ok(Some(hashes));
            }
        }
    }

    async fn page_of_calls(&self, side: &str, after: usize) -> Result<Vec<FlatTrace>, SourceError> {
        let mut filter = json!({
            "fromBlock": hex(self.since),
            "toBlock": hex(self.until),
            "after": after,
            "count": PAGE,
        });
        filter[side] = json!([self.address]);
        let params: Value = json!([filter]);
        let heard = self.reader.ask.call("trace_filter", &params).await?;
        let calls = self.reader.ask.read(&heard, decode::flat_traces)?;
        self.notes.keep(&heard.evidence);
        Ok(calls.unwrap_or_default())
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

/// True for a call that may have moved the coin to or from the account, and for a transaction that it sent.
fn counts(call: &FlatTrace, address: Address) -> bool {
    let moves = call.kind.is_some_and(decode::CallKind::moves_value) && !call.value.is_zero();
    let sent = call.address.is_empty() && call.from == Some(address);
    moves || sent
}

fn exceeds(count: usize, bound: u64) -> bool {
    u64::try_from(count).is_ok_and(|count| count > bound)
}
