//! Counts the lines of a stream while they are read.

use std::io::{BufRead, Read, Result};

/// A stream that knows on which line its reader is.
pub(super) struct Lines<R> {
    from: R,
    line: u64,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            line: 1,
            ended: false,
        }
    }

    /// The line of what was read last, counted from one.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// True once the reader has met the end of the stream.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut there = self.fill_buf()?;
        let count = there.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let there = self.from.fill_buf()?;
        self.ended = there.is_empty();
        Ok(there)
    }

    fn consume(&mut self, count: usize) {
        // What is consumed was filled before, so looking at it again costs nothing and cannot fail.
        if let Ok(there) = self.from.fill_buf() {
            let ends = there.iter().take(count).filter(|byte| **byte == b'\n');
            self.line += u64::try_from(ends.count()).unwrap_or_default();
        }
        self.from.consume(count);
    }
}
