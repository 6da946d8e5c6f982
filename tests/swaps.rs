//! Value that is swapped between Bitcoin and an EVM chain where no identifier joins the two sides: payments to the payee who
//! was named are listed when it is wished, and followed when one is named. A real Bitcoin node and a real EVM node.

use alloy_primitives::{Address, B256, Bytes, U256};
use bitcoin::{OutPoint, Txid};
use hansel_graph::Rule;
use hansel_ledger::{Amount, topics};
use hansel_report::Report;
use hansel_report::model::{Confidence, Finding};
use hansel_testkit::{EvmContract, Pay, Payee, evm_call};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Finished, directory};
use crate::crossings::{Bridge, COIN, ETHER, EXIT, VAULT, crossings, require_balance, sum};

const THIEF: Payee = Payee::Segwit(950);
const OWN: Payee = Payee::Segwit(951);
const DOCK: Payee = Payee::Segwit(952);
/// Base units of a dollar.
const DOLLAR: u64 = 1_000_000;

/// Both chains; on the EVM chain a contract that is the vault, and a token.
fn configured(vault: Address, token: Address, symbol: &str, decimals: u8) -> TempDir {
    let dir = directory();
    let text = format!(
        r#"schema = "hansel-chains/1"

[[chains]]
name = "anvil"
family = "evm"
chain_id = 31337
native = {{ symbol = "ETH", decimals = 18 }}
tokens = [{{ contract = "{token}", symbol = "{symbol}", decimals = {decimals}, source = "the test" }}]
bridges = [{{ protocol = "chainflip", contracts = ["{vault}"], code = "1" }}]

[[chains]]
name = "bitcoin-regtest"
family = "bitcoin"
network = "regtest"
bridges = [{{ protocol = "chainflip", code = "3" }}]
"#
    );
    std::fs::write(dir.path().join("chains.toml"), text).unwrap();
    dir
}

/// Calls a function of a contract.
fn call(bridge: &Bridge, from: Address, to: Address, data: Bytes) -> B256 {
    bridge.transact(json!({"from": from, "to": to, "data": data, "gas": "0x4c4b40"}))
}

/// Makes tokens for somebody.
fn make(bridge: &Bridge, token: Address, to: Address, amount: U256) {
    let signature = "make(address,uint256,bytes32[4],uint256,bytes)";
    let words = ([B256::ZERO; 4], U256::from(1), Bytes::new());
    let data = evm_call(signature, (to, amount, words.0, words.1, words.2));
    call(bridge, bridge.cast.victim, token, data);
}

fn transfer(bridge: &Bridge, token: Address, from: Address, to: Address, amount: U256) -> B256 {
    let data = evm_call("transfer(address,uint256)", (to, amount));
    call(bridge, from, token, data)
}

fn run(bridge: &Bridge, subject: &str, options: &str, config: &TempDir) -> Finished {
    let esplora = bridge.esplora();
    let words = format!("{subject} --rule fifo,haircut {options}");
    bridge.trace(words.trim(), config.path(), &esplora).run()
}

fn candidates(report: &Report) -> Vec<&Finding> {
    let findings = report.findings.iter();
    let of = findings.filter(|one| one.heuristic == "cross.candidate");
    of.filter(|one| one.parameters.contains_key("candidate"))
        .collect()
}

/// The name of the candidate in a transaction.
fn named(report: &Report, tx: &str) -> String {
    let listed = candidates(report);
    let one = listed.iter().find(|one| one.parameters["arrival"] == tx);
    let id = &one
        .unwrap_or_else(|| panic!("{tx} is not listed"))
        .parameters["candidate"];
    id.as_str().unwrap().to_owned()
}

/// A stolen 40,000 dollars, of which 30,000 were sent to the vault to be paid as bitcoin.
struct Outward {
    bridge: Bridge,
    config: TempDir,
    token: Address,
    theft: B256,
    payout: Txid,
    next: Txid,
}

impl Outward {
    fn begin() -> Option<Self> {
        let mut bridge = Bridge::with_empty(&[1])?;
        let coinbases = bridge.regtest.fund(VAULT, 3);
        bridge.catch_up();
        let vault = bridge.create(EvmContract::named("Herald").creation.clone());
        let token = bridge.create(EvmContract::named("Mint").creation.clone());
        let (victim, thief) = (bridge.cast.victim, bridge.cast.thief);
        let dollars = |amount: u64| U256::from(amount * DOLLAR);
        make(&bridge, token, victim, dollars(40_000));
        bridge.pay(victim, thief, ETHER);
        let theft = transfer(&bridge, token, victim, thief, dollars(40_000));
        let approve = evm_call("approve(address,uint256)", (vault, dollars(30_000)));
        call(&bridge, thief, token, approve);
        order(&bridge, vault, token, dollars(30_000));
        let mut paid = |payee, satoshi, coinbase: usize| {
            let outputs = [Pay::to(payee, satoshi), Pay::rest(VAULT)];
            let paid = bridge
                .regtest
                .pay(&coinbases[coinbase..=coinbase], &outputs, 1_000);
            bridge.regtest.mine();
            paid
        };
        let payout = paid(EXIT, COIN, 0);
        // Somebody else is paid as much at the same time.
        paid(OWN, COIN, 1);
        let outputs = [
            Pay::to(Payee::Segwit(953), COIN / 4),
            Pay::rest(Payee::Segwit(954)),
        ];
        let next = bridge
            .regtest
            .pay(&[OutPoint::new(payout, 0)], &outputs, 500);
        bridge.regtest.mine();
        bridge.catch_up();
        let config = configured(vault, token, "USDC", 6);
        Some(Self {
            bridge,
            config,
            token,
            theft,
            payout,
            next,
        })
    }

    fn trace(&self, options: &str) -> Finished {
        let subject = format!("--chain anvil {} --asset {}", self.theft, self.token);
        run(&self.bridge, &subject, options, &self.config)
    }
}

/// `SwapToken(uint32,bytes,uint32,address,uint256,address indexed,bytes)`: dollars for bitcoin at an address.
fn order(bridge: &Bridge, vault: Address, token: Address, amount: U256) {
    let address = bridge.regtest.address(EXIT).to_string();
    let mut text = address.clone().into_bytes();
    text.resize(text.len().div_ceil(32) * 32, 0);
    let word = |number: usize| B256::from(U256::from(number));
    let head = [
        word(3),
        word(192),
        word(5),
        token.into_word(),
        B256::from(amount),
        word(224 + text.len()),
    ];
    let tail = [word(address.len()).to_vec(), text, word(0).to_vec()];
    let data = Bytes::from([head.concat(), tail.concat()].concat());
    let mut four = [B256::ZERO; 4];
    four[0] = topics::CHAINFLIP_SWAP_TOKEN;
    four[1] = bridge.cast.thief.into_word();
    let signature = "tell(address,address,uint256,bytes32[4],uint256,bytes)";
    let data = evm_call(signature, (token, vault, amount, four, U256::from(2), data));
    call(bridge, bridge.cast.thief, vault, data);
}

#[test]
fn a_swap_to_bitcoin_lists_what_its_payee_got_and_follows_it_only_when_asked() {
    let Some(story) = Outward::begin() else {
        return;
    };
    let plain = story.trace("").report();
    require_balance(&plain);
    assert!(candidates(&plain).is_empty());
    let stolen = |dollars: u64| Amount::from(dollars * DOLLAR);
    assert_eq!(sum(&plain, Rule::Fifo, |row| row.bridges), stolen(30_000));
    let exit = story.bridge.regtest.address(EXIT).to_string();
    let said = plain.unknown.iter().find(|one| one.kind == "crossing");
    let said = &said.unwrap().detail;
    assert!(
        said.contains(&exit) && said.contains("--candidates"),
        "{said}"
    );

    let done = story.trace("--candidates");
    let report = done.report();
    let listed = candidates(&report);
    assert_eq!(listed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    let one = &listed[0].parameters;
    assert_eq!(one["arrival"], json!(story.payout.to_string()));
    assert_eq!(one["payee"], json!(exit));
    // Dollars and bitcoin have no measure in common.
    assert_eq!(one["amount_was_compared"], json!(false));
    assert_eq!(one["wording"], json!("possible match (1 candidate)"));
    assert!(one["score"].as_u64().unwrap() <= 500);
    assert!(crossings(&report).is_empty());

    let id = named(&report, &story.payout.to_string());
    let done = story.trace(&format!("--follow-candidate {id}"));
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    assert_eq!(crossed[0].amount, Amount::from(COIN));
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(
            sum(&report, rule, |row| row.bridges),
            Amount::ZERO,
            "{rule}"
        );
        assert_eq!(crossed[0].claims[&rule]["s1"], stolen(30_000), "{rule}");
    }
    let flow = format!("bitcoin-regtest:output:{}:0", story.next);
    let flow = report.flows.iter().find(|one| one.id == flow).unwrap();
    assert_eq!(flow.claims[&Rule::Fifo]["s1"], stolen(7_500));
    let finding = report.findings.iter();
    let mut finding = finding.filter(|one| one.heuristic == "cross.candidate");
    assert!(finding.all(|one| one.confidence == Confidence::Weak));
}

/// What an output behind a vault's says: ether for an account, at least so much of it.
fn ordered(to: Address, least: u128) -> Vec<u8> {
    let parts: [&[u8]; 8] = [
        &[0, 1],
        to.as_slice(),
        &150_u16.to_le_bytes(),
        &least.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &2_u16.to_le_bytes(),
        &[5, 30],
        &[4, 1, 20],
    ];
    parts.concat()
}

#[test]
fn a_swap_from_bitcoin_lists_only_payments_of_at_least_what_it_asked_for() {
    let Some(mut bridge) = Bridge::with_empty(&[1]) else {
        return;
    };
    let coinbases = bridge.regtest.fund(VAULT, 1);
    let (payer, to) = (bridge.cast.victim, bridge.cast.thief);
    let stolen = [Pay::to(THIEF, 2 * COIN), Pay::rest(VAULT)];
    let theft = bridge.regtest.pay(&coinbases, &stolen, 1_000);
    bridge.regtest.mine();
    let outputs = [
        Pay::to(DOCK, COIN),
        Pay::note(&ordered(to, 20 * ETHER), 0),
        Pay::rest(OWN),
    ];
    bridge
        .regtest
        .pay(&[OutPoint::new(theft, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    bridge.pay(payer, to, 19 * ETHER);
    let paid = bridge.pay(payer, to, 21 * ETHER);
    let next = Address::repeat_byte(0x99);
    bridge.pay(to, next, 30 * ETHER);
    let config = configured(
        Address::repeat_byte(0x77),
        Address::repeat_byte(0x78),
        "USDC",
        6,
    );
    let subject = format!("--chain bitcoin-regtest {theft}");
    let done = run(&bridge, &subject, "--candidates", &config);
    let report = done.report();
    require_balance(&report);
    let listed = candidates(&report);
    assert_eq!(listed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    assert_eq!(listed[0].parameters["arrival"], json!(paid.to_string()));
    assert_eq!(
        listed[0].parameters["least"],
        json!((20 * ETHER).to_string())
    );
    assert_eq!(
        listed[0].parameters["wording"],
        json!("possible match (1 candidate)")
    );
    let bridges = |report: &Report| sum(report, Rule::Haircut, |row| row.bridges);
    assert_eq!(bridges(&report), Amount::from(COIN));
    let id = named(&report, &paid.to_string());
    let done = run(
        &bridge,
        &subject,
        &format!("--follow-candidate {id}"),
        &config,
    );
    let report = done.report();
    require_balance(&report);
    assert_eq!(crossings(&report).len(), 1, "{}", done.stderr);
    assert_eq!(bridges(&report), Amount::ZERO);
    let reached = report.nodes.iter();
    let next = next.to_string();
    assert!(
        reached
            .into_iter()
            .any(|node| node.address.as_deref() == Some(&*next))
    );
}

#[test]
fn bitcoin_that_reached_a_labelled_bridge_lists_tokens_that_stand_for_bitcoin() {
    let Some(mut bridge) = Bridge::with_empty(&[1]) else {
        return;
    };
    let coinbases = bridge.regtest.fund(VAULT, 1);
    let token = bridge.create(EvmContract::named("Mint").creation.clone());
    let (payer, to) = (bridge.cast.other, bridge.cast.thief);
    let units = |satoshi: u64| U256::from(satoshi) * U256::from(10_000_000_000_u64);
    let stolen = [Pay::to(THIEF, 2 * COIN), Pay::rest(VAULT)];
    let theft = bridge.regtest.pay(&coinbases, &stolen, 1_000);
    bridge.regtest.mine();
    let outputs = [Pay::to(DOCK, COIN), Pay::rest(OWN)];
    bridge
        .regtest
        .pay(&[OutPoint::new(theft, 0)], &outputs, 1_000);
    bridge.regtest.mine();
    bridge.catch_up();
    make(&bridge, token, payer, units(3 * COIN));
    let paid = transfer(&bridge, token, payer, to, units(COIN - 1_000));
    transfer(&bridge, token, payer, bridge.cast.vault, units(COIN + 1));
    // As many units of another coin are none of it.
    bridge.pay(payer, to, ETHER);
    let config = configured(Address::repeat_byte(0x77), token, "tBTC", 18);
    let dock = bridge.regtest.address(DOCK);
    let labels = format!(
        "title: Ferries\ncreator: test\nconcepts: [defi_bridge]\nsource: \"the test\"\nconfidence: service_data\nlastmod: 2023-01-01\ntags:\n  - address: \"{dock}\"\n    label: Ferry\n    actor: ferry\n    network: bitcoin-regtest\n  - address: \"{payer}\"\n    label: Ferry\n    actor: ferry\n    network: anvil\n"
    );
    std::fs::create_dir_all(config.path().join("labels")).unwrap();
    std::fs::write(config.path().join("labels/ferries.yaml"), labels).unwrap();
    let subject = format!("--chain bitcoin-regtest {theft}");
    let done = run(&bridge, &subject, "--candidates", &config);
    let report = done.report();
    require_balance(&report);
    let listed = candidates(&report);
    assert_eq!(listed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    assert_eq!(listed[0].parameters["arrival"], json!(paid.to_string()));
    assert_eq!(listed[0].parameters["amount_was_compared"], json!(true));
    let id = named(&report, &paid.to_string());
    let report = run(
        &bridge,
        &subject,
        &format!("--follow-candidate {id}"),
        &config,
    )
    .report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1);
    assert_eq!(crossed[0].claims[&Rule::Fifo]["s1"], Amount::from(COIN));
    assert_eq!(sum(&report, Rule::Fifo, |row| row.bridges), Amount::ZERO);
}

/// A theft of two outputs: one goes by a memo that a router answers, the other by an order that names the same payee.
#[test]
fn a_payment_that_a_link_joins_with_another_departure_is_no_candidate_to_follow() {
    let Some(mut bridge) = Bridge::with_empty(&[1]) else {
        return;
    };
    let coinbases = bridge.regtest.fund(VAULT, 1);
    let to = bridge.cast.thief;
    let stolen = [Pay::to(THIEF, COIN), Pay::to(OWN, COIN), Pay::rest(VAULT)];
    let theft = bridge.regtest.pay(&coinbases, &stolen, 1_000);
    bridge.regtest.mine();
    let mut send = |vout, note: &[u8]| {
        let rest = Pay::rest(Payee::Segwit(990 + vout));
        let outputs = [Pay::to(DOCK, COIN / 2), Pay::note(note, 0), rest];
        let sent = bridge
            .regtest
            .pay(&[OutPoint::new(theft, vout)], &outputs, 1_000);
        bridge.regtest.mine();
        sent
    };
    let sure = send(0, format!("=:ETH.ETH:{to}").as_bytes());
    send(1, &ordered(to, 0));
    bridge.catch_up();
    let signature = "transferOut(address,address,uint256,string)";
    let answer = crate::crossings::out(&sure.to_string());
    let data = evm_call(signature, (to, Address::ZERO, U256::ZERO, answer));
    let payout = json!({"from": bridge.cast.vault, "to": bridge.router, "value": U256::from(9 * ETHER), "data": data});
    let payout = bridge.transact(payout);
    let config = configured(
        Address::repeat_byte(0x77),
        Address::repeat_byte(0x78),
        "USDC",
        6,
    );
    let path = config.path().join("chains.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let router = format!(
        "bridges = [{{ protocol = \"thorchain\", contracts = [\"{}\"], code = \"ETH\" }}, {{ protocol = \"chainflip\", contracts",
        bridge.router
    );
    let text = text.replace("bridges = [{ protocol = \"chainflip\", contracts", &router);
    let here =
        "bridges = [{ protocol = \"thorchain\", code = \"BTC\" }, { protocol = \"chainflip\", code";
    let text = text.replace("bridges = [{ protocol = \"chainflip\", code", here);
    std::fs::write(&path, text).unwrap();
    let subject = format!("--chain bitcoin-regtest {theft}:0 {theft}:1");
    let report = run(&bridge, &subject, "--candidates", &config).report();
    let id = named(&report, &payout.to_string());
    let done = run(
        &bridge,
        &subject,
        &format!("--follow-candidate {id}"),
        &config,
    );
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    assert!(
        crossed[0].id.starts_with("cross:thorchain:"),
        "{}",
        crossed[0].id
    );
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert!(!crossed[0].claims[&rule].is_empty(), "{rule}");
        assert_eq!(
            sum(&report, rule, |row| row.bridges),
            Amount::from(COIN / 2),
            "{rule}"
        );
    }
    let listed = candidates(&report);
    assert!(
        listed
            .iter()
            .all(|one| one.parameters["followed"] == json!(false))
    );
}
