//! Breaks text into lines of a width. Lengths are points, 1/72 of an inch.

use super::blocks::Run;
use crate::font::Face;

/// A line of pieces of one look each.
pub(super) type Line = Vec<Run>;

/// How wide a text is.
pub(super) fn width(text: &str, bold: bool, size: f32) -> f32 {
    let face = Face::of(bold);
    text.chars().map(|one| face.width(one) * size).sum()
}

/// Breaks text at its blanks, and inside of what is wider than a line, as a hash is.
pub(super) fn wrap(text: &[Run], size: f32, most: f32) -> Vec<Line> {
    let mut lines = Lines {
        done: Vec::new(),
        line: Vec::new(),
        used: 0.0,
        size,
        most,
    };
    for run in text {
        for word in run.text.split_inclusive(' ') {
            lines.word(word, run.bold);
        }
    }
    lines.done.push(lines.line);
    lines.done
}

struct Lines {
    done: Vec<Line>,
    line: Line,
    used: f32,
    size: f32,
    most: f32,
}

impl Lines {
    fn word(&mut self, word: &str, bold: bool) {
        let wide = width(word.trim_end(), bold, self.size);
        if self.used > 0.0 && self.used + wide > self.most {
            self.turn();
        }
        if wide <= self.most {
            self.put(word, bold);
            return;
        }
        let mut start = 0;
        for (at, character) in word.char_indices() {
            let more = Face::of(bold).width(character) * self.size;
            let here = width(&word[start..at], bold, self.size);
            if at > start && self.used + here + more > self.most {
                self.put(&word[start..at], bold);
                self.turn();
                start = at;
            }
        }
        self.put(&word[start..], bold);
    }

    fn put(&mut self, text: &str, bold: bool) {
        self.used += width(text, bold, self.size);
        match self.line.last_mut() {
            Some(last) if last.bold == bold => last.text.push_str(text),
            _ => self.line.push(Run {
                text: text.to_owned(),
                bold,
            }),
        }
    }

    fn turn(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
        self.used = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, most: f32) -> Vec<String> {
        let run = Run {
            text: text.into(),
            bold: false,
        };
        let lines = wrap(&[run], 10.0, most);
        lines
            .iter()
            .map(|line| line.iter().map(|run| &*run.text).collect())
            .collect()
    }

    #[test]
    fn text_breaks_at_blanks_and_a_hash_where_it_must() {
        assert_eq!(lines("one two three", 45.0), ["one two ", "three"]);
        let broken = lines(&"f".repeat(64), 50.0);
        assert!(broken.len() > 3);
        assert_eq!(broken.concat(), "f".repeat(64));
        for line in broken {
            assert!(width(&line, false, 10.0) <= 50.0);
        }
    }

    #[test]
    fn a_line_narrower_than_a_letter_still_ends() {
        assert_eq!(lines("ab", 1.0), ["a", "b"]);
    }
}
