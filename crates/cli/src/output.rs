//! Standard output is the result and nothing else; everything said on the way goes to standard error.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use hansel_report::text::DEFAULT_WIDTH;
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

/// How many characters a line on standard output has room for: the terminal's width, or the usual one for a file.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    let columns = terminal.map(|(width, _)| usize::from(width.0));
    columns.map_or(DEFAULT_WIDTH, |columns| columns.clamp(60, WIDEST))
}

/// Longer lines are hard to follow.
const WIDEST: usize = 140;

/// A text with its heads in bold where it is shown on a terminal that may be coloured; otherwise as it is.
///
/// Nothing is said by the looks alone: <https://no-color.org> and `TERM=dumb` take them away.
pub(crate) fn dressed(text: &str) -> String {
    let wished = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    if wished && able && io::stdout().is_terminal() {
        bold_heads(text)
    } else {
        text.to_owned()
    }
}

const BOLD: anstyle::Style = anstyle::Style::new().bold();
/// What must not be overlooked; the words say it too.
const WARNING: anstyle::Style =
    BOLD.fg_color(Some(anstyle::Color::Ansi(anstyle::AnsiColor::Yellow)));

/// A line that is not indented is a head. Texts of outsiders are printable already.
fn bold_heads(text: &str) -> String {
    let line = |line: &str| {
        let style = if line.starts_with("TRAINING CASE") {
            WARNING
        } else {
            BOLD
        };
        if line.is_empty() || line.starts_with(' ') {
            format!("{line}\n")
        } else {
            format!("{style}{line}{style:#}\n")
        }
    };
    text.lines().map(line).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_bold_and_nothing_else_changes() {
        let text = "Case x\nTRAINING CASE: made up\n  s1: 5 BTC\n\nConditions\n";
        let shown = bold_heads(text);
        assert!(shown.starts_with("\u{1b}[1mCase x\u{1b}[0m\n"));
        assert!(shown.contains("\n  s1: 5 BTC\n\n"));
        let mut plain = shown;
        for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[33m"] {
            plain = plain.replace(code, "");
        }
        assert_eq!(plain, text);
    }

    #[test]
    fn what_is_piped_is_as_wide_as_ever_and_has_no_colours() {
        // Tests run without a terminal, or with one that must not be asserted on.
        if !io::stdout().is_terminal() {
            assert_eq!(width(), DEFAULT_WIDTH);
            assert_eq!(dressed("Case x\n"), "Case x\n");
        }
    }
}
