//! What indexes name, confirmed on the chain.
//!
//! A hint adds an entry where the endpoint itself tells of the transaction, and nothing else: no hint and no lack of
//! one makes a statement more or less complete, so that an index which lies only costs requests.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{Coin, EvmTransaction, SourceError};

use super::inquiry::{AT_A_TIME, Draft, Inquiry};
use crate::history::{AlchemyPage, AlchemyWalk, IndexList, Side, Step};

impl Inquiry<'_> {
    /// Enters the transactions that indexes name and the endpoint confirms.
    pub(super) async fn take_hints(&self, draft: &mut Draft) -> Result<(), SourceError> {
        // Whoever searched for every call needs no hints, and a contract's own token is read from its logs.
        if draft.searched || self.coin == Coin::Token(self.address) {
            return Ok(());
        }
        let mut named = self.named().await?;
        named.retain(|hash| !draft.book.names(hash));
        let confirmed: Vec<_> = stream::iter(named)
            .map(|hash| self.confirmed(hash))
            .buffered(AT_A_TIME)
            .try_collect()
            .await?;
        for tx in confirmed.into_iter().flatten() {
            draft.book.enter(tx);
        }
        Ok(())
    }

    /// Everything that any index names.
    async fn named(&self) -> Result<BTreeSet<B256>, SourceError> {
        let lists: &[IndexList] = match self.coin {
            Coin::Native => &[IndexList::Transactions, IndexList::Internal],
            Coin::Token(_) => &[IndexList::Tokens],
        };
        let mut named = BTreeSet::new();
        for index in &self.reader.indexes {
            let asked = (self.address, lists);
            let blocks = (self.since, self.until);
            named.extend(index.names(asked, blocks, self.bound).await);
        }
        if self.reader.abilities().await?.transfers {
            for side in [Side::From, Side::To] {
                named.extend(self.transfers(side).await);
            }
        }
        Ok(named)
    }

    /// What `alchemy_getAssetTransfers` names; not every network knows of internal transfers.
    async fn transfers(&self, side: Side) -> BTreeSet<B256> {
        let categories: &[&[&str]] = match self.coin {
            Coin::Native => &[&["external", "internal"], &["external"]],
            Coin::Token(_) => &[&["erc20"]],
        };
        for categories in categories {
            if let Some(named) = self.transfers_of(side, categories).await {
                return named;
            }
        }
        BTreeSet::new()
    }

    /// The same for some categories; `None` where the answer is none, which is no gap.
    async fn transfers_of(&self, side: Side, categories: &[&str]) -> Option<BTreeSet<B256>> {
        let most = usize::try_from(self.bound).unwrap_or(usize::MAX);
        let mut walk = AlchemyWalk::new(self.address, side, (self.since, self.until), most);
        while let Some(params) = walk.ask(categories) {
            let heard = self
                .reader
                .ask
                .call("alchemy_getAssetTransfers", &params)
                .await;
            // What it said instead is in nobody's interest.
            let heard = heard.ok()?;
            let page: AlchemyPage = serde_json::from_slice(heard.json()).ok()?;
            if walk.answered(page).ok()? == Step::TooMany {
                return Some(BTreeSet::new());
            }
        }
        let hints = walk.finish();
        Some(hints.candidates.into_iter().map(|one| one.tx).collect())
    }

    /// The transaction as the endpoint tells it; `None` where it is of other blocks or the endpoint cannot tell.
    async fn confirmed(&self, hash: B256) -> Result<Option<EvmTransaction>, SourceError> {
        match self.reader.in_full(hash, self.notes).await {
            Ok(tx) => {
                let height = tx.placement.block.height;
                let asked = (self.since..=self.until).contains(&height);
                Ok(Some(tx).filter(|_| asked))
            }
            Err(error) if error.class.is_transient() => Err(error),
            // An index may name what is not there, or what nobody can read.
            Err(_) => Ok(None),
        }
    }
}
