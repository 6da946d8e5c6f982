//! What was heard while one question was answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hansel_ledger::Evidence;

/// The raw answers behind one fact, each once. They are handed out in the order of their requests' texts, so that
/// the order in which concurrent answers came leaves no trace.
#[derive(Default)]
pub(crate) struct Notes(Mutex<BTreeMap<(String, String), Vec<u8>>>);

impl Notes {
    pub(crate) fn keep(&self, evidence: &Evidence) {
        let Evidence {
            endpoint,
            request,
            body,
        } = evidence;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entry((request.clone(), endpoint.clone()))
            .or_insert_with(|| body.clone());
    }

    pub(crate) fn evidence(self) -> Vec<Evidence> {
        let kept = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let evidence = |((request, endpoint), body)| Evidence {
            endpoint,
            request,
            body,
        };
        kept.into_iter().map(evidence).collect()
    }
}
