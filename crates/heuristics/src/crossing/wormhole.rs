//! Wormhole's token bridge: a message and its redemption share emitter chain, emitter and sequence.

use alloy_primitives::B256;
use hansel_ledger::{Chain, Coin, Event, EvmTransaction, Movement, topics};

use super::abi::{Words, address, small, topic};
use super::across::has_contracts;
use super::fields::{carrier, payee};
use super::search::WEEK;
use super::{Arrival, Bridges, Certainty, Departure, Link, Protocol, Reason, Search};

/// Transfers of tokens, without and with a call behind them.
const TRANSFERS: [u8; 2] = [1, 3];

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let events = tx.events.iter();
    events
        .filter_map(|event| departure(bridges, chain, tx, event))
        .collect()
}

fn is_known(bridges: &Bridges, chain: &Chain, contract: &alloy_primitives::Address) -> bool {
    let among = [Protocol::Wormhole];
    bridges
        .protocol_of(chain.name(), contract, &among)
        .is_some()
}

/// `LogMessagePublished(address indexed sender, uint64 sequence, uint32 nonce, bytes payload, uint8 level)`, whose payload
/// holds id (1 byte), amount (32), token (32), token chain (2), recipient (32) and recipient chain (2).
fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Departure> {
    let is_message = event.form() == topics::WORMHOLE_LOG_MESSAGE_PUBLISHED;
    if !is_message || !is_known(bridges, chain, &event.address) {
        return None;
    }
    let emitter = topic(event, 1)?;
    let bridge = address(emitter)?;
    if !is_known(bridges, chain, &bridge) {
        return None;
    }
    let words = Words::of(event);
    let (sequence, payload) = (words.number(0)?, words.bytes(2)?);
    if !TRANSFERS.contains(payload.first()?) {
        return None;
    }
    let recipient = B256::try_from(payload.get(67..99)?).ok()?;
    let there = u16::from_be_bytes(payload.get(99..101)?.try_into().ok()?);
    let place = bridges.place(chain.name(), Protocol::Wormhole, &there.to_string());
    let own = bridges.code(chain.name(), Protocol::Wormhole)?;
    // Locked at the bridge, or destroyed by the token that the bridge made.
    let given =
        tx.movements.iter().rev().find(|one| {
            one.to == bridge || one.coin == Coin::Token(one.to) && one.from != one.to
        })?;
    let search = place.chain().map(|to| Search::Logs {
        chain: to.name().to_owned(),
        contracts: bridges.contracts(to.name(), Protocol::Wormhole),
        topics: vec![
            vec![topics::WORMHOLE_TRANSFER_REDEEMED],
            vec![word(own)],
            vec![emitter],
            vec![word(sequence)],
        ],
        mark: Vec::new(),
        within: WEEK,
    });
    Some(Departure {
        protocol: Protocol::Wormhole,
        link: link(own, emitter, sequence),
        amount: given.amount,
        carrier: Some(carrier(given)),
        place,
        payee: payee(recipient),
        refund_to: Vec::new(),
        payee_binds: true,
        asset: None,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: search.into_iter().filter(has_contracts).collect(),
        parked: None,
    })
}

/// `TransferRedeemed(uint16 indexed chain, bytes32 indexed emitter, uint64 indexed sequence)`: who is paid, only the
/// movements of the bridge and of the tokens that it makes tell.
pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let events = tx.events.iter();
    let redeemed = events.filter(|event| {
        event.form() == topics::WORMHOLE_TRANSFER_REDEEMED
            && is_known(bridges, chain, &event.address)
    });
    let mut all = Vec::new();
    for event in redeemed {
        let Some(link) = redeemed_link(event) else {
            continue;
        };
        let given = |one: &&Movement| {
            one.from == event.address || one.coin == Coin::Token(one.from) && one.to != one.from
        };
        all.extend(tx.movements.iter().filter(given).map(|one| Arrival {
            protocol: Protocol::Wormhole,
            link: link.clone(),
            reason: Reason::Paid,
            carrier: Some(carrier(one)),
            amount: one.amount,
            payee: super::Payee::Account(one.to),
            left: None,
        }));
    }
    all
}

fn redeemed_link(event: &Event) -> Option<Link> {
    let (chain, sequence) = (small(topic(event, 1)?)?, small(topic(event, 3)?)?);
    Some(link(chain, topic(event, 2)?, sequence))
}

/// `CHAIN-EMITTER-SEQUENCE`.
fn link(chain: u64, emitter: B256, sequence: u64) -> Link {
    Link(format!("{chain}-{emitter}-{sequence}"))
}

fn word(number: u64) -> B256 {
    B256::from(alloy_primitives::U256::from(number))
}
