//! Hands: threads that share what is done for each vessel by itself.
//!
//! What they share is a function of one vessel and of what nobody writes meanwhile, so that who does which vessel changes
//! no bit. Threads are started for each phase and end with it: that costs tens of microseconds, which a fleet that needs
//! more than one of them has, and leaves nothing behind that would have to be woken, stopped or moved.

use bevy_ecs::resource::Resource;

/// Fewer vessels than this for each hand are not worth a thread: they take as long as its start.
const VESSELS_A_HAND: usize = 32;

/// How many threads sail.
#[derive(Resource)]
pub(super) struct Hands(pub(super) usize);

/// Does something for each of some vessels, by as many hands as there are and as are worth it.
pub(super) fn share<T: Send>(hands: &Hands, vessels: impl Iterator<Item = T>, work: impl Fn(T) + Sync) {
    let many = vessels.size_hint().0;
    let hands = hands.0.min(many / VESSELS_A_HAND);
    if hands < 2 {
        return vessels.for_each(work);
    }
    let (work, part) = (&work, many.div_ceil(hands));
    let mut rest: Vec<T> = vessels.collect();
    std::thread::scope(|scope| {
        while rest.len() > part {
            let theirs = rest.split_off(rest.len() - part);
            scope.spawn(move || theirs.into_iter().for_each(work));
        }
        rest.into_iter().for_each(work);
    });
}
