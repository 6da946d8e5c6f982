//! What endpoints tell of one block, and the things that may be watched which that names.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use anyhow::Context as _;
use hansel_ledger::{
    BlockRef, Called, Chain, ChainSource, ErrorClass, EvmFact, EvmQuery, Fact, FoundLog, Query,
    SourceError,
};
use hansel_scan::Role;

use super::watched::{Named, Watched};
use crate::failure::Failure;
use crate::watch::Key;

/// A block, and what its endpoint tells of it.
pub(super) struct Told {
    pub(super) block: BlockRef,
    pub(super) parent: B256,
    parties: Vec<(Role, Address)>,
    pub(super) logs: Vec<FoundLog>,
    /// `None` where no endpoint traces blocks.
    pub(super) called: Option<Called>,
}

impl Told {
    /// Asks for everything that is told of the block of a height.
    pub(super) async fn of(
        source: &Arc<dyn ChainSource>,
        watched: &Watched<'_>,
        height: u64,
    ) -> Result<Self, Failure> {
        let block = source.block_at(height).await?;
        let json = source.raw_block(&block).await?;
        let cannot = || format!("cannot read block {} at height {height}", block.evm_hash());
        let Named {
            parties,
            may_be_logged,
        } = watched.read(&json).with_context(cannot)?;
        let parent = hansel_scan::parent(&json).with_context(cannot)?;
        let logs = if may_be_logged || !bloom_counts(source.chain()) {
            logs(source, height).await?
        } else {
            Vec::new()
        };
        let called = match source.called(&block).await {
            Ok(called) => Some(called),
            Err(error) if error.class == ErrorClass::Unsupported => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            block,
            parent,
            parties,
            logs,
            called,
        })
    }

    /// Everything that the block names and that a case may watch.
    pub(super) fn names(&self) -> BTreeSet<Key> {
        let mut names = BTreeSet::new();
        for (role, account) in &self.parties {
            names.insert(Key::Account(*account));
            match role {
                Role::Created | Role::Authority => _ = names.insert(Key::Code(*account)),
                Role::From | Role::To | Role::FeeRecipient | Role::Withdrawal => {}
            }
        }
        self.logs.iter().for_each(|log| {
            names.extend(heard(log));
            names.extend(paid(log));
        });
        if let Some(called) = &self.called {
            names.extend(called.parties.iter().copied().map(Key::Account));
            names.extend(called.changed.iter().copied().map(Key::Code));
            if !called.parties.is_empty() {
                names.insert(Key::Traces);
            }
        }
        names
    }
}

/// The writer and the topics of a log.
pub(super) fn heard(log: &FoundLog) -> impl Iterator<Item = Key> {
    let topics = log.event.topics.iter().copied().map(Key::Topic);
    topics.chain([Key::Logger(log.event.address)])
}

/// The accounts that are topics of a log.
fn paid(log: &FoundLog) -> impl Iterator<Item = Key> {
    let words = log.event.topics.iter().skip(1).copied();
    words.filter_map(|word| {
        let account = Address::from_word(word);
        (account.into_word() == word).then_some(Key::Account(account))
    })
}

/// Whether the bloom of a header is to be believed where it rules logs out: its hash was checked, and every receipt of
/// the block is in it.
fn bloom_counts(chain: &Chain) -> bool {
    chain.evm().is_some_and(|network| {
        let form = network.blocks;
        form.ethereum_header && !form.bridge_receipt
    })
}

/// All logs of a block.
///
/// Fails as where no endpoint serves blocks if the endpoint does not tell them all: then each case asks for its own.
async fn logs(source: &Arc<dyn ChainSource>, height: u64) -> Result<Vec<FoundLog>, Failure> {
    let query = EvmQuery::Logs {
        contracts: Vec::new(),
        topics: Vec::new(),
        since: height,
        until: height,
    };
    let too_many = || SourceError {
        class: ErrorClass::Unsupported,
        endpoint: source.chain().name().to_owned(),
        request: format!("all logs of the block at height {height}"),
        detail: "not all of them are told".into(),
    };
    match source.answer(&Query::Evm(query)).await {
        Ok(answer) => match answer.fact {
            Fact::Evm(EvmFact::Logs(logs)) if logs.coverage.gaps.is_empty() => Ok(logs.logs),
            _ => Err(too_many().into()),
        },
        // An answer that is too long counts as malformed.
        Err(error) => Err(match error.class {
            ErrorClass::TooPopular | ErrorClass::Truncated | ErrorClass::Malformed => {
                too_many().into()
            }
            _ => error.into(),
        }),
    }
}
