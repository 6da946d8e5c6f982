//! Ether that reaches an account in no call: tips of the blocks it makes, and deposits from the chain below.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::future::Future;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, address};
use async_trait::async_trait;
use hansel_ethereum::EvmSource;
use hansel_ledger::{
    AccountStatement, Amount, Asset, BlockForm, Chain, ChainSource, Coin, EndpointActivity,
    EvmFact, EvmNetwork, EvmQuery, Fact, Family, Gap, Movement, Origin, Query, SourceError,
};
use hansel_testkit::{Anvil, AnvilOptions, EvmKey, EvmRpc, require_anvil};
use hansel_wire::{HttpOptions, HttpWire, JsonRpc, Paces, Request, Wire};
use serde_json::{Value, json};

/// A wire to a real node that does not know some methods.
struct Lesser {
    wire: HttpWire,
    unknown: &'static [&'static str],
}

#[async_trait]
impl Wire for Lesser {
    fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let asked = request.to_string();
        if self.unknown.iter().any(|name| asked.contains(name)) {
            let error = json!({"code": -32601, "message": "method not found"});
            return Ok(json!({"id": 1, "error": error}).to_string().into_bytes());
        }
        self.wire.send(request).await
    }

    fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }
}

const TRACES: &[&str] = &["debug_", "trace_", "ots_"];

fn source(node: &Anvil, unknown: &'static [&'static str]) -> EvmSource {
    let network = EvmNetwork {
        chain_id: 31_337,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: BlockForm {
            ethereum_header: true,
            bridge_receipt: false,
        },
    };
    let chain = Chain::new("lab", Family::Evm(Arc::new(network))).unwrap();
    let options = HttpOptions {
        version: JsonRpc::V2,
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&node.url().parse().unwrap(), options, &Paces::default()).unwrap();
    EvmSource::new(chain, Arc::new(Lesser { wire, unknown })).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

fn ask(source: &EvmSource, query: EvmQuery) -> EvmFact {
    match run(source.answer(&Query::Evm(query))).unwrap().fact {
        Fact::Evm(fact) => fact,
        other => panic!("{other:?}"),
    }
}

fn statement(source: &EvmSource, address: Address, until: u64) -> AccountStatement {
    let query = EvmQuery::Account {
        address,
        coin: Coin::Native,
        since: 0,
        until,
        bound: 100,
    };
    match ask(source, query) {
        EvmFact::Account(statement) => statement,
        other => panic!("{other:?}"),
    }
}

const MAKER: Address = address!("00000000000000000000000000000000000ba1e5");

/// A chain of which some blocks are made by [`MAKER`], who pays nothing; returns what it got by block.
fn made_by_maker(rpc: &EvmRpc) -> Vec<(u64, U256)> {
    rpc.call("anvil_setCoinbase", json!([MAKER])).unwrap();
    let mut got = Vec::new();
    for (number, payments) in [(1, 1_u64), (2, 0), (3, 2)] {
        let before = rpc.balance(MAKER, None).unwrap();
        for nonce in 0..payments {
            let from = rpc.accounts().unwrap()[usize::try_from(nonce).unwrap()];
            let to = EvmKey::numbered(7).address();
            rpc.send(json!({"from": from, "to": to, "value": "0x5", "maxPriorityFeePerGas": "0x3b9aca00"}))
                .unwrap();
        }
        rpc.mine().unwrap();
        let after = rpc.balance(MAKER, None).unwrap();
        if after > before {
            got.push((number, after - before));
        }
    }
    got
}

#[test]
fn tips_of_the_blocks_that_an_account_made_are_arrivals_and_no_gap() {
    let Some(anvil) = require_anvil() else { return };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let got = made_by_maker(node.rpc());
    assert_eq!(got.len(), 2);
    for unknown in [&[][..], TRACES] {
        let told = statement(&source(&node, unknown), MAKER, 3);
        let arrived: Vec<_> = told
            .arrivals
            .iter()
            .map(|one| (one.origin.clone(), one.amount.to_u256()))
            .collect();
        let tips = got.iter().map(|(block, sum)| (Origin::Tips(*block), *sum));
        assert_eq!(arrived, tips.collect::<Vec<_>>());
        assert_eq!(told.coverage.gaps, []);
        assert_eq!(told.coverage.complete_through, Some(3));
    }
}

#[test]
fn what_a_maker_of_blocks_got_is_a_named_gap_where_receipts_do_not_explain_it() {
    let Some(anvil) = require_anvil() else { return };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let got = made_by_maker(node.rpc());
    let told = statement(&source(&node, &["eth_getBlockReceipts"]), MAKER, 3);
    for (block, sum) in &got {
        let amount = Amount::from(*sum);
        let named = Gap::Unexplained {
            since: *block,
            until: *block,
            gained: true,
            amount,
        };
        assert!(told.coverage.gaps.contains(&named), "{:?}", told.coverage);
    }
    let rest = node.rpc().balance(MAKER, None).unwrap() + U256::from(1);
    node.rpc().set_balance(MAKER, rest).unwrap();
    // One more than the tips of the newest block is not a tip.
    let told = statement(&source(&node, &[]), MAKER, 3);
    let one = Gap::Unexplained {
        since: 3,
        until: 3,
        gained: true,
        amount: Amount::from(1_u64),
    };
    assert_eq!(told.coverage.gaps, [one]);
}

const USER: Address = address!("00000000000000000000000000000000000a11ce");
const OTHER: Address = address!("00000000000000000000000000000000000b0b00");
const BROKEN: Address = address!("0000000000000000000000000000000000bad000");

/// A deposit as the node of an OP chain takes it from the chain below.
fn deposit(rpc: &EvmRpc, number: u64, to: Address, mint: u64, value: u64) -> B256 {
    let order: Value = json!({
        "type": "0x7e", "from": USER, "to": to, "gas": "0x186a0", "isSystemTx": false,
        "value": format!("{value:#x}"), "mint": format!("{mint:#x}"),
        "sourceHash": B256::from(U256::from(number)),
    });
    let hash = rpc.send(order).unwrap();
    rpc.mine().unwrap();
    hash
}

#[test]
fn what_an_op_chain_mints_for_a_deposit_arrives_even_where_the_deposit_fails() {
    let Some(anvil) = require_anvil() else { return };
    let options = AnvilOptions {
        hardfork: "isthmus".into(),
        arguments: vec!["--optimism".into()],
        ..AnvilOptions::default()
    };
    let node = Anvil::start(&anvil, &options).unwrap();
    let rpc = node.rpc();
    // REVERT with nothing.
    rpc.set_code(BROKEN, &Bytes::from_static(&[0x5f, 0x5f, 0xfd]))
        .unwrap();
    let (own, paying, failing) = (
        deposit(rpc, 1, USER, 9, 9),
        deposit(rpc, 2, OTHER, 10, 4),
        deposit(rpc, 3, BROKEN, 3, 2),
    );
    assert_eq!(rpc.balance(USER, None).unwrap(), U256::from(9 + 6 + 3));
    for unknown in [&[][..], TRACES] {
        let source = source(&node, unknown);
        let told = statement(&source, USER, 3);
        let hashes: Vec<_> = told.transactions.iter().map(|tx| tx.hash).collect();
        assert_eq!(hashes, [own, paying, failing]);
        assert!(told.arrivals.is_empty(), "{:?}", told.arrivals);
        let decisive = |gap: &&Gap| !matches!(gap, Gap::NoTraces { .. });
        assert_eq!(told.coverage.gaps.iter().find(decisive), None);
        for (tx, mint) in told.transactions.iter().zip([9_u64, 10, 3]) {
            assert_eq!(tx.fee, Amount::ZERO);
            let minted = Movement {
                origin: Origin::Call(Vec::new()),
                from: Address::ZERO,
                to: USER,
                coin: Coin::Native,
                amount: Amount::from(mint),
            };
            assert_eq!(tx.movements.first(), Some(&minted));
        }
        assert_eq!(told.transactions[2].movements.len(), 1);
        let query = EvmQuery::Deposits {
            address: USER,
            since: 0,
            until: 3,
        };
        let EvmFact::Deposits(deposits) = ask(&source, query) else {
            panic!("not deposits");
        };
        let arrived: Vec<_> = deposits
            .arrivals
            .iter()
            .map(|one| (one.tx.unwrap(), one.amount))
            .collect();
        let minted = [(own, 9_u64), (paying, 10), (failing, 3)];
        assert_eq!(arrived, minted.map(|(tx, sum)| (tx, Amount::from(sum))));
        let others = statement(&source, OTHER, 3);
        assert_eq!(others.arrivals.len(), 1);
        assert_eq!(others.arrivals[0].from, Some(USER));
    }
}
