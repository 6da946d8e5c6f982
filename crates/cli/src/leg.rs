//! The part of a case that is on one chain: where it stands, and how it is traced again once more is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use hansel_heuristics::Labels;
use hansel_heuristics::crossing::{Bridges, Told};
use hansel_ledger::{BlockRef, Chain, ChainSource, Fact, Query, UnixTime};
use hansel_report::Built;
use hansel_report::model::{Source, Unknown};
use hansel_store::{Cursor, CursorState};

use crate::case_record::{CaseInflow, CaseRecord, NamedSubject, PartRecord, Request};
use crate::commands::trace::{Session, heading};
use crate::course::Course;
use crate::drive::{Driver, Interrupt, require_seeds};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::watch::{NOT_KNOWN, Watch};
use crate::{pin, plan};

/// How long an interrupted trace waits for the last answer.
const GRACE: Duration = Duration::from_secs(2);

/// What a part is traced with.
pub(crate) struct Part<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) bridges: &'a Bridges,
    pub(crate) source: Arc<dyn ChainSource>,
    pub(crate) labels: Arc<dyn Labels>,
    /// The parts of the case as an earlier run left them.
    pub(crate) earlier: Arc<Vec<PartRecord>>,
    pub(crate) chain: Chain,
    pub(crate) interrupt: Interrupt,
    /// Where the record of the case lists it.
    pub(crate) position: usize,
}

/// A part that was traced as far as is known.
pub(crate) struct Leg<'a> {
    pub(crate) part: Part<'a>,
    pub(crate) request: Request,
    pub(crate) as_of: Option<BlockRef>,
    pub(crate) course: Course,
    /// What came from other chains.
    pub(crate) inflows: Vec<CaseInflow>,
    unknown: Vec<Unknown>,
    /// The times of blocks, as far as they were asked for.
    times: Mutex<BTreeMap<u64, UnixTime>>,
    /// What the trace was told.
    watch: Watch,
    /// What was asked besides.
    asked: Mutex<Watch>,
}

/// A part that was traced to its end, as the case keeps it.
pub(crate) struct Finished {
    pub(crate) built: Built,
    pub(crate) chain: Chain,
    /// How far it got, where that is known.
    pub(crate) cursor: Option<Cursor>,
    pub(crate) watch: Watch,
}

impl<'a> Leg<'a> {
    /// Traces the part again, with what came from other chains since.
    pub(crate) async fn retrace(
        &mut self,
        record: &mut CaseRecord,
        inflows: Vec<CaseInflow>,
    ) -> Result<(), Failure> {
        self.inflows = inflows;
        let kept = &mut record.parts[self.part.position];
        kept.inflows.clone_from(&self.inflows);
        (self.course, self.watch) = self.part.run(self.as_of, kept).await?;
        Ok(())
    }

    /// Traces the part again, with what other chains tell of it since.
    pub(crate) async fn retell(
        &mut self,
        record: &mut CaseRecord,
        told: Vec<Told>,
    ) -> Result<(), Failure> {
        let kept = &mut record.parts[self.part.position];
        kept.told = told;
        (self.course, self.watch) = self.part.run(self.as_of, kept).await?;
        Ok(())
    }

    /// Notes what was asked besides the trace, and what was told.
    pub(crate) fn note(&self, query: &Query, told: Option<&Fact>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match told.zip(self.as_of.as_ref()) {
            Some((fact, as_of)) => asked.told(query, fact, as_of),
            None => asked.open(NOT_KNOWN),
        }
    }

    /// The part as a report of its own, and what the case keeps of it.
    pub(crate) async fn end(self) -> Result<Finished, Failure> {
        let Self {
            part,
            request,
            as_of,
            course,
            inflows: _,
            unknown,
            times: _,
            mut watch,
            asked,
        } = self;
        if let Some(as_of) = &as_of {
            part.check_branch(as_of, &part.interrupt).await?;
        }
        let heading = heading(&request, unknown, part.sources());
        let built = course.build(heading, &*part.labels)?;
        watch.join(asked.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(Finished {
            built,
            cursor: as_of.map(|tip| part.cursor(&request, tip)),
            chain: part.chain,
            watch,
        })
    }

    /// The heights of the blocks from one time to another, as far as the trace looks; `None` where the newest block is
    /// not known or there is no such block. `Err` says why the chain did not tell, safe to print.
    pub(crate) async fn heights(
        &self,
        since: UnixTime,
        until: UnixTime,
    ) -> Result<Option<(u64, u64)>, String> {
        let Some(as_of) = self.as_of else {
            return Ok(None);
        };
        let first = self.first_since(&as_of, since).await?;
        let after = UnixTime(until.0.saturating_add(1));
        let last = self.first_since(&as_of, after).await?.saturating_sub(1);
        if first > last {
            self.is_behind();
        }
        Ok((first <= last).then_some((first, last)))
    }

    /// Notes that later blocks of the chain are known to hold what was looked for, whatever they name.
    pub(crate) fn is_behind(&self) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.open("another chain had not come to the time of a payout yet");
    }

    /// The first block whose time is at or after `time`, at most one above the newest that counts. Block times ascend to
    /// within two hours; what was learned of them narrows the next search.
    async fn first_since(&self, as_of: &BlockRef, time: UnixTime) -> Result<u64, String> {
        let (mut low, mut high) = (0, as_of.height.saturating_add(1));
        for (height, known) in self.times().iter() {
            if *known < time {
                low = low.max(height.saturating_add(1));
            } else {
                high = high.min(*height);
            }
        }
        while low < high {
            let middle = low + (high - low) / 2;
            let block = self.part.source.block_at(middle).await;
            let block = block.map_err(|error| error.class.reason().to_owned())?;
            self.times().insert(middle, block.time);
            if block.time < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn times(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, UnixTime>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Part<'a> {
    /// Chooses the block that the part speaks of, and traces it for the first time.
    pub(crate) async fn begin(
        self,
        record: &mut CaseRecord,
        mut unknown: Vec<Unknown>,
    ) -> Result<Leg<'a>, Failure> {
        let request = record.parts[self.position].request.clone();
        let progress = Progress::new(&request.name, self.session.quiet);
        let as_of = self.interrupt.or(self.pin(&request, &progress)).await?;
        if as_of.is_none() {
            unknown.push(pin::tip_unknown(&self.chain));
        }
        let windows = self.windows(&request, as_of.as_ref());
        let windows = self.interrupt.or(windows).await?;
        record.parts[self.position].windows = windows;
        progress.finish();
        self.note_running(record, &request, as_of.as_ref())?;
        let (course, watch) = self.run(as_of, &mut record.parts[self.position]).await?;
        if request.subjects.is_empty() {
            // It is there for what comes from other chains.
        } else if !self.interrupt.is_wished() {
            self.require_seeds(&course, record, &mut unknown)?;
        }
        Ok(Leg {
            part: self,
            request,
            as_of,
            course,
            inflows: Vec::new(),
            unknown,
            times: Mutex::default(),
            watch,
            asked: Mutex::default(),
        })
    }

    async fn run(
        &self,
        as_of: Option<BlockRef>,
        kept: &mut PartRecord,
    ) -> Result<(Course, Watch), Failure> {
        let chain = self.chain.clone();
        let mut course = plan::course(kept, chain, as_of, Arc::clone(&self.labels))?;
        let mut progress = Progress::new(&kept.request.name, self.session.quiet);
        let mut driver = Driver {
            store: self.session.store.filter(|_| as_of.is_some()),
            bridges: self.bridges,
            source: Some(Arc::clone(&self.source)),
            interrupt: &self.interrupt,
            failures: BTreeMap::new(),
            watch: Watch::default(),
        };
        let ran = driver.run(&mut course, &mut progress).await;
        progress.finish();
        ran?;
        driver.drop_false_claims(&course)?;
        kept.failures = driver.failures;
        Ok((course, driver.watch))
    }

    /// A case of one part must have something to trace; among several, a part without is named.
    fn require_seeds(
        &self,
        course: &Course,
        record: &CaseRecord,
        unknown: &mut Vec<Unknown>,
    ) -> Result<(), Failure> {
        match require_seeds(course) {
            Err(_) if record.parts.len() > 1 => {
                unknown.push(Unknown {
                    subject: self.chain.name().to_owned(),
                    kind: "no-seeds".into(),
                    detail: "the subjects on this chain received no value that counts".into(),
                });
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Fails where the chain changed meanwhile. Who wishes to stop does not wait for an endpoint that is silent.
    async fn check_branch(&self, as_of: &BlockRef, interrupt: &Interrupt) -> Result<(), Failure> {
        let check = pin::still_there(&*self.source, as_of);
        if !interrupt.is_wished() {
            return check.await;
        }
        tokio::time::timeout(GRACE, check).await.unwrap_or(Ok(()))
    }

    /// Chooses the block that the trace speaks of.
    async fn pin(
        &self,
        request: &Request,
        progress: &Progress,
    ) -> Result<Option<BlockRef>, Failure> {
        let Some(tip) = pin::tip(&*self.source).await? else {
            return Ok(None);
        };
        let until = request
            .until
            .as_deref()
            .map(pin::Moment::parse)
            .transpose()?;
        let Some(store) = self.session.store else {
            return pin::as_of(&*self.source, &tip, until).await.map(Some);
        };
        if let Some(notice) = pin::reconcile(&*self.source, store, &self.chain, &tip).await? {
            progress.line(&notice);
        }
        let mut before = self.earlier.iter();
        let before = before.find(|part| part.request.chain == request.chain);
        let same = before.map(|part| part.request == *request);
        if same == Some(false) {
            progress.line(&format!(
                "case `{}` was traced with other subjects or options before; this trace takes its place (--name keeps both)",
                request.name
            ));
        }
        if self.session.resumes
            && same == Some(true)
            && let Some(pinned) =
                pin::unfinished(&*self.source, store, &self.chain, &request.name, &tip).await?
        {
            progress.line(&format!(
                "resuming the unfinished run as of block {}",
                pinned.height
            ));
            return Ok(Some(pinned));
        }
        pin::as_of(&*self.source, &tip, until).await.map(Some)
    }

    /// Turns the subjects' times into heights.
    async fn windows(
        &self,
        request: &Request,
        as_of: Option<&BlockRef>,
    ) -> Result<BTreeMap<String, (u64, u64)>, Failure> {
        let mut windows = BTreeMap::new();
        for NamedSubject {
            text, since, until, ..
        } in &request.subjects
        {
            let since = since.as_deref().map(pin::Moment::parse).transpose()?;
            let until = until.as_deref().map(pin::Moment::parse).transpose()?;
            let first = self.height(since, as_of).await?.unwrap_or(0);
            let after = self.height(until.map(pin::Moment::next), as_of).await?;
            windows.insert(
                text.clone(),
                (
                    first,
                    after.map_or(u64::MAX, |after| after.saturating_sub(1)),
                ),
            );
        }
        Ok(windows)
    }

    /// The height of the first block at or after a moment; without a tip, times cannot be looked up.
    async fn height(
        &self,
        moment: Option<pin::Moment>,
        as_of: Option<&BlockRef>,
    ) -> Result<Option<u64>, Failure> {
        Ok(match (moment, as_of) {
            (None, _) => None,
            (Some(pin::Moment::Time(_)), None) => {
                return Err(Failure::advised(
                    anyhow::anyhow!(
                        "the recording does not tell the newest block, so times cannot be turned into heights"
                    ),
                    "name heights with --since and --until",
                ));
            }
            (Some(pin::Moment::Height(height)), _) => Some(height),
            (Some(moment), Some(as_of)) => Some(moment.first_height(&*self.source, as_of).await?),
        })
    }

    fn note_running(
        &self,
        record: &CaseRecord,
        request: &Request,
        as_of: Option<&BlockRef>,
    ) -> Result<(), Failure> {
        let Some(store) = self.session.store else {
            return Ok(());
        };
        // Chains that value went to and that this run has not reached yet stay, so that it can be cut off and taken up
        // again more than once.
        let mut kept = record.clone();
        let new = |part: &&PartRecord| {
            part.request.subjects.is_empty() && record.on(&part.request.chain).is_none()
        };
        kept.parts.extend(self.earlier.iter().filter(new).cloned());
        // What a later run is compared with, however often it is cut off.
        let before = store.case::<CaseRecord>(&request.name)?;
        kept.before = before.and_then(|before| before.report.or(before.before));
        let cursor = as_of.map(|tip| Cursor {
            tip: *tip,
            state: CursorState::Running,
            scanned: None,
            follows: false,
        });
        let begun = cursor.as_ref().map(|cursor| (&self.chain, cursor));
        Ok(store
            .begin_case(&request.name, &kept, begun)
            .context("cannot keep the case")?)
    }

    /// How far the part got, unless it was cut off and must be taken up again.
    fn cursor(&self, request: &Request, tip: BlockRef) -> Cursor {
        let cut_off = self.interrupt.is_wished();
        Cursor {
            tip,
            state: if cut_off {
                CursorState::Running
            } else {
                CursorState::Complete
            },
            scanned: None,
            follows: !cut_off && request.until.is_none(),
        }
    }

    fn sources(&self) -> Vec<Source> {
        if !self.session.with_sources {
            return Vec::new();
        }
        let row = |activity: hansel_ledger::EndpointActivity| Source {
            endpoint: activity.endpoint,
            requests: activity.requests,
            bytes: activity.bytes,
            retries: activity.retries,
        };
        self.source.activity().into_iter().map(row).collect()
    }
}
