//! Reads off a report what happened in it: arrivals at services, entries into mixers and bridges, movements.

use std::collections::{BTreeMap, BTreeSet};

use hansel_graph::Direction;
use hansel_ledger::{Amount, AmountError};
use hansel_report::Report;
use hansel_report::model::{CashOut, Flow, FlowKind, Node, NodeKind, StopKind, Timestamp};

use super::alert::{LONGEST_LIST, Moved, News, id_of};

const SECONDS_PER_DAY: u64 = 86_400;

/// Ends the key of an event that is in no block.
pub(super) const WARNING: char = 'w';

/// Something that happened in one transaction.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// [`News::Moved`] for every movement, whether it woke or not.
    pub(super) news: News,
    pub(super) chain: String,
    pub(super) tx: String,
    /// The transaction in which the same value went on to the service's own address, where it did.
    pub(super) swept: Option<String>,
    pub(super) block: Option<u64>,
    pub(super) time: Option<Timestamp>,
    pub(super) place: String,
    pub(super) entity: Option<String>,
    pub(super) from: BTreeSet<String>,
    pub(super) to: BTreeSet<String>,
    pub(super) amounts: BTreeMap<String, Moved>,
    pub(super) rested_days: Option<u64>,
}

impl Event {
    /// Tells the event from others of its case, whatever the block: the same transaction in another block is the same
    /// event, but for one in no block yet.
    pub(super) fn key(&self) -> String {
        let swept = self.swept.as_deref().unwrap_or_default();
        let assets: Vec<_> = match self.news {
            News::Moved | News::Woke => Vec::new(),
            News::ReachedService | News::EnteredMixer | News::EnteredBridge => {
                self.amounts.keys().map(String::as_str).collect()
            }
        };
        let assets = assets.join(",");
        let words = [
            self.news.name(),
            &self.chain,
            &self.tx,
            &self.place,
            swept,
            &assets,
        ];
        let mut key = id_of(&words);
        key.truncate(16);
        if self.block.is_none() {
            key.push(WARNING);
        }
        key
    }

    fn add(&mut self, flow: &Flow) -> Result<(), AmountError> {
        self.add_amount(flow)?;
        insert(
            &mut self.from,
            flow.from_addresses.iter().map(ToString::to_string),
        );
        insert(&mut self.to, [place(flow).to_owned()]);
        Ok(())
    }

    fn add_amount(&mut self, flow: &Flow) -> Result<(), AmountError> {
        let moved = self.amounts.entry(flow.asset.to_string()).or_default();
        moved.asset = flow.asset.to_string();
        moved.amount = moved.amount.checked_add(flow.amount)?;
        for (rule, amount) in &flow.tainted {
            let sum = moved.tainted.entry(*rule).or_default();
            *sum = sum.checked_add(*amount)?;
        }
        Ok(())
    }
}

/// Adds places as far as an alert names them.
fn insert(list: &mut BTreeSet<String>, places: impl IntoIterator<Item = String>) {
    for place in places {
        if list.len() < LONGEST_LIST {
            list.insert(place);
        }
    }
}

/// Everything that happened, in the order of the report; nothing for a trace that looks backward.
pub(super) fn events(report: &Report) -> Result<Vec<Event>, AmountError> {
    if report.case.direction == Direction::Backward {
        return Ok(Vec::new());
    }
    let scene = Scene::of(report);
    let mut all = Vec::new();
    for cash_out in &report.cash_outs {
        all.push(scene.reached(cash_out));
    }
    for flow in report.flows.iter().filter(|flow| counts(flow)) {
        all.extend(scene.entered(flow)?);
    }
    all.extend(scene.movements()?);
    all.extend(scene.waiting()?);
    Ok(all)
}

/// A tainted flow that is no fee.
fn counts(flow: &Flow) -> bool {
    flow.kind != FlowKind::Fee && flow.tainted.values().any(|amount| !amount.is_zero())
}

/// Where a flow went: an address where there is one, else the id of the node.
fn place(flow: &Flow) -> &str {
    flow.to_address.as_deref().unwrap_or(&flow.to)
}

/// A report by node.
struct Scene<'a> {
    report: &'a Report,
    nodes: BTreeMap<&'a str, &'a Node>,
    /// The flows that enter each node.
    entering: BTreeMap<&'a str, Vec<&'a Flow>>,
    leaving: BTreeMap<&'a str, Vec<&'a Flow>>,
}

impl<'a> Scene<'a> {
    fn of(report: &'a Report) -> Self {
        let nodes = report.nodes.iter().map(|node| (&*node.id, node));
        let mut scene = Self {
            report,
            nodes: nodes.collect(),
            entering: BTreeMap::new(),
            leaving: BTreeMap::new(),
        };
        for flow in report.flows.iter().filter(|flow| counts(flow)) {
            scene.entering.entry(&flow.to).or_default().push(flow);
            scene.leaving.entry(&flow.from).or_default().push(flow);
        }
        scene
    }

    fn reached(&self, cash_out: &CashOut) -> Event {
        let flows = self.report.flows.iter();
        let mut flows = flows.filter(|flow| flow.chain == cash_out.chain && flow.tx == cash_out.tx);
        let flow = flows.next();
        let moved = Moved {
            asset: cash_out.asset.clone(),
            amount: cash_out.amount,
            tainted: cash_out.tainted.clone().into(),
        };
        Event {
            news: News::ReachedService,
            chain: cash_out.chain.clone(),
            tx: cash_out.tx.clone(),
            swept: cash_out.service_tx.clone(),
            block: flow.and_then(|flow| flow.block),
            time: cash_out.time,
            place: cash_out.deposit_address.clone(),
            entity: Some(cash_out.entity.clone()),
            from: flow
                .into_iter()
                .flat_map(|flow| flow.from_addresses.clone())
                .map(String::from)
                .take(LONGEST_LIST)
                .collect(),
            to: BTreeSet::from([cash_out.deposit_address.clone()]),
            amounts: BTreeMap::from([(moved.asset.clone(), moved)]),
            rested_days: None,
        }
    }

    /// The entry into a mixer or a bridge that a flow is, if it is one.
    fn entered(&self, flow: &'a Flow) -> Result<Option<Event>, AmountError> {
        let stop = self
            .nodes
            .get(&*flow.to)
            .and_then(|node| node.stop.as_ref());
        let news = match stop.map(|stop| stop.kind) {
            _ if flow.kind == FlowKind::Crossing => News::EnteredBridge,
            Some(StopKind::Mixer) => News::EnteredMixer,
            Some(StopKind::BridgeUnresolved) => News::EnteredBridge,
            Some(_) | None => return Ok(None),
        };
        let mut event = event_of(news, flow, place(flow));
        event.entity = stop.and_then(|stop| stop.entity.clone());
        event.add(flow)?;
        Ok(Some(event))
    }

    /// One event for each transaction that moved tainted value.
    fn movements(&self) -> Result<Vec<Event>, AmountError> {
        let mut movements: BTreeMap<(&str, &str), Event> = BTreeMap::new();
        for flow in self.report.flows.iter().filter(|flow| counts(flow)) {
            let key = (&*flow.chain, &*flow.tx);
            let movement = movements
                .entry(key)
                .or_insert_with(|| event_of(News::Moved, flow, &flow.tx));
            movement.add(flow)?;
            movement.rested_days = movement.rested_days.max(self.rested(flow));
        }
        Ok(movements.into_values().collect())
    }

    /// One event for each transaction that waits to be mined and moves tainted value.
    fn waiting(&self) -> Result<Vec<Event>, AmountError> {
        let mut waiting: BTreeMap<(&str, &str), Event> = BTreeMap::new();
        for node in &self.report.nodes {
            let Some(tx) = node.gaps.iter().find_map(|gap| gap.tx.as_deref()) else {
                continue;
            };
            for flow in self.entering.get(&*node.id).into_iter().flatten() {
                let event = waiting.entry((&*node.chain, tx)).or_insert_with(|| Event {
                    tx: tx.to_owned(),
                    block: None,
                    time: None,
                    ..event_of(News::Moved, flow, tx)
                });
                event.add_amount(flow)?;
                insert(&mut event.from, flow.to_address.clone().map(String::from));
            }
        }
        Ok(waiting.into_values().collect())
    }

    /// The days for which the value of a flow had rested: for a transaction since its oldest tainted input, for an account
    /// since its last movement before.
    fn rested(&self, flow: &Flow) -> Option<u64> {
        let now = flow.time?.0.0;
        let node = self.nodes.get(&*flow.from)?;
        let entering = self.entering.get(&*flow.from).into_iter().flatten();
        let times = |flow: &&&Flow| flow.time.map(|time| time.0.0);
        let since = match node.kind {
            NodeKind::Transaction | NodeKind::Output => {
                entering.filter_map(|one| times(&one)).min()
            }
            NodeKind::Account => {
                let leaving = self.leaving.get(&*flow.from).into_iter().flatten();
                let others = entering.chain(leaving).filter(|one| one.tx != flow.tx);
                others
                    .filter_map(|one| times(&one))
                    .filter(|time| *time <= now)
                    .max()
            }
        };
        Some(now.saturating_sub(since?) / SECONDS_PER_DAY)
    }
}

fn event_of(news: News, flow: &Flow, place: &str) -> Event {
    Event {
        news,
        chain: flow.chain.to_string(),
        tx: flow.tx.clone(),
        swept: None,
        block: flow.block,
        time: flow.time,
        place: place.to_owned(),
        entity: None,
        from: BTreeSet::new(),
        to: BTreeSet::new(),
        amounts: BTreeMap::new(),
        rested_days: None,
    }
}

impl Event {
    /// The greatest of its amounts' tainted parts, for a sentence.
    pub(super) fn in_words(&self) -> String {
        let amounts = self.amounts.values().map(|moved| {
            let most = moved
                .tainted
                .values()
                .max()
                .copied()
                .unwrap_or(Amount::ZERO);
            format!(
                "{} {} base units, up to {most} of them tainted,",
                moved.amount, moved.asset
            )
        });
        amounts.collect::<Vec<_>>().join(" and ")
    }
}
