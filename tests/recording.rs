//! `--record` and `--replay`: the same bytes without the servers, and nothing believed that was altered.

use std::fs;
use std::path::{Path, PathBuf};

use hansel_graph::Rule;
use hansel_report::model::StopKind;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{Finished, Hansel, directory};
use crate::reading::Reading;
use crate::scene::{CHAIN, Scene, output};

/// A recording of the theft, and what the trace said that made it.
struct Recorded {
    place: TempDir,
    subject: String,
    said: String,
}

impl Recorded {
    fn through(scene: &Scene, kind: &str) -> Self {
        let way = match kind {
            "core" => scene.core(),
            _ => scene.esplora(),
        };
        let place = directory();
        let subject = scene.scenario.theft.to_string();
        let run = way
            .trace(&subject)
            .option("--record", place.path())
            .run()
            .exits(0);
        Self {
            place,
            subject,
            said: run.stdout,
        }
    }

    fn replay(&self) -> Finished {
        Hansel::new("trace --json --quiet --chain")
            .args([CHAIN, &*self.subject])
            .option("--replay", self.place.path())
            .run()
    }

    fn directory(&self, kind: &str) -> PathBuf {
        self.place.path().join(CHAIN).join(kind)
    }
}

/// The file that holds the answer to a request.
fn answer_to(directory: &Path, request: &str) -> PathBuf {
    let manifest = fs::read_to_string(directory.join("manifest.jsonl")).unwrap();
    let mut entries = manifest
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entry = entries.find(|entry| entry["request"] == request);
    let entry = entry.unwrap_or_else(|| panic!("{request} was not recorded: {manifest}"));
    directory.join(entry["file"].as_str().unwrap())
}

/// Makes an answer say another time, which nothing but the recording's own list disproves.
fn alter(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let altered = text.replacen("\"block_time\":17", "\"block_time\":16", 1);
    assert_ne!(altered, text);
    fs::write(file, altered).unwrap();
}

#[test]
fn a_replay_says_the_same_bytes_when_the_servers_are_gone() {
    let Some(scene) = Scene::build() else { return };
    let recorded = ["esplora", "core"].map(|kind| Recorded::through(&scene, kind));
    drop(scene);
    for recording in &recorded {
        let replayed = recording.replay().exits(0);
        assert!(replayed.stdout == recording.said);
    }
    assert!(recorded[0].said == recorded[1].said);
}

#[test]
fn an_altered_answer_becomes_a_gap_and_what_lies_behind_it_is_not_followed() {
    let Some(scene) = Scene::shared() else { return };
    let recorded = Recorded::through(&scene, "esplora");
    let split = scene.scenario.split;
    alter(&answer_to(
        &recorded.directory("esplora"),
        &format!("GET /tx/{split}"),
    ));
    let report = recorded.replay().exits(3).report();
    report.balances();
    let lost = report.node(&output(scene.scenario.theft, 1));
    assert_eq!(lost.stop.as_ref().unwrap().kind, StopKind::Failed);
    let gap = &lost.gaps[0];
    assert_eq!(gap.kind, "transaction-unavailable");
    assert!(gap.detail.contains("inconsistent"), "{}", gap.detail);
    let frontier = |row: &hansel_report::model::Accounting| row.frontier;
    let rows = report
        .accounting
        .iter()
        .filter(|row| row.rule == Rule::Fifo);
    let not_followed = rows.map(frontier).max().unwrap();
    assert_eq!(not_followed, 1_200_000_000.into());
    assert!(!report.visited().contains(&*split.to_string()));
}

#[test]
fn an_altered_answer_about_the_theft_itself_ends_the_trace() {
    let Some(scene) = Scene::shared() else { return };
    let recorded = Recorded::through(&scene, "esplora");
    let theft = format!("GET /tx/{}", scene.scenario.theft);
    alter(&answer_to(&recorded.directory("esplora"), &theft));
    recorded
        .replay()
        .fails(1, &["error: ", "inconsistent", "hint: "]);
}

#[test]
fn a_damaged_list_of_answers_is_refused_with_its_line() {
    let Some(scene) = Scene::shared() else { return };
    let recorded = Recorded::through(&scene, "esplora");
    let list = recorded.directory("esplora").join("manifest.jsonl");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.replacen("\"file\":", "\"flie\":", 1)).unwrap();
    recorded.replay().fails(1, &["manifest.jsonl", "line 1"]);
}

#[test]
fn a_replay_never_falls_back_to_the_network() {
    let Some(scene) = Scene::shared() else { return };
    let recorded = Recorded::through(&scene, "esplora");
    fs::remove_file(answer_to(
        &recorded.directory("esplora"),
        &format!("GET /tx/{}/outspends", scene.scenario.split),
    ))
    .unwrap();
    let report = recorded.replay().exits(3).report();
    assert!(
        report
            .unknown
            .iter()
            .any(|entry| entry.kind == "spend-unknown")
    );
    report.balances();
    let both =
        Hansel::new("trace --endpoint http://127.0.0.1:1/api --replay x").args([&recorded.subject]);
    both.run().fails(2, &["--replay"]);
}
