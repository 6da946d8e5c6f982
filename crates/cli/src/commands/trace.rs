//! `hansel trace`: follow the money from a theft.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hansel_graph::Trace;
use hansel_ledger::{BlockRef, Chain, ChainSource};
use hansel_report::model::{Source, Unknown};
use hansel_report::{Built, Format, Heading, render};
use hansel_store::{Cursor, CursorState, Store};

use crate::args::{Common, Exit, TraceArgs};
use crate::case_record::{CaseRecord, NamedSubject, Request};
use crate::config::Config;
use crate::drive::{Driver, Interrupt, require_seeds};
use crate::failure::Failure;
use crate::output::{print, say};
use crate::progress::Progress;
use crate::{pin, plan, sources};

/// How long an interrupted trace waits for the last answer.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the command.
pub(crate) async fn run(common: &Common, args: TraceArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let store = sources::store(common)?;
    let request = plan::request(&args, &config, Some(&store))?;
    let chain = config.chain(&request.chain)?;
    let source = sources::open(&args.source, &config, &chain)?;
    let session = Session {
        store: Some(&store),
        source,
        chain,
        quiet: common.quiet,
        with_sources: args.with_sources,
    };
    let built = session.trace(request).await?;
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

/// What one trace is run with.
pub(crate) struct Session<'a> {
    pub(crate) store: Option<&'a Store>,
    pub(crate) source: Arc<dyn ChainSource>,
    pub(crate) chain: Chain,
    pub(crate) quiet: bool,
    pub(crate) with_sources: bool,
}

impl Session<'_> {
    /// Traces a request to its end, keeping everything learned in the store.
    pub(crate) async fn trace(&self, request: Request) -> Result<Built, Failure> {
        let interrupt = Interrupt::listen();
        let mut progress = Progress::new(&request.name, self.quiet);
        let mut unknown = plan::unknown(&request);
        let as_of = interrupt.or(self.pin(&request, &progress)).await?;
        if as_of.is_none() {
            unknown.push(pin::tip_unknown(&self.chain));
        }
        let mut record = CaseRecord::new(request);
        let windows = self.windows(&record.request, as_of.as_ref());
        record.windows = interrupt.or(windows).await?;
        self.begin(&record, as_of.as_ref())?;
        let plan = plan::plan(&record.request, self.chain.clone(), as_of, &record.windows)?;
        let mut trace = Trace::new(plan);
        let mut driver = Driver {
            store: self.store.filter(|_| as_of.is_some()),
            source: Some(Arc::clone(&self.source)),
            interrupt: &interrupt,
            failures: BTreeMap::new(),
        };
        let ran = driver.run(&mut trace, &mut progress).await;
        progress.finish();
        ran?;
        driver.drop_false_claims(&trace)?;
        if let Some(as_of) = &as_of {
            self.check_branch(as_of, &interrupt).await?;
        }
        if !interrupt.is_wished() {
            require_seeds(&trace)?;
        }
        record.failures = driver.failures;
        let built =
            hansel_report::build(&trace, heading(&record.request, unknown, self.sources()))?;
        self.end(record, &built, as_of.as_ref(), interrupt.is_wished())?;
        Ok(built)
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
        let Some(store) = self.store else {
            return pin::as_of(&*self.source, &tip, until).await.map(Some);
        };
        if let Some(notice) = pin::reconcile(&*self.source, store, &self.chain, &tip).await? {
            progress.line(&notice);
        }
        let before = store.case::<CaseRecord>(&request.name)?;
        let same = before.as_ref().map(|record| record.request == *request);
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
        for NamedSubject { text, since, until } in &request.subjects {
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

    fn begin(&self, record: &CaseRecord, as_of: Option<&BlockRef>) -> Result<(), Failure> {
        let Some(store) = self.store else {
            return Ok(());
        };
        store.put_case(&record.request.name, record)?;
        self.put_cursor(store, &record.request.name, as_of, CursorState::Running)
    }

    fn end(
        &self,
        record: CaseRecord,
        built: &Built,
        as_of: Option<&BlockRef>,
        cut_off: bool,
    ) -> Result<(), Failure> {
        let Some(store) = self.store else {
            return Ok(());
        };
        let name = record.request.name.clone();
        store.put_case(
            &name,
            &CaseRecord {
                report: Some(built.report.clone()),
                partial: built.partial,
                ..record
            },
        )?;
        let state = if cut_off {
            CursorState::Running
        } else {
            CursorState::Complete
        };
        self.put_cursor(store, &name, as_of, state)?;
        if !self.quiet {
            say(&format!(
                "case `{name}` is kept: see `hansel report {name} --format csv` or `hansel explain {name} TXID`"
            ));
        }
        Ok(())
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
        if !self.with_sources {
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
        until: request.until.clone(),
        unknown,
        sources,
    }
}

/// A subject as it was asked for, with the blocks or days that count.
fn in_words(subject: &NamedSubject) -> String {
    let NamedSubject { text, since, until } = subject;
    let since = since.as_ref().map(|since| format!(" since {since}"));
    let until = until.as_ref().map(|until| format!(" until {until}"));
    let [since, until] = [since, until].map(Option::unwrap_or_default);
    format!("{text}{since}{until}")
}

/// Lays a stored case out again, from the store alone.
pub(crate) async fn again(
    config: &Config,
    store: &Store,
    name: &str,
) -> Result<(CaseRecord, Trace), Failure> {
    let record: CaseRecord = store.case(name)?.ok_or_else(|| no_such_case(store, name))?;
    let chain = config.chain(&record.request.chain)?;
    let cursor = store.cursor(&chain, name)?;
    let plan = plan::plan(
        &record.request,
        chain,
        cursor.map(|cursor| cursor.tip),
        &record.windows,
    )?;
    let mut trace = Trace::new(plan);
    let interrupt = Interrupt::default();
    let mut driver = Driver {
        store: Some(store),
        source: None,
        interrupt: &interrupt,
        failures: record.failures.clone(),
    };
    driver
        .run(&mut trace, &mut Progress::new(name, true))
        .await?;
    Ok((record, trace))
}

/// The report of a stored case: the last one, or what an unfinished run knows.
pub(crate) async fn stored_report(
    config: &Config,
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
    let (record, trace) = again(config, store, name).await?;
    let unknown = plan::unknown(&record.request);
    Ok(hansel_report::build(
        &trace,
        heading(&record.request, unknown, Vec::new()),
    )?)
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
