//! What the script of the page reads: the report itself, and where its nodes stand.

use std::fmt::Write;

use serde::Serialize;

use crate::Report;
use crate::assets::Assets;
use crate::format::FormatError;
use crate::model::Node;
use crate::picture::{Bundle, Places, bundles, place, stop_class};
use crate::{caption, visible};

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
}

/// The data as JSON that cannot end the element it stands in.
pub(super) fn json(report: &Report) -> Result<String, FormatError> {
    let data = Data {
        report,
        places: place(report),
        bundles: bundles(report),
        names: report.nodes.iter().map(name).collect(),
        classes: report.nodes.iter().map(class).collect(),
        decimals: Assets::of(report).listed(),
    };
    let json = serde_json::to_string(&data)
        .expect("a report's map keys are strings and its numbers integers");
    Ok(inert(&json))
}

/// Within JSON these characters occur in strings alone, where a code says the same. Marks that hide or turn text are
/// written as codes too, so that whoever reads the source of the page sees what stands there.
fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 50);
    let mut units = [0; 2];
    for character in json.chars() {
        if matches!(character, '<' | '>' | '&') || visible::is_hidden(character) {
            for unit in character.encode_utf16(&mut units) {
                write!(text, "\\u{unit:04x}").expect("a string takes any text");
            }
        } else {
            text.push(character);
        }
    }
    text
}

fn name(node: &Node) -> String {
    match (node.labels.first(), &node.address) {
        (Some(label), _) => visible::clipped(&label.label, 40),
        (None, Some(address)) => caption::abbreviated(address),
        (None, None) => caption::short_id(node),
    }
}

fn class(node: &Node) -> &'static str {
    node.stop
        .as_ref()
        .map_or("passing", |stop| stop_class(stop.kind))
}
