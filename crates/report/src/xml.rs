//! Writing XML: elements of one line, of which graph formats have twenty for each flow.

use std::borrow::Cow;
use std::io;

use quick_xml::Writer;

/// What XML is written with.
pub(crate) type Xml<'a> = Writer<&'a mut dyn io::Write>;

/// Writes pieces that are XML already as a line inside the open element.
///
/// The writer's own elements are built in memory first, which takes longer than all else.
pub(crate) fn line(xml: &mut Xml<'_>, pieces: &[&str]) -> io::Result<()> {
    xml.write_indent()?;
    let mut pieces = pieces.iter();
    pieces.try_for_each(|piece| xml.get_mut().write_all(piece.as_bytes()))
}

/// A text as it stands in an element or an attribute.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}
