//! The queues between an endpoint's thread and its process: bounded, and small while they are empty.
//!
//! A ready-made bounded queue takes its memory at once: 14 MB for both directions, more than a whole idle
//! region may have. These are linked blocks with a bound that the sender keeps.

use std::time::Duration;

use crossbeam::channel::{self, Receiver, Sender, TrySendError};

use crate::clock;

/// Pause between two looks at a full queue.
const PAUSE: Duration = Duration::from_millis(1);

/// The sending half of a queue that holds at most so many.
#[derive(Debug)]
pub(super) struct Limited<T> {
    sender: Sender<T>,
    most: usize,
}

/// A queue for at most so many; when several threads send at the same moment, for one more per thread.
pub(super) fn limited<T>(most: usize) -> (Limited<T>, Receiver<T>) {
    let (sender, receiver) = channel::unbounded();
    (Limited { sender, most }, receiver)
}

impl<T> Limited<T> {
    /// Queues an item, or returns it when the queue is full or its receiver is gone.
    pub(super) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        if self.sender.len() >= self.most {
            return Err(TrySendError::Full(item));
        }
        self.sender.send(item).map_err(|error| TrySendError::Disconnected(error.into_inner()))
    }

    /// Queues an item as soon as there is room; false when there was none for so long.
    pub(super) fn send_within(&self, mut item: T, longest: Duration) -> bool {
        let begun = clock::now();
        loop {
            match self.try_send(item) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) if begun.elapsed() < longest => item = back,
                Err(_) => return false,
            }
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_takes_as_many_as_it_says_and_goes_on_when_emptied() {
        let (queue, items) = limited(3);
        let sent = (0..5).filter(|&item| queue.try_send(item).is_ok()).count();
        assert_eq!(sent, 3);
        assert!(!queue.send_within(9, Duration::from_millis(3)));
        assert_eq!(items.try_recv(), Ok(0));
        assert!(queue.send_within(9, Duration::ZERO));
        drop(items);
        assert!(matches!(queue.try_send(1), Err(TrySendError::Disconnected(1))));
    }
}
