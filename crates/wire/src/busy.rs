//! The words of JSON-RPC endpoints that want fewer requests.

/// In lower case. None of them is said of an answer that would be too long: who asks for less at a time because
/// of these words asks more often, and is refused again.
const WORDS: [&str; 14] = [
    "too many requests",
    "too many connections",
    "rate limit",
    "rate-limit",
    "ratelimit",
    "request rate",
    "requests per second",
    "request count exceeded",
    "compute units per second",
    "capacity exceeded",
    "exceeded its throughput",
    "exceeded your requests",
    "request limit",
    "try again in",
];

/// True where a JSON-RPC error says that the same call may be answered later.
pub fn asks_for_patience(code: i64, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    code == 429 || WORDS.iter().any(|word| message.contains(word))
}
