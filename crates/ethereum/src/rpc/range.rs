//! The ranges of blocks that endpoints propose in their refusals.

use serde::Deserialize;

/// The range that a refusal proposes, in brackets or as two numbers with a hyphen, or in the error's data.
///
/// One whose end lies before its start is none.
pub(super) fn suggested_range(message: &str, data: &str) -> Option<(u64, u64)> {
    let bracketed = || {
        let (_, inside) = message.rsplit_once('[')?;
        let (inside, _) = inside.split_once(']')?;
        ends(inside.split_once(',')?)
    };
    let hyphened = || {
        let (_, range) = message.split_once("the range ")?;
        ends(range.split_once('-')?)
    };
    let range = bracketed().or_else(hyphened).or_else(|| range_in(data));
    range.filter(|(first, last)| first <= last)
}

/// The number of blocks that a refusal names as its limit.
pub(super) fn suggested_blocks(message: &str) -> Option<u64> {
    const BEFORE: [&str; 11] = [
        "limited to a ",
        "limited to ",
        "max range: ",
        "requested blocks is ",
        "block range: ",
        "block range ",
        "maximum is set to ",
        "max is ",
        "at most ",
        "ranges over ",
        " > ",
    ];
    let message = message.to_ascii_lowercase();
    let after = BEFORE.iter().find_map(|words| {
        let (_, after) = message.split_once(words)?;
        count(after)
    });
    after.filter(|blocks| *blocks > 0)
}

fn ends((first, last): (&str, &str)) -> Option<(u64, u64)> {
    Some((height(first)?, height(last)?))
}

/// A height in hexadecimal digits after `0x`, or in decimal digits, at the start of a text.
fn height(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(leading(digits, u8::is_ascii_hexdigit), 16).ok(),
        None => leading(text, u8::is_ascii_digit).parse().ok(),
    }
}

/// A count as in `10,000` or `10k`.
fn count(text: &str) -> Option<u64> {
    let digits = leading(text, |byte| byte.is_ascii_digit() || *byte == b',');
    let rest = &text[digits.len()..];
    let number: u64 = digits.replace(',', "").parse().ok()?;
    let unit = leading(rest, u8::is_ascii_alphanumeric);
    match unit {
        "" => Some(number),
        "k" => number.checked_mul(1_000),
        // Bytes, seconds, or what nobody knows.
        _ => None,
    }
}

fn leading(text: &str, belongs: impl Fn(&u8) -> bool) -> &str {
    let end = text.bytes().position(|byte| !belongs(&byte));
    &text[..end.unwrap_or(text.len())]
}

/// The members in which Infura names the range.
fn range_in(data: &str) -> Option<(u64, u64)> {
    #[derive(Deserialize)]
    struct Named<'a> {
        from: &'a str,
        to: &'a str,
    }
    let named: Named<'_> = serde_json::from_str(data).ok()?;
    ends((named.from, named.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_that_is_no_range_is_none() {
        for message in [
            "Try with this block range [0x10, 0x1].",
            "Try with this block range [].",
            "Try with this block range [0x, 0x].",
            "Try with this block range [0x1, 0x11111111111111111].",
            "Try with [0x1",
            "retry with the range é-ü",
            "",
        ] {
            assert_eq!(suggested_range(message, ""), None, "{message}");
        }
        assert_eq!(suggested_range("", r#"{"from":1,"to":2}"#), None);
    }

    #[test]
    fn a_limit_that_is_no_number_of_blocks_is_none() {
        for message in [
            "max is many",
            "max is 0 blocks",
            "max range: 99999999999999999999",
            "limited to a é range",
        ] {
            assert_eq!(suggested_blocks(message), None, "{message}");
        }
        assert_eq!(suggested_blocks("Max is 10k blocks"), Some(10_000));
        assert_eq!(suggested_blocks("max is 10kb"), None);
    }
}
