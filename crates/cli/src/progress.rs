//! What is said while a trace runs: a live line on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::course::Course;
use crate::output::say;

const PLAIN_EVERY: Duration = Duration::from_secs(5);
const LIVE_EVERY: Duration = Duration::from_millis(250);
const WARNINGS: usize = 10;

/// The progress of one trace.
pub(crate) struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    quiet: bool,
    started: Instant,
    last: Instant,
    requests: u64,
    cached: u64,
    /// What the last summing up cost; it is not repeated until twenty times as long has passed.
    cost: Duration,
    followed: String,
    warnings: usize,
}

impl Progress {
    pub(crate) fn new(name: &str, quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        let bar = live.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.set_message(format!("{name}: asking for the newest block"));
            bar.enable_steady_tick(LIVE_EVERY);
            bar
        });
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            bar,
            quiet,
            started: now,
            last: now,
            requests: 0,
            cached: 0,
            cost: Duration::ZERO,
            followed: String::new(),
            warnings: 0,
        }
    }

    /// Shows how many requests were sent so far.
    pub(crate) fn requested(&mut self, requests: u64) {
        self.requests = requests;
        self.show(None);
    }

    /// Counts a question that the store answered.
    pub(crate) fn cached(&mut self) {
        self.cached += 1;
    }

    /// Shows where the trace stands after a wave.
    pub(crate) fn wave(&mut self, trace: &Course) {
        self.show(Some(trace));
    }

    /// Says what went wrong with a question; after the first few they are only counted in the report.
    pub(crate) fn warn(&mut self, text: &str) {
        self.warnings += 1;
        if self.quiet {
            return;
        }
        if self.warnings <= WARNINGS {
            self.line(&format!("warning: {text}"));
        }
        if self.warnings == WARNINGS {
            self.line("warning: further failures are listed in the report only");
        }
    }

    /// Says something that stays on the screen.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    /// Removes the live line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&mut self, trace: Option<&Course>) {
        let every = if self.bar.is_some() {
            LIVE_EVERY
        } else {
            PLAIN_EVERY
        };
        if self.quiet || self.last.elapsed() < every.max(self.cost * 20) {
            return;
        }
        self.last = Instant::now();
        if let Some(trace) = trace {
            let started = Instant::now();
            self.followed = trace.standing();
            self.cost = started.elapsed();
        }
        let seconds = self.started.elapsed().as_secs().max(1);
        let rate = self.requests / seconds;
        let Self {
            name,
            followed,
            requests,
            cached,
            ..
        } = self;
        let text = format!(
            "{name}: {followed}, {requests} requests ({rate}/s), {cached} answers from the store"
        );
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None => say(&text),
        }
    }
}
