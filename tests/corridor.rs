//! The corridor's plan, on scripted fleets: regions that boot slowly, drain slowly, and vessels that sail
//! where the script says.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no model")]

use std::collections::{BTreeMap, BTreeSet};

use fairway::atlas::{Cell, Mark};
use fairway::corridor::{Action, Booking, Corridor, Phase, RegionView, Snapshot, VesselView, regions_max};
use fairway::units::{RegionId, TICK_HZ, Tick, VesselId};
use glam::DVec2;

const CELL_M: f64 = 256.0;
/// Seconds of course time: the script's regions boot in this, and the plan is told to start earlier.
const BOOT_S: f64 = 6.0;
const LEAD_S: f64 = 12.0;
const DRAIN_S: f64 = 2.0;
const STEP_S: f64 = 0.5;

/// What a vessel does at each moment: place and velocity from seconds since the start; `None` when over.
type Script = Box<dyn Fn(f64) -> Option<(DVec2, DVec2)>>;

struct Sailor {
    id: VesselId,
    group: VesselId,
    script: Script,
    marks: Vec<DVec2>,
    owner: Option<RegionId>,
}

struct Region {
    cell: Cell,
    phase: Phase,
    until_s: f64,
}

/// A fleet and the regions that the plan gave it.
struct Fleet {
    sailors: Vec<Sailor>,
    regions: BTreeMap<RegionId, Region>,
    corridor: Corridor,
    now_s: f64,
    next: u32,
    started: Vec<Cell>,
    ended: usize,
    peak: usize,
    /// Steps that a leader spent in a cell in which no region could take it.
    late_steps: usize,
    boot_s: f64,
    blocked: Vec<Cell>,
}

impl Fleet {
    fn new(sailors: Vec<Sailor>) -> Self {
        Self {
            sailors,
            regions: BTreeMap::new(),
            corridor: Corridor::new(),
            now_s: 0.0,
            next: 1,
            started: Vec::new(),
            ended: 0,
            peak: 0,
            late_steps: 0,
            boot_s: BOOT_S,
            blocked: Vec::new(),
        }
    }

    fn tick(&self) -> Tick {
        Tick((self.now_s * TICK_HZ as f64) as u64)
    }

    fn snapshot(&self) -> Snapshot {
        let mut vessels = Vec::new();
        let mut bookings = Vec::new();
        for sailor in &self.sailors {
            let Some((place, velocity_mps)) = (sailor.script)(self.now_s) else { continue };
            match sailor.owner {
                None => bookings.push(Booking { place, at: self.tick() }),
                Some(owner) => vessels.push(VesselView {
                    id: sailor.id,
                    group: sailor.group,
                    tick: self.tick(),
                    place,
                    velocity_mps,
                    owner,
                    marks_ahead: sailor
                        .marks
                        .iter()
                        .map(|&place| Mark { name: String::new(), place, radius_m: 20.0 })
                        .collect(),
                }),
            }
        }
        let owners: BTreeSet<RegionId> = vessels.iter().map(|vessel| vessel.owner).collect();
        let regions = self
            .regions
            .iter()
            .map(|(&id, region)| RegionView {
                id,
                cell: region.cell,
                phase: match region.phase {
                    Phase::Ready if owners.contains(&id) => Phase::Live,
                    phase => phase,
                },
            })
            .collect();
        Snapshot {
            now: self.tick(),
            cell_m: CELL_M,
            lead_s: LEAD_S,
            regions,
            vessels,
            bookings,
            blocked: self.blocked.clone(),
        }
    }

    fn step(&mut self) {
        self.now_s += STEP_S;
        let now_s = self.now_s;
        for region in self.regions.values_mut() {
            if region.phase == Phase::Booting && now_s >= region.until_s {
                region.phase = Phase::Ready;
            }
        }
        let before = self.regions.len();
        self.regions.retain(|_, region| region.phase != Phase::Draining || now_s < region.until_s);
        self.ended += before - self.regions.len();
        self.sail();
        let snapshot = self.snapshot();
        let groups = {
            let groups: BTreeSet<VesselId> = snapshot.vessels.iter().map(|v| v.group).collect();
            let booked: BTreeSet<Cell> =
                snapshot.bookings.iter().map(|booking| Cell::of(booking.place, CELL_M)).collect();
            groups.len() + booked.len()
        };
        let cap_before = self.regions.len().max(regions_max(groups));
        for action in self.corridor.plan(&snapshot) {
            self.carry_out(&action, &snapshot);
        }
        assert!(self.regions.len() <= cap_before, "{} regions for {groups} groups", self.regions.len());
        self.peak = self.peak.max(self.regions.len());
    }

    /// Launches what waits and hands groups to the region of their leader's place, where one is ready.
    fn sail(&mut self) {
        let ready: BTreeMap<Cell, RegionId> = self
            .regions
            .iter()
            .filter(|(_, region)| region.phase == Phase::Ready)
            .map(|(&id, region)| (region.cell, id))
            .collect();
        let leaders: Vec<(VesselId, DVec2)> = self
            .sailors
            .iter()
            .filter(|sailor| sailor.id == sailor.group)
            .filter_map(|sailor| Some((sailor.id, (sailor.script)(self.now_s)?.0)))
            .collect();
        for (leader, place) in leaders {
            let target = ready.get(&Cell::of(place, CELL_M)).copied();
            let launched = self.sailors.iter().any(|s| s.id == leader && s.owner.is_some());
            if target.is_none() && launched {
                self.late_steps += 1;
            }
            for sailor in self.sailors.iter_mut().filter(|sailor| sailor.group == leader) {
                sailor.owner = target.or(sailor.owner);
            }
        }
    }

    fn carry_out(&mut self, action: &Action, snapshot: &Snapshot) {
        match action {
            Action::Start { cell } => {
                assert!(!self.blocked.contains(cell), "started in a blocked cell");
                let region = Region { cell: *cell, phase: Phase::Booting, until_s: self.now_s + self.boot_s };
                self.regions.insert(RegionId(self.next), region);
                self.next += 1;
                self.started.push(*cell);
            }
            Action::Drain { region: id } => {
                assert!(snapshot.vessels.iter().all(|v| v.owner != *id), "{id:?} drained under a vessel");
                let region = self.regions.get_mut(id).expect("drained a region that is not there");
                assert_eq!(region.phase, Phase::Ready);
                region.phase = Phase::Draining;
                region.until_s = self.now_s + DRAIN_S;
            }
            Action::Stop { region } => {
                let region = self.regions.remove(region).expect("stopped a region that is not there");
                assert_eq!(region.phase, Phase::Booting);
                self.ended += 1;
            }
            Action::Introduce { region, neighbours } => {
                assert!(!neighbours.contains(region));
                for other in neighbours {
                    assert_eq!(
                        self.regions[other].phase,
                        Phase::Ready,
                        "introduced to one that cannot listen"
                    );
                }
            }
        }
    }

    /// Sails until every script is over and everything has ended.
    fn run(&mut self, at_most_s: f64) {
        while self.now_s < at_most_s {
            self.step();
            if self.sailors.iter().all(|sailor| (sailor.script)(self.now_s).is_none()) {
                for _ in 0..20 {
                    self.step();
                }
                assert!(self.regions.is_empty(), "regions left: {}", self.regions.len());
                assert_eq!(self.started.len(), self.ended, "every region that was started has ended");
                return;
            }
        }
        panic!("the scripts were not over in time");
    }

    fn starts_of(&self, cell: (i32, i32)) -> usize {
        self.started.iter().filter(|started| (started.x, started.y) == cell).count()
    }
}

/// Sails along a line of points at one speed.
fn along(points: Vec<DVec2>, speed_mps: f64) -> Script {
    Box::new(move |time_s| {
        let mut left_m = time_s * speed_mps;
        for pair in points.windows(2) {
            let leg = pair[1] - pair[0];
            if left_m <= leg.length() {
                let way = leg.normalize();
                return Some((pair[0] + way * left_m, way * speed_mps));
            }
            left_m -= leg.length();
        }
        None
    })
}

fn sailor(id: u32, group: u32, script: Script) -> Sailor {
    Sailor { id: VesselId(id), group: VesselId(group), script, marks: Vec::new(), owner: None }
}

fn one(points: &[(f64, f64)], speed_mps: f64) -> Fleet {
    let points: Vec<DVec2> = points.iter().map(|&(x, y)| DVec2::new(x, y)).collect();
    let mut sailor = sailor(1, 1, along(points.clone(), speed_mps));
    sailor.marks = points[1..].to_vec();
    Fleet::new(vec![sailor])
}

#[test]
fn straight_course_finds_every_region_ready() {
    let mut fleet = one(&[(50.0, 100.0), (2_700.0, 130.0)], 4.0);
    fleet.run(1_000.0);
    let cells: Vec<(i32, i32)> = fleet.started.iter().map(|cell| (cell.x, cell.y)).collect();
    assert_eq!(cells, (0..11).map(|x| (x, 0)).collect::<Vec<_>>(), "each once, in order");
    assert_eq!(fleet.late_steps, 0);
    assert!(fleet.peak <= 3, "peak {}", fleet.peak);
}

#[test]
fn corner_is_crossed_without_waiting() {
    // Straight over the corner of four cells, a little to either side, and exactly through it.
    for offset_m in [-9.0, -1.0, 0.0, 1.0, 9.0] {
        let mut fleet = one(&[(100.0, 100.0 + offset_m), (900.0, 900.0 + offset_m)], 4.0);
        fleet.run(1_000.0);
        assert_eq!(fleet.late_steps, 0, "offset {offset_m}");
        assert!(fleet.peak <= 3);
    }
}

#[test]
fn turn_at_a_mark_near_a_border_starts_no_region_beyond_it() {
    let mut fleet = one(&[(40.0, 100.0), (240.0, 100.0), (240.0, 700.0)], 3.0);
    fleet.run(1_000.0);
    assert_eq!(fleet.starts_of((0, 1)), 1);
    assert_eq!(fleet.late_steps, 0);
}

#[test]
fn tacking_along_a_border_starts_each_region_once() {
    let mut points = vec![(256.0 - 30.0, 20.0)];
    for leg in 0..40 {
        let x = if leg % 2 == 0 { 256.0 + 30.0 } else { 256.0 - 30.0 };
        points.push((x, 20.0 + f64::from(leg + 1) * 30.0));
    }
    let mut fleet = one(&points, 3.0);
    fleet.run(2_000.0);
    for cell in fleet.started.clone() {
        assert_eq!(fleet.starts_of((cell.x, cell.y)), 1, "{cell:?} of {:?}", fleet.started);
    }
    assert!(fleet.peak <= 3);
}

#[test]
fn six_vessels_in_one_group_need_what_one_vessel_needs() {
    let line = |i: u32| {
        let y = 100.0 + 8.0 * f64::from(i);
        along(vec![DVec2::new(50.0 - 12.0 * f64::from(i), y), DVec2::new(1_500.0, y)], 4.0)
    };
    let mut fleet = Fleet::new((1..=6).map(|i| sailor(i, 1, line(i))).collect());
    fleet.run(1_000.0);
    assert!(fleet.peak <= 3, "peak {}", fleet.peak);
    assert_eq!(fleet.late_steps, 0);
}

#[test]
fn spread_fleet_stays_under_its_cap() {
    let line = |i: u32| {
        let start = DVec2::new(50.0, 1_000.0 * f64::from(i));
        along(vec![start, start + DVec2::new(1_500.0, 400.0 - 100.0 * f64::from(i))], 2.0 + f64::from(i))
    };
    let mut fleet = Fleet::new((1..=6).map(|i| sailor(i, i, line(i))).collect());
    fleet.run(2_000.0);
    assert_eq!(fleet.late_steps, 0);
    assert!(fleet.peak <= regions_max(6));
}

#[test]
fn becalmed_vessel_keeps_its_region_and_one_for_company() {
    let script: Script = Box::new(|time_s| {
        (time_s < 600.0).then(|| (DVec2::new(250.0 + 0.001 * time_s, 128.0), DVec2::new(0.001, 0.0)))
    });
    let mut fleet = Fleet::new(vec![sailor(1, 1, script)]);
    fleet.run(1_000.0);
    assert_eq!(fleet.started.len(), 2, "{:?}", fleet.started);
    assert_eq!(fleet.started[0], Cell { x: 0, y: 0 });
}

#[test]
fn vessel_in_a_cell_without_region_comes_first() {
    // Faster than regions boot: it is past the border before one is ready, never stopped, and each cell
    // that it is in is asked for.
    let lie = DVec2::new(50.0, 100.0);
    let sail = along(vec![lie, DVec2::new(2_700.0, 100.0)], 40.0);
    let script: Script =
        Box::new(move |time_s| if time_s < 20.0 { Some((lie, DVec2::ZERO)) } else { sail(time_s - 20.0) });
    let mut fleet = Fleet::new(vec![sailor(1, 1, script)]);
    fleet.boot_s = 18.0;
    fleet.run(400.0);
    assert!(fleet.late_steps > 0);
    assert!(fleet.starts_of((5, 0)) >= 1, "{:?}", fleet.started);
    assert!(fleet.peak <= 3);
}

#[test]
fn blocked_cell_is_sailed_past() {
    let mut fleet = one(&[(50.0, 100.0), (1_200.0, 100.0)], 4.0);
    fleet.blocked = vec![Cell { x: 2, y: 0 }];
    fleet.run(1_000.0);
    assert_eq!(fleet.starts_of((2, 0)), 0);
    assert_eq!(fleet.starts_of((3, 0)), 1);
}

#[test]
fn groups_that_join_give_regions_back() {
    // Six vessels from six sides sail to one place, become one group and sail on together.
    let script = |i: u32| -> Script {
        let from = DVec2::new(-900.0 + 300.0 * f64::from(i), -700.0);
        let meet = DVec2::new(128.0, 128.0 + 3.0 * f64::from(i));
        let way = (meet - from) / 200.0;
        Box::new(move |time_s| {
            if time_s < 200.0 {
                Some((from + way * time_s, way))
            } else {
                (time_s < 500.0)
                    .then(|| (meet + DVec2::new(3.0, 0.0) * (time_s - 200.0), DVec2::new(3.0, 0.0)))
            }
        })
    };
    let mut fleet = Fleet::new((1..=6).map(|i| sailor(i, i, script(i))).collect());
    while fleet.now_s < 200.0 {
        fleet.step();
    }
    for sailor in &mut fleet.sailors {
        sailor.group = VesselId(1);
    }
    while fleet.now_s < 240.0 {
        fleet.step();
    }
    assert!(fleet.regions.len() <= regions_max(1), "{} regions for one group", fleet.regions.len());
    fleet.run(1_000.0);
}

#[test]
fn owner_far_past_its_border_and_the_region_ahead_know_each_other() {
    // Regions came late, and the vessel is four cells past the one that owns it.
    let mut fleet = one(&[(50.0, 100.0), (1_100.0, 100.0), (1_600.0, 100.0)], 4.0);
    fleet.step();
    let owner = RegionId(1);
    let ready = |cell: Cell| Region { cell, phase: Phase::Ready, until_s: 0.0 };
    fleet.regions = BTreeMap::from([
        (owner, ready(Cell { x: 0, y: 0 })),
        (RegionId(7), ready(Cell { x: 4, y: 0 })),
        (RegionId(8), ready(Cell { x: 5, y: 0 })),
        (RegionId(9), ready(Cell { x: -4, y: 2 })),
    ]);
    fleet.sailors[0].owner = Some(owner);
    fleet.now_s = 1_180.0 / 4.0;
    let snapshot = fleet.snapshot();
    let told: BTreeMap<RegionId, Vec<RegionId>> = Corridor::new()
        .plan(&snapshot)
        .into_iter()
        .filter_map(|action| match action {
            Action::Introduce { region, neighbours } => Some((region, neighbours)),
            _ => None,
        })
        .collect();
    for (region, other) in [(owner, RegionId(7)), (RegionId(7), owner), (RegionId(7), RegionId(8))] {
        assert!(told.get(&region).is_some_and(|neighbours| neighbours.contains(&other)), "{told:?}");
    }
}

#[test]
fn owners_whose_vessels_meet_far_from_both_know_each_other() {
    let lie = |x: f64| -> Script { Box::new(move |_| Some((DVec2::new(x, 100.0), DVec2::new(1.0, 0.0)))) };
    let mut fleet = Fleet::new(vec![sailor(1, 1, lie(2_000.0)), sailor(2, 2, lie(2_080.0))]);
    let cells = [(1, Cell { x: 0, y: 0 }), (2, Cell { x: 20, y: 0 }), (3, Cell { x: 7, y: 1 })];
    fleet.regions = cells
        .map(|(id, cell)| (RegionId(id), Region { cell, phase: Phase::Ready, until_s: 0.0 }))
        .into_iter()
        .collect();
    for (sailor, owner) in fleet.sailors.iter_mut().zip([1, 2]) {
        sailor.owner = Some(RegionId(owner));
    }
    let told: BTreeMap<RegionId, Vec<RegionId>> = Corridor::new()
        .plan(&fleet.snapshot())
        .into_iter()
        .filter_map(|action| match action {
            Action::Introduce { region, neighbours } => Some((region, neighbours)),
            _ => None,
        })
        .collect();
    for (region, other) in [(1, 2), (2, 1)] {
        let neighbours = told.get(&RegionId(region));
        assert!(neighbours.is_some_and(|neighbours| neighbours.contains(&RegionId(other))), "{told:?}");
    }
}

#[test]
fn neighbours_are_told_once_per_change() {
    let mut fleet = one(&[(50.0, 100.0), (700.0, 100.0)], 4.0);
    let mut told: Vec<(RegionId, Vec<RegionId>)> = Vec::new();
    while fleet.now_s < 100.0 {
        fleet.step();
        let mut again = fleet.corridor.clone();
        let snapshot = fleet.snapshot();
        for action in again.plan(&snapshot) {
            if let Action::Introduce { region, neighbours } = action {
                told.push((region, neighbours));
            }
        }
    }
    // A plan made again from the same snapshot finds nothing left to tell.
    assert!(told.is_empty(), "{told:?}");
}
