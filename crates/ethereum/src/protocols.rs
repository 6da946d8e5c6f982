//! How the endpoints of an EVM chain are reached and read.

use std::sync::Arc;

use hansel_ledger::{Chain, ChainSource};
use hansel_wire::{
    EndpointKind, EndpointSpec, Named, OpenError, OpenOptions, Paces, Protocols, Wire,
};

use crate::wire::evm_wire;
use crate::{EvmSource, Index};

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
        self.hinted(chain, (kind, wire), &[])
    }

    fn indexes(&self) -> &'static [EndpointKind] {
        &[EndpointKind::Blockscout, EndpointKind::Etherscan]
    }

    fn hinted(
        &self,
        chain: &Chain,
        (kind, wire): Named,
        indexes: &[Named],
    ) -> Option<Arc<dyn ChainSource>> {
        if !self.kinds().contains(&kind) {
            return None;
        }
        let chain_id = chain.evm()?.chain_id;
        let index = |(kind, wire): &Named| Index::new(*kind, chain_id, Arc::clone(wire));
        let indexes = indexes.iter().filter_map(index).collect();
        let source = EvmSource::new(chain.clone(), wire)?.with_indexes(indexes);
        Some(Arc::new(source))
    }
}
