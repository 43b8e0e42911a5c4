//! A tick's inputs and its result: orders applied and written down, states published.

use super::{Logged, Region};
use crate::handoff::Outgoing;
use crate::limits::INPUT_TICKS;
use crate::units::{Tick, VesselId};
use crate::vessel::Input;
use crate::wire::message::{AppliedInput, Given};

impl Region {
    /// Whether a vessel's inputs are sealed: it is, or is about to be, another region's.
    pub(super) fn is_sealed(&self, id: VesselId) -> bool {
        self.outgoing.iter().any(|handoff| handoff.is_committed() && handoff.vessels().contains(&id))
    }

    pub(super) fn apply_orders(&mut self, next: Tick) {
        let kept = next.before(INPUT_TICKS as u64);
        // What is on offer may have been offered longer ago, where course time runs fast.
        let offered = self.outgoing.iter().map(Outgoing::offered_tick).min();
        let oldest = offered.map_or(kept, |offered| offered.min(kept));
        while self.recent.front().is_some_and(|input| input.tick < oldest) {
            self.recent.pop_front();
        }
        let ids: Vec<VesselId> = self.sim.ids().to_vec();
        for id in ids {
            if self.is_sealed(id) {
                continue;
            }
            let Some(owned) = self.owned.get_mut(&id) else { continue };
            let orders: Vec<Input> = owned.pending.drain(..).collect();
            for input in orders {
                if self.sim.apply(id, input) {
                    self.note(AppliedInput { vessel: id, tick: next, given: Given::Order(input) });
                }
            }
        }
    }

    /// Writes an input down, for whoever sails its vessel again.
    pub(super) fn note(&mut self, input: AppliedInput) {
        self.log(|| Logged::Applied(input.clone()));
        self.recent.push_back(input);
    }

    pub(super) fn publish(&mut self, tick: Tick) {
        if self.config.log {
            let ids: Vec<VesselId> = self.sim.ids().to_vec();
            for id in ids {
                self.log_published(id, tick);
            }
        }
        self.tell_events(tick);
        if tick.0.is_multiple_of(self.stride) {
            self.send_states(tick);
            self.send_views(tick);
        }
        if tick.0.is_multiple_of(self.glances) {
            self.send_wildlife(tick);
        }
    }

    pub(super) fn log_published(&mut self, vessel: VesselId, tick: Tick) {
        if let (Some(hash), Some(epoch)) = (self.sim.hash(vessel), self.epoch(vessel)) {
            self.log(|| Logged::Published { vessel, tick, epoch, hash });
        }
    }
}
