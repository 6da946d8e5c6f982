//! Asks a part's chain a question of its own, outside of a trace: from the store where it has the answer.

use hansel_ledger::{EvmFact, EvmQuery, EvmTransaction, Fact, Query, TransactionStatement};

use crate::drive::now;
use crate::failure::Failure;
use crate::leg::Leg;

/// The answer, or why there is none, safe to print.
pub(super) async fn ask(leg: &Leg<'_>, query: &Query) -> Result<Result<Fact, String>, Failure> {
    let told = find(leg, query).await?;
    leg.note(query, told.as_ref().ok());
    Ok(told)
}

async fn find(leg: &Leg<'_>, query: &Query) -> Result<Result<Fact, String>, Failure> {
    let part = &leg.part;
    let kept = part.session.store.zip(leg.as_of);
    if let Some((store, pinned)) = &kept
        && let Some(fact) = store.answer(&part.chain, query, pinned)?
    {
        return Ok(Ok(fact));
    }
    let asked = async { Ok(part.source.answer(query).await) };
    let answer = match part.interrupt.or(asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(Err(error.class.reason().to_owned())),
        // Whoever wishes to stop is told what is known so far.
        Err(_) => return Ok(Err("interrupted".into())),
    };
    if let Some((store, pinned)) = &kept {
        store.put_answer(&part.chain, query, &answer, pinned, now())?;
    }
    Ok(Ok(answer.fact))
}

/// A Bitcoin transaction.
pub(super) async fn output_transaction(
    leg: &Leg<'_>,
    txid: bitcoin::Txid,
    height: Option<u64>,
) -> Result<Result<TransactionStatement, String>, Failure> {
    let query = Query::Transaction { txid, height };
    Ok(ask(leg, &query).await?.and_then(|fact| match fact {
        Fact::Transaction(statement) if statement.txid == txid => Ok(statement),
        _ => Err("an answer of another kind than the question".into()),
    }))
}

/// An EVM transaction.
pub(super) async fn account_transaction(
    leg: &Leg<'_>,
    hash: alloy_primitives::B256,
) -> Result<Result<EvmTransaction, String>, Failure> {
    let query = Query::Evm(EvmQuery::Transaction { hash });
    Ok(ask(leg, &query).await?.and_then(|fact| match fact {
        Fact::Evm(EvmFact::Transaction(tx)) if tx.hash == hash => Ok(tx),
        _ => Err("an answer of another kind than the question".into()),
    }))
}
