//! The report as PDF: the case file of the Markdown form with the picture, on pages of A4.
//!
//! Nothing in it can be clicked, run or loaded: it holds text, lines and shapes.

mod blocks;
mod draw;
mod page;
mod shapes;
mod table;
mod wrap;

use std::io;

use crate::Report;
use crate::format::FormatError;
use crate::{markdown, picture};

/// Writes the case file.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let text = markdown::text(report)?;
    let picture = picture::tree(report)?;
    let blocks = blocks::of(&text, picture.is_some());
    let pages = page::lay(&blocks, picture.as_ref());
    let about = draw::About::of(report);
    let bytes = draw::draw(&pages, picture.as_ref(), &about)?;
    Ok(out.write_all(&bytes)?)
}
