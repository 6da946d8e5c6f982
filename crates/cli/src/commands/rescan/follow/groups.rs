//! Cases by the chains that they are on, so that a chain that cannot be read holds up no case that is not on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hansel_ledger::BlockRef;
use tokio::time::Instant;

use super::heads::{Heads, pause};
use crate::case_record::CaseRecord;
use crate::commands::rescan::Rescan;
use crate::commands::trace::no_such_case;
use crate::failure::Failure;

/// Cases by their chains, which are in alphabetical order.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<Vec<String>, Group>);

/// Cases that are on the same chains.
#[derive(Clone, Debug, Default)]
struct Group {
    names: Vec<String>,
    /// The newest blocks of its chains when it was last up to date.
    seen: Vec<BlockRef>,
    /// Rounds in a row that failed.
    failures: u32,
    /// When to try again after a failure.
    again: Option<Instant>,
}

impl Groups {
    /// Groups the cases of these names.
    pub(super) fn of(rescan: &Rescan<'_>, names: &[String]) -> Result<Self, Failure> {
        let mut groups: BTreeMap<Vec<String>, Group> = BTreeMap::new();
        for name in names {
            let record = rescan.store.case::<CaseRecord>(name)?;
            let record = record.ok_or_else(|| no_such_case(rescan.store, name))?;
            let chains: BTreeSet<_> = record.chains().into_iter().map(ToOwned::to_owned).collect();
            let group = groups.entry(chains.into_iter().collect()).or_default();
            group.names.push(name.clone());
        }
        Ok(Self(groups))
    }

    /// Moves cases to the groups that they are in now.
    pub(super) fn regroup(&mut self, now: Self) {
        let moved: BTreeSet<String> = now
            .0
            .values()
            .flat_map(|group| group.names.clone())
            .collect();
        for group in self.0.values_mut() {
            group.names.retain(|name| !moved.contains(name));
        }
        for (chains, group) in now.0 {
            let known = self.0.entry(chains).or_default();
            known.names.extend(group.names);
            known.names.sort();
        }
        self.0.retain(|_, group| !group.names.is_empty());
    }

    pub(super) fn chains(&self) -> BTreeSet<String> {
        self.0.keys().flatten().cloned().collect()
    }

    pub(super) fn names(&self, chains: &[String]) -> Vec<String> {
        self.0
            .get(chains)
            .map(|group| group.names.clone())
            .unwrap_or_default()
    }

    /// The groups whose chains can all be read and have a block that they have not seen, that are to be tried again, or
    /// that hold a case of which a transaction waits to be mined.
    pub(super) fn due(&self, heads: &Heads, warned: &BTreeSet<String>) -> Vec<Vec<String>> {
        let now = Instant::now();
        let due = |(chains, group): &(&Vec<String>, &Group)| {
            let waits = group.again.is_some_and(|again| again > now);
            let tried = group.again.is_some();
            let warned = group.names.iter().any(|name| warned.contains(name));
            let news = tried || warned || heads.tips(chains) != group.seen;
            are_up(chains, heads) && !waits && news
        };
        self.0
            .iter()
            .filter(due)
            .map(|(chains, _)| chains.clone())
            .collect()
    }

    /// When the first group that failed is tried again.
    pub(super) fn next_try(&self, heads: &Heads) -> Option<Instant> {
        let readable = self.0.iter().filter(|(chains, _)| are_up(chains, heads));
        readable.filter_map(|(_, group)| group.again).min()
    }

    /// Notes a round that failed; true for the first one in a row.
    pub(super) fn failed(&mut self, chains: &[String], every: Duration) -> bool {
        let Some(group) = self.0.get_mut(chains) else {
            return false;
        };
        group.failures = group.failures.saturating_add(1);
        group.again = Some(Instant::now() + pause(every, group.failures));
        group.failures == 1
    }

    /// Notes a round that succeeded; true for the first one after others that failed.
    pub(super) fn succeeded(&mut self, chains: &[String], tips: Vec<BlockRef>) -> bool {
        let Some(group) = self.0.get_mut(chains) else {
            return false;
        };
        group.seen = tips;
        group.again = None;
        std::mem::take(&mut group.failures) > 0
    }
}

fn are_up(chains: &[String], heads: &Heads) -> bool {
    chains.iter().all(|chain| heads.is_up(chain))
}
