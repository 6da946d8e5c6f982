//! Circle's CCTP: a burn of version 1 and its message share the domain of origin and a nonce. A burn of version 2 does not
//! name its nonce, so that it says where it goes and no more.

use alloy_primitives::{B256, U256};
use hansel_ledger::{Chain, Coin, Event, EvmTransaction, topics};

use super::abi::{Words, address, small, topic};
use super::across::has_contracts;
use super::fields::{carrier, payee};
use super::search::WEEK;
use super::{Arrival, Bridges, Certainty, Departure, Link, Payee, Protocol, Reason, Search};

pub(super) fn departures(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Departure> {
    let events = tx.events.iter();
    events
        .filter(|event| is_known(bridges, chain, event))
        .filter_map(|event| departure(bridges, chain, tx, event))
        .collect()
}

fn is_known(bridges: &Bridges, chain: &Chain, event: &Event) -> bool {
    let among = [Protocol::Cctp];
    bridges
        .protocol_of(chain.name(), &event.address, &among)
        .is_some()
}

/// V1 `DepositForBurn(uint64 indexed nonce, address indexed burnToken, uint256 amount, address indexed depositor,
/// bytes32 mintRecipient, uint32 destinationDomain, ...)`; in V2 `burnToken` comes first and there is no nonce.
fn departure(
    bridges: &Bridges,
    chain: &Chain,
    tx: &EvmTransaction,
    event: &Event,
) -> Option<Departure> {
    let (nonce, token) = match event.form() {
        topics::CCTP_DEPOSIT_FOR_BURN => (Some(small(topic(event, 1)?)?), topic(event, 2)?),
        topics::CCTP_V2_DEPOSIT_FOR_BURN => (None, topic(event, 1)?),
        _ => return None,
    };
    let (token, words) = (address(token)?, Words::of(event));
    let (amount, recipient) = (words.amount(0)?, words.word(1)?);
    let place = bridges.place(chain.name(), Protocol::Cctp, &words.number(2)?.to_string());
    let own = bridges.code(chain.name(), Protocol::Cctp);
    // The movement that brings the burned amount into the bridge, or destroys it.
    let burned = tx
        .movements
        .iter()
        .rev()
        .find(|one| one.coin == Coin::Token(token) && one.amount == amount && one.to == token);
    let search = nonce.zip(place.chain()).map(|(nonce, to)| Search::Logs {
        chain: to.name().to_owned(),
        contracts: bridges.contracts(to.name(), Protocol::Cctp),
        topics: vec![
            vec![topics::CCTP_MESSAGE_RECEIVED],
            Vec::new(),
            vec![B256::from(U256::from(nonce))],
        ],
        mark: Vec::new(),
        within: WEEK,
    });
    Some(Departure {
        protocol: Protocol::Cctp,
        link: match nonce.zip(own) {
            Some((nonce, own)) => link(own, nonce),
            None => Link(format!("{}-{}", tx.hash, event.index)),
        },
        carrier: burned.map(carrier),
        amount,
        payee: payee(recipient),
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
    })
}

/// `MessageReceived(address indexed caller, uint32 sourceDomain, uint64 indexed nonce, bytes32 sender, bytes body)`; the
/// body holds version (4 bytes), token (32), recipient (32) and amount (32).
pub(super) fn arrivals(bridges: &Bridges, chain: &Chain, tx: &EvmTransaction) -> Vec<Arrival> {
    let events = tx.events.iter();
    let received = events.filter(|event| {
        event.form() == topics::CCTP_MESSAGE_RECEIVED && is_known(bridges, chain, event)
    });
    received
        .filter_map(|event| {
            let words = Words::of(event);
            let body = words.bytes(2)?;
            let recipient = address(B256::try_from(body.get(36..68)?).ok()?)?;
            let amount = B256::try_from(body.get(68..100)?).ok()?;
            let amount = super::abi::amount(amount);
            let mut paid = tx.movements.iter();
            let paid = paid.find(|one| one.to == recipient && one.amount == amount);
            Some(Arrival {
                protocol: Protocol::Cctp,
                link: link(words.number(0)?, small(topic(event, 2)?)?),
                reason: Reason::Paid,
                carrier: paid.map(carrier),
                amount,
                payee: Payee::Account(recipient),
                left: Some(amount),
            })
        })
        .collect()
}

/// `DOMAIN-NONCE`.
fn link(domain: u64, nonce: u64) -> Link {
    Link(format!("{domain}-{nonce}"))
}
