//! Which of the things that blocks name are watched: looked up in the store for few blocks, in memory for many.

use std::collections::{BTreeSet, HashSet};

use alloy_primitives::Address;
use anyhow::Context as _;
use hansel_ledger::Chain;
use hansel_scan::{AccountSet, EvmBlockError, PartyReader, Role};
use hansel_store::Store;

use crate::failure::Failure;
use crate::watch::Key;

/// How blocks are compared with what is watched.
pub(super) enum Watched<'a> {
    /// Each block is looked up in the store.
    Kept(&'a Store, &'a Chain, PartyReader),
    /// Everything that is watched was read into memory.
    Loaded(Box<Loaded>),
}

/// Everything that is watched on one chain.
pub(super) struct Loaded {
    keys: HashSet<Key>,
    /// The accounts among them, as `set` numbers them.
    accounts: Vec<Address>,
    set: AccountSet,
}

/// Whom a block names.
pub(super) struct Named {
    /// Everybody who may be watched, and perhaps others.
    pub(super) parties: Vec<(Role, Address)>,
    /// False where the header's bloom rules out every log that may be watched.
    pub(super) may_be_logged: bool,
}

impl<'a> Watched<'a> {
    /// To look a full block of Ethereum up costs about as much as to load so many things (`benches/watched.rs`).
    const LOOKED_UP: u64 = 1_000;

    pub(super) fn new(chain: &'a Chain, store: &'a Store, blocks: u64) -> Result<Self, Failure> {
        if blocks.saturating_mul(Self::LOOKED_UP) < store.about_watched()? {
            return Ok(Self::Kept(store, chain, PartyReader::new()));
        }
        Ok(Self::Loaded(Box::new(Loaded::new(chain, store)?)))
    }

    pub(super) fn read(&self, json: &[u8]) -> Result<Named, EvmBlockError> {
        match self {
            // Without a list of what is watched only an empty bloom rules anything out.
            Self::Kept(_, _, reader) => {
                let read = reader.read(json)?;
                let parties = read.named.iter().map(|one| (one.role, one.account));
                Ok(Named {
                    parties: parties.collect(),
                    may_be_logged: read.may_be_logged,
                })
            }
            Self::Loaded(loaded) => loaded.read(json),
        }
    }

    /// Those of these things that any case watches.
    pub(super) fn among(&self, keys: BTreeSet<Key>) -> Result<BTreeSet<Key>, Failure> {
        match self {
            Self::Kept(store, chain, _) => {
                let keys = keys.iter().map(Key::to_bytes).collect();
                let found = store.watched_among(chain, &keys)?;
                let found: Result<_, _> = found.iter().map(|key| Key::from_bytes(key)).collect();
                Ok(found?)
            }
            Self::Loaded(loaded) => {
                let found = keys.into_iter().filter(|key| loaded.keys.contains(key));
                Ok(found.collect())
            }
        }
    }
}

impl Loaded {
    fn new(chain: &Chain, store: &Store) -> Result<Self, Failure> {
        let mut keys = HashSet::new();
        for watch in store.watched(chain) {
            keys.insert(Key::from_bytes(&watch?.key)?);
        }
        let (mut accounts, mut loggers) = (BTreeSet::new(), Vec::new());
        let mut topics = Vec::new();
        for key in &keys {
            match key {
                Key::Account(account) | Key::Code(account) => _ = accounts.insert(*account),
                Key::Logger(contract) => loggers.push(*contract),
                Key::Topic(topic) => topics.push(*topic),
                Key::Output(_) | Key::Script(_) | Key::Traces | Key::Silent => {}
            }
        }
        let accounts: Vec<Address> = accounts.into_iter().collect();
        let set = AccountSet::with_logs(accounts.iter().copied(), loggers, topics);
        let set = set.context("more is watched than fits into memory")?;
        Ok(Self {
            keys,
            accounts,
            set,
        })
    }

    fn read(&self, json: &[u8]) -> Result<Named, EvmBlockError> {
        let hits = self.set.scan(json)?;
        let party = |hit: &hansel_scan::AccountHit| {
            let place = usize::try_from(hit.watched).expect("numbers of 32 bits fit");
            (hit.role, self.accounts[place])
        };
        Ok(Named {
            parties: hits.named.iter().map(party).collect(),
            may_be_logged: hits.may_be_logged,
        })
    }
}
