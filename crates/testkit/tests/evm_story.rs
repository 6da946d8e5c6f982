//! The story's truth is what real nodes say.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail like tests")]

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use hansel_ledger::Coin;
use hansel_testkit::{
    Anvil, AnvilOptions, EvmScenario, EvmStory, Hardhat, HardhatOptions, compile_contracts,
    compiled_contracts, require_anvil, require_hardhat, require_solcjs,
};
use serde_json::json;

#[test]
fn the_committed_contracts_are_what_their_sources_compile_to() {
    let Some(solcjs) = require_solcjs() else {
        return;
    };
    let compiled = compile_contracts(&solcjs).unwrap();
    assert!(compiled == compiled_contracts(), "run `make contracts`");
}

/// Plays a scenario, which compares every receipt and balance with the node's.
fn on_anvil(scenario: EvmScenario) -> Option<(Anvil, EvmStory)> {
    let node = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
    let story = scenario.play(node.rpc()).unwrap();
    Some((node, story))
}

#[test]
fn the_small_story_is_the_same_on_both_nodes() {
    let (Some((_anvil, on_anvil)), Some(hardhat)) =
        (on_anvil(EvmScenario::small()), require_hardhat())
    else {
        return;
    };
    let hardhat = Hardhat::start(&hardhat, &HardhatOptions::default()).unwrap();
    let on_hardhat = EvmScenario::small().play(hardhat.rpc()).unwrap();
    // Deed by deed, so that a difference can be read.
    for (one, other) in on_anvil.deeds.iter().zip(&on_hardhat.deeds) {
        assert_eq!(one, other);
    }
    assert!(on_anvil == on_hardhat);
}

#[test]
fn the_full_story_has_a_hot_wallet_with_thousands_of_deposits() {
    let Some((_node, story)) = on_anvil(EvmScenario::full()) else {
        return;
    };
    let hot = story.account("hot");
    let deposits = story.statement(hot, story.coin("native")).count();
    assert!(deposits > 2_000, "{deposits}");
}

/// What a call tracer says of value that moved in a call and below it, in order of execution.
fn traced(frame: &serde_json::Value, found: &mut Vec<(Address, Address, U256)>) {
    let kind = frame["type"].as_str().unwrap();
    if frame.get("error").is_some() {
        return;
    }
    let value = frame["value"]
        .as_str()
        .unwrap_or("0x0")
        .parse::<U256>()
        .unwrap();
    if !["DELEGATECALL", "STATICCALL", "CALLCODE"].contains(&kind) && !value.is_zero() {
        let side = |name: &str| frame[name].as_str().unwrap().parse().unwrap();
        found.push((side("from"), side("to"), value));
    }
    for call in frame["calls"].as_array().into_iter().flatten() {
        traced(call, found);
    }
}

#[test]
fn every_native_movement_of_the_story_is_in_the_trace_and_no_other() {
    let Some((node, story)) = on_anvil(EvmScenario::small()) else {
        return;
    };
    for deed in &story.deeds {
        let tracer = json!([deed.hash, {"tracer": "callTracer"}]);
        let trace = node.rpc().call("debug_traceTransaction", tracer).unwrap();
        let mut found = Vec::new();
        traced(&trace, &mut found);
        let native = deed
            .movements
            .iter()
            .filter(|moved| moved.coin == story.coin("native"));
        let told: Vec<_> = native
            .map(|moved| (moved.from, moved.to, moved.amount))
            .collect();
        assert_eq!(told, found, "{}: {trace}", deed.scene);
    }
}

#[test]
fn an_account_moved_by_somebody_else_has_sent_nothing() {
    let Some((node, story)) = on_anvil(EvmScenario::small()) else {
        return;
    };
    let owner = story.account("owner");
    assert!(story.deeds.iter().all(|deed| deed.sender != owner));
    let code = node.rpc().code(owner).unwrap();
    let delegate = story.account("delegate");
    assert_eq!(
        code.as_ref(),
        [&[0xef, 0x01, 0x00], delegate.as_slice()].concat()
    );
    assert!(
        story.balance(owner, story.coin("native"))
            < U256::from(10).pow(U256::from(18)) * U256::from(2)
    );
}

/// What the logs of honest tokens say, what is made and destroyed included.
fn logged(story: &EvmStory, log: &serde_json::Value) -> Option<(Address, Address, Address, U256)> {
    let token: Address = log["address"].as_str()?.parse().ok()?;
    let topics: Vec<B256> = serde_json::from_value(log["topics"].clone()).ok()?;
    let party = |place: usize| Some(Address::from_word(*topics.get(place)?));
    let data: Bytes = log["data"].as_str()?.parse().ok()?;
    let contract = |party: Address| if party.is_zero() { token } else { party };
    let (from, to) = match topics.first()? {
        topic if *topic == keccak256("Transfer(address,address,uint256)") => (party(1)?, party(2)?),
        topic
            if token == story.account("weth")
                && *topic == keccak256("Deposit(address,uint256)") =>
        {
            (token, party(1)?)
        }
        topic
            if token == story.account("weth")
                && *topic == keccak256("Withdrawal(address,uint256)") =>
        {
            (party(1)?, token)
        }
        _ => return None,
    };
    let amount = U256::from_be_slice(&data);
    let real = token != story.account("counterfeit") && !amount.is_zero();
    real.then_some((token, contract(from), contract(to), amount))
}

#[test]
fn every_token_movement_of_the_story_is_in_the_logs_and_no_other_honest_one() {
    let Some((node, story)) = on_anvil(EvmScenario::small()) else {
        return;
    };
    let mut dishonest = 0;
    for deed in &story.deeds {
        let receipt = node
            .rpc()
            .call("eth_getTransactionReceipt", json!([deed.hash]))
            .unwrap();
        let logs = receipt["logs"].as_array().unwrap();
        let found: Vec<_> = logs.iter().filter_map(|log| logged(&story, log)).collect();
        let tokens = deed.movements.iter().filter_map(|moved| match moved.coin {
            Coin::Native => None,
            Coin::Token(token) => Some((token, moved.from, moved.to, moved.amount)),
        });
        assert_eq!(tokens.collect::<Vec<_>>(), found, "{}", deed.scene);
        if ["spam", "counterfeit"].contains(&deed.scene) {
            dishonest += logs.len();
        }
    }
    assert_eq!(dishonest, 6);
}
