//! Tables of labels: CSV with a header.

use std::io::Read;

use csv::{Error, ErrorKind, Position, StringRecord};

use crate::pack::{Format, Pack};
use crate::place::{Reason, Refusal, quoted};
use crate::reader::{Claim, Intake, Reader, Said};

/// The longest table that is read, in bytes.
const LONGEST: u64 = 1 << 30;

/// The columns, of which the first four are needed.
const COLUMNS: [&str; 8] = [
    "address",
    "chain",
    "label",
    "source",
    "actor",
    "category",
    "confidence",
    "as_of",
];
const NEEDED: usize = 4;

impl Reader<'_> {
    /// Reads a table whose header names its columns, in any order: `address`, `chain`, `label`, `source`, and if
    /// need be `actor`, `category`, `confidence` and `as_of`.
    pub fn csv(&self, from: impl Read) -> Result<Pack, Refusal> {
        let mut table = csv::ReaderBuilder::new().from_reader(from.take(LONGEST + 1));
        let header = table.headers().map_err(|error| self.broken(&error, 1))?;
        let columns = self.columns(header)?;
        let mut intake = Intake::new(self);
        let mut record = StringRecord::new();
        loop {
            let line = table.position().line();
            let more = table.read_record(&mut record);
            if !more.map_err(|error| self.broken(&error, line))? {
                break;
            }
            if table.position().byte() > LONGEST {
                return Err(self.refusal(line, None, Reason::TooBig(LONGEST)));
            }
            let line = record.position().map_or(line, Position::line);
            take(&mut intake, &record, &columns, line)?;
        }
        Ok(intake.done(Format::Csv, self.name.to_owned(), String::new()))
    }

    /// Where each of [`COLUMNS`] is.
    fn columns(&self, header: &StringRecord) -> Result<[Option<usize>; COLUMNS.len()], Refusal> {
        let mut found = [None; COLUMNS.len()];
        let refuse = |reason| Err(self.refusal(1, None, Reason::Syntax(reason)));
        for (at, name) in header.iter().enumerate() {
            let name = name.trim().trim_start_matches('\u{feff}');
            let Some(column) = COLUMNS.iter().position(|one| *one == name) else {
                return refuse(format!(
                    "the header has a column `{}`; the columns are {}",
                    quoted(name),
                    COLUMNS.join(", ")
                ));
            };
            if let Some(slot) = found.get_mut(column)
                && slot.replace(at).is_some()
            {
                return refuse(format!("the header has the column `{name}` twice"));
            }
        }
        for (column, name) in found.iter().zip(COLUMNS).take(NEEDED) {
            if column.is_none() {
                return refuse(format!("the header lacks the column `{name}`"));
            }
        }
        Ok(found)
    }

    fn broken(&self, error: &Error, line: u64) -> Refusal {
        let reason = match error.kind() {
            ErrorKind::Io(cause) => Reason::Read(quoted(&cause.to_string())),
            ErrorKind::Utf8 { .. } => Reason::Syntax("not UTF-8".into()),
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => Reason::Syntax(format!("{len} fields where the header has {expected_len}")),
            _ => Reason::Syntax(quoted(&error.to_string())),
        };
        let line = error.position().map_or(line, Position::line);
        self.refusal(line, None, reason)
    }
}

fn take(
    intake: &mut Intake<'_>,
    record: &StringRecord,
    columns: &[Option<usize>; COLUMNS.len()],
    line: u64,
) -> Result<(), Refusal> {
    let [
        address,
        chain,
        label,
        source,
        actor,
        category,
        confidence,
        as_of,
    ] = columns.map(|column| {
        let text = record.get(column?)?;
        Some(Said {
            text,
            line,
            column: None,
        })
    });
    intake.take(&Claim {
        line,
        network: chain,
        address,
        label,
        actor,
        category,
        source,
        confidence,
        as_of,
    })
}
