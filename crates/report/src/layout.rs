//! Plain text in columns and lines of a given width.

/// How much deeper the further lines of a paragraph stand.
const HANGING: usize = 4;

/// A table whose first column names the rows; the others hold right-aligned amounts.
pub(crate) struct Table {
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Prints the table; columns that do not fit `width` go into further tables below with the row names repeated.
    pub(crate) fn print(&self, width: usize) -> String {
        let widths: Vec<usize> = (0..self.heads.len())
            .map(|column| self.column_width(column))
            .collect();
        let mut tables = Vec::new();
        let mut next = 1;
        while next < widths.len() {
            let end = columns_that_fit(&widths, next, width);
            tables.push(self.print_columns(&widths, next..end));
            next = end;
        }
        tables.join("\n")
    }

    fn column_width(&self, column: usize) -> usize {
        let cells = self
            .rows
            .iter()
            .filter_map(|row| row.get(column))
            .chain(self.heads.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn print_columns(&self, widths: &[usize], columns: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.heads).chain(&self.rows) {
            let mut line = format!("  {:<width$}", cell(row, 0), width = widths[0]);
            for column in columns.clone() {
                line += &format!("  {:>width$}", cell(row, column), width = widths[column]);
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

fn cell(row: &[String], column: usize) -> &str {
    row.get(column).map_or("", String::as_str)
}

/// The end of the columns from `start` that fit; at least one, however wide.
fn columns_that_fit(widths: &[usize], start: usize, width: usize) -> usize {
    let mut used = 2 + widths[0];
    let mut end = start;
    while end < widths.len() && (end == start || used + 2 + widths[end] <= width) {
        used += 2 + widths[end];
        end += 1;
    }
    end
}

/// Breaks text at spaces into lines of at most `width` characters, the first after `indent` spaces.
///
/// The others stand [`HANGING`] spaces deeper, so that no untrusted text can pass for an entry of its own.
/// A word that is longer than a line, such as an address, stays whole so that it can be copied.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let room = |line: usize| {
        width
            .saturating_sub(indent + if line == 0 { 0 } else { HANGING })
            .max(20)
    };
    let mut lines = Vec::new();
    let (mut line, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > room(lines.len()) {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line += word;
        length += word_length;
    }
    lines.push(line);
    let first = " ".repeat(indent);
    let break_line = format!("\n{first}{}", " ".repeat(HANGING));
    format!("{first}{}\n", lines.join(&break_line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        Table {
            heads: row(["", "fifo", "haircut"]),
            rows: vec![row(["at rest", "1.0", "10.0"]), row(["fees", "0", "2"])],
        }
    }

    #[test]
    fn amounts_are_aligned_to_the_right() {
        assert_eq!(
            table().print(80),
            "           fifo  haircut\n  at rest   1.0     10.0\n  fees        0        2\n"
        );
    }

    #[test]
    fn columns_that_do_not_fit_are_printed_below() {
        let expected = "           fifo\n  at rest   1.0\n  fees        0\n\n           haircut\n  at rest     10.0\n  fees           2\n";
        assert_eq!(table().print(20), expected);
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(
            wrapped("one two three four five six", 22, 2),
            "  one two three four\n      five six\n"
        );
        let address = "x".repeat(62);
        assert_eq!(
            wrapped(&format!("to {address} now"), 30, 0),
            format!("to\n    {address}\n    now\n")
        );
        assert_eq!(wrapped("", 30, 2), "  \n");
    }
}
