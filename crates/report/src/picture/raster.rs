//! The drawing of where the money went as PNG, made of the SVG with the shipped font.

use std::io;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};

use super::svg::{Dress, to_svg};
use crate::Report;
use crate::font;
use crate::format::FormatError;

/// How many pixels a unit of the drawing gets along each side: 2,400 for its whole width.
const FINE: u16 = 2;

/// The most pixels that are painted: they take four bytes each.
const MOST_PIXELS: u64 = 100_000_000;

/// Writes the drawing under the first rule that conserves value.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let tree = tree(report)?.ok_or(FormatError::NothingToDraw)?;
    let size = tree.size().to_int_size().scale_by(f32::from(FINE));
    let size = size.ok_or(FormatError::NothingToDraw)?;
    let area = u64::from(size.width()) * u64::from(size.height());
    if area > MOST_PIXELS {
        return Err(FormatError::TooLarge { pixels: area });
    }
    let pixels = Pixmap::new(size.width(), size.height());
    let mut pixels = pixels.ok_or(FormatError::NothingToDraw)?;
    let transform = Transform::from_scale(f32::from(FINE), f32::from(FINE));
    resvg::render(&tree, transform, &mut pixels.as_mut());
    let png = pixels.encode_png().map_err(io::Error::other)?;
    Ok(out.write_all(&png)?)
}

/// The drawing as shapes, its text included; `None` where no rule of the report conserves value.
pub(crate) fn tree(report: &Report) -> Result<Option<Tree>, FormatError> {
    let svg = to_svg(report, Dress::Alone)?.into_string();
    if svg.is_empty() {
        return Ok(None);
    }
    let mut fonts = Database::new();
    for cut in [font::REGULAR, font::BOLD] {
        fonts.load_font_data(cut.to_vec());
    }
    let options = Options {
        fontdb: Arc::new(fonts),
        font_family: "DejaVu Sans".into(),
        ..Options::default()
    };
    Ok(Some(Tree::from_str(&font::drawable(&svg), &options)?))
}
