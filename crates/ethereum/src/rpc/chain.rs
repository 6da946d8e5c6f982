//! Makes sure that an endpoint serves the chain it is asked about.

use hansel_ledger::{ErrorClass, EvmNetwork};
use serde_json::json;

use super::{RpcFailure, RpcKind, Talk};

const METHOD: &str = "eth_chainId";

/// Fails with [`ErrorClass::Inconsistent`], naming both ids, where the endpoint serves another chain.
pub async fn recognise_chain(talk: &Talk<'_>, network: &EvmNetwork) -> Result<(), RpcFailure> {
    let params = json!([]);
    let told: String = talk.call(METHOD, params.clone()).await?;
    let digits = told.strip_prefix("0x");
    let id = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let Some(id) = id else {
        let detail = "not a chain's id";
        return Err(talk.failure(
            RpcKind::Malformed,
            ErrorClass::Malformed,
            METHOD,
            &params,
            detail,
        ));
    };
    if id == network.chain_id {
        return Ok(());
    }
    let wanted = network.chain_id;
    let detail = format!("the endpoint serves the chain of id {id}, asked for is {wanted}");
    let class = ErrorClass::Inconsistent;
    Err(talk.failure(RpcKind::Other, class, METHOD, &params, detail))
}
