//! TagPacks: GraphSense's YAML of tags, read and written.
//!
//! Source: graphsense-tagpack-tool at commit a14a159. A field of a tag may stand in the header, for all tags.

mod form;
mod write;

use serde_saphyr::options::AliasLimits;
use serde_saphyr::{Error, Options};

use crate::pack::{Format, Pack};
use crate::place::{Reason, Refusal, quoted};
use crate::reader::{Claim, Intake, Reader, Said};

use form::{At, Tag, TagPack};

/// The longest TagPack that is read, in bytes.
const LONGEST: usize = 256 << 20;
/// The largest packs have a few million tags of a dozen fields.
const MOST_NODES: usize = 64_000_000;
/// A TagPack is a mapping with a list of mappings, some of whose values are lists.
const DEEPEST: usize = 16;
/// Anchors and aliases save typing in packs written by hand.
const MOST_ALIASES: usize = 10_000;
const MOST_REPLAYED: usize = 100_000;

impl Reader<'_> {
    /// Reads the text of a TagPack.
    pub fn tagpack(&self, text: &[u8]) -> Result<Pack, Refusal> {
        let whole = |reason| self.refusal(1, None, reason);
        if text.len() > LONGEST {
            let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
            return Err(whole(Reason::TooBig(most)));
        }
        let text = std::str::from_utf8(text).map_err(|error| {
            let before = text.get(..error.valid_up_to()).unwrap_or_default();
            self.refusal(lines(before), None, Reason::Syntax("not UTF-8".into()))
        })?;
        let pack: TagPack = serde_saphyr::from_str_with_options(text, options())
            .map_err(|error| self.syntax(&error))?;
        let mut intake = Intake::new(self);
        for tag in &pack.tags {
            take(&mut intake, &pack, tag)?;
        }
        Ok(intake.done(Format::Tagpack, pack.title, pack.creator))
    }

    fn syntax(&self, error: &Error) -> Refusal {
        let place = error.location();
        let line = place.map_or(1, |place| place.line());
        let column = place.map(|place| place.column());
        let message = error.without_snippet().to_string();
        let reason = Reason::Syntax(quoted(message.lines().next().unwrap_or_default()));
        self.refusal(line, column, reason)
    }
}

fn lines(before: &[u8]) -> u64 {
    let ends = before.iter().filter(|byte| **byte == b'\n').count();
    1 + u64::try_from(ends).unwrap_or(u64::MAX - 1)
}

fn options() -> Options {
    let limits: AliasLimits = serde_saphyr::alias_limits! {
        max_total_replayed_events: MOST_REPLAYED,
        max_replay_stack_depth: DEEPEST,
    };
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: MOST_NODES,
            max_nodes: MOST_NODES,
            max_aliases: MOST_ALIASES,
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 1,
            max_total_scalar_bytes: LONGEST,
        },
        alias_limits: limits,
        with_snippet: false,
    }
}

fn take(intake: &mut Intake<'_>, pack: &TagPack, tag: &At<Tag>) -> Result<(), Refusal> {
    let At {
        line, value: tag, ..
    } = tag;
    if tag.tx_hash.is_some() {
        if tag.address.is_some() {
            let refusal = intake.reader.refusal(*line, None, Reason::Both);
            intake.refuse(refusal);
        } else {
            intake.pass_over("transactions");
        }
        return Ok(());
    }
    let category = words(pack, tag);
    intake.take(&Claim {
        line: *line,
        network: pick(&tag.network, &pack.network).or_else(|| pick(&tag.currency, &pack.currency)),
        address: tag.address.as_ref().map(At::said),
        label: pick(&tag.label, &pack.label),
        actor: pick(&tag.actor, &pack.actor),
        category: Some(Said {
            text: &category,
            line: *line,
            column: None,
        }),
        source: pick(&tag.source, &pack.source),
        confidence: pick(&tag.confidence, &pack.confidence),
        as_of: pick(&tag.lastmod, &pack.lastmod),
    })
}

/// The tag's own text, else the header's.
fn pick<'a>(own: &'a Option<At<String>>, common: &'a Option<At<String>>) -> Option<Said<'a>> {
    own.as_ref().or(common.as_ref()).map(At::said)
}

/// All words for the kind of entity, each once: the older `category` and `abuse`, the `concepts`, and what says that
/// the address is only mentioned.
fn words(pack: &TagPack, tag: &Tag) -> String {
    let mut words: Vec<&str> = Vec::new();
    words.extend(pick(&tag.category, &pack.category).map(|said| said.text));
    words.extend(pick(&tag.abuse, &pack.abuse).map(|said| said.text));
    let concepts = tag.concepts.as_ref().or(pack.concepts.as_ref());
    words.extend(concepts.into_iter().flatten().map(String::as_str));
    let only = pick(&tag.tag_type, &pack.tag_type).map(|said| said.text);
    words.extend(only.filter(|kind| *kind != "actor"));
    let mut once = Vec::new();
    for word in words {
        if !once.contains(&word) {
            once.push(word);
        }
    }
    once.join(", ")
}
