use std::io::Write;
use std::process::{Command, Stdio};

use hansel_report::Format;

use crate::sample;

#[test]
fn a_stop_is_told_by_shape_and_word() {
    let dot = sample::rendered(&sample::report(), Format::Dot);
    let line = |id: &str| {
        dot.lines()
            .find(|line| line.starts_with(&format!("  \"{id}\" [")))
            .expect(id)
    };
    let cold = format!("bitcoin:output:{}:0", sample::SPLIT);
    let label = r#"label="bc1p0xlx…vqzk5jj0\noutput:2f1d8e64…445566ff:0\nstop: at-rest""#;
    assert_eq!(
        line(&cold),
        format!("  \"{cold}\" [shape=cylinder, {label}];")
    );
    let theft = format!("bitcoin:tx:{}", sample::THEFT);
    assert_eq!(
        line(&theft),
        format!("  \"{theft}\" [shape=box, label=\"tx:975ec405…2754e4d7\"];")
    );
    assert!(
        dot.contains(
            "label=\"3,000.00000000 BTC\\nfifo 3,000.00000000\\nhaircut 2,928.46148843\"];"
        ),
        "{dot}"
    );
    assert!(dot.starts_with("digraph \"sample-theft\" {\n") && dot.ends_with("}\n"));
}

/// What Graphviz understood, as its JSON; `None` where it is not installed.
pub(crate) fn drawn(dot: &str) -> Option<serde_json::Value> {
    let mut graphviz = Command::new("dot");
    let graphviz = graphviz
        .args(["-Tdot_json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = graphviz.spawn() else {
        eprintln!("skipped: Graphviz is not installed");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(dot.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn graphviz_reads_the_drawing() {
    let report = sample::report();
    if let Some(drawing) = drawn(&sample::rendered(&report, Format::Dot)) {
        assert_eq!(
            drawing["objects"].as_array().unwrap().len(),
            report.nodes.len()
        );
        assert_eq!(
            drawing["edges"].as_array().unwrap().len(),
            report.flows.len()
        );
    }
}
