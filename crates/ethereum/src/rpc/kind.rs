//! What an endpoint's error means for the client, by its code and its words.

use hansel_ledger::{ErrorClass, SourceError};
use hansel_wire::asks_for_patience;

use super::answer::Complaint;
use super::range::{suggested_blocks, suggested_range};

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct RpcFailure {
    /// What to do about it.
    pub kind: RpcKind,
    /// Which request failed, and how, without secrets.
    pub error: SourceError,
}

/// What an error of the wire, or of reading an answer, means for the client.
impl From<SourceError> for RpcFailure {
    fn from(error: SourceError) -> Self {
        let kind = match error.class {
            ErrorClass::RateLimited => RpcKind::RateLimited,
            ErrorClass::Malformed => RpcKind::Malformed,
            ErrorClass::Unsupported => RpcKind::Unsupported,
            ErrorClass::TooPopular => RpcKind::RangeTooLarge {
                suggested: None,
                blocks: None,
            },
            ErrorClass::Unreachable
            | ErrorClass::NotFound
            | ErrorClass::Truncated
            | ErrorClass::Inconsistent
            | ErrorClass::NotRecorded => RpcKind::Transport,
        };
        Self { kind, error }
    }
}

/// The kinds of failures of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RpcKind {
    /// The endpoint was not reached, answered in another protocol, or the recording holds no answer: the class
    /// of the error says more.
    Transport,
    /// Fewer requests are wanted: ask later or elsewhere, and do not ask for less at a time.
    RateLimited,
    /// The range of blocks is too wide or holds too much: ask for less of it.
    RangeTooLarge {
        /// The first and last block that the endpoint says it would answer.
        suggested: Option<(u64, u64)>,
        /// The number of blocks that the endpoint says it would answer at most.
        blocks: Option<u64>,
    },
    /// The endpoint no longer has, or does not have yet, the state of the block: ask another.
    NotArchive,
    /// The endpoint does not offer the method, or not with these parameters.
    Unsupported,
    /// The call ran and failed on the chain.
    Reverted,
    /// The answer is not one, or its result has not the form of the method's.
    Malformed,
    /// The endpoint failed for now: ask later or elsewhere.
    Busy,
    /// An error whose words are not known.
    Other,
}

impl RpcKind {
    /// The class of the failure; `None` for [`Self::Transport`], whose error has one.
    pub(crate) fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::Transport => None,
            Self::RateLimited => Some(ErrorClass::RateLimited),
            Self::RangeTooLarge { .. } => Some(ErrorClass::TooPopular),
            Self::Malformed => Some(ErrorClass::Malformed),
            Self::Busy => Some(ErrorClass::Unreachable),
            Self::NotArchive | Self::Unsupported | Self::Reverted | Self::Other => {
                Some(ErrorClass::Unsupported)
            }
        }
    }
}

/// Words of endpoints that want a narrower range. Source: ponder's `getLogsRetryHelper.ts` and documentation of
/// providers, see `docs/methods.md`.
const WIDE: [&str; 28] = [
    "query returned more than",
    "response size exceeded",
    "block range should work",
    "range limit",
    "range is too wide",
    "range too wide",
    "range is too large",
    "range too large",
    "limited to a ",
    "query exceeds max results",
    "max range",
    "maximum allowed number of requested blocks",
    "block range",
    "response too large",
    "response is too big",
    "logs matched by query exceeds limit",
    "response size should not",
    "exceeds the range",
    "max is ",
    "limit the query to",
    "too many blocks",
    "ranges over",
    "too many logs",
    "exceed maximum",
    "more than 200000 logs",
    "query timeout",
    "maximum is set to",
    "log limit",
];

/// Words of nodes without the state, or without the block. Only the first is sure; see `docs/methods.md`.
const PRUNED: [&str; 15] = [
    "missing trie node",
    "header not found",
    "blockoutofrange",
    "distance to target block exceeds",
    "is not available",
    "state not available",
    "historical state",
    "state is pruned",
    "pruned",
    "archive",
    "state histories",
    "no state found",
    "unknown block",
    "block not found",
    "state already",
];

/// Words about a method that is not there.
const LACKING: [&str; 12] = [
    "does not exist",
    "method not found",
    "method not supported",
    "is not supported",
    "not supported",
    "unsupported method",
    "unknown method",
    "unavailable method",
    "only supports the default tracer",
    "not whitelisted",
    "not allowed",
    "not enabled",
];

impl Complaint {
    /// Tells what the error means.
    pub fn kind(&self) -> RpcKind {
        let words = format!("{} {}", self.message, self.data).to_ascii_lowercase();
        let says = |known: &[&str]| known.iter().any(|known| words.contains(known));
        if asks_for_patience(self.code, &words) {
            return RpcKind::RateLimited;
        }
        if says(&WIDE) || self.code == 35 {
            return RpcKind::RangeTooLarge {
                suggested: suggested_range(&self.message, &self.data),
                blocks: suggested_blocks(&self.message),
            };
        }
        // "The method X does not exist/is not available" says nothing about state.
        if says(&LACKING) || matches!(self.code, -32601 | -32004) {
            return RpcKind::Unsupported;
        }
        if says(&PRUNED) {
            return RpcKind::NotArchive;
        }
        if self.code == 3 || says(&["revert", "vm exception", "out of gas"]) {
            return RpcKind::Reverted;
        }
        if says(&["timeout", "timed out", "internal error"]) {
            return RpcKind::Busy;
        }
        match self.code {
            -32005 => RpcKind::RateLimited,
            -32700 | -32600 | -32602 => RpcKind::Unsupported,
            _ => RpcKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i64, message: &str) -> RpcKind {
        let message = message.to_owned();
        let complaint = Complaint {
            code,
            message,
            data: String::new(),
        };
        complaint.kind()
    }

    fn wide(suggested: Option<(u64, u64)>, blocks: Option<u64>) -> RpcKind {
        RpcKind::RangeTooLarge { suggested, blocks }
    }

    #[test]
    fn every_known_limit_of_log_queries_asks_for_less_and_tells_how_much_where_it_does() {
        let cases = [
            (
                -32005,
                "query returned more than 10000 results. Try with this block range [0x100, 0x1ff].",
                wide(Some((0x100, 0x1ff)), None),
            ),
            (
                -32602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0x7cf]",
                wide(Some((0, 0x7cf)), None),
            ),
            (
                -32614,
                "eth_getLogs is limited to a 10,000 range",
                wide(None, Some(10_000)),
            ),
            (
                -32614,
                "eth_getLogs is limited to a 5 range",
                wide(None, Some(5)),
            ),
            (-32600, "block range is too wide", wide(None, None)),
            (
                -32602,
                "query exceeds max results 20000, retry with the range 18000000-18000123",
                wide(Some((18_000_000, 18_000_123)), None),
            ),
            (-32047, "Max range: 800", wide(None, Some(800))),
            (
                -32602,
                "Maximum allowed number of requested blocks is 1000",
                wide(None, Some(1_000)),
            ),
            (
                -32000,
                "eth_getLogs is limited to 1024 block range. Please check the parameter requirements",
                wide(None, Some(1_024)),
            ),
            (
                -32701,
                "exceed maximum block range: 50000",
                wide(None, Some(50_000)),
            ),
            (-32000, "block range too large", wide(None, None)),
            (-32008, "backend response too large", wide(None, None)),
            (-32000, "Block range is too large", wide(None, None)),
            (
                -32000,
                "logs matched by query exceeds limit of 10000",
                wide(None, None),
            ),
            (-32000, "Block range limit exceeded.", wide(None, None)),
            (
                -32000,
                "response size should not greater than 10000000 bytes",
                wide(None, None),
            ),
            (
                -32600,
                "eth_getLogs exceeds the range allowed for your plan (2000 > 500)",
                wide(None, Some(500)),
            ),
            (
                -32000,
                "Block range is too large, max is 10k blocks",
                wide(None, Some(10_000)),
            ),
            (
                -32602,
                "please limit the query to at most 1000 blocks",
                wide(None, Some(1_000)),
            ),
            (
                -32000,
                "requested too many blocks from 1 to 4096, maximum is set to 2048",
                wide(None, Some(2_048)),
            ),
            (
                35,
                "ranges over 10000 blocks are not supported on freetier",
                wide(None, Some(10_000)),
            ),
        ];
        for (code, message, meant) in cases {
            assert_eq!(kind(code, message), meant, "{code} {message}");
        }
    }

    #[test]
    fn a_range_in_the_data_of_the_error_is_read() {
        let complaint = Complaint {
            code: -32005,
            message: "query returned more than 10000 results".into(),
            data: r#"{"from":"0x10","limit":10000,"to":"0x20"}"#.into(),
        };
        assert_eq!(complaint.kind(), wide(Some((16, 32)), None));
    }

    #[test]
    fn refusals_for_their_number_are_not_taken_for_a_range() {
        let cases = [
            (-32005, "daily request count exceeded, request rate limited"),
            (-32005, "limit exceeded"),
            (429, "anything"),
            (
                429,
                "Your app has exceeded its compute units per second capacity.",
            ),
            (-32090, "Too many requests, try again in 10m0s"),
            (
                -32007,
                "15/second request limit reached - reduce calls per second or upgrade your account",
            ),
            (-32016, "over rate limit"),
            (-32000, "rate limit exceeded for block range queries"),
        ];
        for (code, message) in cases {
            assert_eq!(
                kind(code, message),
                RpcKind::RateLimited,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn missing_state_is_told_from_missing_methods() {
        let pruned = [
            (-32000, "missing trie node 5a8f (path ) <nil>"),
            (-32000, "header not found"),
            (
                -32602,
                "BlockOutOfRangeError: block height is 5 but requested was 10",
            ),
            (
                -32000,
                "distance to target block exceeds maximum proof window",
            ),
            (-32000, "required historical state unavailable (reexec=128)"),
            (
                -32000,
                "state at block 15000000 is pruned, this is not an archive node",
            ),
        ];
        for (code, message) in pruned {
            assert_eq!(kind(code, message), RpcKind::NotArchive, "{code} {message}");
        }
        let lacking = [
            (-32601, "Method not found"),
            (
                -32601,
                "the method debug_traceTransaction does not exist/is not available",
            ),
            (-32602, "invalid params"),
            (-32004, "Method trace_block is not supported"),
            (
                -32602,
                "Hardhat currently only supports the default tracer, so no tracer parameter should be passed.",
            ),
            (
                -32700,
                "The method trace_block does not exist/is not available",
            ),
            (
                -32602,
                "invalid value: string \"latest\", expected a 8 byte hex string",
            ),
        ];
        for (code, message) in lacking {
            assert_eq!(
                kind(code, message),
                RpcKind::Unsupported,
                "{code} {message}"
            );
        }
    }

    #[test]
    fn reverts_and_unknown_errors_are_themselves() {
        assert_eq!(kind(3, "execution reverted: no"), RpcKind::Reverted);
        assert_eq!(
            kind(
                -32000,
                "VM Exception while processing transaction: revert no"
            ),
            RpcKind::Reverted
        );
        assert_eq!(kind(-32000, "nonce too low"), RpcKind::Other);
        assert_eq!(kind(0, ""), RpcKind::Other);
    }
}
