//! Reads a text as JSON within bounds.

use serde::Deserialize;

use super::{DecodeError, JsonFault};

/// The deepest nesting that an answer other than a call trace has, with room to spare. Skipping an unknown field
/// recurses in the parser, so deeper texts are refused before it sees them.
const NESTING: usize = 48;

/// Reads a text as a `T`; `what` names it in errors.
pub(super) fn parse<'a, T: Deserialize<'a>>(
    what: &'static str,
    json: &'a [u8],
) -> Result<T, DecodeError> {
    let text = std::str::from_utf8(json).map_err(|error| DecodeError::Json {
        what,
        offset: error.valid_up_to(),
        fault: JsonFault::Encoding,
    })?;
    if let Some(offset) = too_deep(text) {
        let fault = JsonFault::Nesting;
        return Err(DecodeError::Json {
            what,
            offset,
            fault,
        });
    }
    // The parser's message quotes the text, so only its place and kind are kept.
    sonic_rs::from_str(text).map_err(|error| DecodeError::Json {
        what,
        offset: error.offset(),
        fault: fault(&error),
    })
}

fn fault(error: &sonic_rs::Error) -> JsonFault {
    if error.is_eof() {
        JsonFault::Truncated
    } else if error.is_syntax() {
        JsonFault::Syntax
    } else {
        JsonFault::Content
    }
}

/// The offset at which the text nests deeper than [`NESTING`].
fn too_deep(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = after_string(text, at + 1)?,
            b'[' | b'{' if depth == NESTING => return Some(at),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The offset of the quotation mark that ends the string which starts at `from`; `None` where it never ends.
pub(super) fn after_string(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let quote = at + text.get(at..)?.find('"')?;
        let backslashes = text.as_bytes()[from..quote]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        if backslashes % 2 == 0 {
            return Some(quote);
        }
        at = quote + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_nesting_is_refused_before_the_parser_recurses_into_it() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let hostile = format!(
                "{{\"junk\":{}1{}}}",
                open.repeat(1_000_000),
                close.repeat(1_000_000)
            );
            let read = parse::<Empty>("block", hostile.as_bytes());
            let fault = JsonFault::Nesting;
            assert!(matches!(read, Err(DecodeError::Json { fault: found, .. }) if found == fault));
        }
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        let brackets = "[".repeat(1000);
        let text = format!(r#"{{"junk":"\"{brackets}\\","more":"{brackets}"}}"#);
        parse::<Empty>("block", text.as_bytes()).unwrap();
        let hidden = format!(r#"{{"junk":"\\",{brackets}"#);
        assert!(parse::<Empty>("block", hidden.as_bytes()).is_err());
        let closed = format!(r#"{{"a":"{}","b":{brackets}"#, "]".repeat(1000));
        let read = parse::<Empty>("block", closed.as_bytes());
        let fault = JsonFault::Nesting;
        assert!(matches!(read, Err(DecodeError::Json { fault: found, .. }) if found == fault));
    }

    #[test]
    fn errors_never_quote_the_text() {
        let read = parse::<Empty>("block", br#"["<script>secret</script>"]"#);
        let error = read.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[derive(Debug, Deserialize)]
    struct Empty {}
}
