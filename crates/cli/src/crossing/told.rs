//! Asks other chains which payments on a Bitcoin chain they name as what they make value against.

use alloy_primitives::{Address, B256};
use hansel_graph::{Direction, Trace};
use hansel_heuristics::crossing::{
    Bridges, LATEST_NAMED, MintLogs, Told, extra_logs, names_output, with_extra,
};
use hansel_ledger::{EvmFact, EvmQuery, Fact, FoundLog, Gap, Query, UnixTime};
use hansel_report::model::Unknown;

use super::Crossings;
use super::ask::ask;
use super::found::SKEW;
use crate::case_record::CaseRecord;
use crate::course::Course;
use crate::failure::Failure;
use crate::leg::Leg;

/// The logs of one protocol over some time, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Heard {
    asked: Option<(UnixTime, UnixTime)>,
    logs: Vec<Told>,
}

impl<'a> Crossings<'a> {
    /// Traces every Bitcoin part again of which other chains tell more than they did.
    pub(super) async fn hear(
        &mut self,
        legs: &mut Vec<Leg<'a>>,
        record: &mut CaseRecord,
    ) -> Result<(), Failure> {
        for number in 0..legs.len() {
            let Some(paid) = times(&legs[number].course) else {
                continue;
            };
            let home = legs[number].part.chain.clone();
            let mut told = Vec::new();
            for mint in self.bridges.mint_logs(&home) {
                self.open(legs, record, &mint.chain).await?;
                told.extend(self.told(legs, &mint, paid).await?);
            }
            self.fill_in(legs, number, &mut told, paid).await?;
            told.retain(|told| names(&legs[number].course, self.bridges, told));
            if told != record.parts[legs[number].part.position].told {
                legs[number].retell(record, told).await?;
            }
        }
        Ok(())
    }

    /// What a protocol logged of payments between two times; nothing of a chain that no endpoint serves.
    async fn told(
        &mut self,
        legs: &[Leg<'a>],
        mint: &MintLogs,
        paid: (UnixTime, UnixTime),
    ) -> Result<Vec<Told>, Failure> {
        let mut there = legs.iter();
        let Some(there) = there.find(|leg| leg.part.chain.name() == mint.chain) else {
            return Ok(Vec::new());
        };
        let wanted = wanted(paid);
        let heard = self.heard.entry(mint.to_string()).or_default();
        let known = heard.asked;
        if known.is_none_or(|(since, until)| wanted.0 < since || wanted.1 > until) {
            heard.asked = Some(wanted);
            let (name, topics) = (mint.to_string(), vec![vec![mint.form]]);
            match logs(there, &mint.contracts, topics, wanted).await? {
                Ok((logs, gaps)) => {
                    let told = |log: FoundLog| Told {
                        chain: mint.chain.clone(),
                        event: log.event,
                        extra: None,
                    };
                    heard.logs = logs.into_iter().map(told).collect();
                    self.missed(&mint.chain, &name, gaps);
                }
                Err(reason) => self.missed(&mint.chain, &name, vec![reason]),
            }
        }
        let heard = self.heard.get(&mint.to_string());
        Ok(heard.map(|heard| heard.logs.clone()).unwrap_or_default())
    }

    /// Completes what is told of deposits with extra data, which their contracts log.
    async fn fill_in(
        &mut self,
        legs: &[Leg<'a>],
        number: usize,
        told: &mut [Told],
        times: (UnixTime, UnixTime),
    ) -> Result<(), Failure> {
        let Course::Outputs(trace, _) = &legs[number].course else {
            return Ok(());
        };
        for told in told {
            let Some(asked) = extra_logs(trace, self.bridges, told) else {
                continue;
            };
            let mut there = legs.iter();
            let Some(there) = there.find(|leg| leg.part.chain.name() == asked.chain) else {
                continue;
            };
            let topics = vec![Vec::new(), vec![asked.key]];
            let why = match logs(there, &[asked.contract], topics, wanted(times)).await? {
                Ok((logs, mut gaps)) => {
                    let mut logs = logs.iter();
                    let full = |log: &FoundLog| with_extra(trace, self.bridges, told, &log.event);
                    match logs.find_map(full) {
                        Some(full) => *told = full,
                        None => gaps.push(format!(
                            "{} has extra data that its contract does not log",
                            asked.output
                        )),
                    }
                    gaps
                }
                Err(why) => vec![why],
            };
            self.missed(&asked.chain, &format!("tbtc on {}", asked.chain), why);
        }
        Ok(())
    }

    fn missed(&mut self, chain: &str, what: &str, why: Vec<String>) {
        for why in why {
            self.partial = true;
            let missed = Unknown {
                subject: chain.to_owned(),
                kind: "crossing".into(),
                detail: format!("whether {what} made value against a payment is not known: {why}"),
            };
            // It is asked again in every round.
            if !self.unknown.contains(&missed) {
                self.unknown.push(missed);
            }
        }
    }
}

/// The logs between two times, and what may be missing of them.
async fn logs(
    there: &Leg<'_>,
    contracts: &[Address],
    topics: Vec<Vec<B256>>,
    (since, until): (UnixTime, UnixTime),
) -> Result<Result<(Vec<FoundLog>, Vec<String>), String>, Failure> {
    let (since, until) = match there.heights(since, until).await {
        Ok(Some(blocks)) => blocks,
        Ok(None) => return Ok(Ok(Default::default())),
        Err(reason) => return Ok(Err(reason)),
    };
    let query = Query::Evm(EvmQuery::Logs {
        contracts: contracts.to_vec(),
        topics,
        since,
        until,
    });
    Ok(match ask(there, &query).await? {
        Ok(Fact::Evm(EvmFact::Logs(found))) => {
            let gaps = found.coverage.gaps.iter().map(Gap::to_string).collect();
            Ok((found.logs, gaps))
        }
        Ok(_) => Err("an answer of another kind than the question".into()),
        Err(reason) => Err(reason),
    })
}

/// When payments of some time may be named.
fn wanted((first, last): (UnixTime, UnixTime)) -> (UnixTime, UnixTime) {
    (
        UnixTime(first.0.saturating_sub(SKEW)),
        UnixTime(last.0.saturating_add(LATEST_NAMED)),
    )
}

/// The times of the first and of the last transaction of a trace of outputs; `None` where nothing can leave by it.
fn times(course: &Course) -> Option<(UnixTime, UnixTime)> {
    let Course::Outputs(trace, _) = course else {
        return None;
    };
    let forward = trace.plan().direction == Direction::Forward;
    let times = || block_times(trace).filter(|_| forward);
    times().min().zip(times().max())
}

fn block_times(trace: &Trace) -> impl Iterator<Item = UnixTime> {
    let graph = trace.graph();
    let pools = graph.pools().map(|pool| graph.pool(pool));
    let visited = pools.filter(|pool| pool.visited);
    visited.filter_map(|pool| Some(pool.placement.block()?.time))
}

fn names(course: &Course, bridges: &Bridges, told: &Told) -> bool {
    match course {
        Course::Outputs(trace, _) => names_output(trace, bridges, told),
        Course::Accounts(_) => false,
    }
}
