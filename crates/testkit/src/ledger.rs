//! Ledgers made up from a seed: shaped like Bitcoin's, without a node, a million transfers in seconds.

mod builder;
mod generator;
mod random;
mod wide;

use std::collections::{BTreeMap, HashMap};

use bitcoin::{Block, Network, OutPoint, Transaction, TxOut, Txid};
use hansel_ledger::{BlockRef, Input, Output, Placement, TransactionStatement, UnixTime};

pub use generator::Shape;
pub use random::Random;

use crate::chain_index::ChainIndex;
use builder::Builder;

/// A whole chain from height 0 on, whose blocks carry real ids, Merkle roots and regtest work, but no signatures.
///
/// Values are conserved, coinbases rest for 100 blocks, and no output is spent twice.
#[derive(Clone, Debug)]
pub struct Ledger {
    blocks: Vec<Block>,
    theft: Txid,
    places: HashMap<Txid, (usize, usize)>,
    spenders: HashMap<OutPoint, (Txid, u64)>,
}

impl Ledger {
    /// A ledger with this many transactions besides coinbases. Equal arguments give equal ledgers.
    ///
    /// A transaction makes about 4.5 transfers, its fee included, in the default shape.
    pub fn random(seed: u64, transactions: usize, shape: &Shape) -> Self {
        generator::generate(seed, transactions, shape)
    }

    /// A theft whose money reaches this many further transactions, ten from each, generation by generation.
    pub fn wide(transactions: usize) -> Self {
        wide::spread(transactions)
    }

    fn new(builder: Builder, theft: Txid) -> Self {
        let blocks = builder.finish();
        let mut ledger = Self {
            blocks: Vec::new(),
            theft,
            places: HashMap::new(),
            spenders: HashMap::new(),
        };
        for (height, block) in blocks.iter().enumerate() {
            for (index, transaction) in block.txdata.iter().enumerate() {
                ledger.note(transaction, height, index);
            }
        }
        ledger.blocks = blocks;
        ledger
    }

    fn note(&mut self, transaction: &Transaction, height: usize, index: usize) {
        let txid = transaction.compute_txid();
        self.places.insert(txid, (height, index));
        let height = u64::try_from(height).expect("a height in memory fits 64 bits");
        for input in transaction
            .input
            .iter()
            .filter(|i| !i.previous_output.is_null())
        {
            self.spenders.insert(input.previous_output, (txid, height));
        }
    }

    /// The blocks, the first at height 0.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The height of the last block.
    pub fn height(&self) -> u64 {
        u64::try_from(self.blocks.len()).map_or(u64::MAX, |blocks| blocks.saturating_sub(1))
    }

    /// The theft of a wide ledger; in a random one the first transaction that is not a coinbase.
    pub fn theft(&self) -> Txid {
        self.theft
    }

    /// The transaction of this id.
    pub fn transaction(&self, txid: &Txid) -> Option<&Transaction> {
        let (height, index) = *self.places.get(txid)?;
        self.blocks.get(height)?.txdata.get(index)
    }

    /// The statement of this transaction, with every input's value.
    pub fn statement(&self, txid: &Txid) -> Option<TransactionStatement> {
        let (height, index) = *self.places.get(txid)?;
        Some(self.state(*txid, height, self.blocks.get(height)?.txdata.get(index)?))
    }

    /// The statements of all transactions in chain order, coinbases included.
    pub fn statements(&self) -> impl Iterator<Item = TransactionStatement> + '_ {
        self.blocks
            .iter()
            .enumerate()
            .flat_map(move |(height, block)| {
                let transactions = block.txdata.iter();
                transactions.map(move |t| self.state(t.compute_txid(), height, t))
            })
    }

    /// What spends an output: transaction and height.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<(Txid, u64)> {
        self.spenders.get(outpoint).copied()
    }

    /// Every spent output with its spender and the spender's height.
    pub fn spends(&self) -> BTreeMap<OutPoint, (Txid, u64)> {
        self.spenders.iter().map(|(o, s)| (*o, *s)).collect()
    }

    /// How many transfers the ledger holds: every output, and one fee for each transaction that is not a coinbase.
    pub fn transfers(&self) -> usize {
        let transactions = self.blocks.iter().flat_map(|block| &block.txdata);
        transactions
            .map(|t| t.output.len() + usize::from(!t.is_coinbase()))
            .sum()
    }

    /// The ledger as an Esplora server's chain.
    pub fn chain(&self, network: Network) -> ChainIndex {
        ChainIndex::from_blocks(network, self.blocks.iter().cloned())
    }

    fn state(&self, txid: Txid, height: usize, transaction: &Transaction) -> TransactionStatement {
        let header = &self.blocks[height].header;
        let block = BlockRef {
            height: u64::try_from(height).expect("a height in memory fits 64 bits"),
            hash: header.block_hash(),
            time: UnixTime(u64::from(header.time)),
        };
        let inputs = transaction
            .input
            .iter()
            .filter(|i| !i.previous_output.is_null());
        TransactionStatement {
            txid,
            placement: Placement::Confirmed(block),
            inputs: inputs
                .map(|input| self.input(input.previous_output))
                .collect(),
            outputs: transaction.output.iter().map(output).collect(),
        }
    }

    fn input(&self, previous: OutPoint) -> Input {
        let index = usize::try_from(previous.vout).expect("an index fits a pointer");
        let spent = self.transaction(&previous.txid);
        Input {
            previous,
            spent: spent.and_then(|t| t.output.get(index)).map(output),
        }
    }
}

fn output(output: &TxOut) -> Output {
    Output {
        value: output.value,
        script: output.script_pubkey.clone(),
    }
}
