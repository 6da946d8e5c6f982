//! `hansel trace`: follow the money from a theft.

use std::sync::Arc;

use anyhow::Context as _;
use hansel_heuristics::Labels;
use hansel_heuristics::crossing::Leaving;
use hansel_ledger::{Chain, ChainSource};
use hansel_report::model::{Source, Unknown};
use hansel_report::{Built, Format, Heading, join, merge};
use hansel_store::{Cursor, Ended, Ending, Store};

use crate::alerts::Watching;
use crate::args::{Common, Exit, SourceArgs, TraceArgs};
use crate::case_record::{CaseRecord, NamedSubject, PartRecord, Request};
use crate::config::Config;
use crate::course::Course;
use crate::crossing::Crossings;
use crate::drive::{Driver, Interrupt};
use crate::failure::Failure;
use crate::leg::Part;
use crate::output::say;
use crate::progress::Progress;
use crate::watch::Watch;
use crate::{opinions, plan, prices, sources};

/// Runs the command.
pub(crate) async fn run(common: &Common, args: TraceArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let store = sources::store(common)?;
    let wanted = plan::wanted(&args, &config, Some(&store))?;
    let session = Session {
        store: Some(&store),
        config: &config,
        args: &args.source,
        quiet: common.quiet,
        with_sources: args.with_sources,
        resumes: true,
        interrupt: Interrupt::listen(),
        watching: None,
    };
    let mut built = session.trace(wanted.requests, wanted.unknown).await?;
    prices::value(&mut built.report, args.prices.as_deref())?;
    finish(common, &built)
}

/// Prints a report as `hansel trace` does and says how the run ended.
pub(crate) fn finish(common: &Common, built: &Built) -> Result<Exit, Failure> {
    if common.json {
        super::report::write(&built.report, Format::Json, None)?;
    } else {
        super::report::show(&built.report)?;
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
    pub(crate) store: Option<&'a Store>,
    pub(crate) config: &'a Config,
    pub(crate) args: &'a SourceArgs,
    pub(crate) quiet: bool,
    pub(crate) with_sources: bool,
    /// True where a run that was cut off is ended as of its own block, and not begun anew as of the newest.
    pub(crate) resumes: bool,
    /// The user's wish to stop.
    pub(crate) interrupt: Interrupt,
    /// Keeps the case with what is to be told of it; `None` where nothing is.
    pub(crate) watching: Option<&'a Watching<'a>>,
}

/// A chain and what serves it.
type Served = (Chain, Arc<dyn ChainSource>);

impl Session<'_> {
    /// Traces every part of a case to its end, and on to the chains that its value went to, keeping everything learned
    /// in the store.
    pub(crate) async fn trace(
        &self,
        requests: Vec<Request>,
        mut unknown: Vec<Unknown>,
    ) -> Result<Built, Failure> {
        let interrupt = self.interrupt.clone();
        let (labels, left_out) = opinions::labels(self.config)?;
        let bridges = self.config.bridges()?;
        let wanted = requests.len();
        let (requests, sources) = self.open(requests, &mut unknown)?;
        let unserved = requests.len() < wanted;
        let mut record = CaseRecord::new(requests, unknown.clone());
        let earlier = self.earlier(&record)?;
        unknown.extend(left_out);
        let mut legs = Vec::new();
        for (position, (chain, source)) in sources.into_iter().enumerate() {
            if interrupt.is_wished() && position > 0 {
                unknown.push(cut_off(&chain));
                continue;
            }
            let missing = if position == 0 {
                unknown.clone()
            } else {
                Vec::new()
            };
            let part = Part {
                session: self,
                bridges: &bridges,
                source,
                labels: Arc::clone(&labels),
                earlier: Arc::clone(&earlier),
                chain,
                interrupt: interrupt.clone(),
                position,
            };
            legs.push(part.begin(&mut record, missing).await?);
        }
        let mut crossings = Crossings::new(self, &bridges, &interrupt);
        crossings.follow(&mut legs, &mut record).await?;
        let (departed, crossed) = crossings.joints(&legs)?;
        let (mut built, mut ended) = (Vec::new(), Vec::new());
        for leg in legs {
            let finished = leg.end().await?;
            built.push(finished.built);
            ended.push((finished.chain, finished.cursor, finished.watch));
        }
        let built = join(built, &departed, crossed).context("the crossings cannot be added up")?;
        let mut built = built.context("the case has no part")?;
        let left_open = crossings.is_partial();
        built.partial |= left_open;
        let left_open = left_open || unserved;
        let (open, candidates) = crossings.into_told();
        unknown.extend(open);
        built.report.findings.extend(candidates);
        built.report.sort();
        built.report.unknown.extend(unknown);
        built.report.unknown.sort();
        built.report.unknown.dedup();
        built.partial |= interrupt.is_wished();
        let open = if interrupt.is_wished() {
            Some("its last run was cut off")
        } else {
            left_open.then_some("a chain that its value went to was not read")
        };
        self.end(record, &built, ended, open)?;
        Ok(built)
    }

    /// The parts of the case as an earlier run left them, before this one writes anything.
    fn earlier(&self, record: &CaseRecord) -> Result<Arc<Vec<PartRecord>>, Failure> {
        let (Some(store), Some(part)) = (self.store, record.parts.first()) else {
            return Ok(Arc::default());
        };
        let before = store.case::<CaseRecord>(&part.request.name)?;
        Ok(Arc::new(
            before.map(|record| record.parts).unwrap_or_default(),
        ))
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

    /// Keeps the case with its report, how far each part got and what it watches: all of it or nothing.
    fn end(
        &self,
        record: CaseRecord,
        built: &Built,
        ended: Vec<(Chain, Option<Cursor>, Watch)>,
        open: Option<&'static str>,
    ) -> Result<(), Failure> {
        let (Some(store), Some(part)) = (self.store, record.parts.first()) else {
            return Ok(());
        };
        let name = part.request.name.clone();
        let (mut parts, mut open) = (Vec::new(), open);
        for (chain, cursor, watch) in &ended {
            let Some(cursor) = cursor else { continue };
            let mut watches = Vec::new();
            if cursor.follows {
                open = open.or(watch.reason());
                watches = watch.rows(chain)?;
            }
            parts.push(Ended {
                chain,
                cursor: *cursor,
                watches,
            });
        }
        let ending = Ending {
            parts,
            because: open,
        };
        let record = CaseRecord {
            report: Some(built.report.clone()),
            partial: built.partial,
            ..record
        };
        match self.watching {
            Some(watching) => watching.keep(&name, &record, built, &ending)?,
            None => store
                .end_case(&name, &record, &ending)
                .context("cannot keep the case")?,
        }
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

/// What a report says of a request.
pub(crate) fn heading(request: &Request, unknown: Vec<Unknown>, sources: Vec<Source>) -> Heading {
    Heading {
        name: request.name.clone(),
        title: request.title.clone(),
        training: request.training,
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
    let courses = courses(config, store, name, &record, labels).await?;
    Ok((record, courses))
}

async fn courses(
    config: &Config,
    store: &Store,
    name: &str,
    record: &CaseRecord,
    labels: &Arc<dyn Labels>,
) -> Result<Vec<Course>, Failure> {
    let bridges = config.bridges()?;
    let mut courses = Vec::new();
    for part in &record.parts {
        let chain = config.chain(&part.request.chain)?;
        let cursor = store.cursor(&chain, name)?;
        if cursor.is_none() && chain.evm().is_some() {
            // The run was stopped before this part began.
            continue;
        }
        let as_of = cursor.map(|cursor| cursor.tip);
        let mut course = plan::course(part, chain, as_of, Arc::clone(labels))?;
        let interrupt = Interrupt::default();
        let mut driver = Driver {
            store: Some(store),
            bridges: &bridges,
            source: None,
            interrupt: &interrupt,
            failures: part.failures.clone(),
            watch: Watch::default(),
        };
        driver
            .run(&mut course, &mut Progress::new(name, true))
            .await?;
        courses.push(course);
    }
    Ok(courses)
}

/// The report of a stored case: the last one, or what an unfinished run knows.
pub(crate) async fn stored_report(
    config: &Config,
    store: &Store,
    name: &str,
) -> Result<Built, Failure> {
    let record: CaseRecord = store.case(name)?.ok_or_else(|| no_such_case(store, name))?;
    if let Some(mut report) = record.report {
        for part in &record.parts {
            let chain = config.chain(&part.request.chain)?;
            let reach = store.reach(&chain, name)?;
            if let Some((cursor, reach)) = store.cursor(&chain, name)?.zip(reach) {
                report.moves_on(&chain, &cursor.tip, &reach);
            }
        }
        return Ok(Built {
            report,
            partial: record.partial,
        });
    }
    let (labels, _) = opinions::labels(config)?;
    // What went to other chains is joined at the end of a run only.
    let record = record.without_inflows();
    let courses = courses(config, store, name, &record, &labels).await?;
    let bridges = config.bridges()?;
    let (mut parts, mut unjoined) = (Vec::new(), Vec::new());
    for course in &courses {
        for leaving in course.leaving(&bridges)? {
            unjoined.push(unfinished(&leaving));
        }
        let part = record.on(course.chain().name());
        let request = &part.context("a part of the case is missing")?.request;
        let heading = heading(request, record.unknown.clone(), Vec::new());
        parts.push(course.build(heading, &*labels)?);
    }
    let mut built = merge(parts).ok_or_else(|| no_such_case(store, name))?;
    built.partial |= !unjoined.is_empty();
    built.report.unknown.extend(unjoined);
    built.report.unknown.sort();
    built.report.unknown.dedup();
    Ok(built)
}

/// What left a chain in a run that was cut off.
fn unfinished(leaving: &Leaving) -> Unknown {
    let words = leaving.departure.in_words();
    Unknown {
        subject: leaving.node.to_string(),
        kind: "crossing".into(),
        detail: format!(
            "{words}: the run was cut off, and this report does not follow it; run `hansel trace` again"
        ),
    }
}

pub(crate) fn no_such_case(store: &Store, name: &str) -> Failure {
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
