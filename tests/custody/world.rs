//! Two regions, a guard, a harbour; circuits between them; faults: every order in which these can act.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fairway::custody::Grantor;
use fairway::units::{RegionId, Tick};
use fairway::wire::message::Epoch;
use stateright::{Model, Property};

use crate::harbour::Harbour;
use crate::region::{Deed, Life, Parcel, Region, Rule, TICK_NS};

/// The owner at the start, to whom it offers, and the guard.
pub const REGIONS: [RegionId; 3] = [RegionId(1), RegionId(2), RegionId(3)];
/// The harbour's place among those that send.
const HARBOUR: RegionId = RegionId(0);
/// A stopped process is killed after this many ticks: longer than a lease.
const SILENCE_TICKS: u64 = 3;
/// An image is never back sooner than an outage is noticed.
const IMAGE_TICKS: u64 = 2;
/// Roll calls in one run: those that are due, those out of the blue, and two for every vessel on its way.
const ROLLS_MAX: u32 = 9;

/// What may go wrong, and for how long it is looked at.
#[derive(Clone, Debug)]
pub struct Sea {
    pub rule: Rule,
    /// The last tick of the abstract clock.
    pub ticks: u64,
    pub faults: u8,
    /// Which kinds of faults there are.
    pub kinds: &'static [Kind],
    /// Who may die.
    pub mortals: &'static [RegionId],
    pub offers: u8,
    /// Roll calls out of the blue.
    pub calls: u8,
    /// Words of handoffs that are lost or repeated.
    pub mischief: u8,
    /// Reports may be on their way for any time, like everything else; or are there at once, or never.
    pub slow_reports: bool,
    /// Regions without a vessel have a lease, as those that are heard of in time; or have none.
    pub idle_leases: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Die,
    Stop,
    /// An image of one that has ended goes on.
    Image,
    /// The harbour dies and comes back.
    Restart,
    Break,
}

/// What may happen next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Time,
    Step(RegionId),
    Offer(RegionId, RegionId),
    Report(RegionId),
    Deliver(RegionId, RegionId),
    /// A word of a handoff is lost, or delivered and delivered once more later.
    Lose(RegionId, RegionId),
    Repeat(RegionId, RegionId),
    /// The first notices that the second is gone.
    Notice(RegionId, RegionId),
    Die(RegionId),
    Ended(RegionId),
    Stop(RegionId),
    Wake(RegionId),
    Kill(RegionId),
    Image(RegionId),
    /// A circuit between an image and another: dialled by the image, or by the other.
    Redial(RegionId, RegionId, bool),
    /// A circuit between two who live breaks, and is opened again.
    Break(RegionId, RegionId),
    Restart,
    Call(bool),
    Settle,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub time: u64,
    pub regions: [Region; 3],
    pub harbour: Harbour,
    nets: BTreeMap<(RegionId, RegionId), VecDeque<Parcel>>,
    /// Who published each tick, under which epoch.
    pub published: Vec<Option<(RegionId, Epoch)>>,
    /// Regions whose end the engine has seen.
    certain: BTreeSet<RegionId>,
    pub faults: u8,
    offers: u8,
    calls: u8,
    mischief: u8,
    pub twice: bool,
    pub fell: bool,
    pub unlicensed: bool,
}

fn at(region: RegionId) -> usize {
    region.0 as usize - 1
}

impl World {
    fn new(sea: &Sea) -> Self {
        let [a, _, g] = REGIONS;
        let region = |id| Region::new(id, REGIONS.into_iter().filter(|other| *other != id), sea.rule);
        let mut world = Self {
            time: 0,
            regions: REGIONS.map(region),
            harbour: Harbour::new(REGIONS, a, sea.rule),
            nets: BTreeMap::new(),
            published: vec![None; 1],
            certain: BTreeSet::new(),
            faults: sea.faults,
            offers: sea.offers,
            calls: sea.calls,
            mischief: sea.mischief,
            twice: false,
            fell: false,
            unlicensed: false,
        };
        world.regions[at(a)].launch(g);
        world.regions[at(g)].guard_from_start(a);
        world.published[0] = Some((a, Epoch::default()));
        world
    }

    fn region(&self, id: RegionId) -> &Region {
        &self.regions[at(id)]
    }

    fn is_up(&self, id: RegionId) -> bool {
        self.region(id).life == Life::Up
    }

    fn queue(&self, from: RegionId, to: RegionId) -> impl Iterator<Item = &Parcel> {
        self.nets.get(&(from, to)).into_iter().flatten()
    }

    fn push(&mut self, from: RegionId, to: RegionId, parcel: Parcel) {
        let dead = to != HARBOUR && matches!(self.region(to).life, Life::Dead(_));
        // A circuit of which the other end is gone: nobody reads it.
        let gone = to != HARBOUR && from != HARBOUR && !self.region(to).links.contains(&from);
        if dead || gone {
            return;
        }
        let queue = self.nets.entry((from, to)).or_default();
        // What follows on its like goes in one: a batch with the next batch, a report in place of the last.
        match (queue.back_mut(), &parcel) {
            (
                Some(Parcel::Inputs { through, stamp_ns, .. }),
                Parcel::Inputs { through: later, stamp_ns: stamp, state: None },
            ) => (*through, *stamp_ns) = (*later, *stamp),
            (Some(last @ Parcel::Report { .. }), Parcel::Report { .. }) => *last = parcel,
            _ => queue.push_back(parcel),
        }
    }

    fn pop(&mut self, from: RegionId, to: RegionId) -> Option<Parcel> {
        let queue = self.nets.get_mut(&(from, to))?;
        let parcel = queue.pop_front();
        if queue.is_empty() {
            self.nets.remove(&(from, to));
        }
        parcel
    }

    fn clear(&mut self, which: impl Fn(RegionId, RegionId) -> bool) {
        self.nets.retain(|(from, to), _| !which(*from, *to));
    }

    fn do_deeds(&mut self, id: RegionId, deeds: Vec<Deed>) {
        for deed in deeds {
            match deed {
                Deed::Send(to, parcel) => self.push(id, to, parcel),
                Deed::SendHarbour(parcel) if !self.region(id).zombie => self.push(id, HARBOUR, parcel),
                Deed::Guard(owner, stamp_ns) => {
                    if self.is_up(owner) && self.region(owner).links.contains(&id) {
                        self.regions[at(owner)].renew(Grantor::Guard, stamp_ns);
                    }
                }
                Deed::SendHarbour(_) => {}
                Deed::Publish(tick, epoch) => self.publish(id, tick, epoch),
            }
        }
    }

    fn say(&mut self, out: Vec<(RegionId, Parcel)>) {
        for (to, parcel) in out {
            self.push(HARBOUR, to, parcel);
        }
    }

    fn publish(&mut self, id: RegionId, tick: Tick, epoch: Epoch) {
        let index = tick.0 as usize;
        if self.published.len() <= index {
            self.published.resize(index + 1, None);
        }
        self.twice |= self.published[index].is_some();
        self.fell |= self.published.iter().enumerate().any(|(other, entry)| {
            entry.is_some_and(|(_, known)| other < index && known > epoch || other > index && known < epoch)
        });
        self.unlicensed |= self.region(id).zombie || !self.region(id).holds_lease();
        self.published[index] = Some((id, epoch));
    }

    /// Whether some region that lives owns the vessel, or will.
    pub fn has_owner(&self) -> bool {
        self.regions
            .iter()
            .any(|region| !region.zombie && !matches!(region.life, Life::Dead(_)) && region.is_held())
    }

    /// Whether some region that lives keeps a shadow.
    pub fn has_shadow(&self) -> bool {
        self.regions
            .iter()
            .any(|region| !region.zombie && !matches!(region.life, Life::Dead(_)) && region.shadow.is_some())
    }

    fn dead(&self) -> BTreeSet<RegionId> {
        let dead = self.regions.iter().filter(|region| region.zombie || matches!(region.life, Life::Dead(_)));
        dead.map(|region| region.id).collect()
    }

    fn end(&mut self, id: RegionId, sea: &Sea) {
        if self.faults == 0 || !sea.kinds.contains(&Kind::Image) {
            // Nobody will look into it: one state of the world instead of many.
            self.regions[at(id)] = Region::new(id, [], sea.rule);
        }
        self.regions[at(id)].life = Life::Dead(self.time);
        self.clear(|_, to| to == id);
    }

    /// Runs one region at this moment.
    fn act(&mut self, id: RegionId, act: impl FnOnce(&mut Region, &mut Vec<Deed>)) {
        let mut deeds = Vec::new();
        let time = self.time;
        let region = &mut self.regions[at(id)];
        region.set_now(time);
        act(region, &mut deeds);
        self.do_deeds(id, deeds);
    }

    fn deliver(&mut self, from: RegionId, to: RegionId, parcel: Parcel) {
        if to == HARBOUR {
            // The lease that answers a report is there at once: a later one is a weaker one.
            if let Parcel::Report { stamp_ns, .. } = &parcel
                && self.is_up(from)
                && self.harbour.regions.contains(&from)
            {
                self.regions[at(from)].renew(Grantor::Harbour, *stamp_ns);
            }
            let mut out = Vec::new();
            self.harbour.hear(from, parcel, &mut out);
            self.say(out);
        } else if from == HARBOUR {
            self.act(to, |region, deeds| region.hear_harbour(&parcel, deeds));
        } else {
            self.act(to, |region, deeds| region.hear(from, &parcel, deeds));
        }
    }

    fn report(&mut self, id: RegionId, sea: &Sea) {
        let first = self.queue(id, HARBOUR).next().is_none();
        self.act(id, Region::report);
        if first
            && !sea.slow_reports
            && let Some(parcel) = self.pop(id, HARBOUR)
        {
            self.deliver(id, HARBOUR, parcel);
        }
    }

    fn redial(&mut self, image: RegionId, other: RegionId, dialled_by_image: bool) {
        self.clear(|from, to| (from, to) == (image, other) || (from, to) == (other, image));
        if !dialled_by_image {
            self.regions[at(image)].stale.remove(&other);
        }
        self.regions[at(image)].links.insert(other);
        self.regions[at(other)].links.insert(image);
        self.act(image, |region, deeds| region.repeat_commits(other, deeds));
        self.act(other, |region, deeds| region.repeat_commits(image, deeds));
    }

    fn break_circuit(&mut self, a: RegionId, b: RegionId) {
        self.clear(|from, to| (from, to) == (a, b) || (from, to) == (b, a));
        self.act(a, |region, deeds| region.link_lost(b, deeds));
        self.act(b, |region, deeds| region.link_lost(a, deeds));
        self.regions[at(a)].links.insert(b);
        self.regions[at(b)].links.insert(a);
        self.act(a, |region, deeds| region.repeat_commits(b, deeds));
        self.act(b, |region, deeds| region.repeat_commits(a, deeds));
    }

    /// Time passes once everybody who may sail has sailed.
    fn may_pass(&self) -> bool {
        self.regions
            .iter()
            .all(|region| region.life != Life::Up || region.tick.0 >= self.time || region.is_paused())
    }

    fn pass(&mut self, sea: &Sea) {
        self.time += 1;
        self.harbour.is_silent = true;
        for region in &mut self.regions {
            if region.life != Life::Up {
                continue;
            }
            region.set_now(self.time);
            region.reported = false;
            if region.is_idle() {
                region.tick = Tick(self.time);
                if sea.idle_leases && !region.zombie {
                    region.renew(Grantor::Harbour, self.time * TICK_NS);
                }
            }
        }
    }

    fn region_events(&self, sea: &Sea, region: &Region, events: &mut Vec<Event>) {
        let id = region.id;
        if region.tick.0 < self.time && !region.is_paused() {
            events.push(Event::Step(id));
        }
        if self.offers > 0 && region.may_offer() {
            let to = if id == REGIONS[1] { REGIONS[0] } else { REGIONS[1] };
            if region.links.contains(&to) && !region.has_marked_ended(to) {
                events.push(Event::Offer(id, to));
            }
        }
        if region.is_paused() && !region.zombie && !region.reported {
            events.push(Event::Report(id));
        }
        if self.faults > 0 && !region.zombie {
            if sea.kinds.contains(&Kind::Die) && sea.mortals.contains(&id) {
                events.push(Event::Die(id));
            }
            if sea.kinds.contains(&Kind::Stop) && sea.mortals.contains(&id) {
                events.push(Event::Stop(id));
            }
        }
    }

    fn life_events(&self, sea: &Sea, region: &Region, events: &mut Vec<Event>) {
        let id = region.id;
        match region.life {
            Life::Up => self.region_events(sea, region, events),
            Life::Stopped(since) => {
                events.push(Event::Wake(id));
                if self.time - since >= SILENCE_TICKS {
                    events.push(Event::Kill(id));
                }
            }
            Life::Dead(since) => {
                if !self.certain.contains(&id) {
                    events.push(Event::Ended(id));
                } else if self.faults > 0
                    && sea.kinds.contains(&Kind::Image)
                    && self.time - since >= IMAGE_TICKS
                {
                    events.push(Event::Image(id));
                }
            }
        }
        if region.life != Life::Up {
            return;
        }
        for other in &self.regions {
            let gone = matches!(other.life, Life::Dead(_)) || other.zombie && other.stale.contains(&id);
            if gone && region.links.contains(&other.id) || region.stale.contains(&other.id) {
                events.push(Event::Notice(id, other.id));
            }
            if region.zombie && other.life == Life::Up && !other.zombie {
                if !region.links.contains(&other.id) && !region.stale.contains(&other.id) {
                    events.push(Event::Redial(id, other.id, true));
                } else if region.stale.contains(&other.id)
                    && !other.links.contains(&id)
                    && !other.has_marked_ended(id)
                {
                    events.push(Event::Redial(id, other.id, false));
                }
            }
        }
    }
}

impl Sea {
    /// All that may happen but a roll call of the last resort.
    fn events(&self, world: &World) -> Vec<Event> {
        let mut events = Vec::new();
        if world.time < self.ticks && world.may_pass() {
            events.push(Event::Time);
        }
        for region in &world.regions {
            world.life_events(self, region, &mut events);
        }
        for (&(from, to), queue) in &world.nets {
            if to != HARBOUR && !world.is_up(to) {
                continue;
            }
            events.push(Event::Deliver(from, to));
            if world.mischief > 0 && queue.front().is_some_and(Parcel::is_handoff) {
                events.push(Event::Lose(from, to));
                events.push(Event::Repeat(from, to));
            }
        }
        if world.faults > 0 && self.kinds.contains(&Kind::Restart) {
            events.push(Event::Restart);
        }
        if world.faults > 0 && self.kinds.contains(&Kind::Break) {
            let [a, b, _] = REGIONS;
            if world.is_up(a) && world.is_up(b) && world.region(a).links.contains(&b) {
                events.push(Event::Break(a, b));
            }
        }
        if world.harbour.may_settle() {
            events.push(Event::Settle);
        }
        let may_call = world.calls > 0 || world.harbour.passing && world.harbour.roll.number() < ROLLS_MAX;
        if may_call && world.harbour.is_silent && world.may_pass() && world.harbour.may_call() {
            events.push(Event::Call(world.harbour.passing));
        }
        events
    }

    /// Nothing more can happen by itself, and nobody reports the vessel: its harbour calls the roll again.
    fn is_last_resort(world: &World) -> bool {
        !world.has_owner() && world.harbour.may_call() && world.harbour.roll.number() < ROLLS_MAX
    }

    /// Whether nothing more happens by itself: the end of a run, and the state that another fault would find.
    fn is_at_rest(&self, world: &World) -> bool {
        self.events(world).iter().all(is_fault) && !Self::is_last_resort(world)
    }
}

impl Model for Sea {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Event>) {
        // What is wrong already need not be followed.
        if world.twice || world.fell || world.unlicensed {
            return;
        }
        *actions = self.events(world);
        // Only faults that might still come are left: the vessel's fate is open all the same.
        let quiet = actions.iter().all(is_fault);
        if quiet && Self::is_last_resort(world) {
            actions.push(Event::Call(world.harbour.passing));
        }
    }

    fn next_state(&self, last: &World, event: Event) -> Option<World> {
        let mut world = last.clone();
        let mut out = Vec::new();
        match event {
            Event::Time => world.pass(self),
            Event::Step(id) => {
                world.act(id, Region::step);
                if !world.region(id).is_idle() {
                    world.report(id, self);
                }
            }
            Event::Offer(id, to) => {
                world.offers -= 1;
                world.act(id, |region, deeds| region.offer(to, deeds));
            }
            Event::Report(id) => {
                world.regions[at(id)].reported = true;
                world.report(id, self);
            }
            Event::Deliver(from, to) => {
                let parcel = world.pop(from, to)?;
                world.deliver(from, to, parcel);
            }
            Event::Lose(from, to) => {
                world.mischief -= 1;
                world.pop(from, to)?;
            }
            Event::Repeat(from, to) => {
                world.mischief -= 1;
                let parcel = world.queue(from, to).next()?.clone();
                world.deliver(from, to, parcel);
            }
            Event::Notice(id, gone) => {
                world.clear(|from, to| (from, to) == (gone, id));
                let stale = world.regions[at(id)].stale.remove(&gone);
                let linked = world.region(id).links.contains(&gone);
                world.act(id, |region, deeds| region.link_lost(gone, deeds));
                if stale && linked {
                    world.regions[at(id)].links.insert(gone);
                }
            }
            Event::Die(id) => {
                world.faults -= 1;
                world.end(id, self);
            }
            Event::Kill(id) => world.end(id, self),
            Event::Ended(id) => {
                world.certain.insert(id);
                world.clear(|from, to| (from, to) == (id, HARBOUR));
                world.harbour.on_ended(id, &mut out);
            }
            Event::Stop(id) => {
                world.faults -= 1;
                world.regions[at(id)].life = Life::Stopped(world.time);
            }
            Event::Wake(id) => {
                let time = world.time;
                let region = &mut world.regions[at(id)];
                region.life = Life::Up;
                region.set_now(time);
                if region.is_idle() {
                    region.tick = Tick(time);
                }
            }
            Event::Image(id) => {
                world.faults -= 1;
                world.clear(|from, to| from == HARBOUR && to == id);
                let time = world.time;
                let region = &mut world.regions[at(id)];
                region.life = Life::Up;
                region.set_now(time);
                region.zombie = true;
                region.stale = std::mem::take(&mut region.links);
            }
            Event::Redial(image, other, by_image) => world.redial(image, other, by_image),
            Event::Break(a, b) => {
                world.faults -= 1;
                world.break_circuit(a, b);
            }
            Event::Restart => {
                world.faults -= 1;
                world.clear(|from, to| from == HARBOUR || to == HARBOUR);
                let dead = world.dead();
                world.harbour.come_back(&dead, &mut out);
                world.certain.extend(dead);
            }
            Event::Call(stuck) => {
                world.calls = world.calls.saturating_sub(u8::from(!stuck));
                world.harbour.call(stuck, &mut out);
            }
            Event::Settle => {
                // What is due now can have been published; the tick after it cannot.
                let publish = Tick(world.time + 1);
                world.harbour.settle(publish, &mut out);
            }
        }
        world.say(out);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no tick has two owners", |_, world: &World| !world.twice),
            Property::always("the epoch of published ticks never falls", |_, world: &World| !world.fell),
            Property::always("nobody publishes without a lease or after its end", |_, world: &World| {
                !world.unlicensed
            }),
            Property::always("at rest the vessel has an owner, or no shadow is left", |sea: &Self, world| {
                !sea.is_at_rest(world) || world.has_owner() || !world.has_shadow()
            }),
            Property::always("at rest its owner obeys its crew", |sea: &Self, world| {
                !sea.is_at_rest(world) || !world.regions.iter().any(Region::is_stuck)
            }),
            Property::sometimes("a handoff completes", |_, world: &World| {
                world.published.iter().flatten().any(|(_, epoch)| *epoch == Epoch { term: 0, hop: 1 })
            }),
            Property::sometimes("a successor publishes", |_, world: &World| {
                world.published.iter().flatten().any(|(_, epoch)| epoch.term > 0)
            }),
        ]
    }
}

fn is_fault(event: &Event) -> bool {
    matches!(event, Event::Die(_) | Event::Stop(_) | Event::Image(_) | Event::Restart | Event::Break(..))
}
