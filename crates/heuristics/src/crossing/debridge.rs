//! deBridge DLN: an order and its fulfilment carry the order's id, which no topic holds.

use alloy_primitives::{Address, B256};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::Words;
use super::across::has_contracts;
use super::fields::{carrier, paid};
use super::{Arrival, Bridges, Certainty, Departure, Link, Payee, Protocol, Reason, Search};

/// Solvers fulfil an order at once or never.
const WITHIN: u64 = 6 * 3600;

/// The fields of an order: (uint64 nonce, bytes maker, uint256 giveChain, bytes giveToken, uint256 giveAmount,
/// uint256 takeChain, bytes takeToken, uint256 takeAmount, bytes receiver, ...).
struct Order {
    id: B256,
    give: Coin,
    given: Amount,
    take_chain: u64,
    take: Payee,
    taken: Amount,
    receiver: Payee,
}

fn order(event: &Event) -> Option<Order> {
    let words = Words::of(event);
    let order = words.tuple(0)?;
    Some(Order {
        id: words.word(1)?,
        give: match account(order.bytes(3)?) {
            Payee::Account(Address::ZERO) => Coin::Native,
            Payee::Account(token) => Coin::Token(token),
            _ => return None,
        },
        given: order.amount(4)?,
        take_chain: order.number(5)?,
        take: account(order.bytes(6)?),
        taken: order.amount(7)?,
        receiver: account(order.bytes(8)?),
    })
}

/// An account as deBridge writes it: its bare bytes.
fn account(bytes: &[u8]) -> Payee {
    match <[u8; 20]>::try_from(bytes) {
        Ok(bytes) => Payee::Account(Address::from(bytes)),
        Err(_) => Payee::Other(alloy_primitives::hex::encode_prefixed(bytes)),
    }
}

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    of(bridges, chain, tx, topics::DEBRIDGE_CREATED_ORDER)
        .into_iter()
        .map(|(pool, order)| departure(bridges, tx, pool, order))
        .collect()
}

fn of(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction, form: B256) -> Vec<(Address, Order)> {
    let known = |event: &&Event| {
        let among = [Protocol::Debridge];
        let protocol = bridges.protocol_of(chain.name(), &event.address, &among);
        event.form() == form && protocol.is_some()
    };
    let events = tx.events.iter().filter(known);
    events
        .filter_map(|event| Some((event.address, order(event)?)))
        .collect()
}

fn departure(bridges: &Bridges, tx: &EvmTransaction, pool: Address, order: Order) -> Departure {
    let place = bridges.evm(order.take_chain);
    let search = place.chain().map(|there| Search::Logs {
        chain: there.name().to_owned(),
        contracts: bridges.contracts(there.name(), Protocol::Debridge),
        topics: vec![vec![topics::DEBRIDGE_FULFILLED_ORDER]],
        mark: order.id.to_vec(),
        within: WITHIN,
    });
    // Of the native coin a fixed fee is given along, so that what moved is more than the order gives.
    let given = tx
        .movements
        .iter()
        .find(|one| one.to == pool && one.coin == order.give && one.amount >= order.given);
    Departure {
        protocol: Protocol::Debridge,
        link: Link(order.id.to_string()),
        carrier: paid(tx, pool, order.give, order.given)
            .or(given)
            .map(carrier),
        amount: order.given,
        place,
        payee: order.receiver,
        refund_to: Vec::new(),
        payee_binds: true,
        asset: None,
        brings: None,
        least: None,
        only_said: false,
        certainty: Certainty::Shared,
        searches: search.into_iter().filter(has_contracts).collect(),
        parked: None,
    }
}

pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    of(bridges, chain, tx, topics::DEBRIDGE_FULFILLED_ORDER)
        .into_iter()
        .filter_map(|(_, order)| arrival(tx, order))
        .collect()
}

fn arrival(tx: &EvmTransaction, order: Order) -> Option<Arrival> {
    let (Payee::Account(to), Payee::Account(token)) = (&order.receiver, &order.take) else {
        return None;
    };
    let coin = if token.is_zero() {
        Coin::Native
    } else {
        Coin::Token(*token)
    };
    Some(Arrival {
        protocol: Protocol::Debridge,
        link: Link(order.id.to_string()),
        reason: Reason::Paid,
        carrier: paid(tx, *to, coin, order.taken).map(carrier),
        amount: order.taken,
        payee: order.receiver,
        left: Some(order.given),
    })
}
