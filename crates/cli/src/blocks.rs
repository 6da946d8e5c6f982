//! Reads the new blocks of a chain once for everything that any case watches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use bitcoin::p2p::Magic;
use bitcoin::{BlockHash, OutPoint, ScriptBuf};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{BlockRef, Chain, ChainSource, Evidence};
use hansel_scan::{BlockFiles, BlockIndex, Header, Scanner, Touch, WatchSet, has_its_transactions};

use crate::failure::Failure;
use crate::frontier::{Frontier, Read};

/// Blocks asked for ahead of the one being read.
const AHEAD: usize = 6;

/// Everything that is watched on one chain, and what was found of it so far.
struct Reading {
    outpoints: Vec<OutPoint>,
    scripts: Vec<ScriptBuf>,
    watch: WatchSet,
    scanner: Scanner,
    /// The block that the next one has to follow.
    last: BlockHash,
    read: Read,
}

/// Reads the blocks after `from` up to `through`: from a node's files where they are named, else from the source.
pub(crate) async fn read(
    source: &Arc<dyn ChainSource>,
    files: Option<&Path>,
    from: BlockRef,
    through: BlockRef,
    frontiers: &[&Frontier],
) -> Result<Read, Failure> {
    let mut reading = Reading::new(source.chain(), from, through, frontiers)?;
    match files {
        Some(files) => reading.read_files(source.chain(), files, from, through)?,
        None => reading.read_source(source, from, through).await?,
    }
    reading.end()
}

impl Reading {
    fn new(
        chain: &Chain,
        from: BlockRef,
        through: BlockRef,
        frontiers: &[&Frontier],
    ) -> Result<Self, Failure> {
        let outpoints = frontiers.iter().flat_map(|one| &one.outpoints).copied();
        let outpoints: BTreeSet<_> = outpoints.collect();
        let scripts = frontiers.iter().flat_map(|one| &one.scripts).cloned();
        let scripts: BTreeSet<_> = scripts.collect();
        let watch = WatchSet::new(outpoints.iter().copied(), &scripts)?;
        let request = format!("{chain}: blocks {} to {}", from.height + 1, through.height);
        Ok(Self {
            outpoints: outpoints.into_iter().collect(),
            scripts: scripts.into_iter().collect(),
            watch,
            scanner: Scanner::default(),
            last: from.hash,
            read: Read {
                through,
                spent: BTreeSet::new(),
                paid: BTreeMap::new(),
                evidence: Evidence {
                    endpoint: "blocks".into(),
                    request,
                    // Each block names the one before it, so that the last stands for all.
                    body: format!("{}\n{}\n", from.hash, through.hash).into_bytes(),
                },
                blocks: 0,
            },
        })
    }

    async fn read_source(
        &mut self,
        source: &Arc<dyn ChainSource>,
        from: BlockRef,
        through: BlockRef,
    ) -> Result<(), Failure> {
        let fetch = |height| async move {
            let block = source.block_at(height).await?;
            let bytes = source.raw_block(&block.hash).await?;
            Ok::<_, hansel_ledger::SourceError>((height, block.hash, bytes))
        };
        let blocks = stream::iter(from.height + 1..=through.height).map(fetch);
        let mut blocks = std::pin::pin!(blocks.buffered(AHEAD));
        while let Some((height, hash, bytes)) = blocks.try_next().await? {
            self.read_block(height, hash, &bytes)?;
        }
        Ok(())
    }

    fn read_files(
        &mut self,
        chain: &Chain,
        files: &Path,
        from: BlockRef,
        through: BlockRef,
    ) -> Result<(), Failure> {
        let network = chain
            .network()
            .context("only Bitcoin chains have such files")?;
        let files = BlockFiles::open(files, Magic::from(network))?;
        let path = BlockIndex::new(&files).path(from.hash, through.hash);
        let path = path?;
        let mut bytes = Vec::new();
        let mut open = None;
        for (height, place) in (from.height + 1..).zip(&path) {
            let file = match &mut open {
                Some((number, file)) if *number == place.file => file,
                other => {
                    let file = files.file(place.file)?;
                    &mut other.insert((place.file, file)).1
                }
            };
            file.read(place, &mut bytes)?;
            self.read_block(height, place.hash, &bytes)?;
        }
        Ok(())
    }

    /// Reads one block, which has to be whole and to follow the last one.
    fn read_block(&mut self, height: u64, hash: BlockHash, bytes: &[u8]) -> Result<(), Failure> {
        let cannot = || format!("cannot read block {hash} at height {height}");
        let (header, hits) = self.scanner.scan(bytes, &self.watch).with_context(cannot)?;
        check(&header, hash, self.last, bytes).with_context(cannot)?;
        for hit in hits {
            match hit.touch {
                Touch::Spent { watched, .. } => {
                    self.read.spent.insert(self.outpoints[place(watched)]);
                }
                Touch::Paid { watched, .. } => {
                    let script = self.scripts[place(watched)].clone();
                    self.read.paid.insert(script, height);
                }
            }
        }
        self.read.blocks += 1;
        self.last = hash;
        Ok(())
    }

    fn end(self) -> Result<Read, Failure> {
        if self.last == self.read.through.hash {
            return Ok(self.read);
        }
        Err(reorganised())
    }
}

fn check(
    header: &Header<'_>,
    hash: BlockHash,
    last: BlockHash,
    bytes: &[u8],
) -> Result<(), anyhow::Error> {
    if header.hash() != hash {
        return Err(anyhow!("the bytes are those of {}", header.hash()));
    }
    if !has_its_transactions(bytes)? {
        return Err(anyhow!("its transactions are not those of its header"));
    }
    if header.previous() != last {
        return Err(anyhow!(
            "it does not follow block {last}: the chain was reorganised"
        ));
    }
    Ok(())
}

fn reorganised() -> Failure {
    Failure::advised(
        anyhow!("the chain was reorganised while its blocks were read"),
        "nothing was changed: run the same command again",
    )
}

fn place(watched: u32) -> usize {
    usize::try_from(watched).expect("numbers of 32 bits fit")
}
