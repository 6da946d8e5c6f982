//! Writes a report that stands on standard input as JSON in the format that is named.

use std::io::{self, Read, Write};

use anyhow::Context as _;
use hansel_report::{Format, Report, render};

fn main() -> anyhow::Result<()> {
    let format: Format = std::env::args().nth(1).context("name a format")?.parse()?;
    let mut json = Vec::new();
    io::stdin().read_to_end(&mut json)?;
    let report = Report::from_json(&json)?;
    for file in render(&report, format)? {
        io::stdout().write_all(&file.bytes)?;
    }
    Ok(())
}
