//! What new blocks cost `hansel rescan` with 10, 100, 1,000 and 10,000 cases that watch 100 things each, on real nodes:
//! a block that touches no case, and blocks that touch one, 10 and 100 of them.
//!
//! Run with `cargo bench -p hansel --bench cases`, and `BITCOIND` and `ANVIL` naming the nodes' binaries; a chain whose
//! node is not there is left out. Prints the best time of seven by the clock and, behind the stroke, the median of the processor time
//! of the command, which other jobs on the machine hardly lengthen; asserts nothing about time.
//!
//! What is measured ends where the touched cases are due. To trace them again is another cost, which
//! `benches/requests.rs` and `benches/accounts.rs` measure: so a case is named that no block touches.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, U256};
use bitcoin::consensus::encode::serialize;
use bitcoin::constants::genesis_block;
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::{BlockHash, Network, OutPoint, Txid};
use hansel_ledger::{Asset, BlockForm, BlockRef, Chain, EvmNetwork, Family, UnixTime};
use hansel_store::{Cursor, CursorState, Ended, Ending, Store, Watch};
use hansel_testkit::{
    Anvil, AnvilOptions, EvmContract, Indexes, Pay, Payee, Regtest, evm_call, require_anvil,
    require_bitcoind,
};
use serde_json::{Value, json};

const CASES: [u32; 4] = [10, 100, 1_000, 10_000];
const HITS: [u32; 4] = [0, 1, 10, 100];
/// What each case watches.
const WATCHED: u32 = 100;
const ROUNDS: usize = 7;
/// The case that is asked for, which no block touches.
const STILL: &str = "still";

fn main() {
    println!(
        "| chain | cases | watched | store | no new block | no hit | 1 case hit | 10 cases | 100 cases |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    if let Some(bitcoind) = require_bitcoind() {
        measure(&mut Outputs::start(&bitcoind));
    }
    if let Some(anvil) = require_anvil() {
        measure(&mut Accounts::start(&anvil));
    }
}

/// A node whose every block is as busy as the last.
trait Busy {
    fn name(&self) -> &'static str;
    fn chain(&self) -> Chain;
    fn first(&self) -> BlockHash;
    fn tip(&self) -> BlockRef;
    fn mine(&mut self);
    /// The thing of this number that the next block will name, of at least 100.
    fn named(&self, number: u32) -> Watch;
    /// A thing that no block names.
    fn unnamed(&self, salt: [u8; 8]) -> Watch;
    /// Has a command ask the node.
    fn ask(&self, command: &mut Command);
}

fn measure(busy: &mut impl Busy) {
    busy.mine();
    for cases in CASES {
        let home = tempfile::tempdir().unwrap();
        fill(busy, cases, home.path());
        rescan(busy, home.path(), 0);
        let idle = cell(|| run(busy, home.path()));
        let cells = HITS.map(|hits| {
            if hits > cases {
                return String::new();
            }
            cell(|| rescan(busy, home.path(), hits))
        });
        println!(
            "| {} | {cases} | {} | {} MB | {idle} | {} |",
            busy.name(),
            cases * WATCHED,
            megabytes(home.path()),
            cells.join(" | ")
        );
    }
}

/// The best of some measurements and the median of their processor time, in milliseconds: now and then a run also tidies
/// the store up after many that came before.
fn cell(mut measured: impl FnMut() -> Duration) -> String {
    let (mut took, mut worked) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = ticks();
        took.push(measured().as_millis());
        // A tick is 10 ms on every Linux of use.
        worked.push((ticks() - before) * 10);
    }
    worked.sort_unstable();
    let best = took.iter().min().unwrap();
    format!("{best} / {} ms", worked[ROUNDS / 2])
}

/// The processor time of the commands that ended so far.
fn ticks() -> u64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default();
    let fields = fields.split_whitespace().skip(13).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Cases that were traced to the newest block.
fn fill(busy: &impl Busy, cases: u32, home: &Path) {
    let store = Store::open(home).unwrap();
    store.register_chain(&busy.chain(), busy.first()).unwrap();
    for case in 0..cases {
        keep(busy, &store, &format!("case-{case}"), case, None);
    }
    keep(busy, &store, STILL, u32::MAX, None);
}

/// Keeps a case as traced to the newest block; where it says which, something that the next block names is watched too.
fn keep(busy: &impl Busy, store: &Store, name: &str, case: u32, hit: Option<u32>) {
    let salt = |number: u32| (u64::from(case) << 32 | u64::from(number)).to_be_bytes();
    let rest = (0..WATCHED).map(|number| busy.unnamed(salt(number)));
    let named = hit.map(|number| busy.named(number));
    let count = usize::try_from(WATCHED).unwrap();
    let watches = named.into_iter().chain(rest).take(count).collect();
    let cursor = Cursor {
        tip: busy.tip(),
        state: CursorState::Complete,
        scanned: None,
        follows: true,
    };
    let chain = &busy.chain();
    let part = Ended {
        chain,
        cursor,
        watches,
    };
    let ending = Ending {
        parts: vec![part],
        because: None,
    };
    store.end_case(name, &json!({}), &ending).unwrap();
}

/// How long a block takes that touches so many cases.
fn rescan(busy: &mut impl Busy, home: &Path, hits: u32) -> Duration {
    let store = Store::open(home).unwrap();
    for case in 0..hits {
        keep(busy, &store, &format!("case-{case}"), case, Some(case));
    }
    drop(store);
    busy.mine();
    let took = run(busy, home);
    let store = Store::open(home).unwrap();
    assert_eq!(
        store.all_due().unwrap().len(),
        usize::try_from(hits).unwrap()
    );
    for case in 0..hits {
        keep(busy, &store, &format!("case-{case}"), case, None);
    }
    took
}

/// How long it takes to bring a case up to the newest block that no block touches.
fn run(busy: &impl Busy, home: &Path) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
    command
        .args(["rescan", STILL, "--quiet", "--data"])
        .arg(home);
    busy.ask(&mut command);
    let started = Instant::now();
    let output = command.output().unwrap();
    let took = started.elapsed();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    took
}

/// Blocks with 2,000 inputs and 2,000 outputs, each of which spends what the last one paid.
struct Outputs {
    regtest: Regtest,
    loose: Vec<OutPoint>,
}

impl Outputs {
    const OUTPUTS: u32 = 2_000;

    fn start(bitcoind: &Path) -> Self {
        let mut regtest = Regtest::start(bitcoind, Indexes::default()).unwrap();
        let loose = regtest.fund(Payee::Segwit(1), 1);
        Self { regtest, loose }
    }
}

impl Busy for Outputs {
    fn name(&self) -> &'static str {
        "Bitcoin"
    }

    fn chain(&self) -> Chain {
        Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap()
    }

    fn first(&self) -> BlockHash {
        genesis_block(Network::Regtest).block_hash()
    }

    fn tip(&self) -> BlockRef {
        let node = self.regtest.node();
        let hash = self.regtest.tip();
        let header = node.call("getblockheader", json!([hash])).unwrap();
        BlockRef {
            height: self.regtest.height(),
            hash,
            time: UnixTime(header["time"].as_u64().unwrap()),
        }
    }

    fn mine(&mut self) {
        let outputs = (0..Self::OUTPUTS).map(|_| Pay::to(Payee::Segwit(1), 100_000));
        let outputs: Vec<Pay> = outputs.collect();
        let txid = self.regtest.pay(&self.loose, &outputs, 0);
        self.regtest.mine();
        let all = 0..Self::OUTPUTS;
        self.loose = all.map(|vout| OutPoint { txid, vout }).collect();
    }

    fn named(&self, number: u32) -> Watch {
        output(&self.loose[usize::try_from(number).unwrap()])
    }

    fn unnamed(&self, salt: [u8; 8]) -> Watch {
        output(&OutPoint::new(Txid::hash(&salt), 0))
    }

    fn ask(&self, command: &mut Command) {
        let node = self.regtest.node();
        let endpoint = format!("bitcoin-regtest:core={}", node.url());
        command.args(["--endpoint", &endpoint]);
        command.env("HANSEL_CORE_COOKIE", node.cookie_file());
    }
}

fn output(outpoint: &OutPoint) -> Watch {
    let script = "0014751e76e8199196d454941c45d1b3a323f1433bd6";
    Watch {
        key: [&[1], &*serialize(outpoint)].concat(),
        note: json!({"output": {"height": 1, "script": script}}).to_string(),
    }
}

/// Blocks with 20 payments, 200 by a contract and 200 transfers of a token by it: few transactions, since the node takes
/// long to trace many.
struct Accounts {
    anvil: Anvil,
    payer: Address,
    token: Address,
    contract: Address,
}

impl Accounts {
    const PAYMENTS: u32 = 20;
    const PAID_INSIDE: u32 = 200;

    fn start(anvil: &Path) -> Self {
        let anvil = Anvil::start(anvil, &AnvilOptions::default()).unwrap();
        let rpc = anvil.rpc();
        let payer = rpc.accounts().unwrap()[0];
        let send = |transaction: Value| {
            let hash = rpc.send(transaction).unwrap();
            rpc.mine().unwrap();
            rpc.receipt(hash).unwrap().created
        };
        let supply = EvmContract::named("Token").with((U256::from(u64::MAX),));
        let token = send(json!({"from": payer, "data": supply})).unwrap();
        let creation = &EvmContract::named("BatchPayer").creation;
        let contract = send(json!({"from": payer, "data": creation})).unwrap();
        let approve = evm_call("approve(address,uint256)", (contract, U256::from(u64::MAX)));
        send(json!({"from": payer, "to": token, "data": approve}));
        Self {
            anvil,
            payer,
            token,
            contract,
        }
    }

    fn block(&self, number: &str) -> Value {
        let rpc = self.anvil.rpc();
        rpc.call("eth_getBlockByNumber", json!([number, false]))
            .unwrap()
    }

    /// The transactions of a block.
    fn transactions(&self) -> Vec<Value> {
        let (payees, ones): (Vec<Address>, Vec<U256>) = (0..Self::PAID_INSIDE)
            .map(|number| (payee(number), U256::from(1)))
            .unzip();
        let gas = "0xb71b00";
        let native = evm_call(
            "payNative(address[],uint256[])",
            (payees.clone(), ones.clone()),
        );
        let value = format!("{:#x}", Self::PAID_INSIDE);
        let token = evm_call(
            "payToken(address,address[],uint256[])",
            (self.token, payees, ones),
        );
        let (from, to) = (self.payer, self.contract);
        let mut transactions = vec![
            json!({"from": from, "to": to, "data": native, "value": value, "gas": gas}),
            json!({"from": from, "to": to, "data": token, "gas": gas}),
        ];
        let plain = (0..Self::PAYMENTS).map(|number| {
            json!({"from": from, "to": payee(1_000 + number), "value": "0x1", "gas": "0x5208"})
        });
        transactions.extend(plain);
        transactions
    }
}

fn payee(number: u32) -> Address {
    Address::left_padding_from(&(0x9000_0000 + number).to_be_bytes())
}

impl Busy for Accounts {
    fn name(&self) -> &'static str {
        "EVM"
    }

    fn chain(&self) -> Chain {
        let native = Asset {
            symbol: "ETH".into(),
            decimals: 18,
        };
        let network = EvmNetwork {
            chain_id: 31_337,
            native,
            wrapped: None,
            tokens: Vec::new(),
            blocks: BlockForm::default(),
        };
        Chain::new("anvil", Family::Evm(network.into())).unwrap()
    }

    fn first(&self) -> BlockHash {
        let hash = self.anvil.rpc().block_hash(0).unwrap();
        BlockRef::evm(0, hash, UnixTime(0)).hash
    }

    fn tip(&self) -> BlockRef {
        let block = self.block("latest");
        let number = |field: &str| {
            let digits = block[field].as_str().unwrap().trim_start_matches("0x");
            u64::from_str_radix(digits, 16).unwrap()
        };
        let hash: B256 = block["hash"].as_str().unwrap().parse().unwrap();
        BlockRef::evm(number("number"), hash, UnixTime(number("timestamp")))
    }

    fn mine(&mut self) {
        let rpc = self.anvil.rpc();
        let sent = self.transactions();
        let count = sent.len();
        for one in sent {
            rpc.send(one).unwrap();
        }
        rpc.mine().unwrap();
        let mined = self.block("latest");
        assert_eq!(mined["transactions"].as_array().unwrap().len(), count);
    }

    fn named(&self, number: u32) -> Watch {
        account(payee(number))
    }

    fn unnamed(&self, salt: [u8; 8]) -> Watch {
        let hash = sha256::Hash::hash(&salt).to_byte_array();
        account(Address::from_slice(&hash[..20]))
    }

    fn ask(&self, command: &mut Command) {
        command.args(["--endpoint", &format!("anvil:rpc={}", self.anvil.url())]);
    }
}

fn account(account: Address) -> Watch {
    Watch {
        key: [&[3], account.as_slice()].concat(),
        note: json!({"held": {"native": "0"}}).to_string(),
    }
}

fn megabytes(home: &Path) -> u64 {
    let files = std::fs::read_dir(home.join("rocksdb")).unwrap();
    let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
    sizes.sum::<u64>() / 1_000_000
}
