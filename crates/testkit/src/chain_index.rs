//! A chain held in memory with the indexes that an address server keeps.

use std::collections::{BTreeSet, HashMap};

use bitcoin::hashes::{Hash, sha256};
use bitcoin::{
    Block, BlockHash, Network, OutPoint, Script, Transaction, TxOut, Txid, block::Header,
};

/// Blocks from the genesis block on, and unconfirmed transactions, each found by every name it has.
#[derive(Clone, Debug)]
pub struct ChainIndex {
    network: Network,
    blocks: Vec<IndexedBlock>,
    heights: HashMap<BlockHash, usize>,
    transactions: HashMap<Txid, IndexedTransaction>,
    spenders: HashMap<OutPoint, (Txid, u32)>,
    histories: HashMap<sha256::Hash, BTreeSet<HistoryRow>>,
    unconfirmed: BTreeSet<Txid>,
}

/// A block without its transactions' content.
#[derive(Clone, Debug)]
pub(crate) struct IndexedBlock {
    pub(crate) header: Header,
    pub(crate) hash: BlockHash,
    pub(crate) txids: Vec<Txid>,
}

/// A transaction and its block.
#[derive(Clone, Debug)]
pub(crate) struct IndexedTransaction {
    pub(crate) transaction: Transaction,
    /// The height; `None` in the mempool.
    pub(crate) height: Option<usize>,
}

/// One line of a script's history, ordered as Esplora's index orders it: not by place in the block.
///
/// Source: `TxHistoryKey` of Blockstream's electrs: height, then funding before spending, then txid bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HistoryRow {
    /// The height; `usize::MAX` in the mempool.
    pub(crate) height: usize,
    pub(crate) spends: bool,
    pub(crate) txid: Txid,
    /// The output funded, or the input that spends.
    pub(crate) index: u32,
    pub(crate) value: u64,
}

impl ChainIndex {
    /// A chain without blocks.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            blocks: Vec::new(),
            heights: HashMap::new(),
            transactions: HashMap::new(),
            spenders: HashMap::new(),
            histories: HashMap::new(),
            unconfirmed: BTreeSet::new(),
        }
    }

    /// A chain of these blocks, the first at height 0.
    pub fn from_blocks(network: Network, blocks: impl IntoIterator<Item = Block>) -> Self {
        let mut index = Self::new(network);
        for block in blocks {
            index.append(block);
        }
        index
    }

    /// Puts a block on top. It is not checked.
    pub fn append(&mut self, block: Block) {
        let height = self.blocks.len();
        let hash = block.block_hash();
        let header = block.header;
        let txids = block
            .txdata
            .into_iter()
            .map(|transaction| self.insert(transaction, Some(height)))
            .collect();
        self.heights.insert(hash, height);
        self.blocks.push(IndexedBlock {
            header,
            hash,
            txids,
        });
    }

    /// The same chain without mempool and without the blocks from this height on.
    pub fn cut(&self, height: usize) -> Self {
        let mut shorter = Self::new(self.network);
        for block in self.blocks.iter().take(height) {
            let content = block.txids.iter().filter_map(|txid| self.transaction(txid));
            let txdata = content.cloned().collect();
            let header = block.header;
            shorter.append(Block { header, txdata });
        }
        shorter
    }

    /// Adds a transaction to the mempool.
    pub fn append_unconfirmed(&mut self, transaction: Transaction) {
        let txid = self.insert(transaction, None);
        self.unconfirmed.insert(txid);
    }

    /// Empties the mempool.
    pub fn forget_unconfirmed(&mut self) {
        for txid in std::mem::take(&mut self.unconfirmed) {
            self.transactions.remove(&txid);
        }
        self.histories.retain(|_, rows| {
            rows.retain(|row| row.height != usize::MAX);
            !rows.is_empty()
        });
        let transactions = &self.transactions;
        self.spenders
            .retain(|_, (spender, _)| transactions.contains_key(spender));
    }

    fn insert(&mut self, transaction: Transaction, height: Option<usize>) -> Txid {
        let txid = transaction.compute_txid();
        let row = HistoryRow {
            height: height.unwrap_or(usize::MAX),
            spends: false,
            txid,
            index: 0,
            value: 0,
        };
        for (index, output) in (0..).zip(&transaction.output) {
            self.remember(
                output,
                HistoryRow {
                    index,
                    value: output.value.to_sat(),
                    ..row
                },
            );
        }
        for (index, input) in (0..).zip(&transaction.input) {
            let Some(spent) = self.output(&input.previous_output).cloned() else {
                continue;
            };
            self.spenders.insert(input.previous_output, (txid, index));
            let value = spent.value.to_sat();
            self.remember(
                &spent,
                HistoryRow {
                    spends: true,
                    index,
                    value,
                    ..row
                },
            );
        }
        let indexed = IndexedTransaction {
            transaction,
            height,
        };
        self.transactions.insert(txid, indexed);
        txid
    }

    fn remember(&mut self, output: &TxOut, row: HistoryRow) {
        // Esplora keeps no history of scripts that nobody can spend from.
        if !output.script_pubkey.is_op_return() {
            let rows = self.histories.entry(script_hash(&output.script_pubkey));
            rows.or_default().insert(row);
        }
    }

    /// The network whose address prefixes are used.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Height and hash of the newest block.
    pub fn tip(&self) -> Option<(usize, BlockHash)> {
        let last = self.blocks.last()?;
        Some((self.blocks.len() - 1, last.hash))
    }

    /// A transaction's content, confirmed or not.
    pub fn transaction(&self, txid: &Txid) -> Option<&Transaction> {
        Some(&self.transactions.get(txid)?.transaction)
    }

    /// Every confirmed transaction in chain order, with its height.
    pub fn confirmed(&self) -> impl Iterator<Item = (usize, &Transaction)> {
        let heights = self.blocks.iter().enumerate();
        heights.flat_map(|(height, block)| {
            let known = block.txids.iter().filter_map(|txid| self.transaction(txid));
            known.map(move |transaction| (height, transaction))
        })
    }

    /// An output, spent or not.
    pub fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        let index = usize::try_from(outpoint.vout).ok()?;
        self.transaction(&outpoint.txid)?.output.get(index)
    }

    /// What spends an output, in a block or the mempool: transaction and input index.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<(Txid, u32)> {
        self.spenders.get(outpoint).copied()
    }

    /// The ids of the mempool, sorted.
    pub fn unconfirmed(&self) -> &BTreeSet<Txid> {
        &self.unconfirmed
    }

    pub(crate) fn indexed(&self, txid: &Txid) -> Option<&IndexedTransaction> {
        self.transactions.get(txid)
    }

    pub(crate) fn block(&self, height: usize) -> Option<&IndexedBlock> {
        self.blocks.get(height)
    }

    pub(crate) fn height(&self, hash: &BlockHash) -> Option<usize> {
        self.heights.get(hash).copied()
    }

    pub(crate) fn history(&self, script_hash: &sha256::Hash) -> Option<&BTreeSet<HistoryRow>> {
        self.histories.get(script_hash)
    }
}

/// The hash that names a script in Esplora: plain SHA-256, printed forwards.
pub(crate) fn script_hash(script: &Script) -> sha256::Hash {
    sha256::Hash::hash(script.as_bytes())
}
