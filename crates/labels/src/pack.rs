//! The labels of one file, packed: every text once, a label as nine numbers.

use std::collections::BTreeMap;

use hansel_heuristics::{EntityKind, Label};
use serde::{Deserialize, Serialize};

use crate::address::Sought;
use crate::place::{Reason, Refusal};
use crate::strings::{Gathering, Number, Strings};

/// More than any list; the numbers of a row would reach further.
pub(crate) const MOST_LABELS: usize = 20_000_000;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// GraphSense's TagPack, in YAML.
    Tagpack,
    /// OFAC's list of specially designated nationals, in its advanced XML.
    Ofac,
    /// A table with a header.
    Csv,
    /// A case file of this program.
    Case,
}

/// What is known of a file of labels as a whole. Texts are the file's: escape them where they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The name under which the labels are kept and listed.
    pub name: String,
    /// What the file calls itself.
    pub title: String,
    /// Who made it.
    pub creator: String,
    /// Its format.
    pub format: Format,
    /// The day on which it was read, `YYYY-MM-DD`; `None` for what comes with the program or its configuration.
    pub imported: Option<String>,
    /// How many labels speak of chains that this version does not read, or of transactions, by chain.
    pub passed_over: BTreeMap<String, u64>,
    /// How many labels said the same as another one, word for word.
    pub repeated: u64,
}

/// The labels of one file.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The file as a whole.
    pub about: About,
    /// What was not taken, at most a thousand of them, in the order of the file.
    pub refused: Vec<Refusal>,
    /// How many labels were not taken.
    pub refusals: u64,
    pub(crate) strings: Strings,
    /// Sorted by chain and address, then as labels are.
    pub(crate) rows: Vec<Row>,
}

/// A label as numbers of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) network: Number,
    pub(crate) address: Number,
    pub(crate) label: Number,
    /// 0 where nobody is named.
    pub(crate) actor: Number,
    pub(crate) category: Number,
    pub(crate) source: Number,
    pub(crate) confidence: Number,
    /// 0 where no day is named.
    pub(crate) as_of: Number,
    pub(crate) kind: EntityKind,
}

impl Pack {
    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Every label with its address, sorted by chain and address.
    pub fn labels(&self) -> impl Iterator<Item = (&str, Label)> {
        self.rows
            .iter()
            .map(|row| (self.strings.get(row.address), self.label(row)))
    }

    pub(crate) fn label(&self, row: &Row) -> Label {
        let text = |number| self.strings.get(number).to_owned();
        let said = |number| Some(text(number)).filter(|text| !text.is_empty());
        Label {
            kind: row.kind,
            label: text(row.label),
            actor: said(row.actor),
            category: text(row.category),
            source: text(row.source),
            confidence: text(row.confidence),
            as_of: said(row.as_of),
            network: text(row.network),
            pack: self.about.name.clone(),
        }
    }

    /// The chain and the address of a row.
    pub(crate) fn key(&self, row: &Row) -> (&str, &str) {
        (self.strings.get(row.network), self.strings.get(row.address))
    }

    /// True where both rows speak of one address.
    pub(crate) fn same_key(a: &Row, b: &Row) -> bool {
        (a.network, a.address) == (b.network, b.address)
    }
}

/// A label that was checked, before it is packed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) network: &'a str,
    pub(crate) address: &'a str,
    pub(crate) label: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) category: &'a str,
    pub(crate) source: &'a str,
    pub(crate) confidence: &'a str,
    pub(crate) as_of: &'a str,
    pub(crate) kind: EntityKind,
}

/// Packs labels one by one.
#[derive(Debug)]
pub(crate) struct Packing {
    strings: Gathering,
    rows: Vec<Row>,
}

impl Packing {
    pub(crate) fn new() -> Self {
        Self {
            strings: Gathering::new(),
            rows: Vec::new(),
        }
    }

    /// Adds a label; fails where the file has more than are kept.
    pub(crate) fn add(&mut self, entry: Entry<'_>) -> Result<(), Reason> {
        let too_many = || Reason::TooMany(MOST_LABELS);
        if self.rows.len() == MOST_LABELS {
            return Err(too_many());
        }
        let mut number = |text| self.strings.number(text).ok_or_else(too_many);
        let row = Row {
            network: number(entry.network)?,
            address: number(entry.address)?,
            label: number(entry.label)?,
            actor: number(entry.actor)?,
            category: number(entry.category)?,
            source: number(entry.source)?,
            confidence: number(entry.confidence)?,
            as_of: number(entry.as_of)?,
            kind: entry.kind,
        };
        self.rows.push(row);
        Ok(())
    }

    /// Sorts what was added and drops what was said twice.
    pub(crate) fn done(self, mut about: About, refused: Vec<Refusal>, refusals: u64) -> Pack {
        let Self { strings, mut rows } = self;
        let strings = strings.done();
        let order = |row: &Row| {
            let text = |number| strings.get(number);
            (
                (text(row.network), text(row.address)),
                (
                    row.kind,
                    text(row.label),
                    text(row.actor),
                    text(row.category),
                ),
                (text(row.source), text(row.confidence), text(row.as_of)),
            )
        };
        rows.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        let before = rows.len();
        rows.dedup();
        about.repeated = u64::try_from(before - rows.len()).unwrap_or(u64::MAX);
        Pack {
            about,
            refused,
            refusals,
            strings,
            rows,
        }
    }
}

/// True where `address` is spelt as addresses are kept: short enough to be looked up.
pub(crate) fn can_be_found(address: &str) -> bool {
    Sought::new(address).is_some()
}
