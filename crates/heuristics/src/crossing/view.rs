//! A transaction as the rules of this module see it, whatever it was read from.

use bitcoin::{Script, Txid};
use hansel_ledger::EvmTransaction;

/// A transaction of either family of chains.
#[derive(Clone, Debug)]
pub enum TransactionView<'a> {
    /// Of a Bitcoin chain.
    Bitcoin {
        /// Its id.
        txid: Txid,
        /// The script of the first output that it spends, where known: to THORChain the sender.
        sender: Option<&'a Script>,
        /// What it pays.
        outputs: Vec<OutputView<'a>>,
    },
    /// Of an EVM chain.
    Evm(&'a EvmTransaction),
}

/// An output.
#[derive(Clone, Copy, Debug)]
pub struct OutputView<'a> {
    /// Its index.
    pub vout: u32,
    /// Its value in satoshi.
    pub value: u64,
    /// Its locking script.
    pub script: &'a Script,
}

impl OutputView<'_> {
    /// What its script pushes after OP_RETURN, all pushes put together; `None` for another script.
    pub(super) fn message(&self) -> Option<Vec<u8>> {
        if !self.script.is_op_return() {
            return None;
        }
        let mut message = Vec::new();
        for instruction in self.script.instructions().skip(1) {
            message.extend_from_slice(instruction.ok()?.push_bytes()?.as_bytes());
        }
        Some(message)
    }
}
