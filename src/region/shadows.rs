//! Shadows: the states and orders that a vessel's guard keeps in case its owner dies.

use std::collections::BTreeMap;

use super::Region;
use crate::limits::{INPUT_TICKS, REGION_VESSELS};
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
    /// The region that owns the vessel.
    pub(super) const fn owner(&self) -> RegionId {
        self.owner
    }
}

/// What one region is being told of this region's vessels.
#[derive(Debug, Default)]
pub(super) struct GuardStream {
    /// Each vessel with the tick of the last full state that was sent; none for offered ones, whose offer is one.
    vessels: BTreeMap<VesselId, Option<Tick>>,
    through: Tick,
}

impl Region {
    /// Starts to stream the orders of vessels that were just offered.
    pub(super) fn start_stream(&mut self, region: RegionId, vessels: &[VesselId]) {
        let tick = self.sim.tick();
        let stream = self.guard_streams.entry(region).or_default();
        for &id in vessels {
            stream.vessels.entry(id).or_insert(None);
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
                stream.vessels.entry(id).or_insert(None);
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
        stream.vessels.retain(|id, _| {
            owned.get(id).is_some_and(|vessel| vessel.guard == Some(region) || offered.contains(id))
        });
        if stream.vessels.is_empty() || stream.through >= tick {
            return;
        }
        let due: Vec<VesselId> = stream
            .vessels
            .iter()
            .filter(|(_, sent)| sent.is_none_or(|sent| tick.since(sent) >= TICK_HZ))
            .map(|(&id, _)| id)
            .collect();
        for id in &due {
            stream.vessels.insert(*id, Some(tick));
        }
        let (vessels, through) = (stream.vessels.keys().copied().collect::<Vec<_>>(), stream.through);
        stream.through = tick;
        let inputs: Vec<AppliedInput> = self
            .recent
            .iter()
            .filter(|input| input.tick > through && vessels.binary_search(&input.vessel).is_ok())
            .copied()
            .collect();
        let full: Vec<VesselRecord> = due.iter().filter_map(|&id| self.record(id)).collect();
        if self.send_region(region, Message::Inputs { vessels, through: tick, inputs }, Way::Stream)
            && !full.is_empty()
        {
            self.send_region(region, Message::Shadow { vessels: full }, Way::Stream);
        }
    }

    /// Keeps a vessel's last state on behalf of its owner.
    pub(super) fn keep_shadow(&mut self, owner: RegionId, record: VesselRecord) {
        let id = record.vessel.id;
        let newer = self
            .shadows
            .get(&id)
            .is_none_or(|kept| (record.epoch, record.tick) > (kept.record.epoch, kept.record.tick));
        let room = self.shadows.len() < REGION_VESSELS || self.shadows.contains_key(&id);
        if newer && room && !self.owned.contains_key(&id) {
            let through = record.tick;
            let mut inputs = self.shadows.remove(&id).map_or_else(Vec::new, |kept| kept.inputs);
            inputs.retain(|input| input.tick > through);
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
            let news = inputs.iter().filter(|input| input.vessel == *id && input.tick > known).copied();
            shadow.inputs.extend(news);
            shadow.through = shadow.through.max(through);
            // A full state comes every second; what is older than that many ticks is of no use.
            let excess = shadow.inputs.len().saturating_sub(INPUT_TICKS * 8);
            shadow.inputs.drain(..excess);
        }
    }
}
