//! WBTC burned for bitcoin: what the factory logs is believed where it hashes to itself, and the Bitcoin transaction that it
//! names where it pays the address.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, Bytes, address, b256, bytes, keccak256};
use bitcoin::{Network, ScriptBuf};
use hansel_heuristics::crossing::{
    Bridges, Carrier, Departure, OutputView, Payee, Payment, Place, Protocol, Search,
    TransactionView,
};
use hansel_ledger::{Chain, Coin, Event, EvmTransaction, Movement, Origin, topics};

use crate::logged::{ethereum, evm, n, packed, transaction};

mod logged;

const FACTORY: Address = address!("e5A5F138005E19A3E6D0FE68b039397EeEf2322b");
const WBTC: Address = address!("2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599");
const MERCHANT: Address = address!("bc93e897c455b8ef76d981093239775bdd49e5bf");
const HASH: B256 = b256!("3d2f3d9715d1d05f8bcc8f994ebe79e9d17a4dcf245b7c2999156a762a3645ba");
const AMOUNT: u64 = 41_000_000_000;
const PAID_TO: &str = "3Ekc75mF74zove5XKhnMoJpbiKeWz8GDJK";
const TXID: &str = "53d6590847e1e2045311a6c33be2b7e17d78d0719d7906ef837097144587d63e";

/// The data of log 280 of Ethereum's block 15,000,001, of transaction
/// 0x7630a6f6adab82546f0636b8cc6faf22df545cfb5bde628f55dfeabaa8d95a59.
static CONFIRMED: Bytes = bytes!(
    "000000000000000000000000000000000000000000000000000000098bca5a0000000000000000000000000000000000000000000000000000000000000000a000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000062af6e1e3d2f3d9715d1d05f8bcc8f994ebe79e9d17a4dcf245b7c2999156a762a3645ba000000000000000000000000000000000000000000000000000000000000002233456b6337356d4637347a6f766535584b686e4d6f4a7062694b65577a3847444a4b000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000004035336436353930383437653165323034353331316136633333626532623765313764373864303731396437393036656638333730393731343435383764363365"
);

fn bridges() -> Bridges {
    let chains = vec![Chain::bitcoin(), ethereum(), evm("base", 8453)];
    Bridges::new(chains, Vec::new())
}

fn topics_of(form: B256) -> Vec<B256> {
    vec![form, n(0x88), MERCHANT.into_word()]
}

/// The real event.
fn confirmed() -> Event {
    Event {
        index: 280,
        address: FACTORY,
        topics: topics_of(topics::WBTC_BURN_CONFIRMED),
        data: CONFIRMED.clone(),
    }
}

/// The event as if it named another transaction: a text of 64 bytes at most.
fn confirmed_with(text: &[u8]) -> Event {
    let mut data = CONFIRMED.to_vec();
    let start = data.len() - 64;
    data[start - 32..start].copy_from_slice(n(text.len() as u64).as_slice());
    data[start..].fill(0);
    data[start..start + text.len()].copy_from_slice(text);
    Event {
        data: data.into(),
        ..confirmed()
    }
}

/// The event before it, which says the same without the transaction.
fn burned() -> Event {
    let words: Vec<&[u8]> = CONFIRMED.chunks(32).collect();
    let head = [words[0], n(128).as_slice(), words[3], words[4]].concat();
    Event {
        index: 9,
        address: FACTORY,
        topics: topics_of(topics::WBTC_BURNED),
        data: [head, words[5..8].concat()].concat().into(),
    }
}

/// The confirmation of another request of the merchant's, with the same transaction.
fn confirmed_too(nonce: u64, amount: u64) -> Event {
    let (address, time) = (packed(PAID_TO.as_bytes()), n(7));
    let behind = n(192 + address.len() as u64);
    let fields = [
        MERCHANT.into_word(),
        n(amount),
        n(192),
        behind,
        n(nonce),
        time,
    ];
    let hash = keccak256([fields.concat(), address.clone(), packed(b"")].concat());
    let head = [n(amount), n(160), n(160 + address.len() as u64), time, hash].concat();
    let mut event = confirmed();
    event.topics[1] = n(nonce);
    event.data = [head, address, packed(TXID.as_bytes())].concat().into();
    event
}

fn destroyed(token: Address, amount: u64, index: u64) -> Movement {
    Movement {
        origin: Origin::Log(index),
        from: FACTORY,
        to: token,
        coin: Coin::Token(token),
        amount: amount.into(),
    }
}

fn burning(event: Event) -> EvmTransaction {
    EvmTransaction {
        movements: vec![
            destroyed(WBTC, AMOUNT, 1),
            destroyed(WBTC, AMOUNT - 1, 5),
            destroyed(Address::repeat_byte(0x66), AMOUNT, 6),
            destroyed(WBTC, AMOUNT, 12),
        ],
        events: vec![event],
        ..transaction(MERCHANT)
    }
}

fn departures(event: Event) -> Vec<Departure> {
    let tx = burning(event);
    bridges().departures(&ethereum(), &TransactionView::Evm(&tx))
}

fn departure() -> Departure {
    let [one] = <[Departure; 1]>::try_from(departures(burned())).unwrap();
    one
}

fn payment(events: &[Event]) -> Result<Option<Payment>, &'static str> {
    let events: Vec<&Event> = events.iter().collect();
    bridges().payment(&departure(), "ethereum", &events)
}

fn script() -> ScriptBuf {
    let address: bitcoin::Address<_> = PAID_TO.parse().unwrap();
    let address = address.require_network(Network::Bitcoin).unwrap();
    address.script_pubkey()
}

/// What outputs of these values to the address bring, after one to somebody else; else why nothing.
fn paid(payment: &Payment, values: &[u64]) -> Result<(u32, u64), &'static str> {
    let (script, other) = (script(), ScriptBuf::new());
    let stranger = OutputView {
        vout: 0,
        value: AMOUNT,
        script: &other,
    };
    let paying = (1..).zip(values).map(|(vout, value)| OutputView {
        vout,
        value: *value,
        script: &script,
    });
    let outputs: Vec<_> = std::iter::once(stranger).chain(paying).collect();
    let arrival = departure().paid_by(payment, &outputs)?;
    assert!(departure().is_answered_by(&arrival));
    let Some(Carrier::Output(vout)) = arrival.carrier else {
        panic!("{arrival:?}");
    };
    Ok((vout, arrival.amount.to_string().parse().unwrap()))
}

#[test]
fn a_real_confirmation_answers_the_burn_that_hashes_to_the_same_request() {
    let departure = departure();
    assert_eq!(departure.protocol, Protocol::Wbtc);
    assert_eq!(departure.link.0, format!("{HASH:x}"));
    assert_eq!(departure.amount, AMOUNT.into());
    assert_eq!(departure.payee, Payee::Script(script()));
    assert_eq!(departure.place, Place::Chain(Chain::bitcoin()));
    assert!(matches!(
        departure.carrier,
        Some(Carrier::Movement {
            origin: Origin::Log(1),
            to: WBTC,
            ..
        })
    ));
    let [
        Search::Confirmed {
            chain,
            by,
            topics,
            contracts,
            ..
        },
    ] = &departure.searches[..]
    else {
        panic!("{:?}", departure.searches);
    };
    assert_eq!((&**chain, &**by), ("bitcoin", "ethereum"));
    assert_eq!(topics[2], [MERCHANT.into_word()]);
    assert!(contracts.contains(&FACTORY));
    let named = payment(&[confirmed()]).unwrap().unwrap();
    assert_eq!(named.txid.to_string(), TXID);
}

#[test]
fn a_burn_that_does_not_hash_to_what_it_says_is_not_believed() {
    let real = burned();
    for at in 0..real.data.len() {
        let mut data = real.data.to_vec();
        data[at] ^= 1;
        let forged = departures(Event {
            data: data.into(),
            ..real.clone()
        });
        // What pads the address is no part of it.
        assert!(forged.is_empty() || at >= 160 + PAID_TO.len(), "byte {at}");
    }
    for topic in 1..3 {
        let mut forged = real.clone();
        forged.topics[topic].0[31] ^= 1;
        assert!(departures(forged).is_empty(), "topic {topic}");
    }
    for length in 0..160 + PAID_TO.len() {
        let data = real.data.slice(..length);
        assert!(
            departures(Event {
                data,
                ..real.clone()
            })
            .is_empty()
        );
    }
}

#[test]
fn a_confirmation_of_another_request_or_of_a_stranger_names_nothing() {
    let mut other = confirmed();
    other.topics[1] = n(0x89);
    let mut stranger = confirmed();
    stranger.address = Address::repeat_byte(0x66);
    let mut more = confirmed();
    more.data = [&CONFIRMED[..31], &[1], &CONFIRMED[32..]].concat().into();
    for event in [other, stranger, more, burned()] {
        assert_eq!(payment(&[event]), Ok(None));
    }
    let mut stranger = burned();
    stranger.address = Address::repeat_byte(0x66);
    assert!(departures(stranger).is_empty());
    let elsewhere = bridges().departures(
        &evm("base", 8453),
        &TransactionView::Evm(&burning(burned())),
    );
    assert!(elsewhere.is_empty());
}

#[test]
fn tokens_that_were_not_destroyed_for_it_do_not_leave() {
    let mut tx = burning(burned());
    tx.movements.remove(0);
    let [departure] =
        <[Departure; 1]>::try_from(bridges().departures(&ethereum(), &TransactionView::Evm(&tx)))
            .unwrap();
    assert_eq!(departure.carrier, None);
}

#[test]
fn text_of_the_custodians_that_is_no_transaction_is_named_as_such() {
    for text in [
        "",
        "0x",
        "\u{1b}[2J\0",
        "<script>",
        &"z".repeat(64),
        &"é".repeat(32),
    ] {
        let named = payment(&[confirmed_with(text.as_bytes())]);
        assert!(
            named.unwrap_err().contains("no Bitcoin transaction"),
            "{text:?}"
        );
    }
    assert!(payment(&[confirmed_with(&[0xff; 64])]).is_err());
    let twice = [confirmed(), confirmed_with("ab".repeat(32).as_bytes())];
    assert!(payment(&twice).unwrap_err().contains("two"));
    assert!(payment(&[confirmed(), confirmed()]).unwrap().is_some());
}

#[test]
fn the_payment_is_never_more_than_was_burned_and_may_be_less_by_a_fee() {
    let named = payment(&[confirmed()]).unwrap().unwrap();
    assert_eq!(paid(&named, &[AMOUNT]), Ok((1, AMOUNT)));
    assert_eq!(paid(&named, &[AMOUNT - 5_000]), Ok((1, AMOUNT - 5_000)));
    assert!(
        paid(&named, &[AMOUNT + 1])
            .unwrap_err()
            .contains("more than was burned")
    );
    assert!(
        paid(&named, &[])
            .unwrap_err()
            .contains("does not pay the address")
    );
}

#[test]
fn of_several_payments_to_the_address_only_the_exact_one_is_followed() {
    let named = payment(&[confirmed()]).unwrap().unwrap();
    assert_eq!(paid(&named, &[7, AMOUNT, AMOUNT + 1]), Ok((2, AMOUNT)));
    for values in [vec![1, 2], vec![AMOUNT, AMOUNT], vec![AMOUNT + 1, 1]] {
        let refused = paid(&named, &values).unwrap_err();
        assert!(refused.contains("which is which"), "{values:?}");
    }
}

#[test]
fn a_payment_for_several_requests_is_that_of_its_exact_amount_only() {
    let named = payment(&[confirmed(), confirmed_too(9, 500)])
        .unwrap()
        .unwrap();
    assert_eq!(paid(&named, &[500, AMOUNT]), Ok((2, AMOUNT)));
    for values in [vec![AMOUNT - 1], vec![AMOUNT + 500], vec![500, AMOUNT - 1]] {
        assert!(
            paid(&named, &values)
                .unwrap_err()
                .contains("which is which")
        );
    }
    let alike = payment(&[confirmed_too(9, AMOUNT), confirmed()])
        .unwrap()
        .unwrap();
    assert!(paid(&alike, &[AMOUNT]).is_err());
}
