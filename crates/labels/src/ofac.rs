//! OFAC's list of specially designated nationals, in the advanced XML format (`sdn_advanced.xml`), as a stream.
//!
//! Addresses are features of a party, of types that the file itself lists as `Digital Currency Address - XBT` and so
//! on. The list dates parties, not their addresses, which are often added years later; so a label is as of the day on
//! which the list was issued, and never claims to be older.

mod lines;
mod party;

use std::collections::BTreeMap;
use std::io::BufRead;

use quick_xml::Error;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::pack::{Format, Pack};
use crate::place::{Reason, Refusal, quoted};
use crate::reader::{Claim, Intake, Reader, Said};

use lines::Lines;
use party::{Feature, Party};

/// The longest list that is read, in bytes; that of 2024 has 110 MB.
const LONGEST: u64 = 1 << 30;
/// Elements inside each other; the list has about a dozen.
const DEEPEST: usize = 64;
/// The longest text of one element that is looked at.
const LONGEST_TEXT: usize = 4_000;

const ROOT: &str = "Sanctions";
const CURRENCY: &str = "Digital Currency Address - ";

impl Reader<'_> {
    /// Reads the advanced format of OFAC's list.
    pub fn ofac(&self, from: impl BufRead) -> Result<Pack, Refusal> {
        let mut list = List {
            reader: self,
            xml: quick_xml::Reader::from_reader(Lines::new(from.take(LONGEST + 1))),
            open: Vec::new(),
            text: String::new(),
            tickers: BTreeMap::new(),
            issued: Vec::new(),
            whole: false,
            party: Party::default(),
            intake: Intake::new(self),
        };
        list.read()?;
        let title = format!("OFAC's list of {}", list.day().unwrap_or_default());
        Ok(list.intake.done(
            Format::Ofac,
            title,
            "Office of Foreign Assets Control".into(),
        ))
    }
}

/// The list while it is read.
struct List<'a, R> {
    reader: &'a Reader<'a>,
    xml: quick_xml::Reader<Lines<R>>,
    /// The names of the open elements, outermost first.
    open: Vec<String>,
    /// The text of the innermost element so far.
    text: String,
    /// Currencies by the id of their feature type.
    tickers: BTreeMap<String, String>,
    /// Year, month and day of issue.
    issued: Vec<String>,
    /// True once the list was closed: what a file without anything never does.
    whole: bool,
    party: Party,
    intake: Intake<'a>,
}

impl<R: BufRead> List<'_, R> {
    fn read(&mut self) -> Result<(), Refusal> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = self.xml.read_event_into(&mut buffer);
            match event.map_err(|error| self.broken(&error))? {
                Event::Start(element) => self.start(&element)?,
                Event::Empty(element) => {
                    self.start(&element)?;
                    self.end()?;
                }
                Event::End(_) => self.end()?,
                Event::Text(text) => self.add(&text.xml10_content()),
                Event::CData(text) => self.add(&text.xml10_content()),
                Event::GeneralRef(name) => self.reference(&name)?,
                Event::DocType(_) => {
                    return Err(self.here(Reason::Dangerous("a document type declaration")));
                }
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => return self.finish(),
            }
            if self.xml.buffer_position() > LONGEST {
                return Err(self.here(Reason::TooBig(LONGEST)));
            }
        }
    }

    /// A file that ends while elements are open was cut.
    fn finish(&self) -> Result<(), Refusal> {
        match self.open.last() {
            Some(open) => Err(self.here(Reason::Cut(quoted(open)))),
            None if self.whole => Ok(()),
            None => Err(self.here(Reason::Syntax("the file holds no list".into()))),
        }
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), Refusal> {
        let name = element.local_name().into_inner().to_owned();
        if self.open.is_empty() && name != ROOT {
            let found = quoted(&name);
            return Err(self.here(Reason::Syntax(format!(
                "not OFAC's advanced format (sdn_advanced.xml): it begins with `{found}`, not with `{ROOT}`"
            ))));
        }
        if self.open.len() == DEEPEST {
            return Err(self.here(Reason::Dangerous("such deep nesting")));
        }
        let attribute = |name: &str| {
            let found = element.try_get_attribute(name);
            let value = found.map(|found| found.map(|one| one.value.chars().take(100).collect()));
            value.map(Option::<String>::unwrap_or_default)
        };
        let read = |name: &str| attribute(name).map_err(|error| self.broken(&error.into()));
        match name.as_str() {
            "DistinctParty" => self.party = Party::default(),
            "Profile" => self.party.profile = read("ID")?,
            "Identity" => self.party.identity(&read("Primary")?),
            "Alias" => self.party.alias(&read("Primary")?),
            "DocumentedName" => self.party.documented_name(),
            "FeatureType" => self.party.feature_type = read("ID")?,
            "Feature" => self.party.feature_type = read("FeatureTypeID")?,
            _ => {}
        }
        self.text.clear();
        self.open.push(name);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let name = self.open.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match name.as_str() {
            "Year" | "Month" | "Day"
                if self.open.last().is_some_and(|one| one == "DateOfIssue") =>
            {
                self.issued.push(text.to_owned());
            }
            "FeatureType" => {
                if let Some(ticker) = text.strip_prefix(CURRENCY) {
                    let id = self.party.feature_type.clone();
                    self.tickers.insert(id, ticker.trim().to_owned());
                }
            }
            "NamePartValue" => self.party.name_part(text),
            "VersionDetail" => {
                if let Some(ticker) = self.tickers.get(&self.party.feature_type) {
                    let line = self.xml.get_ref().line();
                    self.party.features.push(Feature {
                        ticker: ticker.clone(),
                        address: text.to_owned(),
                        line,
                    });
                }
            }
            "DistinctParty" => self.take_party()?,
            ROOT => self.whole = self.open.is_empty(),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        let room = LONGEST_TEXT.saturating_sub(self.text.len());
        self.text.extend(text.chars().take(room));
    }

    /// `&amp;` and its like, and numbered characters; a file that defines others wants more than to list names.
    fn reference(&mut self, name: &BytesRef<'_>) -> Result<(), Refusal> {
        let numbered = name
            .resolve_char_ref()
            .map_err(|error| self.broken(&error))?;
        match (numbered, resolve_xml_entity(name)) {
            (Some(character), _) => self.add(character.encode_utf8(&mut [0; 4])),
            (None, Some(text)) => self.add(text),
            (None, None) => return Err(self.here(Reason::Dangerous("an entity of its own"))),
        }
        Ok(())
    }

    fn take_party(&mut self) -> Result<(), Refusal> {
        let party = std::mem::take(&mut self.party);
        let day = self.day();
        let source = party.source(day.as_deref());
        let name = party.name();
        for feature in &party.features {
            let said = |text| {
                Some(Said {
                    text,
                    line: feature.line,
                    column: None,
                })
            };
            self.intake.take(&Claim {
                line: feature.line,
                network: said(feature.network()),
                address: said(&feature.address),
                label: said(&name),
                actor: None,
                category: said("sanction"),
                source: said(&source),
                confidence: said("authority_data"),
                as_of: day.as_deref().and_then(said),
            })?;
        }
        Ok(())
    }

    /// The day on which the list was issued, where it says so.
    fn day(&self) -> Option<String> {
        let [year, month, day] = self.issued.get(..3)? else {
            return None;
        };
        Some(format!("{year:0>4}-{month:0>2}-{day:0>2}"))
    }

    fn broken(&self, error: &Error) -> Refusal {
        let inside = || quoted(self.open.last().map_or("the beginning", String::as_str));
        self.here(match error {
            Error::Io(cause) => Reason::Read(quoted(&cause.to_string())),
            _ if self.xml.get_ref().has_ended() => Reason::Cut(inside()),
            _ => Reason::Syntax(format!("not XML: {}", quoted(&error.to_string()))),
        })
    }

    fn here(&self, reason: Reason) -> Refusal {
        self.reader.refusal(self.xml.get_ref().line(), None, reason)
    }
}
