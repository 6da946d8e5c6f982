//! Bridges whose two sides are events: each pair is joined by what both log, and by nothing that only looks like it.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, address};
use hansel_heuristics::crossing::{
    Arrival, Bridges, Departure, OutputView, Payee, Place, Search, TransactionView,
};
use hansel_ledger::{Amount, Chain, Coin, Event, EvmTransaction, Movement, Origin, topics};

use crate::logged::{ethereum, event, evm, n, packed, transaction, words};

mod logged;

const USDC: Address = Address::repeat_byte(0x55);
const THIEF: Address = Address::repeat_byte(0x11);
const HEIR: Address = Address::repeat_byte(0x22);
const SOLVER: Address = Address::repeat_byte(0x33);

fn arbitrum() -> Chain {
    evm("arbitrum", 42_161)
}

fn bridges() -> Bridges {
    Bridges::new(vec![Chain::bitcoin(), ethereum(), arbitrum()], Vec::new())
}

/// A transaction that pays tokens and logs one event.
fn told(paid: &[(Address, Address, Coin, u64)], events: Vec<Event>) -> EvmTransaction {
    let movement =
        |(number, (from, to, coin, amount)): (usize, &(Address, Address, Coin, u64))| Movement {
            origin: Origin::Log(number as u64),
            from: *from,
            to: *to,
            coin: *coin,
            amount: (*amount).into(),
        };
    EvmTransaction {
        movements: paid.iter().enumerate().map(movement).collect(),
        events,
        ..transaction(THIEF)
    }
}

fn departure(tx: &EvmTransaction) -> Departure {
    let found = bridges().departures(&ethereum(), &TransactionView::Evm(tx));
    let [departure] = <[Departure; 1]>::try_from(found).unwrap();
    departure
}

fn arrivals(tx: &EvmTransaction) -> Vec<Arrival> {
    bridges().arrivals(&arbitrum(), &TransactionView::Evm(tx))
}

fn joins(sent: &EvmTransaction, received: &EvmTransaction) -> bool {
    let departure = departure(sent);
    arrivals(received)
        .iter()
        .any(|arrival| departure.is_answered_by(arrival))
}

/// Checks a pair, and that nothing is read of other contracts' events or of shorter ones than the form has.
fn check_pair(sent: &EvmTransaction, received: &EvmTransaction) {
    let found = departure(sent);
    assert!(found.carrier.is_some(), "nothing carried it: {found:?}");
    assert_eq!(found.place, Place::Chain(arbitrum()));
    assert!(
        matches!(&found.searches[..], [Search::Logs { contracts, .. }] if !contracts.is_empty())
    );
    assert!(joins(sent, received));
    let answer = arrivals(received);
    assert!(answer.iter().any(|one| one.carrier.is_some()), "{answer:?}");
    let mut stranger = sent.clone();
    stranger
        .events
        .iter_mut()
        .for_each(|event| event.address = SOLVER);
    let read = bridges().departures(&ethereum(), &TransactionView::Evm(&stranger));
    assert!(read.is_empty(), "{read:?}");
    let mut stranger = received.clone();
    stranger
        .events
        .iter_mut()
        .for_each(|event| event.address = SOLVER);
    assert!(arrivals(&stranger).is_empty());
    for tx in [sent, received] {
        for cut in 0..tx.events[0].data.len() {
            let mut short = tx.clone();
            short.events[0].data = short.events[0].data.slice(..cut);
            drop(bridges().departures(&ethereum(), &TransactionView::Evm(&short)));
            drop(arrivals(&short));
        }
        for cut in 0..tx.events[0].topics.len() {
            let mut short = tx.clone();
            short.events[0].topics.truncate(cut);
            drop(bridges().departures(&ethereum(), &TransactionView::Evm(&short)));
            drop(arrivals(&short));
        }
    }
}

const POOL: Address = address!("5c7BCd6E7De5423a257D81B442095A1a6ced35C5");
const POOL_THERE: Address = address!("e35e9842fceaCA96570B734083f4a58e8F7C5f2A");

fn across_sent(form: B256) -> EvmTransaction {
    let topics = [form, n(42_161), n(7), THIEF.into_word()];
    let data = if form == topics::ACROSS_V2_FUNDS_DEPOSITED {
        words(&[
            n(1_000),
            n(1),
            n(0),
            n(0),
            USDC.into_word(),
            HEIR.into_word(),
            n(224),
            n(0),
        ])
    } else {
        words(&[
            USDC.into_word(),
            USDC.into_word(),
            n(1_000),
            n(990),
            n(0),
            n(0),
            n(0),
            HEIR.into_word(),
            n(0),
            n(320),
            n(0),
        ])
    };
    told(
        &[(THIEF, POOL, Coin::Token(USDC), 1_000)],
        vec![event(POOL, &topics, data)],
    )
}

fn across_filled(form: B256, recipient: Address, amount: u64, number: u64) -> EvmTransaction {
    let topics = [form, n(1), n(number), SOLVER.into_word()];
    let to = recipient.into_word();
    let data = if form == topics::ACROSS_FILLED_RELAY {
        words(&[
            USDC.into_word(),
            USDC.into_word(),
            n(amount),
            n(990),
            n(1),
            n(0),
            n(0),
            n(0),
            THIEF.into_word(),
            to,
            n(0),
            to,
            n(0),
            n(990),
            n(0),
        ])
    } else if form == topics::ACROSS_FILLED_V3_RELAY {
        words(&[
            USDC.into_word(),
            USDC.into_word(),
            n(amount),
            n(990),
            n(1),
            n(0),
            n(0),
            n(0),
            THIEF.into_word(),
            to,
            n(384),
            n(416),
            n(0),
            to,
            n(128),
            n(990),
            n(0),
            n(0),
        ])
    } else {
        words(&[
            n(amount),
            n(amount),
            n(990),
            n(1),
            n(42_161),
            n(0),
            n(0),
            USDC.into_word(),
            SOLVER.into_word(),
            to,
            n(384),
            n(416),
            n(0),
            to,
            n(160),
            n(0),
            n(0),
            n(0),
            n(0),
        ])
    };
    told(
        &[(SOLVER, recipient, Coin::Token(USDC), 990)],
        vec![event(POOL_THERE, &topics, data)],
    )
}

#[test]
fn deposits_of_across_are_joined_with_their_fills_in_all_generations() {
    let forms = [
        (topics::ACROSS_FUNDS_DEPOSITED, topics::ACROSS_FILLED_RELAY),
        (
            topics::ACROSS_V3_FUNDS_DEPOSITED,
            topics::ACROSS_FILLED_V3_RELAY,
        ),
        (
            topics::ACROSS_V2_FUNDS_DEPOSITED,
            topics::ACROSS_V2_FILLED_RELAY,
        ),
    ];
    for (deposit, fill) in forms {
        let sent = across_sent(deposit);
        check_pair(&sent, &across_filled(fill, HEIR, 1_000, 7));
        // Anybody can fill with value of his own: another recipient, amount or number is another deposit.
        assert!(!joins(&sent, &across_filled(fill, THIEF, 1_000, 7)));
        assert!(!joins(&sent, &across_filled(fill, HEIR, 999, 7)));
        assert!(!joins(&sent, &across_filled(fill, HEIR, 1_000, 8)));
    }
}

const DLN_SOURCE: Address = address!("eF4fB24aD0916217251F553c0596F8Edc630EB66");
const DLN_DESTINATION: Address = address!("e7351fd770a37282b91d153ee690b63579d6dd7f");

/// An order: fourteen fields, of which the dynamic ones stand behind.
fn order(given: u64, receiver: Address, id: u64, created: bool) -> Vec<u8> {
    let mut heads = Vec::new();
    let mut tail = Vec::new();
    let mut dynamic = |heads: &mut Vec<B256>, bytes: &[u8]| {
        heads.push(n(14 * 32 + tail.len() as u64));
        tail.extend(packed(bytes));
    };
    heads.push(n(3));
    dynamic(&mut heads, THIEF.as_slice());
    heads.push(n(1));
    dynamic(&mut heads, USDC.as_slice());
    heads.push(n(given));
    heads.push(n(42_161));
    dynamic(&mut heads, USDC.as_slice());
    heads.push(n(980));
    dynamic(&mut heads, receiver.as_slice());
    for _ in 0..5 {
        dynamic(&mut heads, &[]);
    }
    let (outer, between) = if created { (7, 5) } else { (4, 2) };
    let mut data = words(&[n(outer * 32), n(id)]);
    data.extend(vec![0; between * 32]);
    data.extend(words(&heads));
    data.extend(tail);
    data
}

#[test]
fn orders_of_debridge_are_joined_by_their_id() {
    let sent = told(
        &[(THIEF, DLN_SOURCE, Coin::Token(USDC), 1_000)],
        vec![event(
            DLN_SOURCE,
            &[topics::DEBRIDGE_CREATED_ORDER],
            order(1_000, HEIR, 99, true),
        )],
    );
    let filled = |given: u64, receiver: Address, id: u64| {
        told(
            &[(SOLVER, receiver, Coin::Token(USDC), 980)],
            vec![event(
                DLN_DESTINATION,
                &[topics::DEBRIDGE_FULFILLED_ORDER],
                order(given, receiver, id, false),
            )],
        )
    };
    check_pair(&sent, &filled(1_000, HEIR, 99));
    assert!(!joins(&sent, &filled(1_000, HEIR, 98)));
    assert!(!joins(&sent, &filled(1_000, THIEF, 99)));
    assert!(!joins(&sent, &filled(999, HEIR, 99)));
    let [Search::Logs { mark, .. }] = &departure(&sent).searches[..] else {
        panic!("one search")
    };
    assert_eq!(**mark, *n(99));
}

const CORE: Address = address!("98f3c9e6E3fAce36bAAd05FE09d375Ef1464288B");
const TOKEN_BRIDGE: Address = address!("3ee18B2214AFF97000D974cf647E7C347E8fa585");
const TOKEN_BRIDGE_THERE: Address = address!("0b2402144Bb366A632D14B83F244D2e0e21bD39c");

#[test]
fn messages_of_wormhole_are_joined_by_emitter_and_sequence() {
    let payload = [
        &[1][..],
        &n(1_000).0,
        &USDC.into_word().0,
        &2_u16.to_be_bytes(),
        &HEIR.into_word().0,
        &23_u16.to_be_bytes(),
        &n(0).0,
    ]
    .concat();
    let data = [words(&[n(44), n(0), n(128), n(1)]), packed(&payload)].concat();
    let topics = [
        topics::WORMHOLE_LOG_MESSAGE_PUBLISHED,
        TOKEN_BRIDGE.into_word(),
    ];
    let sent = told(
        &[(THIEF, TOKEN_BRIDGE, Coin::Token(USDC), 1_000)],
        vec![event(CORE, &topics, data)],
    );
    let redeemed = |to: Address, sequence: u64| {
        let topics = [
            topics::WORMHOLE_TRANSFER_REDEEMED,
            n(2),
            TOKEN_BRIDGE.into_word(),
            n(sequence),
        ];
        let wrapped = Address::repeat_byte(0x66);
        told(
            &[(wrapped, to, Coin::Token(wrapped), 1_000)],
            vec![event(TOKEN_BRIDGE_THERE, &topics, Vec::new())],
        )
    };
    check_pair(&sent, &redeemed(HEIR, 44));
    assert!(!joins(&sent, &redeemed(HEIR, 45)));
    assert!(!joins(&sent, &redeemed(SOLVER, 44)));
}

const MESSENGER: Address = address!("bd3fa81b58ba92a82136038b25adec7066af3155");
const TRANSMITTER_THERE: Address = address!("C30362313FBBA5cf9163F0bb16a0e01f01A896ca");

#[test]
fn burns_of_cctp_are_joined_by_domain_and_nonce_and_burns_without_one_say_where_they_go() {
    let burn = |form: B256, topics: &[B256]| {
        let topics = [&[form], topics].concat();
        let data = words(&[
            n(1_000),
            HEIR.into_word(),
            n(3),
            n(0),
            n(0),
            n(0),
            n(0),
            n(0),
        ]);
        told(
            &[
                (THIEF, SOLVER, Coin::Token(USDC), 1_000),
                (SOLVER, USDC, Coin::Token(USDC), 1_000),
            ],
            vec![event(MESSENGER, &topics, data)],
        )
    };
    let one = burn(
        topics::CCTP_DEPOSIT_FOR_BURN,
        &[n(5), USDC.into_word(), THIEF.into_word()],
    );
    let received = |nonce: u64, to: Address| {
        let body = [
            &[0; 4][..],
            &USDC.into_word().0,
            &to.into_word().0,
            &n(1_000).0,
            &THIEF.into_word().0,
        ]
        .concat();
        let data = [words(&[n(0), n(0), n(96)]), packed(&body)].concat();
        let topics = [topics::CCTP_MESSAGE_RECEIVED, SOLVER.into_word(), n(nonce)];
        told(
            &[(USDC, to, Coin::Token(USDC), 1_000)],
            vec![event(TRANSMITTER_THERE, &topics, data)],
        )
    };
    check_pair(&one, &received(5, HEIR));
    assert!(!joins(&one, &received(6, HEIR)));
    assert!(!joins(&one, &received(5, SOLVER)));
    let two = burn(
        topics::CCTP_V2_DEPOSIT_FOR_BURN,
        &[USDC.into_word(), THIEF.into_word(), n(1_000)],
    );
    let two = departure(&two);
    assert_eq!(two.payee, Payee::Account(HEIR));
    assert!(two.searches.is_empty());
}

#[test]
fn tokens_of_layer_zero_are_joined_by_their_guid_at_contracts_that_are_known() {
    let pool = address!("c026395860Db2d07ee33e05fE50ed7bD583189C7");
    let guid = B256::repeat_byte(0xab);
    let topics = [topics::LZ_OFT_SENT, guid, THIEF.into_word()];
    let data = words(&[n(30_110), n(1_000), n(999)]);
    let sent = told(
        &[(THIEF, pool, Coin::Token(USDC), 1_000)],
        vec![event(pool, &topics, data)],
    );
    let there = address!("e8CDF27AcD73a434D661C84887215F7598e7d0d3");
    let topics = [topics::LZ_OFT_RECEIVED, guid, HEIR.into_word()];
    let received = |contract| {
        let paid = [(contract, HEIR, Coin::Token(USDC), 999)];
        told(
            &paid,
            vec![event(contract, &topics, words(&[n(30_101), n(999)]))],
        )
    };
    check_pair(&sent, &received(there));
    // What another issuer's contract says counts where the configuration names it.
    assert!(!joins(&sent, &received(SOLVER)));
    let own = hansel_heuristics::crossing::Deployment {
        protocol: hansel_heuristics::crossing::Protocol::LayerZero,
        chain: "arbitrum".into(),
        contracts: vec![SOLVER],
        code: Some("30110".into()),
    };
    let more = Bridges::new(vec![ethereum(), arbitrum()], vec![own]);
    let found = more.departures(&ethereum(), &TransactionView::Evm(&sent));
    let received = received(SOLVER);
    let arrived = more.arrivals(&arbitrum(), &TransactionView::Evm(&received));
    assert!(found[0].is_answered_by(&arrived[0]));
}

#[test]
fn a_redemption_of_tbtc_is_joined_with_what_its_wallet_pays_to_its_script() {
    use bitcoin::hashes::Hash as _;
    let bridge = address!("5e4861a80B55f035D899f66772117F00FA0E8e7B");
    let token = Address::repeat_byte(0x18);
    let script = |byte: u8| {
        bitcoin::ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([byte; 20]))
    };
    let (wallet, payee, other) = (script(1), script(2), script(3));
    let mut prefixed = vec![22];
    prefixed.extend(payee.as_bytes());
    let mut key = [0; 32];
    key[..20].copy_from_slice(&[1; 20]);
    let topics = [
        topics::TBTC_REDEMPTION_REQUESTED,
        B256::from(key),
        THIEF.into_word(),
    ];
    let data = [
        words(&[n(128), n(5_000_000), n(100), n(200)]),
        packed(&prefixed),
    ]
    .concat();
    let units = 5_000_000 * 10_000_000_000;
    let sent = told(
        &[(THIEF, token, Coin::Token(token), units)],
        vec![event(bridge, &topics, data)],
    );
    let departure = departure(&sent);
    assert_eq!(departure.payee, Payee::Script(payee.clone()));
    assert_eq!(departure.amount, Amount::from(units));
    let answered = |from: &bitcoin::Script, to: &bitcoin::Script| {
        let view = TransactionView::Bitcoin {
            txid: bitcoin::Txid::all_zeros(),
            sender: Some(from),
            outputs: vec![OutputView {
                vout: 0,
                value: 4_999_700,
                script: to,
            }],
        };
        let arrivals = bridges().arrivals(&Chain::bitcoin(), &view);
        arrivals.iter().any(|one| departure.is_answered_by(one))
    };
    assert!(answered(&wallet, &payee));
    assert!(!answered(&wallet, &other));
    assert!(!answered(&other, &payee));
}
