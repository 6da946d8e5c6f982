use hansel_report::Format;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::sample::{self, COLD, DEPOSIT, LOOT, THEFT};

/// The parts of a document that do something but show text, and the text itself.
pub(crate) fn read(markdown: &str) -> (Vec<String>, String) {
    let (mut doing, mut text) = (Vec::new(), String::new());
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                doing.push(format!("link to {dest_url}"));
            }
            Event::Start(Tag::CodeBlock(_) | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => {
                doing.push("block".to_owned());
            }
            Event::Html(html) | Event::InlineHtml(html) => doing.push(format!("html {html}")),
            Event::InlineMath(math) | Event::DisplayMath(math) => {
                doing.push(format!("math {math}"))
            }
            Event::Text(shown) | Event::Code(shown) => text += &shown,
            Event::End(_) | Event::SoftBreak | Event::HardBreak => text.push('\n'),
            _ => {}
        }
    }
    (doing, text)
}

#[test]
fn a_case_file_tells_what_was_stolen_where_it_is_and_what_is_not_known() {
    let markdown = sample::rendered(&sample::report(), Format::Markdown);
    let (doing, text) = read(&markdown);
    assert_eq!(doing, Vec::<String>::new());
    for part in [
        "sample-theft",
        "4,502.90000000 BTC",
        LOOT,
        THEFT,
        COLD,
        DEPOSIT,
        "Example Exchange (exchange)",
        "the loot was split once",
        "the endpoint timed out",
        "First in, first out",
        "2,928.46148843 BTC",
    ] {
        assert!(text.contains(part), "{part}: {markdown}");
    }
    assert!(
        markdown.contains("| at rest | 3,000.00000000 | 2,928.46148843 |"),
        "{markdown}"
    );
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    let markdown = sample::rendered(&sample::report(), Format::Markdown);
    let mut cells = None;
    for line in markdown.lines() {
        let found = line
            .starts_with('|')
            .then(|| line.replace("\\|", "").matches('|').count());
        assert!(
            cells.is_none() || found.is_none() || cells == found,
            "{line}"
        );
        cells = found;
    }
}
