//! The walk over `trace_filter`: every transaction in which an account gave or received the native coin.
//!
//! Sender and recipient are asked for one after the other, as nodes read a question for both in different ways.
//! Pages are asked for by `after` and `count`; where a node ignores these, ranges are halved instead. Beacon
//! withdrawals are in no trace.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use super::ranges::{RangeWalk, is_doubtful};
use super::{Advice, Blocks, Contradiction, Reach, Step, TooNarrow};
use crate::decode::{CallKind, FlatTrace};

/// Rows asked for at once.
const PAGE: usize = 1_000;

/// Something that an account did or that was done to it in a transaction.
///
/// Whether a call above a payment failed is not told by single rows, so the transaction may turn out to have moved
/// nothing: read it in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Touch {
    /// The block.
    pub block: u64,
    /// The transaction; `None` for a block's reward.
    pub tx: Option<B256>,
    /// Whether the account may have given some of the coin; always for who pays the gas.
    pub gives: bool,
    /// Whether it may have received some.
    pub receives: bool,
}

/// Which side of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who gives.
    From,
    /// Who receives.
    To,
}

/// One request for traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceAsk {
    /// The blocks.
    pub blocks: Blocks,
    /// How many rows to leave out.
    pub after: usize,
}

/// A walk for one side of one account's payments over a range of blocks; it does no I/O.
#[derive(Clone, Debug)]
pub struct TraceWalk {
    account: Address,
    side: Side,
    ranges: RangeWalk,
    bound: usize,
    pages: Vec<TraceAsk>,
    /// First rows of the pages that were followed by another one.
    leads: BTreeMap<Blocks, FlatTrace>,
    touches: BTreeMap<(u64, Option<B256>), Touch>,
}

impl TraceWalk {
    /// Starts a walk that stops beyond `bound` transactions and after `most` requests.
    pub fn new(
        (account, side): (Address, Side),
        (since, until): (u64, u64),
        learned: Reach,
        bound: usize,
        most: u64,
    ) -> Self {
        Self {
            account,
            side,
            ranges: RangeWalk::new(since, until, learned, most),
            bound,
            pages: Vec::new(),
            leads: BTreeMap::new(),
            touches: BTreeMap::new(),
        }
    }

    /// The next request; `None` while all others are open or answered. Each must come back.
    pub fn ask(&mut self) -> Result<Option<TraceAsk>, TooNarrow> {
        if let Some(page) = self.pages.pop() {
            return Ok(Some(page));
        }
        let blocks = self.ranges.next()?;
        Ok(blocks.map(|blocks| TraceAsk { blocks, after: 0 }))
    }

    /// The parameters of `trace_filter`. Blocks are numbers: some nodes know no tags here.
    pub fn parameters(&self, ask: TraceAsk) -> Value {
        let side = match self.side {
            Side::From => "fromAddress",
            Side::To => "toAddress",
        };
        json!([{
            "fromBlock": format!("{:#x}", ask.blocks.first),
            "toBlock": format!("{:#x}", ask.blocks.last),
            side: [self.account],
            "after": ask.after,
            "count": PAGE,
        }])
    }

    /// Takes an answer.
    pub fn answered(&mut self, ask: TraceAsk, traces: &[FlatTrace]) -> Result<Step, Contradiction> {
        for trace in traces {
            self.keep(ask.blocks, trace)?;
        }
        if self.touches.len() > self.bound {
            return Ok(Step::TooMany);
        }
        let whole = traces.len() != PAGE && !is_doubtful(traces.len(), None);
        if whole {
            self.ranges.answered(ask.blocks);
            return Ok(Step::Next);
        }
        if traces.len() == PAGE && self.turn(ask, traces) {
            return Ok(Step::Next);
        }
        // Cut off at a number that was not asked for, or the same page again.
        Ok(if self.ranges.again_in_halves(ask.blocks) {
            Step::Next
        } else {
            Step::ReadBlock(ask.blocks.first)
        })
    }

    /// Asks for the next page; false where the node showed the first page again.
    fn turn(&mut self, ask: TraceAsk, traces: &[FlatTrace]) -> bool {
        let lead = traces.first();
        let same = lead.is_some() && self.leads.get(&ask.blocks) == lead;
        if ask.after > 0 && same {
            return false;
        }
        if ask.after == 0
            && let Some(lead) = lead
        {
            self.leads.insert(ask.blocks, lead.clone());
        }
        self.pages.push(TraceAsk {
            blocks: ask.blocks,
            after: ask.after + traces.len(),
        });
        true
    }

    /// Takes a refusal of so many blocks at once.
    pub fn refused(&mut self, ask: TraceAsk, advice: Advice) -> Step {
        if self.ranges.refused(ask.blocks, advice) {
            Step::Next
        } else {
            Step::ReadBlock(ask.blocks.first)
        }
    }

    /// Takes all traces of a block that was read itself; those of others are left out.
    pub fn read(&mut self, height: u64, traces: &[FlatTrace]) -> Result<Step, Contradiction> {
        let block = Blocks {
            first: height,
            last: height,
        };
        for trace in traces {
            self.keep(block, trace)?;
        }
        let too_many = self.touches.len() > self.bound;
        Ok(if too_many { Step::TooMany } else { Step::Next })
    }

    fn keep(&mut self, blocks: Blocks, trace: &FlatTrace) -> Result<(), Contradiction> {
        let block = trace.block_number;
        if !blocks.holds(block) {
            let what = "a trace";
            return Err(Contradiction::NotAsked { what, block });
        }
        if let Some(touch) = self.touch(trace) {
            let at = (touch.block, touch.tx);
            let known = self.touches.entry(at).or_insert(touch);
            known.gives |= touch.gives;
            known.receives |= touch.receives;
        }
        Ok(())
    }

    /// What a row says of the account on this side; `None` where it moves nothing of it.
    fn touch(&self, trace: &FlatTrace) -> Option<Touch> {
        let moves = moves_value(trace);
        let sends = trace.tx.is_some() && trace.address.is_empty();
        let is = |party: Option<Address>| party == Some(self.account);
        let (gives, receives) = match self.side {
            Side::From => (is(trace.from) && (moves || sends), false),
            Side::To => (false, is(trace.to) && moves),
        };
        (gives || receives).then_some(Touch {
            block: trace.block_number,
            tx: trace.tx,
            gives,
            receives,
        })
    }

    /// Every transaction found, ascending by block; complete once each request came back.
    pub fn finish(self) -> (Vec<Touch>, Reach) {
        let learned = self.ranges.learned();
        (self.touches.into_values().collect(), learned)
    }
}

/// Whether a row moves value, unless a call above it failed.
fn moves_value(trace: &FlatTrace) -> bool {
    let moves = trace.kind.is_none_or(CallKind::moves_value);
    moves && !trace.failed && !trace.value.is_zero()
}

/// One list of both sides' touches, ascending by block.
pub fn both_sides(one: Vec<Touch>, other: Vec<Touch>) -> Vec<Touch> {
    let mut touches: BTreeMap<(u64, Option<B256>), Touch> = BTreeMap::new();
    for touch in one.into_iter().chain(other) {
        let known = touches.entry((touch.block, touch.tx)).or_insert(touch);
        known.gives |= touch.gives;
        known.receives |= touch.receives;
    }
    touches.into_values().collect()
}
