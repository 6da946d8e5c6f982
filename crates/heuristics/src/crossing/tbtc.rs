//! tBTC v2: a redemption names the script that the wallet will pay on Bitcoin, and each wallet has at most one open
//! redemption for a script. The other way, whoever paid a wallet reveals on Ethereum what the script of that payment was
//! made of, and the tokens are made for the payment's key. Layouts are those of the contracts in `@keep-network/tbtc-v2`
//! 1.6.0.

use alloy_primitives::{Address, B256, keccak256};
use bitcoin::hashes::Hash as _;
use bitcoin::{PubkeyHash, ScriptBuf, Txid, WPubkeyHash};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, address, topic};
use super::fields::carrier;
use super::mint::{Backing, Told, made};
use super::search::LATEST_MADE;
use super::{
    Arrival, Bridges, Certainty, Departure, Link, Payee, Place, Protocol, Reason, Search,
    TransactionView,
};

/// `DepositRevealed(bytes32 fundingTxHash, uint32 fundingOutputIndex, address indexed depositor, uint64 amount, bytes8
/// blindingFactor, bytes20 indexed walletPubKeyHash, bytes20 refundPubKeyHash, bytes4 refundLocktime, address vault)`; the
/// hash is in the byte order of Bitcoin's blocks.
pub(super) const REVEALED: B256 = topics::TBTC_DEPOSIT_REVEALED;

/// Base units of tBTC, which has 18 decimals, in a satoshi.
pub(super) const UNITS: u64 = 10_000_000_000;

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
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: search.into_iter().collect(),
        parked: None,
    })
}

/// The key hash that a field of a wallet's holds.
pub(super) fn wallet(word: B256) -> Option<[u8; 20]> {
    word.0.get(..20)?.try_into().ok()
}

/// The payment that a depositor reveals, with the two scripts that what he reveals can stand for. A deposit with extra
/// data, which the event leaves out, has another script, and fits only with them.
pub(super) fn backing(bridges: &Bridges, home: &Chain, told: &Told) -> Option<Backing> {
    let event = &told.event;
    if event.form() != REVEALED {
        return None;
    }
    let words = Words::of(event);
    let hash = words.word(0)?;
    let vout = u32::try_from(words.number(1)?).ok()?;
    let depositor = address(topic(event, 1)?)?;
    let script = deposit_script(depositor, told.extra, topic(event, 2)?, words)?;
    let key = keccak256([hash.as_slice(), &vout.to_be_bytes()].concat());
    let chain = bridges.chain(&told.chain)?;
    Some(Backing {
        txid: Txid::from_byte_array(hash.0),
        vout: Some(vout),
        protocol: Protocol::Tbtc,
        scripts: vec![script.to_p2wsh(), script.to_p2sh()],
        paid: words.number(2)?,
        link: Link(alloy_primitives::hex::encode(key)),
        payee: Payee::Account(depositor),
        asset: told.extra.map_or_else(
            || "tBTC".to_owned(),
            |extra| format!("tBTC with the extra data {extra}"),
        ),
        key: Some(key),
        home: home.name().to_owned(),
        search: Search::Logs {
            chain: told.chain.clone(),
            contracts: bridges.contracts(&told.chain, Protocol::Tbtc),
            topics: vec![
                vec![topics::TBTC_OPTIMISTIC_MINTING_FINALIZED],
                Vec::new(),
                vec![key],
            ],
            mark: Vec::new(),
            within: LATEST_MADE,
        },
        place: Place::Chain(chain.clone()),
    })
}

/// The script of a deposit, as `Deposit.sol` puts it together.
fn deposit_script(
    depositor: Address,
    extra: Option<B256>,
    wallet: B256,
    words: Words<'_>,
) -> Option<ScriptBuf> {
    let extra = extra.map_or_else(Vec::new, |extra| [&[0x20], &extra[..], &[0x75]].concat());
    let (blinding, refund, locktime) = (words.word(3)?, words.word(4)?, words.word(5)?);
    let parts: [&[u8]; 13] = [
        &[0x14],
        depositor.as_slice(),
        &[0x75],
        &extra,
        &[0x08],
        blinding.get(..8)?,
        &[0x75, 0x76, 0xa9, 0x14],
        wallet.get(..20)?,
        &[0x87, 0x63, 0xac, 0x67, 0x76, 0xa9, 0x14],
        refund.get(..20)?,
        &[0x88, 0x04],
        locktime.get(..4)?,
        &[0xb1, 0x75, 0xac, 0x68],
    ];
    Some(ScriptBuf::from(parts.concat()))
}

/// What was made for deposits before their wallet swept them.
pub(super) fn mints(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let known = |event: &&Event| {
        let among = [Protocol::Tbtc];
        let name = chain.name();
        event.form() == topics::TBTC_OPTIMISTIC_MINTING_FINALIZED
            && bridges.protocol_of(name, &event.address, &among).is_some()
    };
    let tokens = bridges.contracts(chain.name(), Protocol::Tbtc);
    let events = tx.events.iter().filter(known);
    events
        .filter_map(|event| mint(&tokens, tx, event))
        .collect()
}

/// `OptimisticMintingFinalized(address indexed minter, uint256 indexed depositKey, address indexed depositor, uint256
/// optimisticMintingDebt)`, after the tokens were made, less fees, for the depositor.
fn mint(tokens: &[Address], tx: &EvmTransaction, event: &Event) -> Option<Arrival> {
    let depositor = address(topic(event, 3)?)?;
    let made = made(tx, tokens, depositor, event);
    Some(Arrival {
        protocol: Protocol::Tbtc,
        link: Link(alloy_primitives::hex::encode(topic(event, 2)?)),
        reason: Reason::Paid,
        carrier: made.map(carrier),
        amount: made.map(|made| made.amount).unwrap_or_default(),
        payee: Payee::Account(depositor),
        left: None,
    })
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
pub(super) fn key_hash(script: &bitcoin::Script) -> Option<[u8; 20]> {
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
