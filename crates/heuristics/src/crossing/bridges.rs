//! Which contract on which chain is a bridge's: an event means what it says only where its contract is known.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use hansel_ledger::{Chain, EvmNetwork};

use super::place::printable;
use super::shipped::{Row, SHIPPED};
use super::{Arrival, Departure, Place, Protocol, TransactionView};
use super::{
    across, arbitrum, burn, cctp, chainflip, debridge, layer_zero, op_stack, tbtc, thorchain, wbtc,
    wormhole,
};

/// A protocol on a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The protocol.
    pub protocol: Protocol,
    /// The chain, by its name in `chains.toml`.
    pub chain: String,
    /// Its contracts there; none on a Bitcoin chain. Of a rollup's the first is what logs deposits.
    pub contracts: Vec<Address>,
    /// The protocol's own name or number for the chain, or for a rollup's contracts the id of the rollup's chain; `None`
    /// where it is known otherwise.
    pub code: Option<String>,
}

/// The way from a chain to a rollup above it.
#[derive(Clone, Debug)]
pub(super) struct Road {
    /// The rollup.
    pub(super) place: Place,
    /// The id of its chain.
    pub(super) id: u64,
    /// Its contracts on the chain below.
    pub(super) contracts: Vec<Address>,
}

/// The protocols of all chains.
#[derive(Clone, Debug)]
pub struct Bridges {
    chains: Vec<Chain>,
    shipped: Vec<Deployment>,
    own: Vec<Deployment>,
}

impl Bridges {
    /// The shipped protocols on the chains of a configuration, and those that the configuration adds.
    pub fn new(chains: Vec<Chain>, own: Vec<Deployment>) -> Self {
        let row = |(protocol, chain, contracts, code): &Row| Deployment {
            protocol: *protocol,
            chain: (*chain).to_owned(),
            contracts: contracts.to_vec(),
            code: code.map(ToOwned::to_owned),
        };
        Self {
            chains,
            shipped: SHIPPED.iter().map(row).collect(),
            own,
        }
    }

    /// What a transaction sends to other chains.
    pub fn departures(&self, chain: &Chain, tx: &TransactionView<'_>) -> Vec<Departure> {
        let mut all = thorchain::departures(self, chain, tx);
        all.extend(chainflip::departures(self, chain, tx));
        if let TransactionView::Evm(tx) = tx {
            all.extend(across::departures(self, chain, tx));
            all.extend(debridge::departures(self, chain, tx));
            all.extend(layer_zero::departures(self, chain, tx));
            all.extend(wormhole::departures(self, chain, tx));
            all.extend(cctp::departures(self, chain, tx));
            all.extend(tbtc::departures(self, chain, tx));
            all.extend(burn::departures(self, chain, tx));
            all.extend(op_stack::departures(self, chain, tx));
            all.extend(arbitrum::departures(self, chain, tx));
        }
        all
    }

    /// What a transaction brings from other chains, or back.
    pub fn arrivals(&self, chain: &Chain, tx: &TransactionView<'_>) -> Vec<Arrival> {
        let mut all = thorchain::arrivals(self, chain, tx);
        all.extend(tbtc::arrivals(self, chain, tx));
        if let TransactionView::Evm(tx) = tx {
            all.extend(across::arrivals(self, chain, tx));
            all.extend(debridge::arrivals(self, chain, tx));
            all.extend(layer_zero::arrivals(self, chain, tx));
            all.extend(wormhole::arrivals(self, chain, tx));
            all.extend(cctp::arrivals(self, chain, tx));
            all.extend(tbtc::mints(self, chain, tx));
            all.extend(wbtc::arrivals(self, chain, tx));
        }
        all
    }

    fn deployments(&self) -> impl Iterator<Item = &Deployment> {
        self.own.iter().chain(&self.shipped)
    }

    /// The chain of a name.
    pub(super) fn chain(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name() == name)
    }

    /// The chains on which a protocol has contracts, ascending.
    pub(super) fn chains_of(&self, protocol: Protocol) -> BTreeSet<String> {
        let of = |one: &&Deployment| one.protocol == protocol && !one.contracts.is_empty();
        let chains = self.deployments().filter(of);
        chains.map(|one| one.chain.clone()).collect()
    }

    /// The contracts of a protocol on a chain, ascending.
    pub fn contracts(&self, chain: &str, protocol: Protocol) -> Vec<Address> {
        let here = self
            .deployments()
            .filter(|one| one.chain == chain && one.protocol == protocol);
        let mut contracts: Vec<Address> = here.flat_map(|one| one.contracts.clone()).collect();
        contracts.sort();
        contracts.dedup();
        contracts
    }

    /// The protocol on a chain that a contract is part of, of those named.
    pub(super) fn protocol_of(
        &self,
        chain: &str,
        contract: &Address,
        among: &[Protocol],
    ) -> Option<Protocol> {
        self.deployments()
            .filter(|one| one.chain == chain && one.contracts.contains(contract))
            .map(|one| one.protocol)
            .find(|protocol| among.contains(protocol))
    }

    /// Where a rollup's portal leads, the first of its contracts: each rollup has its own on the chain below.
    pub(super) fn road(&self, chain: &str, rollup: Protocol, contract: &Address) -> Option<Road> {
        let found = self.deployments().find(|one| {
            let is_portal = one.contracts.first() == Some(contract);
            is_portal && one.chain == chain && one.protocol == rollup
        })?;
        let id = found.code.as_ref()?.parse().ok()?;
        Some(Road {
            place: self.evm(id),
            id,
            contracts: found.contracts.clone(),
        })
    }

    /// True where a protocol is on a chain.
    pub(super) fn serves(&self, chain: &str, protocol: Protocol) -> bool {
        self.deployments()
            .any(|one| one.chain == chain && one.protocol == protocol)
    }

    /// The chain of a protocol's own name. A chain that the configuration adds speaks of such chains, and a shipped one
    /// of shipped ones, so that a test network is not taken for the real one.
    pub(super) fn place(&self, from: &str, protocol: Protocol, code: &str) -> Place {
        let is_own = |list: &[Deployment], chain: &str| {
            list.iter()
                .any(|one| one.chain == chain && one.protocol == protocol)
        };
        let list = if is_own(&self.own, from) {
            &self.own
        } else {
            &self.shipped
        };
        let found = list.iter().find(|one| {
            let same = one
                .code
                .as_deref()
                .is_some_and(|own| own.eq_ignore_ascii_case(code));
            one.protocol == protocol && same
        });
        let chain = found.and_then(|one| self.chain(&one.chain));
        match chain {
            Some(chain) => Place::Chain(chain.clone()),
            None => Place::Elsewhere(printable(code)),
        }
    }

    /// The number by which a protocol knows a chain.
    pub(super) fn code(&self, chain: &str, protocol: Protocol) -> Option<u64> {
        let mut here = self
            .deployments()
            .filter(|one| one.chain == chain && one.protocol == protocol);
        here.find_map(|one| one.code.as_ref()?.parse().ok())
    }

    /// The EVM chain of an id.
    pub(super) fn evm(&self, id: u64) -> Place {
        let has_id = |network: &EvmNetwork| network.chain_id == id;
        let found = self
            .chains
            .iter()
            .find(|chain| chain.evm().is_some_and(has_id));
        match found {
            Some(chain) => Place::Chain(chain.clone()),
            None => Place::Elsewhere(format!("the EVM chain {id}")),
        }
    }
}
