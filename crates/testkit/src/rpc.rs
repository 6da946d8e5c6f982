//! A blocking JSON-RPC client small enough to need no HTTP library.

use std::io;

use serde_json::{Value, json};

use crate::http::HttpRequest;

/// Says why a call to the node failed.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The connection failed or was cut.
    #[error("{method}: {error}")]
    Io {
        /// The method called.
        method: String,
        /// What happened.
        error: io::Error,
    },
    /// The answer is not what JSON-RPC over HTTP looks like.
    #[error("{method}: not a JSON-RPC answer: {answer}")]
    Malformed {
        /// The method called.
        method: String,
        /// The start of what came.
        answer: String,
    },
    /// The node refused the call.
    #[error("{method}: error {code}: {message}")]
    Refused {
        /// The method called.
        method: String,
        /// The node's code, as `-5`.
        code: i64,
        /// The node's words.
        message: String,
    },
}

/// A node's JSON-RPC endpoint on the loopback interface.
#[derive(Clone, Debug)]
pub struct RpcClient {
    port: u16,
    authorization: String,
}

impl RpcClient {
    /// A client with `credentials` in the form `user:password`. Nothing is sent yet.
    pub fn new(port: u16, credentials: &str) -> Self {
        let authorization = format!("Basic {}", base64(credentials.as_bytes()));
        Self {
            port,
            authorization,
        }
    }

    /// Calls a method with an array of parameters and returns its `result`.
    pub fn call(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let request = json!({"jsonrpc": "1.0", "id": 1, "method": method, "params": params});
        let body = self
            .post(request.to_string())
            .map_err(|error| RpcError::Io {
                method: method.to_owned(),
                error,
            })?;
        let malformed = || RpcError::Malformed {
            method: method.to_owned(),
            answer: String::from_utf8_lossy(&body).chars().take(200).collect(),
        };
        let mut answer: Value = serde_json::from_slice(&body).map_err(|_| malformed())?;
        let error = &answer["error"];
        if error.is_null() {
            return answer
                .get_mut("result")
                .map(Value::take)
                .ok_or_else(malformed);
        }
        Err(RpcError::Refused {
            method: method.to_owned(),
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
        })
    }

    fn post(&self, body: String) -> io::Result<Vec<u8>> {
        let request = HttpRequest {
            authorization: Some(self.authorization.clone()),
            ..HttpRequest::post("/", body.into_bytes())
        };
        let reply = request.send(&format!("127.0.0.1:{}", self.port))?;
        Ok(reply.body)
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |i: usize| usize::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET[bits >> (18 - 6 * place) & 63];
            text.push(if place > group.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of RFC 4648, section 10.
    #[test]
    fn base64_pads_as_the_standard_says() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
