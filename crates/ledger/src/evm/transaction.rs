//! An EVM transaction as the movements of value that it made.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

use super::{Coin, Event, Noise};
use crate::{Amount, BlockRef};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EvmPlacement {
    /// Its block.
    pub block: BlockRef,
    /// Its index in the block; `u32::MAX` for what happens after the last transaction, as withdrawals do.
    pub index: u32,
}

/// A confirmed transaction: who sent it, what it cost, and every movement of value that it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvmTransaction {
    /// Its hash.
    pub hash: B256,
    /// Where it stands in the chain.
    pub placement: EvmPlacement,
    /// The account that signed it and pays its gas.
    pub sender: Address,
    /// What it called; `None` where it created a contract.
    pub to: Option<Address>,
    /// False where it was reverted: then it moved nothing but its gas.
    pub succeeded: bool,
    /// Everything the sender paid for gas in base units of the native coin: burned base and blob fees, the tip
    /// and, on a rollup, the fee of the chain below.
    pub fee: Amount,
    /// What the sender offered for a unit of gas, in base units of the native coin, where the chain had no base fee yet;
    /// `None` since then, when wallets no longer choose a price of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_price: Option<Amount>,
    /// Movements above zero: first those of the native coin in order of execution, then those of tokens in the
    /// order of their logs. The fee is not among them.
    pub movements: Vec<Movement>,
    /// Contracts that it created, in order of execution, as far as is known.
    pub created: Vec<Creation>,
    /// Accounts whose code ran in it, as far as is known, ascending: those that called others or logged
    /// something, and the one that the transaction called with data.
    pub executed: Vec<Address>,
    /// What batch auctions say they settled in it.
    pub trades: Vec<Trade>,
    /// What bridges, mixers and shielded pools say of it, in the order of the logs; at most [`Event::MOST`].
    pub events: Vec<Event>,
    /// The data that its native coin carried where nothing was logged, as a memo for a vault does; empty where
    /// there were none or more than [`Event::MOST_CARRIED`] bytes.
    pub carried: Bytes,
    /// Logs in it that move nothing.
    pub noise: Noise,
    /// Whether the native coin's movements below the top-level call are among the movements.
    pub internal: InternalTransfers,
}

/// Whether movements of the native coin below the top-level call are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InternalTransfers {
    /// Read from an execution trace, or impossible as no code ran.
    Known,
    /// No endpoint traces transactions; contracts may have moved more of the native coin.
    Unknown,
}

/// Value that moved from one account to another in a transaction.
///
/// A token that is made comes from its own contract and one that is destroyed goes there, whether the log names
/// the zero address or, as for wrapped native coins, no counterparty at all. Value sent to the zero address
/// in any other way stays a movement to the zero address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What says so.
    pub origin: Origin,
    /// The account that gave.
    pub from: Address,
    /// The account that received.
    pub to: Address,
    /// What moved.
    pub coin: Coin,
    /// How much, in base units; never zero.
    pub amount: Amount,
}

/// What says that value moved. Its order is the order of movements within a transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The native coin sent by a call, creation or self-destruction, by its path in the call tree: `[0]` is the
    /// top-level call, `[0, 2, 1]` the second call of its third call. The empty path is what a deposit from the chain
    /// below brought before the top-level call.
    Call(Vec<u32>),
    /// A log, by its index in the block.
    Log(u64),
    /// A withdrawal from the beacon chain, by its global index (EIP-4895).
    Withdrawal(u64),
    /// A change of the balance in this block that nothing known explains.
    Unexplained,
    /// What the transactions of a block tipped to the account that it names for that, by the block's number.
    Tips(u64),
}

/// As in the id of the transfer: `call:TX:0.2.1` has the path `0.2.1`, `call:TX:mint` the empty one, `log:TX:17` the
/// index `17`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(path) if path.is_empty() => f.write_str("mint"),
            Self::Call(path) => {
                for (depth, step) in path.iter().enumerate() {
                    let dot = if depth > 0 { "." } else { "" };
                    write!(f, "{dot}{step}")?;
                }
                Ok(())
            }
            Self::Log(index) | Self::Withdrawal(index) | Self::Tips(index) => write!(f, "{index}"),
            Self::Unexplained => f.write_str("unexplained"),
        }
    }
}

/// A contract that came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Creation {
    /// Who created it.
    pub creator: Address,
    /// Where it is.
    pub contract: Address,
}

/// One order that a CoW Protocol settlement says it filled (`Trade` of GPv2Settlement).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// The settlement contract that said so.
    pub venue: Address,
    /// Who sold.
    pub owner: Address,
    /// What was sold.
    pub sold: Coin,
    /// How much, in base units.
    pub sold_amount: Amount,
    /// What was bought.
    pub bought: Coin,
    /// How much, in base units.
    pub bought_amount: Amount,
}
