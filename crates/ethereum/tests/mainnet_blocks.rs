//! Blocks of Ethereum's main network decode to the transfers that two public data sets list for them.
//!
//! The data sets (`blockchain-etl/ethereum-etl`, `graphsense/graphsense-lib`, both MIT) are no part of the project. They
//! are looked for in the directory that `HANSEL_DATA` names, and the tests say so and pass where they are absent.
//! Their rows are put back into the JSON that a node would have sent.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a step that fails is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, U256, address};
use hansel_ethereum::decode::{
    Calls, DecodeError, FlatTrace, HeaderLean, ReceiptLean, ReceiptsProof, Transactions,
    VerifyError, block, bloom_may_contain, call_trace, calls_of_flat_traces, check_receipts,
    flat_traces, receipts, transaction, withdrawals,
};
use hansel_ledger::{
    Amount, Asset, Coin, EvmNetwork, EvmTransaction, InternalTransfers, Movement, Origin,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::etl::{hex, json_rows, lines, number};

#[allow(unreachable_pub, reason = "a benchmark uses it too")]
mod etl;

const WETH: Address = address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2");

fn network() -> EvmNetwork {
    EvmNetwork {
        chain_id: 1,
        native: Asset {
            symbol: "ETH".into(),
            decimals: 18,
        },
        wrapped: Some(WETH),
        tokens: Vec::new(),
        blocks: hansel_ledger::BlockForm::default(),
    }
}

fn csv_rows<T: for<'a> Deserialize<'a>>(name: &str) -> Option<Vec<T>> {
    let text: Vec<String> = lines(name)?.collect();
    let text = text.join("\n");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    Some(reader.deserialize().map(Result::unwrap).collect())
}

/// Token, giver, receiver and amount.
type Moved = (Address, Address, Address, U256);

fn token_of(movement: &Movement) -> Option<(u64, Moved)> {
    let (Origin::Log(index), Coin::Token(token)) = (&movement.origin, movement.coin) else {
        return None;
    };
    let amount = movement.amount.to_u256();
    Some((*index, (token, movement.from, movement.to, amount)))
}

struct EtlBlock {
    header: HeaderLean,
    receipts: Vec<ReceiptLean>,
    transfers: Vec<etl::Transfer>,
}

impl EtlBlock {
    fn decoded(&self) -> Vec<EvmTransaction> {
        let Transactions::Full(list) = &self.header.transactions else {
            panic!("the block comes with its transactions");
        };
        let pairs = list.iter().zip(&self.receipts);
        pairs
            .map(|(tx, receipt)| transaction(&network(), &self.header, tx, receipt, None).unwrap())
            .collect()
    }
}

fn etl_blocks() -> Option<Vec<EtlBlock>> {
    let answers = etl::answers()?.into_iter();
    let blocks = answers.map(|one| {
        let header = block(one.block.as_bytes()).unwrap().unwrap();
        assert_eq!(header.number, one.height);
        EtlBlock {
            header,
            receipts: receipts(one.receipts.as_bytes()).unwrap().unwrap(),
            transfers: one.transfers,
        }
    });
    Some(blocks.collect())
}

#[test]
fn receipts_of_the_main_network_are_proved_by_the_root_in_the_header() {
    let Some(blocks) = etl_blocks() else { return };
    for mut one in blocks {
        let checked = check_receipts(&one.header, &one.receipts);
        assert_eq!(checked, Ok(ReceiptsProof::Root));
        let bloom = one.header.logs_bloom.unwrap();
        for log in one.receipts.iter().flat_map(|receipt| &receipt.logs) {
            assert!(bloom_may_contain(&bloom, &log.address, &log.topics));
        }
        let stranger = address!("00000000000000000000000000000000000000ab");
        assert!(!bloom_may_contain(&bloom, &stranger, &[]));
        let logging = one.receipts.iter_mut().find(|one| !one.logs.is_empty());
        logging.unwrap().logs[0].data = Bytes::new();
        let forged = Err(VerifyError::ReceiptsRoot(one.header.number));
        assert_eq!(check_receipts(&one.header, &one.receipts), forged);
    }
}

/// Differences from the data set's table of token transfers, and nothing else differs:
/// ethereum-etl lists ERC-721 transfers with the id as value (9), and transfers of nothing (3);
/// it does not list WETH's `Deposit` and `Withdrawal` (61), and names the zero address where tokens are made (3) and
/// destroyed (3).
#[test]
fn token_movements_are_those_that_ethereum_etl_lists() {
    let Some(blocks) = etl_blocks() else { return };
    let (mut same, mut made, mut destroyed, mut nothing, mut collectible) = (0, 0, 0, 0, 0);
    let mut wraps = 0;
    for one in &blocks {
        let decoded = one.decoded();
        let movements = decoded.iter().flat_map(|tx| &tx.movements);
        let mut moved: BTreeMap<u64, Moved> = movements.filter_map(token_of).collect();
        let logs = one.receipts.iter().flat_map(|receipt| &receipt.logs);
        let logs: BTreeMap<u64, _> = logs.map(|log| (log.log_index, log)).collect();
        for row in &one.transfers {
            let value: U256 = row.value.get().parse().unwrap();
            let party = |account| match account {
                Address::ZERO => row.token_address,
                account => account,
            };
            let (from, to) = (party(row.from_address), party(row.to_address));
            if logs[&row.log_index].topics.len() == 4 {
                collectible += 1;
            } else if value.is_zero() {
                nothing += 1;
            } else {
                let listed = (row.token_address, from, to, value);
                assert_eq!(moved.remove(&row.log_index), Some(listed));
                made += u64::from(row.from_address.is_zero());
                destroyed += u64::from(row.to_address.is_zero());
                same += 1;
            }
        }
        for (index, (token, from, to, _)) in moved {
            assert!(token == WETH && (from == WETH || to == WETH), "{index}");
            assert_eq!(logs[&index].topics.len(), 2);
            wraps += 1;
        }
    }
    assert_eq!((same, collectible, nothing, wraps), (279, 9, 3, 61));
    assert_eq!((made, destroyed), (3, 3));
    let decoded: Vec<_> = blocks.iter().flat_map(EtlBlock::decoded).collect();
    let zero: u64 = decoded.iter().map(|tx| tx.noise.zero_value).sum();
    let collectibles: u64 = decoded.iter().map(|tx| tx.noise.collectibles).sum();
    let unreadable: u64 = decoded.iter().map(|tx| tx.noise.unreadable).sum();
    // One more collectible is of ERC-1155, for which the data set has no table.
    assert_eq!((zero, collectibles, unreadable), (3, 9 + 1, 0));
}

#[test]
fn failed_transactions_of_the_main_network_move_nothing_but_their_fee() {
    let Some(blocks) = etl_blocks() else { return };
    let decoded: Vec<_> = blocks.iter().flat_map(EtlBlock::decoded).collect();
    let failed: Vec<_> = decoded.iter().filter(|tx| !tx.succeeded).collect();
    assert_eq!((decoded.len(), failed.len()), (298, 9));
    for tx in failed {
        assert!(tx.movements.is_empty() && !tx.fee.is_zero());
        assert_eq!(tx.internal, InternalTransfers::Known);
    }
}

#[test]
fn withdrawals_of_the_main_network_arrive_in_wei() {
    let Some(blocks) = etl_blocks() else { return };
    let all = blocks.iter().flat_map(|one| withdrawals(&one.header));
    let arrivals: Vec<_> = all.collect();
    assert_eq!(arrivals.len(), 32);
    let (account, first) = &arrivals[0];
    let staker = address!("b9d7934878b5fb9610b3fe8a5e441e8fad7e293f");
    assert_eq!(*account, staker);
    assert_eq!(first.origin, Origin::Withdrawal(2_210_752));
    assert_eq!(first.amount, Amount::from(45_762_059_000_000_000_u64));
    assert_eq!(first.placement.index, u32::MAX);
}

/// Rows of graphsense-lib.
mod graphsense {
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Trace {
        pub(super) block_id: u64,
        pub(super) trace_id: String,
        pub(super) trace_index: u64,
        pub(super) from_address: Option<Address>,
        pub(super) to_address: Option<Address>,
        pub(super) value: String,
        pub(super) status: u64,
        pub(super) call_type: String,
        pub(super) tx_hash: Option<B256>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Transaction {
        pub(super) tx_hash: B256,
        pub(super) from_address: Address,
        pub(super) to_address: Option<Address>,
        pub(super) value: String,
        pub(super) gas_price: String,
        pub(super) input: String,
        pub(super) receipt_gas_used: String,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Log {
        pub(super) log_index: u64,
        pub(super) address: Address,
        pub(super) data: String,
        pub(super) topics: Vec<B256>,
        pub(super) tx_hash: B256,
    }

    impl Trace {
        pub(super) fn creates(&self) -> bool {
            self.trace_id.starts_with("create_")
        }

        pub(super) fn path(&self) -> Vec<u32> {
            let steps = self.trace_id.split('_').skip(2);
            let steps = steps.filter(|step| !step.is_empty());
            steps.map(|step| step.parse().unwrap()).collect()
        }
    }
}

/// A transaction of graphsense-lib with everything that the data set tells of it.
struct Traced {
    height: u64,
    rows: Vec<graphsense::Trace>,
    row: Option<graphsense::Transaction>,
    logs: Vec<graphsense::Log>,
}

fn traced() -> Option<Vec<Traced>> {
    let traces: Vec<graphsense::Trace> = csv_rows("graphsense_15000000_15000004_traces.csv.gz")?;
    let rows: Vec<graphsense::Transaction> =
        csv_rows("graphsense_15000000_15000004_transactions.csv.gz")?;
    let mut logs: Vec<graphsense::Log> = json_rows("graphsense_15000000_15000004_logs.json.gz")?;
    logs.sort_by_key(|log| log.log_index);
    let mut rows: BTreeMap<B256, _> = rows.into_iter().map(|tx| (tx.tx_hash, tx)).collect();
    let mut logs_of: BTreeMap<B256, Vec<graphsense::Log>> = BTreeMap::new();
    for log in logs {
        logs_of.entry(log.tx_hash).or_default().push(log);
    }
    let mut traces_of: BTreeMap<B256, Vec<graphsense::Trace>> = BTreeMap::new();
    for trace in traces.into_iter().filter(|one| one.block_id >= 15_000_000) {
        if let Some(hash) = trace.tx_hash {
            traces_of.entry(hash).or_default().push(trace);
        }
    }
    let all = traces_of.into_iter().map(|(hash, mut own)| {
        own.sort_by_key(|trace| trace.trace_index);
        Traced {
            height: own[0].block_id,
            rows: own,
            row: rows.remove(&hash),
            logs: logs_of.remove(&hash).unwrap_or_default(),
        }
    });
    // The data set's authors appended three creations of nothing below top-level calls that are not there.
    let (whole, appended): (Vec<_>, Vec<_>) = all.partition(|one| one.rows[0].path().is_empty());
    assert!(logs_of.is_empty());
    assert_eq!(appended.len(), 3);
    for one in appended {
        let calls = calls_of_flat_traces(&one.flat());
        assert_eq!(calls, Err(DecodeError::BrokenTree { at: 0 }));
    }
    Some(whole)
}

impl Traced {
    fn hash(&self) -> B256 {
        self.rows[0].tx_hash.unwrap()
    }

    /// The rows as `trace_transaction` would have told them. The data set marks every row below a failed one; nodes
    /// mark the failed one only.
    fn flat(&self) -> Vec<FlatTrace> {
        let failed = self.rows.iter().filter(|row| row.status == 0);
        let failed: BTreeSet<Vec<u32>> = failed.map(graphsense::Trace::path).collect();
        let entry = |row: &graphsense::Trace| {
            let path = row.path();
            let above = path.split_last();
            let within = above.is_some_and(|(_, above)| failed.contains(above));
            let made = row.creates().then(|| json!({"address": row.to_address}));
            json!({
                "action": {
                    "callType": (!row.creates()).then_some(&row.call_type),
                    "from": row.from_address, "value": hex(&row.value),
                    "to": row.to_address.filter(|_| !row.creates()),
                },
                "type": if row.creates() { "create" } else { "call" },
                "result": made,
                "error": (row.status == 0 && !within).then_some("Reverted"),
                "traceAddress": path, "transactionHash": self.hash(),
                "transactionPosition": 0, "blockNumber": row.block_id,
            })
        };
        let entries = Value::from_iter(self.rows.iter().map(entry)).to_string();
        flat_traces(entries.as_bytes()).unwrap().unwrap()
    }

    /// The rows as geth's `callTracer` would have told them.
    fn nested(&self, path: &[u32]) -> Value {
        let row = self.rows.iter().find(|row| row.path() == path).unwrap();
        let all = self.rows.iter().map(graphsense::Trace::path);
        let below = |other: &Vec<u32>| other.split_last().is_some_and(|(_, above)| above == path);
        let children: BTreeSet<Vec<u32>> = all.filter(below).collect();
        let kind = match row.creates() {
            true => "CREATE".into(),
            false => row.call_type.to_uppercase(),
        };
        json!({
            "calls": children.iter().map(|child| self.nested(child)).collect::<Vec<_>>(),
            "from": row.from_address, "gas": "0x1", "to": row.to_address, "type": kind,
            "value": hex(&row.value),
            "error": (row.status == 0).then_some("execution reverted"),
        })
    }

    fn decode(&self, calls: &Calls) -> EvmTransaction {
        let top = &self.rows[0];
        let to = top.to_address.filter(|_| !top.creates());
        if let Some(row) = &self.row {
            let ends = (row.from_address, row.to_address, &row.value);
            assert_eq!(ends, (top.from_address.unwrap(), to, &top.value));
        }
        let (hash, height) = (self.hash(), number(self.height));
        let row = self.row.as_ref();
        let tx = json!({
            "hash": hash, "from": top.from_address, "to": to, "value": hex(&top.value),
            "gasPrice": hex(row.map_or("0", |row| &row.gas_price)),
            "input": row.map_or("0x00", |row| &row.input),
        });
        let log = |log: &graphsense::Log| {
            json!({
                "address": log.address, "topics": log.topics, "data": log.data,
                "logIndex": number(log.log_index), "transactionHash": hash,
                "blockHash": hash, "blockNumber": height,
            })
        };
        let receipt = json!([{
            "transactionHash": hash, "transactionIndex": "0x0", "blockHash": hash,
            "blockNumber": height, "status": number(top.status),
            "gasUsed": hex(row.map_or("0", |row| &row.receipt_gas_used)),
            "logs": self.logs.iter().map(log).collect::<Vec<_>>(),
        }]);
        let header = json!({
            "number": height, "hash": hash, "parentHash": hash, "timestamp": "0x0",
            "transactions": [tx],
        });
        let header = block(header.to_string().as_bytes()).unwrap().unwrap();
        let receipts = receipts(receipt.to_string().as_bytes()).unwrap().unwrap();
        let Transactions::Full(list) = &header.transactions else {
            panic!("the block comes with its transaction");
        };
        transaction(&network(), &header, &list[0], &receipts[0], Some(calls)).unwrap()
    }
}

/// Differences from the data set's table of traces, and nothing else differs: it repeats the caller's value in rows of
/// delegate calls (126, and 8 that failed), which move nothing, and keeps the value of calls that failed (36).
#[test]
fn movements_of_ether_are_those_that_graphsense_lists() {
    let Some(all) = traced() else { return };
    let (mut same, mut delegated, mut failed) = (0, 0, 0);
    for one in &all {
        let calls = calls_of_flat_traces(&one.flat()).unwrap();
        let nested = one.nested(&[]).to_string();
        assert_eq!(
            call_trace(nested.as_bytes()).unwrap().as_ref(),
            Some(&calls)
        );
        let told = one.decode(&calls);
        let mut moved = BTreeMap::new();
        for movement in &told.movements {
            if let Origin::Call(path) = &movement.origin {
                let ends = (movement.from, movement.to, movement.amount.to_u256());
                moved.insert(path[1..].to_vec(), ends);
            }
        }
        for row in one.rows.iter().filter(|row| row.value != "0") {
            if row.status == 0 {
                failed += 1;
            } else if row.call_type == "delegatecall" {
                delegated += 1;
            } else {
                let (from, to) = (row.from_address.unwrap(), row.to_address.unwrap());
                let listed = (from, to, row.value.parse().unwrap());
                assert_eq!(moved.remove(&row.path()), Some(listed), "{}", row.trace_id);
                same += 1;
            }
        }
        assert_eq!(moved, BTreeMap::new(), "{}", one.hash());
    }
    assert_eq!(all.len(), 348 + 229 + 138 + 185 + 179);
    assert_eq!((delegated, failed), (126, 36 + 8));
    // Of 867 rows, nine are of the chain's first blocks.
    assert_eq!(same, 867 - 9);
}

/// Each wrap and unwrap of WETH goes with a movement of just as much ether into or out of the contract.
#[test]
fn wrapping_on_the_main_network_balances_to_the_wei() {
    let Some(all) = traced() else { return };
    let mut wraps = 0;
    for one in &all {
        let calls = calls_of_flat_traces(&one.flat()).unwrap();
        let told = one.decode(&calls);
        let sum = |coin: Coin, entering: bool| {
            let ours = told.movements.iter().filter(|one| one.coin == coin);
            let side = |one: &&Movement| WETH == if entering { one.to } else { one.from };
            Amount::checked_sum(ours.filter(side).map(|one| one.amount)).unwrap()
        };
        let token = Coin::Token(WETH);
        assert_eq!(sum(Coin::Native, true), sum(token, false), "{}", one.hash());
        assert_eq!(sum(Coin::Native, false), sum(token, true), "{}", one.hash());
        let tokens = told.movements.iter().filter(|one| one.coin == token);
        wraps += tokens
            .filter(|one| one.from == WETH || one.to == WETH)
            .count();
    }
    assert_eq!(wraps, 54 + 44);
}
