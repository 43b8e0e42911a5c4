//! Samples of wakes near here: taken, heard, and felt by the vessels of this simulation.
//!
//! A simulation keeps the samples of its own vessels and those that it has heard of others, by tick. In the
//! step from tick T those of [`wake::acting`]`(T)` act. Which of them act on a vessel, its [`wake::company`],
//! is decided once for each tick of samples, in the first step in which they act or [before](Wakes::decide),
//! and goes with the vessel wherever it is sailed: like an order, it is an input. A sample that comes later
//! changes nothing and is counted.
//!
//! A vessel's own samples go with it when it leaves, and stay here for those that it leaves behind.

use std::collections::BTreeMap;

use bevy_ecs::component::Component;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::Query;
use glam::DVec2;

use super::phases::{Around, Build, Crew, Fleet, Id, Surroundings};
use crate::limits::INPUT_TICKS;
use crate::units::{Tick, VesselId};
use crate::vessel::Class;
use crate::vessel::wake::{self, Felt, NEAR_M, PERIOD_TICKS, TRAIL_WAKES, Wake};

/// Samples of one tick that are kept of others: nine regions full of vessels, this one among them.
const HEARD_MAX: usize = 9 * crate::limits::REGION_VESSELS;
/// Ticks that a sample is kept before and after the present: a group that is handed over sails on from that
/// long ago, and a region that is behind hears from others that far ahead.
const KEPT_TICKS: u64 = INPUT_TICKS as u64;

/// Whose wakes act on a vessel.
#[derive(Component, Default)]
pub(super) struct Company {
    /// The samples that act, or will, by tick and vessel.
    pub(super) wakes: Vec<Wake>,
    /// The newest tick of samples for which it is decided.
    pub(super) decided: Option<Tick>,
}

impl Company {
    /// The company that a vessel brings along.
    pub(super) fn brought(id: VesselId, mut wakes: Vec<Wake>) -> Self {
        if !wake::is_company_of(id, &wakes) {
            wakes.clear();
        }
        let decided = wakes.last().map(|wake| wake.tick);
        Self { wakes, decided }
    }

    /// Adds what the samples of one tick do to a vessel of a class at a place.
    pub(super) fn feel(&self, samples: Tick, class: &Class, place: DVec2, now: Tick, felt: &mut Felt) {
        for wake in self.wakes.iter().filter(|wake| wake.tick == samples) {
            felt.add(wake, now, place, height_m(class));
        }
    }

    /// Takes the company of one tick of samples, decided elsewhere or now.
    pub(super) fn keep(&mut self, company: &[Wake]) {
        let Some(tick) = company.first().map(|wake| wake.tick) else { return };
        self.wakes.retain(|wake| wake.tick != tick);
        self.wakes.extend_from_slice(company);
        self.wakes.sort_unstable_by_key(|wake| (wake.tick, wake.id));
        self.decided = self.decided.max(Some(tick));
    }
}

/// The samples, and what they do.
#[derive(Resource)]
pub(super) struct Wakes {
    /// Whether wakes are felt in this simulation at all.
    pub(super) felt: bool,
    /// Nothing is decided here in steps up to this tick: it is told.
    pub(super) told_until: Tick,
    /// Samples of each tick, in rising order of vessels.
    taken: BTreeMap<Tick, Vec<Wake>>,
    /// The tick of samples for which all that are here are decided.
    settled: Option<Tick>,
    /// Companies that were decided in the last step.
    news: Vec<(VesselId, Vec<Wake>)>,
    /// Samples by strip and east; memory that is used again.
    sorted: Vec<(i64, f64, u32)>,
    late: u64,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            felt: true,
            told_until: Tick(0),
            taken: BTreeMap::new(),
            settled: None,
            news: Vec::new(),
            sorted: Vec::new(),
            late: 0,
        }
    }
}

/// What became of a sample that was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// No news, or nothing that can be used.
    Nothing,
    /// Kept, before the first step in which it acts.
    InTime,
    /// Kept, after that step.
    Late,
    /// Not kept: there is no room, or its time is too far from this.
    Lost,
}

/// The strip of a place, [`NEAR_M`] wide.
#[expect(clippy::cast_possible_truncation, reason = "saturates far beyond any course")]
fn strip(place: DVec2) -> i64 {
    (place.y / NEAR_M).floor() as i64
}

/// Height of a vessel over which it feels the wind, metres.
fn height_m(class: &Class) -> f64 {
    class.spec.rig.as_ref().map_or(2.0 * class.spec.hull.freeboard_m, |rig| rig.mast_m)
}

impl Wakes {
    /// The samples that act in the step from this tick, if any do; whose of them act on the vessels here is decided.
    pub(super) fn acting(&mut self, now: Tick, fleet: &Fleet, vessels: &mut Query<Around>) -> Option<Tick> {
        self.news.clear();
        let samples = wake::acting(now).filter(|_| self.felt)?;
        if self.settled != Some(samples) {
            self.settle(samples, now, fleet, vessels);
        }
        Some(samples)
    }

    /// Decides for every vessel here whose wakes of a tick act on it, unless it is decided.
    fn settle(&mut self, samples: Tick, now: Tick, fleet: &Fleet, vessels: &mut Query<Around>) {
        self.settled = Some(samples);
        self.sorted.clear();
        let told = now < self.told_until;
        let wakes = self.taken.get(&samples).map_or(&[][..], Vec::as_slice);
        if !told && wakes.len() > 1 {
            let places = (0_u32..).zip(wakes).map(|(n, wake)| (strip(wake.place_m), wake.place_m.x, n));
            self.sorted.extend(places);
            self.sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        }
        for entity in &fleet.entities {
            let Ok((id, _, _, mut company, _)) = vessels.get_mut(*entity) else { continue };
            if !company.wakes.is_empty() {
                company.wakes.retain(|wake| wake.tick >= samples);
            }
            if !self.sorted.is_empty()
                && company.decided.is_none_or(|decided| decided < samples)
                && let Some(own) = find(wakes, id.0)
            {
                let found = wake::company(own, near(&self.sorted, wakes, own.place_m));
                if !found.is_empty() {
                    company.keep(&found);
                    self.news.push((id.0, found));
                }
            }
            if !told {
                company.decided = company.decided.max(Some(samples));
            }
        }
    }

    /// Whose wakes of a tick act on a vessel, by what is known here now.
    pub(super) fn decide(&self, id: VesselId, samples: Tick) -> Vec<Wake> {
        let wakes = self.taken.get(&samples).map_or(&[][..], Vec::as_slice);
        match find(wakes, id) {
            Some(own) if self.felt => wake::company(own, wakes.iter()),
            _ => Vec::new(),
        }
    }

    /// Companies that were decided in the last step, with their vessels in rising order.
    pub(super) fn news(&self) -> &[(VesselId, Vec<Wake>)] {
        &self.news
    }

    /// What a vessel of a class feels at a place and tick.
    pub(super) fn felt(company: &Company, class: &Class, place: DVec2, now: Tick) -> Felt {
        let mut felt = Felt::default();
        if let Some(samples) = wake::acting(now) {
            company.feel(samples, class, place, now, &mut felt);
        }
        felt
    }

    /// Whether samples are due after a tick.
    pub(super) const fn are_due(&self, tick: Tick) -> bool {
        self.felt && tick.0.is_multiple_of(PERIOD_TICKS)
    }

    /// Samples the vessels here after a tick, and forgets what is too old.
    pub(super) fn take<'a>(
        &mut self,
        tick: Tick,
        vessels: impl Iterator<Item = (&'a Id, &'a Build, &'a Crew, &'a Surroundings)>,
    ) {
        let mut wakes = Vec::new();
        // The oldest samples go, one tick's for another's, and leave their memory.
        while let Some(oldest) = self.taken.first_entry()
            && tick.since(*oldest.key()) > KEPT_TICKS
        {
            wakes = oldest.remove();
        }
        wakes.clear();
        let before = tick.0.checked_sub(PERIOD_TICKS).and_then(|before| self.taken.get(&Tick(before)));
        wakes.extend(vessels.filter_map(|(id, build, crew, around)| {
            let before = before.and_then(|wakes| find(wakes, id.0));
            Some(Wake::of(id.0, tick, &build.class, &crew.0, around.water.as_ref()?, before))
        }));
        // What was heard of others early follows; of a vessel that has come since, our own word stands.
        wakes.extend(self.taken.remove(&tick).unwrap_or_default());
        wakes.sort_by_key(|wake| wake.id);
        wakes.dedup_by_key(|wake| wake.id);
        self.taken.insert(tick, wakes);
    }

    /// Forgets what is too old or too far ahead of a tick that was set.
    pub(super) fn forget(&mut self, now: Tick) {
        self.taken.retain(|tick, _| now.since(*tick) <= KEPT_TICKS && tick.since(now) <= KEPT_TICKS);
    }

    /// Keeps a sample that was not taken here.
    pub(super) fn hear(&mut self, wake: Wake, now: Tick) -> Heard {
        if !self.felt || !wake.is_sound() {
            return Heard::Nothing;
        }
        let known = self.taken.get(&wake.tick);
        if known.is_some_and(|wakes| find(wakes, wake.id).is_some()) {
            return Heard::Nothing;
        }
        let full = known.is_some_and(|wakes| wakes.len() >= HEARD_MAX);
        if full || now.since(wake.tick) > KEPT_TICKS || wake.tick.since(now) > KEPT_TICKS {
            return Heard::Lost;
        }
        let wakes = self.taken.entry(wake.tick).or_default();
        let place = wakes.partition_point(|other| other.id < wake.id);
        wakes.insert(place, wake);
        if now >= wake::first_felt(wake.tick) { Heard::Late } else { Heard::InTime }
    }

    /// Takes what a vessel brings along for its sample of a tick, whatever was heard of it: its next sample
    /// follows from that.
    pub(super) fn correct(&mut self, wake: Wake) {
        let Some(wakes) = self.taken.get_mut(&wake.tick) else { return };
        if let Ok(place) = wakes.binary_search_by_key(&wake.id, |known| known.id) {
            wakes[place] = wake;
        }
    }

    /// Counts a sample that some vessel here has missed.
    pub(super) const fn count_late(&mut self) {
        self.late += 1;
    }

    /// Has all that are here looked at again: somebody has come, or was told something.
    pub(super) const fn look_again(&mut self) {
        self.settled = None;
    }

    /// The samples of a vessel that may still act after a tick, in their order.
    pub(super) fn trail(&self, id: VesselId, now: Tick) -> Vec<Wake> {
        let from = wake::acting(now).unwrap_or_default();
        let after = self.taken.range(from..=now);
        after.filter_map(|(_, wakes)| find(wakes, id).copied()).take(TRAIL_WAKES).collect()
    }

    /// All samples newer than a tick, by tick and vessel.
    pub(super) fn since(&self, tick: Tick) -> impl Iterator<Item = &Wake> {
        self.taken.range(tick.after(1)..).flat_map(|(_, wakes)| wakes)
    }

    /// Samples that came too late.
    pub(super) const fn late(&self) -> u64 {
        self.late
    }
}

/// A vessel's sample among those of one tick.
fn find(wakes: &[Wake], id: VesselId) -> Option<&Wake> {
    wakes.binary_search_by_key(&id, |wake| wake.id).ok().map(|place| &wakes[place])
}

/// The samples in the square about a place, sorted by strip and east, and a few more.
fn near<'a>(
    sorted: &'a [(i64, f64, u32)],
    wakes: &'a [Wake],
    place: DVec2,
) -> impl Iterator<Item = &'a Wake> {
    let middle = strip(place);
    let (west, east) = (place.x - NEAR_M, place.x + NEAR_M);
    (middle.saturating_sub(1)..=middle.saturating_add(1)).flat_map(move |row| {
        let from = sorted.partition_point(|(strip, x, _)| *strip < row || (*strip == row && *x < west));
        sorted[from..]
            .iter()
            .take_while(move |(strip, x, _)| *strip == row && *x <= east)
            .map(|(_, _, index)| &wakes[*index as usize])
    })
}
