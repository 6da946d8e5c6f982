//! Untrusted text inside Markdown: shown, never obeyed.

use std::borrow::Cow;

use crate::visible;

/// Characters that mean something inside a line of CommonMark or of the dialects in use; a backslash before
/// punctuation shows it as it is (CommonMark 0.31, 2.4). The colon and the slash keep addresses from becoming links.
const SPECIAL: [char; 18] = [
    '\\', '`', '*', '_', '[', ']', '<', '>', '&', '~', '|', '#', '!', '$', '@', ':', '/', '^',
];

/// Text as text; fits into a heading, an item or a cell, because it never holds a line end.
pub(super) fn plain(untrusted: &str) -> String {
    let shown = visible(untrusted.trim());
    let mut text = String::with_capacity(shown.len());
    for (place, character) in shown.char_indices() {
        if SPECIAL.contains(&character) || begins_block(&shown, place) || names_host(&shown, place)
        {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// A list, a rule or an underline starts a line: `- `, `+ `, `1. `, `1) `, `===`.
fn begins_block(text: &str, place: usize) -> bool {
    let (before, after) = text.split_at(place);
    if before.is_empty() {
        return after.starts_with(['-', '+', '=']);
    }
    before.bytes().all(|byte| byte.is_ascii_digit()) && after.starts_with(['.', ')'])
}

/// `www.` alone makes a link on some sites.
fn names_host(text: &str, place: usize) -> bool {
    let (before, after) = text.split_at(place);
    let host = before.get(before.len().saturating_sub(3)..).unwrap_or("");
    after.starts_with('.') && host.eq_ignore_ascii_case("www")
}

/// An address, hash or id in a form that is copied without escapes; as text where it holds what ends such a form.
pub(super) fn code(untrusted: &str) -> String {
    let shown: Cow<'_, str> = visible(untrusted);
    let plain_code = |c: char| c.is_ascii_alphanumeric() || ":.-_ ".contains(c);
    let fits = !shown.is_empty() && shown.trim() == shown && shown.chars().all(plain_code);
    if fits {
        format!("`{shown}`")
    } else {
        plain(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_read_as_markup_is_escaped() {
        assert_eq!(plain("<b>*x*</b>"), r"\<b\>\*x\*\<\/b\>");
        assert_eq!(plain("- item"), r"\- item");
        assert_eq!(plain("12. item"), r"12\. item");
        assert_eq!(plain("a|b"), r"a\|b");
        assert_eq!(plain("http://x www.x.org"), r"http\:\/\/x www\.x.org");
        assert_eq!(plain("3,000.5 BTC"), "3,000.5 BTC");
    }

    #[test]
    fn an_id_is_code_unless_it_could_end_it() {
        assert_eq!(code("bitcoin:tx:00ff"), "`bitcoin:tx:00ff`");
        assert_eq!(code("a`b"), r"a\`b");
        assert_eq!(code(""), "");
    }
}
