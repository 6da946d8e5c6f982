//! Labels and detectors.

pub mod bitcoin;
mod case_file;
mod finding;
mod label;

pub use case_file::{
    CASE_SCHEMA, CaseAddress, CaseConfidence, CaseContext, CaseFact, CaseFile, CaseFileError,
    CaseParty, CaseSeed, CaseSource, CaseTransaction,
};
pub use finding::{Confidence, Finding, Parameter};
pub use label::{EntityKind, Label, Labels, NotAKind};
