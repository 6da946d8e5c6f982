//! Case files: what is publicly known of a theft, each fact with its source, as a trace starts from it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hansel_ledger::{Chain, Subject, UnixTime};
use serde::{Deserialize, Deserializer};

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
    /// A transaction id (all its outputs), `TXID:VOUT`, or an address (what it received).
    pub subject: String,
    /// What is known of it.
    pub what: String,
    /// For an address: the first moment that counts, the start of the day in the file.
    #[serde(default, deserialize_with = "start_of_day")]
    pub since: Option<UnixTime>,
    /// For an address: the last moment that counts, the end of the day in the file.
    #[serde(default, deserialize_with = "end_of_day")]
    pub until: Option<UnixTime>,
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

    fn check_head(&self, here: &Place<'_>, chains: &[Chain]) -> Result<(), CaseFileError> {
        let stem = here.file.file_stem().and_then(|stem| stem.to_str());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let named = (1..=100).contains(&self.name.len()) && self.name.bytes().all(plain);
        here.require(named && stem == Some(&self.name), &self.name, || {
            "the name is the file's, in lower-case letters, digits and `.`, `_`, `-`".into()
        })?;
        let day = self.date.len() == 10 && self.date.parse::<UnixTime>().is_ok();
        here.require(day, &self.date, || "not a date as in 2024-05-31".into())?;
        for name in &self.waits_for {
            let read = chains.iter().any(|chain| chain.name() == name);
            here.require(!read, name, || {
                "this version reads the chain, so nothing waits for it".into()
            })?;
        }
        Ok(())
    }

    /// Every fact names a source, every name is one, and every source is named.
    fn check_sources(&self, here: &Place<'_>) -> Result<(), CaseFileError> {
        let known: BTreeSet<&str> = self.sources.iter().map(|one| one.id.as_str()).collect();
        let mut used = BTreeSet::new();
        for (fact, sources) in self.facts() {
            here.require(!sources.is_empty(), fact, || "names no source".into())?;
            for id in sources {
                let listed = known.contains(id.as_str());
                here.require(listed, id, || "is not among the sources".into())?;
                used.insert(id.as_str());
            }
        }
        for id in known {
            here.require(used.contains(id), id, || "no fact names this source".into())?;
        }
        Ok(())
    }

    /// What identifies each fact, with its sources.
    fn facts(&self) -> impl Iterator<Item = (&str, &[String])> {
        let seeds = self.seeds.iter().map(|one| (&one.subject, &one.sources));
        let context = self.context.iter().map(|one| (&one.txid, &one.sources));
        let addresses = self
            .addresses
            .iter()
            .map(|one| (&one.address, &one.sources));
        let transactions = self
            .transactions
            .iter()
            .map(|one| (&one.hash, &one.sources));
        let in_words = [&self.events, &self.services, &self.references];
        let words = in_words
            .into_iter()
            .flatten()
            .map(|one| (&one.what, &one.sources));
        seeds
            .chain(context)
            .chain(addresses)
            .chain(transactions)
            .chain(words)
            .map(|(fact, sources)| (fact.as_str(), sources.as_slice()))
    }

    fn check_subjects(&self, here: &Place<'_>, chains: &[Chain]) -> Result<(), CaseFileError> {
        for seed in &self.seeds {
            let subject = self.check_on(here, chains, &seed.chain, &seed.subject)?;
            let dated = seed.since.is_some() || seed.until.is_some();
            let one_moment = matches!(subject, Some(Subject::Transaction(_) | Subject::Output(_)));
            here.require(!(dated && one_moment), &seed.subject, || {
                "only an address takes `since` and `until`".into()
            })?;
            let ordered = seed.until.is_none_or(|until| Some(until) > seed.since);
            here.require(ordered, &seed.subject, || {
                "`until` is before `since`".into()
            })?;
        }
        for one in &self.context {
            self.check_transaction(here, chains, &one.chain, &one.txid)?;
        }
        for one in &self.transactions {
            here.require(is_foreign(&one.hash), &one.hash, || {
                "not a transaction hash".into()
            })?;
            for chain in &one.chains {
                self.check_transaction(here, chains, chain, &one.hash)?;
            }
        }
        for one in &self.addresses {
            self.check_address(here, chains, one)?;
        }
        Ok(())
    }

    fn check_address(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        one: &CaseAddress,
    ) -> Result<(), CaseFileError> {
        let form = !one.chains.is_empty() || is_foreign(&one.address);
        here.require(form, &one.address, || "not an address".into())?;
        for chain in &one.chains {
            let subject = self.check_on(here, chains, chain, &one.address)?;
            let script = matches!(subject, None | Some(Subject::Script { .. }));
            here.require(script, &one.address, || "not an address".into())?;
        }
        Ok(())
    }

    fn check_transaction(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        chain: &str,
        hash: &str,
    ) -> Result<(), CaseFileError> {
        let subject = self.check_on(here, chains, chain, hash)?;
        let transaction = matches!(subject, None | Some(Subject::Transaction(_)));
        here.require(transaction, hash, || "not a transaction id".into())
    }

    /// Parses what is on a chain that this version reads; on another it must be waited for and look right.
    fn check_on(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        name: &str,
        text: &str,
    ) -> Result<Option<Subject>, CaseFileError> {
        if let Some(chain) = chains.iter().find(|chain| chain.name() == name) {
            let subject = Subject::parse(text, chain);
            return subject
                .map(Some)
                .map_err(|error| here.value(text, error.to_string()));
        }
        let waited_for = self.waits_for.iter().any(|one| one == name);
        here.require(waited_for, name, || {
            "neither a chain that this version reads nor one in `waits_for`".into()
        })?;
        here.require(is_foreign(text), text, || {
            format!("not a hash or address of {name}")
        })?;
        Ok(None)
    }
}

/// True for the forms of hashes and addresses of chains that are not read yet; their checksums are not checked.
fn is_foreign(text: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    match text.strip_prefix("0x") {
        Some(digits) => matches!(digits.len(), 40 | 64) && hex(digits),
        None => {
            let base58 = |b: u8| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b);
            (text.len() == 64 && hex(text))
                || ((32..=44).contains(&text.len()) && text.bytes().all(base58))
        }
    }
}

/// A case file being read, for messages.
struct Place<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    /// Looks at the form before anything else, so that a later one is named as such.
    fn check_schema(&self) -> Result<(), CaseFileError> {
        let table: toml::Table = self.text.parse().map_err(|error| self.syntax(&error))?;
        match table.get("schema").and_then(toml::Value::as_str) {
            Some(CASE_SCHEMA) => Ok(()),
            other => Err(CaseFileError::Schema {
                file: self.file.into(),
                found: one_line(other.unwrap_or("none")),
            }),
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> CaseFileError {
        let at = error.span().map_or(0, |span| span.start);
        CaseFileError::Syntax {
            file: self.file.into(),
            line: self.line_at(at),
            reason: one_line(error.message()),
        }
    }

    fn require(
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
    fn value(&self, value: &str, reason: String) -> CaseFileError {
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
