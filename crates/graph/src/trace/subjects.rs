//! From what the user named to the stolen outputs.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, ScriptBuf, Txid};
use hansel_ledger::{Gap, Query, Subject};

use super::{Plan, Theft, TraceError};

/// Where the resolution of the subjects stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Histories,
    Transactions,
    Complete,
    Done,
}

/// The subjects while they are resolved: first what addresses received, then the transactions named.
#[derive(Debug)]
pub(super) struct Subjects {
    stage: Stage,
    thefts: Vec<Theft>,
    received: BTreeMap<ScriptBuf, Vec<(OutPoint, u64)>>,
    gaps: BTreeMap<String, Gap>,
    context: Vec<Txid>,
    /// The transactions that brought value from other chains.
    expected: BTreeSet<Txid>,
    /// The transactions that hold stolen outputs or are context, once they are asked for.
    named: BTreeSet<Txid>,
}

/// A stolen output or all outputs of a transaction, as the subjects name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stolen {
    /// Every output with a value.
    All(Txid),
    /// One output.
    One(OutPoint),
    /// An output that is said to pay an address.
    Paid {
        /// The output.
        output: OutPoint,
        /// The locking script that it is said to have.
        script: ScriptBuf,
    },
}

impl Subjects {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            stage: Stage::Histories,
            thefts: plan.subjects.clone(),
            received: BTreeMap::new(),
            gaps: BTreeMap::new(),
            context: plan.context.clone(),
            expected: BTreeSet::new(),
            named: BTreeSet::new(),
        }
    }

    /// Adds transactions that brought value from other chains.
    pub(super) fn expect(&mut self, txids: impl Iterator<Item = Txid>) {
        self.expected.extend(txids);
    }

    /// The questions of the stage; `None` once the subjects are resolved. `asked` were asked before.
    pub(super) fn next_wave(
        &mut self,
        plan: &Plan,
        asked: u64,
    ) -> Result<Option<Vec<Query>>, TraceError> {
        if self.stage == Stage::Histories {
            self.stage = Stage::Transactions;
            let queries = histories(plan);
            require_requests(plan, asked, &queries)?;
            if !queries.is_empty() {
                return Ok(Some(queries));
            }
        }
        if self.stage == Stage::Transactions {
            self.stage = Stage::Complete;
            let queries = self.transactions();
            require_nodes(plan, &queries)?;
            require_requests(plan, asked, &queries)?;
            return Ok(Some(queries).filter(|queries| !queries.is_empty()));
        }
        Ok(None)
    }

    /// The stolen outputs in the order of the subjects, once.
    pub(super) fn take_seeds(&mut self) -> Option<Vec<Stolen>> {
        if self.stage != Stage::Complete {
            return None;
        }
        self.stage = Stage::Done;
        Some(
            self.thefts
                .iter()
                .flat_map(|theft| self.stolen(theft))
                .collect(),
        )
    }

    /// True for a transaction that is visited because the user named it.
    pub(super) fn names(&self, txid: &Txid) -> bool {
        self.named.contains(txid)
    }

    pub(super) fn received(&mut self, script: &ScriptBuf, outputs: Vec<(OutPoint, u64)>) {
        self.received.insert(script.clone(), outputs);
    }

    /// Notes what is not known of the addresses of a script; what was noted first stays.
    pub(super) fn lost(&mut self, script: &ScriptBuf, gap: &Gap) {
        for Theft { subject, .. } in &self.thefts {
            if let Subject::Script {
                script: named,
                text,
            } = subject
                && named == script
            {
                self.gaps.entry(text.clone()).or_insert_with(|| gap.clone());
            }
        }
    }

    pub(super) fn unavailable(&mut self, txid: &Txid, gap: &Gap) {
        if self.names(txid) {
            self.gaps.insert(txid.to_string(), gap.clone());
        }
    }

    pub(super) fn gaps(&self) -> Vec<(String, Gap)> {
        self.gaps
            .iter()
            .map(|(subject, gap)| (subject.clone(), gap.clone()))
            .collect()
    }

    fn stolen(&self, theft: &Theft) -> Vec<Stolen> {
        match &theft.subject {
            Subject::Transaction(txid) => vec![Stolen::All(*txid)],
            Subject::Output(outpoint) => vec![Stolen::One(*outpoint)],
            Subject::Script { script, .. } => {
                let received = self.received_in_window(theft, script);
                let paid = received.map(|(output, _)| Stolen::Paid {
                    output,
                    script: script.clone(),
                });
                paid.collect()
            }
            // They name nothing on a Bitcoin chain.
            Subject::EvmTransaction(_) | Subject::EvmMovement { .. } | Subject::Account(_) => {
                Vec::new()
            }
        }
    }

    fn received_in_window(
        &self,
        theft: &Theft,
        script: &ScriptBuf,
    ) -> impl Iterator<Item = (OutPoint, u64)> {
        let window = theft.since..=theft.until;
        let received = self.received.get(script).into_iter().flatten().copied();
        received.filter(move |(_, height)| window.contains(height))
    }

    /// The transactions that hold stolen outputs, with their heights where a history told them.
    fn heights(&self) -> BTreeMap<Txid, Option<u64>> {
        let mut heights = BTreeMap::new();
        for theft in &self.thefts {
            match &theft.subject {
                Subject::Transaction(txid) => {
                    heights.entry(*txid).or_insert(None);
                }
                Subject::Output(outpoint) => {
                    heights.entry(outpoint.txid).or_insert(None);
                }
                Subject::Script { script, .. } => {
                    for (outpoint, height) in self.received_in_window(theft, script) {
                        heights.insert(outpoint.txid, Some(height));
                    }
                }
                Subject::EvmTransaction(_) | Subject::EvmMovement { .. } | Subject::Account(_) => {}
            }
        }
        heights
    }

    fn transactions(&mut self) -> Vec<Query> {
        let mut heights = self.heights();
        for txid in self.context.iter().chain(&self.expected) {
            heights.entry(*txid).or_insert(None);
        }
        self.named = heights.keys().copied().collect();
        heights
            .into_iter()
            .map(|(txid, height)| Query::Transaction { txid, height })
            .collect()
    }
}

fn histories(plan: &Plan) -> Vec<Query> {
    let mut scripts = BTreeMap::new();
    for Theft { subject, since, .. } in &plan.subjects {
        if let Subject::Script { script, .. } = subject {
            let earliest = scripts.entry(script.clone()).or_insert(*since);
            *earliest = (*earliest).min(*since);
        }
    }
    let as_of = plan.height();
    scripts
        .into_iter()
        .map(|(script, since)| Query::Received {
            script,
            since,
            as_of,
        })
        .collect()
}

fn require_nodes(plan: &Plan, queries: &[Query]) -> Result<(), TraceError> {
    let found = count(queries);
    match plan.limits.max_nodes {
        Some(limit) if found > limit => Err(TraceError::TooManySeeds { found, limit }),
        Some(_) | None => Ok(()),
    }
}

fn require_requests(plan: &Plan, asked: u64, queries: &[Query]) -> Result<(), TraceError> {
    let needed = asked.saturating_add(count(queries));
    match plan.limits.max_requests {
        Some(limit) if needed > limit => Err(TraceError::TooFewRequests { needed, limit }),
        Some(_) | None => Ok(()),
    }
}

fn count(queries: &[Query]) -> u64 {
    u64::try_from(queries.len()).unwrap_or(u64::MAX)
}
