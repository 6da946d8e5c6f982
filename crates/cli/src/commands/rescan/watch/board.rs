//! What the screen shows: chains, cases and what happened, all of it safe to draw.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hansel_report::visible;

use crate::alerts::{Alert, Severity};
use crate::commands::rescan::follow::View;
use crate::commands::rescan::outcome::{Outcome, State};
use crate::drive::now;
use crate::failure::Failure;

/// Events that are kept to be shown.
const MOST_EVENTS: usize = 500;
/// Characters of a text that are kept.
const LONGEST: usize = 300;

/// What is shown, shared by whoever learns of it and whoever draws it.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Shown>);

/// What is shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) chains: BTreeMap<String, Chain>,
    pub(super) cases: BTreeMap<String, Case>,
    /// The newest first.
    pub(super) events: VecDeque<Event>,
    /// Messages that wait for delivery.
    pub(super) waiting: u64,
    /// The first case that is shown.
    pub(super) top: usize,
    pub(super) closed: bool,
}

/// A chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    pub(super) height: Option<u64>,
    pub(super) trouble: bool,
}

/// A case.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    pub(super) state: &'static str,
    pub(super) failed: bool,
    /// Why it is in this state.
    pub(super) because: String,
    /// The chains and the last blocks that it was brought up to.
    pub(super) through: String,
    /// Its gravest alert since the screen was opened.
    pub(super) gravest: Option<Severity>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The time by this machine's clock.
    pub(super) at: String,
    /// Of an alert.
    pub(super) severity: Option<Severity>,
    pub(super) text: String,
}

/// A text from a chain, an endpoint or a file, made safe to draw.
fn safe(text: &str) -> String {
    let start: String = text.chars().take(LONGEST).collect();
    visible(&start).into_owned()
}

impl Board {
    pub(super) fn shown(&self) -> MutexGuard<'_, Shown> {
        // Whatever a thread that panicked left behind can still be drawn.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows something that was said.
    pub(super) fn say(&self, text: &str) {
        for line in text.lines().filter(|line| !line.is_empty()) {
            self.shown().happened(now().to_string(), None, line);
        }
    }

    /// Shows an alert.
    pub(super) fn alert(&self, alert: &Alert) {
        let mut shown = self.shown();
        let back = if alert.retracts.is_some() {
            "taken back: "
        } else {
            ""
        };
        let text = format!("{}: {back}{}", alert.case, alert.summary);
        shown.happened(now().to_string(), Some(alert.severity), &text);
        if alert.retracts.is_none() {
            let case = shown.cases.entry(safe(&alert.case)).or_default();
            let gravest = case.gravest.into_iter().chain([alert.severity]).min();
            case.gravest = gravest;
        }
    }

    /// Ends the drawing.
    pub(super) fn close(&self) {
        self.shown().closed = true;
    }
}

impl Shown {
    pub(super) fn happened(&mut self, at: String, severity: Option<Severity>, text: &str) {
        self.events.truncate(MOST_EVENTS - 1);
        self.events.push_front(Event {
            at,
            severity,
            text: safe(text),
        });
    }

    /// Takes in what became of a case.
    pub(super) fn became(&mut self, outcome: &Outcome) {
        let case = self.cases.entry(safe(&outcome.case)).or_default();
        case.state = match outcome.state {
            State::Moved => "moved",
            State::Unmoved => "up to date",
            State::Left => "left",
            State::Failed => "failed",
        };
        case.failed = outcome.state == State::Failed;
        case.because = safe(&outcome.because);
        let through = outcome.through();
        let through = through
            .iter()
            .map(|tip| format!("{} {}", tip.chain, tip.height));
        let through = through.collect::<Vec<_>>().join(", ");
        if !through.is_empty() {
            case.through = safe(&through);
        }
    }

    /// Shows cases further down, or further up.
    pub(super) fn scroll(&mut self, lines: isize) {
        let last = self.cases.len().saturating_sub(1);
        self.top = self.top.saturating_add_signed(lines).min(last);
    }
}

impl View for Board {
    fn outcomes(&self, _outcomes: &[&Outcome]) -> Result<(), Failure> {
        Ok(())
    }

    fn round(&self, outcomes: &[Outcome]) {
        let mut shown = self.shown();
        outcomes.iter().for_each(|outcome| shown.became(outcome));
    }

    fn block(&self, chain: &str, height: u64) {
        self.shown().chains.entry(safe(chain)).or_default().height = Some(height);
    }

    fn chain(&self, chain: &str, trouble: Option<&str>) {
        let mut shown = self.shown();
        shown.chains.entry(safe(chain)).or_default().trouble = trouble.is_some();
        let text = match trouble {
            Some(reason) => format!("{chain}: cannot be read for now, trying again: {reason}"),
            None => format!("{chain}: is read again"),
        };
        shown.happened(now().to_string(), None, &text);
    }

    fn waiting(&self, messages: u64) {
        self.shown().waiting = messages;
    }
}
