//! A process that dies at any moment leaves everything it acknowledged, and no answer in part.
#![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod scenario;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hansel_ledger::{Answer, Fact, SpendState};
use hansel_store::{Cursor, CursorState, EvidenceHash, Store};
use scenario::*;
use tempfile::TempDir;

const CHILD: &str = "HANSEL_STORE_CRASH_CHILD";
const OUTPUTS: u32 = 40;
const BODIES: u64 = 3;
const ROUNDS: u32 = 25;

fn outputs() -> Vec<u32> {
    (0..OUTPUTS).collect()
}

fn body(number: u64, part: u64) -> String {
    format!("{number}/{part} ").repeat(400)
}

/// The answer of a number: many rows, so that a torn write would show.
fn numbered(number: u64) -> Answer {
    let tip = 1_000 + number;
    let states: Vec<_> = outputs()
        .iter()
        .map(|vout| match vout % 2 {
            0 => (*vout, spent("hop", 500)),
            _ => (*vout, SpendState::Unspent),
        })
        .collect();
    Answer {
        fact: spends(&number.to_string(), tip, &states),
        evidence: (0..BODIES)
            .map(|part| evidence(&body(number, part)))
            .collect(),
    }
}

/// Runs only in the child process: writes answers and cursors until it is killed, one line for each.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    let store = store(Path::new(&dir));
    let first = next_number(&store);
    for number in first.. {
        let tip = block(1_000 + number);
        let query = ask_spends(&number.to_string(), &outputs(), tip.height);
        store
            .put_answer(&bitcoin(), &query, &numbered(number), &tip, NOW)
            .unwrap();
        let cursor = Cursor {
            tip,
            state: CursorState::Running,
            scanned: None,
            follows: false,
        };
        if number % 16 == 0 {
            store.put_cursor(&bitcoin(), "case", &cursor).unwrap();
        }
        writeln!(std::io::stdout(), "\nwrote {number}").unwrap();
    }
}

fn next_number(store: &Store) -> u64 {
    let newest = store.known_headers(&bitcoin()).next();
    newest.map_or(0, |header| header.unwrap().0 - 1_000 + 1)
}

fn start_child(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child_that_writes_until_it_is_killed",
            "--nocapture",
        ])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the child after a while and gives the last number it acknowledged.
fn kill_after(mut child: Child, pause: Duration) -> Option<u64> {
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: String| line.strip_prefix("wrote ")?.parse().ok();
    lines.filter_map(|line| number(line.unwrap())).last()
}

/// Checks that the answers of all numbers below the first missing one are whole, and no row is left over.
fn whole_answers(store: &Store) -> u64 {
    let count = next_number(store);
    for number in 0..count {
        let tip = 1_000 + number;
        let query = ask_spends(&number.to_string(), &outputs(), tip);
        assert_eq!(
            read(store, &query, tip),
            Some(numbered(number).fact),
            "{number}"
        );
    }
    if let Some(last) = count.checked_sub(1) {
        let query = ask_spends(&last.to_string(), &outputs(), 1_000 + last);
        let evidence = store.evidence_of(&bitcoin(), &query).unwrap();
        assert_eq!(evidence.len(), usize::try_from(BODIES).unwrap());
    }
    let unwritten = EvidenceHash::of(body(count, 0).as_bytes());
    assert_eq!(store.evidence(&unwritten).unwrap(), []);
    check_rows(store, count);
    count
}

fn check_rows(store: &Store, count: u64) {
    let rows = store.statistics().unwrap();
    assert_eq!(rows.headers, count);
    assert_eq!(rows.statements, count * u64::from(OUTPUTS));
    assert_eq!(rows.evidence, count * BODIES);
}

#[test]
fn a_killed_process_leaves_everything_it_acknowledged_and_no_answer_in_part() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let mut acknowledged = None;
    for round in 0..ROUNDS {
        // The clock decides the moment: first while the database is made, then anywhere.
        let noise = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .subsec_micros();
        let longest = if round < 8 { 40_000 } else { 300_000 };
        let pause = Duration::from_micros(u64::from(noise % longest));
        acknowledged = acknowledged.max(kill_after(start_child(&data), pause));
        if round % 3 == 2 {
            let count = whole_answers(&store(&data));
            assert!(
                acknowledged.is_none_or(|last| last < count),
                "{acknowledged:?} of {count}"
            );
        }
    }
    let count = whole_answers(&store(&data));
    assert!(count > 0 && acknowledged.is_some_and(|last| last < count));
    let fact = read(&store(&data), &ask_spends("0", &outputs(), 1_000), 1_000);
    assert!(matches!(fact, Some(Fact::Spends(_))));
}

#[test]
fn a_reader_sees_whole_answers_while_another_process_writes() {
    let dir = TempDir::new().unwrap();
    drop(store(dir.path()));
    let mut child = start_child(dir.path());
    let mut counts = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(6) || counts.len() < 5 {
        let reader = Store::open_read_only(dir.path()).unwrap();
        counts.push(next_number(&reader));
        check_rows(&reader, counts[counts.len() - 1]);
    }
    whole_answers(&Store::open_read_only(dir.path()).unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        counts.is_sorted() && counts.last() > counts.first(),
        "{counts:?}"
    );
}
