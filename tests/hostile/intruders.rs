//! Clients that want what is not theirs: another's ticket, another's vessel, a harbour's or a region's say.

use std::time::Duration;

use fairway::net::{CircuitId, Endpoint, Event, Identity, Way};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::{Helm, Input};
use fairway::wire::Message;
use fairway::wire::message::{Epoch, Word};

use crate::honest::Sailor;
use crate::port::{NAME, PATIENCE, Port, endpoint, record};
use crate::storms::alone;

fn dial(port: &Port) -> (Endpoint, CircuitId, [u8; 32]) {
    let identity = Identity::generate().unwrap();
    let key = identity.key_hash();
    let line = endpoint(identity, None);
    let circuit = line.dial(port.addr, NAME, port.expect());
    (line, circuit, key)
}

fn join(line: &Endpoint, circuit: CircuitId, ticket: Vec<u8>) {
    line.send(circuit, None, Message::Join { ticket, boat: None, resume: None }, Way::Stream);
}

/// Why a circuit was refused, once it is closed.
fn refusal(line: &Endpoint) -> Option<String> {
    let mut why = None;
    loop {
        match line.events().recv_timeout(PATIENCE).expect("an end") {
            Event::Received { message: Message::Refused { reason }, .. } => why = Some(reason),
            Event::Received { message, .. } => panic!("wanted nothing but a refusal, got {message:?}"),
            Event::Closed { .. } => return why,
            Event::Opened { .. } => {}
        }
    }
}

#[test]
fn stolen_ticket_is_refused_and_its_circuit_closed() {
    let _alone = alone();
    let port = Port::open();
    let sailor = Sailor::join(&port, 1);
    let stolen = port.ticket(1, sailor.key);
    for _ in 0..3 {
        let (line, circuit, _) = dial(&port);
        join(&line, circuit, stolen.clone());
        // What comes after the refusal is not heard.
        let helm = Helm { rudder_rad: 1.0, ..Helm::default() };
        line.send(circuit, None, Message::Helm { vessel: VesselId(1), seq: u32::MAX, helm }, Way::Stream);
        let reason = refusal(&line).expect("a reason");
        assert!(reason.contains("another key"), "{reason}");
    }
    assert_eq!(port.report().counts.joins_refused, 3, "the harbour is told");
    let (state, sent) = sailor.last();
    assert_eq!(state.session, sailor.session);
    assert!(state.seq <= sent);
}

#[test]
fn ticket_for_one_vessel_steers_no_other() {
    let _alone = alone();
    let port = Port::open();
    let sailor = Sailor::join(&port, 1);
    let (line, circuit, key) = dial(&port);
    port.launch(2, key);
    join(&line, circuit, port.ticket(2, key));
    loop {
        let event = line.events().recv_timeout(PATIENCE).expect("a welcome");
        if let Event::Received { message: Message::Welcome { vessel, .. }, .. } = event {
            assert_eq!(vessel, VesselId(2));
            break;
        }
    }
    for seq in 1..200 {
        let helm = Helm { rudder_rad: -1.0, throttle: -1.0, ..Helm::default() };
        line.send(circuit, None, Message::Helm { vessel: VesselId(1), seq: seq << 16, helm }, Way::Datagram);
        std::thread::sleep(Duration::from_millis(3));
    }
    let (state, sent) = sailor.last();
    assert_eq!(state.session, sailor.session, "an order of another crew was applied");
    assert!(state.seq <= sent && state.seq > 0, "order {} of {sent}", state.seq);
    assert_eq!(port.report().vessels.len(), 2);
    // Nor does the right ticket admit a key that is not the vessel's crew.
    let (line, circuit, key) = dial(&port);
    join(&line, circuit, port.ticket(1, key));
    let reason = refusal(&line).expect("a reason");
    assert!(reason.contains("another crew"), "{reason}");
}

#[test]
fn second_join_on_a_circuit_ends_it() {
    let _alone = alone();
    let port = Port::open();
    let (line, circuit, key) = dial(&port);
    port.launch(1, key);
    port.report_when(|told| told.vessels.len() == 1);
    for _ in 0..50 {
        join(&line, circuit, port.ticket(1, key));
    }
    let mut welcomes = 0;
    loop {
        match line.events().recv_timeout(PATIENCE).expect("an end") {
            Event::Received { message: Message::Welcome { .. }, .. } => welcomes += 1,
            Event::Closed { .. } => break,
            _ => {}
        }
    }
    assert_eq!(welcomes, 1);
}

#[test]
fn one_key_follows_its_vessel_on_a_few_circuits_only() {
    let _alone = alone();
    let port = Port::open();
    let (line, first, key) = dial(&port);
    port.launch(1, key);
    port.report_when(|told| told.vessels.len() == 1);
    join(&line, first, port.ticket(1, key));
    for _ in 0..19 {
        let circuit = line.dial(port.addr, NAME, port.expect());
        join(&line, circuit, port.ticket(1, key));
    }
    let (mut welcomes, mut refused) = (0, 0);
    while welcomes + refused < 20 {
        match line.events().recv_timeout(PATIENCE).expect("an answer to each") {
            Event::Received { message: Message::Welcome { .. }, .. } => welcomes += 1,
            Event::Received { message: Message::Refused { reason }, .. } => {
                assert!(reason.contains("8 circuits"), "{reason}");
                refused += 1;
            }
            _ => {}
        }
    }
    assert_eq!((welcomes, refused), (8, 12));
}

/// What only a harbour or a region may say ends a client's circuit and changes nothing.
#[test]
fn clients_may_not_speak_for_harbour_or_region() {
    let _alone = alone();
    let port = Port::open();
    let sailor = Sailor::join(&port, 1);
    let told = port.report_when(|told| told.vessels.len() == 1);
    let stranger = record(9, Port::area().centre(), told.tick, Epoch { term: 9, hop: 9 }, [0; 32]);
    let helm = Helm { rudder_rad: 1.0, ..Helm::default() };
    let input = Input { session: u32::MAX, seq: u32::MAX, helm };
    let forbidden = [
        Message::Moor(VesselId(1)),
        Message::Drain,
        Message::Neighbours(Vec::new()),
        Message::Enrol { chain: vec![vec![0; 9]] },
        Message::Launch { record: Box::new(stranger.clone()), new: true },
        Message::Link { from: RegionId(2) },
        Message::LateInput { vessel: VesselId(1), input },
        Message::Shadow { vessels: vec![stranger.clone()] },
        Message::Handoff(Word::Offer { number: 1, vessels: vec![stranger], commit: told.tick.after(90) }),
        Message::Handoff(Word::Acknowledged { number: 1 }),
        Message::Views { tick: Tick(1), views: Vec::new() },
        Message::Leaving,
        Message::Relieved,
        Message::Drained,
    ];
    for message in forbidden {
        let (line, circuit, _) = dial(&port);
        let what = format!("{message:?}").split([' ', '(']).next().unwrap().to_owned();
        line.send(circuit, None, message, Way::Stream);
        assert_eq!(refusal(&line), None, "{what}");
    }
    std::thread::sleep(Duration::from_millis(200));
    let told = port.report();
    let numbers: Vec<u32> = told.vessels.iter().map(|vessel| vessel.vessel.0).collect();
    assert_eq!(numbers, [1]);
    assert_eq!(told.vessels[0].epoch, Epoch { term: 1, hop: 0 });
    assert_eq!(sailor.last().0.session, sailor.session);
    // The certificate that the harbour enrolled still counts.
    let (line, ..) = dial(&port);
    assert!(matches!(line.events().recv_timeout(PATIENCE), Ok(Event::Opened { .. })));
}
