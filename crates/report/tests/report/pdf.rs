//! The case file on pages, read by pypdf.

use hansel_report::{Format, Report, render};

use crate::{readers, sample};

/// What a script says of the document as `pdf`; `None` where pypdf is not installed.
pub(crate) fn with_pypdf(report: &Report, script: &str) -> Option<String> {
    let bytes = &render(report, Format::Pdf).unwrap()[0].bytes;
    let script = format!(
        "import sys, io, pypdf\npdf = pypdf.PdfReader(io.BytesIO(sys.stdin.buffer.read()), strict=True)\n{script}"
    );
    readers::python("pypdf", &script, bytes)
}

/// Prints the text of all pages without its line ends, and what of the file could act.
pub(crate) const TEXT_AND_ACTIONS: &str = r#"
acting = {"/JS", "/JavaScript", "/OpenAction", "/AA", "/URI", "/Launch", "/EmbeddedFiles", "/Annots", "/AcroForm"}
found = set()
for number in range(1, len(pdf.xref[0]) + 1):
    thing = pdf.get_object(number)
    if isinstance(thing, pypdf.generic.DictionaryObject):
        found |= acting & set(thing.keys())
print(sorted(found))
print(" ".join("".join(page.extract_text().split("\n")) for page in pdf.pages))
"#;

#[test]
fn pypdf_reads_the_headline_the_sums_and_every_address_and_finds_nothing_that_acts() {
    let report = sample::report();
    let Some(output) = with_pypdf(&report, TEXT_AND_ACTIONS) else {
        return;
    };
    let (acting, text) = output.split_once('\n').unwrap();
    assert_eq!(acting, "[]");
    let seen: String = text.split_whitespace().collect();
    for words in ["Cash-outs:services", "4,502.90000000BTC", "3,000.00000000"] {
        assert!(seen.contains(words), "{words}\n{text}");
    }
    for out in &report.cash_outs {
        assert!(seen.contains(&out.deposit_address), "{text}");
        assert!(seen.contains(&out.tx), "{text}");
    }
}

#[test]
fn the_parts_of_the_case_file_are_listed_beside_its_pages_of_a4() {
    let script = "size = pdf.pages[0].mediabox\n\
        print([one.title for one in pdf.outline][2:4], size.width, size.height, pdf.metadata.creator)";
    if let Some(output) = with_pypdf(&sample::report(), script) {
        assert_eq!(
            output,
            "['Cash-outs: services that may freeze it, newest first', 'Findings: opinions with evidence, not facts'] 595 842 hansel\n"
        );
    }
}

#[test]
fn a_training_case_says_on_every_page_that_it_is_made_up() {
    let mut report = sample::report();
    report.case.training = true;
    let finding = report.findings[0].clone();
    report.findings.extend(std::iter::repeat_n(finding, 300));
    let script = "print(len(pdf.pages) > 2, all('TRAINING CASE' in page.extract_text() for page in pdf.pages))";
    if let Some(output) = with_pypdf(&report, script) {
        assert_eq!(output, "True True\n");
    }
}
