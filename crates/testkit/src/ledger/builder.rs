//! Blocks on top of each other, with coinbases that rest until they are mature.

use std::collections::VecDeque;
use std::mem::take;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Block, BlockHash, OutPoint, ScriptBuf, Sequence, Target, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, absolute, merkle_tree, transaction,
};

/// Blocks on top of a coinbase before its value can be spent.
pub(super) const MATURITY: usize = 100;
/// What a block creates.
const SUBSIDY: Amount = Amount::from_int_btc(50);
/// The time of the first block; each further one is ten minutes later.
const FIRST_BLOCK_TIME: u32 = 1_700_000_000;

/// An output that may be spent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coin {
    pub(super) outpoint: OutPoint,
    pub(super) value: u64,
}

/// Puts transactions into blocks. The open block starts with its coinbase.
pub(super) struct Builder {
    blocks: Vec<Block>,
    open: Vec<Transaction>,
    open_txids: Vec<Txid>,
    resting: VecDeque<Coin>,
    mature: Vec<Coin>,
}

impl Builder {
    /// Opens the block at height 0, whose coinbase pays this script.
    pub(super) fn new(script: ScriptBuf) -> Self {
        let mut builder = Self {
            blocks: Vec::new(),
            open: Vec::new(),
            open_txids: Vec::new(),
            resting: VecDeque::new(),
            mature: Vec::new(),
        };
        builder.open_block(script);
        builder
    }

    /// Adds a transaction to the open block. It is not checked.
    pub(super) fn add(&mut self, inputs: &[Coin], outputs: Vec<TxOut>) -> Txid {
        let transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: inputs.iter().map(|coin| input(coin.outpoint)).collect(),
            output: outputs,
        };
        self.push(transaction)
    }

    /// Closes the open block and opens the next, whose coinbase pays this script.
    pub(super) fn next_block(&mut self, script: ScriptBuf) {
        self.close_block();
        self.open_block(script);
    }

    /// How many transactions are in the open block, its coinbase included.
    pub(super) fn open_transactions(&self) -> usize {
        self.open.len()
    }

    /// Takes the coinbases that have become spendable.
    pub(super) fn take_mature(&mut self) -> Vec<Coin> {
        take(&mut self.mature)
    }

    /// Closes the open block and returns all.
    pub(super) fn finish(mut self) -> Vec<Block> {
        self.close_block();
        self.blocks
    }

    fn push(&mut self, transaction: Transaction) -> Txid {
        let txid = transaction.compute_txid();
        self.open.push(transaction);
        self.open_txids.push(txid);
        txid
    }

    fn open_block(&mut self, script: ScriptBuf) {
        let height = self.blocks.len();
        if self.resting.len() > MATURITY {
            self.mature.extend(self.resting.pop_front());
        }
        let txid = self.push(coinbase(height, script));
        self.resting.push_back(Coin {
            outpoint: OutPoint::new(txid, 0),
            value: SUBSIDY.to_sat(),
        });
    }

    fn close_block(&mut self) {
        let height = u32::try_from(self.blocks.len()).expect("made-up chains are short");
        let previous = self.blocks.last().map(Block::block_hash);
        let txids = take(&mut self.open_txids).into_iter();
        let root = merkle_tree::calculate_root(txids.map(|txid| txid.to_raw_hash()));
        let root = root.expect("a block starts with its coinbase");
        let header = work(Header {
            version: Version::TWO,
            prev_blockhash: previous.unwrap_or_else(BlockHash::all_zeros),
            merkle_root: TxMerkleNode::from_raw_hash(root),
            time: FIRST_BLOCK_TIME + 600 * height,
            bits: Target::MAX_ATTAINABLE_REGTEST.to_compact_lossy(),
            nonce: 0,
        });
        let txdata = take(&mut self.open);
        self.blocks.push(Block { header, txdata });
    }
}

/// Finds the nonce: on regtest every second one will do.
fn work(mut header: Header) -> Header {
    while header.validate_pow(header.target()).is_err() {
        header.nonce += 1;
    }
    header
}

fn coinbase(height: usize, script: ScriptBuf) -> Transaction {
    let height = i64::try_from(height).expect("made-up chains are short");
    // The height makes every coinbase's id its own; the second push is there for the least allowed length.
    let script_sig = ScriptBuf::builder().push_int(height).push_int(0);
    Transaction {
        version: transaction::Version::ONE,
        lock_time: absolute::LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: script_sig.into_script(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut {
            value: SUBSIDY,
            script_pubkey: script,
        }],
    }
}

fn input(previous_output: OutPoint) -> TxIn {
    TxIn {
        previous_output,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    }
}
