//! Cases of accounts brought up to the newest block are as if they had been traced there from the beginning.

use alloy_primitives::{Address, B256, U256};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmContract, EvmScenario, EvmStory, Random, RpcFault, RpcProxy, RpcRule,
    evm_call, require_anvil,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::decoys;
use crate::command::{Finished, Hansel, directory};

/// More transfers than any account of the story makes.
const HUB: u64 = 60;
const ETHER: u64 = 1_000_000_000_000_000_000;

/// Cases of one story, all in one store.
struct Kept {
    anvil: Anvil,
    story: EvmStory,
    data: TempDir,
    /// The endpoint that is asked.
    url: String,
    /// Name and subjects.
    cases: Vec<(&'static str, String)>,
}

impl Kept {
    fn new(story: EvmStory, anvil: Anvil, url: String, scenes: &[&'static str]) -> Self {
        let subjects = |scene: &str| {
            let hashes = story.scene(scene).map(|deed| deed.hash.to_string());
            hashes.collect::<Vec<_>>().join(" ")
        };
        let cases = scenes.iter().map(|scene| (*scene, subjects(scene)));
        let cases = cases.collect();
        let data = directory();
        let kept = Self {
            story,
            anvil,
            data,
            url,
            cases,
        };
        for (name, subjects) in &kept.cases {
            kept.trace(name, subjects).data(kept.data.path()).run();
        }
        kept
    }

    fn trace(&self, name: &str, subjects: &str) -> Hansel {
        Hansel::new(&format!(
            "trace --quiet --json --chain anvil --name {name} --hub {HUB} {subjects} --endpoint {}",
            self.url
        ))
    }

    fn rescan(&self, words: &str) -> Vec<Value> {
        let words = format!("rescan --json {words} --endpoint {}", self.url);
        let rescan = Hansel::new(&words).data(self.data.path());
        rescan.run().exits(0).json()
    }

    fn report(&self, name: &str) -> Finished {
        let report = Hansel::new("report --json").args([name]);
        report.data(self.data.path()).run()
    }

    /// Fails where a case differs from the same one traced by a user who never traced it before.
    #[track_caller]
    fn are_as_from_scratch(&self) {
        for (name, subjects) in &self.cases {
            let fresh = self.trace(name, subjects).run();
            let kept = self.report(name);
            assert!(!kept.stdout.is_empty());
            assert!(
                kept.stdout == fresh.stdout,
                "{name}: {}\n{}",
                kept.stdout,
                fresh.stdout
            );
        }
    }

    /// Sends ether in the name of an account of the story.
    fn send(&self, from: &str, to: Address, value: u64) {
        self.give(from, to, U256::from(value));
    }

    fn give(&self, from: &str, to: Address, value: U256) {
        let rpc = self.anvil.rpc();
        let from = self.story.account(from);
        rpc.impersonate(from).unwrap();
        rpc.send(json!({"from": from, "to": to, "value": value}))
            .unwrap();
    }

    fn mine(&self) {
        self.anvil.rpc().mine().unwrap();
    }
}

/// The story on a node of its own; `None` where no node is to be had.
fn told() -> Option<(EvmStory, Anvil)> {
    let anvil = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
    let story = EvmScenario::small().play(anvil.rpc()).unwrap();
    Some((story, anvil))
}

/// What became of each case, by name: its state and why.
fn states(outcomes: &[Value]) -> Vec<(&str, &str, &str)> {
    let word = |one: &'_ Value, key: &str| one[key].as_str().unwrap().to_owned();
    let told = outcomes
        .iter()
        .map(|one| (word(one, "case"), word(one, "state"), word(one, "because")));
    let told: Vec<_> = told.collect();
    told.leak()
        .iter()
        .map(|(case, state, because)| (&**case, &**state, &**because))
        .collect()
}

const UNTOUCHED: &str = "no new block touches it";
const TOUCHED: &str = "new blocks move it";

#[test]
fn blocks_that_touch_no_account_move_every_case_on() {
    let Some((story, anvil)) = told() else { return };
    let url = anvil.url();
    let kept = Kept::new(story, anvil, url, &["theft", "rest"]);
    kept.mine();
    kept.send("faucet", Address::repeat_byte(0x77), ETHER);
    kept.mine();
    let outcomes = kept.rescan("theft rest");
    assert_eq!(
        states(&outcomes),
        [
            ("rest", "unmoved", UNTOUCHED),
            ("theft", "unmoved", UNTOUCHED)
        ]
    );
    kept.are_as_from_scratch();
}

#[test]
fn an_account_that_gives_is_traced_on_and_no_other_case() {
    let Some((story, anvil)) = told() else { return };
    let url = anvil.url();
    let kept = Kept::new(story, anvil, url, &["theft", "crowd"]);
    for (payer, to) in [("quiet", 0x71), ("heir", 0x72), ("thief", 0x73)] {
        let held = kept
            .anvil
            .rpc()
            .balance(kept.story.account(payer), None)
            .unwrap();
        kept.give(payer, Address::repeat_byte(to), held / U256::from(2));
    }
    kept.mine();
    let outcomes = kept.rescan("--all");
    assert_eq!(states(&outcomes), [("theft", "moved", TOUCHED)]);
    kept.are_as_from_scratch();
}

/// More than is read into memory for a handful of blocks.
const MUCH: u32 = 15_000;

/// Once with little watched, which is read into memory, and once with much, in which blocks are looked up.
#[test]
fn cases_of_accounts_on_a_chain_that_is_replaced_again_and_again_are_as_from_scratch() {
    for decoys in [0, MUCH] {
        let Some((story, anvil)) = told() else { return };
        let url = anvil.url();
        let kept = Kept::new(story, anvil, url, &["theft", "rest"]);
        decoys::add(kept.data.path(), decoys);
        are_replaced_again_and_again(&kept);
    }
}

fn are_replaced_again_and_again(kept: &Kept) {
    let mut random = Random::new(20_261_121);
    let payers = ["quiet", "fresh1", "partner", "heir", "faucet", "courier"];
    for round in 0..6_u8 {
        let rpc = kept.anvil.rpc();
        let before = rpc.snapshot().unwrap();
        let made = random.below(3) + 1;
        for block in 0..made {
            if random.below(3) > 0 {
                let payer = payers[usize::try_from(random.below(6)).unwrap()];
                let held = rpc.balance(kept.story.account(payer), None).unwrap();
                let fresh = [0x70 + round, u8::try_from(block).unwrap()];
                let to = Address::left_padding_from(&fresh);
                kept.give(payer, to, held / U256::from(3));
            }
            kept.mine();
        }
        kept.rescan("--all");
        kept.are_as_from_scratch();
        if random.below(2) == 0 {
            assert!(rpc.reorg_to(&before, random.below(4) + 1).unwrap());
            kept.rescan("--all");
            kept.are_as_from_scratch();
        }
    }
}

/// The block names the payer and the contract; the payee is a topic of a log.
#[test]
fn a_token_that_somebody_else_sends_touches_the_case_of_its_receiver() {
    for decoys in [0, MUCH] {
        let Some((story, anvil)) = told() else { return };
        let url = anvil.url();
        let kept = Kept::new(story, anvil, url, &["theft"]);
        decoys::add(kept.data.path(), decoys);
        let [token, payer, quiet] =
            ["usd", "deployer", "quiet"].map(|name| kept.story.account(name));
        let rpc = kept.anvil.rpc();
        rpc.impersonate(payer).unwrap();
        let data = evm_call("transfer(address,uint256)", (quiet, U256::from(7)));
        rpc.send(json!({"from": payer, "to": token, "data": data}))
            .unwrap();
        kept.mine();
        let outcomes = kept.rescan("--all");
        assert_eq!(states(&outcomes), [("theft", "unmoved", TOUCHED)]);
        kept.are_as_from_scratch();
    }
}

/// Contracts of tokens may change what accounts hold without a log.
#[test]
fn a_balance_of_an_unknown_token_that_changes_without_a_sign_touches_its_case_and_no_other() {
    for decoys in [0, MUCH] {
        let Some((story, anvil)) = told() else { return };
        let url = anvil.url();
        let kept = Kept::new(story, anvil, url, &["theft", "crowd"]);
        decoys::add(kept.data.path(), decoys);
        let [token, quiet] = ["usd", "quiet"].map(|name| kept.story.account(name));
        let rpc = kept.anvil.rpc();
        assert!(rpc.token_balance(token, quiet, None).unwrap() > U256::from(1));
        rpc.call("anvil_dealERC20", json!([quiet, token, "0x1"]))
            .unwrap();
        kept.mine();
        assert_eq!(
            rpc.token_balance(token, quiet, None).unwrap(),
            U256::from(1)
        );
        let outcomes = kept.rescan("--all");
        let because = states(&outcomes);
        let because: Vec<_> = because.iter().map(|(case, _, why)| (*case, *why)).collect();
        assert_eq!(because, [("theft", TOUCHED)]);
        kept.are_as_from_scratch();
    }
}

/// A thief who holds ether, and a contract that pays whom it is told to.
struct Plain {
    anvil: Anvil,
    router: Address,
    accounts: Vec<Address>,
    theft: B256,
}

impl Plain {
    fn start() -> Option<Self> {
        let anvil = Anvil::start(&require_anvil()?, &AnvilOptions::default()).unwrap();
        let rpc = anvil.rpc();
        let accounts = rpc.accounts().unwrap();
        for account in &accounts[1..3] {
            rpc.set_balance(*account, U256::ZERO).unwrap();
        }
        let creation = EvmContract::named("VaultRouter").creation.clone();
        let made = rpc.send(json!({"from": accounts[0], "data": creation}));
        rpc.mine().unwrap();
        let router = rpc.receipt(made.unwrap()).unwrap().created.unwrap();
        let pay = |from, to, ether: u64| {
            let value = U256::from(ETHER) * U256::from(ether);
            let hash = rpc.send(json!({"from": from, "to": to, "value": value}));
            rpc.mine().unwrap();
            hash.unwrap()
        };
        let theft = pay(accounts[0], accounts[1], 40);
        pay(accounts[1], accounts[2], 30);
        Some(Self {
            router,
            accounts,
            theft,
            anvil,
        })
    }

    /// Has the contract pay the thief, which no transaction names.
    fn pay_inside(&self) {
        let rpc = self.anvil.rpc();
        let data = evm_call(
            "transferOut(address,address,uint256,string)",
            (self.accounts[1], Address::ZERO, U256::ZERO, "OUT:00"),
        );
        let (from, to) = (self.accounts[3], self.router);
        rpc.send(json!({"from": from, "to": to, "value": U256::from(ETHER), "data": data}))
            .unwrap();
        rpc.mine().unwrap();
    }

    fn trace(&self, url: &str) -> Hansel {
        Hansel::new(&format!(
            "trace --quiet --json --chain anvil --name plain {} --endpoint {url}",
            self.theft
        ))
    }

    fn rescan(data: &TempDir, url: &str) -> Vec<Value> {
        let words = format!("rescan --json plain --endpoint {url}");
        let rescan = Hansel::new(&words).data(data.path());
        rescan.run().exits(0).json()
    }

    #[track_caller]
    fn is_as_from_scratch(&self, data: &TempDir, url: &str) {
        let report = Hansel::new("report --json plain").data(data.path());
        assert_eq!(report.run().stdout, self.trace(url).run().stdout);
    }
}

/// Code that logs nothing at all as often as its data say.
const CHATTER: [u8; 23] = [
    0x60, 0x00, 0x35, 0x5b, 0x80, 0x15, 0x60, 0x15, 0x57, 0x60, 0x00, 0x60, 0x00, 0xa0, 0x60, 0x01,
    0x90, 0x03, 0x60, 0x03, 0x56, 0x5b, 0x00,
];

/// A thief who fills blocks with logs must not stop the rescan.
#[test]
fn a_block_full_of_logs_hides_nothing_and_holds_nothing_up() {
    let Some(plain) = Plain::start() else { return };
    let (data, rpc, url) = (directory(), plain.anvil.rpc(), plain.anvil.url());
    plain.trace(&url).data(data.path()).run().exits(0);
    let chatter = Address::repeat_byte(0xcc);
    rpc.set_code(chatter, &CHATTER.into()).unwrap();
    let word = alloy_primitives::hex::encode_prefixed(B256::from(U256::from(12_000)));
    let chat = json!({"from": plain.accounts[3], "to": chatter, "data": word, "gas": "0x1000000"});
    let chatted = rpc.send(chat.clone()).unwrap();
    rpc.mine().unwrap();
    let logs = rpc
        .call("eth_getTransactionReceipt", json!([chatted]))
        .unwrap();
    assert_eq!(logs["logs"].as_array().unwrap().len(), 12_000);
    let outcomes = Plain::rescan(&data, &url);
    assert_eq!(states(&outcomes), [("plain", "unmoved", UNTOUCHED)]);
    plain.is_as_from_scratch(&data, &url);
    rpc.send(chat).unwrap();
    plain.pay_inside();
    assert_eq!(Plain::rescan(&data, &url)[0]["because"], TOUCHED);
    plain.is_as_from_scratch(&data, &url);
}

/// What a contract pays is seen by traces, and without them by what the account holds.
#[test]
fn what_a_contract_pays_touches_the_account_with_traces_and_without() {
    for (traced, decoys) in [(true, 0), (false, 0), (true, MUCH), (false, MUCH)] {
        let Some(plain) = Plain::start() else { return };
        let untraced = ["trace_", "debug_", "ots_"]
            .map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()));
        let proxy = RpcProxy::over(&plain.anvil.url(), untraced).unwrap();
        let url = if traced {
            plain.anvil.url()
        } else {
            proxy.url()
        };
        let data = directory();
        plain.trace(&url).data(data.path()).run().exits(0);
        decoys::add(data.path(), decoys);
        plain.anvil.rpc().mine().unwrap();
        let outcomes = Plain::rescan(&data, &url);
        assert_eq!(states(&outcomes), [("plain", "unmoved", UNTOUCHED)]);
        plain.is_as_from_scratch(&data, &url);
        plain.pay_inside();
        let outcomes = Plain::rescan(&data, &url);
        assert_eq!(outcomes[0]["because"], TOUCHED);
        plain.is_as_from_scratch(&data, &url);
    }
}
