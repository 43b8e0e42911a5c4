//! One region server's behaviour: what it does with its vessels, its neighbours, its crews, its harbour.
//!
//! Pure: events and ticks go in, [`Action`]s come out; whoever runs it owns the sockets, the files and the
//! clock. One step of [`Region::step`]:
//!
//! ```text
//! release and take groups whose commit tick it is ─▶ apply orders ─▶ sim.step ─▶ publish states and hashes
//!      ─▶ find groups, offer those that belong elsewhere
//! ```
//!
//! and [`Region::pump`], between steps, moves what does not belong to a tick: shadows sailing along, streams
//! to guards, reports, dialling.

mod action;
mod border;
mod crew;
mod desk;
mod leaving;
mod links;
mod orders;
mod shadows;
mod succession;
mod target;
mod tidings;
mod time;
mod wakes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::atlas::Area;
use crate::custody::{Lease, OUTAGE_NS};
use crate::handoff::Outgoing;
use crate::limits::{REGION_VESSELS, REGION_VESSELS_RESUMED};
use crate::sea::Sea;
use crate::sim::{Sim, Vessel};
use crate::units::{RegionId, TICK_HZ, Tick, VesselId, nanoseconds};
use crate::vessel::{BoatSpec, Input};
use crate::wire::circuit::{CircuitId, Peer, Way};
use crate::wire::message::{AppliedInput, ClockSetting, Epoch, Message, Neighbour, VesselRecord, View};
use crate::wire::ticket::AuthorityKey;

pub use crate::wire::message::RegionCounts as Counts;

pub use action::{Action, Farewell, Logged};

use crew::Client;
use links::Link;
use shadows::{GuardStream, Shadow};
use target::Rebuilding;
use tidings::Tidings;
use time::Time;

/// States that a client gets in one second of wall time at most; above warp 5 only every n-th tick is sent.
const STATES_PER_SECOND: f64 = 225.0;
/// Times in one second of wall time that a crew is told what animals it sees.
const GLANCES_PER_SECOND: f64 = 5.0;
/// Orders that wait for the next tick, per vessel; a person sends one or two.
const PENDING_ORDERS: usize = 8;
/// How near another region's ground a vessel is shown to it, metres: beyond the reach of grouping.
const VIEW_MARGIN_M: f64 = 150.0;
/// Course time after which a neighbour's vessel that was not heard of is no longer believed to be there.
const VIEW_TICKS: u64 = 4 * TICK_HZ;
/// Wall time between two reports to the harbour.
const REPORT_EVERY: Duration = Duration::from_millis(50);
/// Wall time between two reports where a vessel has come: the harbour knows of its new owner at once.
const REPORT_SOON: Duration = Duration::from_millis(10);
/// Wall time between two checkpoints of all vessels with the harbour: what is lost where an owner and its guard die
/// together.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(2);
/// Time without orders from an owner that has not said so after which a stopping region is its guard no more.
const GUARD_GRACE: Duration = Duration::from_millis(100);
/// Time without a harbour and without a lease after which a region ends: it is nobody's any more.
const ORPHANED: Duration = Duration::from_secs(60);
/// Wall time that a stopping region waits for others to take its vessels before it moors them.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// A moment, on two clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Wall time, nanoseconds since the Unix epoch: what course time and tickets go by.
    pub unix_ns: u64,
    /// The host's boot clock, nanoseconds: never set, and it goes on while the host sleeps. Leases go by it.
    pub boot_ns: u64,
}

/// What a region may use of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Means {
    /// Threads that sail.
    pub hands: usize,
    /// Vessels that it has memory for, those that it owns included.
    pub vessels: usize,
}

/// What a region is, from its start.
#[derive(Clone, Debug)]
pub struct RegionConfig {
    /// Its number.
    pub id: RegionId,
    /// Its server name.
    pub name: String,
    /// The ground that it sails.
    pub area: Area,
    /// The course's clock.
    pub clock: ClockSetting,
    /// Public key of the authority that signs tickets; `None` where the region runs alone and lets anyone join.
    pub authority: Option<AuthorityKey>,
    /// Whether each tick's hashes are logged.
    pub log: bool,
}

/// A vessel that this region publishes.
#[derive(Debug)]
struct Owned {
    epoch: Epoch,
    crew_key: [u8; 32],
    sessions: u32,
    guard: Option<RegionId>,
    pending: VecDeque<Input>,
    /// The region that its crew was told to stand by at.
    standby: Option<RegionId>,
    /// When it was first told of each region around.
    told: BTreeMap<RegionId, Tick>,
}

/// A neighbour's vessel, as last heard.
#[derive(Clone, Copy, Debug)]
struct Seen {
    owner: RegionId,
    tick: Tick,
    view: View,
}

/// One region.
#[derive(Debug)]
pub struct Region {
    config: RegionConfig,
    sea: Arc<Sea>,
    sim: Sim,
    owned: BTreeMap<VesselId, Owned>,
    groups: Vec<Vec<VesselId>>,
    /// The leader of every vessel that is owned or seen here.
    leaders: BTreeMap<VesselId, VesselId>,
    seen: BTreeMap<VesselId, Seen>,
    neighbours: Vec<Neighbour>,
    links: BTreeMap<RegionId, Link>,
    by_circuit: BTreeMap<CircuitId, RegionId>,
    peers: BTreeMap<CircuitId, Peer>,
    clients: BTreeMap<CircuitId, Client>,
    harbour: Option<CircuitId>,
    outgoing: Vec<Outgoing>,
    next_offer: u32,
    rebuilding: Vec<Rebuilding>,
    /// Handoffs that this region took, by owner and number.
    taken: VecDeque<(RegionId, u32)>,
    shadows: BTreeMap<VesselId, Shadow>,
    guard_streams: BTreeMap<RegionId, GuardStream>,
    /// Where vessels went that this region owned a while ago, for orders that still come here.
    gone_to: BTreeMap<VesselId, (RegionId, Epoch)>,
    /// The licence to publish.
    lease: Lease,
    /// Regions that have ended, as the harbour says.
    ended: BTreeSet<RegionId>,
    /// Epochs below which a vessel is not taken any more.
    floors: BTreeMap<VesselId, Epoch>,
    /// When each owner was last told that its shadows are kept, boot clock.
    guarded_ns: BTreeMap<RegionId, u64>,
    /// When each owner last streamed orders here, boot clock; none of those that said that they need no guard here.
    streamed_ns: BTreeMap<RegionId, u64>,
    /// Neighbours that stop, and whether each was told that nothing here depends on it any more.
    leaving: BTreeMap<RegionId, bool>,
    /// When there last was a harbour or a lease, boot clock.
    belonged_ns: u64,
    /// Inputs applied in the last ticks, and those decided ahead, for targets and guards.
    recent: VecDeque<AppliedInput>,
    /// The newest sample of each vessel that each region was told.
    told: BTreeMap<(RegionId, VesselId), Tick>,
    /// What happens around here, and what crews were told of it.
    tidings: Tidings,
    /// No offer before this tick, per leader: a refusal is not asked again at once.
    retry: BTreeMap<VesselId, Tick>,
    stride: u64,
    /// Ticks from one message of animals to the next.
    glances: u64,
    dilation: f32,
    means: Means,
    load: f32,
    draining_ns: Option<u64>,
    farewell: Farewell,
    stopped: bool,
    now: Now,
    time: Time,
    reported_ns: u64,
    checkpoint_ns: u64,
    counts: Counts,
    actions: VecDeque<Action>,
}

impl Region {
    /// A region without vessels, after the tick at which its clock stands.
    #[must_use]
    pub fn new(config: RegionConfig, sea: Arc<Sea>, tick: Tick) -> Self {
        let now = Now { unix_ns: config.clock.unix_ns, boot_ns: 0 };
        let sim = Sim::new(Arc::clone(&sea), sea.course().prims.clone(), tick);
        #[expect(clippy::cast_precision_loss, reason = "45")]
        let per_second = TICK_HZ as f64 * config.clock.warp;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small ratio")]
        let stride = ((per_second / STATES_PER_SECOND).ceil() as u64).max(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small ratio")]
        let glances = ((per_second / GLANCES_PER_SECOND).ceil() as u64).max(1);
        Self {
            config,
            sea,
            sim,
            owned: BTreeMap::new(),
            groups: Vec::new(),
            leaders: BTreeMap::new(),
            seen: BTreeMap::new(),
            neighbours: Vec::new(),
            links: BTreeMap::new(),
            by_circuit: BTreeMap::new(),
            peers: BTreeMap::new(),
            clients: BTreeMap::new(),
            harbour: None,
            outgoing: Vec::new(),
            next_offer: 1,
            rebuilding: Vec::new(),
            taken: VecDeque::new(),
            shadows: BTreeMap::new(),
            guard_streams: BTreeMap::new(),
            gone_to: BTreeMap::new(),
            lease: Lease::default(),
            ended: BTreeSet::new(),
            floors: BTreeMap::new(),
            guarded_ns: BTreeMap::new(),
            streamed_ns: BTreeMap::new(),
            leaving: BTreeMap::new(),
            belonged_ns: 0,
            recent: VecDeque::new(),
            told: BTreeMap::new(),
            tidings: Tidings::default(),
            retry: BTreeMap::new(),
            stride,
            glances,
            dilation: 1.0,
            means: Means { hands: 1, vessels: REGION_VESSELS },
            load: 0.0,
            draining_ns: None,
            farewell: Farewell::default(),
            stopped: false,
            now,
            time: Time::default(),
            reported_ns: 0,
            checkpoint_ns: 0,
            counts: Counts::default(),
            actions: VecDeque::new(),
        }
    }

    /// Its number.
    #[must_use]
    pub const fn id(&self) -> RegionId {
        self.config.id
    }

    /// Its server name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The ground that it sails.
    #[must_use]
    pub const fn area(&self) -> Area {
        self.config.area
    }

    /// An order from aboard: queued for the next tick, or passed on to where the vessel went.
    pub fn order(&mut self, vessel: VesselId, input: Input) {
        self.take_order(vessel, input);
    }

    /// The newest tick that it has sailed.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.sim.tick()
    }

    /// Its simulation of the vessels that it owns.
    #[must_use]
    pub const fn sim(&self) -> &Sim {
        &self.sim
    }

    /// What it has counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts { wakes_late: self.sim.late_wakes(), ..self.counts }
    }

    /// The epoch under which it owns a vessel.
    #[must_use]
    pub fn epoch(&self, vessel: VesselId) -> Option<Epoch> {
        self.owned.get(&vessel).map(|owned| owned.epoch)
    }

    /// The shadow that it keeps of another region's vessel, with the orders applied since.
    #[must_use]
    pub fn shadow(&self, vessel: VesselId) -> Option<(&VesselRecord, &[AppliedInput])> {
        self.shadows.get(&vessel).map(|shadow| (&shadow.record, shadow.inputs.as_slice()))
    }

    /// What it has done with its vessels since it was told to stop; none where it was not.
    #[must_use]
    pub fn farewell(&self) -> Option<Farewell> {
        let since_ns = self.draining_ns?;
        let took = Duration::from_nanos(self.now.boot_ns.saturating_sub(since_ns));
        Some(Farewell { took, ..self.farewell })
    }

    /// The next thing to do, if any.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next thing that the console should say, if any.
    pub fn poll_note(&mut self) -> Option<String> {
        self.tidings.poll_note()
    }

    /// Has the console name what happened between vessels here and creatures.
    fn note_happenings(&mut self) {
        for happening in self.sim.happenings() {
            let seconds = happening.tick.seconds();
            self.tidings.note(format!("{seconds:.0} s of course time: {happening}"));
        }
    }

    /// Says how the host is doing: share of a tick's wall time that the last ticks took, and their rate over
    /// the rate that was due; and what it gives from now on.
    pub fn measured(&mut self, load: f32, dilation: f32, means: Means) {
        self.load = load;
        self.dilation = dilation;
        self.means = Means { vessels: means.vessels.min(REGION_VESSELS), ..means };
        self.sim.set_hands(means.hands);
    }

    /// Says what time it is; before every step, because a process may have been stopped since the last one.
    pub fn set_now(&mut self, now: Now) {
        if now.boot_ns.saturating_sub(self.now.boot_ns) > OUTAGE_NS {
            self.lease.lapse();
        }
        self.now.boot_ns = self.now.boot_ns.max(now.boot_ns);
        let alone = self.config.authority.is_none();
        let unix_ns = if alone { now.unix_ns } else { self.time.read(self.now.boot_ns, now.unix_ns) };
        self.now.unix_ns = self.now.unix_ns.max(unix_ns);
    }

    /// Wall time as the harbour has it, by which the course's ticks are due: nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ns(&self) -> u64 {
        self.now.unix_ns
    }

    /// Hears what time it is at the harbour. A region without vessels sets its clock by that; another's runs
    /// faster or slower until it is right.
    fn hear_time(&mut self, stamp_ns: u64, unix_ns: u64) {
        let idle = self.owned.is_empty() && self.rebuilding.is_empty();
        if self.time.doubt_ns(self.now.boot_ns) == u64::MAX {
            // The harbour waits to hear that the clock is right.
            self.reported_ns = 0;
        }
        if self.time.hear(stamp_ns, self.now.boot_ns, unix_ns, idle) {
            self.now.unix_ns = self.time.read(self.now.boot_ns, unix_ns);
            self.sim.set_tick(self.config.clock.due(self.now.unix_ns));
        }
    }

    /// Sails one tick; false where it may not because its lease has lapsed: its vessels wait.
    pub fn step(&mut self) -> bool {
        if self.is_paused() {
            self.counts.ticks_paused += 1;
            return false;
        }
        let next = self.sim.tick().after(1);
        self.before_tick(next);
        self.apply_orders(next);
        self.sim.step();
        self.note_happenings();
        self.note_company(next);
        self.publish(next);
        if next.0.is_multiple_of(border::GROUP_EVERY_TICKS) {
            self.find_groups();
        }
        self.send_wakes(next);
        self.offer_groups();
        true
    }

    /// Does what belongs to no tick; `rtt` is the round trip of a circuit where known.
    pub fn pump(&mut self, now: Now, rtt: &dyn Fn(CircuitId) -> Option<Duration>) {
        if self.stopped {
            return;
        }
        self.set_now(now);
        let now_ns = self.now.boot_ns;
        for link in self.links.values_mut() {
            if let Some(measured) = link.circuit.and_then(rtt) {
                link.rtt = measured;
            }
        }
        self.dial_neighbours(now_ns);
        self.sail_along();
        self.stream_to_targets_and_guards();
        self.relieve_leaving();
        self.report(now_ns);
        self.drain_step(now_ns);
        self.end_orphaned();
    }

    /// Vessels that it owns.
    #[must_use]
    pub fn vessels(&self) -> usize {
        self.owned.len()
    }

    /// Starts handing everything over, then stops; `now_ns` is the boot clock.
    pub fn drain(&mut self, now_ns: u64) {
        if self.draining_ns.is_some() {
            return;
        }
        self.draining_ns = Some(now_ns);
        // Nobody may lean on it from now on, least of all those who are offered its vessels in the same moment.
        let open: Vec<RegionId> = self.links.keys().copied().collect();
        for region in open {
            self.send_region(region, Message::Leaving, Way::Stream);
        }
        if let Some(harbour) = self.harbour {
            self.send(harbour, None, Message::Leaving, Way::Stream);
        }
        self.offer_groups();
    }

    fn log(&mut self, entry: impl FnOnce() -> Logged) {
        if self.config.log {
            self.actions.push_back(Action::Log(entry()));
        }
    }

    /// Starts to own a vessel whose state is of the simulation's tick.
    fn own(&mut self, vessel: Vessel, owned: Owned) {
        assert!(self.owned.len() < REGION_VESSELS_RESUMED, "a region took more vessels than it has room for");
        let id = vessel.id;
        self.shadows.remove(&id);
        self.seen.remove(&id);
        self.gone_to.remove(&id);
        // The handoff with which it once went is over, acknowledged or not: it would seal the vessel for ever.
        self.outgoing.retain(|handoff| !(handoff.is_committed() && handoff.vessels().contains(&id)));
        self.sim.insert(vessel);
        let before = self.owned.insert(id, owned);
        assert!(before.is_none(), "a vessel was owned twice by one region");
    }

    /// The complete record of a vessel that this region owns.
    fn record(&self, id: VesselId) -> Option<VesselRecord> {
        let owned = self.owned.get(&id)?;
        Some(VesselRecord {
            vessel: self.sim.vessel(id)?,
            tick: self.sim.tick(),
            epoch: owned.epoch,
            crew_key: owned.crew_key,
            sessions: owned.sessions,
            guard: owned.guard,
        })
    }

    /// Has the harbour told in the next moment, not at the next turn.
    fn report_soon(&mut self) {
        let early_ns = nanoseconds(REPORT_EVERY - REPORT_SOON);
        self.reported_ns = self.reported_ns.min(self.now.boot_ns.saturating_sub(early_ns));
    }

    /// A vessel as others see it.
    fn view(&self, id: VesselId) -> Option<View> {
        let state = self.sim.state(id)?;
        let boat = self.sim.boat(id)?;
        Some(view_of(id, state, boat))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "hull sizes on a view are single precision")]
fn view_of(vessel: VesselId, state: &crate::vessel::VesselState, boat: &BoatSpec) -> View {
    View {
        vessel,
        position_m: state.position_m,
        attitude: state.attitude,
        velocity_mps: state.velocity_mps,
        length_m: boat.length_m as f32,
        beam_m: boat.beam_m as f32,
    }
}
