//! What one pool holds under one rule, and which of it a draw takes.

use std::collections::VecDeque;

use hansel_ledger::{Amount, AmountError};
use smallvec::SmallVec;

use super::parcel::{Parcel, append, largest};
use crate::Rule;
use crate::pool::proportional;

/// Value in the order in which a rule lets it leave.
///
/// Holds at most 2^256 - 1 units: what would exceed that pours in without its units and with its claims, so
/// that no invented token can stop a trace.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    total: Amount,
    store: Store,
}

/// Most pools hold the taint of one seed, which then needs no memory of its own.
type Owners = SmallVec<[Parcel; 1]>;

#[derive(Clone, Debug)]
enum Store {
    /// Oldest first, or newest first.
    Queue {
        parcels: VecDeque<Parcel>,
        newest_first: bool,
    },
    /// Tainted value, oldest first, apart from clean value.
    Apart {
        tainted: VecDeque<Parcel>,
        clean: Amount,
        clean_first: bool,
    },
    /// Tainted value by owner, ascending; the rest of the total is clean.
    Mixed { owners: Owners },
    /// The first taint that arrived, which stands for everything.
    Reached(Option<Parcel>),
}

impl Holding {
    /// An empty pool under a rule.
    pub(crate) fn pool(rule: Rule) -> Self {
        let queue = |newest_first| Store::Queue {
            parcels: VecDeque::new(),
            newest_first,
        };
        let apart = |clean_first| Store::Apart {
            tainted: VecDeque::new(),
            clean: Amount::ZERO,
            clean_first,
        };
        let store = match rule {
            Rule::Fifo => queue(false),
            Rule::Lifo => queue(true),
            Rule::Tiho | Rule::Seniority => apart(false),
            Rule::ReverseSeniority => apart(true),
            Rule::Haircut => Store::Mixed {
                owners: Owners::new(),
            },
            Rule::Poison => Store::Reached(None),
        };
        Self {
            total: Amount::ZERO,
            store,
        }
    }

    /// What an account received in a transaction and has not passed on yet: first in, first out, but mixed
    /// under haircut and poison.
    pub(crate) fn transit(rule: Rule) -> Self {
        match rule {
            Rule::Haircut | Rule::Poison => Self::pool(rule),
            Rule::Fifo | Rule::Lifo | Rule::Tiho | Rule::Seniority | Rule::ReverseSeniority => {
                Self::pool(Rule::Fifo)
            }
        }
    }

    /// How much it holds, in base units.
    pub(crate) fn total(&self) -> Amount {
        self.total
    }

    /// True where some of what it holds now is a seed's.
    pub(crate) fn is_tainted(&self) -> bool {
        match &self.store {
            Store::Queue { parcels, .. } => parcels.iter().any(|parcel| parcel.owner.is_some()),
            Store::Apart { tainted, .. } => !tainted.is_empty(),
            Store::Mixed { owners } => !owners.is_empty(),
            Store::Reached(taint) => taint.is_some() && !self.total.is_zero(),
        }
    }

    /// Under poison, where any taint stands for everything: what that is now.
    pub(crate) fn poisoned(&self) -> Option<Amount> {
        match &self.store {
            Store::Reached(Some(_)) => Some(self.total),
            Store::Reached(None) => Some(Amount::ZERO),
            Store::Queue { .. } | Store::Apart { .. } | Store::Mixed { .. } => None,
        }
    }

    /// Empties it, keeping its buffers.
    pub(crate) fn clear(&mut self) {
        self.total = Amount::ZERO;
        match &mut self.store {
            Store::Queue { parcels, .. } => parcels.clear(),
            Store::Apart { tainted, clean, .. } => {
                tainted.clear();
                *clean = Amount::ZERO;
            }
            Store::Mixed { owners } => owners.clear(),
            Store::Reached(taint) => *taint = None,
        }
    }

    /// Pours parcels in, in order.
    pub(crate) fn pour(&mut self, parcels: &[Parcel]) -> Result<(), AmountError> {
        parcels.iter().try_for_each(|parcel| self.pour_one(*parcel))
    }

    /// Pours one parcel in.
    pub(crate) fn pour_one(&mut self, mut parcel: Parcel) -> Result<(), AmountError> {
        let room = largest().checked_sub(self.total)?;
        parcel.amount = parcel.amount.min(room);
        if parcel.amount.is_zero() && parcel.owner.is_none() {
            return Ok(());
        }
        self.total = self.total.checked_add(parcel.amount)?;
        match &mut self.store {
            Store::Queue { parcels, .. } => push_back(parcels, parcel),
            Store::Apart { tainted, clean, .. } => {
                if parcel.owner.is_some() {
                    return push_back(tainted, parcel);
                }
                *clean = clean.checked_add(parcel.amount)?;
                Ok(())
            }
            Store::Mixed { owners } => pour_mixed(owners, parcel),
            Store::Reached(taint) => {
                if taint.is_none() && parcel.owner.is_some() && !parcel.amount.is_zero() {
                    *taint = Some(parcel);
                }
                Ok(())
            }
        }
    }

    /// Adds clean value that was there before everything else.
    pub(crate) fn pour_under(&mut self, amount: Amount) -> Result<(), AmountError> {
        let room = largest().checked_sub(self.total)?;
        let parcel = Parcel::clean(amount.min(room));
        match &mut self.store {
            Store::Queue { parcels, .. } if !parcel.amount.is_zero() => {
                self.total = self.total.checked_add(parcel.amount)?;
                match parcels.front_mut() {
                    Some(front) if front.owner.is_none() => front.join(parcel),
                    Some(_) | None => {
                        parcels.push_front(parcel);
                        Ok(())
                    }
                }
            }
            Store::Queue { .. } | Store::Apart { .. } | Store::Mixed { .. } | Store::Reached(_) => {
                self.pour_one(parcel)
            }
        }
    }

    /// Lets go of clean value, the first to leave first, until nothing more than `total` or no clean value
    /// is left.
    pub(crate) fn shrink_to(&mut self, total: Amount) -> Result<(), AmountError> {
        let mut excess = match self.total.checked_sub(total) {
            Ok(excess) => excess,
            Err(_) => return Ok(()),
        };
        let before = excess;
        match &mut self.store {
            Store::Queue { parcels, .. } => shrink(parcels, &mut excess)?,
            Store::Apart { clean, .. } => {
                let lost = excess.min(*clean);
                *clean = clean.checked_sub(lost)?;
                excess = excess.checked_sub(lost)?;
            }
            Store::Mixed { owners } => {
                let lost = excess.min(self.total.checked_sub(sum(owners)?)?);
                excess = excess.checked_sub(lost)?;
            }
            Store::Reached(_) => excess = Amount::ZERO,
        }
        self.total = self.total.checked_sub(before.checked_sub(excess)?)?;
        Ok(())
    }

    /// Draws `amount`, or all that there is; appends what was drawn and returns how much was not there.
    pub(crate) fn draw(
        &mut self,
        amount: Amount,
        out: &mut Vec<Parcel>,
    ) -> Result<Amount, AmountError> {
        if amount.is_zero() {
            return Ok(Amount::ZERO);
        }
        if amount >= self.total {
            let missing = amount.checked_sub(self.total)?;
            self.draw_all(out)?;
            return Ok(missing);
        }
        match &mut self.store {
            Store::Queue {
                parcels,
                newest_first,
            } => {
                draw_queue(parcels, *newest_first, amount, out)?;
            }
            Store::Apart {
                tainted,
                clean,
                clean_first,
            } => draw_apart(tainted, clean, *clean_first, amount, out)?,
            Store::Mixed { owners } => draw_mixed(owners, self.total, amount, out)?,
            Store::Reached(taint) => append(out, reached(taint.as_ref(), amount))?,
        }
        self.total = self.total.checked_sub(amount)?;
        Ok(Amount::ZERO)
    }

    /// Draws everything, claims without units included.
    pub(crate) fn draw_all(&mut self, out: &mut Vec<Parcel>) -> Result<(), AmountError> {
        match &mut self.store {
            Store::Queue {
                parcels,
                newest_first: false,
            } => parcels
                .drain(..)
                .try_for_each(|parcel| append(out, parcel))?,
            Store::Queue { parcels, .. } => parcels
                .drain(..)
                .rev()
                .try_for_each(|parcel| append(out, parcel))?,
            Store::Reached(taint) => {
                if !self.total.is_zero() {
                    append(out, reached(taint.as_ref(), self.total))?;
                }
                self.total = Amount::ZERO;
                return Ok(());
            }
            Store::Apart { .. } | Store::Mixed { .. } => self
                .leaving_order()?
                .into_iter()
                .try_for_each(|parcel| append(out, parcel))?,
        }
        self.clear();
        Ok(())
    }

    /// Everything it holds in the order in which the rule lets it leave; under haircut by owner, clean value last.
    pub(crate) fn leaving_order(&self) -> Result<Vec<Parcel>, AmountError> {
        let mut order = Vec::new();
        let with_clean = |order: &mut Vec<Parcel>, amount: Amount| {
            if !amount.is_zero() {
                order.push(Parcel::clean(amount));
            }
        };
        match &self.store {
            Store::Queue {
                parcels,
                newest_first: false,
            } => order.extend(parcels),
            Store::Queue { parcels, .. } => order.extend(parcels.iter().rev()),
            Store::Apart {
                tainted,
                clean,
                clean_first,
            } => {
                if *clean_first {
                    with_clean(&mut order, *clean);
                }
                order.extend(tainted);
                if !*clean_first {
                    with_clean(&mut order, *clean);
                }
            }
            Store::Mixed { owners } => {
                order.extend(owners.iter());
                with_clean(&mut order, self.total.checked_sub(sum(owners)?)?);
            }
            Store::Reached(taint) => {
                if !self.total.is_zero() {
                    order.push(reached(taint.as_ref(), self.total));
                }
            }
        }
        Ok(order)
    }

    /// Draws a fee to which every segment (a maximal run of one colour) gives its share; returns how much was not
    /// there. Under haircut and poison the fee is a draw like any other.
    pub(crate) fn draw_pro_rata(
        &mut self,
        fee: Amount,
        out: &mut Vec<Parcel>,
    ) -> Result<Amount, AmountError> {
        let mixed = matches!(self.store, Store::Mixed { .. } | Store::Reached(_));
        if mixed || fee.is_zero() || fee >= self.total {
            return self.draw(fee, out);
        }
        let mut order = self.leaving_order()?;
        let runs = order.chunk_by_mut(|one, next| one.owner.is_some() == next.owner.is_some());
        let mut runs: Vec<&mut [Parcel]> = runs.collect();
        let weights = runs
            .iter()
            .map(|run| Amount::checked_sum(run.iter().map(|parcel| parcel.amount)))
            .collect::<Result<Vec<Amount>, _>>()?;
        let parts = proportional(fee, weights.into_iter())?;
        for (run, part) in runs.iter_mut().zip(parts) {
            let pieces = proportional(part, run.iter().map(|parcel| parcel.amount))?;
            for (parcel, piece) in run.iter_mut().zip(pieces) {
                if !piece.is_zero() {
                    append(out, parcel.take(piece)?)?;
                }
            }
        }
        self.refill(&order)?;
        Ok(Amount::ZERO)
    }

    /// Replaces everything by parcels in leaving order.
    fn refill(&mut self, order: &[Parcel]) -> Result<(), AmountError> {
        self.clear();
        let newest_first = matches!(
            self.store,
            Store::Queue {
                newest_first: true,
                ..
            }
        );
        if newest_first {
            order
                .iter()
                .rev()
                .try_for_each(|parcel| self.pour_one(*parcel))
        } else {
            self.pour(order)
        }
    }
}

fn push_back(queue: &mut VecDeque<Parcel>, parcel: Parcel) -> Result<(), AmountError> {
    match queue.back_mut() {
        Some(back) if back.owner == parcel.owner => back.join(parcel),
        Some(_) | None => {
            queue.push_back(parcel);
            Ok(())
        }
    }
}

/// The units that are some seed's.
fn sum(owners: &Owners) -> Result<Amount, AmountError> {
    Amount::checked_sum(owners.iter().map(|owner| owner.amount))
}

fn pour_mixed(owners: &mut Owners, parcel: Parcel) -> Result<(), AmountError> {
    if parcel.owner.is_none() {
        return Ok(());
    }
    match owners.binary_search_by_key(&parcel.owner, |one| one.owner) {
        Ok(place) => owners[place].join(parcel),
        Err(place) => {
            owners.insert(place, parcel);
            Ok(())
        }
    }
}

/// Takes clean value out of a queue, oldest first.
fn shrink(parcels: &mut VecDeque<Parcel>, excess: &mut Amount) -> Result<(), AmountError> {
    let mut kept = VecDeque::with_capacity(parcels.len());
    for mut parcel in parcels.drain(..) {
        if parcel.owner.is_none() && !excess.is_zero() {
            *excess = excess.checked_sub(parcel.take((*excess).min(parcel.amount))?.amount)?;
        }
        if parcel.owner.is_some() || !parcel.amount.is_zero() {
            push_back(&mut kept, parcel)?;
        }
    }
    *parcels = kept;
    Ok(())
}

/// Draws from one end of a queue that holds more than `amount`.
fn draw_queue(
    parcels: &mut VecDeque<Parcel>,
    newest_first: bool,
    amount: Amount,
    out: &mut Vec<Parcel>,
) -> Result<(), AmountError> {
    let mut missing = amount;
    while !missing.is_zero() {
        let end = if newest_first {
            parcels.back_mut()
        } else {
            parcels.front_mut()
        };
        let end = end.ok_or(AmountError::Underflow)?;
        let whole = missing >= end.amount;
        let taken = end.take(missing)?;
        missing = missing.checked_sub(taken.amount)?;
        append(out, taken)?;
        if whole {
            if newest_first {
                parcels.pop_back();
            } else {
                parcels.pop_front();
            }
        }
    }
    Ok(())
}

/// Draws from tainted and clean value that together are worth more than `amount`.
fn draw_apart(
    tainted: &mut VecDeque<Parcel>,
    clean: &mut Amount,
    clean_first: bool,
    amount: Amount,
    out: &mut Vec<Parcel>,
) -> Result<(), AmountError> {
    let mut missing = amount;
    if clean_first {
        let taken = missing.min(*clean);
        *clean = clean.checked_sub(taken)?;
        missing = missing.checked_sub(taken)?;
        if !taken.is_zero() {
            append(out, Parcel::clean(taken))?;
        }
    }
    while !missing.is_zero() {
        let Some(front) = tainted.front_mut() else {
            break;
        };
        let whole = missing >= front.amount;
        let taken = front.take(missing)?;
        missing = missing.checked_sub(taken.amount)?;
        append(out, taken)?;
        if whole {
            tainted.pop_front();
        }
    }
    if !missing.is_zero() {
        *clean = clean.checked_sub(missing)?;
        append(out, Parcel::clean(missing))?;
    }
    Ok(())
}

/// Draws `amount` of a mixture of `total` with `floor(taint * amount / total)` of its taint; its owners share that
/// in proportion, and the last takes the rest.
fn draw_mixed(
    owners: &mut Owners,
    total: Amount,
    amount: Amount,
    out: &mut Vec<Parcel>,
) -> Result<(), AmountError> {
    let taint = sum(owners)?;
    let drawn = if taint == total {
        amount
    } else {
        taint.mul_div(amount, total)?
    };
    let (mut missing, mut rest) = (drawn, taint);
    for owner in owners.iter_mut() {
        let taken = if owner.amount.is_zero() {
            let claim = owner.claim.mul_div(amount, total)?;
            owner.claim = owner.claim.checked_sub(claim)?;
            Parcel {
                amount: Amount::ZERO,
                owner: owner.owner,
                claim,
            }
        } else {
            let last = owner.amount == rest;
            let piece = if last {
                missing
            } else {
                missing.mul_div(owner.amount, rest)?
            };
            rest = rest.checked_sub(owner.amount)?;
            missing = missing.checked_sub(piece)?;
            if piece.is_zero() {
                continue;
            }
            owner.take(piece)?
        };
        if !taken.amount.is_zero() || !taken.claim.is_zero() {
            append(out, taken)?;
        }
    }
    owners.retain(|owner| !owner.amount.is_zero() || !owner.claim.is_zero());
    let clean = amount.checked_sub(drawn)?;
    if !clean.is_zero() {
        append(out, Parcel::clean(clean))?;
    }
    Ok(())
}

/// `amount` units of a pool that poison reached, at the rate of claim per unit at which it did.
fn reached(taint: Option<&Parcel>, amount: Amount) -> Parcel {
    let Some(taint) = taint else {
        return Parcel::clean(amount);
    };
    let claim = if taint.claim == taint.amount {
        amount
    } else {
        taint
            .claim
            .mul_div(amount, taint.amount)
            .unwrap_or_else(|_| largest())
    };
    Parcel {
        amount,
        owner: taint.owner,
        claim,
    }
}
