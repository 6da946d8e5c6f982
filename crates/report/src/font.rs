//! The font of pictures and documents, shipped so that every machine draws the same bytes.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, GlyphId, MetadataProvider as _};

/// DejaVu Sans, see `fonts/README.md`.
pub(crate) static REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
/// Its bold cut.
pub(crate) static BOLD: &[u8] = include_bytes!("../fonts/DejaVuSans-Bold.ttf");

static FACES: LazyLock<[Face; 2]> = LazyLock::new(|| [REGULAR, BOLD].map(Face::new));

/// A cut of the font: which glyph a character has, and how wide it is.
pub(crate) struct Face {
    characters: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    em: f32,
}

impl Face {
    fn new(data: &'static [u8]) -> Self {
        let font = FontRef::new(data).expect("the shipped font is sound");
        let whole = font.metrics(Size::unscaled(), LocationRef::default());
        Self {
            characters: font.charmap(),
            widths: font.glyph_metrics(Size::unscaled(), LocationRef::default()),
            em: f32::from(whole.units_per_em),
        }
    }

    /// The cut for text that is bold or not.
    pub(crate) fn of(bold: bool) -> &'static Self {
        &FACES[usize::from(bold)]
    }

    /// The glyph of a character; that for what is missing where the font has none.
    pub(crate) fn glyph(&self, character: char) -> GlyphId {
        self.characters.map(character).unwrap_or(GlyphId::NOTDEF)
    }

    /// How wide a glyph is, in parts of the size of the text.
    pub(crate) fn advance(&self, glyph: GlyphId) -> f32 {
        self.widths.advance_width(glyph).unwrap_or_default() / self.em
    }

    /// How wide a character is, in parts of the size of the text.
    pub(crate) fn width(&self, character: char) -> f32 {
        self.advance(self.glyph(character))
    }
}

/// Replaces what the font cannot draw by its code, such as `\u{53d6}`, so that nothing is left out in silence.
pub(crate) fn drawable(text: &str) -> Cow<'_, str> {
    let missing = |character: char| {
        let drawn = |face: &Face| face.characters.map(character).is_some();
        character != '\n' && !FACES.iter().all(drawn)
    };
    if !text.chars().any(missing) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if missing(character) {
            write!(shown, "{}", character.escape_unicode()).expect("a string takes any text");
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_font_cannot_draw_is_shown_as_its_code() {
        assert!(matches!(drawable("Größe → 1,5 €"), Cow::Borrowed(_)));
        assert_eq!(drawable("取 \n🍪"), "\\u{53d6} \n\\u{1f36a}");
    }

    #[test]
    fn a_digit_is_as_wide_as_any_other() {
        let widths = ('0'..='9').map(|digit| Face::of(false).width(digit).to_bits());
        let widths: std::collections::BTreeSet<_> = widths.collect();
        assert_eq!(widths.len(), 1);
        assert!(Face::of(true).width('W') > Face::of(false).width('i'));
    }
}
