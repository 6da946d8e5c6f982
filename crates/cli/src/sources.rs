//! Opens what the command line and the environment name: the store and the endpoints.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use directories::ProjectDirs;
use hansel_bitcoin::BitcoinProtocols;
use hansel_ethereum::{EthereumProtocols, Index};
use hansel_ledger::{Chain, ChainSource, Family};
use hansel_store::Store;
use hansel_wire::{
    Credentials, EndpointEntry, EndpointSpec, Endpoints, Limits, OpenError, OpenOptions, Paces,
    Protocols, Record,
};
use url::Url;

use crate::args::{Common, SourceArgs};
use crate::config::Config;
use crate::drive::now;
use crate::failure::Failure;
use crate::output::say;

/// Opens the store, made if it is missing.
pub(crate) fn store(common: &Common) -> Result<Store, Failure> {
    let dir = data_dir(common.data.as_deref())?;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(Store::open(&dir)?)
}

/// Opens the store to read it; `None` where nothing was ever kept.
pub(crate) fn existing_store(common: &Common) -> Result<Option<Store>, Failure> {
    let dir = data_dir(common.data.as_deref())?;
    if !dir.join("hansel-store").exists() {
        return Ok(None);
    }
    Ok(Some(Store::open_read_only(&dir)?))
}

/// Opens the store to read it, also while a trace is writing to it.
pub(crate) fn reader(common: &Common) -> Result<Store, Failure> {
    existing_store(common)?.ok_or_else(|| {
        Failure::advised(
            anyhow!("no case was traced yet"),
            "run `hansel trace` first, or name its directory with --data DIR",
        )
    })
}

/// Where everything is kept.
pub(crate) fn data_dir(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = given {
        return Ok(dir.to_owned());
    }
    let dirs = ProjectDirs::from("", "", "hansel");
    let dirs = dirs.ok_or_else(|| {
        Failure::usage(
            anyhow!("this user has no home directory"),
            "say where to keep cases with --data DIR",
        )
    })?;
    Ok(dirs.data_dir().to_owned())
}

/// Opens the endpoints for a chain as one source.
pub(crate) fn open(
    args: &SourceArgs,
    config: &Config,
    chain: &Chain,
) -> Result<Arc<dyn ChainSource>, Failure> {
    let specs = specs(args, config)?;
    Ok(open_chain(chain, &specs, &options(args)?)?)
}

/// Opens the endpoints of a chain by the protocols of its family.
pub(crate) fn open_chain(
    chain: &Chain,
    specs: &[EndpointSpec],
    options: &OpenOptions,
) -> Result<Arc<dyn ChainSource>, OpenError> {
    let protocols: &dyn Protocols = match chain.family() {
        Family::Bitcoin(_) => &BitcoinProtocols,
        Family::Evm(_) => &EthereumProtocols,
    };
    hansel_wire::open(chain, specs, options, protocols)
}

/// Tries an index that only gives hints.
pub(crate) async fn try_index(
    chain: &Chain,
    spec: &EndpointSpec,
    options: &OpenOptions,
) -> Result<(), String> {
    let no_index = || format!("{} takes no hints of such an endpoint", chain.name());
    let network = chain.evm().ok_or_else(no_index)?;
    let wire = EthereumProtocols.wire(spec, options, &Paces::default());
    let wire = wire.map_err(|error| error.to_string())?;
    let index = Index::new(spec.kind, network.chain_id, wire).ok_or_else(no_index)?;
    index.try_it().await.map_err(|error| error.to_string())
}

/// The endpoints that the command line names, else the configured ones.
pub(crate) fn specs(args: &SourceArgs, config: &Config) -> Result<Vec<EndpointSpec>, Failure> {
    if !args.endpoint.is_empty() {
        let specs = args.endpoint.iter().map(|text| {
            text.parse::<EndpointSpec>()
                .and_then(|spec| spec.expanded(variable))
        });
        return specs.collect::<Result<_, _>>().map_err(Failure::misuse);
    }
    let (origin, text) = config.text("endpoints.toml")?;
    let file: Endpoints = toml::from_str(&text).with_context(|| format!("cannot read {origin}"))?;
    let entry = |entry: EndpointEntry| {
        let spec = EndpointSpec::try_from(entry).and_then(|spec| spec.expanded(variable));
        spec.with_context(|| origin.clone())
    };
    Ok(file
        .endpoints
        .into_iter()
        .map(entry)
        .collect::<Result<_, _>>()?)
}

/// The chains for which the command line names an endpoint.
pub(crate) fn chains_named(args: &SourceArgs, config: &Config) -> Result<Vec<String>, Failure> {
    if args.endpoint.is_empty() {
        return Ok(Vec::new());
    }
    let mut chains: Vec<String> = specs(args, config)?
        .into_iter()
        .filter_map(|spec| spec.chain)
        .collect();
    chains.sort();
    chains.dedup();
    Ok(chains)
}

/// What the environment holds for a key that an endpoint's URL names.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The proxy that the command line names.
pub(crate) fn proxy(args: &SourceArgs) -> Result<Option<Url>, Failure> {
    let proxy = args.proxy.as_deref().map(str::parse);
    proxy.transpose().map_err(|_| {
        Failure::usage(
            anyhow!("--proxy is not a URL"),
            "as in socks5h://127.0.0.1:9050",
        )
    })
}

/// How endpoints are opened.
pub(crate) fn options(args: &SourceArgs) -> Result<OpenOptions, Failure> {
    let proxy = proxy(args)?;
    Ok(OpenOptions {
        limits: limits(args),
        credentials: credentials()?,
        proxy,
        record: args.record.clone().map(|directory| Record {
            directory,
            clock: Arc::new(now),
        }),
        replay: args.replay.clone(),
        notice: Some(Arc::new(|text: &str| say(&format!("note: {text}")))),
    })
}

/// The bounds of the traffic, as far as the command line sets them.
fn limits(args: &SourceArgs) -> Limits {
    let limits = Limits::default();
    let timeout = args.timeout.map(Duration::from_secs);
    Limits {
        retries: args.retries.unwrap_or(limits.retries),
        timeout: timeout.unwrap_or(limits.timeout),
        idle_timeout: timeout.unwrap_or(limits.idle_timeout),
        connect_timeout: timeout.map_or(limits.connect_timeout, |timeout| {
            timeout.min(limits.connect_timeout)
        }),
        ..limits
    }
}

/// User and password of a Bitcoin Core node, from the environment only.
fn credentials() -> Result<Option<Credentials>, Failure> {
    if let Some(path) = env::var_os("HANSEL_CORE_COOKIE") {
        let cookie = crate::config::read(Path::new(&path))?;
        let credentials = Credentials::from_cookie(&cookie);
        return credentials.map(Some).ok_or_else(|| {
            anyhow!("the file that HANSEL_CORE_COOKIE names is not a node's cookie").into()
        });
    }
    match (
        env::var("HANSEL_CORE_USER"),
        env::var("HANSEL_CORE_PASSWORD"),
    ) {
        (Ok(user), Ok(password)) => Ok(Some(Credentials::new(user, password))),
        (Err(_), Err(_)) => Ok(None),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => Err(Failure::usage(
            anyhow!("only one of HANSEL_CORE_USER and HANSEL_CORE_PASSWORD is set"),
            "set both, or HANSEL_CORE_COOKIE to the path of the node's cookie file",
        )),
    }
}
