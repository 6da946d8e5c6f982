//! A chain that answers a trace's questions from statements written by hand or at random, truly unless told to lie.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::{Hash, sha256d};
use bitcoin::{Amount, OutPoint, ScriptBuf, Txid};
use hansel_graph::{Ending, FeeRule, Limits, Plan, Rule, Theft, Trace, TraceError};
use hansel_ledger::{
    Chain, Fact, Gap, Input, Output, Placement, Query, SpendState, Spends, Subject,
    TransactionStatement,
};

use crate::ledgers::{Dice, block};

/// The height of a plan's newest block; ledgers stay below it.
pub(crate) const TIP: u64 = 1_000_000;

/// What is known of every transaction, and what is said instead of the truth.
#[derive(Clone, Default)]
pub(crate) struct FakeChain {
    transactions: BTreeMap<Txid, TransactionStatement>,
    spenders: BTreeMap<OutPoint, (Txid, u64)>,
    /// What is said about the spending of an output instead of the truth.
    pub(crate) lies: BTreeMap<OutPoint, SpendState>,
    /// Rows about these outputs are left out of answers.
    pub(crate) silent: BTreeSet<OutPoint>,
    /// Rows that are added to every answer about spending.
    pub(crate) unasked: Vec<(u32, SpendState)>,
    /// Transactions that cannot be fetched.
    pub(crate) missing: BTreeSet<Txid>,
    /// What is said that a script received instead of the truth.
    pub(crate) received: BTreeMap<ScriptBuf, Vec<(OutPoint, u64)>>,
}

/// The id of a transaction by its name.
pub(crate) fn txid(name: &str) -> Txid {
    Txid::from_raw_hash(sha256d::Hash::hash(name.as_bytes()))
}

/// An output by its name, as in `theft:0`.
pub(crate) fn out(name: &str) -> OutPoint {
    let (name, vout) = name.split_once(':').unwrap();
    OutPoint {
        txid: txid(name),
        vout: vout.parse().unwrap(),
    }
}

/// The locking script of an output: one of its own.
pub(crate) fn script(name: &str) -> ScriptBuf {
    ScriptBuf::from([&[0x51], name.as_bytes()].concat())
}

impl FakeChain {
    pub(crate) fn of(ledger: &[TransactionStatement]) -> Self {
        let mut chain = Self::default();
        for transaction in ledger {
            chain.add(transaction.clone());
        }
        chain
    }

    pub(crate) fn add(&mut self, transaction: TransactionStatement) {
        if let Some(height) = transaction.placement.height() {
            for input in &transaction.inputs {
                let spender = (transaction.txid, height);
                self.spenders.insert(input.previous, spender);
            }
        }
        self.transactions.insert(transaction.txid, transaction);
    }

    /// Adds a coinbase.
    pub(crate) fn mint(&mut self, name: &str, height: u64, outputs: &[u64]) {
        self.pay(name, height, &[], outputs);
    }

    /// Adds a payment; what the outputs leave is the fee.
    pub(crate) fn pay(&mut self, name: &str, height: u64, inputs: &[&str], outputs: &[u64]) {
        let transaction = TransactionStatement {
            txid: txid(name),
            placement: Placement::Confirmed(block(height)),
            inputs: inputs.iter().map(|name| self.input(&out(name))).collect(),
            outputs: (0..)
                .zip(outputs)
                .map(|(vout, value)| paid(*value, script(&format!("{name}:{vout}"))))
                .collect::<Vec<_>>(),
        };
        self.add(transaction);
    }

    fn input(&self, previous: &OutPoint) -> Input {
        let creator = self.transactions.get(&previous.txid);
        Input {
            previous: *previous,
            spent: creator.map(|creator| creator.outputs[previous.vout as usize].clone()),
        }
    }

    /// The statement of a transaction, to be changed by a test.
    pub(crate) fn statement(&mut self, name: &str) -> &mut TransactionStatement {
        self.transactions.get_mut(&txid(name)).unwrap()
    }

    /// Makes an output one that can never be spent.
    pub(crate) fn burn(&mut self, name: &str) {
        let output = out(name);
        let creator = self.transactions.get_mut(&output.txid).unwrap();
        creator.outputs[output.vout as usize].script = ScriptBuf::new_op_return([0; 4]);
    }

    pub(crate) fn answer(&self, query: &Query) -> Result<Fact, String> {
        match query {
            Query::Transaction { txid, .. } => self.transaction(txid),
            Query::Spends {
                txid,
                outputs,
                as_of,
                ..
            } => Ok(Fact::Spends(self.spends(*txid, outputs, *as_of))),
            Query::Received {
                script,
                since,
                as_of,
            } => Ok(Fact::Received(self.paid_to(script, *since, *as_of))),
            Query::Evm(_) => Err("unsupported".into()),
        }
    }

    fn transaction(&self, txid: &Txid) -> Result<Fact, String> {
        let known = self.transactions.get(txid);
        known
            .filter(|_| !self.missing.contains(txid))
            .map(|transaction| Fact::Transaction(transaction.clone()))
            .ok_or_else(|| "not-found".into())
    }

    fn spends(&self, txid: Txid, outputs: &[(u32, ScriptBuf)], as_of: u64) -> Spends {
        let known = outputs
            .iter()
            .map(|(vout, _)| OutPoint { txid, vout: *vout });
        let mut rows: Vec<(u32, SpendState)> = known
            .filter(|output| !self.silent.contains(output))
            .map(|output| (output.vout, self.spend(&output, as_of)))
            .collect();
        rows.extend(self.unasked.clone());
        Spends {
            txid,
            as_of,
            outputs: rows,
        }
    }

    fn spend(&self, output: &OutPoint, as_of: u64) -> SpendState {
        if let Some(lie) = self.lies.get(output) {
            return lie.clone();
        }
        match self.spenders.get(output) {
            Some((by, height)) if *height <= as_of => SpendState::Spent {
                by: *by,
                height: *height,
            },
            Some(_) | None => SpendState::Unspent,
        }
    }

    fn paid_to(&self, script: &ScriptBuf, since: u64, as_of: u64) -> Vec<(OutPoint, u64)> {
        if let Some(lie) = self.received.get(script) {
            return lie.clone();
        }
        let mut paid = Vec::new();
        for transaction in self.transactions.values() {
            let Some(height) = transaction.placement.height() else {
                continue;
            };
            for (vout, output) in (0..).zip(&transaction.outputs) {
                if output.script == *script && (since..=as_of).contains(&height) {
                    let txid = transaction.txid;
                    paid.push((OutPoint { txid, vout }, height));
                }
            }
        }
        paid.sort_by_key(|(output, height)| (*height, *output));
        paid
    }
}

pub(crate) fn paid(value: u64, script: ScriptBuf) -> Output {
    Output {
        value: Amount::from_sat(value),
        script,
    }
}

/// A plan to follow outputs under every rule, without limits.
pub(crate) fn plan(outputs: &[&str]) -> Plan {
    let subjects = outputs.iter().map(|name| Subject::Output(out(name)));
    plan_of(subjects)
}

pub(crate) fn plan_of(subjects: impl IntoIterator<Item = Subject>) -> Plan {
    let named = |subject| Theft {
        subject,
        since: 0,
        until: u64::MAX,
        coins: std::collections::BTreeSet::new(),
    };
    Plan {
        chain: Chain::bitcoin(),
        subjects: subjects.into_iter().map(named).collect(),
        context: Vec::new(),
        as_of: Some(block(TIP)),
        rules: Rule::ALL.to_vec(),
        fee_rule: FeeRule::Last,
        direction: hansel_graph::Direction::Forward,
        limits: Limits::NONE,
        venues: std::sync::Arc::new(hansel_graph::NoVenues),
    }
}

/// Runs a trace to its end; the answers of a wave are resolved in the order of its questions.
pub(crate) fn run(plan: Plan, chain: &FakeChain) -> Trace {
    try_run(plan, chain, |_| {}).unwrap()
}

/// Runs a trace; `arrange` puts the questions of a wave into the order in which they are resolved.
pub(crate) fn try_run(
    plan: Plan,
    chain: &FakeChain,
    mut arrange: impl FnMut(&mut Vec<Query>),
) -> Result<Trace, TraceError> {
    let mut trace = Trace::new(plan);
    loop {
        let mut wave = trace.next_wave()?;
        if wave.is_empty() {
            return Ok(trace);
        }
        assert!(trace.questions() < 100_000, "the trace asks without end");
        arrange(&mut wave);
        for query in &wave {
            resolve(&mut trace, chain, query)?;
        }
    }
}

/// Resolves a question as the command line does: a statement that contradicts earlier ones becomes a gap.
pub(crate) fn resolve(
    trace: &mut Trace,
    chain: &FakeChain,
    query: &Query,
) -> Result<(), TraceError> {
    match trace.resolve(query, chain.answer(query)) {
        Err(TraceError::Graph(error)) => match query {
            Query::Transaction { txid, .. } if error.culprit() == Some(*txid) => {
                trace.resolve(query, Err("inconsistent".into()))
            }
            _ => Err(error.into()),
        },
        other => other,
    }
}

pub(crate) fn shuffle<T>(items: &mut [T], dice: &mut Dice) {
    for last in (1..items.len()).rev() {
        items.swap(last, dice.roll(last as u64 + 1) as usize);
    }
}

/// What became of an output.
pub(crate) fn ending(trace: &Trace, name: &str) -> Option<Ending> {
    let flow = trace.graph().find_output(&out(name)).unwrap();
    trace.ending(flow).unwrap()
}

/// The taint of an output under a rule.
pub(crate) fn tainted(trace: &Trace, rule: Rule, name: &str) -> u64 {
    let flow = trace.graph().find_output(&out(name)).unwrap();
    trace.settlement().tainted(rule, flow)
}

/// Everything that a trace says, by id and not by number, so that traces can be compared.
pub(crate) fn outcome(trace: &Trace) -> Vec<String> {
    let graph = trace.graph();
    let settlement = trace.settlement();
    let mut lines: Vec<String> = graph
        .flows()
        .map(|flow| {
            let strands: Vec<_> = settlement
                .rules()
                .map(|rule| settlement.strands(rule, flow))
                .collect();
            let ending = trace.ending(flow).unwrap();
            format!("{} {ending:?} {strands:?}", graph.outpoint(flow))
        })
        .chain(graph.pools().map(|pool| {
            let strands: Vec<_> = settlement
                .rules()
                .map(|rule| settlement.fee_strands(rule, pool))
                .collect();
            let (view, hops) = (graph.pool(pool), settlement.hops(pool));
            let order = graph.order(pool);
            format!(
                "{} {} {order:?} {hops:?} {strands:?}",
                view.txid, view.visited
            )
        }))
        .collect();
    lines.sort();
    lines.push(format!("{:?}", trace.accounting().unwrap()));
    lines.push(format!("{:?}", trace.subject_gaps()));
    lines.push(format!("{} {}", trace.visits(), trace.questions()));
    lines
}

/// Every stolen unit is in one place, for every seed and every rule that conserves value.
pub(crate) fn assert_balanced(trace: &Trace) {
    let rows = trace.accounting().unwrap();
    let rules = trace.settlement().rules().filter(|rule| rule.conserves());
    assert_eq!(rows.len(), trace.settlement().seeds().len() * rules.count());
    for row in rows {
        assert!(row.balances(), "{row:?}");
        assert!(row.stolen <= trace.settlement().seeds()[row.seed.position()].amount);
    }
}

/// The gap of an answer that could not be given.
pub(crate) fn unavailable(reason: &str) -> Gap {
    Gap::TransactionUnavailable {
        reason: reason.into(),
    }
}
