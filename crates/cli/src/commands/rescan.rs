//! `hansel rescan`: bring traced cases up to the newest block, reading new blocks once for all of them.

mod alerts;
mod follow;
mod outcome;
mod printed;
pub(crate) mod watch;

use std::collections::{BTreeMap, BTreeSet};

use follow::{Follow, while_delivering};
use hansel_ledger::Chain;
use hansel_report::model::Tip;
use hansel_report::{Built, Report};
use hansel_store::Store;
use outcome::{Outcome, in_words, worst};
use printed::Printed;

use super::trace::{Session, exit, no_such_case};
use crate::alerts::Watching;
use crate::args::{Common, Exit, RescanArgs};
use crate::case_record::CaseRecord;
use crate::config::Config;
use crate::drive::Interrupt;
use crate::failure::Failure;
use crate::moved::Moved;
use crate::output::{print, print_json, say};
use crate::pass::{Pass, Passed};
use crate::sources;

/// Why a named case of a chain is left whose endpoint lags.
const BEHIND: &str = "the endpoint is behind what is known of it";
const STOPPED: &str = "the command was stopped before it was looked at";

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &RescanArgs) -> Result<Exit, Failure> {
    let store = sources::store(common)?;
    let config = Config::new(common);
    let watching = Watching {
        store: &store,
        config: &config,
        dormant: args.alerts.dormant,
    };
    let mut delivery = alerts::open(common, args, &store)?;
    let watching = (!delivery.channels().is_empty()).then_some(&watching);
    let rescan = Rescan::new(common, args, &store, &config, watching)?;
    if args.follow {
        let printed = Printed {
            json: common.json,
            aside: delivery.channels().takes_stdout(),
        };
        return Follow::new(&rescan, delivery, &printed)?.run().await;
    }
    let scope = rescan.scope()?;
    let brought = rescan.bring(&scope);
    let (outcomes, failure) = while_delivering(&mut delivery, brought).await??;
    if delivery.channels().takes_stdout() {
        say(&in_words(&outcomes));
    } else if common.json {
        print_json(&outcomes)?;
    } else {
        print(&in_words(&outcomes))?;
    }
    let delivered = alerts::deliver(&mut delivery, args).await?;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(worst(&outcomes).or(delivered)),
    }
}

/// What the cases are brought up to date with.
struct Rescan<'a> {
    common: &'a Common,
    args: &'a RescanArgs,
    store: &'a Store,
    config: &'a Config,
    interrupt: Interrupt,
    /// Keeps what is to be told of cases; `None` where nobody is told.
    watching: Option<&'a Watching<'a>>,
}

/// The cases that are to be brought up to date.
enum Scope {
    /// All there are; those of which nothing becomes are not told of, so that they cost nothing.
    All,
    /// These, each of which is told of.
    Named(BTreeSet<String>),
}

/// What became of the chains: by name, and the first failure.
#[derive(Default)]
struct Chains {
    states: BTreeMap<String, Result<Passed, String>>,
    failure: Option<Failure>,
}

impl Chains {
    /// Why a chain could not be read.
    fn failed(&self, chain: &str) -> Option<&str> {
        let state = self.states.get(chain)?;
        state.as_ref().err().map(String::as_str)
    }
}

impl Scope {
    fn names(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::All => None,
            Self::Named(names) => Some(names),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.names().is_none_or(|names| names.contains(name))
    }
}

impl<'a> Rescan<'a> {
    fn new(
        common: &'a Common,
        args: &'a RescanArgs,
        store: &'a Store,
        config: &'a Config,
        watching: Option<&'a Watching<'a>>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            common,
            args,
            store,
            config,
            interrupt: Interrupt::listen(),
            watching,
        })
    }

    /// The names of the cases that are followed.
    fn names(&self) -> Result<Vec<String>, Failure> {
        if let Scope::Named(names) = self.scope()? {
            return Ok(names.into_iter().collect());
        }
        Ok(self.store.cases()?)
    }

    fn scope(&self) -> Result<Scope, Failure> {
        if !self.args.all {
            return Ok(Scope::Named(self.args.cases.iter().cloned().collect()));
        }
        if self.store.is_without_cases()? {
            say("no case was traced yet: run `hansel trace` first");
        }
        Ok(Scope::All)
    }

    /// What became of these cases; fails where a chain of theirs cannot be read, before anything is traced.
    async fn bring_up_to_date(&self, names: Vec<String>) -> Result<Vec<Outcome>, Failure> {
        let scope = Scope::Named(names.into_iter().collect());
        let (outcomes, failure) = self.bring(&scope).await?;
        match failure {
            Some(failure) => Err(failure),
            None => Ok(outcomes),
        }
    }

    /// What became of the cases, and the first failure of a chain, which leaves the cases of others alone.
    async fn bring(&self, scope: &Scope) -> Result<(Vec<Outcome>, Option<Failure>), Failure> {
        let chains = self.chains(scope)?;
        let mut before = BTreeMap::new();
        for name in scope.names().into_iter().flatten() {
            before.insert(name.clone(), self.tips(name, &chains)?);
        }
        let mut read = self.read_chains(scope, &chains).await?;
        if self.args.follow && read.failure.is_some() {
            return Ok((Vec::new(), read.failure));
        }
        let due = self.store.all_due()?;
        let mut outcomes = Vec::new();
        for (name, from) in before {
            if !due.contains_key(&name) {
                outcomes.push(self.undisturbed(name, from, &chains, &read)?);
            }
        }
        for (name, due) in due {
            if !scope.has(&name) {
                continue;
            }
            // To trace a case would take as true what its chain was just not believed.
            let mut unread = due.reach.keys().filter_map(|chain| read.failed(chain));
            outcomes.push(match unread.next() {
                Some(reason) => Outcome::failed(name, reason.to_owned()),
                None => self.settle(&name, &due.because).await?,
            });
        }
        outcomes.sort_by(|a, b| a.case.cmp(&b.case));
        Ok((outcomes, read.failure.take()))
    }

    /// The chains that are watched, as far as cases of the scope are on them.
    fn chains(&self, scope: &Scope) -> Result<Vec<Chain>, Failure> {
        let mut chains = Vec::new();
        for name in self.store.watched_chains()? {
            let chain = self.config.chain(&name)?;
            let mut wanted = scope.names().is_none();
            for case in scope.names().into_iter().flatten() {
                if !self.store.has_case(case)? {
                    return Err(no_such_case(self.store, case));
                }
                wanted = wanted || self.follows(&chain, case)?;
            }
            if wanted {
                chains.push(chain);
            }
        }
        Ok(chains)
    }

    fn follows(&self, chain: &Chain, case: &str) -> Result<bool, Failure> {
        let cursor = self.store.cursor(chain, case)?;
        Ok(cursor.is_some_and(|cursor| cursor.follows))
    }

    /// The newest blocks that the report of a case speaks for.
    fn tips(&self, name: &str, chains: &[Chain]) -> Result<Vec<Tip>, Failure> {
        if !self.store.has_case(name)? {
            return Err(no_such_case(self.store, name));
        }
        let mut tips = Vec::new();
        for chain in chains {
            let reach = self.store.reach(chain, name)?;
            tips.extend(reach.map(|block| Tip::of(chain, &block)));
        }
        Ok(tips)
    }

    /// Reads chains on; one that fails leaves the others alone.
    async fn read_chains(&self, scope: &Scope, chains: &[Chain]) -> Result<Chains, Failure> {
        let mut read = Chains::default();
        for chain in chains {
            let state = match self.read_chain(chain, scope).await {
                Ok(passed) => Ok(passed),
                Err(failure) if failure.is_for_good() => return Err(failure),
                Err(failure) => {
                    let reason = failure.in_one_line();
                    read.failure.get_or_insert(failure);
                    Err(reason)
                }
            };
            read.states.insert(chain.name().to_owned(), state);
        }
        Ok(read)
    }

    async fn read_chain(&self, chain: &Chain, scope: &Scope) -> Result<Passed, Failure> {
        let pass = Pass {
            store: self.store,
            source: sources::open(&self.args.source, self.config, chain)?,
            files: self.args.blocks.as_deref(),
            quiet: self.common.quiet,
        };
        // Whoever follows all cases reads for all, however they are grouped.
        let only = scope.names().filter(|_| !self.args.all);
        let passed = self.interrupt.or(pass.run(only)).await?;
        match passed {
            Passed::Done => {}
            Passed::Behind => say(&format!("{chain}: {BEHIND}")),
            Passed::Unread => self.trace_all(chain, scope, "no endpoint serves whole blocks")?,
            Passed::Spared => {
                let because = "its endpoint is asked for less than by whole blocks";
                self.trace_all(chain, scope, because)?;
            }
        }
        Ok(passed)
    }

    /// Has the cases that are read on with a chain traced again.
    fn trace_all(&self, chain: &Chain, scope: &Scope, because: &str) -> Result<(), Failure> {
        let due = self.following(chain, scope, because)?;
        Ok(self.store.put_due(&due)?)
    }

    /// The cases that are read on with a chain, with a reason to trace them again.
    fn following(
        &self,
        chain: &Chain,
        scope: &Scope,
        because: &str,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let names = match scope.names() {
            Some(names) => names.iter().cloned().collect(),
            None => self.store.cases()?,
        };
        let mut following = BTreeMap::new();
        for name in names {
            if self.follows(chain, &name)? {
                following.insert(name, because.to_owned());
            }
        }
        Ok(following)
    }

    /// A case that is not to be traced again, with the blocks that its report spoke for.
    fn undisturbed(
        &self,
        name: String,
        from: Vec<Tip>,
        chains: &[Chain],
        read: &Chains,
    ) -> Result<Outcome, Failure> {
        let mut follows = false;
        for chain in chains {
            if !self.follows(chain, &name)? {
                continue;
            }
            follows = true;
            match read.states.get(chain.name()) {
                Some(Err(reason)) => return Ok(Outcome::failed(name, reason.clone())),
                Some(Ok(Passed::Behind)) => return Ok(Outcome::left(name, BEHIND)),
                Some(Ok(Passed::Done | Passed::Unread | Passed::Spared)) | None => {}
            }
        }
        if !follows {
            let because = "it looks at blocks up to a fixed one only";
            return Ok(Outcome::left(name, because));
        }
        let now = self.tips(&name, chains)?;
        Ok(Outcome::unmoved(name, from, now))
    }

    /// Traces a case again that is due.
    async fn settle(&self, name: &str, because: &str) -> Result<Outcome, Failure> {
        if self.interrupt.is_wished() {
            return Ok(Outcome::left(name.to_owned(), STOPPED));
        }
        let record = self.store.case::<CaseRecord>(name)?;
        let record = record.ok_or_else(|| no_such_case(self.store, name))?;
        let mut before = record.report.clone().or_else(|| record.before.clone());
        if let Some(report) = &mut before {
            self.moves_on(name, &record, report)?;
        }
        Ok(match self.trace(name, &record).await {
            Ok(built) => {
                let mut moved = Moved::between(before.as_ref(), &built.report);
                moved.deepen(&built.report, |chain| {
                    Ok(self.config.chain(chain)?.confirmations())
                })?;
                Outcome::traced(name.to_owned(), because, moved)
            }
            Err(failure) => Outcome::failed(name.to_owned(), failure.in_one_line()),
        })
    }

    /// Has a report say up to which blocks it speaks.
    fn moves_on(
        &self,
        name: &str,
        record: &CaseRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        for chain in record.chains() {
            let chain = self.config.chain(chain)?;
            let reach = self.store.reach(&chain, name)?;
            if let Some((cursor, reach)) = self.store.cursor(&chain, name)?.zip(reach) {
                report.moves_on(&chain, &cursor.tip, &reach);
            }
        }
        Ok(())
    }

    async fn trace(&self, name: &str, record: &CaseRecord) -> Result<Built, Failure> {
        if let Some(watching) = self.watching {
            watching.begin(name, record)?;
        }
        let session = Session {
            store: Some(self.store),
            config: self.config,
            args: &self.args.source,
            quiet: true,
            with_sources: false,
            // The next run may be long in coming, and what was learned is kept in any event.
            resumes: false,
            interrupt: self.interrupt.clone(),
            watching: self.watching,
        };
        let asked = record.parts.iter().map(|part| &part.request);
        let asked = asked.filter(|request| !request.subjects.is_empty());
        let built = session
            .trace(asked.cloned().collect(), record.unknown.clone())
            .await?;
        exit(&built)?;
        Ok(built)
    }
}
