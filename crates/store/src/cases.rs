//! Cases by name, and how far each has got on each chain.

use std::collections::BTreeSet;

use hansel_ledger::{BlockRef, Chain};
use rocksdb::{Direction, WriteBatch};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::columns::Column;
use crate::error::one_line;
use crate::keys::{self, ChainKey};
use crate::rows::{bad_row, decode, encode};
use crate::{Store, StoreError};

/// How far a case has got on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The block that every query of the run is asked under.
    pub tip: BlockRef,
    /// Whether the run came to its end.
    pub state: CursorState,
    /// The block up to which every later one was read and moved nothing of the case; `None` where none was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned: Option<BlockRef>,
    /// True where the chain is read on for the case together with all others: see [`Store::reach`].
    #[serde(default)]
    pub follows: bool,
}

impl Cursor {
    /// The newest block that the case was read through by itself.
    pub fn reach(&self) -> BlockRef {
        self.scanned.unwrap_or(self.tip)
    }
}

/// Whether a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CursorState {
    /// Begun; to be resumed under the same tip.
    Running,
    /// Everything there was to ask was asked.
    Complete,
}

const LONGEST_NAME: usize = 100;

impl Store {
    /// Keeps a case under its name, in place of what was there; it is on the disk when this returns.
    pub fn put_case<T: Serialize + ?Sized>(&self, name: &str, case: &T) -> Result<(), StoreError> {
        check_name(name)?;
        let value = encode(&format!("case {name}"), case)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Cases), name, value);
        self.write_through(batch)
    }

    /// The case of this name.
    pub fn case<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        check_name(name)?;
        self.get(Column::Cases, name.as_bytes())?
            .map(|value| decode(Column::Cases, name.as_bytes(), &value))
            .transpose()
    }

    /// The names of all cases, in alphabetical order.
    pub fn cases(&self) -> Result<Vec<String>, StoreError> {
        let name = |key: &[u8]| match std::str::from_utf8(key) {
            Ok(name) if check_name(name).is_ok() => Ok(name.to_owned()),
            _ => Err(bad_row(Column::Cases, key, "the key is not a case name")),
        };
        self.scan(Column::Cases, &[], Direction::Forward)
            .map(|row| row.and_then(|(key, _)| name(&key)))
            .collect()
    }

    /// True where there is a case of this name.
    pub fn has_case(&self, name: &str) -> Result<bool, StoreError> {
        check_name(name)?;
        self.has(Column::Cases, name.as_bytes())
    }

    /// True where no case was kept yet.
    pub fn is_without_cases(&self) -> Result<bool, StoreError> {
        let first = self.scan(Column::Cases, &[], Direction::Forward).next();
        Ok(first.transpose()?.is_none())
    }

    /// Removes a case, its cursors, its watch and what it watches in one batch; true where there was one. Facts, evidence
    /// and messages that wait for delivery stay.
    pub fn remove_case(&self, name: &str) -> Result<bool, StoreError> {
        check_name(name)?;
        let _turn = self.take_turn();
        let existed = self.has(Column::Cases, name.as_bytes())?;
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.column(Column::Cases), name);
        batch.delete_cf(self.column(Column::Watches), keys::watch(name));
        for chain in self.chain_keys()? {
            batch.delete_cf(self.column(Column::Cursors), keys::cursor(chain, name));
        }
        self.drop_watches(&mut batch, name)?;
        batch.delete_cf(self.column(Column::Due), name);
        self.write_through(batch)?;
        Ok(existed)
    }

    /// Keeps how far a case has got on a chain, and the block as one of the chain's, on the disk at once.
    ///
    /// Fails with [`StoreError::ConflictingBlock`] where the store knows another block of that height.
    pub fn put_cursor(&self, chain: &Chain, case: &str, cursor: &Cursor) -> Result<(), StoreError> {
        self.put_cursors(chain, [(case, cursor)])
    }

    /// Keeps how far several cases have got on a chain, as [`Store::put_cursor`] does: all of them or none.
    pub fn put_cursors<'c>(
        &self,
        chain: &Chain,
        cursors: impl IntoIterator<Item = (&'c str, &'c Cursor)>,
    ) -> Result<(), StoreError> {
        self.registered(chain)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        let mut blocks = BTreeSet::new();
        for (case, cursor) in cursors {
            check_name(case)?;
            blocks.extend([cursor.tip, cursor.reach()]);
            self.add_cursor(&mut batch, chain, case, cursor)?;
        }
        let blocks: Vec<_> = blocks.into_iter().collect();
        self.add_headers(&mut batch, chain, &blocks)?;
        self.write_through(batch)
    }

    /// Adds to a batch how far a case has got.
    pub(crate) fn add_cursor(
        &self,
        batch: &mut WriteBatch,
        chain: &Chain,
        case: &str,
        cursor: &Cursor,
    ) -> Result<(), StoreError> {
        let value = encode("a cursor", cursor)?;
        let key = keys::cursor(ChainKey::of(chain), case);
        batch.put_cf(self.column(Column::Cursors), key, value);
        Ok(())
    }

    /// How far a case has got on a chain.
    pub fn cursor(&self, chain: &Chain, case: &str) -> Result<Option<Cursor>, StoreError> {
        check_name(case)?;
        let key = keys::cursor(ChainKey::of(chain), case);
        self.get(Column::Cursors, &key)?
            .map(|value| decode(Column::Cursors, &key, &value))
            .transpose()
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(StoreError::CaseName(one_line(name)))
    }
}
