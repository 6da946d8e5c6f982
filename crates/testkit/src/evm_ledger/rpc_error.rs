//! Errors in the words of real nodes.

use serde_json::{Value, json};

/// An error of JSON-RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RpcRefusal {
    code: i64,
    message: String,
}

impl RpcRefusal {
    pub(super) fn no_method(method: &str) -> Self {
        let message = format!("the method {method} does not exist/is not available");
        Self {
            code: -32601,
            message,
        }
    }

    pub(super) fn bad_parameter(what: &str) -> Self {
        Self {
            code: -32602,
            message: format!("invalid argument: {what}"),
        }
    }

    pub(super) fn bad_request() -> Self {
        Self {
            code: -32600,
            message: "invalid request".into(),
        }
    }

    pub(super) fn no_state(height: u64) -> Self {
        Self {
            code: -32000,
            message: format!("missing trie node {height:064x} (path ) state is not available"),
        }
    }

    pub(super) fn no_block() -> Self {
        Self {
            code: -32000,
            message: "header not found".into(),
        }
    }

    pub(super) fn range(limit: u64) -> Self {
        Self {
            code: -32000,
            message: format!("exceed maximum block range: {limit}"),
        }
    }

    pub(super) fn results(limit: usize, from: u64, to: u64) -> Self {
        Self {
            code: -32005,
            message: format!(
                "query returned more than {limit} results. Try with this block range [{from:#x}, {to:#x}]."
            ),
        }
    }

    pub(super) fn batch() -> Self {
        Self {
            code: -32600,
            message: "batch too large".into(),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}
