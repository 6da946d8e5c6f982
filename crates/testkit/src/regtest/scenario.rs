//! A theft and what became of it: one transaction of every kind that a trace must get right.

use bitcoin::{OutPoint, Txid};

use super::{Pay, Payee, Regtest};

/// Satoshi in a bitcoin.
const COIN: u64 = 100_000_000;
/// The fee where nothing hangs on it.
const FEE: u64 = 10_000;

/// The transactions and outputs of [`Regtest::scenario`], in chain order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The victim's two outputs: 30 BTC in P2WPKH and 15 BTC in P2TR.
    pub victim: [OutPoint; 2],
    /// The theft: both victim outputs to the thief's 25 BTC (P2WPKH) and 12 BTC (P2TR), 8 BTC less the fee
    /// back to the victim's first address.
    pub theft: Txid,
    /// The 25 BTC in eight peels: output 0 pays 1 BTC away, output 1 is the rest. The sixth is in the fifth's block.
    pub peels: Vec<Txid>,
    /// The 12 BTC split into ten outputs of 1 BTC to keys 40 to 49 and one with the rest to key 50.
    pub split: Txid,
    /// A clean payment of 2 BTC from a miner, spent by `merge`.
    pub clean: OutPoint,
    /// Output 0 of `split` and `clean` together: 2.5 BTC to key 60, the rest to key 61 (P2PKH).
    pub merge: Txid,
    /// Outputs 1 to 4 of `split` in one output to key 62.
    pub consolidation: Txid,
    /// Output 5 of `split`: 0.25 BTC burned with a note, the rest to key 63.
    pub burn: Txid,
    /// Output 6 of `split` to key 64, in the same block as `child`.
    pub parent: Txid,
    /// Output 0 of `parent`, without a fee, to key 65 (P2TR).
    pub child: Txid,
    /// Output 7 of `split`, sent first and never mined.
    pub replaced: Txid,
    /// Output 7 of `split` to key 67, mined instead of `replaced`.
    pub replacement: Txid,
    /// A whole coinbase, spent by `coinbase_merge`.
    pub coinbase: OutPoint,
    /// Output 8 of `split` and `coinbase` together: 26 BTC to key 68, the rest to key 69.
    pub coinbase_merge: Txid,
    /// Output 9 of `split`: 100 satoshi to key 70, nothing to key 71, 546 satoshi to key 72 (P2PKH), the rest
    /// to key 73.
    pub dust: Txid,
    /// Output 1 of the last peel, left in the mempool: all to key 80.
    pub unconfirmed: Txid,
    /// Output 10 of `split`, which nobody spends.
    pub unspent: OutPoint,
    /// The height of the tip: two empty blocks above the last transaction.
    pub height: u64,
}

impl Regtest {
    /// Builds the theft and all that follows on an empty chain.
    pub fn scenario(&mut self) -> Scenario {
        let coinbases = self.fund(Payee::Segwit(1), 3);
        let coinbase = coinbases[1];
        let victim = self.endow_victim(coinbases[0]);
        let theft = self.steal(victim);
        let peels = self.peel(OutPoint::new(theft, 0));
        let split = self.split(OutPoint::new(theft, 1));
        let part = |vout| OutPoint::new(split, vout);
        let clean = self.pay_one(coinbases[2], Payee::Segwit(2), 2 * COIN);
        let merge = self.merge([part(0), clean]);
        let consolidation = self.consolidate(&[part(1), part(2), part(3), part(4)]);
        let burn = self.burn(part(5));
        let (parent, child) = self.parent_and_child(part(6));
        let (replaced, replacement) = self.replace(part(7));
        let coinbase_merge = self.merge_coinbase([part(8), coinbase]);
        let dust = self.scatter_dust(part(9));
        self.mine();
        self.mine();
        let last = OutPoint::new(peels[7], 1);
        let unconfirmed = self.broadcast(&[last], &[Pay::rest(Payee::Segwit(80))], FEE);
        let height = self.height();
        let unspent = part(10);
        Scenario {
            victim,
            theft,
            peels,
            split,
            clean,
            merge,
            consolidation,
            burn,
            parent,
            child,
            replaced,
            replacement,
            coinbase,
            coinbase_merge,
            dust,
            unconfirmed,
            unspent,
            height,
        }
    }

    fn endow_victim(&mut self, coinbase: OutPoint) -> [OutPoint; 2] {
        let outputs = [
            Pay::to(Payee::Segwit(10), 30 * COIN),
            Pay::to(Payee::Taproot(11), 15 * COIN),
            Pay::rest(Payee::Segwit(1)),
        ];
        let txid = self.pay(&[coinbase], &outputs, FEE);
        self.mine();
        [OutPoint::new(txid, 0), OutPoint::new(txid, 1)]
    }

    fn steal(&mut self, victim: [OutPoint; 2]) -> Txid {
        let outputs = [
            Pay::to(Payee::Segwit(20), 25 * COIN),
            Pay::to(Payee::Taproot(21), 12 * COIN),
            Pay::rest(Payee::Segwit(10)),
        ];
        self.pay_and_mine(&victim, &outputs, FEE)
    }

    fn peel(&mut self, start: OutPoint) -> Vec<Txid> {
        let mut left = start;
        let mut peels = Vec::new();
        for step in 0..8 {
            let away = match step % 3 {
                0 => Payee::Segwit(100 + step),
                1 => Payee::Legacy(100 + step),
                _ => Payee::Taproot(100 + step),
            };
            let outputs = [Pay::to(away, COIN), Pay::rest(Payee::Segwit(30 + step))];
            let txid = self.pay(&[left], &outputs, FEE);
            if step != 4 {
                self.mine();
            }
            left = OutPoint::new(txid, 1);
            peels.push(txid);
        }
        peels
    }

    fn split(&mut self, whole: OutPoint) -> Txid {
        let parts = (40..50).map(|key| Pay::to(Payee::Segwit(key), COIN));
        let rest = Pay::rest(Payee::Segwit(50));
        let outputs: Vec<Pay> = parts.chain([rest]).collect();
        self.pay_and_mine(&[whole], &outputs, FEE)
    }

    fn merge(&mut self, inputs: [OutPoint; 2]) -> Txid {
        let outputs = [
            Pay::to(Payee::Segwit(60), 5 * COIN / 2),
            Pay::rest(Payee::Legacy(61)),
        ];
        self.pay_and_mine(&inputs, &outputs, FEE)
    }

    fn consolidate(&mut self, inputs: &[OutPoint]) -> Txid {
        self.pay_and_mine(inputs, &[Pay::rest(Payee::Segwit(62))], FEE)
    }

    fn burn(&mut self, input: OutPoint) -> Txid {
        let outputs = [
            Pay::note(
                b"=:ETH.ETH:0x0000000000000000000000000000000000000000",
                COIN / 4,
            ),
            Pay::rest(Payee::Segwit(63)),
        ];
        self.pay_and_mine(&[input], &outputs, FEE)
    }

    fn parent_and_child(&mut self, input: OutPoint) -> (Txid, Txid) {
        let parent = self.pay(&[input], &[Pay::rest(Payee::Segwit(64))], FEE);
        let between = OutPoint::new(parent, 0);
        let child = self.pay(&[between], &[Pay::rest(Payee::Taproot(65))], 0);
        self.mine();
        (parent, child)
    }

    fn replace(&mut self, input: OutPoint) -> (Txid, Txid) {
        let replaced = self.broadcast(&[input], &[Pay::rest(Payee::Segwit(66))], FEE);
        let replacement = self.broadcast(&[input], &[Pay::rest(Payee::Segwit(67))], 5 * FEE);
        self.confirm(replacement);
        (replaced, replacement)
    }

    fn merge_coinbase(&mut self, inputs: [OutPoint; 2]) -> Txid {
        let outputs = [
            Pay::to(Payee::Segwit(68), 26 * COIN),
            Pay::rest(Payee::Segwit(69)),
        ];
        self.pay_and_mine(&inputs, &outputs, FEE)
    }

    fn scatter_dust(&mut self, input: OutPoint) -> Txid {
        let outputs = [
            Pay::to(Payee::Segwit(70), 100),
            Pay::to(Payee::Segwit(71), 0),
            Pay::to(Payee::Legacy(72), 546),
            Pay::rest(Payee::Segwit(73)),
        ];
        self.pay_and_mine(&[input], &outputs, FEE)
    }

    fn pay_one(&mut self, input: OutPoint, payee: Payee, satoshi: u64) -> OutPoint {
        let outputs = [Pay::to(payee, satoshi), Pay::rest(Payee::Segwit(1))];
        OutPoint::new(self.pay_and_mine(&[input], &outputs, FEE), 0)
    }

    fn pay_and_mine(&mut self, inputs: &[OutPoint], outputs: &[Pay], fee: u64) -> Txid {
        let txid = self.pay(inputs, outputs, fee);
        self.mine();
        txid
    }
}
