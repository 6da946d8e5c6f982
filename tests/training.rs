//! The training case: a made-up theft on real nodes, from ether over a bridge to bitcoin, recorded for `hansel demo`.

use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256, U256};
use bitcoin::{OutPoint, Txid};
use hansel_report::Report;
use hansel_report::model::StopKind;
use hansel_testkit::{EsploraServer, EvmContract, Pay, Payee, Regtest, evm_call};
use serde_json::json;

use crate::command::{Finished, Hansel, directory};
use crate::crossings::{Bridge, COIN, ETHER, EXIT, Market, VAULT, crossings, out, require_balance};

/// The chains' names say in every id of every format what the case is.
const EVM: &str = "training-ethereum";
const BITCOIN: &str = "training-bitcoin";

/// A coin of Whirlpool's pool of 0.05 bitcoin, what the first mix costs, and what the pool asks to enter.
const MIXED: u64 = 5_000_000;
const ENTRY: u64 = 2_000;
const POOL_FEE: u64 = 175_000;

const HOT: Payee = Payee::Segwit(930);
const CHANGE: Payee = Payee::Segwit(916);
/// Clean bitcoin of people who have nothing to do with the theft.
const CROWD: Payee = Payee::Segwit(1);

/// What the story leaves behind that the case file and the labels name.
struct Story {
    theft: B256,
    mixer: Address,
    market: Market,
    /// An account of a customer at the exchange, and the exchange's own.
    customer: Address,
    hot: Address,
}

/// The accounts that hold nothing when the story begins.
const EMPTY: [usize; 5] = [1, 2, 3, 4, 7];

fn tell(bridge: &mut Bridge) -> Story {
    let coinbases = bridge.regtest.fund(VAULT, 1);
    let clean = bridge.regtest.fund(CROWD, 3);
    bridge.catch_up();
    let story = on_ethereum(bridge);
    let memo = format!("=:BTC.BTC:{}:0/1/0:ss:10", bridge.regtest.address(EXIT));
    let deposit = bridge.deposit(bridge.cast.thief, 30 * ETHER, &memo);
    on_bitcoin(&mut bridge.regtest, &coinbases, &clean, deposit);
    story
}

fn on_ethereum(bridge: &Bridge) -> Story {
    let accounts = bridge.anvil.rpc().accounts().unwrap();
    let (customer, hot, small) = (accounts[4], accounts[5], accounts[7]);
    let (thief, other) = (bridge.cast.thief, bridge.cast.other);
    let market = Market::open(bridge);
    let mixer = bridge.create(EvmContract::named("Mixer").with((U256::from(20 * ETHER),)));
    let fake = bridge.create(EvmContract::named("ForgingToken").creation.clone());
    // The exchange gives its customer's address the gas for sweeps.
    bridge.pay(hot, customer, ETHER / 100);
    let theft = bridge.pay(bridge.cast.victim, thief, 100 * ETHER);
    bridge.pay(thief, customer, 5 * ETHER);
    bridge.pay(customer, hot, 5 * ETHER);
    poison(bridge, customer, fake);
    bridge.pay(thief, customer, 10 * ETHER);
    bridge.pay(customer, hot, 10 * ETHER);
    bridge.pay(thief, small, ETHER / 20);
    market.swap_there_and_back(bridge, thief, 21 * ETHER, other);
    market.swap_there(bridge, thief, 10 * ETHER);
    let mix = evm_call("deposit(bytes32)", (B256::repeat_byte(7),));
    let value = U256::from(20 * ETHER);
    bridge.transact(json!({"from": other, "to": mixer, "value": value, "data": mix}));
    Story {
        theft,
        mixer,
        market,
        customer,
        hot,
    }
}

/// Somebody whose address looks like the customer's sends the thief dust, and logs a counterfeit payment to it.
fn poison(bridge: &Bridge, genuine: Address, fake: Address) {
    let mut alike = Address::repeat_byte(0x5a);
    alike.0.0[..2].copy_from_slice(&genuine.0.0[..2]);
    alike.0.0[18..].copy_from_slice(&genuine.0.0[18..]);
    let rpc = bridge.anvil.rpc();
    rpc.set_balance(alike, U256::from(ETHER)).unwrap();
    rpc.impersonate(alike).unwrap();
    let thief = bridge.cast.thief;
    bridge.pay(alike, thief, 1_000_000_000_000);
    let forged = evm_call(
        "forge(address,address[],uint256)",
        (thief, vec![alike], U256::from(5 * ETHER)),
    );
    bridge.transact(json!({"from": alike, "to": fake, "data": forged}));
}

/// The bridge pays 1.5 bitcoin; four peels go to an exchange, which sweeps them; the rest is cut for a mix, of which one
/// piece is mixed; dust clings to what is left.
fn on_bitcoin(regtest: &mut Regtest, vault: &[OutPoint], clean: &[OutPoint], deposit: B256) {
    let answer = out(&deposit.to_string());
    let outputs = [
        Pay::to(EXIT, COIN + COIN / 2),
        Pay::note(answer.as_bytes(), 0),
        Pay::rest(VAULT),
    ];
    // The clock of the other chain is ahead by what happened there.
    for _ in 0..12 {
        regtest.mine();
    }
    let payout = regtest.pay(vault, &outputs, 1_000);
    regtest.mine();
    let (last, deposits) = peel(regtest, payout);
    sweep(regtest, &deposits, clean[0]);
    let split = cut(regtest, last);
    mix(regtest, OutPoint::new(split, 1), clean[1]);
    let dust = [Pay::to(CHANGE, 546), Pay::rest(CROWD)];
    let dust = regtest.pay(&clean[2..], &dust, 1_000);
    regtest.mine();
    let all = [OutPoint::new(split, 5), OutPoint::new(dust, 0)];
    regtest.pay(&all, &[Pay::rest(Payee::Segwit(917))], 500);
    regtest.mine();
    regtest.mine();
}

/// Four peels of 0.2 bitcoin to addresses that the exchange gave its customers.
fn peel(regtest: &mut Regtest, payout: Txid) -> (OutPoint, Vec<OutPoint>) {
    let mut last = OutPoint::new(payout, 0);
    let mut deposits = Vec::new();
    for number in 0..4 {
        let outputs = [
            Pay::to(Payee::Legacy(921 + number), COIN / 5),
            Pay::rest(Payee::Segwit(911 + number)),
        ];
        let peel = regtest.pay(&[last], &outputs, 500 + u64::from(number));
        regtest.mine();
        deposits.push(OutPoint::new(peel, 0));
        last = OutPoint::new(peel, 1);
    }
    (last, deposits)
}

/// The exchange empties its customers' addresses, those of two strangers among them.
fn sweep(regtest: &mut Regtest, deposits: &[OutPoint], clean: OutPoint) {
    let strangers = [
        Pay::to(Payee::Legacy(925), COIN),
        Pay::to(Payee::Legacy(926), COIN / 3),
        Pay::rest(CROWD),
    ];
    let strangers = regtest.pay(&[clean], &strangers, 1_000);
    regtest.mine();
    let mut swept = deposits.to_vec();
    swept.extend([0, 1].map(|vout| OutPoint::new(strangers, vout)));
    regtest.pay(&swept, &[Pay::rest(HOT)], 2_000);
    regtest.mine();
}

/// Cuts a coin into three pieces for the pool, with its fee, its data and the change.
fn cut(regtest: &mut Regtest, coin: OutPoint) -> Txid {
    let data: Vec<u8> = (0..64).map(|byte| byte ^ 0xa5).collect();
    let piece = |number: u32| Pay::to(Payee::Segwit(940 + number), MIXED + ENTRY);
    let outputs = [
        Pay::note(&data, 0),
        piece(0),
        piece(1),
        piece(2),
        Pay::to(Payee::Segwit(950), POOL_FEE),
        Pay::rest(CHANGE),
    ];
    let split = regtest.pay(&[coin], &outputs, 700);
    regtest.mine();
    split
}

/// A mix of five: one piece of the theft enters, four coins of others are in the pool already.
fn mix(regtest: &mut Regtest, piece: OutPoint, clean: OutPoint) {
    let others = (961..965).map(|key| Pay::to(Payee::Segwit(key), MIXED));
    let others: Vec<Pay> = others.chain([Pay::rest(CROWD)]).collect();
    let others = regtest.pay(&[clean], &others, 1_000);
    regtest.mine();
    let mut inputs = vec![piece];
    inputs.extend((0..4).map(|vout| OutPoint::new(others, vout)));
    let outputs: Vec<Pay> = (971..976)
        .map(|key| Pay::to(Payee::Segwit(key), MIXED))
        .collect();
    let mixed = regtest.pay(&inputs, &outputs, ENTRY);
    regtest.mine();
    let onward = [Pay::rest(Payee::Segwit(980))];
    regtest.pay(&[OutPoint::new(mixed, 2)], &onward, 500);
    regtest.mine();
}

/// Prices that never were, so that a report shows what values look like; GOLD has none.
const PRICES: &str = "time,asset,currency,price,source
2023-11-16,ETH,USD,2000.50,made up for the training case
2023-11-16,ETH,EUR,1840,made up for the training case
2023-11-16,BTC,USD,36500.25,made up for the training case
2023-11-16,BTC,EUR,33600,made up for the training case
";

/// The configuration of the case: its two chains, its labels and the case file.
fn configure(directory: &Path, bridge: &Bridge, story: &Story) {
    let file = |name: &str, text: String| {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    file("chains.toml", chains(bridge, &story.market));
    file("labels/training.yaml", labels(bridge, story));
    file("cases/training.toml", case(bridge, story));
    file("../prices.csv", PRICES.to_owned());
}

fn chains(bridge: &Bridge, market: &Market) -> String {
    format!(
        r#"# The chains of the training case: test networks, whose coins are worth nothing.
schema = "hansel-chains/1"

[[chains]]
name = "{EVM}"
family = "evm"
chain_id = 31337
native = {{ symbol = "ETH", decimals = 18 }}
header = "ethereum"
wrapped = "{weth}"
tokens = [
    {{ contract = "{weth}", symbol = "WETH", decimals = 18, source = "made for the training case" }},
    {{ contract = "{gold}", symbol = "GOLD", decimals = 18, source = "made for the training case" }},
]
bridges = [{{ protocol = "thorchain", contracts = ["{router}"], code = "ETH" }}]

[[chains]]
name = "{BITCOIN}"
family = "bitcoin"
network = "regtest"
bridges = [{{ protocol = "thorchain", code = "BTC" }}]
"#,
        weth = market.weth,
        gold = market.gold,
        router = bridge.router,
    )
}

fn labels(bridge: &Bridge, story: &Story) -> String {
    format!(
        r#"# Made up for the training case: neither the exchange nor the mixer exists.
title: Places of the training case
creator: hansel
description: Made up for training
source: made up for the training case
confidence: service_data
lastmod: 2023-01-01
tags:
  - address: "{hot}"
    label: Training Exchange hot wallet (made up)
    actor: training-exchange
    concepts: [exchange]
    network: {EVM}
  - address: {bitcoin_hot}
    label: Training Exchange wallet (made up)
    actor: training-exchange
    concepts: [exchange]
    network: {BITCOIN}
  - address: "{mixer}"
    label: Training Mixer 20 ETH (made up)
    actor: training-mixer
    concepts: [mixing_service]
    network: {EVM}
"#,
        hot = story.hot,
        bitcoin_hot = bridge.regtest.address(HOT),
        mixer = story.mixer,
    )
}

fn case(bridge: &Bridge, story: &Story) -> String {
    format!(
        r#"schema = "hansel-case/1"
name = "training"
title = "TRAINING: 100 ETH taken from nobody, on test networks"
training = true
date = "2023-11-14"
amount = "100 ETH of a test network, worth nothing"
attribution = "nobody: the authors of hansel made it up"
waits_for = []
note = """
A made-up theft on real nodes: anvil for Ethereum, Bitcoin Core's regtest for Bitcoin. 15 of 100 ether go to a
customer's address at an exchange, among dust from a look-alike of that address; 21 are swapped and 20 of them mixed,
10 are swapped and kept; 30 cross to 1.5 bitcoin as with THORChain. There four peels go to the exchange, which sweeps
them with strangers' coins; of the rest one piece is mixed in a Whirlpool, two are ready for it, and the change lies
with a speck of dust."""

[[sources]]
id = "made-up"
text = "the training case of hansel; `make training` makes it anew"

[[seeds]]
chain = "{EVM}"
subject = "{theft}"
what = "the theft: 100 ether in one payment"
sources = ["made-up"]

[[addresses]]
chains = ["{EVM}"]
address = "{thief}"
party = "thief"
role = "received the made-up theft"
confidence = "high"
sources = ["made-up"]

[[addresses]]
chains = ["{EVM}"]
address = "{victim}"
party = "victim"
role = "lost the made-up theft"
confidence = "high"
sources = ["made-up"]
"#,
        theft = story.theft,
        thief = bridge.cast.thief,
        victim = bridge.cast.victim,
    )
}

/// Traces the case as a user would, recording every answer in the directory.
fn record(place: &Path, bridge: &Bridge, esplora: &EsploraServer) -> Finished {
    Hansel::new("trace training --json --quiet")
        .option("--config", place.join("config"))
        .option("--record", place)
        .option("--endpoint", format!("{EVM}:rpc={}", bridge.anvil.url()))
        .option("--endpoint", format!("{BITCOIN}:esplora={}", esplora.url()))
        .run()
}

/// Where `make training` asks for the recording that is shipped.
fn wished() -> Option<PathBuf> {
    let place = std::env::var_os("HANSEL_TRAINING").map(PathBuf::from)?;
    for part in ["config", EVM, BITCOIN] {
        let old = place.join(part);
        if old.exists() {
            fs::remove_dir_all(old).unwrap();
        }
    }
    Some(place)
}

/// Everything that the case is there to show.
pub(crate) fn shows_every_feature(report: &Report) {
    require_balance(report);
    assert!(report.case.training);
    assert!(report.case.title.as_ref().unwrap().starts_with("TRAINING"));
    assert_eq!(crossings(report).len(), 1, "{:?}", report.unknown);
    let found = |heuristic: &str| report.findings.iter().any(|one| one.heuristic == heuristic);
    for heuristic in [
        "cross.thorchain",
        "btc.peel-chain",
        "btc.coinjoin.whirlpool-tx0",
        "btc.coinjoin.whirlpool",
        "btc.exchange-deposit-sweep",
        "evm.exchange-deposit",
        "evm.address-poisoning",
        "evm.tornado.deposit",
    ] {
        let all: Vec<&str> = report.findings.iter().map(|one| &*one.heuristic).collect();
        assert!(found(heuristic), "{heuristic} is missing among {all:?}");
    }
    let mut assets = report.assets.iter();
    let crossed = assets.find(|asset| asset.chain == BITCOIN).unwrap();
    assert_eq!((&*crossed.asset, crossed.decimals), ("BTC", Some(8)));
    // What crossed is seen where it arrived and nowhere else.
    let mut bridges = report.nodes.iter().filter(|node| {
        let kind = node.stop.as_ref().map(|stop| stop.kind);
        kind == Some(StopKind::BridgeUnresolved)
    });
    assert!(bridges.all(|node| node.holdings.is_empty()));
    let services: Vec<&str> = report.cash_outs.iter().map(|out| &*out.chain).collect();
    assert!(services.contains(&EVM) && services.contains(&BITCOIN));
    let stops = |kind: StopKind| {
        let mut stops = report.nodes.iter().filter_map(|node| node.stop.as_ref());
        stops.any(|stop| stop.kind == kind)
    };
    for kind in [
        StopKind::Exchange,
        StopKind::Mixer,
        StopKind::AtRest,
        StopKind::BelowThreshold,
        StopKind::Fees,
    ] {
        assert!(stops(kind), "{kind:?}");
    }
}

#[test]
fn a_made_up_theft_on_real_nodes_shows_every_feature_and_is_replayed_to_the_byte() {
    let Some(mut bridge) = Bridge::with_empty(&EMPTY) else {
        return;
    };
    let story = tell(&mut bridge);
    let own = directory();
    let place = wished().unwrap_or_else(|| own.path().to_owned());
    configure(&place.join("config"), &bridge, &story);
    let esplora = bridge.esplora();
    let recorded = record(&place, &bridge, &esplora);
    let report = recorded.report();
    shows_every_feature(&report);
    let customer = story.customer.to_string();
    let mut out = report.cash_outs.iter();
    assert!(out.any(|one| one.deposit_address == customer));
    drop((esplora, bridge));
    let replayed = Hansel::new("trace training --json --quiet")
        .option("--config", place.join("config"))
        .option("--replay", &place)
        .run();
    assert!(replayed.stdout == recorded.stdout);
    assert_eq!(replayed.code, recorded.code, "{}", replayed.stderr);
}
