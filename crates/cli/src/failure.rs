//! What the user is told when a command fails: the chain of causes, and what to do.

use std::fmt::Write as _;
use std::io::Write as _;

use hansel_store::StoreError;

use crate::args::Exit;

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

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints the failure to standard error.
    pub(crate) fn print(&self) {
        let mut text = format!("error: {}\n", self.cause);
        for cause in self.cause.chain().skip(1) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  because: {cause}");
        }
        let hint = self.hint.clone().or_else(|| store_hint(&self.cause));
        if let Some(hint) = hint {
            let _ = writeln!(text, "\nhint: {hint}");
        }
        // With standard error closed there is nobody to tell.
        drop(std::io::stderr().write_all(text.as_bytes()));
    }
}

fn store_hint(cause: &anyhow::Error) -> Option<String> {
    cause
        .chain()
        .find_map(|cause| cause.downcast_ref::<StoreError>()?.hint())
        .map(ToOwned::to_owned)
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
