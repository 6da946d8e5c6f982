//! The formats by name.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hansel_ledger::AmountError;

use crate::{
    Report, csv_accounting, csv_cash_outs, csv_flows, csv_links, csv_neo4j, csv_nodes, cytoscape,
    dot, gexf, graphml, gs, html, markdown, pdf, picture, stix, tables, tagpack, text,
};

/// A form that a report can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// A summary for people.
    Text,
    /// The report itself, `hansel-report/1`.
    Json,
    /// Three tables: nodes, flows and accounting.
    Csv,
    /// The table of cash-outs alone, newest first.
    CashOutCsv,
    /// GraphML for yEd, Gephi and NetworkX.
    GraphMl,
    /// GEXF with time for Gephi and NetworkX.
    Gexf,
    /// JSON for Cytoscape.
    Cytoscape,
    /// A drawing for Graphviz.
    Dot,
    /// A case file in Markdown.
    Markdown,
    /// Two tables for Neo4j.
    Neo4j,
    /// A table of links for Maltego.
    Maltego,
    /// A table of links for i2 Analyst's Notebook and charts like it.
    I2,
    /// A STIX 2.1 bundle.
    Stix,
    /// The addresses of the trail as a TagPack of GraphSense.
    TagPack,
    /// A save file of GraphSense's Pathfinder.
    Gs,
    /// Three Parquet tables for notebooks: nodes, flows and findings.
    Parquet,
    /// One page that needs nothing else, for any browser.
    Html,
    /// A picture of where the money went, for a document.
    Svg,
    /// The same picture in pixels.
    Png,
    /// A case file with the picture, on pages.
    Pdf,
}

/// Says that a text names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not one of {known}")]
pub struct UnknownFormat {
    given: String,
    known: String,
}

/// Says why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The place it is written to failed.
    #[error("could not write the report")]
    Write(#[from] io::Error),
    /// A CSV table could not be written.
    #[error("could not write the table")]
    Table(#[from] csv::Error),
    /// Amounts of the report do not fit when added up.
    #[error("the report's amounts cannot be added up")]
    Amount(#[from] AmountError),
    /// A Parquet table could not be written.
    #[error("could not write the Parquet table")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A time is beyond what the form can say.
    #[error("the time {0} is beyond what Parquet can say")]
    Time(crate::model::Timestamp),
    /// A flow names a node that the report does not list.
    #[error("flow `{flow}` names node `{node}`, which the report does not list")]
    UnlistedNode {
        /// The flow's id, safe to print.
        flow: String,
        /// The missing node's id, safe to print.
        node: String,
    },
    /// Two nodes have the same id.
    #[error("the report lists node `{0}` twice")]
    RepeatedNode(String),
    /// No rule of the report conserves value.
    #[error("no taint rule of the report conserves value, so there is nothing to draw")]
    NothingToDraw,
    /// The picture has more pixels than are painted.
    #[error(
        "the picture would have {pixels} pixels, which is too many to paint; `--format svg` draws it"
    )]
    TooLarge {
        /// How many it would have.
        pixels: u64,
    },
    /// The picture is no SVG that can be drawn.
    #[error("could not draw the picture")]
    Picture(#[from] resvg::usvg::Error),
    /// The pages could not be written.
    #[error("could not write the pages: {0}")]
    Document(String),
}

/// One file of a rendered report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// What the file's name ends in: `.json`, `-nodes.csv`.
    pub suffix: &'static str,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 20] = [
        Self::Text,
        Self::Json,
        Self::Csv,
        Self::CashOutCsv,
        Self::GraphMl,
        Self::Gexf,
        Self::Cytoscape,
        Self::Dot,
        Self::Html,
        Self::Markdown,
        Self::Svg,
        Self::Png,
        Self::Pdf,
        Self::Neo4j,
        Self::Maltego,
        Self::I2,
        Self::Stix,
        Self::TagPack,
        Self::Gs,
        Self::Parquet,
    ];

    /// The name on the command line, and the files with what writes them, in the order in which they are rendered.
    fn form(self) -> (&'static str, &'static [(&'static str, Writer)]) {
        match self {
            Self::Text => ("text", &[(".txt", text::write)]),
            Self::Json => ("json", &[(".json", write_json)]),
            Self::Csv => (
                "csv",
                &[
                    ("-nodes.csv", csv_nodes::write),
                    ("-flows.csv", csv_flows::write),
                    ("-accounting.csv", csv_accounting::write),
                ],
            ),
            Self::CashOutCsv => ("cashout-csv", &[("-cash-outs.csv", csv_cash_outs::write)]),
            Self::GraphMl => ("graphml", &[(".graphml", graphml::write)]),
            Self::Gexf => ("gexf", &[(".gexf", gexf::write)]),
            Self::Cytoscape => ("cytoscape", &[(".cyjs", cytoscape::write)]),
            Self::Dot => ("dot", &[(".dot", dot::write)]),
            Self::Html => ("html", &[(".html", html::write)]),
            Self::Markdown => ("md", &[(".md", markdown::write)]),
            Self::Svg => ("svg", &[(".svg", picture::write)]),
            Self::Png => ("png", &[(".png", picture::write_png)]),
            Self::Pdf => ("pdf", &[(".pdf", pdf::write)]),
            Self::Neo4j => (
                "neo4j",
                &[
                    ("-neo4j-nodes.csv", csv_neo4j::write_nodes),
                    ("-neo4j-flows.csv", csv_neo4j::write_flows),
                ],
            ),
            Self::Maltego => ("maltego", &[("-maltego.csv", csv_links::write_maltego)]),
            Self::I2 => ("i2", &[("-i2.csv", csv_links::write_i2)]),
            Self::Stix => ("stix", &[(".stix.json", stix::write)]),
            Self::TagPack => ("tagpack", &[("-tagpack.yaml", tagpack::write)]),
            Self::Gs => ("gs", &[(".gs", gs::write)]),
            Self::Parquet => (
                "parquet",
                &[
                    ("-nodes.parquet", tables::write_nodes),
                    ("-flows.parquet", tables::write_flows),
                    ("-findings.parquet", tables::write_findings),
                ],
            ),
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.form().0
    }

    /// True for a format that is no text and must not be sent to a terminal.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Png | Self::Pdf | Self::Gs)
    }

    /// What the names of the format's files end in, in the order in which they are rendered.
    pub fn suffixes(self) -> impl ExactSizeIterator<Item = &'static str> {
        self.form().1.iter().map(|(suffix, _)| *suffix)
    }

    /// The files for an output that the user named: for a format of one file the path itself, with the format's ending
    /// where it has none; for several, `PATH-nodes.csv` and so on, where a final `.csv` of the path is not repeated.
    pub fn paths(self, output: &Path) -> Vec<PathBuf> {
        let suffixes = self.suffixes();
        if suffixes.len() == 1 && output.extension().is_some() {
            return vec![output.to_owned()];
        }
        let own = |suffix: &str| Path::new(suffix).extension() == output.extension();
        let has_extension = output.extension().is_some() && self.suffixes().any(own);
        let base = if has_extension {
            output.with_extension("")
        } else {
            output.to_owned()
        };
        suffixes.map(|suffix| with_suffix(&base, suffix)).collect()
    }

    /// File names for a case where the user named none; characters that a file system could mind are replaced.
    pub fn file_names(self, case: &str) -> Vec<String> {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '-'
            }
        };
        let stem: String = case.chars().take(80).map(plain).collect();
        let stem = if stem.is_empty() { "report" } else { &*stem };
        self.suffixes()
            .map(|suffix| format!("{stem}{suffix}"))
            .collect()
    }
}

fn with_suffix(base: &Path, suffix: &str) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| UnknownFormat {
            given: crate::visible::clipped(text, 40),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Writes a report in one format to memory; one entry per [`Format::suffixes`], in that order.
pub fn render(report: &Report, format: Format) -> Result<Vec<Rendered>, FormatError> {
    let files = format.suffixes().enumerate();
    files
        .map(|(index, suffix)| {
            let mut bytes = Vec::new();
            write_file(report, format, index, &mut bytes)?;
            Ok(Rendered { suffix, bytes })
        })
        .collect()
}

/// Writes one file of a format, counted like [`Format::suffixes`]; a report of any size goes out piece by piece.
///
/// `out` is written to in small pieces: give it a buffer. A number beyond the format's files writes nothing.
pub fn write_file(
    report: &Report,
    format: Format,
    index: usize,
    out: &mut dyn io::Write,
) -> Result<(), FormatError> {
    match format.form().1.get(index) {
        Some((_, write)) => write(report, out),
        None => Ok(()),
    }
}

type Writer = fn(&Report, &mut dyn io::Write) -> Result<(), FormatError>;

fn write_json(report: &Report, out: &mut dyn io::Write) -> Result<(), FormatError> {
    Ok(report.write_json(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_by_name_and_an_unknown_one_lists_them() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let message = "p\u{1b}d".parse::<Format>().unwrap_err().to_string();
        assert_eq!(
            message,
            r"`p\u{1b}d` is not one of text, json, csv, cashout-csv, graphml, gexf, cytoscape, dot, html, md, svg, png, pdf, neo4j, maltego, i2, stix, tagpack, gs, parquet"
        );
    }

    #[test]
    fn a_format_of_several_files_names_each_after_the_output() {
        let paths = |output: &str| Format::Csv.paths(Path::new(output));
        let expected: Vec<PathBuf> = ["a/x-nodes.csv", "a/x-flows.csv", "a/x-accounting.csv"]
            .map(PathBuf::from)
            .into();
        assert_eq!(paths("a/x"), expected);
        assert_eq!(paths("a/x.csv"), expected);
    }

    #[test]
    fn formats_that_are_written_to_one_name_without_an_ending_have_files_of_their_own() {
        let mut files = std::collections::BTreeSet::new();
        for format in Format::ALL {
            for path in format.paths(Path::new("a.b/x")) {
                assert!(path.starts_with("a.b") && path.extension().is_some());
                assert!(files.insert(path.clone()), "{path:?}");
            }
        }
        assert_eq!(
            Format::Dot.paths(Path::new("x.gv")),
            [PathBuf::from("x.gv")]
        );
    }

    #[test]
    fn a_file_name_never_leaves_its_directory() {
        assert_eq!(
            Format::Json.file_names("../../etc/passwd"),
            ["------etc-passwd.json"]
        );
        assert_eq!(Format::Text.file_names(""), ["report.txt"]);
        assert_eq!(Format::GraphMl.file_names("dmm-2024"), ["dmm-2024.graphml"]);
    }
}
