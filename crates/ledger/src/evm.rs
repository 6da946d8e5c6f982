//! The facts of EVM chains: accounts, coins, transactions as movements of value, statements of accounts.

mod coin;
mod event;
mod feed;
mod network;
mod query;
mod statement;
pub mod topics;
mod transaction;

pub use coin::{Coin, CoinError};
pub use event::Event;
pub use feed::{FeedPrice, LONGEST_PAIR};
pub use network::{BlockForm, EvmNetwork, KnownToken};
pub use query::{Deposits, EvmFact, EvmQuery, FoundLog, Logs};
pub use statement::{AccountNature, AccountStatement, Arrival, Noise};
pub use transaction::{
    Creation, EvmPlacement, EvmTransaction, InternalTransfers, Movement, Origin, Trade,
};
