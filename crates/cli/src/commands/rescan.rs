//! `hansel rescan`: bring traced cases up to the newest block, reading new blocks once for all of them.

mod alerts;
mod follow;
mod outcome;
mod printed;
pub(crate) mod watch;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use anyhow::Context as _;
use follow::{Follow, while_delivering};
use hansel_heuristics::Labels;
use hansel_heuristics::crossing::Bridges;
use hansel_ledger::{BlockRef, Chain, ChainSource, ErrorClass};
use hansel_report::Built;
use hansel_store::{Cursor, CursorState, Store};
use outcome::{Outcome, in_words, worst};
use printed::Printed;

use super::trace::{Session, again_from, exit, no_such_case};
use crate::alerts::Watching;
use crate::args::{Common, Exit, RescanArgs};
use crate::blocks;
use crate::case_record::CaseRecord;
use crate::config::Config;
use crate::course::Course;
use crate::drive::Interrupt;
use crate::failure::Failure;
use crate::frontier::{Frontier, Read};
use crate::moved::Moved;
use crate::output::{print, print_json, say};
use crate::{opinions, pin, sources};

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
    let outcomes = rescan.bring_up_to_date(rescan.names()?);
    let outcomes = while_delivering(&mut delivery, outcomes).await??;
    if delivery.channels().takes_stdout() {
        say(&in_words(&outcomes));
    } else if common.json {
        print_json(&outcomes)?;
    } else {
        print(&in_words(&outcomes))?;
    }
    let delivered = alerts::deliver(&mut delivery, args).await?;
    Ok(worst(&outcomes).or(delivered))
}

/// What the cases are brought up to date with.
struct Rescan<'a> {
    common: &'a Common,
    args: &'a RescanArgs,
    store: &'a Store,
    config: &'a Config,
    bridges: Bridges,
    labels: Arc<dyn Labels>,
    interrupt: Interrupt,
    /// Keeps what is to be told of cases; `None` where nobody is told.
    watching: Option<&'a Watching<'a>>,
}

/// What is to be done with a case.
enum Task {
    /// Look for its frontier in new blocks.
    Scan(Box<Scanned>),
    /// Trace it again.
    Trace(&'static str),
    /// Leave it as it is.
    Leave(&'static str),
}

/// A case of one Bitcoin chain.
struct Scanned {
    cursor: Cursor,
    /// The block after which new ones begin.
    from: BlockRef,
    course: Course,
    frontier: Frontier,
}

/// Cases by name with what is to be done.
type Tasks = BTreeMap<String, (CaseRecord, Task)>;

impl<'a> Rescan<'a> {
    fn new(
        common: &'a Common,
        args: &'a RescanArgs,
        store: &'a Store,
        config: &'a Config,
        watching: Option<&'a Watching<'a>>,
    ) -> Result<Self, Failure> {
        let (labels, _) = opinions::labels(config)?;
        Ok(Self {
            common,
            args,
            store,
            config,
            bridges: config.bridges()?,
            labels,
            interrupt: Interrupt::listen(),
            watching,
        })
    }

    async fn bring_up_to_date(&self, names: Vec<String>) -> Result<Vec<Outcome>, Failure> {
        let mut tasks = Tasks::new();
        let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names {
            let record = self.store.case::<CaseRecord>(&name)?;
            let record = record.ok_or_else(|| no_such_case(self.store, &name))?;
            let task = first_thought(&record);
            if matches!(task, Task::Trace(SCAN)) {
                let chain = record.parts[0].request.chain.clone();
                chains.entry(chain).or_default().push(name.clone());
            }
            tasks.insert(name, (record, task));
        }
        let mut outcomes = Vec::new();
        for (chain, names) in chains {
            let chain = self.config.chain(&chain)?;
            if chain.evm().is_some() {
                let reason = "accounts are traced again from their facts";
                names
                    .iter()
                    .for_each(|name| decide(&mut tasks, name, Task::Trace(reason)));
                continue;
            }
            outcomes.extend(self.scan(&chain, &names, &mut tasks).await?);
        }
        for (name, (record, task)) in tasks {
            outcomes.push(self.settle(name, record, task).await);
        }
        outcomes.sort_by(|a, b| a.case.cmp(&b.case));
        Ok(outcomes)
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        if self.args.all {
            let names = self.store.cases()?;
            if names.is_empty() {
                say("no case was traced yet: run `hansel trace` first");
            }
            return Ok(names);
        }
        let mut names = self.args.cases.clone();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Reads the new blocks of a chain for all of its cases; tells of those that they leave alone.
    async fn scan(
        &self,
        chain: &Chain,
        names: &[String],
        tasks: &mut Tasks,
    ) -> Result<Vec<Outcome>, Failure> {
        let source = sources::open(&self.args.source, self.config, chain)?;
        let tip = pin::tip(&*source).await?;
        let tip = tip.context("a recording tells of no new blocks")?;
        if let Some(notice) = pin::reconcile(&*source, self.store, chain, &tip).await? {
            say(&notice);
        }
        let mut blocks = BTreeMap::new();
        for name in names {
            let (record, _) = &tasks[name];
            let task = self
                .frontier(&source, name, record, &tip, &mut blocks)
                .await?;
            decide(tasks, name, task);
        }
        let read = match self.read(&source, tip, names, tasks).await {
            Err(failure) if failure.is_unsupported() => {
                let reason = "no endpoint serves whole blocks";
                names.iter().for_each(|name| give_up(tasks, name, reason));
                return Ok(Vec::new());
            }
            read => read?,
        };
        match read {
            Some(read) => self.apply(chain, &read, names, tasks),
            None => Ok(Vec::new()),
        }
    }

    /// What a case watches, and from which block on.
    async fn frontier(
        &self,
        source: &Arc<dyn ChainSource>,
        name: &str,
        record: &CaseRecord,
        tip: &BlockRef,
        blocks: &mut BTreeMap<u64, Option<BlockRef>>,
    ) -> Result<Task, Failure> {
        let part = &record.parts[0];
        let chain = source.chain();
        let cursor = self.store.cursor(chain, name)?;
        let Some(cursor) = cursor.filter(|cursor| cursor.state == CursorState::Complete) else {
            return Ok(Task::Trace("its last run was cut off"));
        };
        if cursor.reach().height > tip.height {
            return Ok(Task::Leave("the endpoint is behind what is known of it"));
        }
        let Some(from) = newest_left(source, &cursor, blocks).await? else {
            return Ok(Task::Trace("the block that it spoke of was replaced"));
        };
        let labels = Arc::clone(&self.labels);
        let mut course = again_from(part, chain.clone(), Some(cursor.tip), labels)?;
        let frontier = Frontier::of(self.store, &mut course, &self.bridges)?;
        Ok(match frontier.open {
            Some(reason) => Task::Trace(reason),
            None => Task::Scan(Box::new(Scanned {
                cursor,
                from,
                course,
                frontier,
            })),
        })
    }

    async fn read(
        &self,
        source: &Arc<dyn ChainSource>,
        tip: BlockRef,
        names: &[String],
        tasks: &Tasks,
    ) -> Result<Option<Read>, Failure> {
        let scanned = names.iter().filter_map(|name| match &tasks[name].1 {
            Task::Scan(scanned) => Some(&**scanned),
            Task::Trace(_) | Task::Leave(_) => None,
        });
        let scanned: Vec<_> = scanned.collect();
        let Some(from) = scanned.iter().map(|one| one.from).min() else {
            return Ok(None);
        };
        let frontiers: Vec<_> = scanned.iter().map(|one| &one.frontier).collect();
        let files = self.args.blocks.as_deref();
        let read = blocks::read(source, files, from, tip, &frontiers);
        let read = self.interrupt.or(read).await?;
        if !self.common.quiet {
            say(&format!(
                "{}: read {} new blocks up to {} for {} cases",
                source.chain(),
                read.blocks,
                tip.height,
                scanned.len()
            ));
        }
        Ok(Some(read))
    }

    /// Moves the cursors of the cases that no block touched, all at once; the others are to be traced again.
    fn apply(
        &self,
        chain: &Chain,
        read: &Read,
        names: &[String],
        tasks: &mut Tasks,
    ) -> Result<Vec<Outcome>, Failure> {
        let (mut outcomes, mut cursors) = (Vec::new(), Vec::new());
        for name in names {
            let (record, task) = &tasks[name];
            let Task::Scan(scanned) = task else { continue };
            if read.touches(&scanned.frontier, scanned.from.height) {
                scanned
                    .frontier
                    .keep_unspent(self.store, &scanned.course, read)?;
                decide(tasks, name, Task::Trace("new blocks move it"));
                continue;
            }
            let cursor = Cursor {
                scanned: Some(read.through),
                ..scanned.cursor
            };
            outcomes.push(Outcome::unmoved(
                name,
                record,
                chain,
                &scanned.cursor,
                &cursor,
            ));
            cursors.push((name, cursor));
        }
        let rows = cursors.iter().map(|(name, cursor)| (name.as_str(), cursor));
        self.store.put_cursors(chain, rows)?;
        for (name, _) in cursors {
            tasks.remove(name);
        }
        Ok(outcomes)
    }

    /// Traces a case again, if that is what is to be done.
    async fn settle(&self, name: String, record: CaseRecord, task: Task) -> Outcome {
        let (because, traced) = match task {
            Task::Leave(because) => return Outcome::left(name, because),
            Task::Scan(_) => return Outcome::left(name, "there was nothing to read"),
            Task::Trace(_) if self.interrupt.is_wished() => {
                return Outcome::left(name, "the command was stopped before it was looked at");
            }
            Task::Trace(because) => (because, self.trace(&name, &record).await),
        };
        match traced {
            Ok(built) => Outcome::traced(
                name,
                because,
                Moved::between(record.report.as_ref(), &built.report),
            ),
            Err(failure) => Outcome::failed(name, &failure),
        }
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

/// Stands for a case that may be scanned for, until more is known.
const SCAN: &str = "it may be scanned for";

fn first_thought(record: &CaseRecord) -> Task {
    let fixed = record.parts.iter().all(|part| part.request.until.is_some());
    if record.report.is_none() {
        Task::Trace("its last run was cut off")
    } else if fixed {
        Task::Leave("it looks at blocks up to a fixed one only")
    } else if record.parts.len() == 1 {
        Task::Trace(SCAN)
    } else {
        Task::Trace("it goes over several chains")
    }
}

fn decide(tasks: &mut Tasks, name: &str, task: Task) {
    if let Some((_, known)) = tasks.get_mut(name) {
        *known = task;
    }
}

/// Has a case traced again that was to be scanned for.
fn give_up(tasks: &mut Tasks, name: &str, reason: &'static str) {
    if let Some((_, task @ Task::Scan(_))) = tasks.get_mut(name) {
        *task = Task::Trace(reason);
    }
}

/// The newest block that a case knows of and that is still part of the chain; `None` where even the one is gone that
/// its trace spoke of. `blocks` remembers what was asked.
async fn newest_left(
    source: &Arc<dyn ChainSource>,
    cursor: &Cursor,
    blocks: &mut BTreeMap<u64, Option<BlockRef>>,
) -> Result<Option<BlockRef>, Failure> {
    // Facts are as of the block that was traced, without which nothing stands.
    let mut newest = None;
    for known in [cursor.tip, cursor.reach()] {
        let block = match blocks.entry(known.height) {
            Entry::Occupied(block) => *block.get(),
            Entry::Vacant(place) => *place.insert(block_at(source, known.height).await?),
        };
        if block.map(|block| block.hash) != Some(known.hash) {
            return Ok(newest);
        }
        newest = Some(known);
    }
    Ok(newest)
}

/// The block of a height; `None` where there is none.
async fn block_at(source: &Arc<dyn ChainSource>, height: u64) -> Result<Option<BlockRef>, Failure> {
    match source.block_at(height).await {
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        block => Ok(Some(block?)),
    }
}
