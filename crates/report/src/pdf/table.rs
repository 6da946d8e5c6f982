//! How wide the columns of a table are, and which lines its rows have.

use super::blocks::Text;
use super::wrap::{Line, width, wrap};

/// The size of a table's text.
pub(super) const SIZE: f32 = 6.5;
/// Room beside a column.
pub(super) const GUTTER: f32 = 6.0;
/// A column asks at least for its longest word, as an amount is, up to this; a hash is broken.
const LONGEST_WORD: f32 = 88.0;
/// A column does not ask for more than this, so that one long text leaves room for the others.
const WIDEST: f32 = 190.0;

/// The widths of columns, gutters included, which together fill the page.
pub(super) fn columns(rows: &[Vec<Text>], page: f32) -> Vec<f32> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let wished: Vec<f32> = (0..count).map(|at| wish(rows, at)).collect();
    let least: Vec<f32> = (0..count).map(|at| word(rows, at)).collect();
    let (all, floor): (f32, f32) = (wished.iter().sum(), least.iter().sum());
    if all <= page {
        return wished;
    }
    if floor >= page {
        return least.iter().map(|wide| wide * page / floor).collect();
    }
    let share = (page - floor) / (all - floor);
    let pairs = wished.iter().zip(&least);
    pairs
        .map(|(wide, least)| least + (wide - least) * share)
        .collect()
}

/// The longest word of a column.
fn word(rows: &[Vec<Text>], column: usize) -> f32 {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let words = cells.flatten().flat_map(|run| {
        let words = run.text.split(' ');
        words.map(|word| width(word, run.bold, SIZE))
    });
    words.fold(0.0, f32::max).min(LONGEST_WORD) + GUTTER
}

fn wish(rows: &[Vec<Text>], column: usize) -> f32 {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let wide = cells.map(|text| {
        let runs = text.iter();
        runs.map(|run| width(&run.text, run.bold, SIZE))
            .sum::<f32>()
    });
    wide.fold(0.0, f32::max).min(WIDEST) + GUTTER
}

/// The lines of each cell of a row.
pub(super) fn cells(row: &[Text], columns: &[f32]) -> Vec<Vec<Line>> {
    let cells = row.iter().zip(columns);
    cells
        .map(|(text, wide)| wrap(text, SIZE, wide - GUTTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::blocks::Run;
    use super::*;

    fn cell(text: &str) -> Text {
        vec![Run {
            text: text.into(),
            bold: false,
        }]
    }

    #[test]
    fn columns_never_leave_the_page_and_short_ones_keep_their_width() {
        let rows = vec![vec![
            cell("ok"),
            cell(&"word ".repeat(300)),
            cell(&"f".repeat(64)),
        ]];
        let wide = columns(&rows, 300.0);
        assert!(wide.iter().sum::<f32>() <= 300.5, "{wide:?}");
        assert!(wide[0] < 20.0 && wide[2] > 80.0, "{wide:?}");
        let tight = columns(&rows, 60.0);
        assert!(tight.iter().sum::<f32>() <= 60.5, "{tight:?}");
        assert_eq!(columns(&[], 300.0), [0.0; 0]);
    }
}
