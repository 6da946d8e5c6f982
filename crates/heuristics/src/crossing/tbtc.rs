//! tBTC v2: a redemption names the script that the wallet will pay on Bitcoin, and each wallet has at most one open
//! redemption for a script.

use alloy_primitives::B256;
use bitcoin::hashes::Hash as _;
use bitcoin::{PubkeyHash, ScriptBuf, WPubkeyHash};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, topic};
use super::fields::carrier;
use super::{
    Arrival, Bridges, Certainty, Departure, Link, Payee, Protocol, Reason, Search, TransactionView,
};

/// Base units of tBTC, which has 18 decimals, in a satoshi.
const UNITS: u64 = 10_000_000_000;

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let among = [Protocol::Tbtc];
    let events = tx.events.iter();
    events
        .filter(|event| {
            event.form() == topics::TBTC_REDEMPTION_REQUESTED
                && bridges
                    .protocol_of(chain.name(), &event.address, &among)
                    .is_some()
        })
        .filter_map(|event| departure(bridges, chain, tx, event))
        .collect()
}

/// `RedemptionRequested(bytes20 indexed wallet, bytes redeemerOutputScript, address indexed redeemer, uint64 amount,
/// uint64 treasuryFee, uint64 txMaxFee)`; the script stands behind its own length.
fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Departure> {
    let words = Words::of(event);
    let (length, script) = words.bytes(0)?.split_first()?;
    if usize::from(*length) != script.len() {
        return None;
    }
    let script = ScriptBuf::from(script.to_vec());
    let wallet = wallet(topic(event, 1)?)?;
    let satoshi = words.number(1)?;
    let amount = Amount::from(satoshi)
        .mul_div(UNITS.into(), Amount::ONE)
        .ok()?;
    // The token is destroyed for the redemption, somewhere in the transaction.
    let burned = tx
        .movements
        .iter()
        .rev()
        .find(|one| one.coin == Coin::Token(one.to) && one.amount >= amount)?;
    let place = bridges.place(chain.name(), Protocol::Tbtc, "BTC");
    let search = place.chain().map(|there| Search::Received {
        chain: there.name().to_owned(),
        script: script.clone(),
    });
    Some(Departure {
        protocol: Protocol::Tbtc,
        link: link(&wallet),
        carrier: Some(carrier(burned)),
        amount,
        place,
        payee: Payee::Script(script),
        refund_to: Vec::new(),
        payee_binds: true,
        asset: Some("BTC".into()),
        brings: None,
        certainty: Certainty::Shared,
        searches: search.into_iter().collect(),
        parked: None,
    })
}

fn wallet(word: B256) -> Option<[u8; 20]> {
    word.0.get(..20)?.try_into().ok()
}

/// What a wallet pays: its transactions have one input, the wallet's own output.
pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &TransactionView<'_>) -> Vec<Arrival> {
    let TransactionView::Bitcoin {
        sender: Some(sender),
        outputs,
        ..
    } = tx
    else {
        return Vec::new();
    };
    if !bridges.serves(chain.name(), Protocol::Tbtc) {
        return Vec::new();
    }
    let Some(wallet) = key_hash(sender) else {
        return Vec::new();
    };
    let paying = outputs.iter().filter(|output| output.script != *sender);
    paying
        .map(|output| Arrival {
            protocol: Protocol::Tbtc,
            link: link(&wallet),
            reason: Reason::Paid,
            carrier: Some(super::Carrier::Output(output.vout)),
            amount: output.value.into(),
            payee: Payee::Script(output.script.to_owned()),
            left: None,
        })
        .collect()
}

/// The key hash that a script of a wallet locks to.
fn key_hash(script: &bitcoin::Script) -> Option<[u8; 20]> {
    let bytes = script.as_bytes();
    let inner = if script.is_p2wpkh() {
        bytes.get(2..22)?
    } else if script.is_p2pkh() {
        bytes.get(3..23)?
    } else {
        return None;
    };
    let hash: [u8; 20] = inner.try_into().ok()?;
    let same = [
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash)),
        ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)),
    ];
    same.iter().any(|one| one == script).then_some(hash)
}

/// The wallet's key hash.
fn link(wallet: &[u8; 20]) -> Link {
    Link(alloy_primitives::hex::encode(wallet))
}
