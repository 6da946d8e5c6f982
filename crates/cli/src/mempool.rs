//! Early warnings: transactions that wait to be mined and spend what cases watch.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::OutPoint;
use hansel_ledger::{BlockRef, ChainSource, ErrorClass, Fact, Query, SpendState};
use hansel_store::Store;

use crate::drive::now;
use crate::failure::Failure;
use crate::watch::{Key, Note};

/// Why a case is traced again.
const WAITING: &str = "a transaction that waits to be mined moves it";

/// Things watched beyond which the mempool is not looked at: it is asked of each again and again.
const MOST_WATCHED: u64 = 100_000;

/// Looks for spends of watched outputs in the mempool, and has the cases traced again that do not know of them; returns
/// their names. Endpoints that do not tell that of many outputs at once tell nothing.
pub(crate) async fn warn(
    store: &Store,
    source: &dyn ChainSource,
) -> Result<BTreeSet<String>, Failure> {
    let chain = source.chain();
    let mut warned = BTreeSet::new();
    if chain.evm().is_some() || store.about_watched()? > MOST_WATCHED {
        return Ok(warned);
    }
    let Some(newest) = store.passed(chain)? else {
        return Ok(warned);
    };
    let outputs = outputs(store, source)?;
    let asked: Vec<OutPoint> = outputs.iter().copied().collect();
    let spent = match source.spent_in_mempool(&asked).await {
        Err(error) if error.class == ErrorClass::Unsupported => return Ok(warned),
        spent => spent?,
    };
    for outpoint in spent.into_iter().filter(|one| outputs.contains(one)) {
        let key = Key::Output(outpoint).to_bytes();
        for watcher in store.watchers(chain, &key)? {
            let follows = store.cursor(chain, &watcher.case)?;
            let follows = follows.is_some_and(|cursor| cursor.follows);
            if !follows || store.due(&watcher.case)?.is_some() {
                continue;
            }
            if learn(store, source, outpoint, &watcher.note, &newest).await? {
                warned.insert(watcher.case);
            }
        }
    }
    let due = warned.iter().map(|name| (name.clone(), WAITING.to_owned()));
    store.put_due(&due.collect::<BTreeMap<_, _>>())?;
    Ok(warned)
}

/// The outputs that cases watch.
fn outputs(store: &Store, source: &dyn ChainSource) -> Result<BTreeSet<OutPoint>, Failure> {
    let mut outputs = BTreeSet::new();
    for watch in store.watched(source.chain()) {
        if let Key::Output(outpoint) = Key::from_bytes(&watch?.key)? {
            outputs.insert(outpoint);
        }
    }
    Ok(outputs)
}

/// Keeps what waits to spend an output, with its evidence, in the place of "unspent"; false where nothing does any more.
async fn learn(
    store: &Store,
    source: &dyn ChainSource,
    outpoint: OutPoint,
    note: &str,
    newest: &BlockRef,
) -> Result<bool, Failure> {
    let Note::Output { height, script } = Note::parse(note)? else {
        return Ok(false);
    };
    let query = Query::Spends {
        txid: outpoint.txid,
        height,
        outputs: vec![(outpoint.vout, script)],
        as_of: newest.height,
    };
    let answer = source.answer(&query).await?;
    let Fact::Spends(spends) = &answer.fact else {
        return Ok(false);
    };
    let waits =
        |(_, state): &(u32, SpendState)| matches!(state, SpendState::SpentUnconfirmed { .. });
    if !spends.outputs.iter().any(waits) {
        return Ok(false);
    }
    store.put_answer(source.chain(), &query, &answer, newest, now())?;
    Ok(true)
}
