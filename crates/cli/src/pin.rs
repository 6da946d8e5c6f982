//! The block a trace speaks of: chosen once, so that every answer is about the same chain.

use anyhow::{Context as _, anyhow};
use bitcoin::constants::genesis_block;
use hansel_ledger::{BlockRef, Chain, ChainSource, ErrorClass, UnixTime};
use hansel_report::model::Unknown;
use hansel_store::{CursorState, Store};

use crate::failure::Failure;

/// Blocks that a reorganisation replaces at most on any chain: newly mined bitcoin wait as long before they may be spent.
const DEEPEST_REORGANISATION: u64 = 100;

/// Blocks of a chain that a reorganisation replaces at most, of which the hashes are kept: at least as many as make a
/// block count as settled.
pub(crate) fn window(chain: &Chain) -> u64 {
    chain.confirmations().max(DEEPEST_REORGANISATION)
}

/// A height or a time, as `--until` and `--since` take them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Height(u64),
    Time(UnixTime),
}

impl Moment {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        if let Ok(height) = text.parse() {
            return Ok(Self::Height(height));
        }
        let time = text
            .parse()
            .map_err(|_| anyhow!("`{}` is neither a height nor a time", text.escape_debug()));
        time.map(Self::Time).map_err(|cause| {
            Failure::usage(
                cause,
                "give a block height, a date as 2024-05-31, or a time as 2024-05-31T04:00:00Z",
            )
        })
    }

    /// The moment after which nothing counts that is counted `until` this one, to the second.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Height(height) => Self::Height(height.saturating_add(1)),
            Self::Time(UnixTime(seconds)) => Self::Time(UnixTime(seconds.saturating_add(1))),
        }
    }

    /// The height of the first block at or after the moment, at most one above the tip.
    pub(crate) async fn first_height(
        self,
        source: &dyn ChainSource,
        tip: &BlockRef,
    ) -> Result<u64, Failure> {
        match self {
            Self::Height(height) => Ok(height),
            Self::Time(time) => first_since(source, tip, time).await,
        }
    }
}

/// Finds the first block whose time is at or after `time`, taking block times as ascending, which they are
/// to within two hours.
async fn first_since(
    source: &dyn ChainSource,
    tip: &BlockRef,
    time: UnixTime,
) -> Result<u64, Failure> {
    let (mut low, mut high) = (0, tip.height.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        if source.block_at(middle).await?.time < time {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The newest block; `None` for recordings that do not tell it.
pub(crate) async fn tip(source: &dyn ChainSource) -> Result<Option<BlockRef>, Failure> {
    match source.tip().await {
        Ok(tip) => Ok(Some(tip)),
        Err(error) if error.class == ErrorClass::NotRecorded => Ok(None),
        Err(error) => {
            let hint = "check the network, name another --endpoint, or see `hansel endpoints`";
            let cause = anyhow::Error::from(error).context("no endpoint told the newest block");
            Err(Failure::advised(cause, hint))
        }
    }
}

/// The block up to which a trace looks: the tip, or the last block of `until`.
pub(crate) async fn as_of(
    source: &dyn ChainSource,
    tip: &BlockRef,
    until: Option<Moment>,
) -> Result<BlockRef, Failure> {
    let height = match until {
        None => return Ok(*tip),
        Some(Moment::Height(height)) => height,
        Some(moment) => {
            let after = moment.next().first_height(source, tip).await?;
            after
                .checked_sub(1)
                .ok_or_else(|| anyhow!("there is no block up to that time"))?
        }
    };
    if height >= tip.height {
        Ok(*tip)
    } else {
        Ok(source.block_at(height).await?)
    }
}

/// What a report says where the newest block is not known.
pub(crate) fn tip_unknown(chain: &Chain) -> Unknown {
    Unknown {
        subject: chain.name().to_owned(),
        kind: "tip-unknown".into(),
        detail: "the recordings do not tell up to which block spending is known".into(),
    }
}

/// Makes sure that the store and the chain mean the same network and the same branch.
///
/// Facts of blocks that are no longer part of the best chain are forgotten; their raw evidence stays.
pub(crate) async fn reconcile(
    source: &dyn ChainSource,
    store: &Store,
    chain: &Chain,
    tip: &BlockRef,
) -> Result<Option<String>, Failure> {
    // The first block of an EVM chain is its endpoint's word; the chain's id was compared already.
    let genesis = match chain.network() {
        Some(network) => genesis_block(network).block_hash(),
        None => source.block_at(0).await?.hash,
    };
    store.register_chain(chain, genesis)?;
    let (mut fork, mut newest) = (None, None);
    for header in store.known_headers(chain) {
        let (height, hash) = header?;
        let newest = *newest.get_or_insert(height);
        if height > tip.height {
            // An endpoint that is further behind is still catching up and disproves nothing.
            if newest - tip.height <= window(chain) {
                fork = Some(height);
            }
            continue;
        }
        let current = if height == tip.height {
            *tip
        } else {
            source.block_at(height).await?
        };
        if current.hash == hash {
            break;
        }
        fork = Some(height);
    }
    let Some(fork) = fork else { return Ok(None) };
    let forgotten = store.forget_from(chain, fork)?;
    Ok(Some(format!(
        "the chain was reorganised: {} facts from height {fork} on are asked again",
        forgotten.statements
    )))
}

/// The block of an unfinished run of the same request, if it is still part of the best chain.
pub(crate) async fn unfinished(
    source: &dyn ChainSource,
    store: &Store,
    chain: &Chain,
    case: &str,
    tip: &BlockRef,
) -> Result<Option<BlockRef>, Failure> {
    let Some(cursor) = store.cursor(chain, case)? else {
        return Ok(None);
    };
    if cursor.state != CursorState::Running || cursor.tip.height > tip.height {
        return Ok(None);
    }
    let current = source
        .block_at(cursor.tip.height)
        .await
        .context("cannot check the unfinished run's block")?;
    Ok((current.hash == cursor.tip.hash).then_some(cursor.tip))
}

/// Fails where the chain changed under the trace.
pub(crate) async fn still_there(source: &dyn ChainSource, as_of: &BlockRef) -> Result<(), Failure> {
    let current = match source.block_at(as_of.height).await {
        Err(error) if error.class == ErrorClass::NotRecorded => return Ok(()),
        Err(error) if error.class == ErrorClass::NotFound => None,
        Err(error) => {
            let cause = anyhow::Error::from(error)
                .context("no endpoint told whether the chain is still the same");
            return Err(Failure::advised(
                cause,
                "what was learned is kept: run the same command again",
            ));
        }
        Ok(block) => Some(block.hash),
    };
    if current == Some(as_of.hash) {
        return Ok(());
    }
    Err(Failure::advised(
        anyhow!(
            "the chain was reorganised during the trace: block {} at height {} is gone",
            as_of.hash,
            as_of.height
        ),
        "run the same command again; what did not change is not fetched again",
    ))
}
