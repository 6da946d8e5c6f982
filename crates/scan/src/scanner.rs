//! Finds in a raw block what a watch set watches, and hashes only the transactions that hold it.

use bitcoin::{Amount, Txid};

use crate::block::{Header, Visitor, outpoint_at, script_at, txid_at, visit};
use crate::error::BlockError;
use crate::keys::KeySet;
use crate::watch::WatchSet;

/// A watched outpoint that a block spends, or a watched script that it pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The transaction.
    pub txid: Txid,
    /// Its position in the block; the coinbase has 0.
    pub position: usize,
    /// What it does.
    pub touch: Touch,
}

/// What a transaction does with something that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Spends a watched outpoint.
    Spent {
        /// The index of the input.
        input: usize,
        /// The number of the outpoint in the watch set.
        watched: u32,
    },
    /// Pays to a watched script.
    Paid {
        /// The index of the output.
        output: usize,
        /// The number of the script in the watch set.
        watched: u32,
        /// How much.
        value: Amount,
    },
}

/// Scans blocks, one after the other; keeps nothing of a block but memory for the next.
#[derive(Default)]
pub struct Scanner {
    transactions: Vec<usize>,
    spent: Column,
    paid: Column,
}

/// The hashes of the keys of one kind that a block holds, and where they stand.
#[derive(Default)]
struct Column {
    hashes: Vec<u64>,
    offsets: Vec<usize>,
    /// Numbers of the entries that the filter lets through, then rubbish.
    passed: Vec<usize>,
}

/// What was found at an offset, before its transaction is read.
struct Found {
    offset: usize,
    watched: u32,
}

impl Scanner {
    /// What a raw block holds of a watch set, in the block's order.
    ///
    /// # Errors
    ///
    /// Where the bytes are not exactly one block (see [`visit`]).
    pub fn scan<'a>(
        &mut self,
        block: &'a [u8],
        watch: &WatchSet,
    ) -> Result<(Header<'a>, Vec<Hit>), BlockError> {
        self.clear();
        let mut gather = Gather {
            scanner: self,
            watch,
        };
        let header = visit(block, &mut gather)?;
        let mut found = self.spent.find(&watch.outpoints, |offset| {
            outpoint_at(block, offset).map(<[u8; 36]>::as_slice)
        })?;
        let paid = |offset| script_at(block, offset);
        found.extend(self.paid.find(&watch.scripts, paid)?);
        found.sort_unstable_by_key(|found| found.offset);
        Ok((header, self.hits(block, &found)?))
    }

    fn clear(&mut self) {
        self.transactions.clear();
        self.spent.clear();
        self.paid.clear();
    }

    /// Reads the transactions that hold what was found, which is sorted by offset.
    fn hits(&self, block: &[u8], found: &[Found]) -> Result<Vec<Hit>, BlockError> {
        let position = |found: &Found| {
            let after = self.transactions.partition_point(|at| *at <= found.offset);
            after.saturating_sub(1)
        };
        let mut hits = Vec::with_capacity(found.len());
        for found in found.chunk_by(|a, b| position(a) == position(b)) {
            let position = position(&found[0]);
            let mut telling = Telling::of(found);
            let txid = txid_at(block, self.transactions[position], &mut telling)?;
            hits.extend(telling.touches.into_iter().map(|touch| Hit {
                txid,
                position,
                touch,
            }));
        }
        Ok(hits)
    }
}

impl Column {
    fn clear(&mut self) {
        self.hashes.clear();
        self.offsets.clear();
    }

    #[inline]
    fn push(&mut self, offset: usize, hash: u64) {
        self.hashes.push(hash);
        self.offsets.push(offset);
    }

    /// The keys that are in the set; `key` reads one from the block.
    fn find<'a>(
        &mut self,
        keys: &KeySet,
        key: impl Fn(usize) -> Result<&'a [u8], BlockError>,
    ) -> Result<Vec<Found>, BlockError> {
        let mut found = Vec::new();
        self.passed.resize(self.hashes.len(), 0);
        let passed = keys.filter(&self.hashes, &mut self.passed);
        for entry in &self.passed[..passed] {
            let offset = self.offsets[*entry];
            if let Some(watched) = keys.confirm(self.hashes[*entry], key(offset)?) {
                found.push(Found { offset, watched });
            }
        }
        Ok(found)
    }
}

/// Gathers the hashes of all keys of a block.
struct Gather<'s> {
    scanner: &'s mut Scanner,
    watch: &'s WatchSet,
}

impl<'a> Visitor<'a> for Gather<'_> {
    #[inline]
    fn transaction(&mut self, offset: usize) {
        self.scanner.transactions.push(offset);
    }

    #[inline]
    fn input(&mut self, offset: usize, outpoint: &'a [u8; 36]) {
        let hash = self.watch.outpoints.hash(outpoint);
        self.scanner.spent.push(offset, hash);
    }

    #[inline]
    fn output(&mut self, offset: usize, _value: u64, script: &'a [u8]) {
        let hash = self.watch.scripts.hash(script);
        self.scanner.paid.push(offset, hash);
    }
}

/// Tells what a transaction does at the offsets where something was found.
struct Telling<'f> {
    found: std::iter::Peekable<std::slice::Iter<'f, Found>>,
    inputs: usize,
    outputs: usize,
    touches: Vec<Touch>,
}

impl<'f> Telling<'f> {
    fn of(found: &'f [Found]) -> Self {
        Self {
            found: found.iter().peekable(),
            inputs: 0,
            outputs: 0,
            touches: Vec::new(),
        }
    }

    fn watched_at(&mut self, offset: usize) -> Option<u32> {
        let found = self.found.next_if(|found| found.offset == offset);
        found.map(|found| found.watched)
    }
}

impl<'a> Visitor<'a> for Telling<'_> {
    fn transaction(&mut self, _offset: usize) {}

    fn input(&mut self, offset: usize, _outpoint: &'a [u8; 36]) {
        let input = self.inputs;
        self.inputs += 1;
        if let Some(watched) = self.watched_at(offset) {
            self.touches.push(Touch::Spent { input, watched });
        }
    }

    fn output(&mut self, offset: usize, value: u64, _script: &'a [u8]) {
        let output = self.outputs;
        self.outputs += 1;
        if let Some(watched) = self.watched_at(offset) {
            let value = Amount::from_sat(value);
            self.touches.push(Touch::Paid {
                output,
                watched,
                value,
            });
        }
    }
}
