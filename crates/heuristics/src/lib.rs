//! Labels and detectors.

pub mod bitcoin;
mod case_file;
pub mod crossing;
pub mod ethereum;
mod finding;
mod label;
mod label_findings;
mod pass;
mod venues;
mod verdict;

pub use case_file::{
    CASE_SCHEMA, CaseAddress, CaseConfidence, CaseContext, CaseFact, CaseFile, CaseFileError,
    CaseParty, CaseSeed, CaseSource, CaseTransaction,
};
pub use finding::{Confidence, Finding, NO_ERROR_RATE, Parameter};
pub use label::{EntityKind, Label, Labels, NoLabels, NotAKind};
pub use label_findings::{Named, about_labels};
pub use pass::{of_accounts, of_outputs};
pub use venues::{KnownVenues, Overrides, Place};
