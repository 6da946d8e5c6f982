//! One pool settled under one rule: what poured in decides the taint of what is drawn.
//!
//! The rules are those of `docs/methods.md`. Every rule but poison moves each tainted unit exactly once.

use std::cmp::Reverse;

use hansel_ledger::AmountError;

use crate::{FeeRule, Rule, SeedIx, Units};

/// A run of units of one owner inside a parcel: stolen from one seed, or clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strand<U> {
    /// How many units.
    pub amount: U,
    /// Whose claim the units carry; `None` for clean units.
    pub owner: Option<SeedIx>,
}

/// A parcel that pours into a pool.
#[derive(Clone, Copy, Debug)]
pub struct Pour<'a, U> {
    /// The whole parcel.
    pub value: U,
    /// Its strands in order; empty where the parcel is wholly clean. Haircut lists tainted strands only,
    /// by seed; the rest of the value is clean.
    pub strands: &'a [Strand<U>],
}

/// What was drawn from a pool: the strands of each output in order, then those of the fee.
#[derive(Debug)]
pub struct Drawn<U> {
    strands: Vec<Strand<U>>,
    ranges: Vec<(usize, usize)>,
    queue: Vec<Strand<U>>,
    order: Vec<usize>,
}

impl<U: Units> Default for Drawn<U> {
    fn default() -> Self {
        Self {
            strands: Vec::new(),
            ranges: Vec::new(),
            queue: Vec::new(),
            order: Vec::new(),
        }
    }
}

impl<U: Units> Drawn<U> {
    /// The strands of one draw; empty where it is wholly clean. The fee is the draw after the last output.
    pub fn strands(&self, draw: usize) -> &[Strand<U>] {
        let (start, end) = self.ranges[draw];
        &self.strands[start..end]
    }

    fn reset(&mut self, draws: usize) {
        self.strands.clear();
        self.ranges.clear();
        self.ranges.resize(draws, (0, 0));
        self.queue.clear();
        self.order.clear();
    }

    /// Closes a draw that began at `start`; a draw without taint is stored as empty.
    fn close(&mut self, draw: usize, start: usize) {
        if self.strands[start..]
            .iter()
            .all(|strand| strand.owner.is_none())
        {
            self.strands.truncate(start);
        }
        self.ranges[draw] = (start, self.strands.len());
    }
}

/// Settles one pool: `inputs` pour in, `outputs` and then `fee` are drawn, all in serialisation order.
///
/// The result replaces what `drawn` held, so that one buffer serves a whole ledger. Fails where the inputs
/// are not worth exactly the outputs and the fee.
pub fn settle_pool<U: Units>(
    rule: Rule,
    fee_rule: FeeRule,
    inputs: &[Pour<'_, U>],
    outputs: &[U],
    fee: U,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    drawn.reset(outputs.len() + 1);
    match rule {
        Rule::Haircut => haircut(fee_rule, inputs, outputs, fee, drawn),
        Rule::Poison => poison(inputs, outputs, fee, drawn),
        Rule::Fifo | Rule::Lifo | Rule::Tiho | Rule::Seniority | Rule::ReverseSeniority => {
            in_order(rule, fee_rule, inputs, outputs, fee, drawn)
        }
    }
}

/// The order in which a rule lets a pool's units leave, before fees; for haircut the tainted units by seed.
pub fn leaving_order<U: Units>(
    rule: Rule,
    inputs: &[Pour<'_, U>],
) -> Result<Vec<Strand<U>>, AmountError> {
    let mut queue = Vec::new();
    match rule {
        Rule::Haircut => pool_by_owner(inputs, &mut queue)?,
        Rule::Fifo
        | Rule::Lifo
        | Rule::Tiho
        | Rule::Seniority
        | Rule::ReverseSeniority
        | Rule::Poison => {
            enqueue(rule, inputs, &mut queue)?;
        }
    }
    Ok(queue)
}

/// The rules that keep units apart: queue the strands, then fill the outputs from the front.
fn in_order<U: Units>(
    rule: Rule,
    fee_rule: FeeRule,
    inputs: &[Pour<'_, U>],
    outputs: &[U],
    fee: U,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    enqueue(rule, inputs, &mut drawn.queue)?;
    if fee_rule == FeeRule::ProRata && fee > U::ZERO {
        draw_fee_pro_rata(fee, outputs.len(), drawn)?;
    }
    drawn.order.extend(0..outputs.len());
    if rule == Rule::Tiho {
        drawn
            .order
            .sort_by_key(|&index| (Reverse(outputs[index]), index));
    }
    let mut front = Front {
        next: 0,
        left: first_amount(&drawn.queue),
    };
    for turn in 0..outputs.len() {
        let draw = drawn.order[turn];
        front.fill(draw, outputs[draw], drawn)?;
    }
    if fee_rule == FeeRule::Last {
        front.fill(outputs.len(), fee, drawn)?;
    }
    if front.next < drawn.queue.len() {
        Err(AmountError::Underflow)
    } else {
        Ok(())
    }
}

/// Lists the pool's strands in the order in which the rule lets them leave; neighbours of one owner merge.
fn enqueue<U: Units>(
    rule: Rule,
    inputs: &[Pour<'_, U>],
    queue: &mut Vec<Strand<U>>,
) -> Result<(), AmountError> {
    if rule == Rule::Lifo {
        for pour in inputs.iter().rev() {
            pour_strands(pour, true, queue)?;
        }
    } else {
        for pour in inputs {
            pour_strands(pour, false, queue)?;
        }
    }
    match rule {
        Rule::Tiho | Rule::Seniority => queue.sort_by_key(|strand| strand.owner.is_none()),
        Rule::ReverseSeniority => queue.sort_by_key(|strand| strand.owner.is_some()),
        Rule::Fifo | Rule::Lifo | Rule::Haircut | Rule::Poison => {}
    }
    merge_neighbours(queue)
}

fn pour_strands<U: Units>(
    pour: &Pour<'_, U>,
    reversed: bool,
    queue: &mut Vec<Strand<U>>,
) -> Result<(), AmountError> {
    if pour.strands.is_empty() {
        if pour.value > U::ZERO {
            queue.push(Strand {
                amount: pour.value,
                owner: None,
            });
        }
        return Ok(());
    }
    let before = queue.len();
    queue.extend_from_slice(pour.strands);
    if reversed {
        queue[before..].reverse();
    }
    Ok(())
}

fn merge_neighbours<U: Units>(queue: &mut Vec<Strand<U>>) -> Result<(), AmountError> {
    let mut kept = 0;
    for next in 1..queue.len() {
        let strand = queue[next];
        if queue[kept].owner == strand.owner {
            queue[kept].amount = queue[kept].amount.plus(strand.amount)?;
        } else {
            kept += 1;
            queue[kept] = strand;
        }
    }
    queue.truncate(kept + usize::from(!queue.is_empty()));
    Ok(())
}

fn first_amount<U: Units>(queue: &[Strand<U>]) -> U {
    queue.first().map_or(U::ZERO, |strand| strand.amount)
}

/// The front of the queue: which strand leaves next, and how much of it is left.
struct Front<U> {
    next: usize,
    left: U,
}

impl<U: Units> Front<U> {
    /// Draws `amount` from the front of the queue.
    fn fill(&mut self, draw: usize, amount: U, drawn: &mut Drawn<U>) -> Result<(), AmountError> {
        let start = drawn.strands.len();
        let mut missing = amount;
        while missing > U::ZERO {
            let strand = *drawn.queue.get(self.next).ok_or(AmountError::Underflow)?;
            let taken = missing.min(self.left);
            drawn.strands.push(Strand {
                amount: taken,
                owner: strand.owner,
            });
            missing = missing.minus(taken)?;
            self.left = self.left.minus(taken)?;
            if self.left == U::ZERO {
                self.next += 1;
                self.left = drawn
                    .queue
                    .get(self.next)
                    .map_or(U::ZERO, |strand| strand.amount);
            }
        }
        drawn.close(draw, start);
        Ok(())
    }
}

/// Takes the fee out of the queue: each segment (a maximal run of one colour) gives its share, rounded down,
/// and the first segments one unit more until the fee is complete.
fn draw_fee_pro_rata<U: Units>(
    fee: U,
    draw: usize,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    let segments = segments(&drawn.queue)?;
    let parts = proportional(fee, segments.iter().map(|segment| segment.amount))?;
    for (segment, part) in segments.iter().zip(parts) {
        take_from_segment(
            &mut drawn.queue[segment.start..segment.end],
            part,
            &mut drawn.strands,
        )?;
    }
    drawn.queue.retain(|strand| strand.amount > U::ZERO);
    drawn.close(draw, 0);
    Ok(())
}

struct Segment<U> {
    start: usize,
    end: usize,
    amount: U,
}

fn segments<U: Units>(queue: &[Strand<U>]) -> Result<Vec<Segment<U>>, AmountError> {
    let mut start = 0;
    let runs = queue.chunk_by(|one, next| one.owner.is_some() == next.owner.is_some());
    runs.map(|run| {
        let segment = Segment {
            start,
            end: start + run.len(),
            amount: total(run)?,
        };
        start = segment.end;
        Ok(segment)
    })
    .collect()
}

fn total<U: Units>(strands: &[Strand<U>]) -> Result<U, AmountError> {
    strands
        .iter()
        .try_fold(U::ZERO, |sum, strand| sum.plus(strand.amount))
}

/// Takes `part` out of a segment; its strands share it by the same rule as segments share the fee.
fn take_from_segment<U: Units>(
    segment: &mut [Strand<U>],
    part: U,
    fee_strands: &mut Vec<Strand<U>>,
) -> Result<(), AmountError> {
    let pieces = proportional(part, segment.iter().map(|strand| strand.amount))?;
    for (strand, piece) in segment.iter_mut().zip(pieces) {
        strand.amount = strand.amount.minus(piece)?;
        if piece > U::ZERO {
            fee_strands.push(Strand {
                amount: piece,
                owner: strand.owner,
            });
        }
    }
    Ok(())
}

/// Splits `whole` over `weights` in proportion, rounded down; the first get one unit more until it is all given.
/// Fails where there is nothing to split it over.
pub(crate) fn proportional<U: Units>(
    whole: U,
    weights: impl Iterator<Item = U> + Clone,
) -> Result<Vec<U>, AmountError> {
    let sum = weights.clone().try_fold(U::ZERO, U::plus)?;
    if whole == U::ZERO {
        return Ok(weights.map(|_| U::ZERO).collect());
    }
    let mut parts = weights
        .map(|weight| whole.share(weight, sum))
        .collect::<Result<Vec<U>, _>>()?;
    let given = parts
        .iter()
        .try_fold(U::ZERO, |sum, part| sum.plus(*part))?;
    let mut rest = whole.minus(given)?;
    for part in &mut parts {
        if rest == U::ZERO {
            break;
        }
        *part = part.plus(U::ONE)?;
        rest = rest.minus(U::ONE)?;
    }
    if rest > U::ZERO {
        return Err(AmountError::Underflow);
    }
    Ok(parts)
}

/// Pro rata: every draw takes its share of the taint that is left, rounded down; the last draw takes the rest.
fn haircut<U: Units>(
    fee_rule: FeeRule,
    inputs: &[Pour<'_, U>],
    outputs: &[U],
    fee: U,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    let mut balance = inputs
        .iter()
        .try_fold(U::ZERO, |sum, pour| sum.plus(pour.value))?;
    pool_by_owner(inputs, &mut drawn.queue)?;
    let mut taint = total(&drawn.queue)?;
    if fee_rule == FeeRule::ProRata {
        draw_share(outputs.len(), fee, &mut balance, &mut taint, drawn)?;
    }
    for (draw, output) in outputs.iter().enumerate() {
        draw_share(draw, *output, &mut balance, &mut taint, drawn)?;
    }
    if fee_rule == FeeRule::Last {
        draw_share(outputs.len(), fee, &mut balance, &mut taint, drawn)?;
    }
    if balance > U::ZERO {
        Err(AmountError::Underflow)
    } else {
        Ok(())
    }
}

/// Sums the taint of all inputs by seed, ascending.
fn pool_by_owner<U: Units>(
    inputs: &[Pour<'_, U>],
    queue: &mut Vec<Strand<U>>,
) -> Result<(), AmountError> {
    for pour in inputs {
        queue.extend(pour.strands.iter().filter(|strand| strand.owner.is_some()));
    }
    queue.sort_by_key(|strand| strand.owner);
    merge_neighbours(queue)
}

/// Draws `amount` of the pool with `floor(taint * amount / balance)` of its taint.
fn draw_share<U: Units>(
    draw: usize,
    amount: U,
    balance: &mut U,
    taint: &mut U,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    let start = drawn.strands.len();
    if *taint > U::ZERO && amount > U::ZERO {
        let tainted = taint.share(amount, *balance)?;
        split_by_owner(tainted, *taint, &mut drawn.queue, &mut drawn.strands)?;
        *taint = taint.minus(tainted)?;
    }
    *balance = balance.minus(amount)?;
    drawn.close(draw, start);
    Ok(())
}

/// Splits a draw's taint over the seeds in proportion to what each has left; the last seed takes the rest, so
/// that the claims of a draw always sum to its taint.
fn split_by_owner<U: Units>(
    tainted: U,
    taint: U,
    pool: &mut [Strand<U>],
    strands: &mut Vec<Strand<U>>,
) -> Result<(), AmountError> {
    let mut missing = tainted;
    let mut rest = taint;
    for strand in pool {
        if missing == U::ZERO {
            break;
        }
        let piece = missing.share(strand.amount, rest)?;
        rest = rest.minus(strand.amount)?;
        missing = missing.minus(piece)?;
        strand.amount = strand.amount.minus(piece)?;
        if piece > U::ZERO {
            strands.push(Strand {
                amount: piece,
                owner: strand.owner,
            });
        }
    }
    Ok(())
}

/// Any taint makes every draw tainted in full; the first seed found stands for all of them.
fn poison<U: Units>(
    inputs: &[Pour<'_, U>],
    outputs: &[U],
    fee: U,
    drawn: &mut Drawn<U>,
) -> Result<(), AmountError> {
    require_balance(inputs, outputs, fee)?;
    let mut tainted = inputs
        .iter()
        .flat_map(|pour| pour.strands)
        .filter_map(|strand| strand.owner);
    let Some(owner) = tainted.next() else {
        return Ok(());
    };
    for (draw, amount) in outputs.iter().chain([&fee]).enumerate() {
        let start = drawn.strands.len();
        if *amount > U::ZERO {
            drawn.strands.push(Strand {
                amount: *amount,
                owner: Some(owner),
            });
        }
        drawn.close(draw, start);
    }
    Ok(())
}

/// Poison draws nothing from a queue, so it must compare what pours in with what is drawn.
fn require_balance<U: Units>(
    inputs: &[Pour<'_, U>],
    outputs: &[U],
    fee: U,
) -> Result<(), AmountError> {
    let poured = inputs
        .iter()
        .try_fold(U::ZERO, |sum, pour| sum.plus(pour.value))?;
    let drawn = outputs.iter().try_fold(fee, |sum, one| sum.plus(*one))?;
    if poured == drawn {
        Ok(())
    } else {
        Err(AmountError::Underflow)
    }
}
