//! A table of GitHub's dialect, which most readers of Markdown know.

use std::fmt;

/// Rows of cells that are escaped already.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with its heads.
    pub(super) fn new<T: Into<String>>(heads: impl IntoIterator<Item = T>) -> Self {
        let heads: Vec<String> = heads.into_iter().map(Into::into).collect();
        let line = vec!["---".to_owned(); heads.len()];
        Self {
            rows: vec![heads, line],
        }
    }

    /// One more row, with a cell for each head.
    pub(super) fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}
