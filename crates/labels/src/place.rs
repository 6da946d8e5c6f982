//! Where in a file something was refused, why, and what to do about it.

use std::fmt;

/// A place in a file that a user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it, made printable.
    pub file: String,
    /// The line, counted from one.
    pub line: u64,
    /// The column, counted from one, where it is known.
    pub column: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file, self.line)?;
        match self.column {
            Some(column) => write!(f, ", column {column}"),
            None => Ok(()),
        }
    }
}

/// Something in a file of labels that is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Refusal {
    /// Where it stands.
    pub place: Place,
    /// Why it is not taken.
    pub reason: Reason,
}

impl Refusal {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        self.reason.hint()
    }
}

/// Why something is not taken. Quoted text is made printable and cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The file is not of its format.
    #[error("{0}")]
    Syntax(String),
    /// The file could not be read on.
    #[error("cannot be read: {0}")]
    Read(String),
    /// The file ends in the middle.
    #[error("the file ends here, inside `{0}`: the rest of it is missing")]
    Cut(String),
    /// The file asks for text from elsewhere or for text that grows.
    #[error(
        "{0} is refused: a list of labels needs none, and it can read files or fill the memory"
    )]
    Dangerous(&'static str),
    /// The file is larger than any list.
    #[error("the file is longer than {0} bytes")]
    TooBig(u64),
    /// A list with more labels than are kept.
    #[error("more than {0} labels in one file")]
    TooMany(usize),
    /// An address that the chain does not have.
    #[error("{0}")]
    Address(String),
    /// Something that every label needs.
    #[error("a label lacks `{0}`")]
    Missing(&'static str),
    /// A text that is longer than its field.
    #[error("`{field}` is {bytes} bytes long; at most {most} are taken")]
    TooLong {
        /// The field.
        field: &'static str,
        /// How long the text is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
    /// A date that is none.
    #[error("`{0}` is not a date as in 2024-05-31")]
    Day(String),
    /// A date after today.
    #[error("{day} is in the future: today is {today}")]
    Future {
        /// The date.
        day: String,
        /// Today, as the caller said.
        today: String,
    },
    /// A confidence that the taxonomy does not have.
    #[error("`{0}` is no confidence of the TagPack taxonomy")]
    Confidence(String),
    /// A chain that is not named as one.
    #[error("`{0}` is not the name of a chain")]
    Network(String),
    /// A tag of both an address and a transaction.
    #[error("a tag is of an address or of a transaction (`tx_hash`), not of both")]
    Both,
}

impl Reason {
    fn hint(&self) -> &'static str {
        match self {
            Self::Syntax(_) => {
                "docs/labels.md shows each format; name another one with --format tagpack, ofac or csv"
            }
            Self::Read(_) => "see that the file is there, is text in UTF-8 and may be read",
            Self::Cut(_) => "fetch the file again: it was not received whole",
            Self::Dangerous(_) => {
                "fetch the file from its publisher: the original holds no such thing"
            }
            Self::TooBig(_) | Self::TooMany(_) => "split the file and import the parts",
            Self::Address(_) => {
                "correct the address or its chain, or leave such lines out with --skip-refused"
            }
            Self::Missing(_) => "add it, or leave such lines out with --skip-refused",
            Self::TooLong { .. } => "shorten it, or leave such lines out with --skip-refused",
            Self::Day(_) | Self::Future { .. } => {
                "correct the date, or leave such lines out with --skip-refused"
            }
            Self::Confidence(_) => {
                "take one of ownership, manual_transaction, service_api, forensic_investigation, authority_data, \
                 trusted_provider, service_data, forensic, untrusted_transaction, web_crawl, heuristic, unknown"
            }
            Self::Network(_) => {
                "name a chain of chains.toml, `evm` for all EVM chains, or BTC or ETH"
            }
            Self::Both => "make two tags of it, or leave such lines out with --skip-refused",
        }
    }
}

/// Text of a file as far as a message quotes it: one line of visible ASCII, cut.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 120;
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    let mut shown: String = text.chars().take(MOST).map(plain).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}
