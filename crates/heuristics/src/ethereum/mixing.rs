//! What a mixer or a shielded pool says of a deposit or a withdrawal, once its contract is known.

use alloy_primitives::Address;
use hansel_ledger::{Amount, Event, EvmTransaction};

use crate::crossing::abi::{Words, address, topic};
use hansel_ledger::topics::{TORNADO_DEPOSIT, TORNADO_WITHDRAWAL};

/// A deposit into a pool of Tornado Cash, as the pool tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deposit {
    /// The pool.
    pub(super) pool: Address,
    /// How many deposits it has had, this one included.
    pub(super) deposits: u64,
}

/// A withdrawal from a pool of Tornado Cash, as the pool tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Withdrawal {
    /// The pool.
    pub(super) pool: Address,
    /// Who received.
    pub(super) to: Address,
    /// Who sent the transaction for the recipient; `None` where that was the recipient himself.
    pub(super) relayer: Option<Address>,
    /// What the relayer kept, in base units of what the pool holds.
    pub(super) fee: Amount,
}

impl Deposit {
    /// Reads an event `Deposit`; `None` for another one or a malformed one.
    pub(super) fn read(event: &Event) -> Option<Self> {
        if event.form() != TORNADO_DEPOSIT || event.topics.len() != 2 {
            return None;
        }
        let leaf = Words::of(event).number(0)?;
        Some(Self {
            pool: event.address,
            deposits: u64::from(u32::try_from(leaf).ok()?) + 1,
        })
    }
}

impl Withdrawal {
    /// Reads an event `Withdrawal`; `None` for another one or a malformed one.
    pub(super) fn read(event: &Event) -> Option<Self> {
        if event.form() != TORNADO_WITHDRAWAL || event.topics.len() != 2 {
            return None;
        }
        let words = Words::of(event);
        let relayer = topic(event, 1).and_then(address)?;
        Some(Self {
            pool: event.address,
            to: words.address(0)?,
            relayer: (!relayer.is_zero()).then_some(relayer),
            fee: words.amount(2)?,
        })
    }
}

/// Who paid into a pool: behind a router the account that paid the router, else whoever paid the pool.
///
/// The pool does not name the depositor. Behind a wallet that is a contract this is the wallet.
pub(super) fn depositor(tx: &EvmTransaction, pool: Address) -> Address {
    let mut account = pool;
    // A router and a proxy before it are all that the protocol itself puts in between.
    for _ in 0..3 {
        let mut payers = tx
            .movements
            .iter()
            .filter(|movement| movement.to == account && movement.from != account);
        let Some(payment) = payers.next() else { break };
        account = payment.from;
        if account == tx.sender {
            break;
        }
    }
    if account == pool { tx.sender } else { account }
}
