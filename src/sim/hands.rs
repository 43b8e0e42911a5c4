//! Hands: threads that share what is done for each vessel, or each island of vessels, by itself.
//!
//! What they share is a function of one of them and of what nobody writes meanwhile, so that who does which changes no
//! bit. A simulation that needs one hand has no other thread; one that needs more keeps them until it does not. They
//! sleep between ticks, and stay awake within one: waking a processor takes longer than what lies between two phases.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bevy_ecs::resource::Resource;
use rayon_core::{ThreadPool, ThreadPoolBuilder, Yield};

/// Fewer vessels than this for each hand are not worth waking it: they take as long.
pub(super) const VESSELS_A_HAND: usize = 16;
/// Pieces that each hand takes of what is shared, one after the other: who began late takes fewer.
const PIECES: usize = 8;

/// The threads that sail.
#[derive(Debug, Default, Resource)]
pub(super) struct Hands {
    /// All but the simulation's own thread; none where that one is enough.
    more: Option<ThreadPool>,
    /// Those that were called stay awake until this is true.
    dismissed: Arc<AtomicBool>,
}

impl Hands {
    /// Sails by so many threads from now on; by one where the machine has no more to give.
    pub(super) fn set(&mut self, hands: usize) {
        let more = hands.saturating_sub(1);
        if more != self.more.as_ref().map_or(0, ThreadPool::current_num_threads) {
            let named = ThreadPoolBuilder::new().num_threads(more).thread_name(|n| format!("hand {n}"));
            self.more = if more == 0 { None } else { named.build().ok() };
        }
    }

    /// How many besides the simulation's own thread are worth it for so many things, of which each hand should have a few,
    /// and they.
    fn helpers(&self, many: usize, each: usize) -> Option<(usize, &ThreadPool)> {
        let more = self.more.as_ref()?;
        let helpers = more.current_num_threads().min((many / each).saturating_sub(1));
        (helpers > 0).then_some((helpers, more))
    }

    /// Wakes those that will share work on so many vessels soon.
    pub(super) fn call(&mut self, vessels: usize) {
        self.dismiss();
        let Some((helpers, more)) = self.helpers(vessels, VESSELS_A_HAND) else { return };
        let dismissed = Arc::new(AtomicBool::new(false));
        for _ in 0..helpers {
            let dismissed = Arc::clone(&dismissed);
            more.spawn(move || {
                while !dismissed.load(Ordering::Relaxed) {
                    if rayon_core::yield_now() != Some(Yield::Executed) {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        self.dismissed = dismissed;
    }

    /// Lets them sleep.
    pub(super) fn dismiss(&self) {
        self.dismissed.store(true, Ordering::Relaxed);
    }

    /// Does something for each of some things, by as many hands as have at least so many of them each.
    pub(super) fn share<T: Send>(
        &self,
        things: impl Iterator<Item = T>,
        each: usize,
        work: impl Fn(T) + Sync,
    ) {
        match self.helpers(things.size_hint().0, each) {
            None => things.for_each(work),
            Some((helpers, more)) => among(helpers, more, things.map(Some).collect(), &work),
        }
    }
}

/// Does something for each of some things here and in some threads.
#[inline(never)]
fn among<T: Send>(helpers: usize, more: &ThreadPool, mut things: Vec<Option<T>>, work: &(dyn Fn(T) + Sync)) {
    let piece = things.len().div_ceil((helpers + 1) * PIECES);
    let pieces = Mutex::new(things.chunks_mut(piece));
    let next = || pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
    let help = || {
        while let Some(piece) = next() {
            piece.iter_mut().filter_map(Option::take).for_each(work);
        }
    };
    more.in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| help());
        }
        help();
    });
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.dismiss();
    }
}
