//! `hansel demo`: the shipped recorded thefts, traced offline.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hansel_graph::{Direction, FeeRule, Rule};
use hansel_ledger::{Amount, Chain};
use hansel_report::{Built, Format};
use include_dir::{Dir, include_dir};

use super::report::{is_standard_output, write};
use super::trace::{Session, exit};
use crate::args::{Common, DemoArgs, Exit, SourceArgs};
use crate::case_record::{NamedSubject, Request};
use crate::config::Config;
use crate::drive::Interrupt;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::{plan, prices};

static FIXTURES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures");

/// Stolen outputs of the second trace, inside Bitcoin block 702861: a payment chain of 17 transactions, and the
/// two outputs of the block's Wasabi mix that are spent in the same block.
const BLOCK_702861: [(&str, u32); 3] = [
    (
        "38019c2f360911e301dcd2c6d193b11108be2e1f73d63eef7c8a7690b8a303f3",
        1,
    ),
    (
        "5c2f55fc17854a18f447d74e32356c9ff6faf43bf937ed13611857b2bb3fef3a",
        36,
    ),
    (
        "5c2f55fc17854a18f447d74e32356c9ff6faf43bf937ed13611857b2bb3fef3a",
        83,
    ),
];

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &DemoArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let recordings = tempfile::tempdir().context("cannot make a directory for the recordings")?;
    FIXTURES
        .extract(recordings.path())
        .context("cannot unpack the recordings")?;
    let place = |directory: &str| recordings.path().join(directory);
    let own = Config::of(place("training").join("config"));
    let mut built = [
        trace(
            &config,
            &place("dmm-bitcoin"),
            recorded("dmm-bitcoin", &config)?,
        )
        .await?,
        trace(&config, &place("block-702861"), block_702861()).await?,
        trace(&own, &place("training"), recorded("training", &own)?).await?,
    ];
    value(
        &mut built,
        args.prices.as_deref(),
        &place("training").join("prices.csv"),
    )?;
    show(common, args, &built)?;
    let exits = built.iter().map(exit).collect::<Result<Vec<_>, _>>()?;
    Ok(if exits.contains(&Exit::Partial) {
        Exit::Partial
    } else {
        Exit::Complete
    })
}

/// Values the cases by the user's prices; without any, the training case by its own, which are made up like all of it.
fn value(built: &mut [Built], file: Option<&Path>, made_up: &Path) -> Result<(), Failure> {
    for one in built {
        let own = one.report.case.training.then_some(made_up);
        prices::value(&mut one.report, file.or(own))?;
    }
    Ok(())
}

/// A theft as its case file tells it: the part of it that is recorded.
fn recorded(case: &str, config: &Config) -> Result<Request, Failure> {
    let missing = || format!("the case {case} is missing");
    let file = plan::case_file(case, config)?.with_context(missing)?;
    let part = plan::of_case_file(&file, None)?;
    let [request] = <[Request; 1]>::try_from(part.requests)
        .map_err(|_| anyhow::anyhow!("the case {case} has one part that is read"))?;
    Ok(request)
}

fn block_702861() -> Request {
    let subject = |(txid, vout): (&str, u32)| NamedSubject {
        text: format!("{txid}:{vout}"),
        since: None,
        until: None,
        assets: Vec::new(),
    };
    Request {
        name: "block-702861".into(),
        training: false,
        title: Some("Real spends inside Bitcoin block 702861 (an exercise: nothing here is known to be stolen)".into()),
        chain: Chain::bitcoin().name().to_owned(),
        subjects: BLOCK_702861.map(subject).to_vec(),
        context: Vec::new(),
        rules: vec![Rule::Fifo, Rule::Haircut],
        fee_rule: FeeRule::Last,
        direction: Direction::Forward,
        hops: None,
        min_share: "0".into(),
        min_amount: Amount::ZERO,
        max_nodes: 1_000,
        max_requests: None,
        until: None,
        through: Vec::new(),
        stops: Vec::new(),
        assets: Vec::new(),
        candidates: false,
        followed: Vec::new(),
        hub: plan::DEFAULT_HUB,
    }
}

async fn trace(config: &Config, recordings: &Path, request: Request) -> Result<Built, Failure> {
    let from = SourceArgs {
        replay: Some(recordings.to_owned()),
        ..SourceArgs::default()
    };
    Session {
        store: None,
        config,
        args: &from,
        quiet: true,
        with_sources: false,
        resumes: true,
        interrupt: Interrupt::listen(),
        watching: None,
    }
    .trace(vec![request], Vec::new())
    .await
}

fn show(common: &Common, args: &DemoArgs, built: &[Built]) -> Result<(), Failure> {
    let reports = || built.iter().map(|built| &built.report);
    let output = args.output.as_deref();
    let output = output.filter(|path| !is_standard_output(path));
    if common.json && output.is_none() {
        return Ok(print_json(&reports().collect::<Vec<_>>())?);
    }
    for (number, report) in reports().enumerate() {
        if number > 0 && output.is_none() {
            print("\n")?;
        }
        let output = output.map(|path| beside(path, &report.case.name));
        let format = if common.json {
            Format::Json
        } else {
            args.format
        };
        write(report, format, output.as_deref())?;
    }
    Ok(())
}

/// Each report goes to a file of its own: `x.html` becomes `x-CASE.html`; in a directory files are named after cases.
fn beside(path: &Path, case: &str) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    let mut name = path.with_extension("").into_os_string();
    name.push(format!("-{case}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    PathBuf::from(name)
}
