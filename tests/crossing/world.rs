//! A handful of regions in one process, with messages carried by hand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fairway::atlas::{Area, Course, Prim, Scripted};
use fairway::region::{Action, Logged, Now, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::sim::{Sim, Vessel, Voyage, afloat};
use fairway::units::{RegionId, TICK_HZ, Tick, VesselId, radians};
use fairway::vessel::{Helm, Input, boats};
use fairway::wire::Message;
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::{AppliedInput, ClockSetting, Epoch, Given, Neighbour, VesselRecord, Word};
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
    /// Times that it was decided whose wakes act on a vessel.
    pub companies: usize,
    pub first: Option<(Tick, VesselId)>,
}

/// Regions, the messages under way between them, and all that they logged.
pub struct World {
    sea: Arc<Sea>,
    start: Tick,
    step: u64,
    regions: BTreeMap<RegionId, Region>,
    stopped: BTreeSet<RegionId>,
    /// Those that nobody is told of any more.
    retired: BTreeSet<RegionId>,
    /// Vessels that were committed, with the tick before which no order counts any more.
    sealed: BTreeMap<VesselId, Tick>,
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

/// What a world is made of, besides its regions.
#[derive(Clone, Debug)]
pub struct Setting {
    pub seed: u64,
    /// Mean wind, m/s; none for what the course says.
    pub wind_mps: Option<f64>,
    /// Deep water that is needed from the origin to the east and to the north, metres.
    pub water_m: DVec2,
    /// Prims besides the course's, places from the origin.
    pub prims: Vec<Prim>,
    /// What happens, places from the origin, ticks from the start.
    pub events: Vec<Scripted>,
}

impl World {
    /// Regions 1 to `count` in a row from west to east, in open water of the small course.
    pub fn row(count: u32, seed: u64) -> Self {
        let water_m = DVec2::new(f64::from(count) * WIDTH_M * 1.1, 70.0);
        let setting = Setting { seed, wind_mps: None, water_m, prims: Vec::new(), events: Vec::new() };
        let areas: Vec<Area> = (0..count)
            .map(|i| {
                let min = DVec2::new(f64::from(i) * WIDTH_M, -128.0);
                Area { min, max: min + DVec2::new(WIDTH_M, 256.0) }
            })
            .collect();
        Self::divided(&setting, &areas)
    }

    /// Regions of a lattice in deep water, numbered from the south-west, row by row.
    pub fn lattice(columns: u32, rows: u32, cell_m: f64, seed: u64) -> Self {
        let water_m = DVec2::new(f64::from(columns), f64::from(rows)) * cell_m;
        let setting = Setting { seed, wind_mps: None, water_m, prims: Vec::new(), events: Vec::new() };
        Self::divided(&setting, &cells(columns, rows, cell_m, DVec2::ZERO))
    }

    /// Regions 1, 2, … of the areas, which are given from the origin.
    pub fn divided(setting: &Setting, areas: &[Area]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
        let mut course = Course::load(&root).unwrap();
        // As much as a course may have: whatever is met must cross, too.
        course.wildlife.frequency = 20.0;
        if let Some(wind_mps) = setting.wind_mps {
            course.climate.wind_mps = wind_mps;
        }
        let origin = open_water(&Sea::new(Arc::new(course.clone()), setting.seed), setting.water_m);
        course.prims.extend(
            setting
                .prims
                .iter()
                .cloned()
                .map(|prim| Prim { centre_m: prim.centre_m + origin.extend(0.0), ..prim }),
        );
        course.events.extend(setting.events.iter().map(|event| Scripted {
            place: event.place + origin,
            from: course.start.after(event.from.0),
            ..*event
        }));
        let course = Arc::new(course);
        let sea = Arc::new(Sea::new(Arc::clone(&course), setting.seed));
        let mut world = Self {
            sea,
            start: course.start,
            step: 0,
            regions: BTreeMap::new(),
            stopped: BTreeSet::new(),
            retired: BTreeSet::new(),
            sealed: BTreeMap::new(),
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
        let numbered = (1..).map(RegionId).zip(areas.iter().copied());
        for (id, area) in numbered {
            world.start_region(id, Area { min: area.min + origin, max: area.max + origin });
        }
        world.introduce();
        world
    }

    fn start_region(&mut self, id: RegionId, area: Area) {
        let clock = ClockSetting { tick: self.start, unix_ns: 0, warp: 1.0 };
        let name = format!("r{}.gullwing.fairway", id.0);
        let config = RegionConfig { id, name, area, clock, authority: None, log: true };
        let mut region = Region::new(config, Arc::clone(&self.sea), self.tick());
        let circuit = self.new_circuit();
        self.harbours.insert(id, circuit);
        region.opened(circuit, Peer::Harbour);
        self.regions.insert(id, region);
    }

    /// Tells every region of all others, as the harbour does.
    fn introduce(&mut self) {
        let all: Vec<Neighbour> = self
            .regions
            .iter()
            .filter(|(id, _)| !self.stopped.contains(id) && !self.retired.contains(id))
            .map(|(&id, region)| Neighbour {
                region: id,
                area: region.area(),
                addr: ([127, 0, 0, 1], 4045).into(),
                name: format!("r{}.gullwing.fairway", id.0),
            })
            .collect();
        for neighbour in &all {
            let circuit = self.harbours[&neighbour.region];
            let region = self.regions.get_mut(&neighbour.region).unwrap();
            region.received(circuit, Message::Neighbours(all.clone()));
        }
    }

    /// Divides the sea anew: areas from the origin; regions that are new start now.
    pub fn redivide(&mut self, areas: &[(RegionId, Area)]) {
        for &(id, area) in areas {
            let area = Area { min: area.min + self.origin, max: area.max + self.origin };
            if self.regions.contains_key(&id) && !self.stopped.contains(&id) {
                assert!(!self.retired.contains(&id), "region {} still runs", id.0);
                let circuit = self.harbours[&id];
                self.regions.get_mut(&id).unwrap().received(circuit, Message::Reshape(area));
            } else {
                self.stopped.remove(&id);
                self.retired.remove(&id);
                self.start_region(id, area);
            }
        }
        self.introduce();
    }

    /// A region that stops has handed everything over: its neighbours are told without it.
    pub fn part_with(&mut self, id: RegionId) {
        assert!(self.regions[&id].sim().ids().is_empty(), "region {} still has vessels", id.0);
        self.retired.insert(id);
        self.introduce();
    }

    fn new_circuit(&mut self) -> CircuitId {
        self.next_circuit += 1;
        CircuitId(self.next_circuit)
    }

    #[allow(dead_code, reason = "other tests that sail in this world look at it")]
    pub fn sea(&self) -> &Arc<Sea> {
        &self.sea
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

    /// A vessel's place from the origin.
    pub fn at(&self, id: VesselId) -> DVec2 {
        self.place(id) - self.origin
    }

    /// All that was published: the hash of each tick of each vessel.
    pub fn hashes(&self) -> BTreeMap<(Tick, VesselId), u64> {
        let published = self.log.iter().filter_map(|entry| match entry {
            Logged::Published { vessel, tick, hash, .. } => Some(((*tick, *vessel), *hash)),
            _ => None,
        });
        published.collect()
    }

    /// All orders by the tick that first felt them.
    pub fn orders(&self) -> BTreeMap<Tick, Vec<(VesselId, Input)>> {
        let mut orders: BTreeMap<Tick, Vec<(VesselId, Input)>> = BTreeMap::new();
        for entry in &self.log {
            if let Logged::Applied(AppliedInput { vessel, tick, given: Given::Order(input) }) = entry {
                orders.entry(*tick).or_default().push((*vessel, *input));
            }
        }
        // Whoever logged first: the vessels of one tick are independent of each other.
        orders.values_mut().for_each(|tick| tick.sort_by_key(|(id, input)| (*id, input.session, input.seq)));
        orders
    }

    /// Whether an order that is given now would have to be passed on, and so be applied later.
    pub fn is_sealed(&self, id: VesselId) -> bool {
        self.sealed.get(&id).is_some_and(|commit| self.tick() < *commit)
    }

    /// Gives the orders that another world gave for the next tick.
    pub fn follow(&mut self, orders: &BTreeMap<Tick, Vec<(VesselId, Input)>>) {
        for &(id, input) in orders.get(&self.tick().after(1)).into_iter().flatten() {
            let region = self.regions.values_mut().find(|region| region.epoch(id).is_some()).unwrap();
            region.order(id, input);
        }
    }

    /// Gives an order of one session of a vessel's crew at any region, as one whose circuit is still there.
    pub fn order_at(&mut self, region: RegionId, id: VesselId, session: u32, helm: Helm) {
        self.seq += 1;
        let input = Input { session, seq: self.seq, helm };
        self.regions.get_mut(&region).unwrap().order(id, input);
    }

    /// Steers towards a place that is given from the origin.
    pub fn steer(&mut self, id: VesselId, to: DVec2, helm: Helm) {
        let Some(state) = self.regions.values().find_map(|region| region.sim().state(id)) else { return };
        let bow = (state.attitude * DVec3::X).truncate();
        let way = (self.origin + to - state.position_m.truncate()).normalize_or_zero();
        let to_port = bow.perp_dot(way);
        let turn = if bow.dot(way) > 0.0 { -0.9 * to_port } else { -to_port.signum() };
        self.order(id, Helm { rudder_rad: turn.clamp(-0.45, 0.45), ..helm });
    }

    /// Launches a vessel at a place from the origin.
    pub fn launch_from_origin(&mut self, id: VesselId, boat: &str, place: DVec2, heading_deg: f64) {
        self.launch_at(id, boat, self.origin.x + place.x, place.y, heading_deg);
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

    /// Samples of wakes that came too late to act.
    pub fn wakes_late(&self) -> u64 {
        self.regions.values().map(|region| region.counts().wakes_late).sum()
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
        let vessel =
            Vessel { id, boat, state, voyage: Voyage::default(), trail: Vec::new(), company: Vec::new() };
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
        self.collect(id);
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
                    if let Message::Handoff(Word::Commit { commit, epochs, .. }) = &message {
                        self.sealed.extend(epochs.iter().map(|(id, _)| (*id, *commit)));
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
                Logged::Applied(AppliedInput { vessel, tick, given: Given::Order(input) }) => {
                    orders.entry(*tick).or_default().push((*vessel, *input));
                }
                // The undivided sea finds out by itself whose wakes act on whom.
                Logged::Applied(_) => found.companies += 1,
                Logged::Published { vessel, tick, hash, .. } => {
                    found.doubled += usize::from(published.insert((*tick, *vessel), *hash).is_some());
                }
                Logged::Taken { .. } => {}
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

/// The cells of a lattice whose south-west corner is at a place, row by row.
pub fn cells(columns: u32, rows: u32, cell_m: f64, corner: DVec2) -> Vec<Area> {
    let cell = |row: u32, column: u32| {
        let min = corner + DVec2::new(f64::from(column), f64::from(row)) * cell_m;
        Area { min, max: min + DVec2::splat(cell_m) }
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| cell(row, column))).collect()
}

/// The south-west corner of water deep enough for any boat, with some room to the south.
fn open_water(sea: &Sea, water_m: DVec2) -> DVec2 {
    let centre = sea.course().start_line.port;
    let deep = |place: DVec2| sea.bed_m(place) < -4.0;
    let share = |i: i32| f64::from(i) / 24.0;
    for ring in 0..400_i32 {
        for side in -ring..=ring {
            let at = centre + DVec2::new(f64::from(side), f64::from(ring - side.abs())) * 32.0;
            let south = DVec2::Y * 20.0;
            let mut places = (0..=24).flat_map(|i| (0..=24).map(move |j| DVec2::new(share(i), share(j))));
            if places.all(|p| deep(at - south + p * (water_m + south))) {
                return at;
            }
        }
    }
    panic!("no open water of {water_m} m near the start line");
}
