//! Statements of a story that real nodes ran, against what truly happened in it: through traces, through plain
//! archive RPC, and without old state.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use async_trait::async_trait;
use hansel_ethereum::EvmSource;
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Asset, Chain, ChainSource, Coin, EndpointActivity,
    EvmFact, EvmNetwork, EvmQuery, Fact, Family, Gap, Movement, Origin, Query, SourceError,
};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmScenario, EvmStory, Hardhat, HardhatOptions, evm_call, require_anvil,
    require_hardhat,
};
use hansel_wire::{HttpOptions, HttpWire, JsonRpc, Paces, Request, Wire};
use serde_json::json;

/// A wire to a real node that says it does not know some methods, or keeps no state below a height.
struct Lesser {
    wire: HttpWire,
    unknown: &'static [&'static str],
    state_from: u64,
}

#[async_trait]
impl Wire for Lesser {
    fn endpoint(&self) -> &str {
        self.wire.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let Request::Call { method, params } = request else {
            return self.wire.send(request).await;
        };
        if self.unknown.iter().any(|start| method.starts_with(start)) {
            return Ok(refusal(
                -32601,
                "the method does not exist/is not available",
            ));
        }
        let stateful = [
            "eth_getBalance",
            "eth_getTransactionCount",
            "eth_getCode",
            "eth_call",
        ];
        if stateful.contains(&method.as_str()) && height(params) < self.state_from {
            return Ok(refusal(-32000, "missing trie node 5f (path ) <nil>"));
        }
        self.wire.send(request).await
    }

    fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }
}

fn refusal(code: i64, message: &str) -> Vec<u8> {
    let error = serde_json::json!({ "code": code, "message": message });
    let answer = serde_json::json!({ "jsonrpc": "2.0", "id": 1, "error": error });
    answer.to_string().into_bytes()
}

fn height(params: &str) -> u64 {
    let params: Vec<serde_json::Value> = serde_json::from_str(params).unwrap();
    let last = params.last().unwrap().as_str().unwrap();
    u64::from_str_radix(last.trim_start_matches("0x"), 16).unwrap()
}

const NOTHING_LESS: &[&str] = &[];
const NO_FILTER: &[&str] = &["trace_filter"];
const INDEX_ALONE: &[&str] = &["debug_", "trace_"];
const NO_TRACES: &[&str] = &["debug_", "trace_", "ots_"];

fn source(url: &str, story: &EvmStory, unknown: &'static [&'static str], from: u64) -> EvmSource {
    let network = EvmNetwork {
        chain_id: story.chain_id,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(story.account("weth")),
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm {
            ethereum_header: true,
            bridge_receipt: false,
        },
    };
    let chain = Chain::new("story", Family::Evm(Arc::new(network))).unwrap();
    let options = HttpOptions {
        version: JsonRpc::V2,
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&url.parse().unwrap(), options, &Paces::default());
    let wire = Lesser {
        wire: wire.unwrap(),
        unknown,
        state_from: from,
    };
    EvmSource::new(chain, Arc::new(wire)).unwrap()
}

fn statement(source: &EvmSource, address: Address, coin: Coin, until: u64) -> AccountStatement {
    statement_since(source, (address, coin), 0, until)
}

fn statement_since(
    source: &EvmSource,
    (address, coin): (Address, Coin),
    since: u64,
    until: u64,
) -> AccountStatement {
    let query = EvmQuery::Account {
        address,
        coin,
        since,
        until,
        bound: 5_000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let answer = runtime.block_on(source.answer(&Query::Evm(query)));
    let answer = answer.unwrap_or_else(|error| panic!("{address} {coin}: {error}"));
    match answer.fact {
        Fact::Evm(EvmFact::Account(statement)) => statement,
        other => panic!("{other:?}"),
    }
}

/// What the story says of an account and coin: the transactions in which it gave, and what came in others.
struct Truth {
    gave: Vec<B256>,
    came: BTreeMap<B256, Amount>,
}

fn truth(story: &EvmStory, address: Address, coin: Coin) -> Truth {
    let mut truth = Truth {
        gave: Vec::new(),
        came: BTreeMap::new(),
    };
    for deed in &story.deeds {
        let of_coin = || deed.movements.iter().filter(|one| one.coin == coin);
        let pays = coin == Coin::Native && deed.sender == address;
        if pays || of_coin().any(|one| one.from == address) {
            truth.gave.push(deed.hash);
            continue;
        }
        for one in of_coin().filter(|one| one.to == address) {
            let sum = truth.came.entry(deed.hash).or_default();
            *sum = sum.checked_add(one.amount.into()).unwrap();
        }
    }
    truth
}

fn gave(statement: &AccountStatement) -> Vec<B256> {
    statement.transactions.iter().map(|tx| tx.hash).collect()
}

/// Arrivals by transaction, those of no transaction under none.
fn came(statement: &AccountStatement) -> BTreeMap<Option<B256>, Amount> {
    let mut came: BTreeMap<Option<B256>, Amount> = BTreeMap::new();
    for arrival in &statement.arrivals {
        let sum = came.entry(arrival.tx).or_default();
        *sum = sum.checked_add(arrival.amount).unwrap();
    }
    came
}

/// The named accounts with every coin that they held, but for a token's own contract with itself: it stands for
/// what is made and destroyed, which its logs name the zero address for.
fn pools(story: &EvmStory) -> Vec<(Address, Coin)> {
    let named: BTreeSet<Address> = story.accounts.values().copied().collect();
    let counts = |(address, coin): &(Address, Coin)| {
        named.contains(address) && *coin != Coin::Token(*address)
    };
    story.balances.keys().copied().filter(counts).collect()
}

struct Told {
    node: Anvil,
    story: EvmStory,
}

fn told(options: &AnvilOptions) -> Option<Told> {
    let node = Anvil::start(&require_anvil()?, options).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    Some(Told { node, story })
}

/// Contradicts a statement that differs from the story in anything, whatever its coverage says.
fn assert_true(story: &EvmStory, statement: &AccountStatement) {
    let (address, coin) = (statement.address, statement.coin);
    let name = story.accounts.iter().find(|(_, one)| **one == address);
    let who = format!("{:?} {coin}: {:?}", name.unwrap().0, statement.coverage);
    let truth = truth(story, address, coin);
    assert_eq!(gave(statement), truth.gave, "{who}");
    let mut came = came(statement);
    // What the chain was started with comes in no transaction.
    came.remove(&None);
    let told: BTreeMap<_, _> = truth
        .came
        .into_iter()
        .map(|(tx, sum)| (Some(tx), sum))
        .collect();
    assert_eq!(came, told, "{who}");
    let closing = statement.closing.map(Amount::to_u256);
    assert_eq!(closing, Some(story.balance(address, coin)), "{who}");
}

#[test]
fn through_traces_every_statement_of_the_story_is_what_happened() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, NOTHING_LESS, 0);
    let mut incomplete = Vec::new();
    for (address, coin) in pools(&story) {
        let statement = statement(&source, address, coin, story.tip());
        assert_true(&story, &statement);
        if statement.coverage.complete_through != Some(story.tip()) {
            incomplete.push((address, coin, statement.coverage));
        }
    }
    assert!(incomplete.is_empty(), "{incomplete:?}");
}

/// Anvil's index lists neither who was left a contract's remains nor who was paid a withdrawal: balances show both.
#[test]
fn through_otterscans_index_every_statement_of_the_story_is_what_happened() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, NO_FILTER, 0);
    for (address, coin) in pools(&story) {
        let statement = statement(&source, address, coin, story.tip());
        assert_true(&story, &statement);
        let whole = statement.coverage.complete_through == Some(story.tip());
        assert!(whole, "{address} {coin}: {:?}", statement.coverage);
    }
}

#[test]
fn an_index_without_traces_or_old_state_tells_what_is_true_and_names_its_gaps() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, INDEX_ALONE, story.tip());
    for (address, coin) in pools(&story) {
        let told = statement_since(&source, (address, coin), 1, story.tip());
        assert_eq!(told.coverage.complete_through, None, "{address} {coin}");
        if coin == Coin::Native {
            let truth: BTreeSet<B256> = truth(&story, address, coin).gave.into_iter().collect();
            let told: BTreeSet<B256> = gave(&told).into_iter().collect();
            assert!(told.is_subset(&truth), "{address}");
            let sent = story.deeds.iter().filter(|deed| deed.sender == address);
            for deed in sent {
                assert!(told.contains(&deed.hash), "{address} sent {}", deed.hash);
            }
        }
    }
}

#[test]
fn an_account_abstracted_pays_for_itself_and_its_bundler_gets_the_gas_back() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, NOTHING_LESS, 0);
    let (smart, bundler) = (story.account("smart"), story.account("operator"));
    let tip = story.tip();
    let ether = statement(&source, smart, Coin::Native, tip);
    let usd = statement(&source, smart, story.coin("usd"), tip);
    assert_eq!(ether.nature, AccountNature::Contract);
    assert_eq!(gave(&ether), gave(&usd));
    let [operation] = &ether.transactions[..] else {
        panic!("{:?}", ether.transactions);
    };
    assert_eq!(operation.sender, bundler);
    let given: Vec<_> = operation
        .movements
        .iter()
        .filter(|one| one.from == smart)
        .map(|one| (one.to, one.coin, one.amount.to_u256()))
        .collect();
    let cent = U256::from(10_000_000_000_000_000_u64);
    let (entry, payee) = (story.account("entry-point"), story.account("beneficiary"));
    let paid = [
        (entry, Coin::Native, cent),
        (entry, Coin::Native, cent * U256::from(2)),
        (payee, Coin::Native, cent * U256::from(300)),
        (payee, story.coin("usd"), U256::from(600_000_000)),
    ];
    assert_eq!(given, paid);
    // What the operation that failed would have paid is not there, what its account paid for gas is.
    let returned = |one: &&Movement| one.to == bundler && one.coin == Coin::Native;
    let returned: Vec<_> = operation.movements.iter().filter(returned).collect();
    assert_eq!(returned.len(), 1);
    assert_eq!(returned[0].from, entry);
    assert_eq!(returned[0].amount.to_u256(), cent * U256::from(4));
    let deed = story.deeds.iter().find(|deed| deed.hash == operation.hash);
    assert_eq!(operation.fee.to_u256(), deed.unwrap().fee);
    let bundlers = statement(&source, bundler, Coin::Native, tip);
    assert!(gave(&bundlers).contains(&operation.hash));
}

/// What is made and destroyed is neither given nor received by the token's contract; what people send it by mistake,
/// and liquidity on its way to be destroyed, is.
#[test]
fn a_tokens_contract_holds_of_its_own_token_what_it_was_sent_and_nothing_else() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let rpc = node.rpc();
    let (usd, thief) = (story.account("usd"), story.account("thief"));
    let data = evm_call("transfer(address,uint256)", (usd, U256::from(7)));
    rpc.impersonate(thief).unwrap();
    let mistake = rpc.send(json!({"from": thief, "to": usd, "data": data}));
    rpc.mine().unwrap();
    let tip = rpc.block_number().unwrap();
    for unknown in [NOTHING_LESS, NO_TRACES] {
        let source = source(&node.url(), &story, unknown, 0);
        for name in ["usd", "gold", "weth", "usd-pair", "gold-pair"] {
            let token = story.account(name);
            let told = statement(&source, token, Coin::Token(token), tip);
            assert_eq!(
                told.coverage.complete_through,
                Some(tip),
                "{name}: {:?}",
                told.coverage
            );
            let truly = rpc.token_balance(token, token, Some(tip)).unwrap();
            assert_eq!(told.closing, Some(truly.into()), "{name}");
            let movements = told.transactions.iter().flat_map(|tx| &tx.movements);
            let own = movements.filter(|one| one.coin == Coin::Token(token));
            let (mut came, mut left) = (U256::ZERO, U256::ZERO);
            for one in own {
                came += if one.to == token {
                    one.amount.to_u256()
                } else {
                    U256::ZERO
                };
                left += if one.from == token {
                    one.amount.to_u256()
                } else {
                    U256::ZERO
                };
            }
            let arrived = told.arrivals.iter().map(|one| one.amount.to_u256());
            came += arrived.sum::<U256>();
            assert_eq!(came - left, truly, "{name}");
        }
        let told = statement(&source, usd, Coin::Token(usd), tip);
        assert!(told.transactions.is_empty());
        assert_eq!(
            came(&told),
            BTreeMap::from([(Some(*mistake.as_ref().unwrap()), Amount::from(7_u64))])
        );
        let pair = story.account("usd-pair");
        let told = statement(&source, pair, Coin::Token(pair), tip);
        assert!(!told.transactions.is_empty() || !told.arrivals.is_empty());
    }
}

#[test]
fn without_traces_statements_differ_only_in_what_their_gaps_name() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, NO_TRACES, 0);
    for (address, coin) in pools(&story) {
        let statement = statement(&source, address, coin, story.tip());
        let plain = statement.coverage.gaps.iter().all(|gap| !decisive(gap));
        let external = statement.nature == AccountNature::External;
        if matches!(coin, Coin::Token(_)) {
            assert_true(&story, &statement);
        } else if external && plain {
            assert_bisected(&story, &statement);
        } else {
            // Contracts can move ether in and out between two balances: that is said.
            assert!(!plain, "{address} {coin}");
        }
    }
}

fn decisive(gap: &Gap) -> bool {
    !matches!(gap, Gap::NoTraces { .. })
}

/// Transactions are the same; arrivals have the same sums in each block, their origin may be unknown.
fn assert_bisected(story: &EvmStory, statement: &AccountStatement) {
    let truth = truth(story, statement.address, statement.coin);
    assert_eq!(gave(statement), truth.gave);
    let balance = story.balance(statement.address, statement.coin);
    assert_eq!(statement.closing, Some(balance.into()));
    let unexplained = statement.arrivals.iter().filter(|arrival| {
        arrival.origin == Origin::Unexplained && arrival.placement.block.height > 0
    });
    let named = statement.coverage.gaps.iter().any(|gap| !decisive(gap));
    assert!(named || unexplained.count() == 0);
    for arrival in &statement.arrivals {
        if let (Some(tx), Origin::Call(_)) = (arrival.tx, &arrival.origin) {
            assert_eq!(truth.came.get(&tx), Some(&arrival.amount));
        }
    }
}

#[test]
fn without_old_state_what_is_told_is_true_and_the_gaps_are_named() {
    let Some(Told { node, story }) = told(&AnvilOptions::default()) else {
        return;
    };
    let source = source(&node.url(), &story, NO_TRACES, story.tip());
    let since = 1;
    for (address, coin) in pools(&story) {
        let statement = statement_since(&source, (address, coin), since, story.tip());
        assert_eq!(statement.opening, None);
        let no_state = Gap::NoState { block: since - 1 };
        assert!(statement.coverage.gaps.contains(&no_state));
        assert_eq!(statement.coverage.complete_through, None);
        let truth = truth(&story, address, coin);
        let told: BTreeSet<B256> = gave(&statement).into_iter().collect();
        let true_ones: BTreeSet<B256> = truth.gave.iter().copied().collect();
        if matches!(coin, Coin::Token(_)) {
            // Forged logs cannot be told from others without balances.
            assert!(told.is_superset(&true_ones), "{address} {coin}");
        } else {
            assert!(told.is_subset(&true_ones), "{address} {coin}");
            let sent = |deed: &&hansel_testkit::EvmDeed| deed.sender == address;
            for deed in story.deeds.iter().filter(sent) {
                assert!(told.contains(&deed.hash), "{address} sent {}", deed.hash);
            }
        }
    }
}

#[test]
fn a_second_client_without_traces_tells_the_same() {
    let (Some(Told { node, story }), Some(hardhat)) =
        (told(&AnvilOptions::default()), require_hardhat())
    else {
        return;
    };
    let hardhat = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    let same = EvmScenario::small().play(hardhat.rpc()).unwrap();
    let one = source(&node.url(), &story, NO_TRACES, 0);
    let other = source(&hardhat.rpc().url(), &same, NOTHING_LESS, 0);
    for name in ["thief", "relay1", "victim", "quiet", "deposit", "heir"] {
        for coin in [Coin::Native, story.coin("usd")] {
            let told = [&one, &other].map(|source| {
                let told = statement(source, story.account(name), coin, story.tip());
                (
                    gave(&told),
                    came(&told),
                    told.closing,
                    told.nature,
                    told.noise,
                )
            });
            assert_eq!(told[0], told[1], "{name} {coin}");
        }
    }
}
