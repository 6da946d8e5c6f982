//! Several sources of one chain as one: what one cannot answer, the next is asked.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use alloy_primitives::Address;
use async_trait::async_trait;
use bitcoin::OutPoint;
use hansel_ledger::{
    Amount, Answer, BlockRef, Called, Chain, ChainSource, Coin, EndpointActivity, ErrorClass,
    FeedPrice, Query, SourceError, UnixTime,
};

/// Failures in a row after which an endpoint that cannot be reached is asked last.
const PATIENCE: u32 = 3;
/// Marks an endpoint that contradicted itself or the question: nothing clears it.
const DISTRUSTED: u32 = u32::MAX;

/// Sources of the same chain, asked in order until one answers.
///
/// One that contradicted itself, the question or the chain is asked last for the rest of the run, and so is
/// one that could not be reached three times in a row, until it answers again.
pub struct Failover {
    first: Arc<dyn ChainSource>,
    members: Vec<Member>,
}

struct Member {
    source: Arc<dyn ChainSource>,
    /// Failures in a row that say something about the endpoint, or [`DISTRUSTED`].
    failures: AtomicU32,
}

impl Member {
    fn is_last(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= PATIENCE
    }

    fn note(&self, failure: Option<ErrorClass>) {
        let change = |failures: u32| match failure {
            _ if failures == DISTRUSTED => None,
            None => Some(0),
            Some(ErrorClass::Inconsistent) => Some(DISTRUSTED),
            Some(class) if class.is_transient() => Some((failures + 1).min(PATIENCE)),
            // It answers, even if it has no answer to this.
            Some(_) => Some(0),
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        // An error means that there was nothing to change.
        let _unchanged = self.failures.fetch_update(set, fetch, change);
    }
}

impl Failover {
    /// Asks `first`, then `others` in their order; all must read the same chain.
    pub fn new(first: Arc<dyn ChainSource>, others: Vec<Arc<dyn ChainSource>>) -> Self {
        let all = std::iter::once(Arc::clone(&first)).chain(others);
        let members = all.map(|source| Member {
            source,
            failures: AtomicU32::new(0),
        });
        Self {
            first,
            members: members.collect(),
        }
    }

    /// The members in the order in which they are asked now.
    fn order(&self) -> Vec<&Member> {
        let mut order: Vec<&Member> = self.members.iter().collect();
        order.sort_by_key(|member| member.is_last());
        order
    }

    async fn ask<'a, T, F>(
        &'a self,
        ask: impl Fn(&'a dyn ChainSource) -> F,
    ) -> Result<T, SourceError>
    where
        F: Future<Output = Result<T, SourceError>>,
    {
        let mut telling: Option<SourceError> = None;
        for member in self.order() {
            match ask(member.source.as_ref()).await {
                Ok(answer) => {
                    member.note(None);
                    return Ok(answer);
                }
                Err(error) => {
                    member.note(Some(error.class));
                    telling = Some(more_telling(telling, error));
                }
            }
        }
        Err(telling.expect("there is at least one source"))
    }
}

/// A contradiction tells most, a gap in a recording least; else the last word counts.
fn more_telling(before: Option<SourceError>, now: SourceError) -> SourceError {
    match before {
        Some(before) if weight(&before) > weight(&now) => before,
        Some(before) if before.class == ErrorClass::Inconsistent => before,
        Some(_) | None => now,
    }
}

fn weight(error: &SourceError) -> u8 {
    match error.class {
        ErrorClass::Inconsistent => 2,
        ErrorClass::NotRecorded => 0,
        ErrorClass::Unreachable
        | ErrorClass::RateLimited
        | ErrorClass::NotFound
        | ErrorClass::TooPopular
        | ErrorClass::Truncated
        | ErrorClass::Malformed
        | ErrorClass::Unsupported => 1,
    }
}

#[async_trait]
impl ChainSource for Failover {
    fn chain(&self) -> &Chain {
        self.first.chain()
    }

    async fn tip(&self) -> Result<BlockRef, SourceError> {
        self.ask(|source| source.tip()).await
    }

    async fn block_at(&self, height: u64) -> Result<BlockRef, SourceError> {
        self.ask(|source| source.block_at(height)).await
    }

    /// The first complete answer, else the one that lacks least, the earlier of equals.
    async fn answer(&self, query: &Query) -> Result<Answer, SourceError> {
        let (mut best, mut telling): (Option<Answer>, Option<SourceError>) = (None, None);
        for member in self.order() {
            match member.source.answer(query).await {
                Ok(answer) => {
                    member.note(None);
                    let lacks = answer.fact.lacks();
                    if lacks == 0 {
                        return Ok(answer);
                    }
                    if best.as_ref().is_none_or(|best| lacks < best.fact.lacks()) {
                        best = Some(answer);
                    }
                }
                Err(error) => {
                    member.note(Some(error.class));
                    telling = Some(more_telling(telling, error));
                }
            }
        }
        best.ok_or_else(|| telling.expect("there is at least one source"))
    }

    async fn raw_block(&self, block: &BlockRef) -> Result<Vec<u8>, SourceError> {
        self.ask(|source| source.raw_block(block)).await
    }

    async fn called(&self, block: &BlockRef) -> Result<Called, SourceError> {
        self.ask(|source| source.called(block)).await
    }

    async fn held(
        &self,
        accounts: &[(Address, Coin)],
        height: u64,
    ) -> Result<Vec<Amount>, SourceError> {
        self.ask(|source| source.held(accounts, height)).await
    }

    fn is_sparing_of_blocks(&self) -> bool {
        self.first.is_sparing_of_blocks()
    }

    async fn spent_in_mempool(&self, outputs: &[OutPoint]) -> Result<Vec<OutPoint>, SourceError> {
        self.ask(|source| source.spent_in_mempool(outputs)).await
    }

    async fn feed_price(
        &self,
        feed: Address,
        time: UnixTime,
    ) -> Result<Option<FeedPrice>, SourceError> {
        self.ask(|source| source.feed_price(feed, time)).await
    }

    /// Waits at the first endpoint that tells of new blocks.
    async fn block_above(&self, height: u64, patience: Duration) -> Result<bool, SourceError> {
        self.ask(|source| source.block_above(height, patience))
            .await
    }

    /// Those of the first endpoint that can be reached.
    async fn capabilities(&self) -> Result<Vec<(String, String)>, SourceError> {
        self.ask(|source| source.capabilities()).await
    }

    fn activity(&self) -> Vec<EndpointActivity> {
        let members = self.members.iter();
        members
            .flat_map(|member| member.source.activity())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansel_ledger::{Coverage, Deposits, EvmFact, EvmQuery, Fact, Gap, Noise};
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers block heights from a list of outcomes, which no real endpoint can be told to do.
    struct Scripted {
        chain: Chain,
        outcomes: Mutex<VecDeque<Result<u64, ErrorClass>>>,
        asked: AtomicU32,
    }

    impl Scripted {
        fn new(outcomes: impl IntoIterator<Item = Result<u64, ErrorClass>>) -> Arc<Self> {
            Arc::new(Self {
                chain: Chain::bitcoin(),
                outcomes: Mutex::new(outcomes.into_iter().collect()),
                asked: AtomicU32::new(0),
            })
        }

        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[async_trait]
    impl ChainSource for Scripted {
        fn chain(&self) -> &Chain {
            &self.chain
        }

        async fn tip(&self) -> Result<BlockRef, SourceError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let outcome = self.outcomes.lock().unwrap().pop_front().unwrap();
            let genesis = bitcoin::constants::genesis_block(bitcoin::Network::Bitcoin);
            outcome
                .map(|height| BlockRef {
                    height,
                    hash: genesis.block_hash(),
                    time: hansel_ledger::UnixTime(0),
                })
                .map_err(|class| SourceError {
                    class,
                    endpoint: "e".into(),
                    request: "r".into(),
                    detail: "d".into(),
                })
        }

        async fn block_at(&self, _: u64) -> Result<BlockRef, SourceError> {
            self.tip().await
        }

        /// The outcome is the number of gaps.
        async fn answer(&self, _: &Query) -> Result<Answer, SourceError> {
            let gaps = self.tip().await?.height;
            let gap = |block| Gap::NoState { block };
            let fact = Fact::Evm(EvmFact::Deposits(Deposits {
                address: Default::default(),
                since: 0,
                until: 9,
                arrivals: Vec::new(),
                noise: Noise::default(),
                coverage: Coverage {
                    complete_through: Some(9),
                    gaps: (0..gaps).map(gap).collect(),
                },
            }));
            Ok(Answer {
                fact,
                evidence: Vec::new(),
            })
        }

        fn activity(&self) -> Vec<EndpointActivity> {
            Vec::new()
        }
    }

    async fn heights(failover: &Failover, times: usize) -> Vec<Result<u64, ErrorClass>> {
        let mut heights = Vec::new();
        for _ in 0..times {
            let tip = failover.tip().await;
            heights.push(tip.map(|tip| tip.height).map_err(|error| error.class));
        }
        heights
    }

    #[tokio::test]
    async fn every_failure_leads_to_the_next_source() {
        for class in [
            ErrorClass::Unreachable,
            ErrorClass::RateLimited,
            ErrorClass::NotFound,
            ErrorClass::TooPopular,
            ErrorClass::Truncated,
            ErrorClass::Malformed,
            ErrorClass::Inconsistent,
            ErrorClass::Unsupported,
            ErrorClass::NotRecorded,
        ] {
            let failover = Failover::new(Scripted::new([Err(class)]), vec![Scripted::new([Ok(2)])]);
            assert_eq!(heights(&failover, 1).await, [Ok(2)], "{class:?}");
        }
    }

    #[tokio::test]
    async fn a_source_that_contradicted_itself_is_asked_last_from_then_on() {
        let liar = Scripted::new([Err(ErrorClass::Inconsistent), Ok(9), Ok(9)]);
        let honest = Scripted::new([Ok(1), Ok(2), Err(ErrorClass::NotFound), Ok(4)]);
        let failover = Failover::new(liar.clone(), vec![honest]);
        assert_eq!(heights(&failover, 4).await, [Ok(1), Ok(2), Ok(9), Ok(4)]);
        assert_eq!(liar.asked(), 2);
    }

    #[tokio::test]
    async fn a_source_that_is_gone_is_asked_last_until_it_answers_again() {
        let gone = Err(ErrorClass::Unreachable);
        let first = Scripted::new([gone, gone, gone, Ok(10), Ok(11)]);
        let second = Scripted::new([Ok(1), Ok(2), Ok(3), Ok(4), gone]);
        let failover = Failover::new(first.clone(), vec![second]);
        assert_eq!(heights(&failover, 4).await, [Ok(1), Ok(2), Ok(3), Ok(4)]);
        assert_eq!(first.asked(), 3);
        assert_eq!(heights(&failover, 2).await, [Ok(10), Ok(11)]);
    }

    #[tokio::test]
    async fn an_answer_with_gaps_is_asked_of_the_next_source_and_the_best_is_kept() {
        let query = Query::Evm(EvmQuery::Deposits {
            address: Default::default(),
            since: 0,
            until: 9,
        });
        let failed = Err(ErrorClass::Unreachable);
        for (outcomes, kept, asked) in [
            ([Ok(2), Ok(0), Ok(1)], 0, [1, 1, 0]),
            ([Ok(2), failed, Ok(1)], 1, [1, 1, 1]),
            ([Ok(1), Ok(2), failed], 1, [1, 1, 1]),
        ] {
            let sources = outcomes.map(|outcome| Scripted::new([outcome]));
            let [first, second, third] = sources.clone();
            let failover = Failover::new(first, vec![second, third]);
            let answer = failover.answer(&query).await.unwrap();
            assert_eq!(answer.fact.lacks(), kept, "{outcomes:?}");
            assert_eq!(sources.map(|source| source.asked()), asked);
        }
    }

    #[tokio::test]
    async fn the_most_telling_failure_is_the_one_that_is_told() {
        use ErrorClass::{Inconsistent, NotFound, NotRecorded, Unreachable};
        for (failures, told) in [
            ([NotFound, Unreachable], Unreachable),
            ([Inconsistent, NotFound], Inconsistent),
            ([NotFound, Inconsistent], Inconsistent),
            ([NotFound, NotRecorded], NotFound),
            ([NotRecorded, NotFound], NotFound),
        ] {
            let [first, second] = failures.map(|class| Scripted::new([Err(class)]));
            let failover = Failover::new(first, vec![second]);
            assert_eq!(heights(&failover, 1).await, [Err(told)], "{failures:?}");
        }
    }
}
