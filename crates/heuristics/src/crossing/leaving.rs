//! What leaves a chain in a trace: the departures among its transactions, with the taint that they carry.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use hansel_graph::{
    AccountFlow, AccountStep, AccountTrace, Category, Direction, FlowIx, PoolIx, PoolKey, Rule,
    SeedIx, Trace, TraceError,
};
use hansel_ledger::{Amount, AmountError, EvmTransaction, NodeId, TransferId, UnixTime};

use super::doors::Doors;
use super::{Backing, Bridges, Carrier, Departure, OutputView, Told, TransactionView};

/// Tainted value that leaves a chain.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// What the transaction says.
    pub departure: Departure,
    /// The transaction.
    pub tx: String,
    /// The time of its block.
    pub time: UnixTime,
    /// The node at which the value left.
    pub node: NodeId,
    /// The flow that carried it there.
    pub flow: TransferId,
    /// Where the trace counts it.
    pub category: Category,
    /// By rule, what of it is stolen.
    pub taints: BTreeMap<Rule, Taint>,
    /// Who took it according to labels, where no protocol that is read did.
    pub entity: Option<String>,
}

impl Leaving {
    /// What a user names where the value did not leave, though its sender says so; `None` where more than he says so.
    pub fn way_on(&self) -> Option<String> {
        if !self.departure.only_said {
            return None;
        }
        Some(match &self.departure.carrier {
            Some(Carrier::Movement { to, .. }) => to.to_string(),
            Some(Carrier::Output(_)) | None => self.tx.clone(),
        })
    }
}

/// What of a departure is stolen under a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taint {
    /// How much, in base units of what left.
    pub tainted: Amount,
    /// What each seed claims of it, in base units of what was stolen; nothing under poison.
    pub claims: BTreeMap<SeedIx, Amount>,
}

/// Closes a Bitcoin trace where value leaves its chain, as it says itself or as other chains tell.
pub fn close_outputs(trace: &mut Trace, bridges: &Bridges, told: &[Told]) {
    if trace.plan().direction == Direction::Backward {
        return;
    }
    let mut doors = Vec::new();
    for (pool, departure) in departing_pools(trace, bridges, told) {
        if let Some(Carrier::Output(vout)) = departure.carrier {
            let txid = trace.graph().pool(pool).txid;
            doors.push((bitcoin::OutPoint { txid, vout }, departure.in_words()));
        }
    }
    for (output, reason) in doors {
        trace.close(&output, reason);
    }
}

/// Closes a trace of accounts where value leaves their chain. What is destroyed on the way out stays destroyed.
pub fn close_accounts(trace: &mut AccountTrace, bridges: &Bridges) {
    let doors = Doors::of(trace, bridges);
    for pool in &doors.disbelieved {
        trace.reopen(pool);
    }
    for (pool, reason) in doors.closed {
        trace.close(pool, reason);
    }
}

fn departing_pools(trace: &Trace, bridges: &Bridges, told: &[Told]) -> Vec<(PoolIx, Departure)> {
    let mut found = backing_pools(trace, bridges, told);
    // What another chain names goes before what the payer wrote behind it: an output leaves once.
    let named: BTreeSet<_> = found
        .iter()
        .map(|(pool, one)| (*pool, one.carrier.clone()))
        .collect();
    let speaking = speaking_pools(trace, bridges).into_iter();
    found.extend(speaking.filter(|(pool, one)| !named.contains(&(*pool, one.carrier.clone()))));
    found.retain(|(pool, departure)| !goes_through(trace, *pool, departure));
    found
}

/// True where the user says that the value did not leave: anybody can write a memo behind a payment to himself.
fn goes_through(trace: &Trace, pool: PoolIx, departure: &Departure) -> bool {
    let graph = trace.graph();
    let txid = graph.pool(pool).txid;
    let Some(Carrier::Output(vout)) = departure.carrier else {
        return false;
    };
    let flow = graph.find_output(&bitcoin::OutPoint { txid, vout });
    let script = flow.and_then(|flow| graph.flow(flow).script);
    script.is_some_and(|script| trace.plan().venues.passes_output(&txid, script))
}

/// What a transaction of accounts sends to other chains, where the user does not say that the trail goes on.
pub(super) fn departures_of(
    trace: &AccountTrace,
    bridges: &Bridges,
    tx: &EvmTransaction,
) -> Vec<Departure> {
    let plan = trace.plan();
    let mut all = bridges.departures(&plan.chain, &TransactionView::Evm(tx));
    all.retain(|departure| match departure.carrier {
        Some(Carrier::Movement { to, .. }) => !plan.venues.passes_account(&to),
        Some(Carrier::Output(_)) | None => true,
    });
    all
}

/// The payments of a trace that an event of another chain names.
fn backing_pools(trace: &Trace, bridges: &Bridges, told: &[Told]) -> Vec<(PoolIx, Departure)> {
    let chain = &trace.plan().chain;
    let backings = told.iter().filter_map(|told| bridges.backing(chain, told));
    backings
        .flat_map(|backing| fitting(trace, &backing))
        .collect()
}

/// The outputs of a trace that fit what an event says of them.
fn fitting(trace: &Trace, backing: &Backing) -> Vec<(PoolIx, Departure)> {
    let graph = trace.graph();
    let Some(pool) = graph.find(&backing.txid) else {
        return Vec::new();
    };
    let outputs = graph.pool(pool).outputs.iter().filter_map(|flow| {
        let flow = graph.flow(*flow);
        let departure = backing.departure(flow.vout, flow.value?, flow.script?)?;
        Some((pool, departure))
    });
    outputs.collect()
}

/// True where an event of another chain names a payment of the trace.
pub fn names_output(trace: &Trace, bridges: &Bridges, told: &Told) -> bool {
    let backing = bridges.backing(&trace.plan().chain, told);
    backing.is_some_and(|backing| !fitting(trace, &backing).is_empty())
}

/// The payments of a trace that say themselves where their value goes.
fn speaking_pools(trace: &Trace, bridges: &Bridges) -> Vec<(PoolIx, Departure)> {
    let chain = &trace.plan().chain;
    let graph = trace.graph();
    let mut found = Vec::new();
    for pool in graph.pools() {
        let seen = graph.pool(pool);
        let messages = |flow: &&FlowIx| {
            let script = graph.flow(**flow).script;
            script.is_some_and(bitcoin::Script::is_op_return)
        };
        if !seen.visited || !seen.outputs.iter().any(|flow| messages(&flow)) {
            continue;
        }
        let outputs = seen.outputs.iter().filter_map(|flow| {
            let flow = graph.flow(*flow);
            Some(OutputView {
                vout: flow.vout,
                value: flow.value?,
                script: flow.script?,
            })
        });
        let view = TransactionView::Bitcoin {
            txid: seen.txid,
            sender: seen
                .inputs
                .first()
                .and_then(|flow| graph.flow(*flow).script),
            outputs: outputs.collect(),
        };
        let departures = bridges.departures(chain, &view);
        found.extend(departures.into_iter().map(|departure| (pool, departure)));
    }
    found
}

/// The tainted departures of a Bitcoin trace.
pub fn leaving_outputs(
    trace: &Trace,
    bridges: &Bridges,
    told: &[Told],
) -> Result<Vec<Leaving>, TraceError> {
    let mut all = Vec::new();
    if trace.plan().direction == Direction::Backward {
        return Ok(all);
    }
    for (pool, departure) in departing_pools(trace, bridges, told) {
        let Some(Carrier::Output(vout)) = departure.carrier else {
            continue;
        };
        let seen = trace.graph().pool(pool);
        let outpoint = bitcoin::OutPoint {
            txid: seen.txid,
            vout,
        };
        let (Some(flow), Some(block)) =
            (trace.graph().find_output(&outpoint), seen.placement.block())
        else {
            continue;
        };
        let Some(category) = trace.ending(flow)?.and_then(|ending| ending.category()) else {
            continue;
        };
        let chain = &trace.plan().chain;
        all.push(Leaving {
            tx: seen.txid.to_string(),
            time: block.time,
            node: NodeId::output(chain, &outpoint),
            flow: TransferId::output(chain, &outpoint),
            category,
            taints: strand_taints(trace, flow)?,
            departure,
            entity: None,
        });
    }
    Ok(all)
}

/// What of an output is stolen, by rule.
pub(super) fn strand_taints(
    trace: &Trace,
    flow: FlowIx,
) -> Result<BTreeMap<Rule, Taint>, AmountError> {
    let taint = |rule: Rule| {
        let mut taint = Taint::default();
        for strand in trace.settlement().strands(rule, flow) {
            if let Some(seed) = strand.owner {
                let amount = Amount::from(strand.amount);
                taint.add(rule, seed, amount, amount)?;
            }
        }
        Ok((rule, taint))
    };
    trace.settlement().rules().map(taint).collect()
}

/// The tainted departures of a trace of accounts.
pub fn leaving_accounts(
    trace: &AccountTrace,
    bridges: &Bridges,
) -> Result<Vec<Leaving>, TraceError> {
    let chain = &trace.plan().chain;
    let departing: Vec<(&EvmTransaction, Vec<Departure>)> = trace
        .facts()
        .transactions()
        .filter(|tx| tx.succeeded && !(tx.events.is_empty() && tx.carried.is_empty()))
        .map(|tx| (tx, departures_of(trace, bridges, tx)))
        .filter(|(_, departures)| !departures.is_empty())
        .collect();
    let hashes: BTreeSet<B256> = departing.iter().map(|(tx, _)| tx.hash).collect();
    let mut flows = BTreeMap::new();
    for flow in trace.settlement().flows() {
        if let AccountStep::Movement { origin, .. } = flow.step
            && hashes.contains(&flow.hash)
        {
            flows.insert((flow.hash, origin.clone()), flow);
        }
    }
    let doors = Doors::of(trace, bridges);
    let categories: BTreeMap<PoolKey, Category> = trace
        .settlement()
        .pools()
        .map(|pool| (pool.key, trace.ending(&pool).category()))
        .collect();
    let mut all = Vec::new();
    for (tx, departures) in departing {
        for departure in departures {
            let Some(Carrier::Movement { origin, to, coin }) = departure.carrier.clone() else {
                continue;
            };
            let key = PoolKey { account: to, coin };
            if departure.only_said && doors.disbelieved.contains(&key) {
                continue;
            }
            let (Some(flow), Some(category)) =
                (flows.get(&(tx.hash, origin.clone())), categories.get(&key))
            else {
                continue;
            };
            let taints = trace
                .settlement()
                .rules()
                .map(|rule| Ok((rule, taint_of(flow, rule, departure.amount)?)));
            all.push(Leaving {
                tx: tx.hash.to_string(),
                time: tx.placement.block.time,
                node: NodeId::account(chain, &to),
                flow: TransferId::movement(chain, &tx.hash, &origin),
                category: *category,
                taints: taints.collect::<Result<_, AmountError>>()?,
                departure,
                entity: None,
            });
        }
    }
    Ok(all)
}

/// The taint of the first `amount` of a flow, in proportion where the flow carries more than the departure took.
pub(super) fn taint_of(
    flow: &AccountFlow<'_>,
    rule: Rule,
    amount: Amount,
) -> Result<Taint, AmountError> {
    let mut whole = Taint::default();
    for parcel in flow.parcels(rule) {
        if let Some(seed) = parcel.owner {
            whole.add(rule, seed, parcel.amount, parcel.claim)?;
        }
    }
    let AccountStep::Movement { amount: moved, .. } = flow.step else {
        return Ok(whole);
    };
    if amount >= moved {
        return Ok(whole);
    }
    let part = |of: Amount| of.mul_div(amount, moved);
    let claims = whole.claims.into_iter();
    Ok(Taint {
        tainted: part(whole.tainted)?,
        claims: claims
            .map(|(seed, claim)| Ok((seed, part(claim)?)))
            .collect::<Result<_, AmountError>>()?,
    })
}

impl Taint {
    fn add(
        &mut self,
        rule: Rule,
        seed: SeedIx,
        amount: Amount,
        claim: Amount,
    ) -> Result<(), AmountError> {
        self.tainted = self.tainted.checked_add(amount)?;
        if rule.conserves() {
            let sum = self.claims.entry(seed).or_default();
            *sum = sum.checked_add(claim)?;
        }
        Ok(())
    }
}
