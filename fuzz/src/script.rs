//! A region among a hostile neighbour, a region that nobody named, and two clients: the bytes say who sends
//! what, and when a tick passes.
//!
//! One byte chooses an act of [`ACTS`]; the act takes what it needs from the bytes after it. Numbers are
//! mostly small, so that words of one handoff meet, and sometimes as large as they can be.

use fairway::atlas::{Area, Species};
use fairway::creatures::{AnimalId, Companion, Role};
use fairway::limits::{MESSAGE_BYTES, REGION_VESSELS_RESUMED};
use fairway::net::authority_key;
use fairway::region::{Action, Now, Region, RegionConfig};
use fairway::sim::{Vessel, Voyage, afloat};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::wake::{PERIOD_TICKS, Wake};
use fairway::vessel::{BoatSpec, Helm, Input, VesselState, boats};
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::{AppliedInput, ClockSetting, Epoch, Given, Neighbour, VesselRecord, View, Word};
use fairway::wire::{Message, decode, encode};
use glam::{DQuat, DVec2, DVec3};

use std::sync::OnceLock;

use super::{is_sound, sea};

/// Acts of one script at most.
const ACTS_MAX: usize = 200;
/// Different acts.
const ACTS: u8 = 20;
/// The harbour, the neighbour, a region that no list names, and two clients.
const HARBOUR: CircuitId = CircuitId(1);
const PEERS: [CircuitId; 4] = [CircuitId(2), CircuitId(3), CircuitId(4), CircuitId(5)];

/// Scripts for a corpus to start from: a handoff to the region, one from it, clients among views and
/// shadows, a raw message.
pub fn samples() -> Vec<Vec<u8>> {
    // Offer 1 of vessel 9 as of now, for twenty ticks later; its commit with one order; thirty ticks.
    let offer = [0, 0, 1, 20, 1, 9, 1, 0, 0, 40];
    let commit = [1, 0, 1, 40, 1, 9, 1, 1, 1, 9, 25, 1, 1, 1, 100, 101, 101, 101];
    let arriving = [&[0][..], &offer, &commit, &[9, 30]].concat();
    // The region's own vessel runs for the border; the neighbour is ready for its first offer at any tick.
    let leaving = [&[0, 9, 10][..], &[9, 1, 6, 0, 1].repeat(60), &[8, 0, 1, 9, 20]].concat();
    let join_and_steer = [11, 0, 0, 0, 12, 0, 2, 1, 110, 101, 101, 101, 9, 5];
    let view_and_shadow = [13, 0, 20, 1, 110, 103, 7, 100, 100, 100, 100, 100, 100, 4, 0, 20, 1, 8, 1, 1, 0];
    let sailing = [&[0][..], &join_and_steer, &view_and_shadow, &[9, 20]].concat();
    let raw = [&[1, 5, 2, 0, 9, 1, 0x92, 0xc0, 0xa5][..], b"Leave", &[9, 3]].concat();
    vec![arriving, leaving, sailing, raw]
}

/// Plays a script; returns the region as it is afterwards.
pub fn play(data: &[u8]) -> Region {
    let kind = data.first().copied().unwrap_or(0);
    let mut script = Script { data, region: region(kind), now_ns: 0, leased: true };
    script.data = script.data.get(1..).unwrap_or_default();
    for _ in 0..ACTS_MAX {
        let Some(act) = script.next_byte() else { break };
        script.perform(act % ACTS);
        script.settle();
    }
    script.steps(10);
    script.settle();
    script.region
}

/// A region with a vessel of its own that runs for the border, a neighbour, and peers.
fn region(kind: u8) -> Region {
    let sea = sea();
    let course = sea.course();
    let (tick, centre) = (course.start, course.start_line.port);
    let area = Area { min: centre - DVec2::splat(128.0), max: centre + DVec2::splat(128.0) };
    let authority = authority_key(super::AUTHORITY).ok().filter(|_| kind & 1 == 1);
    let clock = ClockSetting { tick, unix_ns: 0, warp: 1.0 };
    let name = "r1.gullwing.fairway".to_owned();
    let config = RegionConfig { id: RegionId(1), name, area, clock, authority, log: false };
    let mut region = Region::new(config, sea, tick);
    region.opened(HARBOUR, Peer::Harbour);
    let east = Area { min: area.min + DVec2::new(256.0, 0.0), max: area.max + DVec2::new(256.0, 0.0) };
    let addr = ([127, 0, 0, 1], 4045).into();
    let name = "r2.gullwing.fairway".to_owned();
    region.received(
        HARBOUR,
        Message::Neighbours(vec![Neighbour { region: RegionId(2), area: east, addr, name }]),
    );
    for (circuit, id) in [(PEERS[0], 2), (PEERS[1], 3)] {
        region.opened(circuit, Peer::Region(format!("r{id}.gullwing.fairway")));
        region.received(circuit, Message::Link { from: RegionId(id) });
    }
    region.opened(PEERS[2], Peer::Client([1; 32]));
    region.opened(PEERS[3], Peer::Client([2; 32]));
    let mut own = sample_record(1, tick, Epoch { term: 1, hop: 1 });
    own.vessel.state.position_m = DVec3::new(area.max.x - 3.0, centre.y, own.vessel.state.position_m.z);
    own.vessel.state.velocity_mps = DVec3::new(4.0, 0.0, 0.0);
    region.received(HARBOUR, Message::Launch { record: Box::new(own), new: false });
    region
}

/// A sound vessel, at the start.
pub fn sample_record(id: u32, tick: Tick, epoch: Epoch) -> VesselRecord {
    static STATE: OnceLock<VesselState> = OnceLock::new();
    let boat: BoatSpec = boats::named("launch").unwrap().clone();
    let state = *STATE.get_or_init(|| {
        let sea = sea();
        let (place, start) = (sea.course().start_line.port.extend(0.0), sea.course().start);
        afloat(&sea, &boat, place, 1.5, start)
    });
    let vessel = Vessel {
        id: VesselId(id),
        boat,
        state,
        voyage: Voyage::default(),
        trail: Vec::new(),
        company: Vec::new(),
    };
    VesselRecord { vessel, tick, epoch, crew_key: [1; 32], sessions: 1, guard: None }
}

struct Script<'a> {
    data: &'a [u8],
    region: Region,
    now_ns: u64,
    /// Whether the harbour renews the region's lease.
    leased: bool,
}

impl Script<'_> {
    fn next_byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(first)
    }

    fn byte(&mut self) -> u8 {
        self.next_byte().unwrap_or(0)
    }

    /// A small number, or one at the end of its range.
    fn number(&mut self) -> u32 {
        match self.byte() {
            255 => u32::MAX,
            254 => u32::MAX - 1,
            253 => 1 << 31,
            small => u32::from(small),
        }
    }

    /// A tick around the region's.
    fn tick(&mut self) -> Tick {
        let now = self.region.tick().0;
        Tick(match self.byte() {
            255 => u64::MAX,
            254 => u64::MAX - 1,
            253 => 0,
            252 => now + 100_000,
            near => (now + u64::from(near)).saturating_sub(20),
        })
    }

    /// A length, a speed or a share, sensible or not.
    fn real(&mut self) -> f64 {
        match self.byte() {
            255 => 3e38,
            254 => -3e38,
            253 => 1e-300,
            252 => 1e12,
            251 => -1e7,
            250 => 2_147_483_648.0,
            near => f64::from(near) - 100.0,
        }
    }

    fn point(&mut self) -> DVec3 {
        DVec3::new(self.real(), self.real(), self.real())
    }

    fn epoch(&mut self) -> Epoch {
        Epoch { term: self.number(), hop: self.number() }
    }

    fn helm(&mut self) -> Helm {
        let (rudder_rad, sheet) = (self.real(), self.real());
        Helm { rudder_rad, sheet, reef: self.real(), throttle: self.real(), ..Helm::default() }
    }

    fn input(&mut self) -> Input {
        Input { session: self.number(), seq: self.number(), helm: self.helm() }
    }

    /// The neighbour, or the region that no list names.
    fn peer(&mut self) -> CircuitId {
        PEERS[usize::from(self.byte() & 1)]
    }

    fn client(&mut self) -> CircuitId {
        PEERS[2 + usize::from(self.byte() & 1)]
    }

    /// A vessel's record, of which the byte before it says what is wrong.
    fn record(&mut self, tick: Tick) -> VesselRecord {
        let id = self.number();
        let epoch = self.epoch();
        let mut record = sample_record(id, tick, epoch);
        let (state, voyage) = (&mut record.vessel.state, self.byte());
        match voyage {
            1 => state.position_m = self.point(),
            2 => state.velocity_mps = self.point(),
            3 => state.attitude = DQuat::from_xyzw(self.real(), self.real(), self.real(), self.real()),
            4 => state.spin_radps = self.point(),
            5 => record.vessel.boat.mass_kg = self.real(),
            6 => record.vessel.voyage.passed = u16::MAX,
            7 => record.sessions = u32::MAX,
            8 => (state.session, state.seq) = (self.number(), self.number()),
            9 => state.gear.rudder_rad = self.real(),
            10 => state.helm = self.helm(),
            11 => record.vessel.voyage.ground_m = self.real(),
            12 => record.vessel.voyage.companions = self.companions(),
            _ => {}
        }
        record
    }

    fn companions(&mut self) -> Vec<Companion> {
        let companion = |script: &mut Self| {
            let roles = [
                Role::Riding,
                Role::Fleeing,
                Role::Dead,
                Role::Pushed,
                Role::Snared,
                Role::Haunting,
                Role::Over,
            ];
            let (since, until) = (script.tick(), script.tick());
            Companion {
                id: AnimalId(u64::from(script.number())),
                // Of whatever kind: nobody says that a whale does not ride.
                species: Species::ALL[usize::from(script.byte()) % Species::ALL.len()],
                role: roles[usize::from(script.byte()) % roles.len()],
                number: script.byte(),
                since,
                until,
                forget: script.tick(),
                place: script.point().truncate(),
                velocity_mps: script.point().truncate(),
                depth_m: script.real(),
                heading_rad: script.real(),
            }
        };
        (0..self.byte() % 12).map(|_| companion(self)).collect()
    }

    fn wakes(&mut self) -> Vec<Wake> {
        let wake = |script: &mut Self| {
            let (id, tick, place) = (VesselId(script.number()), script.tick(), script.point());
            Wake {
                id,
                tick: Tick(tick.0 - tick.0 % PERIOD_TICKS),
                place_m: place.truncate(),
                velocity_mps: [2.0, 1.0],
                track_mps: [2.0, 1.0],
                air_mps: [-6.0, 3.0],
                drag_m2: f32::from(script.byte()),
                side_m2: 20.0,
                height_m: 12.0,
                waterline_m: 10.0,
                draft_m: 0.5,
            }
        };
        (0..self.byte() % 20).map(|_| wake(self)).collect()
    }

    fn inputs(&mut self) -> Vec<AppliedInput> {
        (0..self.byte() % 8)
            .map(|_| {
                let (vessel, tick) = (VesselId(self.number()), self.tick());
                let given = if self.byte().is_multiple_of(4) {
                    Given::Company(self.wakes())
                } else {
                    Given::Order(self.input())
                };
                AppliedInput { vessel, tick, given }
            })
            .collect()
    }

    fn perform(&mut self, act: u8) {
        let word = |circuit, word| (circuit, Message::Handoff(word));
        let (circuit, message) = match act {
            0 => {
                let (circuit, number, tick) = (self.peer(), self.number(), self.tick());
                let vessels = (0..self.byte() % 5).map(|_| self.record(tick)).collect();
                word(circuit, Word::Offer { number, vessels, commit: self.tick() })
            }
            1 => {
                let (circuit, number, commit) = (self.peer(), self.number(), self.tick());
                let epochs = (0..self.byte() % 5).map(|_| (VesselId(self.number()), self.epoch())).collect();
                word(circuit, Word::Commit { number, commit, epochs, inputs: self.inputs() })
            }
            2 => word(self.peer(), Word::Cancel { number: self.number() }),
            3 => {
                let (circuit, through) = (self.peer(), self.tick());
                let vessels = (0..self.byte() % 5).map(|_| VesselId(self.number())).collect();
                (
                    circuit,
                    Message::Inputs {
                        vessels,
                        through,
                        inputs: self.inputs(),
                        stamp_ns: u64::from(self.byte()),
                    },
                )
            }
            4 => {
                let (circuit, tick) = (self.peer(), self.tick());
                let vessels = (0..self.byte() % 4).map(|_| self.record(tick)).collect();
                (circuit, Message::Shadow { vessels })
            }
            5 => {
                let circuit = PEERS[usize::from(self.byte()) % PEERS.len()];
                let length = (usize::from(self.byte()) << 8 | usize::from(self.byte())).min(self.data.len());
                let (bytes, rest) = self.data.split_at(length);
                self.data = rest;
                let Ok((_, message)) = decode(bytes, MESSAGE_BYTES) else { return };
                (circuit, message)
            }
            6 => word(self.peer(), Word::Ready { number: self.number() }),
            7 => word(self.peer(), Word::NotYet { number: self.number() }),
            8 => word(self.peer(), Word::Acknowledged { number: self.number() }),
            9 => {
                let ticks = self.byte();
                self.steps(ticks);
                return;
            }
            10 => (self.peer(), Message::LateInput { vessel: VesselId(self.number()), input: self.input() }),
            11 => {
                let boat = boats::named("launch").cloned().filter(|_| self.byte() & 1 == 0);
                (self.client(), Message::Join { ticket: vec![1; 80], boat, resume: Some(self.number()) })
            }
            12 => {
                let (circuit, vessel, seq) = (self.client(), VesselId(self.number()), self.number());
                (circuit, Message::Helm { vessel, seq, helm: self.helm() })
            }
            13 => {
                let (circuit, tick) = (self.peer(), self.tick());
                let views = (0..self.byte() % 12).map(|_| self.view()).collect();
                (circuit, Message::Views { tick, views })
            }
            14 => {
                self.circuit_changes();
                return;
            }
            15 => (self.peer(), Message::Guarded { stamp_ns: u64::from(self.number()) }),
            16 => (HARBOUR, self.custody()),
            17 => (self.peer(), Message::Leaving),
            18 => (self.peer(), Message::Relieved),
            _ => (self.peer(), Message::Wakes(self.wakes())),
        };
        self.region.received(circuit, message);
    }

    /// The harbour, as honest as ever, among shadows that are not: roll calls, and vessels to be sailed on.
    fn custody(&mut self) -> Message {
        let publish = Tick(self.region.tick().0 + u64::from(self.byte()));
        match self.byte() % 5 {
            0 => {
                let ended = (0..self.byte() % 2).map(|_| RegionId(3)).collect();
                let floors = (0..self.byte() % 3).map(|_| (VesselId(self.number()), self.epoch())).collect();
                Message::Roll { number: self.number(), ended, floors }
            }
            1 => {
                let vessels = (0..self.byte() % 4).map(|_| (VesselId(self.number()), self.epoch())).collect();
                Message::Resume { vessels, publish }
            }
            2 => {
                let tick = self.region.tick();
                let records = (0..self.byte() % 3).map(|_| self.record(tick)).collect();
                Message::Restore { records, inputs: self.inputs(), publish }
            }
            3 => Message::Surrender(VesselId(self.number())),
            _ => {
                self.leased = !self.leased;
                Message::Lease { stamp_ns: self.now_ns, unix_ns: self.now_ns }
            }
        }
    }

    fn view(&mut self) -> View {
        #[allow(clippy::cast_possible_truncation, reason = "infinity is a length too")]
        let (length_m, beam_m) = (self.real() as f32, self.real() as f32);
        View {
            vessel: VesselId(self.number()),
            position_m: self.point(),
            attitude: DQuat::IDENTITY,
            velocity_mps: self.point(),
            length_m,
            beam_m,
        }
    }

    /// A circuit closes and opens again; the harbour moors, drains or asks for nothing.
    fn circuit_changes(&mut self) {
        match self.byte() % 5 {
            0 => self.region.closed(PEERS[0]),
            1 => {
                self.region.opened(PEERS[0], Peer::Region("r2.gullwing.fairway".to_owned()));
                self.region.received(PEERS[0], Message::Link { from: RegionId(2) });
            }
            2 => {
                let vessel = VesselId(self.number());
                self.region.received(HARBOUR, Message::Moor(vessel));
            }
            3 => self.region.received(HARBOUR, Message::Neighbours(Vec::new())),
            _ => self.region.received(HARBOUR, Message::Drain),
        }
    }

    fn steps(&mut self, ticks: u8) {
        for _ in 0..ticks % 64 {
            self.now_ns += 22_222_222;
            let now = Now { unix_ns: self.now_ns, boot_ns: self.now_ns };
            self.region.set_now(now);
            if self.leased {
                self.region.received(HARBOUR, Message::Lease { stamp_ns: self.now_ns, unix_ns: self.now_ns });
            }
            self.region.step();
            self.region.pump(now, &|_| None);
        }
    }

    /// Looks at all that the region wants sent, and at its vessels.
    fn settle(&mut self) {
        while let Some(action) = self.region.poll_action() {
            if let Action::Send { to, message, .. } = action {
                let bytes = encode(to, &message).unwrap();
                assert_eq!(decode(&bytes, MESSAGE_BYTES), Ok((to, message)), "a peer could not read it");
            }
        }
        let sim = self.region.sim();
        assert!(sim.ids().len() <= REGION_VESSELS_RESUMED);
        for &id in sim.ids() {
            assert!(sim.state(id).is_some_and(is_sound), "{:?}", sim.vessel(id));
        }
    }
}
