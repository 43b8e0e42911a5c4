//! Borders: which group belongs to which region, and the handoffs that follow from it.

use std::collections::BTreeMap;

use glam::DVec2;

use super::{Region, Seen, VIEW_MARGIN_M, VIEW_TICKS};
use crate::handoff::{Outgoing, Verdict};
use crate::limits::{BORDER_HYSTERESIS_M, COMMIT_INPUTS, GROUP_VESSELS, REGION_VESSELS};
use crate::sim::groups::{self, Member};
use crate::units::{RegionId, TICK_HZ, Tick, VesselId};
use crate::wire::circuit::Way;
use crate::wire::message::{AppliedInput, Epoch, Message, Neighbour, VesselRecord, View, Word};

/// Groups are found anew this often: two seconds of warning before a touch bear 0.2 s of delay.
pub(super) const GROUP_EVERY_TICKS: u64 = 9;
/// How far ahead along its way a vessel's next region is told to its crew and made its guard, course seconds.
const STANDBY_AHEAD_S: f64 = 10.0;
/// Wall time from an offer to its commit tick besides three round trips: both processes are scheduled, the
/// group is rebuilt, and the commit still has a third of it to get there.
const OFFER_LEAD_S: f64 = 0.060;
/// Ticks from an offer to its commit at least.
const OFFER_LEAD_TICKS: u64 = 6;
/// The same while this region stops, at the first try: its crews stand by at the guard already, and time counts.
const DRAIN_LEAD_TICKS: u64 = 3;
/// Ticks for which a refused group is not offered again: a tenth of a second of wall time at least.
const RETRY_S: f64 = 0.1;
/// Ticks between telling a crew of a region and offering its vessel there: a word and a handshake over a bad link take
/// less, also when one packet of them is lost. The owner sails on past the border meanwhile; two vessels that close on each other
/// have two seconds.
const CREW_TICKS: u64 = 40;
/// Ticks that a commit is sent before its own at least: a whole one, and the one that has begun.
const COMMIT_MARGIN_TICKS: u64 = 2;
/// Ticks for which it is remembered that a group was refused: a second.
const REFUSED_TICKS: u64 = TICK_HZ;
/// Views in one datagram: each takes 110 bytes.
const VIEWS_PER_DATAGRAM: usize = 9;

impl Region {
    // --- Groups and whose they are ---

    pub(super) fn find_groups(&mut self) {
        let now = self.sim.tick();
        self.seen.retain(|_, seen| now.since(seen.tick) < VIEW_TICKS);
        let own = self.sim.ids().iter().filter_map(|&id| self.view(id));
        let views = own.chain(self.seen.values().map(|seen| moved(seen, now)));
        let members: Vec<Member> = views
            .map(|view| Member {
                id: view.vessel,
                place: view.position_m.truncate(),
                velocity_mps: view.velocity_mps.truncate(),
                length_m: f64::from(view.length_m),
            })
            .collect();
        self.groups = groups::group(&members, &self.groups);
        let led = self.groups.iter().flat_map(|group| group.iter().map(|&id| (id, group[0])));
        self.leaders = led.collect();
    }

    /// The leader of a vessel's group: itself where it sails alone.
    pub(super) fn leader_of(&self, vessel: VesselId) -> VesselId {
        self.leaders.get(&vessel).copied().unwrap_or(vessel)
    }

    /// The region that a group belongs to: where its leader is, or this one.
    fn target_of(&self, leader: VesselId) -> RegionId {
        let here = self.config.id;
        let (place, owner) = match (self.sim.state(leader), self.seen.get(&leader)) {
            (Some(state), _) => (state.position_m.truncate(), here),
            (None, Some(seen)) => (moved(seen, self.sim.tick()).position_m.truncate(), seen.owner),
            (None, None) => return here,
        };
        let owner_area = if owner == here {
            Some(self.config.area)
        } else {
            self.neighbour(owner).map(|neighbour| neighbour.area)
        };
        if owner_area.is_some_and(|area| area.grown(BORDER_HYSTERESIS_M).contains(place)) {
            return owner;
        }
        if self.config.area.contains(place) {
            return here;
        }
        // Where no region is, the leader's owner sails on past its border.
        self.neighbour_at(place).map_or(owner, |neighbour| neighbour.region)
    }

    /// The region of a place, unless it stops: then it is as good as gone.
    fn neighbour_at(&self, place: DVec2) -> Option<&Neighbour> {
        let stays = |neighbour: &&Neighbour| !self.leaving.contains_key(&neighbour.region);
        self.neighbours.iter().filter(stays).find(|neighbour| neighbour.area.contains(place))
    }

    /// The region at hand that is nearest to a place.
    pub(super) fn nearest_at_hand(&self, place: DVec2) -> Option<&Neighbour> {
        self.neighbours
            .iter()
            .filter(|neighbour| self.is_at_hand(neighbour.region))
            .min_by(|a, b| a.area.distance_m(place).total_cmp(&b.area.distance_m(place)))
    }

    /// Offers every group that belongs elsewhere, and tells crews and guards of the region ahead.
    pub(super) fn offer_groups(&mut self) {
        let now = self.sim.tick();
        let ids: Vec<VesselId> = self.sim.ids().to_vec();
        let mut wanted: BTreeMap<(VesselId, RegionId), Vec<VesselId>> = BTreeMap::new();
        for id in ids {
            if now.0.is_multiple_of(GROUP_EVERY_TICKS) {
                self.look_ahead(id);
                self.name_guard(id);
            }
            let leader = self.leader_of(id);
            let target = self.target_or_refuge(leader, id);
            if target != self.config.id {
                wanted.entry((leader, target)).or_default().push(id);
            }
        }
        self.withdraw_changed(&wanted);
        self.retry.retain(|_, &mut again| now.since(again) < REFUSED_TICKS);
        // A region that stops gives many groups at once where it can: rebuilding each on a sea of its own would take
        // its target most of a millisecond. What was refused goes alone.
        let mut many: Vec<(RegionId, Vec<VesselId>)> = Vec::new();
        for ((leader, target), mut vessels) in wanted {
            vessels.truncate(GROUP_VESSELS);
            let busy =
                vessels.iter().any(|id| self.outgoing.iter().any(|handoff| handoff.vessels().contains(id)));
            let later = self.retry.get(&leader).is_some_and(|&tick| now < tick);
            if busy || later || self.link(target).is_none() {
                continue;
            }
            if self.draining_ns.is_none() || self.retry.contains_key(&leader) {
                if self.draining_ns.is_some() || self.crews_have_had_time(&vessels, target) {
                    self.offer(target, vessels);
                }
                continue;
            }
            let fits = |other: RegionId, ids: &[VesselId]| {
                other == target && ids.len() + vessels.len() <= GROUP_VESSELS
            };
            match many.iter_mut().find(|(other, ids)| fits(*other, ids)) {
                Some((_, ids)) => ids.extend(vessels),
                None => many.push((target, vessels)),
            }
        }
        for (target, mut vessels) in many {
            vessels.sort_unstable();
            self.offer(target, vessels);
        }
    }

    /// The target of a vessel, unless that stops; or, while this region stops, any neighbour that can take it: its
    /// guard, where its crew stands by, else the nearest one.
    fn target_or_refuge(&self, leader: VesselId, vessel: VesselId) -> RegionId {
        let here = self.config.id;
        let target = self.target_of(leader);
        if target != here && !self.leaving.contains_key(&target) {
            return target;
        }
        if self.draining_ns.is_none() {
            return here;
        }
        // Of the leader, so that a group goes together.
        let one = if self.owned.contains_key(&leader) { leader } else { vessel };
        let guard = self.owned.get(&one).and_then(|owned| owned.guard);
        if let Some(guard) = guard.filter(|&guard| self.is_at_hand(guard)) {
            return guard;
        }
        let Some(state) = self.sim.state(one) else { return here };
        self.nearest_at_hand(state.position_m.truncate()).map_or(here, |neighbour| neighbour.region)
    }

    /// Whether the crews of a group know its target for long enough to be there: one that goes where its leader goes,
    /// or turned just now, may first hear of it here.
    fn crews_have_had_time(&mut self, vessels: &[VesselId], target: RegionId) -> bool {
        let now = self.sim.tick();
        let Some(there) = self.neighbour(target).cloned() else { return true };
        let mut ready = true;
        for &id in vessels {
            if !self.has_crew(id) {
                continue;
            }
            let told = self.owned.get(&id).and_then(|owned| owned.told.get(&target).copied());
            if told.is_none() {
                self.stand_by_at(id, &there);
            }
            ready &= told.is_some_and(|told| now.since(told) >= CREW_TICKS);
        }
        ready
    }

    /// Takes back one offer, if it is still open.
    pub(super) fn withdraw(&mut self, index: usize) {
        let verdict = self.outgoing[index].withdraw();
        self.act_on(index, verdict);
    }

    /// Takes back open offers whose group or target is no longer what was offered.
    fn withdraw_changed(&mut self, wanted: &BTreeMap<(VesselId, RegionId), Vec<VesselId>>) {
        for index in 0..self.outgoing.len() {
            let handoff = &self.outgoing[index];
            // Whole groups, and all of them still wanted there.
            let whole = |ids: &[VesselId]| ids.iter().all(|id| handoff.vessels().contains(id));
            let there = wanted.iter().filter(|((_, target), _)| *target == handoff.target());
            let held: usize = there.filter(|(_, ids)| whole(ids)).map(|(_, ids)| ids.len()).sum();
            if held != handoff.vessels().len() {
                self.withdraw(index);
            }
        }
        self.forget_over(self.sim.tick());
    }

    fn look_ahead(&mut self, id: VesselId) {
        // A group goes where its leader goes.
        let leader = self.leader_of(id);
        let Some(state) = self.sim.state(leader).or_else(|| self.sim.state(id)) else { return };
        let ahead = state.position_m.truncate() + state.velocity_mps.truncate() * STANDBY_AHEAD_S;
        let Some(next) = self.neighbour_at(ahead).cloned() else { return };
        self.stand_by_at(id, &next);
    }

    /// Tells a vessel's crews of the region that it will cross to, once, and makes that region its guard.
    pub(super) fn stand_by_at(&mut self, id: VesselId, next: &Neighbour) {
        let linked = self.link(next.region).is_some();
        let tick = self.sim.tick();
        let Some(owned) = self.owned.get_mut(&id) else { return };
        owned.told.entry(next.region).or_insert(tick);
        if linked {
            owned.guard = Some(next.region);
        }
        if owned.standby != Some(next.region) {
            owned.standby = Some(next.region);
            self.tell_standby(id, next);
        }
    }

    // --- The owner's side ---

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a lead of seconds")]
    fn offer(&mut self, target: RegionId, vessels: Vec<VesselId>) {
        let Some(link) = self.links.get(&target) else { return };
        let lead_s = OFFER_LEAD_S + 3.0 * link.rtt.as_secs_f64();
        let refused = self.retry.contains_key(&self.leader_of(vessels[0]));
        let least = if self.draining_ns.is_some() && !refused { DRAIN_LEAD_TICKS } else { OFFER_LEAD_TICKS };
        let lead = ((lead_s * self.ticks_per_second()) as u64).max(least);
        let margin = (lead / 3).max(COMMIT_MARGIN_TICKS);
        let records: Vec<VesselRecord> = vessels.iter().filter_map(|&id| self.record(id)).collect();
        let number = self.next_offer;
        self.next_offer += 1;
        let commit = self.sim.tick().after(lead);
        let handoff = Outgoing::new(number, target, vessels.clone(), self.sim.tick(), commit, margin);
        self.outgoing.push(handoff);
        self.start_stream(target, &vessels);
        self.send_wakes_to(target);
        // A group goes where its leader is: for some of its crews that is not the region ahead of them.
        if let Some(neighbour) = self.neighbour(target).cloned() {
            for &id in &vessels {
                self.stand_by_at(id, &neighbour);
            }
        }
        let offer = Word::Offer { number, vessels: records, commit };
        self.send_region(target, Message::Handoff(offer), Way::Stream);
    }

    fn ticks_per_second(&self) -> f64 {
        crate::units::TICK_S.recip() * self.config.clock.warp
    }

    /// Releases and takes the groups whose commit tick comes next.
    pub(super) fn before_tick(&mut self, next: Tick) {
        for index in 0..self.outgoing.len() {
            let verdict = self.outgoing[index].before(next);
            self.act_on(index, verdict);
            let handoff = &self.outgoing[index];
            if handoff.is_committed() && handoff.commit_tick() == next {
                self.release(index);
            }
        }
        self.forget_over(next);
        let due: Vec<usize> = (0..self.rebuilding.len())
            .filter(|&index| {
                let handoff = &self.rebuilding[index].handoff;
                handoff.is_committed() && !handoff.is_owner() && handoff.commit_tick() <= next
            })
            .collect();
        for index in due {
            self.take(index);
        }
        self.rebuilding.retain(|group| !group.handoff.is_owner());
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a second")]
    pub(super) fn act_on(&mut self, index: usize, verdict: Verdict) {
        let (number, target) = (self.outgoing[index].number(), self.outgoing[index].target());
        match verdict {
            Verdict::Wait | Verdict::Done => {}
            Verdict::Cancel { tell } => {
                self.counts.offers_cancelled += 1;
                let wait = ((RETRY_S * self.ticks_per_second()) as u64).max(1);
                let again = self.sim.tick().after(wait);
                for id in self.outgoing[index].vessels().to_vec() {
                    self.retry.insert(self.leader_of(id), again);
                }
                if tell {
                    let word = Word::Cancel { number };
                    self.send_region(target, Message::Handoff(word), Way::Stream);
                }
            }
            // Who may not publish may not give away what it does not publish either; and a commit must fit.
            Verdict::Commit if self.is_paused() || !self.seal(index) => self.withdraw(index),
            Verdict::Commit => {
                let tick = self.sim.tick();
                self.outgoing[index].committed(tick);
                self.send_commit(index);
                self.pass_on_pending(index);
            }
            Verdict::Repeat => self.send_commit(index),
        }
    }

    /// Decides what the vessels of a handoff still feel before its commit tick; whether it all fits a commit.
    fn seal(&mut self, index: usize) -> bool {
        let last = self.outgoing[index].commit_tick().before(1);
        for id in self.outgoing[index].vessels().to_vec() {
            self.decide_company(id, last);
        }
        self.inputs_of(index).iter().map(AppliedInput::weight).sum::<usize>() <= COMMIT_INPUTS
    }

    /// Sends a commit with every input that was applied: none is applied here after it.
    fn send_commit(&mut self, index: usize) {
        let handoff = &self.outgoing[index];
        let (number, target, commit) = (handoff.number(), handoff.target(), handoff.commit_tick());
        let epochs: Vec<(VesselId, Epoch)> = handoff
            .vessels()
            .iter()
            .filter_map(|&id| {
                let epoch = self.owned.get(&id).map(|owned| owned.epoch.next_hop());
                epoch.or_else(|| self.shadows.get(&id).map(|shadow| shadow.record.epoch)).map(|e| (id, e))
            })
            .collect();
        let inputs = self.inputs_of(index);
        let word = Word::Commit { number, commit, epochs, inputs };
        self.send_region(target, Message::Handoff(word), Way::Stream);
    }

    /// Orders that came since the last tick are not sealed: they are the target's to apply.
    fn pass_on_pending(&mut self, index: usize) {
        let (target, vessels) = (self.outgoing[index].target(), self.outgoing[index].vessels().to_vec());
        for vessel in vessels {
            let Some(owned) = self.owned.get_mut(&vessel) else { continue };
            for input in std::mem::take(&mut owned.pending) {
                self.send_region(target, Message::LateInput { vessel, input }, Way::Stream);
            }
        }
    }

    /// Every input of a handoff's vessels after the state that was offered.
    fn inputs_of(&self, index: usize) -> Vec<AppliedInput> {
        let handoff = &self.outgoing[index];
        let belongs = |input: &&AppliedInput| {
            input.tick > handoff.offered_tick() && handoff.vessels().binary_search(&input.vessel).is_ok()
        };
        self.recent.iter().filter(belongs).cloned().collect()
    }

    /// Sends again what a region that came back may have missed.
    pub(super) fn repeat_commits(&mut self, region: RegionId) {
        for index in 0..self.outgoing.len() {
            let handoff = &self.outgoing[index];
            if handoff.target() == region && handoff.is_committed() && !handoff.is_over() {
                self.send_commit(index);
            }
        }
    }

    /// A region cannot be reached: open offers to it are void, and so are groups that it offered.
    pub(super) fn link_lost(&mut self, region: RegionId) {
        for index in 0..self.outgoing.len() {
            if self.outgoing[index].target() == region {
                self.withdraw(index);
            }
        }
        self.forget_over(self.sim.tick());
        self.rebuilding.retain(|group| group.from != Some(region) || group.handoff.is_committed());
        self.guard_streams.remove(&region);
        self.told.retain(|(told, _), _| *told != region);
        self.streamed_ns.remove(&region);
        self.leaving.remove(&region);
    }

    /// Drops handoffs that are over: cancelled, or acknowledged and released. One that is acknowledged early
    /// still has its commit tick before it.
    pub(super) fn forget_over(&mut self, released: Tick) {
        self.outgoing.retain(|handoff| {
            !handoff.is_over() || handoff.is_committed() && handoff.commit_tick() > released
        });
    }

    /// Stops publishing a group: its next tick is the target's. It stays here as a shadow.
    fn release(&mut self, index: usize) {
        let (target, vessels) = (self.outgoing[index].target(), self.outgoing[index].vessels().to_vec());
        let there = self.neighbour(target).cloned();
        for id in vessels {
            // Once more, for a crew whose second circuit did not open or was given up since.
            if let Some(there) = &there {
                self.tell_standby(id, there);
            }
            let Some(mut record) = self.record(id) else { continue };
            if let Some(view) = self.view(id) {
                self.seen.insert(id, Seen { owner: target, tick: record.tick, view });
            }
            record.epoch = record.epoch.next_hop();
            self.sim.remove(id);
            self.owned.remove(&id);
            self.farewell.handed += u32::from(self.draining_ns.is_some());
            self.gone_to.insert(id, (target, record.epoch));
            self.keep_shadow(target, record);
        }
    }

    // --- Views ---

    pub(super) fn send_views(&mut self, tick: Tick) {
        let own = self.config.area;
        let open: Vec<(RegionId, crate::atlas::Area)> = self
            .neighbours
            .iter()
            .filter(|neighbour| self.link(neighbour.region).is_some())
            .map(|neighbour| (neighbour.region, neighbour.area))
            .collect();
        for (region, area) in open {
            let views: Vec<View> = self
                .sim
                .ids()
                .iter()
                .filter_map(|&id| self.view(id))
                .filter(|view| {
                    // One that has sailed on past its border may be near anybody's.
                    let place = view.position_m.truncate();
                    area.distance_m(place) < VIEW_MARGIN_M || own.distance_m(place) > BORDER_HYSTERESIS_M
                })
                .collect();
            for part in views.chunks(VIEWS_PER_DATAGRAM) {
                let message = Message::Views { tick, views: part.to_vec() };
                self.send_region(region, message, Way::Datagram);
            }
        }
    }

    pub(super) fn hear_views(&mut self, owner: RegionId, tick: Tick, views: &[View]) {
        for &view in views.iter().take(VIEWS_PER_DATAGRAM) {
            let known = self.seen.get(&view.vessel);
            let newer = known.is_none_or(|seen| seen.tick <= tick);
            let room = known.is_some() || self.seen.len() < REGION_VESSELS;
            // A tick far ahead of the course's clock would never be forgotten.
            let sane = tick.since(self.sim.tick()) < VIEW_TICKS;
            if newer && room && sane && !self.owned.contains_key(&view.vessel) {
                self.seen.insert(view.vessel, Seen { owner, tick, view });
            }
        }
    }
}

/// A neighbour's vessel as it will be at a tick, by dead reckoning.
pub(super) fn moved(seen: &Seen, now: Tick) -> View {
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let ahead_s = now.since(seen.tick).min(VIEW_TICKS) as f64 / TICK_HZ as f64;
    let mut view = seen.view;
    view.position_m += view.velocity_mps * ahead_s;
    view
}
