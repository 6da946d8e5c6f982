//! A bounded shelf of answers that several questions share.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Keeps the answers used last. Equal questions asked at once are sent once; failures are not kept.
pub(crate) struct Shelf<K, V> {
    room: usize,
    places: Mutex<Places<K, V>>,
}

struct Places<K, V> {
    /// Counts the questions, to tell which place was used last.
    clock: u64,
    by_key: BTreeMap<K, (u64, Arc<OnceCell<V>>)>,
    by_use: BTreeMap<u64, K>,
}

impl<K: Ord + Clone, V: Clone> Shelf<K, V> {
    /// A shelf with room for so many answers.
    pub(crate) fn new(room: usize) -> Self {
        let places = Places {
            clock: 0,
            by_key: BTreeMap::new(),
            by_use: BTreeMap::new(),
        };
        Self {
            room,
            places: Mutex::new(places),
        }
    }

    /// The answer kept under `key`, or what `fetch` brings.
    pub(crate) async fn get<E>(
        &self,
        key: K,
        fetch: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let place = self.place(key);
        place.get_or_try_init(|| fetch).await.cloned()
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.by_key.clear();
        places.by_use.clear();
    }

    fn place(&self, key: K) -> Arc<OnceCell<V>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.take(key, self.room)
    }
}

impl<K: Ord + Clone, V> Places<K, V> {
    fn take(&mut self, key: K, room: usize) -> Arc<OnceCell<V>> {
        self.clock += 1;
        let place = match self.by_key.get(&key) {
            Some((used, place)) => {
                self.by_use.remove(used);
                Arc::clone(place)
            }
            None => Arc::default(),
        };
        self.by_use.insert(self.clock, key.clone());
        self.by_key.insert(key, (self.clock, Arc::clone(&place)));
        while self.by_key.len() > room {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                break;
            };
            self.by_key.remove(&oldest);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn ask(shelf: &Shelf<u64, u64>, key: u64, asked: &AtomicU32) -> Result<u64, ()> {
        let fetch = async {
            asked.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(key * 10)
        };
        shelf.get(key, fetch).await
    }

    #[tokio::test]
    async fn equal_questions_asked_at_once_are_sent_once() {
        let (shelf, asked) = (Shelf::new(2), AtomicU32::new(0));
        let all = futures::future::join_all((0..5).map(|_| ask(&shelf, 7, &asked))).await;
        assert_eq!(all, vec![Ok(70); 5]);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn the_answer_used_longest_ago_makes_room() {
        let (shelf, asked) = (Shelf::new(2), AtomicU32::new(0));
        for key in [1, 2, 1, 3, 1, 2] {
            assert_eq!(ask(&shelf, key, &asked).await, Ok(key * 10));
        }
        // 1 and 2 are fetched, 3 makes 2 leave, 2 is fetched again.
        assert_eq!(asked.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn a_failure_is_asked_again() {
        let shelf: Shelf<u64, u64> = Shelf::new(2);
        assert_eq!(shelf.get(1, async { Err("lost") }).await, Err("lost"));
        assert_eq!(shelf.get(1, async { Ok::<_, &str>(10) }).await, Ok(10));
    }
}
