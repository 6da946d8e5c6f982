//! What the transactions of a block tip to the account that the block names for that.

use alloy_primitives::U256;

use super::fee::{ARBITRUM_DEPOSIT, DEPOSIT};
use super::{HeaderLean, ReceiptLean};

/// The sum of what each transaction paid for its gas above the base fee, which is burned (EIP-1559); before London all
/// of it. `None` where a receipt does not tell its price, or one below the base fee.
///
/// `receipts` must be all of the block. Whether its chain pays tips so is for the balance to say.
pub fn tips(block: &HeaderLean, receipts: &[ReceiptLean]) -> Option<U256> {
    let base = U256::from(block.base_fee_per_gas.unwrap_or_default());
    let paying = receipts
        .iter()
        .filter(|receipt| !matches!(receipt.kind, Some(DEPOSIT | ARBITRUM_DEPOSIT)));
    paying.into_iter().try_fold(U256::ZERO, |sum, receipt| {
        let tip = receipt.effective_gas_price?.checked_sub(base)?;
        sum.checked_add(tip.checked_mul(U256::from(receipt.gas_used))?)
    })
}
