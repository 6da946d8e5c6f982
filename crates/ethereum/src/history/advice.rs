//! Reads what providers say when they refuse a range of blocks as too wide.

use super::Blocks;

/// What an endpoint says when it refuses a range as too wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// A range that it would answer.
    pub range: Option<Blocks>,
    /// The most blocks at once.
    pub limit: Option<u64>,
}

/// Words of refusals that are about how fast one asks, or about state; they say nothing of width.
const NOT_WIDTH: [&str; 9] = [
    "rate limit",
    "too many requests",
    "request count",
    "requests per",
    "capacity",
    "compute units",
    "missing trie node",
    "not available",
    "does not exist",
];

/// Words of refusals that are about width, without or besides a number.
const WIDTH: [&str; 23] = [
    "block range",
    "blocks range",
    "range of blocks",
    "range limit",
    "max range",
    "range is too",
    "range too",
    "limited to a",
    "limited to 0",
    "ranges over",
    "requested too many blocks",
    "number of requested blocks",
    "range allowed",
    "more than",
    "max results",
    "exceeds limit",
    "response size",
    "response too large",
    "response is too",
    "at most",
    "max is",
    "query timeout",
    "too many results",
];

/// Words behind which a number is one of rows or bytes and not of blocks.
const NOT_BLOCKS: [&str; 5] = ["result", "row", "logs", "bytes", "response"];

impl Advice {
    /// Reads the message of an error; `None` where it is about something else than the width of a question.
    pub fn of(message: &str) -> Option<Self> {
        let message: String = message.chars().take(2_000).collect();
        // The method's own name is not about logs.
        let message = message.to_ascii_lowercase().replace("eth_getlogs", "");
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(&NOT_WIDTH) || !says(&WIDTH) {
            return None;
        }
        let range = suggested(&message);
        let limit = limit(&message).filter(|_| range.is_none() && !says(&NOT_BLOCKS));
        Some(Self { range, limit })
    }
}

/// A range at the end of the message, as in `[0x10, 0x20]` or `range 16-32`.
fn suggested(message: &str) -> Option<Blocks> {
    let tail = match message.rfind('[') {
        Some(at) => message[at..].split(']').next()?,
        None => &message[message.rfind("the range ")?..],
    };
    match numbers(tail).as_slice() {
        [first, last] if first <= last => Some(Blocks {
            first: *first,
            last: *last,
        }),
        _ => None,
    }
}

/// The most blocks at once: what stands behind a word for it, or the last number there is.
fn limit(message: &str) -> Option<u64> {
    // "exceeds the range allowed for your plan (5000 > 2000)" names what was asked for, too.
    let tail = [
        "maximum is set to",
        "max is",
        "at most",
        "limited to",
        "range:",
        ">",
    ];
    let behind = tail.iter().find_map(|word| {
        let at = message.rfind(word)?;
        numbers(&message[at + word.len()..]).first().copied()
    });
    behind.or_else(|| numbers(message).last().copied())
}

/// Numbers in a text: decimal, with commas or a `k` for thousands, or hexadecimal with `0x`.
fn numbers(text: &str) -> Vec<u64> {
    let plain = text.replace(',', "");
    let separated = if text.contains("0x") { text } else { &plain };
    let words = separated.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter_map(number).collect()
}

fn number(word: &str) -> Option<u64> {
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    match word.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000),
        None => word.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(limit: u64) -> Option<Advice> {
        Some(Advice {
            range: None,
            limit: Some(limit),
        })
    }

    fn suggests(first: u64, last: u64) -> Option<Advice> {
        Some(Advice {
            range: Some(Blocks { first, last }),
            limit: None,
        })
    }

    #[test]
    fn limits_are_read_in_the_words_of_providers() {
        let said = [
            ("eth_getLogs is limited to a 10,000 range", 10_000),
            ("eth_getLogs is limited to 0 - 5 blocks range", 0),
            ("Max range: 800", 800),
            ("Maximum allowed number of requested blocks is 1000", 1_000),
            ("limited to 1024 block range", 1_024),
            ("maximum block range: 50000", 50_000),
            ("exceed maximum block range: 5000", 5_000),
            (
                "exceeds the range allowed for your plan (5000 > 2000)",
                2_000,
            ),
            ("Block range is too large, max is 10k blocks", 10_000),
            (
                "please limit the query to at most 1000 blocks: block range",
                1_000,
            ),
            (
                "requested too many blocks from 1 to 9000, maximum is set to 2048",
                2_048,
            ),
            (
                "ranges over 10000 blocks are not supported on freetier",
                10_000,
            ),
        ];
        for (message, limit) in said {
            assert_eq!(Advice::of(message), limited(limit), "{message}");
        }
    }

    #[test]
    fn suggested_ranges_are_read_in_the_words_of_providers() {
        let infura =
            "query returned more than 10000 results. Try with this block range [0x10, 0x20].";
        assert_eq!(Advice::of(infura), suggests(16, 32));
        let alchemy = "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x0, 0xff]";
        assert_eq!(Advice::of(alchemy), suggests(0, 255));
        let llama = "query exceeds max results 20000, retry with the range 16-32";
        assert_eq!(Advice::of(llama), suggests(16, 32));
    }

    #[test]
    fn refusals_without_a_number_of_blocks_advise_nothing_more_than_less() {
        let said = [
            "block range is too wide",
            "block range too large",
            "backend response too large",
            "Block range limit exceeded.",
            "query returned more than 10000 results",
            "logs matched by query exceeds limit of 10000",
            "response size should not greater than 10000000 bytes",
        ];
        for message in said {
            assert_eq!(Advice::of(message), Some(Advice::default()), "{message}");
        }
    }

    #[test]
    fn other_refusals_are_not_about_width() {
        let said = [
            "daily request count exceeded, request rate limited",
            "rate limit: at most 10 requests",
            "missing trie node 1234 (path ) state is not available",
            "the method trace_filter does not exist/is not available",
            "header not found",
            "execution reverted",
            "",
        ];
        for message in said {
            assert_eq!(Advice::of(message), None, "{message}");
        }
    }
}
