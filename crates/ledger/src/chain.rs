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
    confirmations: u64,
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
            confirmations: family.confirmations(),
            family,
        })
    }

    /// The same chain, of which a block counts as settled once so many blocks are in it and after it.
    #[must_use]
    pub fn with_confirmations(mut self, confirmations: u64) -> Self {
        self.confirmations = confirmations;
        self
    }

    /// Bitcoin's main network under its usual name.
    pub fn bitcoin() -> Self {
        let family = Family::Bitcoin(Network::Bitcoin);
        Self {
            name: "bitcoin".into(),
            confirmations: family.confirmations(),
            family,
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

    /// How many blocks make a block count as settled, itself and those after it: a choice of whoever reads the chain.
    pub fn confirmations(&self) -> u64 {
        self.confirmations
    }

    /// The native coin.
    pub fn native(&self) -> Asset {
        match &self.family {
            Family::Bitcoin(_) => Asset::bitcoin(),
            Family::Evm(network) => network.native.clone(),
        }
    }
}

impl Family {
    /// What is taken where nobody chose.
    fn confirmations(&self) -> u64 {
        match self {
            Self::Bitcoin(_) => 6,
            Self::Evm(_) => 64,
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
