//! What a region counts of what it refuses, seen from within; its reports carry the same counts.

use std::sync::Arc;

use fairway::net::Authority;
use fairway::region::{Action, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::units::{RegionId, VesselId};
use fairway::vessel::Helm;
use fairway::wire::Message;
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::{ClockSetting, Epoch, Neighbour, Word};
use fairway::wire::ticket::Rights;

use crate::port::{NAME, Port, REGION, course, record};

const HARBOUR: CircuitId = CircuitId(1);
const KEY: [u8; 32] = [7; 32];

fn region(authority: &Authority) -> Region {
    let tick = course().start;
    let clock = ClockSetting { tick, unix_ns: 1_000_000_000_000, warp: 1.0 };
    let config = RegionConfig {
        id: REGION,
        name: NAME.to_owned(),
        area: Port::area(),
        clock,
        authority: Some(authority.key()),
        log: false,
    };
    let mut region = Region::new(config, Arc::new(Sea::new(Arc::new(course().clone()), 1)), tick);
    region.opened(HARBOUR, Peer::Harbour);
    region.received(HARBOUR, Message::Lease { stamp_ns: 0, unix_ns: 0 });
    for id in [1, 2] {
        let record = record(id, Port::area().centre(), tick, Epoch::default(), KEY);
        region.received(HARBOUR, Message::Launch { record: Box::new(record), new: true });
    }
    region
}

fn closes(region: &mut Region, circuit: CircuitId) -> usize {
    std::iter::from_fn(|| region.poll_action()).filter(|action| *action == Action::Close(circuit)).count()
}

#[test]
fn flood_of_joins_on_one_circuit_is_looked_at_once() {
    let authority = Authority::generate("gullwing").unwrap();
    let mut region = region(&authority);
    let circuit = CircuitId(2);
    region.opened(circuit, Peer::Client(KEY));
    for n in 0..1_000_u32 {
        let mut ticket = vec![n as u8; 160];
        ticket[0] = 1;
        region.received(circuit, Message::Join { ticket, boat: None, resume: None });
    }
    assert_eq!(region.counts().joins_refused, 1);
    assert_eq!(closes(&mut region, circuit), 1);
}

#[test]
fn orders_out_of_turn_are_counted_and_dropped() {
    let authority = Authority::generate("gullwing").unwrap();
    let mut region = region(&authority);
    let circuit = CircuitId(2);
    region.opened(circuit, Peer::Client(KEY));
    let ticket = authority.ticket(VesselId(2), Rights::Sail, 2_000, KEY).unwrap();
    region.received(circuit, Message::Join { ticket, boat: None, resume: None });
    let steer = |region: &mut Region, vessel: u32, seq: u32| {
        let helm = Helm { rudder_rad: f64::from(seq) * 1e-3, ..Helm::default() };
        region.received(circuit, Message::Helm { vessel: VesselId(vessel), seq, helm });
    };
    for seq in 1..=10 {
        steer(&mut region, 1, seq);
    }
    assert_eq!(region.counts().orders_dropped, 10, "another's vessel");
    for seq in 1..=100 {
        steer(&mut region, 2, seq);
    }
    assert_eq!(region.counts().orders_dropped, 10 + 92, "more in one tick than are kept");
    region.step();
    assert_eq!(region.sim().state(VesselId(2)).unwrap().seq, 8);
    assert_eq!(region.sim().state(VesselId(1)).unwrap().seq, 0);
    steer(&mut region, 2, 101);
    region.step();
    assert_eq!(region.sim().state(VesselId(2)).unwrap().seq, 101, "in the next tick it is heard again");
}

#[test]
fn what_a_peer_may_not_say_is_counted() {
    let authority = Authority::generate("gullwing").unwrap();
    let mut region = region(&authority);
    let (client, liar, unlinked) = (CircuitId(2), CircuitId(3), CircuitId(4));
    region.opened(client, Peer::Client(KEY));
    region.received(client, Message::Moor(VesselId(1)));
    region.received(client, Message::Moor(VesselId(2)));
    assert_eq!(region.counts().out_of_place, 1, "the second is not looked at");
    assert_eq!(closes(&mut region, client), 1);
    region.opened(liar, Peer::Region("r2.gullwing.fairway".to_owned()));
    region.received(liar, Message::Link { from: RegionId(3) });
    assert_eq!(region.counts().out_of_place, 2);
    assert_eq!(closes(&mut region, liar), 1);
    region.opened(unlinked, Peer::Region("r4.gullwing.fairway".to_owned()));
    region.received(unlinked, Message::Drain);
    region.received(HARBOUR, Message::Leave);
    assert_eq!(region.counts().out_of_place, 4);
    assert_eq!(region.sim().ids().len(), 2);
}

/// A session that is made up would lock the vessel's own crew out: the highest one counts.
#[test]
fn crew_that_stands_by_cannot_make_up_a_session() {
    let authority = Authority::generate("gullwing").unwrap();
    let mut region = region(&authority);
    let peer = CircuitId(2);
    let addr = ([127, 0, 0, 1], 9).into();
    let name = "r2.gullwing.fairway".to_owned();
    let area = Port::area();
    let neighbour = Neighbour { region: RegionId(2), area: area.grown(9.0), addr, name: name.clone() };
    region.received(HARBOUR, Message::Neighbours(vec![neighbour]));
    region.opened(peer, Peer::Region(name));
    region.received(peer, Message::Link { from: RegionId(2) });
    let tick = region.tick();
    let mut offered = record(40, area.centre(), tick, Epoch::default(), KEY);
    offered.sessions = 3;
    let offer = Word::Offer { number: 1, vessels: vec![offered], commit: tick.after(9) };
    region.received(peer, Message::Handoff(offer));
    let mut steer = |circuit: u64, key: [u8; 32], session: u32| {
        let circuit = CircuitId(circuit);
        region.opened(circuit, Peer::Client(key));
        let ticket = authority.ticket(VesselId(40), Rights::Sail, 2_000, key).unwrap();
        region.received(circuit, Message::Join { ticket, boat: None, resume: Some(session) });
        let before = region.counts().orders_dropped;
        let helm = Helm::default();
        region.received(circuit, Message::Helm { vessel: VesselId(40), seq: 1, helm });
        region.counts().orders_dropped == before
    };
    assert!(steer(10, KEY, 3), "the crew goes on with its session");
    assert!(steer(11, KEY, 4), "or with one that it has opened since");
    assert!(!steer(12, KEY, u32::MAX), "not with one that was never opened");
    assert!(!steer(13, [8; 32], 3), "and nobody else does");
}
