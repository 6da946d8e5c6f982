//! Random ledgers with the cases that tracing gets wrong.

use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, OutPoint, PubkeyHash, ScriptBuf, ScriptHash, TxOut, Txid, WPubkeyHash, WScriptHash,
};

use super::Ledger;
use super::builder::{Builder, Coin, MATURITY};
use super::random::Random;

/// How often each case occurs. Percentages are of transactions, or of outputs where so said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Transactions in a block, its coinbase apart.
    pub block: usize,
    /// The most inputs of a transaction; half of all have one.
    pub inputs: usize,
    /// The most outputs of a transaction, an OP_RETURN apart.
    pub outputs: usize,
    /// Inputs that spend one of the newest outputs, so that parent and child often share a block.
    pub recent: u8,
    /// Transactions with an OP_RETURN output; every fifth of these burns value.
    pub op_return: u8,
    /// Outputs worth nothing.
    pub zero: u8,
    /// Outputs of at most 546 satoshi.
    pub dust: u8,
    /// Transactions without a fee.
    pub no_fee: u8,
    /// Transactions that leave up to half of their value to the miner.
    pub big_fee: u8,
    /// Outputs to a script that was paid before.
    pub reuse: u8,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            block: 40,
            inputs: 5,
            outputs: 6,
            recent: 30,
            op_return: 4,
            zero: 2,
            dust: 5,
            no_fee: 5,
            big_fee: 2,
            reuse: 15,
        }
    }
}

pub(super) fn generate(seed: u64, transactions: usize, shape: &Shape) -> Ledger {
    let mut generator = Generator::new(seed, shape);
    let mut theft = None;
    for _ in 0..transactions {
        let txid = generator.transaction();
        theft.get_or_insert(txid);
    }
    Ledger::new(generator.builder, theft.unwrap_or_else(Txid::all_zeros))
}

struct Generator<'a> {
    shape: &'a Shape,
    random: Random,
    builder: Builder,
    unspent: Vec<Coin>,
    scripts: Vec<ScriptBuf>,
}

impl<'a> Generator<'a> {
    fn new(seed: u64, shape: &'a Shape) -> Self {
        let mut random = Random::new(seed);
        let script = fresh_script(&mut random);
        let mut generator = Self {
            shape,
            random,
            builder: Builder::new(script.clone()),
            unspent: Vec::new(),
            scripts: vec![script],
        };
        (0..=MATURITY).for_each(|_| generator.next_block());
        generator
    }

    fn transaction(&mut self) -> Txid {
        while self.unspent.is_empty() || self.builder.open_transactions() > self.shape.block {
            self.next_block();
        }
        let inputs = self.inputs();
        let total: u64 = inputs.iter().map(|coin| coin.value).sum();
        let fee = self.fee(total);
        let outputs = self.outputs(total - fee);
        let coins: Vec<(u32, u64)> = (0..)
            .zip(&outputs)
            .filter(|(_, output)| !output.script_pubkey.is_op_return())
            .map(|(vout, output)| (vout, output.value.to_sat()))
            .collect();
        let txid = self.builder.add(&inputs, outputs);
        self.unspent
            .extend(coins.into_iter().map(|(vout, value)| Coin {
                outpoint: OutPoint::new(txid, vout),
                value,
            }));
        txid
    }

    fn next_block(&mut self) {
        let script = self.script();
        self.builder.next_block(script);
        self.unspent.extend(self.builder.take_mature());
    }

    fn inputs(&mut self) -> Vec<Coin> {
        let wanted = if self.random.percent(50) {
            1
        } else {
            1 + self.random.index(self.shape.inputs)
        };
        let count = wanted.min(self.unspent.len());
        (0..count).map(|_| self.coin()).collect()
    }

    fn coin(&mut self) -> Coin {
        let length = self.unspent.len();
        let newest = length.min(8);
        let index = if self.random.percent(self.shape.recent) {
            length - 1 - self.random.index(newest)
        } else {
            self.random.index(length)
        };
        self.unspent.swap_remove(index)
    }

    fn fee(&mut self, total: u64) -> u64 {
        if self.random.percent(self.shape.no_fee) {
            0
        } else if self.random.percent(self.shape.big_fee) {
            self.random.below(total / 2 + 1)
        } else {
            self.random.below(20_000).min(total)
        }
    }

    fn outputs(&mut self, mut left: u64) -> Vec<TxOut> {
        let mut outputs = Vec::new();
        if self.random.percent(self.shape.op_return) {
            outputs.push(self.note(&mut left));
        }
        let count = 1 + self.random.index(self.shape.outputs);
        for last in (0..count).rev().map(|after| after == 0) {
            let value = if last { left } else { self.value(left) };
            left -= value;
            outputs.push(TxOut {
                value: Amount::from_sat(value),
                script_pubkey: self.script(),
            });
        }
        let place = self.random.index(outputs.len());
        outputs.swap(0, place);
        outputs
    }

    fn value(&mut self, left: u64) -> u64 {
        if self.random.percent(self.shape.zero) {
            0
        } else if self.random.percent(self.shape.dust) {
            left.min(1 + self.random.below(546))
        } else {
            self.random.below(left + 1)
        }
    }

    fn note(&mut self, left: &mut u64) -> TxOut {
        let value = if self.random.percent(20) {
            self.random.below(*left / 4 + 1)
        } else {
            0
        };
        *left -= value;
        let mut text = [0; 20];
        self.random.fill(&mut text);
        TxOut {
            value: Amount::from_sat(value),
            script_pubkey: ScriptBuf::new_op_return(text),
        }
    }

    fn script(&mut self) -> ScriptBuf {
        if self.random.percent(self.shape.reuse) {
            let place = self.random.index(self.scripts.len());
            return self.scripts[place].clone();
        }
        let script = fresh_script(&mut self.random);
        // A few hundred scripts are enough to be paid again, and keep memory small.
        if self.scripts.len() < 500 {
            self.scripts.push(script.clone());
        }
        script
    }
}

fn fresh_script(random: &mut Random) -> ScriptBuf {
    let mut short = [0; 20];
    random.fill(&mut short);
    match random.below(5) {
        0 => ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(short)),
        1 => ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(short)),
        2 => {
            let mut long = [0; 32];
            random.fill(&mut long);
            ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array(long))
        }
        _ => ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(short)),
    }
}
