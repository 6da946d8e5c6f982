//! How many requests may be under way at a time, which an endpoint that refuses some lowers.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Answers that earn a lost slot back.
const ANSWERS_PER_SLOT: usize = 16;

/// Places for requests under way.
pub(super) struct Slots {
    free: Semaphore,
    most: usize,
    state: Mutex<State>,
}

struct State {
    open: usize,
    /// Answers since the number was last changed.
    answers: usize,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Semaphore::new(most),
            most,
            state: Mutex::new(State {
                open: most,
                answers: 0,
            }),
        }
    }

    /// Waits for a place, which is free again when the result is dropped.
    pub(super) async fn enter(&self) -> SemaphorePermit<'_> {
        let permit = self.free.acquire().await;
        permit.expect("the semaphore is never closed")
    }

    /// Notes that the request in this place was one too many: the place is given up, if it is not the last,
    /// and another one waited for.
    pub(super) async fn refused<'a>(&'a self, place: SemaphorePermit<'a>) -> SemaphorePermit<'a> {
        if !self.shrink() {
            return place;
        }
        place.forget();
        self.enter().await
    }

    fn shrink(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.answers = 0;
        let is_last = state.open == 1;
        state.open -= usize::from(!is_last);
        !is_last
    }

    /// Notes that a request was not refused.
    pub(super) fn answered(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open == self.most {
            return;
        }
        state.answers += 1;
        if state.answers >= ANSWERS_PER_SLOT {
            state.answers = 0;
            state.open += 1;
            self.free.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refusals_take_places_away_down_to_one_and_answers_give_them_back() {
        let slots = Slots::new(3);
        for _ in 0..5 {
            let place = slots.enter().await;
            drop(slots.refused(place).await);
        }
        assert_eq!(slots.free.available_permits(), 1);
        (0..ANSWERS_PER_SLOT).for_each(|_| slots.answered());
        assert_eq!(slots.free.available_permits(), 2);
        (0..10 * ANSWERS_PER_SLOT).for_each(|_| slots.answered());
        assert_eq!(slots.free.available_permits(), 3);
    }
}
