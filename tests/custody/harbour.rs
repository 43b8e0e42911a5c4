//! The harbour of the checked world: the real roll call, and the glue that `src/harbour/succession.rs` puts around it.

use std::collections::BTreeSet;

use fairway::custody::{Finding, RollCall};
use fairway::units::{RegionId, Tick};
use fairway::wire::message::Epoch;

use crate::region::{Parcel, Rule, VESSEL};

/// What the harbour has on disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kept {
    pub regions: BTreeSet<RegionId>,
    ended: Vec<RegionId>,
    epoch: Epoch,
    owner: Option<RegionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Harbour {
    pub regions: BTreeSet<RegionId>,
    pub roll: RollCall,
    ended: Vec<RegionId>,
    due: bool,
    settled: bool,
    pub epoch: Epoch,
    pub owner: Option<RegionId>,
    unconfirmed: bool,
    /// A report of the vessel came since the roll was called.
    fresh: bool,
    pub passing: bool,
    /// The vessel was not reported in this tick.
    pub is_silent: bool,
    pub kept: Kept,
    rule: Rule,
}

impl Harbour {
    pub fn new(regions: impl IntoIterator<Item = RegionId>, owner: RegionId, rule: Rule) -> Self {
        let regions: BTreeSet<RegionId> = regions.into_iter().collect();
        let epoch = Epoch::default();
        let kept = Kept { regions: regions.clone(), ended: Vec::new(), epoch, owner: Some(owner) };
        Self {
            regions,
            roll: RollCall::default(),
            ended: Vec::new(),
            due: false,
            settled: true,
            epoch,
            owner: Some(owner),
            unconfirmed: false,
            fresh: false,
            passing: false,
            is_silent: false,
            kept,
            rule,
        }
    }

    /// It dies and comes back: what is on disk is all that it knows. `dead` are those that the engine does not
    /// find any more.
    pub fn come_back(&mut self, dead: &BTreeSet<RegionId>, out: &mut Vec<(RegionId, Parcel)>) {
        let kept = self.kept.clone();
        let mut fresh = Self::new(kept.regions, RegionId(0), self.rule);
        (fresh.epoch, fresh.owner, fresh.kept) = (kept.epoch, kept.owner, self.kept.clone());
        if self.rule != Rule::ForgottenEnds {
            fresh.ended = kept.ended;
        }
        *self = fresh;
        for &region in dead {
            self.forget(region);
        }
        self.due = true;
        self.watch(false, out);
    }

    /// The engine says that a region has ended.
    pub fn on_ended(&mut self, region: RegionId, out: &mut Vec<(RegionId, Parcel)>) {
        self.forget(region);
        self.watch(false, out);
    }

    fn forget(&mut self, region: RegionId) {
        if self.regions.remove(&region) {
            self.ended.push(region);
            self.due = true;
            self.kept.ended.clone_from(&self.ended);
            self.kept.regions.remove(&region);
        }
    }

    pub fn hear(&mut self, region: RegionId, parcel: Parcel, out: &mut Vec<(RegionId, Parcel)>) {
        if !self.regions.contains(&region) {
            return;
        }
        match parcel {
            Parcel::Report { holds: Some(epoch), .. } => self.heard(region, epoch),
            Parcel::Roster { number, claims, kept } => self.roll.answered(region, number, claims, kept),
            _ => {}
        }
        self.watch(false, out);
    }

    fn heard(&mut self, region: RegionId, epoch: Epoch) {
        if epoch < self.epoch || self.owner.is_none() {
            return;
        }
        (self.owner, self.epoch) = (Some(region), epoch);
        (self.unconfirmed, self.passing, self.fresh) = (false, false, true);
        self.is_silent = false;
    }

    pub fn may_call(&self) -> bool {
        self.owner.is_some() && self.roll.is_complete() && self.settled
    }

    /// The vessel was not reported for a while; `stuck` where it has also been on its way for too long.
    pub fn call(&mut self, stuck: bool, out: &mut Vec<(RegionId, Parcel)>) {
        self.due = true;
        self.watch(stuck, out);
    }

    fn watch(&mut self, stuck: bool, out: &mut Vec<(RegionId, Parcel)>) {
        if self.owner.is_none() {
            self.due = false;
        } else if self.due {
            let floor = stuck.then_some((VESSEL, self.epoch.next_term()));
            self.roll.call(self.regions.iter().copied(), floor);
            (self.due, self.settled, self.fresh) = (false, false, false);
            for &region in &self.regions {
                let (number, ended) = (self.roll.number(), self.ended.clone());
                out.push((region, Parcel::Roll { number, ended, floor: floor.map(|(_, floor)| floor) }));
            }
        }
        if self.rule == Rule::FirstAnswer && self.regions.iter().any(|region| !self.roll.awaits(*region)) {
            let number = self.roll.number();
            for &region in &self.regions {
                self.roll.answered(region, number, Vec::new(), Vec::new());
            }
        }
    }

    /// Whether all have answered and nothing was done about it yet.
    pub fn may_settle(&self) -> bool {
        self.roll.is_complete() && !self.settled
    }

    /// Acts on a complete roll call; `publish` is the first tick that a successor may publish.
    pub fn settle(&mut self, publish: Tick, out: &mut Vec<(RegionId, Parcel)>) {
        self.settled = true;
        let fresh = self.unconfirmed || self.fresh;
        let known = self.owner.filter(|_| fresh).map(|owner| (owner, self.epoch));
        let regions = &self.regions;
        match self.roll.find(VESSEL, known, |region| regions.contains(&region)) {
            Finding::Held { by, epoch } => {
                self.passing = false;
                if epoch >= self.epoch {
                    (self.owner, self.epoch) = (Some(by), epoch);
                }
            }
            Finding::Passing { .. } => self.passing = true,
            Finding::Adrift { kept_by, epoch, through } => {
                self.passing = false;
                let epoch = self.epoch.max(epoch).next_term();
                (self.epoch, self.owner, self.unconfirmed) = (epoch, Some(kept_by), true);
                (self.kept.epoch, self.kept.owner) = (epoch, self.owner);
                let publish = if self.rule == Rule::NextTick { through.after(1) } else { publish };
                out.push((kept_by, Parcel::Resume { epoch, publish }));
            }
            Finding::Lost => {
                (self.owner, self.passing) = (None, false);
                (self.kept.epoch, self.kept.owner) = (self.epoch, None);
            }
        }
        // What was answered is of no use any more: one state of the world instead of many.
        let number = self.roll.number();
        self.roll = RollCall::default();
        while self.roll.number() < number {
            self.roll.call([], []);
        }
    }
}
