//! The harbour's side of a region: launching, mooring, reporting, stopping; and other regions' words.

use super::{Action, CHECKPOINT_EVERY, DRAIN_PATIENCE, GUARD_GRACE, Logged, REPORT_EVERY, Region};
use crate::atlas::Area;
use crate::custody::Grantor;
use crate::limits::SHADOW_RECORDS;
use crate::sim;
use crate::units::{RegionId, VesselId, nanoseconds};
use crate::wire::circuit::Way;
use crate::wire::message::{Message, Neighbour, VesselRecord, VesselReport};

impl Region {
    pub(super) fn hear_harbour(&mut self, message: Message) {
        match message {
            Message::Enrol { chain } => self.actions.push_back(Action::Enrol(chain)),
            Message::Neighbours(neighbours) => self.meet(neighbours),
            Message::Launch { record, new } => self.launch_booked(*record, new),
            Message::Moor(vessel) => self.moor(vessel),
            Message::Drain => self.drain(self.now.boot_ns),
            Message::Lease { stamp_ns, unix_ns } => {
                self.hear_grant(Grantor::Harbour, stamp_ns);
                self.hear_time(stamp_ns, unix_ns);
            }
            Message::Roll { number, ended, floors } => self.hear_roll(number, &ended, &floors),
            Message::Resume { vessels, publish } => self.resume(&vessels, publish),
            Message::Restore { records, inputs, publish } => self.restore(records, &inputs, publish),
            Message::Surrender(vessel) => self.surrender(vessel),
            Message::Reshape(area) => self.reshape(area),
            _ => self.counts.out_of_place += 1,
        }
    }

    pub(super) fn hear_region(&mut self, from: RegionId, message: Message) {
        if self.has_ended(from) {
            self.counts.out_of_place += 1;
            return;
        }
        match message {
            Message::Handoff(word) => self.hear_word(from, word),
            Message::Inputs { vessels, through, inputs, stamp_ns } => {
                self.hear_inputs(from, &vessels, through, &inputs);
                self.answer_owner(from, stamp_ns);
            }
            Message::Guarded { stamp_ns } => self.hear_grant(Grantor::Guard, stamp_ns),
            Message::Shadow { vessels } => {
                for record in vessels {
                    match record.check() {
                        Ok(()) => self.keep_shadow(from, record),
                        Err(_) => self.counts.out_of_place += 1,
                    }
                }
            }
            Message::LateInput { vessel, input } => self.late_input(vessel, input),
            Message::Leaving => self.hear_leaving(from),
            // Its last orders came before, on the same stream.
            Message::Relieved => drop(self.streamed_ns.remove(&from)),
            Message::Views { tick, views } => self.hear_views(from, tick, &views),
            Message::Wakes(wakes) => self.hear_wakes(&wakes),
            _ => self.counts.out_of_place += 1,
        }
    }

    fn meet(&mut self, neighbours: Vec<Neighbour>) {
        let here = self.config.id;
        self.neighbours = neighbours.into_iter().filter(|neighbour| neighbour.region != here).collect();
        let known: Vec<RegionId> = self.neighbours.iter().map(|neighbour| neighbour.region).collect();
        let gone: Vec<RegionId> = self.links.keys().filter(|id| !known.contains(id)).copied().collect();
        for region in gone {
            // A commit that was not acknowledged still needs its circuit.
            if self.outgoing.iter().any(|handoff| handoff.target() == region) {
                continue;
            }
            if let Some(link) = self.links.remove(&region)
                && let Some(circuit) = link.circuit
            {
                self.by_circuit.remove(&circuit);
                self.actions.push_back(Action::Close(circuit));
            }
            self.link_lost(region);
        }
        for owned in self.owned.values_mut() {
            owned.guard = owned.guard.filter(|guard| known.contains(guard));
            owned.standby = owned.standby.filter(|ahead| known.contains(ahead));
            owned.told.retain(|region, _| known.contains(region));
        }
        // A roll call must hear of a vessel whose new owner has not said yet that it has it.
        let outgoing = &self.outgoing;
        let under_way = |id: &VesselId| outgoing.iter().any(|handoff| handoff.vessels().contains(id));
        self.gone_to.retain(|id, (region, _)| known.contains(region) || under_way(id));
        for neighbour in &self.neighbours {
            self.sea.prepare(neighbour.area);
        }
    }

    /// Sails another piece of the sea from now on; who is outside of it is handed across.
    fn reshape(&mut self, area: Area) {
        self.sea.prepare(area);
        self.config.area = area;
    }

    fn launch_booked(&mut self, record: VesselRecord, new: bool) {
        let id = record.vessel.id;
        let gone = self.gone_to.get(&id).is_some_and(|(_, gone)| *gone >= record.epoch);
        let barred = self.is_held(id) || gone || self.is_below_floor(id, record.epoch);
        if barred || self.room() == 0 || record.check().is_err() {
            self.counts.out_of_place += 1;
            return;
        }
        let mut vessel = record.vessel;
        if new {
            let heading = sim::heading_of(&vessel.state);
            let place = vessel.state.position_m;
            vessel.state = sim::afloat(&self.sea, &vessel.boat, place, heading, self.sim.tick());
        }
        self.launch(vessel, record.epoch, record.crew_key, record.sessions);
    }

    /// Takes a vessel out of the water and gives its record to the harbour.
    pub(super) fn moor(&mut self, id: VesselId) {
        if self.is_sealed(id) {
            return;
        }
        let Some(record) = self.record(id) else { return };
        for index in 0..self.outgoing.len() {
            if self.outgoing[index].vessels().contains(&id) {
                self.withdraw(index);
            }
        }
        let tick = self.sim.tick();
        let finished = record.vessel.voyage.finished.is_some();
        self.sim.remove(id);
        self.owned.remove(&id);
        self.farewell.moored += u32::from(self.draining_ns.is_some());
        self.log(|| Logged::Left(tick, id));
        if let Some(harbour) = self.harbour {
            self.send(harbour, None, Message::Moored(Box::new(record)), Way::Stream);
        }
        self.dismiss_crews_of(id, finished);
    }

    pub(super) fn report(&mut self, now_ns: u64) {
        let every_ns = nanoseconds(REPORT_EVERY);
        let Some(harbour) = self.harbour else { return };
        if now_ns.saturating_sub(self.reported_ns) < every_ns {
            return;
        }
        self.reported_ns = now_ns;
        let vessels = self.sim.ids().iter().filter_map(|&id| self.vessel_report(id)).collect();
        let report = Message::Report {
            region: self.config.id,
            tick: self.sim.tick(),
            load: self.load,
            dilation: self.dilation,
            prims: self.prims(),
            carries: u32::try_from(self.means.vessels).unwrap_or(u32::MAX),
            vessels,
            counts: self.counts(),
            stamp_ns: self.now.boot_ns,
            clock_doubt_ns: self.time.doubt_ns(self.now.boot_ns),
        };
        self.send(harbour, None, report, Way::Stream);
        let every_ns = nanoseconds(CHECKPOINT_EVERY);
        if now_ns.saturating_sub(self.checkpoint_ns) >= every_ns {
            self.checkpoint_ns = now_ns;
            self.dismiss_strangers();
            let records: Vec<VesselRecord> =
                self.sim.ids().iter().filter_map(|&id| self.record(id)).collect();
            for part in records.chunks(SHADOW_RECORDS) {
                self.send(harbour, None, Message::Shadow { vessels: part.to_vec() }, Way::Stream);
            }
        }
    }

    fn vessel_report(&self, id: VesselId) -> Option<VesselReport> {
        let state = self.sim.state(id)?;
        let voyage = self.sim.voyage(id)?;
        Some(VesselReport {
            vessel: id,
            epoch: self.epoch(id)?,
            group: self.leader_of(id),
            place: state.position_m.truncate(),
            velocity_mps: state.velocity_mps.truncate(),
            marks_passed: voyage.passed,
            finished: voyage.finished,
            ground_m: voyage.ground_m,
            water_m: voyage.water_m,
            guarded: self.is_guarded(id),
        })
    }

    /// Prims that stand here: the course's and those of the hulls.
    #[must_use]
    pub fn prims(&self) -> u32 {
        let area = self.config.area;
        let fixed =
            self.sea.course().prims.iter().filter(|prim| area.contains(prim.centre_m.truncate())).count();
        let hulls: u32 = self.sim.ids().iter().filter_map(|&id| Some(self.sim.boat(id)?.prims)).sum();
        u32::try_from(fixed).unwrap_or(u32::MAX).saturating_add(hulls)
    }

    /// While stopping: waits for the last handoff, moors what nobody takes, and ends.
    pub(super) fn drain_step(&mut self, now_ns: u64) {
        let Some(since_ns) = self.draining_ns else { return };
        let patience_ns = nanoseconds(DRAIN_PATIENCE);
        let alone = !self.neighbours.iter().any(|neighbour| self.is_at_hand(neighbour.region));
        if alone || now_ns.saturating_sub(since_ns) > patience_ns {
            let ids: Vec<VesselId> = self.owned.keys().copied().collect();
            for id in ids {
                self.moor(id);
            }
        }
        let waited_enough = now_ns.saturating_sub(since_ns) > 2 * patience_ns;
        let settled =
            self.outgoing.is_empty() && !self.rebuilding.iter().any(|group| group.is_committed_elsewhere());
        // Owners that were guarded here name another guard, and say so; one that is stopped itself cannot.
        let grace_ns = nanoseconds(GUARD_GRACE);
        let boot_ns = self.now.boot_ns;
        let guards = self.streamed_ns.values().any(|&last_ns| boot_ns.saturating_sub(last_ns) < grace_ns);
        if self.owned.is_empty() && (settled && !guards || waited_enough) {
            if let Some(harbour) = self.harbour {
                self.send(harbour, None, Message::Drained, Way::Stream);
            }
            self.actions.push_back(Action::Stop);
            self.stopped = true;
        }
    }
}
