//! What a traced case still depends on: everything that it was told and that a later block could say differently.

mod key;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use anyhow::Context as _;
use bitcoin::{OutPoint, ScriptBuf};
use hansel_ledger::{
    AccountNature, AccountStatement, Amount, BlockRef, Chain, Coin, EvmFact, EvmNetwork, EvmQuery,
    EvmTransaction, Fact, Gap, InternalTransfers, Placement, Query, SpendState,
};
pub(crate) use key::Key;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Why a case is traced again whatever the blocks hold.
pub(crate) const NOT_KNOWN: &str = "something was not known when it was traced";

/// What is kept with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Note {
    /// Nothing.
    Nothing,
    /// The height of the transaction, where it was known, and the locking script.
    Output {
        height: Option<u64>,
        script: ScriptBuf,
    },
    /// What the account held of each coin, where it was told.
    Held(BTreeMap<Coin, Option<Amount>>),
    /// For each topic from the first on, values of which it has one; none for any. One of several.
    Logs(BTreeSet<Vec<Vec<B256>>>),
    /// The accounts and the tokens, each with an entry of its own too.
    Silent(BTreeSet<(Address, Coin)>),
}

/// What blocks hold of something that is watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hit {
    /// The height of the last of them.
    pub(crate) last: u64,
    /// The logs that name it, by height, where it is their writer or a topic.
    pub(crate) logs: Vec<(u64, Vec<B256>)>,
    /// What the account holds now of coins, as far as it was asked.
    pub(crate) held: BTreeMap<Coin, Amount>,
}

impl Hit {
    /// Whether it concerns whoever has this note of it and knows of all blocks up to a height.
    pub(crate) fn concerns(&self, note: &Note, known: u64) -> bool {
        match note {
            Note::Nothing | Note::Output { .. } | Note::Silent(_) => self.last > known,
            Note::Held(held) => {
                let mut told = held.iter();
                let differs = |now: &Amount, before| Some(*now) != before;
                let changed = told.any(|(coin, before)| {
                    let now = self.held.get(coin);
                    now.is_some_and(|now| differs(now, *before))
                });
                self.last > known || changed
            }
            Note::Logs(asked) => {
                let mut logs = self.logs.iter().filter(|(height, _)| *height > known);
                logs.any(|(_, topics)| asked.iter().any(|values| are_among(topics, values)))
            }
        }
    }
}

/// Whether a balance may change without a sign in blocks, logs and calls: of a token that nothing is known of, whose
/// contract may do as it likes.
pub(crate) fn is_silent(network: &EvmNetwork, coin: Coin) -> bool {
    match coin {
        Coin::Native => false,
        Coin::Token(_) => network.asset(coin).is_none(),
    }
}

/// Whether each topic of a log is among the values that were asked for in its place.
fn are_among(topics: &[B256], asked: &[Vec<B256>]) -> bool {
    let mut places = asked.iter().enumerate();
    places.all(|(place, values)| {
        let topic = topics.get(place);
        values.is_empty() || topic.is_some_and(|topic| values.contains(topic))
    })
}

/// Everything that a part of a case watches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    entries: BTreeMap<Key, Note>,
    /// Why the case has to be traced again whatever the blocks hold.
    open: Option<&'static str>,
}

impl Note {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let note = serde_json::from_str(text);
        Ok(note.context("the store holds a note that cannot be read")?)
    }

    /// Joins two notes of one key.
    fn add(&mut self, other: Self) {
        match (self, other) {
            (Self::Held(held), Self::Held(more)) => held.extend(more),
            (Self::Logs(asked), Self::Logs(more)) => asked.extend(more),
            (Self::Silent(tokens), Self::Silent(more)) => tokens.extend(more),
            (
                Self::Nothing
                | Self::Output { .. }
                | Self::Held(_)
                | Self::Logs(_)
                | Self::Silent(_),
                _,
            ) => {}
        }
    }
}

impl Watch {
    /// Says that the case has to be traced again whatever the blocks hold.
    pub(crate) fn open(&mut self, reason: &'static str) {
        self.open.get_or_insert(reason);
    }

    /// Why the case has to be traced again whatever the blocks hold.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        self.open
    }

    pub(crate) fn join(&mut self, other: Self) {
        let Self { entries, open } = other;
        entries
            .into_iter()
            .for_each(|(key, note)| self.enter(key, note));
        self.open = self.open.or(open);
    }

    /// Everything that is watched of a chain, as the store keeps it.
    pub(crate) fn rows(&self, chain: &Chain) -> Result<Vec<hansel_store::Watch>, Failure> {
        let silent = chain.evm().and_then(|network| self.silent(network));
        let entries = self.entries.iter();
        let entries = entries.chain(silent.iter().map(|note| (&Key::Silent, note)));
        let rows = entries.map(|(key, note)| {
            let note = serde_json::to_string(note).context("a note cannot be written")?;
            let key = key.to_bytes();
            Ok(hansel_store::Watch { key, note })
        });
        rows.collect()
    }

    /// The balances that may change without a sign; together, so that a pass finds them without reading all entries.
    fn silent(&self, network: &EvmNetwork) -> Option<Note> {
        let mut silent = BTreeSet::new();
        for (key, note) in &self.entries {
            if let (Key::Account(account), Note::Held(held)) = (key, note) {
                let coins = held.keys().filter(|coin| is_silent(network, **coin));
                silent.extend(coins.map(|coin| (*account, *coin)));
            }
        }
        (!silent.is_empty()).then_some(Note::Silent(silent))
    }

    fn enter(&mut self, key: Key, note: Note) {
        match self.entries.get_mut(&key) {
            Some(known) => known.add(note),
            None => _ = self.entries.insert(key, note),
        }
    }

    /// Notes what a trace as of a block was told.
    pub(crate) fn told(&mut self, query: &Query, fact: &Fact, as_of: &BlockRef) {
        match (query, fact) {
            (
                Query::Spends {
                    txid,
                    height,
                    outputs,
                    ..
                },
                Fact::Spends(spends),
            ) => {
                let scripts: BTreeMap<_, _> = outputs.iter().cloned().collect();
                for (vout, state) in &spends.outputs {
                    let script = scripts.get(vout).cloned().unwrap_or_default();
                    let height = *height;
                    let note = Note::Output { height, script };
                    self.told_spend(OutPoint::new(*txid, *vout), state, note);
                }
            }
            (Query::Received { script, .. }, Fact::Received(_)) => {
                self.enter(Key::Script(script.clone()), Note::Nothing);
            }
            (Query::Transaction { .. }, Fact::Transaction(transaction)) => {
                if !matches!(transaction.placement, Placement::Confirmed(_)) {
                    self.open("a transaction of it was in no block yet");
                }
            }
            (Query::Evm(query), Fact::Evm(fact)) => self.told_evm(query, fact, as_of),
            (
                Query::Spends { .. }
                | Query::Received { .. }
                | Query::Transaction { .. }
                | Query::Evm(_),
                _,
            ) => self.open(NOT_KNOWN),
        }
    }

    fn told_spend(&mut self, outpoint: OutPoint, state: &SpendState, note: Note) {
        match state {
            SpendState::Unspent => self.enter(Key::Output(outpoint), note),
            SpendState::Spent { .. } => {}
            SpendState::SpentUnconfirmed { .. } => {
                self.open("an output of it was being spent by a transaction in no block");
            }
            SpendState::Unknown { .. } => {
                self.open("it was not known whether an output of it was spent");
            }
        }
    }

    fn told_evm(&mut self, query: &EvmQuery, fact: &EvmFact, as_of: &BlockRef) {
        match (query, fact) {
            (EvmQuery::Transaction { .. }, EvmFact::Transaction(tx)) => self.told_transaction(tx),
            (EvmQuery::Account { until, bound, .. }, EvmFact::Account(statement)) => {
                statement
                    .transactions
                    .iter()
                    .for_each(|tx| self.told_transaction(tx));
                self.told_gaps(&statement.coverage.gaps);
                // What was asked up to an earlier block only is not asked of later ones.
                if *until >= as_of.height {
                    self.told_account(statement, *bound);
                }
            }
            (EvmQuery::Deposits { address, until, .. }, EvmFact::Deposits(deposits)) => {
                self.told_gaps(&deposits.coverage.gaps);
                if *until >= as_of.height {
                    let held = BTreeMap::from([(Coin::Native, None)]);
                    self.enter(Key::Account(*address), Note::Held(held));
                }
            }
            (
                EvmQuery::Logs {
                    contracts,
                    topics,
                    until,
                    ..
                },
                EvmFact::Logs(logs),
            ) => {
                self.told_gaps(&logs.coverage.gaps);
                if *until >= as_of.height {
                    self.told_logs(contracts, topics);
                }
            }
            (
                EvmQuery::Transaction { .. }
                | EvmQuery::Account { .. }
                | EvmQuery::Deposits { .. }
                | EvmQuery::Logs { .. },
                _,
            ) => self.open(NOT_KNOWN),
        }
    }

    fn told_transaction(&mut self, tx: &EvmTransaction) {
        if tx.internal == InternalTransfers::Unknown {
            self.enter(Key::Traces, Note::Nothing);
        }
    }

    /// A hub stays one, and what was not traced is not traced by the same endpoint later; another gap may close, or
    /// be another one at another height.
    fn told_gaps(&mut self, gaps: &[Gap]) {
        for gap in gaps {
            match gap {
                Gap::Hub { .. } => {}
                Gap::NoTraces { .. } => self.enter(Key::Traces, Note::Nothing),
                Gap::BlockUnknown
                | Gap::Unconfirmed
                | Gap::InputsUnknown { .. }
                | Gap::SpendUnknown { .. }
                | Gap::UnconfirmedSpend { .. }
                | Gap::FalseSpend { .. }
                | Gap::FalsePayment { .. }
                | Gap::TransactionUnavailable { .. }
                | Gap::NoState { .. }
                | Gap::HistoryUnknown { .. }
                | Gap::Unexplained { .. }
                | Gap::AmbiguousConversion { .. }
                | Gap::BlocksUnavailable { .. }
                | Gap::TokensNotCounted { .. } => self.open(NOT_KNOWN),
            }
        }
    }

    fn told_account(&mut self, statement: &AccountStatement, bound: u64) {
        let AccountStatement {
            address,
            coin,
            closing,
            nature,
            coverage,
            ..
        } = statement;
        if *nature == AccountNature::Unknown {
            self.open(NOT_KNOWN);
        }
        let hub = coverage
            .gaps
            .iter()
            .any(|gap| matches!(gap, Gap::Hub { .. }));
        if !hub && bound > 0 {
            let held = BTreeMap::from([(*coin, *closing)]);
            self.enter(Key::Account(*address), Note::Held(held));
        }
        if *nature != AccountNature::Contract {
            self.enter(Key::Code(*address), Note::Nothing);
        }
    }

    fn told_logs(&mut self, contracts: &[Address], topics: &[Vec<B256>]) {
        let note = Note::Logs(BTreeSet::from([topics.to_vec()]));
        let named = topics.iter().find(|values| !values.is_empty());
        if contracts.is_empty() && named.is_none() {
            self.open("every log of a chain counts");
        }
        for contract in contracts {
            self.enter(Key::Logger(*contract), note.clone());
        }
        if contracts.is_empty() {
            for topic in named.into_iter().flatten() {
                self.enter(Key::Topic(*topic), note.clone());
            }
        }
    }
}
