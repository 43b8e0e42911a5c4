//! When another region has ended: what this one answers to a roll call, and vessels that it sails on.

use super::target::Rebuilding;
use super::{Action, ORPHANED, Region};
use crate::custody::Grantor;
use crate::handoff::Incoming;
use crate::limits::{ENDED_REGIONS, FLOORS, REGION_VESSELS_RESUMED};
use crate::units::{RegionId, Tick, VesselId, nanoseconds};
use crate::wire::circuit::Way;
use crate::wire::message::{AppliedInput, Claim, Epoch, Holding, Keeping, Message, VesselRecord};

/// Ticks that are sailed at most between a shadow and the first tick that is published: an hour of course
/// time. A word that asks for more is not one of our harbour's.
const SUCCESSION_TICKS: u64 = 3_600 * 45;

impl Region {
    /// Whether it may not publish what it owns: its lease has lapsed. A region that stands alone needs none.
    pub fn is_paused(&mut self) -> bool {
        let has_some =
            !self.owned.is_empty() || self.rebuilding.iter().any(|group| group.handoff.is_committed());
        self.config.authority.is_some() && has_some && !self.lease.holds(self.now.boot_ns)
    }

    /// Ends where it belongs to nobody any more: its harbour has not come back, or never knew of it.
    pub(super) fn end_orphaned(&mut self) {
        let boot_ns = self.now.boot_ns;
        let alone = self.config.authority.is_none();
        if alone || self.harbour.is_some() || self.lease.holds(boot_ns) || self.belonged_ns == 0 {
            self.belonged_ns = boot_ns;
        }
        let orphaned_ns = nanoseconds(ORPHANED);
        if boot_ns.saturating_sub(self.belonged_ns) > orphaned_ns {
            self.actions.push_back(Action::Stop);
            self.stopped = true;
        }
    }

    /// A lease was renewed.
    pub(super) fn hear_grant(&mut self, grantor: Grantor, stamp_ns: u64) {
        self.lease.renew(grantor, stamp_ns, self.now.boot_ns);
    }

    /// Answers a roll call; with the answer go the promises that it asks for.
    pub(super) fn hear_roll(&mut self, number: u32, ended: &[RegionId], floors: &[(VesselId, Epoch)]) {
        for &region in ended {
            self.mark_ended(region);
        }
        for &(vessel, floor) in floors {
            if self.floors.len() >= FLOORS && !self.floors.contains_key(&vessel) {
                self.floors.pop_first();
            }
            let known = self.floors.entry(vessel).or_insert(floor);
            *known = floor.max(*known);
            self.drop_below_floor(vessel);
        }
        let (claims, kept) = (self.claims(), self.kept());
        if let Some(harbour) = self.harbour {
            self.send(harbour, None, Message::Roster { number, claims, kept }, Way::Stream);
        }
    }

    /// A region has ended: nothing more is taken from it, and what it had offered is kept as shadows.
    fn mark_ended(&mut self, region: RegionId) {
        if region == self.config.id || !self.ended.insert(region) {
            return;
        }
        while self.ended.len() > ENDED_REGIONS {
            self.ended.pop_first();
        }
        let offered: Vec<Rebuilding> = self
            .rebuilding
            .extract_if(.., |group| group.from == Some(region) && !group.handoff.is_committed())
            .collect();
        for group in &offered {
            self.keep_shadows_of(group);
        }
        // What was committed to it stays committed: the harbour decides who sails that on.
        self.outgoing.retain(|handoff| {
            handoff.target() != region || handoff.is_committed() && handoff.commit_tick() > self.sim.tick()
        });
        self.neighbours.retain(|neighbour| neighbour.region != region);
        self.seen.retain(|_, seen| seen.owner != region);
        self.guard_streams.remove(&region);
        if let Some(circuit) = self.links.remove(&region).and_then(|link| link.circuit) {
            self.by_circuit.remove(&circuit);
            self.actions.push_back(Action::Close(circuit));
        }
        self.link_lost(region);
        for owned in self.owned.values_mut() {
            owned.guard = owned.guard.filter(|guard| *guard != region);
        }
    }

    /// Whether a region is known to have ended.
    pub(super) fn has_ended(&self, region: RegionId) -> bool {
        self.ended.contains(&region)
    }

    /// Whether a vessel of this epoch may not be taken any more.
    pub(super) fn is_below_floor(&self, vessel: VesselId, epoch: Epoch) -> bool {
        self.floors.get(&vessel).is_some_and(|floor| epoch < *floor)
    }

    fn drop_below_floor(&mut self, vessel: VesselId) {
        let floors = &self.floors;
        self.rebuilding.retain(|group| {
            let below = group
                .handoff
                .epochs()
                .iter()
                .any(|(id, epoch)| *id == vessel && floors.get(id).is_some_and(|floor| epoch < floor));
            group.handoff.is_committed() || !below
        });
    }

    /// Whether this region publishes a vessel, or will.
    pub(super) fn is_held(&self, vessel: VesselId) -> bool {
        self.owned.contains_key(&vessel)
            || self.rebuilding.iter().any(|group| {
                group.is_committed_elsewhere() && group.handoff.epochs().iter().any(|(id, _)| *id == vessel)
            })
    }

    fn claims(&self) -> Vec<Claim> {
        let holds = |vessel, epoch| Claim { vessel, epoch, holding: Holding::Holds };
        let mut claims: Vec<Claim> =
            self.owned.iter().map(|(&vessel, owned)| holds(vessel, owned.epoch)).collect();
        for group in self.rebuilding.iter().filter(|group| group.is_committed_elsewhere()) {
            claims.extend(group.handoff.epochs().iter().map(|&(vessel, epoch)| holds(vessel, epoch)));
        }
        let gave = |(&vessel, &(to, epoch)): (&VesselId, &(RegionId, Epoch))| Claim {
            vessel,
            epoch,
            holding: Holding::Gave { to },
        };
        claims.extend(self.gone_to.iter().map(gave));
        claims
    }

    fn kept(&self) -> Vec<Keeping> {
        let keeping = |(&vessel, shadow): (&VesselId, &super::shadows::Shadow)| Keeping {
            vessel,
            epoch: shadow.record.epoch,
            through: shadow.through(),
        };
        self.shadows.iter().map(keeping).collect()
    }

    /// Sails vessels on from the shadows that are kept here.
    pub(super) fn resume(&mut self, vessels: &[(VesselId, Epoch)], publish: Tick) {
        let (mut records, mut inputs, mut through) = (Vec::new(), Vec::new(), Tick(0));
        for &(id, epoch) in vessels {
            // Said twice, because the first word may have been lost.
            let gone = self.gone_to.get(&id).is_some_and(|(_, gone)| *gone >= epoch);
            if self.is_held(id) || gone || self.is_below_floor(id, epoch) {
                continue;
            }
            let Some(shadow) = self.shadows.remove(&id) else { continue };
            through = through.max(shadow.through());
            let mut record = shadow.record;
            record.epoch = epoch;
            records.push(record);
            inputs.extend(shadow.inputs);
        }
        self.sail_on(records, &inputs, through, publish);
    }

    /// Sails vessels on from shadows that came with the word.
    pub(super) fn restore(&mut self, mut records: Vec<VesselRecord>, inputs: &[AppliedInput], publish: Tick) {
        records.retain(|record| {
            let id = record.vessel.id;
            let gone = self.gone_to.get(&id).is_some_and(|(_, gone)| *gone >= record.epoch);
            let barred = self.is_below_floor(id, record.epoch);
            !self.is_held(id) && !gone && !barred && record.check().is_ok()
        });
        let states = records.iter().map(|record| record.tick);
        let through = inputs.iter().map(|input| input.tick).chain(states).max().unwrap_or_default();
        self.sail_on(records, inputs, through, publish);
    }

    fn sail_on(
        &mut self,
        mut records: Vec<VesselRecord>,
        inputs: &[AppliedInput],
        through: Tick,
        publish: Tick,
    ) {
        let held = self.owned.len() + self.rebuilding.iter().map(|group| group.records.len()).sum::<usize>();
        if records.is_empty() || held + records.len() > REGION_VESSELS_RESUMED {
            self.counts.out_of_place += u32::from(!records.is_empty());
            return;
        }
        // One record each, whoever says otherwise.
        records.sort_by_key(|record| record.vessel.id);
        records.dedup_by_key(|record| record.vessel.id);
        let latest = records.iter().map(|record| record.tick).max().unwrap_or_default();
        let earliest = records.iter().map(|record| record.tick).min().unwrap_or_default();
        if publish.max(latest.after(1)).since(earliest) > SUCCESSION_TICKS {
            self.counts.out_of_place += 1;
            return;
        }
        // A state that is of the publishing tick or later was published by nobody who could reach it.
        let publish = publish.max(latest.after(1));
        let mut epochs: Vec<(VesselId, Epoch)> =
            records.iter().map(|record| (record.vessel.id, record.epoch)).collect();
        epochs.sort_unstable();
        // Other offers of these vessels are void.
        self.rebuilding.retain(|group| {
            group.handoff.is_committed() || !epochs.iter().any(|(id, _)| group.records.contains_key(id))
        });
        let mut group = Rebuilding::new(self, None, Incoming::resumed(epochs, publish), records);
        group.learn(through, inputs);
        group.nothing_more_to_learn();
        self.rebuilding.push(group);
        if publish <= self.sim.tick() && !self.is_paused() {
            self.take(self.rebuilding.len() - 1);
            self.rebuilding.retain(|group| !group.handoff.is_owner());
        }
    }

    /// Gives the harbour the shadow of a vessel.
    pub(super) fn surrender(&mut self, vessel: VesselId) {
        let Some(shadow) = self.shadows.get(&vessel) else { return };
        let (record, inputs) = (Box::new(shadow.record.clone()), shadow.inputs.clone());
        if let Some(harbour) = self.harbour {
            self.send(harbour, None, Message::Surrendered { record, inputs }, Way::Stream);
        }
    }
}
