//! Bitcoin Core and electrs, real ones, told the same story: every way of asking gives the same facts.

#![expect(
    clippy::unwrap_used,
    reason = "where a node cannot be asked the test has failed"
)]

mod core_nodes;

use std::sync::atomic::Ordering;

use bitcoin::Txid;
use bitcoin::hashes::Hash;
use core_nodes::{NodeWire, Nodes, Trap, agreed, chain, height, spend, state, transaction};
use hansel_bitcoin::CoreSource;
use hansel_ledger::{Chain, ChainSource, ErrorClass, Fact, Placement, Query, SpendState};
use hansel_testkit::Payee;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_endpoint_gives_the_same_facts() {
    let Some(nodes) = Nodes::start(0) else { return };
    everything_agrees(&nodes).await;
}

/// The newest hundred blocks are read without filters, so the story must lie deeper for them to be used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_below_a_hundred_blocks_are_the_same_as_well() {
    let Some(nodes) = Nodes::start(130) else {
        return;
    };
    everything_agrees(&nodes).await;
}

async fn everything_agrees(nodes: &Nodes) {
    let sources = nodes.sources();
    let tip = nodes.scenario.height;
    for source in sources.values() {
        assert_eq!(source.tip().await, sources["every index"].tip().await);
        assert_eq!(
            source.block_at(105).await,
            sources["every index"].block_at(105).await
        );
        let above = source.block_at(tip + 1).await;
        let above = above.unwrap_err();
        assert_eq!(above.class, ErrorClass::NotFound, "{above}");
    }
    for txid in nodes.transactions() {
        let unaided = agreed(&sources, &transaction(txid, None)).await.unwrap();
        let place = height(&unaided);
        assert_eq!(place.is_none(), txid == nodes.scenario.unconfirmed);
        let aided = agreed(&sources, &transaction(txid, place)).await.unwrap();
        let misled = agreed(&sources, &transaction(txid, Some(5))).await;
        assert_eq!((&aided, &misled.unwrap()), (&unaided, &unaided));
        for as_of in [tip, place.map_or(tip, |place| place + 1)] {
            let query = nodes.spends(txid, place, as_of.min(tip));
            let known = agreed(&sources, &query).await.unwrap();
            let query = nodes.spends(txid, None, as_of.min(tip));
            assert_eq!(agreed(&sources, &query).await.unwrap(), known);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_facts_are_those_of_the_chain() {
    let Some(nodes) = Nodes::start(0) else { return };
    let sources = nodes.sources();
    let s = &nodes.scenario;
    let fact = async |query: Query| agreed(&sources, &query).await.unwrap();
    let place = async |txid| height(&fact(transaction(txid, None)).await).unwrap();
    let all = async |txid| fact(nodes.spends(txid, None, s.height)).await;
    let spent = |by, height| SpendState::Spent { by, height };

    let theft = all(s.theft).await;
    assert_eq!(state(&theft, 0), spent(s.peels[0], place(s.peels[0]).await));
    assert_eq!(state(&theft, 1), spent(s.split, place(s.split).await));
    assert_eq!(state(&theft, 2), SpendState::Unspent);
    let same_block = place(s.peels[4]).await;
    assert_eq!(
        state(&all(s.peels[4]).await, 1),
        spent(s.peels[5], same_block)
    );
    assert_eq!(
        state(&all(s.parent).await, 0),
        spent(s.child, place(s.parent).await)
    );
    let by = s.unconfirmed;
    assert_eq!(
        state(&all(s.peels[7]).await, 1),
        SpendState::SpentUnconfirmed { by }
    );
    assert_eq!(state(&all(s.burn).await, 0), SpendState::Unspent);
    let split = all(s.split).await;
    assert_eq!(
        state(&split, 7),
        spent(s.replacement, place(s.replacement).await)
    );
    assert_eq!(state(&split, 10), SpendState::Unspent);
    let replaced = agreed(&sources, &transaction(s.replaced, None)).await;
    assert_eq!(replaced, Err(ErrorClass::NotFound));
    let nothing = agreed(&sources, &transaction(Txid::all_zeros(), None)).await;
    assert_eq!(nothing, Err(ErrorClass::NotFound));

    let before = place(s.peels[3]).await - 1;
    let early = fact(nodes.spends(s.peels[2], None, before)).await;
    assert_eq!(state(&early, 1), SpendState::Unspent);
    let Fact::Transaction(pending) = fact(transaction(by, None)).await else {
        panic!("a transaction was asked for")
    };
    assert_eq!(pending.placement, Placement::Unconfirmed);
    assert_eq!(pending.unknown_inputs(), 0);
    assert!(pending.fee().is_some());

    let coinbase = fact(transaction(s.coinbase.txid, Some(2))).await;
    assert_eq!(height(&coinbase), Some(2));
    let script = nodes.regtest.script(Payee::Segwit(1));
    let query = spend(s.coinbase, script.clone(), Some(2), s.height);
    let merged = place(s.coinbase_merge).await;
    assert_eq!(
        state(&fact(query).await, 0),
        spent(s.coinbase_merge, merged)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_script_received_is_the_same_everywhere() {
    let Some(nodes) = Nodes::start(110) else {
        return;
    };
    let sources = nodes.sources();
    let height = nodes.scenario.height;
    let received = async |payee, since, as_of| {
        let script = nodes.regtest.script(payee);
        let query = Query::Received {
            script,
            since,
            as_of,
        };
        let Fact::Received(payments) = agreed(&sources, &query).await.unwrap() else {
            panic!("payments were asked for")
        };
        payments
    };
    let miner = received(Payee::Segwit(1), 0, height).await;
    assert!(miner.len() > 3, "{miner:?}");
    assert!(miner.is_sorted_by_key(|(outpoint, height)| (*height, *outpoint)));
    let (last, newest) = *miner.last().unwrap();
    assert_eq!(
        received(Payee::Segwit(1), newest, height).await,
        [(last, newest)]
    );
    let older = received(Payee::Segwit(1), 0, newest - 1).await;
    assert_eq!(older.len(), miner.len() - 1);
    let nobody = received(Payee::Segwit(999), 0, height).await;
    assert!(nobody.is_empty());
    let pending = received(Payee::Segwit(80), 0, height).await;
    assert!(pending.is_empty(), "an unconfirmed payment is none yet");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reading_of_the_blocks_answers_a_whole_descent() {
    let Some(nodes) = Nodes::start(0) else { return };
    for (node, rest) in [(&nodes.plain, true), (&nodes.plain, false)] {
        let wire = NodeWire::new(node, rest);
        let source = CoreSource::new(chain(), wire.clone());
        let as_of = nodes.scenario.height;
        let height_of = async |txid| {
            let answer = source.answer(&transaction(txid, None)).await.unwrap();
            height(&answer.fact)
        };
        let theft = nodes.scenario.theft;
        let start = height_of(theft).await;
        wire.blocks.store(0, Ordering::Relaxed);
        let query = nodes.spends(theft, start, as_of);
        source.answer(&query).await.unwrap();
        let once = as_of - start.unwrap() + 1;
        assert_eq!(wire.blocks.load(Ordering::Relaxed), once);
        for peel in &nodes.scenario.peels {
            let query = nodes.spends(*peel, height_of(*peel).await, as_of);
            let answer = source.answer(&query).await.unwrap();
            assert_ne!(state(&answer.fact, 1), SpendState::Unspent);
        }
        assert_eq!(wire.blocks.load(Ordering::Relaxed), once);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_asked_together_share_one_reading() {
    let Some(nodes) = Nodes::start(0) else { return };
    let wire = NodeWire::new(&nodes.plain, true);
    let source = CoreSource::new(chain(), wire.clone());
    let as_of = nodes.scenario.height;
    let queries: Vec<Query> = nodes.scenario.peels[..4]
        .iter()
        .zip(0..)
        .map(|(peel, _step)| nodes.spends(*peel, None, as_of))
        .collect();
    let first = source
        .answer(&transaction(nodes.scenario.peels[0], None))
        .await
        .unwrap();
    for peel in &nodes.scenario.peels[1..4] {
        source.answer(&transaction(*peel, None)).await.unwrap();
    }
    wire.blocks.store(0, Ordering::Relaxed);
    let answers = futures::future::join_all(queries.iter().map(|query| source.answer(query))).await;
    assert!(answers.iter().all(Result::is_ok));
    let once = as_of - height(&first.fact).unwrap() + 1;
    assert_eq!(wire.blocks.load(Ordering::Relaxed), once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_height_is_noticed_and_not_taken_for_unspent() {
    let Some(nodes) = Nodes::start(0) else { return };
    let source = CoreSource::new(chain(), NodeWire::new(&nodes.plain, true));
    let as_of = nodes.scenario.height;
    let query = nodes.spends(nodes.scenario.theft, Some(as_of - 1), as_of);
    for _ in 0..2 {
        let error = source.answer(&query).await.unwrap_err();
        assert_eq!(error.class, ErrorClass::Inconsistent, "{error}");
    }
    let query = nodes.spends(nodes.scenario.theft, None, as_of);
    let answer = source.answer(&query).await.unwrap();
    assert_ne!(state(&answer.fact, 0), SpendState::Unspent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_reorganisation_all_follow_the_new_chain() {
    let Some(mut nodes) = Nodes::start(0) else {
        return;
    };
    let sources = nodes.sources();
    let moved = nodes.scenario.coinbase_merge;
    let before = agreed(&sources, &transaction(moved, None)).await.unwrap();
    let at = height(&before).unwrap();
    let split = nodes.scenario.split;
    let query = nodes.spends(split, None, nodes.scenario.height);
    let spent = agreed(&sources, &query).await.unwrap();
    let by = moved;
    assert_eq!(state(&spent, 8), SpendState::Spent { by, height: at });

    let block = sources["every index"].block_at(at).await.unwrap().hash;
    for node in [&nodes.filtered, &nodes.plain] {
        let params = serde_json::json!([block]);
        node.call("invalidateblock", params).unwrap();
    }
    nodes.regtest.invalidate(block);
    mine_and_spread(&mut nodes, 5);
    let after = agreed(&sources, &transaction(moved, Some(at))).await;
    assert_eq!(height(&after.unwrap()), None);
    let spent = agreed(&sources, &query).await.unwrap();
    assert_eq!(state(&spent, 8), SpendState::SpentUnconfirmed { by });
    // Its dust keeps it out of the mempool, so it is nowhere, though the node's index still holds it.
    let dropped = agreed(&sources, &transaction(nodes.scenario.dust, Some(at + 1))).await;
    assert_eq!(dropped, Err(ErrorClass::NotFound));

    nodes.regtest.confirm(moved);
    mine_and_spread(&mut nodes, 1);
    let again = agreed(&sources, &transaction(moved, Some(at)))
        .await
        .unwrap();
    assert_eq!(height(&again), Some(at + 5));
    let query = nodes.spends(split, None, at + 5);
    let spent = agreed(&sources, &query).await.unwrap();
    let height = at + 5;
    assert_eq!(state(&spent, 8), SpendState::Spent { by, height });
}

fn mine_and_spread(nodes: &mut Nodes, blocks: usize) {
    for _ in 0..blocks {
        nodes.regtest.mine();
    }
    nodes.spread();
    if let Some(electrs) = &mut nodes.electrs {
        electrs.wait_for_tip(nodes.regtest.node()).unwrap();
        // It reads the mempool after the blocks.
        std::thread::sleep(std::time::Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reading_that_was_cut_off_goes_on_where_it_stopped() {
    let Some(nodes) = Nodes::start(0) else { return };
    let wire = NodeWire::new(&nodes.plain, true);
    let source = CoreSource::new(chain(), wire.clone());
    let (as_of, theft) = (nodes.scenario.height, nodes.scenario.theft);
    let found = source.answer(&transaction(theft, None)).await.unwrap();
    let query = nodes.spends(theft, height(&found.fact), as_of);
    wire.blocks.store(0, Ordering::Relaxed);
    *wire.trap.lock().unwrap() = Some((12, Trap::Cut));
    let error = source.answer(&query).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Unreachable);
    let answer = source.answer(&query).await.unwrap();
    assert_ne!(state(&answer.fact, 0), SpendState::Unspent);
    let once = as_of - height(&found.fact).unwrap() + 1;
    // The blocks asked for ahead of the lost one are asked for again.
    let read = wire.blocks.load(Ordering::Relaxed);
    assert!((once + 1..once + 8).contains(&read), "{read} for {once}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reorganisation_during_a_reading_is_noticed() {
    let Some(nodes) = Nodes::start(0) else { return };
    let wire = NodeWire::new(&nodes.plain, true);
    let source = CoreSource::new(chain(), wire.clone());
    let (as_of, theft) = (nodes.scenario.height, nodes.scenario.theft);
    let found = source.answer(&transaction(theft, None)).await.unwrap();
    let query = nodes.spends(theft, height(&found.fact), as_of);
    let (rpc, tip) = (nodes.plain.rpc(), nodes.regtest.tip());
    let address = nodes.regtest.address(Payee::Segwit(9)).to_string();
    let reorganise = move || {
        rpc.call("invalidateblock", &serde_json::json!([tip]))
            .unwrap();
        let params = serde_json::json!([2, address]);
        rpc.call("generatetoaddress", &params).unwrap();
    };
    wire.blocks.store(0, Ordering::Relaxed);
    *wire.trap.lock().unwrap() = Some((12, Trap::Run(Box::new(reorganise))));
    let error = source.answer(&query).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent, "{error}");
    let answer = source.answer(&query).await.unwrap();
    assert_ne!(state(&answer.fact, 0), SpendState::Unspent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_spare_the_reading_of_blocks_that_cannot_matter() {
    let Some(nodes) = Nodes::start(300) else {
        return;
    };
    let wire = NodeWire::new(&nodes.filtered, true);
    let source = CoreSource::new(chain(), wire.clone());
    let (as_of, theft) = (nodes.scenario.height, nodes.scenario.theft);
    let found = source.answer(&transaction(theft, None)).await.unwrap();
    wire.blocks.store(0, Ordering::Relaxed);
    let query = nodes.spends(theft, height(&found.fact), as_of);
    let answer = source.answer(&query).await.unwrap();
    let by = nodes.scenario.split;
    assert!(matches!(state(&answer.fact, 1), SpendState::Spent { by: b, .. } if b == by));
    let read = wire.blocks.load(Ordering::Relaxed);
    assert!((100..130).contains(&read), "{read} blocks read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_chain_is_refused_and_abilities_are_told() {
    let Some(nodes) = Nodes::start(0) else { return };
    let of = |node, rest| NodeWire::new(node, rest);
    let wrong = CoreSource::new(Chain::bitcoin(), of(&nodes.plain, true));
    let error = wrong.tip().await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent, "{error}");
    let told = async |source: CoreSource| {
        let abilities = source.capabilities().await.unwrap();
        let named = |name: &str| abilities.iter().find(|(n, _)| n == name).unwrap().1.clone();
        (named("spends"), named("blocks as bytes (REST)"))
    };
    let all = told(CoreSource::new(chain(), of(nodes.regtest.node(), true))).await;
    assert_eq!(all, ("looked up in txospenderindex".into(), "yes".into()));
    let none = told(CoreSource::new(chain(), of(&nodes.plain, false))).await;
    assert_eq!(none.0, "every block since the theft is read");
    assert_eq!(none.1, "no, as hexadecimal");
}
