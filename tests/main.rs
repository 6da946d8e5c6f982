//! End-to-end tests: the built binary, asked as a user asks it, against real nodes and servers that misbehave.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "where a program cannot be run or read the test has failed; what is skipped is said"
)]

mod accounts;
mod alerts;
mod arbitrum;
mod browser;
mod burns;
mod candidates;
mod clock;
mod command;
mod commands;
mod crossings;
mod demo;
mod exits;
mod faults;
mod following;
mod inspect;
mod labels;
mod limits;
mod mints;
mod patterns;
mod pretences;
mod prices;
mod reading;
mod receiver;
mod recording;
mod reorganisation;
mod rescan;
mod resume;
mod rollups;
mod scene;
mod sources;
mod swaps;
mod sweeps;
mod training;
mod venues;
mod wide;
