//! A request that failed, and how long to wait before the next try.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use hansel_ledger::ErrorClass;

use super::Limits;

/// The longest pause that the client chooses by itself.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

/// One failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setback {
    pub(super) class: ErrorClass,
    /// What happened, in words that do not name the endpoint.
    pub(super) detail: String,
    /// How long the endpoint asks to wait.
    pub(super) pause: Option<Duration>,
}

impl Setback {
    pub(super) fn new(class: ErrorClass, detail: impl Into<String>) -> Self {
        Self {
            class,
            detail: detail.into(),
            pause: None,
        }
    }
}

/// What is left of the tries and the waiting time of one request.
pub(super) struct Patience {
    delays: ExponentialBackoff,
    longest_pause: Duration,
    left: Duration,
}

impl Patience {
    pub(super) fn new(limits: &Limits) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(limits.back_off)
            .with_max_delay(LONGEST_BACK_OFF)
            .with_max_times(usize::try_from(limits.retries).unwrap_or(usize::MAX))
            .with_jitter();
        Self {
            delays: delays.build(),
            longest_pause: limits.longest_pause,
            left: limits.patience,
        }
    }

    /// How long to wait before the next try; `None` where there is none.
    pub(super) fn pause(&mut self, setback: &Setback) -> Option<Duration> {
        if !setback.class.is_transient() {
            return None;
        }
        let own = self.delays.next()?;
        let asked = setback.pause.unwrap_or_default().min(self.longest_pause);
        let pause = own.max(asked);
        self.left = self.left.checked_sub(pause)?;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(seconds: u64) -> Setback {
        Setback {
            pause: Some(Duration::from_secs(seconds)),
            ..Setback::new(ErrorClass::RateLimited, "")
        }
    }

    #[test]
    fn an_endpoint_is_given_the_pause_it_asks_for_but_never_more_than_the_limit() {
        let mut patience = Patience::new(&Limits::default());
        assert_eq!(patience.pause(&refused(7)), Some(Duration::from_secs(7)));
        assert_eq!(
            patience.pause(&refused(86_400)),
            Some(Duration::from_secs(120))
        );
    }

    #[test]
    fn tries_and_waiting_time_end() {
        let limits = Limits {
            retries: 2,
            ..Limits::default()
        };
        let mut patience = Patience::new(&limits);
        let lost = Setback::new(ErrorClass::Unreachable, "");
        assert!(
            patience
                .pause(&lost)
                .is_some_and(|pause| pause >= limits.back_off)
        );
        assert!(
            patience
                .pause(&lost)
                .is_some_and(|pause| pause >= limits.back_off * 2)
        );
        assert_eq!(patience.pause(&lost), None);
        let mut patience = Patience::new(&Limits::default());
        assert!(patience.pause(&refused(120)).is_some());
        assert!(patience.pause(&refused(120)).is_some());
        assert_eq!(
            patience.pause(&refused(120)),
            None,
            "360 s are more than 300 s"
        );
    }

    #[test]
    fn a_failure_that_does_not_pass_is_not_waited_for() {
        let mut patience = Patience::new(&Limits::default());
        assert_eq!(
            patience.pause(&Setback::new(ErrorClass::NotFound, "")),
            None
        );
    }
}
