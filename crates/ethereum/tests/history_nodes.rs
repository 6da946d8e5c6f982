//! On real nodes every way of finding what an account did finds the same, or less in a way that it names.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use hansel_ethereum::decode::{LogLean, flat_traces};
use hansel_ethereum::history::{
    Advice, Batch, Blocks, Contradiction, Explained, FoundLogs, Held, LogFilter, LogPiece, LogWalk,
    NonceHistory, OtsWalk, Probes, Reach, Reply, Side, Span, Step, Touch, TracePiece, TraceWalk,
    WalkError, balance_history, both_sides, nonce_histories, walk_logs, walk_traces,
};
use hansel_ethereum::rpc::Complaint;
use hansel_ledger::{Amount, Coin};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmLedgerBuilder, EvmProfile, EvmRpc, EvmScenario, EvmSent, EvmServer,
    EvmServerOptions, EvmStory, Hardhat, HardhatOptions, RpcError, require_anvil, require_hardhat,
};
use serde_json::{Value, json};

/// Probes of a node, in batches.
fn probes(rpc: EvmRpc, at_once: usize, largest: usize) -> Probes<String> {
    let batch: Batch<String> = Box::new(move |probes| {
        Box::pin(async move {
            let count = probes.len();
            let calls = probes.into_iter().map(|probe| probe.call()).collect();
            let asked = tokio::task::spawn_blocking(move || rpc.batch(calls));
            match asked.await.unwrap() {
                Ok(answers) => answers
                    .iter()
                    .map(|answer| Ok(answer.as_str().unwrap().to_owned()))
                    .collect(),
                Err(error) => vec![Err(error.to_string()); count],
            }
        })
    });
    Probes::new(batch, at_once, largest)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

fn logs(rpc: EvmRpc, filter: &LogFilter, until: u64) -> Result<FoundLogs, WalkError<String>> {
    let walk = LogWalk::new(filter.clone(), (0, until), Reach::default(), 10_000, 10_000);
    let ask = |piece| {
        let answer = match piece {
            LogPiece::Range(blocks) => rpc.call("eth_getLogs", filter.parameters(blocks)),
            LogPiece::Block(height) => block_logs(rpc, height),
        };
        let reply = match answer {
            Ok(rows) => Ok(Reply::Told(
                serde_json::from_value::<Vec<LogLean>>(rows).unwrap(),
            )),
            Err(RpcError::Refused { code, message, .. }) => {
                let complaint = Complaint {
                    code,
                    message,
                    ..Complaint::default()
                };
                match Advice::of(&complaint.kind()) {
                    Some(advice) => Ok(Reply::TooWide(advice)),
                    None => Err(complaint.message),
                }
            }
            Err(other) => panic!("{other}"),
        };
        async { reply }
    };
    runtime().block_on(walk_logs(walk, 4, ask))
}

fn block_logs(rpc: EvmRpc, height: u64) -> Result<Value, RpcError> {
    let receipts = rpc.call("eth_getBlockReceipts", json!([format!("{height:#x}")]))?;
    let receipts = receipts.as_array().unwrap().iter();
    let all = receipts.flat_map(|one| one["logs"].as_array().unwrap().clone());
    Ok(all.collect())
}

fn traces(rpc: EvmRpc, account: Address, until: u64) -> Vec<Touch> {
    let side = |side| {
        let learned = Reach::default();
        let walk = TraceWalk::new((account, side), (0, until), learned, 100_000, 10_000);
        let parameters = walk.clone();
        let ask = |piece| {
            let rows = match piece {
                TracePiece::Range(ask) => rpc.call("trace_filter", parameters.parameters(ask)),
                TracePiece::Block(height) => {
                    rpc.call("trace_block", json!([format!("{height:#x}")]))
                }
            };
            let json = rows.unwrap().to_string();
            let rows = flat_traces(json.as_bytes()).unwrap().unwrap();
            async { Ok::<_, String>(Reply::Told(rows)) }
        };
        runtime().block_on(walk_traces(walk, 4, ask)).unwrap().0
    };
    both_sides(side(Side::From), side(Side::To))
}

fn otterscan(rpc: EvmRpc, account: Address, until: u64) -> BTreeSet<B256> {
    let mut walk = OtsWalk::new(account, (0, until), 100_000);
    while let Some(params) = walk.ask() {
        let page = rpc.call("ots_searchTransactionsAfter", params).unwrap();
        let page = serde_json::from_value(page).unwrap();
        assert_eq!(walk.answered(&page), Ok(Step::Next));
    }
    walk.finish().iter().map(|one| one.tx).collect()
}

fn hashes(story: &EvmStory, account: Address, coin: Coin) -> BTreeSet<B256> {
    story
        .statement(account, coin)
        .map(|deed| deed.hash)
        .collect()
}

/// How an account's holdings of the native coin changed in each block, in what it sent and in all else.
fn native_changes(story: &EvmStory, account: Address) -> BTreeMap<u64, [(U256, U256); 2]> {
    let mut changes: BTreeMap<u64, [(U256, U256); 2]> = BTreeMap::new();
    for deed in story.statement(account, Coin::Native) {
        let own = deed.sender == account;
        let [sent, other] = changes.entry(deed.block).or_default();
        let (received, given) = if own { sent } else { other };
        if own {
            *given += deed.fee;
        }
        for moved in deed
            .movements
            .iter()
            .filter(|moved| moved.coin == Coin::Native)
        {
            if moved.to == account {
                *received += moved.amount;
            }
            if moved.from == account {
                *given += moved.amount;
            }
        }
    }
    changes
}

fn check_tokens(rpc: EvmRpc, story: &EvmStory) {
    for name in ["usd", "gold", "taxed", "weth"] {
        let coin = story.coin(name);
        let token = story.account(name);
        for (who, account) in &story.accounts {
            let filters = [
                LogFilter::given(Some(token), *account, name == "weth"),
                LogFilter::received(Some(token), *account),
            ];
            let found = filters.map(|filter| logs(rpc, &filter, story.tip()).unwrap().logs);
            let told: BTreeSet<B256> = found
                .iter()
                .flatten()
                .filter(|log| !log.data.iter().all(|byte| *byte == 0))
                .map(|log| log.transaction_hash)
                .collect();
            if *account != token {
                assert_eq!(told, hashes(story, *account, coin), "{name} of {who}");
            }
        }
    }
}

fn check_nonces(rpc: EvmRpc, story: &EvmStory) {
    let spans: Vec<Span> = story
        .accounts
        .values()
        .map(|address| Span {
            address: *address,
            since: 0,
            until: story.tip(),
        })
        .collect();
    let probes = probes(rpc, 4, 100);
    let found = runtime().block_on(nonce_histories(&probes, &spans, 10_000));
    let found = found.unwrap();
    for (who, account) in &story.accounts {
        let span = spans.iter().find(|span| span.address == *account).unwrap();
        let NonceHistory::Rises(rises) = &found[span] else {
            panic!("{who}");
        };
        let rises: BTreeMap<u64, u64> = rises.iter().map(|rise| (rise.block, rise.by)).collect();
        let mut sent: BTreeMap<u64, u64> = BTreeMap::new();
        for deed in story.deeds.iter().filter(|deed| deed.sender == *account) {
            *sent.entry(deed.block).or_default() += 1;
        }
        for (block, count) in &sent {
            let risen = rises.get(block).copied().unwrap_or(0);
            assert!(risen >= *count, "{who} in {block}: {risen} of {count}");
        }
        // Contracts create, and delegations are carried by others.
        let more = rises
            .keys()
            .filter(|block| !sent.contains_key(block))
            .count();
        let may = !rpc.code(*account).unwrap().is_empty();
        assert!(more == 0 || may, "{who}: {more} blocks");
    }
}

fn check_balances(rpc: EvmRpc, story: &EvmStory) {
    let probes = probes(rpc, 4, 100);
    let tip = story.tip();
    for (who, account) in &story.accounts {
        let changes = native_changes(story, *account);
        let explained = changes.iter().map(|(block, [(received, given), _])| {
            let (received, given) = (Amount::from(*received), Amount::from(*given));
            (*block, Explained { received, given })
        });
        let held = Held {
            address: *account,
            coin: Coin::Native,
            since: 1,
            until: tip,
        };
        let looks = usize::try_from(2 * tip).unwrap();
        let search = balance_history(&probes, held, explained.collect(), looks, 10_000);
        let history = runtime().block_on(search).unwrap();
        let found: Vec<_> = history
            .unexplained
            .iter()
            .map(|one| (one.block, one.gained, one.amount.to_u256()))
            .collect();
        let mut wanted = Vec::new();
        for (block, [_, (received, given)]) in &changes {
            if received != given {
                let gained = received > given;
                wanted.push((*block, gained, received.abs_diff(*given)));
            }
        }
        assert_eq!(found, wanted, "{who}");
    }
}

fn check_traces(rpc: EvmRpc, story: &EvmStory) {
    for (who, account) in &story.accounts {
        let touched: BTreeSet<B256> = traces(rpc, *account, story.tip())
            .iter()
            .filter_map(|touch| touch.tx)
            .collect();
        let wanted = hashes(story, *account, Coin::Native);
        let missed: Vec<_> = wanted.difference(&touched).collect();
        assert!(missed.is_empty(), "{who}: {missed:?}");
        // What was touched and moved nothing was reverted above.
        let more = touched.difference(&wanted).count();
        assert!(more <= 2, "{who}: {more}");
        let listed = otterscan(rpc, *account, story.tip());
        // Anvil does not list who was left a contract's remains.
        let left: BTreeSet<B256> = story.scene("inheritance").map(|deed| deed.hash).collect();
        let missed: Vec<_> = wanted.difference(&listed).collect();
        assert!(
            missed.iter().all(|tx| left.contains(*tx)),
            "{who}: {missed:?}"
        );
    }
}

#[test]
fn on_anvil_every_way_finds_what_truly_happened() {
    let Some(anvil) = require_anvil() else {
        return;
    };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    check_tokens(*node.rpc(), &story);
    check_nonces(*node.rpc(), &story);
    check_balances(*node.rpc(), &story);
    check_traces(*node.rpc(), &story);
}

#[test]
fn on_hardhat_the_ways_that_it_allows_find_what_truly_happened() {
    let Some(hardhat) = require_hardhat() else {
        return;
    };
    let node = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    check_tokens(*node.rpc(), &story);
    check_nonces(*node.rpc(), &story);
    check_balances(*node.rpc(), &story);
}

fn account(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// A hundred accounts that send one transaction each.
fn crowd() -> EvmLedgerBuilder {
    let mut builder = EvmLedgerBuilder::new(77, 1, 20_000, vec![(0, 1_700_000_000)]);
    for number in 1..=100 {
        builder.fund(account(number), Coin::Native, U256::MAX >> 100);
        let block = 1 + u64::from(number) * 199;
        builder.push(
            block,
            EvmSent::ether(account(number), account(200), U256::ONE),
        );
    }
    builder
}

fn client(server: &EvmServer) -> EvmRpc {
    let port = server.url().rsplit(':').next().unwrap().parse();
    EvmRpc::new(port.unwrap())
}

fn served(options: EvmServerOptions) -> EvmServer {
    EvmServer::start(Arc::new(crowd().build().unwrap()), options).unwrap()
}

fn span(number: u8) -> Span {
    Span {
        address: account(number),
        since: 1,
        until: 20_000,
    }
}

#[test]
fn a_hundred_searches_side_by_side_share_their_requests() {
    let server = served(EvmServerOptions {
        delay: Duration::from_millis(10),
        at_a_time: Some(8),
        ..EvmServerOptions::default()
    });
    let probes = probes(client(&server), 8, 100);
    runtime().block_on(async {
        let searches = (1..=100).map(|number| {
            let probes = probes.clone();
            tokio::spawn(async move {
                let found = nonce_histories(&probes, &[span(number)], 10).await.unwrap();
                let NonceHistory::Rises(rises) = &found[&span(number)] else {
                    panic!("too many");
                };
                assert_eq!(rises.len(), 1);
                assert_eq!(rises[0].block, 1 + u64::from(number) * 199);
            })
        });
        for search in searches.collect::<Vec<_>>() {
            search.await.unwrap();
        }
    });
    assert_eq!(server.refused(), 0);
    assert!(server.peak() <= 8, "{}", server.peak());
    let asked = server.calls()["eth_getTransactionCount"];
    assert!(asked <= 100 * 18, "{asked}");
    // Alone, each search would make 16 requests.
    let requests = server.requests();
    assert!(requests * 4 < asked, "{requests} for {asked}");
}

#[test]
fn a_node_without_old_state_is_a_failure_and_no_silence() {
    let server = served(EvmServerOptions {
        profile: EvmProfile::Pruned { blocks: 100 },
        ..EvmServerOptions::default()
    });
    let probes = probes(client(&server), 8, 100);
    let found = runtime().block_on(nonce_histories(&probes, &[span(7)], 10));
    let Err(WalkError::Endpoint(message)) = found else {
        panic!("{found:?}");
    };
    assert!(message.contains("missing trie node"), "{message}");
}

#[test]
fn answers_that_are_no_numbers_or_too_few_are_not_believed() {
    for lie in ["", "0x", "0xg", "7", "0x-1", "-0x1"] {
        let batch: Batch<String> = Box::new(move |probes| {
            Box::pin(async move { probes.iter().map(|_| Ok(lie.to_owned())).collect() })
        });
        let probes = Probes::new(batch, 8, 100);
        let found = runtime().block_on(nonce_histories(&probes, &[span(7)], 10));
        let expected = Contradiction::NoNumber {
            what: "a nonce",
            block: 0,
        };
        assert_eq!(found, Err(WalkError::Inconsistent(expected)), "{lie}");
    }
    let batch: Batch<String> = Box::new(|_| Box::pin(async { Vec::new() }));
    let probes = Probes::new(batch, 8, 100);
    let found = runtime().block_on(nonce_histories(&probes, &[span(7)], 10));
    assert!(matches!(found, Err(WalkError::Inconsistent(_))));
}

#[test]
fn a_node_that_lacks_the_method_ends_a_walk_with_its_own_words() {
    let server = served(EvmServerOptions {
        without: ["eth_getLogs".to_owned()].into(),
        ..EvmServerOptions::default()
    });
    let filter = LogFilter::received(None, account(7));
    let found = logs(client(&server), &filter, 20_000);
    let Err(WalkError::Endpoint(message)) = found else {
        panic!("{found:?}");
    };
    assert!(message.contains("does not exist"), "{message}");
}

#[test]
fn a_walk_over_a_limited_node_ends_with_every_block_asked_for() {
    let server = served(EvmServerOptions {
        log_blocks: Some(300),
        ..EvmServerOptions::default()
    });
    let filter = LogFilter::received(None, account(7));
    let found = logs(client(&server), &filter, 20_000).unwrap();
    assert_eq!(found.learned.limit, Some(300));
    assert_eq!(server.calls()["eth_getLogs"], 1 + 20_001_u64.div_ceil(300));
    let one = Blocks { first: 5, last: 5 };
    assert_eq!((one.count(), one.halves()), (1, None));
}
