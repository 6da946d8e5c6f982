//! From named endpoints to one source.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hansel_ledger::{Chain, ChainSource};
use url::Url;

use crate::{
    ClientError, Clock, Credentials, EndpointError, EndpointKind, EndpointSpec, Failover,
    HttpOptions, HttpWire, JsonRpc, Limits, Paces, RecordWire, Recorder, Recording, RecordingError,
    ReplayWire, Wire,
};

/// How the endpoints of one family of chains are reached and read.
pub trait Protocols: Sync {
    /// The kinds of endpoints that serve the family, in the order in which a recording of several is asked.
    fn kinds(&self) -> &'static [EndpointKind];

    /// Names a live endpoint; nothing is sent before the first request.
    fn wire(
        &self,
        spec: &EndpointSpec,
        options: &OpenOptions,
        paces: &Paces,
    ) -> Result<Arc<dyn Wire>, OpenError>;

    /// Reads a chain over a wire; `None` for a kind that does not serve the family.
    fn source(
        &self,
        chain: &Chain,
        kind: EndpointKind,
        wire: Arc<dyn Wire>,
    ) -> Option<Arc<dyn ChainSource>>;

    /// The kinds of indexes that give hints to sources of the family; none unless it says so.
    fn indexes(&self) -> &'static [EndpointKind] {
        &[]
    }

    /// As [`Self::source`], with hints of indexes; without them unless the family takes any.
    fn hinted(
        &self,
        chain: &Chain,
        (kind, wire): Named,
        _indexes: &[Named],
    ) -> Option<Arc<dyn ChainSource>> {
        self.source(chain, kind, wire)
    }
}

/// An endpoint and what it speaks.
pub type Named = (EndpointKind, Arc<dyn Wire>);

/// Takes messages that are worth a user's attention and no failure.
pub type Notice = Arc<dyn Fn(&str) + Send + Sync>;

/// Where and with which clock answers are recorded.
#[derive(Clone)]
pub struct Record {
    /// The directory; answers go to `DIR/CHAIN/KIND`.
    pub directory: PathBuf,
    /// Tells the time that is written beside each answer.
    pub clock: Clock,
}

/// How endpoints are opened.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Bounds of the traffic with each endpoint, unless its own entry says otherwise.
    pub limits: Limits,
    /// Of Bitcoin Core endpoints; other kinds are never sent any.
    pub credentials: Option<Credentials>,
    /// `http://` (not for Electrum), `socks5://` or `socks5h://`.
    pub proxy: Option<Url>,
    /// Keeps all answers.
    pub record: Option<Record>,
    /// Answers from the recording in this directory; no endpoint is contacted.
    pub replay: Option<PathBuf>,
    /// Told of oddities, such as a recording whose end is torn.
    pub notice: Option<Notice>,
}

/// Says why a chain has no source.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No endpoint serves the chain.
    #[error("no endpoint is known for {chain}\nhint: name one with --endpoint [KIND=]URL")]
    NoEndpoint {
        /// The chain.
        chain: String,
    },
    /// The recording holds nothing about the chain.
    #[error("`{}` holds no recording of {chain}\nhint: name the directory that --record wrote, and its chain with --chain", directory.display())]
    NothingRecorded {
        /// The chain.
        chain: String,
        /// Where a recording was looked for.
        directory: PathBuf,
    },
    /// A recording cannot be read or written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// An HTTP endpoint cannot be asked.
    #[error("{endpoint}: {cause}")]
    Client {
        /// The endpoint, without its path.
        endpoint: String,
        /// Why.
        cause: ClientError,
    },
    /// An endpoint's URL does not say what it speaks.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A WebSocket is not asked through a proxy.
    #[error(
        "{endpoint}: a WebSocket cannot be asked through a proxy\nhint: name the endpoint's HTTP URL instead"
    )]
    SocketProxy {
        /// The endpoint.
        endpoint: String,
    },
    /// Electrum servers are asked through SOCKS5 proxies only.
    #[error(
        "{endpoint}: Electrum servers cannot be asked through an HTTP proxy\nhint: use socks5h://HOST:PORT"
    )]
    ElectrumProxy {
        /// The endpoint.
        endpoint: String,
    },
}

/// Opens the endpoints that serve `chain`, those named for it and those named for no chain, as one source
/// that asks them in their order. Nothing is sent before the first question.
pub fn open(
    chain: &Chain,
    specs: &[EndpointSpec],
    options: &OpenOptions,
    protocols: &dyn Protocols,
) -> Result<Arc<dyn ChainSource>, OpenError> {
    let sources = match &options.replay {
        Some(directory) => recorded_sources(chain, directory, options, protocols)?,
        None => live_sources(chain, specs, options, protocols)?,
    };
    let mut sources = sources.into_iter();
    let first = sources.next().ok_or_else(|| nothing(chain, options))?;
    let others: Vec<_> = sources.collect();
    Ok(if others.is_empty() {
        first
    } else {
        Arc::new(Failover::new(first, others))
    })
}

fn nothing(chain: &Chain, options: &OpenOptions) -> OpenError {
    let chain = chain.name().to_owned();
    match &options.replay {
        Some(directory) => OpenError::NothingRecorded {
            chain,
            directory: directory.clone(),
        },
        None => OpenError::NoEndpoint { chain },
    }
}

fn live_sources(
    chain: &Chain,
    specs: &[EndpointSpec],
    options: &OpenOptions,
    protocols: &dyn Protocols,
) -> Result<Vec<Arc<dyn ChainSource>>, OpenError> {
    let paces = Paces::default();
    let mut recorders = Vec::new();
    let serves = |spec: &&EndpointSpec| {
        spec.chain
            .as_deref()
            .is_none_or(|name| name == chain.name())
    };
    let mut named: Vec<Named> = Vec::new();
    for spec in specs.iter().filter(serves) {
        let kinds = if spec.gives_hints() {
            protocols.indexes()
        } else {
            protocols.kinds()
        };
        let Some(spec) = &spec.among(kinds)? else {
            continue;
        };
        let wire = protocols.wire(spec, options, &paces)?;
        let wire = match &options.record {
            Some(record) => {
                let recorder = recorder(chain, spec.kind, record, options, &mut recorders)?;
                Arc::new(RecordWire::new(wire, recorder))
            }
            None => wire,
        };
        named.push((spec.kind, wire));
    }
    Ok(sources(chain, named, protocols))
}

/// One source for each endpoint that is no index, all with the hints of all indexes.
fn sources(
    chain: &Chain,
    named: Vec<Named>,
    protocols: &dyn Protocols,
) -> Vec<Arc<dyn ChainSource>> {
    let (indexes, others): (Vec<Named>, Vec<Named>) =
        named.into_iter().partition(|(kind, _)| kind.gives_hints());
    let source = |one| protocols.hinted(chain, one, &indexes);
    others.into_iter().filter_map(source).collect()
}

/// An HTTP endpoint with the limits of its entry.
pub fn http_wire(
    spec: &EndpointSpec,
    options: &OpenOptions,
    credentials: Option<Credentials>,
    paces: &Paces,
) -> Result<Arc<dyn Wire>, OpenError> {
    let limits = Limits {
        concurrency: spec
            .concurrency
            .map_or(options.limits.concurrency, Into::into),
        requests_per_second: spec
            .requests_per_second
            .or(options.limits.requests_per_second),
        ..options.limits
    };
    let http = HttpOptions {
        limits,
        credentials,
        proxy: options.proxy.clone(),
        version: match spec.kind {
            EndpointKind::Rpc => JsonRpc::V2,
            EndpointKind::Esplora
            | EndpointKind::Core
            | EndpointKind::Electrum
            | EndpointKind::Blockscout
            | EndpointKind::Etherscan => JsonRpc::V1,
        },
    };
    let wire = HttpWire::new(spec.url(), http, paces).map_err(|cause| OpenError::Client {
        endpoint: spec.to_string(),
        cause,
    })?;
    Ok(Arc::new(wire))
}

/// The recorder of a kind, which all its endpoints share.
fn recorder(
    chain: &Chain,
    kind: EndpointKind,
    record: &Record,
    options: &OpenOptions,
    open: &mut Vec<(EndpointKind, Arc<Recorder>)>,
) -> Result<Arc<Recorder>, RecordingError> {
    if let Some((_, recorder)) = open.iter().find(|(other, _)| *other == kind) {
        return Ok(Arc::clone(recorder));
    }
    let directory = place(&record.directory, chain, kind);
    let recorder = Arc::new(Recorder::open(&directory, Arc::clone(&record.clock))?);
    if recorder.was_torn() {
        tell_torn(&directory, options);
    }
    open.push((kind, Arc::clone(&recorder)));
    Ok(recorder)
}

/// One source for each recorded endpoint, so that what one could not answer is found at the next, as it was
/// when it was recorded.
fn recorded_sources(
    chain: &Chain,
    directory: &Path,
    options: &OpenOptions,
    protocols: &dyn Protocols,
) -> Result<Vec<Arc<dyn ChainSource>>, OpenError> {
    let mut named: Vec<Named> = Vec::new();
    let kinds = protocols.kinds().iter().chain(protocols.indexes());
    for kind in kinds.copied() {
        let place = place(directory, chain, kind);
        let recording = match Recording::read(&place) {
            Err(RecordingError::Io { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                continue;
            }
            outcome => Arc::new(outcome?),
        };
        if recording.is_torn() {
            tell_torn(&place, options);
        }
        for endpoint in recording.endpoints() {
            let wire = Arc::new(ReplayWire::new(Arc::clone(&recording), endpoint));
            named.push((kind, wire));
        }
    }
    Ok(sources(chain, named, protocols))
}

fn place(directory: &Path, chain: &Chain, kind: EndpointKind) -> PathBuf {
    directory.join(chain.name()).join(kind.name())
}

fn tell_torn(directory: &Path, options: &OpenOptions) {
    if let Some(notice) = &options.notice {
        let place = directory.display();
        notice(&format!(
            "the last line of the recording `{place}` is cut off, as after a crash; its answer is ignored"
        ));
    }
}
