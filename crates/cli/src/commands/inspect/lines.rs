//! `hansel inspect --jsonl`: one transaction per line in, one line of findings out, in the same order.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use anyhow::Context as _;
use bitcoin::Txid;
use hansel_heuristics::Finding;
use hansel_ledger::Chain;
use serde::Serialize;

use super::line::{Inspected, LineError, inspect};
use crate::args::Exit;
use crate::failure::Failure;
use crate::output::write_on;

/// The longest line that is read. A transaction of a full block has 8 MB in hexadecimal digits, and may spend more.
const LONGEST: usize = 64 << 20;

/// How much is read before it is worked on.
const BATCH: usize = 4 << 20;

/// A line of the result.
#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Findings { txid: Txid, findings: Vec<Finding> },
    Refused { line: u64, error: String },
}

/// A line of the input, counted from one; `None` where it was too long to be kept.
type Line = (u64, Option<Vec<u8>>);

/// Inspects every line of a file, or of standard input where the path is `-`.
pub(crate) fn run(chain: &Chain, path: &Path) -> Result<Exit, Failure> {
    if path == Path::new("-") {
        return lines(chain, io::stdin().lock());
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    lines(chain, BufReader::with_capacity(1 << 20, file))
}

fn lines(chain: &Chain, mut input: impl BufRead) -> Result<Exit, Failure> {
    let (mut number, mut exit) = (0, Exit::Complete);
    loop {
        let batch = next_batch(&mut input, &mut number).context("cannot read the transactions")?;
        if batch.is_empty() {
            return Ok(exit);
        }
        for (text, refused) in work(chain, &batch)? {
            if refused {
                exit = Exit::Partial;
            }
            if !write_on(&text)? {
                return Ok(exit);
            }
        }
    }
}

/// Reads lines until there are enough; empty lines are counted and left out.
fn next_batch(input: &mut impl BufRead, number: &mut u64) -> io::Result<Vec<Line>> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while bytes < BATCH {
        let mut text = Vec::new();
        let most = u64::try_from(LONGEST).expect("the bound fits 64 bits") + 1;
        if input.by_ref().take(most).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        *number += 1;
        bytes += text.len();
        if text.len() > LONGEST && text.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
            batch.push((*number, None));
        } else if !text.trim_ascii().is_empty() {
            batch.push((*number, Some(text)));
        }
    }
    Ok(batch)
}

/// Works on a batch with all processors; a piece of the result each, in order, and whether it refuses a line.
fn work(chain: &Chain, batch: &[Line]) -> Result<Vec<(Vec<u8>, bool)>, Failure> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let share = batch.len().div_ceil(workers);
    thread::scope(|scope| {
        let work: Vec<_> = batch
            .chunks(share)
            .map(|lines| scope.spawn(move || piece(chain, lines)))
            .collect();
        let done = work.into_iter().map(|worker| {
            let piece = worker
                .join()
                .map_err(|_| anyhow::anyhow!("a worker failed"))?;
            Ok(piece?)
        });
        done.collect()
    })
}

fn piece(chain: &Chain, lines: &[Line]) -> Result<(Vec<u8>, bool), serde_json::Error> {
    let (mut text, mut refused) = (Vec::new(), false);
    for (number, line) in lines {
        let inspected = match line {
            Some(line) => inspect(chain, line),
            None => Err(LineError::TooLong(LONGEST)),
        };
        refused |= inspected.is_err();
        let said = match inspected {
            Ok(Inspected { txid, findings }) => Said::Findings { txid, findings },
            Err(error) => Said::Refused {
                line: *number,
                error: hansel_report::visible(&error.to_string()).into_owned(),
            },
        };
        serde_json::to_writer(&mut text, &said)?;
        text.push(b'\n');
    }
    Ok((text, refused))
}
