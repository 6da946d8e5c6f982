//! Deposits into rollups: what the far transaction is called follows from the logs of this side, and from nothing that
//! only looks like them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, B256, address, b256, keccak256};
use hansel_heuristics::crossing::{
    Bridges, Carrier, Certainty, Departure, Deployment, Payee, Place, Protocol, Search,
    TransactionView,
};
use hansel_ledger::{Amount, Coin, Event, EvmTransaction, Movement, Origin, topics};

use crate::logged::{evm, n, packed, transaction, words};

mod logged;

const THIEF: Address = Address::repeat_byte(1);
const HEIR: Address = Address::repeat_byte(2);
const PORTAL: Address = address!("bEb5Fc579115071764c7423A4f12eDde41f106Ed");
const STANDARD: Address = address!("99C9fc46f92E8a1c0deC1b1747d010903E884bE1");
const BRIDGE: Address = address!("8315177aB297bA92A06054cE80a67Ed4DBd7ed3a");
const INBOX: Address = address!("4Dbd4fc535Ac27206064B68FfCf827b0A60BAB3f");
const GATEWAY: Address = address!("a3A7B6F88361F48403514059F1F16C8E78d60EeC");
const DAI: Address = Address::repeat_byte(0xda);
const DAI_THERE: Address = Address::repeat_byte(0xdb);

fn bridges(own: Vec<Deployment>) -> Bridges {
    let chains = vec![
        evm("ethereum", 1),
        evm("optimism", 10),
        evm("arbitrum", 42_161),
    ];
    Bridges::new(chains, own)
}

type Paid = (Address, Address, Coin, u64);

fn told(paid: &[Paid], events: Vec<Event>) -> EvmTransaction {
    let movement = |(number, (from, to, coin, amount)): (u32, &Paid)| Movement {
        origin: Origin::Call(vec![0, number]),
        from: *from,
        to: *to,
        coin: *coin,
        amount: (*amount).into(),
    };
    EvmTransaction {
        movements: (0..).zip(paid).map(movement).collect(),
        events,
        ..transaction(THIEF)
    }
}

fn departures(tx: &EvmTransaction) -> Vec<Departure> {
    bridges(Vec::new()).departures(&evm("ethereum", 1), &TransactionView::Evm(tx))
}

fn departure(tx: &EvmTransaction) -> Departure {
    let [departure] = <[Departure; 1]>::try_from(departures(tx)).unwrap();
    departure
}

fn account(account: Address) -> B256 {
    account.into_word()
}

/// A call whose last field is bytes.
fn call(signature: &str, fields: &[B256], bytes: &[u8]) -> Vec<u8> {
    let selector = keccak256(signature)[..4].to_vec();
    let offset = n((fields.len() as u64 + 1) * 32);
    [selector, words(fields), offset.to_vec(), packed(bytes)].concat()
}

fn deposited(index: u64, from: Address, to: Address, sums: (u64, u64, u64), data: &[u8]) -> Event {
    let (mint, value, gas) = sums;
    let opaque = [
        n(mint).as_slice(),
        n(value).as_slice(),
        &gas.to_be_bytes(),
        &[0],
        data,
    ]
    .concat();
    Event {
        index,
        address: PORTAL,
        topics: vec![
            topics::CANONICAL_TRANSACTION_DEPOSITED,
            account(from),
            account(to),
            B256::ZERO,
        ],
        data: [n(32).to_vec(), packed(&opaque)].concat().into(),
    }
}

fn computed(departure: &Departure) -> B256 {
    assert_eq!(departure.certainty, Certainty::Derived);
    match &departure.searches[..] {
        [Search::Transaction { hash, .. }] => *hash,
        [Search::Named { topics, topic, .. }] => {
            assert_eq!(*topic, 2);
            topics[1][0]
        }
        other => panic!("{other:?}"),
    }
}

/// `getL2TransactionHash` of viem 2.57.20 gives these for the same logs.
#[test]
fn the_hash_of_an_op_stack_deposit_is_what_another_implementation_computes() {
    let event = deposited(9, THIEF, HEIR, (1_000, 1_000, 21_000), &[]);
    let tx = told(&[(THIEF, PORTAL, Coin::Native, 1_000)], vec![event]);
    let found = departure(&tx);
    let viem = b256!("9edac351fc472b8ca6ddbbcd74ab20293f9bd55775bf7e1b5d0ce93ad5ca2566");
    assert_eq!(computed(&found), viem);
    assert_eq!(found.place, Place::Chain(evm("optimism", 10)));
    assert_eq!(found.payee, Payee::Account(HEIR));
    assert!(found.carrier.is_some());
}

#[test]
fn a_deposit_in_another_place_of_the_block_or_of_another_contract_is_another_or_none() {
    let paid = [(THIEF, PORTAL, Coin::Native, 1_000)];
    let at = |index| {
        told(
            &paid,
            vec![deposited(index, THIEF, HEIR, (1_000, 1_000, 1), &[])],
        )
    };
    assert_ne!(computed(&departure(&at(1))), computed(&departure(&at(2))));
    let mut stranger = at(1);
    stranger.events[0].address = HEIR;
    assert!(departures(&stranger).is_empty());
    for cut in 0..at(1).events[0].data.len() {
        let mut short = at(1);
        short.events[0].data = short.events[0].data.slice(..cut);
        drop(departures(&short));
    }
    for cut in 0..4 {
        let mut short = at(1);
        short.events[0].topics.truncate(cut);
        assert!(departures(&short).is_empty());
    }
}

#[test]
fn ether_through_the_standard_bridge_is_believed_only_where_all_of_it_reaches_whom_it_was_sent_to()
{
    let messenger = Address::repeat_byte(7);
    let there = Address::repeat_byte(8);
    let fields = [account(THIEF), account(HEIR), n(1_000)];
    let ether = call(
        "finalizeBridgeETH(address,address,uint256,bytes)",
        &fields,
        &[],
    );
    let relay = [
        n(1),
        account(STANDARD),
        account(there),
        n(1_000),
        n(200_000),
    ];
    let signature = "relayMessage(uint256,address,address,uint256,uint256,bytes)";
    let data = call(signature, &relay, &ether);
    let event = deposited(3, messenger, messenger, (1_000, 1_000, 500_000), &data);
    let paid = [
        (THIEF, STANDARD, Coin::Native, 1_000),
        (STANDARD, PORTAL, Coin::Native, 1_000),
    ];
    let found = departure(&told(&paid, vec![event.clone()]));
    assert_eq!(found.payee, Payee::Account(HEIR));
    // Without a trace only the first of the bridge's contracts is seen to take it.
    let blind = departure(&told(&paid[..1], vec![event]));
    assert!(matches!(
        blind.carrier,
        Some(Carrier::Movement { to: STANDARD, .. })
    ));
    let native = Coin::Native;
    let whole = told(
        &[
            (Address::ZERO, messenger, native, 1_000),
            (messenger, there, native, 1_000),
            (there, HEIR, native, 1_000),
        ],
        vec![],
    );
    let arrival = found.delivered_by(&whole).unwrap();
    assert_eq!(arrival.amount, found.amount);
    let taken = arrival.carrier.unwrap();
    assert!(matches!(
        taken,
        Carrier::Movement {
            to: HEIR,
            coin: Coin::Native,
            ..
        }
    ));
    for wrong in [
        (there, HEIR, native, 999),
        (there, THIEF, native, 1_000),
        (there, HEIR, Coin::Token(DAI), 1_000),
    ] {
        assert_eq!(
            found.delivered_by(&told(&[wrong], vec![])),
            None,
            "{wrong:?}"
        );
    }
}

#[test]
fn tokens_through_the_standard_bridge_arrive_in_the_token_that_the_message_names() {
    let messenger = Address::repeat_byte(7);
    let fields = [
        account(DAI_THERE),
        account(DAI),
        account(THIEF),
        account(HEIR),
        n(70),
    ];
    let signature = "finalizeBridgeERC20(address,address,address,address,uint256,bytes)";
    let token = call(signature, &fields, &[]);
    let relay = [n(1), account(STANDARD), account(messenger), n(0), n(9)];
    let signature = "relayMessage(uint256,address,address,uint256,uint256,bytes)";
    let event = |index| {
        let data = call(signature, &relay, &token);
        deposited(index, messenger, messenger, (0, 0, 9), &data)
    };
    let one = (THIEF, STANDARD, Coin::Token(DAI), 70);
    let found = departure(&told(&[one], vec![event(1)]));
    assert_eq!(found.amount, Amount::from(70));
    let coin = Coin::Token(DAI_THERE);
    let minted = told(&[(Address::ZERO, HEIR, coin, 70)], vec![]);
    assert!(found.delivered_by(&minted).is_some());
    let false_token = told(&[(Address::ZERO, HEIR, Coin::Token(DAI), 70)], vec![]);
    assert!(found.delivered_by(&false_token).is_none());
    // Two deposits of equal amounts are carried by two movements, never by one twice.
    let both = departures(&told(&[one, one], vec![event(1), event(2)]));
    assert_ne!(both[0].carrier, both[1].carrier);
    let single = departures(&told(&[one], vec![event(1), event(2)]));
    assert!(single[0].carrier.is_some() && single[1].carrier.is_none());
}

struct Message<'a> {
    number: u64,
    kind: u64,
    sender: Address,
    base_fee: u64,
    data: &'a [u8],
}

fn delivered(message: &Message<'_>) -> Vec<Event> {
    let hash = keccak256(message.data);
    let event = |address, topics: Vec<B256>, data: Vec<u8>| Event {
        index: 9,
        address,
        topics,
        data: data.into(),
    };
    let form = topics::CANONICAL_MESSAGE_DELIVERED;
    let fields = [
        account(INBOX),
        n(message.kind),
        account(message.sender),
        hash,
        n(message.base_fee),
        n(1_683_030_011),
    ];
    let said = [n(32).to_vec(), packed(message.data)].concat();
    let told = topics::CANONICAL_INBOX_MESSAGE_DELIVERED;
    vec![
        event(
            BRIDGE,
            vec![form, n(message.number), B256::ZERO],
            words(&fields),
        ),
        event(INBOX, vec![told, n(message.number)], said),
    ]
}

/// `calculateDepositTxId` of Arbitrum's SDK 4.0.4 gives this.
#[test]
fn the_hash_of_an_arbitrum_deposit_is_what_arbitrums_own_sdk_computes() {
    let data = [HEIR_SDK.as_slice(), n(1_000).as_slice()].concat();
    let message = Message {
        number: 5,
        kind: 12,
        sender: address!("1111111111111111111111111111111111111112"),
        base_fee: 0,
        data: &data,
    };
    let paid = [(THIEF, BRIDGE, Coin::Native, 1_000)];
    let tx = told(&paid, delivered(&message));
    let found = departure(&tx);
    let sdk = b256!("3ee230334d24380f81903a7b90428c7cd4336f14c0679a2dac8d457e169c17a2");
    assert_eq!(computed(&found), sdk);
    assert_eq!(found.payee, Payee::Account(HEIR_SDK));
    assert_eq!(found.place, Place::Chain(evm("arbitrum", 42_161)));
    // What the inbox says must have the hash that the bridge noted.
    let mut forged = tx.clone();
    forged.events[0].data = {
        let mut data = forged.events[0].data.to_vec();
        data[3 * 32] ^= 1;
        data.into()
    };
    assert!(departures(&forged).is_empty());
    let mut stranger = tx;
    stranger.events[0].address = INBOX; // known, but not what logs messages
    assert!(departures(&stranger).is_empty());
}

const HEIR_SDK: Address = Address::repeat_byte(1);

fn ticket(fields: [B256; 8], call: &[u8]) -> Vec<u8> {
    [words(&fields), n(call.len() as u64).to_vec(), call.to_vec()].concat()
}

/// A ticket that calls with 1,000 of 1,500 units. `calculateSubmitRetryableId` of Arbitrum's SDK 4.0.4 gives its id.
fn ticketed() -> EvmTransaction {
    let (to, excess, refund) = (HEIR, Address::repeat_byte(3), Address::repeat_byte(4));
    let fields = [
        account(to),
        n(1_000),
        n(1_500),
        n(300),
        account(excess),
        account(refund),
        n(20),
        n(10),
    ];
    let message = Message {
        number: 0xc_8622,
        kind: 9,
        sender: address!("ee488a11475d588908001e0e99e4fd89abda6545"),
        base_fee: 0x12_0182_5ed5,
        data: &ticket(fields, &[0xbe, 0xef]),
    };
    told(&[(INBOX, BRIDGE, Coin::Native, 1_500)], delivered(&message))
}

#[test]
fn a_ticket_is_looked_for_by_the_id_that_arbitrums_own_sdk_computes() {
    let found = departure(&ticketed());
    let sdk = b256!("e807aa0a526085b09a56a7fe2b0ba0a764b44cd67af3414a001c78a315a40791");
    assert_eq!(computed(&found), sdk);
    // What pays for gas stays behind: only the value of the call crosses.
    assert_eq!(found.amount, Amount::from(1_000));
    assert!(found.carrier.is_some());
    let paid = told(&[(THIEF, HEIR, Coin::Native, 1_000)], vec![]);
    assert!(found.delivered_by(&paid).is_some());
    let refunded = told(
        &[(THIEF, Address::repeat_byte(4), Coin::Native, 1_000)],
        vec![],
    );
    assert!(found.delivered_by(&refunded).is_none());
    // The last bytes are padding.
    for cut in 0..64 + 290 {
        let mut short = ticketed();
        short.events[1].data = short.events[1].data.slice(..cut);
        assert!(departures(&short).is_empty(), "{cut}");
    }
}

#[test]
fn a_gateways_tokens_are_followed_only_of_a_gateway_that_is_known() {
    let fields = [account(DAI), account(THIEF), account(HEIR), n(70)];
    let call = call(
        "finalizeInboundTransfer(address,address,address,uint256,bytes)",
        &fields,
        &[],
    );
    let to = account(Address::repeat_byte(9));
    let zero = B256::ZERO;
    let data = ticket([to, zero, n(5), n(5), zero, zero, zero, zero], &call);
    let of = |sender| Message {
        number: 1,
        kind: 9,
        sender,
        base_fee: 1,
        data: &data,
    };
    let paid = [(THIEF, GATEWAY, Coin::Token(DAI), 70)];
    // The gateway's address and 0x1111...1111 added.
    let shifted = address!("b4b8b6f88361f48403514059f1f16c8e78d61ffd");
    let found = departure(&told(&paid, delivered(&of(shifted))));
    assert_eq!(found.payee, Payee::Account(HEIR));
    assert!(matches!(
        found.carrier,
        Some(Carrier::Movement { to: GATEWAY, .. })
    ));
    let minted = |coin| (Address::ZERO, HEIR, coin, 70);
    let one = told(&[minted(Coin::Token(DAI_THERE))], vec![]);
    assert!(found.delivered_by(&one).is_some());
    // Which of two tokens it is nobody says.
    let two = [minted(Coin::Token(DAI_THERE)), minted(Coin::Token(DAI))];
    assert!(found.delivered_by(&told(&two, vec![])).is_none());
    let other = told(&paid, delivered(&of(Address::repeat_byte(0xaa))));
    assert!(departures(&other).is_empty());
}

#[test]
fn a_chain_of_ones_own_has_rollups_of_its_own() {
    let own = Deployment {
        protocol: Protocol::OpStack,
        chain: "ethereum".into(),
        contracts: vec![HEIR],
        code: Some("42161".into()),
    };
    let paid = [(THIEF, HEIR, Coin::Native, 10)];
    let mut tx = told(&paid, vec![deposited(1, THIEF, HEIR, (10, 10, 1), &[])]);
    tx.events[0].address = HEIR;
    let found = bridges(vec![own]).departures(&evm("ethereum", 1), &TransactionView::Evm(&tx));
    assert_eq!(found[0].place, Place::Chain(evm("arbitrum", 42_161)));
}
