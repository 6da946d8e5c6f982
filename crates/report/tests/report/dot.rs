use std::io::Write;
use std::process::{Command, Stdio};

use hansel_report::Format;
use serde_json::Value;

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

/// What Graphviz makes of a drawing in one of its output formats; `None` where it is not installed.
pub(crate) fn drawn(dot: &str, output: &str) -> Option<String> {
    let mut graphviz = Command::new("dot");
    let pipes = graphviz
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let Ok(mut child) = pipes.arg(format!("-T{output}")).spawn() else {
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
    Some(String::from_utf8(output.stdout).unwrap())
}

/// How many nodes and edges Graphviz sees.
pub(crate) fn counted(dot: &str) -> Option<(usize, usize)> {
    let drawing: Value = serde_json::from_str(&drawn(dot, "dot_json")?).unwrap();
    let count = |name: &str| drawing[name].as_array().unwrap().len();
    Some((count("objects"), count("edges")))
}

#[test]
fn graphviz_reads_the_drawing() {
    if let Some(counts) = counted(&sample::rendered(&sample::report(), Format::Dot)) {
        assert_eq!(counts, (5, 4));
    }
}
