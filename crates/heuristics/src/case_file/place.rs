//! Where in a case file something is wrong.

use std::path::Path;

use super::{CASE_SCHEMA, CaseFileError};

/// A case file being read, for messages.
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
}

impl Place<'_> {
    /// Looks at the form before anything else, so that a later one is named as such.
    pub(super) fn check_schema(&self) -> Result<(), CaseFileError> {
        let table: toml::Table = self.text.parse().map_err(|error| self.syntax(&error))?;
        match table.get("schema").and_then(toml::Value::as_str) {
            Some(CASE_SCHEMA) => Ok(()),
            other => Err(CaseFileError::Schema {
                file: self.file.into(),
                found: one_line(other.unwrap_or("none")),
            }),
        }
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) -> CaseFileError {
        let at = error.span().map_or(0, |span| span.start);
        CaseFileError::Syntax {
            file: self.file.into(),
            line: self.line_at(at),
            reason: one_line(error.message()),
        }
    }

    pub(super) fn require(
        &self,
        holds: bool,
        value: &str,
        reason: impl FnOnce() -> String,
    ) -> Result<(), CaseFileError> {
        if holds {
            Ok(())
        } else {
            Err(self.value(value, reason()))
        }
    }

    /// The error of a value, at the first line that holds it.
    pub(super) fn value(&self, value: &str, reason: String) -> CaseFileError {
        let at = self.text.find(value).unwrap_or(0);
        CaseFileError::Value {
            file: self.file.into(),
            line: self.line_at(at),
            value: one_line(value),
            reason,
        }
    }

    fn line_at(&self, at: usize) -> usize {
        let before = self.text.as_bytes().iter().take(at);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

fn one_line(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    text.chars().take(200).map(plain).collect()
}
