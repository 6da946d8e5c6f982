//! `hansel endpoints`: which endpoints there are, and what they can do.

use std::fmt::Write as _;
use std::path::Path;

use futures::future::join_all;
use hansel_ledger::Chain;
use hansel_report::visible;
use hansel_wire::EndpointSpec;
use serde::{Deserialize, Serialize};

use crate::args::{Common, EndpointsArgs, Exit};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::sources;

/// What an index can do.
const HINTS: [&str; 2] = [
    "hints",
    "yes, for the chain's rpc endpoints, which confirm each",
];

/// The result.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Output {
    endpoints: Vec<Row>,
}

/// One endpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    chain: String,
    kind: String,
    endpoint: String,
    /// `None` where the endpoint was not asked.
    reachable: Option<bool>,
    /// `None` where the endpoint was not asked, or is an index.
    tip: Option<u64>,
    capabilities: Vec<(String, String)>,
    problem: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(common: &Common, args: &EndpointsArgs) -> Result<Exit, Failure> {
    let config = Config::new(common);
    let chains = match &args.chain {
        Some(name) => vec![config.chain(name)?],
        None => config.chains()?,
    };
    let rows = match &args.source.replay {
        Some(directory) => recordings(args, &chains, directory).await,
        None => endpoints(args, &chains, &config).await?,
    };
    show(common, Output { endpoints: rows })
}

/// One row for each chain that the directory holds a recording of; no endpoint answers for it.
async fn recordings(args: &EndpointsArgs, chains: &[Chain], directory: &Path) -> Vec<Row> {
    let held = |chain: &&Chain| directory.join(chain.name()).is_dir();
    let place = directory.display().to_string();
    let rows = chains
        .iter()
        .filter(held)
        .map(|chain| row(args, chain, ("recording", place.clone()), &[]));
    join_all(rows).await
}

async fn endpoints(
    args: &EndpointsArgs,
    chains: &[Chain],
    config: &Config,
) -> Result<Vec<Row>, Failure> {
    let specs = sources::specs(&args.source, config)?;
    let default = args.chain.clone().unwrap_or_else(|| "bitcoin".into());
    let mut asked = Vec::new();
    for chain in chains {
        let serves =
            |spec: &&EndpointSpec| spec.chain.as_deref().unwrap_or(&default) == chain.name();
        asked.extend(specs.iter().filter(serves).map(|spec| {
            let name = (spec.kind.name(), spec.origin());
            row(args, chain, name, std::slice::from_ref(spec))
        }));
    }
    Ok(join_all(asked).await)
}

fn show(common: &Common, output: Output) -> Result<Exit, Failure> {
    if common.json {
        print_json(&output)?
    } else {
        print(&text(&output))?
    }
    let problems = output
        .endpoints
        .iter()
        .filter(|row| row.reachable == Some(false))
        .count();
    Ok(if problems > 0 {
        Exit::Partial
    } else {
        Exit::Complete
    })
}

async fn row(
    args: &EndpointsArgs,
    chain: &Chain,
    (kind, endpoint): (&str, String),
    specs: &[EndpointSpec],
) -> Row {
    let mut row = Row {
        chain: chain.name().to_owned(),
        kind: kind.to_owned(),
        endpoint,
        reachable: None,
        tip: None,
        capabilities: Vec::new(),
        problem: None,
    };
    if args.offline {
        return row;
    }
    match probe(args, chain, specs).await {
        Ok((tip, capabilities)) => {
            row.reachable = Some(true);
            row.tip = tip;
            row.capabilities = capabilities;
        }
        Err(problem) => {
            row.reachable = Some(false);
            row.problem = Some(problem);
        }
    }
    row
}

/// The newest block, which an index is not asked for, and what the endpoint can do.
type Probed = (Option<u64>, Vec<(String, String)>);

async fn probe(
    args: &EndpointsArgs,
    chain: &Chain,
    specs: &[EndpointSpec],
) -> Result<Probed, String> {
    let options =
        sources::options(&args.source).map_err(|_| "the options are not valid".to_owned())?;
    if let Some(index) = specs.first().filter(|spec| spec.gives_hints()) {
        sources::try_index(chain, index, &options).await?;
        return Ok((None, vec![HINTS.map(ToOwned::to_owned).into()]));
    }
    let source = sources::open_chain(chain, specs, &options).map_err(|error| error.to_string())?;
    let tip = source.tip().await.map_err(|error| error.to_string())?;
    let capabilities = source
        .capabilities()
        .await
        .map_err(|error| error.to_string())?;
    Ok((Some(tip.height), capabilities))
}

fn text(output: &Output) -> String {
    let mut text = String::new();
    for Row {
        chain,
        kind,
        endpoint,
        reachable,
        tip,
        capabilities,
        problem,
    } in &output.endpoints
    {
        let state = match (reachable, tip) {
            (Some(true), Some(tip)) => format!("at block {tip}"),
            (Some(true), None) => "answers".into(),
            (Some(false), _) => "not usable".into(),
            (None, _) => String::new(),
        };
        // Writing to a string cannot fail.
        let line = format!("{chain:18} {kind:9} {endpoint:32} {state}");
        let _ = writeln!(text, "{}", visible(line.trim_end()));
        for (name, value) in capabilities {
            let _ = writeln!(text, "    {}: {}", visible(name), visible(value));
        }
        if let Some(problem) = problem {
            let _ = writeln!(text, "    {}", visible(problem));
        }
    }
    if output.endpoints.is_empty() {
        text.push_str(
            "nothing to ask for this chain; name an endpoint with --endpoint [KIND=]URL\n",
        );
    }
    text
}
