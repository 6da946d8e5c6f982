//! What is believed of a block: what its own hash and roots prove, as far as the chain's form is known.

use hansel_ledger::{ErrorClass, SourceError};

use super::reader::Reader;
use crate::decode::{self, HeaderLean, HeaderProof, ReceiptLean, ReceiptsProof, VerifyError};
use crate::rpc::Heard;

impl Reader {
    /// Refuses a block whose fields do not give its hash, on chains whose headers are known to be Ethereum's.
    pub(crate) fn prove_header(
        &self,
        heard: &Heard,
        block: &HeaderLean,
    ) -> Result<(), SourceError> {
        if !self.network().blocks.ethereum_header {
            return Ok(());
        }
        let number = block.number;
        match decode::check_header(block) {
            HeaderProof::Hash => Ok(()),
            HeaderProof::Incomplete => {
                let detail = format!("block {number} lacks a field that its hash is made of");
                Err(SourceError {
                    class: ErrorClass::Malformed,
                    ..self.ask.inconsistent(heard, detail)
                })
            }
            HeaderProof::Unsupported => {
                let detail = format!(
                    "the fields of block {number} do not give its hash: the answer is false, or headers have a field \
                     that this version does not know; the latter on all endpoints alike, then leave `header` out of \
                     the chain's entry in chains.toml"
                );
                Err(self.ask.inconsistent(heard, detail))
            }
        }
    }

    /// Refuses receipts that are not those of the block, and one that its header does not commit to, unless the
    /// chain's bridge reports by such.
    pub(crate) fn prove_receipts(
        &self,
        heard: &Heard,
        block: &HeaderLean,
        receipts: &[ReceiptLean],
    ) -> Result<(), SourceError> {
        let bridge = self.network().blocks.bridge_receipt;
        match decode::check_receipts(block, receipts) {
            Ok(ReceiptsProof::Root | ReceiptsProof::Indices) => Ok(()),
            Ok(ReceiptsProof::RootButLast) if bridge => Ok(()),
            Ok(ReceiptsProof::RootButLast) => {
                let error = VerifyError::ReceiptsRoot(block.number);
                Err(self.ask.inconsistent(heard, error))
            }
            Err(error) => Err(self.ask.inconsistent(heard, error)),
        }
    }

    /// How block hashes are checked, for a person.
    pub(crate) fn header_check(&self) -> (String, String) {
        let state = if self.network().blocks.ethereum_header {
            "checked"
        } else {
            "not checked: chains.toml does not say which form this chain's headers have"
        };
        ("hashes of blocks".to_owned(), state.to_owned())
    }
}
