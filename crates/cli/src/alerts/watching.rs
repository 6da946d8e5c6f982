//! Keeps a case that was traced again together with what is to be told of it, in one batch.

use std::collections::BTreeSet;

use hansel_ledger::Chain;
use hansel_report::Built;
use hansel_store::{Ending, Store};

use super::alert::id_of;
use super::channels::Waiting;
use super::memory::{Lookout, Memory};
use crate::case_record::CaseRecord;
use crate::config::Config;
use crate::failure::Failure;

/// How cases are watched.
pub(crate) struct Watching<'a> {
    pub(crate) store: &'a Store,
    pub(crate) config: &'a Config,
    /// Value that rested for at least so many days woke when it moved.
    pub(crate) dormant: u64,
}

impl Watching<'_> {
    /// Notes what is no news of a case, before it is traced again: what its report says now, or what was noted before.
    pub(crate) fn begin(&self, name: &str, record: &CaseRecord) -> Result<(), Failure> {
        let asked = asked(record)?;
        let memory: Option<Memory> = self.store.watch(name)?;
        if memory.is_some_and(|memory| memory.asked == asked) {
            return Ok(());
        }
        let memory = Memory::begin(asked, record.report.as_ref().or(record.before.as_ref()))?;
        Ok(self.store.put_watch(name, &memory)?)
    }

    /// Keeps the case with its new report, and what there is to tell of it: both or none.
    pub(crate) fn keep(
        &self,
        name: &str,
        record: &CaseRecord,
        built: &Built,
        ending: &Ending<'_>,
    ) -> Result<(), Failure> {
        let mut memory = match self.store.watch(name)? {
            Some(memory) => memory,
            None => Memory::begin(asked(record)?, None)?,
        };
        let known_block = |chain: &str, height| self.known_block(chain, height);
        let enough = |chain: &str| Ok(self.config.chain(chain)?.confirmations());
        let lookout = Lookout {
            case: name,
            dormant: self.dormant,
            known_block: &known_block,
            enough: &enough,
        };
        let alerts = memory.take_in(&built.report, built.partial, &lookout)?;
        let waiting: Vec<_> = alerts
            .into_iter()
            .map(|alert| Waiting {
                alert,
                given: BTreeSet::new(),
            })
            .collect();
        Ok(self
            .store
            .put_watched_case(name, record, ending, &memory, &waiting)?)
    }

    fn known_block(&self, chain: &str, height: u64) -> Result<Option<String>, Failure> {
        let chain: Chain = self.config.chain(chain)?;
        let hash = self.store.known_block(&chain, height)?;
        Ok(hash.map(|hash| hash.to_string()))
    }
}

/// What was asked of a case, without what came from other chains.
fn asked(record: &CaseRecord) -> Result<String, Failure> {
    let requests = record.parts.iter().map(|part| &part.request);
    let requests: Vec<_> = requests
        .filter(|request| !request.subjects.is_empty())
        .collect();
    Ok(id_of(&[&serde_json::to_string(&requests)?]))
}
