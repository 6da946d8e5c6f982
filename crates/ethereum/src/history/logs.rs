//! The walk over `eth_getLogs`: ranges that the endpoint answers, and answers that are not taken at their word.
//!
//! An answer with a number of rows that somebody may have chosen as the most is asked for again in halves. What
//! lies outside of the question, is marked as removed, or is told in two ways ends the walk. A single dropped log
//! is seen by none of this: compare the closing balance, or the headers' blooms ([`super::suspects`]).

use std::collections::BTreeMap;

use alloy_primitives::B256;

use super::ranges::{RangeWalk, is_doubtful};
use super::{Advice, Blocks, Contradiction, LogFilter, Reach, TooNarrow};
use crate::decode::LogLean;

/// What is to be done about blocks that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Go on.
    Next,
    /// The endpoint does not answer for this single block: read the block itself.
    ReadBlock(u64),
    /// There is more than was looked for: stop.
    TooMany,
}

/// The logs of a walk that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLogs {
    /// Every log, in chain order.
    pub logs: Vec<LogLean>,
    /// What was learned of the endpoint.
    pub learned: Reach,
}

/// A walk for the logs of one filter over a range of blocks; it does no I/O.
#[derive(Clone, Debug)]
pub struct LogWalk {
    filter: LogFilter,
    ranges: RangeWalk,
    bound: usize,
    /// By block and index in the block.
    logs: BTreeMap<(u64, u64), LogLean>,
    hashes: BTreeMap<u64, B256>,
    /// Answers that were asked for again.
    doubted: Vec<(Blocks, Vec<LogLean>)>,
}

impl LogWalk {
    /// Starts a walk that stops beyond `bound` logs and after `most` requests.
    pub fn new(
        filter: LogFilter,
        (since, until): (u64, u64),
        learned: Reach,
        bound: usize,
        most: u64,
    ) -> Self {
        Self {
            filter,
            ranges: RangeWalk::new(since, until, learned, most),
            bound,
            logs: BTreeMap::new(),
            hashes: BTreeMap::new(),
            doubted: Vec::new(),
        }
    }

    /// What is asked for.
    pub fn filter(&self) -> &LogFilter {
        &self.filter
    }

    /// The next blocks to ask for; `None` while all others are asked for. Several may be open at a time, and each
    /// must come back by [`Self::answered`], [`Self::refused`] or [`Self::read`].
    pub fn ask(&mut self) -> Result<Option<Blocks>, TooNarrow> {
        self.ranges.next()
    }

    /// Takes an answer.
    pub fn answered(&mut self, blocks: Blocks, logs: Vec<LogLean>) -> Result<Step, Contradiction> {
        for log in &logs {
            self.check(blocks, log)?;
        }
        self.ranges.answered(blocks);
        let doubtful = is_doubtful(logs.len(), self.ranges.learned().cap);
        if !doubtful {
            return self.keep(logs);
        }
        let (rows, halved) = (logs.len(), self.ranges.again_in_halves(blocks));
        self.doubted.push((blocks, logs));
        Ok(if rows > self.bound {
            Step::TooMany
        } else if halved {
            Step::Next
        } else {
            Step::ReadBlock(blocks.first)
        })
    }

    /// Takes a refusal of so many blocks at once.
    pub fn refused(&mut self, blocks: Blocks, advice: Advice) -> Step {
        if self.ranges.refused(blocks, advice) {
            Step::Next
        } else {
            Step::ReadBlock(blocks.first)
        }
    }

    /// Takes all logs of a block that was read itself; those that were not asked for are left out.
    pub fn read(&mut self, height: u64, logs: Vec<LogLean>) -> Result<Step, Contradiction> {
        let block = Blocks {
            first: height,
            last: height,
        };
        let fitting: Vec<_> = logs
            .into_iter()
            .filter(|log| self.filter.fits(log))
            .collect();
        for log in &fitting {
            self.check(block, log)?;
        }
        self.keep(fitting)
    }

    fn check(&self, blocks: Blocks, log: &LogLean) -> Result<(), Contradiction> {
        let block = log.block_number;
        if !blocks.holds(block) || !self.filter.fits(log) {
            return Err(Contradiction::NotAsked {
                what: "a log",
                block,
            });
        }
        if log.removed == Some(true) {
            let index = log.log_index;
            return Err(Contradiction::Removed { block, index });
        }
        Ok(())
    }

    fn keep(&mut self, logs: Vec<LogLean>) -> Result<Step, Contradiction> {
        for log in logs {
            let block = log.block_number;
            let hash = *self.hashes.entry(block).or_insert(log.block_hash);
            if hash != log.block_hash {
                let what = "the hash";
                return Err(Contradiction::TwoWays { what, block });
            }
            let at = (block, log.log_index);
            // The same log twice is one log.
            if self.logs.get(&at).is_some_and(|known| !same(known, &log)) {
                let what = "a log";
                return Err(Contradiction::TwoWays { what, block });
            }
            self.logs.insert(at, log);
        }
        let too_many = self.logs.len() > self.bound;
        Ok(if too_many { Step::TooMany } else { Step::Next })
    }

    /// Ends a walk of which every answer is in.
    pub fn finish(mut self) -> Result<FoundLogs, Contradiction> {
        for (blocks, told) in std::mem::take(&mut self.doubted) {
            self.settle_doubt(blocks, &told)?;
        }
        self.check_transactions()?;
        Ok(FoundLogs {
            learned: self.ranges.learned(),
            logs: self.logs.into_values().collect(),
        })
    }

    /// What a wide answer told must be in the narrow ones; what they tell beyond it was cut off.
    fn settle_doubt(&mut self, blocks: Blocks, told: &[LogLean]) -> Result<(), Contradiction> {
        for log in told {
            let block = log.block_number;
            let kept = self.logs.get(&(block, log.log_index));
            if !kept.is_some_and(|kept| same(kept, log)) {
                let what = "a log";
                return Err(Contradiction::Vanished { what, block });
            }
        }
        let inside = (blocks.first, 0)..=(blocks.last, u64::MAX);
        if self.logs.range(inside).count() > told.len() {
            self.ranges.learn_cap(told.len());
        }
        Ok(())
    }

    /// A transaction stands in one block, and logs are numbered in the order of transactions.
    fn check_transactions(&self) -> Result<(), Contradiction> {
        let mut blocks = BTreeMap::new();
        let mut last = (0, 0);
        for ((block, _), log) in &self.logs {
            let block = *block;
            let known = *blocks.entry(log.transaction_hash).or_insert(block);
            let now = log.transaction_index.map_or(last, |index| (block, index));
            if known != block || now < last {
                let what = "a transaction";
                return Err(Contradiction::TwoWays { what, block });
            }
            last = now;
        }
        Ok(())
    }
}

/// Whether two tellings are of one log. Nodes may leave out where its transaction stands and that it was not removed.
fn same(one: &LogLean, other: &LogLean) -> bool {
    let content = |log: &LogLean| (log.address, log.transaction_hash, log.block_hash);
    content(one) == content(other) && one.topics == other.topics && one.data == other.data
}
