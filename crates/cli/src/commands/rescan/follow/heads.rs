//! The newest block of each chain that is followed, asked for again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use hansel_ledger::{BlockRef, ChainSource, SourceError};
use tokio::time::Instant;

use super::View;
use crate::commands::rescan::Rescan;
use crate::failure::Failure;
use crate::output::say;
use crate::sources;

/// The longest pause before a chain that cannot be read is asked again, unless the usual one is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long an endpoint is left to wait for a new block.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// The chains that are followed.
pub(super) struct Heads {
    chains: BTreeMap<String, Head>,
    /// The chains that nothing serves.
    unserved: BTreeSet<String>,
    every: Duration,
    /// How long an endpoint may wait for a block before the wire takes it for silent.
    wait: Duration,
}

/// One chain.
struct Head {
    source: Arc<dyn ChainSource>,
    tip: Option<BlockRef>,
    /// Failures in a row.
    failures: u32,
    /// When to ask again.
    due: Instant,
    /// False once the endpoint said that it does not tell of new blocks.
    tells: bool,
}

/// The pause after so many failures in a row.
pub(super) fn pause(every: Duration, failures: u32) -> Duration {
    let longest = every.max(LONGEST_PAUSE);
    every
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(longest)
}

impl Heads {
    /// Opens the endpoints of chains. One that nothing serves is named and left out; fails where that is all of them.
    pub(super) fn open(
        rescan: &Rescan<'_>,
        chains: &BTreeSet<String>,
        every: Duration,
    ) -> Result<Self, Failure> {
        let timeout = rescan.args.source.timeout.map(Duration::from_secs);
        let half = timeout.map_or(LONGEST_WAIT, |timeout| timeout / 2);
        let mut heads = Self {
            chains: BTreeMap::new(),
            unserved: BTreeSet::new(),
            every,
            wait: LONGEST_WAIT.min(half),
        };
        heads.add(rescan, chains)?;
        Ok(heads)
    }

    /// Opens the endpoints of those chains that are not followed yet.
    pub(super) fn add(
        &mut self,
        rescan: &Rescan<'_>,
        chains: &BTreeSet<String>,
    ) -> Result<(), Failure> {
        let mut refusal = None;
        for name in chains {
            if self.chains.contains_key(name) || self.unserved.contains(name) {
                continue;
            }
            let chain = rescan.config.chain(name)?;
            match sources::open(&rescan.args.source, rescan.config, &chain) {
                Ok(source) => {
                    self.chains.insert(name.clone(), Head::new(source));
                }
                Err(failure) if failure.is_nothing_there() => {
                    say(&format!(
                        "{name}: no endpoint serves it, so cases on it are not followed"
                    ));
                    self.unserved.insert(name.clone());
                    refusal.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match refusal {
            Some(failure) if self.chains.is_empty() => Err(failure),
            Some(_) | None => Ok(()),
        }
    }

    /// True for a chain that answered when it was last asked.
    pub(super) fn is_up(&self, chain: &str) -> bool {
        let head = self.chains.get(chain);
        head.is_some_and(|head| head.failures == 0 && head.tip.is_some())
    }

    /// The chains that answered when they were last asked.
    pub(super) fn readable(&self) -> Vec<Arc<dyn ChainSource>> {
        let up = self.chains.iter().filter(|(name, _)| self.is_up(name));
        up.map(|(_, head)| Arc::clone(&head.source)).collect()
    }

    /// The newest blocks of chains, as far as they are known.
    pub(super) fn tips(&self, chains: &[String]) -> Vec<BlockRef> {
        let heads = chains.iter().filter_map(|chain| self.chains.get(chain));
        heads.filter_map(|head| head.tip).collect()
    }

    /// When a chain is to be asked again.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.chains.values().map(|head| head.due).min()
    }

    /// Asks the chains whose time has come for their newest block.
    pub(super) async fn look(&mut self, rescan: &Rescan<'_>, view: &dyn View) {
        let now = Instant::now();
        for head in self.chains.values_mut().filter(|head| head.due <= now) {
            head.renew(rescan);
        }
        let due = self.chains.iter().filter(|(_, head)| head.due <= now);
        let asked: FuturesUnordered<_> = due
            .map(|(name, head)| {
                let (name, source) = (name.clone(), Arc::clone(&head.source));
                async move { (name, source.tip().await) }
            })
            .collect();
        let told: Vec<_> = asked.collect().await;
        for (name, tip) in told {
            if let Some(head) = self.chains.get_mut(&name) {
                head.note(&name, tip, self.every, view);
            }
        }
    }

    /// Waits until an endpoint tells of a new block; for ever where none does.
    pub(super) async fn news(&mut self) {
        let wait = self.wait;
        let telling = self.chains.iter().filter_map(|(name, head)| {
            let tip = head.tip.filter(|_| head.tells && head.failures == 0)?;
            let (name, source) = (name.clone(), Arc::clone(&head.source));
            Some(async move { (name, source.block_above(tip.height, wait).await) })
        });
        let mut telling: FuturesUnordered<_> = telling.collect();
        while let Some((name, told)) = telling.next().await {
            let Some(head) = self.chains.get_mut(&name) else {
                continue;
            };
            match told {
                Ok(true) => {
                    head.due = Instant::now();
                    return;
                }
                Ok(false) => {}
                // It is asked as often as any other.
                Err(_) => head.tells = false,
            }
        }
        std::future::pending().await
    }
}

impl Head {
    fn new(source: Arc<dyn ChainSource>) -> Self {
        Self {
            source,
            tip: None,
            failures: 0,
            due: Instant::now(),
            tells: true,
        }
    }

    /// Opens the endpoints anew after a failure: the old connections remember it and would wait for longer.
    fn renew(&mut self, rescan: &Rescan<'_>) {
        if self.failures == 0 {
            return;
        }
        let opened = sources::open(&rescan.args.source, rescan.config, self.source.chain());
        if let Ok(source) = opened {
            self.source = source;
            self.tells = true;
        }
    }

    fn note(
        &mut self,
        name: &str,
        told: Result<BlockRef, SourceError>,
        every: Duration,
        view: &dyn View,
    ) {
        match told {
            Ok(tip) => {
                if std::mem::take(&mut self.failures) > 0 {
                    view.chain(name, None);
                }
                if self.tip != Some(tip) {
                    view.block(name, tip.height);
                }
                self.tip = Some(tip);
                self.due = Instant::now() + every;
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    view.chain(name, Some(&error.to_string()));
                }
                self.due = Instant::now() + pause(every, self.failures);
            }
        }
    }
}
