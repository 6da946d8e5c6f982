//! What a recording holds: the manifest as read, and the bodies it names, checked.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hansel_ledger::ErrorClass;
use sha2::{Digest, Sha256};

use super::MANIFEST;
use super::entry::{Entry, Status};
use super::name::is_safe;
use crate::wire::one_line;

/// Bytes of the longest body and of the longest manifest that are read.
const LONGEST_BODY: u64 = 256 << 20;
const LONGEST_MANIFEST: u64 = 1 << 30;
/// Characters of a host's name, which has 253 at most, and its port.
const LONGEST_HOST: usize = 260;

/// The answer of one endpoint to one request.
type Key = (String, String);

/// A recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file or directory cannot be read or written.
    #[error("`{}` cannot be used as a recording", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The manifest is longer than any recording's.
    #[error("`{}` is too long to be a recording's list", path.display())]
    TooLong {
        /// The manifest.
        path: PathBuf,
    },
    /// A line of the manifest is damaged.
    #[error("`{}` line {line} is damaged: {reason}", path.display())]
    Damaged {
        /// The manifest.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process writes to the recording.
    #[error("another process is recording to `{}`", path.display())]
    InUse {
        /// The manifest.
        path: PathBuf,
    },
}

impl RecordingError {
    pub(super) fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::Io { path, cause }
    }
}

/// A recording of one kind of endpoint of one chain, as it was when it was read.
#[derive(Debug)]
pub struct Recording {
    directory: PathBuf,
    entries: HashMap<Key, Entry>,
    endpoints: Vec<String>,
    whole: u64,
    torn: bool,
}

impl Recording {
    /// Reads the list of answers of `directory`, which is `DIR/CHAIN/KIND`.
    ///
    /// The last line may be torn, as after a crash; see [`Self::is_torn`].
    pub fn read(directory: &Path) -> Result<Self, RecordingError> {
        let path = directory.join(MANIFEST);
        let text = manifest(&path)?;
        let mut recording = Self::empty(directory);
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let entry = parse(line);
            match entry {
                Ok(entry) => recording.note(entry),
                Err(_) if !line.ends_with(b"\n") => {
                    recording.torn = true;
                    break;
                }
                Err(reason) => {
                    let line = index + 1;
                    return Err(RecordingError::Damaged { path, line, reason });
                }
            }
            recording.whole += u64::try_from(line.len()).unwrap_or_default();
        }
        Ok(recording)
    }

    pub(super) fn empty(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            entries: HashMap::new(),
            endpoints: Vec::new(),
            whole: 0,
            torn: false,
        }
    }

    /// True where the last line was cut off; the answer it stood for is not part of the recording.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The hosts whose answers were recorded, in the order in which they first answered.
    pub fn endpoints(&self) -> &[String] {
        &self.endpoints
    }

    /// Bytes of the manifest that are whole lines.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        self.entries
            .values()
            .filter_map(|entry| entry.file.as_deref())
    }

    /// Adds an entry; a later one replaces an earlier one of the same endpoint and request.
    pub(super) fn note(&mut self, entry: Entry) {
        if !self.endpoints.contains(&entry.endpoint) {
            self.endpoints.push(entry.endpoint.clone());
        }
        let key = (entry.endpoint.clone(), entry.request.clone());
        self.entries.insert(key, entry);
    }

    pub(super) fn entry(&self, endpoint: &str, request: &str) -> Option<&Entry> {
        self.entries.get(&(endpoint.to_owned(), request.to_owned()))
    }
}

/// The recorded outcome: a body whose hash is the recorded one, or the failure that was recorded.
pub(super) fn outcome(directory: &Path, entry: &Entry) -> Result<Vec<u8>, (ErrorClass, String)> {
    if let Some(class) = entry.status.class() {
        return Err((class, entry.detail.clone().unwrap_or_default()));
    }
    let name = entry.file.as_deref().unwrap_or_default();
    let body = read_bounded(&directory.join(name), LONGEST_BODY).map_err(|cause| {
        let detail = format!("the recorded answer cannot be read: {}", cause.kind());
        (ErrorClass::Inconsistent, detail)
    })?;
    if Some(digest(&body)) == entry.sha256 {
        return Ok(body);
    }
    let detail = "the recorded answer was altered: its SHA-256 is not the one in the manifest";
    Err((ErrorClass::Inconsistent, detail.to_owned()))
}

/// The SHA-256 of a body in hexadecimal digits.
pub(super) fn digest(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn manifest(path: &Path) -> Result<Vec<u8>, RecordingError> {
    read_bounded(path, LONGEST_MANIFEST).map_err(|cause| match cause.kind() {
        io::ErrorKind::FileTooLarge => RecordingError::TooLong {
            path: path.to_owned(),
        },
        _ => RecordingError::io(path, cause),
    })
}

/// Reads a regular file; a pipe or device would never end.
fn read_bounded(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut body = Vec::new();
    File::open(path)?.take(longest + 1).read_to_end(&mut body)?;
    if u64::try_from(body.len()).is_ok_and(|length| length <= longest) {
        Ok(body)
    } else {
        Err(io::ErrorKind::FileTooLarge.into())
    }
}

fn parse(line: &[u8]) -> Result<Entry, String> {
    let entry: Entry =
        serde_json::from_slice(line).map_err(|error| one_line(&error.to_string(), 200))?;
    let has_body = entry.file.is_some() && entry.sha256.is_some();
    if (entry.status == Status::Ok) != has_body {
        return Err("an answer has a file and its SHA-256, a refusal has neither".to_owned());
    }
    let host = &entry.endpoint;
    if host.len() > LONGEST_HOST || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the endpoint is not a host".to_owned());
    }
    match entry.file.as_deref() {
        Some(name) if !is_safe(name) => Err("the file's name leads elsewhere".to_owned()),
        _ => Ok(entry),
    }
}
