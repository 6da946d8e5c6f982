//! Runs walks against an endpoint, several pieces at a time. How a piece is asked for is the caller's.

use std::future::Future;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::{
    Advice, Blocks, Contradiction, FoundLogs, LogWalk, Reach, Step, TooNarrow, Touch, TraceAsk,
    TraceWalk,
};
use crate::decode::{FlatTrace, LogLean};

/// Says why a walk did not come to its end.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum WalkError<E> {
    /// The endpoint did not answer, or cannot.
    #[error("{0}")]
    Endpoint(E),
    /// The endpoint's answers cannot be true; nothing of them is used.
    #[error("{0}")]
    Inconsistent(Contradiction),
    /// The endpoint answers for too few blocks at once.
    #[error("{0}")]
    TooNarrow(TooNarrow),
    /// There is more than was looked for.
    #[error("there is more than was looked for")]
    TooMany,
}

/// What an endpoint says to a question about blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply<T> {
    /// The answer.
    Told(T),
    /// It refuses so many blocks or rows at once; see [`Advice::of`]. An error of any other kind is no such reply,
    /// not even one that asks for fewer requests.
    TooWide(Advice),
}

/// A piece of a walk over logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogPiece {
    /// `eth_getLogs` of the walk's filter over these blocks.
    Range(Blocks),
    /// All logs of the block at this height, by its receipts.
    Block(u64),
}

/// A piece of a walk over traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TracePiece {
    /// `trace_filter` with the walk's parameters for this request.
    Range(TraceAsk),
    /// `trace_block` at this height.
    Block(u64),
}

/// Walks to the end, with at most `at_once` pieces under way.
pub async fn walk_logs<E, F: Future<Output = Result<Reply<Vec<LogLean>>, E>>>(
    mut walk: LogWalk,
    at_once: usize,
    ask: impl Fn(LogPiece) -> F,
) -> Result<FoundLogs, WalkError<E>> {
    let under_way = |piece| {
        let answer = ask(piece);
        async move { (piece, answer.await) }
    };
    let mut open = FuturesUnordered::new();
    loop {
        while open.len() < at_once.max(1)
            && let Some(blocks) = walk.ask().map_err(WalkError::TooNarrow)?
        {
            open.push(under_way(LogPiece::Range(blocks)));
        }
        let Some((piece, outcome)) = open.next().await else {
            break;
        };
        let reply = outcome.map_err(WalkError::Endpoint)?;
        match log_step(&mut walk, piece, reply).map_err(WalkError::Inconsistent)? {
            Step::Next => {}
            Step::ReadBlock(height) => open.push(under_way(LogPiece::Block(height))),
            Step::TooMany => return Err(WalkError::TooMany),
        }
    }
    walk.finish().map_err(WalkError::Inconsistent)
}

fn log_step(
    walk: &mut LogWalk,
    piece: LogPiece,
    reply: Reply<Vec<LogLean>>,
) -> Result<Step, Contradiction> {
    match (piece, reply) {
        (LogPiece::Range(blocks), Reply::Told(logs)) => walk.answered(blocks, logs),
        (LogPiece::Range(blocks), Reply::TooWide(advice)) => Ok(walk.refused(blocks, advice)),
        (LogPiece::Block(height), Reply::Told(logs)) => walk.read(height, logs),
        (LogPiece::Block(height), Reply::TooWide(_)) => Err(refused_block("receipts", height)),
    }
}

/// Walks to the end, with at most `at_once` pieces under way. Returns what was found, ascending by block, and what
/// was learned of the endpoint.
pub async fn walk_traces<E, F: Future<Output = Result<Reply<Vec<FlatTrace>>, E>>>(
    mut walk: TraceWalk,
    at_once: usize,
    ask: impl Fn(TracePiece) -> F,
) -> Result<(Vec<Touch>, Reach), WalkError<E>> {
    let under_way = |piece| {
        let answer = ask(piece);
        async move { (piece, answer.await) }
    };
    let mut open = FuturesUnordered::new();
    loop {
        while open.len() < at_once.max(1)
            && let Some(part) = walk.ask().map_err(WalkError::TooNarrow)?
        {
            open.push(under_way(TracePiece::Range(part)));
        }
        let Some((piece, outcome)) = open.next().await else {
            break;
        };
        let reply = outcome.map_err(WalkError::Endpoint)?;
        match trace_step(&mut walk, piece, reply).map_err(WalkError::Inconsistent)? {
            Step::Next => {}
            Step::ReadBlock(height) => open.push(under_way(TracePiece::Block(height))),
            Step::TooMany => return Err(WalkError::TooMany),
        }
    }
    Ok(walk.finish())
}

fn trace_step(
    walk: &mut TraceWalk,
    piece: TracePiece,
    reply: Reply<Vec<FlatTrace>>,
) -> Result<Step, Contradiction> {
    match (piece, reply) {
        (TracePiece::Range(ask), Reply::Told(traces)) => walk.answered(ask, &traces),
        (TracePiece::Range(ask), Reply::TooWide(advice)) => Ok(walk.refused(ask, advice)),
        (TracePiece::Block(height), Reply::Told(traces)) => walk.read(height, &traces),
        (TracePiece::Block(height), Reply::TooWide(_)) => Err(refused_block("traces", height)),
    }
}

/// A single block is neither too wide nor told in part.
fn refused_block(what: &'static str, height: u64) -> Contradiction {
    Contradiction::Nothing {
        what,
        first: height,
        last: height,
    }
}
