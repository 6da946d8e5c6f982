//! What a transaction's sender paid for it.

use alloy_primitives::U256;

use super::{DecodeError, ReceiptLean, TxLean};

/// The type of OP chains' deposits from the chain below, which are paid there.
pub(super) const DEPOSIT: u64 = 0x7e;
/// The type of Arbitrum's deposits of ether from the chain below: its chain, number, parties and value, and no gas
/// (`EthDepositMessage` of Arbitrum's SDK 4.1.0).
pub(super) const ARBITRUM_DEPOSIT: u64 = 0x64;
/// The type of transactions with blobs (EIP-4844).
const BLOB: u64 = 3;

/// Gas, blob gas, the fee of the chain below and the operator's fee, in base units of the native coin.
pub(super) fn fee(tx: &TxLean, receipt: &ReceiptLean) -> Result<U256, DecodeError> {
    if matches!(tx.kind.or(receipt.kind), Some(DEPOSIT | ARBITRUM_DEPOSIT)) {
        return Ok(U256::ZERO);
    }
    let overflow = || DecodeError::Overflow(tx.hash);
    let parts = [
        blob_fee(tx, receipt)?,
        receipt.l1_fee.unwrap_or_default(),
        operator_fee(receipt).ok_or_else(overflow)?,
    ];
    parts.iter().try_fold(gas_fee(tx, receipt)?, |sum, part| {
        sum.checked_add(*part).ok_or_else(overflow)
    })
}

fn gas_fee(tx: &TxLean, receipt: &ReceiptLean) -> Result<U256, DecodeError> {
    let price = receipt.effective_gas_price.or(tx.gas_price);
    let price = price.ok_or(DecodeError::Missing {
        tx: tx.hash,
        field: "effectiveGasPrice",
    })?;
    price
        .checked_mul(U256::from(receipt.gas_used))
        .ok_or(DecodeError::Overflow(tx.hash))
}

/// OP chains put a measure of data into `blobGasUsed` of transactions without blobs, and no price beside it.
fn blob_fee(tx: &TxLean, receipt: &ReceiptLean) -> Result<U256, DecodeError> {
    let used = U256::from(receipt.blob_gas_used.unwrap_or_default());
    let blobs = tx.kind == Some(BLOB);
    match receipt.blob_gas_price {
        Some(price) => price
            .checked_mul(used)
            .ok_or(DecodeError::Overflow(tx.hash)),
        None if blobs => Err(DecodeError::Missing {
            tx: tx.hash,
            field: "blobGasPrice",
        }),
        None => Ok(U256::ZERO),
    }
}

/// `gas * scalar / 10^6 + constant` since Isthmus, `gas * scalar * 100 + constant` since Jovian, by the
/// [specification of OP chains](https://specs.optimism.io/protocol/isthmus/exec-engine.html#operator-fee).
fn operator_fee(receipt: &ReceiptLean) -> Option<U256> {
    let scalar = receipt.operator_fee_scalar.unwrap_or_default();
    let constant = receipt.operator_fee_constant.unwrap_or_default();
    let product = scalar.checked_mul(U256::from(receipt.gas_used))?;
    let variable = match receipt.da_footprint_gas_scalar {
        Some(_) => product.checked_mul(U256::from(100))?,
        None => product / U256::from(1_000_000),
    };
    variable.checked_add(constant)
}
