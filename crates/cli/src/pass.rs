//! One pass over the new blocks of a chain, for every case that watches something of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use bitcoin::Txid;
use hansel_ledger::{
    Answer, BlockRef, Chain, ChainSource, ErrorClass, Fact, Query, SpendState, Spends,
};
use hansel_store::Store;

use crate::account_blocks;
use crate::blocks::{self, Read};
use crate::drive::now;
use crate::failure::Failure;
use crate::mempool;
use crate::output::say;
use crate::pin;
use crate::watch::{Key, Note};

/// Why a case that a new block touches is traced again.
const TOUCHED: &str = "new blocks move it";

/// A chain that is read on.
pub(crate) struct Pass<'a> {
    pub(crate) store: &'a Store,
    pub(crate) source: Arc<dyn ChainSource>,
    /// A node's files to read blocks from, where they are named.
    pub(crate) files: Option<&'a Path>,
    pub(crate) quiet: bool,
}

/// What became of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// Every case that is not due is up to the newest block.
    Done,
    /// The endpoint knows fewer blocks than were read before.
    Behind,
    /// No endpoint serves what has to be read.
    Unread,
    /// The endpoint is asked for less where each case is traced again.
    Spared,
}

impl Pass<'_> {
    /// Reads the chain on: for these cases alone where no other has to be read for them, else for all. Then looks at what
    /// waits to be mined.
    pub(crate) async fn run(&self, only: Option<&BTreeSet<String>>) -> Result<Passed, Failure> {
        let passed = self.read_on(only).await?;
        if passed == Passed::Done {
            mempool::warn(self.store, &*self.source).await?;
        }
        Ok(passed)
    }

    async fn read_on(&self, only: Option<&BTreeSet<String>>) -> Result<Passed, Failure> {
        let chain = self.source.chain();
        let tip = pin::tip(&*self.source).await?;
        let tip = tip.context("a recording tells of no new blocks")?;
        let Some(passed) = self.store.passed(chain)? else {
            return Ok(Passed::Done);
        };
        if self.is_behind(&tip, &passed).await? {
            return Ok(Passed::Behind);
        }
        let passed = self.settle_branch(&tip, passed).await?;
        let own = match only {
            Some(names) => {
                let following = self.following(names, &passed)?;
                let Some(oldest) = following.iter().map(|(_, reach)| *reach).min() else {
                    return Ok(Passed::Done);
                };
                // They were traced later than others, which need not be read for their sake.
                (oldest.height > passed.height).then_some((oldest, following))
            }
            None => None,
        };
        let from = own.as_ref().map_or(passed, |(from, _)| *from);
        if from.height >= tip.height {
            return Ok(Passed::Done);
        }
        if self.costs_less_to_ask(from, tip)? {
            return Ok(Passed::Spared);
        }
        let read = match self.read(from, tip).await {
            Err(failure) if failure.is_unsupported() => return Ok(Passed::Unread),
            read => read?,
        };
        let mut touched = self.touched(&read)?;
        match own {
            Some((_, following)) => {
                touched.retain(|name| following.iter().any(|(named, _)| named == name));
                self.move_alone(&read, &following, &touched)?;
            }
            None => {
                let due = touched.iter().map(|name| (name.clone(), TOUCHED.into()));
                let due: BTreeMap<String, String> = due.collect();
                self.store
                    .put_pass(chain, &read.through, &read.newest, &due)?;
            }
        }
        for name in &touched {
            self.keep_unspent(name, &read)?;
        }
        Ok(Passed::Done)
    }

    /// True where whole blocks are to be spared and there are more new ones than things about which cases would be asked.
    fn costs_less_to_ask(&self, from: BlockRef, tip: BlockRef) -> Result<bool, Failure> {
        let blocks = tip.height.saturating_sub(from.height);
        let spares = self.source.is_sparing_of_blocks() && self.files.is_none();
        Ok(spares && blocks > self.store.about_watched()?)
    }

    /// True where the endpoint has all that it should have up to its newest block, and not the rest.
    async fn is_behind(&self, tip: &BlockRef, passed: &BlockRef) -> Result<bool, Failure> {
        if tip.height >= passed.height {
            return Ok(false);
        }
        for header in self.store.known_headers(self.source.chain()) {
            let (height, hash) = header?;
            if height <= tip.height {
                return self.has(height, hash).await;
            }
        }
        Ok(true)
    }

    async fn has(&self, height: u64, hash: bitcoin::BlockHash) -> Result<bool, Failure> {
        match self.source.block_at(height).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(false),
            block => Ok(block?.hash == hash),
        }
    }

    /// Forgets what a reorganisation made void, and returns the newest block that was read for all and is still there.
    async fn settle_branch(&self, tip: &BlockRef, passed: BlockRef) -> Result<BlockRef, Failure> {
        let chain = self.source.chain();
        let window = pin::window(chain);
        let mut replaced = false;
        for header in self.store.known_headers(chain) {
            let (height, hash) = header?;
            if height <= tip.height && self.has(height, hash).await? {
                break;
            }
            replaced = true;
            if passed.height.saturating_sub(height) >= window {
                return Err(too_deep(chain, height, passed.height, window));
            }
        }
        if replaced
            && let Some(notice) = pin::reconcile(&*self.source, self.store, chain, tip).await?
        {
            say(&notice);
        }
        // Also where another run forgot, which reads nothing for all cases.
        let Some(sound) = self.store.sound_through(chain)? else {
            return Ok(passed);
        };
        let left = self.source.block_at(sound.min(tip.height)).await?;
        self.store.put_pass(chain, &left, &[], &BTreeMap::new())?;
        Ok(left)
    }

    /// Those of the cases that are read on and not due, each with the newest block that its report speaks for.
    fn following(
        &self,
        names: &BTreeSet<String>,
        passed: &BlockRef,
    ) -> Result<Vec<(String, BlockRef)>, Failure> {
        let chain = self.source.chain();
        let mut following = Vec::new();
        for name in names {
            let follows = self.store.cursor(chain, name)?.is_some_and(|it| it.follows);
            if follows && self.store.due(name)?.is_none() {
                let reach = self.store.reach(chain, name)?.unwrap_or(*passed);
                following.push((name.clone(), reach));
            }
        }
        Ok(following)
    }

    async fn read(&self, from: BlockRef, tip: BlockRef) -> Result<Read, Failure> {
        let window = pin::window(self.source.chain());
        let span = (from, tip);
        let read = match self.source.chain().evm() {
            Some(_) => account_blocks::read(&self.source, self.store, span, window).await?,
            None => blocks::read(&self.source, self.files, self.store, span, window).await?,
        };
        if !self.quiet {
            let chain = self.source.chain();
            let blocks = read.blocks;
            say(&format!(
                "{chain}: read {blocks} new blocks up to {}",
                tip.height
            ));
        }
        Ok(read)
    }

    /// The cases that blocks touch and that did not know of them, but for those that were due before: what they watch
    /// may be gone already by blocks that were read earlier.
    fn touched(&self, read: &Read) -> Result<BTreeSet<String>, Failure> {
        let chain = self.source.chain();
        let mut touched = BTreeSet::new();
        for (key, hit) in &read.hits {
            for watcher in self.store.watchers(chain, &key.to_bytes())? {
                if touched.contains(&watcher.case) {
                    continue;
                }
                let cursor = self.store.cursor(chain, &watcher.case)?;
                let Some(cursor) = cursor.filter(|cursor| cursor.follows) else {
                    continue;
                };
                if self.store.due(&watcher.case)?.is_some() {
                    continue;
                }
                if hit.concerns(&Note::parse(&watcher.note)?, cursor.reach().height) {
                    touched.insert(watcher.case);
                }
            }
        }
        Ok(touched)
    }

    /// Moves the cursors of some cases on; those of them that were touched are due.
    fn move_alone(
        &self,
        read: &Read,
        following: &[(String, BlockRef)],
        touched: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let chain = self.source.chain();
        let names = || following.iter().map(|(name, _)| name);
        let due = names().filter(|name| touched.contains(*name));
        let due = due.map(|name| (name.clone(), TOUCHED.into())).collect();
        self.store.put_due(&due)?;
        let mut cursors = Vec::new();
        for name in names().filter(|name| !touched.contains(*name)) {
            if let Some(mut cursor) = self.store.cursor(chain, name)? {
                cursor.scanned = Some(read.through);
                cursors.push((name, cursor));
            }
        }
        let rows = cursors.iter().map(|(name, cursor)| (name.as_str(), cursor));
        Ok(self.store.put_cursors(chain, rows)?)
    }

    /// Keeps that the outputs which no block spent are still unspent, so that no endpoint has to be asked of them.
    fn keep_unspent(&self, name: &str, read: &Read) -> Result<(), Failure> {
        let chain = self.source.chain();
        if chain.network().is_none() {
            return Ok(());
        }
        let mut still: BTreeMap<Txid, (Option<u64>, Vec<_>)> = BTreeMap::new();
        for watch in self.store.watches_of(chain, name)? {
            let key = Key::from_bytes(&watch.key)?;
            let (Key::Output(outpoint), Note::Output { height, script }) =
                (&key, Note::parse(&watch.note)?)
            else {
                continue;
            };
            if !read.hits.contains_key(&key) {
                let of_transaction = still.entry(outpoint.txid).or_default();
                of_transaction.0 = height;
                of_transaction.1.push((outpoint.vout, script));
            }
        }
        let as_of = read.through.height;
        for (txid, (height, mut outputs)) in still {
            outputs.sort();
            let states = outputs.iter().map(|(vout, _)| (*vout, SpendState::Unspent));
            let spends = Spends {
                txid,
                as_of,
                outputs: states.collect(),
            };
            let query = Query::Spends {
                txid,
                height,
                outputs,
                as_of,
            };
            let answer = Answer {
                fact: Fact::Spends(spends),
                evidence: vec![read.evidence.clone()],
            };
            self.store
                .put_answer(chain, &query, &answer, &read.through, now())?;
        }
        Ok(())
    }
}

fn too_deep(chain: &Chain, height: u64, passed: u64, window: u64) -> Failure {
    let deep = passed.saturating_sub(height).saturating_add(1);
    Failure::advised(
        anyhow!(
            "{chain}: the last {deep} blocks from {height} on are not what they were: the hashes of {window} are kept, and no reorganisation is believed to go so deep"
        ),
        "nothing was changed: check that the endpoint serves the right chain; if it does, `hansel trace` traces each case again",
    )
}
