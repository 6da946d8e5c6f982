//! A directory of recorded answers: one file per answer, and a manifest that says what each of them answers.

mod entry;
mod name;
mod record;
mod recorded;
mod replay;

pub use record::{Clock, RecordWire, Recorder};
pub use recorded::{Recording, RecordingError};
pub use replay::ReplayWire;

/// The file that lists the answers, one JSON object per line.
const MANIFEST: &str = "manifest.jsonl";
