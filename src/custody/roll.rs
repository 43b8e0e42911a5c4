//! The harbour's side: who is asked, what was answered, and what follows for each vessel.

use std::collections::{BTreeMap, BTreeSet};

use crate::units::{RegionId, Tick, VesselId};
use crate::wire::message::{Claim, Epoch, Holding, Keeping};

/// What one region answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Roster {
    claims: Vec<Claim>,
    kept: Vec<Keeping>,
}

/// What a complete roll call says of one vessel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// A region that lives holds it.
    Held {
        /// The region.
        by: RegionId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// It is on its way between two regions that live, or was taken since: the next roll call will tell.
    Passing {
        /// The epoch that it will have where it arrives.
        epoch: Epoch,
    },
    /// Nobody who lives holds it or will: the best shadow shall sail on.
    Adrift {
        /// Who keeps that shadow.
        kept_by: RegionId,
        /// The epoch of the shadow's owner.
        epoch: Epoch,
        /// Every order up to this tick is known there.
        through: Tick,
    },
    /// Adrift, and nobody keeps a shadow.
    Lost,
}

/// Roll calls, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RollCall {
    number: u32,
    /// Who has not answered the newest one.
    awaited: BTreeSet<RegionId>,
    rosters: BTreeMap<RegionId, Roster>,
    /// What everybody promised with the answer: to take no vessel below its floor.
    floors: BTreeMap<VesselId, Epoch>,
}

impl RollCall {
    /// Calls the roll of all regions that live; returns its number. Older answers count no more. `floors` are for
    /// vessels that have been on their way for too long: who answers takes them below their floor no more.
    pub fn call(
        &mut self,
        alive: impl IntoIterator<Item = RegionId>,
        floors: impl IntoIterator<Item = (VesselId, Epoch)>,
    ) -> u32 {
        self.number += 1;
        self.rosters.clear();
        self.awaited = alive.into_iter().collect();
        self.floors = floors.into_iter().collect();
        self.number
    }

    /// The floors of the newest roll call.
    #[must_use]
    pub fn floors(&self) -> Vec<(VesselId, Epoch)> {
        self.floors.iter().map(|(&vessel, &floor)| (vessel, floor)).collect()
    }

    /// The newest roll call.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// Whether this region must still answer.
    #[must_use]
    pub fn awaits(&self, region: RegionId) -> bool {
        self.awaited.contains(&region)
    }

    /// Whether every region has answered the newest roll call.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.awaited.is_empty()
    }

    /// Takes in an answer; one to an older roll call changes nothing.
    pub fn answered(&mut self, region: RegionId, number: u32, claims: Vec<Claim>, kept: Vec<Keeping>) {
        if number == self.number && self.awaited.remove(&region) {
            self.rosters.insert(region, Roster { claims, kept });
        }
    }

    /// What follows for a vessel. `known` is what the harbour has heard of it since the roll was called, or has
    /// sent and not heard of yet: the region, and the epoch; `alive` tells whether a region has not ended.
    ///
    /// # Panics
    /// When an answer is still awaited.
    #[must_use]
    pub fn find(
        &self,
        vessel: VesselId,
        known: Option<(RegionId, Epoch)>,
        alive: impl Fn(RegionId) -> bool,
    ) -> Finding {
        assert!(self.is_complete(), "a finding before every region has answered");
        let claims = self.rosters.iter().flat_map(|(&region, roster)| {
            roster.claims.iter().filter(|claim| claim.vessel == vessel).map(move |claim| (region, claim))
        });
        // Of one epoch, whoever holds the vessel outweighs whoever gave it away.
        let best =
            claims.max_by_key(|(region, claim)| (claim.epoch, claim.holding == Holding::Holds, *region));
        let heard = known.filter(|(_, epoch)| best.is_none_or(|(_, claim)| *epoch > claim.epoch));
        let (holder, epoch) = match (heard, best) {
            // Heard of it or sent it there, and no roster knows: it came there after the answer.
            (Some((region, epoch)), _) => (region, epoch),
            (None, Some((region, claim))) => match claim.holding {
                Holding::Holds if alive(region) => return Finding::Held { by: region, epoch: claim.epoch },
                Holding::Holds => (region, claim.epoch),
                Holding::Gave { to } => (to, claim.epoch),
            },
            (None, None) => return self.best_shadow(vessel, alive),
        };
        // Whoever it is on its way to has promised not to take it any more.
        let barred = self.rosters.contains_key(&holder)
            && self.floors.get(&vessel).is_some_and(|floor| epoch < *floor);
        if alive(holder) && !barred { Finding::Passing { epoch } } else { self.best_shadow(vessel, alive) }
    }

    /// The shadow that knows most.
    fn best_shadow(&self, vessel: VesselId, alive: impl Fn(RegionId) -> bool) -> Finding {
        self.rosters
            .iter()
            .filter(|(region, _)| alive(**region))
            .flat_map(|(&region, roster)| roster.kept.iter().map(move |kept| (region, kept)))
            .filter(|(_, kept)| kept.vessel == vessel)
            .max_by_key(|(region, kept)| (kept.epoch, kept.through, std::cmp::Reverse(*region)))
            .map_or(Finding::Lost, |(kept_by, kept)| Finding::Adrift {
                kept_by,
                epoch: kept.epoch,
                through: kept.through,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V: VesselId = VesselId(1);
    const A: RegionId = RegionId(1);
    const B: RegionId = RegionId(2);
    const G: RegionId = RegionId(3);

    const fn epoch(term: u32, hop: u32) -> Epoch {
        Epoch { term, hop }
    }

    fn claim(epoch: Epoch, holding: Holding) -> Vec<Claim> {
        vec![Claim { vessel: V, epoch, holding }]
    }

    fn kept(epoch: Epoch, through: u64) -> Vec<Keeping> {
        vec![Keeping { vessel: V, epoch, through: Tick(through) }]
    }

    #[test]
    fn dead_owners_vessel_goes_to_the_shadow_that_knows_most() {
        let mut roll = RollCall::default();
        let number = roll.call([B, G], []);
        roll.answered(B, number, vec![], kept(epoch(0, 1), 90));
        assert!(!roll.is_complete());
        roll.answered(G, number - 1, vec![], vec![]);
        assert!(roll.awaits(G), "an answer to an older call is none");
        roll.answered(G, number, vec![], kept(epoch(0, 1), 95));
        let found = roll.find(V, Some((A, epoch(0, 1))), |region| region != A);
        assert_eq!(found, Finding::Adrift { kept_by: G, epoch: epoch(0, 1), through: Tick(95) });
        assert_eq!(roll.find(VesselId(2), Some((A, epoch(0, 0))), |region| region != A), Finding::Lost);
    }

    #[test]
    fn vessel_on_its_way_between_two_who_live_is_not_adrift() {
        let mut roll = RollCall::default();
        let number = roll.call([A, B], []);
        roll.answered(A, number, claim(epoch(0, 2), Holding::Gave { to: B }), kept(epoch(0, 2), 90));
        roll.answered(B, number, vec![], vec![]);
        let known = Some((A, epoch(0, 1)));
        assert_eq!(roll.find(V, known, |_| true), Finding::Passing { epoch: epoch(0, 2) });
        // The one that it went to has ended: its giver's shadow sails on.
        let found = roll.find(V, known, |region| region != B);
        assert_eq!(found, Finding::Adrift { kept_by: A, epoch: epoch(0, 2), through: Tick(90) });
    }

    #[test]
    fn vessel_that_never_arrives_is_adrift_once_nobody_may_take_it() {
        let mut roll = RollCall::default();
        let number = roll.call([A, B], [(V, epoch(1, 0))]);
        roll.answered(A, number, claim(epoch(0, 2), Holding::Gave { to: B }), kept(epoch(0, 2), 90));
        roll.answered(B, number, vec![], vec![]);
        let found = roll.find(V, None, |_| true);
        assert_eq!(found, Finding::Adrift { kept_by: A, epoch: epoch(0, 2), through: Tick(90) });
    }

    #[test]
    fn holder_outweighs_giver_and_newer_words_outweigh_both() {
        let mut roll = RollCall::default();
        let number = roll.call([A, B], []);
        roll.answered(A, number, claim(epoch(0, 2), Holding::Gave { to: B }), vec![]);
        roll.answered(B, number, claim(epoch(0, 2), Holding::Holds), vec![]);
        assert_eq!(
            roll.find(V, Some((A, epoch(0, 1))), |_| true),
            Finding::Held { by: B, epoch: epoch(0, 2) }
        );
        let sent = Some((G, epoch(1, 0)));
        assert_eq!(roll.find(V, sent, |_| true), Finding::Passing { epoch: epoch(1, 0) });
    }
}
