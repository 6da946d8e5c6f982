//! From the command line, a case file or a stored case to a request, and from a request to a plan.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use bitcoin::Txid;
use hansel_graph::{Direction, FeeRule, Limits, Plan, Rule, Theft};
use hansel_heuristics::CaseFile;
use hansel_ledger::{BlockRef, Chain, Share, Subject, SubjectError};
use hansel_report::model::Unknown;
use hansel_store::Store;

use crate::args::TraceArgs;
use crate::case_record::{CaseRecord, NamedSubject, Request};
use crate::config::{self, Config};
use crate::failure::Failure;

const DEFAULT_SHARE: &str = "0.001";
const DEFAULT_NODES: u64 = 10_000;

/// Makes a request of a command line; a case named before keeps what the command line does not say.
pub(crate) fn request(
    args: &TraceArgs,
    config: &Config,
    store: Option<&Store>,
) -> Result<Request, Failure> {
    let mut request = match single_case(args, config, store)? {
        Some(request) => request,
        None => of_subjects(args, config)?,
    };
    if let Some(name) = &args.name {
        check_name(name)?;
        request.name.clone_from(name);
    }
    apply(args, &mut request);
    check_since(args, &request, config)?;
    if request.direction == Direction::Backward && request.fee_rule == FeeRule::ProRata {
        let cause = anyhow!("a backward trace draws fees last");
        return Err(Failure::usage(cause, "leave out --fee-rule pro-rata"));
    }
    Ok(request)
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
fn check_since(args: &TraceArgs, request: &Request, config: &Config) -> Result<(), Failure> {
    let chain = config.chain(&request.chain)?;
    let address = |subject: &NamedSubject| {
        parse_subject(subject, &chain).map(|subject| matches!(subject, Subject::Script { .. }))
    };
    if args.since.is_none() {
        return Ok(());
    }
    for subject in &request.subjects {
        if address(subject)? {
            return Ok(());
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
) -> Result<Option<Request>, Failure> {
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
    let stored = store.case::<CaseRecord>(subject)?;
    let Some(request) = stored.map(|record| record.request) else {
        return Ok(None);
    };
    let other = args.chain.as_ref().filter(|chain| **chain != request.chain);
    if let Some(chain) = other {
        let cause = anyhow!("case `{subject}` is on {}, not on {}", request.chain, chain);
        return Err(Failure::usage(cause, "leave out --chain"));
    }
    Ok(Some(request))
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

pub(crate) fn of_case_file(file: &CaseFile, chain: Option<&str>) -> Result<Request, Failure> {
    let chain = chain.unwrap_or("bitcoin");
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        file.seeds.iter().partition(|seed| seed.chain == chain);
    let unknown: Vec<(String, String, String)> = elsewhere
        .iter()
        .map(|seed| {
            let detail = format!(
                "this part of the case is on {}, which this version does not read",
                seed.chain
            );
            (
                format!("{}:{}", seed.chain, seed.subject),
                "chain-not-read".to_owned(),
                detail,
            )
        })
        .collect();
    if here.is_empty() {
        let chains: Vec<&str> = elsewhere.iter().map(|seed| &*seed.chain).collect();
        let cause = anyhow!("case `{}` has no part on {chain}", file.name);
        let hint = if chains.is_empty() {
            "no stolen transfer of this case is public; see `hansel cases` for what is known"
                .to_owned()
        } else {
            format!(
                "its parts are on {}; this version reads Bitcoin chains only",
                distinct(&chains)
            )
        };
        return Err(Failure::advised(cause, &hint));
    }
    let subjects = here.iter().map(|seed| NamedSubject {
        text: seed.subject.clone(),
        since: seed.since.map(|time| time.to_string()),
        until: seed.until.map(|time| time.to_string()),
    });
    let context = file
        .context
        .iter()
        .filter(|entry| entry.chain == chain)
        .map(|entry| entry.txid.clone());
    Ok(Request {
        title: Some(file.title.clone()),
        context: context.collect(),
        unknown,
        ..blank(&file.name, chain, subjects.collect())
    })
}

fn distinct(names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn of_subjects(args: &TraceArgs, config: &Config) -> Result<Request, Failure> {
    let chain = args.chain.clone().unwrap_or_else(|| "bitcoin".into());
    let known = config.chain(&chain)?;
    let subjects: Vec<NamedSubject> = args
        .subjects
        .iter()
        .map(|text| NamedSubject {
            text: text.clone(),
            since: None,
            until: None,
        })
        .collect();
    for subject in &subjects {
        parse_subject(subject, &known)?;
    }
    Ok(blank(&name_of(&chain, &args.subjects), &chain, subjects))
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
        chain: chain.to_owned(),
        subjects,
        context: Vec::new(),
        rules: vec![Rule::Fifo, Rule::Haircut],
        fee_rule: FeeRule::Last,
        direction: Direction::Forward,
        hops: None,
        min_share: DEFAULT_SHARE.to_owned(),
        min_amount: 0,
        max_nodes: DEFAULT_NODES,
        max_requests: None,
        until: None,
        unknown: Vec::new(),
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
    if args.until.is_some() {
        request.until.clone_from(&args.until);
    }
    if args.since.is_some() {
        for subject in &mut request.subjects {
            subject.since.clone_from(&args.since);
        }
    }
}

/// Makes a plan of a request; `windows` gives the heights between which an address counts, by subject.
pub(crate) fn plan(
    request: &Request,
    chain: Chain,
    as_of: Option<BlockRef>,
    windows: &BTreeMap<String, (u64, u64)>,
) -> Result<Plan, Failure> {
    let subject = |named: &NamedSubject| {
        let (since, until) = windows.get(&named.text).copied().unwrap_or((0, u64::MAX));
        parse_subject(named, &chain).map(|subject| Theft {
            subject,
            since,
            until,
        })
    };
    let context = request.context.iter().map(|txid| txid.parse::<Txid>());
    let min_share: Share = request
        .min_share
        .parse()
        .context("the stored case holds no valid share")?;
    Ok(Plan {
        subjects: request
            .subjects
            .iter()
            .map(subject)
            .collect::<Result<_, _>>()?,
        context: context
            .collect::<Result<_, _>>()
            .context("the case names a malformed transaction id")?,
        chain: chain.clone(),
        as_of,
        rules: request.rules.clone(),
        fee_rule: request.fee_rule,
        direction: request.direction,
        limits: Limits {
            hops: request.hops,
            min_share,
            min_amount: request.min_amount,
            max_nodes: Some(request.max_nodes),
            max_requests: request.max_requests,
        },
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

/// What the case file says is not covered, in the report's form.
pub(crate) fn unknown(request: &Request) -> Vec<Unknown> {
    let entry = |(subject, kind, detail): &(String, String, String)| Unknown {
        subject: subject.clone(),
        kind: kind.clone(),
        detail: detail.clone(),
    };
    request.unknown.iter().map(entry).collect()
}
