//! What the binary says of transactions.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

/// The families of CoinJoins, as their ids end, the most specific first.
pub(crate) const FAMILIES: [&str; 7] = [
    "whirlpool",
    "wasabi2",
    "wasabi1-1",
    "wasabi1",
    "joinmarket",
    "equal-outputs",
    "whirlpool-tx0",
];

/// The family of each transaction, as a position among the families; every finding is counted by its rule.
pub(crate) fn verdicts(
    lines: &[String],
    fired: &mut BTreeMap<String, usize>,
) -> Vec<Option<usize>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
    command
        .args(["inspect", "--jsonl", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut input, text) = (child.stdin.take().unwrap(), lines.join("\n"));
    let writer = thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "a line was refused");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: Vec<_> = said.iter().map(verdict).collect();
    for finding in said
        .iter()
        .flat_map(|one| one["findings"].as_array().unwrap())
    {
        let rule = finding["heuristic"].as_str().unwrap();
        *fired.entry(rule.to_owned()).or_default() += 1;
    }
    assert_eq!(verdicts.len(), lines.len());
    verdicts
}

fn verdict(said: &Value) -> Option<usize> {
    let findings = said["findings"].as_array().unwrap();
    let family = |finding: &Value| {
        let name = finding["heuristic"]
            .as_str()?
            .strip_prefix("btc.coinjoin.")?
            .to_owned();
        FAMILIES.iter().position(|family| *family == name)
    };
    findings.iter().filter_map(family).min()
}
