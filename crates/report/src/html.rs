//! The report as one page that needs nothing else: no network, no server, no other file.
//!
//! Everything that matters is in the page's own tables, which print, scale and read aloud; the script adds the
//! interactive graph, sorting and copying. A strict policy in the page keeps whatever a chain or a label says from
//! ever being run: only the script and the style of this program are allowed, by their digests.

mod data;
mod excerpt;
mod headline;
pub(crate) mod methods;
mod tables;
mod unknown;

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub(crate) use self::excerpt::Excerpt;
use crate::Report;
use crate::caption::Captions;
use crate::format::FormatError;
use crate::picture::{Dress, to_svg};
use crate::text::Page;
use crate::visible::clipped;

const STYLE: &str = include_str!("html/style.css");
/// Made by `web/build.mjs`; `web/README.md` says how, and the licences of what is in it.
const SCRIPT: &str = include_str!("html/page.js");

/// The longest text of an outsider that a page shows whole.
const LONGEST: usize = 300;

/// Writes the page.
pub fn write(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    crate::references::check(report)?;
    let excerpt = Excerpt::of(report);
    let page = Page::new(report);
    let captions = Captions::of(report);
    write!(out, "{}<html lang=\"en\">", DOCTYPE.into_string())?;
    out.write_all(head(report).into_string().as_bytes())?;
    out.write_all(b"<body>")?;
    out.write_all(body(&page, &excerpt, &captions)?.into_string().as_bytes())?;
    out.write_all(b"<script type=\"application/json\" id=\"data\">")?;
    data::write(&excerpt, &captions, out)?;
    write!(out, "</script><script>{SCRIPT}</script></body></html>")?;
    Ok(())
}

fn head(report: &Report) -> Markup {
    let title = format!("hansel: {}", clipped(&report.case.name, LONGEST));
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn body(
    page: &Page<'_>,
    excerpt: &Excerpt<'_>,
    captions: &Captions<'_>,
) -> Result<Markup, FormatError> {
    let picture = to_svg(page.report, Dress::InPage)?;
    Ok(html! {
        a.skip href="#now" { "Skip to where the value was last seen" }
        (headline::section(page)?)
        main {
            (tables::accounting(page)?)
            (section("flow", "Where it went", picture))
            (graph(&excerpt.note()))
            (tables::cash_outs(page))
            (tables::ends(page)?)
            (tables::timeline(page, captions))
            (tables::findings(page))
            (unknown::section(page))
            (methods::section(page))
        }
    })
}

/// Nothing is loaded, sent or run but what this program put into the page.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data: blob:; base-uri 'none'; form-action 'none'",
        digest(SCRIPT),
        digest(STYLE)
    )
}

fn section(id: &str, head: &str, body: Markup) -> Markup {
    html! { section id=(id) aria-labelledby={(id) "-head"} { h2 id={(id) "-head"} { (head) } (body) } }
}

/// The place of the interactive graph; the script fills it and without it the page says where to look instead.
fn graph(note: &Markup) -> Markup {
    section(
        "graph",
        "Graph",
        html! {
            (note)
            noscript { p { "The interactive graph needs scripts. The tables below hold everything it shows." } }
            div id="tools" hidden {
                label { "Search " input id="search" type="search" placeholder="address, transaction, label" autocomplete="off" spellcheck="false"; }
                label { "Rule " select id="rule" {} }
                label { "At least " input id="least" type="number" min="0" max="100" step="0.1" value="0"; " % of the theft" }
                label { "From " input id="since" type="date"; }
                label { "to " input id="until" type="date"; }
                label { "Ends " select id="ending" { option value="" { "all" } } }
                label { input id="bundle" type="checkbox"; " chains and crowds as one" }
                button id="reset" type="button" { "Show all" }
            }
            ul id="hits" aria-label="Search results" {}
            div id="stage" hidden {
                div id="canvas" role="img" tabindex="0"
                    aria-label="Flow graph: time runs from left to right. Arrow keys move it, plus and minus zoom; the tables of this page hold the same places." {}
                div id="axis" aria-hidden="true" {}
                aside id="detail" aria-live="polite" { p { "Choose a place or a flow." } }
            }
            p.legend id="legend" {}
        },
    )
}
