//! Hands: threads that share what is done for each vessel by itself.
//!
//! What they share is a function of one vessel and of what nobody writes meanwhile, so that who does which vessel changes
//! no bit. A simulation that needs one hand has no other thread; one that needs more keeps them until it does not. They
//! sleep between ticks, and stay awake within one: waking a processor takes longer than what lies between two phases.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bevy_ecs::resource::Resource;
use rayon_core::{ThreadPool, ThreadPoolBuilder, Yield};

/// Fewer vessels than this for each hand are not worth waking it: they take as long.
const VESSELS_A_HAND: usize = 16;
/// Pieces that each hand takes of the vessels, one after the other: who began late takes fewer.
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

    /// How many besides the simulation's own thread are worth it for so many vessels, and they.
    fn helpers(&self, vessels: usize) -> Option<(usize, &ThreadPool)> {
        let more = self.more.as_ref()?;
        let helpers = more.current_num_threads().min((vessels / VESSELS_A_HAND).saturating_sub(1));
        (helpers > 0).then_some((helpers, more))
    }

    /// Wakes those that will share work on so many vessels soon.
    pub(super) fn call(&mut self, vessels: usize) {
        self.dismiss();
        let Some((helpers, more)) = self.helpers(vessels) else { return };
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

    /// Does something for each of some vessels.
    pub(super) fn share<T: Send>(&self, vessels: impl Iterator<Item = T>, work: impl Fn(T) + Sync) {
        match self.helpers(vessels.size_hint().0) {
            None => vessels.for_each(work),
            Some((helpers, more)) => among(helpers, more, vessels.map(Some).collect(), &work),
        }
    }
}

/// Does something for each of some vessels here and in some threads.
#[inline(never)]
fn among<T: Send>(helpers: usize, more: &ThreadPool, mut vessels: Vec<Option<T>>, work: &(dyn Fn(T) + Sync)) {
    let piece = vessels.len().div_ceil((helpers + 1) * PIECES);
    let pieces = Mutex::new(vessels.chunks_mut(piece));
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
