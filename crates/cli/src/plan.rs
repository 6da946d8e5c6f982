//! From the command line, a case file or a stored case to a request, and from a request to a plan.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use bitcoin::Txid;
use hansel_graph::{
    AccountPlan, AccountTrace, Direction, FeeRule, Limits, Plan, Rule, Theft, Trace, Venues,
};
use hansel_heuristics::{CaseFile, Labels};
use hansel_ledger::{Amount, BlockRef, Chain, Coin, Share, Subject, SubjectError};
use hansel_report::model::Unknown;
use hansel_store::Store;

use crate::args::TraceArgs;
use crate::case_record::{CaseInflow, CaseRecord, NamedSubject, PartRecord, Request};
use crate::config::{self, Config};
use crate::course::Course;
use crate::failure::Failure;
use crate::opinions;

const DEFAULT_SHARE: &str = "0.001";
const DEFAULT_NODES: u64 = 10_000;
/// Transfers of a coin beyond which an account is a hub.
pub(crate) const DEFAULT_HUB: u64 = 1_000;

/// What a command line asks for: one request for each chain, and what none of them covers.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) requests: Vec<Request>,
    pub(crate) unknown: Vec<Unknown>,
}

impl Wanted {
    fn one(request: Request) -> Self {
        Self {
            requests: vec![request],
            unknown: Vec::new(),
        }
    }
}

/// Makes requests of a command line; a case named before keeps what the command line does not say.
pub(crate) fn wanted(
    args: &TraceArgs,
    config: &Config,
    store: Option<&Store>,
) -> Result<Wanted, Failure> {
    let mut wanted = match single_case(args, config, store)? {
        Some(wanted) => wanted,
        None => Wanted::one(of_subjects(args, config)?),
    };
    if let Some(name) = &args.name {
        check_name(name)?;
    }
    for request in &mut wanted.requests {
        request.name = args.name.clone().unwrap_or_else(|| request.name.clone());
        apply(args, request);
        check_direction(request, config)?;
    }
    check_since(args, &wanted.requests, config)?;
    opinions::check(&wanted.requests, config)?;
    Ok(wanted)
}

fn check_direction(request: &Request, config: &Config) -> Result<(), Failure> {
    if request.direction == Direction::Forward {
        return Ok(());
    }
    if config.chain(&request.chain)?.evm().is_some() {
        let cause = anyhow!("on {} value is followed forward only", request.chain);
        return Err(Failure::usage(cause, "leave out --direction backward"));
    }
    if request.fee_rule == FeeRule::ProRata {
        let cause = anyhow!("a backward trace draws fees last");
        return Err(Failure::usage(cause, "leave out --fee-rule pro-rata"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    if (1..=100).contains(&name.len()) && !name.starts_with('-') && is_name_like(name) {
        return Ok(());
    }
    Err(Failure::usage(
        anyhow!("`{}` is not a case name", name.escape_debug()),
        "a name takes 1 to 100 of the characters a-z 0-9 . _ - and does not start with a hyphen",
    ))
}

/// Refuses `--since` where it would say nothing: a transaction is stolen whenever it was made.
fn check_since(args: &TraceArgs, requests: &[Request], config: &Config) -> Result<(), Failure> {
    if args.since.is_none() {
        return Ok(());
    }
    for request in requests {
        let chain = config.chain(&request.chain)?;
        for subject in &request.subjects {
            let parsed = parse_subject(subject, &chain)?;
            if matches!(parsed, Subject::Script { .. } | Subject::Account(_)) {
                return Ok(());
            }
        }
    }
    Err(Failure::usage(
        anyhow!("--since says from when on an address counts, and no subject is an address"),
        "leave out --since, or name an address",
    ))
}

fn is_name_like(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    text.len() <= 100 && text.bytes().all(plain)
}

/// The case that the only subject names, if it names one.
fn single_case(
    args: &TraceArgs,
    config: &Config,
    store: Option<&Store>,
) -> Result<Option<Wanted>, Failure> {
    let [subject] = &*args.subjects else {
        return Ok(None);
    };
    if let Some(file) = case_file(subject, config)? {
        if let Some(chain) = &args.chain {
            config.chain(chain)?;
        }
        return of_case_file(&file, args.chain.as_deref()).map(Some);
    }
    let Some(store) = store.filter(|_| !subject.is_empty() && is_name_like(subject)) else {
        return Ok(None);
    };
    let Some(record) = store.case::<CaseRecord>(subject)? else {
        return Ok(None);
    };
    let unknown = record.unknown.clone();
    let Some(chain) = &args.chain else {
        let requests = record.without_inflows().parts.into_iter();
        let requests = requests.map(|part| part.request);
        return Ok(Some(Wanted {
            requests: requests.collect(),
            unknown,
        }));
    };
    let Some(part) = record.on(chain) else {
        let cause = anyhow!(
            "case `{subject}` is on {}, not on {}",
            record.chains().join(", "),
            chain.escape_debug()
        );
        return Err(Failure::usage(cause, "leave out --chain"));
    };
    Ok(Some(Wanted::one(part.request.clone())))
}

/// Reads a case by name or path; `None` where the text is neither.
pub(crate) fn case_file(subject: &str, config: &Config) -> Result<Option<CaseFile>, Failure> {
    if subject.ends_with(".toml") {
        let text = config::read(Path::new(subject))?;
        return Ok(Some(CaseFile::parse(
            Path::new(subject),
            &text,
            &config.chains()?,
        )?));
    }
    let file = format!("{subject}.toml");
    if !config.names("cases")?.contains(&file) {
        return Ok(None);
    }
    let (origin, text) = config.text(&format!("cases/{file}"))?;
    Ok(Some(CaseFile::parse(
        Path::new(&origin),
        &text,
        &config.chains()?,
    )?))
}

/// A known case, by name or path, as plain data in the form of its file.
pub(crate) fn case_value(name: &str, config: &Config) -> Result<toml::Table, Failure> {
    let (origin, text) = if name.ends_with(".toml") {
        (name.to_owned(), config::read(Path::new(name))?)
    } else {
        config.text(&format!("cases/{name}.toml"))?
    };
    Ok(toml::from_str(&text).with_context(|| format!("cannot read {origin}"))?)
}

/// The parts of a case on each of its chains, or on the one named.
pub(crate) fn of_case_file(file: &CaseFile, chain: Option<&str>) -> Result<Wanted, Failure> {
    let chains = distinct(file.seeds.iter().map(|seed| &*seed.chain));
    let (here, elsewhere): (Vec<&str>, Vec<&str>) = chains
        .into_iter()
        .partition(|name| chain.is_none_or(|chain| chain == *name));
    if here.is_empty() {
        let on = chain
            .map(|chain| format!(" on {chain}"))
            .unwrap_or_default();
        let cause = anyhow!("case `{}` has no part{on}", file.name);
        let hint = if elsewhere.is_empty() {
            "no stolen transfer of this case is public; see `hansel cases` for what is known"
                .to_owned()
        } else {
            format!("its parts are on {}", elsewhere.join(", "))
        };
        return Err(Failure::advised(cause, &hint));
    }
    let left_out = |chain: &str| Unknown {
        subject: chain.to_owned(),
        kind: "chain-left-out".into(),
        detail: "this part of the case was not asked for".into(),
    };
    Ok(Wanted {
        requests: here.iter().map(|chain| part(file, chain)).collect(),
        unknown: elsewhere.into_iter().map(left_out).collect(),
    })
}

fn part(file: &CaseFile, chain: &str) -> Request {
    let seeds = file.seeds.iter().filter(|seed| seed.chain == chain);
    let subjects = seeds.map(|seed| NamedSubject {
        text: seed.subject.clone(),
        since: seed.since.map(|time| time.to_string()),
        until: seed.until.map(|time| time.to_string()),
        assets: seed.assets.iter().map(ToString::to_string).collect(),
    });
    let context = file
        .context
        .iter()
        .filter(|entry| entry.chain == chain)
        .map(|entry| entry.txid.clone());
    Request {
        title: Some(file.title.clone()),
        training: file.training,
        context: context.collect(),
        ..blank(&file.name, chain, subjects.collect())
    }
}

/// Each name once, in the order in which it comes first.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

fn of_subjects(args: &TraceArgs, config: &Config) -> Result<Request, Failure> {
    let chain = match &args.chain {
        Some(chain) => chain.clone(),
        None if args.subjects.iter().any(|subject| is_evm_like(subject)) => {
            return Err(Failure::usage(
                anyhow!("an address or hash that starts with 0x is the same on every EVM chain"),
                "name its chain, as in --chain ethereum; `hansel endpoints` lists the chains",
            ));
        }
        None => "bitcoin".into(),
    };
    let known = config.chain(&chain)?;
    let subjects: Vec<NamedSubject> = args
        .subjects
        .iter()
        .map(|text| NamedSubject {
            text: text.clone(),
            since: None,
            until: None,
            assets: Vec::new(),
        })
        .collect();
    for subject in &subjects {
        parse_subject(subject, &known)?;
    }
    Ok(blank(&name_of(&chain, &args.subjects), &chain, subjects))
}

fn is_evm_like(subject: &str) -> bool {
    let subject = subject.trim();
    subject.starts_with("0x") || subject.starts_with("0X")
}

/// A name for a case without one: the first subject's beginning, its output, and how many more there are.
fn name_of(chain: &str, subjects: &[String]) -> String {
    let first = subjects.first().map_or("", String::as_str);
    let (stem, output) = first.split_once(':').unwrap_or((first, ""));
    let plain = |text: &str, most: usize| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).take(most);
        letters.collect::<String>().to_ascii_lowercase()
    };
    let mut name = format!("{chain}-{}", plain(stem, 16));
    if !output.is_empty() {
        name += &format!("-{}", plain(output, 10));
    }
    if subjects.len() > 1 {
        name += &format!("-and-{}", subjects.len() - 1);
    }
    name
}

fn blank(name: &str, chain: &str, subjects: Vec<NamedSubject>) -> Request {
    Request {
        name: name.to_owned(),
        title: None,
        training: false,
        chain: chain.to_owned(),
        subjects,
        context: Vec::new(),
        rules: vec![Rule::Fifo, Rule::Haircut],
        fee_rule: FeeRule::Last,
        direction: Direction::Forward,
        hops: None,
        min_share: DEFAULT_SHARE.to_owned(),
        min_amount: Amount::ZERO,
        max_nodes: DEFAULT_NODES,
        max_requests: None,
        until: None,
        through: Vec::new(),
        stops: Vec::new(),
        assets: Vec::new(),
        candidates: false,
        followed: Vec::new(),
        hub: DEFAULT_HUB,
    }
}

/// What the command line says goes before what the case says.
fn apply(args: &TraceArgs, request: &mut Request) {
    if !args.rule.is_empty() {
        request.rules.clone_from(&args.rule);
    }
    request.fee_rule = args.fee_rule.unwrap_or(request.fee_rule);
    request.direction = args.direction.unwrap_or(request.direction);
    request.hops = args.hops.or(request.hops);
    if let Some(share) = args.min_share {
        request.min_share = share.to_string();
    }
    request.min_amount = args.min_amount.unwrap_or(request.min_amount);
    request.max_nodes = args.max_nodes.unwrap_or(request.max_nodes);
    request.max_requests = args.max_requests.or(request.max_requests);
    request.hub = args.hub.unwrap_or(request.hub);
    if !args.through.is_empty() {
        request.through.clone_from(&args.through);
    }
    if !args.stop.is_empty() {
        request.stops.clone_from(&args.stop);
    }
    if !args.asset.is_empty() {
        request.assets.clone_from(&args.asset);
    }
    request.candidates |= args.candidates || !args.follow_candidate.is_empty();
    if !args.follow_candidate.is_empty() {
        request.followed.clone_from(&args.follow_candidate);
    }
    if args.until.is_some() {
        request.until.clone_from(&args.until);
    }
    if args.since.is_some() {
        for subject in &mut request.subjects {
            subject.since.clone_from(&args.since);
        }
    }
}

/// Makes a course of a part of a case, as of a block.
pub(crate) fn course(
    part: &PartRecord,
    chain: Chain,
    as_of: Option<BlockRef>,
    labels: Arc<dyn Labels>,
) -> Result<Course, Failure> {
    let PartRecord {
        request,
        windows,
        inflows,
        told,
        ..
    } = part;
    let venues = opinions::venues(request, &chain, labels);
    let subject = |named: &NamedSubject| {
        let (since, until) = windows.get(&named.text).copied().unwrap_or((0, u64::MAX));
        Ok(Theft {
            subject: parse_subject(named, &chain)?,
            since,
            until,
            coins: coins(&named.assets)?,
        })
    };
    let subjects = request
        .subjects
        .iter()
        .map(subject)
        .collect::<Result<_, Failure>>()?;
    if chain.evm().is_none() {
        let plan = outputs_plan(request, chain, as_of, subjects, venues)?;
        let outputs = inflows.iter().filter_map(|inflow| match inflow {
            CaseInflow::Output(inflow) => Some(inflow.clone()),
            CaseInflow::Account(_) => None,
        });
        let trace = Trace::with_inflows(plan, outputs.collect());
        return Ok(Course::Outputs(Box::new(trace), told.clone()));
    }
    let as_of = as_of.ok_or_else(|| anyhow!("the newest block of {chain} is not known"))?;
    let plan = accounts_plan(request, chain, as_of, subjects, venues)?;
    let accounts = inflows.iter().filter_map(|inflow| match inflow {
        CaseInflow::Account(inflow) => Some(inflow.clone()),
        CaseInflow::Output(_) => None,
    });
    let trace = AccountTrace::with_inflows(plan, accounts.collect())?;
    Ok(Course::Accounts(Box::new(trace)))
}

fn outputs_plan(
    request: &Request,
    chain: Chain,
    as_of: Option<BlockRef>,
    subjects: Vec<Theft>,
    venues: Arc<dyn Venues>,
) -> Result<Plan, Failure> {
    let context = request.context.iter().map(|txid| txid.parse::<Txid>());
    Ok(Plan {
        subjects,
        context: context
            .collect::<Result<_, _>>()
            .context("the case names a malformed transaction id")?,
        chain,
        as_of,
        rules: request.rules.clone(),
        fee_rule: request.fee_rule,
        direction: request.direction,
        limits: limits(request)?,
        venues,
    })
}

fn accounts_plan(
    request: &Request,
    chain: Chain,
    as_of: BlockRef,
    subjects: Vec<Theft>,
    venues: Arc<dyn Venues>,
) -> Result<AccountPlan, Failure> {
    Ok(AccountPlan {
        coins: coins(&request.assets)?,
        through: opinions::overrides(request, &chain).accounts_through(),
        subjects,
        as_of,
        rules: request.rules.clone(),
        fee_rule: request.fee_rule,
        limits: limits(request)?,
        bound: request.hub,
        venues,
        chain,
    })
}

fn coins(texts: &[String]) -> Result<BTreeSet<Coin>, Failure> {
    let coins = texts.iter().map(|text| {
        text.parse::<Coin>()
            .map_err(|error| Failure::usage(error, "as in --asset 0xC02a..."))
    });
    coins.collect()
}

fn limits(request: &Request) -> Result<Limits, Failure> {
    let min_share: Share = request
        .min_share
        .parse()
        .context("the stored case holds no valid share")?;
    Ok(Limits {
        hops: request.hops,
        min_share,
        min_amount: request.min_amount,
        max_nodes: Some(request.max_nodes),
        max_requests: request.max_requests,
    })
}

fn parse_subject(named: &NamedSubject, chain: &Chain) -> Result<Subject, Failure> {
    Subject::parse(&named.text, chain).map_err(|error| {
        let hint = match &error {
            SubjectError::WrongNetwork { .. } => "name the address's own chain with --chain; `hansel endpoints` lists the chains",
            SubjectError::Ethereum(..) => "name its chain with --chain, as in --chain ethereum; `hansel endpoints` lists the chains",
            SubjectError::NotEvm(..) => "name its own chain with --chain; `hansel endpoints` lists the chains",
            SubjectError::Hash(_) | SubjectError::Account { .. } | SubjectError::Movement(_) => {
                "a subject is a known case (see `hansel cases`), a case file, a transaction hash, HASH:log:INDEX, HASH:call:PATH or an address"
            }
            SubjectError::Address { .. } | SubjectError::Txid(_) | SubjectError::OutputIndex(_) | SubjectError::Length => {
                "a subject is a known case (see `hansel cases`), a case file, TXID, TXID:VOUT or an address"
            }
        };
        Failure::usage(error, hint)
    })
}
