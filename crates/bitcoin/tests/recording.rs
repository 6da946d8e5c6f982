//! Recordings: what goes in comes out, and nothing else does.

#![expect(
    clippy::unwrap_used,
    reason = "where a server or directory cannot be used the test has failed"
)]

#[expect(dead_code, reason = "how many ask at a time is no matter here")]
mod hostile;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bitcoin::{Network, OutPoint, Txid};
use hansel_bitcoin::BitcoinProtocols;
use hansel_ledger::{Answer, Chain, ChainSource, ErrorClass, Family, Query, SourceError, UnixTime};
use hansel_testkit::{
    EsploraOptions, EsploraServer, Fault, FaultProxy, Ledger, Rule, Shape, Target,
};
use hansel_wire::{
    Credentials, EndpointSpec, HttpOptions, HttpWire, Limits, OpenError, OpenOptions, Paces,
    Record, RecordWire, Recorder, Recording, RecordingError, ReplayWire, Request, Wire, open,
};
use hostile::{Hostile, reply};
use serde_json::{Value, json};
use tempfile::TempDir;

fn chain() -> Chain {
    Chain::new("bitcoin-regtest", Family::Bitcoin(Network::Regtest)).unwrap()
}

fn record_to(directory: &Path) -> Record {
    Record {
        directory: directory.to_owned(),
        clock: Arc::new(|| UnixTime(1_717_113_240)),
    }
}

fn live(urls: &[String], record: Option<Record>) -> Arc<dyn ChainSource> {
    let specs: Vec<EndpointSpec> = urls
        .iter()
        .map(|url| format!("esplora={url}").parse().unwrap())
        .collect();
    let options = OpenOptions {
        limits: Limits {
            retries: 0,
            ..Limits::default()
        },
        record,
        ..OpenOptions::default()
    };
    open(&chain(), &specs, &options, &BitcoinProtocols).unwrap()
}

fn replayed(directory: &Path) -> Result<Arc<dyn ChainSource>, OpenError> {
    let options = OpenOptions {
        replay: Some(directory.to_owned()),
        ..OpenOptions::default()
    };
    open(&chain(), &[], &options, &BitcoinProtocols)
}

fn served(ledger: &Ledger) -> EsploraServer {
    let index = ledger.chain(Network::Regtest);
    EsploraServer::over_chain(index, EsploraOptions::default()).unwrap()
}

/// Questions of every kind, one of them about a transaction that does not exist.
fn questions(ledger: &Ledger) -> Vec<Query> {
    let as_of = ledger.height();
    let missing: Txid = "00".repeat(32).parse().unwrap();
    let mut questions = vec![Query::Transaction {
        txid: missing,
        height: None,
    }];
    for statement in ledger.statements().skip(100).take(30) {
        let txid = statement.txid;
        questions.push(Query::Transaction { txid, height: None });
        let scripts = statement.outputs.into_iter().map(|output| output.script);
        let outputs: Vec<_> = (0..).zip(scripts).collect();
        let script = outputs[0].1.clone();
        questions.push(Query::Spends {
            txid,
            height: None,
            outputs,
            as_of,
        });
        questions.push(Query::Received {
            script,
            since: 0,
            as_of,
        });
    }
    questions
}

async fn outcomes(
    source: &dyn ChainSource,
    questions: &[Query],
) -> Vec<Result<Answer, SourceError>> {
    let mut outcomes = Vec::new();
    for query in questions {
        outcomes.push(source.answer(query).await);
    }
    outcomes
}

#[tokio::test]
async fn a_replay_gives_the_same_answers_evidence_and_failures_without_the_server() {
    let ledger = Ledger::random(3, 200, &Shape::default());
    let server = served(&ledger);
    let directory = TempDir::new().unwrap();
    let questions = questions(&ledger);
    let source = live(&[server.url()], Some(record_to(directory.path())));
    let tip = source.tip().await.unwrap();
    let first = source.block_at(1).await.unwrap();
    let recorded = outcomes(source.as_ref(), &questions).await;
    drop((source, server));

    let replay = replayed(directory.path()).unwrap();
    assert_eq!(replay.tip().await.unwrap(), tip);
    assert_eq!(replay.block_at(1).await.unwrap(), first);
    assert_eq!(outcomes(replay.as_ref(), &questions).await, recorded);
    assert_eq!(
        recorded[0].as_ref().unwrap_err().class,
        ErrorClass::NotFound
    );
    let unasked = replay.block_at(2).await.unwrap_err();
    assert_eq!(unasked.class, ErrorClass::NotRecorded);
}

#[tokio::test]
async fn a_replay_of_two_endpoints_falls_over_as_the_run_did() {
    let ledger = Ledger::random(3, 200, &Shape::default());
    let server = served(&ledger);
    let theft = ledger.theft();
    let other = ledger.spender(&OutPoint::new(theft, 0)).unwrap().0;
    let lie = Rule::always(
        Target::Exactly(format!("/tx/{theft}")),
        Fault::WrongTx(other),
    );
    let liar = FaultProxy::over(&server.url(), [lie]).unwrap();
    let directory = TempDir::new().unwrap();
    let mut questions = questions(&ledger);
    questions.insert(
        1,
        Query::Transaction {
            txid: theft,
            height: None,
        },
    );
    let both = [liar.url(), server.url()];
    let source = live(&both, Some(record_to(directory.path())));
    source.tip().await.unwrap();
    let recorded = outcomes(source.as_ref(), &questions).await;
    assert!(recorded[1].is_ok());
    drop((source, liar, server));

    let replay = replayed(directory.path()).unwrap();
    replay.tip().await.unwrap();
    assert_eq!(outcomes(replay.as_ref(), &questions).await, recorded);
    let hosts: Vec<String> = replay.activity().into_iter().map(|a| a.endpoint).collect();
    let expected = both.map(|url| url.replace("http://", ""));
    assert_eq!(hosts, expected);
}

#[tokio::test]
async fn a_continued_recording_stays_about_the_chain_it_began_with() {
    let ledger = Ledger::random(3, 200, &Shape::default());
    let server = served(&ledger);
    let directory = TempDir::new().unwrap();
    let before = {
        let source = live(&[server.url()], Some(record_to(directory.path())));
        source.tip().await.unwrap()
    };
    let height = usize::try_from(ledger.height()).unwrap();
    server.replace_chain(ledger.chain(Network::Regtest).cut(height - 5));
    let source = live(&[server.url()], Some(record_to(directory.path())));
    server.reset_counts();
    assert_eq!(source.tip().await.unwrap(), before);
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_files_have_names_and_content_that_a_person_can_read() {
    let ledger = Ledger::random(3, 200, &Shape::default());
    let server = served(&ledger);
    let directory = TempDir::new().unwrap();
    let source = live(&[server.url()], Some(record_to(directory.path())));
    let theft = ledger.theft();
    let query = Query::Transaction {
        txid: theft,
        height: None,
    };
    let answer = source.answer(&query).await.unwrap();
    let place = directory.path().join("bitcoin-regtest/esplora");
    let body = fs::read(place.join(format!("tx/{theft}.json"))).unwrap();
    assert_eq!(body, answer.evidence[0].body);
    let manifest = fs::read_to_string(place.join("manifest.jsonl")).unwrap();
    let line: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(line["request"], format!("GET /tx/{theft}"));
    assert_eq!(line["file"], format!("tx/{theft}.json"));
    assert_eq!(line["recorded_at"], "2024-05-30T23:54:00Z");
    assert_eq!(line["status"], "ok");
    assert_eq!(line["endpoint"], server.url().replace("http://", ""));
}

/// A recording with one answer, `GET /x`, from `one.example`.
struct Small {
    directory: TempDir,
}

impl Small {
    async fn new() -> Self {
        let small = Self {
            directory: TempDir::new().unwrap(),
        };
        let server = Hostile::saying(reply("200 OK", "", "true")).await;
        small.record(&server, &Request::get("/x")).await.unwrap();
        small
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn manifest(&self) -> PathBuf {
        self.path().join("manifest.jsonl")
    }

    fn recorder(&self) -> Arc<Recorder> {
        Arc::new(Recorder::open(self.path(), Arc::new(|| UnixTime(0))).unwrap())
    }

    async fn record(&self, server: &Hostile, request: &Request) -> Result<Vec<u8>, SourceError> {
        RecordWire::new(wire(server, None), self.recorder())
            .send(request)
            .await
    }

    async fn replay(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        let recording = Arc::new(Recording::read(self.path()).unwrap());
        let endpoint = recording.endpoints()[0].clone();
        ReplayWire::new(recording, &endpoint).send(request).await
    }
}

fn wire(server: &Hostile, credentials: Option<Credentials>) -> Arc<HttpWire> {
    let options = HttpOptions {
        credentials,
        ..HttpOptions::default()
    };
    Arc::new(HttpWire::new(&server.url(), options, &Paces::default()).unwrap())
}

#[tokio::test]
async fn an_altered_answer_is_refused() {
    let small = Small::new().await;
    let request = Request::get("/x");
    assert_eq!(small.replay(&request).await.unwrap(), b"true");
    fs::write(small.path().join("x.json"), "tru").unwrap();
    let error = small.replay(&request).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::Inconsistent);
    assert!(
        error.detail.contains("the recorded answer was altered"),
        "{error}"
    );
    fs::remove_file(small.path().join("x.json")).unwrap();
    assert_eq!(
        small.replay(&request).await.unwrap_err().class,
        ErrorClass::Inconsistent
    );
    // Recorded again, it is whole again.
    let server = Hostile::saying(reply("200 OK", "", "true")).await;
    small.record(&server, &request).await.unwrap();
}

#[tokio::test]
async fn a_torn_last_line_is_left_out_and_said_and_the_rest_is_kept() {
    let small = Small::new().await;
    let whole = fs::read_to_string(small.manifest()).unwrap();
    for torn in ["{\"request\":\"GET /y\",\"fi", "{"] {
        fs::write(small.manifest(), format!("{whole}{torn}")).unwrap();
        let recording = Recording::read(small.path()).unwrap();
        assert!(recording.is_torn());
        assert_eq!(small.replay(&Request::get("/x")).await.unwrap(), b"true");
        let recorder = small.recorder();
        assert!(recorder.was_torn());
        drop(recorder);
        assert_eq!(fs::read_to_string(small.manifest()).unwrap(), whole);
        assert!(!Recording::read(small.path()).unwrap().is_torn());
    }
    // A whole line without its end is only ended.
    fs::write(small.manifest(), whole.trim_end()).unwrap();
    drop(small.recorder());
    assert_eq!(fs::read_to_string(small.manifest()).unwrap(), whole);
    // A damaged line in the middle is another matter.
    fs::write(small.manifest(), format!("{{\n{whole}")).unwrap();
    let error = Recording::read(small.path()).unwrap_err();
    assert!(
        matches!(error, RecordingError::Damaged { line: 1, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_recording_from_a_stranger_reads_nothing_outside_its_directory() {
    let small = Small::new().await;
    let outside = small.path().parent().unwrap().join("outside.json");
    let line: Value = serde_json::from_str(&fs::read_to_string(small.manifest()).unwrap()).unwrap();
    for name in [
        "../outside.json",
        "/etc/passwd",
        "a/../../outside.json",
        "..",
        "",
        "a\\b",
    ] {
        let mut hostile = line.clone();
        hostile["file"] = json!(name);
        fs::write(small.manifest(), format!("{hostile}\n")).unwrap();
        let error = Recording::read(small.path()).unwrap_err();
        assert!(
            matches!(error, RecordingError::Damaged { .. }),
            "{name}: {error}"
        );
    }
    for (member, value) in [
        ("endpoint", json!("\u{1b}[31mred")),
        ("status", json!("\u{1b}[31m")),
        ("sha256", json!(null)),
    ] {
        let mut hostile = line.clone();
        hostile[member] = value;
        fs::write(small.manifest(), format!("{hostile}\n")).unwrap();
        let error = Recording::read(small.path()).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}'), "{error}");
    }
    assert!(!outside.exists());
}

#[tokio::test]
async fn requests_write_nothing_outside_the_directory() {
    let small = Small::new().await;
    let server = Hostile::saying(reply("200 OK", "", "[]")).await;
    let parent = TempDir::new().unwrap();
    let recorder = Recorder::open(&parent.path().join("inner"), Arc::new(|| UnixTime(0))).unwrap();
    let recorder = RecordWire::new(wire(&server, None), Arc::new(recorder));
    let long = format!("/{}", "a".repeat(5_000));
    for path in [
        "/tx/..%2f..%2fx",
        "/A",
        "/a",
        &long,
        "/tx/a?b=../../c",
        "/.hidden",
    ] {
        recorder.send(&Request::get(path)).await.unwrap();
    }
    for method in ["../../x", "..", "/etc/x", ".x"] {
        recorder
            .send(&Request::call(method, &json!([])))
            .await
            .unwrap();
    }
    let entries: Vec<_> = fs::read_dir(parent.path()).unwrap().collect();
    assert_eq!(entries.len(), 1);
    let manifest = fs::read_to_string(parent.path().join("inner/manifest.jsonl")).unwrap();
    assert_eq!(manifest.lines().count(), 10);
    drop(small);
}

#[tokio::test]
async fn credentials_are_never_written() {
    let directory = TempDir::new().unwrap();
    let answer = r#"{"result":1,"error":null,"id":"hansel"}"#;
    let server = Hostile::saying(reply("200 OK", "", answer)).await;
    let recorder = Recorder::open(directory.path(), Arc::new(|| UnixTime(0))).unwrap();
    let inner = wire(&server, Some(Credentials::new("alice", "hunter2")));
    let wire = RecordWire::new(inner, Arc::new(recorder));
    wire.send(&Request::call("getblockcount", &json!([])))
        .await
        .unwrap();
    assert!(
        server.requests()[0]
            .to_ascii_lowercase()
            .contains("authorization")
    );
    let mut files = vec![directory.path().to_owned()];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let content = fs::read_to_string(&path).unwrap();
        assert!(
            !content.contains("hunter2") && !content.contains("alice"),
            "{path:?}"
        );
        read += 1;
    }
    assert_eq!(read, 2);
}

#[tokio::test]
async fn only_one_process_records_to_a_directory() {
    let small = Small::new().await;
    let _first = small.recorder();
    let second = Recorder::open(small.path(), Arc::new(|| UnixTime(0)));
    assert!(matches!(
        second.err().unwrap(),
        RecordingError::InUse { .. }
    ));
}

#[tokio::test]
async fn the_progress_of_a_node_is_asked_for_anew_and_its_state_is_not() {
    let directory = TempDir::new().unwrap();
    let server = Hostile::start(async |number, _| {
        reply(
            "200 OK",
            "",
            &format!(r#"{{"result":{number},"error":null,"id":"hansel"}}"#),
        )
    })
    .await;
    let recorder = Recorder::open(directory.path(), Arc::new(|| UnixTime(0))).unwrap();
    let wire = RecordWire::new(wire(&server, None), Arc::new(recorder));
    let ask = async |wire: &dyn Wire, method: &str| {
        let body = wire.send(&Request::call(method, &json!([]))).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()["result"].clone()
    };
    assert_eq!(ask(&wire, "getbestblockhash").await, 0);
    assert_eq!(ask(&wire, "getbestblockhash").await, 0);
    assert_eq!(ask(&wire, "getindexinfo").await, 1);
    assert_eq!(ask(&wire, "getindexinfo").await, 2);
    let recording = Arc::new(Recording::read(directory.path()).unwrap());
    let replay = ReplayWire::new(Arc::clone(&recording), &recording.endpoints()[0]);
    assert_eq!(ask(&replay, "getbestblockhash").await, 0);
    assert_eq!(ask(&replay, "getindexinfo").await, 2);
}

#[tokio::test]
async fn a_torn_recording_is_reported_when_it_is_opened() {
    let ledger = Ledger::random(3, 50, &Shape::default());
    let server = served(&ledger);
    let directory = TempDir::new().unwrap();
    let source = live(&[server.url()], Some(record_to(directory.path())));
    source.tip().await.unwrap();
    drop(source);
    let manifest = directory
        .path()
        .join("bitcoin-regtest/esplora/manifest.jsonl");
    let whole = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{whole}{{\"requ")).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = told.clone();
    let options = OpenOptions {
        replay: Some(directory.path().to_owned()),
        notice: Some(Arc::new(move |message: &str| {
            heard.lock().unwrap().push(message.to_owned())
        })),
        ..OpenOptions::default()
    };
    open(&chain(), &[], &options, &BitcoinProtocols).unwrap();
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[test]
fn nothing_to_open_is_said_with_a_hint() {
    let directory = TempDir::new().unwrap();
    let nothing = replayed(directory.path()).err().unwrap();
    assert!(
        matches!(nothing, OpenError::NothingRecorded { .. }),
        "{nothing}"
    );
    let elsewhere = "bitcoin:esplora=https://one.example/api".parse().unwrap();
    let none = open(
        &chain(),
        &[elsewhere],
        &OpenOptions::default(),
        &BitcoinProtocols,
    )
    .err()
    .unwrap();
    assert!(none.to_string().contains("hint: "), "{none}");
}
