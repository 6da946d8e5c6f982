//! What happens while cases are followed, for a person or a program that reads along.

use super::follow::View;
use super::outcome::{Outcome, in_words};
use crate::failure::Failure;
use crate::output::{print, say};

/// Prints what is new of cases to standard output, the rest to standard error.
pub(super) struct Printed {
    /// A line of JSON for each case instead of words.
    pub(super) json: bool,
    /// Standard output belongs to alerts.
    pub(super) aside: bool,
}

impl View for Printed {
    fn outcomes(&self, outcomes: &[&Outcome]) -> Result<(), Failure> {
        for outcome in outcomes {
            if self.aside {
                say(&in_words(std::slice::from_ref(*outcome)));
            } else if self.json {
                print(&(serde_json::to_string(outcome)? + "\n"))?;
            } else {
                print(&in_words(std::slice::from_ref(*outcome)))?;
            }
        }
        Ok(())
    }

    fn round(&self, _outcomes: &[Outcome]) {}

    fn block(&self, _chain: &str, _height: u64) {}

    fn chain(&self, chain: &str, trouble: Option<&str>) {
        match trouble {
            Some(reason) => say(&format!(
                "{chain}: cannot be read for now, trying again: {reason}"
            )),
            None => say(&format!("{chain}: is read again")),
        }
    }

    fn waiting(&self, _messages: u64) {}
}
