//! One account's statement from its first question to its last.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Coin, ErrorClass, EvmTransaction, Gap, Noise,
    SourceError,
};

use super::book::Book;
use super::lack::Lacks;
use super::reconcile::{Outcome, reconcile};
use super::{native, token};
use crate::history::Contradiction;
use crate::source::notes::Notes;
use crate::source::reader::Reader;

/// Requests of one statement that are under way at a time; the endpoint's own limits come on top.
pub(super) const AT_A_TIME: usize = 64;

/// What is asked, of whom, and where answers are kept.
#[derive(Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) notes: &'a Notes,
    pub(crate) address: Address,
    pub(crate) coin: Coin,
    pub(crate) since: u64,
    pub(crate) until: u64,
    pub(crate) bound: u64,
}

/// Entries so far, and what they lack.
pub(super) struct Draft {
    pub(super) book: Book,
    pub(super) lacks: Lacks,
    /// Transactions that may have moved the coin and could not be traced, besides those in the book.
    pub(super) blind: u64,
    /// True where every call with value was searched for, so that nothing can hide between two balances.
    pub(super) searched: bool,
}

/// What was found of an account.
pub(super) enum Found {
    /// Entries.
    Entries(Draft),
    /// More transfers than are read.
    Hub,
}

/// Balances around the blocks of a statement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) opening: Option<U256>,
    pub(super) closing: Option<U256>,
}

/// The statement that an inquiry asks for.
pub(crate) async fn account(inquiry: Inquiry<'_>) -> Result<AccountStatement, SourceError> {
    let nature = inquiry
        .reader
        .nature(inquiry.address, inquiry.until, inquiry.notes)
        .await?;
    // A question with no room for entries asks for the nature alone.
    if inquiry.bound == 0 {
        return Ok(inquiry.hub(nature));
    }
    let ends = inquiry.ends().await?;
    let found = inquiry.find(nature, ends).await?;
    Ok(match found {
        Found::Hub => inquiry.hub(nature),
        Found::Entries(draft) if draft.book.len() > inquiry.bound => inquiry.hub(nature),
        Found::Entries(draft) => inquiry.statement(nature, ends, draft),
    })
}

impl Inquiry<'_> {
    /// Everything that can be found of the coin, compared with the balances.
    pub(super) async fn find(
        &self,
        nature: AccountNature,
        ends: Ends,
    ) -> Result<Found, SourceError> {
        let found = match self.coin {
            Coin::Native => native::find(self, nature, ends).await?,
            Coin::Token(contract) => token::find(self, contract).await?,
        };
        let Found::Entries(mut draft) = found else {
            return Ok(Found::Hub);
        };
        self.take_hints(&mut draft).await?;
        if reconcile(self, &mut draft, nature, ends).await? == Outcome::TooMany {
            return Ok(Found::Hub);
        }
        let transactions = draft.book.untraced().saturating_add(draft.blind);
        if transactions > 0 {
            draft.lacks.aside(Gap::NoTraces { transactions });
        }
        Ok(Found::Entries(draft))
    }

    /// The balances before the first block and after the last.
    pub(super) async fn ends(&self) -> Result<Ends, SourceError> {
        let before = async {
            match self.since.checked_sub(1) {
                Some(height) => self.balance(height, true).await,
                None => Ok(Some(U256::ZERO)),
            }
        };
        let (opening, closing) = futures::try_join!(before, self.balance(self.until, true))?;
        Ok(Ends { opening, closing })
    }

    /// The balance after a block, kept as evidence where it is of use beyond the search for something else.
    pub(super) async fn balance(
        &self,
        height: u64,
        keep: bool,
    ) -> Result<Option<U256>, SourceError> {
        let notes = keep.then_some(self.notes);
        self.reader
            .balance(self.address, self.coin, height, notes)
            .await
    }

    /// Reads transactions in full.
    pub(super) async fn in_full(
        &self,
        hashes: BTreeSet<B256>,
    ) -> Result<BTreeMap<B256, EvmTransaction>, SourceError> {
        let read = |hash| async move {
            let tx = self.reader.in_full(hash, self.notes).await?;
            Ok((hash, tx))
        };
        let all = stream::iter(hashes).map(read).buffer_unordered(AT_A_TIME);
        all.try_collect().await
    }

    /// Says that answers of one method contradict each other.
    pub(super) fn contradiction(&self, method: &str, error: &Contradiction) -> SourceError {
        let params = serde_json::json!([self.address]);
        let class = ErrorClass::Inconsistent;
        self.reader
            .refusal(class, method, &params, &error.to_string())
    }

    fn hub(&self, nature: AccountNature) -> AccountStatement {
        let mut lacks = Lacks::default();
        lacks.from(self.since, Gap::Hub { bound: self.bound });
        AccountStatement {
            opening: None,
            closing: None,
            transactions: Vec::new(),
            arrivals: Vec::new(),
            noise: Noise::default(),
            ..self.empty(nature, lacks)
        }
    }

    fn statement(&self, nature: AccountNature, ends: Ends, draft: Draft) -> AccountStatement {
        let (transactions, arrivals, noise) = draft.book.close();
        AccountStatement {
            opening: ends.opening.map(Amount::from),
            closing: ends.closing.map(Amount::from),
            transactions,
            arrivals,
            noise,
            ..self.empty(nature, draft.lacks)
        }
    }

    fn empty(&self, nature: AccountNature, lacks: Lacks) -> AccountStatement {
        AccountStatement {
            address: self.address,
            coin: self.coin,
            since: self.since,
            until: self.until,
            opening: None,
            closing: None,
            nature,
            transactions: Vec::new(),
            arrivals: Vec::new(),
            noise: Noise::default(),
            coverage: lacks.coverage(self.since, self.until),
        }
    }
}
