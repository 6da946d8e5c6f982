//! Across: a deposit and its fills share the chain of origin and the deposit's number.
//!
//! Anybody may fill anything with value of his own, so a fill is believed where it also repeats the deposit's recipient
//! and amount. Three generations of events; the layouts are those of `docs/crossings.md`.

use alloy_primitives::{Address, B256, U256};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, address, amount, small, topic};
use super::fields::{carrier, paid, payee};
use super::search::WEEK;
use super::{Arrival, Bridges, Certainty, Departure, Link, Payee, Protocol, Reason, Search};

const FILLS: [B256; 3] = [
    topics::ACROSS_FILLED_RELAY,
    topics::ACROSS_FILLED_V3_RELAY,
    topics::ACROSS_V2_FILLED_RELAY,
];

struct Deposit {
    token: Address,
    amount: Amount,
    destination: u64,
    number: B256,
    recipient: B256,
}

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let events = tx.events.iter();
    events
        .filter(|event| is_pool(bridges, chain, event))
        .filter_map(|event| Some((event, deposit(event)?)))
        .map(|(event, sent)| departure(bridges, chain, tx, event.address, &sent))
        .collect()
}

fn is_pool(bridges: &Bridges, chain: &Chain, event: &Event) -> bool {
    let among = [Protocol::Across];
    bridges
        .protocol_of(chain.name(), &event.address, &among)
        .is_some()
}

fn deposit(event: &Event) -> Option<Deposit> {
    let words = Words::of(event);
    let (token, sum, recipient) = match event.form() {
        topics::ACROSS_FUNDS_DEPOSITED | topics::ACROSS_V3_FUNDS_DEPOSITED => {
            (words.address(0)?, words.amount(2)?, words.word(7)?)
        }
        topics::ACROSS_V2_FUNDS_DEPOSITED => (words.address(4)?, words.amount(0)?, words.word(5)?),
        _ => return None,
    };
    Some(Deposit {
        token,
        amount: sum,
        destination: small(topic(event, 1)?)?,
        number: topic(event, 2)?,
        recipient,
    })
}

fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    pool: Address,
    sent: &Deposit,
) -> Departure {
    let origin = chain.evm().map_or(0, |network| network.chain_id);
    let place = bridges.evm(sent.destination);
    let search = place.chain().map(|there| Search::Logs {
        chain: there.name().to_owned(),
        contracts: bridges.contracts(there.name(), Protocol::Across),
        topics: vec![FILLS.to_vec(), vec![word(origin)], vec![sent.number]],
        mark: Vec::new(),
        within: WEEK,
    });
    Departure {
        protocol: Protocol::Across,
        link: link(origin, sent.number),
        carrier: paid(tx, pool, Coin::Token(sent.token), sent.amount).map(carrier),
        amount: sent.amount,
        payee: payee(sent.recipient),
        place,
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

pub(super) fn has_contracts(search: &Search) -> bool {
    !matches!(search, Search::Logs { contracts, .. } if contracts.is_empty())
}

pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let events = tx.events.iter();
    events
        .filter(|event| is_pool(bridges, chain, event))
        .filter_map(|event| fill(tx, event))
        .collect()
}

/// What a fill repeats of its deposit, and what it paid to whom: a sped-up deposit may say so anew.
fn fill(tx: &EvmTransaction, event: &Event) -> Option<Arrival> {
    let words = Words::of(event);
    let (token, left, recipient, paid_to, sum) = match event.form() {
        topics::ACROSS_FILLED_RELAY => (
            words.address(1)?,
            words.amount(2)?,
            words.word(9)?,
            words.word(11)?,
            words.amount(13)?,
        ),
        topics::ACROSS_FILLED_V3_RELAY => {
            let executed = words.tuple(11)?;
            (
                words.address(1)?,
                words.amount(2)?,
                words.word(9)?,
                executed.word(0)?,
                executed.amount(2)?,
            )
        }
        topics::ACROSS_V2_FILLED_RELAY => {
            let executed = words.tuple(11)?;
            (
                words.address(7)?,
                words.amount(0)?,
                words.word(9)?,
                executed.word(0)?,
                words.amount(2)?,
            )
        }
        _ => return None,
    };
    let to = address(paid_to)?;
    let found = paid(tx, to, Coin::Token(token), sum);
    Some(Arrival {
        protocol: Protocol::Across,
        link: link(small(topic(event, 1)?)?, topic(event, 2)?),
        reason: Reason::Paid,
        carrier: found.map(carrier),
        amount: sum,
        payee: address(recipient).map_or(Payee::Unknown, Payee::Account),
        left: Some(left),
    })
}

/// `ORIGIN-NUMBER`, both in decimals.
fn link(origin: u64, number: B256) -> Link {
    Link(format!("{origin}-{}", amount(number)))
}

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}
