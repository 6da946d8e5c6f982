//! Who signed a delegation of an account to code (EIP-7702): its signature says so, and nothing else does.

use alloy_primitives::{Address, B256, U256, keccak256};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly};
use serde::Deserialize;

use crate::error::EvmBlockError;
use crate::evm::{bytes, list, number, word};

/// What is put before a delegation that is signed.
const MAGIC: u8 = 0x05;

/// A delegation as nodes spell it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Authorization<'a> {
    #[serde(borrow)]
    chain_id: &'a str,
    #[serde(borrow)]
    address: &'a str,
    #[serde(borrow)]
    nonce: &'a str,
    #[serde(borrow, default, alias = "v")]
    y_parity: Option<&'a str>,
    #[serde(borrow)]
    r: &'a str,
    #[serde(borrow)]
    s: &'a str,
}

/// Finds out who signed; making one takes some memory, so that it is kept.
pub(crate) struct Signers(Secp256k1<VerifyOnly>);

impl Signers {
    pub(crate) fn new() -> Self {
        Self(Secp256k1::verification_only())
    }

    /// The account that signed; `None` where nobody can have, so that the chain passes the delegation over too.
    pub(crate) fn of(&self, one: &Authorization<'_>) -> Result<Option<Address>, EvmBlockError> {
        let chain = word("chainId", one.chain_id)?;
        let code: [u8; 20] = bytes("address", one.address)?;
        let nonce = U256::from(number("nonce", one.nonce)?);
        let [r, s] = [word("r", one.r)?, word("s", one.s)?];
        let parity = one.y_parity.map(|parity| word("yParity", parity));
        let parity = parity.transpose()?.unwrap_or_default();
        let signed = list(&[
            chain.to_be_bytes_trimmed_vec(),
            code.to_vec(),
            nonce.to_be_bytes_trimmed_vec(),
        ]);
        let digest = keccak256([&[MAGIC], &*signed].concat());
        Ok(self.recover(digest, parity, r, s))
    }

    fn recover(&self, digest: B256, parity: U256, r: U256, s: U256) -> Option<Address> {
        let parity = i32::try_from(parity).ok().filter(|parity| *parity < 2)?;
        let id = RecoveryId::from_i32(parity).ok()?;
        let compact = [r.to_be_bytes::<32>(), s.to_be_bytes::<32>()].concat();
        let signature = RecoverableSignature::from_compact(&compact, id).ok()?;
        let message = Message::from_digest(digest.0);
        let key = self.0.recover_ecdsa(&message, &signature).ok()?;
        let hash = keccak256(&key.serialize_uncompressed()[1..]);
        Some(Address::from_word(hash))
    }
}
