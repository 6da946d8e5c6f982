//! The rules of the cache: which of two facts about one subject is kept, and what a kept fact says later.

use bitcoin::{BlockHash, OutPoint};
use hansel_ledger::{
    AccountNature, AccountStatement, Coverage, Deposits, EvmTransaction, Gap, InternalTransfers,
    Logs, Placement, SpendState, TransactionStatement,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::evm::AccountRow;
use crate::rows::Statement;

/// The chain as a trace sees it: what is asked must hold for this tip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pin {
    /// The hash of the trace's tip.
    pub(crate) tip: BlockHash,
    /// Its height.
    pub(crate) height: u64,
    /// The last height that counts.
    pub(crate) as_of: u64,
    /// True where the store knows the tip as a block of its chain, so that rows of later tips extend it.
    pub(crate) on_chain: bool,
}

impl Pin {
    /// True where the row was learned under this very tip.
    fn is_of<T>(&self, row: &Statement<T>) -> bool {
        row.as_of == self.as_of && row.tip == self.tip
    }

    /// True where the row speaks of the same chain at a greater height.
    fn precedes<T>(&self, row: &Statement<T>) -> bool {
        self.on_chain && row.as_of > self.as_of
    }
}

/// What can be kept about one subject.
pub(crate) trait Kept: Serialize + DeserializeOwned {
    /// The highest block the row speaks of: where that block leaves the chain, the row is void.
    fn height(row: &Statement<Self>) -> u64;

    /// True where `new` tells more than `stored` or is as good and newer.
    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool;

    /// What a source would answer under the pinned tip; `None` where the row does not tell.
    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self>;
}

impl Kept for TransactionStatement {
    fn height(row: &Statement<Self>) -> u64 {
        row.fact.placement.height().unwrap_or(row.as_of)
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        let rank = |row: &Statement<Self>| {
            let confirmed = row.fact.placement.block().is_some();
            (confirmed, row.fact.unknown_inputs() == 0)
        };
        rank(new) >= rank(stored)
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        let final_fact = match row.fact.placement {
            Placement::Confirmed(block) if block.height > pin.height => return None,
            // Another source may know the missing inputs, so such a row is asked again under a new tip.
            Placement::Confirmed(_) => row.fact.unknown_inputs() == 0,
            Placement::Unconfirmed | Placement::Unknown => false,
        };
        (final_fact || pin.is_of(&row)).then_some(row.fact)
    }
}

impl Kept for SpendState {
    fn height(row: &Statement<Self>) -> u64 {
        match row.fact {
            Self::Spent { height, .. } => height,
            Self::Unspent | Self::SpentUnconfirmed { .. } | Self::Unknown { .. } => row.as_of,
        }
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        let rank = |row: &Statement<Self>| match row.fact {
            Self::Unknown { .. } => (0, row.as_of),
            Self::Unspent | Self::SpentUnconfirmed { .. } => (1, row.as_of),
            Self::Spent { .. } => (2, 0),
        };
        rank(new) >= rank(stored)
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        match row.fact {
            Self::Spent { height, .. } if height > pin.as_of => Some(Self::Unspent),
            Self::Spent { .. } => Some(row.fact),
            Self::Unspent | Self::SpentUnconfirmed { .. } if pin.is_of(&row) => Some(row.fact),
            Self::Unspent | Self::SpentUnconfirmed { .. } => {
                pin.precedes(&row).then_some(Self::Unspent)
            }
            Self::Unknown { .. } => None,
        }
    }
}

/// The outputs that a script received, each with its height.
impl Kept for Vec<(OutPoint, u64)> {
    fn height(row: &Statement<Self>) -> u64 {
        row.as_of
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        new.as_of >= stored.as_of
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        if !pin.is_of(&row) && !pin.precedes(&row) {
            return None;
        }
        let mut received = row.fact;
        received.retain(|(_, height)| *height <= pin.as_of);
        Some(received)
    }
}

impl Kept for EvmTransaction {
    fn height(row: &Statement<Self>) -> u64 {
        row.fact.placement.block.height
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        let traced = |row: &Statement<Self>| row.fact.internal == InternalTransfers::Known;
        traced(new) >= traced(stored)
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        if row.fact.placement.block.height > pin.height {
            return None;
        }
        let told = match row.fact.internal {
            InternalTransfers::Known => true,
            // Another endpoint may trace, so such a row is asked again under a new tip.
            InternalTransfers::Unknown => pin.is_of(&row),
        };
        told.then_some(row.fact)
    }
}

/// An account's statement answers the very question it was given for. One through an earlier block cannot be cut
/// from it: the balance, the account's nature and what is noise at that block, and whether it had passed the
/// bound by then, are not in it.
impl Kept for AccountRow {
    fn height(row: &Statement<Self>) -> u64 {
        row.fact.statement.until
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        new.fact.is_whole() >= stored.fact.is_whole()
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        let reached = row.fact.statement.until <= pin.height;
        (reached && (row.fact.is_whole() || pin.is_of(&row))).then_some(row.fact)
    }
}

impl AccountRow {
    /// True where no other endpoint could tell more.
    fn is_whole(&self) -> bool {
        let AccountStatement {
            until,
            opening,
            closing,
            nature,
            coverage,
            ..
        } = &self.statement;
        let balances = opening.is_some() && closing.is_some();
        let history = is_hub(coverage) || (balances && is_complete(coverage, *until));
        history && *nature != AccountNature::Unknown
    }
}

impl Kept for Deposits {
    fn height(row: &Statement<Self>) -> u64 {
        row.fact.until
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        let whole = |row: &Statement<Self>| is_complete(&row.fact.coverage, row.fact.until);
        whole(new) >= whole(stored)
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        let reached = row.fact.until <= pin.height;
        let whole = is_complete(&row.fact.coverage, row.fact.until);
        (reached && (whole || pin.is_of(&row))).then_some(row.fact)
    }
}

impl Kept for Logs {
    fn height(row: &Statement<Self>) -> u64 {
        row.fact.until
    }

    fn replaces(new: &Statement<Self>, stored: &Statement<Self>) -> bool {
        let whole = |row: &Statement<Self>| is_complete(&row.fact.coverage, row.fact.until);
        whole(new) >= whole(stored)
    }

    fn under(row: Statement<Self>, pin: &Pin) -> Option<Self> {
        let reached = row.fact.until <= pin.height;
        let whole = is_complete(&row.fact.coverage, row.fact.until);
        (reached && (whole || pin.is_of(&row))).then_some(row.fact)
    }
}

/// True for an account above the bound: it makes no fewer transfers for another endpoint.
fn is_hub(coverage: &Coverage) -> bool {
    let hub = |gap: &Gap| matches!(gap, Gap::Hub { .. });
    !coverage.gaps.is_empty() && coverage.gaps.iter().all(hub)
}

/// True where nothing is missing. Whatever is, an endpoint with more state, traces or patience may tell.
fn is_complete(coverage: &Coverage, until: u64) -> bool {
    coverage.gaps.is_empty() && coverage.complete_through == Some(until)
}
