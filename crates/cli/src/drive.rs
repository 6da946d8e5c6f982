//! The loop that brings a trace its answers: from the store where it has them, else from the source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use hansel_graph::TraceError;
use hansel_heuristics::crossing::Bridges;
use hansel_ledger::{Answer, ChainSource, EvmQuery, Fact, Query, SourceError, UnixTime};
use hansel_store::Store;
use tokio::sync::Notify;

use crate::course::Course;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::watch::{NOT_KNOWN, Watch};

/// The answer to one question: a fact, or why there is none, safe to print.
type Outcome = Result<Fact, String>;

/// What a question that was never asked is answered with when there is no source.
const NOT_FETCHED: &str = "not fetched yet; run `hansel trace` again";

/// What a trace is driven with.
pub(crate) struct Driver<'a> {
    pub(crate) store: Option<&'a Store>,
    pub(crate) source: Option<Arc<dyn ChainSource>>,
    /// Where value leaves the chain, so that the trail ends there.
    pub(crate) bridges: &'a Bridges,
    pub(crate) interrupt: &'a Interrupt,
    /// Failures of this run, or of the run whose report is laid out again, by question.
    pub(crate) failures: BTreeMap<String, String>,
    /// Everything that it was told and that a later block could say differently.
    pub(crate) watch: Watch,
}

/// A wish of the user to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    wished: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Interrupt {
    /// Listens for Ctrl-C and for what service managers end a process with; the second one ends it at once.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        tokio::spawn(async move {
            while asked_to_stop().await.is_ok() {
                if heard.wished.swap(true, Ordering::SeqCst) {
                    std::process::exit(130);
                }
                crate::output::say(
                    "stopping: what is known is being reported; press Ctrl-C again to stop at once",
                );
                heard.notify.notify_waiters();
            }
        });
        interrupt
    }

    /// Wishes to stop, as Ctrl-C does.
    pub(crate) fn stop(&self) {
        self.wished.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_wished(&self) -> bool {
        self.wished.load(Ordering::SeqCst)
    }

    /// What a future brings, unless the user wishes to stop before.
    pub(crate) async fn or<T>(
        &self,
        future: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            outcome = future => outcome,
            () = self.wish() => Err(anyhow!("interrupted before anything was learned").into()),
        }
    }

    /// Waits for the wish.
    pub(crate) async fn wish(&self) {
        let notified = self.notify.notified();
        if !self.is_wished() {
            notified.await;
        }
    }
}

impl Driver<'_> {
    /// Runs a trace to its end, or until the user wishes to stop.
    pub(crate) async fn run(
        &mut self,
        trace: &mut Course,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        loop {
            let wave = trace.next_wave()?;
            progress.wave(trace);
            if wave.is_empty() {
                return Ok(());
            }
            let outcomes = self.answer(trace, &wave, progress).await?;
            for (query, outcome) in wave.iter().zip(outcomes) {
                self.note(trace, query, outcome.as_ref());
                if let Some(outcome) = outcome {
                    self.resolve(trace, query, outcome)?;
                }
            }
            trace.close(self.bridges);
            if self.interrupt.is_wished() {
                trace.finish()?;
                return Ok(());
            }
        }
    }

    fn note(&mut self, trace: &Course, query: &Query, outcome: Option<&Outcome>) {
        match (outcome, trace.as_of()) {
            (Some(Ok(fact)), Some(as_of)) => self.watch.told(query, fact, &as_of),
            (Some(Ok(_) | Err(_)) | None, _) => self.watch.open(NOT_KNOWN),
        }
    }

    /// Forgets the claims that the chain disproved, so that the next run asks again.
    pub(crate) fn drop_false_claims(&self, trace: &Course) -> Result<(), Failure> {
        if let Some(store) = self.store {
            for outpoint in trace.disproved() {
                store.forget_spend(trace.chain(), &outpoint)?;
            }
        }
        Ok(())
    }

    /// Answers a wave; `None` stands for a question that was cut off by the user's wish to stop.
    async fn answer(
        &mut self,
        trace: &Course,
        wave: &[Query],
        progress: &mut Progress,
    ) -> Result<Vec<Option<Outcome>>, Failure> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(wave.len());
        for query in wave {
            let known = self.stored(trace, query)?;
            if known.is_some() {
                progress.cached();
            }
            outcomes.push(known.map(Ok));
        }
        let Some(source) = self.source.clone() else {
            return Ok(self.without_source(wave, outcomes));
        };
        let missing = (0..wave.len()).filter(|position| outcomes[*position].is_none());
        let mut requests: FuturesUnordered<_> = missing
            .map(|position| {
                let source = Arc::clone(&source);
                async move { (position, source.answer(&wave[position]).await) }
            })
            .collect();
        let interrupt = self.interrupt.clone();
        loop {
            let (position, answer) = tokio::select! {
                next = requests.next() => match next {
                    Some(answered) => answered,
                    None => return Ok(outcomes),
                },
                () = interrupt.wish() => return Ok(outcomes),
            };
            outcomes[position] = Some(self.keep(trace, &wave[position], answer, progress)?);
            progress.requested(source.activity().iter().map(|one| one.requests).sum());
        }
    }

    fn stored(&self, trace: &Course, query: &Query) -> Result<Option<Fact>, Failure> {
        match (self.store, trace.as_of()) {
            (Some(store), Some(pinned)) => Ok(store.answer(trace.chain(), query, &pinned)?),
            (Some(_) | None, _) => Ok(None),
        }
    }

    fn without_source(
        &self,
        wave: &[Query],
        outcomes: Vec<Option<Outcome>>,
    ) -> Vec<Option<Outcome>> {
        let failed = |query: &Query| {
            self.failures
                .get(&label(query))
                .cloned()
                .unwrap_or_else(|| NOT_FETCHED.into())
        };
        wave.iter()
            .zip(outcomes)
            .map(|(query, known)| known.or_else(|| Some(Err(failed(query)))))
            .collect()
    }

    /// Stores an answer at once, so that nothing is lost however the run ends.
    fn keep(
        &mut self,
        trace: &Course,
        query: &Query,
        answer: Result<Answer, SourceError>,
        progress: &mut Progress,
    ) -> Result<Outcome, Failure> {
        match answer {
            Ok(answer) => {
                if let (Some(store), Some(pinned)) = (self.store, trace.as_of()) {
                    store.put_answer(trace.chain(), query, &answer, &pinned, now())?;
                }
                Ok(Ok(answer.fact))
            }
            Err(error) => {
                progress.warn(&error.to_string());
                let reason = error.class.reason().to_owned();
                self.failures.insert(label(query), reason.clone());
                Ok(Err(reason))
            }
        }
    }

    /// Adds an answer to the trace. One that contradicts earlier facts is dropped and becomes a gap.
    fn resolve(
        &mut self,
        trace: &mut Course,
        query: &Query,
        outcome: Outcome,
    ) -> Result<(), Failure> {
        let error = match trace.resolve(query, outcome) {
            Ok(()) => return Ok(()),
            Err(TraceError::Graph(error)) => error,
            Err(error) => return Err(error.into()),
        };
        let Query::Transaction { txid, .. } = query else {
            return Err(error.into());
        };
        let culprit = error.culprit();
        if let (Some(store), Some(culprit)) = (self.store, culprit) {
            store.forget_transaction(trace.chain(), &culprit)?;
        }
        if culprit != Some(*txid) {
            let cause =
                anyhow::Error::from(error).context("an endpoint gave contradictory answers");
            return Err(Failure::advised(
                cause,
                "the wrong answer was dropped; run the same command again, if possible with another --endpoint",
            ));
        }
        let reason = format!("inconsistent: {error}");
        self.failures.insert(label(query), reason.clone());
        Ok(trace.resolve(query, Err(reason))?)
    }
}

/// Names a question, for the list of failures.
fn label(query: &Query) -> String {
    match query {
        Query::Transaction { txid, .. } => format!("transaction {txid}"),
        Query::Spends { txid, .. } => format!("spends {txid}"),
        Query::Received { script, .. } => format!("received {}", script.to_hex_string()),
        Query::Evm(EvmQuery::Transaction { hash }) => format!("transaction {hash}"),
        Query::Evm(EvmQuery::Account {
            address,
            coin,
            since,
            until,
            bound,
        }) => format!("account {address} {coin} {since}-{until} {bound}"),
        Query::Evm(EvmQuery::Deposits {
            address,
            since,
            until,
        }) => format!("deposits {address} {since}-{until}"),
        Query::Evm(EvmQuery::Logs {
            contracts,
            topics,
            since,
            until,
        }) => format!("logs {contracts:?} {topics:?} {since}-{until}"),
    }
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut ended = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = ended.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// The time by this machine's clock; only evidence carries it, never a report.
pub(crate) fn now() -> UnixTime {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixTime(elapsed.as_secs())
}

/// Fails where no subject could be resolved, saying what went wrong with the first.
pub(crate) fn require_seeds(trace: &Course) -> Result<(), Failure> {
    if trace.has_seeds() {
        return Ok(());
    }
    match trace.subject_gaps().first() {
        Some((subject, gap)) => Err(Failure::advised(
            anyhow!("{gap}").context(format!("nothing to trace: {subject}")),
            "check the subject and the chain, or try another --endpoint",
        )),
        None => Err(Failure::advised(
            anyhow!("nothing to trace: the subjects received no value in the blocks that count"),
            "check the subjects, --since and --until",
        )),
    }
}
