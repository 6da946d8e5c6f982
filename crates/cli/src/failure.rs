//! What the user is told when a command fails: the chain of causes, and what to do.

use std::fmt::Write as _;
use std::io::Write as _;

use hansel_graph::TraceError;
use hansel_ledger::{ErrorClass, SourceError};
use hansel_store::StoreError;
use hansel_wire::OpenError;

use crate::args::Exit;
use crate::output::printable;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    cause: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// A fault in what the user asked for.
    pub(crate) fn usage(cause: impl Into<anyhow::Error>, hint: &str) -> Self {
        Self {
            exit: Exit::Usage,
            cause: cause.into(),
            hint: Some(hint.to_owned()),
        }
    }

    /// A fault in what the user asked for that says itself what to do.
    pub(crate) fn misuse(cause: impl Into<anyhow::Error>) -> Self {
        Self {
            exit: Exit::Usage,
            cause: cause.into(),
            hint: None,
        }
    }

    /// A fault with advice.
    pub(crate) fn advised(cause: impl Into<anyhow::Error>, hint: &str) -> Self {
        Self {
            exit: Exit::Failed,
            cause: cause.into(),
            hint: Some(hint.to_owned()),
        }
    }

    /// True where no endpoint or recording serves a chain.
    pub(crate) fn is_nothing_there(&self) -> bool {
        matches!(
            self.cause.downcast_ref::<OpenError>(),
            Some(OpenError::NoEndpoint { .. } | OpenError::NothingRecorded { .. })
        )
    }

    /// True where no endpoint can answer such a question.
    pub(crate) fn is_unsupported(&self) -> bool {
        let cause = self.cause.downcast_ref::<SourceError>();
        cause.is_some_and(|error| error.class == ErrorClass::Unsupported)
    }

    /// True for a failure that does not pass by itself: of the store, or in what the user asked for.
    pub(crate) fn is_for_good(&self) -> bool {
        let of_store = |cause: &(dyn std::error::Error + 'static)| {
            let cause = cause.downcast_ref::<StoreError>();
            cause.is_some_and(|error| !matches!(error, StoreError::ConflictingBlock { .. }))
        };
        self.exit == Exit::Usage || self.cause.chain().any(of_store)
    }

    /// What failed in one line, safe to print, without its causes.
    pub(crate) fn in_short(&self) -> String {
        printable(&self.cause.to_string())
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The failure with its causes, for a message about something else.
    pub(crate) fn in_one_line(&self) -> String {
        let causes: Vec<_> = self.cause.chain().map(ToString::to_string).collect();
        causes.join(": ")
    }

    /// Prints the failure to standard error.
    pub(crate) fn print(&self) {
        let mut text = format!("error: {}\n", printable(&self.cause.to_string()));
        for cause in self.cause.chain().skip(1) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  because: {}", printable(&cause.to_string()));
        }
        let hint = self.hint.clone().or_else(|| hint_of(&self.cause));
        if let Some(hint) = hint {
            let _ = writeln!(text, "\nhint: {}", printable(&hint));
        }
        // With standard error closed there is nobody to tell.
        drop(std::io::stderr().write_all(text.as_bytes()));
    }
}

/// What to do about a cause that says so little by itself.
fn hint_of(cause: &anyhow::Error) -> Option<String> {
    let hint = |cause: &(dyn std::error::Error + 'static)| {
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            error.hint()
        } else if let Some(error) = cause.downcast_ref::<TraceError>() {
            hint_of_trace(error)
        } else {
            cause.downcast_ref::<SourceError>().map(hint_of_source)
        }
    };
    cause.chain().find_map(hint).map(ToOwned::to_owned)
}

fn hint_of_trace(error: &TraceError) -> Option<&'static str> {
    match error {
        TraceError::NoSuchOutput(_) => {
            Some("outputs are counted from 0; TXID alone means all of them")
        }
        TraceError::TooManySeeds { .. } => {
            Some("allow more with --max-nodes, or name fewer subjects")
        }
        TraceError::TooFewRequests { .. } => {
            Some("allow more with --max-requests, or name fewer subjects")
        }
        _ => None,
    }
}

fn hint_of_source(error: &SourceError) -> &'static str {
    match error.class {
        ErrorClass::NotRecorded => {
            "a recording answers the question that it was made for: leave out what asks for more, or record again"
        }
        _ => {
            "run the same command again, if need be with another --endpoint; see `hansel endpoints`"
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self {
            exit: Exit::Failed,
            cause: cause.into(),
            hint: None,
        }
    }
}
