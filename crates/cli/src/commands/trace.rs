//! `hansel trace`: follow the money from a theft.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hansel_heuristics::Labels;
use hansel_ledger::{BlockRef, Chain, ChainSource};
use hansel_report::model::{Source, Unknown};
use hansel_report::{Built, Format, Heading, merge, render};
use hansel_store::{Cursor, CursorState, Store};

use crate::args::{Common, Exit, SourceArgs, TraceArgs};
use crate::case_record::{CaseRecord, NamedSubject, Request};
use crate::config::Config;
use crate::course::Course;
use crate::drive::{Driver, Interrupt, require_seeds};
use crate::failure::Failure;
use crate::output::{print, say};
use crate::progress::Progress;
use crate::{opinions, pin, plan, sources};

/// How long an interrupted trace waits for the last answer.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the command.
pub(crate) async fn run(common: &Common, args: TraceArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let store = sources::store(common)?;
    let wanted = plan::wanted(&args, &config, Some(&store))?;
    let session = Session {
        common,
        store: Some(&store),
        config: &config,
        args: &args.source,
        quiet: common.quiet,
        with_sources: args.with_sources,
    };
    let built = session.trace(wanted.requests, wanted.unknown).await?;
    finish(common, &built)
}

/// Prints a report as `hansel trace` does and says how the run ended.
pub(crate) fn finish(common: &Common, built: &Built) -> Result<Exit, Failure> {
    let format = if common.json {
        Format::Json
    } else {
        Format::Text
    };
    for file in render(&built.report, format)? {
        print(&String::from_utf8_lossy(&file.bytes))?;
    }
    exit(built)
}

/// A report that does not balance is a fault of the program, and says so.
pub(crate) fn exit(built: &Built) -> Result<Exit, Failure> {
    if let Some(row) = built.report.accounting.iter().find(|row| !row.balances()) {
        let cause = anyhow::anyhow!("seed {} does not balance under {}", row.seed, row.rule);
        return Err(Failure::advised(
            cause,
            "this is a fault of hansel: do not use the report, and please report the case",
        ));
    }
    Ok(if built.partial {
        Exit::Partial
    } else {
        Exit::Complete
    })
}

/// What a case is traced with.
pub(crate) struct Session<'a> {
    pub(crate) common: &'a Common,
    pub(crate) store: Option<&'a Store>,
    pub(crate) config: &'a Config,
    pub(crate) args: &'a SourceArgs,
    pub(crate) quiet: bool,
    pub(crate) with_sources: bool,
}

/// A chain and what serves it.
type Served = (Chain, Arc<dyn ChainSource>);

/// The part of a case that is on one chain, with the source that it is traced with.
struct Part<'a> {
    session: &'a Session<'a>,
    source: Arc<dyn ChainSource>,
    labels: Arc<dyn Labels>,
    chain: Chain,
    interrupt: Interrupt,
}

impl Session<'_> {
    /// Traces every part of a case to its end, keeping everything learned in the store.
    pub(crate) async fn trace(
        &self,
        requests: Vec<Request>,
        mut unknown: Vec<Unknown>,
    ) -> Result<Built, Failure> {
        let interrupt = Interrupt::listen();
        let (labels, left_out) = opinions::labels(self.config)?;
        let (requests, sources) = self.open(requests, &mut unknown)?;
        let mut record = CaseRecord::new(requests, unknown.clone());
        unknown.extend(left_out);
        let mut built = Vec::new();
        for (position, (chain, source)) in sources.into_iter().enumerate() {
            if interrupt.is_wished() && position > 0 {
                unknown.push(cut_off(&chain));
                continue;
            }
            let part = Part {
                session: self,
                source,
                labels: Arc::clone(&labels),
                chain,
                interrupt: interrupt.clone(),
            };
            let missing = if position == 0 {
                unknown.clone()
            } else {
                Vec::new()
            };
            built.push(part.trace(&mut record, position, missing).await?);
        }
        let mut built = merge(built).context("the case has no part")?;
        built.report.unknown.extend(unknown);
        built.report.unknown.sort();
        built.report.unknown.dedup();
        built.partial |= interrupt.is_wished();
        self.end(record, &built)?;
        Ok(built)
    }

    /// Opens a source for each part. A part of several that nothing serves is named and left out.
    fn open(
        &self,
        requests: Vec<Request>,
        unknown: &mut Vec<Unknown>,
    ) -> Result<(Vec<Request>, Vec<Served>), Failure> {
        let (mut served, mut sources, mut refusal) = (Vec::new(), Vec::new(), None);
        let several = requests.len() > 1;
        for request in requests {
            let chain = self.config.chain(&request.chain)?;
            match sources::open(self.args, self.config, &chain) {
                Ok(source) => {
                    served.push(request);
                    sources.push((chain, source));
                }
                Err(failure) if several && failure.is_nothing_there() => {
                    unknown.push(not_served(&chain));
                    refusal.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match refusal {
            Some(failure) if served.is_empty() => Err(failure),
            Some(_) | None => Ok((served, sources)),
        }
    }

    fn end(&self, record: CaseRecord, built: &Built) -> Result<(), Failure> {
        let (Some(store), Some(part)) = (self.store, record.parts.first()) else {
            return Ok(());
        };
        let name = part.request.name.clone();
        store.put_case(
            &name,
            &CaseRecord {
                report: Some(built.report.clone()),
                partial: built.partial,
                ..record
            },
        )?;
        if !self.quiet {
            say(&format!(
                "case `{name}` is kept: see `hansel report {name} --format csv` or `hansel explain {name} NODE`"
            ));
        }
        Ok(())
    }
}

fn not_served(chain: &Chain) -> Unknown {
    Unknown {
        subject: chain.name().to_owned(),
        kind: "chain-not-read".into(),
        detail: "no endpoint serves this part of the case; name one with --endpoint CHAIN:KIND=URL"
            .into(),
    }
}

fn cut_off(chain: &Chain) -> Unknown {
    Unknown {
        subject: chain.name().to_owned(),
        kind: "interrupted".into(),
        detail: "the run was stopped before this part of the case was read".into(),
    }
}

impl Part<'_> {
    /// Traces one part to its end.
    async fn trace(
        &self,
        record: &mut CaseRecord,
        position: usize,
        mut unknown: Vec<Unknown>,
    ) -> Result<Built, Failure> {
        let request = record.parts[position].request.clone();
        let mut progress = Progress::new(&request.name, self.session.quiet);
        let as_of = self.interrupt.or(self.pin(&request, &progress)).await?;
        if as_of.is_none() {
            unknown.push(pin::tip_unknown(&self.chain));
        }
        let windows = self.windows(&request, as_of.as_ref());
        let windows = self.interrupt.or(windows).await?;
        record.parts[position].windows.clone_from(&windows);
        self.begin(record, &request, as_of.as_ref())?;
        let labels = Arc::clone(&self.labels);
        let mut course = plan::course(&request, self.chain.clone(), as_of, &windows, labels)?;
        let mut driver = Driver {
            store: self.session.store.filter(|_| as_of.is_some()),
            source: Some(Arc::clone(&self.source)),
            interrupt: &self.interrupt,
            failures: BTreeMap::new(),
        };
        let ran = driver.run(&mut course, &mut progress).await;
        progress.finish();
        ran?;
        driver.drop_false_claims(&course)?;
        if let Some(as_of) = &as_of {
            self.check_branch(as_of, &self.interrupt).await?;
        }
        if !self.interrupt.is_wished() {
            self.require_seeds(&course, record, &mut unknown)?;
        }
        record.parts[position].failures = driver.failures;
        let heading = heading(&request, unknown, self.sources());
        let built = course.build(heading, &*self.labels)?;
        self.put_state(&request, as_of.as_ref())?;
        Ok(built)
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
        let before = store.case::<CaseRecord>(&request.name)?;
        let before = before.as_ref().and_then(|record| record.on(&request.chain));
        let same = before.map(|part| part.request == *request);
        if same == Some(false) {
            progress.line(&format!(
                "case `{}` was traced with other subjects or options before; this trace takes its place (--name keeps both)",
                request.name
            ));
        }
        if same == Some(true)
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

    fn begin(
        &self,
        record: &CaseRecord,
        request: &Request,
        as_of: Option<&BlockRef>,
    ) -> Result<(), Failure> {
        let Some(store) = self.session.store else {
            return Ok(());
        };
        store.put_case(&request.name, record)?;
        self.put_cursor(store, &request.name, as_of, CursorState::Running)
    }

    /// Notes that the part is traced, unless it was cut off and must be taken up again.
    fn put_state(&self, request: &Request, as_of: Option<&BlockRef>) -> Result<(), Failure> {
        let Some(store) = self.session.store else {
            return Ok(());
        };
        let state = if self.interrupt.is_wished() {
            CursorState::Running
        } else {
            CursorState::Complete
        };
        self.put_cursor(store, &request.name, as_of, state)
    }

    fn put_cursor(
        &self,
        store: &Store,
        name: &str,
        as_of: Option<&BlockRef>,
        state: CursorState,
    ) -> Result<(), Failure> {
        match as_of {
            Some(tip) => Ok(store
                .put_cursor(&self.chain, name, &Cursor { tip: *tip, state })
                .context("cannot keep the case")?),
            None => Ok(()),
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

/// What a report says of a request.
pub(crate) fn heading(request: &Request, unknown: Vec<Unknown>, sources: Vec<Source>) -> Heading {
    Heading {
        name: request.name.clone(),
        title: request.title.clone(),
        training: false,
        subjects: request.subjects.iter().map(in_words).collect(),
        overrides: opinions::told(request),
        until: request.until.clone(),
        unknown,
        sources,
    }
}

/// A subject as it was asked for, with the blocks or days that count.
fn in_words(subject: &NamedSubject) -> String {
    let NamedSubject {
        text,
        since,
        until,
        assets,
    } = subject;
    let since = since.as_ref().map(|since| format!(" since {since}"));
    let until = until.as_ref().map(|until| format!(" until {until}"));
    let [since, until] = [since, until].map(Option::unwrap_or_default);
    let only = (!assets.is_empty()).then(|| format!(" of {} only", assets.join(", ")));
    format!("{text}{since}{until}{}", only.unwrap_or_default())
}

/// Runs the parts of a stored case again, from the store alone.
pub(crate) async fn again(
    config: &Config,
    store: &Store,
    name: &str,
    labels: &Arc<dyn Labels>,
) -> Result<(CaseRecord, Vec<Course>), Failure> {
    let record: CaseRecord = store.case(name)?.ok_or_else(|| no_such_case(store, name))?;
    let mut courses = Vec::new();
    for part in &record.parts {
        let chain = config.chain(&part.request.chain)?;
        let cursor = store.cursor(&chain, name)?;
        if cursor.is_none() && chain.evm().is_some() {
            // The run was stopped before this part began.
            continue;
        }
        let as_of = cursor.map(|cursor| cursor.tip);
        let labels = Arc::clone(labels);
        let mut course = plan::course(&part.request, chain, as_of, &part.windows, labels)?;
        let interrupt = Interrupt::default();
        let mut driver = Driver {
            store: Some(store),
            source: None,
            interrupt: &interrupt,
            failures: part.failures.clone(),
        };
        driver
            .run(&mut course, &mut Progress::new(name, true))
            .await?;
        courses.push(course);
    }
    Ok((record, courses))
}

/// The report of a stored case: the last one, or what an unfinished run knows.
pub(crate) async fn stored_report(
    common: &Common,
    store: &Store,
    name: &str,
) -> Result<Built, Failure> {
    let record: CaseRecord = store.case(name)?.ok_or_else(|| no_such_case(store, name))?;
    if let Some(report) = record.report {
        return Ok(Built {
            report,
            partial: record.partial,
        });
    }
    let config = Config::new(common);
    let (labels, _) = opinions::labels(&config)?;
    let (record, courses) = again(&config, store, name, &labels).await?;
    let mut parts = Vec::new();
    for course in &courses {
        let part = record.on(course.chain().name());
        let request = &part.context("a part of the case is missing")?.request;
        let heading = heading(request, record.unknown.clone(), Vec::new());
        parts.push(course.build(heading, &*labels)?);
    }
    merge(parts).ok_or_else(|| no_such_case(store, name))
}

fn no_such_case(store: &Store, name: &str) -> Failure {
    let known = store.cases().unwrap_or_default();
    let hint = if known.is_empty() {
        "no case was traced yet: run `hansel trace` first".to_owned()
    } else {
        format!("the traced cases are {}", known.join(", "))
    };
    Failure::advised(
        anyhow::anyhow!("there is no case `{}`", name.escape_debug()),
        &hint,
    )
}
