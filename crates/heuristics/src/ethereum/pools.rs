//! The pools of Tornado Cash, by chain: the same address is another pool on another chain.
//!
//! Source: `networkConfig.js` of tornado-classic-ui and `config.js` of tornado-cli, which agree. The project's own page
//! of addresses exchanges the two USDC pools.

use alloy_primitives::{Address, U256, address};
use hansel_ledger::{Amount, Chain};

/// A pool: every deposit is of the same amount, so that all look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pool {
    chain_id: u64,
    /// The amount and what it is of.
    pub(super) name: &'static str,
    address: Address,
    /// The amount in base units; `None` where no source tells the decimals.
    units: Option<u128>,
}

impl Pool {
    /// The pool at an address of a chain.
    pub(super) fn at(chain: &Chain, address: &Address) -> Option<&'static Self> {
        let chain_id = chain.evm()?.chain_id;
        POOLS
            .iter()
            .find(|pool| pool.chain_id == chain_id && pool.address == *address)
    }

    /// What everybody deposits, in base units, where it is known.
    pub(super) fn denomination(&self) -> Option<Amount> {
        self.units.map(|units| Amount::from(U256::from(units)))
    }
}

const fn pool(chain_id: u64, name: &'static str, address: Address, units: Option<u128>) -> Pool {
    Pool {
        chain_id,
        name,
        address,
        units,
    }
}

const POOLS: &[Pool] = &[
    pool(
        1,
        "0.1 ETH",
        address!("12D66f87A04A9E220743712cE6d9bB1B5616B8Fc"),
        Some(100_000_000_000_000_000),
    ),
    pool(
        1,
        "1 ETH",
        address!("47CE0C6eD5B0Ce3d3A51fdb1C52DC66a7c3c2936"),
        Some(1_000_000_000_000_000_000),
    ),
    pool(
        1,
        "10 ETH",
        address!("910Cbd523D972eb0a6f4cAe4618aD62622b39DbF"),
        Some(10_000_000_000_000_000_000),
    ),
    pool(
        1,
        "100 ETH",
        address!("A160cdAB225685dA1d56aa342Ad8841c3b53f291"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        1,
        "100 DAI",
        address!("D4B88Df4D29F5CedD6857912842cff3b20C8Cfa3"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        1,
        "1000 DAI",
        address!("FD8610d20aA15b7B2E3Be39B396a1bC3516c7144"),
        Some(1_000_000_000_000_000_000_000),
    ),
    pool(
        1,
        "10000 DAI",
        address!("07687e702b410Fa43f4cB4Af7FA097918ffD2730"),
        Some(10_000_000_000_000_000_000_000),
    ),
    pool(
        1,
        "100000 DAI",
        address!("23773E65ed146A459791799d01336DB287f25334"),
        Some(100_000_000_000_000_000_000_000),
    ),
    pool(
        1,
        "5000 cDAI",
        address!("22aaA7720ddd5388A3c0A3333430953C68f1849b"),
        None,
    ),
    pool(
        1,
        "50000 cDAI",
        address!("03893a7c7463AE47D46bc7f091665f1893656003"),
        None,
    ),
    pool(
        1,
        "500000 cDAI",
        address!("2717c5e28cf931547B621a5dddb772Ab6A35B701"),
        None,
    ),
    pool(
        1,
        "5000000 cDAI",
        address!("D21be7248e0197Ee08E0c20D4a96DEBdaC3D20Af"),
        None,
    ),
    pool(
        1,
        "100 USDC",
        address!("d96f2B1c14Db8458374d9Aca76E26c3D18364307"),
        Some(100_000_000),
    ),
    pool(
        1,
        "1000 USDC",
        address!("4736dCf1b7A3d580672CcE6E7c65cd5cc9cFBa9D"),
        Some(1_000_000_000),
    ),
    pool(
        1,
        "100 USDT",
        address!("169AD27A470D064DEDE56a2D3ff727986b15D52B"),
        Some(100_000_000),
    ),
    pool(
        1,
        "1000 USDT",
        address!("0836222F2B2B24A3F36f98668Ed8F0B38D1a872f"),
        Some(1_000_000_000),
    ),
    pool(
        1,
        "0.1 WBTC",
        address!("178169B423a011fff22B9e3F3abeA13414dDD0F1"),
        Some(10_000_000),
    ),
    pool(
        1,
        "1 WBTC",
        address!("610B717796ad172B316836AC95a2ffad065CeaB4"),
        Some(100_000_000),
    ),
    pool(
        1,
        "10 WBTC",
        address!("bB93e510BbCD0B7beb5A853875f9eC60275CF498"),
        Some(1_000_000_000),
    ),
    pool(
        42_161,
        "0.1 ETH",
        address!("84443CFd09A48AF6eF360C6976C5392aC5023a1F"),
        Some(100_000_000_000_000_000),
    ),
    pool(
        42_161,
        "1 ETH",
        address!("d47438C816c9E7f2E2888E060936a499Af9582b3"),
        Some(1_000_000_000_000_000_000),
    ),
    pool(
        42_161,
        "10 ETH",
        address!("330bdFADE01eE9bF63C209Ee33102DD334618e0a"),
        Some(10_000_000_000_000_000_000),
    ),
    pool(
        42_161,
        "100 ETH",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        10,
        "0.1 ETH",
        address!("84443CFd09A48AF6eF360C6976C5392aC5023a1F"),
        Some(100_000_000_000_000_000),
    ),
    pool(
        10,
        "1 ETH",
        address!("d47438C816c9E7f2E2888E060936a499Af9582b3"),
        Some(1_000_000_000_000_000_000),
    ),
    pool(
        10,
        "10 ETH",
        address!("330bdFADE01eE9bF63C209Ee33102DD334618e0a"),
        Some(10_000_000_000_000_000_000),
    ),
    pool(
        10,
        "100 ETH",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        56,
        "0.1 BNB",
        address!("84443CFd09A48AF6eF360C6976C5392aC5023a1F"),
        Some(100_000_000_000_000_000),
    ),
    pool(
        56,
        "1 BNB",
        address!("d47438C816c9E7f2E2888E060936a499Af9582b3"),
        Some(1_000_000_000_000_000_000),
    ),
    pool(
        56,
        "10 BNB",
        address!("330bdFADE01eE9bF63C209Ee33102DD334618e0a"),
        Some(10_000_000_000_000_000_000),
    ),
    pool(
        56,
        "100 BNB",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        137,
        "100 MATIC",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        137,
        "1000 MATIC",
        address!("df231d99Ff8b6c6CBF4E9B9a945CBAcEF9339178"),
        Some(1_000_000_000_000_000_000_000),
    ),
    pool(
        137,
        "10000 MATIC",
        address!("af4c0B70B2Ea9FB7487C7CbB37aDa259579fe040"),
        Some(10_000_000_000_000_000_000_000),
    ),
    pool(
        137,
        "100000 MATIC",
        address!("a5C2254e4253490C54cef0a4347fddb8f75A4998"),
        Some(100_000_000_000_000_000_000_000),
    ),
    pool(
        100,
        "100 xDAI",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        100,
        "1000 xDAI",
        address!("df231d99Ff8b6c6CBF4E9B9a945CBAcEF9339178"),
        Some(1_000_000_000_000_000_000_000),
    ),
    pool(
        100,
        "10000 xDAI",
        address!("af4c0B70B2Ea9FB7487C7CbB37aDa259579fe040"),
        Some(10_000_000_000_000_000_000_000),
    ),
    pool(
        100,
        "100000 xDAI",
        address!("a5C2254e4253490C54cef0a4347fddb8f75A4998"),
        Some(100_000_000_000_000_000_000_000),
    ),
    pool(
        43_114,
        "10 AVAX",
        address!("330bdFADE01eE9bF63C209Ee33102DD334618e0a"),
        Some(10_000_000_000_000_000_000),
    ),
    pool(
        43_114,
        "100 AVAX",
        address!("1E34A77868E19A6647b1f2F47B51ed72dEDE95DD"),
        Some(100_000_000_000_000_000_000),
    ),
    pool(
        43_114,
        "500 AVAX",
        address!("af8d1839c3c67cf571aa74B5c12398d4901147B3"),
        Some(500_000_000_000_000_000_000),
    ),
];
