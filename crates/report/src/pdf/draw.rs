//! Writes laid pages as PDF.

use krilla::Document;
use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Transform};
use krilla::metadata::Metadata;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use resvg::usvg::Tree;

use super::page::{HEIGHT, MARGIN, Mark, Page, WIDTH};
use super::shapes;
use crate::Report;
use crate::font::{self, Face};
use crate::format::FormatError;
use crate::visible::clipped;

/// What stands at the foot of every page, and what the file says of itself.
pub(super) struct About {
    title: String,
    foot: String,
}

impl About {
    pub(super) fn of(report: &Report) -> Self {
        let name = clipped(&report.case.name, 60);
        let training = if report.case.training {
            "TRAINING CASE: made up, not a real theft; "
        } else {
            ""
        };
        let said = |text: String| font::drawable(&text).into_owned();
        Self {
            title: said(format!("{training}{name}: where the stolen value went")),
            foot: said(format!("{training}{name}")),
        }
    }
}

/// The bytes of the document: the same for the same pages.
pub(super) fn draw(
    pages: &[Page],
    picture: Option<&Tree>,
    about: &About,
) -> Result<Vec<u8>, FormatError> {
    let fonts = Fonts::open().ok_or_else(|| failed("the font cannot be read"))?;
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| failed("no such page"))?;
    let mut document = Document::new();
    for (number, page) in pages.iter().enumerate() {
        let mut sheet = document.start_page_with(size.clone());
        let mut surface = sheet.surface();
        for mark in &page.marks {
            fonts.mark(&mut surface, mark, picture);
        }
        let foot = format!("{}    page {} of {}", about.foot, number + 1, pages.len());
        fonts.text(&mut surface, [MARGIN, HEIGHT - 40.0], 7.0, false, &foot);
        surface.finish();
        sheet.finish();
    }
    document.set_outline(contents(pages));
    let metadata = Metadata::new();
    document.set_metadata(
        metadata
            .title(about.title.clone())
            .language("en".into())
            .creator("hansel".into()),
    );
    document
        .finish()
        .map_err(|error| failed(&format!("{error:?}")))
}

fn failed(why: &str) -> FormatError {
    FormatError::Document(clipped(why, 200))
}

/// The list of parts that a reader shows beside the pages.
fn contents(pages: &[Page]) -> Outline {
    let mut outline = Outline::new();
    for (number, page) in pages.iter().enumerate() {
        for (name, y) in &page.parts {
            let place = XyzDestination::new(number, Point::from_xy(0.0, *y));
            outline.push_child(OutlineNode::new(name.clone(), place));
        }
    }
    outline
}

struct Fonts([Font; 2]);

impl Fonts {
    fn open() -> Option<Self> {
        let regular = Font::new(font::REGULAR.into(), 0)?;
        Some(Self([regular, Font::new(font::BOLD.into(), 0)?]))
    }

    fn mark(&self, surface: &mut Surface<'_>, mark: &Mark, picture: Option<&Tree>) {
        match mark {
            Mark::Text { x, y, size, run } => {
                self.text(surface, [*x, *y], *size, run.bold, &run.text);
            }
            Mark::Line { y } => line(surface, *y),
            Mark::Picture { y, scale } => {
                let at = Transform::from_row(*scale, 0.0, 0.0, *scale, MARGIN, *y);
                surface.push_transform(&at);
                picture
                    .into_iter()
                    .for_each(|tree| shapes::draw(surface, tree.root()));
                surface.pop();
            }
        }
    }

    fn text(&self, surface: &mut Surface<'_>, [x, y]: [f32; 2], size: f32, bold: bool, text: &str) {
        let face = Face::of(bold);
        let glyphs: Vec<KrillaGlyph> = text
            .char_indices()
            .map(|(at, character)| {
                let glyph = face.glyph(character);
                let id = GlyphId::new(glyph.to_u32());
                let bytes = at..at + character.len_utf8();
                KrillaGlyph::new(id, face.advance(glyph), 0.0, 0.0, 0.0, bytes, None)
            })
            .collect();
        surface.set_fill(Some(ink(0x1a)));
        let font = self.0[usize::from(bold)].clone();
        surface.draw_glyphs(Point::from_xy(x, y), &glyphs, font, text, size, false);
    }
}

fn ink(grey: u8) -> Fill {
    Fill {
        paint: rgb::Color::new(grey, grey, grey).into(),
        ..Fill::default()
    }
}

fn line(surface: &mut Surface<'_>, y: f32) {
    let mut path = PathBuilder::new();
    path.move_to(MARGIN, y);
    path.line_to(WIDTH - MARGIN, y);
    if let Some(path) = path.finish() {
        surface.set_fill(None);
        surface.set_stroke(Some(Stroke {
            paint: rgb::Color::new(0xbb, 0xbb, 0xbb).into(),
            width: 0.4,
            ..Stroke::default()
        }));
        surface.draw_path(&path);
        surface.set_stroke(None);
    }
}
