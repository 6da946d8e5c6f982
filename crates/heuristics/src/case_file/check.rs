//! Checks what a case file's form cannot: names, days, sources, and every subject, address and hash.

use std::collections::BTreeSet;

use hansel_ledger::{Chain, Subject, UnixTime};

use super::place::Place;
use super::{CaseAddress, CaseFile, CaseFileError, CaseSeed};

impl CaseFile {
    pub(super) fn check_head(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
    ) -> Result<(), CaseFileError> {
        let stem = here.file.file_stem().and_then(|stem| stem.to_str());
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let named = (1..=100).contains(&self.name.len()) && self.name.bytes().all(plain);
        here.require(named && stem == Some(&self.name), &self.name, || {
            "the name is the file's, in lower-case letters, digits and `.`, `_`, `-`".into()
        })?;
        let day = self.date.len() == 10 && self.date.parse::<UnixTime>().is_ok();
        here.require(day, &self.date, || "not a date as in 2024-05-31".into())?;
        for name in &self.waits_for {
            let read = chains.iter().any(|chain| chain.name() == name);
            here.require(!read, name, || {
                "this version reads the chain, so nothing waits for it".into()
            })?;
        }
        Ok(())
    }

    /// Every fact names a source, every name is one, and every source is named.
    pub(super) fn check_sources(&self, here: &Place<'_>) -> Result<(), CaseFileError> {
        let known: BTreeSet<&str> = self.sources.iter().map(|one| one.id.as_str()).collect();
        let mut used = BTreeSet::new();
        for (fact, sources) in self.facts() {
            here.require(!sources.is_empty(), fact, || "names no source".into())?;
            for id in sources {
                let listed = known.contains(id.as_str());
                here.require(listed, id, || "is not among the sources".into())?;
                used.insert(id.as_str());
            }
        }
        for id in known {
            here.require(used.contains(id), id, || "no fact names this source".into())?;
        }
        Ok(())
    }

    /// What identifies each fact, with its sources.
    fn facts(&self) -> impl Iterator<Item = (&str, &[String])> {
        let seeds = self.seeds.iter().map(|one| (&one.subject, &one.sources));
        let context = self.context.iter().map(|one| (&one.txid, &one.sources));
        let addresses = self
            .addresses
            .iter()
            .map(|one| (&one.address, &one.sources));
        let transactions = self
            .transactions
            .iter()
            .map(|one| (&one.hash, &one.sources));
        let in_words = [&self.events, &self.services, &self.references];
        let words = in_words
            .into_iter()
            .flatten()
            .map(|one| (&one.what, &one.sources));
        seeds
            .chain(context)
            .chain(addresses)
            .chain(transactions)
            .chain(words)
            .map(|(fact, sources)| (fact.as_str(), sources.as_slice()))
    }

    pub(super) fn check_subjects(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
    ) -> Result<(), CaseFileError> {
        let mut named = BTreeSet::new();
        for seed in &self.seeds {
            here.require(
                named.insert((&seed.chain, &seed.subject)),
                &seed.subject,
                || "named twice; one seed with a longer time does".into(),
            )?;
            let subject = self.check_on(here, chains, &seed.chain, &seed.subject)?;
            let dated = seed.since.is_some() || seed.until.is_some();
            here.require(
                !dated || subject.as_ref().is_none_or(is_address),
                &seed.subject,
                || "only an address takes `since` and `until`".into(),
            )?;
            self.check_assets(here, seed, subject.as_ref())?;
            let ordered = seed.until.is_none_or(|until| Some(until) > seed.since);
            here.require(ordered, &seed.subject, || {
                "`until` is before `since`".into()
            })?;
        }
        for one in &self.context {
            self.check_transaction(here, chains, &one.chain, &one.txid)?;
        }
        for one in &self.transactions {
            here.require(is_foreign(&one.hash), &one.hash, || {
                "not a transaction hash".into()
            })?;
            for chain in &one.chains {
                self.check_transaction(here, chains, chain, &one.hash)?;
            }
        }
        for one in &self.addresses {
            self.check_address(here, chains, one)?;
        }
        Ok(())
    }

    /// Only where several coins can be meant does a list of them say something.
    fn check_assets(
        &self,
        here: &Place<'_>,
        seed: &CaseSeed,
        subject: Option<&Subject>,
    ) -> Result<(), CaseFileError> {
        let several = matches!(
            subject,
            None | Some(Subject::EvmTransaction(_) | Subject::Account(_))
        );
        here.require(seed.assets.is_empty() || several, &seed.subject, || {
            "only a transaction or an address of an EVM chain takes `assets`".into()
        })?;
        let once: BTreeSet<_> = seed.assets.iter().collect();
        here.require(once.len() == seed.assets.len(), &seed.subject, || {
            "one of its `assets` is named twice".into()
        })
    }

    fn check_address(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        one: &CaseAddress,
    ) -> Result<(), CaseFileError> {
        let form = !one.chains.is_empty() || is_foreign(&one.address);
        here.require(form, &one.address, || "not an address".into())?;
        for chain in &one.chains {
            let subject = self.check_on(here, chains, chain, &one.address)?;
            let address = subject.as_ref().is_none_or(is_address);
            here.require(address, &one.address, || "not an address".into())?;
        }
        Ok(())
    }

    fn check_transaction(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        chain: &str,
        hash: &str,
    ) -> Result<(), CaseFileError> {
        let subject = self.check_on(here, chains, chain, hash)?;
        let transaction = matches!(
            subject,
            None | Some(Subject::Transaction(_) | Subject::EvmTransaction(_))
        );
        here.require(transaction, hash, || "not a transaction id".into())
    }

    /// Parses what is on a chain that this version reads; on another it must be waited for and look right.
    fn check_on(
        &self,
        here: &Place<'_>,
        chains: &[Chain],
        name: &str,
        text: &str,
    ) -> Result<Option<Subject>, CaseFileError> {
        if let Some(chain) = chains.iter().find(|chain| chain.name() == name) {
            let subject = Subject::parse(text, chain);
            return subject
                .map(Some)
                .map_err(|error| here.value(text, error.to_string()));
        }
        let waited_for = self.waits_for.iter().any(|one| one == name);
        here.require(waited_for, name, || {
            "neither a chain that this version reads nor one in `waits_for`".into()
        })?;
        here.require(is_foreign(text), text, || {
            format!("not a hash or address of {name}")
        })?;
        Ok(None)
    }
}

fn is_address(subject: &Subject) -> bool {
    match subject {
        Subject::Script { .. } | Subject::Account(_) => true,
        Subject::Transaction(_)
        | Subject::Output(_)
        | Subject::EvmTransaction(_)
        | Subject::EvmMovement { .. } => false,
    }
}

/// True for the forms of hashes and addresses of chains that are not read yet; their checksums are not checked.
fn is_foreign(text: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    match text.strip_prefix("0x") {
        Some(digits) => matches!(digits.len(), 40 | 64) && hex(digits),
        None => {
            let base58 = |b: u8| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b);
            (text.len() == 64 && hex(text))
                || ((32..=44).contains(&text.len()) && text.bytes().all(base58))
        }
    }
}
