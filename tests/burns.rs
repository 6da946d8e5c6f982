//! Stolen tokens that are burned for bitcoin: a real EVM node on which contracts burn and confirm as WBTC's do, and a real
//! Bitcoin node that pays.

use std::path::Path;

use alloy_primitives::{Address, B256, U256};
use bitcoin::{OutPoint, Txid};
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_testkit::{EvmContract, Pay, Payee, evm_call};
use serde_json::json;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::crossings::{Bridge, COIN, EXIT, VAULT, crossings, require_balance, sum};

const FEE: u64 = 5_000;
const NEXT: Payee = Payee::Segwit(950);

/// 40 tokens are stolen, of which the thief burns 30.
struct Story {
    bridge: Bridge,
    token: Address,
    factory: Address,
    theft: B256,
    coins: Vec<OutPoint>,
}

impl Story {
    fn begin() -> Option<Self> {
        let mut bridge = Bridge::with_empty(&[])?;
        let coins = bridge.regtest.fund(VAULT, 3);
        bridge.catch_up();
        let (victim, thief) = (bridge.cast.victim, bridge.cast.thief);
        let coin = EvmContract::named("WrappedCoin");
        let token = bridge.create(coin.with((victim, U256::from(100 * COIN))));
        let factory = bridge.create(EvmContract::named("CoinFactory").with((token,)));
        let give = evm_call("transfer(address,uint256)", (thief, U256::from(40 * COIN)));
        let theft = bridge.transact(json!({"from": victim, "to": token, "data": give}));
        let allow = evm_call("approve(address,uint256)", (factory, U256::MAX));
        bridge.transact(json!({"from": thief, "to": token, "data": allow}));
        let story = Self {
            bridge,
            token,
            factory,
            theft,
            coins,
        };
        story.burn(30 * COIN);
        Some(story)
    }

    fn burn(&self, amount: u64) -> B256 {
        let exit = self.bridge.regtest.address(EXIT).to_string();
        let burn = evm_call("burn(uint256,string)", (U256::from(amount), exit));
        let thief = self.bridge.cast.thief;
        self.transact(thief, &burn)
    }

    fn transact(&self, from: Address, data: &[u8]) -> B256 {
        let data = alloy_primitives::Bytes::copy_from_slice(data);
        let call = json!({"from": from, "to": self.factory, "data": data, "gas": "0x4c4b40"});
        self.bridge.transact(call)
    }

    /// Pays from a coin of the custodian's.
    fn pay(&mut self, outputs: &[Pay]) -> Txid {
        let coin = self.coins.pop().unwrap();
        let paid = self.bridge.regtest.pay(&[coin], outputs, 1_000);
        self.bridge.regtest.mine();
        self.bridge.catch_up();
        paid
    }

    /// The custodian says which transaction paid for a request.
    fn confirm(&self, nonce: u64, text: &str) {
        let data = evm_call(
            "confirm(uint256,string)",
            (U256::from(nonce), text.to_owned()),
        );
        self.transact(self.bridge.cast.other, &data);
    }

    fn trace(&self) -> String {
        let theft = self.theft;
        format!("trace --json --quiet --name burned --chain anvil {theft} --rule fifo,haircut")
    }

    fn ask(&self, words: &str, config: &Path, data: &Path) -> Finished {
        self.bridge.by_nodes(words, config).data(data).run()
    }

    fn run(&self) -> Finished {
        let (config, data) = (self.configured(self.factory), directory());
        self.ask(&self.trace(), config.path(), data.path())
    }

    /// Both chains, and the contracts on one of them that are WBTC's.
    fn configured(&self, factory: Address) -> TempDir {
        let dir = directory();
        let token = self.token;
        let text = format!(
            r#"schema = "hansel-chains/1"

[[chains]]
name = "anvil"
family = "evm"
chain_id = 31337
native = {{ symbol = "ETH", decimals = 18 }}
bridges = [{{ protocol = "wbtc", contracts = ["{factory}", "{token}"], code = "ETH" }}]

[[chains]]
name = "bitcoin-regtest"
family = "bitcoin"
network = "regtest"
bridges = [{{ protocol = "wbtc", code = "BTC" }}]
"#
        );
        std::fs::write(dir.path().join("chains.toml"), text).unwrap();
        dir
    }

    /// Burned, paid less a fee, confirmed, and a third of it paid on.
    fn complete() -> Option<(Self, Txid)> {
        let mut story = Self::begin()?;
        let paid = story.settle();
        Some((story, paid))
    }

    fn settle(&mut self) -> Txid {
        let paid = self.pay(&[Pay::to(EXIT, 30 * COIN - FEE), Pay::rest(VAULT)]);
        self.confirm(0, &paid.to_string());
        let third = Pay::to(NEXT, 10 * COIN);
        let regtest = &mut self.bridge.regtest;
        regtest.pay(&[OutPoint::new(paid, 0)], &[third, Pay::rest(EXIT)], FEE);
        regtest.mine();
        paid
    }
}

/// Nothing crossed, and the report says why.
fn require_refused(done: &Finished, why: &str) {
    let report = done.report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    let said = |one: &&hansel_report::model::Unknown| one.kind == "crossing";
    let said: Vec<_> = report.unknown.iter().filter(said).collect();
    assert!(said.iter().any(|one| one.detail.contains(why)), "{said:?}");
    assert_eq!(burned(&report), Amount::from(30 * COIN));
}

/// What rests where the tokens were destroyed, or with the bridge.
fn burned(report: &Report) -> Amount {
    sum(report, Rule::Fifo, |row| row.bridges)
}

#[test]
fn burned_tokens_are_followed_to_the_bitcoin_that_the_confirmation_names() {
    let Some((story, paid)) = Story::complete() else {
        return;
    };
    let done = story.run();
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{} {:?}", done.stderr, report.unknown);
    assert_eq!(crossed[0].tx, paid.to_string());
    assert_eq!(crossed[0].amount, Amount::from(30 * COIN - FEE));
    assert_eq!(burned(&report), Amount::ZERO);
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(crossed[0].claims[&rule]["s1"], Amount::from(30 * COIN));
        assert_eq!(crossed[0].tainted[&rule], Amount::from(30 * COIN - FEE));
    }
    let next = story.bridge.regtest.address(NEXT).to_string();
    let paid_on = report
        .flows
        .iter()
        .find(|flow| flow.to_address.as_deref() == Some(&*next));
    let claimed = &paid_on.unwrap().claims[&Rule::Fifo]["s1"];
    // 10 of what is left of 30 after the fee, in tokens.
    let share = u128::from(10 * COIN) * u128::from(30 * COIN) / u128::from(30 * COIN - FEE);
    assert_eq!(*claimed, Amount::from(u64::try_from(share).unwrap()));
    let finding = report
        .findings
        .iter()
        .find(|one| one.heuristic == "cross.wbtc");
    assert_eq!(finding.unwrap().parameters["certainty"], json!("certain"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
}

#[test]
fn another_contract_burns_and_confirms_nothing() {
    let Some((story, _)) = Story::complete() else {
        return;
    };
    let (config, data) = (story.configured(Address::repeat_byte(0x77)), directory());
    let report = story
        .ask(&story.trace(), config.path(), data.path())
        .report();
    require_balance(&report);
    assert!(crossings(&report).is_empty());
    assert_eq!(burned(&report), Amount::ZERO);
}

#[test]
fn a_confirmation_with_a_payment_to_somebody_else_is_not_followed() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    let other = story.pay(&[Pay::to(NEXT, 30 * COIN), Pay::rest(VAULT)]);
    story.confirm(0, &other.to_string());
    let why = format!("{other} does not pay the address for which it was burned");
    require_refused(&story.run(), &why);
}

#[test]
fn a_confirmation_that_names_no_transaction_is_named_and_not_printed() {
    let Some(story) = Story::begin() else {
        return;
    };
    story.confirm(0, "\u{1b}[2J<script>\u{202e}");
    let done = story.run();
    require_refused(
        &done,
        "its confirmation names no Bitcoin transaction that can be read",
    );
    assert!(!done.stdout.contains("script>") && !done.stdout.contains("[2J"));
}

#[test]
fn one_payment_for_two_burns_goes_to_the_one_of_its_amount() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    story.burn(10 * COIN);
    let outputs = [
        Pay::to(EXIT, 10 * COIN),
        Pay::to(EXIT, 30 * COIN - FEE),
        Pay::rest(VAULT),
    ];
    let paid = story.pay(&outputs);
    story.confirm(0, &paid.to_string());
    story.confirm(1, &paid.to_string());
    let done = story.run();
    let report = done.report();
    require_balance(&report);
    let crossed = crossings(&report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].amount, Amount::from(10 * COIN));
    assert_eq!(burned(&report), Amount::from(30 * COIN));
    let said = |one: &hansel_report::model::Unknown| one.detail.contains("which is which");
    assert!(report.unknown.iter().any(said), "{:?}", report.unknown);
}

#[test]
fn a_rescan_finds_a_later_confirmation_and_leaves_the_report_of_a_trace_from_scratch() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    let (config, kept, fresh) = (story.configured(story.factory), directory(), directory());
    let before = story
        .ask(&story.trace(), config.path(), kept.path())
        .report();
    assert!(crossings(&before).is_empty());
    assert_eq!(burned(&before), Amount::from(30 * COIN));
    story.settle();
    let outcome = story.ask("rescan burned --json", config.path(), kept.path());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let scratch = story.ask(&story.trace(), config.path(), fresh.path());
    assert_eq!(crossings(&scratch.report()).len(), 1);
    let report = Hansel::new("report burned --json")
        .option("--config", config.path())
        .data(kept.path())
        .run();
    assert_eq!(report.stdout, scratch.stdout, "{}", outcome.stdout);
}
