//! Reads the new blocks of a Bitcoin chain once for everything that any case watches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use bitcoin::p2p::Magic;
use bitcoin::{BlockHash, OutPoint, ScriptBuf};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hansel_ledger::{BlockRef, Chain, ChainSource, Evidence, UnixTime};
use hansel_scan::{
    BlockFiles, BlockIndex, Header, Hit, Scanner, Touch, Visitor, WatchSet, has_its_transactions,
    visit,
};
use hansel_store::Store;

use crate::failure::Failure;
use crate::watch::{self, Key};

/// Blocks asked for ahead of the one being read.
const AHEAD: usize = 6;

/// What reading blocks found of everything that was watched.
pub(crate) struct Read {
    /// The last of them.
    pub(crate) through: BlockRef,
    /// What they name of it.
    pub(crate) hits: BTreeMap<Key, watch::Hit>,
    /// The block before the first of them and the last, by hash.
    pub(crate) evidence: Evidence,
    /// How many there were.
    pub(crate) blocks: u64,
    /// The newest of them, so that it is known later how deep a reorganisation goes.
    pub(crate) newest: Vec<BlockRef>,
    /// How many those are at most.
    window: u64,
}

/// How blocks are compared with what is watched.
enum Watched<'a> {
    /// Each block is looked up in the store.
    Kept(&'a Store, Chain),
    /// Everything that is watched was read into memory.
    Loaded(Box<Loaded>),
}

/// Everything that is watched on one chain.
struct Loaded {
    outpoints: Vec<OutPoint>,
    scripts: Vec<ScriptBuf>,
    watch: WatchSet,
    scanner: Scanner,
}

/// The spends and the payments of a block, as keys of what may be watched.
#[derive(Default)]
struct Touches(BTreeSet<Vec<u8>>);

/// What was found so far.
struct Reading<'a> {
    watched: Watched<'a>,
    /// The block that the next one has to follow.
    last: BlockHash,
    read: Read,
}

/// Reads the blocks after `from` up to `through`: from a node's files where they are named, else from the source.
pub(crate) async fn read(
    source: &Arc<dyn ChainSource>,
    files: Option<&Path>,
    store: &Store,
    (from, through): (BlockRef, BlockRef),
    window: u64,
) -> Result<Read, Failure> {
    let mut reading = Reading::new(source.chain(), store, from, through, window)?;
    match files {
        Some(files) => reading.read_files(source.chain(), files, from, through)?,
        None => reading.read_source(source, from, through).await?,
    }
    reading.end()
}

impl Read {
    /// Nothing of the blocks after one up to another yet.
    pub(crate) fn between(chain: &Chain, from: BlockRef, through: BlockRef, window: u64) -> Self {
        let request = format!("{chain}: blocks {} to {}", from.height + 1, through.height);
        Self {
            through,
            hits: BTreeMap::new(),
            evidence: Evidence {
                endpoint: "blocks".into(),
                request,
                // Each block names the one before it, so that the last stands for all.
                body: format!("{}\n{}\n", from.hash, through.hash).into_bytes(),
            },
            blocks: 0,
            newest: Vec::new(),
            window,
        }
    }

    /// Notes that a block was read.
    pub(crate) fn count(&mut self, block: BlockRef) {
        self.blocks += 1;
        if block.height.saturating_add(self.window) > self.through.height {
            self.newest.push(block);
        }
    }
}

impl<'a> Watched<'a> {
    /// To look a full block up costs about as much as to load so many things (`benches/watched.rs`).
    const LOOKED_UP: u64 = 10_000;

    fn new(chain: &Chain, store: &'a Store, blocks: u64) -> Result<Self, Failure> {
        if blocks.saturating_mul(Self::LOOKED_UP) < store.about_watched()? {
            return Ok(Self::Kept(store, chain.clone()));
        }
        Ok(Self::Loaded(Box::new(Loaded::new(chain, store)?)))
    }

    /// The header of a block, and what it touches of everything.
    fn scan<'b>(&mut self, bytes: &'b [u8]) -> Result<(Header<'b>, Vec<Key>), anyhow::Error> {
        match self {
            Self::Loaded(loaded) => loaded.scan(bytes),
            Self::Kept(store, chain) => {
                let mut touches = Touches::default();
                let header = visit(bytes, &mut touches)?;
                let found = store.watched_among(chain, &touches.0)?;
                let keys = found.iter().map(|key| Key::from_bytes(key));
                Ok((header, keys.collect::<Result<_, _>>()?))
            }
        }
    }
}

impl Loaded {
    fn new(chain: &Chain, store: &Store) -> Result<Self, Failure> {
        let (mut outpoints, mut scripts) = (Vec::new(), Vec::new());
        let mut before = Vec::new();
        for key in store.watched(chain) {
            let key = key?.key;
            if key == before {
                continue;
            }
            match Key::from_bytes(&key)? {
                Key::Output(outpoint) => outpoints.push(outpoint),
                Key::Script(script) => scripts.push(script),
                Key::Account(_)
                | Key::Code(_)
                | Key::Logger(_)
                | Key::Topic(_)
                | Key::Traces
                | Key::Silent => {}
            }
            before = key;
        }
        Ok(Self {
            watch: WatchSet::new(outpoints.iter().copied(), &scripts)?,
            outpoints,
            scripts,
            scanner: Scanner::default(),
        })
    }

    fn scan<'b>(&mut self, bytes: &'b [u8]) -> Result<(Header<'b>, Vec<Key>), anyhow::Error> {
        let (header, hits) = self.scanner.scan(bytes, &self.watch)?;
        let key = |hit: Hit| match hit.touch {
            Touch::Spent { watched, .. } => Key::Output(self.outpoints[place(watched)]),
            Touch::Paid { watched, .. } => Key::Script(self.scripts[place(watched)].clone()),
        };
        Ok((header, hits.into_iter().map(key).collect()))
    }
}

impl<'b> Visitor<'b> for Touches {
    fn transaction(&mut self, _offset: usize) {}

    fn input(&mut self, _offset: usize, outpoint: &'b [u8; 36]) {
        self.0.insert(Key::of_output(outpoint));
    }

    fn output(&mut self, _offset: usize, _value: u64, script: &'b [u8]) {
        self.0.insert(Key::of_script(script));
    }
}

impl<'a> Reading<'a> {
    fn new(
        chain: &Chain,
        store: &'a Store,
        from: BlockRef,
        through: BlockRef,
        window: u64,
    ) -> Result<Self, Failure> {
        let blocks = through.height.saturating_sub(from.height);
        Ok(Self {
            watched: Watched::new(chain, store, blocks)?,
            last: from.hash,
            read: Read::between(chain, from, through, window),
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
            let bytes = source.raw_block(&block).await?;
            Ok::<_, hansel_ledger::SourceError>((block, bytes))
        };
        let blocks = stream::iter(from.height + 1..=through.height).map(fetch);
        let mut blocks = std::pin::pin!(blocks.buffered(AHEAD));
        while let Some((block, bytes)) = blocks.try_next().await? {
            self.read_block(block, &bytes)?;
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
            let time = bytes.get(68..72).and_then(|time| time.try_into().ok());
            let time = UnixTime(time.map_or(0, |time| u64::from(u32::from_le_bytes(time))));
            let hash = place.hash;
            self.read_block(BlockRef { height, hash, time }, &bytes)?;
        }
        Ok(())
    }

    /// Reads one block, which has to be whole and to follow the last one.
    fn read_block(&mut self, block: BlockRef, bytes: &[u8]) -> Result<(), Failure> {
        let BlockRef { height, hash, .. } = block;
        let cannot = || format!("cannot read block {hash} at height {height}");
        let (header, keys) = self.watched.scan(bytes).with_context(cannot)?;
        check(&header, hash, self.last, bytes).with_context(cannot)?;
        for key in keys {
            self.read.hits.entry(key).or_default().last = height;
        }
        self.read.count(block);
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

pub(crate) fn reorganised() -> Failure {
    Failure::advised(
        anyhow!("the chain was reorganised while its blocks were read"),
        "nothing was changed: run the same command again",
    )
}

fn place(watched: u32) -> usize {
    usize::try_from(watched).expect("numbers of 32 bits fit")
}
