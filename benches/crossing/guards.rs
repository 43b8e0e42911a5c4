//! What it costs to guard vessels: bytes on the wire and time of both sides, for one vessel and tick.
//!
//! Two regions in this process pass their messages by hand, encoded and decoded as on the wire, but without QUIC.
//! Beside them sails the same pair without a word to each other: the difference is what guarding costs. They take
//! turns of one second of course time, in each of which every vessel gets one order and every shadow a whole state.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fairway::atlas::{Area, Course};
use fairway::limits::MESSAGE_BYTES;
use fairway::region::{Action, Now, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::sim::{Vessel, Voyage, afloat};
use fairway::units::{RegionId, TICK_HZ, VesselId};
use fairway::vessel::{Helm, Input, boats};
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::{ClockSetting, Epoch, Neighbour, VesselRecord};
use fairway::wire::{self, Message};
use glam::DVec2;
use rustix::time::{ClockId, clock_gettime};

use crate::figures::{Figure, PEERS_NONE};

/// Vessels guarded, ten in a row.
const VESSELS: u32 = 100;
/// Distance between two of them, metres: each is a group of its own.
const BERTH_M: f64 = 40.0;
/// South-west corner of their rows: open water of gullwing, further from the guard's ground than views are sent.
const CORNER: DVec2 = DVec2::new(440.0, 40.0);
/// Side of each region, metres.
const SIDE_M: f64 = 1_024.0;
/// Seconds of course time that do not count: links open, guards are named.
const SETTLE_S: u64 = 3;
const OWNER: RegionId = RegionId(1);
const GUARD: RegionId = RegionId(2);

/// The circuits of a pair: each region's harbour, and both ends of the one between them.
const HARBOUR: CircuitId = CircuitId(1);
const OWNERS_END: CircuitId = CircuitId(2);
const GUARDS_END: CircuitId = CircuitId(3);

/// Time that this thread has spent on a processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

/// Two regions, and what they have sent and spent.
struct Pair {
    regions: [Region; 2],
    /// Encoded messages on their way to each.
    under_way: [VecDeque<Vec<u8>>; 2],
    spent: [Duration; 2],
    /// Bytes by kind of message.
    bytes: BTreeMap<&'static str, u64>,
    steps: u64,
    orders: u32,
}

impl Pair {
    fn new(sea: &Arc<Sea>, linked: bool) -> Self {
        let start = sea.course().start;
        let clock = ClockSetting { tick: start, unix_ns: 0, warp: 1.0 };
        let ground = |number: f64| Area {
            min: DVec2::new(SIDE_M * number, 0.0),
            max: DVec2::new(SIDE_M * (number + 1.0), SIDE_M),
        };
        let places = [(OWNER, ground(0.0)), (GUARD, ground(1.0))];
        let name = |id: RegionId| format!("r{}.gullwing.fairway", id.0);
        let neighbours: Vec<Neighbour> = places
            .iter()
            .map(|&(region, area)| Neighbour {
                region,
                area,
                addr: ([127, 0, 0, 1], 9).into(),
                name: name(region),
            })
            .collect();
        let regions = places.map(|(id, area)| {
            let config = RegionConfig { id, name: name(id), area, clock, authority: None, log: false };
            let mut region = Region::new(config, Arc::clone(sea), start);
            region.opened(HARBOUR, Peer::Harbour);
            let known = if linked { neighbours.clone() } else { Vec::new() };
            region.received(HARBOUR, Message::Neighbours(known));
            region
        });
        let (under_way, spent, bytes) = (Default::default(), Default::default(), BTreeMap::new());
        let mut pair = Self { regions, under_way, spent, bytes, steps: 0, orders: 0 };
        pair.launch(sea);
        pair
    }

    fn launch(&mut self, sea: &Sea) {
        let tick = sea.course().start;
        let boat = boats::named("launch").expect("a built-in boat");
        for number in 0..VESSELS {
            let berth = DVec2::new(f64::from(number % 10), f64::from(number / 10)) * BERTH_M;
            let state = afloat(sea, boat, (CORNER + berth).extend(0.0), 1.3, tick);
            let id = VesselId(number + 1);
            let voyage = Voyage { marks: sea.course().marks.clone(), ..Voyage::default() };
            let vessel =
                Vessel { id, boat: boat.clone(), state, voyage, trail: Vec::new(), company: Vec::new() };
            let epoch = Epoch::default();
            let record = VesselRecord { vessel, tick, epoch, crew_key: [7; 32], sessions: 1, guard: None };
            self.regions[0].received(HARBOUR, Message::Launch { record: Box::new(record), new: false });
        }
    }

    /// Sails one second.
    fn second(&mut self) {
        for _ in 0..TICK_HZ {
            self.steps += 1;
            self.order();
            for side in [0, 1] {
                let began = processor_time();
                self.step(side);
                self.spent[side] += processor_time() - began;
            }
        }
    }

    /// Gives those their order whose turn it is: one a second each.
    #[expect(clippy::cast_possible_truncation, reason = "a turn of 45")]
    fn order(&mut self) {
        let turn = (self.steps % TICK_HZ) as u32;
        for number in (1..=VESSELS).filter(|number| number % TICK_HZ as u32 == turn) {
            self.orders += 1;
            let rudder_rad = if self.orders.is_multiple_of(2) { 0.05 } else { -0.05 };
            let helm = Helm { rudder_rad, ..Helm::default() };
            self.regions[0].order(VesselId(number), Input { session: 1, seq: self.orders, helm });
        }
    }

    fn step(&mut self, side: usize) {
        let end = if side == 0 { OWNERS_END } else { GUARDS_END };
        for bytes in std::mem::take(&mut self.under_way[side]) {
            let (_, message) = wire::decode(&bytes, MESSAGE_BYTES).expect("our own message");
            self.regions[side].received(end, message);
        }
        let now_ns = self.steps * 1_000_000_000 / TICK_HZ;
        let now = Now { unix_ns: now_ns, boot_ns: now_ns };
        let region = &mut self.regions[side];
        region.set_now(now);
        region.step();
        region.pump(now, &|_| Some(Duration::from_millis(1)));
        while let Some(action) = self.regions[side].poll_action() {
            match action {
                Action::Send { circuit, to, message, .. } if circuit == end => {
                    let bytes = wire::encode(to, &message).expect("our own message");
                    let kind = match message {
                        Message::Inputs { .. } => "Inputs",
                        Message::Shadow { .. } => "Shadow",
                        Message::Guarded { .. } => "Guarded",
                        _ => "other",
                    };
                    *self.bytes.entry(kind).or_default() += bytes.len() as u64;
                    self.under_way[1 - side].push_back(bytes);
                }
                Action::Dial { .. } => self.connect(),
                _ => {}
            }
        }
    }

    fn connect(&mut self) {
        let name = |id: RegionId| Peer::Region(format!("r{}.gullwing.fairway", id.0));
        let [owner, guard] = &mut self.regions;
        guard.opened(GUARDS_END, name(OWNER));
        owner.dialled(GUARD, OWNERS_END);
        owner.opened(OWNERS_END, name(GUARD));
    }
}

/// Measures over so many seconds of course time.
#[expect(clippy::cast_precision_loss, reason = "a few million bytes")]
pub(crate) fn measure(seconds: u64) -> Vec<Figure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let course = Arc::new(Course::load(&root).expect("gullwing is here"));
    let sea = Arc::new(Sea::new(course, 7));
    let mut pairs = [Pair::new(&sea, true), Pair::new(&sea, false)];
    for _ in 0..SETTLE_S {
        pairs.iter_mut().for_each(Pair::second);
    }
    let vessel_ticks = f64::from(VESSELS) * TICK_HZ as f64;
    let (mut both_us, mut owner_us, mut guard_us, mut bytes) = (vec![], vec![], vec![], vec![]);
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    for _ in 0..seconds {
        for pair in &mut pairs {
            pair.spent = Default::default();
            pair.bytes.clear();
            pair.second();
        }
        let [guarded, alone] = &pairs;
        let more_us = |side: usize| {
            let spent = |pair: &Pair| pair.spent[side].as_secs_f64() * 1e6 / vessel_ticks;
            spent(guarded) - spent(alone)
        };
        owner_us.push(more_us(0));
        guard_us.push(more_us(1));
        both_us.push(more_us(0) + more_us(1));
        bytes.push(guarded.bytes.values().sum::<u64>() as f64 / vessel_ticks);
        for (&kind, &sent) in &guarded.bytes {
            *kinds.entry(kind).or_default() += sent;
        }
    }
    let kept = (1..=VESSELS).filter(|&id| pairs[0].regions[1].shadow(VesselId(id)).is_some()).count();
    assert_eq!(kept, VESSELS as usize, "not every vessel is guarded");
    let median = |samples: Vec<f64>| crate::figures::Spread::of(samples).p50;
    let (owner, guard) = (median(owner_us), median(guard_us));
    let shares: Vec<String> = kinds
        .iter()
        .map(|(kind, &sent)| format!("{kind} {:.2}", sent as f64 / vessel_ticks / seconds as f64))
        .collect();
    vec![
        Figure::new("guard_us_per_vessel_tick", both_us, PEERS_NONE)
            .key("vessels", VESSELS)
            .more("owner_us", owner)
            .more("guard_us", guard)
            .note(format!("owner {owner:.3}, guard {guard:.3} in the median second; without QUIC")),
        Figure::new("guard_bytes_per_vessel_tick", bytes, PEERS_NONE)
            .key("vessels", VESSELS)
            .note(shares.join(", ")),
    ]
}
