//! Withdrawals from the beacon chain (EIP-4895).

use alloy_primitives::Address;
use hansel_ledger::{Amount, Arrival, Coin, EvmPlacement, Origin};
use serde::Deserialize;

use super::HeaderLean;
use super::quantity::required;

/// Wei in a Gwei, the unit of withdrawals.
const GWEI: u64 = 1_000_000_000;

/// A withdrawal as blocks list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawalLean {
    /// Its number among all withdrawals of the chain.
    #[serde(deserialize_with = "required")]
    pub index: u64,
    /// The validator.
    #[serde(deserialize_with = "required")]
    pub validator_index: u64,
    /// Who receives it.
    pub address: Address,
    /// How much, in Gwei.
    #[serde(deserialize_with = "required")]
    pub amount: u64,
}

/// What the block's withdrawals brought, in their order; they happen after its transactions.
pub fn withdrawals(block: &HeaderLean) -> impl Iterator<Item = (Address, Arrival)> {
    let placement = EvmPlacement {
        block: block.block_ref(),
        index: u32::MAX,
    };
    let all = block.withdrawals.iter().flatten();
    all.filter(|one| one.amount > 0).map(move |one| {
        let arrival = Arrival {
            tx: None,
            placement,
            origin: Origin::Withdrawal(one.index),
            from: None,
            coin: Coin::Native,
            amount: wei(one.amount),
        };
        (one.address, arrival)
    })
}

fn wei(gwei: u64) -> Amount {
    let product = u128::from(gwei) * u128::from(GWEI);
    Amount::from(alloy_primitives::U256::from(product))
}
