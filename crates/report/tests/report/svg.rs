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

/// The words of the drawing that are not in a title: where they begin, and what they say.
fn words(picture: &str) -> Vec<(f64, String)> {
    let texts = picture.split("<text class=\"").skip(1);
    let texts = texts.filter(|text| text.starts_with("name") || text.starts_with("amount"));
    let parse = |text: &str| {
        let x = text.split("x=\"").nth(1)?.split('"').next()?;
        let words = text.split('>').nth(1)?.split('<').next()?;
        Some((x.parse().ok()?, words.to_owned()))
    };
    texts.map(|text| parse(text).unwrap()).collect()
}

#[test]
fn long_amounts_and_labels_end_before_the_next_box_and_before_the_edge() {
    let mut report = sample::report();
    report.seeds[0].decimals = 18;
    report.nodes[3].labels[0].label = "Exchange of a very long and w".repeat(2);
    for flow in &mut report.flows {
        flow.claims.values_mut().for_each(|claims| {
            claims
                .values_mut()
                .for_each(|claim| *claim = claim.mul_div(1_000_000.into(), 7.into()).unwrap());
        });
    }
    let picture = sample::rendered(&report, Format::Svg);
    let words = words(&picture);
    assert!(words.len() > 5);
    // Letters of the font are about two thirds of their size wide.
    let longest = words.iter().map(|(x, text)| (x, text.chars().count()));
    for (x, letters) in longest {
        let room = 1_200.0 - x;
        assert!(
            f64::from(u32::try_from(letters).unwrap()) * 6.5 < room,
            "{x} {letters}"
        );
    }
    assert!(
        words.iter().any(
            |(_, text)| text.starts_with("exchange: Exchange of a very") && text.ends_with('…')
        )
    );
}

#[test]
fn addresses_that_look_alike_are_told_apart_wherever_they_are_short() {
    let mut report = sample::report();
    let (paid, alike) = (
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "bc1qw508aaaaaaaaaaaaaaaaaaaaaaaaaa7kv8f3t4",
    );
    report.nodes[3].labels.clear();
    report.nodes[2].address = Some(alike.into());
    assert_eq!(report.nodes[3].address.as_deref(), Some(paid));
    for format in [
        Format::Svg,
        Format::Html,
        Format::Dot,
        Format::GraphMl,
        Format::Gexf,
        Format::Cytoscape,
        Format::Neo4j,
        Format::I2,
    ] {
        let shown = sample::rendered(&report, format);
        for short in ["bc1qw508d…w7kv8f3t4", "bc1qw508a…a7kv8f3t4"] {
            assert!(shown.contains(short), "{format} {short}");
        }
        assert!(!shown.contains("bc1qw508…7kv8f3t4"), "{format}");
    }
    let ordinary = sample::rendered(&sample::report(), Format::Dot);
    assert!(ordinary.contains("bc1qw508…7kv8f3t4"), "{ordinary}");
}
