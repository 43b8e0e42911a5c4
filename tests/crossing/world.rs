//! A handful of regions in one process, with messages carried by hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fairway::atlas::{Area, Course};
use fairway::region::{Action, Logged, Now, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{RegionId, TICK_HZ, Tick, VesselId, radians};
use fairway::vessel::{Helm, Input, boats};
use fairway::wire::Message;
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::{ClockSetting, Epoch, Neighbour, VesselRecord, Word};
use glam::{DVec2, DVec3};

/// Steps that a message takes from one region to the next.
const DELAY_STEPS: u64 = 1;
/// Width of the regions of a row, metres.
const WIDTH_M: f64 = 64.0;

struct Parcel {
    due: u64,
    to: RegionId,
    circuit: CircuitId,
    message: Message,
}

/// What a comparison with the undivided run found.
#[derive(Debug, Default)]
pub struct Comparison {
    pub compared: usize,
    pub mismatches: usize,
    pub missing: usize,
    pub doubled: usize,
    pub first: Option<(Tick, VesselId)>,
}

/// Regions, the messages under way between them, and all that they logged.
pub struct World {
    sea: Arc<Sea>,
    start: Tick,
    step: u64,
    regions: BTreeMap<RegionId, Region>,
    stopped: BTreeSet<RegionId>,
    silent: BTreeSet<RegionId>,
    commit_delay: u64,
    under_way: VecDeque<Parcel>,
    /// The other end of each circuit.
    ends: BTreeMap<CircuitId, (RegionId, CircuitId)>,
    next_circuit: u64,
    harbours: BTreeMap<RegionId, CircuitId>,
    seq: u32,
    log: Vec<Logged>,
    origin: DVec2,
}

impl World {
    /// Regions 1 to `count` in a row from west to east, in open water of the small course.
    pub fn row(count: u32, seed: u64) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let course = Arc::new(Course::load(&root).unwrap());
        let sea = Arc::new(Sea::new(Arc::clone(&course), seed));
        let start = course.start;
        let origin = open_water(&sea, f64::from(count) * WIDTH_M);
        let clock = ClockSetting { tick: start, unix_ns: 0, warp: 1.0 };
        let areas: Vec<(RegionId, Area)> = (0..count)
            .map(|i| {
                let min = origin + DVec2::new(f64::from(i) * WIDTH_M, -128.0);
                (RegionId(i + 1), Area { min, max: min + DVec2::new(WIDTH_M, 256.0) })
            })
            .collect();
        let regions = areas
            .iter()
            .map(|&(id, area)| {
                let name = format!("r{}.gullwing.fairway", id.0);
                let config = RegionConfig { id, name, area, clock, authority: None, log: true };
                (id, Region::new(config, Arc::clone(&sea), start))
            })
            .collect();
        let mut world = Self {
            sea,
            start,
            step: 0,
            regions,
            stopped: BTreeSet::new(),
            silent: BTreeSet::new(),
            commit_delay: 0,
            under_way: VecDeque::new(),
            ends: BTreeMap::new(),
            next_circuit: 1,
            harbours: BTreeMap::new(),
            seq: 0,
            log: Vec::new(),
            origin,
        };
        world.introduce(&areas);
        world
    }

    fn introduce(&mut self, areas: &[(RegionId, Area)]) {
        let all: Vec<Neighbour> = areas
            .iter()
            .map(|&(region, area)| Neighbour {
                region,
                area,
                addr: ([127, 0, 0, 1], 4045).into(),
                name: format!("r{}.gullwing.fairway", region.0),
            })
            .collect();
        for &(id, _) in areas {
            let circuit = self.new_circuit();
            self.harbours.insert(id, circuit);
            let region = self.regions.get_mut(&id).unwrap();
            region.opened(circuit, Peer::Harbour);
            region.received(circuit, Message::Neighbours(all.clone()));
        }
    }

    fn new_circuit(&mut self) -> CircuitId {
        self.next_circuit += 1;
        CircuitId(self.next_circuit)
    }

    pub fn start(&self) -> Tick {
        self.start
    }

    pub fn tick(&self) -> Tick {
        self.start.after(self.step)
    }

    pub fn region(&self, id: RegionId) -> &Region {
        &self.regions[&id]
    }

    pub fn owner(&self, id: VesselId) -> Option<RegionId> {
        let owners: Vec<RegionId> = self
            .regions
            .iter()
            .filter(|(_, region)| region.epoch(id).is_some())
            .map(|(&region, _)| region)
            .collect();
        assert!(owners.len() < 2, "vessel {} has the owners {owners:?}", id.0);
        owners.first().copied()
    }

    pub fn place(&self, id: VesselId) -> DVec2 {
        self.regions
            .values()
            .find_map(|region| region.sim().state(id))
            .map(|state| state.position_m.truncate())
            .unwrap()
    }

    pub fn handoffs(&self) -> u32 {
        self.regions.values().map(|region| region.counts().handoffs).sum()
    }

    pub fn ticks_missed(&self) -> u64 {
        self.regions.values().map(|region| region.counts().ticks_missed).sum()
    }

    pub fn has_stopped(&self, id: RegionId) -> bool {
        self.stopped.contains(&id)
    }

    /// Launches a vessel in the middle of the first region, heading east.
    pub fn launch(&mut self, id: VesselId, boat: &str, _berth: u32) {
        let north = f64::from(id.0 - 1) * 60.0;
        self.launch_at(id, boat, self.origin.x + WIDTH_M * 0.4, north, 90.0);
    }

    pub fn launch_at(&mut self, id: VesselId, boat: &str, x: f64, north: f64, heading_deg: f64) {
        let boat = boats::named(boat).unwrap().clone();
        let place = DVec3::new(x, self.origin.y + north, 0.0);
        let state = afloat(&self.sea, &boat, place, radians(heading_deg), self.tick());
        let vessel = Vessel { id, boat, state, voyage: Voyage::default() };
        let record = VesselRecord {
            vessel,
            tick: self.tick(),
            epoch: Epoch::default(),
            crew_key: [7; 32],
            sessions: 1,
            guard: None,
        };
        let here = place.truncate();
        let owner = self.regions.iter().find(|(_, region)| region.area().contains(here)).map(|(&id, _)| id);
        let owner = owner.unwrap();
        let circuit = self.harbours[&owner];
        let region = self.regions.get_mut(&owner).unwrap();
        region.received(circuit, Message::Launch { record: Box::new(record), new: false });
    }

    /// Gives an order at the vessel's owner as its crew would.
    pub fn order(&mut self, id: VesselId, helm: Helm) {
        self.seq += 1;
        let input = Input { session: 1, seq: self.seq, helm };
        let region = self.regions.values_mut().find(|region| region.epoch(id).is_some()).unwrap();
        region.order(id, input);
    }

    /// Steers a vessel east with a little restlessness.
    pub fn keep_east(&mut self, id: VesselId, turn: u64) {
        let Some(state) = self.regions.values().find_map(|region| region.sim().state(id)) else { return };
        let bow = state.attitude * DVec3::X;
        let wiggle = if turn.is_multiple_of(2) { 0.02 } else { -0.02 };
        let rudder_rad = (bow.y * 0.8 + wiggle).clamp(-0.4, 0.4);
        self.order(id, Helm { throttle: 1.0, rudder_rad, ..Helm::default() });
    }

    pub fn silence(&mut self, id: RegionId, silent: bool) {
        if silent {
            self.silent.insert(id);
        } else {
            self.silent.remove(&id);
        }
    }

    pub fn delay_commits(&mut self, steps: u64) {
        self.commit_delay = steps;
    }

    pub fn drain(&mut self, id: RegionId) {
        let circuit = self.harbours[&id];
        self.regions.get_mut(&id).unwrap().received(circuit, Message::Drain);
    }

    pub fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.step += 1;
            self.deliver();
            let ids: Vec<RegionId> = self.regions.keys().copied().collect();
            for id in ids {
                if self.stopped.contains(&id) {
                    continue;
                }
                let region = self.regions.get_mut(&id).unwrap();
                let now_ns = self.step * 1_000_000_000 / TICK_HZ;
                let now = Now { unix_ns: now_ns, boot_ns: now_ns };
                region.set_now(now);
                region.step();
                region.pump(now, &|_| Some(Duration::from_millis(1)));
                self.collect(id);
            }
        }
    }

    fn deliver(&mut self) {
        let mut later = VecDeque::new();
        for parcel in std::mem::take(&mut self.under_way) {
            if parcel.due > self.step {
                later.push_back(parcel);
            } else if !self.silent.contains(&parcel.to) {
                let region = self.regions.get_mut(&parcel.to).unwrap();
                region.received(parcel.circuit, parcel.message);
                self.collect(parcel.to);
            }
        }
        later.append(&mut self.under_way);
        self.under_way = later;
    }

    fn collect(&mut self, id: RegionId) {
        while let Some(action) = self.regions.get_mut(&id).unwrap().poll_action() {
            match action {
                Action::Send { circuit, message, .. } => {
                    let Some(&(to, circuit)) = self.ends.get(&circuit) else { continue };
                    // What a silent region says is lost, too: nobody hears it.
                    if self.silent.contains(&id) {
                        continue;
                    }
                    let late = matches!(message, Message::Handoff(Word::Commit { .. }));
                    let delay = if late { DELAY_STEPS + self.commit_delay } else { DELAY_STEPS };
                    self.under_way.push_back(Parcel { due: self.step + delay, to, circuit, message });
                }
                Action::Dial { region: to, name: _, .. } => self.connect(id, to),
                Action::Log(entry) => self.log.push(entry),
                Action::Stop => {
                    self.stopped.insert(id);
                }
                Action::Close(_) | Action::Enrol(_) => {}
            }
        }
    }

    fn connect(&mut self, from: RegionId, to: RegionId) {
        let (near, far) = (self.new_circuit(), self.new_circuit());
        self.ends.insert(near, (to, far));
        self.ends.insert(far, (from, near));
        let name = |id: RegionId| format!("r{}.gullwing.fairway", id.0);
        self.regions.get_mut(&to).unwrap().opened(far, Peer::Region(name(from)));
        let region = self.regions.get_mut(&from).unwrap();
        region.dialled(to, near);
        region.opened(near, Peer::Region(name(to)));
    }

    /// Sails everything that was logged in one undivided simulation and compares the hashes.
    pub fn compare_with_undivided(&self) -> Comparison {
        let mut published: BTreeMap<(Tick, VesselId), u64> = BTreeMap::new();
        let mut orders: BTreeMap<Tick, Vec<(VesselId, Input)>> = BTreeMap::new();
        let mut launches: BTreeMap<Tick, Vec<Vessel>> = BTreeMap::new();
        let mut found = Comparison::default();
        for entry in &self.log {
            match entry {
                Logged::Launched(tick, vessel) => launches.entry(*tick).or_default().push((**vessel).clone()),
                Logged::Applied(applied) => {
                    orders.entry(applied.tick).or_default().push((applied.vessel, applied.input));
                }
                Logged::Published { vessel, tick, hash, .. } => {
                    found.doubled += usize::from(published.insert((*tick, *vessel), *hash).is_some());
                }
                Logged::Left(..) | Logged::Resumed { .. } => panic!("no vessel leaves in these tests"),
            }
        }
        let first = launches.keys().next().copied().unwrap();
        let last = published.keys().next_back().unwrap().0;
        let mut sim = Sim::new(Arc::clone(&self.sea), self.sea.course().prims.clone(), first);
        while sim.tick() < last {
            for vessel in launches.remove(&sim.tick()).unwrap_or_default() {
                sim.insert(vessel);
            }
            for (vessel, input) in orders.remove(&sim.tick().after(1)).unwrap_or_default() {
                sim.apply(vessel, input);
            }
            sim.step();
            for &id in sim.ids() {
                match published.get(&(sim.tick(), id)) {
                    None => found.missing += 1,
                    Some(&hash) => {
                        found.compared += 1;
                        if Some(hash) != sim.hash(id) {
                            found.mismatches += 1;
                            found.first.get_or_insert((sim.tick(), id));
                        }
                    }
                }
            }
        }
        found
    }
}

/// The east border of the first region.
pub fn border_x(world: &World) -> f64 {
    world.origin.x + WIDTH_M
}

/// The west end of a strip of water deep enough for any boat.
fn open_water(sea: &Sea, length_m: f64) -> DVec2 {
    let course = sea.course();
    let centre = course.start_line.port;
    let deep = |place: DVec2| sea.bed_m(place) < -4.0;
    for ring in 0..400_i32 {
        for side in -ring..=ring {
            let at = centre + DVec2::new(f64::from(side), f64::from(ring - side.abs())) * 32.0;
            let strip = (0..=40).map(|i| at + DVec2::new(length_m * 1.1 * f64::from(i) / 40.0, 0.0));
            if strip.into_iter().all(|p| deep(p) && deep(p + DVec2::Y * 70.0) && deep(p - DVec2::Y * 20.0)) {
                return at;
            }
        }
    }
    panic!("no open water of {length_m} m near the start line");
}
