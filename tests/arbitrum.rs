//! Ether that goes to Arbitrum, followed there: a real EVM node with a bridge and an inbox that log as Arbitrum's do, and
//! another one that is read as a node of Arbitrum tells its chain. The ids on the far side are those that Arbitrum's own
//! SDK 4.0.4 computes for the same messages.

mod node;

use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use hansel_graph::Rule;
use hansel_ledger::Amount;
use hansel_report::Report;
use hansel_report::model::{Flow, FlowKind};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmContract, FaultProxy, RpcFault, RpcProxy, RpcRule, evm_call,
    require_anvil,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Hansel, directory};
use node::{Disguise, Disguises, arbitrum};

const ETHER: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_700_000_000;
/// The thief, to whom development nodes give the second of their keys, and whom tickets pay, who has the fifth.
const THIEF: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
const HEIR: Address = address!("15d34AAf54267DB7D7c367839AAf71A00a2C6A65");
/// In whose name the rollup pays what the thief sends it.
const SHIFTED: Address = address!("81aA7970C51812DC3a010c7D01B50e0d17dc8ad9");
const NEXT: Address = Address::repeat_byte(0x99);
/// Who sends the first transaction of each block of Arbitrum.
const SYSTEM: Address = address!("00000000000000000000000000000000000A4B05");
const TICKETS: Address = address!("000000000000000000000000000000000000006E");
/// `EthDepositMessage.calculateDepositTxId` for the first message to chain 31338, of 30 ether to the thief.
const DEPOSIT: B256 = b256!("022e633379aa29900a25a8ac1ef00256a9d1a7a4424af8db52fca21c7e52288d");
/// `ParentToChildMessage.calculateSubmitRetryableId` for the first message to chain 31338, which calls the heir with 30
/// of 31 ether.
const TICKET: B256 = b256!("22e3db110e4ba189fc6bd11469d6f3832bcd4832a5511435438c9924ab18ff7a");
/// What the ticket's id depends on besides what the thief says: the price of gas here.
const BASE_FEE: u64 = 7_000_000_000;

fn ether(amount: u128) -> U256 {
    U256::from(amount * ETHER)
}

fn send(anvil: &Anvil, transaction: Value) -> B256 {
    let rpc = anvil.rpc();
    let hash = rpc.send(transaction).unwrap();
    rpc.mine_empty(1, 60).unwrap();
    assert!(rpc.receipt(hash).unwrap().succeeded, "{hash} failed");
    hash
}

/// The chain of the theft: 40 ether are stolen, and most of it is given to the inbox.
struct Home {
    anvil: Anvil,
    theft: B256,
    bridge: Address,
    inbox: Address,
}

impl Home {
    fn start() -> Option<Self> {
        let options = AnvilOptions {
            timestamp: START,
            ..AnvilOptions::default()
        };
        let anvil = Anvil::start(&require_anvil()?, &options).unwrap();
        let victim = anvil.rpc().accounts().unwrap()[0];
        anvil.rpc().set_balance(THIEF, U256::ZERO).unwrap();
        let create = |data| {
            let made = send(&anvil, json!({"from": victim, "data": data}));
            anvil.rpc().receipt(made).unwrap().created.unwrap()
        };
        let bridge = create(EvmContract::named("ArbitrumBridge").with(()));
        let inbox = create(EvmContract::named("ArbitrumInbox").with((bridge,)));
        let theft = send(
            &anvil,
            json!({"from": victim, "to": THIEF, "value": ether(40)}),
        );
        Some(Self {
            anvil,
            theft,
            bridge,
            inbox,
        })
    }

    fn deposit(&self) {
        let data = evm_call("depositEth()", ());
        let paid = json!({"from": THIEF, "to": self.inbox, "value": ether(30), "data": data});
        send(&self.anvil, paid);
    }

    fn ticket(&self) {
        let signature =
            "createRetryableTicket(address,uint256,uint256,address,address,uint256,uint256,bytes)";
        let (submission, gas, price) = (ether(1) / U256::from(100), 100_000_u64, 100_000_000_u64);
        let fields = (
            HEIR,
            ether(30),
            submission,
            THIEF,
            THIEF,
            U256::from(gas),
            U256::from(price),
            alloy_primitives::Bytes::new(),
        );
        let data = evm_call(signature, fields);
        let rpc = self.anvil.rpc();
        let price = format!("{BASE_FEE:#x}");
        let _set: Value = rpc
            .call("anvil_setNextBlockBaseFeePerGas", json!([price]))
            .unwrap();
        let paid = json!({"from": THIEF, "to": self.inbox, "value": ether(31), "data": data});
        send(&self.anvil, paid);
    }
}

/// A chain of Arbitrum. Each block begins with the system's own transaction.
struct Rollup {
    anvil: Anvil,
    disguises: Disguises,
}

impl Rollup {
    fn start() -> Self {
        let options = AnvilOptions {
            chain_id: 31_338,
            timestamp: START + 600,
            ..AnvilOptions::default()
        };
        let anvil = Anvil::start(&require_anvil().unwrap(), &options).unwrap();
        let rpc = anvil.rpc();
        for account in [SYSTEM, SHIFTED] {
            rpc.impersonate(account).unwrap();
            rpc.set_balance(account, ether(1_000)).unwrap();
        }
        for account in [THIEF, HEIR] {
            rpc.set_balance(account, U256::ZERO).unwrap();
        }
        rpc.set_code(TICKETS, &EvmContract::named("ArbitrumTickets").runtime)
            .unwrap();
        let mut chain = Self {
            anvil,
            disguises: Disguises::new(),
        };
        chain.block(&[]);
        chain
    }

    /// A block of these transactions, whose hashes it returns.
    fn block(&mut self, transactions: &[Value]) -> Vec<B256> {
        let rpc = self.anvil.rpc();
        let own = json!({"from": SYSTEM, "to": SYSTEM, "data": "0x6bf6a42d"});
        let own = rpc.send(own).unwrap();
        let sent = transactions
            .iter()
            .map(|one| rpc.send(one.clone()).unwrap());
        let hashes: Vec<B256> = sent.collect();
        rpc.mine_empty(1, 60).unwrap();
        for hash in &hashes {
            assert!(rpc.receipt(*hash).unwrap().succeeded, "{hash} failed");
        }
        let fields = json!({"type": "0x6a", "nonce": "0x0", "gas": "0x0", "gasPrice": "0x0"});
        self.disguise(own, own, fields);
        hashes
    }

    fn disguise(&mut self, hash: B256, there: B256, mut transaction: Value) {
        for name in [
            "maxFeePerGas",
            "maxPriorityFeePerGas",
            "accessList",
            "yParity",
        ] {
            transaction[name] = Value::Null;
        }
        let disguise = Disguise {
            hash: there,
            receipt: json!({"type": transaction["type"], "gasUsed": "0x0"}),
            transaction,
            trace: json!({}),
        };
        self.disguises.insert(hash, disguise);
    }

    /// The message's transaction under its hash, which pays `value` to `to`.
    fn deposited(&mut self, to: Address, value: U256, there: B256) {
        let made = self.block(&[json!({"from": SHIFTED, "to": to, "value": value})]);
        let fields = json!({
            "type": "0x64", "requestId": B256::ZERO, "nonce": "0x0", "gas": "0x0", "gasPrice": "0x0", "input": "0x",
        });
        self.disguise(made[0], there, fields);
        let minted = json!({
            "type": "INVALID", "from": Address::ZERO, "to": SHIFTED, "value": value, "gas": "0x0", "gasUsed": "0x0",
            "input": "0x",
        });
        self.disguises.get_mut(&made[0]).unwrap().trace = json!({"calls": [minted]});
    }

    /// The ticket's transaction under its id, and the one that redeems it with `value` for `to`.
    fn redeemed(&mut self, precompile: Address, to: Address, value: U256) -> B256 {
        let retry = keccak256(TICKET);
        let data = evm_call("submit(bytes32,bytes32)", (TICKET, retry));
        let made = self.block(&[
            json!({"from": SHIFTED, "to": precompile, "data": data}),
            json!({"from": SHIFTED, "to": to, "value": value}),
        ]);
        let fields = json!({
            "type": "0x69", "requestId": B256::ZERO, "retryTo": to, "retryValue": value, "retryData": "0x",
            "depositValue": ether(31), "beneficiary": THIEF, "refundTo": THIEF, "maxSubmissionFee": "0x2386f26fc10000",
            "l1BaseFee": format!("{BASE_FEE:#x}"),
        });
        self.disguise(made[0], TICKET, fields);
        let fields = json!({
            "type": "0x68", "ticketId": TICKET, "refundTo": THIEF, "maxRefund": "0x0", "submissionFeeRefund": "0x0",
        });
        self.disguise(made[1], retry, fields);
        retry
    }

    fn pay_on(&mut self, from: Address) {
        self.block(&[json!({"from": from, "to": NEXT, "value": ether(20)})]);
    }

    fn node(self) -> (Anvil, FaultProxy) {
        let proxy = arbitrum(&self.anvil, self.disguises);
        (self.anvil, proxy)
    }
}

fn config(home: &Home) -> TempDir {
    let dir = directory();
    let native = "native = { symbol = \"ETH\", decimals = 18 }";
    let (bridge, inbox) = (home.bridge, home.inbox);
    let text = format!(
        "schema = \"hansel-chains/1\"\n\n[[chains]]\nname = \"home\"\nfamily = \"evm\"\nchain_id = 31337\n{native}\nbridges = [{{ protocol = \"arbitrum\", contracts = [\"{bridge}\", \"{inbox}\"], code = \"31338\" }}]\n\n[[chains]]\nname = \"rollup\"\nfamily = \"evm\"\nchain_id = 31338\n{native}\n"
    );
    std::fs::write(dir.path().join("chains.toml"), text).unwrap();
    dir
}

fn trace(home: &Home, rollup: &str) -> Report {
    let dir = config(home);
    let theft = home.theft;
    let words = format!("trace --json --quiet --chain home {theft} --rule fifo,haircut");
    let done = Hansel::new(&words)
        .option("--endpoint", format!("home:rpc={}", home.anvil.url()))
        .option("--endpoint", format!("rollup:rpc={rollup}"))
        .option("--config", dir.path())
        .run();
    let report = done.report();
    assert!(report.accounting.iter().all(|row| row.balances()));
    report
}

fn crossings(report: &Report) -> Vec<&Flow> {
    let flows = report.flows.iter();
    flows
        .filter(|flow| flow.kind == FlowKind::Crossing)
        .collect()
}

/// What each rule leaves with the bridge.
fn left(report: &Report) -> [Amount; 2] {
    [Rule::Fifo, Rule::Haircut].map(|rule| {
        let rows = report.accounting.iter().filter(|row| row.rule == rule);
        Amount::checked_sum(rows.map(|row| row.bridges)).unwrap()
    })
}

/// All of 30 ether crossed in one transaction, by a link that was computed, and were followed on.
fn assert_crossed(report: &Report, by: B256) {
    let crossed = crossings(report);
    assert_eq!(crossed.len(), 1, "{:?}", report.unknown);
    assert_eq!(crossed[0].tx, by.to_string());
    let found = report.findings.iter();
    let found: Vec<_> = found
        .filter(|one| one.heuristic == "cross.arbitrum")
        .collect();
    assert_eq!(
        found[0].parameters["wording"],
        json!("derived from source transaction")
    );
    for rule in [Rule::Fifo, Rule::Haircut] {
        assert_eq!(
            crossed[0].claims[&rule]["s1"],
            Amount::from(ether(30)),
            "{rule}"
        );
    }
    let (next, mut nodes) = (NEXT.to_string(), report.nodes.iter());
    assert!(nodes.any(|node| node.address.as_deref() == Some(&*next)));
}

/// All of so many ether is still with the bridge, for a reason that the report gives.
fn assert_stayed(report: &Report, amount: u128, reason: &str) {
    assert!(crossings(report).is_empty());
    assert_eq!(left(report), [Amount::from(ether(amount)); 2]);
    let mut details = report.unknown.iter().map(|one| &one.detail);
    assert!(
        details.any(|detail| detail.contains(reason)),
        "{:?}",
        report.unknown
    );
}

/// A public endpoint, which traces nothing.
fn public(node: &FaultProxy) -> RpcProxy {
    let refused = ["debug_", "trace_", "ots_"]
        .map(|prefix| RpcRule::always(prefix, RpcFault::unknown_method()));
    RpcProxy::over(&node.url(), refused).unwrap()
}

#[test]
fn ether_that_the_inbox_takes_is_followed_to_the_deposit_whose_hash_arbitrum_computes_and_on() {
    let Some(home) = Home::start() else {
        return;
    };
    home.deposit();
    let mut rollup = Rollup::start();
    rollup.deposited(THIEF, ether(30), DEPOSIT);
    rollup.pay_on(THIEF);
    let (_anvil, node) = rollup.node();
    let public = public(&node);
    for url in [node.url(), public.url()] {
        let report = trace(&home, &url);
        assert_crossed(&report, DEPOSIT);
        assert_eq!(left(&report), [Amount::ZERO; 2]);
    }
}

#[test]
fn a_ticket_is_followed_to_the_transaction_that_redeems_it_and_on() {
    let Some(home) = Home::start() else {
        return;
    };
    home.ticket();
    let mut rollup = Rollup::start();
    let retry = rollup.redeemed(TICKETS, HEIR, ether(30));
    rollup.pay_on(HEIR);
    let (_anvil, node) = rollup.node();
    let public = public(&node);
    for url in [node.url(), public.url()] {
        let report = trace(&home, &url);
        assert_crossed(&report, retry);
        // What pays for gas there stays with the bridge.
        assert_eq!(left(&report), [Amount::from(ether(1)); 2]);
    }
}

#[test]
fn a_transaction_there_with_another_payee_amount_or_hash_is_no_arrival_of_the_deposit() {
    let (paid, absent) = ("does not pay it", "not-found");
    for (to, value, there, reason) in [
        (HEIR, 30, DEPOSIT, paid),
        (THIEF, 29, DEPOSIT, paid),
        (THIEF, 30, keccak256(DEPOSIT), absent),
    ] {
        let Some(home) = Home::start() else {
            return;
        };
        home.deposit();
        let mut rollup = Rollup::start();
        rollup.deposited(to, ether(value), there);
        let (_anvil, node) = rollup.node();
        let report = trace(&home, &node.url());
        assert_stayed(&report, 30, reason);
    }
}

#[test]
fn a_ticket_that_another_contract_says_it_redeems_or_that_pays_otherwise_is_not_followed() {
    let liar = Address::repeat_byte(0x6e);
    let (paid, absent) = ("does not pay it", "no arrival was found");
    for (precompile, to, value, reason) in [
        (liar, HEIR, 30, absent),
        (TICKETS, THIEF, 30, paid),
        (TICKETS, HEIR, 29, paid),
    ] {
        let Some(home) = Home::start() else {
            return;
        };
        home.ticket();
        let mut rollup = Rollup::start();
        let code = &EvmContract::named("ArbitrumTickets").runtime;
        rollup.anvil.rpc().set_code(liar, code).unwrap();
        rollup.redeemed(precompile, to, ether(value));
        let (_anvil, node) = rollup.node();
        let report = trace(&home, &node.url());
        assert_stayed(&report, 31, reason);
    }
}
