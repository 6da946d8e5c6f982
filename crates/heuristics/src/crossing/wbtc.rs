//! WBTC: the factory logs which Bitcoin transaction paid the custodian, and makes the tokens in the same transaction.
//!
//! The transaction is named in words of the merchant's who asked for the tokens, and the custodian confirmed it. It is
//! believed where the Bitcoin transaction pays the named address exactly as much. The tokens go to the merchant; whose
//! customer paid him is in neither chain.

use alloy_primitives::B256;
use bitcoin::{Address, Txid};
use hansel_ledger::{Chain, Event, EvmTransaction, topics};

use super::abi::{Words, address, topic};
use super::fields::carrier;
use super::mint::{Backing, Told, made};
use super::search::LATEST_MADE;
use super::{Arrival, Bridges, Link, Payee, Place, Protocol, Reason, Search};

/// `MintConfirmed(uint256 indexed nonce, address indexed requester, uint256 amount, string btcDepositAddress, string
/// btcTxid, uint256 timestamp, bytes32 requestHash)`.
pub(super) const CONFIRMED: B256 = topics::WBTC_MINT_CONFIRMED;

pub(super) fn backing(bridges: &Bridges, home: &Chain, told: &Told) -> Option<Backing> {
    let event = &told.event;
    let words = words(event)?;
    let text = std::str::from_utf8(words.bytes(1)?).ok()?;
    let paid_to: Address<_> = text.trim().parse().ok()?;
    let paid_to = paid_to.require_network(home.network()?).ok()?;
    let txid = txid(event)?;
    let chain = bridges.chain(&told.chain)?;
    Some(Backing {
        txid,
        vout: None,
        protocol: Protocol::Wbtc,
        scripts: vec![paid_to.script_pubkey()],
        paid: words.number(0)?,
        link: link(txid),
        payee: Payee::Account(address(topic(event, 2)?)?),
        asset: "WBTC".into(),
        key: None,
        home: home.name().to_owned(),
        search: Search::Logs {
            chain: told.chain.clone(),
            contracts: bridges.contracts(&told.chain, Protocol::Wbtc),
            topics: vec![vec![CONFIRMED], vec![topic(event, 1)?]],
            mark: Vec::new(),
            within: LATEST_MADE,
        },
        place: Place::Chain(chain.clone()),
    })
}

pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let known = |event: &&Event| {
        let among = [Protocol::Wbtc];
        let name = chain.name();
        bridges.protocol_of(name, &event.address, &among).is_some()
    };
    let events = tx.events.iter().filter(known);
    events
        .filter_map(|event| arrival(bridges, chain, tx, event))
        .collect()
}

fn arrival(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Arrival> {
    let words = words(event)?;
    let merchant = address(topic(event, 2)?)?;
    let amount = words.amount(0)?;
    let tokens = bridges.contracts(chain.name(), Protocol::Wbtc);
    let made = made(tx, &tokens, merchant, event).filter(|made| made.amount == amount);
    Some(Arrival {
        protocol: Protocol::Wbtc,
        link: link(txid(event)?),
        reason: Reason::Paid,
        carrier: made.map(carrier),
        amount,
        payee: Payee::Account(merchant),
        left: Some(amount),
    })
}

fn words(event: &Event) -> Option<Words<'_>> {
    (event.form() == CONFIRMED).then(|| Words::of(event))
}

/// The transaction's id: the first 64 digits, after which some write the output.
pub(super) fn txid(event: &Event) -> Option<Txid> {
    let text = std::str::from_utf8(Words::of(event).bytes(2)?).ok()?;
    let text = text.trim();
    text.get(..64)?.parse().ok()
}

fn link(txid: Txid) -> Link {
    Link(txid.to_string())
}
