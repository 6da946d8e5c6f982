//! How to cut a range of blocks into requests that an endpoint answers.

use std::collections::BTreeMap;

use super::Advice;

/// Blocks `first..=last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blocks {
    /// The first.
    pub first: u64,
    /// The last, not before the first.
    pub last: u64,
}

impl Blocks {
    /// How many there are, at least one.
    pub fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }

    /// Whether a height is among them.
    pub fn holds(self, height: u64) -> bool {
        (self.first..=self.last).contains(&height)
    }

    /// Both halves; `None` for a single block.
    pub fn halves(self) -> Option<(Self, Self)> {
        let Self { first, last } = self;
        let middle = first + (last - first) / 2;
        let halves = (
            Self {
                first,
                last: middle,
            },
            Self {
                first: middle.saturating_add(1),
                last,
            },
        );
        (first < last).then_some(halves)
    }
}

/// What was learned of an endpoint, to be kept from one walk to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The most blocks that it says it answers for at once.
    pub limit: Option<u64>,
    /// A width that it answered after it had refused a wider one without saying what would do.
    pub wide: Option<u64>,
    /// How many rows it cut an answer off at without a word.
    pub cap: Option<usize>,
}

/// Says that the endpoint answers for so few blocks at once that the walk would take too many requests.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("with {reach} blocks at once, {blocks} blocks would take more than {most} requests")]
pub struct TooNarrow {
    /// How many blocks are answered at once.
    pub reach: u64,
    /// How many blocks are left.
    pub blocks: u64,
    /// How many requests are allowed.
    pub most: u64,
}

/// How many full answers it takes to try a width again that was refused.
const CALM: u32 = 8;

/// A walk over a range of blocks; it does no I/O. Pieces may be asked for side by side and answered in any order.
#[derive(Clone, Debug)]
pub(super) struct RangeWalk {
    /// What is not asked for yet, first block to last, cut as it is taken.
    open: BTreeMap<u64, u64>,
    /// What is to be asked for as it is.
    pieces: Vec<Blocks>,
    reach: u64,
    step: u64,
    /// The narrowest width that was refused, while growth stays below it.
    refused: Option<u64>,
    calm: u32,
    learned: Reach,
    asked: u64,
    most: u64,
}

impl RangeWalk {
    /// Starts with all blocks at once, or what the endpoint is known to answer; `most` is how many requests
    /// may be made. A range that ends before it begins is empty.
    pub(super) fn new(since: u64, until: u64, learned: Reach, most: u64) -> Self {
        let open = (since <= until).then_some((since, until));
        let wide = learned.wide.map(|wide| wide.saturating_mul(2));
        let reach = wide.into_iter().chain(learned.limit).min();
        let reach = reach.unwrap_or(u64::MAX).max(1);
        Self {
            open: open.into_iter().collect(),
            pieces: Vec::new(),
            reach,
            step: (reach / 4).max(1),
            refused: None,
            calm: 0,
            learned,
            asked: 0,
            most,
        }
    }

    /// The next blocks to ask for; `None` where all are asked for or answered.
    pub(super) fn next(&mut self) -> Result<Option<Blocks>, TooNarrow> {
        let piece = self.pieces.pop().or_else(|| self.cut());
        if piece.is_some() {
            self.asked += 1;
            self.afford()?;
        }
        Ok(piece)
    }

    fn cut(&mut self) -> Option<Blocks> {
        let (first, last) = self.open.pop_first()?;
        let end = first.saturating_add(self.reach - 1).min(last);
        if end < last {
            self.open.insert(end + 1, last);
        }
        Some(Blocks { first, last: end })
    }

    /// Fails once what is left cannot be asked for in the requests that are left.
    fn afford(&self) -> Result<(), TooNarrow> {
        let counts = self
            .open
            .iter()
            .map(|(first, last)| (last - first).saturating_add(1));
        let blocks = counts.fold(0_u64, u64::saturating_add);
        // Only a stated limit is for good; another width may grow.
        let reach = self.learned.limit.unwrap_or(u64::MAX);
        let needed = blocks.div_ceil(reach.max(1)).saturating_add(self.asked);
        if needed <= self.most {
            return Ok(());
        }
        Err(TooNarrow {
            reach: self.reach,
            blocks,
            most: self.most,
        })
    }

    /// Takes note of an answer.
    pub(super) fn answered(&mut self, blocks: Blocks) {
        if blocks.count() < self.reach || self.reach == u64::MAX {
            return;
        }
        let wider = self.reach.saturating_add(self.step);
        let wider = wider.min(self.learned.limit.unwrap_or(u64::MAX));
        if self.refused.is_none_or(|refused| wider < refused) {
            self.reach = wider;
            return;
        }
        self.learned.wide = Some(self.reach);
        self.calm += 1;
        if self.calm >= CALM {
            (self.refused, self.calm) = (None, 0);
        }
    }

    /// Puts blocks back that were refused; false for a single block, which cannot be cut.
    pub(super) fn refused(&mut self, blocks: Blocks, advice: Advice) -> bool {
        let count = blocks.count();
        let Some((low, _)) = blocks.halves() else {
            return false;
        };
        let limit = advice.limit.filter(|limit| (1..count).contains(limit));
        let range = advice
            .range
            .filter(|range| range.first == blocks.first && range.last >= range.first);
        let range = range.filter(|range| range.last < blocks.last);
        if let Some(limit) = limit {
            let known = self.learned.limit.unwrap_or(u64::MAX);
            self.learned.limit = Some(limit.min(known));
            self.narrow(limit);
            self.put_back(blocks);
        } else if let Some(range) = range {
            self.narrow(range.count());
            self.pieces.push(range);
            self.put_back(Blocks {
                first: range.last + 1,
                last: blocks.last,
            });
        } else {
            self.narrow(low.count());
            self.refused = Some(self.refused.map_or(count, |known| known.min(count)));
            self.put_back(blocks);
        }
        true
    }

    fn narrow(&mut self, reach: u64) {
        self.reach = self.reach.min(reach);
        self.step = (self.reach / 4).max(1);
        self.calm = 0;
    }

    fn put_back(&mut self, blocks: Blocks) {
        let Blocks { first, mut last } = blocks;
        if let Some(next) = last.checked_add(1)
            && let Some(end) = self.open.remove(&next)
        {
            last = end;
        }
        self.open.insert(first, last);
    }

    /// Asks for both halves of blocks that were answered; false for a single block.
    pub(super) fn again_in_halves(&mut self, blocks: Blocks) -> bool {
        let Some((low, high)) = blocks.halves() else {
            return false;
        };
        self.pieces.extend([high, low]);
        true
    }

    /// What was learned of the endpoint.
    pub(super) fn learned(&self) -> Reach {
        self.learned
    }

    /// Keeps how many rows an answer was cut off at.
    pub(super) fn learn_cap(&mut self, rows: usize) {
        let known = self.learned.cap.unwrap_or(usize::MAX);
        self.learned.cap = Some(known.min(rows));
    }
}

/// Whether an answer of so many rows may have been cut off: a number that somebody chose, or the known cap.
pub(super) fn is_doubtful(rows: usize, cap: Option<usize>) -> bool {
    let chosen = rows >= 100 && (rows.is_multiple_of(100) || rows.is_power_of_two());
    chosen || cap.is_some_and(|cap| rows >= cap)
}
