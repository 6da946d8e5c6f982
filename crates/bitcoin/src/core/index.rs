//! Makes sure that an index has come far enough to be asked.

use std::time::Duration;

use hansel_ledger::{ErrorClass, SourceError};
use serde_json::json;
use tokio::time::sleep;

use super::CoreSource;
use super::answers::IndexInfo;
use crate::conversation::Conversation;

/// How often and how long a lagging index is waited for: it follows a new block within moments, or it is
/// being built, which takes hours.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(200);

impl CoreSource {
    /// Waits up to 20 s until the index `name` covers `height`.
    ///
    /// An index that lags answers as if nothing had happened since, so it is asked before every use.
    pub(super) async fn wait_for_index(
        &self,
        talk: &Conversation<'_>,
        name: &str,
        height: u64,
    ) -> Result<(), SourceError> {
        let mut reached = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                sleep(PAUSE).await;
            }
            reached = index_height(talk, name).await?;
            if reached.is_some_and(|reached| reached >= height) {
                return Ok(());
            }
        }
        let reached = reached.map_or("nothing yet".to_owned(), |height| {
            format!("height {height}")
        });
        let detail =
            format!("the index covers {reached}, not height {height}: wait until it is built");
        Err(talk.failure(
            ErrorClass::Unreachable,
            "getindexinfo",
            &json!([name]),
            detail,
        ))
    }
}

/// The height an index has reached; `None` where it is not there or not synchronised.
pub(super) async fn index_height(
    talk: &Conversation<'_>,
    name: &str,
) -> Result<Option<u64>, SourceError> {
    let indexes: IndexInfo = talk.call("getindexinfo", json!([name])).await?;
    let index = indexes.get(name).filter(|index| index.synced);
    Ok(index.map(|index| index.best_block_height))
}
