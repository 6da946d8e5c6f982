//! The fields of a TagPack; any other is refused.

use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_saphyr::Spanned;

use crate::reader::Said;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: u64,
    pub(super) column: u64,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Spanned {
            value, referenced, ..
        } = Spanned::<T>::deserialize(from)?;
        Ok(Self {
            value,
            line: referenced.line(),
            column: referenced.column(),
        })
    }
}

impl At<String> {
    pub(super) fn said(&self) -> Said<'_> {
        Said {
            text: &self.value,
            line: self.line,
            column: Some(self.column),
        }
    }
}

/// The file: its header, and its tags. Fields of a tag stand in the header for all tags that lack them.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagPack {
    pub(super) title: String,
    pub(super) creator: String,
    #[serde(default, rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(default, rename = "owner")]
    _owner: Option<IgnoredAny>,
    #[serde(default, rename = "is_public")]
    _is_public: Option<IgnoredAny>,
    pub(super) label: Option<At<String>>,
    pub(super) source: Option<At<String>>,
    pub(super) currency: Option<At<String>>,
    pub(super) network: Option<At<String>>,
    pub(super) confidence: Option<At<String>>,
    pub(super) tag_type: Option<At<String>>,
    #[serde(default, rename = "is_cluster_definer")]
    _is_cluster_definer: Option<IgnoredAny>,
    pub(super) actor: Option<At<String>>,
    pub(super) category: Option<At<String>>,
    pub(super) abuse: Option<At<String>>,
    pub(super) concepts: Option<Vec<String>>,
    pub(super) lastmod: Option<At<String>>,
    #[serde(default, rename = "context")]
    _context: Option<IgnoredAny>,
    pub(super) tags: Vec<At<Tag>>,
}

/// A tag: of an address or of a transaction.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tag {
    pub(super) address: Option<At<String>>,
    pub(super) tx_hash: Option<IgnoredAny>,
    pub(super) label: Option<At<String>>,
    pub(super) source: Option<At<String>>,
    pub(super) currency: Option<At<String>>,
    pub(super) network: Option<At<String>>,
    pub(super) confidence: Option<At<String>>,
    pub(super) tag_type: Option<At<String>>,
    #[serde(default, rename = "is_cluster_definer")]
    _is_cluster_definer: Option<IgnoredAny>,
    pub(super) actor: Option<At<String>>,
    pub(super) category: Option<At<String>>,
    pub(super) abuse: Option<At<String>>,
    pub(super) concepts: Option<Vec<String>>,
    pub(super) lastmod: Option<At<String>>,
    #[serde(default, rename = "context")]
    _context: Option<IgnoredAny>,
}
