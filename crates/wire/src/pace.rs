//! How fast a host is asked: its rate, the pauses it asks for, and whether it is worth asking at all.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hansel_ledger::ErrorClass;
use tokio::time::{Instant, sleep_until};

/// For how long a host that gave no answer to a persistent request is not asked again.
const REST: Duration = Duration::from_secs(30);

/// The pace of one host, shared by all its endpoints.
pub(crate) struct HostPace {
    rate: Option<DefaultDirectRateLimiter>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// No request is started before.
    held_until: Option<Instant>,
    answered: Option<Instant>,
    /// Persistent requests that were given up since the last answer.
    given_up: u32,
    /// Requests that wait are turned away until then.
    down: Option<(ErrorClass, Instant)>,
}

enum Leave {
    Go,
    Wait(Instant),
    Down(ErrorClass),
}

impl HostPace {
    pub(crate) fn new(requests_per_second: Option<NonZeroU32>) -> Self {
        Self {
            rate: requests_per_second.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            state: Mutex::default(),
        }
    }

    /// Waits until so many requests may be started at once; fails where the host has just been given up.
    pub(crate) async fn ready_for(&self, requests: usize) -> Result<(), ErrorClass> {
        let mut paid = false;
        loop {
            match self.leave() {
                Leave::Down(class) => return Err(class),
                Leave::Wait(until) => sleep_until(until).await,
                Leave::Go if paid => return Ok(()),
                Leave::Go => {
                    self.pay(requests).await;
                    paid = true;
                }
            }
        }
    }

    async fn pay(&self, requests: usize) {
        if let Some(rate) = &self.rate {
            for _ in 0..requests {
                rate.until_ready().await;
            }
        }
    }

    /// Lets no request start for a while: what one is told holds for all.
    pub(crate) fn hold(&self, pause: Duration) {
        self.change(|state| {
            let until = Some(Instant::now() + pause);
            state.held_until = state.held_until.max(until);
        });
    }

    /// Notes that the host answers.
    pub(crate) fn answered(&self) {
        self.change(|state| {
            state.answered = Some(Instant::now());
            state.given_up = 0;
            state.down = None;
        });
    }

    /// Notes that a request tried since `started` was given up. Where the host answered nothing else either
    /// in all that time, and another request was given up as well, the requests that wait need not find that
    /// out one by one. A single one may be the host's only weak spot.
    pub(crate) fn gave_up(&self, class: ErrorClass, started: Instant) {
        self.change(|state| {
            if state.answered.is_none_or(|answered| answered < started) {
                state.given_up += 1;
            }
            if state.given_up > 1 {
                state.down = Some((class, Instant::now() + REST));
            }
        });
    }

    fn leave(&self) -> Leave {
        let now = Instant::now();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (state.down, state.held_until) {
            (Some((class, until)), _) if now < until => Leave::Down(class),
            (_, Some(until)) if now < until => Leave::Wait(until),
            _ => Leave::Go,
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The paces of all hosts of a run.
#[derive(Default)]
pub struct Paces(Mutex<BTreeMap<String, Arc<HostPace>>>);

impl Paces {
    /// The pace of `host`; the rate named first holds for all its endpoints.
    pub(crate) fn of(&self, host: &str, requests_per_second: Option<NonZeroU32>) -> Arc<HostPace> {
        let mut paces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces
            .entry(host.to_owned())
            .or_insert_with(|| Arc::new(HostPace::new(requests_per_second)));
        Arc::clone(pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_one_request_is_told_holds_for_all_endpoints_of_the_host() {
        let paces = Paces::default();
        let started = Instant::now();
        paces
            .of("one.example", None)
            .hold(Duration::from_millis(1_000));
        paces.of("two.example", None).ready_for(1).await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(900));
        paces.of("one.example", None).ready_for(1).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(1_000));
    }

    #[tokio::test]
    async fn requests_are_started_no_faster_than_the_rate() {
        let pace = HostPace::new(NonZeroU32::new(20));
        let started = Instant::now();
        for _ in 0..30 {
            pace.ready_for(1).await.unwrap();
        }
        // Twenty at once, then one every 50 ms.
        assert!(started.elapsed() >= Duration::from_millis(450));
    }

    #[tokio::test]
    async fn a_host_that_answers_nothing_is_left_alone_and_one_that_answers_something_is_not() {
        let pace = HostPace::new(None);
        let started = Instant::now();
        pace.answered();
        pace.gave_up(ErrorClass::Unreachable, started);
        assert_eq!(pace.ready_for(1).await, Ok(()));
        pace.gave_up(ErrorClass::RateLimited, Instant::now());
        assert_eq!(pace.ready_for(1).await, Ok(()), "others may be answered");
        pace.gave_up(ErrorClass::RateLimited, Instant::now());
        assert_eq!(pace.ready_for(1).await, Err(ErrorClass::RateLimited));
        pace.answered();
        assert_eq!(pace.ready_for(1).await, Ok(()));
    }
}
