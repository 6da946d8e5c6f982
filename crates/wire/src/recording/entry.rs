//! One line of the manifest.

use hansel_ledger::ErrorClass;
use serde::{Deserialize, Serialize};

/// What one recorded answer answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The request in its canonical form.
    pub(super) request: String,
    /// The body's file; none where the endpoint said that there is no such thing.
    pub(super) file: Option<String>,
    /// The SHA-256 of the body, in hexadecimal digits.
    pub(super) sha256: Option<String>,
    /// The endpoint's host.
    pub(super) endpoint: String,
    /// When it was recorded, where that is known.
    pub(super) recorded_at: Option<String>,
    pub(super) status: Status,
    /// What the endpoint said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// The body is in the file.
    Ok,
    /// The endpoint has no such thing.
    NotFound,
    /// The endpoint does not serve such requests.
    Unsupported,
    /// The history is longer than the endpoint serves.
    TooPopular,
}

impl Status {
    /// The status of a failure that belongs to the answer; `None` for one of the moment.
    pub(super) fn of(class: ErrorClass) -> Option<Self> {
        match class {
            ErrorClass::NotFound => Some(Self::NotFound),
            ErrorClass::Unsupported => Some(Self::Unsupported),
            ErrorClass::TooPopular => Some(Self::TooPopular),
            ErrorClass::Unreachable
            | ErrorClass::RateLimited
            | ErrorClass::Truncated
            | ErrorClass::Malformed
            | ErrorClass::Inconsistent
            | ErrorClass::NotRecorded => None,
        }
    }

    /// The class of the failure; `None` for an answer with a body.
    pub(super) fn class(self) -> Option<ErrorClass> {
        match self {
            Self::Ok => None,
            Self::NotFound => Some(ErrorClass::NotFound),
            Self::Unsupported => Some(ErrorClass::Unsupported),
            Self::TooPopular => Some(ErrorClass::TooPopular),
        }
    }
}
