//! The shapes of the drawing on a page of the document.

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Transform};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, LineJoin, Stroke};
use krilla::surface::Surface;
use resvg::tiny_skia::PathSegment;
use resvg::usvg::{self, Group, Node, PaintOrder};

/// Draws everything of a group: its shapes, and its text as outlines.
pub(super) fn draw(surface: &mut Surface<'_>, group: &Group) {
    for node in group.children() {
        match node {
            Node::Group(inner) => draw(surface, inner),
            Node::Text(text) => draw(surface, text.flattened()),
            Node::Path(path) if path.is_visible() => shape(surface, path),
            // The drawing embeds no image.
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

fn shape(surface: &mut Surface<'_>, path: &usvg::Path) {
    let Some(outline) = outline(path.data()) else {
        return;
    };
    let at = path.abs_transform();
    surface.push_transform(&Transform::from_row(
        at.sx, at.ky, at.kx, at.sy, at.tx, at.ty,
    ));
    let fill = path.fill().and_then(fill);
    let stroke = path.stroke().and_then(stroke);
    let mut layers = [(fill, None), (None, stroke)];
    if path.paint_order() == PaintOrder::StrokeAndFill {
        layers.reverse();
    }
    for (fill, stroke) in layers {
        if fill.is_some() || stroke.is_some() {
            surface.set_fill(fill);
            surface.set_stroke(stroke);
            surface.draw_path(&outline);
        }
    }
    surface.set_stroke(None);
    surface.pop();
}

fn outline(path: &resvg::tiny_skia::Path) -> Option<Path> {
    let mut made = PathBuilder::new();
    for segment in path.segments() {
        match segment {
            PathSegment::MoveTo(to) => made.move_to(to.x, to.y),
            PathSegment::LineTo(to) => made.line_to(to.x, to.y),
            PathSegment::QuadTo(by, to) => made.quad_to(by.x, by.y, to.x, to.y),
            PathSegment::CubicTo(by, and, to) => {
                made.cubic_to(by.x, by.y, and.x, and.y, to.x, to.y);
            }
            PathSegment::Close => made.close(),
        }
    }
    made.finish()
}

/// The drawing knows plain colours only.
fn colour(paint: &usvg::Paint) -> Option<krilla::paint::Paint> {
    match paint {
        usvg::Paint::Color(one) => Some(rgb::Color::new(one.red, one.green, one.blue).into()),
        usvg::Paint::LinearGradient(_)
        | usvg::Paint::RadialGradient(_)
        | usvg::Paint::Pattern(_) => None,
    }
}

fn fill(fill: &usvg::Fill) -> Option<Fill> {
    Some(Fill {
        paint: colour(fill.paint())?,
        opacity: NormalizedF32::new(fill.opacity().get())?,
        ..Fill::default()
    })
}

fn stroke(stroke: &usvg::Stroke) -> Option<Stroke> {
    Some(Stroke {
        paint: colour(stroke.paint())?,
        width: stroke.width().get(),
        opacity: NormalizedF32::new(stroke.opacity().get())?,
        line_join: LineJoin::Round,
        ..Stroke::default()
    })
}
