//! What the watch over a case remembers, and messages that wait until they are delivered.

use rocksdb::{Direction, WriteBatch};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cases::check_name;
use crate::columns::Column;
use crate::keys;
use crate::rows::{bad_row, decode, encode};
use crate::{Ending, Store, StoreError};

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<M> {
    /// Its place in the order of delivery.
    pub number: u64,
    /// What is to be delivered.
    pub content: M,
}

impl Store {
    /// Keeps a case whose run ended, how it did, what its watch remembers, and messages behind those that wait: all or
    /// none, on the disk when this returns.
    pub fn put_watched_case<T, W, M>(
        &self,
        name: &str,
        case: &T,
        ending: &Ending<'_>,
        watch: &W,
        messages: &[M],
    ) -> Result<(), StoreError>
    where
        T: Serialize + ?Sized,
        W: Serialize + ?Sized,
        M: Serialize,
    {
        check_name(name)?;
        let case = encode(&format!("case {name}"), case)?;
        let watch = encode(&format!("the watch over {name}"), watch)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Cases), name, case);
        self.add_ending(&mut batch, name, ending)?;
        batch.put_cf(self.column(Column::Watches), keys::watch(name), watch);
        let first = self.next_number()?;
        for (number, message) in (first..).zip(messages) {
            let value = encode("a message", message)?;
            batch.put_cf(self.column(Column::Outbox), keys::message(number), value);
        }
        self.write_through(batch)
    }

    /// Keeps what the watch over a case remembers, in place of what was there.
    pub fn put_watch<W: Serialize + ?Sized>(
        &self,
        name: &str,
        watch: &W,
    ) -> Result<(), StoreError> {
        check_name(name)?;
        let value = encode(&format!("the watch over {name}"), watch)?;
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Watches), keys::watch(name), value);
        self.write_through(batch)
    }

    /// What the watch over a case remembers; `None` before it began.
    pub fn watch<W: DeserializeOwned>(&self, name: &str) -> Result<Option<W>, StoreError> {
        check_name(name)?;
        if !self.has_column(Column::Watches) {
            return Ok(None);
        }
        let key = keys::watch(name);
        self.get(Column::Watches, &key)?
            .map(|value| decode(Column::Watches, &key, &value))
            .transpose()
    }

    /// Messages that wait, from a number on, in the order in which they were kept; read errors are items, never the end.
    pub fn messages<M: DeserializeOwned>(
        &self,
        from: u64,
    ) -> impl Iterator<Item = Result<Message<M>, StoreError>> + use<'_, M> {
        let there = self.has_column(Column::Outbox);
        let rows =
            there.then(|| self.scan(Column::Outbox, &keys::message(from), Direction::Forward));
        rows.into_iter().flatten().map(|row| {
            let (key, value) = row?;
            Ok(Message {
                number: message_number(&key)?,
                content: decode(Column::Outbox, &key, &value)?,
            })
        })
    }

    /// Keeps a message that still waits with what changed about it.
    pub fn put_message<M: Serialize>(&self, message: &Message<M>) -> Result<(), StoreError> {
        let value = encode("a message", &message.content)?;
        let key = keys::message(message.number);
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Outbox), key, value);
        self.write_through(batch)
    }

    /// Removes a message that was delivered.
    pub fn remove_message(&self, number: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        batch.delete_cf(self.column(Column::Outbox), keys::message(number));
        self.write_through(batch)
    }

    /// The number of the next message; numbers begin anew once none waits.
    fn next_number(&self) -> Result<u64, StoreError> {
        let newest = keys::message(u64::MAX);
        let last = self
            .scan(Column::Outbox, &newest, Direction::Reverse)
            .next();
        match last {
            None => Ok(0),
            Some(row) => Ok(message_number(&row?.0)?.saturating_add(1)),
        }
    }
}

fn message_number(key: &[u8]) -> Result<u64, StoreError> {
    let wrong = || bad_row(Column::Outbox, key, "the key is not eight bytes long");
    keys::message_number(key).ok_or_else(wrong)
}
