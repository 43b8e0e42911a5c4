//! Shadows: the states and orders that a vessel's guard keeps in case its owner dies.

use std::collections::BTreeSet;

use super::Region;
use super::target::Rebuilding;
use crate::limits::{INPUT_TICKS, REGION_VESSELS, SHADOW_RECORDS};
use crate::units::{RegionId, TICK_HZ, Tick, VesselId};
use crate::wire::circuit::Way;
use crate::wire::message::{AppliedInput, Message, VesselRecord};

/// Another region's vessel, as it last told.
#[derive(Debug)]
pub(super) struct Shadow {
    pub(super) record: VesselRecord,
    pub(super) inputs: Vec<AppliedInput>,
    owner: RegionId,
    through: Tick,
}

impl Shadow {
    /// Every order up to this tick is known.
    pub(super) const fn through(&self) -> Tick {
        self.through
    }
}

/// A guard says that it keeps what it is streamed this often at most, nanoseconds: a twentieth of a lease.
const GUARDED_EVERY_NS: u64 = 100_000_000;

/// What one region is being told of this region's vessels.
#[derive(Debug, Default)]
pub(super) struct GuardStream {
    vessels: BTreeSet<VesselId>,
    /// The tick at which the full states of all of them were last sent; none when one has joined since. All at
    /// one tick, so that vessels in touch can be sailed on together.
    full: Option<Tick>,
    through: Tick,
}

impl Region {
    /// Starts to stream the orders of vessels that were just offered.
    pub(super) fn start_stream(&mut self, region: RegionId, vessels: &[VesselId]) {
        let tick = self.sim.tick();
        let stream = self.guard_streams.entry(region).or_default();
        for &id in vessels {
            if stream.vessels.insert(id) {
                stream.full = None;
            }
        }
        if stream.through == Tick(0) {
            stream.through = tick;
        }
    }

    /// One batch of orders for every region that guards or awaits vessels of this one.
    pub(super) fn stream_to_targets_and_guards(&mut self) {
        let tick = self.sim.tick();
        for (&id, owned) in &self.owned {
            if let Some(guard) = owned.guard {
                let stream = self.guard_streams.entry(guard).or_default();
                if stream.vessels.insert(id) {
                    stream.full = None;
                }
            }
        }
        let regions: Vec<RegionId> = self.guard_streams.keys().copied().collect();
        for region in regions {
            self.stream_to(region, tick);
        }
        self.guard_streams.retain(|_, stream| !stream.vessels.is_empty());
    }

    fn stream_to(&mut self, region: RegionId, tick: Tick) {
        let offered: Vec<VesselId> = self
            .outgoing
            .iter()
            .filter(|handoff| handoff.target() == region)
            .flat_map(|handoff| handoff.vessels().iter().copied())
            .collect();
        let owned = &self.owned;
        let Some(stream) = self.guard_streams.get_mut(&region) else { return };
        stream.vessels.retain(|id| {
            owned.get(id).is_some_and(|vessel| vessel.guard == Some(region) || offered.contains(id))
        });
        if stream.vessels.is_empty() || stream.through >= tick {
            return;
        }
        let due = stream.full.is_none_or(|full| tick.since(full) >= TICK_HZ);
        if due {
            stream.full = Some(tick);
        }
        let (vessels, through) = (stream.vessels.iter().copied().collect::<Vec<_>>(), stream.through);
        stream.through = tick;
        let inputs: Vec<AppliedInput> = self
            .recent
            .iter()
            .filter(|input| input.tick > through && input.tick <= tick)
            .filter(|input| vessels.binary_search(&input.vessel).is_ok())
            .cloned()
            .collect();
        let stamp_ns = self.now.boot_ns;
        let states: Vec<VesselRecord> =
            if due { vessels.iter().filter_map(|&id| self.record(id)).collect() } else { Vec::new() };
        let news = Message::Inputs { vessels, through: tick, inputs, stamp_ns };
        if !self.send_region(region, news, Way::Stream) {
            if let Some(stream) = self.guard_streams.get_mut(&region) {
                stream.full = None;
            }
            return;
        }
        for part in states.chunks(SHADOW_RECORDS) {
            self.send_region(region, Message::Shadow { vessels: part.to_vec() }, Way::Stream);
        }
    }

    /// The region from which a vessel's shadow was last heard.
    pub(super) fn shadow_owner(&self, id: VesselId) -> Option<RegionId> {
        self.shadows.get(&id).map(|shadow| shadow.owner)
    }

    /// Whether a vessel's guard can be reached and was sent its state.
    pub(super) fn is_guarded(&self, id: VesselId) -> bool {
        let Some(guard) = self.owned.get(&id).and_then(|owned| owned.guard) else { return false };
        let stream = self.guard_streams.get(&guard);
        self.link(guard).is_some() && stream.is_some_and(|s| s.full.is_some() && s.vessels.contains(&id))
    }

    /// Tells an owner now and then that its vessels are guarded here.
    pub(super) fn answer_owner(&mut self, from: RegionId, stamp_ns: u64) {
        let now_ns = self.now.boot_ns;
        self.streamed_ns.insert(from, now_ns);
        let last_ns = self.guarded_ns.get(&from).copied();
        if last_ns.is_none_or(|last_ns| now_ns.saturating_sub(last_ns) >= GUARDED_EVERY_NS)
            && self.send_region(from, Message::Guarded { stamp_ns }, Way::Stream)
        {
            self.guarded_ns.insert(from, now_ns);
        }
    }

    /// Keeps what a group that was on offer has come to, its owner having ended.
    pub(super) fn keep_shadows_of(&mut self, group: &Rebuilding) {
        let Some(owner) = group.from else { return };
        let through = group.through();
        for (record, inputs) in group.shadows() {
            let id = record.vessel.id;
            let newer = self
                .shadows
                .get(&id)
                .is_none_or(|kept| (record.epoch, through) >= (kept.record.epoch, kept.through));
            if newer && !self.owned.contains_key(&id) {
                self.make_room_for_shadow(id);
                self.shadows.insert(id, Shadow { record, inputs, owner, through });
            }
        }
    }

    /// The shadow that has not been heard of for longest goes. None goes just because its owner is no neighbour any
    /// more: it may have died a moment ago.
    fn make_room_for_shadow(&mut self, id: VesselId) {
        if self.shadows.len() < REGION_VESSELS || self.shadows.contains_key(&id) {
            return;
        }
        let oldest = self.shadows.iter().min_by_key(|(_, shadow)| shadow.through).map(|(&oldest, _)| oldest);
        if let Some(oldest) = oldest {
            self.shadows.remove(&oldest);
        }
    }

    /// Keeps a vessel's last state on behalf of its owner.
    pub(super) fn keep_shadow(&mut self, owner: RegionId, record: VesselRecord) {
        let id = record.vessel.id;
        let newer = self
            .shadows
            .get(&id)
            .is_none_or(|kept| (record.epoch, record.tick) > (kept.record.epoch, kept.record.tick));
        if newer && !self.owned.contains_key(&id) {
            self.make_room_for_shadow(id);
            let tick = record.tick;
            let kept = self.shadows.remove(&id).filter(|kept| kept.record.epoch == record.epoch);
            let (mut inputs, through) =
                kept.map_or((Vec::new(), tick), |kept| (kept.inputs, kept.through.max(tick)));
            inputs.retain(|input| input.tick > tick);
            self.shadows.insert(id, Shadow { record, inputs, owner, through });
        }
    }

    pub(super) fn shadow_inputs(
        &mut self,
        from: RegionId,
        vessels: &[VesselId],
        through: Tick,
        inputs: &[AppliedInput],
    ) {
        for id in vessels {
            let Some(shadow) = self.shadows.get_mut(id).filter(|shadow| shadow.owner == from) else {
                continue;
            };
            let known = shadow.through;
            let news = inputs.iter().filter(|input| input.vessel == *id && input.tick > known).cloned();
            shadow.inputs.extend(news);
            shadow.through = shadow.through.max(through);
            // A full state comes every second; what is older than that many ticks is of no use.
            let excess = shadow.inputs.len().saturating_sub(INPUT_TICKS * 8);
            shadow.inputs.drain(..excess);
        }
    }
}
