//! What a false endpoint says of blocks and receipts is refused, on chains whose form is known.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use alloy_primitives::B256;
use async_trait::async_trait;
use hansel_ethereum::EvmSource;
use hansel_ledger::{
    Asset, BlockForm, Chain, ChainSource, EndpointActivity, ErrorClass, EvmNetwork, EvmQuery,
    Family, Query, SourceError,
};
use hansel_testkit::{Anvil, AnvilOptions, EvmKey, require_anvil};
use hansel_wire::{HttpOptions, HttpWire, JsonRpc, Paces, Request, Wire};
use serde_json::{Value, json};

/// Changes the result of a method.
type Lie = fn(&str, &mut Value);

/// A wire to a real node that changes answers on their way.
struct Liar {
    wire: HttpWire,
    lie: Lie,
}

#[async_trait]
impl Wire for Liar {
    fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let answer = self.wire.send(request).await?;
        let Request::Call { method, .. } = request else {
            return Ok(answer);
        };
        let mut told: Value = serde_json::from_slice(&answer).unwrap();
        (self.lie)(method, &mut told["result"]);
        Ok(told.to_string().into_bytes())
    }

    fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }
}

fn source(node: &Anvil, blocks: BlockForm, lie: Lie) -> EvmSource {
    let network = EvmNetwork {
        chain_id: 31_337,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks,
    };
    let chain = Chain::new("lab", Family::Evm(Arc::new(network))).unwrap();
    let options = HttpOptions {
        version: JsonRpc::V2,
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&node.url().parse().unwrap(), options, &Paces::default()).unwrap();
    EvmSource::new(chain, Arc::new(Liar { wire, lie })).unwrap()
}

const ETHEREUM: BlockForm = BlockForm {
    ethereum_header: true,
    bridge_receipt: false,
};

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// A node whose first block holds a payment.
fn paid(anvil: &Path) -> (Anvil, B256) {
    let node = Anvil::start(anvil, &AnvilOptions::default()).unwrap();
    let rpc = node.rpc();
    let payer = rpc.accounts().unwrap()[0];
    let hash = rpc
        .send(json!({"from": payer, "to": EvmKey::numbered(77).address(), "value": "0x5"}))
        .unwrap();
    rpc.mine().unwrap();
    (node, hash)
}

fn ask(source: &EvmSource, hash: B256) -> Result<(), SourceError> {
    let query = Query::Evm(EvmQuery::Transaction { hash });
    run(source.answer(&query)).map(drop)
}

/// Makes every block older than the first, under its true hash.
fn older(method: &str, result: &mut Value) {
    if method == "eth_getBlockByNumber" {
        result["timestamp"] = json!("0x5f5e0f00");
    }
}

/// Leaves out a field that the hash is made of.
fn shorter(method: &str, result: &mut Value) {
    if method == "eth_getBlockByNumber" {
        result.as_object_mut().unwrap().remove("mixHash");
    }
}

const INVENTED: B256 = B256::repeat_byte(0xee);

/// Adds a transaction to each block with one, whose receipt used no gas and tells of a transfer.
fn longer(method: &str, result: &mut Value) {
    match (method, result.as_array_mut()) {
        ("eth_getBlockReceipts", Some(all)) => {
            let Some(last) = all.last() else { return };
            let mut invented = last.clone();
            invented["transactionHash"] = json!(INVENTED);
            invented["transactionIndex"] = json!(format!("{:#x}", all.len()));
            invented["gasUsed"] = json!("0x0");
            all.push(invented);
        }
        ("eth_getBlockByNumber", None) => {
            let list = result["transactions"].as_array_mut().unwrap();
            if !list.is_empty() {
                list.push(json!(INVENTED));
            }
        }
        _ => {}
    }
}

#[test]
fn a_block_whose_fields_do_not_give_its_hash_is_refused_where_the_chains_headers_are_known() {
    let Some(anvil) = require_anvil() else { return };
    let (node, hash) = paid(&anvil);
    let honest = source(&node, ETHEREUM, |_, _| {});
    assert_eq!(ask(&honest, hash), Ok(()));
    let lies: [(Lie, _, _); 2] = [
        (older, ErrorClass::Inconsistent, "do not give its hash"),
        (shorter, ErrorClass::Malformed, "lacks a field"),
    ];
    for (lie, class, words) in lies {
        let liar = source(&node, ETHEREUM, lie);
        let refused = [
            run(liar.tip()).map(drop),
            run(liar.block_at(1)).map(drop),
            ask(&liar, hash),
        ];
        for error in refused.map(Result::unwrap_err) {
            assert_eq!(error.class, class, "{error}");
            assert!(error.detail.contains(words), "{error}");
        }
        let believed = source(&node, BlockForm::default(), lie);
        assert_eq!(run(believed.block_at(1)).map(drop), Ok(()));
        let lines = run(believed.capabilities()).unwrap();
        let check = lines.iter().find(|(name, _)| name == "hashes of blocks");
        assert!(check.unwrap().1.starts_with("not checked"));
    }
}

#[test]
fn a_receipt_outside_the_root_is_believed_only_of_a_chain_whose_bridge_reports_so() {
    let Some(anvil) = require_anvil() else { return };
    let (node, hash) = paid(&anvil);
    let error = ask(&source(&node, ETHEREUM, longer), hash).unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent);
    assert!(error.detail.contains("do not match the root"), "{error}");
    let polygon = BlockForm {
        ethereum_header: false,
        bridge_receipt: true,
    };
    assert_eq!(ask(&source(&node, polygon, longer), hash), Ok(()));
}
