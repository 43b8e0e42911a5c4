//! Neighbours that stop, and guards: a vessel whose guard leaves gets another before it has gone.

use super::Region;
use crate::units::{RegionId, VesselId};
use crate::wire::circuit::Way;
use crate::wire::message::Message;

impl Region {
    /// A vessel without a guard that can be reached gets one: the region nearest to its group's leader, so that
    /// a group has one guard.
    pub(super) fn name_guard(&mut self, id: VesselId) {
        let leader = self.leader_of(id);
        // One guard for all of a group, or it would be torn apart when this region dies.
        let leaders = self.owned.get(&leader).filter(|_| leader != id).and_then(|owned| owned.guard);
        let shared = leaders.filter(|&guard| {
            self.is_at_hand(guard) && self.owned.get(&id).is_some_and(|owned| owned.guard != leaders)
        });
        if let Some(shared) = shared.and_then(|guard| self.neighbour(guard)).cloned() {
            self.stand_by_at(id, &shared);
            return;
        }
        let guarded = self.owned.get(&id).and_then(|owned| owned.guard);
        if guarded.is_some_and(|guard| self.is_at_hand(guard) && self.neighbour(guard).is_some()) {
            return;
        }
        let leader = self.leader_of(id);
        let Some(state) = self.sim.state(leader).or_else(|| self.sim.state(id)) else { return };
        if let Some(nearest) = self.nearest_at_hand(state.position_m.truncate()).cloned() {
            self.stand_by_at(id, &nearest);
        }
    }

    /// A neighbour stops: what was to be its is not, and whom it guards gets another guard at once.
    pub(super) fn hear_leaving(&mut self, region: RegionId) {
        self.leaving.insert(region, false);
        for index in 0..self.outgoing.len() {
            if self.outgoing[index].target() == region {
                self.withdraw(index);
            }
        }
        self.forget_over(self.sim.tick());
        let mut orphans = Vec::new();
        for (&id, owned) in &mut self.owned {
            owned.standby = owned.standby.filter(|ahead| *ahead != region);
            owned.told.remove(&region);
            if owned.guard == Some(region) {
                owned.guard = None;
                orphans.push(id);
            }
        }
        self.guard_at_once(&orphans);
    }

    /// Names guards for vessels that have none. Where nobody is at hand, the harbour gets their states now instead of
    /// at its turn: it is all that is left of them if this process ends.
    pub(super) fn guard_at_once(&mut self, vessels: &[VesselId]) {
        for &id in vessels {
            self.name_guard(id);
            if self.owned.get(&id).is_some_and(|owned| owned.guard.is_none()) {
                self.checkpoint_ns = 0;
                self.report_soon();
            }
        }
    }

    /// Tells neighbours that stop as soon as nothing here depends on them.
    pub(super) fn relieve_leaving(&mut self) {
        let owned = |region| self.owned.values().any(|owned| owned.guard == Some(region));
        let given = |region| self.outgoing.iter().any(|handoff| handoff.target() == region);
        let due: Vec<RegionId> = self
            .leaving
            .iter()
            .filter(|&(&region, &told)| !told && !owned(region) && !given(region))
            .map(|(&region, _)| region)
            .collect();
        for region in due {
            let told = self.send_region(region, Message::Relieved, Way::Stream);
            self.leaving.insert(region, told);
        }
    }
}
