//! A plan carried out under one rule.

use hansel_ledger::{Amount, AmountError};

use super::book::Book;
use super::parcel::{Parcel, append};
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
    scratch.carried.clear();
    give(hop, &plan.nodes[hop.from], book, scratch)?;
    for (_, seed) in stolen
        .iter()
        .filter(|(movement, _)| *movement == hop.movement)
    {
        let gained = steal(&mut scratch.carried, *seed)?;
        let sum = &mut book.stolen[seed.position()];
        *sum = sum.checked_add(gained)?;
    }
    book.note(hop.movement, &scratch.carried);
    book.transits[hop.to].pour(&scratch.carried)
}

/// An account gives first what it received in the transaction, then of its own.
fn give(hop: &Hop, node: &Node, book: &mut Book, scratch: &mut Scratch) -> Result<(), AmountError> {
    let missing = book.transits[hop.from].draw(hop.amount, &mut scratch.carried)?;
    if missing.is_zero() {
        return Ok(());
    }
    match node.pool {
        Some(pool) if node.followed => {
            book.held[pool].draw(missing, false, &mut scratch.drawn, &mut scratch.carried)
        }
        Some(_) | None => append(&mut scratch.carried, Parcel::clean(missing)),
    }
}

/// Makes clean value the seed's and returns how much that is. What earlier seeds claim stays theirs, so that no
/// unit is claimed twice.
pub(crate) fn steal(parcels: &mut Vec<Parcel>, seed: SeedIx) -> Result<Amount, AmountError> {
    let mut gained = Amount::ZERO;
    for parcel in parcels.iter_mut().filter(|parcel| parcel.owner.is_none()) {
        parcel.owner = Some(seed);
        parcel.claim = parcel.amount;
        gained = gained.checked_add(parcel.amount)?;
    }
    Ok(gained)
}
