//! Labels and detectors.

mod case_file;

pub use case_file::{
    CASE_SCHEMA, CaseAddress, CaseConfidence, CaseContext, CaseFact, CaseFile, CaseFileError,
    CaseParty, CaseSeed, CaseSource, CaseTransaction,
};
