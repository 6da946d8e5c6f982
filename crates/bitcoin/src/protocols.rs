//! How the endpoints of a Bitcoin chain are reached and read.

use std::sync::Arc;

use hansel_ledger::{Chain, ChainSource, ErrorClass, SourceError};
use hansel_wire::{
    EndpointKind, EndpointSpec, OpenError, OpenOptions, Paces, Protocols, Wire, http_wire,
};

use crate::{CoreSource, ElectrumLimits, ElectrumSource, ElectrumWire, EsploraSource};

/// The protocols of Bitcoin endpoints: Esplora, Bitcoin Core and Electrum.
#[derive(Clone, Copy, Debug, Default)]
pub struct BitcoinProtocols;

impl Protocols for BitcoinProtocols {
    fn kinds(&self) -> &'static [EndpointKind] {
        &[
            EndpointKind::Esplora,
            EndpointKind::Core,
            EndpointKind::Electrum,
        ]
    }

    fn wire(
        &self,
        spec: &EndpointSpec,
        options: &OpenOptions,
        paces: &Paces,
    ) -> Result<Arc<dyn Wire>, OpenError> {
        match spec.kind {
            EndpointKind::Electrum => electrum_wire(spec, options),
            EndpointKind::Core => http_wire(spec, options, options.credentials.clone(), paces),
            EndpointKind::Esplora
            | EndpointKind::Rpc
            | EndpointKind::Blockscout
            | EndpointKind::Etherscan => http_wire(spec, options, None, paces),
        }
    }

    fn source(
        &self,
        chain: &Chain,
        kind: EndpointKind,
        wire: Arc<dyn Wire>,
    ) -> Option<Arc<dyn ChainSource>> {
        let chain = chain.clone();
        Some(match kind {
            EndpointKind::Esplora => Arc::new(EsploraSource::new(chain, wire)),
            EndpointKind::Core => Arc::new(CoreSource::new(chain, wire)),
            EndpointKind::Electrum => Arc::new(ElectrumSource::new(chain, wire)),
            EndpointKind::Rpc | EndpointKind::Blockscout | EndpointKind::Etherscan => return None,
        })
    }
}

/// Says that a question belongs to another family of chains.
pub(crate) fn not_bitcoin(endpoint: &str, chain: &Chain) -> SourceError {
    SourceError {
        class: ErrorClass::Unsupported,
        endpoint: endpoint.to_owned(),
        request: "a question about an EVM chain".into(),
        detail: format!("{chain} is a Bitcoin chain"),
    }
}

fn electrum_wire(spec: &EndpointSpec, options: &OpenOptions) -> Result<Arc<dyn Wire>, OpenError> {
    let url = spec.url();
    let proxy = options.proxy.clone();
    if proxy
        .as_ref()
        .is_some_and(|proxy| !proxy.scheme().starts_with("socks5"))
    {
        let endpoint = spec.to_string();
        return Err(OpenError::ElectrumProxy { endpoint });
    }
    let defaults = ElectrumLimits::default();
    let limits = ElectrumLimits {
        in_flight: spec.concurrency.map_or(defaults.in_flight, Into::into),
        connect_timeout: options.limits.connect_timeout,
        answer_timeout: options.limits.idle_timeout,
        retries: options.limits.retries,
        ..defaults
    };
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .expect("an Electrum endpoint without a port is refused when read");
    let tls = url.scheme() == "ssl";
    Ok(Arc::new(ElectrumWire::new(host, port, tls, proxy, limits)))
}
