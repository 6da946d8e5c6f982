//! Payments on Bitcoin against which another chain makes value: they are the ones that its log names, and no others.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, address, b256, hex, keccak256};
use bitcoin::{Network, ScriptBuf};
use hansel_heuristics::crossing::{
    Arrival, Backing, Bridges, Carrier, Departure, Protocol, Search, Told, TransactionView,
};
use hansel_ledger::{Chain, Coin, Event, EvmTransaction, Movement, Origin, topics};

use crate::logged::{ethereum, event, evm, n, packed, transaction, words};

mod logged;

const BRIDGE: Address = address!("5e4861a80B55f035D899f66772117F00FA0E8e7B");
const VAULT: Address = address!("9C070027cdC9dc8F82416B2e5314E11DFb4FE3CD");
const TBTC: Address = address!("18084fbA666a33d37592fA2633fD49a74DD93a88");
const FACTORY: Address = address!("e5A5F138005E19A3E6D0FE68b039397EeEf2322b");
const WBTC: Address = address!("2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599");
const MERCHANT: Address = Address::repeat_byte(0x44);

fn bridges() -> Bridges {
    Bridges::new(
        vec![Chain::bitcoin(), ethereum(), evm("base", 8453)],
        Vec::new(),
    )
}

fn told(event: Event) -> Told {
    Told {
        chain: "ethereum".into(),
        event,
        extra: None,
    }
}

fn backing(event: Event) -> Option<Backing> {
    bridges().backing(&Chain::bitcoin(), &told(event))
}

// The deposit of the tests of `@keep-network/tbtc-v2` 1.6.0, `revealDepositData`: a transaction of Bitcoin's test network,
// whose first output pays 100,000 satoshi.
const DEPOSITOR: Address = address!("934B98637cA318a4D6E7CA6ffd1690b8e77df637");
const FUNDING: &str = "c872fb11bbca1241aced71c692e7d0b0cf46aadb390ce66ddfcf5fbd8e5bc26f";
const PAID: u64 = 100_000;

fn deposit_script() -> ScriptBuf {
    let script = hex!("002086a303cdd2e2eab1d1679f1a813835dc5a1b65321077cdccaf08f98cbf04ca96");
    ScriptBuf::from(script.to_vec())
}

/// The bytes of a short field, which stands at the left of its word.
fn left(bytes: &[u8]) -> B256 {
    B256::right_padding_from(bytes)
}

/// As the chain writes the transaction's hash: the other way round.
fn funding() -> B256 {
    let mut bytes: Vec<u8> = hex::decode(FUNDING).unwrap();
    bytes.reverse();
    B256::from_slice(&bytes)
}

fn revealed() -> Event {
    let topics = [
        topics::TBTC_DEPOSIT_REVEALED,
        DEPOSITOR.into_word(),
        left(&hex!("8db50eb52063ea9d98b3eac91489a90f738986f6")),
    ];
    let data = [
        funding(),
        n(0),
        n(PAID),
        left(&hex!("f9f0c90d00039523")),
        left(&hex!("e257eccafbc07c381642ce6e7e55120fb077fbed")),
        left(&hex!("e0250162")),
        VAULT.into_word(),
    ];
    event(BRIDGE, &topics, words(&data))
}

fn deposit() -> Departure {
    let backing = backing(revealed()).unwrap();
    assert_eq!(backing.txid.to_string(), FUNDING);
    backing.departure(0, PAID, &deposit_script()).unwrap()
}

#[test]
fn the_script_of_a_real_deposit_is_rebuilt_from_what_was_revealed() {
    let departure = deposit();
    assert_eq!(departure.protocol, Protocol::Tbtc);
    assert_eq!(departure.carrier, Some(Carrier::Output(0)));
    let key = keccak256([funding().as_slice(), &[0; 4]].concat());
    assert_eq!(departure.link.0, hex::encode(key));
    let [Search::Logs { topics, .. }, Search::Swept { output, .. }] = &departure.searches[..]
    else {
        panic!("{:?}", departure.searches);
    };
    assert_eq!(topics[2], [key]);
    assert_eq!(output.to_string(), format!("{FUNDING}:0"));
}

#[test]
fn a_payment_that_differs_in_anything_is_not_the_deposit() {
    let real = backing(revealed()).unwrap();
    let script = deposit_script();
    assert!(real.departure(1, PAID, &script).is_none());
    assert!(real.departure(0, PAID - 1, &script).is_none());
    assert!(real.departure(0, PAID, &ScriptBuf::new()).is_none());
    for word in 3..6 {
        let mut forged = revealed();
        let mut data = forged.data.to_vec();
        data[word * 32] ^= 1;
        forged.data = data.into();
        let forged = backing(forged).unwrap();
        assert!(forged.departure(0, PAID, &script).is_none(), "{word}");
    }
    let mut other = revealed();
    other.topics[1] = MERCHANT.into_word();
    let other = backing(other).unwrap();
    assert!(other.departure(0, PAID, &script).is_none());
}

#[test]
fn nobody_elses_event_names_a_payment_and_nothing_is_read_of_a_short_one() {
    for event in [revealed(), confirmed(TXID, PAID)] {
        let mut stranger = event.clone();
        stranger.address = Address::repeat_byte(0x66);
        assert!(backing(stranger).is_none());
        let mut elsewhere = told(event.clone());
        elsewhere.chain = "base".into();
        assert!(bridges().backing(&Chain::bitcoin(), &elsewhere).is_none());
        assert!(backing(event.clone()).is_some());
        for length in 0..event.data.len() - 40 {
            let mut short = event.clone();
            short.data = short.data.slice(..length);
            assert!(backing(short).is_none_or(|one| one.vout.is_some() && length >= 192));
        }
    }
}

/// Tokens made for somebody, before an event of index 9.
fn made(token: Address, to: Address, amount: u64, index: u64) -> Movement {
    Movement {
        origin: Origin::Log(index),
        from: token,
        to,
        coin: Coin::Token(token),
        amount: amount.into(),
    }
}

fn finalized(movements: Vec<Movement>) -> EvmTransaction {
    let key = keccak256([funding().as_slice(), &[0; 4]].concat());
    let topics = [
        topics::TBTC_OPTIMISTIC_MINTING_FINALIZED,
        MERCHANT.into_word(),
        key,
        DEPOSITOR.into_word(),
    ];
    EvmTransaction {
        movements,
        events: vec![event(VAULT, &topics, words(&[n(7)]))],
        ..transaction(MERCHANT)
    }
}

fn arrivals(tx: &EvmTransaction) -> Vec<Arrival> {
    bridges().arrivals(&ethereum(), &TransactionView::Evm(tx))
}

#[test]
fn what_is_made_for_the_deposit_arrives_and_its_fee_does_not() {
    let treasury = Address::repeat_byte(0x99);
    let tx = finalized(vec![
        made(TBTC, DEPOSITOR, 11, 1),
        made(TBTC, DEPOSITOR, 90, 3),
        made(TBTC, treasury, 10, 5),
        made(TBTC, DEPOSITOR, 22, 12),
    ]);
    let [arrival] = <[Arrival; 1]>::try_from(arrivals(&tx)).unwrap();
    assert!(deposit().is_answered_by(&arrival));
    assert_eq!(arrival.amount, 90_u64.into());
    let carried = arrival.carrier.unwrap();
    assert!(matches!(
        carried,
        Carrier::Movement {
            origin: Origin::Log(3),
            ..
        }
    ));
}

#[test]
fn a_counterfeit_token_or_one_that_was_only_sent_is_not_what_was_made() {
    let sent = Movement {
        from: MERCHANT,
        ..made(TBTC, DEPOSITOR, 90, 3)
    };
    for movement in [made(Address::repeat_byte(0x66), DEPOSITOR, 90, 3), sent] {
        let [arrival] = <[Arrival; 1]>::try_from(arrivals(&finalized(vec![movement]))).unwrap();
        assert_eq!(arrival.carrier, None);
    }
}

const TXID: &str = "4d1b2a5c8e7f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f6071829";
const CUSTODY: &str = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy";

fn confirmed(txid: &str, amount: u64) -> Event {
    let topics = [topics::WBTC_MINT_CONFIRMED, n(42), MERCHANT.into_word()];
    let (address, txid) = (packed(CUSTODY.as_bytes()), packed(txid.as_bytes()));
    let hash = b256!("00000000000000000000000000000000000000000000000000000000000000aa");
    let head = [
        n(amount),
        n(160),
        n(160 + address.len() as u64),
        n(1_700_000_000),
        hash,
    ];
    event(FACTORY, &topics, [words(&head), address, txid].concat())
}

fn custody_script() -> ScriptBuf {
    let address: bitcoin::Address<_> = CUSTODY.parse().unwrap();
    address
        .require_network(Network::Bitcoin)
        .unwrap()
        .script_pubkey()
}

#[test]
fn a_payment_to_the_custodian_arrives_as_what_the_merchant_got_for_it() {
    for spelled in [TXID.to_owned(), format!("{TXID}:1"), format!(" {TXID}")] {
        let event = confirmed(&spelled, 5_000);
        let backing = backing(event.clone()).unwrap();
        let departure = backing.departure(1, 5_000, &custody_script()).unwrap();
        assert!(backing.departure(1, 4_999, &custody_script()).is_none());
        let tx = EvmTransaction {
            movements: vec![made(WBTC, MERCHANT, 5_000, 4)],
            events: vec![event],
            ..transaction(MERCHANT)
        };
        let [arrival] = <[Arrival; 1]>::try_from(arrivals(&tx)).unwrap();
        assert!(departure.is_answered_by(&arrival));
        assert!(arrival.carrier.is_some());
        let short = EvmTransaction {
            movements: vec![made(WBTC, MERCHANT, 4_000, 4)],
            ..tx
        };
        assert_eq!(arrivals(&short)[0].carrier, None);
    }
}

#[test]
fn hostile_text_names_no_payment() {
    for text in [
        "",
        "0x",
        &"z".repeat(64),
        &"é".repeat(40),
        &"a".repeat(4000),
    ] {
        let found = backing(confirmed(text, 5_000));
        assert!(found.is_none_or(|one| text.starts_with(&one.txid.to_string())));
    }
    assert!(
        backing(confirmed(TXID, 0))
            .unwrap()
            .departure(0, 1, &custody_script())
            .is_none()
    );
}

#[test]
fn only_the_chain_of_the_bridge_is_asked_about_payments_on_bitcoin() {
    let asked = bridges().mint_logs(&Chain::bitcoin());
    let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["tbtc on ethereum", "wbtc on ethereum"]);
    assert!(bridges().mint_logs(&evm("base", 8453)).is_empty());
}

#[test]
fn a_deposit_with_extra_data_fits_with_them_and_not_without() {
    let extra = B256::repeat_byte(0x5a);
    // As `Deposit.sol` puts it together.
    let script = [
        &hex!("14")[..],
        DEPOSITOR.as_slice(),
        &hex!("7520"),
        extra.as_slice(),
        &hex!("7508f9f0c90d000395237576a9148db50eb52063ea9d98b3eac91489a90f738986f68763ac6776a914"),
        &hex!("e257eccafbc07c381642ce6e7e55120fb077fbed8804e0250162b175ac68"),
    ];
    let script = ScriptBuf::from(script.concat()).to_p2wsh();
    let with = |extra| {
        let told = Told {
            extra,
            ..told(revealed())
        };
        let backing = bridges().backing(&Chain::bitcoin(), &told).unwrap();
        backing.departure(0, PAID, &script)
    };
    assert!(with(None).is_none());
    assert!(with(Some(B256::ZERO)).is_none());
    let departure = with(Some(extra)).unwrap();
    assert!(departure.in_words().contains(&extra.to_string()));
    assert_eq!(departure.link, deposit().link);
}
