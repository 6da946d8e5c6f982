//! The page as text; `tests/browser.rs` opens it in a browser.

use hansel_report::Format;
use sha2::{Digest, Sha256};

use crate::sample;

fn page() -> String {
    sample::rendered(&sample::report(), Format::Html)
}

#[test]
fn the_page_says_the_same_amounts_as_the_summary() {
    let page = page();
    for words in [
        "4,502.90000000 BTC on bitcoin",
        "1,502.90000000",
        "Example Exchange",
        sample::DEPOSIT,
        "esplora.example",
        "the label of the exchange has no date",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn equal_reports_give_equal_pages() {
    assert_eq!(page(), page());
}

#[test]
fn the_policy_allows_the_style_and_the_script_of_the_page_and_nothing_else() {
    let page = page();
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let digest = Sha256::digest(between(&page, open, close).as_bytes());
        let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
        assert!(policy.contains(&format!("'sha256-{digest}'")), "{open}");
    }
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
    assert!(!between(&page, "<head>", "</head>").contains("http://"));
}

#[test]
fn the_bundled_script_is_the_one_that_was_recorded() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let recorded = std::fs::read_to_string(format!("{root}/web/page.js.sha256")).unwrap();
    let script = std::fs::read(format!("{root}/crates/report/src/html/page.js")).unwrap();
    let digest: String = Sha256::digest(script)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(recorded.split_whitespace().next(), Some(&*digest));
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}
