//! Somebody's index of a chain, asked for hints.

use std::collections::BTreeSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use hansel_ledger::EndpointActivity;
use hansel_wire::{EndpointKind, Wire};

use crate::history::{HintError, IndexList, index_hints};

/// A Blockscout or an Etherscan. A key that it wants is the wire's own business.
#[derive(Clone)]
pub struct Index {
    wire: Arc<dyn Wire>,
    path: String,
}

impl Index {
    /// The index of a kind behind `wire`, about the chain of this id (EIP-155); `None` for a kind that is no index.
    ///
    /// The wire's base is the host: Blockscout's interface is found below `/api`, Etherscan's below `/v2/api`.
    pub fn new(kind: EndpointKind, chain_id: u64, wire: Arc<dyn Wire>) -> Option<Self> {
        let path = match kind {
            EndpointKind::Blockscout => "/api".to_owned(),
            EndpointKind::Etherscan => format!("/v2/api?chainid={chain_id}"),
            EndpointKind::Esplora
            | EndpointKind::Core
            | EndpointKind::Electrum
            | EndpointKind::Rpc => return None,
        };
        Some(Self { wire, path })
    }

    /// Tries whether it answers as an index does.
    pub async fn try_it(&self) -> Result<(), HintError> {
        let list = (Address::ZERO, IndexList::Transactions);
        match index_hints(&*self.wire, &self.path, list, (0, 0), u64::MAX).await {
            Ok(_) | Err(HintError::TooMany { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The transactions that it names; none where it gives no hints or more than `bound`, as neither is a gap.
    pub(crate) async fn names(
        &self,
        (account, lists): (Address, &[IndexList]),
        blocks: (u64, u64),
        bound: u64,
    ) -> BTreeSet<B256> {
        let mut named = BTreeSet::new();
        for list in lists {
            let asked = (account, *list);
            let hints = index_hints(&*self.wire, &self.path, asked, blocks, bound).await;
            let told = hints.into_iter().flat_map(|hints| hints.candidates);
            named.extend(told.map(|one| one.tx));
        }
        named
    }

    pub(crate) fn activity(&self) -> EndpointActivity {
        self.wire.activity()
    }
}
