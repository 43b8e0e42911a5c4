//! Wakes between regions: samples of vessels, brought to whoever sails others near them.
//!
//! A sample acts half a second after it was taken. It goes to every neighbour on whose ground, or near one of
//! whose vessels, the sampled vessel is. Whose wakes act on a vessel is decided by its owner alone and is an
//! input of that vessel: it is written down, told to guards, and goes with every handoff.

use glam::DVec2;

use super::Region;
use super::border::moved;
use crate::limits::WAKES_PER_MESSAGE;
use crate::units::{RegionId, Tick, VesselId};
use crate::vessel::wake::{DELAY_TICKS, NEAR_M, PERIOD_TICKS, Wake};
use crate::wire::circuit::Way;
use crate::wire::message::{AppliedInput, Given, Message};

/// Distance within which a vessel's samples are brought, metres: while a sample may act, two vessels come
/// nearer by that much more.
const BRING_M: f64 = NEAR_M + 40.0;
/// Ticks after each sampling at which samples are brought, to regions that were not known then to be near,
/// too: early enough for both to arrive.
const BRING_AFTER_TICKS: [u64; 2] = [0, 5];
/// Ticks after which a sample acts no more.
const SPENT_TICKS: u64 = DELAY_TICKS + PERIOD_TICKS;

impl Region {
    /// Writes down whose wakes act on the vessels here from a tick on.
    pub(super) fn note_company(&mut self, tick: Tick) {
        if self.sim.new_company().is_empty() {
            return;
        }
        for (vessel, company) in self.sim.new_company().to_vec() {
            self.note(AppliedInput { vessel, tick, given: Given::Company(company) });
        }
    }

    /// Decides whose wakes act on a vessel up to a tick: it is about to be given away.
    pub(super) fn decide_company(&mut self, vessel: VesselId, last: Tick) {
        for (tick, company) in self.sim.decide_company(vessel, last) {
            self.note(AppliedInput { vessel, tick, given: Given::Company(company) });
        }
    }

    /// Brings new samples to all neighbours, where it is time.
    pub(super) fn send_wakes(&mut self, tick: Tick) {
        if self.sim.ids().is_empty() || !BRING_AFTER_TICKS.contains(&(tick.0 % PERIOD_TICKS)) {
            return;
        }
        self.told.retain(|_, told| tick.since(*told) <= SPENT_TICKS);
        let open: Vec<RegionId> =
            self.links.iter().filter(|(_, link)| link.open).map(|(&region, _)| region).collect();
        for region in open {
            self.send_wakes_to(region);
        }
    }

    /// Brings one region the samples of the vessels here that are near it or its vessels, and, for vessels
    /// that it is about to have, those of all others near them.
    pub(super) fn send_wakes_to(&mut self, region: RegionId) {
        let now = self.sim.tick();
        let area = self.neighbour(region).map(|neighbour| neighbour.area);
        let theirs: Vec<DVec2> = self
            .seen
            .values()
            .filter(|seen| seen.owner == region)
            .map(|seen| moved(seen, now).position_m.truncate())
            .collect();
        let awaited: Vec<DVec2> = self
            .outgoing
            .iter()
            .filter(|handoff| handoff.target() == region)
            .flat_map(|handoff| handoff.vessels().iter())
            .filter_map(|&id| Some(self.sim.state(id)?.position_m.truncate()))
            .collect();
        let among = |places: &[DVec2], place: DVec2| {
            places.iter().any(|other| (*other - place).length_squared() < BRING_M * BRING_M)
        };
        let news: Vec<Wake> = self
            .wakes_near_now()
            .filter(|wake| self.told.get(&(region, wake.id)).is_none_or(|told| *told < wake.tick))
            .filter(|wake| {
                let place = wake.place_m;
                let near =
                    || area.is_some_and(|area| area.distance_m(place) < BRING_M) || among(&theirs, place);
                among(&awaited, place) || (self.owned.contains_key(&wake.id) && near())
            })
            .copied()
            .collect();
        for wake in &news {
            self.told.insert((region, wake.id), wake.tick);
        }
        for part in news.chunks(WAKES_PER_MESSAGE) {
            self.send_region(region, Message::Wakes(part.to_vec()), Way::Stream);
        }
    }

    /// Hears samples of another region's vessels.
    pub(super) fn hear_wakes(&mut self, wakes: &[Wake]) {
        for wake in wakes.iter().take(WAKES_PER_MESSAGE) {
            self.sim.hear_wake(*wake);
        }
    }

    /// All samples that are known here and may act.
    pub(super) fn wakes_near_now(&self) -> impl Iterator<Item = &Wake> {
        self.sim.wakes_since(self.sim.tick().before(SPENT_TICKS))
    }
}
