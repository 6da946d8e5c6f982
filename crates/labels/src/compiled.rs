//! The form in which imported labels are kept: read in one piece, without parsing text.
//!
//! ```text
//! "hansel-labels/1\n"
//! SHA-256 of everything after it       32 bytes
//! About as JSON                        length, bytes
//! texts, one after the other           length, bytes
//! where each text ends                 count, 4 bytes each
//! rows of nine numbers                 count, 36 bytes each, sorted by chain and address
//! ```
//!
//! Lengths and counts take 8 bytes; all numbers are little-endian. A row is the numbers of its texts (chain, address,
//! label, actor, category, source, confidence, day) and the kind, as its place in the order of kinds.

use hansel_heuristics::EntityKind;
use sha2::{Digest, Sha256};

use crate::pack::{About, MOST_LABELS, Pack, Row, can_be_found};
use crate::strings::Strings;

const MAGIC: &[u8] = b"hansel-labels/1\n";
const DIGEST: usize = 32;
const NUMBERS: usize = 9;

/// The longest file of labels that is opened, in bytes.
pub const LONGEST_COMPILED: u64 = 8 << 30;

/// Says why a file of imported labels cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompiledError {
    /// Written by another version, or no such file at all.
    #[error("it is not a file of labels that this version wrote")]
    Form,
    /// Not what was written.
    #[error("its contents were changed or cut: the checksum is wrong")]
    Damaged,
    /// The checksum is right, but a number points nowhere.
    #[error("its contents make no sense")]
    Senseless,
}

impl Pack {
    /// The labels as they are kept in a file; what was refused is not.
    pub fn to_bytes(&self) -> Vec<u8> {
        let about = serde_json::to_vec(&self.about).expect("names and numbers are JSON");
        let (text, ends) = self.strings.parts();
        let mut body = Vec::new();
        put_bytes(&mut body, &about);
        put_bytes(&mut body, text.as_bytes());
        put_count(&mut body, ends.len());
        body.extend(ends.iter().flat_map(|end| end.to_le_bytes()));
        put_count(&mut body, self.rows.len());
        for row in &self.rows {
            body.extend(numbers(row).into_iter().flat_map(u32::to_le_bytes));
        }
        [MAGIC, Sha256::digest(&body).as_slice(), &body].concat()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CompiledError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(CompiledError::Form)?;
        let (digest, body) = rest
            .split_at_checked(DIGEST)
            .ok_or(CompiledError::Damaged)?;
        if Sha256::digest(body).as_slice() != digest {
            return Err(CompiledError::Damaged);
        }
        parse(body).ok_or(CompiledError::Senseless)
    }
}

fn put_count(body: &mut Vec<u8>, count: usize) {
    let count = u64::try_from(count).expect("memory is addressed by at most 64 bits");
    body.extend(count.to_le_bytes());
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_count(body, bytes.len());
    body.extend(bytes);
}

fn numbers(row: &Row) -> [u32; NUMBERS] {
    let Row {
        network,
        address,
        label,
        actor,
        category,
        source,
        confidence,
        as_of,
        kind,
    } = *row;
    let kind = EntityKind::ALL.iter().position(|one| *one == kind);
    let kind = u32::try_from(kind.unwrap_or_default()).expect("there are seven kinds");
    [
        network, address, label, actor, category, source, confidence, as_of, kind,
    ]
}

fn parse(body: &[u8]) -> Option<Pack> {
    let mut body = body;
    let about: About = serde_json::from_slice(take_bytes(&mut body)?).ok()?;
    let text = String::from_utf8(take_bytes(&mut body)?.to_vec()).ok()?;
    let ends = take_numbers(&mut body)?;
    let ends = ends.map(|[end]| end).collect();
    let strings = Strings::from_parts(text, ends)?;
    let rows = take_numbers(&mut body)?;
    let rows: Vec<Row> = rows
        .map(|numbers| row(numbers, &strings))
        .collect::<Option<_>>()?;
    (body.is_empty() && rows.len() <= MOST_LABELS).then_some(Pack {
        about,
        refused: Vec::new(),
        refusals: 0,
        strings,
        rows,
    })
}

fn take_count(body: &mut &[u8]) -> Option<usize> {
    let (count, rest) = body.split_first_chunk()?;
    *body = rest;
    usize::try_from(u64::from_le_bytes(*count)).ok()
}

fn take_bytes<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_count(body)?;
    let (bytes, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(bytes)
}

/// A count, and so many groups of `N` numbers.
fn take_numbers<'a, const N: usize>(
    body: &mut &'a [u8],
) -> Option<impl Iterator<Item = [u32; N]> + use<'a, N>> {
    let count = take_count(body)?;
    let bytes = count.checked_mul(4 * N)?;
    let (numbers, rest) = body.split_at_checked(bytes)?;
    *body = rest;
    let (numbers, _) = numbers.as_chunks::<4>();
    let (groups, _) = numbers.as_chunks::<N>();
    Some(groups.iter().map(|group| group.map(u32::from_le_bytes)))
}

fn row(numbers: [u32; NUMBERS], strings: &Strings) -> Option<Row> {
    let [
        network,
        address,
        label,
        actor,
        category,
        source,
        confidence,
        as_of,
        kind,
    ] = numbers;
    let texts = [
        network, address, label, actor, category, source, confidence, as_of,
    ];
    let there = texts.iter().all(|number| strings.check(*number));
    let kind = *EntityKind::ALL.get(crate::strings::index(kind))?;
    (there && can_be_found(strings.get(address))).then_some(Row {
        network,
        address,
        label,
        actor,
        category,
        source,
        confidence,
        as_of,
        kind,
    })
}
