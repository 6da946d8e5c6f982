//! Lays blocks on pages of A4, from top to bottom. Lengths are points, 1/72 of an inch; the origin is the top left.

use std::ops::Range;

use resvg::usvg::Tree;

use super::blocks::{Block, Run, Text};
use super::table;
use super::wrap::{Line, width, wrap};

pub(super) const WIDTH: f32 = 595.0;
pub(super) const HEIGHT: f32 = 842.0;
/// Wide enough that a printer of Letter paper loses nothing.
pub(super) const MARGIN: f32 = 48.0;
const BOTTOM: f32 = HEIGHT - 72.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;
/// The height of a line in parts of the size of its text.
const LEADING: f32 = 1.35;
const BODY: f32 = 9.0;
/// The height of a line of a table.
const LINE: f32 = table::SIZE * LEADING;

/// Something at its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// Text on its base line.
    Text { x: f32, y: f32, size: f32, run: Run },
    /// A thin line across the page.
    Line { y: f32 },
    /// The drawing, so many times its own size.
    Picture { y: f32, scale: f32 },
}

/// One page, and the parts that begin on it: their titles and heights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Page {
    pub(super) marks: Vec<Mark>,
    pub(super) parts: Vec<(String, f32)>,
}

/// Lays all blocks; there is at least one page.
pub(super) fn lay(blocks: &[Block], picture: Option<&Tree>) -> Vec<Page> {
    let mut pages = Pages {
        done: Vec::new(),
        page: Page::default(),
        y: MARGIN,
    };
    for block in blocks {
        match block {
            Block::Title(text) => pages.title(text),
            Block::Heading(text) => pages.heading(text),
            Block::Paragraph(text) => pages.text(text, BODY, 0.0, 4.0),
            Block::Item(text) => pages.item(text),
            Block::Table(rows) => pages.table(rows),
            Block::Picture => picture.into_iter().for_each(|tree| pages.picture(tree)),
        }
    }
    pages.done.push(pages.page);
    pages.done
}

struct Pages {
    done: Vec<Page>,
    page: Page,
    /// The height down to which the page is full.
    y: f32,
}

impl Pages {
    /// Takes room, on the next page where this one has too little.
    fn take(&mut self, room: f32) -> f32 {
        if self.y + room > BOTTOM && self.y > MARGIN {
            self.turn();
        }
        self.y += room;
        self.y
    }

    fn turn(&mut self) {
        self.done.push(std::mem::take(&mut self.page));
        self.y = MARGIN;
    }

    fn title(&mut self, text: &Text) {
        self.text(&bold(text), 18.0, 0.0, 6.0);
    }

    /// A title stays with the two lines that follow it.
    fn heading(&mut self, text: &Text) {
        if self.y + 70.0 > BOTTOM {
            self.turn();
        }
        self.y += 12.0;
        let name: String = text.iter().map(|run| &*run.text).collect();
        self.page.parts.push((name, self.y));
        self.text(&bold(text), 12.0, 0.0, 5.0);
    }

    fn item(&mut self, text: &Text) {
        let mark = self.y + BODY * LEADING;
        if mark <= BOTTOM {
            self.put(MARGIN, mark, BODY, vec![plain("•")]);
        }
        self.text(text, BODY, 12.0, 2.0);
    }

    fn text(&mut self, text: &Text, size: f32, indent: f32, after: f32) {
        for line in wrap(text, size, INNER - indent) {
            let y = self.take(size * LEADING);
            self.put(MARGIN + indent, y, size, line);
        }
        self.y += after;
    }

    fn put(&mut self, x: f32, y: f32, size: f32, line: Line) {
        let mut x = x;
        for run in line {
            let wide = width(&run.text, run.bold, size);
            self.page.marks.push(Mark::Text { x, y, size, run });
            x += wide;
        }
    }

    fn table(&mut self, rows: &[Vec<Text>]) {
        let columns = table::columns(rows, INNER);
        let mut rows = rows.iter().map(|row| table::cells(row, &columns));
        let Some(head) = rows.next() else { return };
        self.row(&head, &columns, &[]);
        for row in rows {
            self.row(&row, &columns, &head);
        }
        self.y += 6.0;
    }

    /// A row may be longer than a page; the heads stand above each part of it. Cells are written one after the other, so
    /// that a hash that is copied from the page is whole.
    fn row(&mut self, row: &[Vec<Line>], columns: &[f32], head: &[Vec<Line>]) {
        let lines = row.iter().map(Vec::len).max().unwrap_or_default();
        let mut done = 0;
        let tall = LINE * f32::from(u16::try_from(lines).unwrap_or(u16::MAX));
        // A row stays whole where a page has room for it.
        if self.y + tall > BOTTOM && tall < (BOTTOM - MARGIN) / 2.0 {
            self.turn_below(head, columns);
        }
        while done < lines {
            if self.y + LINE > BOTTOM {
                self.turn_below(head, columns);
            }
            let (top, mut end) = (self.y, done);
            while end < lines && (end == done || self.y + LINE <= BOTTOM) {
                self.y += LINE;
                end += 1;
            }
            self.cells(row, columns, top, done..end);
            done = end;
        }
        self.y += 3.0;
        self.page.marks.push(Mark::Line { y: self.y });
    }

    /// Goes on on the next page, below the heads of the table.
    fn turn_below(&mut self, head: &[Vec<Line>], columns: &[f32]) {
        self.turn();
        if !head.is_empty() {
            self.row(head, columns, &[]);
        }
    }

    /// Some of the lines of each cell, below a height.
    fn cells(&mut self, row: &[Vec<Line>], columns: &[f32], top: f32, lines: Range<usize>) {
        let mut x = MARGIN;
        for (cell, wide) in row.iter().zip(columns) {
            let mut y = top;
            for line in cell.iter().take(lines.end).skip(lines.start) {
                y += LINE;
                self.put(x, y, table::SIZE, line.clone());
            }
            x += wide;
        }
    }

    fn picture(&mut self, tree: &Tree) {
        let size = tree.size();
        let room = BOTTOM - MARGIN;
        let scale = (INNER / size.width()).min(room / size.height());
        let y = self.take(size.height() * scale + 8.0) - size.height() * scale;
        self.page.marks.push(Mark::Picture { y, scale });
    }
}

fn plain(text: &str) -> Run {
    Run {
        text: text.into(),
        bold: false,
    }
}

fn bold(text: &Text) -> Text {
    let runs = text.iter().cloned();
    runs.map(|run| Run { bold: true, ..run }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_longer_than_a_page_goes_on_below_its_heads_and_nothing_leaves_the_page() {
        let cell = |text: &str| vec![plain(text)];
        let rows = vec![
            vec![cell("head"), cell("other")],
            vec![cell(&"f".repeat(20_000)), cell("short")],
        ];
        let pages = lay(&[Block::Table(rows)], None);
        assert!(pages.len() > 1);
        let mut letters = 0;
        for page in &pages {
            let texts = page.marks.iter().filter_map(|mark| match mark {
                Mark::Text { x, y, run, .. } => Some((x, y, run)),
                Mark::Line { .. } | Mark::Picture { .. } => None,
            });
            let mut heads = 0;
            for (x, y, run) in texts {
                assert!(*x >= MARGIN && *x < WIDTH - MARGIN && *y <= BOTTOM + 10.0);
                heads += usize::from(run.text == "head");
                letters += run.text.matches('f').count();
            }
            assert_eq!(heads, 1);
        }
        assert_eq!(letters, 20_000);
    }
}
