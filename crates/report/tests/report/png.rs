//! The picture in pixels, read by Pillow.

use hansel_report::{Format, Report, render};

use crate::{readers, sample};

/// What a script says of the picture as `im`; `None` where Pillow is not installed.
fn with_pillow(report: &Report, script: &str) -> Option<String> {
    let bytes = &render(report, Format::Png).unwrap()[0].bytes;
    let script = format!(
        "import sys, io\nfrom PIL import Image\n\
         im = Image.open(io.BytesIO(sys.stdin.buffer.read())).convert('RGB')\n{script}"
    );
    readers::python("PIL", &script, bytes)
}

#[test]
fn pillow_sees_the_picture_at_twice_its_size_with_its_text_and_colours() {
    let script = "colours = {c: n for n, c in im.getcolors(1 << 24)}\n\
        dark = sum(n for c, n in colours.items() if max(c) < 80)\n\
        print(im.size[0], im.size[1] > 300, (0x3c, 0x6e, 0x47) in colours, (0x0b, 0x5c, 0xad) in colours, dark > 2000)";
    if let Some(output) = with_pillow(&sample::report(), script) {
        assert_eq!(output, "2400 True True True True\n");
    }
}

#[test]
fn a_report_without_a_rule_that_conserves_value_has_no_picture_and_says_so() {
    let mut report = sample::report();
    report.case.rules = vec![hansel_graph::Rule::Poison];
    let error = render(&report, Format::Png).unwrap_err().to_string();
    assert_eq!(
        error,
        "no taint rule of the report conserves value, so there is nothing to draw"
    );
    assert!(render(&report, Format::Pdf).is_ok());
}

/// Claims that no trace makes, as a file that somebody altered may hold.
#[test]
fn a_picture_beyond_all_measure_is_refused_and_not_painted() {
    let mut report = sample::report();
    for seed in &mut report.seeds {
        seed.amount = 1_u64.into();
    }
    match render(&report, Format::Png) {
        Ok(files) => assert!(files[0].bytes.len() < 1 << 24),
        Err(error) => assert!(error.to_string().contains("too many to paint"), "{error}"),
    }
}
