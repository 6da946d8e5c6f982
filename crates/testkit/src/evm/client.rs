//! A blocking client of a development node: what tests read, and what they tell the node to do.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde_json::{Value, json};

use crate::http::HttpRequest;
use crate::rpc::RpcError;

/// A JSON-RPC endpoint on the loopback interface.
///
/// Everything but [`EvmRpc::reorg`] works on anvil and on Hardhat alike. Heights are block numbers, `None` is
/// the latest block; amounts are in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmRpc {
    port: u16,
}

/// What a test needs of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmReceipt {
    /// The block's number.
    pub block: u64,
    /// The transaction's index in the block.
    pub index: u64,
    /// False where it was reverted.
    pub succeeded: bool,
    /// What the sender paid for gas, in base units of the native coin.
    pub fee: U256,
    /// The contract that it created.
    pub created: Option<Address>,
}

impl EvmRpc {
    /// A client of the node at this port. Nothing is sent yet.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls a method with an array of parameters and returns its `result`.
    pub fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let answer = self.post(method, &request(1, method, params))?;
        result(method, answer)
    }

    /// Calls several methods in one array, and returns their results in the order asked; stops at the first error.
    ///
    /// Anvil carries out the members of an array concurrently: those that change something must not depend on
    /// each other's order.
    pub fn batch(&self, calls: Vec<(&str, Value)>) -> Result<Vec<Value>, RpcError> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let methods: Vec<String> = calls.iter().map(|(name, _)| (*name).to_owned()).collect();
        let members = calls.into_iter().enumerate();
        let requests = members.map(|(id, (method, params))| request(id, method, params));
        let answer = self.post("batch", &Value::Array(requests.collect()))?;
        let Value::Array(mut answers) = answer else {
            return Err(malformed("batch", &answer));
        };
        answers.sort_by_key(|answer| answer["id"].as_u64());
        if answers.len() != methods.len() {
            return Err(malformed("batch", &Value::Array(answers)));
        }
        let pairs = methods.iter().zip(answers);
        pairs
            .map(|(method, answer)| result(method, answer))
            .collect()
    }

    /// The chain's id.
    pub fn chain_id(&self) -> Result<u64, RpcError> {
        self.number("eth_chainId", json!([]))
    }

    /// The latest block's number.
    pub fn block_number(&self) -> Result<u64, RpcError> {
        self.number("eth_blockNumber", json!([]))
    }

    /// The hash of a block.
    pub fn block_hash(&self, height: u64) -> Result<B256, RpcError> {
        let block = self.call("eth_getBlockByNumber", json!([hex(height), false]))?;
        parse("eth_getBlockByNumber", &block["hash"])
    }

    /// How many transactions an account had sent at a height.
    pub fn nonce(&self, account: Address, height: Option<u64>) -> Result<u64, RpcError> {
        self.number("eth_getTransactionCount", json!([account, at(height)]))
    }

    /// An account's native coin at a height.
    pub fn balance(&self, account: Address, height: Option<u64>) -> Result<U256, RpcError> {
        let balance = self.call("eth_getBalance", json!([account, at(height)]))?;
        parse("eth_getBalance", &balance)
    }

    /// An account's tokens at a height, as the token itself says (`balanceOf`).
    pub fn token_balance(
        &self,
        token: Address,
        account: Address,
        height: Option<u64>,
    ) -> Result<U256, RpcError> {
        let selector = &keccak256("balanceOf(address)")[..4];
        let data = Bytes::from([selector, account.into_word().as_slice()].concat());
        let call = json!({"to": token, "data": data});
        let word = self.call("eth_call", json!([call, at(height)]))?;
        let word: B256 = parse("eth_call", &word)?;
        Ok(word.into())
    }

    /// An account's code at the latest block.
    pub fn code(&self, account: Address) -> Result<Bytes, RpcError> {
        let code = self.call("eth_getCode", json!([account, "latest"]))?;
        parse("eth_getCode", &code)
    }

    /// The accounts whose keys the node has.
    pub fn accounts(&self) -> Result<Vec<Address>, RpcError> {
        let accounts = self.call("eth_accounts", json!([]))?;
        parse("eth_accounts", &accounts)
    }

    /// What became of a mined transaction; an error where it is not mined.
    pub fn receipt(&self, transaction: B256) -> Result<EvmReceipt, RpcError> {
        let method = "eth_getTransactionReceipt";
        let receipt = self.call(method, json!([transaction]))?;
        let field = |name: &str| parse::<U256>(method, &receipt[name]);
        let small =
            |name: &str| u64::try_from(field(name)?).map_err(|_| malformed(method, &receipt[name]));
        Ok(EvmReceipt {
            block: small("blockNumber")?,
            index: small("transactionIndex")?,
            succeeded: small("status")? == 1,
            fee: field("gasUsed")? * field("effectiveGasPrice")?,
            created: parse(method, &receipt["contractAddress"])?,
        })
    }

    /// Hands a signed transaction to the node, and returns its hash.
    pub fn send_raw(&self, transaction: &Bytes) -> Result<B256, RpcError> {
        let hash = self.call("eth_sendRawTransaction", json!([transaction]))?;
        parse("eth_sendRawTransaction", &hash)
    }

    /// Sends a transaction of an account whose key the node has or that is impersonated, as
    /// `{"from": …, "to": …, "value": "0x1"}`, and returns its hash.
    pub fn send(&self, transaction: Value) -> Result<B256, RpcError> {
        let hash = self.call("eth_sendTransaction", json!([transaction]))?;
        parse("eth_sendTransaction", &hash)
    }

    /// Makes a block of what waits.
    pub fn mine(&self) -> Result<(), RpcError> {
        self.call("evm_mine", json!([])).map(drop)
    }

    /// Makes a block of what waits, with this time in seconds since 1970, which must be later than the last block's.
    pub fn mine_at(&self, timestamp: u64) -> Result<(), RpcError> {
        self.call("evm_setNextBlockTimestamp", json!([timestamp]))?;
        self.mine()
    }

    /// Makes this many empty blocks, `seconds` apart.
    pub fn mine_empty(&self, blocks: u64, seconds: u64) -> Result<(), RpcError> {
        self.call("hardhat_mine", json!([hex(blocks), hex(seconds)]))
            .map(drop)
    }

    /// Remembers the chain as it is, for [`EvmRpc::revert`].
    pub fn snapshot(&self) -> Result<String, RpcError> {
        let id = self.call("evm_snapshot", json!([]))?;
        parse("evm_snapshot", &id)
    }

    /// Goes back to a snapshot, which can be done once; false where there is no such snapshot.
    pub fn revert(&self, snapshot: &str) -> Result<bool, RpcError> {
        let done = self.call("evm_revert", json!([snapshot]))?;
        parse("evm_revert", &done)
    }

    /// Replaces the last `depth` blocks by empty ones: their transactions are gone (anvil only).
    pub fn reorg(&self, depth: u64) -> Result<(), RpcError> {
        self.call("anvil_reorg", json!([depth, []])).map(drop)
    }

    /// Goes back to a snapshot and makes this many empty blocks instead of what came after, on any node.
    pub fn reorg_to(&self, snapshot: &str, blocks: u64) -> Result<bool, RpcError> {
        let found = self.revert(snapshot)?;
        if found {
            // Other intervals than a chain's usual ones make other hashes.
            self.mine_empty(blocks, 13)?;
        }
        Ok(found)
    }

    /// Sets an account's native coin, without a transaction.
    pub fn set_balance(&self, account: Address, balance: U256) -> Result<(), RpcError> {
        self.call("hardhat_setBalance", json!([account, balance]))
            .map(drop)
    }

    /// Sets an account's code, without a transaction.
    pub fn set_code(&self, account: Address, code: &Bytes) -> Result<(), RpcError> {
        self.call("hardhat_setCode", json!([account, code]))
            .map(drop)
    }

    /// Lets [`EvmRpc::send`] send in this account's name.
    pub fn impersonate(&self, account: Address) -> Result<(), RpcError> {
        self.call("hardhat_impersonateAccount", json!([account]))
            .map(drop)
    }

    fn number(&self, method: &str, params: Value) -> Result<u64, RpcError> {
        let answer = self.call(method, params)?;
        let number: U256 = parse(method, &answer)?;
        u64::try_from(number).map_err(|_| malformed(method, &answer))
    }

    fn post(&self, method: &str, body: &Value) -> Result<Value, RpcError> {
        let request = HttpRequest::post("/", body.to_string().into_bytes());
        let reply = request
            .send(&format!("127.0.0.1:{}", self.port))
            .map_err(|error| RpcError::Io {
                method: method.to_owned(),
                error,
            })?;
        serde_json::from_slice(&reply.body).map_err(|_| RpcError::Malformed {
            method: method.to_owned(),
            answer: String::from_utf8_lossy(&reply.body)
                .chars()
                .take(200)
                .collect(),
        })
    }
}

fn request(id: usize, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn result(method: &str, mut answer: Value) -> Result<Value, RpcError> {
    let error = &answer["error"];
    if error.is_null() {
        let found = answer.get_mut("result").map(Value::take);
        return found.ok_or_else(|| malformed(method, &answer));
    }
    Err(RpcError::Refused {
        method: method.to_owned(),
        code: error["code"].as_i64().unwrap_or_default(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
    })
}

fn parse<T: serde::de::DeserializeOwned>(method: &str, value: &Value) -> Result<T, RpcError> {
    T::deserialize(value).map_err(|_| malformed(method, value))
}

fn malformed(method: &str, answer: &Value) -> RpcError {
    RpcError::Malformed {
        method: method.to_owned(),
        answer: answer.to_string().chars().take(200).collect(),
    }
}

/// A height as JSON-RPC writes it.
fn at(height: Option<u64>) -> String {
    height.map_or_else(|| "latest".to_owned(), hex)
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}
