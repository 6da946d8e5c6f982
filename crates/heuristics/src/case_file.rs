//! Case files: what is publicly known of a theft, each fact with its source, as a trace starts from it.

mod check;
mod place;

use std::path::{Path, PathBuf};

use hansel_ledger::{Chain, Coin, UnixTime};
use serde::{Deserialize, Deserializer};

use place::Place;

/// The form of case files that this version reads.
pub const CASE_SCHEMA: &str = "hansel-case/1";

const LONGEST_FILE: usize = 1 << 20;
const SECONDS_PER_DAY: u64 = 86_400;

/// A theft as a case file tells it; `docs/cases.md` describes every field.
///
/// Chains are named as in `chains.toml`. Subjects, addresses and hashes are spelt as their source spells them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// The form of the file, always [`CASE_SCHEMA`].
    pub schema: String,
    /// The case's name: the file's name without `.toml`.
    pub name: String,
    /// One line for a list of cases.
    pub title: String,
    /// True for a case made up for training, which every report of it says.
    #[serde(default)]
    pub training: bool,
    /// The day of the theft, as in `2024-05-31`.
    pub date: String,
    /// What was stolen, in the words of the sources.
    pub amount: String,
    /// Its worth in whole US dollars on the day, where a source states it.
    pub usd: Option<u64>,
    /// Who is said to have done it, and by whom.
    pub attribution: String,
    /// Chains with a part of the case that no source of this version reads.
    pub waits_for: Vec<String>,
    /// What a reader must know, above all what is not known.
    pub note: String,
    /// The sources that the facts below name.
    pub sources: Vec<CaseSource>,
    /// What the trace starts from.
    #[serde(default)]
    pub seeds: Vec<CaseSeed>,
    /// Transactions that are fetched and shown, but never stolen themselves.
    #[serde(default)]
    pub context: Vec<CaseContext>,
    /// Addresses of the case and whose they are.
    #[serde(default)]
    pub addresses: Vec<CaseAddress>,
    /// Other transactions of the case.
    #[serde(default)]
    pub transactions: Vec<CaseTransaction>,
    /// What happened, where no address or transaction says it.
    #[serde(default)]
    pub events: Vec<CaseFact>,
    /// Services that the sources say were used.
    #[serde(default)]
    pub services: Vec<CaseFact>,
    /// Lists kept elsewhere that a result can be compared with.
    #[serde(default)]
    pub references: Vec<CaseFact>,
}

/// Where facts were read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSource {
    /// The name that facts use.
    pub id: String,
    /// What and where it is.
    pub text: String,
}

/// What a trace starts from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSeed {
    /// The chain's name.
    pub chain: String,
    /// A transaction id (all that it paid out), `TXID:VOUT`, `HASH:log:INDEX`, `HASH:call:PATH`, or an address
    /// (what it received).
    pub subject: String,
    /// What is known of it.
    pub what: String,
    /// For an address: the first moment that counts, the start of the day in the file.
    #[serde(default, deserialize_with = "start_of_day")]
    pub since: Option<UnixTime>,
    /// For an address: the last moment that counts, the end of the day in the file.
    #[serde(default, deserialize_with = "end_of_day")]
    pub until: Option<UnixTime>,
    /// On an EVM chain: the only coins that count; empty where that is not told.
    #[serde(default, deserialize_with = "coins")]
    pub assets: Vec<Coin>,
    /// Ids of sources.
    pub sources: Vec<String>,
}

/// A transaction that explains the theft without being part of what was stolen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseContext {
    /// The chain's name.
    pub chain: String,
    /// The transaction id.
    pub txid: String,
    /// What is known of it.
    pub what: String,
    /// Ids of sources.
    pub sources: Vec<String>,
}

/// An address of the case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseAddress {
    /// The chains it is named on; empty where the sources do not say.
    pub chains: Vec<String>,
    /// The address as its source spells it.
    pub address: String,
    /// Whose it is said to be.
    pub party: CaseParty,
    /// What it did.
    pub role: String,
    /// How sure that is.
    pub confidence: CaseConfidence,
    /// Anything else.
    pub note: Option<String>,
    /// Ids of sources.
    pub sources: Vec<String>,
}

/// Whose an address is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseParty {
    /// The thief or who launders for him.
    Thief,
    /// Who was robbed.
    Victim,
    /// An exchange, mixer, bridge or other service.
    Service,
    /// Anybody else, or not known.
    Other,
}

/// How sure the compiler of a case file is of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseConfidence {
    /// One source that could be wrong.
    Low,
    /// One good source.
    Medium,
    /// Several sources, or the chain itself.
    High,
}

/// A transaction of the case.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseTransaction {
    /// The chains it is named on; empty where the sources do not say.
    pub chains: Vec<String>,
    /// The transaction's hash.
    pub hash: String,
    /// What is known of it.
    pub what: String,
    /// Ids of sources.
    pub sources: Vec<String>,
}

/// A fact in words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFact {
    /// What is known.
    pub what: String,
    /// Ids of sources.
    pub sources: Vec<String>,
}

/// Says where a case file is wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CaseFileError {
    /// The file is not TOML or not of the form.
    #[error("{}, line {line}: {reason}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// The file is of a form that this version does not read.
    #[error("{} is of form `{found}`; this program reads `{CASE_SCHEMA}`", file.display())]
    Schema {
        /// The file.
        file: PathBuf,
        /// The form it says it has, made printable.
        found: String,
    },
    /// A value is not what it should be.
    #[error("{}, line {line}: `{value}`: {reason}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// The value, made printable.
        value: String,
        /// Why not.
        reason: String,
    },
    /// The file is longer than any case.
    #[error("{} is longer than {LONGEST_FILE} bytes", file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
    },
}

impl CaseFile {
    /// Reads the text of a case file; `file` gives the case's name, `chains` those that this version reads.
    pub fn parse(file: &Path, text: &str, chains: &[Chain]) -> Result<Self, CaseFileError> {
        let here = Place { file, text };
        if text.len() > LONGEST_FILE {
            return Err(CaseFileError::TooLong { file: file.into() });
        }
        here.check_schema()?;
        let case: Self = toml::from_str(text).map_err(|error| here.syntax(&error))?;
        case.check_head(&here, chains)?;
        case.check_sources(&here)?;
        case.check_subjects(&here, chains)?;
        Ok(case)
    }
}

/// Reads `native` and addresses of token contracts; mixed case is a checksum (EIP-55).
fn coins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Coin>, D::Error> {
    let coin = |text: String| {
        let coin: Coin = text.parse().map_err(serde::de::Error::custom)?;
        let spelt = coin.to_string();
        let one_case = text == text.to_ascii_lowercase();
        let same = spelt == text || (one_case && spelt.eq_ignore_ascii_case(&text));
        let wrong = "a token's address starts with 0x; its checksum (EIP-55) must be right";
        same.then_some(coin)
            .ok_or_else(|| serde::de::Error::custom(wrong))
    };
    Vec::<String>::deserialize(from)?
        .into_iter()
        .map(coin)
        .collect()
}

fn start_of_day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UnixTime>, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = || serde::de::Error::custom("not a date as in 2024-05-31");
    let day: UnixTime = text.parse().map_err(|_| wrong())?;
    if text.len() == 10 {
        Ok(Some(day))
    } else {
        Err(wrong())
    }
}

fn end_of_day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<UnixTime>, D::Error> {
    let start = start_of_day(from)?;
    Ok(start.map(|start| UnixTime(start.0 + SECONDS_PER_DAY - 1)))
}
