//! Real nodes of EVM chains, the contracts and the story that tests run on them.

mod anvil;
mod client;
mod contracts;
mod hardhat;
mod index;
mod key;
mod proxy;
mod running;
mod scenario;

pub use anvil::{Anvil, AnvilOptions};
pub use client::{EvmReceipt, EvmRpc};
pub use contracts::{AbiParameters, EvmContract, compile_contracts, compiled_contracts, evm_call};
pub use hardhat::{Hardhat, HardhatOptions};
pub use index::{EvmIndex, EvmIndexRow, alchemy_transfers};
pub use key::{EvmKey, EvmOrder};
pub use proxy::{RpcCall, RpcFault, RpcProxy, RpcRule};
pub use scenario::{EvmDeed, EvmMove, EvmScenario, EvmStory, EvmStoryError};
