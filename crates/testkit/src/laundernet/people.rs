//! Who lives on the chain besides those of the case, and who of the case runs a service.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256, keccak256};

use super::LaunderNet;
use crate::ledger::Random;

/// Ordinary users.
const USERS: usize = 1_500;

/// Words in labels of addresses that belong to those who launder, not to a service.
const NOT_SERVICES: [&str; 6] = ["exploiter", "hack", "phish", "transit", "deposit", "null"];

/// Everybody who makes background traffic.
#[derive(Debug)]
pub(super) struct People {
    pub(super) users: Vec<Address>,
    /// Hot wallets of exchanges, those of the case first.
    pub(super) exchanges: Vec<Address>,
    /// Contracts of the case where value ends: bridges, mixers, vaults.
    pub(super) vaults: Vec<Address>,
    /// Contracts of the case that pass value on within a transaction, and that others use too.
    pub(super) routers: Vec<Address>,
    /// Contracts of the case that pass value on within a transaction and that nobody else uses.
    pub(super) private: Vec<Address>,
    pub(super) pools: Vec<Address>,
}

impl People {
    pub(super) fn of(case: &LaunderNet) -> Self {
        let passers = case.passers();
        let (routers, private) = passers.iter().partition::<Vec<_>, _>(|(address, times)| {
            **times > 1 || case.labels.contains_key(*address)
        });
        let ends = case.terminals.iter().copied();
        let services = ends.filter(|end| runs_service(case, end) && !passers.contains_key(end));
        let (vaults, hot): (Vec<_>, Vec<_>) =
            services.partition(|service| is_contract(&case.labels[service]));
        let others = (0..2).map(|number| made_up("exchange", number));
        Self {
            users: (0..USERS).map(|number| made_up("user", number)).collect(),
            exchanges: hot.into_iter().chain(others).collect(),
            vaults,
            routers: routers.into_iter().map(|(address, _)| *address).collect(),
            private: private.into_iter().map(|(address, _)| *address).collect(),
            pools: (0..2).map(|number| made_up("pool", number)).collect(),
        }
    }

    /// Addresses with code.
    pub(super) fn contracts(&self) -> BTreeSet<Address> {
        let Self {
            users: _,
            exchanges: _,
            vaults,
            routers,
            private,
            pools,
        } = self;
        let all = [vaults, routers, private, pools].into_iter().flatten();
        all.copied().collect()
    }

    pub(super) fn user(&self, random: &mut Random) -> Address {
        one_of(&self.users, random)
    }
}

pub(super) fn one_of(list: &[Address], random: &mut Random) -> Address {
    list[random.index(list.len())]
}

/// An address that nobody has.
pub(super) fn made_up(what: &str, number: usize) -> Address {
    Address::from_word(keccak256(format!("{what} {number}")))
}

/// Dollars between one and fifty thousand, small ones as frequent as big ones, in millionths.
pub(super) fn dollars(random: &mut Random) -> U256 {
    let scale = 10_u64.pow(u32::try_from(random.below(5)).expect("below five"));
    let cents = (100 + random.below(400)) * scale;
    U256::from(cents * 10_000 + random.below(10_000))
}

/// Whether the data set's label says that many people use the address.
pub(super) fn runs_service(case: &LaunderNet, address: &Address) -> bool {
    case.labels.get(address).is_some_and(|label| {
        let label = label.to_lowercase();
        // `LI.FI Exploiter 2` is none, `LI.FI: LiFi Diamond` is one.
        !NOT_SERVICES.iter().any(|word| label.contains(word))
    })
}

/// Whether a service's label sounds like a contract and not like an exchange's wallet.
fn is_contract(label: &str) -> bool {
    let words = [
        "router", "bridge", "portal", "pool", "helper", "cow", "inbox", "hop", "tornado",
    ];
    let label = label.to_lowercase();
    words.iter().any(|word| label.contains(word))
}
