//! Walks over logs, traces and indexes find all there is behind every kind of limit, and believe no lie they can see.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeSet;

use alloy_primitives::{Address, B256, Bloom, U256, address};
use hansel_ethereum::decode::{FlatTrace, LogLean, flat_traces};
use hansel_ethereum::history::{
    Advice, AlchemyWalk, Blocks, Candidate, Contradiction, FoundLogs, Hints, IndexList, IndexWalk,
    LogFilter, LogWalk, OtsWalk, Reach, Side, Step, Touch, TraceAsk, TraceWalk, both_sides,
    disagreements, suspects,
};
use hansel_ledger::Coin;
use hansel_testkit::{
    EvmLedger, EvmLedgerBuilder, EvmProfile, EvmSent, EvmServerOptions, EvmStep, EvmToken,
    evm_answer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

const USD: Address = address!("00000000000000000000000000000000000000d0");
const EUR: Address = address!("00000000000000000000000000000000000000e0");
const SPLITTER: Address = address!("00000000000000000000000000000000000000c0");
const ALICE: Address = address!("00000000000000000000000000000000000000a1");
const BOB: Address = address!("00000000000000000000000000000000000000b1");
const CAROL: Address = address!("00000000000000000000000000000000000000c1");
const TIP: u64 = 1_000;

fn builder() -> EvmLedgerBuilder {
    let mut builder = EvmLedgerBuilder::new(77, 1, TIP, vec![(0, 1_700_000_000)]);
    for (contract, symbol) in [(USD, "USD"), (EUR, "EUR")] {
        builder.token(EvmToken {
            contract,
            symbol: symbol.into(),
            decimals: 6,
        });
    }
    builder.contract(SPLITTER);
    for account in [ALICE, BOB, CAROL] {
        builder.fund(account, Coin::Native, U256::MAX >> 100);
        builder.fund(account, Coin::Token(USD), U256::from(1_000_000));
        builder.fund(account, Coin::Token(EUR), U256::from(1_000_000));
    }
    builder
}

/// Alice pays one unit in each of these blocks, among what others do.
fn payments(blocks: impl IntoIterator<Item = u64>) -> EvmLedger {
    let mut builder = builder();
    for block in blocks {
        builder.push(block, EvmSent::token(EUR, ALICE, BOB, U256::ONE));
        builder.push(block, EvmSent::token(USD, BOB, CAROL, U256::ONE));
        builder.push(block, EvmSent::token(USD, ALICE, BOB, U256::ONE));
    }
    builder.build().unwrap()
}

fn paid_by_alice() -> LogFilter {
    LogFilter::given(Some(USD), ALICE, false)
}

/// What a node may do to an answer.
type Mangle<'a> = &'a mut dyn FnMut(Blocks, &mut Vec<Value>);

struct Node<'a> {
    ledger: &'a EvmLedger,
    options: EvmServerOptions,
    /// Whether its refusals say what would do.
    helpful: bool,
    requests: usize,
}

impl<'a> Node<'a> {
    fn new(ledger: &'a EvmLedger, options: EvmServerOptions) -> Self {
        Self {
            ledger,
            options,
            helpful: true,
            requests: 0,
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Advice> {
        self.requests += 1;
        let request = json!({ "id": 1, "method": method, "params": params });
        let answer = evm_answer(self.ledger, &self.options, &request);
        let Some(message) = answer["error"]["message"].as_str() else {
            return Ok(answer["result"].clone());
        };
        let words = message.split(|c: char| !c.is_ascii_alphanumeric());
        let numbers: Vec<u64> = words
            .filter_map(|word| match word.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => word.parse().ok(),
            })
            .collect();
        let advice = match numbers.as_slice() {
            [_, first, last] => Advice {
                range: Some(Blocks {
                    first: *first,
                    last: *last,
                }),
                limit: None,
            },
            [limit] => Advice {
                range: None,
                limit: Some(*limit),
            },
            _ => panic!("{message}"),
        };
        Err(if self.helpful {
            advice
        } else {
            Advice::default()
        })
    }

    fn logs(
        &mut self,
        filter: &LogFilter,
        (since, until): (u64, u64),
        bound: usize,
        mangle: Mangle<'_>,
    ) -> Result<Option<FoundLogs>, Contradiction> {
        let range = (since, until);
        let mut walk = LogWalk::new(filter.clone(), range, Reach::default(), bound, 100_000);
        while let Some(blocks) = walk.ask().unwrap() {
            let step = match self.ask("eth_getLogs", &filter.parameters(blocks)) {
                Ok(Value::Array(mut rows)) => {
                    mangle(blocks, &mut rows);
                    walk.answered(blocks, logs(rows))?
                }
                Ok(_) => panic!("no list"),
                Err(advice) => walk.refused(blocks, advice),
            };
            match step {
                Step::Next => {}
                Step::TooMany => return Ok(None),
                Step::ReadBlock(height) => {
                    let all = self.block_logs(height);
                    if walk.read(height, all)? == Step::TooMany {
                        return Ok(None);
                    }
                }
            }
        }
        walk.finish().map(Some)
    }

    fn block_logs(&mut self, height: u64) -> Vec<LogLean> {
        let params = json!([format!("{height:#x}")]);
        let receipts = self.ask("eth_getBlockReceipts", &params).unwrap();
        let receipts = receipts.as_array().unwrap().iter();
        let rows = receipts.flat_map(|one| one["logs"].as_array().unwrap().clone());
        logs(rows.collect())
    }

    fn traces(&mut self, account: Address, side: Side, bound: usize) -> Option<Vec<Touch>> {
        let mut walk = TraceWalk::new((account, side), (1, TIP), Reach::default(), bound, 10_000);
        while let Some(ask) = walk.ask().unwrap() {
            let result = self.ask("trace_filter", &walk.parameters(ask)).unwrap();
            match walk.answered(ask, &traces(&result)).unwrap() {
                Step::Next => {}
                Step::TooMany => return None,
                Step::ReadBlock(height) => {
                    let params = json!([format!("{height:#x}")]);
                    let result = self.ask("trace_block", &params).unwrap();
                    assert_ne!(walk.read(height, &traces(&result)), Ok(Step::TooMany));
                }
            }
        }
        Some(walk.finish().0)
    }
}

fn logs(rows: Vec<Value>) -> Vec<LogLean> {
    let rows = rows.into_iter().map(serde_json::from_value);
    rows.collect::<Result<_, _>>().unwrap()
}

fn traces(result: &Value) -> Vec<FlatTrace> {
    let json = result.to_string();
    flat_traces(json.as_bytes()).unwrap().unwrap()
}

fn honest() -> impl FnMut(Blocks, &mut Vec<Value>) {
    |_, _| {}
}

fn blocks_of(found: &FoundLogs) -> Vec<u64> {
    found.logs.iter().map(|log| log.block_number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn all_logs_are_found_behind_every_kind_of_limit(
        blocks in vec(1_u64..=TIP, 0..600),
        near in any::<bool>(),
        log_blocks in proptest::option::of(20_u64..900),
        log_results in proptest::option::of(1_usize..300),
        cut in proptest::option::of(1_usize..4),
        helpful in any::<bool>(),
    ) {
        let blocks: Vec<u64> = blocks
            .into_iter()
            .map(|block| if near { 500 + block % 90 } else { block })
            .collect();
        let ledger = payments(blocks.clone());
        let options = EvmServerOptions {
            log_blocks,
            log_results,
            logs_cut_at: cut.map(|hundreds| hundreds * 100),
            ..EvmServerOptions::default()
        };
        let mut node = Node { helpful, ..Node::new(&ledger, options) };
        let found = node.logs(&paid_by_alice(), (1, TIP), 10_000, &mut honest());
        let mut wanted = blocks;
        wanted.sort_unstable();
        prop_assert_eq!(blocks_of(&found.unwrap().unwrap()), wanted);
    }
}

#[test]
fn an_endpoint_without_limits_is_asked_once() {
    let ledger = payments([7, 900, 990]);
    let mut node = Node::new(&ledger, EvmServerOptions::default());
    let found = node.logs(&paid_by_alice(), (8, 980), 10, &mut honest());
    assert_eq!(blocks_of(&found.unwrap().unwrap()), [900]);
    assert_eq!(node.requests, 1);
}

#[test]
fn a_stated_limit_is_learned_at_once_and_kept_for_the_next_walk() {
    let ledger = payments([7, 900, 990]);
    let options = EvmServerOptions {
        log_blocks: Some(100),
        ..EvmServerOptions::default()
    };
    let mut node = Node::new(&ledger, options);
    let found = node.logs(&paid_by_alice(), (1, TIP), 10, &mut honest());
    let learned = found.unwrap().unwrap().learned;
    assert_eq!(learned.limit, Some(100));
    assert_eq!(node.requests, 1 + 10);
    let mut next = LogWalk::new(paid_by_alice(), (1, TIP), learned, 10, 100);
    let first = Blocks {
        first: 1,
        last: 100,
    };
    assert_eq!(next.ask(), Ok(Some(first)));
}

#[test]
fn a_limit_that_is_not_stated_is_found_by_halving_and_not_run_into_again_and_again() {
    let ledger = payments([]);
    let options = EvmServerOptions {
        log_blocks: Some(8),
        ..EvmServerOptions::default()
    };
    let mut node = Node {
        helpful: false,
        ..Node::new(&ledger, options)
    };
    node.logs(&paid_by_alice(), (1, TIP), 10, &mut honest())
        .unwrap();
    // 125 would do with the limit known.
    assert!(node.requests < 200, "{}", node.requests);
}

#[test]
fn a_limit_that_would_take_too_many_requests_ends_the_walk() {
    let mut walk = LogWalk::new(
        paid_by_alice(),
        (1, 20_000_000),
        Reach::default(),
        10,
        1_000,
    );
    let all = walk.ask().unwrap().unwrap();
    let advice = Advice {
        range: None,
        limit: Some(5),
    };
    assert_eq!(walk.refused(all, advice), Step::Next);
    assert!(walk.ask().is_err());
}

#[test]
fn nonsense_for_advice_is_not_followed() {
    let all = Blocks {
        first: 100,
        last: 199,
    };
    let (first, last) = (100, 149);
    let outside = [(0, u64::MAX), (100, 500), (150, 120), (100, 99), (120, 130)];
    let ranges = outside.map(|(first, last)| Advice {
        range: Some(Blocks { first, last }),
        limit: None,
    });
    let limits = [0, 100, u64::MAX].map(|limit| Advice {
        range: None,
        limit: Some(limit),
    });
    for advice in ranges.into_iter().chain(limits) {
        let mut walk = LogWalk::new(paid_by_alice(), (100, 199), Reach::default(), 10, 1_000);
        assert_eq!(walk.ask(), Ok(Some(all)));
        assert_eq!(walk.refused(all, advice), Step::Next);
        assert_eq!(walk.ask(), Ok(Some(Blocks { first, last })), "{advice:?}");
    }
}

#[test]
fn a_block_that_is_refused_alone_is_read_itself() {
    let ledger = payments([7; 12]);
    let options = EvmServerOptions {
        log_results: Some(5),
        ..EvmServerOptions::default()
    };
    let mut node = Node::new(&ledger, options);
    let found = node.logs(&paid_by_alice(), (1, 50), 100, &mut honest());
    assert_eq!(blocks_of(&found.unwrap().unwrap()), [7; 12]);
}

#[test]
fn an_answer_that_was_cut_off_in_silence_is_asked_for_again_and_the_cap_learned() {
    let ledger = payments((1..=330).map(|block| block * 3));
    let options = EvmServerOptions {
        logs_cut_at: Some(100),
        ..EvmServerOptions::default()
    };
    let mut node = Node::new(&ledger, options);
    let found = node.logs(&paid_by_alice(), (1, TIP), 1_000, &mut honest());
    let found = found.unwrap().unwrap();
    assert_eq!(found.logs.len(), 330);
    assert_eq!(found.learned.cap, Some(100));
}

#[test]
fn a_walk_stops_early_beyond_its_bound() {
    let ledger = payments(1..=900);
    let mut node = Node::new(&ledger, EvmServerOptions::default());
    let found = node.logs(&paid_by_alice(), (1, TIP), 899, &mut honest());
    assert_eq!(found, Ok(None));
    assert_eq!(node.requests, 1);
}

#[test]
fn rows_in_any_order_and_told_twice_are_one_list() {
    let ledger = payments([7, 7, 900, 990]);
    let mut node = Node::new(&ledger, EvmServerOptions::default());
    let mut shuffle = |_: Blocks, rows: &mut Vec<Value>| {
        rows.reverse();
        rows.push(rows[0].clone());
    };
    let found = node.logs(&paid_by_alice(), (1, TIP), 4, &mut shuffle);
    assert_eq!(blocks_of(&found.unwrap().unwrap()), [7, 7, 900, 990]);
}

#[test]
fn no_lie_that_shows_is_believed() {
    type Lie = (&'static str, fn(&mut Vec<Value>));
    let lies: [Lie; 9] = [
        ("outside the range", |rows| {
            rows[0]["blockNumber"] = json!("0xfff1")
        }),
        ("another token", |rows| rows[0]["address"] = json!(EUR)),
        ("another sender", |rows| {
            rows[0]["topics"][1] = json!(CAROL.into_word())
        }),
        ("another event", |rows| {
            rows[0]["topics"][0] = json!(B256::ZERO)
        }),
        ("fewer topics", |rows| {
            rows[0]["topics"] = json!([rows[0]["topics"][0]])
        }),
        ("removed", |rows| rows[0]["removed"] = json!(true)),
        ("two contents", |rows| {
            let mut other = rows[0].clone();
            other["data"] = json!("0x01");
            rows.push(other);
        }),
        ("two hashes of a block", |rows| {
            let mut other = rows[0].clone();
            other["logIndex"] = json!("0x77");
            other["blockHash"] = json!(B256::ZERO);
            rows.push(other);
        }),
        ("a transaction in two blocks", |rows| {
            rows[1]["transactionHash"] = rows[0]["transactionHash"].clone();
        }),
    ];
    let ledger = payments([7, 900, 990]);
    for (name, lie) in lies {
        let mut node = Node::new(&ledger, EvmServerOptions::default());
        let mut mangle = |_: Blocks, rows: &mut Vec<Value>| lie(rows);
        let found = node.logs(&paid_by_alice(), (1, TIP), 10, &mut mangle);
        assert!(found.is_err(), "{name}");
    }
}

#[test]
fn rows_that_vanish_when_asked_for_again_are_a_lie() {
    let ledger = payments((1..=200).map(|block| block * 5));
    let mut node = Node::new(&ledger, EvmServerOptions::default());
    let mut mangle = |blocks: Blocks, rows: &mut Vec<Value>| {
        if blocks.count() < TIP {
            rows.pop();
        }
    };
    let found = node.logs(&paid_by_alice(), (1, TIP), 1_000, &mut mangle);
    assert!(matches!(found, Err(Contradiction::Vanished { .. })));
}

#[test]
fn a_dropped_log_is_seen_by_the_blooms_of_headers_and_by_a_second_endpoint() {
    let ledger = payments([7, 900, 990]);
    let mut node = Node::new(&ledger, EvmServerOptions::default());
    let mut drop_one = |_: Blocks, rows: &mut Vec<Value>| {
        rows.remove(1);
    };
    let filter = paid_by_alice();
    let lied = node.logs(&filter, (1, TIP), 10, &mut drop_one);
    let lied = lied.unwrap().unwrap();
    let told = node.logs(&filter, (1, TIP), 10, &mut honest());
    let told = told.unwrap().unwrap();
    assert_eq!(disagreements(&lied.logs, &told.logs), [900]);
    assert_eq!(disagreements(&told.logs, &told.logs), Vec::<u64>::new());
    let heights = [6, 7, 8, 899, 900, 901, 990];
    let blooms: Vec<(u64, Bloom)> = heights
        .into_iter()
        .map(|height| {
            let params = json!([format!("{height:#x}"), false]);
            let block = node.ask("eth_getBlockByNumber", &params).unwrap();
            let bloom = serde_json::from_value(block["logsBloom"].clone());
            (height, bloom.unwrap())
        })
        .collect();
    let suspected = |logs| suspects(&filter, blooms.iter().map(|(h, b)| (*h, b)), logs);
    assert_eq!(suspected(&lied.logs), [900]);
    assert_eq!(suspected(&told.logs), Vec::<u64>::new());
}

#[test]
fn wrapping_is_asked_for_by_its_own_events() {
    let filter = LogFilter::given(Some(USD), ALICE, true);
    assert_eq!(filter.topics[0].len(), 3);
    let asked = filter.parameters(Blocks { first: 1, last: 9 });
    assert_eq!(asked[0]["topics"][1], json!(ALICE.into_word()));
    assert_eq!(asked[0]["fromBlock"], "0x1");
    let received = LogFilter::received(None, ALICE).parameters(Blocks { first: 1, last: 9 });
    assert_eq!(received[0]["topics"][1], Value::Null);
    assert_eq!(received[0].get("address"), None);
}

/// Alice sends to a splitter that pays Bob and Carol, fails once, and is paid by Bob.
fn splits(times: u64) -> EvmLedger {
    let mut builder = builder();
    for time in 0..times {
        let pays = [BOB, CAROL].map(|to| EvmStep::Ether {
            from: SPLITTER,
            to,
            value: U256::ONE,
        });
        let mut split = EvmSent::call(ALICE, SPLITTER, pays.to_vec());
        split.value = U256::from(2);
        builder.push(10 + time % 900, split.clone());
        split.succeeds = false;
        builder.push(11 + time % 900, split);
        builder.push(12 + time % 900, EvmSent::ether(BOB, ALICE, U256::ONE));
    }
    builder.build().unwrap()
}

fn full() -> EvmServerOptions {
    EvmServerOptions {
        profile: EvmProfile::Full,
        ..EvmServerOptions::default()
    }
}

#[test]
fn traces_tell_what_was_given_and_received() {
    let ledger = splits(1);
    let mut node = Node::new(&ledger, full());
    let given = node.traces(ALICE, Side::From, 100).unwrap();
    let received = node.traces(ALICE, Side::To, 100).unwrap();
    let all = both_sides(given, received);
    let told: Vec<_> = all.iter().map(|t| (t.block, t.gives, t.receives)).collect();
    // The failed one still draws gas.
    assert_eq!(
        told,
        [(10, true, false), (11, true, false), (12, false, true)]
    );
    let carol = node.traces(CAROL, Side::To, 100).unwrap();
    assert_eq!(carol.len(), 1, "not the payment that was reverted");
    assert_eq!(carol[0].block, 10);
}

#[test]
fn traces_are_read_page_by_page_also_where_a_node_ignores_pages() {
    let ledger = splits(1_500);
    let mut node = Node::new(&ledger, full());
    let paged = node.traces(ALICE, Side::From, 10_000).unwrap();
    assert_eq!(paged.len(), 3_000);
    assert_eq!(node.requests, 4);
    assert_eq!(node.traces(ALICE, Side::From, 999), None);
    // A node that shows the first thousand whatever is asked for.
    let mut walk = TraceWalk::new((ALICE, Side::From), (1, TIP), Reach::default(), 10_000, 500);
    while let Some(ask) = walk.ask().unwrap() {
        let first = TraceAsk { after: 0, ..ask };
        let result = node.ask("trace_filter", &walk.parameters(first)).unwrap();
        let step = walk.answered(ask, &traces(&result));
        assert_eq!(step, Ok(Step::Next));
        assert!(node.requests < 50, "the walk does not end");
    }
    assert_eq!(walk.finish().0, paged);
}

fn ots_page(blocks: &[u64]) -> Value {
    let txs: Vec<Value> = blocks
        .iter()
        .map(|block| {
            json!({
                "hash": B256::left_padding_from(&block.to_be_bytes()),
                "blockNumber": format!("{block:#x}"),
                "from": ALICE,
                "value": "0x0",
            })
        })
        .collect();
    json!({ "txs": txs, "receipts": [], "firstPage": true, "lastPage": true })
}

#[test]
fn otterscan_is_walked_to_the_end_whatever_its_flags_say() {
    let mut walk = OtsWalk::new(ALICE, (5, 100), 1_000);
    let pages: [&[u64]; 3] = [&[9, 8, 8, 5], &[60, 20, 11], &[]];
    let mut asked = Vec::new();
    for page in pages {
        asked.push(walk.ask().unwrap()[1].clone());
        let page = serde_json::from_value(ots_page(page)).unwrap();
        walk.answered(&page).unwrap();
    }
    assert_eq!(asked, [json!(4), json!(9), json!(60)]);
    assert_eq!(walk.ask(), None);
    let blocks: Vec<u64> = walk.finish().iter().map(|one| one.block).collect();
    assert_eq!(blocks, [5, 8, 9, 11, 20, 60]);
}

#[test]
fn an_otterscan_that_turns_in_circles_is_left() {
    let mut walk = OtsWalk::new(ALICE, (5, 100), 1_000);
    let page = serde_json::from_value(ots_page(&[9, 8])).unwrap();
    walk.answered(&page).unwrap();
    let again = walk.answered(&page);
    assert!(matches!(again, Err(Contradiction::Page { block: 9, .. })));
}

fn index_row(block: u64, number: u64) -> Value {
    let hash = B256::left_padding_from(&[block.to_be_bytes(), number.to_be_bytes()].concat());
    json!({ "blockNumber": block.to_string(), "hash": hash })
}

/// An index that cuts every list off at `cap` rows.
fn walk_index(rows: &[(u64, u64)], cap: usize, bound: usize) -> (Hints, usize) {
    let mut walk = IndexWalk::new(ALICE, IndexList::Internal, (5, 1_000), bound);
    let mut requests = 0;
    while let Some(query) = walk.ask() {
        requests += 1;
        let start: u64 = query
            .split("startblock=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let served = rows.iter().filter(|(block, _)| *block >= start).take(cap);
        let listed: Vec<Value> = served
            .map(|(block, number)| index_row(*block, *number))
            .collect();
        let (status, message) = if listed.is_empty() {
            ("0", "No transactions found")
        } else {
            ("1", "OK")
        };
        let answer = json!({ "status": status, "message": message, "result": listed });
        walk.answered(serde_json::from_value(answer).unwrap())
            .unwrap();
        assert!(requests < 10_000);
    }
    (walk.finish(), requests)
}

#[test]
fn an_index_is_walked_by_block_windows_whatever_its_pages_hold() {
    let rows: Vec<(u64, u64)> = (5..=1_000)
        .flat_map(|block| [(block, 0), (block, 1)])
        .collect();
    for cap in [7, 100, 1_000, 10_000] {
        let (hints, requests) = walk_index(&rows, cap, 10_000);
        assert_eq!(hints.candidates.len(), rows.len(), "{cap}");
        assert_eq!(hints.cut, Vec::<u64>::new());
        assert!(requests <= 3 + rows.len() / (cap - 2), "{requests}");
    }
}

#[test]
fn a_block_with_more_than_an_index_serves_is_named() {
    let rows: Vec<(u64, u64)> = (0..150)
        .map(|number| (70, number))
        .chain([(90, 0)])
        .collect();
    let (hints, _) = walk_index(&rows, 100, 10_000);
    assert_eq!(hints.candidates.len(), 101);
    assert_eq!(hints.cut, [70]);
}

#[test]
fn an_index_that_says_no_is_not_taken_for_one_that_knows_of_nothing() {
    let refusals = [
        json!({ "status": "0", "message": "NOTOK", "result": "Max rate limit reached" }),
        json!({ "status": "0", "message": "NOTOK", "result": [] }),
        json!({ "status": "1", "message": "OK", "result": null }),
        json!({ "status": "1", "message": "OK", "result": [{ "blockNumber": "x", "hash": B256::ZERO }] }),
    ];
    for refusal in refusals {
        let mut walk = IndexWalk::new(ALICE, IndexList::Transactions, (5, 1_000), 10);
        let outcome = walk.answered(serde_json::from_value(refusal.clone()).unwrap());
        assert!(outcome.is_err(), "{refusal}");
    }
}

#[test]
fn alchemy_is_followed_by_its_cursor_and_not_in_circles() {
    let page = |block: u64, key: Option<&str>| {
        let transfer =
            json!({ "blockNum": format!("{block:#x}"), "hash": B256::ZERO, "value": 0.1 });
        serde_json::from_value(json!({ "transfers": [transfer], "pageKey": key })).unwrap()
    };
    let mut walk = AlchemyWalk::new(ALICE, Side::From, (5, 100), 10);
    walk.answered(page(7, Some("a"))).unwrap();
    assert_eq!(walk.ask(&["external"]).unwrap()[0]["pageKey"], "a");
    let circle = walk.clone().answered(page(8, Some("a")));
    assert!(matches!(circle, Err(Contradiction::Page { .. })));
    let outside = walk.clone().answered(page(4, None));
    assert!(matches!(outside, Err(Contradiction::NotAsked { .. })));
    walk.answered(page(8, None)).unwrap();
    assert_eq!(walk.ask(&["external"]), None);
    let candidates: BTreeSet<Candidate> = walk.finish().candidates.into_iter().collect();
    assert_eq!(candidates.len(), 2);
}
