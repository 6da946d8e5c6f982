//! A plan carried out under one rule.

use hansel_ledger::{Amount, AmountError};

use super::book::Book;
use super::parcel::{Parcel, append, capped, scale, tainted};
use super::plan::{Hop, Node, Plan, Step};
use crate::SeedIx;

/// Buffers that serve every step in turn.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) carried: Vec<Parcel>,
    pub(crate) drawn: Vec<Parcel>,
}

/// The stolen movements of a transaction: the movement's number and the seed.
pub(crate) type Stolen = Vec<(usize, SeedIx)>;

/// Moves what a plan moves.
pub(crate) fn execute(
    plan: &Plan,
    stolen: &Stolen,
    book: &mut Book,
    scratch: &mut Scratch,
) -> Result<(), AmountError> {
    for step in &plan.steps {
        match step {
            Step::Hop(hop) => carry(hop, plan, stolen, book, scratch)?,
            Step::Convert { ins, outs } => convert(ins, outs, book, scratch)?,
        }
    }
    Ok(())
}

fn carry(
    hop: &Hop,
    plan: &Plan,
    stolen: &Stolen,
    book: &mut Book,
    scratch: &mut Scratch,
) -> Result<(), AmountError> {
    take(hop, &plan.nodes[hop.from], stolen, book, scratch)?;
    book.transits[hop.to].pour(&scratch.carried)
}

/// Takes what a hop carries from its giver; on arrival a stolen movement becomes its seeds'.
pub(crate) fn take(
    hop: &Hop,
    giver: &Node,
    stolen: &Stolen,
    book: &mut Book,
    scratch: &mut Scratch,
) -> Result<(), AmountError> {
    scratch.carried.clear();
    give(hop, giver, book, scratch)?;
    let seeds = stolen
        .iter()
        .filter(|(movement, _)| hop.arrives && *movement == hop.movement);
    for (_, seed) in seeds {
        let most = book.most[seed.position()];
        let gained = steal(&mut scratch.carried, *seed, most)?;
        let sum = &mut book.stolen[seed.position()];
        *sum = sum.checked_add(gained)?;
    }
    book.note(hop.movement, &scratch.carried);
    Ok(())
}

/// Takes value from some nodes, scales it, and pours it into others. Claims stay as they are.
fn convert(
    ins: &[(usize, Amount)],
    outs: &[(usize, Amount)],
    book: &mut Book,
    scratch: &mut Scratch,
) -> Result<(), AmountError> {
    scratch.carried.clear();
    for (node, amount) in ins {
        let missing = book.transits[*node].draw(*amount, &mut scratch.carried)?;
        if !missing.is_zero() {
            append(&mut scratch.carried, Parcel::clean(missing))?;
        }
    }
    if !tainted(&scratch.carried) {
        return outs
            .iter()
            .try_for_each(|(node, amount)| book.transits[*node].pour_one(Parcel::clean(*amount)));
    }
    let from = ins
        .iter()
        .map(|(_, amount)| *amount)
        .fold(Amount::ZERO, capped);
    let to = outs
        .iter()
        .map(|(_, amount)| *amount)
        .fold(Amount::ZERO, capped);
    scale(&mut scratch.carried, from, to)?;
    let mut left = scratch.carried.drain(..);
    let mut front = left.next();
    for (number, (node, amount)) in outs.iter().enumerate() {
        let mut missing = *amount;
        let last = number + 1 == outs.len();
        while let Some(parcel) = front.as_mut().filter(|_| last || !missing.is_zero()) {
            let whole = last || missing >= parcel.amount;
            let taken = if whole {
                *parcel
            } else {
                parcel.take(missing)?
            };
            missing = missing.checked_sub(taken.amount).unwrap_or(Amount::ZERO);
            book.transits[*node].pour_one(taken)?;
            if whole {
                front = left.next();
            }
        }
    }
    Ok(())
}

/// An account gives first what it received in the transaction, then of its own.
fn give(hop: &Hop, node: &Node, book: &mut Book, scratch: &mut Scratch) -> Result<(), AmountError> {
    let missing = book.transits[hop.from].draw(hop.amount, &mut scratch.carried)?;
    if missing.is_zero() {
        return Ok(());
    }
    match node.pool {
        Some(pool) if node.followed && !node.stage => {
            book.held[pool].draw(missing, false, &mut scratch.drawn, &mut scratch.carried)
        }
        Some(_) | None => append(&mut scratch.carried, Parcel::clean(missing)),
    }
}

/// Makes clean value the seed's, `most` at most, the first first, and returns how much that is. What earlier seeds
/// claim stays theirs, so that no unit is claimed twice.
pub(crate) fn steal(
    parcels: &mut Vec<Parcel>,
    seed: SeedIx,
    most: Amount,
) -> Result<Amount, AmountError> {
    let mut left = most;
    let mut stolen = Vec::with_capacity(parcels.len() + 1);
    for mut parcel in parcels.drain(..) {
        if parcel.owner.is_none() && !left.is_zero() {
            let taken = parcel.take(parcel.amount.min(left))?.amount;
            left = left.checked_sub(taken)?;
            stolen.push(Parcel {
                amount: taken,
                owner: Some(seed),
                claim: taken,
            });
        }
        if !parcel.amount.is_zero() || parcel.owner.is_some() {
            stolen.push(parcel);
        }
    }
    parcels.append(&mut stolen);
    most.checked_sub(left)
}
