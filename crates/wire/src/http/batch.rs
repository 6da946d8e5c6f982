//! Many calls in few round trips, as large as the endpoint lets a batch be.

use std::sync::atomic::Ordering;

use futures::future::{BoxFuture, FutureExt, join_all};
use hansel_ledger::SourceError;

use super::HttpWire;
use super::post::{JsonRpc, Post, answers};
use super::setback::Setback;
use crate::wire::failure;
use crate::{Request, Wire};

/// Calls in a batch, until the endpoint refuses so many.
pub(super) const LONGEST_BATCH: usize = 50;

type Outcome = Result<Vec<u8>, SourceError>;

impl HttpWire {
    pub(super) async fn batches(&self, requests: &[Request]) -> Vec<Outcome> {
        let longest = self.longest_batch.load(Ordering::Relaxed).max(1);
        let parts = requests.chunks(longest).map(|part| self.part(part));
        join_all(parts).await.into_iter().flatten().collect()
    }

    /// Sends one batch; in halves where the endpoint does not want so long a one or its answer is too long.
    fn part<'a>(&'a self, requests: &'a [Request]) -> BoxFuture<'a, Vec<Outcome>> {
        async move {
            let calls = self.version == JsonRpc::V2 && requests.iter().all(Request::is_call);
            if requests.len() < 2 || !calls {
                return join_all(requests.iter().map(|request| self.send(request))).await;
            }
            match self.exchanged(requests).await {
                Ok(found) => self.completed(requests, found).await,
                Err(setback) if setback.class.is_transient() => self.all_failed(requests, &setback),
                Err(_) => self.halves(requests).await,
            }
        }
        .boxed()
    }

    async fn exchanged(&self, requests: &[Request]) -> Result<Vec<Option<Vec<u8>>>, Setback> {
        let body = self.persist(Post::Batch(requests)).await?;
        answers(&body, requests.len())
    }

    /// Asks again, each by itself, for what the batch left open.
    async fn completed(&self, requests: &[Request], found: Vec<Option<Vec<u8>>>) -> Vec<Outcome> {
        let outcomes = requests.iter().zip(found).map(|(request, found)| async {
            match found {
                Some(body) => {
                    self.tally.answered();
                    Ok(body)
                }
                None => self.send(request).await,
            }
        });
        join_all(outcomes).await
    }

    async fn halves(&self, requests: &[Request]) -> Vec<Outcome> {
        let half = requests.len().div_ceil(2);
        self.longest_batch.fetch_min(half, Ordering::Relaxed);
        let (first, second) = requests.split_at(half);
        let (mut first, second) = futures::join!(self.part(first), self.part(second));
        first.extend(second);
        first
    }

    fn all_failed(&self, requests: &[Request], setback: &Setback) -> Vec<Outcome> {
        let fail = |request: &Request| {
            self.tally.failed(setback.class);
            let detail = &setback.detail;
            Err(failure(setback.class, &self.endpoint, request, detail))
        };
        requests.iter().map(fail).collect()
    }
}
