use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets those who want the same thing wait for each other and nobody else. Who waits holds no thread.
pub struct Turns {
    at_once: usize,
    hasher: RandomState,
    /// By a hash that nobody outside can foresee; two that share one only wait longer.
    queues: Mutex<HashMap<u64, Arc<Semaphore>>>,
}

/// A turn: others have theirs when it is dropped.
pub struct Turn<'a> {
    turns: &'a Turns,
    key: u64,
    queue: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Of those who want the same, so many have their turn at once.
    pub fn new(at_once: usize) -> Turns {
        Turns {
            at_once,
            hasher: RandomState::new(),
            queues: Mutex::default(),
        }
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<u64, Arc<Semaphore>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn among those who want `what`.
    pub async fn take(&self, what: impl Hash) -> Turn<'_> {
        let key = self.hasher.hash_one(what);
        let queue = Arc::clone(
            self.queues()
                .entry(key)
                .or_insert_with(|| Arc::new(Semaphore::new(self.at_once))),
        );
        let mut turn = Turn {
            turns: self,
            key,
            queue,
            permit: None,
        };
        // The semaphore is never closed.
        turn.permit = Arc::clone(&turn.queue).acquire_owned().await.ok();
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.permit = None;
        let mut queues = self.turns.queues();
        // Its own and the map's: nobody else is left.
        if Arc::strong_count(&self.queue) == 2 {
            queues.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn those_who_want_the_same_wait_and_the_last_leaves_nothing_behind() {
        let turns = Turns::new(2);
        let soon = Duration::from_millis(20);
        let (first, second) = (turns.take("ann").await, turns.take("ann").await);
        assert!(timeout(soon, turns.take("ann")).await.is_err());
        let other = timeout(soon, turns.take("ben")).await;
        assert!(other.is_ok(), "nobody else waits");
        drop(first);
        let third = timeout(soon, turns.take("ann")).await;
        assert!(third.is_ok(), "one has left");
        drop((second, third, other));
        assert!(turns.queues().is_empty());
    }
}
