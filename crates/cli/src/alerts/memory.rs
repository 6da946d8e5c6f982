//! What the watch over a case remembers: which events are no news, and which alerts a reorganisation may still undo.

use std::collections::BTreeSet;

use hansel_report::Report;
use serde::{Deserialize, Serialize};

use super::alert::{Alert, Block, News, id_of};
use super::events::{Event, WARNING, events};
use crate::depth::{Depth, Tips};
use crate::failure::Failure;

/// Blocks for which an alert is remembered at least, so that it can be taken back.
const WINDOW: u64 = 1_000;
/// Alerts of one case that are remembered; beyond that the oldest are forgotten.
const MOST_REMEMBERED: usize = 1_000;

/// The watch over one case, as the store keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    /// The hash of what was asked: of another question the events are others.
    pub(super) asked: String,
    /// The keys of events that are no news; `None` before the first report.
    known: Option<BTreeSet<String>>,
    /// Alerts of the last blocks, the oldest first.
    told: Vec<Told>,
}

/// An alert that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    key: String,
    /// How often the event was taken back before.
    times: u32,
    /// True once it was taken back, or came true.
    retracted: bool,
    alert: Alert,
}

impl Told {
    /// True for a warning of something that is in a block now, of which an alert of its own says so.
    fn came_true(&self, keys: &BTreeSet<String>) -> bool {
        let fact = self.key.strip_suffix(WARNING);
        fact.is_some_and(|fact| keys.contains(fact))
    }
}

/// What a report is compared under.
pub(super) struct Lookout<'a> {
    pub(super) case: &'a str,
    /// Value that rested for at least so many days woke when it moved.
    pub(super) dormant: u64,
    /// The hash of the block that the store knows at a height of a chain.
    pub(super) known_block: &'a KnownBlock<'a>,
    /// How many confirmations are enough on a chain.
    pub(super) enough: &'a Enough<'a>,
}

/// The hash of the block that is known at a height of a chain.
pub(super) type KnownBlock<'a> = dyn Fn(&str, u64) -> Result<Option<String>, Failure> + 'a;

/// How many confirmations are enough on a chain.
pub(super) type Enough<'a> = dyn Fn(&str) -> Result<u64, Failure> + 'a;

impl Memory {
    /// A watch that begins: what a report says is no news. Without a report the next one is no news either.
    pub(super) fn begin(asked: String, report: Option<&Report>) -> Result<Self, Failure> {
        let known = report.map(|report| -> Result<_, Failure> {
            Ok(events(report)?.iter().map(Event::key).collect())
        });
        Ok(Self {
            asked,
            known: known.transpose()?,
            told: Vec::new(),
        })
    }

    /// Takes in a report of the case and says what there is to tell, what was undone first.
    ///
    /// `partial` is true of a report that leaves something open, so that what it does not say may still be so.
    pub(super) fn take_in(
        &mut self,
        now: &Report,
        partial: bool,
        lookout: &Lookout<'_>,
    ) -> Result<Vec<Alert>, Failure> {
        let events = events(now)?;
        let keys: BTreeSet<String> = events.iter().map(Event::key).collect();
        let Some(mut known) = self.known.take() else {
            self.known = Some(keys);
            return Ok(Vec::new());
        };
        let mut messages = self.take_back(&keys, &mut known, partial, lookout)?;
        let fresh: Vec<_> = events
            .into_iter()
            .filter(|event| !known.contains(&event.key()))
            .collect();
        let tips = Tips::of(now, lookout.enough)?;
        for event in most_severe(fresh, lookout.dormant) {
            let alert = self.tell(&event, lookout, &tips)?;
            messages.push(alert);
        }
        known.extend(keys);
        self.known = Some(known);
        self.forget(&tips);
        Ok(messages)
    }

    /// Retracts the alerts whose events are gone with their blocks; follows those that are in another block now.
    fn take_back(
        &mut self,
        keys: &BTreeSet<String>,
        known: &mut BTreeSet<String>,
        partial: bool,
        lookout: &Lookout<'_>,
    ) -> Result<Vec<Alert>, Failure> {
        let mut retractions = Vec::new();
        for told in self.told.iter_mut().filter(|told| !told.retracted) {
            if keys.contains(&told.key) {
                continue;
            }
            if told.came_true(keys) {
                told.retracted = true;
                continue;
            }
            let gone = match &told.alert.block {
                // The store forgets a block only when it is replaced.
                Some(Block {
                    height,
                    hash: Some(hash),
                }) => (lookout.known_block)(&told.alert.chain, *height)?.as_ref() != Some(hash),
                Some(Block {
                    height: _,
                    hash: None,
                }) => false,
                None => !partial,
            };
            if gone {
                told.retracted = true;
                known.remove(&told.key);
                retractions.push(told.alert.retraction());
            }
        }
        Ok(retractions)
    }

    fn tell(
        &mut self,
        event: &Event,
        lookout: &Lookout<'_>,
        tips: &Tips<'_>,
    ) -> Result<Alert, Failure> {
        // A movement has one key whether it woke or not.
        let key = event.key_of_kind();
        let earlier = self.told.iter().filter(|told| told.key == key);
        let times = earlier.map(|told| told.times + 1).max().unwrap_or(0);
        let block = event.block.map(|height| -> Result<_, Failure> {
            let hash = (lookout.known_block)(&event.chain, height)?;
            Ok(Block { height, hash })
        });
        let depth = tips.depth(&event.chain, event.block);
        let alert = alert(event, lookout.case, times, block.transpose()?, depth);
        self.told.push(Told {
            key,
            times,
            retracted: false,
            alert: alert.clone(),
        });
        Ok(alert)
    }

    /// Forgets what no reorganisation undoes any more.
    fn forget(&mut self, tips: &Tips<'_>) {
        self.told.retain(
            |told| match (&told.alert.block, tips.tip(&told.alert.chain)) {
                (Some(block), Some(tip)) => {
                    block.height.saturating_add(tip.enough.max(WINDOW)) >= tip.height
                }
                (Some(_), None) => true,
                (None, _) => !told.retracted,
            },
        );
        let surplus = self.told.len().saturating_sub(MOST_REMEMBERED);
        self.told.drain(..surplus);
    }
}

/// The events that are told: of a transaction that reached or entered something, that alone.
fn most_severe(fresh: Vec<Event>, dormant: u64) -> Vec<Event> {
    let arrivals = fresh.iter().filter(|event| event.news != News::Moved);
    let covered: BTreeSet<(String, String)> = arrivals
        .flat_map(|event| {
            let txs = [Some(&event.tx), event.swept.as_ref()];
            txs.into_iter()
                .flatten()
                .map(|tx| (event.chain.clone(), tx.clone()))
        })
        .collect();
    let told = |event: &Event| {
        event.news != News::Moved || !covered.contains(&(event.chain.clone(), event.tx.clone()))
    };
    let mut events: Vec<_> = fresh.into_iter().filter(told).collect();
    for event in &mut events {
        if event.news == News::Moved && event.rested_days.is_some_and(|days| days >= dormant) {
            event.news = News::Woke;
        }
    }
    events.sort_by_key(|event| (event.block.unwrap_or(u64::MAX), event.news.severity()));
    events
}

fn alert(event: &Event, case: &str, times: u32, block: Option<Block>, depth: Depth) -> Alert {
    let times = times.to_string();
    let summary = summary(event);
    let todo = todo(event, case);
    Alert {
        schema: Alert::schema(),
        id: id_of(&[case, event.news.name(), &event.key_of_kind(), &times]),
        retracts: None,
        case: case.to_owned(),
        severity: event.news.severity(),
        rule: event.news,
        chain: event.chain.clone(),
        tx: event.tx.clone(),
        confirmed: block.is_some(),
        block,
        depth,
        time: event.time,
        place: event.place.clone(),
        entity: event.entity.clone(),
        from: event.from.iter().cloned().collect(),
        to: event.to.iter().cloned().collect(),
        amounts: event.amounts.values().cloned().collect(),
        rested_days: event.rested_days,
        summary,
        todo,
    }
}

fn summary(event: &Event) -> String {
    let (amounts, tx) = (event.in_words(), &event.tx);
    let entity = event.entity.as_deref().unwrap_or("nobody named");
    let place = &event.place;
    let warning = if event.block.is_some() {
        ""
    } else {
        "; the transaction is in no block yet"
    };
    match event.news {
        News::ReachedService => {
            format!("{amounts} reached {entity} at {place} in {tx}{warning}")
        }
        News::EnteredMixer => {
            format!("{amounts} entered the mixer {entity} at {place} in {tx}{warning}")
        }
        News::EnteredBridge => {
            format!("{amounts} entered a bridge ({entity}) at {place} in {tx}{warning}")
        }
        News::Woke => {
            let days = event.rested_days.unwrap_or_default();
            format!("{amounts} moved in {tx} after {days} days at rest{warning}")
        }
        News::Moved if event.block.is_none() => {
            format!("{amounts} would move in {tx}, which is in no block yet and may be replaced")
        }
        News::Moved => format!("{amounts} moved in {tx}"),
    }
}

fn todo(event: &Event, case: &str) -> String {
    let entity = event.entity.as_deref().unwrap_or("the service");
    match event.news {
        News::ReachedService => format!(
            "ask {entity} at once to freeze what {} received; name transaction {} and send the report of case {case}",
            event.place, event.tx
        ),
        News::EnteredMixer => format!(
            "the trail ends here: write down transaction and time, and watch what leaves; `hansel report {case}` has the \
             rest"
        ),
        News::EnteredBridge => format!(
            "see in `hansel report {case}` whether the payout was found; if not, trace the other chain with an endpoint \
             for it"
        ),
        News::Woke | News::Moved => {
            format!(
                "see in `hansel report {case}` where it is now; nothing can be frozen there yet"
            )
        }
    }
}

impl Event {
    /// The key, also of a movement that is told as one that woke.
    fn key_of_kind(&self) -> String {
        let movement = Self {
            news: if self.news == News::Woke {
                News::Moved
            } else {
                self.news
            },
            ..self.clone()
        };
        movement.key()
    }
}

#[cfg(test)]
mod tests;
