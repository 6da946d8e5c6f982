//! What a swap that is sent to Chainflip's vault says of where its value goes, and what only looks like one.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, U256, address, hex};
use bitcoin::hashes::Hash as _;
use bitcoin::script::PushBytesBuf;
use bitcoin::{ScriptBuf, Txid};
use hansel_heuristics::crossing::{
    Bridges, Carrier, Certainty, Departure, Likeness, OutputView, Payee, Protocol, TransactionView,
    likenesses,
};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Movement, Origin, topics};

use crate::logged::{ethereum, evm};

mod logged;

const VAULT: Address = address!("F5e10380213880111522dd0efD3dbb45b9f62Bcc");
const TOKEN: Address = Address::repeat_byte(0x70);
const PAYEE: Address = Address::repeat_byte(0x41);
const EXIT: &str = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";

/// 60,000 dollars at least in one part, and bnb in four parts: encoded by `scale-ts` 1.6.1 with the structures that
/// `@chainflip/bitcoin` 1.2.7 gives it.
const DOLLARS: &[u8] = &hex!(
    "000341414141414141414141414141414141414141416400005847f80d000000000000000000000001000200050a0807080901"
);
const PARTS: &[u8] = &hex!(
    "011341414141414141414141414141414141414141416400005847f80d00000000000000000000000304000200050a00"
);

fn bridges() -> Bridges {
    let chains = vec![
        Chain::bitcoin(),
        ethereum(),
        evm("arbitrum", 42_161),
        evm("bnb", 56),
    ];
    Bridges::new(chains, Vec::new())
}

fn of_outputs(outputs: &[(u64, ScriptBuf)]) -> Vec<Departure> {
    let outputs = (0..).zip(outputs);
    let view = TransactionView::Bitcoin {
        txid: Txid::from_byte_array([9; 32]),
        sender: None,
        outputs: outputs
            .map(|(vout, (value, script))| OutputView {
                vout,
                value: *value,
                script,
            })
            .collect(),
    };
    bridges().departures(&Chain::bitcoin(), &view)
}

fn note(bytes: &[u8]) -> ScriptBuf {
    ScriptBuf::new_op_return(PushBytesBuf::try_from(bytes.to_vec()).unwrap())
}

fn script(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([number; 20]))
}

fn ordered(order: &[u8]) -> Vec<Departure> {
    of_outputs(&[(COIN, script(1)), (0, note(order)), (5_000, script(2))])
}

const COIN: u64 = 100_000_000;

#[test]
fn an_order_behind_a_vaults_output_says_what_goes_to_whom_and_the_least_of_it() {
    let [departure] = &ordered(DOLLARS)[..] else {
        panic!("one departure")
    };
    assert_eq!(departure.protocol, Protocol::Chainflip);
    assert_eq!(departure.certainty, Certainty::Consistent);
    assert_eq!(departure.carrier, Some(Carrier::Output(0)));
    assert_eq!(departure.amount, Amount::from(COIN));
    assert_eq!(departure.payee, Payee::Account(PAYEE));
    assert_eq!(departure.place.to_string(), "ethereum");
    assert_eq!(departure.asset.as_deref(), Some("USDC"));
    assert_eq!(departure.least, Some(60_000_000_000.into()));
    assert_eq!(departure.refund_to, [Payee::Script(script(2))]);
    assert!(departure.searches.is_empty(), "nothing names the arrival");
    let [parts] = &ordered(PARTS)[..] else {
        panic!("one departure")
    };
    assert_eq!(parts.place.to_string(), "bnb");
    assert_eq!(parts.asset.as_deref(), Some("BNB"));
    assert_eq!(parts.least, None, "each part brings less");
}

#[test]
fn what_is_no_order_to_the_last_byte_says_nothing() {
    let cut = &DOLLARS[..DOLLARS.len() - 1];
    let long = [DOLLARS, &[0]].concat();
    let with = |at: usize, byte: u8| {
        let mut order = DOLLARS.to_vec();
        order[at] = byte;
        order
    };
    let many = with(46, 12);
    for order in [
        cut,
        &long,
        &with(0, 2),
        &with(1, 5),
        &with(1, 99),
        &many,
        b"",
    ] {
        assert!(ordered(order).is_empty(), "{}", hex::encode(order));
    }
    let two = [(COIN, script(1)), (0, note(DOLLARS))];
    assert!(of_outputs(&two).is_empty(), "there is no customer's output");
    let paid = [(COIN, script(1)), (1, note(DOLLARS)), (5_000, script(2))];
    assert!(of_outputs(&paid).is_empty(), "the note holds value");
    let behind = [(COIN, script(1)), (5_000, script(2)), (0, note(DOLLARS))];
    assert!(of_outputs(&behind).is_empty(), "the note stands elsewhere");
}

/// A token's swap: `chain`, `to` and `asset` are what arrives.
fn swap(logger: Address, chain: u64, to: &[u8], asset: u64) -> EvmTransaction {
    let word = |number: u64| B256::from(U256::from(number));
    let mut text = to.to_vec();
    text.resize(to.len().div_ceil(32) * 32, 0);
    let head = [
        word(chain),
        word(192),
        word(asset),
        TOKEN.into_word(),
        word(900),
        word(0),
    ];
    let data = [head.concat(), word(to.len() as u64).to_vec(), text].concat();
    let thief = Address::repeat_byte(1);
    EvmTransaction {
        movements: vec![Movement {
            origin: Origin::Log(4),
            from: thief,
            to: logger,
            coin: Coin::Token(TOKEN),
            amount: 900.into(),
        }],
        events: vec![Event {
            index: 5,
            address: logger,
            topics: vec![topics::CHAINFLIP_SWAP_TOKEN, thief.into_word()],
            data: data.into(),
        }],
        ..logged::transaction(thief)
    }
}

fn of(tx: &EvmTransaction) -> Vec<Departure> {
    bridges().departures(&ethereum(), &TransactionView::Evm(tx))
}

#[test]
fn an_event_of_the_vault_names_an_address_of_bitcoin_as_text_and_others_as_bytes() {
    let [departure] = &of(&swap(VAULT, 3, EXIT.as_bytes(), 5))[..] else {
        panic!("one departure")
    };
    let exit = EXIT
        .parse::<bitcoin::Address<_>>()
        .unwrap()
        .assume_checked();
    assert_eq!(departure.payee, Payee::Script(exit.script_pubkey()));
    assert_eq!(departure.place.to_string(), "bitcoin");
    assert_eq!(departure.asset.as_deref(), Some("BTC"));
    assert!(matches!(
        departure.carrier,
        Some(Carrier::Movement { to: VAULT, .. })
    ));
    let [departure] = &of(&swap(VAULT, 4, PAYEE.as_slice(), 7))[..] else {
        panic!("one departure")
    };
    assert_eq!(departure.payee, Payee::Account(PAYEE));
    assert_eq!(departure.place.to_string(), "arbitrum");
    let [departure] = &of(&swap(VAULT, 5, &[0xff; 32], 9))[..] else {
        panic!("one departure")
    };
    assert_eq!(departure.payee, Payee::Other("ff".repeat(32)));
    let hostile = "\u{202e}<script>\u{1b}[2J".as_bytes();
    let said = of(&swap(VAULT, 3, hostile, 5))[0].in_words();
    assert!(said.is_ascii() && !said.contains('<'), "{said}");
}

#[test]
fn the_same_event_of_another_contract_says_nothing() {
    let other = Address::repeat_byte(0x66);
    assert!(of(&swap(other, 3, EXIT.as_bytes(), 5)).is_empty());
}

#[test]
fn what_arrives_is_looked_for_in_the_coin_that_is_named_and_measured_only_where_it_stands_for_the_same()
 {
    let coins = |order: &[u8], to: &Chain| likenesses(&Chain::bitcoin(), &ordered(order)[0], to);
    let native = |amount| Likeness {
        coin: Coin::Native,
        amount,
    };
    // The order asks for dollars, which nobody has told of on this chain.
    assert_eq!(coins(DOLLARS, &evm("ethereum", 1)), []);
    let bnb = &ordered(PARTS)[0];
    assert_eq!(likenesses(&Chain::bitcoin(), bnb, &Chain::bitcoin()), []);
    let unnamed = Departure {
        asset: None,
        ..bnb.clone()
    };
    let same = likenesses(&Chain::bitcoin(), &unnamed, &Chain::bitcoin());
    assert_eq!(same, [native(Some(COIN.into()))]);
    let named = Departure {
        asset: Some("ETH.ETH".into()),
        ..bnb.clone()
    };
    let other = likenesses(&Chain::bitcoin(), &named, &evm("ethereum", 1));
    assert_eq!(other, [native(None)]);
}
