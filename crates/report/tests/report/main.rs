//! The report and its formats, seen from outside.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "the helpers of tests fail and speak like tests"
)]

mod csv;
mod dot;
mod graphml;
mod hostile;
mod html;
mod json;
mod sample;
mod svg;
mod text;
