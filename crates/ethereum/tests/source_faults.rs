//! What an endpoint does wrong: its statements are a typed failure, name a gap, or say all the same what happened.
//! Never is a trail silently shorter.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use hansel_ethereum::EvmSource;
use hansel_ledger::{
    AccountStatement, Asset, BlockForm, Chain, ChainSource, Coin, ErrorClass, EvmFact, EvmNetwork,
    EvmQuery, Fact, Family, Gap, Query, SourceError,
};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmContract, RpcFault, RpcProxy, RpcRule, evm_call, require_anvil,
};
use hansel_wire::{Failover, HttpOptions, HttpWire, JsonRpc, Limits, Paces};
use serde_json::{Value, json};

const PAYEE: Address = Address::repeat_byte(0xb0);
/// Blocks without anything between two payments.
const QUIET: u64 = 40;

/// A node on which one account paid a token and ether six times, with quiet blocks between.
struct Town {
    node: Anvil,
    payer: Address,
    token: Address,
    payments: Vec<B256>,
    tip: u64,
}

impl Town {
    fn start() -> Option<Self> {
        let node = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
        let rpc = node.rpc();
        let payer = rpc.accounts().unwrap()[0];
        let mined = |transaction: Value| {
            let hash = rpc.send(transaction).unwrap();
            rpc.mine().unwrap();
            rpc.call("anvil_mine", json!([format!("{QUIET:#x}")]))
                .unwrap();
            hash
        };
        let code = EvmContract::named("Token").with((U256::from(1_000),));
        let created = mined(json!({"from": payer, "data": code, "gas": "0x2dc6c0"}));
        let token = rpc.receipt(created).unwrap().created.unwrap();
        let data = evm_call("transfer(address,uint256)", (PAYEE, U256::from(7)));
        let payments = (0..6)
            .map(|_| {
                mined(json!({"from": payer, "to": PAYEE, "value": "0x5", "gas": "0x5208"}));
                mined(json!({"from": payer, "to": token, "data": data, "gas": "0x186a0"}))
            })
            .collect();
        let tip = rpc.call("eth_blockNumber", json!([])).unwrap();
        let tip = u64::from_str_radix(tip.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        Some(Self {
            node,
            payer,
            token,
            payments,
            tip,
        })
    }

    fn source(&self, url: &str) -> EvmSource {
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
        let chain = Chain::new("town", Family::Evm(Arc::new(network))).unwrap();
        let options = HttpOptions {
            version: JsonRpc::V2,
            limits: Limits {
                retries: 0,
                longest_body: 8 << 20,
                ..Limits::default()
            },
            ..HttpOptions::default()
        };
        let wire = HttpWire::new(&url.parse().unwrap(), options, &Paces::default()).unwrap();
        EvmSource::new(chain, Arc::new(wire)).unwrap()
    }

    /// A proxy that offers neither traces nor searches, and does what the rules say.
    fn proxy(&self, rules: impl IntoIterator<Item = RpcRule>) -> RpcProxy {
        let unknown = ["debug_", "trace_", "ots_"];
        let unknown = unknown.map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()));
        let rules: Vec<RpcRule> = unknown.into_iter().chain(rules).collect();
        RpcProxy::over(&self.node.url(), rules).unwrap()
    }

    /// What it tells with an index of calls, without search for them, and with this fault of the index.
    fn indexed(&self, query: &Query, fault: RpcFault) -> Result<AccountStatement, SourceError> {
        let rules = [
            RpcRule::always("trace_filter", RpcFault::unknown_method()),
            RpcRule::always("ots_searchTransactionsAfter", fault),
        ];
        let proxy = RpcProxy::over(&self.node.url(), rules).unwrap();
        ask(&self.source(&proxy.url()), query)
    }

    fn tokens(&self) -> Query {
        self.question(self.payer, Coin::Token(self.token), 1)
    }

    fn ether(&self) -> Query {
        self.question(self.payer, Coin::Native, 1)
    }

    fn question(&self, address: Address, coin: Coin, since: u64) -> Query {
        Query::Evm(EvmQuery::Account {
            address,
            coin,
            since,
            until: self.tip,
            bound: 500,
        })
    }

    /// What the node itself tells.
    fn truth(&self, query: &Query) -> AccountStatement {
        ask(&self.source(&self.node.url()), query).unwrap()
    }

    /// What it tells with these faults.
    fn told(
        &self,
        query: &Query,
        rules: impl IntoIterator<Item = RpcRule>,
    ) -> Result<AccountStatement, SourceError> {
        let proxy = self.proxy(rules);
        ask(&self.source(&proxy.url()), query)
    }
}

fn ask(source: &dyn ChainSource, query: &Query) -> Result<AccountStatement, SourceError> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(source.answer(query))?;
    match answer.fact {
        Fact::Evm(EvmFact::Account(statement)) => Ok(statement),
        other => panic!("{other:?}"),
    }
}

fn hashes(statement: &AccountStatement) -> BTreeSet<B256> {
    statement.transactions.iter().map(|tx| tx.hash).collect()
}

/// All that happened is told, and nothing else.
fn assert_whole(told: &AccountStatement, truth: &AccountStatement) {
    assert_eq!(hashes(told), hashes(truth));
    assert_eq!(told.arrivals, truth.arrivals);
}

fn broken(failure: Result<AccountStatement, SourceError>) -> ErrorClass {
    failure.expect_err("a contradiction is not believed").class
}

#[test]
fn limits_on_blocks_and_rows_cost_requests_and_no_transfer() {
    let Some(town) = Town::start() else { return };
    let truth = town.truth(&town.tokens());
    assert_eq!((hashes(&truth).len(), truth.arrivals.len()), (6, 1));
    for fault in [
        RpcFault::LogRange(16),
        RpcFault::LogRows(2),
        RpcFault::Refuse {
            code: -32_602,
            message: "block range is too wide".into(),
        },
    ] {
        let narrow = matches!(fault, RpcFault::Refuse { .. });
        let rule = RpcRule::always("eth_getLogs", fault.clone());
        let rule = if narrow {
            RpcRule::times(3, "eth_getLogs", fault.clone())
        } else {
            rule
        };
        let told = town.told(&town.tokens(), [rule]).unwrap();
        assert_whole(&told, &truth);
        let plain = town.told(&town.tokens(), []).unwrap();
        assert_eq!(told.coverage, plain.coverage, "{fault:?}");
    }
}

#[test]
fn a_stated_limit_is_taken_at_once_and_shown() {
    let Some(town) = Town::start() else { return };
    let proxy = town.proxy([RpcRule::always("eth_getLogs", RpcFault::LogRange(100))]);
    let source = town.source(&proxy.url());
    ask(&source, &town.tokens()).unwrap();
    let asked = proxy.count("eth_getLogs");
    let pieces = usize::try_from(town.tip.div_ceil(100)).unwrap();
    assert!(
        asked <= 2 * pieces + 4,
        "{asked} for two filters of {pieces} pieces"
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lines = runtime.block_on(source.capabilities()).unwrap();
    assert!(
        lines.contains(&("logs at once".into(), "at most 100 blocks".into())),
        "{lines:?}"
    );
}

#[test]
fn logs_that_are_left_out_in_silence_are_found_by_the_balances() {
    let Some(town) = Town::start() else { return };
    let truth = town.truth(&town.tokens());
    for fault in [
        RpcFault::CutLogs(3),
        RpcFault::CutLogs(0),
        RpcFault::HideLog(town.payments[3]),
    ] {
        let rule = RpcRule::always("eth_getLogs", fault.clone());
        let told = town.told(&town.tokens(), [rule]).unwrap();
        assert_eq!(hashes(&told), hashes(&truth), "{fault:?}");
    }
}

#[test]
fn without_receipts_of_blocks_a_hidden_log_is_a_named_gap() {
    let Some(town) = Town::start() else { return };
    let told = town.told(
        &town.tokens(),
        [
            RpcRule::always("eth_getBlockReceipts", RpcFault::unknown_method()),
            RpcRule::always("eth_getLogs", RpcFault::HideLog(town.payments[3])),
        ],
    );
    let told = told.unwrap();
    assert!(!hashes(&told).contains(&town.payments[3]));
    let named = |gap: &Gap| matches!(gap, Gap::Unexplained { gained: false, .. });
    assert!(told.coverage.gaps.iter().any(named), "{:?}", told.coverage);
}

#[test]
fn what_an_index_of_calls_leaves_out_is_found_by_the_balances() {
    let Some(town) = Town::start() else { return };
    let truth = town.truth(&town.ether());
    assert!(hashes(&truth).len() > 6);
    let hide = RpcFault::alter(|_, page| {
        if let Some(txs) = page["txs"].as_array_mut() {
            txs.truncate(txs.len() - txs.len() / 3);
        }
    });
    let told = town.indexed(&town.ether(), hide).unwrap();
    assert_whole(&told, &truth);
}

#[test]
fn an_index_of_calls_that_refuses_is_done_without() {
    let Some(town) = Town::start() else { return };
    let told = town
        .indexed(&town.ether(), RpcFault::unknown_method())
        .unwrap();
    assert_whole(&told, &town.truth(&town.ether()));
}

#[test]
fn an_index_of_calls_that_names_other_blocks_is_not_believed() {
    let Some(town) = Town::start() else { return };
    let elsewhere = RpcFault::alter(|_, page| {
        for tx in page["txs"].as_array_mut().into_iter().flatten() {
            tx["blockNumber"] = json!("0x7");
        }
    });
    let late = town.question(town.payer, Coin::Native, town.tip / 2);
    assert_eq!(
        broken(town.indexed(&late, elsewhere)),
        ErrorClass::Inconsistent
    );
}

#[test]
fn a_log_from_another_contract_or_of_another_block_is_not_believed() {
    let Some(town) = Town::start() else { return };
    let other = json!(Address::repeat_byte(0x66));
    let stranger = RpcFault::alter(move |_, rows| {
        if let Some(row) = rows.as_array_mut().and_then(|rows| rows.first_mut()) {
            row["address"] = other.clone();
        }
    });
    let misplaced = RpcFault::alter(|_, rows| {
        if let Some(row) = rows.as_array_mut().and_then(|rows| rows.first_mut()) {
            row["blockNumber"] = json!("0x1");
            row["blockHash"] = json!(B256::repeat_byte(1));
        }
    });
    for fault in [stranger, misplaced] {
        let rule = RpcRule::always("eth_getLogs", fault);
        assert_eq!(
            broken(town.told(&town.tokens(), [rule])),
            ErrorClass::Inconsistent
        );
    }
}

#[test]
fn receipts_that_do_not_match_their_block_are_not_believed_and_the_next_endpoint_heals_it() {
    let Some(town) = Town::start() else { return };
    let forged = RpcFault::alter(|_, receipts| {
        for receipt in receipts.as_array_mut().into_iter().flatten() {
            for log in receipt["logs"].as_array_mut().into_iter().flatten() {
                log["data"] = json!(B256::with_last_byte(3));
            }
        }
    });
    let rule = RpcRule::always("eth_getBlockReceipts", forged);
    let failure = town.told(&town.tokens(), [rule.clone()]);
    assert_eq!(broken(failure), ErrorClass::Inconsistent);
    let (liar, honest) = (town.proxy([rule]), town.proxy([]));
    let first = Arc::new(town.source(&liar.url()));
    let both = Failover::new(first, vec![Arc::new(town.source(&honest.url()))]);
    assert_whole(
        &ask(&both, &town.tokens()).unwrap(),
        &town.truth(&town.tokens()),
    );
}

#[test]
fn state_that_is_missing_halfway_is_read_from_blocks_or_named() {
    let Some(town) = Town::start() else { return };
    let truth = town.truth(&town.ether());
    assert_eq!(hashes(&truth).len(), 13);
    let missing = RpcFault::Refuse {
        code: -32_000,
        message: "missing trie node 6a3c9f0b5a1d (path ) <nil>".into(),
    };
    for seen in [0, 2, 9, 20] {
        let rule = RpcRule::always("eth_getTransactionCount", missing.clone()).after(seen);
        let told = town.told(&town.ether(), [rule]).unwrap();
        let shorter = hashes(&told) != hashes(&truth);
        let named = |gap: &Gap| matches!(gap, Gap::HistoryUnknown { .. } | Gap::Unexplained { .. });
        assert!(
            !shorter || told.coverage.gaps.iter().any(named),
            "after {seen}: {:?}",
            told.coverage
        );
    }
    let pruned = RpcRule::always(
        "eth_",
        RpcFault::Pruned {
            before: town.tip / 2,
        },
    );
    let told = town.told(&town.ether(), [pruned]).unwrap();
    let named = |gap: &Gap| matches!(gap, Gap::NoState { .. });
    assert!(told.coverage.gaps.iter().any(named), "{:?}", told.coverage);
}

#[test]
fn a_flood_is_cut_and_a_wrong_chain_refused() {
    let Some(town) = Town::start() else { return };
    let flood = RpcRule::always("eth_getLogs", RpcFault::Flood { mebibytes: 64 });
    assert_eq!(
        broken(town.told(&town.tokens(), [flood])),
        ErrorClass::Malformed
    );
    let stranger = RpcRule::always("eth_chainId", RpcFault::ChainId(1));
    assert_eq!(
        broken(town.told(&town.tokens(), [stranger])),
        ErrorClass::Inconsistent
    );
}

#[test]
fn probes_go_out_in_batches_and_an_endpoint_without_batches_is_asked_one_by_one() {
    let Some(town) = Town::start() else { return };
    let truth = town.truth(&town.ether());
    let batched = town.proxy([]);
    let told = ask(&town.source(&batched.url()), &town.ether()).unwrap();
    assert_whole(&told, &truth);
    let probes = batched.count("eth_getTransactionCount");
    let calls = batched.calls().len();
    let saved = calls - usize::try_from(batched.requests()).unwrap();
    assert!(batched.largest_batch() >= 5, "{}", batched.largest_batch());
    // One request carries a whole round of the search, or five probes of it.
    assert!(saved * 2 >= probes, "{saved} saved of {probes} probes");
    let single = town.proxy([RpcRule::always("", RpcFault::BatchLimit(1))]);
    let told = ask(&town.source(&single.url()), &town.ether()).unwrap();
    assert_whole(&told, &truth);
}

#[test]
fn round_trips_grow_with_the_range_and_not_with_the_transactions() {
    let Some(town) = Town::start() else { return };
    let rounds = |since: u64| {
        let proxy = town.proxy([]);
        let query = town.question(town.payer, Coin::Native, since);
        let told = ask(&town.source(&proxy.url()), &query).unwrap();
        let others = proxy.calls().len() - proxy.count("eth_getTransactionCount");
        let requests = usize::try_from(proxy.requests()).unwrap();
        (told.transactions.len(), requests.saturating_sub(others))
    };
    let (few, few_requests) = rounds(town.tip - QUIET - 1);
    let (many, many_requests) = rounds(1);
    assert_eq!((few, many), (1, 13));
    // Thirteen times the transactions in thirteen times the blocks: four rounds more of at most two requests each.
    assert!(
        many_requests <= 2 * (few_requests + 4),
        "{many_requests} against {few_requests}"
    );
}
