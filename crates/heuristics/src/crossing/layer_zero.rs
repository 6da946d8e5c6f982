//! LayerZero's tokens (OFT), Stargate V2 among them: what was sent and what was received carry one guid.

use hansel_ledger::{Chain, Coin, Event, EvmTransaction, Movement, topics};

use super::abi::{Words, address, topic};
use super::across::has_contracts;
use super::fields::carrier;
use super::search::WEEK;
use super::{Arrival, Bridges, Certainty, Departure, Link, Payee, Protocol, Reason, Search};

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let events = tx.events.iter();
    events
        .filter_map(|event| departure(bridges, chain, tx, event))
        .collect()
}

fn is_known(bridges: &Bridges, chain: &Chain, event: &Event) -> bool {
    let among = [Protocol::LayerZero];
    bridges
        .protocol_of(chain.name(), &event.address, &among)
        .is_some()
}

/// `OFTSent(bytes32 indexed guid, uint32 dstEid, address indexed from, uint256 sent, uint256 received)`.
fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Departure> {
    if event.form() != topics::LZ_OFT_SENT || !is_known(bridges, chain, event) {
        return None;
    }
    let words = Words::of(event);
    let (guid, from) = (topic(event, 1)?, address(topic(event, 2)?)?);
    let amount = words.amount(1)?;
    let place = bridges.place(
        chain.name(),
        Protocol::LayerZero,
        &words.number(0)?.to_string(),
    );
    // Into the pool, or destroyed: then it goes back to the token's own contract.
    let given = |one: &&Movement| {
        let destroyed = one.coin == Coin::Token(one.to) && one.from == from;
        one.amount == amount && (one.to == event.address || destroyed)
    };
    let more = |one: &&Movement| {
        one.to == event.address && one.coin == Coin::Native && one.amount >= amount
    };
    let mut moved = tx.movements.iter();
    let found = moved.find(given).or_else(|| tx.movements.iter().find(more));
    let search = place.chain().map(|there| Search::Logs {
        chain: there.name().to_owned(),
        contracts: bridges.contracts(there.name(), Protocol::LayerZero),
        topics: vec![vec![topics::LZ_OFT_RECEIVED], vec![guid]],
        mark: Vec::new(),
        within: WEEK,
    });
    Some(Departure {
        protocol: Protocol::LayerZero,
        link: Link(guid.to_string()),
        carrier: found.map(carrier),
        amount,
        place,
        payee: Payee::Unknown,
        refund_to: Vec::new(),
        payee_binds: false,
        asset: None,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: search.into_iter().filter(has_contracts).collect(),
        parked: None,
    })
}

/// `OFTReceived(bytes32 indexed guid, uint32 srcEid, address indexed to, uint256 received)`.
pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let events = tx.events.iter();
    let received = events
        .filter(|event| event.form() == topics::LZ_OFT_RECEIVED && is_known(bridges, chain, event));
    received
        .filter_map(|event| {
            let to = address(topic(event, 2)?)?;
            let amount = Words::of(event).amount(1)?;
            let mut paid = tx.movements.iter();
            let paid = paid.find(|one| one.to == to && one.amount == amount);
            Some(Arrival {
                protocol: Protocol::LayerZero,
                link: Link(topic(event, 1)?.to_string()),
                reason: Reason::Paid,
                carrier: paid.map(carrier),
                amount,
                payee: Payee::Account(to),
                left: None,
            })
        })
        .collect()
}
