//! The outputs whose spending is looked for while blocks go by.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use bitcoin::{Block, OutPoint, Script, ScriptBuf, Transaction, Txid};

/// What spent an output: the transaction and its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spender {
    pub(super) by: Txid,
    pub(super) height: u64,
}

/// Outputs watched since they were made.
///
/// When one is spent, the spender's own outputs are watched from there on, before anybody asks: one reading
/// of the blocks then answers for all that descends from the outputs asked for.
#[derive(Debug)]
pub(super) struct Watch {
    spends: HashMap<OutPoint, Option<Spender>>,
    /// Heights at which transactions are said to be and have not been seen yet.
    unseen: BTreeMap<u64, BTreeSet<Txid>>,
    /// Outputs that may still be watched unasked.
    credit: usize,
    /// True where blocks are chosen by their scripts, which an empty script escapes.
    by_script: bool,
}

impl Watch {
    /// Watches nothing yet, and at most `credit` outputs unasked.
    pub(super) fn new(credit: usize, by_script: bool) -> Self {
        Self {
            spends: HashMap::new(),
            unseen: BTreeMap::new(),
            credit,
            by_script,
        }
    }

    /// Watches outputs of the transaction said to be at `height`.
    pub(super) fn add(
        &mut self,
        txid: Txid,
        height: u64,
        outpoints: impl Iterator<Item = OutPoint>,
    ) {
        self.unseen.entry(height).or_default().insert(txid);
        for outpoint in outpoints {
            self.spends.entry(outpoint).or_insert(None);
        }
    }

    /// Reads the next block and returns the scripts of outputs newly watched.
    pub(super) fn read(&mut self, height: u64, block: &Block) -> Vec<ScriptBuf> {
        let mut scripts = Vec::new();
        let mut expected = self.unseen.remove(&height).unwrap_or_default();
        for transaction in &block.txdata {
            let spends = self.is_spent_by(transaction);
            if !spends && expected.is_empty() {
                continue;
            }
            let txid = transaction.compute_txid();
            expected.remove(&txid);
            if spends {
                self.record(transaction, Spender { by: txid, height }, &mut scripts);
            }
        }
        if !expected.is_empty() {
            self.unseen.insert(height, expected);
        }
        scripts
    }

    /// Everything learned, once the last block was read: the spends, and the transactions that were not
    /// where they were said to be.
    pub(super) fn finish(self) -> (HashMap<OutPoint, Option<Spender>>, BTreeSet<Txid>) {
        let misplaced = self.unseen.into_values().flatten().collect();
        (self.spends, misplaced)
    }

    fn is_spent_by(&self, transaction: &Transaction) -> bool {
        let mut inputs = transaction.input.iter();
        inputs.any(|input| self.spends.contains_key(&input.previous_output))
    }

    fn record(
        &mut self,
        transaction: &Transaction,
        spender: Spender,
        scripts: &mut Vec<ScriptBuf>,
    ) {
        for input in &transaction.input {
            if let Some(spend) = self.spends.get_mut(&input.previous_output) {
                *spend = Some(spender);
            }
        }
        for (vout, output) in (0_u32..).zip(&transaction.output) {
            let outpoint = OutPoint {
                txid: spender.by,
                vout,
            };
            self.speculate(outpoint, &output.script_pubkey, scripts);
        }
    }

    fn speculate(&mut self, outpoint: OutPoint, script: &Script, scripts: &mut Vec<ScriptBuf>) {
        let hidden = self.by_script && script.is_empty();
        if self.credit == 0 || hidden || is_unspendable(script) {
            return;
        }
        // A block may be read twice after a failure; what was learned then stays.
        if let Entry::Vacant(vacant) = self.spends.entry(outpoint) {
            vacant.insert(None);
            self.credit -= 1;
            if self.by_script {
                scripts.push(script.to_owned());
            }
        }
    }
}

/// True where no transaction can ever spend an output with this script (Core's `CScript::IsUnspendable`).
pub(crate) fn is_unspendable(script: &Script) -> bool {
    script.is_op_return() || script.len() > 10_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::absolute::LockTime;
    use bitcoin::blockdata::constants::genesis_block;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, Network, Sequence, TxIn, TxOut, Witness};

    fn spending(previous: OutPoint, scripts: &[&[u8]]) -> Transaction {
        let output = |script: &&[u8]| TxOut {
            value: Amount::from_sat(1),
            script_pubkey: ScriptBuf::from_bytes(script.to_vec()),
        };
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: previous,
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::new(),
            }],
            output: scripts.iter().map(output).collect(),
        }
    }

    fn block(transactions: &[&Transaction]) -> Block {
        let mut block = genesis_block(Network::Regtest);
        block.txdata.extend(transactions.iter().copied().cloned());
        block
    }

    fn output_of(transaction: &Transaction, vout: u32) -> OutPoint {
        OutPoint {
            txid: transaction.compute_txid(),
            vout,
        }
    }

    #[test]
    fn one_reading_follows_a_descent_even_within_one_block() {
        let theft = spending(OutPoint::null(), &[&[0x51]]);
        let first = spending(output_of(&theft, 0), &[&[0x51], &[0x52]]);
        let second = spending(output_of(&first, 1), &[&[0x53]]);
        let mut watch = Watch::new(100, true);
        let stolen = output_of(&theft, 0);
        watch.add(stolen.txid, 7, [stolen].into_iter());
        assert!(watch.read(7, &block(&[&theft])).is_empty());
        let scripts = watch.read(8, &block(&[&first, &second]));
        assert_eq!(scripts.len(), 3);
        let (spends, misplaced) = watch.finish();
        assert!(misplaced.is_empty());
        let by = |transaction: &Transaction| {
            Some(Spender {
                by: transaction.compute_txid(),
                height: 8,
            })
        };
        assert_eq!(spends[&stolen], by(&first));
        assert_eq!(spends[&output_of(&first, 1)], by(&second));
        assert_eq!(spends[&output_of(&first, 0)], None);
        assert_eq!(spends[&output_of(&second, 0)], None);
    }

    #[test]
    fn nothing_is_watched_unasked_beyond_the_credit_or_where_it_cannot_be_seen() {
        let theft = spending(OutPoint::null(), &[&[0x51]]);
        let spender = spending(output_of(&theft, 0), &[&[0x6a], &[], &[0x52], &[0x53]]);
        let stolen = output_of(&theft, 0);
        let mut watch = Watch::new(1, true);
        watch.add(stolen.txid, 7, [stolen].into_iter());
        assert_eq!(watch.read(7, &block(&[&theft, &spender])).len(), 1);
        let (spends, _) = watch.finish();
        assert_eq!(spends.len(), 2);
        assert!(spends.contains_key(&output_of(&spender, 2)));
    }

    #[test]
    fn a_transaction_that_is_not_at_its_height_is_named() {
        let theft = spending(OutPoint::null(), &[&[0x51]]);
        let stolen = output_of(&theft, 0);
        let mut watch = Watch::new(1, false);
        watch.add(stolen.txid, 7, [stolen].into_iter());
        watch.read(7, &block(&[]));
        watch.read(8, &block(&[&theft]));
        let (_, misplaced) = watch.finish();
        assert_eq!(misplaced, BTreeSet::from([stolen.txid]));
    }
}
