//! `hansel explain`: the path from the theft to an output, and the rule's arithmetic at every step.

mod accounts;
mod across;
mod balance;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::anyhow;
use bitcoin::{Address, OutPoint};
use hansel_graph::{Direction, FeeRule, FlowIx, PoolIx, Rule, Strand, Trace, Workings};
use hansel_ledger::{Amount, Placement, Subject};
use hansel_report::format_units;
use serde::{Deserialize, Serialize};

use self::across::Joints;
use super::trace::again;
use crate::args::{Common, Exit, ExplainArgs};
use crate::config::Config;
use crate::course::Course;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::{opinions, sources};

/// The result: every tainted output that the argument names, under every rule.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    case: String,
    subject: String,
    paths: Vec<Path>,
    /// Further tainted outputs that the argument names and that are not explained.
    left_out: usize,
}

/// How one output came to be tainted under one rule.
#[derive(Debug, Serialize, Deserialize)]
struct Path {
    output: String,
    address: Option<String>,
    asset: String,
    amount: Amount,
    rule: Rule,
    tainted: Amount,
    /// From the output back to the seed.
    steps: Vec<Step>,
}

/// One transaction on the path.
#[derive(Debug, Serialize, Deserialize)]
struct Step {
    tx: String,
    block: Option<u64>,
    time: Option<String>,
    /// The output or movement of this transaction that the path takes.
    output: String,
    asset: String,
    amount: Amount,
    tainted: Amount,
    /// The seed's id where the path begins here.
    seed: Option<String>,
    arithmetic: Vec<String>,
    /// On an EVM chain: what happened to the payer's balance up to here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance: Option<balance::Balance>,
}

/// Paths listed at most; an address may have received thousands of times.
const MOST_OUTPUTS: usize = 20;
/// Steps listed at most.
const MOST_STEPS: usize = 10_000;
/// Parcels listed at most in one line of arithmetic.
const MOST_PARCELS: usize = 12;

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &ExplainArgs) -> Result<Exit, Failure> {
    let store = sources::reader(common)?;
    let config = Config::new(common);
    let (labels, _) = opinions::labels(&config)?;
    let (record, courses) = again(&config, &store, &args.case, &labels).await?;
    let joints = Joints {
        courses: &courses,
        report: record.report.as_ref(),
    };
    let (mut paths, mut left_out, mut decimals) = (Vec::new(), 0, BTreeMap::new());
    for course in &courses {
        decimals.extend(known_decimals(course));
        if !could_name(course, &args.node, &courses) {
            continue;
        }
        let (mut found, more) = match course {
            Course::Outputs(trace, _) => outputs(trace, &args.node)?,
            Course::Accounts(trace) => accounts::paths(trace, &args.node)?,
        };
        for path in &mut found {
            joints.extend(course, path)?;
        }
        paths.extend(found);
        left_out += more;
    }
    if paths.is_empty() {
        let cause = anyhow!(
            "`{}` carries no taint in case `{}`",
            args.node.escape_debug(),
            args.case
        );
        return Err(Failure::advised(
            cause,
            "name an output, transaction or address from the report",
        ));
    }
    let output = Output {
        case: args.case.clone(),
        subject: args.node.clone(),
        paths,
        left_out,
    };
    if common.json {
        print_json(&output)?
    } else {
        print(&text(&output, &decimals))?
    }
    Ok(Exit::Complete)
}

/// False for a part of a case on another chain, or another kind of chain, than the one that the text is spelt for.
fn could_name(course: &Course, node: &str, courses: &[Course]) -> bool {
    let of = |one: &Course| node.starts_with(&format!("{}:", one.chain().name()));
    if courses.iter().any(of) {
        return of(course);
    }
    let here = match course {
        Course::Outputs(..) => !node.starts_with("0x"),
        Course::Accounts(_) => node.starts_with("0x"),
    };
    courses.len() == 1 || here
}

/// The decimals of the assets that amounts are shown in.
fn known_decimals(course: &Course) -> Vec<(String, u8)> {
    let chain = course.chain();
    let tokens = chain.evm().into_iter().flat_map(|network| &network.tokens);
    let assets = tokens.map(|token| token.asset.clone());
    assets
        .chain([chain.native()])
        .map(|asset| (asset.symbol, asset.decimals))
        .collect()
}

/// The paths to the tainted outputs that a text names, and how many more there are.
fn outputs(trace: &Trace, node: &str) -> Result<(Vec<Path>, usize), Failure> {
    let flows = named(trace, node)?;
    let left_out = flows.len().saturating_sub(MOST_OUTPUTS);
    let mut paths = Vec::new();
    for flow in flows.into_iter().take(MOST_OUTPUTS) {
        for rule in trace
            .settlement()
            .rules()
            .filter(|rule| trace.settlement().tainted(*rule, flow) > 0)
        {
            paths.push(path(trace, flow, rule)?);
        }
    }
    Ok((paths, left_out))
}

/// The tainted outputs that a text names.
fn named(trace: &Trace, text: &str) -> Result<Vec<FlowIx>, Failure> {
    let chain = &trace.plan().chain;
    let prefixes = [format!("{chain}:tx:"), format!("{chain}:output:")];
    let bare = prefixes
        .iter()
        .find_map(|prefix| text.strip_prefix(&**prefix))
        .unwrap_or(text);
    let subject = Subject::parse(bare, chain).map_err(|error| {
        Failure::usage(
            error,
            "name TXID, TXID:VOUT, an address, or the id of a transaction or output in the report",
        )
    })?;
    let graph = trace.graph();
    let tainted = |flow: &FlowIx| trace.settlement().most_tainted(*flow) > 0;
    let flows = graph.flows().filter(tainted);
    Ok(match subject {
        Subject::Output(outpoint) => graph
            .find_output(&outpoint)
            .into_iter()
            .filter(tainted)
            .collect(),
        Subject::Transaction(txid) => flows
            .filter(|flow| graph.outpoint(*flow).txid == txid)
            .collect(),
        Subject::Script { script, .. } => flows
            .filter(|flow| graph.flow(*flow).script == Some(&script))
            .collect(),
        Subject::EvmTransaction(_) | Subject::EvmMovement { .. } | Subject::Account(_) => {
            Vec::new()
        }
    })
}

fn path(trace: &Trace, flow: FlowIx, rule: Rule) -> Result<Path, Failure> {
    let mut steps = Vec::new();
    let mut next = Some(flow);
    while let Some(flow) = next.filter(|_| steps.len() < MOST_STEPS) {
        let pool = writer(trace, flow);
        let seed = trace.settlement().seed_at(flow);
        steps.push(step(trace, pool, flow, rule)?);
        next = pool
            .filter(|_| seed.is_none())
            .and_then(|pool| largest_source(trace, pool, rule));
    }
    Ok(Path {
        output: trace.graph().outpoint(flow).to_string(),
        address: address(trace, flow),
        asset: trace.plan().chain.native().symbol,
        amount: trace.graph().flow(flow).value.unwrap_or(0).into(),
        rule,
        tainted: trace.settlement().tainted(rule, flow).into(),
        steps,
    })
}

/// The pool that gave a flow its taint.
fn writer(trace: &Trace, flow: FlowIx) -> Option<PoolIx> {
    let view = trace.graph().flow(flow);
    match trace.plan().direction {
        Direction::Forward => Some(view.creator),
        Direction::Backward => view.spender,
    }
}

/// Of the tainted parcels that poured in, the one that brought most.
fn largest_source(trace: &Trace, pool: PoolIx, rule: Rule) -> Option<FlowIx> {
    let view = trace.graph().pool(pool);
    let pours = match trace.plan().direction {
        Direction::Forward => view.inputs,
        Direction::Backward => view.outputs,
    };
    let taint = |flow: &FlowIx| trace.settlement().tainted(rule, *flow);
    pours
        .iter()
        .copied()
        .filter(|flow| taint(flow) > 0)
        .max_by_key(|flow| (taint(flow), std::cmp::Reverse(*flow)))
}

fn step(trace: &Trace, pool: Option<PoolIx>, flow: FlowIx, rule: Rule) -> Result<Step, Failure> {
    let graph = trace.graph();
    let seed = trace.settlement().seed_at(flow);
    let outpoint = graph.outpoint(flow);
    let placement = pool.map_or(Placement::Unknown, |pool| graph.pool(pool).placement);
    let arithmetic = match pool.filter(|_| seed.is_none()) {
        Some(pool) => arithmetic(trace, pool, flow, rule)?,
        None => Vec::new(),
    };
    Ok(Step {
        tx: pool
            .map_or(outpoint.txid, |pool| graph.pool(pool).txid)
            .to_string(),
        block: placement.height(),
        time: placement.block().map(|block| block.time.to_string()),
        output: outpoint.to_string(),
        asset: trace.plan().chain.native().symbol,
        amount: graph.flow(flow).value.unwrap_or(0).into(),
        tainted: trace.settlement().tainted(rule, flow).into(),
        seed: seed.map(hansel_graph::SeedIx::id),
        arithmetic,
        balance: None,
    })
}

/// The rule's sums at one transaction, in words and base units.
fn arithmetic(
    trace: &Trace,
    pool: PoolIx,
    flow: FlowIx,
    rule: Rule,
) -> Result<Vec<String>, Failure> {
    let Some(workings) = Workings::of(trace.graph(), trace.settlement(), pool, rule)? else {
        return Ok(vec![
            "input values are missing, so this transaction was not settled".into(),
        ]);
    };
    let pooled: u64 = workings.pours.iter().map(|pour| pour.value).sum();
    let tainted: u64 = workings.pours.iter().map(hansel_graph::Draw::tainted).sum();
    let parcels = workings.pours.len();
    let plural = if parcels == 1 { "" } else { "s" };
    let mut lines = vec![format!(
        "{pooled} base units poured in, in {parcels} parcel{plural}; {tainted} of them tainted"
    )];
    lines.extend(chosen(trace, &workings, pool, rule));
    match rule {
        Rule::Haircut => lines.push(haircut(trace, &workings, flow, [pooled, tainted])),
        Rule::Poison => lines.push("any taint makes every output tainted in full".into()),
        Rule::Fifo | Rule::Lifo | Rule::Tiho | Rule::Seniority | Rule::ReverseSeniority => {
            lines.push(format!(
                "they leave in this order: {}",
                strands(&workings.queue)
            ));
            lines.extend(order_of_draws(trace, rule).map(ToOwned::to_owned));
            let mut draws = workings.draws.iter();
            let taken = draws.find(|draw| draw.flow == Some(flow));
            let taken = taken.map_or("clean".into(), |draw| strands(&draw.strands));
            lines.push(format!("this one takes: {taken}"));
        }
    }
    Ok(lines)
}

/// Says which of several tainted parcels the path goes back to; the others brought taint too.
fn chosen(trace: &Trace, workings: &Workings, pool: PoolIx, rule: Rule) -> Option<String> {
    let pours = workings.pours.iter();
    let tainted = pours.filter(|pour| pour.tainted() > 0).count();
    let largest = largest_source(trace, pool, rule).filter(|_| tainted > 1)?;
    Some(format!(
        "{tainted} parcels brought taint; only the one that brought most is shown above: {}",
        trace.graph().outpoint(largest)
    ))
}

/// What a reader must know of the draws beside the order of the units.
fn order_of_draws(trace: &Trace, rule: Rule) -> Option<&'static str> {
    match (trace.plan().fee_rule, rule) {
        (FeeRule::ProRata, Rule::Tiho) => Some(
            "every segment pays its share of the fee first; then the largest output is filled first",
        ),
        (FeeRule::ProRata, _) => Some("every segment pays its share of the fee first"),
        (FeeRule::Last, Rule::Tiho) => Some("the largest draw is filled first, the fee last"),
        (FeeRule::Last, _) => None,
    }
}

/// The sum of a draw; `poured` is the value that poured in and its tainted part.
fn haircut(trace: &Trace, workings: &Workings, flow: FlowIx, poured: [u64; 2]) -> String {
    let [pooled, tainted] = poured;
    let fee_first = trace.plan().fee_rule == FeeRule::ProRata;
    let fee = workings
        .draws
        .iter()
        .filter(|draw| fee_first && draw.flow.is_none());
    let earlier = workings
        .draws
        .iter()
        .take_while(|draw| draw.flow != Some(flow));
    let (value, taint) = fee.chain(earlier).fold((0, 0), |(value, taint), draw| {
        (value + draw.value, taint + draw.tainted())
    });
    let draw = workings.draws.iter().find(|draw| draw.flow == Some(flow));
    let (amount, given) = draw.map_or((0, 0), |draw| (draw.value, draw.tainted()));
    let before = if fee_first {
        "the fee and earlier draws"
    } else {
        "earlier draws"
    };
    format!(
        "{before} took {value} with {taint} tainted; this one takes floor(({tainted} - {taint}) * {amount} / ({pooled} - {value})) = {given}"
    )
}

fn strands(strands: &[Strand<u64>]) -> String {
    if strands.is_empty() {
        return "clean".into();
    }
    let part = |strand: &Strand<u64>| match strand.owner {
        Some(seed) => format!("{} of {}", strand.amount, seed.id()),
        None => format!("{} clean", strand.amount),
    };
    let mut parts: Vec<String> = strands.iter().take(MOST_PARCELS).map(part).collect();
    if let Some(more) = strands
        .len()
        .checked_sub(MOST_PARCELS)
        .filter(|more| *more > 0)
    {
        parts.push(format!("and {more} more"));
    }
    parts.join(", then ")
}

fn address(trace: &Trace, flow: FlowIx) -> Option<String> {
    let script = trace.graph().flow(flow).script?;
    Address::from_script(script, trace.plan().chain.network()?)
        .map(|address| address.to_string())
        .ok()
}

fn text(output: &Output, decimals: &BTreeMap<String, u8>) -> String {
    let units = |asset: &str, amount: Amount| match decimals.get(asset) {
        Some(decimals) => format!("{} {asset}", format_units(amount, *decimals)),
        None => format!("{amount} base units of {asset}"),
    };
    let mut text = String::new();
    for path in &output.paths {
        let Path {
            output,
            address,
            asset,
            amount,
            rule,
            tainted,
            steps,
        } = path;
        let to = address
            .as_deref()
            .map(|address| format!(" to {address}"))
            .unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{output}{to}\n{} of {} tainted under {rule}\n",
            units(asset, *tainted),
            units(asset, *amount)
        );
        for (number, step) in steps.iter().rev().enumerate() {
            let _ = write!(text, "{}", step_text(number, step, &units));
        }
        text.push('\n');
    }
    if output.left_out > 0 {
        let _ = writeln!(text, "and {} more: name one by its id", output.left_out);
    }
    text
}

fn step_text(number: usize, step: &Step, units: &dyn Fn(&str, Amount) -> String) -> String {
    let Step {
        tx,
        block,
        time,
        output,
        asset,
        amount,
        tainted,
        seed,
        arithmetic,
        balance,
    } = step;
    let block = block.map_or("block not known".into(), |block| format!("block {block}"));
    let time = time
        .as_deref()
        .map(|time| format!(", {time}"))
        .unwrap_or_default();
    let mut text = format!("  {number}. {tx} ({block}{time})\n");
    for line in arithmetic {
        let _ = writeln!(text, "     {line}");
    }
    if let Some(balance) = balance {
        text.push_str(&balance::text(balance, asset));
    }
    let stolen = seed
        .as_deref()
        .map(|seed| format!(": stolen, seed {seed}"))
        .unwrap_or_default();
    let vout = output.parse::<OutPoint>().map_or_else(
        |_| output.clone(),
        |outpoint| format!("output {}", outpoint.vout),
    );
    let _ = writeln!(
        text,
        "     {vout}: {} of {} tainted{stolen}",
        units(asset, *tainted),
        units(asset, *amount)
    );
    text
}
