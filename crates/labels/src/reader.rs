//! Checks what a file says label by label, whatever its format.

use std::collections::BTreeMap;

use hansel_ledger::Chain;

use crate::address::Network;
use crate::day::Day;
use crate::pack::{About, Entry, Format, Pack, Packing};
use crate::place::{Place, Reason, Refusal, quoted};
use crate::taxonomy;

/// The longest texts, in bytes.
const LONGEST_LABEL: usize = 500;
const LONGEST_SOURCE: usize = 2_000;
const LONGEST_WORD: usize = 200;

const MOST_REFUSED: usize = 1_000;

/// What a file of labels is read against.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The file as messages name it.
    pub file: &'a str,
    /// The name under which its labels are kept.
    pub name: &'a str,
    /// The chains whose addresses are taken.
    pub chains: &'a [Chain],
    /// Today: what is dated later is refused.
    pub today: &'a Day,
    /// Says that the file is imported, and not of the configuration, so that its labels carry today's date.
    pub imported: bool,
}

impl Reader<'_> {
    pub(crate) fn refusal(&self, line: u64, column: Option<u64>, reason: Reason) -> Refusal {
        Refusal {
            place: Place {
                file: quoted(self.file),
                line,
                column,
            },
            reason,
        }
    }
}

/// A text of a file and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: u64,
    pub(crate) column: Option<u64>,
}

/// What a file says of one address, not checked yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// Where the claim as a whole stands.
    pub(crate) line: u64,
    pub(crate) network: Option<Said<'a>>,
    pub(crate) address: Option<Said<'a>>,
    pub(crate) label: Option<Said<'a>>,
    pub(crate) actor: Option<Said<'a>>,
    /// Words with commas between them.
    pub(crate) category: Option<Said<'a>>,
    pub(crate) source: Option<Said<'a>>,
    pub(crate) confidence: Option<Said<'a>>,
    pub(crate) as_of: Option<Said<'a>>,
}

/// Takes in the claims of one file.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    pub(crate) reader: &'a Reader<'a>,
    packing: Packing,
    refused: Vec<Refusal>,
    refusals: u64,
    passed_over: BTreeMap<String, u64>,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(reader: &'a Reader<'a>) -> Self {
        Self {
            reader,
            packing: Packing::new(),
            refused: Vec::new(),
            refusals: 0,
            passed_over: BTreeMap::new(),
        }
    }

    /// Takes a claim, or keeps why not; fails where the file as a whole is too much.
    pub(crate) fn take(&mut self, claim: &Claim<'_>) -> Result<(), Refusal> {
        match self.check(claim) {
            Err(refusal) if matches!(refusal.reason, Reason::TooMany(_)) => return Err(refusal),
            Err(refusal) => self.refuse(refusal),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Keeps why a claim is not taken.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refusals += 1;
        if self.refused.len() < MOST_REFUSED {
            self.refused.push(refusal);
        }
    }

    /// Counts a claim that this version has no use for.
    pub(crate) fn pass_over(&mut self, about: &str) {
        *self.passed_over.entry(quoted(about)).or_default() += 1;
    }

    pub(crate) fn done(self, format: Format, title: String, creator: String) -> Pack {
        let reader = self.reader;
        let about = About {
            name: reader.name.to_owned(),
            title,
            creator,
            format,
            imported: reader.imported.then(|| reader.today.to_string()),
            passed_over: self.passed_over,
            repeated: 0,
        };
        self.packing.done(about, self.refused, self.refusals)
    }

    fn check(&mut self, claim: &Claim<'_>) -> Result<(), Refusal> {
        let spoken = self.needs(claim, "network", claim.network, LONGEST_WORD)?;
        let written = self.needs(claim, "address", claim.address, LONGEST_WORD)?;
        let network = Network::parse(spoken.text, self.reader.chains)
            .map_err(|reason| self.at(spoken, reason))?;
        let address = network
            .address(written.text)
            .map_err(|reason| self.at(written, reason))?;
        let (Some(name), Some(address)) = (network.name(), address) else {
            self.pass_over(spoken.text);
            return Ok(());
        };
        let category = self.category(claim)?;
        let as_of = self.as_of(claim)?;
        let entry = Entry {
            network: name,
            address: &address,
            label: self.needs(claim, "label", claim.label, LONGEST_LABEL)?.text,
            actor: self.takes("actor", claim.actor, LONGEST_WORD)?,
            kind: taxonomy::kind(&category),
            category: &category,
            source: self
                .needs(claim, "source", claim.source, LONGEST_SOURCE)?
                .text,
            confidence: self.confidence(claim)?,
            as_of: as_of.as_ref().map_or("", Day::as_str),
        };
        let added = self.packing.add(entry);
        added.map_err(|reason| self.reader.refusal(claim.line, None, reason))
    }

    /// A text that every claim needs.
    fn needs<'t>(
        &self,
        claim: &Claim<'_>,
        field: &'static str,
        said: Option<Said<'t>>,
        most: usize,
    ) -> Result<Said<'t>, Refusal> {
        match said {
            Some(said) if !said.text.trim().is_empty() => {
                self.takes(field, Some(said), most)?;
                Ok(said)
            }
            Some(said) => Err(self.at(said, Reason::Missing(field))),
            None => Err(self
                .reader
                .refusal(claim.line, None, Reason::Missing(field))),
        }
    }

    /// A text of bounded length, which may be missing.
    fn takes<'t>(
        &self,
        field: &'static str,
        said: Option<Said<'t>>,
        most: usize,
    ) -> Result<&'t str, Refusal> {
        let Some(said) = said else {
            return Ok("");
        };
        let bytes = said.text.len();
        if bytes > most {
            return Err(self.at(said, Reason::TooLong { field, bytes, most }));
        }
        Ok(said.text)
    }

    /// The words of the category, with one comma and one blank between them.
    fn category(&self, claim: &Claim<'_>) -> Result<String, Refusal> {
        let text = self.takes("category", claim.category, LONGEST_WORD)?;
        let words = text.split(',').map(str::trim);
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Ok(words.join(", "))
    }

    fn confidence(&self, claim: &Claim<'_>) -> Result<&'static str, Refusal> {
        match claim.confidence.filter(|said| !said.text.trim().is_empty()) {
            None => Ok(taxonomy::UNSAID),
            Some(said) => taxonomy::confidence(said.text.trim())
                .ok_or_else(|| self.at(said, Reason::Confidence(quoted(said.text)))),
        }
    }

    fn as_of(&self, claim: &Claim<'_>) -> Result<Option<Day>, Refusal> {
        let Some(said) = claim.as_of.filter(|said| !said.text.trim().is_empty()) else {
            return Ok(None);
        };
        let day: Day = said
            .text
            .trim()
            .parse()
            .map_err(|_| self.at(said, Reason::Day(quoted(said.text))))?;
        if day > *self.reader.today {
            let (day, today) = (day.to_string(), self.reader.today.to_string());
            return Err(self.at(said, Reason::Future { day, today }));
        }
        Ok(Some(day))
    }

    fn at(&self, said: Said<'_>, reason: Reason) -> Refusal {
        self.reader.refusal(said.line, said.column, reason)
    }
}
