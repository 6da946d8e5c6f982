//! What real nodes tell of a laundering story decodes to what truly happened in it.

#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use alloy_primitives::{Address, U256};
use hansel_ethereum::decode::{
    HeaderLean, HeaderProof, ReceiptLean, ReceiptsProof, Transactions, block, call_trace,
    call_traces_of_block, calls_of_flat_traces, check_header, check_receipts, flat_traces, receipt,
    receipts, transaction,
};
use hansel_ledger::{Amount, Asset, Coin, EvmNetwork, EvmTransaction, InternalTransfers};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmDeed, EvmRpc, EvmScenario, EvmStory, Hardhat, HardhatOptions,
    require_anvil, require_hardhat,
};
use serde_json::{Value, json};

fn network(story: &EvmStory) -> EvmNetwork {
    EvmNetwork {
        chain_id: story.chain_id,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(story.account("weth")),
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    }
}

fn ask(rpc: &EvmRpc, method: &str, params: Value) -> Vec<u8> {
    rpc.call(method, params).unwrap().to_string().into_bytes()
}

fn block_of(rpc: &EvmRpc, height: u64) -> HeaderLean {
    let params = json!([format!("{height:#x}"), true]);
    block(&ask(rpc, "eth_getBlockByNumber", params))
        .unwrap()
        .unwrap()
}

fn receipt_of(rpc: &EvmRpc, deed: &EvmDeed) -> ReceiptLean {
    let told = ask(rpc, "eth_getTransactionReceipt", json!([deed.hash]));
    receipt(&told).unwrap().unwrap()
}

type Moved = (Address, Address, Coin, U256);

/// The movements, but for those of a token that only looks like one.
fn moved(told: &EvmTransaction, story: &EvmStory) -> Vec<Moved> {
    let counterfeit = Coin::Token(story.account("counterfeit"));
    let honest = told.movements.iter().filter(|one| one.coin != counterfeit);
    honest
        .map(|one| (one.from, one.to, one.coin, one.amount.to_u256()))
        .collect()
}

/// The deed's movements in the order in which the decoder tells them: the native coin first.
fn truth(deed: &EvmDeed) -> Vec<Moved> {
    let all = || {
        deed.movements
            .iter()
            .map(|one| (one.from, one.to, one.coin, one.amount))
    };
    let native = all().filter(|one| one.2 == Coin::Native);
    native
        .chain(all().filter(|one| one.2 != Coin::Native))
        .collect()
}

#[test]
fn blocks_of_a_real_node_are_proved_and_both_its_traces_tell_what_happened() {
    let Some(anvil) = require_anvil() else { return };
    let node = Anvil::start(&anvil, &AnvilOptions::default()).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    let (rpc, network) = (node.rpc(), network(&story));
    for deed in &story.deeds {
        let head = block_of(rpc, deed.block);
        assert_eq!(check_header(&head), HeaderProof::Hash);
        let all = ask(
            rpc,
            "eth_getBlockReceipts",
            json!([format!("{:#x}", deed.block)]),
        );
        let all = receipts(&all).unwrap().unwrap();
        assert_eq!(check_receipts(&head, &all), Ok(ReceiptsProof::Root));
        let Transactions::Full(list) = &head.transactions else {
            panic!("the block comes with its transactions");
        };
        let index = usize::try_from(deed.index).unwrap();
        let nested = json!([deed.hash, {"tracer": "callTracer"}]);
        let nested = call_trace(&ask(rpc, "debug_traceTransaction", nested))
            .unwrap()
            .unwrap();
        let flat = flat_traces(&ask(rpc, "trace_transaction", json!([deed.hash]))).unwrap();
        let flat = calls_of_flat_traces(&flat.unwrap()).unwrap();
        for calls in [&nested, &flat] {
            let told = transaction(&network, &head, &list[index], &all[index], Some(calls));
            let told = told.unwrap();
            assert_eq!(moved(&told, &story), truth(deed), "{}", deed.scene);
            assert_eq!(told.fee, Amount::from(deed.fee), "{}", deed.scene);
            assert_eq!((told.succeeded, told.sender), (deed.succeeded, deed.sender));
            assert_eq!(told.internal, InternalTransfers::Known);
        }
        let whole = json!([format!("{:#x}", deed.block), {"tracer": "callTracer"}]);
        let whole = ask(rpc, "debug_traceBlockByNumber", whole);
        let whole = call_traces_of_block(&whole).unwrap().unwrap();
        assert_eq!(whole[index].calls.as_ref(), Some(&nested));
    }
}

#[test]
fn without_traces_a_real_node_tells_tokens_in_full_and_says_that_ether_may_be_missing() {
    let Some(hardhat) = require_hardhat() else {
        return;
    };
    let node = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    let story = EvmScenario::small().play(node.rpc()).unwrap();
    let (rpc, network) = (node.rpc(), network(&story));
    for deed in &story.deeds {
        let head = block_of(rpc, deed.block);
        let Transactions::Full(list) = &head.transactions else {
            panic!("the block comes with its transactions");
        };
        let tx = &list[usize::try_from(deed.index).unwrap()];
        let told = transaction(&network, &head, tx, &receipt_of(rpc, deed), None).unwrap();
        let (told_moves, truth) = (moved(&told, &story), truth(deed));
        let tokens = |all: &[Moved]| -> Vec<Moved> {
            all.iter()
                .filter(|one| one.2 != Coin::Native)
                .copied()
                .collect()
        };
        assert_eq!(tokens(&told_moves), tokens(&truth), "{}", deed.scene);
        assert_eq!(told.fee, Amount::from(deed.fee));
        if told.internal == InternalTransfers::Known {
            assert_eq!(told_moves, truth, "{}", deed.scene);
        }
        assert!(
            told_moves.iter().all(|one| truth.contains(one)),
            "{}",
            deed.scene
        );
    }
}
