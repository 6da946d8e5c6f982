//! Data in a transaction, and which protocol it is of.

use bitcoin::Script;
use bitcoin::hex::DisplayHex as _;

use crate::{Confidence, Finding};

use super::view::TxView;
use crate::verdict::Verdict;

/// What the data of a protocol start with. Source: am-i-exposed.
const MARKERS: [(&[u8], &str); 4] = [
    (b"omni", "omni"),
    (b"OTS\x01", "opentimestamps"),
    (b"CNTRPRTY", "counterparty"),
    (b"VBK", "veriblock"),
];

/// How many bytes of data are shown.
const SHOWN: usize = 80;

/// Says which outputs carry data, and of which protocols as far as the data say it.
///
/// Data can be written by anybody: the protocol's own rules decide whether they mean anything.
pub fn op_return(tx: &TxView<'_>) -> Option<Finding> {
    let carriers: Vec<usize> = tx.outputs_with(|coin| coin.script.is_op_return()).collect();
    if carriers.is_empty() {
        return None;
    }
    let scripts = || carriers.iter().map(|index| tx.outputs[*index].script);
    let protocols: Vec<String> = scripts()
        .map(|script| protocol(tx, script).to_owned())
        .collect();
    let data = scripts().map(|script| shown(&payload(script)));
    let burned: u64 = carriers
        .iter()
        .map(|index| tx.outputs[*index].value)
        .fold(0, u64::saturating_add);
    let verdict = Verdict::new("btc.op-return", Confidence::Weak)
        .with("protocols", protocols.clone())
        .with("data", data.collect::<Vec<_>>())
        .satoshi("burned", burned);
    let summary = format!("{} carries data: {}", tx.txid, protocols.join(", "));
    Some(verdict.about(tx, carriers, summary))
}

/// The name of a protocol, `text` for readable data, `unknown` for the rest.
fn protocol(tx: &TxView<'_>, script: &Script) -> &'static str {
    if script.as_bytes().starts_with(&[0x6a, 0x5d]) {
        return "runes";
    }
    let data = payload(script);
    let marked = MARKERS.iter().find(|(marker, _)| data.starts_with(marker));
    let readable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    match marked {
        Some((_, protocol)) => protocol,
        None if is_notification(tx, &data) => "bip47-notification",
        None if !data.is_empty() && data.iter().all(readable) => "text",
        None => "unknown",
    }
}

/// BIP-47: 80 bytes of data, one to three inputs, an output of 546 to 1,000 satoshi. Source: am-i-exposed.
fn is_notification(tx: &TxView<'_>, data: &[u8]) -> bool {
    let carriers = tx.outputs_with(|coin| coin.script.is_op_return()).count();
    let dust = |coin: &super::view::Coin<'_>| (546..=1_000).contains(&coin.value);
    data.len() == 80
        && carriers == 1
        && (1..=3).contains(&tx.inputs.len())
        && tx.outputs.iter().any(dust)
}

/// All pushed bytes, one push after the other, as far as the script can be read.
fn payload(script: &Script) -> Vec<u8> {
    let pushes = script.instructions().map_while(Result::ok);
    let bytes = pushes.filter_map(|instruction| {
        instruction
            .push_bytes()
            .map(|push| push.as_bytes().to_vec())
    });
    bytes.flatten().collect()
}

fn shown(data: &[u8]) -> String {
    let text = data[..data.len().min(SHOWN)].to_lower_hex_string();
    match data.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{text}… and {more} bytes more"),
        _ => text,
    }
}
