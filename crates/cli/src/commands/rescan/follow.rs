//! Keeps cases current for as long as the user lets it: looks for new blocks, and has cases brought up to them.

mod groups;
mod heads;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Rescan;
use super::outcome::{Outcome, State};
use crate::alerts::{Delivery, Left};
use crate::args::Exit;
use crate::failure::Failure;
use crate::mempool;
use groups::Groups;
use heads::Heads;

/// The pause between two looks at what waits for delivery while cases are traced.
const DELIVERY_PAUSE: Duration = Duration::from_secs(1);
/// The shortest pause between two looks, whatever is due.
const SHORTEST_REST: Duration = Duration::from_millis(100);
/// How long the last delivery may take once the user wishes to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Sees what happens while cases are followed.
pub(crate) trait View {
    /// What became of cases, only of those of which there is something new to say.
    fn outcomes(&self, outcomes: &[&Outcome]) -> Result<(), Failure>;
    /// All that is known of cases after a round, whether it is new or not.
    fn round(&self, outcomes: &[Outcome]);
    /// The newest block of a chain, where there is a new one.
    fn block(&self, chain: &str, height: u64);
    /// A chain cannot be read for now, or can be again.
    fn chain(&self, chain: &str, trouble: Option<&str>);
    /// How many messages wait for delivery.
    fn waiting(&self, messages: u64);
}

/// Cases that are followed.
pub(crate) struct Follow<'a> {
    rescan: &'a Rescan<'a>,
    delivery: Delivery<'a>,
    view: &'a dyn View,
    every: Duration,
    heads: Heads,
    groups: Groups,
    /// When the mempools are looked at next.
    look_ahead: Instant,
    /// Why each case failed that failed in its last round.
    failing: BTreeMap<String, String>,
}

impl<'a> Follow<'a> {
    /// Finds the chains of the cases and opens their endpoints; nothing is asked yet.
    pub(crate) fn new(
        rescan: &'a Rescan<'a>,
        delivery: Delivery<'a>,
        view: &'a dyn View,
    ) -> Result<Self, Failure> {
        let every = Duration::from_secs(rescan.args.every);
        let groups = Groups::of(rescan, &rescan.names()?)?;
        let heads = Heads::open(rescan, &groups.chains(), every)?;
        Ok(Self {
            rescan,
            delivery,
            view,
            every,
            heads,
            groups,
            look_ahead: Instant::now() + every,
            failing: BTreeMap::new(),
        })
    }

    /// Runs until the user wishes to stop, nobody reads standard output any more, or the store fails.
    pub(crate) async fn run(mut self) -> Result<Exit, Failure> {
        let interrupt = self.rescan.interrupt.clone();
        while !interrupt.is_wished() {
            tokio::select! {
                () = self.heads.look(self.rescan, self.view) => {}
                () = interrupt.wish() => break,
            }
            let warned = self.warned().await?;
            for chains in self.groups.due(&self.heads, &warned) {
                self.round(&chains).await?;
            }
            let left = self.delivery.pass().await?;
            self.view.waiting(left.waiting);
            if left.unread {
                return Ok(Exit::Complete);
            }
            self.rest().await;
        }
        self.end().await
    }

    /// The cases that something moves which waits to be mined, looked for as often as for new blocks.
    async fn warned(&mut self) -> Result<BTreeSet<String>, Failure> {
        let now = Instant::now();
        if now < self.look_ahead {
            return Ok(BTreeSet::new());
        }
        self.look_ahead = now + self.every;
        let mut warned = BTreeSet::new();
        for source in self.heads.readable() {
            match mempool::warn(self.rescan.store, &*source).await {
                Ok(names) => warned.extend(names),
                Err(failure) if failure.is_for_good() => return Err(failure),
                // It is looked again soon, and a block says the same.
                Err(_) => {}
            }
        }
        Ok(warned)
    }

    /// Brings the cases of some chains up to date, while messages are delivered.
    async fn round(&mut self, chains: &[String]) -> Result<(), Failure> {
        if self.rescan.interrupt.is_wished() {
            return Ok(());
        }
        let tips = self.heads.tips(chains);
        let names = self.groups.names(chains);
        let brought =
            while_delivering(&mut self.delivery, self.rescan.bring_up_to_date(names)).await?;
        match brought {
            Ok(outcomes) => self.note(chains, tips, &outcomes),
            // What was cut off is taken up by the next run.
            Err(_) if self.rescan.interrupt.is_wished() => Ok(()),
            Err(failure) if failure.is_for_good() => Err(failure),
            Err(failure) => {
                let reason = failure.in_one_line();
                if self.groups.failed(chains, self.every) {
                    self.view.chain(&chains.join(", "), Some(&reason));
                }
                Ok(())
            }
        }
    }

    fn note(
        &mut self,
        chains: &[String],
        tips: Vec<hansel_ledger::BlockRef>,
        outcomes: &[Outcome],
    ) -> Result<(), Failure> {
        let failed = outcomes.iter().any(|one| one.state == State::Failed);
        if failed {
            self.groups.failed(chains, self.every);
        } else if self.groups.succeeded(chains, tips) {
            self.view.chain(&chains.join(", "), None);
        }
        let new: Vec<_> = outcomes.iter().filter(|one| self.is_new(one)).collect();
        self.view.outcomes(&new)?;
        self.view.round(outcomes);
        for one in outcomes {
            if one.state == State::Failed {
                self.failing.insert(one.case.clone(), one.because.clone());
            } else {
                self.failing.remove(&one.case);
            }
        }
        let moved = outcomes.iter().filter(|one| one.state == State::Moved);
        let moved: Vec<_> = moved.map(|one| one.case.clone()).collect();
        self.regroup(&moved)
    }

    fn is_new(&self, outcome: &Outcome) -> bool {
        match outcome.state {
            State::Moved => true,
            State::Failed => self.failing.get(&outcome.case) != Some(&outcome.because),
            State::Unmoved | State::Left => false,
        }
    }

    /// Value may have gone to chains that no case was on before.
    fn regroup(&mut self, moved: &[String]) -> Result<(), Failure> {
        self.groups.regroup(Groups::of(self.rescan, moved)?);
        self.heads.add(self.rescan, &self.groups.chains())
    }

    /// Waits until there is something to do.
    async fn rest(&mut self) {
        let wake = [
            self.delivery.next_try(),
            self.groups.next_try(&self.heads),
            self.heads.next_look(),
            Some(self.look_ahead),
        ];
        let wake = wake.into_iter().flatten().min();
        let wake = wake.unwrap_or_else(|| Instant::now() + self.every);
        let wake = wake.max(Instant::now() + SHORTEST_REST);
        let interrupt = &self.rescan.interrupt;
        tokio::select! {
            () = tokio::time::sleep_until(wake) => {}
            // However fast an endpoint tells of blocks, it does not set the pace.
            () = async { self.heads.news().await; tokio::time::sleep(SHORTEST_REST).await } => {}
            () = interrupt.wish() => {}
        }
    }

    async fn end(mut self) -> Result<Exit, Failure> {
        let last = tokio::time::timeout(GRACE, self.delivery.pass()).await;
        let left = last.unwrap_or(Ok(Left::default()))?;
        self.view.waiting(left.waiting);
        Ok(Exit::Complete)
    }
}

/// What a future brings, while what waits is delivered; nothing is dropped half-way.
pub(super) async fn while_delivering<T>(
    delivery: &mut Delivery<'_>,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    let (done, told) = (Cell::new(false), Notify::new());
    let work = async {
        let brought = future.await;
        done.set(true);
        told.notify_one();
        brought
    };
    let deliver = async {
        while !done.get() {
            if delivery.pass().await?.unread {
                break;
            }
            // Whichever is first, the other one is not needed.
            let _ended = tokio::time::timeout(DELIVERY_PAUSE, told.notified()).await;
        }
        Ok::<(), Failure>(())
    };
    let (brought, delivered) = futures::join!(work, deliver);
    delivered?;
    Ok(brought)
}
