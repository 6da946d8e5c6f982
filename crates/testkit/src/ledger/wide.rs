//! A theft that fans out, for measuring how fast a trace asks.

use std::collections::VecDeque;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, ScriptBuf, TxOut, WPubkeyHash};

use super::Ledger;
use super::builder::{Builder, Coin, MATURITY};

/// Outputs of a transaction while more are needed.
const FAN: u64 = 10;
/// Outputs of the last transactions, which nobody spends.
const LEAF: u64 = 2;
/// The fee of each.
const FEE: u64 = 1_000;

pub(super) fn spread(transactions: usize) -> Ledger {
    let mut scripts = (0_u64..).map(script);
    let mut next = move || scripts.next().expect("the numbers do not end");
    let mut builder = Builder::new(next());
    for _ in 0..=MATURITY {
        builder.next_block(next());
    }
    let loot = builder.take_mature();
    let fan = if transactions == 0 { LEAF } else { FAN };
    let (theft, mut generation) = pay(&mut builder, &loot, fan, &mut next);
    let mut made = 0;
    while made < transactions {
        builder.next_block(next());
        let mut children = VecDeque::new();
        for coin in generation {
            if made == transactions {
                break;
            }
            made += 1;
            let enough = children.len() >= transactions - made;
            let fan = if enough { LEAF } else { FAN };
            children.extend(pay(&mut builder, &[coin], fan, &mut next).1);
        }
        generation = children;
    }
    Ledger::new(builder, theft)
}

fn pay(
    builder: &mut Builder,
    inputs: &[Coin],
    fan: u64,
    script: &mut impl FnMut() -> ScriptBuf,
) -> (bitcoin::Txid, VecDeque<Coin>) {
    let total: u64 = inputs.iter().map(|coin| coin.value).sum();
    let each = total.saturating_sub(FEE) / fan;
    let output = |_| TxOut {
        value: Amount::from_sat(each),
        script_pubkey: script(),
    };
    let outputs: Vec<TxOut> = (0..fan).map(output).collect();
    let txid = builder.add(inputs, outputs);
    let coins = (0..).zip(0..fan).map(|(vout, _)| Coin {
        outpoint: OutPoint::new(txid, vout),
        value: each,
    });
    (txid, coins.collect())
}

/// The script of a number, each its own.
fn script(number: u64) -> ScriptBuf {
    let mut hash = [0; 20];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash))
}
