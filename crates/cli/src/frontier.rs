//! What a traced case still depends on: the outputs that nobody spent yet, the scripts whose receipts count.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, ScriptBuf};
use hansel_heuristics::crossing::Bridges;
use hansel_ledger::{Answer, BlockRef, Evidence, Fact, Placement, Query, SpendState, Spends};
use hansel_store::Store;

use crate::course::Course;
use crate::drive::now;
use crate::failure::Failure;

/// Everything of one chain that a later block could say differently to a case.
#[derive(Debug, Default)]
pub(crate) struct Frontier {
    pub(crate) outpoints: BTreeSet<OutPoint>,
    pub(crate) scripts: BTreeSet<ScriptBuf>,
    /// Why the case has to be traced again whatever the blocks hold.
    pub(crate) open: Option<&'static str>,
    /// The questions whose answers said that outputs were unspent.
    unspent: Vec<Query>,
}

impl Frontier {
    /// Runs a trace again from the store alone, as of the block that it spoke of, and notes what it was told.
    pub(crate) fn of(
        store: &Store,
        course: &mut Course,
        bridges: &Bridges,
    ) -> Result<Self, Failure> {
        let mut frontier = Self::default();
        let Some(as_of) = course.as_of() else {
            frontier.open = Some("it is not known up to which block it was traced");
            return Ok(frontier);
        };
        loop {
            let wave = course.next_wave()?;
            for query in &wave {
                let Some(fact) = store.answer(course.chain(), query, &as_of)? else {
                    frontier.open = Some("something was not known when it was traced");
                    return Ok(frontier);
                };
                frontier.watch(query, &fact);
                course.resolve(query, Ok(fact))?;
            }
            course.close(bridges);
            if wave.is_empty() || frontier.open.is_some() {
                break;
            }
        }
        if !course.leaving(bridges)?.is_empty() {
            frontier.open = Some("what it says of bridges depends on other chains");
        }
        Ok(frontier)
    }

    fn watch(&mut self, query: &Query, fact: &Fact) {
        match (query, fact) {
            (Query::Spends { txid, .. }, Fact::Spends(spends)) => {
                for (vout, state) in &spends.outputs {
                    self.watch_output(OutPoint::new(*txid, *vout), state);
                }
                self.unspent.push(query.clone());
            }
            (Query::Received { script, .. }, Fact::Received(_)) => {
                self.scripts.insert(script.clone());
            }
            (Query::Transaction { .. }, Fact::Transaction(transaction)) => {
                if !matches!(transaction.placement, Placement::Confirmed(_)) {
                    self.open = Some("a transaction of it was in no block yet");
                }
            }
            (
                Query::Spends { .. }
                | Query::Received { .. }
                | Query::Transaction { .. }
                | Query::Evm(_),
                _,
            ) => self.open = Some("accounts are traced again from their facts"),
        }
    }

    fn watch_output(&mut self, outpoint: OutPoint, state: &SpendState) {
        match state {
            SpendState::Unspent => {
                self.outpoints.insert(outpoint);
            }
            SpendState::Spent { .. } => {}
            SpendState::SpentUnconfirmed { .. } => {
                self.open = Some("an output of it was being spent by a transaction in no block");
            }
            SpendState::Unknown { .. } => {
                self.open = Some("it was not known whether an output of it was spent");
            }
        }
    }

    /// Keeps that the outputs which no block spent are still unspent, so that no endpoint has to be asked of them.
    pub(crate) fn keep_unspent(
        &self,
        store: &Store,
        course: &Course,
        read: &Read,
    ) -> Result<(), Failure> {
        for query in &self.unspent {
            let Query::Spends {
                txid,
                height,
                outputs,
                ..
            } = query
            else {
                continue;
            };
            let still = |vout: u32| {
                let outpoint = OutPoint::new(*txid, vout);
                self.outpoints.contains(&outpoint) && !read.spent.contains(&outpoint)
            };
            let outputs = outputs.iter().filter(|(vout, _)| still(*vout));
            let outputs: Vec<_> = outputs.cloned().collect();
            if !outputs.is_empty() {
                let as_of = read.through.height;
                let unspent = |(vout, _): &(u32, ScriptBuf)| (*vout, SpendState::Unspent);
                let spends = Spends {
                    txid: *txid,
                    as_of,
                    outputs: outputs.iter().map(unspent).collect(),
                };
                let query = Query::Spends {
                    txid: *txid,
                    height: *height,
                    outputs,
                    as_of,
                };
                let answer = Answer {
                    fact: Fact::Spends(spends),
                    evidence: vec![read.evidence.clone()],
                };
                store.put_answer(course.chain(), &query, &answer, &read.through, now())?;
            }
        }
        Ok(())
    }
}

/// What reading blocks found of everything that was watched.
pub(crate) struct Read {
    /// The last of them.
    pub(crate) through: BlockRef,
    /// The watched outpoints that they spend.
    pub(crate) spent: BTreeSet<OutPoint>,
    /// The height of the last payment to each watched script that they pay.
    pub(crate) paid: BTreeMap<ScriptBuf, u64>,
    /// The block before the first of them and the last, by hash.
    pub(crate) evidence: Evidence,
    /// How many there were.
    pub(crate) blocks: u64,
}

impl Read {
    /// Whether they touch a case that knows of all blocks up to a height.
    pub(crate) fn touches(&self, frontier: &Frontier, known: u64) -> bool {
        let spent = &frontier.outpoints;
        let paid = |script| self.paid.get(script).is_some_and(|height| *height > known);
        self.spent.iter().any(|outpoint| spent.contains(outpoint))
            || frontier.scripts.iter().any(paid)
    }
}
