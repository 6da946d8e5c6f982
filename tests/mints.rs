//! Stolen bitcoin against which tokens are made on an EVM chain: a real Bitcoin node whose transactions look like any other
//! payment, and a real EVM node on which a contract logs what tBTC's and WBTC's do.

use std::cell::Cell;
use std::path::Path;

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use bitcoin::hashes::Hash as _;
use bitcoin::{ScriptBuf, Txid};
use hansel_graph::Rule;
use hansel_ledger::{Amount, topics};
use hansel_report::Report;
use hansel_testkit::{EvmContract, Pay, Payee, evm_call};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::crossings::{Bridge, COIN, VAULT, crossings, require_balance};

const CUSTODY: Payee = Payee::Segwit(930);
pub(crate) const WALLET: Payee = Payee::Segwit(970);
const REFUND: [u8; 20] = [0xe2; 20];
const BLINDING: [u8; 8] = hex!("f9f0c90d00039523");
const LOCKTIME: [u8; 4] = hex!("e0250162");
/// Units of tBTC in a satoshi.
pub(crate) const UNITS: u64 = 10_000_000_000;

/// A thief's 40 bitcoin, of which 30 were paid to where value is made against them, and a contract that makes it.
pub(crate) struct Story {
    pub(crate) bridge: Bridge,
    pub(crate) mint: Address,
    pub(crate) theft: Txid,
    pub(crate) paid: Txid,
    pub(crate) owner: Address,
    next: Address,
}

/// The script of a deposit of tBTC's, as its contract puts it together.
pub(crate) fn deposit_script(bridge: &Bridge, depositor: Address) -> ScriptBuf {
    script_with(bridge, depositor, &[])
}

/// The same with what stands between the depositor and the rest.
fn script_with(bridge: &Bridge, depositor: Address, extra: &[u8]) -> ScriptBuf {
    let wallet = wallet(bridge);
    let parts: [&[u8]; 13] = [
        &[0x14],
        depositor.as_slice(),
        &hex!("75"),
        extra,
        &hex!("08"),
        &BLINDING,
        &hex!("7576a914"),
        &wallet,
        &hex!("8763ac6776a914"),
        &REFUND,
        &hex!("8804"),
        &LOCKTIME,
        &hex!("b175ac68"),
    ];
    ScriptBuf::from(parts.concat())
}

/// The hash of the wallet's key.
pub(crate) fn wallet(bridge: &Bridge) -> [u8; 20] {
    let script = bridge.regtest.script(WALLET);
    script.as_bytes()[2..].try_into().unwrap()
}

impl Story {
    fn begin(pay: impl Fn(&Bridge, Address) -> Pay) -> Option<Self> {
        Self::noting(&[], pay)
    }

    /// With a text behind the payment, where it has any bytes.
    fn noting(text: &[u8], pay: impl Fn(&Bridge, Address) -> Pay) -> Option<Self> {
        let mut bridge = Bridge::with_empty(&[])?;
        let (owner, next) = (bridge.cast.thief, Address::repeat_byte(0x99));
        let coinbases = bridge.regtest.fund(VAULT, 1);
        let stolen = [Pay::to(Payee::Segwit(940), 40 * COIN), Pay::rest(VAULT)];
        let theft = bridge.regtest.pay(&coinbases[..1], &stolen, 1_000);
        bridge.regtest.mine();
        let mut outputs = vec![pay(&bridge, owner), Pay::rest(Payee::Segwit(941))];
        if !text.is_empty() {
            outputs.push(Pay::note(text, 0));
        }
        let stolen = bitcoin::OutPoint::new(theft, 0);
        let paid = bridge.regtest.pay(&[stolen], &outputs, 1_000);
        bridge.regtest.mine();
        bridge.catch_up();
        let mint = bridge.create(EvmContract::named("Sweeper").creation.clone());
        Some(Self {
            bridge,
            mint,
            theft,
            paid,
            owner,
            next,
        })
    }

    /// Makes tokens and logs an event.
    fn make(&self, to: Address, value: U256, words: &[B256], data: Vec<u8>) {
        let mut four = [B256::ZERO; 4];
        four[..words.len()].copy_from_slice(words);
        let signature = "make(address,uint256,bytes32[4],uint256,bytes)";
        let data = alloy_primitives::Bytes::from(data);
        let call = evm_call(signature, (to, value, four, U256::from(words.len()), data));
        let from = self.bridge.cast.victim;
        self.bridge
            .transact(json!({"from": from, "to": self.mint, "data": call, "gas": "0x4c4b40"}));
    }

    /// The new owner pays tokens on.
    pub(crate) fn pay_on(&self, value: U256) {
        let call = evm_call("transfer(address,uint256)", (self.next, value));
        self.bridge
            .transact(json!({"from": self.owner, "to": self.mint, "data": call}));
    }

    pub(crate) fn run(&self, words: &str, protocol: &str, contract: Address) -> Finished {
        let (config, data) = (configured(protocol, contract), directory());
        let traced = self.ask(&self.trace(), config.path(), data.path());
        if words.is_empty() {
            return traced;
        }
        Hansel::new(words)
            .option("--config", config.path())
            .data(data.path())
            .run()
    }

    pub(crate) fn trace(&self) -> String {
        let theft = self.theft;
        format!(
            "trace --json --quiet --name minted --chain bitcoin-regtest {theft} --rule fifo,haircut"
        )
    }

    /// Runs a command with an endpoint for each chain.
    pub(crate) fn ask(&self, words: &str, config: &Path, data: &Path) -> Finished {
        self.bridge.by_nodes(words, config).data(data).run()
    }

    pub(crate) fn require_crossed(&self, protocol: &str, arrived: U256) -> Report {
        let done = self.run("", protocol, self.mint);
        let report = done.report();
        require_balance(&report);
        let crossed = crossings(&report);
        assert_eq!(crossed.len(), 1, "{} {:?}", done.stderr, report.unknown);
        assert_eq!(crossed[0].amount, Amount::from(arrived));
        let departure = format!("bitcoin-regtest:output:{}:0", self.paid);
        assert_eq!(crossed[0].from, departure);
        for rule in [Rule::Fifo, Rule::Haircut] {
            assert_eq!(crossed[0].claims[&rule]["s1"], Amount::from(30 * COIN));
        }
        // What was paid on takes its part of the 30 bitcoin with it.
        let next = self.next.to_string();
        let paid_on = report
            .flows
            .iter()
            .find(|flow| flow.to_address.as_deref() == Some(&*next));
        let claimed = &paid_on.unwrap().claims[&Rule::Fifo]["s1"];
        assert_eq!(*claimed, Amount::from(10 * COIN));
        report
    }
}

/// Both chains, and a contract on one of them that is a protocol's.
pub(crate) fn configured(protocol: &str, contract: Address) -> TempDir {
    let dir = directory();
    let text = format!(
        r#"schema = "hansel-chains/1"

[[chains]]
name = "anvil"
family = "evm"
chain_id = 31337
native = {{ symbol = "ETH", decimals = 18 }}
bridges = [{{ protocol = "{protocol}", contracts = ["{contract}"], code = "ETH" }}]

[[chains]]
name = "bitcoin-regtest"
family = "bitcoin"
network = "regtest"
bridges = [{{ protocol = "{protocol}", code = "BTC" }}, {{ protocol = "thorchain", code = "BTC" }}]
"#
    );
    std::fs::write(dir.path().join("chains.toml"), text).unwrap();
    dir
}

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn left(bytes: &[u8]) -> B256 {
    B256::right_padding_from(bytes)
}

fn tbtc() -> Option<Story> {
    let story = deposited()?;
    reveal(&story);
    Some(story)
}

#[test]
fn an_output_that_another_chain_names_does_not_leave_by_the_memo_behind_it_too() {
    let memo = b"=:BTC.BTC:bcrt1q5y4uudre4cfgldt989gcrxj63eq8djfakxmhxk";
    let pay =
        |bridge: &Bridge, owner| Pay::lock(deposit_script(bridge, owner).to_p2wsh(), 30 * COIN);
    let Some(story) = Story::noting(memo, pay) else {
        return;
    };
    reveal(&story);
    let report = story.require_crossed("tbtc", minted());
    let mut unknown = report.unknown.iter();
    let other = unknown.find(|one| one.detail.contains("thorchain"));
    assert_eq!(other, None);
}

pub(crate) fn deposited() -> Option<Story> {
    Story::begin(|bridge, owner| Pay::lock(deposit_script(bridge, owner).to_p2wsh(), 30 * COIN))
}

/// Tells of the deposit, makes what it is worth, and pays a third of that on.
fn reveal(story: &Story) {
    tell(story);
    finalize(story);
    story.pay_on(minted() / U256::from(3));
}

/// Tells of the deposit.
pub(crate) fn tell(story: &Story) {
    let funding = B256::from(story.paid.to_byte_array());
    let wallet = wallet(&story.bridge);
    let revealed = [
        topics::TBTC_DEPOSIT_REVEALED,
        story.owner.into_word(),
        left(&wallet),
    ];
    let fields = [
        funding,
        word(0),
        word(30 * COIN),
        left(&BLINDING),
        left(&REFUND),
        left(&LOCKTIME),
        story.mint.into_word(),
    ];
    story.make(Address::ZERO, U256::ZERO, &revealed, fields.concat());
}

/// Makes what the deposit is worth before it is swept.
pub(crate) fn finalize(story: &Story) {
    let funding = B256::from(story.paid.to_byte_array());
    let key = keccak256([funding.as_slice(), &[0; 4]].concat());
    let finalized = [
        topics::TBTC_OPTIMISTIC_MINTING_FINALIZED,
        story.bridge.cast.other.into_word(),
        key,
        story.owner.into_word(),
    ];
    story.make(story.owner, minted(), &finalized, word(7).to_vec());
}

/// 30 bitcoin less a fee of three satoshi.
pub(crate) fn minted() -> U256 {
    U256::from(30 * COIN - 3) * U256::from(UNITS)
}

#[test]
fn a_deposit_that_only_ethereum_tells_of_is_followed_to_what_was_made_for_it() {
    let Some(story) = tbtc() else {
        return;
    };
    let report = story.require_crossed("tbtc", minted());
    let finding = report
        .findings
        .iter()
        .find(|one| one.heuristic == "cross.tbtc")
        .unwrap();
    assert_eq!(finding.parameters["certainty"], json!("certain"));
}

#[test]
fn what_another_contract_reveals_is_nothing_and_the_value_rests_on_bitcoin() {
    let Some(story) = tbtc() else {
        return;
    };
    let report = story.run("", "tbtc", Address::repeat_byte(0x77)).report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let fifo = report
        .accounting
        .iter()
        .find(|row| row.rule == Rule::Fifo)
        .unwrap();
    assert_eq!(fifo.bridges, Amount::ZERO);
}

#[test]
fn a_stored_case_explains_the_way_over_a_mint_without_a_network() {
    let Some(story) = tbtc() else {
        return;
    };
    let words = format!("explain minted {} --json", story.next);
    let told: Value = story.run(&words, "tbtc", story.mint).json();
    let text = told.to_string();
    assert!(text.contains(&story.theft.to_string()), "{text}");
    assert!(text.contains(&story.paid.to_string()), "{text}");
}

#[test]
fn a_rescan_finds_what_was_made_since_and_leaves_the_report_of_a_trace_from_scratch() {
    let Some(story) = deposited() else {
        return;
    };
    let (config, kept, fresh) = (configured("tbtc", story.mint), directory(), directory());
    let before = story
        .ask(&story.trace(), config.path(), kept.path())
        .report();
    assert!(crossings(&before).is_empty());
    reveal(&story);
    let outcome = story.ask("rescan minted --json", config.path(), kept.path());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let scratch = story.ask(&story.trace(), config.path(), fresh.path());
    assert_eq!(crossings(&scratch.report()).len(), 1);
    let report = Hansel::new("report minted --json")
        .option("--config", config.path())
        .data(kept.path())
        .run();
    assert_eq!(report.stdout, scratch.stdout, "{}", outcome.stdout);
}

#[test]
fn a_payment_to_a_custodian_is_followed_to_the_merchant_who_got_tokens_for_it() {
    let Some(story) = Story::begin(|_, _| Pay::to(CUSTODY, 30 * COIN)) else {
        return;
    };
    let confirmed = [
        topics::WBTC_MINT_CONFIRMED,
        word(42),
        story.owner.into_word(),
    ];
    let text = |text: String| {
        let mut padded = text.clone().into_bytes();
        padded.resize(text.len().div_ceil(32) * 32, 0);
        [word(text.len() as u64).to_vec(), padded].concat()
    };
    let address = text(story.bridge.regtest.address(CUSTODY).to_string());
    let txid = text(story.paid.to_string());
    let head = [
        word(30 * COIN),
        word(160),
        word(160 + address.len() as u64),
        word(1_700_000_000),
        B256::repeat_byte(0xaa),
    ];
    let data = [head.concat(), address, txid].concat();
    let amount = U256::from(30 * COIN);
    story.make(story.owner, amount, &confirmed, data);
    story.pay_on(amount / U256::from(3));
    story.require_crossed("wbtc", amount);
}

/// A deposit for an account of another chain: a contract reveals it, and logs that account in its own way.
fn deposited_for(account: B256, logged: B256) -> Option<Story> {
    let contract = Cell::new(Address::ZERO);
    let mut story = Story::begin(|bridge, _| {
        contract.set(bridge.create(EvmContract::named("Herald").creation.clone()));
        let extra = [&[0x20], &account[..], &[0x75]].concat();
        let script = script_with(bridge, contract.get(), &extra);
        Pay::lock(script.to_p2wsh(), 30 * COIN)
    })?;
    story.owner = contract.get();
    tell(&story);
    let key = keccak256([&story.paid.to_byte_array()[..], &[0; 4]].concat());
    let form = keccak256("DepositInitialized(uint256,address,address)");
    let topics = [form, key, logged, story.bridge.cast.thief.into_word()];
    let call = evm_call(
        "tell(address,address,uint256,bytes32[4],uint256,bytes)",
        (
            Address::ZERO,
            story.next,
            U256::ZERO,
            topics,
            U256::from(4),
            alloy_primitives::Bytes::new(),
        ),
    );
    let (from, to) = (story.bridge.cast.thief, story.owner);
    story
        .bridge
        .transact(json!({"from": from, "to": to, "data": call}));
    finalize(&story);
    Some(story)
}

#[test]
fn a_deposit_for_another_chain_is_followed_by_the_extra_data_that_its_contract_logs() {
    let account = Address::repeat_byte(0x5a).into_word();
    let Some(story) = deposited_for(account, account) else {
        return;
    };
    let report = story.run("", "tbtc", story.mint).report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].amount, Amount::from(minted()));
    assert_eq!(crossed[0].to_address, Some(story.owner.to_string().into()));
    let mut findings = report.findings.iter();
    let finding = findings.find(|one| one.heuristic == "cross.tbtc").unwrap();
    let asked = finding.parameters["asked"].as_str().unwrap();
    assert!(asked.contains(&account.to_string()), "{asked}");
    let words = format!("explain minted {} --json", story.owner);
    let told: Value = story.run(&words, "tbtc", story.mint).json();
    assert!(
        told.to_string().contains(&story.theft.to_string()),
        "{told}"
    );
}

#[test]
fn extra_data_that_the_payment_was_not_hashed_with_are_not_believed() {
    let account = Address::repeat_byte(0x5a).into_word();
    let Some(story) = deposited_for(account, Address::repeat_byte(0x5b).into_word()) else {
        return;
    };
    let report = story.run("", "tbtc", story.mint).report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let why = format!(
        "{}:0 has extra data that its contract does not log",
        story.paid
    );
    let said = report
        .unknown
        .iter()
        .filter(|one| one.detail.contains(&why));
    assert_eq!(said.count(), 1, "{:?}", report.unknown);
}
