//! Keeps what an endpoint answers, so that it can be replayed.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use hansel_ledger::{EndpointActivity, ErrorClass, SourceError, UnixTime};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::MANIFEST;
use super::entry::{Entry, Status};
use super::name::{alternative, file_name};
use super::recorded::{Recording, RecordingError, digest, outcome};
use crate::wire::failure;
use crate::{Request, Wire};

/// Tells the time of day; libraries do not look at the clock themselves.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// Calls whose answers are expected to change while one waits for something.
const POLLED: [&str; 2] = ["getindexinfo", "scanblocks"];
/// Where a body is written before it gets its name.
const UNFINISHED: &str = ".unfinished";

/// Writes one directory `DIR/CHAIN/KIND`; all wires of that kind and chain share it.
pub struct Recorder {
    state: Mutex<State>,
    clock: Clock,
    /// What [`Recording::is_torn`] said before the torn line was removed.
    was_torn: bool,
}

struct State {
    recorded: Recording,
    names: HashSet<String>,
    manifest: File,
}

impl Recorder {
    /// Opens a directory for recording and makes it if need be. What it holds already stays and is used.
    pub fn open(directory: &Path, clock: Clock) -> Result<Self, RecordingError> {
        let path = directory.join(MANIFEST);
        let io = |cause| RecordingError::io(&path, cause);
        fs::create_dir_all(directory).map_err(|cause| RecordingError::io(directory, cause))?;
        let mut options = OpenOptions::new();
        let mut manifest = options
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(io)?;
        manifest.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => RecordingError::InUse { path: path.clone() },
            TryLockError::Error(cause) => io(cause),
        })?;
        let recorded = Recording::read(directory)?;
        mend(&mut manifest, recorded.whole()).map_err(io)?;
        let was_torn = recorded.is_torn();
        let names = recorded.files().map(str::to_owned).collect();
        Ok(Self {
            state: Mutex::new(State {
                recorded,
                names,
                manifest,
            }),
            clock,
            was_torn,
        })
    }

    /// True where the last line was cut off, as after a crash; that line is removed.
    pub fn was_torn(&self) -> bool {
        self.was_torn
    }

    /// The recorded outcome that holds for the whole recording, where there is one that can be read.
    fn pinned(&self, endpoint: &str, request: &Request) -> Option<Result<Vec<u8>, SourceError>> {
        let entry = self
            .state()
            .recorded
            .entry(endpoint, &request.to_string())
            .cloned()?;
        let directory = self.state().recorded.directory().to_owned();
        match outcome(&directory, &entry) {
            Ok(body) => is_final(request, &body).then_some(Ok(body)),
            // Lost or altered since: it is asked for and kept again.
            Err((ErrorClass::Inconsistent, _)) => None,
            Err((class, detail)) => Some(Err(failure(class, endpoint, request, detail))),
        }
    }

    /// Keeps an outcome and returns the one that holds, which is the first.
    fn keep(
        &self,
        endpoint: &str,
        request: &Request,
        outcome: Result<Vec<u8>, SourceError>,
    ) -> Result<Vec<u8>, SourceError> {
        if let Some(first) = self.pinned(endpoint, request) {
            return first;
        }
        let (status, detail) = match &outcome {
            Ok(_) => (Some(Status::Ok), None),
            Err(error) => (Status::of(error.class), Some(error.detail.clone())),
        };
        let Some(status) = status else {
            return outcome;
        };
        let entry = Entry {
            request: request.to_string(),
            file: None,
            sha256: None,
            endpoint: endpoint.to_owned(),
            recorded_at: Some((self.clock)().to_string()),
            status,
            detail,
        };
        let body = outcome.as_deref().ok();
        let kept = self.state().keep(entry, request, body);
        kept.map_err(|cause| {
            let detail = format!("the answer could not be recorded: {cause}");
            failure(ErrorClass::Unsupported, endpoint, request, detail)
        })?;
        outcome
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes the body under a name of its own, then the line that names it: a crash leaves at most a file
    /// that no line names, or half a line.
    fn keep(&mut self, mut entry: Entry, request: &Request, body: Option<&[u8]>) -> io::Result<()> {
        if let Some(body) = body {
            let sha256 = digest(body);
            let known = self.recorded.entry(&entry.endpoint, &entry.request);
            let directory = self.recorded.directory();
            let unchanged = known.is_some_and(|known| known.sha256.as_ref() == Some(&sha256));
            if unchanged && known.is_some_and(|known| outcome(directory, known).is_ok()) {
                return Ok(());
            }
            let name = self.free_name(request);
            write_whole(directory, &name, body)?;
            self.names.insert(name.clone());
            entry.file = Some(name);
            entry.sha256 = Some(sha256);
        }
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.append(&line)?;
        self.recorded.note(entry);
        Ok(())
    }

    /// Appends a line, or nothing where there is no room for all of it.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let before = self.manifest.metadata()?.len();
        let written = self.manifest.write_all(line);
        if written.is_err() {
            self.manifest.set_len(before)?;
        }
        written
    }

    fn free_name(&self, request: &Request) -> String {
        let name = file_name(request);
        if !self.names.contains(&name) {
            return name;
        }
        (2..)
            .map(|number| alternative(&name, number))
            .find(|name| !self.names.contains(name))
            .expect("there are more numbers than files")
    }
}

/// What a wire returns for one request.
type Outcome = Result<Vec<u8>, SourceError>;

/// A wire whose answers are kept.
///
/// The first answer to a request holds for the whole recording, so that a recording stays about one state of
/// the chain however often it is continued: it is returned again without asking. An error of a node and the
/// progress of what it is busy with are asked for anew, and the last answer is kept.
pub struct RecordWire {
    inner: Arc<dyn Wire>,
    recorder: Arc<Recorder>,
}

impl RecordWire {
    /// Keeps what `inner` answers.
    pub fn new(inner: Arc<dyn Wire>, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }

    /// The answer that holds for the whole recording, where there is one.
    async fn first(&self, request: &Request) -> Result<Option<Outcome>, SourceError> {
        let (endpoint, asked) = (self.endpoint().to_owned(), request.clone());
        self.off_thread(move |recorder| recorder.pinned(&endpoint, &asked))
            .await
    }

    async fn keep(&self, request: &Request, outcome: Outcome) -> Outcome {
        let (endpoint, asked) = (self.endpoint().to_owned(), request.clone());
        self.off_thread(move |recorder| recorder.keep(&endpoint, &asked, outcome))
            .await?
    }

    /// Works on the disk without keeping other tasks from running.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Recorder) -> T + Send + 'static,
    ) -> Result<T, SourceError> {
        let recorder = Arc::clone(&self.recorder);
        let done = tokio::task::spawn_blocking(move || work(&recorder)).await;
        done.map_err(|error| SourceError {
            class: ErrorClass::Unsupported,
            endpoint: self.endpoint().to_owned(),
            request: "recording".to_owned(),
            detail: error.to_string(),
        })
    }
}

#[async_trait]
impl Wire for RecordWire {
    fn endpoint(&self) -> &str {
        self.inner.endpoint()
    }

    async fn send(&self, request: &Request) -> Result<Vec<u8>, SourceError> {
        if let Some(first) = self.first(request).await? {
            return first;
        }
        let outcome = self.inner.send(request).await;
        self.keep(request, outcome).await
    }

    /// Keeps each answer by itself, so that a recording does not depend on what was sent together.
    async fn send_batch(&self, requests: &[Request]) -> Vec<Result<Vec<u8>, SourceError>> {
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(requests.len());
        for request in requests {
            let first = self.first(request).await;
            outcomes.push(first.unwrap_or_else(|error| Some(Err(error))));
        }
        let known = outcomes.iter().map(Option::is_some);
        let asked = requests.iter().zip(known).filter(|(_, known)| !known);
        let asked: Vec<Request> = asked.map(|(request, _)| request.clone()).collect();
        let answers = self.inner.send_batch(&asked).await;
        let unknown = outcomes.iter_mut().filter(|outcome| outcome.is_none());
        for ((outcome, request), answer) in unknown.zip(&asked).zip(answers) {
            *outcome = Some(self.keep(request, answer).await);
        }
        outcomes.into_iter().flatten().collect()
    }

    fn activity(&self) -> EndpointActivity {
        self.inner.activity()
    }
}

/// Removes a torn line, and ends a whole one that lacks only its end.
fn mend(manifest: &mut File, whole: u64) -> io::Result<()> {
    manifest.set_len(whole)?;
    manifest.seek(SeekFrom::End(0))?;
    if whole == 0 {
        return Ok(());
    }
    let mut last = [0];
    manifest.seek(SeekFrom::End(-1))?;
    io::Read::read_exact(manifest, &mut last)?;
    if last == *b"\n" {
        return Ok(());
    }
    manifest.write_all(b"\n")
}

fn write_whole(directory: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let unfinished = directory.join(UNFINISHED);
    fs::write(&unfinished, body)?;
    fs::rename(unfinished, path)
}

/// False for an answer that a later one may replace.
fn is_final(request: &Request, body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Complaint {
        error: Option<IgnoredAny>,
    }
    match request {
        Request::Get { .. } => true,
        Request::Call { method, .. } if POLLED.contains(&method.as_str()) => false,
        Request::Call { .. } => {
            let complaint: Result<Complaint, _> = serde_json::from_slice(body);
            complaint.is_ok_and(|complaint| complaint.error.is_none())
        }
    }
}
