//! The target's side of one handoff.

use crate::units::{Tick, VesselId};
use crate::wire::message::{AppliedInput, Epoch, Word};

/// Where the target is with a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Rebuilding,
    Ready,
    Committed,
    Owner,
    Dropped,
}

/// What the target has to do about a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// Nothing.
    Nothing,
    /// Take these orders and acknowledge: the group is this region's from the commit tick on.
    Take(Vec<AppliedInput>),
    /// Acknowledge once more; the commit was here before.
    Again,
    /// Forget the group; its owner sails on.
    Drop,
}

/// One handoff as its target sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Incoming {
    number: u32,
    /// Each vessel with the epoch of its owner.
    epochs: Vec<(VesselId, Epoch)>,
    commit: Tick,
    phase: Phase,
}

impl Incoming {
    /// An offer that has come: the vessels with their owner's epochs.
    #[must_use]
    pub fn new(number: u32, epochs: Vec<(VesselId, Epoch)>, commit: Tick) -> Self {
        Self { number, epochs, commit, phase: Phase::Rebuilding }
    }

    /// Vessels that the harbour has given to this region with new epochs, their owner having ended: as good as
    /// committed.
    #[must_use]
    pub fn resumed(epochs: Vec<(VesselId, Epoch)>, publish: Tick) -> Self {
        Self { number: 0, epochs, commit: publish, phase: Phase::Committed }
    }

    /// Its number; 0 for vessels that were resumed.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// The vessels and their epochs: the owner's before the commit, this region's after it.
    #[must_use]
    pub fn epochs(&self) -> &[(VesselId, Epoch)] {
        &self.epochs
    }

    /// The first tick that this region would publish.
    #[must_use]
    pub const fn commit_tick(&self) -> Tick {
        self.commit
    }

    /// Whether the commit is here.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        matches!(self.phase, Phase::Committed | Phase::Owner)
    }

    /// Whether the group sails in this region's own simulation.
    #[must_use]
    pub const fn is_owner(&self) -> bool {
        matches!(self.phase, Phase::Owner)
    }

    /// Says that the rebuilt group has caught up with its owner; returns whether to send `Ready`.
    pub fn caught_up(&mut self) -> bool {
        let first = self.phase == Phase::Rebuilding;
        if first {
            self.phase = Phase::Ready;
        }
        first
    }

    /// Hears the owner.
    ///
    /// A commit is believed only from a region that offered exactly these vessels, and only with epochs one
    /// hop above theirs: anything else is a peer out of its mind, and changes nothing here.
    pub fn hear(&mut self, word: &Word) -> Reply {
        if word.number() != self.number {
            return Reply::Nothing;
        }
        match (self.phase, word) {
            // Commit may overtake our Ready's effect only if Ready was sent; rebuilding means it was not.
            (Phase::Ready, Word::Commit { commit, epochs, inputs, .. }) => {
                let raised = self.epochs.iter().map(|&(id, epoch)| (id, epoch.next_hop()));
                if *commit != self.commit || !epochs.iter().copied().eq(raised) {
                    return Reply::Nothing;
                }
                self.epochs.clone_from(epochs);
                self.phase = Phase::Committed;
                Reply::Take(inputs.clone())
            }
            (Phase::Committed | Phase::Owner, Word::Commit { .. }) => Reply::Again,
            (Phase::Rebuilding | Phase::Ready, Word::Cancel { .. }) => {
                self.phase = Phase::Dropped;
                Reply::Drop
            }
            _ => Reply::Nothing,
        }
    }

    /// Takes ownership: the group's state of the tick before the commit is in this region's simulation.
    ///
    /// # Panics
    /// When the commit is not here.
    pub fn own(&mut self) {
        assert_eq!(self.phase, Phase::Committed, "ownership without a commit");
        self.phase = Phase::Owner;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: Epoch = Epoch { term: 1, hop: 4 };

    fn offered() -> Incoming {
        Incoming::new(7, vec![(VesselId(1), EPOCH)], Tick(100))
    }

    fn commit(epoch: Epoch) -> Word {
        Word::Commit { number: 7, commit: Tick(100), epochs: vec![(VesselId(1), epoch)], inputs: vec![] }
    }

    #[test]
    fn commit_after_ready_makes_an_owner_once() {
        let mut handoff = offered();
        assert!(handoff.caught_up() && !handoff.caught_up());
        assert_eq!(handoff.hear(&commit(EPOCH.next_hop())), Reply::Take(vec![]));
        assert_eq!(handoff.hear(&commit(EPOCH.next_hop())), Reply::Again);
        assert_eq!(handoff.hear(&Word::Cancel { number: 7 }), Reply::Nothing);
        handoff.own();
        assert!(handoff.is_owner());
        assert_eq!(handoff.hear(&commit(EPOCH.next_hop())), Reply::Again);
    }

    #[test]
    fn commit_without_ready_or_with_a_wrong_epoch_is_not_believed() {
        let mut handoff = offered();
        assert_eq!(handoff.hear(&commit(EPOCH.next_hop())), Reply::Nothing);
        handoff.caught_up();
        assert_eq!(handoff.hear(&commit(EPOCH)), Reply::Nothing);
        assert_eq!(handoff.hear(&commit(Epoch { term: 9, hop: 5 })), Reply::Nothing);
        assert!(!handoff.is_committed());
    }

    #[test]
    fn cancel_before_commit_drops_the_group() {
        let mut handoff = offered();
        handoff.caught_up();
        assert_eq!(handoff.hear(&Word::Cancel { number: 7 }), Reply::Drop);
        assert_eq!(handoff.hear(&commit(EPOCH.next_hop())), Reply::Nothing);
    }
}
