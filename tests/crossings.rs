//! Traces that go from one chain to another and on: a real Bitcoin node and a real EVM node, with a router between them
//! that logs what THORChain's does.

use std::fmt::Write as _;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use bitcoin::{OutPoint, Txid};
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{Flow, FlowKind, StopKind, Unknown};
use hansel_testkit::{
    Anvil, AnvilOptions, EsploraOptions, EsploraServer, EvmContract, Indexes, NodeOptions, Pay,
    Payee, Regtest, evm_call, require_anvil, require_bitcoind,
};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Hansel, directory};

pub(crate) const ETHER: u128 = 1_000_000_000_000_000_000;
pub(crate) const COIN: u64 = 100_000_000;
/// The time of the first block of both chains, so that value leaves before it arrives.
const START: u64 = 1_700_000_000;

/// The accounts of the story: the node has their keys.
pub(crate) struct Cast {
    pub(crate) victim: Address,
    pub(crate) thief: Address,
    pub(crate) vault: Address,
    pub(crate) other: Address,
}

/// Both chains and a router.
pub(crate) struct Bridge {
    pub(crate) anvil: Anvil,
    pub(crate) regtest: Regtest,
    pub(crate) router: Address,
    /// What wraps ether one to one, where the story has such a contract.
    wrapped: Option<Address>,
    pub(crate) cast: Cast,
}

pub(crate) const VAULT: Payee = Payee::Segwit(900);
pub(crate) const EXIT: Payee = Payee::Segwit(910);
pub(crate) const EXCHANGE: Payee = Payee::Segwit(920);

impl Bridge {
    /// `None` where a node is missing.
    pub(crate) fn start() -> Option<Self> {
        Self::with_empty(&[1, 2])
    }

    /// Begins with accounts of these numbers that hold nothing; `None` where a node is missing.
    ///
    /// What a development node gives its accounts would be clean value among the stolen.
    pub(crate) fn with_empty(empty: &[usize]) -> Option<Self> {
        let (anvil, bitcoind) = (require_anvil()?, require_bitcoind()?);
        let options = AnvilOptions {
            timestamp: START,
            ..AnvilOptions::default()
        };
        let anvil = Anvil::start(&anvil, &options).unwrap();
        let node = NodeOptions {
            indexes: Indexes::ALL,
            ..NodeOptions::default()
        };
        let regtest = Regtest::start(&bitcoind, node).unwrap();
        let accounts = anvil.rpc().accounts().unwrap();
        for number in empty {
            let account = accounts[*number];
            anvil.rpc().set_balance(account, U256::ZERO).unwrap();
        }
        let cast = Cast {
            victim: accounts[0],
            thief: accounts[1],
            vault: accounts[2],
            other: accounts[3],
        };
        let mut bridge = Self {
            anvil,
            regtest,
            router: Address::ZERO,
            wrapped: None,
            cast,
        };
        bridge.router = bridge.create(EvmContract::named("VaultRouter").creation.clone());
        Some(bridge)
    }

    /// Creates a contract.
    pub(crate) fn create(&self, creation: Bytes) -> Address {
        let made = self.transact(json!({"from": self.cast.victim, "data": creation}));
        self.anvil.rpc().receipt(made).unwrap().created.unwrap()
    }

    /// Sends a transaction and mines it a minute after the newest block.
    pub(crate) fn transact(&self, transaction: serde_json::Value) -> B256 {
        let rpc = self.anvil.rpc();
        let hash = rpc.send(transaction).unwrap();
        rpc.mine_empty(1, 60).unwrap();
        assert!(rpc.receipt(hash).unwrap().succeeded, "{hash} failed");
        hash
    }

    pub(crate) fn pay(&self, from: Address, to: Address, value: u128) -> B256 {
        self.transact(json!({"from": from, "to": to, "value": U256::from(value)}))
    }

    /// Sends ether to the vault through the router.
    pub(crate) fn deposit(&self, from: Address, value: u128, memo: &str) -> B256 {
        let data = evm_call(
            "depositWithExpiry(address,address,uint256,string,uint256)",
            (self.cast.vault, Address::ZERO, U256::ZERO, memo, U256::MAX),
        );
        let to = self.router;
        self.transact(json!({"from": from, "to": to, "value": U256::from(value), "data": data}))
    }

    /// The vault pays ether through the router.
    fn pay_out(&self, to: Address, value: u128, memo: &str) -> B256 {
        let data = evm_call(
            "transferOut(address,address,uint256,string)",
            (to, Address::ZERO, U256::ZERO, memo),
        );
        let (from, router) = (self.cast.vault, self.router);
        self.transact(json!({"from": from, "to": router, "value": U256::from(value), "data": data}))
    }

    /// Moves the EVM chain's clock to where Bitcoin's is.
    pub(crate) fn catch_up(&self) {
        let height = self.regtest.height();
        let now = START + 600 * (height + 2);
        self.anvil.rpc().mine_at(now).unwrap();
    }

    /// A configuration in which the router is THORChain's.
    fn config(&self) -> TempDir {
        self.config_of("thorchain")
    }

    /// A configuration in which the router is a protocol's.
    pub(crate) fn config_of(&self, protocol: &str) -> TempDir {
        let dir = directory();
        let wrapped = self.wrapped.map(|weth| format!("wrapped = \"{weth}\"\n"));
        let text = format!(
            r#"schema = "hansel-chains/1"

[[chains]]
name = "anvil"
family = "evm"
chain_id = 31337
native = {{ symbol = "ETH", decimals = 18 }}
{}bridges = [{{ protocol = "{protocol}", contracts = ["{}"], code = "ETH" }}]

[[chains]]
name = "bitcoin-regtest"
family = "bitcoin"
network = "regtest"
bridges = [{{ protocol = "{protocol}", code = "BTC" }}]
"#,
            wrapped.unwrap_or_default(),
            self.router
        );
        std::fs::write(dir.path().join("chains.toml"), text).unwrap();
        dir
    }

    pub(crate) fn esplora(&self) -> EsploraServer {
        self.regtest.node().wait_for_indexes().unwrap();
        EsploraServer::over_node(self.regtest.node(), EsploraOptions::default()).unwrap()
    }

    /// Traces with both chains' endpoints.
    pub(crate) fn trace(&self, words: &str, config: &Path, esplora: &EsploraServer) -> Hansel {
        let mut words = format!("trace --json --quiet {words}");
        write!(words, " --endpoint anvil:rpc={}", self.anvil.url()).unwrap();
        write!(
            words,
            " --endpoint bitcoin-regtest:esplora={}",
            esplora.url()
        )
        .unwrap();
        Hansel::new(&words).option("--config", config)
    }
}

/// The memo of a payout: the inbound transaction in capitals.
pub(crate) fn out(hash: &str) -> String {
    format!("OUT:{}", hash.trim_start_matches("0x").to_uppercase())
}

pub(crate) fn require_balance(report: &Report) {
    assert!(!report.accounting.is_empty());
    for row in &report.accounting {
        assert!(row.balances(), "{row:?}");
        assert!(row.seed.starts_with('s'), "{row:?}");
    }
    let seeds: Vec<&str> = report.seeds.iter().map(|seed| &*seed.id).collect();
    let known = |claims: &hansel_report::model::Sorted<hansel_report::model::Shared, Amount>| {
        claims.keys().all(|seed| seeds.contains(&&**seed))
    };
    for flow in &report.flows {
        assert!(flow.claims.values().all(known), "{flow:?}");
    }
}

pub(crate) fn crossings(report: &Report) -> Vec<&Flow> {
    let flows = report.flows.iter();
    flows
        .filter(|flow| flow.kind == FlowKind::Crossing)
        .collect()
}

pub(crate) fn sum(
    report: &Report,
    rule: Rule,
    of: impl Fn(&hansel_report::model::Accounting) -> Amount,
) -> Amount {
    let rows = report.accounting.iter().filter(|row| row.rule == rule);
    Amount::checked_sum(rows.map(of)).unwrap()
}

/// 30 ether of a theft go through the router to 1 bitcoin, which is peeled twice and reaches an exchange.
pub(crate) struct Outward {
    pub(crate) theft: B256,
    pub(crate) deposit: B256,
    pub(crate) payout: Txid,
    pub(crate) peels: Vec<Txid>,
}

pub(crate) fn outward(bridge: &mut Bridge) -> Outward {
    let coinbases = bridge.regtest.fund(VAULT, 2);
    bridge.catch_up();
    let theft = bridge.pay(bridge.cast.victim, bridge.cast.thief, 40 * ETHER);
    let exit = bridge.regtest.address(EXIT);
    let memo = format!("=:BTC.BTC:{exit}:0/1/0:ss:10");
    let deposit = bridge.deposit(bridge.cast.thief, 30 * ETHER, &memo);
    let answer = out(&deposit.to_string());
    let outputs = [
        Pay::to(EXIT, COIN),
        Pay::note(answer.as_bytes(), 0),
        Pay::rest(VAULT),
    ];
    let payout = bridge.regtest.pay(&coinbases[..1], &outputs, 1_000);
    bridge.regtest.mine();
    let mut peels = Vec::new();
    let mut last = OutPoint::new(payout, 0);
    for (payee, rest) in [
        (EXCHANGE, Payee::Segwit(911)),
        (EXCHANGE, Payee::Segwit(912)),
    ] {
        let outputs = [Pay::to(payee, COIN / 4), Pay::rest(rest)];
        let peel = bridge.regtest.pay(&[last], &outputs, 500);
        bridge.regtest.mine();
        last = OutPoint::new(peel, 1);
        peels.push(peel);
    }
    Outward {
        theft,
        deposit,
        payout,
        peels,
    }
}

#[test]
fn stolen_ether_is_followed_through_a_router_to_bitcoin_and_on() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let (config, esplora) = (bridge.config(), bridge.esplora());
    let words = format!("--chain anvil {} --rule fifo,haircut,lifo", story.theft);
    let done = bridge.trace(&words, config.path(), &esplora).run();
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{}", done.stderr);
    let link = story
        .deposit
        .to_string()
        .trim_start_matches("0x")
        .to_uppercase();
    assert_eq!(crossed[0].id, format!("cross:thorchain:{link}:1"));
    assert_eq!(crossed[0].tx, story.payout.to_string());
    assert_eq!(crossed[0].amount, Amount::from(COIN));
    for rule in [Rule::Fifo, Rule::Haircut, Rule::Lifo] {
        // 30 of 40 ether crossed: nothing is left in the bridge, and the peels hold what crossed.
        assert_eq!(
            sum(&report, rule, |row| row.bridges),
            Amount::ZERO,
            "{rule}"
        );
        let claims = &crossed[0].claims[&rule]["s1"];
        assert_eq!(claims.to_string(), (30 * ETHER).to_string(), "{rule}");
        assert_eq!(crossed[0].tainted[&rule], Amount::from(COIN));
    }
    for peel in &story.peels {
        let flow = format!("bitcoin-regtest:output:{peel}:0");
        let flow = report.flows.iter().find(|one| one.id == flow).unwrap();
        let claimed = &flow.claims[&Rule::Fifo]["s1"];
        // A quarter of the bitcoin carries a quarter of the ether.
        assert_eq!(claimed.to_string(), (30 * ETHER / 4).to_string());
    }
    let finding = report
        .findings
        .iter()
        .find(|one| one.heuristic == "cross.thorchain");
    let wording = &finding.unwrap().parameters["wording"];
    assert_eq!(*wording, json!(format!("linked by identifier {link}")));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn without_an_endpoint_for_the_other_chain_the_report_says_where_the_value_went() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let config = bridge.config();
    let words = format!("trace --json --quiet --chain anvil {}", story.theft);
    let done = Hansel::new(&words)
        .option("--endpoint", format!("anvil:rpc={}", bridge.anvil.url()))
        .option("--config", config.path())
        .run();
    let report = done.report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let left = sum(&report, Rule::Fifo, |row| row.bridges);
    assert_eq!(left.to_string(), (30 * ETHER).to_string());
    let said = report
        .unknown
        .iter()
        .find(|one| one.kind == "crossing")
        .unwrap();
    let exit = bridge.regtest.address(EXIT).to_string();
    for words in [
        &*exit,
        "bitcoin-regtest",
        "--endpoint bitcoin-regtest:KIND=URL",
    ] {
        assert!(said.detail.contains(words), "{}", said.detail);
    }
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    let vault = bridge.cast.vault.to_string();
    let vault = report
        .nodes
        .iter()
        .find(|node| node.address.as_deref() == Some(&*vault));
    let stop = vault.unwrap().stop.as_ref().unwrap();
    assert_eq!(stop.kind, StopKind::BridgeUnresolved);
}

/// 4 bitcoin of a theft of 5 cross to 60 ether. 20 of them are wrapped, paid on, unwrapped and mixed; 30 cross back to
/// bitcoin and rest there.
#[test]
fn stolen_bitcoin_is_followed_to_ether_through_a_swap_to_a_mixer_and_back_to_bitcoin() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let thief = Payee::Segwit(1);
    let coins = bridge.regtest.fund(Payee::Segwit(2), 2);
    let vault = bridge.regtest.fund(VAULT, 1);
    let stolen = [Pay::to(thief, 5 * COIN), Pay::rest(Payee::Segwit(2))];
    let theft = bridge.regtest.pay(&coins[..1], &stolen, 1_000);
    bridge.regtest.mine();
    let memo = format!("=:ETH.ETH:{}", bridge.cast.thief);
    let outputs = [
        Pay::to(VAULT, 4 * COIN),
        Pay::note(memo.as_bytes(), 0),
        Pay::rest(thief),
    ];
    let deposit = bridge
        .regtest
        .pay(&[OutPoint::new(theft, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    let ours = bridge.cast.thief;
    bridge.pay(bridge.cast.victim, bridge.cast.vault, 100 * ETHER);
    bridge.pay_out(ours, 60 * ETHER, &out(&deposit.to_string()));
    let weth = bridge.create(EvmContract::named("Weth").creation.clone());
    bridge.wrapped = Some(weth);
    let mixer = bridge.create(EvmContract::named("Mixer").with((U256::from(20 * ETHER),)));
    let wrap = evm_call("deposit()", ());
    let value = U256::from(20 * ETHER);
    bridge.transact(json!({"from": ours, "to": weth, "value": value, "data": wrap}));
    let other = bridge.cast.other;
    // It needs gas before it unwraps.
    let gas = U256::from(ETHER / 1_000);
    bridge.anvil.rpc().set_balance(other, gas).unwrap();
    let give = evm_call("transfer(address,uint256)", (other, value));
    bridge.transact(json!({"from": ours, "to": weth, "data": give}));
    let unwrap = evm_call("withdraw(uint256)", (value,));
    bridge.transact(json!({"from": other, "to": weth, "data": unwrap}));
    let mix = evm_call("deposit(bytes32)", (B256::repeat_byte(7),));
    bridge.transact(json!({"from": other, "to": mixer, "value": value, "data": mix}));
    let exit = bridge.regtest.address(EXIT);
    let back = bridge.deposit(ours, 30 * ETHER, &format!("=:b:{exit}"));
    for _ in 0..6 {
        bridge.regtest.mine();
    }
    let outputs = [
        Pay::to(EXIT, 2 * COIN),
        Pay::note(out(&back.to_string()).as_bytes(), 0),
        Pay::rest(VAULT),
    ];
    bridge.regtest.pay(&vault, &outputs, 1_000);
    bridge.regtest.mine();
    let (config, esplora) = (bridge.config(), bridge.esplora());
    let words = format!("--chain bitcoin-regtest {theft}:0 --rule fifo,lifo,haircut");
    let done = bridge.trace(&words, config.path(), &esplora).run();
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 2, "{} {:?}", done.stderr, report.unknown);
    for rule in [Rule::Fifo, Rule::Lifo] {
        // 60 ether are 4 bitcoin: 20 of them in the mixer, 30 back on Bitcoin, 1 bitcoin never left. What was there for
        // gas is mixed with the stolen.
        let services = sum(&report, rule, |row| row.services);
        let mixed = sum(&report, rule, |row| row.mixers);
        let in_mixer = services.checked_add(mixed).unwrap();
        let exact = Amount::from(4 * COIN / 3);
        let for_gas = Amount::from(4 * COIN / 60 / 1_000 + 1);
        assert!(
            in_mixer <= exact && exact <= in_mixer.checked_add(for_gas).unwrap(),
            "{rule}: {in_mixer}"
        );
        assert_eq!(
            sum(&report, rule, |row| row.bridges),
            Amount::ZERO,
            "{rule}"
        );
        let claims = crossed
            .iter()
            .map(|flow| flow.claims[&rule]["s1"].to_string());
        let mut claims: Vec<String> = claims.collect();
        claims.sort();
        assert_eq!(
            claims,
            [(2 * COIN).to_string(), (4 * COIN).to_string()],
            "{rule}"
        );
    }
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn what_a_bridge_sends_back_is_followed_on_its_own_chain() {
    let Some(bridge) = Bridge::start() else {
        return;
    };
    let theft = bridge.pay(bridge.cast.victim, bridge.cast.thief, 40 * ETHER);
    let ours = bridge.cast.thief;
    let deposit = bridge.deposit(ours, 30 * ETHER, "=:BTC.BTC:nowhere");
    let back = out(&deposit.to_string()).replace("OUT", "REFUND");
    bridge.pay(bridge.cast.victim, bridge.cast.vault, 5 * ETHER);
    bridge.pay_out(ours, 29 * ETHER, &back);
    let config = bridge.config();
    let words = format!("trace --json --quiet --chain anvil {theft} --rule fifo,haircut");
    let done = Hansel::new(&words)
        .option("--endpoint", format!("anvil:rpc={}", bridge.anvil.url()))
        .option("--config", config.path())
        .run();
    let report = done.report();
    require_balance(&report);
    for rule in [Rule::Fifo, Rule::Haircut] {
        // The bridge keeps one ether of what it sends back.
        let kept = sum(&report, rule, |row| row.bridges);
        assert_eq!(kept.to_string(), ETHER.to_string(), "{rule}");
    }
    assert_eq!(crossings(&report).len(), 1, "{:?}", report.unknown);
}

#[test]
fn memos_of_an_attacker_neither_stop_a_trace_nor_reach_a_terminal() {
    let Some(bridge) = Bridge::start() else {
        return;
    };
    let theft = bridge.pay(bridge.cast.victim, bridge.cast.thief, 40 * ETHER);
    let memos = [
        "x".repeat(64 << 10),
        "=:b:\u{1b}[2J\u{202e}evil".to_owned(),
        "=:ETH.ETH:<script>alert(1)</script>".to_owned(),
        "=:b:'; DROP TABLE flows; --".to_owned(),
        "OUT:".to_owned() + &"0".repeat(64),
        ":::::::::::".to_owned(),
        String::new(),
    ];
    for memo in &memos {
        bridge.deposit(bridge.cast.thief, ETHER, memo);
    }
    let config = bridge.config();
    leave_bad_lists(config.path());
    let words = format!("trace --quiet --chain anvil {theft}");
    let url = format!("anvil:rpc={}", bridge.anvil.url());
    for json in [true, false] {
        let run = Hansel::new(&words)
            .option("--endpoint", &url)
            .option("--config", config.path());
        let done = if json { run.args(["--json"]) } else { run }.run();
        assert!(matches!(done.code, Some(0 | 3)), "{}", done.stderr);
        let shown = format!("{}{}", done.stdout, done.stderr);
        for bad in ["\u{1b}", "\u{202e}", "<script>", "DROP TABLE flows;'"] {
            assert!(!shown.contains(bad), "{bad:?} is shown");
        }
        if json {
            let report = done.report();
            require_balance(&report);
            let left_out = |one: &&Unknown| one.kind == "labels-unread";
            let left_out = report.unknown.iter().filter(left_out).count();
            assert_eq!(left_out, 3, "{:?}", report.unknown);
        }
    }
}

/// Lists of labels that must not be read: a bomb of aliases, an address that is none, and half a file.
fn leave_bad_lists(config: &Path) {
    let labels = config.join("labels");
    std::fs::create_dir(&labels).unwrap();
    let head = "title: t\ncreator: c\nnetwork: anvil\nsource: s\nlastmod: 2023-01-01\n";
    let mut bomb = "description:\n  a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, before) in ('b'..='z').zip('a'..) {
        let nine = vec![format!("*{before}"); 9].join(",");
        writeln!(bomb, "  {name}: &{name} [{nine}]").unwrap();
    }
    let bad = [
        ("bomb", format!("{bomb}tags: []")),
        (
            "address",
            "tags:\n- address: \"0x\\e[2J\"\n  label: x".into(),
        ),
        ("half", "tags:\n- address: \"0x12".to_owned()),
    ];
    for (name, rest) in bad {
        let text = format!("{head}{rest}\n");
        std::fs::write(labels.join(format!("{name}.yaml")), text).unwrap();
    }
}

/// 4 bitcoin of a theft of 5 cross to 60 ether; 21 of them become a token and ether again, of which 20 enter a pool that
/// somebody's list calls a mixer.
#[test]
fn stolen_bitcoin_is_followed_through_a_swap_into_a_labelled_mixer() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let thief = Payee::Segwit(1);
    let coins = bridge.regtest.fund(Payee::Segwit(2), 1);
    let stolen = [Pay::to(thief, 5 * COIN), Pay::rest(Payee::Segwit(2))];
    let theft = bridge.regtest.pay(&coins, &stolen, 1_000);
    bridge.regtest.mine();
    let ours = bridge.cast.thief;
    let memo = format!("=:ETH.ETH:{ours}");
    let outputs = [
        Pay::to(VAULT, 4 * COIN),
        Pay::note(memo.as_bytes(), 0),
        Pay::rest(thief),
    ];
    let last = [OutPoint::new(theft, 0)];
    let deposit = bridge.regtest.pay(&last, &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    let market = Market::open(&bridge);
    bridge.wrapped = Some(market.weth);
    let mixer = bridge.create(EvmContract::named("Mixer").with((U256::from(20 * ETHER),)));
    bridge.pay(bridge.cast.victim, bridge.cast.vault, 100 * ETHER);
    bridge.pay_out(ours, 60 * ETHER, &out(&deposit.to_string()));
    let other = bridge.cast.other;
    let gas = U256::from(ETHER / 1_000);
    bridge.anvil.rpc().set_balance(other, gas).unwrap();
    market.swap_there_and_back(&bridge, ours, 21 * ETHER, other);
    let mix = evm_call("deposit(bytes32)", (B256::repeat_byte(7),));
    let value = U256::from(20 * ETHER);
    bridge.transact(json!({"from": other, "to": mixer, "value": value, "data": mix}));
    let (config, esplora) = (bridge.config(), bridge.esplora());
    call_a_mixer(config.path(), mixer);
    let words = format!("--chain bitcoin-regtest {theft}:0 --rule fifo,lifo,haircut");
    let report = bridge.trace(&words, config.path(), &esplora).run().report();
    require_balance(&report);
    assert_eq!(crossings(&report).len(), 1, "{:?}", report.unknown);
    for rule in [Rule::Fifo, Rule::Lifo, Rule::Haircut] {
        // 20 of what 21 of 60 ether became: more than a third of 4 bitcoin, and less than 21 of 60 parts of it.
        let mixed = sum(&report, rule, |row| row.mixers);
        let (least, most) = (4 * COIN / 3, 4 * COIN * 21 / 60);
        assert!(
            (Amount::from(least)..=Amount::from(most)).contains(&mixed),
            "{rule}: {mixed}"
        );
        assert_eq!(sum(&report, rule, |row| row.services), Amount::ZERO);
        assert_eq!(sum(&report, rule, |row| row.bridges), Amount::ZERO);
    }
    let pool = Some(mixer.to_string());
    let pool = report.nodes.iter().find(|node| node.address == pool);
    let stop = pool.unwrap().stop.as_ref().unwrap();
    assert_eq!(stop.kind, StopKind::Mixer);
    assert_eq!(stop.entity.as_deref(), Some("tornado-cash"));
}

/// A pair of a token and wrapped ether, with its router.
pub(crate) struct Market {
    pub(crate) weth: Address,
    pub(crate) gold: Address,
    pair: Address,
    router: Address,
}

impl Market {
    pub(crate) fn open(bridge: &Bridge) -> Self {
        let owner = bridge.cast.victim;
        let weth = bridge.create(EvmContract::named("Weth").creation.clone());
        let supply = U256::from(10_000 * ETHER);
        let gold = bridge.create(EvmContract::named("Token").with((supply,)));
        let pair = bridge.create(EvmContract::named("Pair").with((gold, weth)));
        let router = bridge.create(EvmContract::named("Router").with((weth,)));
        let depth = U256::from(2_000 * ETHER);
        let wrap = evm_call("deposit()", ());
        bridge.transact(json!({"from": owner, "to": weth, "value": depth, "data": wrap}));
        for token in [weth, gold] {
            let give = evm_call("transfer(address,uint256)", (pair, depth));
            bridge.transact(json!({"from": owner, "to": token, "data": give}));
        }
        let shares = evm_call("mintShares(address)", (owner,));
        bridge.transact(json!({"from": owner, "to": pair, "data": shares}));
        Self {
            weth,
            gold,
            pair,
            router,
        }
    }

    /// Ether becomes gold.
    pub(crate) fn swap_there(&self, bridge: &Bridge, from: Address, ether: u128) {
        let (gold, weth, router) = (self.gold, self.weth, self.router);
        let there = evm_call(
            "swapFromNative(address[],address[],address)",
            (vec![weth, gold], vec![self.pair], from),
        );
        let value = U256::from(ether);
        bridge.transact(json!({"from": from, "to": router, "value": value, "data": there}));
    }

    /// Ether becomes gold, and the gold becomes ether of somebody else.
    pub(crate) fn swap_there_and_back(
        &self,
        bridge: &Bridge,
        from: Address,
        ether: u128,
        to: Address,
    ) {
        self.swap_there(bridge, from, ether);
        let (gold, weth, router) = (self.gold, self.weth, self.router);
        let allow = evm_call("approve(address,uint256)", (router, U256::MAX));
        bridge.transact(json!({"from": from, "to": gold, "data": allow}));
        let held = bridge.anvil.rpc().token_balance(gold, from, None).unwrap();
        let back = evm_call(
            "swapToNative(uint256,address[],address[],address)",
            (held, vec![gold, weth], vec![self.pair], to),
        );
        bridge.transact(json!({"from": from, "to": router, "data": back}));
    }
}

/// A list of labels beside the configuration.
fn call_a_mixer(config: &Path, mixer: Address) {
    let labels = config.join("labels");
    std::fs::create_dir(&labels).unwrap();
    let text = format!(
        r#"title: Pools
creator: somebody
concepts: [mixing_service]
network: anvil
source: "the test that made it"
lastmod: 2023-01-01
tags:
  - address: "{mixer}"
    label: Tornado Cash 20 ETH
    actor: tornado-cash
"#
    );
    std::fs::write(labels.join("pools.yaml"), text).unwrap();
}

#[test]
fn a_path_over_two_chains_is_explained_to_the_theft() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let (config, esplora, data) = (bridge.config(), bridge.esplora(), directory());
    let words = format!("--chain anvil {} --rule fifo --name over", story.theft);
    let traced = bridge.trace(&words, config.path(), &esplora);
    traced.data(data.path()).run().exits(0);
    let words = format!("explain over {}:0", story.peels[1]);
    let explained = Hansel::new(&words)
        .option("--config", config.path())
        .data(data.path())
        .run()
        .exits(0)
        .stdout;
    let link = story.deposit.to_string();
    let link = link.trim_start_matches("0x").to_uppercase();
    let stages = [
        story.theft.to_string(),
        "stolen, seed s1".into(),
        story.deposit.to_string(),
        story.payout.to_string(),
        format!("linked by identifier {link}"),
        format!("floor({COIN} * {0} / {0}) = {COIN}", 30 * ETHER),
        format!("it carries the claims {} base units of s1", 30 * ETHER),
        story.peels[0].to_string(),
        story.peels[1].to_string(),
    ];
    let mut rest = &*explained;
    for stage in stages {
        let Some((_, after)) = rest.split_once(&*stage) else {
            panic!("no `{stage}` where it belongs:\n{explained}");
        };
        rest = after;
    }
}

#[test]
fn a_trace_over_two_chains_that_is_killed_ends_as_if_nothing_had_happened() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let config = bridge.config();
    bridge.regtest.node().wait_for_indexes().unwrap();
    let slow = EsploraOptions {
        delay: Duration::from_millis(15),
        ..EsploraOptions::default()
    };
    let esplora = EsploraServer::over_node(bridge.regtest.node(), slow).unwrap();
    let words = format!("--chain anvil {} --rule fifo,haircut", story.theft);
    let trace = || bridge.trace(&words, config.path(), &esplora);
    let undisturbed = trace().run().exits(0).stdout;
    let data = directory();
    let mut killed = 0;
    for step in 1..=12 {
        let running = trace().data(data.path()).start();
        sleep(Duration::from_millis(25 * step));
        killed += u32::from(running.kill().code.is_none());
    }
    assert!(killed >= 3, "only {killed} of 12 runs were cut off");
    let ended = trace().data(data.path()).run().exits(0).stdout;
    assert_eq!(ended, undisturbed);
}

#[test]
fn a_killed_trace_over_two_chains_keeps_the_blocks_of_both_while_they_grow() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let config = bridge.config();
    bridge.regtest.node().wait_for_indexes().unwrap();
    let url = bridge.anvil.url();
    let words = format!(
        "trace --json --quiet --name grown --chain anvil {} --rule fifo,haircut --endpoint anvil:rpc={url}",
        story.theft
    );
    let esplora = |delay: u64| {
        let options = EsploraOptions {
            delay: Duration::from_millis(delay),
            ..EsploraOptions::default()
        };
        EsploraServer::over_node(bridge.regtest.node(), options).unwrap()
    };
    let trace = |esplora: &EsploraServer, data: &Path| {
        let there = format!("bitcoin-regtest:esplora={}", esplora.url());
        let run = Hansel::new(&words).option("--endpoint", there);
        run.option("--config", config.path()).data(data)
    };
    let (fast, data, other) = (esplora(0), directory(), directory());
    let undisturbed = trace(&fast, other.path()).run().exits(0).stdout;
    // The far chain is slow, so that the run is cut off while it is read.
    let slow = esplora(400);
    let running = trace(&slow, data.path()).start();
    let asked = || {
        slow.requests_by_path()
            .keys()
            .any(|path| path.starts_with("/tx/"))
    };
    while !asked() {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(running.kill().code, None);
    let told = Hansel::new("report grown --json")
        .option("--config", config.path())
        .data(data.path())
        .run()
        .exits(3)
        .report();
    require_balance(&told);
    assert!(crossings(&told).is_empty());
    let left = sum(&told, Rule::Fifo, |row| row.bridges);
    assert_eq!(left.to_string(), (30 * ETHER).to_string());
    let cut = told.unknown.iter().find(|one| one.kind == "crossing");
    let cut = &cut.unwrap().detail;
    assert!(cut.contains("the run was cut off"), "{cut}");
    // A second kill, while the near chain is read again, must not forget the far one.
    let again = trace(&slow, data.path()).start();
    sleep(Duration::from_millis(30));
    again.kill();
    bridge.anvil.rpc().mine_empty(3, 60).unwrap();
    for _ in 0..3 {
        bridge.regtest.mine();
    }
    bridge.regtest.node().wait_for_indexes().unwrap();
    let ended = trace(&fast, data.path()).run().exits(0).stdout;
    assert_eq!(ended, undisturbed);
}

impl Bridge {
    /// `hansel` with these words, with both nodes as endpoints.
    pub(crate) fn by_nodes(&self, words: &str, config: &Path) -> Hansel {
        let node = self.regtest.node();
        node.wait_for_indexes().unwrap();
        let bitcoin = format!("bitcoin-regtest:core={}", node.url());
        let anvil = format!("anvil:rpc={}", self.anvil.url());
        let hansel = Hansel::new(words).option("--config", config);
        let hansel = hansel
            .option("--endpoint", bitcoin)
            .option("--endpoint", anvil);
        hansel.env("HANSEL_CORE_COOKIE", node.cookie_file())
    }
}

#[test]
fn a_case_over_two_chains_is_read_on_with_both() {
    let Some(mut bridge) = Bridge::start() else {
        return;
    };
    let story = outward(&mut bridge);
    let (config, data) = (bridge.config(), directory());
    let trace = format!(
        "trace --json --quiet --chain anvil --name both {}",
        story.theft
    );
    let traced = |bridge: &Bridge| bridge.by_nodes(&trace, config.path());
    traced(&bridge).data(data.path()).run().exits(0);
    let rescan = |bridge: &Bridge| {
        let rescan = bridge.by_nodes("rescan --json both", config.path());
        let outcomes: Vec<serde_json::Value> = rescan.data(data.path()).run().exits(0).json();
        let kept = Hansel::new("report --json both").option("--config", config.path());
        let kept = kept.data(data.path()).run().exits(0);
        assert_eq!(kept.stdout, traced(bridge).run().stdout);
        outcomes[0]["because"].as_str().unwrap().to_owned()
    };
    bridge.regtest.mine();
    bridge.anvil.rpc().mine().unwrap();
    assert_eq!(rescan(&bridge), "no new block touches it");
    let rest = OutPoint::new(*story.peels.last().unwrap(), 1);
    bridge
        .regtest
        .pay(&[rest], &[Pay::rest(Payee::Segwit(913))], 500);
    bridge.regtest.mine();
    assert_eq!(rescan(&bridge), "new blocks move it");
    bridge.pay(bridge.cast.thief, bridge.cast.other, ETHER);
    assert_eq!(rescan(&bridge), "new blocks move it");
}
