//! What the script of the page reads: the report itself, and where its nodes stand.

use std::io::{self, Write};

use serde::Serialize;

use super::excerpt::{Excerpt, LeftOut};
use crate::Report;
use crate::assets::Assets;
use crate::caption::Captions;
use crate::model::Node;
use crate::picture::{Bundle, Places, bundles, place, stop_class};
use crate::visible;

#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    places: Places,
    bundles: Vec<Bundle>,
    /// The name of each node for people, hidden characters made visible.
    names: Vec<String>,
    /// The class that colours each node.
    classes: Vec<&'static str>,
    /// Decimals by chain and asset, for what nobody vouches for missing.
    decimals: Vec<(&'a str, &'a str, u8)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<LeftOut>,
}

/// Writes the data as JSON that cannot end the element it stands in.
pub(super) fn write(
    excerpt: &Excerpt<'_>,
    captions: &Captions<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let report = &*excerpt.report;
    let data = Data {
        report,
        places: place(report),
        bundles: bundles(report),
        names: report
            .nodes
            .iter()
            .map(|node| name(node, captions))
            .collect(),
        classes: report.nodes.iter().map(class).collect(),
        decimals: Assets::of(report).listed(),
        left_out: excerpt.left_out,
    };
    let mut inert = Inert {
        out,
        begun: Vec::new(),
    };
    serde_json::to_writer(&mut inert, &data)?;
    inert.flush()
}

/// Passes JSON on that an element of a page may hold.
///
/// Within JSON these characters occur in strings alone, where a code says the same. Marks that hide or turn text are
/// written as codes too, so that whoever reads the source of the page sees what stands there.
struct Inert<'w> {
    out: &'w mut dyn Write,
    /// The bytes of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl Inert<'_> {
    fn put(&mut self, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some((at, character)) = rest.char_indices().find(|(_, one)| is_escaped(*one)) {
            self.out.write_all(&rest.as_bytes()[..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + character.len_utf8()..];
        }
        self.out.write_all(rest.as_bytes())
    }
}

fn is_escaped(character: char) -> bool {
    // Most of a report is plain letters and digits.
    !character.is_ascii_alphanumeric()
        && (matches!(character, '<' | '>' | '&') || visible::is_hidden(character))
}

impl Write for Inert<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.begun);
        let text = if all.is_empty() {
            piece
        } else {
            all.extend(piece);
            &all
        };
        match std::str::from_utf8(text) {
            Ok(text) => self.put(text)?,
            Err(error) if error.error_len().is_none() => {
                let (whole, begun) = text.split_at(error.valid_up_to());
                let whole = std::str::from_utf8(whole).map_err(io::Error::other)?;
                let begun = begun.to_vec();
                self.put(whole)?;
                self.begun = begun;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(piece.len())
    }

    /// The end of a character that never came is an error.
    fn flush(&mut self) -> io::Result<()> {
        match std::str::from_utf8(&self.begun) {
            Ok(_) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

fn name(node: &Node, captions: &Captions<'_>) -> String {
    match (node.labels.first(), &node.address) {
        (Some(label), _) => visible::clipped(&label.label, 40),
        (None, Some(address)) => captions.short(address),
        (None, None) => captions.short_id(node),
    }
}

fn class(node: &Node) -> &'static str {
    node.stop
        .as_ref()
        .map_or("passing", |stop| stop_class(stop.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_the_element_or_hide_is_a_code_however_the_text_is_cut() {
        let text = "\"</script>&\u{202e}\u{e0041}Größe 取\"";
        let expected = "\"\\u003c/script\\u003e\\u0026\\u202e\\udb40\\udc41Größe 取\"";
        for size in 1..text.len() {
            let mut bytes = Vec::new();
            let mut inert = Inert {
                out: &mut bytes,
                begun: Vec::new(),
            };
            for piece in text.as_bytes().chunks(size) {
                inert.write_all(piece).unwrap();
            }
            inert.flush().unwrap();
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{size}");
        }
    }
}
