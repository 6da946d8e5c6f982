//! The summary for people: what was stolen, where it is now, and what is not known.
//!
//! Plain text without colours. Lists show their largest entries and say how many more there are; the JSON and
//! CSV formats hold all of them.

pub(crate) mod accounting;
pub(crate) mod conditions;
mod entities;
pub(crate) mod headline;
pub(crate) mod resting;
mod services;
pub(crate) mod unknown;

use std::io;

use crate::Report;
use crate::assets::Assets;
use crate::format::FormatError;
use crate::worth::Worths;

/// The width of a line where the caller does not know the terminal's.
pub const DEFAULT_WIDTH: usize = 100;

/// How many entries a list shows.
const SHOWN: usize = 10;

/// The longest label, reason or name that is shown whole.
const LONGEST: usize = 200;

/// Writes the summary in lines of [`DEFAULT_WIDTH`].
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    write_in(report, DEFAULT_WIDTH, out)
}

/// Writes the summary in lines of about `width` characters; addresses, hashes and amounts are never broken.
pub fn write_in(report: &Report, width: usize, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let page = Page {
        width: width.clamp(40, 1_000),
        ..Page::new(report)
    };
    let sections = [
        headline::section(&page),
        accounting::section(&page)?,
        services::cash_outs(&page),
        entities::section(&page)?,
        resting::section(&page)?,
        services::findings(&page),
        unknown::section(&page),
        conditions::section(&page),
    ];
    let sections: Vec<_> = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect();
    Ok(out.write_all(sections.join("\n").as_bytes())?)
}

/// What every section needs.
pub(crate) struct Page<'a> {
    pub(crate) report: &'a Report,
    pub(crate) assets: Assets<'a>,
    pub(crate) worths: Worths<'a>,
    width: usize,
}

impl<'a> Page<'a> {
    pub(crate) fn new(report: &'a Report) -> Self {
        Self {
            report,
            assets: Assets::of(report),
            worths: Worths::of(report),
            width: DEFAULT_WIDTH,
        }
    }

    /// A paragraph.
    fn wrapped(&self, text: &str, indent: usize) -> String {
        crate::layout::wrapped(text, self.width, indent)
    }
}

/// A number of things in words: `1 seed`, `2 seeds`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!(
        "{} {thing}{plural}",
        crate::units::grouped(&number.to_string())
    )
}
