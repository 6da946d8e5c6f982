//! Writes labels as a TagPack.

use serde::Serialize;

use crate::address::short_name;
use crate::pack::Pack;

/// The header; every tag carries its fields itself.
#[derive(Serialize)]
struct Written<'a> {
    title: &'a str,
    creator: &'a str,
    tags: Vec<WrittenTag<'a>>,
}

#[derive(Serialize)]
struct WrittenTag<'a> {
    address: &'a str,
    label: &'a str,
    source: &'a str,
    currency: &'a str,
    network: &'a str,
    confidence: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    actor: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    concepts: Vec<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    lastmod: &'a str,
}

impl Pack {
    /// The labels as the text of a TagPack, which reads as the same labels; the same labels give the same text.
    pub fn to_tagpack(&self) -> String {
        let text = |number| self.strings.get(number);
        let tags = self.rows.iter().map(|row| {
            let network = short_name(text(row.network));
            let words = text(row.category).split(", ");
            WrittenTag {
                address: text(row.address),
                label: text(row.label),
                source: text(row.source),
                currency: network,
                network,
                confidence: text(row.confidence),
                actor: text(row.actor),
                concepts: words.filter(|word| !word.is_empty()).collect(),
                lastmod: text(row.as_of),
            }
        });
        let written = Written {
            title: &self.about.title,
            creator: &self.about.creator,
            tags: tags.collect(),
        };
        serde_saphyr::to_string(&written).expect("texts in lists and structures are YAML")
    }
}
