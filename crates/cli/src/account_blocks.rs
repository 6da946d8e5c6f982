//! Reads the new blocks of an EVM chain once for everything that any case watches.
//!
//! A block names who sends, who is called and who is paid outside of transactions. Its logs are asked for where the
//! bloom of its header does not rule them out, and its calls by its traces. Where no endpoint traces blocks, what the
//! watched accounts hold after the last block is compared with what they held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use anyhow::{Context as _, anyhow};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{
    BlockRef, Called, Chain, ChainSource, Coin, ErrorClass, EvmFact, EvmNetwork, EvmQuery, Fact,
    FoundLog, Query,
};
use hansel_scan::{AccountHit, AccountHits, AccountSet, Role};
use hansel_store::Store;

use crate::blocks::{Read, reorganised};
use crate::failure::Failure;
use crate::watch::{Key, Note};

/// Blocks asked for ahead of the one being read.
const AHEAD: usize = 6;
/// Balances that are asked for in one go.
const BALANCES: usize = 1_000;

/// Everything that is watched on one chain.
#[derive(Default)]
struct Watched {
    /// Accounts of which anything counts, then those of which only code does.
    accounts: BTreeMap<Address, Counts>,
    loggers: BTreeSet<Address>,
    topics: BTreeSet<B256>,
    /// True where a case was told of transactions without traces.
    wants_traces: bool,
}

/// What counts of an account.
#[derive(Clone, Copy, Default)]
struct Counts {
    value: bool,
    code: bool,
}

/// A block, and what its endpoint tells of it.
struct Told {
    block: BlockRef,
    hits: AccountHits,
    parent: B256,
    logs: Vec<FoundLog>,
    /// `None` where no endpoint traces blocks.
    called: Option<Called>,
}

struct Reading<'a> {
    source: &'a Arc<dyn ChainSource>,
    watched: &'a Watched,
    set: &'a AccountSet,
    accounts: &'a [Address],
    read: Read,
    /// The block that the next one has to follow.
    last: B256,
    /// True where the calls of some block are not known.
    untraced: bool,
}

/// Reads the blocks after `from` up to `through`.
pub(crate) async fn read(
    source: &Arc<dyn ChainSource>,
    store: &Store,
    (from, through): (BlockRef, BlockRef),
    window: u64,
) -> Result<Read, Failure> {
    let chain = source.chain();
    let watched = Watched::of(store, chain)?;
    let accounts: Vec<Address> = watched.accounts.keys().copied().collect();
    let set = AccountSet::with_logs(
        accounts.iter().copied(),
        watched.loggers.iter().copied(),
        watched.topics.iter().copied(),
    )?;
    let mut reading = Reading {
        source,
        watched: &watched,
        set: &set,
        accounts: &accounts,
        read: Read::between(chain, from, through, window),
        last: from.evm_hash(),
        untraced: false,
    };
    reading.blocks(from, through).await?;
    reading.balances(store).await?;
    if source.block_at(through.height).await?.hash != through.hash {
        return Err(reorganised());
    }
    Ok(reading.read)
}

impl Watched {
    fn of(store: &Store, chain: &Chain) -> Result<Self, Failure> {
        let mut watched = Self::default();
        for key in store.watched(chain) {
            match Key::from_bytes(&key?)? {
                Key::Account(account) => watched.accounts.entry(account).or_default().value = true,
                Key::Code(account) => watched.accounts.entry(account).or_default().code = true,
                Key::Logger(contract) => _ = watched.loggers.insert(contract),
                Key::Topic(topic) => _ = watched.topics.insert(topic),
                Key::Traces => watched.wants_traces = true,
                Key::Output(_) | Key::Script(_) => {}
            }
        }
        Ok(watched)
    }

    fn counts(&self, account: &Address) -> Counts {
        self.accounts.get(account).copied().unwrap_or_default()
    }
}

impl Reading<'_> {
    async fn blocks(&mut self, from: BlockRef, through: BlockRef) -> Result<(), Failure> {
        let (source, set) = (self.source, self.set);
        let tell = |height| async move { tell(source, set, height).await };
        let blocks = stream::iter(from.height + 1..=through.height).map(tell);
        let mut blocks = std::pin::pin!(blocks.buffered(AHEAD));
        while let Some(told) = blocks.try_next().await? {
            self.take(told)?;
        }
        if self.last == through.evm_hash() {
            return Ok(());
        }
        Err(reorganised())
    }

    fn take(&mut self, told: Told) -> Result<(), Failure> {
        let height = told.block.height;
        if told.parent != self.last {
            return Err(reorganised());
        }
        for hit in &told.hits.named {
            self.named(hit, height);
        }
        for log in &told.logs {
            self.logged(log, height);
        }
        match &told.called {
            Some(called) => self.called(called, height),
            None => self.untraced = true,
        }
        self.read.count(told.block);
        self.last = told.block.evm_hash();
        Ok(())
    }

    fn hit(&mut self, key: Key, height: u64) {
        let hit = self.read.hits.entry(key).or_default();
        hit.last = hit.last.max(height);
    }

    fn named(&mut self, hit: &AccountHit, height: u64) {
        let place = usize::try_from(hit.watched).expect("numbers of 32 bits fit");
        let account = self.accounts[place];
        let Counts { value, code } = self.watched.counts(&account);
        if value {
            self.hit(Key::Account(account), height);
        }
        let may_have_code = match hit.role {
            Role::Created | Role::Authority => true,
            Role::From | Role::To | Role::FeeRecipient | Role::Withdrawal => false,
        };
        if code && may_have_code {
            self.hit(Key::Code(account), height);
        }
    }

    fn logged(&mut self, log: &FoundLog, height: u64) {
        let topics = &log.event.topics;
        for word in topics.iter().skip(1) {
            let account = Address::from_word(*word);
            if account.into_word() == *word && self.watched.counts(&account).value {
                self.hit(Key::Account(account), height);
            }
        }
        let logger = Some(log.event.address).filter(|it| self.watched.loggers.contains(it));
        let named = topics.iter().filter(|it| self.watched.topics.contains(*it));
        let keys = named.map(|topic| Key::Topic(*topic));
        let keys: Vec<Key> = keys.chain(logger.map(Key::Logger)).collect();
        for key in keys {
            let hit = self.read.hits.entry(key).or_default();
            hit.last = hit.last.max(height);
            hit.logs.push((height, topics.clone()));
        }
    }

    fn called(&mut self, called: &Called, height: u64) {
        for account in &called.parties {
            if self.watched.counts(account).value {
                self.hit(Key::Account(*account), height);
            }
        }
        for account in &called.changed {
            if self.watched.counts(account).code {
                self.hit(Key::Code(*account), height);
            }
        }
        if self.watched.wants_traces && !called.parties.is_empty() {
            self.hit(Key::Traces, height);
        }
    }

    /// Asks what accounts hold where nothing else tells: of tokens that nothing is known of, whose contracts may change
    /// balances without a word; and of the native coin where calls are not known.
    async fn balances(&mut self, store: &Store) -> Result<(), Failure> {
        let asked = self.doubtful(store)?;
        let height = self.read.through.height;
        for part in asked.chunks(BALANCES) {
            let now = self.source.held(part, height).await?;
            for ((account, coin), now) in part.iter().zip(now) {
                let hit = self.read.hits.entry(Key::Account(*account)).or_default();
                hit.held.insert(*coin, now);
            }
        }
        Ok(())
    }

    /// What may have changed without a sign in what was read of the blocks.
    fn doubtful(&self, store: &Store) -> Result<Vec<(Address, Coin)>, Failure> {
        let chain = self.source.chain();
        let network = chain.evm().context("only EVM chains have accounts")?;
        let mut doubtful = BTreeSet::new();
        for (account, counts) in &self.watched.accounts {
            let key = Key::Account(*account);
            if !counts.value || self.read.hits.contains_key(&key) {
                continue;
            }
            for watcher in store.watchers(chain, &key.to_bytes())? {
                if let Note::Held(told) = Note::parse(&watcher.note)? {
                    let coins = told.into_keys();
                    let coins = coins.filter(|coin| self.says_nothing(network, *coin));
                    doubtful.extend(coins.map(|coin| (*account, coin)));
                }
            }
        }
        Ok(doubtful.into_iter().collect())
    }

    /// Whether a balance may change without a sign in what was read of the blocks.
    fn says_nothing(&self, network: &EvmNetwork, coin: Coin) -> bool {
        match coin {
            Coin::Native => self.untraced,
            Coin::Token(_) => network.asset(coin).is_none(),
        }
    }
}

/// Everything that is told of one block.
async fn tell(
    source: &Arc<dyn ChainSource>,
    set: &AccountSet,
    height: u64,
) -> Result<Told, Failure> {
    let block = source.block_at(height).await?;
    let json = source.raw_block(&block).await?;
    let cannot = || format!("cannot read block {} at height {height}", block.evm_hash());
    let hits = set.scan(&json).with_context(cannot)?;
    let parent = hansel_scan::parent(&json).with_context(cannot)?;
    let logs = if hits.may_be_logged {
        logs(source, height).await?
    } else {
        Vec::new()
    };
    let called = match source.called(&block).await {
        Ok(called) => Some(called),
        Err(error) if error.class == ErrorClass::Unsupported => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Told {
        block,
        hits,
        parent,
        logs,
        called,
    })
}

/// All logs of a block.
async fn logs(source: &Arc<dyn ChainSource>, height: u64) -> Result<Vec<FoundLog>, Failure> {
    let query = EvmQuery::Logs {
        contracts: Vec::new(),
        topics: Vec::new(),
        since: height,
        until: height,
    };
    let answer = source.answer(&Query::Evm(query)).await?;
    match answer.fact {
        Fact::Evm(EvmFact::Logs(logs)) if logs.coverage.gaps.is_empty() => Ok(logs.logs),
        _ => Err(anyhow!("not all logs of the block at height {height} are told").into()),
    }
}
