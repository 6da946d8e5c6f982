//! Real nodes of EVM chains, the contracts and the story that tests run on them.

mod anvil;
mod client;
mod hardhat;
mod running;

pub use anvil::{Anvil, AnvilOptions};
pub use client::{EvmReceipt, EvmRpc};
pub use hardhat::{Hardhat, HardhatOptions};
