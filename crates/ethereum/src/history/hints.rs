//! Asks a Blockscout or an Etherscan for hints.

use alloy_primitives::Address;
use hansel_ledger::SourceError;
use hansel_wire::{Request, Wire};

use super::{Hints, IndexList, IndexWalk, NoList, Step};

/// Says that an index gave no hints, which is no gap: whatever it names is found on the chain as well.
#[derive(Debug, thiserror::Error)]
pub enum HintError {
    /// The index did not answer.
    #[error(transparent)]
    Wire(#[from] SourceError),
    /// The index answered with something else than a list.
    #[error(transparent)]
    NoList(#[from] NoList),
    /// The index names more than was looked for.
    #[error("more than {bound} transactions")]
    TooMany {
        /// How many were allowed.
        bound: u64,
    },
}

/// Asks a Blockscout or Etherscan for one list of an account over blocks `since..=until`.
///
/// `path` is that of the interface below the wire's base, as in `/api` or `/v2/api?chainid=1`. It is part of errors
/// and recordings, so it must hold no key: Blockscout needs none, and a wire that adds one has to keep it to itself.
pub async fn index_hints(
    wire: &dyn Wire,
    path: &str,
    (account, list): (Address, IndexList),
    (since, until): (u64, u64),
    bound: u64,
) -> Result<Hints, HintError> {
    let most = usize::try_from(bound).unwrap_or(usize::MAX);
    let mut walk = IndexWalk::new(account, list, (since, until), most);
    let joint = if path.contains('?') { '&' } else { '?' };
    while let Some(query) = walk.ask() {
        let request = Request::get(format!("{path}{joint}{query}"));
        let body = wire.send(&request).await?;
        // What is wrong with it is in nobody's interest, and its text may be hostile.
        let answer = serde_json::from_slice(&body).map_err(|_| NoList)?;
        if walk.answered(answer)? == Step::TooMany {
            return Err(HintError::TooMany { bound });
        }
    }
    Ok(walk.finish())
}
