//! The drawing of where the money went as SVG, for a document and for the page.

use std::io;

use maud::{Markup, html};

use super::lettering::{self, Place};
use super::river::Role;
use super::sankey::{Box, Drawing, Ribbon, WIDTH, draw};
use crate::Report;
use crate::assets::Assets;
use crate::caption::Captions;
use crate::format::FormatError;
use crate::model::{Node, StopKind};
use crate::visible::clipped;

const LONGEST: usize = 30;

/// Where a drawing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dress {
    /// By itself: it brings its own colours.
    Alone,
    /// In the page, whose style colours it.
    InPage,
}

/// Writes the drawing under the first rule that conserves value.
pub(crate) fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    let svg = to_svg(report, Dress::Alone)?.into_string();
    out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
    out.write_all(svg.as_bytes())?;
    Ok(out.write_all(b"\n")?)
}

/// The drawing as an element; empty where no rule of the report conserves value.
pub(crate) fn to_svg(report: &Report, dress: Dress) -> Result<Markup, FormatError> {
    crate::references::check(report)?;
    let Some(rule) = report.case.rules.iter().find(|rule| rule.conserves()) else {
        return Ok(html! {});
    };
    let drawing = draw(report, *rule)?;
    let words = Words {
        assets: Assets::of(report),
        captions: Captions::of(report),
    };
    let name = clipped(&report.case.name, 80);
    let training = if report.case.training {
        "TRAINING CASE, made up: "
    } else {
        ""
    };
    let title = format!("{training}{name}: where the stolen value went, by {rule}");
    let size = format!("0 0 {WIDTH} {}", shown(drawing.height));
    Ok(html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(size) width=(WIDTH) height=(shown(drawing.height))
            role="img" aria-label=(title) font-family="DejaVu Sans, Verdana, sans-serif" font-size="12" {
            title { (title) }
            @if dress == Dress::Alone { style { (maud::PreEscaped(ALONE)) } rect width="100%" height="100%" class="ground" {} }
            text x="12" y="20" class="head" { (title) }
            text x="12" y="38" class="small" {
                "Widths are shares of what was stolen. Between drawn places value is split in proportion; the tables are exact."
            }
            @for ribbon in &drawing.ribbons { (ribbon_markup(ribbon, &drawing, &words)) }
            @for one in &drawing.boxes { (box_markup(one, &drawing, &words)) }
        }
    })
}

const ALONE: &str = ".ground{fill:#fff}.head{font-size:15px;font-weight:bold;fill:#1a1a1a}.small{font-size:11px;fill:#555}\
.name,.amount{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}.name{fill:#1a1a1a}.amount{font-size:11px;fill:#444}.ribbon{fill:#7d8ea3;fill-opacity:.38}\
.spring{fill:#8c1d18}.passing{fill:#5b6b7f}.at-rest{fill:#3c6e47}.exchange{fill:#0b5cad}.mixer{fill:#6a2c91}\
.bridge{fill:#a85b00}.service{fill:#0a7d83}.hub{fill:#7a5c00}.open{fill:#8a8a8a}.lost{fill:#444}";

fn ribbon_markup(ribbon: &Ribbon, drawing: &Drawing<'_>, words: &Words<'_>) -> Markup {
    let (bend, half) = ((ribbon.x1 + ribbon.x2) / 2.0, ribbon.thickness / 2.0);
    let [x1, x2, bend] = [ribbon.x1, ribbon.x2, bend].map(shown);
    let [top1, top2] = [ribbon.y1 - half, ribbon.y2 - half].map(shown);
    let [low1, low2] = [ribbon.y1 + half, ribbon.y2 + half].map(shown);
    let path = format!(
        "M{x1} {top1}C{bend} {top1} {bend} {top2} {x2} {top2}V{low2}C{bend} {low2} {bend} {low1} {x1} {low1}Z"
    );
    let name = |at: usize| words.name(&drawing.boxes[at]);
    let title = format!(
        "{} → {}: {}",
        name(ribbon.from),
        name(ribbon.to),
        percent(ribbon.weight)
    );
    html! { path.ribbon d=(path) { title { (title) } } }
}

fn box_markup(one: &Box<'_>, drawing: &Drawing<'_>, words: &Words<'_>) -> Markup {
    let claims = one.station.claims.iter();
    let amounts: Vec<_> = claims
        .map(|((chain, asset), amount)| words.assets.show(chain, asset, *amount))
        .collect();
    let Place { x, y, room } = lettering::place(drawing, one);
    let part = percent(one.station.weight);
    let amount = match &*amounts {
        [] => part,
        [first] => lettering::amount(first, &format!(" ({part})"), room),
        [first, others @ ..] => {
            lettering::amount(first, &format!(" and {} more assets", others.len()), room)
        }
    };
    html! {
        g {
            rect class=(one.class()) x=(shown(one.x)) y=(shown(one.y)) width=(shown(one.width)) height=(shown(one.height)) {
                title { (words.name(one)) ": " (amounts.join(", ")) }
            }
            text.name x=(shown(x)) y=(shown(y)) { (words.name_within(one, room)) }
            text.amount x=(shown(x)) y=(shown(y + 14.0)) { (amount) }
        }
    }
}

/// How things are said in a drawing.
struct Words<'a> {
    assets: Assets<'a>,
    captions: Captions<'a>,
}

impl Words<'_> {
    /// The name of a box, cut where it has no room. An address is never cut, so that it is not taken for another.
    fn name_within(&self, one: &Box<'_>, room: f64) -> String {
        let name = self.name(one);
        let labelled = one.station.node.is_some_and(|node| !node.labels.is_empty());
        if labelled {
            lettering::cut(&name, lettering::NAME, room)
        } else {
            name
        }
    }

    /// What a person reads beside the box; a kind is said in words, so that no meaning is left to colour.
    fn name(&self, one: &Box<'_>) -> String {
        let station = &one.station;
        let kind = match station.role {
            Role::Spring => "theft",
            Role::Passing => "",
            Role::End(kind) => ending(kind),
        };
        let place = match station.node {
            Some(node) => self.place(node),
            None if kind == "fees" => return kind.to_owned(),
            None if station.count == 1 => "1 place".to_owned(),
            None => format!(
                "{} places",
                crate::units::grouped(&station.count.to_string())
            ),
        };
        if kind.is_empty() {
            place
        } else {
            format!("{kind}: {place}")
        }
    }

    fn place(&self, node: &Node) -> String {
        match (node.labels.first(), &node.address) {
            (Some(label), _) => clipped(&label.label, LONGEST),
            (None, Some(address)) => self.captions.short(address),
            (None, None) => self.captions.short_id(node),
        }
    }
}

impl Box<'_> {
    fn class(&self) -> &'static str {
        match self.station.role {
            Role::Spring => "spring",
            Role::Passing => "passing",
            Role::End(None) => "open",
            Role::End(Some(kind)) => stop_class(kind),
        }
    }
}

/// The class that colours an end.
pub(crate) fn stop_class(kind: StopKind) -> &'static str {
    match kind {
        StopKind::AtRest | StopKind::Origin => "at-rest",
        StopKind::Exchange => "exchange",
        StopKind::Mixer => "mixer",
        StopKind::BridgeUnresolved => "bridge",
        StopKind::Service => "service",
        StopKind::Hub => "hub",
        StopKind::BelowThreshold | StopKind::Limit => "open",
        StopKind::Failed | StopKind::Burned | StopKind::Fees => "lost",
    }
}

fn ending(kind: Option<StopKind>) -> &'static str {
    match kind {
        None => "not followed",
        Some(StopKind::AtRest) => "at rest",
        Some(StopKind::Exchange) => "exchange",
        Some(StopKind::Mixer) => "mixer",
        Some(StopKind::BridgeUnresolved) => "bridge",
        Some(StopKind::Service) => "service",
        Some(StopKind::Hub) => "hub",
        Some(StopKind::BelowThreshold) => "below threshold",
        Some(StopKind::Limit) => "limit reached",
        Some(StopKind::Failed) => "trail lost",
        Some(StopKind::Burned) => "burned",
        Some(StopKind::Fees) => "fees",
        Some(StopKind::Origin) => "newly mined",
    }
}

/// A share with one decimal.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A length with two decimals, so that every machine writes the same.
fn shown(length: f64) -> String {
    format!("{length:.2}")
}
