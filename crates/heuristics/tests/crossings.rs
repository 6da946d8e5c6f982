//! Memos, events and OP_RETURN outputs of bridges, real ones where they are to be had, and whether the two sides of many
//! crossings find each other.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails; what is skipped is said"
)]

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use bitcoin::hashes::Hash as _;
use bitcoin::{Network, ScriptBuf, Txid};
use hansel_heuristics::crossing::memo::{Memo, NoMemo};
use hansel_heuristics::crossing::{
    Arrival, Bridges, Carrier, Departure, Deployment, OutputView, Payee, Protocol, Reason, Search,
    TransactionView,
};
use hansel_ledger::{Chain, Coin, Event, EvmTransaction, Family, Movement, Origin, topics};

use crate::logged::{ethereum, evm};

mod logged;

const ROUTER: Address = address!("D37BbE5744D730a1d98d8DC97c42F0Ca46aD7146");

fn bridges() -> Bridges {
    let chains = vec![Chain::bitcoin(), ethereum(), evm("arbitrum", 42_161)];
    Bridges::new(chains, Vec::new())
}

fn thor(memo: &str) -> Result<Memo, NoMemo> {
    Memo::parse(memo.as_bytes(), Protocol::Thorchain)
}

fn swap(memo: &str) -> hansel_heuristics::crossing::memo::Swap {
    match thor(memo) {
        Ok(Memo::Swap(swap)) => swap,
        other => panic!("{memo}: {other:?}"),
    }
}

fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// A transaction of account 1 on Ethereum that moves nothing yet.
fn transaction(hash: B256) -> EvmTransaction {
    EvmTransaction {
        hash,
        ..logged::transaction(account(1))
    }
}

fn moved(from: Address, to: Address, coin: Coin, amount: u64, number: u32) -> Movement {
    Movement {
        origin: match coin {
            Coin::Native => Origin::Call(vec![0, number]),
            Coin::Token(_) => Origin::Log(number.into()),
        },
        from,
        to,
        coin,
        amount: amount.into(),
    }
}

fn number(number: u64) -> Vec<u8> {
    B256::from(U256::from(number)).to_vec()
}

/// Text as the last field of an event whose other fields take so many words.
fn text(words: usize, text: &[u8]) -> Vec<u8> {
    let mut padded = text.to_vec();
    padded.resize(text.len().div_ceil(32) * 32, 0);
    let offset = number((words as u64 + 1) * 32);
    [offset, number(text.len() as u64), padded].concat()
}

fn deposit(memo: &[u8]) -> Event {
    Event {
        index: 9,
        address: ROUTER,
        topics: vec![
            topics::THORCHAIN_DEPOSIT,
            account(7).into_word(),
            B256::ZERO,
        ],
        data: [number(1_000), text(1, memo)].concat().into(),
    }
}

fn deposited(memo: &[u8]) -> EvmTransaction {
    let mut tx = transaction(keccak256(memo));
    tx.to = Some(ROUTER);
    tx.movements = vec![
        moved(account(1), ROUTER, Coin::Native, 1_000, 0),
        moved(ROUTER, account(7), Coin::Native, 1_000, 1),
    ];
    tx.events = vec![deposit(memo)];
    tx
}

fn departures(tx: &EvmTransaction) -> Vec<Departure> {
    bridges().departures(&ethereum(), &TransactionView::Evm(tx))
}

#[test]
fn every_form_of_a_swap_is_read() {
    for function in ["SWAP", "swap", "s", "S", "=", "limito", "lo", "=<"] {
        let swap = swap(&format!("{function}:BTC.BTC:bc1qdest:1e6/3/5:thor:50"));
        assert_eq!(swap.asset.to_string(), "BTC.BTC");
        assert_eq!(swap.destination, "bc1qdest");
        assert_eq!(swap.limit.as_deref(), Some("1e6/3/5"));
        assert_eq!(swap.affiliates, Some(("thor".into(), "50".into())));
        assert_eq!(
            swap.waits,
            !matches!(&*function.to_lowercase(), "swap" | "s" | "=")
        );
    }
    let back = swap("=:e:0xDest/bc1qback");
    assert_eq!(
        (&*back.destination, back.refund.as_deref()),
        ("0xDest", Some("bc1qback"))
    );
    let called = swap("=:ETH.USDC-06EB48:0xDest:0/1/0:aa/bb:10/20:4f2a:06EB48:100");
    let aggregator = called.aggregator.unwrap();
    assert_eq!(
        (
            &*aggregator.contract,
            &*aggregator.token,
            &*aggregator.least
        ),
        ("4f2a", "06EB48", "100")
    );
    assert_eq!(called.affiliates, Some(("aa/bb".into(), "10/20".into())));
    for loan in ["loan+", "$+", "loan-", "$-", "LOAN+"] {
        assert_eq!(
            swap(&format!("{loan}:BTC.BTC:bc1qdest")).destination,
            "bc1qdest"
        );
    }
}

#[test]
fn short_codes_of_assets_are_those_of_the_network_that_is_asked() {
    let codes = [
        ("a", "AVAX.AVAX"),
        ("b", "BTC.BTC"),
        ("c", "BCH.BCH"),
        ("d", "DOGE.DOGE"),
        ("e", "ETH.ETH"),
        ("f", "BASE.ETH"),
        ("g", "GAIA.ATOM"),
        ("l", "LTC.LTC"),
        ("n", "BNB.BNB"),
        ("r", "THOR.RUNE"),
        ("s", "BSC.BNB"),
        ("x", "XRP.XRP"),
        ("tr", "TRON.TRX"),
    ];
    for (code, asset) in codes {
        assert_eq!(swap(&format!("=:{code}:dest")).asset.to_string(), asset);
        assert_eq!(
            swap(&format!("=:{}:dest", code.to_uppercase()))
                .asset
                .to_string(),
            asset
        );
    }
    let maya = |memo: &str| Memo::parse(memo.as_bytes(), Protocol::Maya);
    for (code, asset) in [("a", "ARB.ETH"), ("d", "DASH.DASH"), ("x", "XRD.XRD")] {
        let Ok(Memo::Swap(swap)) = maya(&format!("=:{code}:dest")) else {
            panic!("{code}")
        };
        assert_eq!(swap.asset.to_string(), asset);
    }
    assert_eq!(maya("=:g:dest"), Err(NoMemo::Field("asset")));
}

#[test]
fn every_other_form_is_read_as_what_becomes_of_the_value() {
    let hash = "83153DA8EA42775040B129DF7160EB299ECC12E9EB2C800C7DC60E04F387A92F";
    assert_eq!(
        thor(&format!("OUT:{hash}")),
        Ok(Memo::Out(hash.parse().unwrap()))
    );
    assert_eq!(
        thor(&format!("refund:{hash}")),
        Ok(Memo::Refund(hash.parse().unwrap()))
    );
    for internal in [
        "migrate:123",
        "ragnarok:5",
        "consolidate",
        "yggdrasil+:1",
        "yggdrasil-:1",
        "noop",
        "reserve",
    ] {
        assert_eq!(thor(internal), Ok(Memo::Internal), "{internal}");
    }
    for parked in [
        "add:BTC.BTC:thor1abc:aff:10",
        "+:b:thor1abc",
        "a:ETH.ETH",
        "donate:BTC.BTC",
        "d:BTC.BTC",
        "trade+:thor1abc",
        "trade-:bc1q",
        "secure+:thor1abc",
        "secure-:bc1q",
        "bond:thor1abc",
        "unbond:thor1abc:100",
        "leave:thor1abc",
        "name:me:BTC:bc1q",
        "n:me",
        "~:me:ETH:0x",
        "switch:thor1abc",
        "SWITCH:thor1abc",
    ] {
        assert!(
            matches!(thor(parked), Ok(Memo::Parked { .. })),
            "{parked}: {:?}",
            thor(parked)
        );
    }
    for withdrawal in ["withdraw:BTC.BTC:10000", "wd:b:5000", "-:BTC.BTC:1"] {
        assert!(matches!(
            thor(withdrawal),
            Ok(Memo::Withdrawal { asset: Some(_) })
        ));
    }
    assert_eq!(thor("REFERENCE:42"), Ok(Memo::Reference("42".into())));
}

#[test]
fn what_is_no_memo_is_refused_and_never_guessed() {
    assert_eq!(
        Memo::parse(&[b'='; 251], Protocol::Thorchain),
        Err(NoMemo::TooLong)
    );
    assert_eq!(
        Memo::parse(&vec![b'A'; 64 << 10], Protocol::Thorchain),
        Err(NoMemo::TooLong)
    );
    for control in [
        "=:b:\u{1b}[2J",
        "=:b:bc1q\n",
        "=:b:\u{202e}evil",
        "OUT:\u{0}",
        "=:b:ümlaut",
    ] {
        assert_eq!(thor(control), Err(NoMemo::NotText), "{control:?}");
    }
    for other in [
        "",
        ":",
        "::::",
        "hello",
        "'; DROP TABLE flows; --",
        "<script>",
        "=b:x",
    ] {
        assert_eq!(thor(other), Err(NoMemo::NoFunction), "{other}");
    }
    for missing in [
        "=:",
        "=:bc1q:x",
        "=:.:x",
        "=:BTC.:x",
        "=:BT C.BTC:x",
        "add:",
        "bond:",
    ] {
        assert!(matches!(thor(missing), Err(NoMemo::Field(_))), "{missing}");
    }
    for hash in [
        "OUT:",
        "OUT:12",
        "OUT:0x83153DA8EA42775040B129DF7160EB299ECC12E9EB2C800C7DC60E04F387A9",
        "REFUND:zz",
    ] {
        assert_eq!(thor(hash), Err(NoMemo::Field("hash")), "{hash}");
    }
}

#[test]
fn a_deposit_says_where_it_goes_and_where_its_payout_shows() {
    let tx = deposited(b"=:BTC.BTC:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq:0/1/0:ss:10");
    let [departure] = &departures(&tx)[..] else {
        panic!("one departure")
    };
    let script = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
        .parse::<bitcoin::Address<_>>()
        .unwrap()
        .require_network(Network::Bitcoin)
        .unwrap()
        .script_pubkey();
    assert_eq!(departure.payee, Payee::Script(script.clone()));
    assert_eq!(
        departure.link.0,
        format!("{:X}", tx.hash)
            .trim_start_matches("0x")
            .to_uppercase()
    );
    let carrier = Carrier::Movement {
        origin: Origin::Call(vec![0, 1]),
        to: account(7),
        coin: Coin::Native,
    };
    assert_eq!(departure.carrier, Some(carrier));
    let search = Search::Received {
        chain: "bitcoin".into(),
        script,
    };
    assert_eq!(departure.searches[0], search);
    // What is sent back comes through a router of the chain that it left.
    assert!(matches!(&departure.searches[1], Search::Logs { chain, .. } if chain == "ethereum"));
    assert!(
        departure
            .in_words()
            .contains("BTC.BTC on bitcoin to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
    );
}

#[test]
fn the_same_event_of_another_contract_or_of_a_failed_form_says_nothing() {
    let memo = b"=:BTC.BTC:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";
    let mut stranger = deposited(memo);
    stranger.events[0].address = account(66);
    assert!(departures(&stranger).is_empty());
    for cut in 0..deposited(memo).events[0].data.len() {
        let mut short = deposited(memo);
        short.events[0].data = short.events[0].data.slice(..cut);
        for departure in departures(&short) {
            // Padding may be missing, nothing else.
            assert_eq!(
                departure.payee,
                departures(&deposited(memo))[0].payee,
                "{cut}"
            );
        }
    }
    let mut odd = deposited(memo);
    odd.events[0].topics.truncate(2);
    assert!(departures(&odd).is_empty());
}

#[test]
fn a_plain_transfer_with_a_memo_is_a_departure_and_one_with_other_data_is_not() {
    let mut tx = transaction(B256::repeat_byte(3));
    tx.to = Some(account(7));
    tx.movements = vec![moved(account(1), account(7), Coin::Native, 500, 0)];
    tx.carried = Bytes::from_static(b"=:b:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq");
    assert_eq!(departures(&tx).len(), 1);
    for other in [
        &b"hello"[..],
        &[0xa9, 0x05, 0x9c, 0xbb],
        b"OUT:00",
        b"consolidate",
    ] {
        tx.carried = Bytes::copy_from_slice(other);
        assert!(departures(&tx).is_empty());
    }
}

#[test]
fn value_that_stays_inside_the_network_is_parked_with_its_owner() {
    for memo in [
        "+:ETH.ETH:thor1owner",
        "=:ETH~ETH:thor1owner",
        "trade+:thor1owner",
        "SWITCH:thor1owner",
    ] {
        let [departure] = &departures(&deposited(memo.as_bytes()))[..] else {
            panic!("{memo}")
        };
        assert!(
            departure.parked.as_ref().unwrap().contains("thor1owner"),
            "{memo}"
        );
        assert!(departure.searches.is_empty());
    }
}

fn op_return(text: &str) -> ScriptBuf {
    let push = bitcoin::script::PushBytesBuf::try_from(text.as_bytes().to_vec()).unwrap();
    ScriptBuf::new_op_return(push)
}

fn script(number: u64) -> ScriptBuf {
    let hash = bitcoin::hashes::hash160::Hash::hash(&number.to_be_bytes());
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_raw_hash(hash))
}

#[test]
fn a_bitcoin_transaction_departs_with_its_first_output_and_a_memo_behind() {
    let txid = Txid::from_byte_array([9; 32]);
    let (vault, change) = (script(1), script(2));
    let memo = op_return("=:ETH.ETH:0x7070707070707070707070707070707070707070");
    let of = |first: u64, memo: &ScriptBuf| {
        let outputs = [(first, &vault), (0, memo), (5, &change)];
        let outputs = (0..)
            .zip(outputs)
            .map(|(vout, (value, script))| OutputView {
                vout,
                value,
                script,
            });
        let view = TransactionView::Bitcoin {
            txid,
            sender: Some(&change),
            outputs: outputs.collect(),
        };
        bridges().departures(&Chain::bitcoin(), &view)
    };
    let [departure] = &of(50_000, &memo)[..] else {
        panic!("one departure")
    };
    assert_eq!(departure.carrier, Some(Carrier::Output(0)));
    assert_eq!(departure.payee, Payee::Account(account(0x70)));
    assert_eq!(departure.refund_to, [Payee::Script(change.clone())]);
    assert_eq!(departure.link.0, txid.to_string().to_uppercase());
    assert!(of(9_999, &memo).is_empty(), "dust is not looked at");
    assert!(of(50_000, &op_return("OUT:nothing")).is_empty());
    assert!(of(50_000, &op_return("omni...")).is_empty());
}

const MAYA: Address = address!("e3985E6b61b814F7Cdb188766562ba71b446B46d");

#[test]
fn a_router_of_maya_speaks_its_own_short_codes_and_is_answered_in_its_own_name() {
    let mut tx = deposited(b"=:a:0x7070707070707070707070707070707070707070");
    let to = |tx: &EvmTransaction| departures(tx)[0].asset.clone().unwrap();
    assert_eq!(to(&tx), "AVAX.AVAX");
    tx.events[0].address = MAYA;
    assert_eq!(to(&tx), "ARB.ETH");
    assert_eq!(departures(&tx)[0].protocol, Protocol::Maya);
    let memo = b"=:BTC.BTC:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq";
    let mut sent = deposited(memo);
    sent.events[0].address = MAYA;
    let [departure] = &departures(&sent)[..] else {
        panic!("one departure")
    };
    let Payee::Script(payee) = &departure.payee else {
        panic!("{:?}", departure.payee)
    };
    let paid = |link: &str| {
        let memo = op_return(&format!("OUT:{link}"));
        let outputs = [(900, payee), (0, &memo)];
        let outputs = (0..)
            .zip(outputs)
            .map(|(vout, (value, script))| OutputView {
                vout,
                value,
                script,
            });
        let view = TransactionView::Bitcoin {
            txid: Txid::all_zeros(),
            sender: None,
            outputs: outputs.collect(),
        };
        let arrivals = bridges().arrivals(&Chain::bitcoin(), &view);
        arrivals.iter().any(|one| departure.is_answered_by(one))
    };
    assert!(paid(&departure.link.0));
    assert!(!paid(&"AB".repeat(32)));
}

#[test]
fn a_bitcoin_memo_that_means_another_asset_to_maya_says_both() {
    let (vault, sender) = (script(1), script(2));
    let asset = |memo: &str| {
        let memo = op_return(memo);
        let outputs = [(50_000, &vault), (0, &memo)];
        let outputs = (0..)
            .zip(outputs)
            .map(|(vout, (value, script))| OutputView {
                vout,
                value,
                script,
            });
        let view = TransactionView::Bitcoin {
            txid: Txid::from_byte_array([9; 32]),
            sender: Some(&sender),
            outputs: outputs.collect(),
        };
        let found = bridges().departures(&Chain::bitcoin(), &view);
        found[0].asset.clone().unwrap()
    };
    let payee = "0x7070707070707070707070707070707070707070";
    assert_eq!(
        asset(&format!("=:a:{payee}")),
        "AVAX.AVAX (to Maya: ARB.ETH)"
    );
    assert_eq!(asset(&format!("=:e:{payee}")), "ETH.ETH");
    assert_eq!(asset(&format!("=:ETH.ETH:{payee}")), "ETH.ETH");
}

#[test]
fn a_thousand_equal_swaps_at_once_are_paired_without_a_mistake() {
    let bridges = bridges();
    let bitcoin = Chain::bitcoin();
    let mut departures = Vec::new();
    let mut payouts = Vec::new();
    for number in 0..1_000_u64 {
        let payee = script(number % 10);
        let address = bitcoin::Address::from_script(&payee, Network::Bitcoin).unwrap();
        let mut tx = deposited(format!("=:b:{address}").as_bytes());
        tx.hash = keccak256(number.to_be_bytes());
        let found = bridges.departures(&ethereum(), &TransactionView::Evm(&tx));
        payouts.push((payee, op_return(&format!("OUT:{}", found[0].link))));
        departures.extend(found);
    }
    // Ten payees share a thousand payouts of one amount.
    let arrivals: Vec<_> = payouts
        .iter()
        .map(|(payee, memo)| {
            let vault = script(77);
            let outputs = [(100_000, payee), (0, memo), (900_000, &vault)];
            let outputs = (0..)
                .zip(outputs)
                .map(|(vout, (value, script))| OutputView {
                    vout,
                    value,
                    script,
                });
            let view = TransactionView::Bitcoin {
                txid: Txid::all_zeros(),
                sender: None,
                outputs: outputs.collect(),
            };
            bridges.arrivals(&bitcoin, &view)
        })
        .collect();
    let mut pairs = 0;
    for (number, departure) in departures.iter().enumerate() {
        for (other, arrivals) in arrivals.iter().enumerate() {
            let answers = arrivals.iter().filter(|one| departure.is_answered_by(one));
            let answers: Vec<_> = answers.collect();
            assert_eq!(
                answers.len(),
                usize::from(number == other),
                "{number} {other}"
            );
            pairs += answers.len();
            assert!(
                answers
                    .iter()
                    .all(|one| one.carrier == Some(Carrier::Output(0)))
            );
        }
    }
    assert_eq!(pairs, 1_000);
}

#[test]
fn a_router_of_the_configuration_speaks_of_chains_of_the_configuration() {
    let local = evm("anvil", 31_337);
    let own = Deployment {
        protocol: Protocol::Thorchain,
        chain: "anvil".into(),
        contracts: vec![ROUTER],
        code: Some("ETH".into()),
    };
    let regtest = Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap();
    let at_home = Deployment {
        chain: "bitcoin-regtest".into(),
        contracts: Vec::new(),
        code: Some("BTC".into()),
        ..own.clone()
    };
    let chains = vec![Chain::bitcoin(), ethereum(), local.clone(), regtest];
    let bridges = Bridges::new(chains, vec![own, at_home]);
    let tx = deposited(b"=:BTC.BTC:bcrt1qnothing");
    let there = |chain: &Chain| {
        let found = bridges.departures(chain, &TransactionView::Evm(&tx));
        found[0].place.to_string()
    };
    assert_eq!(there(&local), "bitcoin-regtest");
    assert_eq!(there(&ethereum()), "bitcoin");
}

#[test]
fn refunds_answer_only_for_who_sent() {
    let mut sent = deposited(b"=:BTC.BTC:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq");
    let [departure] = &departures(&sent)[..] else {
        panic!("one departure")
    };
    let back = |to: Address, memo: String| {
        let mut tx = transaction(B256::repeat_byte(8));
        tx.movements = vec![moved(ROUTER, to, Coin::Native, 990, 0)];
        tx.events = vec![Event {
            index: 3,
            address: ROUTER,
            topics: vec![
                topics::THORCHAIN_TRANSFER_OUT,
                account(7).into_word(),
                to.into_word(),
            ],
            data: [number(0), number(990), text(2, memo.as_bytes())]
                .concat()
                .into(),
        }];
        let arrivals = bridges().arrivals(&ethereum(), &TransactionView::Evm(&tx));
        arrivals.into_iter().any(|one| {
            assert_eq!(one.reason, Reason::Refunded);
            departure.is_answered_by(&one)
        })
    };
    assert!(back(account(1), format!("REFUND:{}", departure.link)));
    assert!(!back(account(2), format!("REFUND:{}", departure.link)));
    assert!(!back(account(1), format!("REFUND:{}", "0".repeat(64))));
    sent.succeeded = false;
}

/// Real calls of THORChain's routers: their memos stand in the call data as they stand in the event.
#[test]
fn recorded_router_calls_hold_memos_that_are_read() {
    let data = std::env::var_os("HANSEL_DATA").map(std::path::PathBuf::from);
    let file = data.map(|data| data.join("ethereum-blocks/service_calls.jsonl"));
    let Some(file) = file.filter(|file| file.is_file()) else {
        eprintln!("skipped: no recorded calls (HANSEL_DATA)");
        return;
    };
    let lines = std::fs::read_to_string(file).unwrap();
    let mut read = Vec::new();
    for line in lines.lines() {
        let call: serde_json::Value = serde_json::from_str(line).unwrap();
        if !call["service"].as_str().unwrap().starts_with("THOR") {
            continue;
        }
        let input: Bytes = serde_json::from_value(call["tx"]["input"].clone()).unwrap();
        let words = |number: usize| &input[4 + 32 * number..4 + 32 * (number + 1)];
        let start = 4 + usize::try_from(U256::from_be_slice(words(3))).unwrap();
        let length = usize::try_from(U256::from_be_slice(&input[start..start + 32])).unwrap();
        let memo = &input[start + 32..start + 32 + length];
        read.push(match Memo::parse(memo, Protocol::Thorchain) {
            Ok(Memo::Swap(swap)) => {
                let streams = swap.limit.is_some_and(|limit| limit.contains('/'));
                let names = swap.affiliates.map(|(names, _)| names);
                format!("{} streams {streams} affiliate {names:?}", swap.asset)
            }
            Ok(Memo::Out(hash)) => format!("out {hash}"),
            Ok(Memo::Parked { purpose, owner, .. }) => format!("{purpose}: {owner:?}"),
            other => panic!("{other:?}"),
        });
    }
    let expected = [
        r#"it is switched to the network's own coin: Some("thor17r5s7gus8e4gmts75372jdlmrqjavxu6606fm2")"#,
        r#"BSC.BNB streams false affiliate Some("rg")"#,
        "out 0x83153da8ea42775040b129df7160eb299ecc12e9eb2c800c7dc60e04f387a92f",
        r#"ETH.ETH streams true affiliate Some("td")"#,
    ];
    assert_eq!(read, expected);
}

/// The two payouts of block 702861.
#[test]
fn real_payouts_in_bitcoin_transactions_name_what_they_answer() {
    let raw = bitcoin_test_data::blocks::mainnet_702861();
    let block: bitcoin::Block = bitcoin::consensus::deserialize(raw).unwrap();
    let mut links = std::collections::BTreeSet::new();
    for tx in &block.txdata {
        let outputs = (0..).zip(&tx.output).map(|(vout, output)| OutputView {
            vout,
            value: output.value.to_sat(),
            script: &output.script_pubkey,
        });
        let view = TransactionView::Bitcoin {
            txid: tx.compute_txid(),
            sender: None,
            outputs: outputs.collect(),
        };
        for arrival in bridges().arrivals(&Chain::bitcoin(), &view) {
            assert_eq!(arrival.reason, Reason::Paid);
            links.insert(arrival.link.0);
        }
    }
    assert_eq!(links.len(), 2, "{links:?}");
}

/// Swaps of one amount at one time, both ways between Bitcoin and Ethereum, for few payees.
mod at_once {
    use super::*;

    const SWAPS: u64 = 1_000;
    const PAYEES: u64 = 10;
    const AMOUNT: u64 = 1_000;

    /// A fixed sequence without order, so that no rule can lean on one.
    fn shuffled<T>(mut all: Vec<T>) -> Vec<T> {
        let mut state = 702_861_u64;
        for last in (1..all.len()).rev() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            all.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
        }
        all
    }

    fn member(number: u64) -> Address {
        account(u8::try_from(100 + number % PAYEES).unwrap())
    }

    /// An odd swap leaves Bitcoin, an even one Ethereum. Their senders are few, too.
    fn departure(number: u64) -> Departure {
        let found = if number.is_multiple_of(2) {
            let payee = bitcoin::Address::from_script(&script(number % PAYEES), Network::Bitcoin);
            let memo = format!("=:b:{}:0/1/3:aff:50", payee.unwrap());
            let mut tx = deposited(memo.as_bytes());
            (tx.hash, tx.sender) = (keccak256(number.to_be_bytes()), member(number));
            bridges().departures(&ethereum(), &TransactionView::Evm(&tx))
        } else {
            let (vault, sender) = (script(77), script(number % PAYEES));
            let memo = op_return(&format!("=:e:{}", member(number)));
            let outputs = [(50_000, &vault), (0, &memo), (5, &sender)];
            let txid = keccak256(number.to_be_bytes()).0;
            let view = bitcoin_view(Txid::from_byte_array(txid), Some(&sender), &outputs);
            bridges().departures(&Chain::bitcoin(), &view)
        };
        let [departure] = <[_; 1]>::try_from(found).unwrap();
        departure
    }

    fn bitcoin_view<'a>(
        txid: Txid,
        sender: Option<&'a ScriptBuf>,
        outputs: &'a [(u64, &ScriptBuf)],
    ) -> TransactionView<'a> {
        let outputs = (0..).zip(outputs);
        TransactionView::Bitcoin {
            txid,
            sender: sender.map(|script| &**script),
            outputs: outputs
                .map(|(vout, (value, script))| OutputView {
                    vout,
                    value: *value,
                    script,
                })
                .collect(),
        }
    }

    fn on_bitcoin(to: &ScriptBuf, memo: &str) -> Vec<Arrival> {
        let (vault, memo) = (script(77), op_return(memo));
        let outputs = [(AMOUNT * 100, to), (0, &memo), (900_000, &vault)];
        let view = bitcoin_view(Txid::all_zeros(), None, &outputs);
        bridges().arrivals(&Chain::bitcoin(), &view)
    }

    fn on_ethereum(router: Address, to: Address, memo: &str) -> Vec<Arrival> {
        let mut tx = transaction(keccak256(memo));
        tx.movements = vec![moved(router, to, Coin::Native, AMOUNT, 0)];
        let words = [number(0), number(AMOUNT), text(2, memo.as_bytes())];
        tx.events = vec![Event {
            index: 3,
            address: router,
            topics: vec![
                topics::THORCHAIN_TRANSFER_OUT,
                account(7).into_word(),
                to.into_word(),
            ],
            data: words.concat().into(),
        }];
        bridges().arrivals(&ethereum(), &TransactionView::Evm(&tx))
    }

    /// One swap in five is sent back, one in seven is paid in three parts; the others are paid once.
    fn honest(number: u64, link: &str) -> Vec<Arrival> {
        let (script, member) = (script(number % PAYEES), member(number));
        let (memo, back) = (format!("OUT:{link}"), format!("REFUND:{link}"));
        let refunded = number.is_multiple_of(5);
        let parts = if number.is_multiple_of(7) { 3 } else { 1 };
        let paid = |_| match (number.is_multiple_of(2), refunded) {
            (true, false) => on_bitcoin(&script, &memo),
            (true, true) => on_ethereum(ROUTER, member, &back),
            (false, false) => on_ethereum(ROUTER, member, &memo),
            (false, true) => on_bitcoin(&script, &back),
        };
        (0..parts).flat_map(paid).collect()
    }

    /// What strangers write to take part: the true link to themselves, by a router of their own, cut, of a number that
    /// is one off, and the affiliate's fee, which is none of the customer's.
    fn forged(link: &str) -> Vec<Arrival> {
        let (stranger, account) = (script(666), account(66));
        let other = format!("{:0>64}", &link[1..]);
        [
            on_bitcoin(&stranger, &format!("OUT:{link}")),
            on_bitcoin(&stranger, &format!("REFUND:{link}")),
            on_ethereum(ROUTER, account, &format!("OUT:{link}")),
            on_ethereum(ROUTER, account, &format!("REFUND:{link}")),
            on_ethereum(account, account, &format!("OUT:{link}")),
            on_bitcoin(&script(3), &format!("OUT:{other}")),
            on_bitcoin(&script(3), &format!("OUT:{}", &link[..63])),
            on_bitcoin(&script(3), &format!("=:b:{link}")),
        ]
        .concat()
    }

    #[test]
    fn a_thousand_equal_swaps_both_ways_with_refunds_parts_and_forgeries_are_paired_without_a_mistake()
     {
        let departures: Vec<Departure> = (0..SWAPS).map(departure).collect();
        let mut arrivals: Vec<(Option<usize>, Arrival)> = Vec::new();
        for (number, departure) in departures.iter().enumerate() {
            let own = honest(u64::try_from(number).unwrap(), &departure.link.0);
            // Of a Bitcoin payout every output is a candidate; the vault's change is nobody's.
            let is_change = |one: &Arrival| one.payee == Payee::Script(script(77));
            arrivals.extend(
                own.into_iter()
                    .map(|one| ((!is_change(&one)).then_some(number), one)),
            );
            if number % 10 == 3 {
                arrivals.extend(forged(&departure.link.0).into_iter().map(|one| (None, one)));
            }
        }
        let arrivals = shuffled(arrivals);
        let (mut right, mut wrong) = (0, 0);
        for (number, departure) in departures.iter().enumerate() {
            for (of, arrival) in &arrivals {
                if departure.is_answered_by(arrival) {
                    let counted = if *of == Some(number) {
                        &mut right
                    } else {
                        &mut wrong
                    };
                    *counted += 1;
                }
            }
        }
        let expected = arrivals.iter().filter(|(of, _)| of.is_some()).count();
        assert_eq!((right, wrong), (expected, 0));
        // 143 swaps are paid in three parts.
        assert_eq!(expected, 1_000 + 2 * 143);
    }
}
