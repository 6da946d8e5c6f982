//! A chain as an entry of `config/chains.toml` names it.

use std::fmt;
use std::sync::Arc;

use bitcoin::Network;

use crate::{Asset, EvmNetwork};

/// A chain: its name in configuration, reports and ids, and how its data is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chain {
    name: String,
    family: Family,
}

/// The kind of chain, which decides how it is read and how subjects are spelt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Bitcoin or one of its test networks.
    Bitcoin(Network),
    /// Ethereum or a chain that runs its virtual machine.
    Evm(Arc<EvmNetwork>),
}

impl Chain {
    /// Names a chain. The name is used in ids, so it holds lower-case letters, digits and hyphens only.
    pub fn new(name: &str, family: Family) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let valid = !name.is_empty() && name.len() <= 40 && name.bytes().all(plain);
        valid.then(|| Self {
            name: name.to_owned(),
            family,
        })
    }

    /// Bitcoin's main network under its usual name.
    pub fn bitcoin() -> Self {
        Self {
            name: "bitcoin".into(),
            family: Family::Bitcoin(Network::Bitcoin),
        }
    }

    /// The name in configuration, reports and ids.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the chain's data is read.
    pub fn family(&self) -> &Family {
        &self.family
    }

    /// The Bitcoin network whose address prefixes the chain uses; `None` on an EVM chain.
    pub fn network(&self) -> Option<Network> {
        match &self.family {
            Family::Bitcoin(network) => Some(*network),
            Family::Evm(_) => None,
        }
    }

    /// What is known of an EVM chain; `None` on a Bitcoin chain.
    pub fn evm(&self) -> Option<&EvmNetwork> {
        match &self.family {
            Family::Bitcoin(_) => None,
            Family::Evm(network) => Some(network),
        }
    }

    /// The native coin.
    pub fn native(&self) -> Asset {
        match &self.family {
            Family::Bitcoin(_) => Asset::bitcoin(),
            Family::Evm(network) => network.native.clone(),
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
