//! Counts what was sent to an endpoint and what came back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hansel_ledger::{EndpointActivity, ErrorClass};

/// The counts of one endpoint, from several threads.
#[derive(Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    requests: u64,
    answered: u64,
    retries: u64,
    bytes: u64,
    failures: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts a request that is sent.
    pub fn request(&self) {
        self.change(|counts| counts.requests += 1);
    }

    /// Counts a request that is sent again.
    pub fn retry(&self) {
        self.change(|counts| counts.retries += 1);
    }

    /// Counts bytes of a body as they come, also of one that is not finished or not wanted.
    pub fn bytes(&self, bytes: usize) {
        self.change(|counts| counts.bytes += u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts an answer with what was asked for.
    pub fn answered(&self) {
        self.change(|counts| counts.answered += 1);
    }

    /// Counts a request that failed for good.
    pub fn failed(&self, class: ErrorClass) {
        self.change(|counts| *counts.failures.entry(class.name()).or_default() += 1);
    }

    /// The counts so far under the endpoint's name.
    pub fn activity(&self, endpoint: &str) -> EndpointActivity {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = counts.failures.iter();
        EndpointActivity {
            endpoint: endpoint.to_owned(),
            requests: counts.requests,
            answered: counts.answered,
            retries: counts.retries,
            failures: failures
                .map(|(class, count)| ((*class).to_owned(), *count))
                .collect(),
            bytes: counts.bytes,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
