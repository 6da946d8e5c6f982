//! How the endpoints of an EVM chain are reached and read.

use std::sync::Arc;

use hansel_ledger::{Chain, ChainSource};
use hansel_wire::{EndpointKind, EndpointSpec, OpenError, OpenOptions, Paces, Protocols, Wire};

use crate::EvmSource;
use crate::wire::evm_wire;

/// The protocol of EVM endpoints: JSON-RPC over HTTP, WebSocket or a local socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct EthereumProtocols;

impl Protocols for EthereumProtocols {
    fn kinds(&self) -> &'static [EndpointKind] {
        &[EndpointKind::Rpc]
    }

    fn wire(
        &self,
        spec: &EndpointSpec,
        options: &OpenOptions,
        paces: &Paces,
    ) -> Result<Arc<dyn Wire>, OpenError> {
        evm_wire(spec, options, paces)
    }

    fn source(
        &self,
        chain: &Chain,
        kind: EndpointKind,
        wire: Arc<dyn Wire>,
    ) -> Option<Arc<dyn ChainSource>> {
        if !self.kinds().contains(&kind) {
            return None;
        }
        let source = EvmSource::new(chain.clone(), wire)?;
        Some(Arc::new(source))
    }
}
