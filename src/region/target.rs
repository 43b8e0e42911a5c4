//! The target's side of a handoff: groups of other regions that sail along here until they are this region's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Logged, Owned, PENDING_ORDERS, Region};
use crate::handoff::{Incoming, Reply};
use crate::limits::{GROUP_VESSELS, INPUT_TICKS};
use crate::sim::Sim;
use crate::units::{RegionId, Tick, VesselId};
use crate::vessel::{Input, Wake};
use crate::wire::circuit::Way;
use crate::wire::message::{AppliedInput, Epoch, Given, Message, VesselRecord, Word};

/// Taken handoffs that are remembered, so that a repeated commit is acknowledged: minutes of a busy region.
const TAKEN_KEPT: usize = 256;

/// A group of another region, rebuilt here and sailing along behind its owner.
#[derive(Debug)]
pub(super) struct Rebuilding {
    /// Its owner; none where the harbour gave it here because its owner has ended.
    pub(super) from: Option<RegionId>,
    pub(super) handoff: Incoming,
    pub(super) records: BTreeMap<VesselId, VesselRecord>,
    sim: Sim,
    /// Those whose state is of a later tick than the simulation's: they join it then.
    later: Vec<VesselRecord>,
    /// Orders by the tick that first feels them, in the order in which the owner applied them.
    inputs: BTreeMap<Tick, Vec<AppliedInput>>,
    /// All of them, in a region that keeps a log.
    told: Option<Vec<AppliedInput>>,
    /// All orders up to this tick are known.
    through: Tick,
    /// The last tick of which the dead owner's orders are known, where the harbour gave the group here.
    known: Tick,
    /// Orders of crews that already steer here.
    pending: BTreeMap<VesselId, VecDeque<Input>>,
}

impl Rebuilding {
    /// Vessels at the ticks of their records, on a sea of their own.
    ///
    /// # Panics
    /// When there is no vessel.
    pub(super) fn new(
        region: &Region,
        from: Option<RegionId>,
        handoff: Incoming,
        records: Vec<VesselRecord>,
    ) -> Self {
        let Some(tick) = records.iter().map(|record| record.tick).min() else {
            panic!("a group without vessels")
        };
        let mut group = Self {
            from,
            handoff,
            records: BTreeMap::new(),
            sim: Sim::new(Arc::clone(&region.sea), region.sea.course().prims.clone(), tick),
            later: records.clone(),
            inputs: BTreeMap::new(),
            told: region.config.log.then(Vec::new),
            through: tick,
            known: tick,
            pending: BTreeMap::new(),
        };
        group.records = records.into_iter().map(|record| (record.vessel.id, record)).collect();
        group.join();
        group
    }

    /// Puts in whose state is of the simulation's tick.
    fn join(&mut self) {
        let tick = self.sim.tick();
        for record in self.later.extract_if(.., |record| record.tick == tick) {
            self.sim.insert(record.vessel);
        }
    }

    /// The vessels as they are here now, with the orders that are known after that.
    pub(super) fn shadows(&self) -> Vec<(VesselRecord, Vec<AppliedInput>)> {
        let now = self.sim.tick();
        let shadow = |record: &VesselRecord| {
            let mut record = record.clone();
            if let Some(vessel) = self.sim.vessel(record.vessel.id) {
                (record.vessel, record.tick) = (vessel, now);
            }
            let after = self.inputs.values().flatten();
            let id = record.vessel.id;
            (record, after.filter(|input| input.vessel == id).cloned().collect())
        };
        self.records.values().map(shadow).collect()
    }

    /// Every order up to this tick is known.
    pub(super) const fn through(&self) -> Tick {
        self.through
    }

    pub(super) fn pending_of(&mut self, vessel: VesselId) -> Option<&mut VecDeque<Input>> {
        self.records.contains_key(&vessel).then(|| self.pending.entry(vessel).or_default())
    }

    /// Whether it is committed to this region and not yet taken.
    pub(super) fn is_committed_elsewhere(&self) -> bool {
        self.handoff.is_committed() && !self.handoff.is_owner()
    }

    pub(super) fn learn(&mut self, through: Tick, inputs: &[AppliedInput]) {
        for input in inputs {
            let due = input.tick > self.through && input.tick <= through;
            if due && self.records.contains_key(&input.vessel) {
                self.inputs.entry(input.tick).or_default().push(input.clone());
                if let Some(told) = &mut self.told {
                    told.push(input.clone());
                }
            }
        }
        self.through = self.through.max(through);
    }

    /// Its owner has ended: nothing that is not known by now counts.
    pub(super) fn nothing_more_to_learn(&mut self) {
        self.known = self.through;
        self.through = self.last();
    }

    /// The last tick that is not this region's to publish.
    fn last(&self) -> Tick {
        self.handoff.commit_tick().before(1)
    }

    /// For the log, at its last tick that is another's: as what and from where it was taken over.
    fn past(&mut self) -> Vec<Logged> {
        let (last, commit, through) = (self.last(), self.handoff.commit_tick(), self.known);
        if self.from.is_none() {
            let resumed = |&(id, epoch): &(VesselId, Epoch)| {
                let vessel = Box::new(self.sim.vessel(id)?);
                Some(Logged::Resumed { tick: last, through, epoch, vessel })
            };
            return self.handoff.epochs().iter().filter_map(resumed).collect();
        }
        let told = self.told.take().unwrap_or_default();
        let taken = |record: &VesselRecord| Logged::Taken {
            tick: record.tick,
            commit,
            vessel: Box::new(record.vessel.clone()),
            given: told.iter().filter(|input| input.vessel == record.vessel.id).cloned().collect(),
        };
        self.records.values().map(taken).collect()
    }

    /// Hears samples of others, which count where no owner has decided.
    fn hear_wakes(&mut self, wakes: &[Wake]) {
        for wake in wakes {
            self.sim.hear_wake(*wake);
        }
    }

    /// Sails to a tick; `each` sees the simulation after every step.
    fn sail_to(&mut self, tick: Tick, mut each: impl FnMut(&Sim)) {
        // What its owner decided is told; later on whoever is near is felt by what is known here.
        self.sim.follow(if self.from.is_some() { self.last() } else { self.known });
        while self.sim.tick() < tick {
            let next = self.sim.tick().after(1);
            for input in self.inputs.remove(&next).unwrap_or_default() {
                input.give_to(&mut self.sim);
            }
            self.sim.step();
            if !self.later.is_empty() {
                self.join();
            }
            each(&self.sim);
        }
    }
}

impl Region {
    pub(super) fn hear_word(&mut self, from: RegionId, word: Word) {
        if let Word::Offer { number, vessels, commit } = word {
            self.hear_offer(from, number, vessels, commit);
        } else if matches!(word, Word::Commit { .. } | Word::Cancel { .. }) {
            self.hear_owner(from, &word);
        } else {
            let tick = self.sim.tick();
            let found = self
                .outgoing
                .iter()
                .position(|handoff| handoff.number() == word.number() && handoff.target() == from);
            if let Some(index) = found {
                let verdict = self.outgoing[index].hear(&word, tick);
                self.act_on(index, verdict);
            }
        }
    }

    fn hear_offer(&mut self, from: RegionId, number: u32, vessels: Vec<VesselRecord>, commit: Tick) {
        let answer = |word| Message::Handoff(word);
        if let Some(reason) = self.refusal(&vessels, commit) {
            self.send_region(from, answer(Word::No { number, reason }), Way::Stream);
            return;
        }
        // One that the harbour has not named as a neighbour may be, soon; or may have ended long ago.
        let stranger = self.neighbour(from).is_none();
        if stranger || vessels.len() > self.room() || commit <= self.sim.tick() {
            self.send_region(from, answer(Word::NotYet { number }), Way::Stream);
            return;
        }
        // A new offer of the same vessels replaces an older one that was cancelled on the way.
        self.rebuilding.retain(|group| {
            group.from != Some(from)
                || group.handoff.is_committed()
                || !group.records.keys().any(|id| vessels.iter().any(|record| record.vessel.id == *id))
        });
        let epochs = vessels.iter().map(|record| (record.vessel.id, record.epoch)).collect();
        let group = Rebuilding::new(self, Some(from), Incoming::new(number, epochs, commit), vessels);
        self.rebuilding.push(group);
        self.sail_along();
    }

    /// Vessels that may still come: neither owned nor on offer here.
    pub(super) fn room(&self) -> usize {
        let offered: usize = self.rebuilding.iter().map(|group| group.records.len()).sum();
        self.means.vessels.saturating_sub(self.owned.len() + offered)
    }

    /// Why an offer cannot be taken at all.
    fn refusal(&self, vessels: &[VesselRecord], commit: Tick) -> Option<String> {
        let Some(first) = vessels.first() else { return Some("the offer holds no vessel".into()) };
        let sorted = vessels.windows(2).all(|pair| pair[0].vessel.id < pair[1].vessel.id);
        let same_tick = vessels.iter().all(|record| record.tick == first.tick);
        let near = commit.since(first.tick) <= INPUT_TICKS as u64 * 8;
        if vessels.len() > GROUP_VESSELS || !sorted || !same_tick || !near || commit <= first.tick {
            return Some("the offer is not one of this protocol".into());
        }
        if self.draining_ns.is_some() {
            return Some("the region is stopping".into());
        }
        if let Some(record) = vessels.iter().find(|record| self.is_held(record.vessel.id)) {
            return Some(format!("vessel {} is owned here", record.vessel.id.0));
        }
        let below = |record: &&VesselRecord| self.is_below_floor(record.vessel.id, record.epoch);
        if let Some(record) = vessels.iter().find(below) {
            return Some(format!("vessel {} has a newer owner", record.vessel.id.0));
        }
        vessels.iter().find_map(|record| record.check().err())
    }

    fn hear_owner(&mut self, from: RegionId, word: &Word) {
        let found = self
            .rebuilding
            .iter()
            .position(|group| group.from == Some(from) && group.handoff.number() == word.number());
        let number = word.number();
        let Some(index) = found else {
            // A commit that was taken long ago, repeated because its acknowledgement was lost.
            if self.taken.contains(&(from, number)) {
                self.send_region(from, Message::Handoff(Word::Acknowledged { number }), Way::Stream);
            }
            return;
        };
        match self.rebuilding[index].handoff.hear(word) {
            Reply::Nothing => {}
            Reply::Drop => {
                self.rebuilding.remove(index);
            }
            Reply::Again => {
                self.send_region(from, Message::Handoff(Word::Acknowledged { number }), Way::Stream);
            }
            Reply::Take(inputs) => {
                let group = &mut self.rebuilding[index];
                group.learn(group.last(), &inputs);
                self.send_region(from, Message::Handoff(Word::Acknowledged { number }), Way::Stream);
                // Late ticks are published like any other: under a lease, or they wait for one.
                if self.rebuilding[index].handoff.commit_tick() <= self.sim.tick() && !self.is_paused() {
                    self.take(index);
                }
            }
        }
    }

    /// Moves a committed group into this region's simulation; where the commit came late, its ticks up to now
    /// are sailed and published at once, and counted as missed.
    pub(super) fn take(&mut self, index: usize) {
        let now = self.sim.tick();
        let log = self.config.log;
        let mut late: Vec<Logged> = Vec::new();
        let mut decided: Vec<AppliedInput> = Vec::new();
        let group = &self.rebuilding[index];
        let (commit, last) = (group.handoff.commit_tick(), group.last());
        let heard = if group.from.is_none() || last < now {
            self.wakes_near_now().copied().collect()
        } else {
            Vec::new()
        };
        let group = &mut self.rebuilding[index];
        group.hear_wakes(&heard);
        group.sail_to(last, |_| {});
        let epochs = group.handoff.epochs().to_vec();
        if log {
            late = group.past();
        }
        group.sail_to(now, |sim| {
            decided.extend(sim.new_company().iter().map(|(vessel, company)| AppliedInput {
                vessel: *vessel,
                tick: sim.tick(),
                given: Given::Company(company.clone()),
            }));
            if log {
                late.extend(epochs.iter().filter_map(|&(vessel, epoch)| {
                    let hash = sim.hash(vessel)?;
                    Some(Logged::Published { vessel, tick: sim.tick(), epoch, hash })
                }));
            }
        });
        group.handoff.own();
        let from = group.from;
        let mut arrived = Vec::new();
        for &(id, epoch) in &epochs {
            let vessel = group.sim.remove(id);
            let record = group.records.remove(&id);
            let pending = group.pending.remove(&id).unwrap_or_default();
            if let (Some(vessel), Some(record)) = (vessel, record) {
                arrived.push((vessel, record, epoch, pending));
            }
        }
        if let Some(from) = from {
            if self.taken.len() == TAKEN_KEPT {
                self.taken.pop_front();
            }
            self.taken.push_back((from, self.rebuilding[index].handoff.number()));
            self.counts.ticks_missed += now.after(1).since(commit);
            self.counts.handoffs += 1;
        } else {
            self.counts.resumed += u32::try_from(arrived.len()).unwrap_or(u32::MAX);
        }
        for entry in late {
            self.log(|| entry);
        }
        for input in decided {
            self.note(input);
        }
        // A region that stops is no guard: its neighbours are told without it.
        let guard = from.filter(|&from| self.neighbour(from).is_some() && !self.leaving.contains_key(&from));
        let mut unguarded = Vec::new();
        for (vessel, record, epoch, pending) in arrived {
            let id = vessel.id;
            let (crew_key, sessions) = (record.crew_key, record.sessions);
            self.own(
                vessel,
                Owned { epoch, crew_key, sessions, guard, pending, standby: None, told: BTreeMap::new() },
            );
            self.welcome_crews_of(id);
            // The crew keeps its circuit there: if this region dies, that one sails on.
            if let Some(there) = guard.and_then(|guard| self.neighbour(guard)).cloned() {
                self.stand_by_at(id, &there);
            } else {
                unguarded.push(id);
            }
        }
        self.find_groups();
        self.guard_at_once(&unguarded);
        self.report_soon();
    }

    /// Sails rebuilt groups as far as their orders are known, and says so once they have caught up.
    pub(super) fn sail_along(&mut self) {
        let mut ready = Vec::new();
        let resumed = self.rebuilding.iter().any(|group| group.from.is_none());
        let heard: Vec<Wake> = if resumed { self.wakes_near_now().copied().collect() } else { Vec::new() };
        for group in &mut self.rebuilding {
            if group.handoff.is_owner() {
                continue;
            }
            let last = group.last();
            if group.from.is_none() {
                group.hear_wakes(&heard);
            }
            // A stale group cannot make one region sail for ever in one pump.
            let bound = group.sim.tick().after(INPUT_TICKS as u64);
            let to = group.through.min(last).min(bound);
            group.sail_to(to, |_| {});
            if let Some(from) = group.from
                && group.sim.tick() >= group.through.min(last)
                && group.handoff.caught_up()
            {
                ready.push((from, group.handoff.number()));
            }
        }
        for (from, number) in ready {
            self.send_region(from, Message::Handoff(Word::Ready { number }), Way::Stream);
        }
    }

    pub(super) fn hear_inputs(
        &mut self,
        from: RegionId,
        vessels: &[VesselId],
        through: Tick,
        inputs: &[AppliedInput],
    ) {
        // Rising, or it is no list of this protocol; and what is far ahead of the clock is no order of an owner.
        let sane = through.since(self.sim.tick()) < 8 * INPUT_TICKS as u64;
        if !sane || !vessels.windows(2).all(|pair| pair[0] < pair[1]) {
            self.counts.out_of_place += 1;
            return;
        }
        for group in self.rebuilding.iter_mut().filter(|group| group.from == Some(from)) {
            if group.records.keys().all(|id| vessels.contains(id)) && !group.handoff.is_committed() {
                group.learn(through, inputs);
            }
        }
        self.shadow_inputs(from, vessels, through, inputs);
    }

    pub(super) fn late_input(&mut self, vessel: VesselId, input: Input) {
        let pending = self.rebuilding.iter_mut().find_map(|group| group.pending_of(vessel));
        match pending {
            Some(pending) if pending.len() < PENDING_ORDERS => pending.push_back(input),
            Some(_) => self.counts.orders_dropped += 1,
            None => self.take_order(vessel, input),
        }
    }
}
