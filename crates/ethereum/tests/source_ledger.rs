//! Statements of a chain in memory, through endpoints that offer more and less.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256, address};
use hansel_ethereum::EvmSource;
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, Asset, Chain, ChainSource, Coin, Deposits, ErrorClass,
    EvmFact, EvmNetwork, EvmQuery, EvmTransaction, Fact, Family, Gap, Origin, Query, SourceError,
};
use hansel_testkit::{
    EVM_GAS_PRICE, EvmLedger, EvmLedgerBuilder, EvmProfile, EvmSent, EvmServer, EvmServerOptions,
    EvmStep, EvmToken,
};
use hansel_wire::{HttpOptions, HttpWire, JsonRpc, Paces};

const USD: Address = address!("00000000000000000000000000000000000000d0");
const SPLITTER: Address = address!("00000000000000000000000000000000000000c0");
const ALICE: Address = address!("00000000000000000000000000000000000000a1");
const BOB: Address = address!("00000000000000000000000000000000000000b1");
const CAROL: Address = address!("00000000000000000000000000000000000000c1");
const FIRST: u64 = 1_000;
const TIP: u64 = 1_200;
const CHAIN_ID: u64 = 77;

fn ether(amount: u64) -> U256 {
    U256::from(amount) * U256::from(1_000_000_000_000_000_000_u64)
}

fn usd(amount: u64) -> U256 {
    U256::from(amount * 1_000_000)
}

fn hash(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

fn builder() -> EvmLedgerBuilder {
    let mut builder = EvmLedgerBuilder::new(CHAIN_ID, FIRST, TIP, vec![(1_000, 1_700_000_000)]);
    builder.token(EvmToken {
        contract: USD,
        symbol: "USD".into(),
        decimals: 6,
    });
    builder.contract(SPLITTER);
    for account in [ALICE, BOB, CAROL] {
        builder.fund(account, Coin::Native, ether(10));
    }
    builder.fund(ALICE, Coin::Token(USD), usd(100));
    builder
}

/// Alice pays Bob 60 and Carol 5 in tokens; a splitter gives Bob and Carol an ether each of hers; a split fails;
/// Bob passes 20 tokens on and pays Carol 3 ether; somebody has nothing logged in Bob's name.
fn builder_of_scenario() -> EvmLedgerBuilder {
    let mut builder = builder();
    builder.push(
        1_010,
        EvmSent::token(USD, ALICE, BOB, usd(60)).hashed(hash(1)),
    );
    builder.push(
        1_010,
        EvmSent::token(USD, ALICE, CAROL, usd(5)).hashed(hash(2)),
    );
    let halves = [BOB, CAROL].map(|to| EvmStep::Ether {
        from: SPLITTER,
        to,
        value: ether(1),
    });
    let mut split = EvmSent::call(ALICE, SPLITTER, halves.to_vec());
    split.value = ether(2);
    builder.push(1_050, split.clone().hashed(hash(3)));
    split.succeeds = false;
    builder.push(1_060, split.hashed(hash(4)));
    builder.push(
        1_100,
        EvmSent::token(USD, BOB, CAROL, usd(20)).hashed(hash(5)),
    );
    builder.push(1_110, EvmSent::ether(BOB, CAROL, ether(3)).hashed(hash(6)));
    let nothing = EvmStep::Token {
        contract: USD,
        from: BOB,
        to: ALICE,
        amount: U256::ZERO,
    };
    builder.push(
        1_120,
        EvmSent::call(CAROL, USD, vec![nothing]).hashed(hash(7)),
    );
    builder
}

struct Served {
    server: EvmServer,
    source: EvmSource,
}

fn chain(chain_id: u64) -> Chain {
    let network = EvmNetwork {
        chain_id,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: None,
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm {
            ethereum_header: true,
            bridge_receipt: false,
        },
    };
    Chain::new("memory", Family::Evm(Arc::new(network))).unwrap()
}

fn source_at(url: &str, chain_id: u64) -> EvmSource {
    let options = HttpOptions {
        version: JsonRpc::V2,
        ..HttpOptions::default()
    };
    let wire = HttpWire::new(&url.parse().unwrap(), options, &Paces::default());
    EvmSource::new(chain(chain_id), Arc::new(wire.unwrap())).unwrap()
}

fn serve(ledger: &Arc<EvmLedger>, options: EvmServerOptions) -> Served {
    let server = EvmServer::start(Arc::clone(ledger), options).unwrap();
    let source = source_at(&server.url(), CHAIN_ID);
    Served { server, source }
}

fn profile(profile: EvmProfile) -> EvmServerOptions {
    EvmServerOptions {
        profile,
        ..EvmServerOptions::default()
    }
}

/// All that an endpoint may do without traces: plain archive RPC, without receipts of blocks.
fn plain() -> EvmServerOptions {
    EvmServerOptions {
        without: BTreeSet::from(["eth_getBlockReceipts".to_owned()]),
        ..profile(EvmProfile::Archive)
    }
}

impl Served {
    fn ask(&self, query: EvmQuery) -> Result<EvmFact, SourceError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(self.source.answer(&Query::Evm(query)))?;
        assert!(!answer.evidence.is_empty());
        match answer.fact {
            Fact::Evm(fact) => Ok(fact),
            other => panic!("{other:?}"),
        }
    }

    fn statement(&self, address: Address, coin: Coin) -> AccountStatement {
        self.bounded(address, coin, 1_000)
    }

    fn bounded(&self, address: Address, coin: Coin, bound: u64) -> AccountStatement {
        let query = EvmQuery::Account {
            address,
            coin,
            since: FIRST,
            until: TIP,
            bound,
        };
        match self.ask(query).unwrap() {
            EvmFact::Account(statement) => statement,
            other => panic!("{other:?}"),
        }
    }

    fn deposits(&self, address: Address) -> Deposits {
        let query = EvmQuery::Deposits {
            address,
            since: FIRST,
            until: TIP,
        };
        match self.ask(query).unwrap() {
            EvmFact::Deposits(deposits) => deposits,
            other => panic!("{other:?}"),
        }
    }

    fn transaction(&self, hash: B256) -> Result<EvmTransaction, SourceError> {
        match self.ask(EvmQuery::Transaction { hash })? {
            EvmFact::Transaction(tx) => Ok(tx),
            other => panic!("{other:?}"),
        }
    }
}

fn hashes(statement: &AccountStatement) -> Vec<B256> {
    statement.transactions.iter().map(|tx| tx.hash).collect()
}

fn arrivals(statement: &AccountStatement) -> Vec<(Option<B256>, Amount)> {
    let all = statement.arrivals.iter();
    all.map(|arrival| (arrival.tx, arrival.amount)).collect()
}

#[test]
fn a_token_statement_balances_and_is_the_same_through_every_endpoint() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    for options in [
        profile(EvmProfile::Full),
        profile(EvmProfile::Archive),
        plain(),
    ] {
        let served = serve(&ledger, options);
        let bob = served.statement(BOB, Coin::Token(USD));
        assert_eq!(hashes(&bob), [hash(5)]);
        assert_eq!(arrivals(&bob), [(Some(hash(1)), Amount::from(usd(60)))]);
        assert_eq!(bob.arrivals[0].from, Some(ALICE));
        assert_eq!(bob.opening, Some(Amount::ZERO));
        assert_eq!(bob.closing, Some(Amount::from(usd(40))));
        assert_eq!(bob.noise.zero_value, 1);
        assert_eq!(bob.nature, AccountNature::External);
        assert_eq!(bob.coverage.complete_through, Some(TIP));
    }
}

#[test]
fn a_native_statement_by_traces_names_every_call_and_has_no_gap() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    let served = serve(&ledger, profile(EvmProfile::Full));
    let alice = served.statement(ALICE, Coin::Native);
    assert_eq!(hashes(&alice), [hash(1), hash(2), hash(3), hash(4)]);
    assert!(!alice.transactions[3].succeeded && alice.transactions[3].movements.is_empty());
    let bob = served.statement(BOB, Coin::Native);
    assert_eq!(hashes(&bob), [hash(5), hash(6)]);
    assert_eq!(arrivals(&bob), [(Some(hash(3)), Amount::from(ether(1)))]);
    assert_eq!(bob.arrivals[0].origin, Origin::Call(vec![0, 0]));
    assert_eq!(bob.arrivals[0].from, Some(SPLITTER));
    for statement in [alice, bob] {
        assert_eq!(statement.coverage.gaps, []);
        assert_eq!(statement.coverage.complete_through, Some(TIP));
    }
}

#[test]
fn without_traces_bisection_finds_the_same_and_names_what_it_does_not_know() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    for options in [profile(EvmProfile::Archive), plain()] {
        let served = serve(&ledger, options);
        let bob = served.statement(BOB, Coin::Native);
        assert_eq!(hashes(&bob), [hash(5), hash(6)]);
        // The block holds one transaction only, so it is known which one brought the ether, but not from whom.
        assert_eq!(arrivals(&bob), [(Some(hash(3)), Amount::from(ether(1)))]);
        assert_eq!(bob.arrivals[0].origin, Origin::Unexplained);
        assert_eq!(bob.arrivals[0].from, None);
        // The arrival and the token payment, in which the token might have moved ether.
        assert_eq!(bob.coverage.gaps, [Gap::NoTraces { transactions: 2 }]);
        let gas = U256::from((65_000 + 21_000) * EVM_GAS_PRICE);
        assert_eq!(bob.closing, Some(Amount::from(ether(8) - gas)));
    }
}

#[test]
fn without_state_blocks_are_read_and_what_is_not_known_is_named() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    let served = serve(&ledger, profile(EvmProfile::Pruned { blocks: 10 }));
    let tokens = served.statement(BOB, Coin::Token(USD));
    assert_eq!(hashes(&tokens), [hash(5)]);
    assert_eq!(arrivals(&tokens), [(Some(hash(1)), Amount::from(usd(60)))]);
    assert_eq!(
        (tokens.opening, tokens.closing),
        (None, Some(Amount::from(usd(40))))
    );
    assert!(
        tokens
            .coverage
            .gaps
            .contains(&Gap::NoState { block: FIRST - 1 })
    );
    assert_eq!(tokens.coverage.complete_through, None);
    let native = served.statement(BOB, Coin::Native);
    assert_eq!(hashes(&native), [hash(5), hash(6)]);
    assert_eq!(arrivals(&native), []);
    let kinds: Vec<&str> = native.coverage.gaps.iter().map(Gap::kind).collect();
    assert_eq!(kinds, ["no-state", "no-traces", "history-unknown"]);
}

#[test]
fn more_transfers_than_the_bound_are_a_hub_and_no_entries() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    for options in [profile(EvmProfile::Full), plain()] {
        let served = serve(&ledger, options);
        for (coin, bound) in [(Coin::Native, 2), (Coin::Token(USD), 1), (Coin::Native, 0)] {
            let bob = served.bounded(BOB, coin, bound);
            assert_eq!(bob.coverage.gaps, [Gap::Hub { bound }]);
            assert!(bob.transactions.is_empty() && bob.arrivals.is_empty());
        }
        let bob = served.bounded(BOB, Coin::Native, 3);
        assert_eq!(bob.transactions.len() + bob.arrivals.len(), 3);
    }
}

#[test]
fn deposits_hold_every_coin_that_arrived() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    let served = serve(&ledger, profile(EvmProfile::Full));
    let carol = served.deposits(CAROL);
    let told: Vec<_> = carol
        .arrivals
        .iter()
        .map(|arrival| (arrival.tx, arrival.coin, arrival.amount))
        .collect();
    let expected = [
        (Some(hash(2)), Coin::Token(USD), Amount::from(usd(5))),
        (Some(hash(3)), Coin::Native, Amount::from(ether(1))),
        (Some(hash(5)), Coin::Token(USD), Amount::from(usd(20))),
        (Some(hash(6)), Coin::Native, Amount::from(ether(3))),
    ];
    assert_eq!(told, expected);
    assert_eq!(carol.coverage.complete_through, Some(TIP));
}

#[test]
fn a_forged_log_is_dropped_and_counted_where_balances_can_be_asked_for() {
    let mut builder = builder_of_scenario();
    let forged = EvmStep::Forged {
        contract: USD,
        from: BOB,
        to: CAROL,
        amount: usd(7),
    };
    builder.push(
        1_130,
        EvmSent::call(CAROL, USD, vec![forged]).hashed(hash(8)),
    );
    let ledger = Arc::new(builder.build().unwrap());
    for options in [profile(EvmProfile::Full), plain()] {
        let served = serve(&ledger, options);
        let bob = served.statement(BOB, Coin::Token(USD));
        assert_eq!(hashes(&bob), [hash(5)]);
        assert_eq!(bob.noise.forged, 1);
        assert_eq!(bob.coverage.complete_through, Some(TIP));
        let carol = served.statement(CAROL, Coin::Token(USD));
        assert_eq!(carol.noise.forged, 1);
        assert_eq!(arrivals(&carol).len(), 2);
    }
}

#[test]
fn an_unknown_transaction_is_not_found_and_another_chain_is_refused() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    let served = serve(&ledger, profile(EvmProfile::Full));
    assert_eq!(served.transaction(hash(1)).unwrap().hash, hash(1));
    let unknown = served.transaction(hash(0xee)).unwrap_err();
    assert_eq!(unknown.class, ErrorClass::NotFound);
    let other = Served {
        source: source_at(&served.server.url(), CHAIN_ID + 1),
        server: served.server,
    };
    let wrong = other.transaction(hash(1)).unwrap_err();
    assert_eq!(wrong.class, ErrorClass::Inconsistent);
    assert!(wrong.detail.contains("id 77"), "{}", wrong.detail);
}

#[test]
fn a_log_that_was_left_out_is_found_by_the_balance_or_named_as_unexplained() {
    let ledger = Arc::new(builder_of_scenario().build().unwrap());
    let cut = |options: EvmServerOptions| EvmServerOptions {
        logs_cut_at: Some(1),
        ..options
    };
    // The receipts of the block, which its header vouches for, hold what `eth_getLogs` left out.
    let served = serve(&ledger, cut(profile(EvmProfile::Archive)));
    let alice = served.statement(ALICE, Coin::Token(USD));
    assert_eq!(hashes(&alice), [hash(1), hash(2)]);
    assert_eq!(alice.coverage.complete_through, Some(TIP));
    let served = serve(&ledger, cut(plain()));
    let alice = served.statement(ALICE, Coin::Token(USD));
    let missing = Gap::Unexplained {
        since: 1_010,
        until: 1_010,
        gained: false,
        amount: Amount::from(usd(5)),
    };
    assert!(
        alice.coverage.gaps.contains(&missing),
        "{:?}",
        alice.coverage
    );
    assert_eq!(alice.coverage.complete_through, Some(1_009));
}
