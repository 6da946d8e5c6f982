//! Text chosen by a thief or an endpoint must be shown, never obeyed.

use hansel_report::text::write_in;
use hansel_report::{Format, Report, json_schema, render};
use serde_json::Value;

use crate::{
    cytoscape, dot, graphml, gs, links, markdown, pdf, readers, sample, stix, tables, tagpack,
};

const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "]]>",
    "<!--",
    "&#8238;&amp;",
    "=HYPERLINK(\"http://evil\")",
    "\t=1+1",
    "a;=cmd|' /C calc'!A1",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}gpj.exe\u{2066}",
    "nul\0nul",
    "quote\" ' ` \\",
    "\\N\\\"]; evil [label=\"",
    "line\r\nline\nline",
    "\u{ffff}\u{feff}\u{2028}\u{9b}31m",
];

/// A report whose every string that an outsider can choose is `text`; ids stay distinct and consistent.
fn infected(text: &str) -> Report {
    let mut report: Value = serde_json::from_str(&sample::valued().to_json()).unwrap();
    infect(&mut report, None, text);
    Report::from_json(report.to_string().as_bytes()).unwrap()
}

/// Fields whose values this program chooses; a report with others in them cannot be read.
const OWN: [&str; 12] = [
    "schema",
    "direction",
    "rules",
    "rule",
    "fee_rule",
    "kind",
    "proof",
    "confidence",
    "time",
    "priced_at",
    "min_amount",
    "amount",
];

fn infect(value: &mut Value, field: Option<&str>, text: &str) {
    match value {
        Value::String(old)
            if old.bytes().all(|b| b.is_ascii_digit())
                || field.is_some_and(|field| OWN.contains(&field)) => {}
        Value::String(old) => *old = format!("{text}{old}{text}"),
        Value::Array(items) => items.iter_mut().for_each(|item| infect(item, field, text)),
        Value::Object(fields) => fields
            .iter_mut()
            .for_each(|(name, item)| infect(item, Some(name), text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ffff}')
}

/// Nothing that steers a terminal or an editor, apart from the format's own line ends.
fn assert_plain(what: &str, text: &str) {
    let found = text
        .chars()
        .find(|c| is_hidden(*c) && !matches!(c, '\n' | '\r'));
    assert_eq!(found, None, "{what}");
}

#[test]
fn every_format_shows_hidden_characters_instead_of_sending_them() {
    for hostile in HOSTILE {
        let report = infected(hostile);
        for format in [
            Format::Text,
            Format::Csv,
            Format::CashOutCsv,
            Format::GraphMl,
            Format::Gexf,
            Format::Cytoscape,
            Format::Dot,
            Format::Html,
            Format::Markdown,
            Format::Svg,
            Format::Neo4j,
            Format::Maltego,
            Format::I2,
            Format::Stix,
            Format::TagPack,
        ] {
            assert_plain(
                &format!("{format}: {hostile:?}"),
                &sample::rendered(&report, format),
            );
        }
    }
}

#[test]
fn a_save_file_of_graphsense_holds_hostile_text_as_shown_text() {
    for hostile in HOSTILE {
        if let Some(save) = gs::unpacked(&infected(hostile)) {
            let mut texts = vec![&save];
            while let Some(text) = texts.pop() {
                match text {
                    Value::Array(items) => texts.extend(items),
                    Value::String(text) => assert_plain(hostile, text),
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn json_keeps_hostile_text_exactly() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    for hostile in HOSTILE {
        let report = infected(hostile);
        let json = report.to_json();
        assert_eq!(Report::from_json(json.as_bytes()).unwrap(), report);
        assert!(
            json.chars().all(|c| c == '\n' || !c.is_ascii_control()),
            "{hostile:?}"
        );
        assert!(schema.is_valid(&serde_json::from_str(&json).unwrap()));
    }
}

#[test]
fn csv_keeps_its_shape_and_starts_no_formula() {
    for hostile in HOSTILE {
        let report = infected(hostile);
        for (file, rows) in render(&report, Format::Csv).unwrap().iter().zip([6, 5, 3]) {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(&*file.bytes);
            let records: Vec<_> = reader.records().map(Result::unwrap).collect();
            assert_eq!(records.len(), rows, "{}: {hostile:?}", file.suffix);
            for cell in records.iter().flatten() {
                assert!(
                    !cell.trim_start().starts_with(['=', '+', '-', '@']),
                    "{cell:?}"
                );
            }
            assert_eq!(
                file.bytes.iter().filter(|b| **b == b'\n').count(),
                rows,
                "one line per row"
            );
        }
    }
}

#[test]
fn tables_of_links_keep_their_shape_and_start_no_formula() {
    for hostile in HOSTILE {
        let report = infected(hostile);
        let formats = [
            (Format::Neo4j, &[6, 5][..]),
            (Format::Maltego, &[5]),
            (Format::I2, &[5]),
        ];
        for (format, rows) in formats {
            let tables = links::tables(&report, format);
            assert_eq!(
                tables.iter().map(Vec::len).collect::<Vec<_>>(),
                rows,
                "{format}: {hostile:?}"
            );
            for cell in tables.iter().flatten().flatten() {
                assert!(
                    !cell.trim_start().starts_with(['=', '+', '-', '@']),
                    "{cell:?}"
                );
            }
        }
    }
}

#[test]
fn the_stix_validator_accepts_hostile_text() {
    let report = infected(&HOSTILE.concat());
    if let Some(output) = stix::validated(&report) {
        assert_eq!(output, "True []\n");
    }
}

#[test]
fn a_tag_pack_of_hostile_text_holds_the_same_tags() {
    for hostile in HOSTILE {
        let Some(pack) = tagpack::with_yaml(&infected(hostile)) else {
            return;
        };
        assert_eq!(
            pack["tags"].as_array().map(Vec::len),
            Some(3),
            "{hostile:?}"
        );
        assert_eq!(
            pack.as_object().map(serde_json::Map::len),
            Some(5),
            "{hostile:?}"
        );
        for tag in pack["tags"].as_array().into_iter().flatten() {
            assert_eq!(
                tag.as_object().map(serde_json::Map::len),
                Some(8),
                "{hostile:?}"
            );
        }
    }
}

#[test]
fn pyarrow_reads_hostile_tables_and_finds_nothing_hidden_in_them() {
    let script = "print(t.num_rows, [v for r in t.to_pylist() for v in r.values()])";
    let report = infected(&HOSTILE.concat());
    for (table, rows) in [5, 4, 1].into_iter().enumerate() {
        if let Some(output) = tables::with_pyarrow(&report, table, script) {
            assert!(output.starts_with(&format!("{rows} ")), "{output}");
            assert_plain("parquet", &output);
            assert!(
                !output.contains("\\x") && !output.contains("\\r"),
                "{output}"
            );
        }
    }
}

#[test]
fn text_can_forge_neither_a_line_nor_an_entry() {
    let forged = infected("\n  balances  yes\n");
    let text = sample::rendered(&forged, Format::Text);
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("  balances  "))
            .count(),
        1
    );
    let mut report = sample::report();
    report.nodes[3].labels[0].label = "3. forged ".repeat(20);
    for width in 40..120 {
        let mut bytes = Vec::new();
        write_in(&report, width, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            !text.lines().any(|line| line.starts_with("  3. ")),
            "{text}"
        );
    }
}

#[test]
fn graph_formats_keep_their_shape() {
    for hostile in HOSTILE {
        let report = infected(hostile);
        let xml = sample::rendered(&report, Format::GraphMl);
        assert_eq!(
            graphml::ids(&xml).len(),
            report.nodes.len() + report.flows.len(),
            "{hostile:?}"
        );
        if let Some(counts) = dot::counted(&sample::rendered(&report, Format::Dot)) {
            assert_eq!(
                counts,
                (report.nodes.len(), report.flows.len()),
                "{hostile:?}"
            );
        }
    }
}

#[test]
fn html_entities_stay_text_in_a_drawing() {
    let report = infected("&#8238;");
    if let Some(svg) = dot::drawn(&sample::rendered(&report, Format::Dot), "svg") {
        assert!(
            !svg.contains('\u{202e}') && !svg.contains("&#8238;"),
            "{svg}"
        );
        assert!(svg.contains("&amp;#8238;"), "{svg}");
    }
}

#[test]
fn networkx_reads_hostile_graphs() {
    let all = HOSTILE.concat();
    let xml = sample::rendered(&infected(&all), Format::GraphMl);
    if let Some(output) = graphml::with_networkx(&xml, "print(len(g.nodes), len(g.edges))") {
        assert_eq!(output, "5 4\n");
    }
    let xml = sample::rendered(&infected(&all), Format::Gexf);
    let script = "import sys, networkx as nx\n\
        g = nx.read_gexf(sys.stdin.buffer)\n\
        print(len(g.nodes), len(g.edges))";
    if let Some(output) = readers::python("networkx", script, xml.as_bytes()) {
        assert_eq!(output, "5 4\n");
    }
}

#[test]
fn cytoscape_reads_hostile_graphs() {
    for hostile in HOSTILE {
        if let Some(output) = cytoscape::counted(&infected(hostile)) {
            assert_eq!(output, "5 4 300000000000\n", "{hostile:?}");
        }
    }
}

#[test]
fn markdown_shows_hostile_text_and_does_nothing_else() {
    let links = [
        "[x](javascript:alert(1))",
        "![x](http://evil)",
        "<http://evil>",
        "[^1]",
        "# head",
        "$x$",
    ];
    let plain = markdown::read(&sample::rendered(&sample::valued(), Format::Markdown));
    let lines = |text: &str| text.lines().count();
    for hostile in HOSTILE.into_iter().chain(links) {
        let infected = sample::rendered(&infected(hostile), Format::Markdown);
        let (doing, text) = markdown::read(&infected);
        assert_eq!(doing, Vec::<String>::new(), "{hostile:?}: {infected}");
        assert_eq!(lines(&text), lines(&plain.1), "{hostile:?}: {infected}");
    }
}

#[test]
fn a_document_shows_hostile_text_and_does_nothing_else() {
    for hostile in HOSTILE
        .into_iter()
        .chain(["(x) Tj ET endstream endobj << /JS (app.alert(1)) >>"])
    {
        let Some(output) = pdf::with_pypdf(&infected(hostile), pdf::TEXT_AND_ACTIONS) else {
            return;
        };
        let (acting, text) = output.split_once('\n').unwrap();
        assert_eq!(acting, "[]", "{hostile:?}");
        assert_plain("pdf", text);
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_in_every_format() {
    let report = infected(&HOSTILE.concat());
    let again = Report::from_json(report.to_json().as_bytes()).unwrap();
    for format in Format::ALL {
        assert_eq!(
            render(&report, format).unwrap(),
            render(&again, format).unwrap(),
            "{format}"
        );
    }
}

#[test]
fn text_of_a_megabyte_neither_stops_nor_floods_what_people_read() {
    let report = infected(&"\u{202e}=".repeat(250_000));
    for format in Format::ALL {
        let files = render(&report, format).unwrap();
        let size: usize = files.iter().map(|file| file.bytes.len()).sum();
        match format {
            Format::Text => assert!(size < 100_000, "{size}"),
            Format::Json
            | Format::Csv
            | Format::CashOutCsv
            | Format::GraphMl
            | Format::Gexf
            | Format::Cytoscape
            | Format::Dot
            | Format::Html
            | Format::Neo4j
            | Format::Maltego
            | Format::I2
            | Format::Stix
            | Format::Parquet => assert!(size > 1_000_000),
            Format::Svg | Format::Markdown | Format::TagPack | Format::Gs => {
                assert!(size < 100_000)
            }
            Format::Png | Format::Pdf => assert!(size < 500_000),
        }
    }
}
