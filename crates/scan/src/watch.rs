//! Everything of Bitcoin that is watched: outputs that may be spent, scripts that may be paid.

use bitcoin::hashes::Hash as _;
use bitcoin::{OutPoint, Script};

use crate::error::Crowded;
use crate::keys::KeySet;

/// The outpoints and scripts that one pass looks for, each kind numbered in the order in which they were given.
pub struct WatchSet {
    pub(crate) outpoints: KeySet,
    pub(crate) scripts: KeySet,
}

impl WatchSet {
    /// Watches for spends of these outpoints and for payments to these scripts.
    ///
    /// What is given twice keeps the number that it has; numbers have no gaps.
    ///
    /// # Errors
    ///
    /// Where all outpoints or all scripts together are longer than 4 GiB.
    pub fn new<S: AsRef<Script>>(
        outpoints: impl IntoIterator<Item = OutPoint>,
        scripts: impl IntoIterator<Item = S>,
    ) -> Result<Self, Crowded> {
        Ok(Self {
            outpoints: KeySet::new(outpoints.into_iter().map(serialised))?,
            scripts: KeySet::new(scripts.into_iter().map(Bytes))?,
        })
    }

    /// The number of an outpoint that is watched.
    pub fn outpoint(&self, outpoint: &OutPoint) -> Option<u32> {
        self.outpoints.find(&serialised(*outpoint))
    }

    /// The number of a script that is watched.
    pub fn script(&self, script: &Script) -> Option<u32> {
        self.scripts.find(script.as_bytes())
    }
}

/// An outpoint as an input holds it.
fn serialised(outpoint: OutPoint) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..32].copy_from_slice(outpoint.txid.as_byte_array());
    bytes[32..].copy_from_slice(&outpoint.vout.to_le_bytes());
    bytes
}

struct Bytes<S>(S);

impl<S: AsRef<Script>> AsRef<[u8]> for Bytes<S> {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref().as_bytes()
    }
}
