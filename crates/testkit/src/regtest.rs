//! A chain built by hand on a real node, the same in every run.

mod keys;
mod scenario;

use std::collections::HashMap;
use std::path::Path;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::script::PushBytesBuf;
use bitcoin::{
    Address, Amount, BlockHash, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut,
    Txid, absolute, transaction,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use keys::Payee;
pub use scenario::Scenario;

use crate::node::{Node, NodeError, NodeOptions};
use crate::rpc::RpcError;
use keys::{Keys, Owner};

/// The time of the first block; each further one is ten minutes later.
const FIRST_BLOCK_TIME: u32 = 1_700_000_000;
/// Seconds between two blocks.
const BLOCK_INTERVAL: u32 = 600;
/// Blocks on top of a coinbase before its value can be spent.
const MATURITY: usize = 100;

/// One output of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pay {
    to: Receiver,
    /// Satoshi; `None` takes what inputs leave after the other outputs and the fee.
    value: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Receiver {
    Payee(Payee),
    Note(Vec<u8>),
    Script(ScriptBuf),
}

impl Pay {
    /// Pays an amount in satoshi.
    pub fn to(payee: Payee, satoshi: u64) -> Self {
        let to = Receiver::Payee(payee);
        let value = Some(satoshi);
        Self { to, value }
    }

    /// Pays what is left after the other outputs and the fee. At most one output of a transaction may.
    pub fn rest(payee: Payee) -> Self {
        let to = Receiver::Payee(payee);
        Self { to, value: None }
    }

    /// Pays an amount in satoshi to a script that nobody here can spend.
    pub fn lock(script: ScriptBuf, satoshi: u64) -> Self {
        let to = Receiver::Script(script);
        let value = Some(satoshi);
        Self { to, value }
    }

    /// Writes up to 10,000 bytes behind OP_RETURN and burns an amount in satoshi with them.
    pub fn note(text: &[u8], satoshi: u64) -> Self {
        let to = Receiver::Note(text.to_vec());
        let value = Some(satoshi);
        Self { to, value }
    }
}

/// A regtest chain and the node that holds it.
///
/// Keys, times and order are fixed, so equal calls give equal transaction ids and block hashes in every run.
/// Payments are queued by [`Regtest::pay`] and mined by [`Regtest::mine`], or sent to the mempool by
/// [`Regtest::broadcast`] and mined by [`Regtest::confirm`].
///
/// # Panics
/// Methods that build or mine panic where the node refuses: a test that cannot build its chain has failed.
pub struct Regtest {
    node: Node,
    keys: Keys,
    owned: HashMap<OutPoint, (Owner, TxOut)>,
    queue: Vec<Transaction>,
    transactions: HashMap<Txid, Transaction>,
    time: u32,
}

impl Regtest {
    /// Starts a node with an empty chain.
    pub fn start(bitcoind: &Path, options: impl Into<NodeOptions>) -> Result<Self, NodeError> {
        Ok(Self::on(Node::start(bitcoind, options)?))
    }

    /// Builds on a node whose chain is empty.
    pub fn on(node: Node) -> Self {
        Self {
            node,
            keys: Keys::new(),
            owned: HashMap::new(),
            queue: Vec::new(),
            transactions: HashMap::new(),
            time: FIRST_BLOCK_TIME,
        }
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Mines `count` blocks to a key and as many more as their coinbases need to be spent.
    pub fn fund(&mut self, payee: Payee, count: usize) -> Vec<OutPoint> {
        let coinbases = (0..count).map(|_| self.mine_to(payee).1).collect();
        for _ in 0..MATURITY {
            self.mine();
        }
        coinbases
    }

    /// Lets time go by, in seconds, before the next block.
    pub fn rest(&mut self, seconds: u32) {
        self.time += seconds;
    }

    /// Mines the queued payments, in order, to nobody; returns the block.
    pub fn mine(&mut self) -> BlockHash {
        self.mine_to(Payee::Segwit(u32::MAX)).0
    }

    /// Mines the queued payments, in order; returns the block and its coinbase's output.
    ///
    /// The node's `generateblock` leaves the fees out of the coinbase.
    pub fn mine_to(&mut self, payee: Payee) -> (BlockHash, OutPoint) {
        let queue = std::mem::take(&mut self.queue);
        let content: Vec<String> = queue.iter().map(serialize_hex).collect();
        self.mine_raw(payee, &content)
    }

    /// Mines one transaction of the mempool with the queued payments behind it.
    pub fn confirm(&mut self, txid: Txid) -> BlockHash {
        let transaction = self.transaction(&txid).clone();
        self.queue.insert(0, transaction);
        self.mine()
    }

    /// Queues a signed payment for the next block.
    ///
    /// Inputs may be outputs of payments that are queued themselves: parent and child share a block then.
    pub fn pay(&mut self, inputs: &[OutPoint], outputs: &[Pay], fee: u64) -> Txid {
        let transaction = self.build(inputs, outputs, fee);
        self.queue.push(transaction.clone());
        self.keep(transaction, outputs)
    }

    /// Sends a signed payment to the mempool. It signals that it may be replaced, and replaces what it can.
    pub fn broadcast(&mut self, inputs: &[OutPoint], outputs: &[Pay], fee: u64) -> Txid {
        let transaction = self.build(inputs, outputs, fee);
        self.ask::<Txid>(
            "sendrawtransaction",
            json!([serialize_hex(&transaction), 0]),
        );
        self.keep(transaction, outputs)
    }

    /// Lets a key spend an output that pays the hash (P2WSH) of a script, which finds its signature below it on the stack.
    pub fn unlock(&mut self, output: OutPoint, key: u32, script: ScriptBuf) {
        let vout = usize::try_from(output.vout).expect("a transaction has few outputs");
        let paid = self.transaction(&output.txid).output[vout].clone();
        self.owned
            .insert(output, (Owner::Script(key, script), paid));
    }

    /// A transaction that was built here.
    pub fn transaction(&self, txid: &Txid) -> &Transaction {
        &self.transactions[txid]
    }

    /// The script of a payee.
    pub fn script(&self, payee: Payee) -> ScriptBuf {
        self.keys.script(payee)
    }

    /// The address of a payee.
    pub fn address(&self, payee: Payee) -> Address {
        let script = self.keys.script(payee);
        Address::from_script(&script, Network::Regtest).expect("every payee has an address")
    }

    /// The height of the newest block.
    pub fn height(&self) -> u64 {
        self.ask("getblockcount", json!([]))
    }

    /// The newest block.
    pub fn tip(&self) -> BlockHash {
        self.ask("getbestblockhash", json!([]))
    }

    /// Makes the node reject a block and all above it.
    ///
    /// Blocks mined afterwards have later times, so equal content gives another hash.
    pub fn invalidate(&self, block: BlockHash) {
        self.ask::<Value>("invalidateblock", json!([block]));
    }

    /// Gives another node the same blocks and mempool, and waits for its indexes.
    pub fn copy_to(&self, other: &Node) -> Result<(), NodeError> {
        for height in 1..=self.height() {
            let hash: BlockHash = self.ask("getblockhash", json!([height]));
            let block: String = self.ask("getblock", json!([hash, 0]));
            other.call("submitblock", json!([block]))?;
        }
        other.call("setmocktime", json!([self.time]))?;
        let mut mempool: Vec<Txid> = self.ask("getrawmempool", json!([]));
        // Parents go first: a child has more unconfirmed ancestors than they.
        mempool.sort_by_key(|txid| self.ancestors(txid));
        for txid in mempool {
            let transaction = serialize_hex(self.transaction(&txid));
            other.call("sendrawtransaction", json!([transaction, 0]))?;
        }
        other.wait_for_indexes()
    }

    fn ancestors(&self, txid: &Txid) -> usize {
        let ancestors: Vec<Txid> = self.ask("getmempoolancestors", json!([txid]));
        ancestors.len()
    }

    fn mine_raw(&mut self, payee: Payee, content: &[String]) -> (BlockHash, OutPoint) {
        self.ask::<Value>("setmocktime", json!([self.time]));
        self.time += BLOCK_INTERVAL;
        let address = self.address(payee).to_string();
        let mined: Value = self.ask("generateblock", json!([address, content]));
        let hash = mined["hash"].as_str().and_then(|hash| hash.parse().ok());
        let hash: BlockHash = hash.expect("generateblock names the block");
        let block: String = self.ask("getblock", json!([hash, 0]));
        let block: bitcoin::Block = bitcoin::consensus::encode::deserialize_hex(&block)
            .expect("the node serialises blocks well");
        let coinbase = &block.txdata[0];
        let outpoint = OutPoint::new(coinbase.compute_txid(), 0);
        self.owned
            .insert(outpoint, (Owner::Payee(payee), coinbase.output[0].clone()));
        (hash, outpoint)
    }

    fn build(&self, inputs: &[OutPoint], outputs: &[Pay], fee: u64) -> Transaction {
        let own = |outpoint| self.owned.get(outpoint).cloned();
        let owned = inputs
            .iter()
            .map(|outpoint| own(outpoint).expect("an output paid here"));
        let (owners, spent): (Vec<Owner>, Vec<TxOut>) = owned.unzip();
        let paid: u64 = spent.iter().map(|output| output.value.to_sat()).sum();
        let fixed: u64 = outputs.iter().filter_map(|output| output.value).sum();
        let rest = paid.checked_sub(fixed + fee);
        let rest = rest.expect("the inputs are worth the outputs and the fee");
        let value = |pay: &Pay| pay.value.unwrap_or(rest);
        let mut transaction = Transaction {
            version: transaction::Version::TWO,
            lock_time: absolute::LockTime::ZERO,
            input: inputs.iter().map(unsigned).collect(),
            output: outputs
                .iter()
                .map(|pay| self.output(pay, value(pay)))
                .collect(),
        };
        self.keys.sign(&mut transaction, &owners, &spent);
        transaction
    }

    fn output(&self, pay: &Pay, satoshi: u64) -> TxOut {
        let script_pubkey = match &pay.to {
            Receiver::Payee(payee) => self.keys.script(*payee),
            Receiver::Script(script) => script.clone(),
            Receiver::Note(text) => {
                let push = PushBytesBuf::try_from(text.clone()).expect("a note is short");
                ScriptBuf::new_op_return(push)
            }
        };
        TxOut {
            value: Amount::from_sat(satoshi),
            script_pubkey,
        }
    }

    fn keep(&mut self, transaction: Transaction, outputs: &[Pay]) -> Txid {
        let txid = transaction.compute_txid();
        for ((vout, output), pay) in (0..).zip(&transaction.output).zip(outputs) {
            if let Receiver::Payee(payee) = pay.to {
                let outpoint = OutPoint::new(txid, vout);
                let owner = Owner::Payee(payee);
                self.owned.insert(outpoint, (owner, output.clone()));
            }
        }
        self.transactions.insert(txid, transaction);
        txid
    }

    fn ask<T: DeserializeOwned>(&self, method: &str, params: Value) -> T {
        let answer: Result<Value, RpcError> = self.node.call(method, params);
        let result = answer.expect("the node accepts what the test builds");
        serde_json::from_value(result).expect("the node answers in its documented form")
    }
}

fn unsigned(outpoint: &OutPoint) -> TxIn {
    TxIn {
        previous_output: *outpoint,
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    }
}
