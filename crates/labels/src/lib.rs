//! Reads what others call addresses (TagPacks, OFAC's list, CSV) and looks addresses up in millions of such labels.
//!
//! A label is a claim of its source, never a fact. Everything read here is hostile: sizes are bounded, and a refusal
//! names the file, the line, what is wrong and what to do.

mod address;
mod book;
mod case;
mod compiled;
mod day;
mod ofac;
mod pack;
mod place;
mod reader;
mod strings;
mod table;
mod tagpack;
mod taxonomy;

pub use book::LabelBook;
pub use compiled::{CompiledError, LONGEST_COMPILED};
pub use day::{Day, NotADay};
pub use pack::{About, Format, Pack};
pub use place::{Place, Reason, Refusal};
pub use reader::Reader;
