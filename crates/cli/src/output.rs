//! Standard output is the result and nothing else; everything said on the way goes to standard error.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use hansel_report::visible;
use serde::Serialize;

/// Writes a result to standard output; a reader that has gone away is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    write_on(text.as_bytes()).map(drop)
}

/// Writes a piece of a result to standard output; false where the reader has gone away.
pub(crate) fn write_on(piece: &[u8]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(piece).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        done => done.map(|()| true),
    }
}

/// Standard output for a result of many pieces; once the reader has gone away, the rest goes nowhere.
#[derive(Debug, Default)]
pub(crate) struct Piped {
    gone: bool,
}

impl Write for Piped {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.gone = self.gone || !write_on(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes a result to standard output as indented JSON.
pub(crate) fn print_json<T: Serialize>(value: &T) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// Takes what is said in place of standard error.
pub(crate) type Hearer = Arc<dyn Fn(&str) + Send + Sync>;

static HEARER: Mutex<Option<Hearer>> = Mutex::new(None);

/// Has everything that is said from now on heard by somebody else; `None` gives it back to standard error.
pub(crate) fn hear(hearer: Option<Hearer>) {
    *HEARER.lock().unwrap_or_else(PoisonError::into_inner) = hearer;
}

/// Says something on standard error.
pub(crate) fn say(text: &str) {
    let hearer = HEARER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if let Some(hearer) = hearer {
        return hearer(text);
    }
    // With standard error closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// A text of one or more lines without anything that could steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(visible).collect();
    lines.join("\n")
}
