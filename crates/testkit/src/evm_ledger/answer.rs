//! Every method that the server knows.

use alloy_primitives::{Address, B256, Bytes, U256};
use hansel_ledger::Coin;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::json::{block, quantity, receipt, transaction};
use super::rpc_error::RpcRefusal;
use super::server::{EvmProfile, EvmServerOptions};
use super::{EvmLedger, Made, logs, traces};

/// Answers one JSON-RPC request as the server would.
pub fn evm_answer(ledger: &EvmLedger, options: &EvmServerOptions, request: &Value) -> Value {
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    let method = request.get("method").and_then(Value::as_str);
    let answer = match method {
        None => Err(RpcRefusal::bad_request()),
        Some(method) if options.without.contains(method) => Err(RpcRefusal::no_method(method)),
        Some(method) => Asked {
            ledger,
            options,
            parameters: request.get("params").unwrap_or(&Value::Null),
        }
        .answer(method),
    };
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(refusal) => json!({ "jsonrpc": "2.0", "id": id, "error": refusal.json() }),
    }
}

struct Asked<'a> {
    ledger: &'a EvmLedger,
    options: &'a EvmServerOptions,
    parameters: &'a Value,
}

impl Asked<'_> {
    fn answer(&self, method: &str) -> Result<Value, RpcRefusal> {
        let ledger = self.ledger;
        match method {
            "web3_clientVersion" => Ok(json!("hansel-testkit/1")),
            "net_version" => Ok(json!(ledger.chain_id.to_string())),
            "eth_syncing" => Ok(json!(false)),
            "eth_chainId" => Ok(quantity(ledger.chain_id)),
            "eth_blockNumber" => Ok(quantity(ledger.tip)),
            "eth_getBlockByNumber" => Ok(self.block(Some(self.height(0)?))),
            "eth_getBlockByHash" => Ok(self.block(by_hash(ledger, &self.parameters[0])?)),
            "eth_getBlockReceipts" => self.receipts(),
            "eth_getTransactionByHash" => self.of_transaction(transaction),
            "eth_getTransactionReceipt" => self.of_transaction(receipt),
            "eth_getLogs" => logs::get_logs(ledger, self.options, &self.parameters[0]),
            "eth_getTransactionCount" | "eth_getBalance" | "eth_getCode" => self.state(method),
            "eth_call" => self.call(),
            _ if self.options.profile == EvmProfile::Full => self.trace(method),
            _ => Err(RpcRefusal::no_method(method)),
        }
    }

    fn trace(&self, method: &str) -> Result<Value, RpcRefusal> {
        let ledger = self.ledger;
        match method {
            "debug_traceTransaction" => {
                self.of_transaction(|_, made, _, _| traces::call_frame(made))
            }
            "debug_traceBlockByNumber" => Ok(traces::frames(ledger, self.known_height(0)?)),
            "debug_traceBlockByHash" => {
                let height = by_hash(ledger, &self.parameters[0])?;
                let height = height.ok_or_else(RpcRefusal::no_block)?;
                Ok(traces::frames(ledger, height))
            }
            "trace_block" => Ok(json!(traces::flat_block(ledger, self.known_height(0)?))),
            "trace_transaction" => self.of_transaction(|ledger, made, height, at| {
                json!(traces::flat(ledger, made, height, at))
            }),
            "trace_filter" => traces::filter(ledger, &self.parameters[0]),
            _ => Err(RpcRefusal::no_method(method)),
        }
    }

    fn block(&self, height: Option<u64>) -> Value {
        let full = self.parameters[1] == json!(true);
        let known = height.filter(|height| *height <= self.ledger.tip);
        known.map_or(Value::Null, |height| block(self.ledger, height, full))
    }

    fn receipts(&self) -> Result<Value, RpcRefusal> {
        let height = match by_hash(self.ledger, &self.parameters[0]) {
            Ok(height) => height,
            Err(_) => Some(self.height(0)?),
        };
        let Some(height) = height.filter(|height| *height <= self.ledger.tip) else {
            return Ok(Value::Null);
        };
        let body = self.ledger.blocks.get(&height);
        let made = body.map_or(&[][..], |body| &body.transactions);
        let numbered = made.iter().enumerate();
        Ok(numbered
            .map(|(at, made)| receipt(self.ledger, made, height, at))
            .collect())
    }

    fn of_transaction(
        &self,
        show: impl Fn(&EvmLedger, &Made, u64, usize) -> Value,
    ) -> Result<Value, RpcRefusal> {
        let hash: B256 = self.parameter(0)?;
        let Some(&(height, at)) = self.ledger.places.get(&hash) else {
            return Ok(Value::Null);
        };
        let made = &self.ledger.blocks[&height].transactions[at];
        Ok(show(self.ledger, made, height, at))
    }

    fn state(&self, method: &str) -> Result<Value, RpcRefusal> {
        let account: Address = self.parameter(0)?;
        let height = self.state_height(1)?;
        Ok(match method {
            "eth_getTransactionCount" => quantity(self.ledger.nonce(account, height)),
            "eth_getBalance" => quantity(self.ledger.balance(account, Coin::Native, height)),
            _ => json!(self.ledger.code.get(&account).cloned().unwrap_or_default()),
        })
    }

    fn call(&self) -> Result<Value, RpcRefusal> {
        let call = &self.parameters[0];
        let contract: Address = read(&call["to"], "to")?;
        let data = call.get("input").or_else(|| call.get("data"));
        let data: Bytes = read(data.unwrap_or(&Value::Null), "input")?;
        let height = self.state_height(1)?;
        let answer = self.run(contract, &data, height);
        Ok(json!(Bytes::from(answer.unwrap_or_default())))
    }

    /// What a token says; nothing for what it does not know, as an account without code does.
    fn run(&self, contract: Address, data: &[u8], height: u64) -> Option<Vec<u8>> {
        let token = self.ledger.tokens.get(&contract)?;
        let (selector, arguments) = data.split_first_chunk::<4>()?;
        match selector {
            [0x70, 0xa0, 0x82, 0x31] => {
                let (_, account) = arguments.first_chunk::<32>()?.split_last_chunk::<20>()?;
                let holder = Address::from(*account);
                let held = self.ledger.balance(holder, Coin::Token(contract), height);
                Some(held.to_be_bytes_vec())
            }
            [0x31, 0x3c, 0xe5, 0x67] => Some(U256::from(token.decimals).to_be_bytes_vec()),
            [0x95, 0xd8, 0x9b, 0x41] | [0x06, 0xfd, 0xde, 0x03] => Some(abi_text(&token.symbol)),
            _ => None,
        }
    }

    fn parameter<T: DeserializeOwned>(&self, at: usize) -> Result<T, RpcRefusal> {
        read(&self.parameters[at], &format!("parameter {at}"))
    }

    fn height(&self, at: usize) -> Result<u64, RpcRefusal> {
        height(self.ledger, self.parameters.get(at))
    }

    fn known_height(&self, at: usize) -> Result<u64, RpcRefusal> {
        let height = self.height(at)?;
        (height <= self.ledger.tip)
            .then_some(height)
            .ok_or_else(RpcRefusal::no_block)
    }

    /// A height whose state the node keeps; also as the hash of a block (EIP-1898).
    fn state_height(&self, at: usize) -> Result<u64, RpcRefusal> {
        let hash = self
            .parameters
            .get(at)
            .and_then(|asked| asked.get("blockHash"));
        let height = match hash {
            Some(hash) => by_hash(self.ledger, hash)?.ok_or_else(RpcRefusal::no_block)?,
            None => self.known_height(at)?,
        };
        match self.options.profile {
            EvmProfile::Pruned { blocks } if self.ledger.tip - height >= blocks => {
                Err(RpcRefusal::no_state(height))
            }
            _ => Ok(height),
        }
    }
}

/// The height that a block parameter names, which may be above the tip.
pub(super) fn height(ledger: &EvmLedger, block: Option<&Value>) -> Result<u64, RpcRefusal> {
    let block = match block {
        Some(Value::Object(named)) => named.get("blockNumber"),
        other => other,
    };
    match block {
        None | Some(Value::Null) => Ok(ledger.tip),
        Some(Value::String(tag)) => match tag.as_str() {
            "latest" | "pending" | "safe" | "finalized" => Ok(ledger.tip),
            "earliest" => Ok(0),
            number => number
                .strip_prefix("0x")
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .ok_or_else(|| RpcRefusal::bad_parameter("block")),
        },
        Some(_) => Err(RpcRefusal::bad_parameter("block")),
    }
}

/// The height of a block by its hash; `None` for one that is not there.
pub(super) fn by_hash(ledger: &EvmLedger, hash: &Value) -> Result<Option<u64>, RpcRefusal> {
    let hash: B256 = read(hash, "block hash")?;
    Ok(ledger.heights.get(&hash).copied())
}

fn read<T: DeserializeOwned>(value: &Value, what: &str) -> Result<T, RpcRefusal> {
    serde_json::from_value(value.clone()).map_err(|_| RpcRefusal::bad_parameter(what))
}

fn abi_text(text: &str) -> Vec<u8> {
    let length = U256::from(text.len()).to_be_bytes::<32>();
    let mut encoded = [U256::from(32).to_be_bytes::<32>(), length].concat();
    encoded.extend_from_slice(text.as_bytes());
    encoded.resize(encoded.len().next_multiple_of(32), 0);
    encoded
}
