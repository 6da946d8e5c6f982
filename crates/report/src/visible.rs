//! Makes hidden characters of untrusted text visible, so that a label cannot steer a terminal or a reader.

use std::borrow::Cow;
use std::fmt::Write;

/// Replaces every character that a reader would not see by its code, such as `\u{202e}`.
///
/// Hidden are control characters (line ends included), marks that change the writing direction, characters
/// without width, line and paragraph separators, tags and noncharacters. What is left is also legal in XML 1.0.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) {
            write!(shown, "{}", character.escape_unicode()).expect("a string takes any text");
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// True for letters, digits and signs of ASCII, which most of a report is; no byte is asked twice, so that many are asked at once.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes().iter();
    bytes.fold(true, |plain, byte| plain & matches!(byte, 0x20..=0x7e))
}

/// [`visible`], cut to at most `most` characters with an ellipsis in place of the rest.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    let mut start: Vec<char> = text.chars().take(most + 1).collect();
    if start.len() > most {
        start.truncate(most.saturating_sub(1));
        start.push('…');
    }
    let start: String = start.into_iter().collect();
    visible(&start).into_owned()
}

/// Sources: Unicode general categories Cc, Cf, Zl, Zp; UAX #9 for the direction marks.
pub(crate) fn is_hidden(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || code & 0xfffe == 0xfffe
        || matches!(code,
            0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0xfdd0..=0xfdef | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_as_codes_and_the_rest_is_untouched() {
        assert!(matches!(
            visible("Größe 取引所 🍪 <b>&\"'"),
            Cow::Borrowed(_)
        ));
        assert_eq!(
            visible("a\u{1b}[31mb\0\r\n"),
            r"a\u{1b}[31mb\u{0}\u{d}\u{a}"
        );
        assert_eq!(visible("evil\u{202e}gpj.exe"), r"evil\u{202e}gpj.exe");
        assert_eq!(
            visible("\u{9b}\u{200b}\u{feff}\u{ffff}"),
            r"\u{9b}\u{200b}\u{feff}\u{ffff}"
        );
        assert_eq!(
            visible("\u{e0041}\u{2066}\u{2028}"),
            r"\u{e0041}\u{2066}\u{2028}"
        );
    }

    #[test]
    fn a_clipped_text_says_that_it_was_cut() {
        assert_eq!(clipped("abcd", 4), "abcd");
        assert_eq!(clipped("abcde", 4), "abc…");
        assert_eq!(clipped(&"\u{202e}".repeat(1_000_000), 2), "\\u{202e}…");
    }
}
