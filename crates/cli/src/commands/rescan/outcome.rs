//! What became of each case, in words and as JSON.

use hansel_report::model::Tip;
use serde::Serialize;

use crate::args::Exit;
use crate::moved::Moved;
use crate::output::printable;

/// What became of a case.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) case: String,
    pub(super) state: State,
    /// Why, in words.
    pub(super) because: String,
    #[serde(flatten)]
    moved: Moved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    /// Traced again, and something moved.
    Moved,
    /// Up to date, and nothing moved.
    Unmoved,
    /// Left as it was.
    Left,
    /// It could not be brought up to date.
    Failed,
}

impl Outcome {
    /// A case that no new block touches, with the newest blocks that its report spoke for and speaks for now.
    pub(super) fn unmoved(case: String, from: Vec<Tip>, to: Vec<Tip>) -> Self {
        Self {
            case,
            state: State::Unmoved,
            because: "no new block touches it".into(),
            moved: Moved {
                from,
                to,
                ..Moved::default()
            },
        }
    }

    /// A case that was traced again.
    pub(super) fn traced(case: String, because: &str, moved: Moved) -> Self {
        let state = if moved.is_nothing() {
            State::Unmoved
        } else {
            State::Moved
        };
        Self {
            case,
            state,
            because: because.to_owned(),
            moved,
        }
    }

    /// A case that was not looked at.
    pub(super) fn left(case: String, because: &str) -> Self {
        Self {
            case,
            state: State::Left,
            because: because.to_owned(),
            moved: Moved::default(),
        }
    }

    /// A case that could not be traced again.
    pub(super) fn failed(case: String, because: String) -> Self {
        Self {
            case,
            state: State::Failed,
            because,
            moved: Moved::default(),
        }
    }

    /// The newest blocks that were looked at.
    pub(super) fn through(&self) -> &[Tip] {
        &self.moved.to
    }

    fn in_words(&self) -> String {
        let state = match self.state {
            State::Moved => "moved",
            State::Unmoved => "nothing moved",
            State::Left => "left as it was",
            State::Failed => "failed",
        };
        let mut lines = vec![format!("{}: {state} ({})", self.case, self.because)];
        let through = self.moved.to.iter();
        lines.extend(through.map(|tip| format!("  {} through block {}", tip.chain, tip.height)));
        lines.extend(self.moved.lines());
        lines.push(String::new());
        printable(&lines.join("\n")) + "\n"
    }
}

/// The exit code of all of them together.
pub(super) fn worst(outcomes: &[Outcome]) -> Exit {
    if outcomes.iter().any(|one| one.state == State::Failed) {
        Exit::Failed
    } else {
        Exit::Complete
    }
}

/// What became of the cases, for a person.
pub(super) fn in_words(outcomes: &[Outcome]) -> String {
    outcomes.iter().map(Outcome::in_words).collect()
}
