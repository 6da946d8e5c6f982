//! Draws what happens to cases, and listens to keys.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{
    self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListItem, Paragraph, Row, Table};
use ratatui::{DefaultTerminal, Frame};

use super::board::{Board, Case, Shown};
use crate::alerts::Severity;
use crate::drive::Interrupt;

/// How long a picture stands.
const STANDS: Duration = Duration::from_millis(250);
const PAGE: isize = 10;

/// Draws until the board is closed or a key says so.
pub(super) fn run(
    terminal: &mut DefaultTerminal,
    board: &Board,
    interrupt: &Interrupt,
) -> io::Result<()> {
    loop {
        if board.shown().closed {
            return Ok(());
        }
        terminal.draw(|frame| draw(frame, &board.shown()))?;
        if event::poll(STANDS)?
            && let Input::Key(key) = event::read()?
        {
            obey(key, board, interrupt);
        }
    }
}

fn obey(key: KeyEvent, board: &Board, interrupt: &Interrupt) {
    if key.kind != KeyEventKind::Press {
        return;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => stop(board, interrupt),
        KeyCode::Char('q') | KeyCode::Esc => stop(board, interrupt),
        KeyCode::Down | KeyCode::Char('j') => board.shown().scroll(1),
        KeyCode::Up | KeyCode::Char('k') => board.shown().scroll(-1),
        KeyCode::PageDown => board.shown().scroll(PAGE),
        KeyCode::PageUp => board.shown().scroll(-PAGE),
        _ => {}
    }
}

fn stop(board: &Board, interrupt: &Interrupt) {
    board.say("stopping once what is being written is written");
    interrupt.stop();
}

/// Draws the board: chains, cases, events, and what keys do.
pub(super) fn draw(frame: &mut Frame<'_>, shown: &Shown) {
    let parts = [
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ];
    let [chains, cases, events, keys] = Layout::vertical(parts).areas(frame.area());
    frame.render_widget(Paragraph::new(chain_line(shown)), chains);
    frame.render_widget(case_table(shown), cases);
    frame.render_widget(event_list(shown), events);
    let help = format!(
        "q ends, up and down scroll the cases; {} alerts wait for delivery",
        shown.waiting
    );
    frame.render_widget(Paragraph::new(help), keys);
}

fn chain_line(shown: &Shown) -> Line<'_> {
    let mut spans = vec![Span::styled("hansel watch", bold())];
    for (name, chain) in &shown.chains {
        let height = chain
            .height
            .map_or("?".to_owned(), |height| height.to_string());
        let (text, style) = if chain.trouble {
            (
                format!("  {name} {height} cannot be read"),
                Style::new().fg(Color::Red),
            )
        } else {
            (format!("  {name} {height}"), Style::new())
        };
        spans.push(Span::styled(text, style));
    }
    Line::from(spans)
}

fn case_table(shown: &Shown) -> Table<'_> {
    let rows = shown.cases.iter().skip(shown.top).map(|(name, case)| {
        let gravest = case.gravest.map_or("", Severity::name);
        let cells = [name, gravest, case.state, &case.through, &case.because];
        Row::new(cells.map(ToOwned::to_owned)).style(case_style(case))
    });
    let widths = [
        Constraint::Max(24),
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Fill(1),
        Constraint::Fill(2),
    ];
    let heads = Row::new(["case", "alert", "state", "through", "because"]).style(bold());
    let title = format!(" {} cases ", shown.cases.len());
    Table::new(rows, widths)
        .header(heads)
        .block(Block::bordered().title(title))
}

fn case_style(case: &Case) -> Style {
    match case.gravest {
        Some(severity) => severity_style(severity),
        None if case.failed => Style::new().fg(Color::Magenta),
        None => Style::new(),
    }
}

fn event_list(shown: &Shown) -> List<'_> {
    let items = shown.events.iter().map(|event| {
        let style = event.severity.map_or(Style::new(), severity_style);
        let severity = event.severity.map_or("", Severity::name);
        ListItem::new(format!("{} {severity:8} {}", event.at, event.text)).style(style)
    });
    List::new(items).block(Block::bordered().title(" what happened "))
}

/// Colour never says more than the words beside it.
fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        Severity::High => Style::new().fg(Color::Red),
        Severity::Medium => Style::new().fg(Color::Yellow),
        Severity::Low => Style::new().fg(Color::Cyan),
    }
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::commands::rescan::follow::View as _;
    use crate::commands::rescan::outcome::Outcome;

    /// The lines of a picture.
    fn picture(board: &Board) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(100, 14)).unwrap();
        terminal.draw(|frame| draw(frame, &board.shown())).unwrap();
        let buffer = terminal.backend().buffer();
        let line = |y| -> String { (0..100).map(|x| buffer[(x, y)].symbol()).collect() };
        (0..14).map(|y| line(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn chains_cases_and_events_are_drawn_with_what_became_of_them() {
        let board = Board::default();
        board.block("bitcoin", 930_000);
        board
            .shown()
            .chains
            .entry("ethereum".into())
            .or_default()
            .trouble = true;
        board.round(&[
            Outcome::left("loot".into(), "it looks at blocks up to a fixed one only"),
            Outcome::failed("upbit".into(), "no answer".into()),
        ]);
        board.waiting(3);
        let mut shown = board.shown();
        shown.cases.get_mut("loot").unwrap().gravest = Some(Severity::Critical);
        let at = "2026-11-21T15:00:00Z".to_owned();
        shown.happened(
            at,
            Some(Severity::Critical),
            "loot: 5 BTC base units reached Kraken",
        );
        drop(shown);
        let lines = picture(&board);
        let expected = [
            "hansel watch  bitcoin 930000  ethereum ? cannot be read",
            "┌ 2 cases ───",
            "│case  ",
            "│loot                     critical left",
            "│upbit                             failed",
        ];
        for (line, start) in lines.iter().zip(expected) {
            assert!(line.starts_with(start), "{start}: {lines:#?}");
        }
        assert!(lines[4].contains("no answer"), "{lines:#?}");
        let event = "│2026-11-21T15:00:00Z critical loot: 5 BTC base units reached Kraken";
        assert!(
            lines.iter().any(|line| line.starts_with(event)),
            "{lines:#?}"
        );
        let keys = lines.last().unwrap();
        assert!(keys.contains("3 alerts wait for delivery"), "{keys}");
    }

    #[test]
    fn hostile_text_is_drawn_as_codes_and_cut() {
        let board = Board::default();
        let hostile = "a\u{1b}[2J\u{9b}31m\u{202e}gpj.exe\u{7}\u{200b}";
        board.chain(hostile, Some(hostile));
        board.round(&[Outcome::left(hostile.into(), hostile)]);
        board.say(&format!("{hostile}{}", "x".repeat(1_000_000)));
        let shown = board.shown();
        assert!(shown.events.iter().all(|event| event.text.len() < 3_000));
        drop(shown);
        let lines = picture(&board);
        let text = lines.join("");
        assert!(
            text.contains(r"a\u{1b}[2J\u{9b}31m\u{202e}gpj.exe"),
            "{lines:#?}"
        );
        for hidden in ['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}', '\u{200b}'] {
            assert!(!text.contains(hidden), "{hidden:?}: {lines:#?}");
        }
    }

    #[test]
    fn cases_are_scrolled_no_further_than_the_last_and_old_events_are_dropped() {
        let board = Board::default();
        let outcomes: Vec<_> = (0..30)
            .map(|number| Outcome::left(format!("case-{number:02}"), "fixed"))
            .collect();
        board.round(&outcomes);
        let mut shown = board.shown();
        shown.scroll(-5);
        assert_eq!(shown.top, 0);
        shown.scroll(100);
        assert_eq!(shown.top, 29);
        for number in 0..2_000 {
            shown.happened(String::new(), None, &number.to_string());
        }
        assert_eq!(shown.events.len(), 500);
        assert_eq!(shown.events[0].text, "1999");
        drop(shown);
        let lines = picture(&board);
        assert!(lines[3].starts_with("│case-29"), "{lines:#?}");
    }
}
