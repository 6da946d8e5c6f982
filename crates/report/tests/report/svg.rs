//! The picture of where the money went.

use hansel_report::Format;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::sample;

fn picture() -> String {
    sample::rendered(&sample::report(), Format::Svg)
}

#[test]
fn every_end_stands_in_the_picture_with_its_exact_amount() {
    let picture = picture();
    for words in [
        "theft: tx:975ec405",
        "at rest: bc1p0xlx",
        "3,000.00000000 BTC (66.6 %)",
        "exchange: Example Exchange",
        "1,502.90000000 BTC (33.4 %)",
    ] {
        assert!(picture.contains(words), "{words}\n{picture}");
    }
    assert_eq!(picture, self::picture(), "the same bytes every time");
}

#[test]
fn the_picture_is_well_formed_and_runs_and_loads_nothing() {
    let picture = picture();
    let mut reader = Reader::from_str(&picture);
    let mut elements = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                elements += 1;
                let name = element.name();
                let name: &str = name.as_ref();
                assert!(
                    ["svg", "title", "style", "rect", "text", "path", "g"].contains(&name),
                    "{name}"
                );
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap();
                    let key: &str = attribute.key.as_ref();
                    assert!(!key.starts_with("on") && !key.ends_with("href"));
                }
            }
            _ => {}
        }
    }
    assert!(elements > 10);
}
