//! Asks other chains which payments on a Bitcoin chain they name as what they make value against.

use hansel_graph::{Direction, Trace};
use hansel_heuristics::crossing::{Bridges, MintLogs, Told, names_output};
use hansel_ledger::{EvmFact, EvmQuery, Fact, FoundLog, Gap, Query, UnixTime};
use hansel_report::model::Unknown;

use super::Crossings;
use super::ask::ask;
use super::found::SKEW;
use crate::case_record::CaseRecord;
use crate::course::Course;
use crate::failure::Failure;
use crate::leg::Leg;

/// How long after a payment it may be named: tBTC's wallets give weeks, and a custodian takes days.
const LATEST: u64 = 30 * 24 * 3600;

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
        (first, last): (UnixTime, UnixTime),
    ) -> Result<Vec<Told>, Failure> {
        let mut there = legs.iter();
        let Some(there) = there.find(|leg| leg.part.chain.name() == mint.chain) else {
            return Ok(Vec::new());
        };
        let wanted = (
            UnixTime(first.0.saturating_sub(SKEW)),
            UnixTime(last.0.saturating_add(LATEST)),
        );
        let heard = self.heard.entry(mint.to_string()).or_default();
        let known = heard.asked;
        if known.is_none_or(|(since, until)| wanted.0 < since || wanted.1 > until) {
            heard.asked = Some(wanted);
            match logs(there, mint, wanted).await? {
                Ok((logs, gaps)) => {
                    heard.logs = logs;
                    self.missed(mint, gaps);
                }
                Err(reason) => self.missed(mint, vec![reason]),
            }
        }
        let heard = self.heard.get(&mint.to_string());
        Ok(heard.map(|heard| heard.logs.clone()).unwrap_or_default())
    }

    fn missed(&mut self, mint: &MintLogs, why: Vec<String>) {
        for why in why {
            self.partial = true;
            self.unknown.push(Unknown {
                subject: mint.chain.clone(),
                kind: "crossing".into(),
                detail: format!("whether {mint} made value against a payment is not known: {why}"),
            });
        }
    }
}

/// The logs between two times, and what may be missing of them.
async fn logs(
    there: &Leg<'_>,
    mint: &MintLogs,
    (since, until): (UnixTime, UnixTime),
) -> Result<Result<(Vec<Told>, Vec<String>), String>, Failure> {
    let (since, until) = match there.heights(since, until).await {
        Ok(Some(blocks)) => blocks,
        Ok(None) => return Ok(Ok(Default::default())),
        Err(reason) => return Ok(Err(reason)),
    };
    let query = Query::Evm(EvmQuery::Logs {
        contracts: mint.contracts.clone(),
        topics: vec![vec![mint.form]],
        since,
        until,
    });
    Ok(match ask(there, &query).await? {
        Ok(Fact::Evm(EvmFact::Logs(found))) => {
            let told = |log: FoundLog| Told {
                chain: mint.chain.clone(),
                event: log.event,
            };
            let gaps = found.coverage.gaps.iter().map(Gap::to_string).collect();
            Ok((found.logs.into_iter().map(told).collect(), gaps))
        }
        Ok(_) => Err("an answer of another kind than the question".into()),
        Err(reason) => Err(reason),
    })
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
