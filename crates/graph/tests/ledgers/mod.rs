//! Random ledgers of small values, so that a simulation can afford one element per satoshi.

use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, OutPoint, ScriptBuf, Txid};
use hansel_ledger::{BlockRef, Input, Output, Placement, TransactionStatement, UnixTime};

/// SplitMix64 (Steele, Lea, Flood 2014): a ledger is a function of one number.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// A ledger in an order in which parents come before children.
pub(crate) fn random(seed: u64, transactions: u64) -> Vec<TransactionStatement> {
    let mut dice = Dice(seed);
    let mut unspent: Vec<(OutPoint, Output)> = Vec::new();
    let mut ledger = Vec::new();
    for number in 0..transactions {
        let inputs = take_inputs(&mut dice, &mut unspent);
        let paid: u64 = inputs.iter().map(value).sum();
        let outputs = make_outputs(&mut dice, if inputs.is_empty() { 30 } else { paid });
        let txid = Txid::from_raw_hash(bitcoin::hashes::sha256d::Hash::hash(
            &[seed.to_le_bytes(), number.to_le_bytes()].concat(),
        ));
        for (vout, output) in (0..).zip(&outputs) {
            if !output.script.is_op_return() {
                unspent.push((OutPoint { txid, vout }, output.clone()));
            }
        }
        let placement = Placement::Confirmed(block(1 + number / 3));
        ledger.push(TransactionStatement {
            txid,
            placement,
            inputs,
            outputs,
        });
    }
    ledger
}

fn take_inputs(dice: &mut Dice, unspent: &mut Vec<(OutPoint, Output)>) -> Vec<Input> {
    if unspent.len() < 4 || dice.roll(8) == 0 {
        return Vec::new();
    }
    let count = 1 + dice.roll(4);
    let mut inputs = Vec::new();
    for _ in 0..count.min(unspent.len() as u64) {
        // Young outputs are preferred, so that trails grow long.
        let reach = dice.roll(unspent.len().min(40) as u64) as usize;
        let (previous, output) = unspent.swap_remove(unspent.len() - 1 - reach);
        inputs.push(Input {
            previous,
            spent: Some(output),
        });
    }
    inputs
}

fn make_outputs(dice: &mut Dice, paid: u64) -> Vec<Output> {
    let fee = if dice.roll(3) == 0 {
        0
    } else {
        dice.roll(paid / 4 + 1)
    };
    let mut left = paid - fee;
    let count = 1 + dice.roll(5);
    let mut outputs = Vec::new();
    for number in 0..count {
        let amount = if number + 1 == count {
            left
        } else {
            dice.roll(left + 1)
        };
        left -= amount;
        let burned = dice.roll(20) == 0;
        let script = if burned {
            ScriptBuf::new_op_return([0; 4])
        } else {
            ScriptBuf::from(vec![0x51; 3 + (amount % 5) as usize])
        };
        outputs.push(Output {
            value: Amount::from_sat(amount),
            script,
        });
    }
    outputs
}

fn value(input: &Input) -> u64 {
    input
        .spent
        .as_ref()
        .map_or(0, |output| output.value.to_sat())
}

pub(crate) fn block(height: u64) -> BlockRef {
    let hash =
        BlockHash::from_raw_hash(bitcoin::hashes::sha256d::Hash::hash(&height.to_le_bytes()));
    BlockRef {
        height,
        hash,
        time: UnixTime(1_600_000_000 + height * 600),
    }
}
