//! What can go wrong with a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use serde_json::{Value, json};

use super::RpcCall;

/// Changes a result; gets the call's parameters too.
type Alteration = dyn Fn(&Value, &mut Value) + Send + Sync;

/// What goes wrong with a call, or with the whole request that it is part of.
#[derive(Clone)]
pub enum RpcFault {
    /// The call is refused with this JSON-RPC error.
    Refuse {
        /// As `-32601`.
        code: i64,
        /// As `the method does not exist`.
        message: String,
    },
    /// State before this height is gone: balances, nonces, code, storage, proofs and calls there are refused
    /// with code -32000 and `missing trie node …`, as a node does that is no archive.
    Pruned {
        /// The first height whose state is there.
        before: u64,
    },
    /// `eth_getLogs` over more blocks than this is refused with code -32005.
    LogRange(u64),
    /// `eth_getLogs` with more rows than this is refused with code -32005 and `query returned more than … results`.
    LogRows(usize),
    /// `eth_getLogs` silently leaves out all rows after the first so many.
    CutLogs(usize),
    /// `eth_getLogs` silently leaves out one log: the first of this transaction in each answer.
    HideLog(B256),
    /// The endpoint claims to be of another chain (`eth_chainId`, `net_version`).
    ChainId(u64),
    /// The result is changed.
    Alter(Arc<Alteration>),
    /// Arrays of more calls than this are refused as a whole, with one error object of code -32600.
    BatchLimit(usize),
    /// The whole request gets this HTTP status with a line of text.
    Status {
        /// As 429.
        status: u16,
        /// Seconds in a `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The whole request waits this long.
    Delay(Duration),
    /// The connection is cut after the answer's head.
    HangUp,
    /// The whole request is answered by so many MiB that never form an answer.
    Flood {
        /// How many MiB.
        mebibytes: u64,
    },
}

impl RpcFault {
    /// Refuses as a node does that has never heard of the method.
    pub fn unknown_method() -> Self {
        Self::Refuse {
            code: -32_601,
            message: "the method does not exist/is not available".into(),
        }
    }

    /// Changes results by a function of the call's parameters and the result.
    pub fn alter(change: impl Fn(&Value, &mut Value) + Send + Sync + 'static) -> Self {
        Self::Alter(Arc::new(change))
    }

    /// The error that the call gets at once, if it does.
    pub(super) fn refusal(&self, call: &RpcCall) -> Option<Value> {
        match self {
            Self::Refuse { code, message } => Some(error(*code, message)),
            Self::Pruned { before } if state_height(call)? < *before => Some(error(
                -32_000,
                "missing trie node 6a3c9f0b5a1d (path ) state is not available",
            )),
            Self::LogRange(most) if log_range(call)? > *most => Some(error(
                -32_005,
                &format!("query exceeds max block range {most}"),
            )),
            _ => None,
        }
    }

    /// Changes what the node answered, unless it refused.
    pub(super) fn distort(&self, call: &RpcCall, answer: &mut Value) {
        let Some(result) = answer.get_mut("result") else {
            return;
        };
        let rows = result.as_array().map_or(0, Vec::len);
        match (self, call.method.as_str()) {
            (Self::LogRows(most), "eth_getLogs") if rows > *most => {
                let message = format!("query returned more than {most} results");
                *answer = error(-32_005, &message);
            }
            (Self::CutLogs(most), "eth_getLogs") => {
                if let Some(rows) = result.as_array_mut() {
                    rows.truncate(*most);
                }
            }
            (Self::HideLog(transaction), "eth_getLogs") => hide(result, *transaction),
            (Self::ChainId(id), "eth_chainId") => *result = json!(format!("{id:#x}")),
            (Self::ChainId(id), "net_version") => *result = json!(id.to_string()),
            (Self::Alter(change), _) => change(&call.params, result),
            _ => {}
        }
    }
}

/// Leaves out the first log of a transaction.
fn hide(rows: &mut Value, transaction: B256) {
    let Some(rows) = rows.as_array_mut() else {
        return;
    };
    let hash = json!(transaction);
    let hidden = rows.iter().position(|row| row["transactionHash"] == hash);
    if let Some(place) = hidden {
        rows.remove(place);
    }
}

impl fmt::Debug for RpcFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse { code, message } => write!(f, "Refuse({code}, {message})"),
            Self::Pruned { before } => write!(f, "Pruned({before})"),
            Self::LogRange(most) => write!(f, "LogRange({most})"),
            Self::LogRows(most) => write!(f, "LogRows({most})"),
            Self::CutLogs(most) => write!(f, "CutLogs({most})"),
            Self::HideLog(transaction) => write!(f, "HideLog({transaction})"),
            Self::ChainId(id) => write!(f, "ChainId({id})"),
            Self::Alter(_) => f.write_str("Alter(…)"),
            Self::BatchLimit(most) => write!(f, "BatchLimit({most})"),
            Self::Status { status, .. } => write!(f, "Status({status})"),
            Self::Delay(time) => write!(f, "Delay({time:?})"),
            Self::HangUp => f.write_str("HangUp"),
            Self::Flood { mebibytes } => write!(f, "Flood({mebibytes} MiB)"),
        }
    }
}

/// An answer without its id.
pub(super) fn error(code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}})
}

/// The height whose state a call asks for, where it is a number.
fn state_height(call: &RpcCall) -> Option<u64> {
    let place = match call.method.as_str() {
        "eth_getBalance" | "eth_getTransactionCount" | "eth_getCode" | "eth_call" => 1,
        "eth_getStorageAt" | "eth_getProof" => 2,
        _ => return None,
    };
    height(&call.params[place])
}

/// How many blocks an `eth_getLogs` spans, where both its ends are numbers.
fn log_range(call: &RpcCall) -> Option<u64> {
    let filter = &call.params[0];
    let (from, to) = (height(&filter["fromBlock"])?, height(&filter["toBlock"])?);
    (call.method == "eth_getLogs").then(|| to.saturating_sub(from).saturating_add(1))
}

fn height(tag: &Value) -> Option<u64> {
    if tag == "earliest" {
        return Some(0);
    }
    let digits = tag.as_str()?.strip_prefix("0x")?;
    u64::from_str_radix(digits, 16).ok()
}
