//! The owner's side of one handoff.

use crate::units::{RegionId, Tick, VesselId};
use crate::wire::message::Word;

/// Where the owner is with a handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Offered,
    /// The target is ready; inputs are not sealed before they must be, as each waits for the target then.
    Agreed,
    /// The tick at which `Commit` was last sent.
    Committed {
        sent: Tick,
    },
    Done,
    Cancelled,
}

/// What the owner has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Wait,
    /// Seal the inputs and send `Commit`: the target is ready in time.
    Commit,
    /// Send the same `Commit` again.
    Repeat,
    /// Sail on; send `Cancel` where `tell` says so, and do not offer again before a while.
    Cancel {
        /// Whether the target needs to be told.
        tell: bool,
    },
    /// The target has it; forget the handoff.
    Done,
}

/// One handoff as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outgoing {
    number: u32,
    target: RegionId,
    vessels: Vec<VesselId>,
    /// The tick of the states that were offered.
    offered: Tick,
    commit: Tick,
    margin_ticks: u64,
    phase: Phase,
}

impl Outgoing {
    /// An offer that is being sent: vessels in rising order, the tick of their states, the first tick of the
    /// target, and the ticks that a word may take to get there: a commit is sent at least that long before its
    /// tick, and repeated after it.
    ///
    /// # Panics
    /// When there is no vessel in it.
    #[must_use]
    pub fn new(
        number: u32,
        target: RegionId,
        vessels: Vec<VesselId>,
        offered: Tick,
        commit: Tick,
        margin_ticks: u64,
    ) -> Self {
        assert!(!vessels.is_empty(), "an offer without vessels");
        Self {
            number,
            target,
            vessels,
            offered,
            commit,
            margin_ticks: margin_ticks.max(1),
            phase: Phase::Offered,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// To whom.
    #[must_use]
    pub const fn target(&self) -> RegionId {
        self.target
    }

    /// The vessels, in rising order.
    #[must_use]
    pub fn vessels(&self) -> &[VesselId] {
        &self.vessels
    }

    /// The tick of the states that were offered: every later order goes with the commit.
    #[must_use]
    pub const fn offered_tick(&self) -> Tick {
        self.offered
    }

    /// The first tick of the target.
    #[must_use]
    pub const fn commit_tick(&self) -> Tick {
        self.commit
    }

    /// Whether the inputs are sealed: the group will be, or is, the target's.
    #[must_use]
    pub const fn is_committed(&self) -> bool {
        matches!(self.phase, Phase::Committed { .. } | Phase::Done)
    }

    /// Whether it may be forgotten.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Cancelled)
    }

    /// Hears the target at a moment when the owner's newest published tick is `tick`.
    pub fn hear(&mut self, word: &Word, tick: Tick) -> Verdict {
        if word.number() != self.number {
            return Verdict::Wait;
        }
        match (self.phase, word) {
            // K must be unpublished when the commit gets there, or its ticks come late.
            (Phase::Offered, Word::Ready { .. }) if tick.after(self.margin_ticks) > self.commit => {
                self.cancel(true)
            }
            (Phase::Offered, Word::Ready { .. }) => {
                self.phase = Phase::Agreed;
                if self.must_seal(tick.after(1)) { Verdict::Commit } else { Verdict::Wait }
            }
            (Phase::Offered | Phase::Agreed, Word::NotYet { .. } | Word::No { .. }) => self.cancel(false),
            (Phase::Committed { .. }, Word::Acknowledged { .. }) => {
                self.phase = Phase::Done;
                Verdict::Done
            }
            _ => Verdict::Wait,
        }
    }

    /// Marks the commit as sent; from here on the handoff cannot be taken back.
    ///
    /// # Panics
    /// When it was not offered, or the commit tick has been published already.
    pub fn committed(&mut self, tick: Tick) {
        assert!(self.is_open(), "only an open offer can be committed");
        assert!(tick < self.commit, "the commit tick has been published by its owner");
        self.phase = Phase::Committed { sent: tick };
    }

    /// Says what is due before the owner publishes `next`.
    pub fn before(&mut self, next: Tick) -> Verdict {
        match self.phase {
            Phase::Offered | Phase::Agreed if next >= self.commit => self.cancel(true),
            Phase::Agreed if self.must_seal(next) => Verdict::Commit,
            Phase::Committed { sent } if next.since(sent) >= self.margin_ticks => {
                self.phase = Phase::Committed { sent: next };
                Verdict::Repeat
            }
            _ => Verdict::Wait,
        }
    }

    /// Takes the offer back while that is possible: its group changed, or the target is gone.
    pub fn withdraw(&mut self) -> Verdict {
        if self.is_open() { self.cancel(true) } else { Verdict::Wait }
    }

    /// Whether it can still be taken back.
    const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Offered | Phase::Agreed)
    }

    /// Whether the commit must go before `next` is sailed, to get there in time.
    fn must_seal(&self, next: Tick) -> bool {
        next.after(self.margin_ticks) >= self.commit
    }

    fn cancel(&mut self, tell: bool) -> Verdict {
        self.phase = Phase::Cancelled;
        Verdict::Cancel { tell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer() -> Outgoing {
        Outgoing::new(7, RegionId(2), vec![VesselId(1)], Tick(80), Tick(100), 5)
    }

    #[test]
    fn ready_in_time_is_committed_once() {
        let mut handoff = offer();
        assert_eq!(handoff.hear(&Word::Ready { number: 7 }, Tick(95)), Verdict::Commit);
        handoff.committed(Tick(95));
        assert_eq!(handoff.hear(&Word::Ready { number: 7 }, Tick(96)), Verdict::Wait);
        assert_eq!(handoff.before(Tick(99)), Verdict::Wait);
        assert_eq!(handoff.before(Tick(100)), Verdict::Repeat);
        assert_eq!(handoff.before(Tick(101)), Verdict::Wait);
        assert_eq!(handoff.hear(&Word::Acknowledged { number: 7 }, Tick(107)), Verdict::Done);
        assert!(handoff.is_over() && handoff.is_committed());
    }

    #[test]
    fn inputs_are_sealed_no_sooner_than_they_must_be() {
        let mut handoff = offer();
        assert_eq!(handoff.hear(&Word::Ready { number: 7 }, Tick(84)), Verdict::Wait);
        assert_eq!(handoff.before(Tick(94)), Verdict::Wait);
        assert_eq!(handoff.before(Tick(95)), Verdict::Commit);
        handoff.committed(Tick(94));
        assert_eq!(handoff.before(Tick(96)), Verdict::Wait);
        let mut handoff = offer();
        handoff.hear(&Word::Ready { number: 7 }, Tick(84));
        assert_eq!(
            handoff.hear(&Word::No { number: 7, reason: String::new() }, Tick(85)),
            Verdict::Cancel { tell: false }
        );
    }

    #[test]
    fn late_ready_leaves_the_owner_sailing() {
        let mut handoff = offer();
        assert_eq!(handoff.hear(&Word::Ready { number: 7 }, Tick(96)), Verdict::Cancel { tell: true });
        let mut handoff = offer();
        assert_eq!(handoff.before(Tick(99)), Verdict::Wait);
        assert_eq!(handoff.before(Tick(100)), Verdict::Cancel { tell: true });
        assert_eq!(handoff.hear(&Word::Ready { number: 7 }, Tick(100)), Verdict::Wait);
        assert!(!handoff.is_committed());
    }

    #[test]
    fn refusals_and_strangers_words_change_no_owner() {
        let mut handoff = offer();
        assert_eq!(handoff.hear(&Word::Ready { number: 8 }, Tick(95)), Verdict::Wait);
        assert_eq!(handoff.hear(&Word::Acknowledged { number: 7 }, Tick(95)), Verdict::Wait);
        assert_eq!(handoff.hear(&Word::NotYet { number: 7 }, Tick(95)), Verdict::Cancel { tell: false });
        assert!(handoff.is_over() && !handoff.is_committed());
    }

    #[test]
    #[should_panic(expected = "published by its owner")]
    fn commit_after_its_tick_is_a_broken_invariant() {
        offer().committed(Tick(100));
    }

    #[test]
    fn a_committed_handoff_cannot_be_withdrawn() {
        let mut handoff = offer();
        handoff.committed(Tick(90));
        assert_eq!(handoff.withdraw(), Verdict::Wait);
        assert!(handoff.is_committed());
    }
}
