//! Follows value from chain to chain: what left one part of a case is looked for on the others, and what is found
//! there is a seed of its own until the parts are joined.
//!
//! Every round looks at all parts as they stand, so that a departure whose taint changed passes the change on. Time
//! runs forward in every crossing, so the rounds end; a bound keeps a liar's clock from making them endless.

mod ask;
mod candidates;
mod found;
mod shares;
mod told;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hansel_heuristics::crossing::{Bridges, Leaving, Link, Payee};
use hansel_ledger::{Amount, AmountError};
use hansel_report::model::{Finding, Unknown};
use hansel_report::{Crossed, Departed};

use crate::case_record::{CaseInflow, CaseRecord, PartRecord, Request};
use crate::commands::trace::Session;
use crate::drive::Interrupt;
use crate::failure::Failure;
use crate::leg::{Leg, Part};
use crate::sources;
use candidates::Candidates;
use found::{Found, Landing};
use shares::{Load, claims_of, drop_taken, is_dust, shared};
use told::Heard;

/// Chains that value goes through one after the other, at most.
const ROUNDS: usize = 16;
/// Links that are looked for in one case, at most.
const LINKS: usize = 1_000;

/// The crossings of a case.
pub(crate) struct Crossings<'a> {
    session: &'a Session<'a>,
    bridges: &'a Bridges,
    interrupt: &'a Interrupt,
    /// What was found of each link, by the chain that it left.
    found: BTreeMap<(String, Link), Found>,
    /// Chains that no endpoint serves.
    unserved: BTreeSet<String>,
    unknown: Vec<Unknown>,
    partial: bool,
    /// The payments that may be what a bridge took.
    candidates: Candidates,
    /// What other chains told of payments, by where it was asked.
    heard: BTreeMap<String, Heard>,
}

/// Everything that left one chain under one link.
struct Group<'a> {
    leg: usize,
    link: Link,
    leaving: Vec<&'a Leaving>,
}

impl<'a> Crossings<'a> {
    pub(crate) fn new(
        session: &'a Session<'a>,
        bridges: &'a Bridges,
        interrupt: &'a Interrupt,
    ) -> Self {
        Self {
            session,
            bridges,
            interrupt,
            found: BTreeMap::new(),
            unserved: BTreeSet::new(),
            unknown: Vec::new(),
            partial: false,
            candidates: Candidates::default(),
            heard: BTreeMap::new(),
        }
    }

    /// True where a crossing was left unresolved for want of an endpoint or of an answer.
    pub(crate) fn is_partial(&self) -> bool {
        self.partial
    }

    /// What could not be followed, and the candidates.
    pub(crate) fn into_told(self) -> (Vec<Unknown>, Vec<Finding>) {
        (self.unknown, self.candidates.findings)
    }

    /// Follows what leaves every part until nothing new arrives anywhere.
    pub(crate) async fn follow(
        &mut self,
        legs: &mut Vec<Leg<'a>>,
        record: &mut CaseRecord,
    ) -> Result<(), Failure> {
        for round in 0.. {
            if self.interrupt.is_wished() {
                return Ok(());
            }
            self.hear(legs, record).await?;
            let all = leaving(legs, self.bridges)?;
            self.find_all(legs, record, &all).await?;
            let wanted = self.inflows(legs, &all)?;
            let mut changed = Vec::new();
            for (number, inflows) in wanted.into_iter().enumerate() {
                if legs[number].inflows != inflows {
                    changed.push((number, inflows));
                }
            }
            if changed.is_empty() {
                self.name_missing(legs);
                self.name_disbelieved(legs);
                return Ok(());
            }
            if round == ROUNDS {
                self.cut("value went on through more chains than are followed");
                return Ok(());
            }
            for (number, inflows) in changed {
                legs[number].retrace(record, inflows).await?;
            }
        }
        Ok(())
    }

    /// Looks for the arrivals of every link that was not looked for yet: first for those that a link joins, as a payment that
    /// answers one departure is no candidate for another.
    async fn find_all(
        &mut self,
        legs: &mut Vec<Leg<'a>>,
        record: &mut CaseRecord,
        all: &[Vec<Leaving>],
    ) -> Result<(), Failure> {
        let mut open = Vec::new();
        for group in groups(all) {
            let key = self.key(legs, &group);
            if self.found.contains_key(&key) || self.interrupt.is_wished() {
                continue;
            }
            if self.found.len() >= LINKS {
                self.cut("more value went to other chains than is followed");
                break;
            }
            if is_dust(&legs[group.leg], &group) {
                self.found.insert(key, Found::default());
                continue;
            }
            for leaving in &group.leaving {
                for search in &leaving.departure.searches {
                    self.open(legs, record, search.chain()).await?;
                }
            }
            let mut found = found::find(self.bridges, legs, group.leg, &group.leaving).await?;
            drop_taken(&mut found, self.found.values());
            self.give_up_guesses(&found);
            self.found.insert(key, found);
            open.push(group);
        }
        for group in open {
            let key = self.key(legs, &group);
            let mut found = self.found.remove(&key).unwrap_or_default();
            self.guess(legs, record, &group, &mut found).await?;
            self.note(&group, &found);
            self.found.insert(key, found);
        }
        Ok(())
    }

    /// A payment that turned out to answer a link stands for no guess any more.
    fn give_up_guesses(&mut self, found: &Found) {
        let certain: BTreeSet<&str> = found.landings.iter().map(|one| &*one.key).collect();
        for earlier in self.found.values_mut() {
            let given_up = |one: &Landing| one.guess.is_some() && certain.contains(&*one.key);
            for landing in earlier.landings.extract_if(.., |one| given_up(one)) {
                self.candidates.give_up(&landing);
            }
        }
    }

    fn key(&self, legs: &[Leg<'_>], group: &Group<'_>) -> (String, Link) {
        let chain = legs[group.leg].part.chain.name();
        (chain.to_owned(), group.link.clone())
    }

    /// Opens a part for a chain that value went to, unless there is one or nothing serves it.
    async fn open(
        &mut self,
        legs: &mut Vec<Leg<'a>>,
        record: &mut CaseRecord,
        chain: &str,
    ) -> Result<(), Failure> {
        let known = legs.iter().any(|leg| leg.part.chain.name() == chain);
        if known || self.unserved.contains(chain) {
            return Ok(());
        }
        let chain = self.session.config.chain(chain)?;
        let opened = sources::open(self.session.args, self.session.config, &chain);
        let source = match opened {
            Ok(source) => source,
            Err(failure) => {
                if !failure.is_nothing_there() {
                    self.cut(&format!("the endpoints of {chain} could not be opened"));
                }
                self.unserved.insert(chain.name().to_owned());
                return Ok(());
            }
        };
        let request = elsewhere(&legs[0].request, chain.name());
        let position = record.parts.len();
        record.parts.push(PartRecord::new(request));
        let part = Part {
            session: self.session,
            bridges: self.bridges,
            source,
            labels: Arc::clone(&legs[0].part.labels),
            earlier: Arc::clone(&legs[0].part.earlier),
            chain,
            interrupt: self.interrupt.clone(),
            position,
        };
        let name = part.chain.name().to_owned();
        match part.begin(record, Vec::new()).await {
            Ok(leg) => legs.push(leg),
            Err(failure) => {
                record.parts.pop();
                self.cut(&format!("{name} could not be read: {}", failure.in_short()));
                self.unserved.insert(name);
            }
        }
        Ok(())
    }

    /// Says what of a link was not found, and why.
    fn note(&mut self, group: &Group<'_>, found: &Found) {
        let Some(first) = group.leaving.first() else {
            return;
        };
        let mut problems = found.problems.clone();
        let chains = group.leaving.iter().flat_map(|one| &one.departure.searches);
        for chain in chains.map(|search| search.chain()).collect::<BTreeSet<_>>() {
            if self.unserved.contains(chain) {
                problems.push(format!(
                    "no endpoint serves {chain}: name one with --endpoint {chain}:KIND=URL"
                ));
            }
        }
        self.partial |= !problems.is_empty();
        if found.landings.is_empty() && problems.is_empty() {
            problems.push(nothing_arrived(first, found));
        }
        if let (true, Some(place), Some(last)) = (
            found.landings.is_empty(),
            first.way_on(),
            problems.last_mut(),
        ) {
            last.push_str(&format!(
                "; --through {place} goes on there if no bridge took it"
            ));
        }
        for problem in problems {
            self.unknown.push(Unknown {
                subject: first.node.to_string(),
                kind: "crossing".into(),
                detail: format!("{}: {problem}", first.departure.in_words()),
            });
        }
    }

    /// Says of whom more is known than that the sender said that his value leaves there.
    fn name_disbelieved(&mut self, legs: &[Leg<'_>]) {
        for leg in legs {
            for (node, words) in leg.course.disbelieved(self.bridges) {
                let detail = format!(
                    "{words}: more came to the same account without such words, so that the trail goes on there; --stop ends it"
                );
                self.unknown.push(Unknown {
                    subject: node.to_string(),
                    kind: "crossing".into(),
                    detail,
                });
            }
        }
    }

    fn cut(&mut self, detail: &str) {
        self.partial = true;
        self.unknown.push(Unknown {
            subject: "crossings".into(),
            kind: "limit".into(),
            detail: detail.to_owned(),
        });
    }

    /// What arrives on each part, by its number.
    fn inflows(
        &self,
        legs: &[Leg<'a>],
        all: &[Vec<Leaving>],
    ) -> Result<Vec<Vec<CaseInflow>>, Failure> {
        let mut inflows: Vec<BTreeMap<String, CaseInflow>> = Vec::new();
        inflows.resize_with(legs.len(), BTreeMap::new);
        for (_, landing, load) in self.loads(legs, all)? {
            let leg = legs
                .iter()
                .position(|leg| leg.part.chain.name() == landing.chain);
            if let Some(leg) = leg
                && load.parts.values().any(|part| !part.is_zero())
            {
                let inflow = landing.inflow(load.parts);
                inflows[leg].insert(landing.key.clone(), inflow);
            }
        }
        let lists = inflows.into_iter();
        Ok(lists.map(|of| of.into_values().collect()).collect())
    }

    /// Every arrival with what it carries.
    fn loads<'b>(
        &'b self,
        legs: &[Leg<'a>],
        all: &'b [Vec<Leaving>],
    ) -> Result<Vec<(Group<'b>, &'b Landing, Load)>, AmountError> {
        let mut loads = Vec::new();
        for group in groups(all) {
            let chain = legs[group.leg].part.chain.name().to_owned();
            let Some(found) = self.found.get(&(chain, group.link.clone())) else {
                continue;
            };
            for (landing, load) in found.landings.iter().zip(shared(&group, &found.landings)?) {
                let group = Group {
                    leg: group.leg,
                    link: group.link.clone(),
                    leaving: group.leaving.clone(),
                };
                loads.push((group, landing, load));
            }
        }
        Ok(loads)
    }

    /// What the report joins the parts by.
    pub(crate) fn joints(
        &self,
        legs: &[Leg<'a>],
    ) -> Result<(Vec<Departed>, Vec<Crossed>), Failure> {
        let all = leaving(legs, self.bridges)?;
        let mut departed = Vec::new();
        for (leg, of) in all.iter().enumerate() {
            for one in of {
                departed.extend(claims_of(leg, one));
            }
        }
        let mut crossed = Vec::new();
        for (number, (group, landing, load)) in self.loads(legs, &all)?.into_iter().enumerate() {
            let Some(leg) = legs
                .iter()
                .position(|leg| leg.part.chain.name() == landing.chain)
            else {
                continue;
            };
            let seeds = legs[leg].course.inflow_seeds();
            let place = legs[leg]
                .inflows
                .iter()
                .position(|inflow| landing.is(inflow));
            let seed = place.and_then(|place| seeds.get(place).copied().flatten());
            let (Some(seed), Some(first)) = (seed, group.leaving.first()) else {
                continue;
            };
            let (flow, finding) = words::joint(first, landing, number);
            crossed.push(Crossed {
                seed: (leg, seed.id()),
                claims: load.claims,
                flow,
                finding,
            });
        }
        Ok((departed, crossed))
    }
}

/// Why nothing is known of where value arrived, in words.
fn nothing_arrived(leaving: &Leaving, found: &Found) -> String {
    let why = if leaving.departure.searches.is_empty() {
        "nothing that this version reads tells of its arrival"
    } else {
        "no arrival was found in the time that is searched, up to the height of this report"
    };
    let more = match (found.listed, &leaving.departure.payee) {
        (Some(1), _) => "; one candidate is listed".into(),
        (Some(listed), _) => format!("; {listed} candidates are listed"),
        (None, Payee::Account(_) | Payee::Script(_)) => {
            "; --candidates lists payments to that payee".into()
        }
        (None, Payee::Other(_) | Payee::Unknown) => String::new(),
    };
    format!("{why}{more}")
}

/// What leaves each part: by a bridge that is read, and where candidates are wished by one that labels know.
fn leaving(legs: &[Leg<'_>], bridges: &Bridges) -> Result<Vec<Vec<Leaving>>, Failure> {
    let of = |leg: &Leg<'_>| {
        let mut all = leg.course.leaving(bridges)?;
        if leg.request.candidates {
            let known = all.iter().map(|one| one.flow.clone()).collect();
            all.extend(leg.course.leaving_labelled(&known)?);
        }
        Ok(all)
    };
    legs.iter().map(of).collect()
}

/// What left, by the part and the link under which it did.
fn groups(all: &[Vec<Leaving>]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(usize, &Link), Vec<&Leaving>> = BTreeMap::new();
    for (leg, of) in all.iter().enumerate() {
        for one in of {
            let link = &one.departure.link;
            groups.entry((leg, link)).or_default().push(one);
        }
    }
    let group = |((leg, link), leaving): ((usize, &Link), Vec<_>)| Group {
        leg,
        link: link.clone(),
        leaving,
    };
    groups.into_iter().map(group).collect()
}

/// The request for a chain that value went to: as that of the case, without what is said of its own chain.
fn elsewhere(request: &Request, chain: &str) -> Request {
    let is_height = |until: &String| until.parse::<u64>().is_ok();
    Request {
        chain: chain.to_owned(),
        subjects: Vec::new(),
        context: Vec::new(),
        assets: Vec::new(),
        until: request.until.clone().filter(|until| !is_height(until)),
        min_amount: Amount::ZERO,
        ..request.clone()
    }
}
