//! What cases watch, how far each chain was read for all of them, and which cases are to be traced again.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hex::{DisplayHex, FromHex};
use hansel_ledger::{BlockRef, Chain};
use rocksdb::{Direction, WriteBatch};
use serde::{Deserialize, Serialize};

use crate::cases::check_name;
use crate::columns::Column;
use crate::keys::{self, ChainKey};
use crate::rows::{bad_row, decode, encode};
use crate::{Cursor, Store, StoreError};

/// Something of a chain that a later block could say differently to a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch {
    /// What it is, in a form of the caller's; equal keys are one thing.
    pub key: Vec<u8>,
    /// What the caller wants back with it.
    pub note: String,
}

/// Whose watch it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watcher {
    /// The name of the case.
    pub case: String,
    /// The note of its watch.
    pub note: String,
}

/// A case that is to be traced again whatever later blocks hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Why, in words.
    pub because: String,
    /// The newest block of each chain that its report speaks for, by the chain's name.
    pub reach: BTreeMap<String, BlockRef>,
}

/// A part of a case that was traced to its end.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Its chain.
    pub chain: &'a Chain,
    /// How far it got.
    pub cursor: Cursor,
    /// What it watches; each key once.
    pub watches: Vec<Watch>,
}

/// How the run of a case ended.
#[derive(Debug, Default)]
pub struct Ending<'a> {
    /// Its parts, as far as they were traced.
    pub parts: Vec<Ended<'a>>,
    /// Why the case is to be traced again whatever later blocks hold, in words; `None` where it is not.
    pub because: Option<&'a str>,
}

/// How far a chain was read for all cases.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pass {
    chain: String,
    through: BlockRef,
    /// The height up to which that still holds, where a reorganisation took away what is above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sound: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    case: String,
    key: String,
    note: String,
}

const CUT_OFF: &str = "its last run was cut off";
const REPLACED: &str = "the block that it spoke of was replaced";
const EARLIER: &str = "it was traced by an earlier version";
const OVERTAKEN: &str = "other cases of the chain were read further than it was traced";

impl Store {
    /// Keeps a case whose run begins and where it begins, in one batch that is on the disk when this returns.
    ///
    /// Until [`Store::end_case`] the case is due.
    pub fn begin_case<T: Serialize + ?Sized>(
        &self,
        name: &str,
        case: &T,
        begun: Option<(&Chain, &Cursor)>,
    ) -> Result<(), StoreError> {
        check_name(name)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        let value = encode(&format!("case {name}"), case)?;
        batch.put_cf(self.column(Column::Cases), name, value);
        self.add_due(&mut batch, name, CUT_OFF)?;
        if let Some((chain, cursor)) = begun {
            self.registered(chain)?;
            self.add_cursor(&mut batch, chain, name, cursor)?;
            self.add_headers(&mut batch, chain, &[cursor.tip, cursor.reach()])?;
        }
        self.write_through(batch)
    }

    /// Keeps a case whose run ended, how far each part got and what it watches now, in one batch that is on the disk
    /// when this returns.
    pub fn end_case<T: Serialize + ?Sized>(
        &self,
        name: &str,
        case: &T,
        ending: &Ending<'_>,
    ) -> Result<(), StoreError> {
        check_name(name)?;
        let value = encode(&format!("case {name}"), case)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        batch.put_cf(self.column(Column::Cases), name, value);
        self.add_ending(&mut batch, name, ending)?;
        self.write_through(batch)
    }

    /// Adds to a batch how the run of a case ended.
    pub(crate) fn add_ending(
        &self,
        batch: &mut WriteBatch,
        name: &str,
        ending: &Ending<'_>,
    ) -> Result<(), StoreError> {
        self.drop_watches(batch, name)?;
        let (mut because, mut reach) = (ending.because, BTreeMap::new());
        for part in &ending.parts {
            self.add_ended(batch, name, part)?;
            let own = part.cursor.reach();
            reach.insert(part.chain.name().to_owned(), own);
            match self.pass(ChainKey::of(part.chain))? {
                _ if !part.cursor.follows => {}
                Some(pass) if pass.sound.unwrap_or(pass.through.height) > own.height => {
                    because = because.or(Some(OVERTAKEN));
                }
                Some(_) => {}
                None => self.add_pass(batch, part.chain, &own)?,
            }
        }
        let due = self.column(Column::Due);
        match because {
            None => batch.delete_cf(due, name),
            Some(because) => {
                let because = because.to_owned();
                batch.put_cf(due, name, encode("a due case", &Due { because, reach })?);
            }
        }
        Ok(())
    }

    fn add_ended(
        &self,
        batch: &mut WriteBatch,
        name: &str,
        part: &Ended<'_>,
    ) -> Result<(), StoreError> {
        let Ended {
            chain,
            cursor,
            watches,
        } = part;
        self.registered(chain)?;
        self.add_cursor(batch, chain, name, cursor)?;
        self.add_headers(batch, chain, &[cursor.tip, cursor.reach()])?;
        for watch in watches {
            self.add_watch(batch, chain, name, watch)?;
        }
        Ok(())
    }

    /// How far a chain was read for all cases; `None` where no case watches it.
    pub fn passed(&self, chain: &Chain) -> Result<Option<BlockRef>, StoreError> {
        Ok(self.pass(ChainKey::of(chain))?.map(|pass| pass.through))
    }

    /// The height up to which that still holds where a reorganisation took away what is above; `None` where none did
    /// since [`Store::put_pass`].
    pub fn sound_through(&self, chain: &Chain) -> Result<Option<u64>, StoreError> {
        Ok(self.pass(ChainKey::of(chain))?.and_then(|pass| pass.sound))
    }

    fn pass(&self, key: ChainKey) -> Result<Option<Pass>, StoreError> {
        let found = self.get(Column::Passes, key.as_bytes())?;
        let pass = found.map(|value| decode(Column::Passes, key.as_bytes(), &value));
        pass.transpose()
    }

    /// The names of the chains that cases watch.
    pub fn watched_chains(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows = self.scan(Column::Passes, &[], Direction::Forward);
        rows.map(|row| {
            let (key, value) = row?;
            Ok(decode::<Pass>(Column::Passes, &key, &value)?.chain)
        })
        .collect()
    }

    /// Notes that a chain was read through a block for all cases but those that are due, and that the named cases are
    /// due now, each for its reason; `blocks` are the newest of those that were read. All of it or nothing.
    pub fn put_pass(
        &self,
        chain: &Chain,
        through: &BlockRef,
        blocks: &[BlockRef],
        due: &BTreeMap<String, String>,
    ) -> Result<(), StoreError> {
        self.registered(chain)?;
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        for (name, because) in due {
            self.add_due(&mut batch, name, because)?;
        }
        self.add_pass(&mut batch, chain, through)?;
        self.add_headers(&mut batch, chain, blocks)?;
        self.add_headers(&mut batch, chain, &[*through])?;
        self.write_through(batch)
    }

    /// Notes that cases are due, each for its reason, unless they are already.
    pub fn put_due(&self, due: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let _turn = self.take_turn();
        let mut batch = WriteBatch::default();
        for (name, because) in due {
            self.add_due(&mut batch, name, because)?;
        }
        self.write_through(batch)
    }

    /// Why a case is due, if it is.
    pub fn due(&self, name: &str) -> Result<Option<Due>, StoreError> {
        check_name(name)?;
        let found = self.get(Column::Due, name.as_bytes())?;
        found
            .map(|value| decode(Column::Due, name.as_bytes(), &value))
            .transpose()
    }

    /// All cases that are due, in the order of their names.
    pub fn all_due(&self) -> Result<BTreeMap<String, Due>, StoreError> {
        let rows = self.scan(Column::Due, &[], Direction::Forward);
        rows.map(|row| {
            let (key, value) = row?;
            let due = decode(Column::Due, &key, &value)?;
            Ok((case_name(&key)?, due))
        })
        .collect()
    }

    /// Who watches something of a chain, in no particular order.
    pub fn watchers(&self, chain: &Chain, key: &[u8]) -> Result<Vec<Watcher>, StoreError> {
        let prefix = keys::watched(ChainKey::of(chain), key);
        let mut watchers = Vec::new();
        for row in self.scan(Column::Watched, &prefix, Direction::Forward) {
            let (place, value) = row?;
            if !place.starts_with(&prefix) {
                break;
            }
            let Row { case, note, .. } = decode(Column::Watched, &place, &value)?;
            watchers.push(Watcher { case, note });
        }
        Ok(watchers)
    }

    /// Those of these keys that any case watches on a chain.
    pub fn watched_among(
        &self,
        chain: &Chain,
        keys: &BTreeSet<Vec<u8>>,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let chain = ChainKey::of(chain);
        let mut places: Vec<_> = keys
            .iter()
            .map(|key| (keys::watched(chain, key), key))
            .collect();
        places.sort_unstable();
        let prefixes = places.iter().map(|(prefix, _)| prefix.as_slice());
        let found = self.occupied(Column::Watched, prefixes.enumerate())?;
        Ok(found.into_iter().map(|at| places[at].1.clone()).collect())
    }

    /// About how many things cases watch, on all chains together.
    pub fn about_watched(&self) -> Result<u64, StoreError> {
        self.about(Column::Watched)
    }

    /// Everything of a chain that any case watches; what several cases watch comes for each of them, one after the other.
    pub fn watched<'a>(
        &'a self,
        chain: &Chain,
    ) -> impl Iterator<Item = Result<Watch, StoreError>> + use<'a> {
        let chain = ChainKey::of(chain);
        let rows = self.scan(Column::Watched, chain.as_bytes(), Direction::Forward);
        rows.take_while(move |row| match row {
            Ok((place, _)) => place.starts_with(chain.as_bytes()),
            Err(_) => true,
        })
        .map(|row| {
            let (place, value) = row?;
            read_watch(&place, &value)
        })
    }

    /// What a case watches of a chain.
    pub fn watches_of(&self, chain: &Chain, name: &str) -> Result<Vec<Watch>, StoreError> {
        let chain_key = ChainKey::of(chain);
        let mut watches = Vec::new();
        for place in self.places(name)? {
            if !place.starts_with(chain_key.as_bytes()) {
                continue;
            }
            let found = self.get(Column::Watched, &place)?;
            let value = found.ok_or_else(|| {
                bad_row(
                    Column::Watched,
                    &place,
                    "a case names it and it is not there",
                )
            })?;
            watches.push(read_watch(&place, &value)?);
        }
        Ok(watches)
    }

    /// The newest block that is known to have moved nothing that the report of a case does not say.
    pub fn reach(&self, chain: &Chain, name: &str) -> Result<Option<BlockRef>, StoreError> {
        let Some(cursor) = self.cursor(chain, name)? else {
            return Ok(None);
        };
        let due = self.due(name)?;
        let passed = self.pass(ChainKey::of(chain))?;
        Ok(Some(reach(chain.name(), &cursor, due.as_ref(), passed)))
    }

    /// Adds to a batch that the cases are due that were read through a block of this height or above.
    pub(crate) fn add_replaced(
        &self,
        batch: &mut WriteBatch,
        chain: &Chain,
        height: u64,
    ) -> Result<(), StoreError> {
        for name in self.cases()? {
            let cursor = self.cursor(chain, &name)?;
            let is_void = |cursor: &Cursor| cursor.follows && cursor.reach().height >= height;
            if cursor.as_ref().is_some_and(is_void) {
                self.add_due(batch, &name, REPLACED)?;
            }
        }
        let key = ChainKey::of(chain);
        let Some(mut pass) = self.pass(key)?.filter(|it| it.through.height >= height) else {
            return Ok(());
        };
        // Of the blocks between two that are known nobody can say whether they were replaced too.
        let below = self.known_headers(chain);
        let mut below = below.skip_while(|row| row.as_ref().is_ok_and(|(at, _)| *at >= height));
        let left = below.next().transpose()?.map_or(0, |(at, _)| at);
        pass.sound = Some(pass.sound.unwrap_or(left).min(left));
        let value = encode("a pass", &pass)?;
        batch.put_cf(self.column(Column::Passes), key.as_bytes(), value);
        Ok(())
    }

    /// Notes that all cases are due: the format before did not say what they watch.
    pub(crate) fn all_are_due(&self) -> Result<(), StoreError> {
        let all = self.cases()?.into_iter();
        self.put_due(&all.map(|name| (name, EARLIER.to_owned())).collect())
    }

    /// Adds to a batch that a case is due, unless it is already.
    pub(crate) fn add_due(
        &self,
        batch: &mut WriteBatch,
        name: &str,
        because: &str,
    ) -> Result<(), StoreError> {
        if self.due(name)?.is_some() {
            return Ok(());
        }
        let mut reached = BTreeMap::new();
        for (key, chain) in self.chain_names()? {
            let row = keys::cursor(key, name);
            let Some(value) = self.get(Column::Cursors, &row)? else {
                continue;
            };
            let cursor: Cursor = decode(Column::Cursors, &row, &value)?;
            let passed = self.pass(key)?;
            let block = reach(&chain, &cursor, None, passed);
            reached.insert(chain, block);
        }
        let due = Due {
            because: because.to_owned(),
            reach: reached,
        };
        let value = encode("a due case", &due)?;
        batch.put_cf(self.column(Column::Due), name, value);
        Ok(())
    }

    fn add_pass(
        &self,
        batch: &mut WriteBatch,
        chain: &Chain,
        through: &BlockRef,
    ) -> Result<(), StoreError> {
        let pass = Pass {
            chain: chain.name().to_owned(),
            through: *through,
            sound: None,
        };
        let value = encode("a pass", &pass)?;
        let key = ChainKey::of(chain);
        batch.put_cf(self.column(Column::Passes), key.as_bytes(), value);
        Ok(())
    }

    fn add_watch(
        &self,
        batch: &mut WriteBatch,
        chain: &Chain,
        name: &str,
        watch: &Watch,
    ) -> Result<(), StoreError> {
        let place = keys::watched_by(ChainKey::of(chain), &watch.key, name);
        let row = Row {
            case: name.to_owned(),
            key: watch.key.to_lower_hex_string(),
            note: watch.note.clone(),
        };
        let value = encode("a watch", &row)?;
        batch.put_cf(self.column(Column::Watched), place, value);
        let of_case = keys::watcher(name, &place);
        batch.put_cf(self.column(Column::Watchers), of_case, []);
        Ok(())
    }

    /// Adds to a batch that a case watches nothing any more.
    pub(crate) fn drop_watches(
        &self,
        batch: &mut WriteBatch,
        name: &str,
    ) -> Result<(), StoreError> {
        for place in self.places(name)? {
            batch.delete_cf(self.column(Column::Watchers), keys::watcher(name, &place));
            batch.delete_cf(self.column(Column::Watched), place);
        }
        Ok(())
    }

    /// The keys of `watched` that a case has rows under.
    fn places(&self, name: &str) -> Result<Vec<[u8; keys::WATCH]>, StoreError> {
        let prefix = keys::case_hash(name);
        let mut places = Vec::new();
        for row in self.scan(Column::Watchers, &prefix, Direction::Forward) {
            let (key, _) = row?;
            let Some(place) = key.strip_prefix(&prefix) else {
                break;
            };
            let wrong = |_| bad_row(Column::Watchers, &key, "the key is not 104 bytes long");
            places.push(place.try_into().map_err(wrong)?);
        }
        Ok(places)
    }
}

/// The newest block that a report speaks for, given how far its chain was read for all.
fn reach(chain: &str, cursor: &Cursor, due: Option<&Due>, passed: Option<Pass>) -> BlockRef {
    let own = cursor.reach();
    match due {
        Some(due) => due.reach.get(chain).copied().unwrap_or(own),
        None => passed
            .filter(|passed| cursor.follows && passed.sound.is_none())
            .map(|passed| passed.through)
            .filter(|through| through.height > own.height)
            .unwrap_or(own),
    }
}

fn read_watch(place: &[u8], value: &[u8]) -> Result<Watch, StoreError> {
    let Row { key, note, .. } = decode(Column::Watched, place, value)?;
    let key = Vec::from_hex(&key)
        .map_err(|_| bad_row(Column::Watched, place, "its key is not hexadecimal"))?;
    Ok(Watch { key, note })
}

fn case_name(key: &[u8]) -> Result<String, StoreError> {
    let name = std::str::from_utf8(key).ok();
    let name = name.filter(|name| check_name(name).is_ok());
    let wrong = || bad_row(Column::Due, key, "the key is not a case name");
    name.map(str::to_owned).ok_or_else(wrong)
}
