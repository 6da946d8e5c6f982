//! What reading blocks has taught about spends, and the reading that is under way.

use std::collections::{BTreeSet, HashMap, HashSet};

use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};

use super::watch::{Spender, Watch};

/// Outputs watched unasked in one reading of all blocks; about 100 bytes each.
const CREDIT_READING_ALL: usize = 1_000_000;
/// Outputs watched unasked where blocks are chosen by scripts; more would choose nearly every block.
const CREDIT_BY_SCRIPT: usize = 5_000;
/// Outputs remembered from one reading to the next.
const KNOWN_KEPT: usize = 4_000_000;

/// Outputs of one transaction whose spenders are wanted.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) txid: Txid,
    /// The height of its block.
    pub(super) height: u64,
    pub(super) outputs: Vec<(OutPoint, ScriptBuf)>,
}

impl Wanted {
    /// True where blocks can be chosen by the outputs' scripts: filters do not hold empty ones (BIP-158).
    fn has_scripts(&self) -> bool {
        self.outputs.iter().all(|(_, script)| !script.is_empty())
    }
}

/// What is known of spends in blocks through one height of one chain.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub(super) as_of: u64,
    pub(super) as_of_hash: BlockHash,
    spends: HashMap<OutPoint, Option<Spender>>,
    misplaced: BTreeSet<Txid>,
    /// The reading under way. It stays when its reader is cut off, and goes on with the next one.
    pub(super) reading: Option<Reading>,
}

/// One reading of blocks up to a height.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) watch: Watch,
    /// The scripts to choose blocks by; `None` where every block is read.
    pub(super) scripts: Option<HashSet<ScriptBuf>>,
    /// The height to be read next; everything below is done.
    pub(super) next: u64,
    /// The last block read, to check that the next one follows it.
    pub(super) last: Option<(u64, BlockHash)>,
}

impl Knowledge {
    /// Knows nothing yet of the chain whose block at `as_of` is `as_of_hash`.
    pub(super) fn new(as_of: u64, as_of_hash: BlockHash) -> Self {
        Self {
            as_of,
            as_of_hash,
            spends: HashMap::new(),
            misplaced: BTreeSet::new(),
            reading: None,
        }
    }

    /// What spent the wanted outputs; `None` where one of them has not been watched.
    pub(super) fn spenders(&self, wanted: &Wanted) -> Option<Vec<(OutPoint, Option<Spender>)>> {
        let known = |(outpoint, _): &(OutPoint, ScriptBuf)| {
            let spender = self.spends.get(outpoint)?;
            Some((*outpoint, *spender))
        };
        wanted.outputs.iter().map(known).collect()
    }

    /// True, once, where the transaction was not in the block it was said to be in.
    pub(super) fn take_misplaced(&mut self, wanted: &Wanted) -> bool {
        let misplaced = self.misplaced.remove(&wanted.txid);
        if misplaced {
            for (outpoint, _) in &wanted.outputs {
                self.spends.remove(outpoint);
            }
        }
        misplaced
    }

    /// Puts wanted outputs into the reading, a new one where there is none; returns those that it has
    /// already passed, or that it cannot see.
    pub(super) fn enlist(&mut self, wanted: Vec<Wanted>, filters: bool) -> Vec<Wanted> {
        let Some(first) = wanted.iter().map(|wanted| wanted.height).min() else {
            return wanted;
        };
        let by_script = filters && wanted.iter().all(Wanted::has_scripts);
        let reading = self
            .reading
            .get_or_insert_with(|| Reading::new(first, by_script));
        let (joining, late) = wanted.into_iter().partition(|w| reading.can_join(w));
        for wanted in joining {
            reading.join(wanted);
        }
        late
    }

    /// Keeps what a finished reading has taught.
    pub(super) fn learn(&mut self, reading: Reading) {
        let (spends, misplaced) = reading.watch.finish();
        if self.spends.len() > KNOWN_KEPT {
            self.spends.clear();
        }
        self.spends.extend(spends);
        self.misplaced.extend(misplaced);
    }
}

impl Reading {
    fn new(next: u64, by_script: bool) -> Self {
        let credit = if by_script {
            CREDIT_BY_SCRIPT
        } else {
            CREDIT_READING_ALL
        };
        Self {
            watch: Watch::new(credit, by_script),
            scripts: by_script.then(HashSet::new),
            next,
            last: None,
        }
    }

    fn can_join(&self, wanted: &Wanted) -> bool {
        wanted.height >= self.next && (self.scripts.is_none() || wanted.has_scripts())
    }

    fn join(&mut self, wanted: Wanted) {
        let Wanted {
            txid,
            height,
            outputs,
        } = wanted;
        let outpoints = outputs.iter().map(|(outpoint, _)| *outpoint);
        self.watch.add(txid, height, outpoints);
        if let Some(scripts) = &mut self.scripts {
            scripts.extend(outputs.into_iter().map(|(_, script)| script));
        }
    }
}
