//! Where the words of a drawing stand, and how they are cut where they have no room.

use super::river::Role;
use super::sankey::{Box, Drawing, WIDTH};
use crate::font::Face;

/// The sizes of letters: names and amounts, as the drawing's style says.
pub(super) const NAME: f64 = 12.0;
pub(super) const AMOUNT: f64 = 11.0;
/// Between words and what stands to their right.
const MARGIN: f64 = 6.0;
/// How far the two lines of words reach above and below the first one's foot.
const ABOVE: f64 = 11.0;
const BELOW: f64 = 18.0;

/// The foot of the first of the two lines beside a box, and how much room they have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) room: f64,
}

/// The words of an end stand to its right, those of other boxes below them, up to the next box that stands in the way.
pub(super) fn place(drawing: &Drawing<'_>, one: &Box<'_>) -> Place {
    let (x, y) = foot(one);
    let others = drawing.boxes.iter().filter(|other| other.x > one.x);
    let in_the_way = others.filter(|other| reaches(other, y - ABOVE, y + BELOW));
    let end = in_the_way.map(|other| other.x).fold(WIDTH, f64::min);
    Place {
        x,
        y,
        room: end - MARGIN - x,
    }
}

fn foot(one: &Box<'_>) -> (f64, f64) {
    if matches!(one.station.role, Role::End(_)) {
        (one.x + one.width + MARGIN, one.y + one.height / 2.0 - 3.0)
    } else {
        (one.x, one.y + one.height + 14.0)
    }
}

/// True where a box or its words stand between two heights.
fn reaches(one: &Box<'_>, top: f64, bottom: f64) -> bool {
    let (_, foot) = foot(one);
    let first = one.y.min(foot - ABOVE);
    let last = (one.y + one.height).max(foot + BELOW);
    first < bottom && top < last
}

/// How wide a text is in letters of a size.
fn width(text: &str, size: f64) -> f64 {
    let face = Face::of(false);
    let letters = text.chars().map(|letter| f64::from(face.width(letter)));
    letters.sum::<f64>() * size
}

/// A text that ends in `…` where it is wider than the room.
pub(super) fn cut(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shorter = (1..letters.len()).rev().map(|length| {
        let start: String = letters[..length].iter().collect();
        format!("{}…", start.trim_end())
    });
    let mut fits = shorter.filter(|text| width(text, size) <= room);
    fits.next().unwrap_or_else(|| "…".to_owned())
}

/// An amount, such as `1.500000000000000000 ETH`, and what stands behind it; without its last zeros where it is wider
/// than the room, then with `…` in place of its last decimals. Digits before the point are never cut.
pub(super) fn amount(exact: &str, behind: &str, room: f64) -> String {
    let (number, unit) = exact.split_once(' ').unwrap_or((exact, ""));
    let Some((whole, decimals)) = number.split_once('.') else {
        return format!("{exact}{behind}");
    };
    let with = |decimals: &str| format!("{whole}{decimals} {unit}{behind}");
    let significant = decimals.trim_end_matches('0');
    let cuts = (1..significant.len())
        .rev()
        .map(|length| format!(".{}…", &significant[..length]));
    let point = if significant.is_empty() { "" } else { "." };
    let all = [format!(".{decimals}"), format!("{point}{significant}")];
    let mut forms = all.into_iter().chain(cuts).map(|form| with(&form));
    let fits = forms.find(|form| width(form, AMOUNT) <= room);
    fits.unwrap_or_else(|| with(if significant.is_empty() { "" } else { "…" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(exact: &str, letters: f64) -> String {
        // A digit is as wide as any other.
        amount(exact, " (5 %)", width("0", AMOUNT) * letters)
    }

    #[test]
    fn an_amount_loses_zeros_first_then_decimals_and_says_that_it_was_cut() {
        let exact = "1,031.250000000000000000 ETH";
        assert_eq!(shown(exact, 50.0), "1,031.250000000000000000 ETH (5 %)");
        assert_eq!(shown(exact, 25.0), "1,031.25 ETH (5 %)");
        assert_eq!(
            shown("25.999990800000000000 ETH", 17.0),
            "25.9999… ETH (5 %)"
        );
        assert_eq!(shown("25.999990800000000000 ETH", 1.0), "25… ETH (5 %)");
        assert_eq!(shown("31.000000000000000000 ETH", 1.0), "31 ETH (5 %)");
        assert_eq!(
            shown("7,000 base units of X", 1.0),
            "7,000 base units of X (5 %)"
        );
    }

    #[test]
    fn a_text_without_room_ends_where_the_room_does() {
        let room = width("Training Exchange…", NAME);
        assert_eq!(
            cut("Training Exchange wallet", NAME, room),
            "Training Exchange…"
        );
        assert_eq!(cut("Training", NAME, room), "Training");
    }
}
