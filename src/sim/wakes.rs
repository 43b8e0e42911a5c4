//! Samples of wakes near here: taken, heard, and felt by the vessels of this simulation.
//!
//! A simulation keeps the samples of its own vessels and those that it has heard of others, by tick. In the
//! step from tick T those of [`wake::acting`]`(T)` act, in rising order of ids, on every vessel within reach
//! but their own: who took a sample, when it came and in what order makes no difference. A vessel's samples
//! go with it when it leaves, and stay here for those that it leaves behind.
//!
//! Who may be within reach of whom is looked up once for each tick of samples, with room for how far both
//! can move until the next; whether they are is decided at every tick, by [`Felt::add`].

use std::collections::BTreeMap;

use bevy_ecs::entity::Entity;
use bevy_ecs::resource::Resource;
use bevy_ecs::system::Query;
use glam::DVec2;

use super::phases::{Around, Build, Crew, Fleet, Id};
use crate::limits::INPUT_TICKS;
use crate::units::{Tick, VesselId};
use crate::vessel::Class;
use crate::vessel::wake::{self, Felt, PERIOD_TICKS, REACH_M, TRAIL_WAKES, Wake};

/// Samples of one tick that are kept of others: nine regions full of vessels, this one among them.
const HEARD_MAX: usize = 9 * crate::limits::REGION_VESSELS;
/// Ticks that a sample is kept before and after the present: a group that is handed over sails on from that
/// long ago, and a region that is behind hears from others that far ahead.
const KEPT_TICKS: u64 = INPUT_TICKS as u64;
/// Distance by which a vessel and the source of a wake can approach while a look-up stands, metres: eleven
/// ticks at 40 m/s each, and half as much again.
const SLACK_M: f64 = 30.0;
/// Side of the strips in which a look-up searches, metres.
const STRIP_M: f64 = REACH_M + SLACK_M;

/// The samples, and what they do.
#[derive(Resource, Default)]
pub(super) struct Wakes {
    /// Whether wakes are felt in this simulation at all.
    pub(super) felt: bool,
    /// Samples of each tick, in rising order of vessels.
    taken: BTreeMap<Tick, Vec<Wake>>,
    /// The tick whose samples `near` points to; none where it must be looked up again.
    looked_up: Option<Tick>,
    /// Vessels here with the samples that may reach them, one vessel after the other, each with rising ids.
    near: Vec<(Entity, u32)>,
    /// Samples by strip and east; memory that is used again.
    sorted: Vec<(i64, f64, u32)>,
    late: u64,
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

/// The strip of a place.
#[expect(clippy::cast_possible_truncation, reason = "saturates far beyond any course")]
fn strip(place: DVec2) -> i64 {
    (place.y / STRIP_M).floor() as i64
}

/// Height of a vessel over which it feels the wind, metres.
fn height_m(class: &Class) -> f64 {
    class.spec.rig.as_ref().map_or(2.0 * class.spec.hull.freeboard_m, |rig| rig.mast_m)
}

impl Wakes {
    /// Lets the vessels here feel the wakes of this tick; their surroundings are fresh.
    pub(super) fn act(&mut self, now: Tick, fleet: &Fleet, vessels: &mut Query<Around>) {
        if !self.felt {
            return;
        }
        let Some(tick) = wake::acting(now) else { return };
        if self.looked_up != Some(tick) {
            self.look_up(tick, fleet, vessels);
        }
        if self.near.is_empty() {
            return;
        }
        let Some(wakes) = self.taken.get(&tick) else { return };
        let mut start = 0;
        while start < self.near.len() {
            let entity = self.near[start].0;
            let count = self.near[start..].iter().take_while(|(other, _)| *other == entity).count();
            // A vessel that has gone feels nothing.
            if let Ok((_, build, crew, mut around)) = vessels.get_mut(entity) {
                let (place, height_m) = (crew.0.position_m.truncate(), height_m(&build.class));
                let around = &mut *around;
                for (_, index) in &self.near[start..start + count] {
                    around.felt.add(&wakes[*index as usize], now, place, height_m);
                }
                if let Some(water) = &mut around.water {
                    water.wind_mps += around.felt.wind_mps;
                }
            }
            start += count;
        }
    }

    /// Finds the samples of a tick that may reach vessels here.
    fn look_up(&mut self, tick: Tick, fleet: &Fleet, vessels: &Query<Around>) {
        self.looked_up = Some(tick);
        self.near.clear();
        self.sorted.clear();
        let Some(wakes) = self.taken.get(&tick) else { return };
        let places = (0_u32..).zip(wakes).map(|(n, wake)| (strip(wake.place_m), wake.place_m.x, n));
        self.sorted.extend(places);
        self.sorted.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let reach = REACH_M + SLACK_M;
        for entity in &fleet.entities {
            let Ok((id, _, crew, _)) = vessels.get(*entity) else { continue };
            let place = crew.0.position_m.truncate();
            let first = self.near.len();
            let middle = strip(place);
            for row in middle.saturating_sub(1)..=middle.saturating_add(1) {
                let from = self
                    .sorted
                    .partition_point(|(strip, x, _)| *strip < row || (*strip == row && *x < place.x - reach));
                for (strip, x, index) in &self.sorted[from..] {
                    if *strip != row || *x > place.x + reach {
                        break;
                    }
                    let wake = &wakes[*index as usize];
                    if wake.id != id.0 && (wake.place_m - place).length_squared() < reach * reach {
                        self.near.push((*entity, *index));
                    }
                }
            }
            self.near[first..].sort_unstable_by_key(|(_, index)| *index);
        }
    }

    /// What a vessel here feels at a tick, without a look-up.
    pub(super) fn felt_by(&self, id: VesselId, class: &Class, place: DVec2, now: Tick) -> Felt {
        let mut felt = Felt::default();
        if !self.felt {
            return felt;
        }
        let wakes = wake::acting(now).and_then(|tick| self.taken.get(&tick));
        for wake in wakes.into_iter().flatten().filter(|wake| wake.id != id) {
            felt.add(wake, now, place, height_m(class));
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
        vessels: impl Iterator<Item = (&'a Id, &'a Build, &'a Crew, &'a super::phases::Surroundings)>,
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
        if self.looked_up == Some(wake.tick) {
            self.looked_up = None;
        }
        if now.since(wake.tick) > wake::DELAY_TICKS { Heard::Late } else { Heard::InTime }
    }

    /// Counts a sample that some vessel here has missed.
    pub(super) const fn count_late(&mut self) {
        self.late += 1;
    }

    /// Has everything looked up again: who is here has changed.
    pub(super) const fn look_again(&mut self) {
        self.looked_up = None;
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
