//! One region of the checked world: the real state machines, and the glue that `src/region` puts around them.

use std::collections::{BTreeMap, BTreeSet};

use fairway::custody::{Grantor, Lease, OUTAGE_NS};
use fairway::handoff::{Incoming, Outgoing, Reply, Verdict};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::wire::message::{Claim, Epoch, Holding, Keeping, Word};

/// The one vessel.
pub const VESSEL: VesselId = VesselId(1);
/// One tick of the abstract clock on a boot clock: a lease is two ticks and a half, an outage one and a quarter.
pub const TICK_NS: u64 = 800_000_000;
/// Ticks from an offer to its commit tick.
const LEAD_TICKS: u64 = 2;

/// By which rules the world goes: ours, or ours with one of them wrong, to show that the check can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    Ours,
    /// The harbour acts on the first answer to a roll call.
    FirstAnswer,
    /// Whoever sails on publishes from the tick after those that its shadow knows.
    NextTick,
    /// Who answers a roll call promises nothing.
    NoPromise,
    /// Nobody needs a lease.
    NoLease,
    /// Ticks of a commit that comes late are published without one.
    LateCommitNeedsNoLease,
    /// A vessel that came back is still sealed by the handoff with which it went.
    OldHandoffStays,
    /// A harbour that comes back knows only of those who ended meanwhile.
    ForgottenEnds,
}

/// A message on its way. The words of a handoff are kept by their parts: an offer without the vessel's floats.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parcel {
    Offer {
        number: u32,
        epoch: Epoch,
        tick: Tick,
        commit: Tick,
    },
    Ready(u32),
    NotYet(u32),
    No(u32),
    Commit {
        number: u32,
        commit: Tick,
        epoch: Epoch,
    },
    Acknowledged(u32),
    Cancel(u32),
    /// A batch of orders, with the full state where the guard has none yet.
    Inputs {
        through: Tick,
        stamp_ns: u64,
        state: Option<Epoch>,
    },
    Report {
        stamp_ns: u64,
        holds: Option<Epoch>,
    },
    Roster {
        number: u32,
        claims: Vec<Claim>,
        kept: Vec<Keeping>,
    },
    Roll {
        number: u32,
        ended: Vec<RegionId>,
        floor: Option<Epoch>,
    },
    Resume {
        epoch: Epoch,
        publish: Tick,
    },
}

impl Parcel {
    /// The word of a handoff that it stands for, but for an offer.
    fn word(&self) -> Option<Word> {
        Some(match self {
            Self::Ready(number) => Word::Ready { number: *number },
            Self::NotYet(number) => Word::NotYet { number: *number },
            Self::No(number) => Word::No { number: *number, reason: String::new() },
            Self::Commit { number, commit, epoch } => Word::Commit {
                number: *number,
                commit: *commit,
                epochs: vec![(VESSEL, *epoch)],
                inputs: Vec::new(),
            },
            Self::Acknowledged(number) => Word::Acknowledged { number: *number },
            Self::Cancel(number) => Word::Cancel { number: *number },
            _ => return None,
        })
    }

    pub fn is_handoff(&self) -> bool {
        matches!(self, Self::Offer { .. }) || self.word().is_some()
    }
}

/// What a region did that others see.
pub enum Deed {
    Send(RegionId, Parcel),
    SendHarbour(Parcel),
    /// The guard's answer to a batch: a lease is prolonged.
    Guard(RegionId, u64),
    Publish(Tick, Epoch),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    Up,
    /// Its process is stopped since then.
    Stopped(u64),
    Dead(u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owned {
    pub epoch: Epoch,
    pub guard: Option<RegionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shadow {
    epoch: Epoch,
    tick: Tick,
    through: Tick,
    owner: RegionId,
}

/// A group that sails along.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    from: Option<RegionId>,
    pub handoff: Incoming,
    through: Tick,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    full: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    pub id: RegionId,
    pub life: Life,
    /// An image of one that the engine saw end.
    pub zombie: bool,
    pub tick: Tick,
    now_ns: u64,
    pub owned: Option<Owned>,
    pub outgoing: Vec<Outgoing>,
    next_offer: u32,
    pub rebuilding: Vec<Group>,
    taken: Vec<(RegionId, u32)>,
    pub shadow: Option<Shadow>,
    streams: BTreeMap<RegionId, Stream>,
    gone_to: Option<(RegionId, Epoch)>,
    lease: Lease,
    ended: BTreeSet<RegionId>,
    floor: Option<Epoch>,
    pub links: BTreeSet<RegionId>,
    /// Circuits of before its image was taken, whose end it has not noticed.
    pub stale: BTreeSet<RegionId>,
    /// Whether it has told the harbour of this tick.
    pub reported: bool,
    rule: Rule,
}

impl Region {
    pub fn new(id: RegionId, others: impl IntoIterator<Item = RegionId>, rule: Rule) -> Self {
        Self {
            id,
            life: Life::Up,
            zombie: false,
            tick: Tick(0),
            now_ns: 0,
            owned: None,
            outgoing: Vec::new(),
            next_offer: 1,
            rebuilding: Vec::new(),
            taken: Vec::new(),
            shadow: None,
            streams: BTreeMap::new(),
            gone_to: None,
            lease: Lease::default(),
            ended: BTreeSet::new(),
            floor: None,
            links: others.into_iter().collect(),
            stale: BTreeSet::new(),
            reported: false,
            rule,
        }
    }

    /// The owner from the start, guarded.
    pub fn launch(&mut self, guard: RegionId) {
        self.owned = Some(Owned { epoch: Epoch::default(), guard: Some(guard) });
        self.streams.insert(guard, Stream { full: true });
        self.lease.renew(Grantor::Harbour, 0, 0);
    }

    pub fn guard_from_start(&mut self, owner: RegionId) {
        self.shadow = Some(Shadow { epoch: Epoch::default(), tick: Tick(0), through: Tick(0), owner });
    }

    // --- Time and licence ---

    pub fn set_now(&mut self, time: u64) {
        let now_ns = time * TICK_NS;
        if now_ns.saturating_sub(self.now_ns) > OUTAGE_NS {
            self.lease.lapse();
        }
        self.now_ns = now_ns;
        // One that lapsed is none.
        self.lease.holds(now_ns);
    }

    /// A renewal comes.
    pub fn renew(&mut self, grantor: Grantor, stamp_ns: u64) {
        self.lease.renew(grantor, stamp_ns, self.now_ns);
    }

    pub fn holds_lease(&self) -> bool {
        self.lease.clone().holds(self.now_ns)
    }

    pub fn is_paused(&self) -> bool {
        let has_some =
            self.owned.is_some() || self.rebuilding.iter().any(|group| group.handoff.is_committed());
        has_some && self.rule != Rule::NoLease && !self.holds_lease()
    }

    /// Whether it publishes the vessel, or will.
    pub fn is_held(&self) -> bool {
        self.owned.is_some() || self.rebuilding.iter().any(is_committed_elsewhere)
    }

    /// Whether it takes no order of the vessel, which it owns, for ever: a handoff that is long past is open.
    pub fn is_stuck(&self) -> bool {
        self.owned.is_some()
            && self
                .outgoing
                .iter()
                .any(|handoff| handoff.is_committed() && handoff.commit_tick() <= self.tick)
    }

    /// Whether its ticks matter: an idle region's clock just moves.
    pub fn is_idle(&self) -> bool {
        self.owned.is_none() && !self.rebuilding.iter().any(is_committed_elsewhere)
    }

    fn send(&self, to: RegionId, parcel: Parcel, deeds: &mut Vec<Deed>) -> bool {
        let linked = self.links.contains(&to);
        if linked {
            deeds.push(Deed::Send(to, parcel));
        }
        linked
    }

    // --- A tick ---

    /// Sails one tick, and says so.
    pub fn step(&mut self, deeds: &mut Vec<Deed>) {
        let next = self.tick.after(1);
        self.before_tick(next, deeds);
        self.tick = next;
        if let Some(owned) = &self.owned {
            deeds.push(Deed::Publish(next, owned.epoch));
        }
        self.name_guard();
        self.stream(deeds);
    }

    fn name_guard(&mut self) {
        let links = &self.links;
        if let Some(owned) = &mut self.owned
            && !owned.guard.is_some_and(|guard| links.contains(&guard))
        {
            owned.guard = links.iter().next_back().copied().or(owned.guard);
        }
    }

    fn before_tick(&mut self, next: Tick, deeds: &mut Vec<Deed>) {
        for index in 0..self.outgoing.len() {
            let verdict = self.outgoing[index].before(next);
            self.act_on(index, verdict, deeds);
            let handoff = &self.outgoing[index];
            if handoff.is_committed() && handoff.commit_tick() == next {
                self.release(index);
            }
        }
        self.forget_over(next);
        let due = |group: &Group| is_committed_elsewhere(group) && group.handoff.commit_tick() <= next;
        if let Some(index) = self.rebuilding.iter().position(due) {
            self.take(index, deeds);
        }
        self.rebuilding.retain(|group| !group.handoff.is_owner());
    }

    fn act_on(&mut self, index: usize, verdict: Verdict, deeds: &mut Vec<Deed>) {
        let (number, target) = (self.outgoing[index].number(), self.outgoing[index].target());
        match verdict {
            Verdict::Wait | Verdict::Done => {}
            Verdict::Cancel { tell } => {
                if tell {
                    self.send(target, Parcel::Cancel(number), deeds);
                }
            }
            Verdict::Commit if self.is_paused() => self.withdraw(index, deeds),
            Verdict::Commit => {
                self.outgoing[index].committed(self.tick);
                self.send_commit(index, deeds);
            }
            Verdict::Repeat => self.send_commit(index, deeds),
        }
    }

    fn withdraw(&mut self, index: usize, deeds: &mut Vec<Deed>) {
        let verdict = self.outgoing[index].withdraw();
        self.act_on(index, verdict, deeds);
    }

    fn send_commit(&mut self, index: usize, deeds: &mut Vec<Deed>) {
        let handoff = &self.outgoing[index];
        let epoch = self.owned.as_ref().map(|owned| owned.epoch.next_hop());
        if let Some(epoch) = epoch.or_else(|| self.shadow.as_ref().map(|shadow| shadow.epoch)) {
            let parcel = Parcel::Commit { number: handoff.number(), commit: handoff.commit_tick(), epoch };
            self.send(handoff.target(), parcel, deeds);
        }
    }

    fn release(&mut self, index: usize) {
        let target = self.outgoing[index].target();
        let Some(owned) = self.owned.take() else { return };
        let epoch = owned.epoch.next_hop();
        self.streams.clear();
        self.gone_to = Some((target, epoch));
        self.keep_shadow(target, epoch, self.tick);
    }

    fn forget_over(&mut self, released: Tick) {
        self.outgoing.retain(|handoff| {
            !handoff.is_over() || handoff.is_committed() && handoff.commit_tick() > released
        });
    }

    fn take(&mut self, index: usize, deeds: &mut Vec<Deed>) {
        let group = &mut self.rebuilding[index];
        let epoch = group.handoff.epochs()[0].1;
        for tick in group.handoff.commit_tick().0..=self.tick.0 {
            deeds.push(Deed::Publish(Tick(tick), epoch));
        }
        group.handoff.own();
        let from = group.from;
        if let Some(from) = from {
            self.taken.push((from, group.handoff.number()));
        }
        assert!(self.owned.is_none(), "a vessel was owned twice by one region");
        self.shadow = None;
        self.gone_to = None;
        if self.rule != Rule::OldHandoffStays {
            self.outgoing.retain(|handoff| !handoff.is_committed());
        }
        self.owned = Some(Owned { epoch, guard: from.filter(|from| !self.ended.contains(from)) });
    }

    // --- Handing over ---

    pub fn may_offer(&self) -> bool {
        self.owned.is_some() && self.outgoing.is_empty() && !self.is_paused()
    }

    pub fn offer(&mut self, target: RegionId, deeds: &mut Vec<Deed>) {
        let Some(owned) = &self.owned else { return };
        let (number, commit, epoch) = (self.next_offer, self.tick.after(LEAD_TICKS), owned.epoch);
        self.next_offer += 1;
        self.outgoing.push(Outgoing::new(number, target, vec![VESSEL], self.tick, commit, LEAD_TICKS / 3));
        self.streams.entry(target).or_insert(Stream { full: false });
        self.send(target, Parcel::Offer { number, epoch, tick: self.tick, commit }, deeds);
    }

    fn hear_offer(
        &mut self,
        from: RegionId,
        (number, epoch, tick, commit): (u32, Epoch, Tick, Tick),
        deeds: &mut Vec<Deed>,
    ) {
        if self.is_held() || self.is_below_floor(epoch) {
            self.send(from, Parcel::No(number), deeds);
            return;
        }
        if commit <= self.tick {
            self.send(from, Parcel::NotYet(number), deeds);
            return;
        }
        self.rebuilding.retain(|group| group.from != Some(from) || group.handoff.is_committed());
        let mut handoff = Incoming::new(number, vec![(VESSEL, epoch)], commit);
        let ready = handoff.caught_up();
        self.rebuilding.push(Group { from: Some(from), handoff, through: tick });
        if ready {
            self.send(from, Parcel::Ready(number), deeds);
        }
    }

    fn hear_owner(&mut self, from: RegionId, word: &Word, deeds: &mut Vec<Deed>) {
        let number = word.number();
        let found = self
            .rebuilding
            .iter()
            .position(|group| group.from == Some(from) && group.handoff.number() == number);
        let Some(index) = found else {
            if self.taken.contains(&(from, number)) {
                self.send(from, Parcel::Acknowledged(number), deeds);
            }
            return;
        };
        match self.rebuilding[index].handoff.hear(word) {
            Reply::Nothing => {}
            Reply::Drop => drop(self.rebuilding.remove(index)),
            Reply::Again => drop(self.send(from, Parcel::Acknowledged(number), deeds)),
            Reply::Take(_) => {
                let group = &mut self.rebuilding[index];
                group.through = group.handoff.commit_tick().before(1).max(group.through);
                self.send(from, Parcel::Acknowledged(number), deeds);
                let due = self.rebuilding[index].handoff.commit_tick() <= self.tick;
                if due && (self.rule == Rule::LateCommitNeedsNoLease || !self.is_paused()) {
                    self.take(index, deeds);
                    self.rebuilding.retain(|group| !group.handoff.is_owner());
                }
            }
        }
    }

    // --- Words from others ---

    pub fn hear(&mut self, from: RegionId, parcel: &Parcel, deeds: &mut Vec<Deed>) {
        if self.ended.contains(&from) {
            return;
        }
        match parcel {
            Parcel::Offer { number, epoch, tick, commit } => {
                self.hear_offer(from, (*number, *epoch, *tick, *commit), deeds);
            }
            Parcel::Inputs { through, stamp_ns, state } => {
                self.hear_inputs(from, *through);
                if self.links.contains(&from) {
                    deeds.push(Deed::Guard(from, *stamp_ns));
                }
                if let Some(epoch) = state {
                    self.keep_shadow(from, *epoch, *through);
                }
            }
            _ => {
                let Some(word) = parcel.word() else { return };
                if matches!(word, Word::Commit { .. } | Word::Cancel { .. }) {
                    self.hear_owner(from, &word, deeds);
                } else {
                    let ours =
                        |handoff: &Outgoing| handoff.number() == word.number() && handoff.target() == from;
                    if let Some(index) = self.outgoing.iter().position(ours) {
                        let verdict = self.outgoing[index].hear(&word, self.tick);
                        self.act_on(index, verdict, deeds);
                    }
                }
            }
        }
    }

    fn hear_inputs(&mut self, from: RegionId, through: Tick) {
        for group in &mut self.rebuilding {
            if group.from == Some(from) && !group.handoff.is_committed() {
                group.through = group.through.max(through);
            }
        }
        if let Some(shadow) = self.shadow.as_mut().filter(|shadow| shadow.owner == from) {
            shadow.through = shadow.through.max(through);
        }
    }

    fn keep_shadow(&mut self, owner: RegionId, epoch: Epoch, tick: Tick) {
        let newer = self.shadow.as_ref().is_none_or(|kept| (epoch, tick) > (kept.epoch, kept.tick));
        if newer && self.owned.is_none() {
            let same = self.shadow.take().filter(|kept| kept.epoch == epoch);
            let through = same.map_or(tick, |kept| kept.through.max(tick));
            self.shadow = Some(Shadow { epoch, tick, through, owner });
        }
    }

    /// One batch of orders for the guard and for whom it is offered to.
    fn stream(&mut self, deeds: &mut Vec<Deed>) {
        let Some(owned) = self.owned.clone() else { return };
        let offered = self.outgoing.iter().map(Outgoing::target);
        let to: BTreeSet<RegionId> = owned.guard.into_iter().chain(offered).collect();
        for to in to.intersection(&self.links.clone()) {
            let full = self.streams.insert(*to, Stream { full: true }).is_some_and(|stream| stream.full);
            let (through, stamp_ns) = (self.tick, self.now_ns);
            self.send(
                *to,
                Parcel::Inputs { through, stamp_ns, state: (!full).then_some(owned.epoch) },
                deeds,
            );
        }
    }

    pub fn report(&mut self, deeds: &mut Vec<Deed>) {
        let holds = self.owned.as_ref().map(|owned| owned.epoch);
        deeds.push(Deed::SendHarbour(Parcel::Report { stamp_ns: self.now_ns, holds }));
    }

    pub fn repeat_commits(&mut self, to: RegionId, deeds: &mut Vec<Deed>) {
        for index in 0..self.outgoing.len() {
            let handoff = &self.outgoing[index];
            if handoff.target() == to && handoff.is_committed() && !handoff.is_over() {
                self.send_commit(index, deeds);
            }
        }
    }

    pub fn link_lost(&mut self, region: RegionId, deeds: &mut Vec<Deed>) {
        self.links.remove(&region);
        for index in 0..self.outgoing.len() {
            if self.outgoing[index].target() == region {
                self.withdraw(index, deeds);
            }
        }
        self.forget_over(self.tick);
        self.rebuilding.retain(|group| group.from != Some(region) || group.handoff.is_committed());
        self.streams.remove(&region);
    }

    // --- The harbour's words ---

    pub fn hear_harbour(&mut self, parcel: &Parcel, deeds: &mut Vec<Deed>) {
        match parcel {
            Parcel::Roll { number, ended, floor } => self.hear_roll(*number, ended, *floor, deeds),
            Parcel::Resume { epoch, publish } => self.resume(*epoch, *publish, deeds),
            _ => {}
        }
    }

    pub fn has_marked_ended(&self, region: RegionId) -> bool {
        self.ended.contains(&region)
    }

    fn is_below_floor(&self, epoch: Epoch) -> bool {
        self.floor.is_some_and(|floor| epoch < floor)
    }

    fn hear_roll(&mut self, number: u32, ended: &[RegionId], floor: Option<Epoch>, deeds: &mut Vec<Deed>) {
        if self.rule != Rule::NoPromise {
            for &region in ended {
                self.mark_ended(region, deeds);
            }
            self.floor = self.floor.max(floor);
            let floor = self.floor;
            self.rebuilding.retain(|group| {
                let epoch = group.handoff.epochs()[0].1;
                group.handoff.is_committed() || floor.is_none_or(|floor| epoch >= floor)
            });
        }
        let (claims, kept) = (self.claims(), self.kept());
        deeds.push(Deed::SendHarbour(Parcel::Roster { number, claims, kept }));
    }

    fn mark_ended(&mut self, region: RegionId, deeds: &mut Vec<Deed>) {
        if region == self.id || !self.ended.insert(region) {
            return;
        }
        let offered: Vec<Group> = self
            .rebuilding
            .extract_if(.., |group| group.from == Some(region) && !group.handoff.is_committed())
            .collect();
        for group in offered {
            let (epoch, through) = (group.handoff.epochs()[0].1, group.through);
            let newer =
                self.shadow.as_ref().is_none_or(|kept| (epoch, through) >= (kept.epoch, kept.through));
            if newer && self.owned.is_none() {
                self.shadow = Some(Shadow { epoch, tick: through, through, owner: region });
            }
        }
        let now = self.tick;
        self.outgoing.retain(|handoff| {
            handoff.target() != region || handoff.is_committed() && handoff.commit_tick() > now
        });
        self.link_lost(region, deeds);
        if let Some(owned) = &mut self.owned {
            owned.guard = owned.guard.filter(|guard| *guard != region);
        }
    }

    fn claims(&self) -> Vec<Claim> {
        let claim = |epoch, holding| Claim { vessel: VESSEL, epoch, holding };
        let mut claims: Vec<Claim> =
            self.owned.iter().map(|owned| claim(owned.epoch, Holding::Holds)).collect();
        for group in self.rebuilding.iter().filter(|group| is_committed_elsewhere(group)) {
            claims.push(claim(group.handoff.epochs()[0].1, Holding::Holds));
        }
        claims.extend(self.gone_to.map(|(to, epoch)| claim(epoch, Holding::Gave { to })));
        claims
    }

    fn kept(&self) -> Vec<Keeping> {
        let keeping =
            |shadow: &Shadow| Keeping { vessel: VESSEL, epoch: shadow.epoch, through: shadow.through };
        self.shadow.iter().map(keeping).collect()
    }

    fn resume(&mut self, epoch: Epoch, publish: Tick, deeds: &mut Vec<Deed>) {
        let gone = self.gone_to.is_some_and(|(_, gone)| gone >= epoch);
        if self.is_held() || gone || self.is_below_floor(epoch) {
            return;
        }
        let Some(shadow) = self.shadow.take() else { return };
        let publish = publish.max(shadow.tick.after(1));
        self.rebuilding.retain(|group| group.handoff.is_committed());
        let handoff = Incoming::resumed(vec![(VESSEL, epoch)], publish);
        self.rebuilding.push(Group { from: None, handoff, through: shadow.through });
        if publish <= self.tick && (self.rule == Rule::LateCommitNeedsNoLease || !self.is_paused()) {
            self.take(self.rebuilding.len() - 1, deeds);
            self.rebuilding.retain(|group| !group.handoff.is_owner());
        }
    }
}

fn is_committed_elsewhere(group: &Group) -> bool {
    group.handoff.is_committed() && !group.handoff.is_owner()
}
