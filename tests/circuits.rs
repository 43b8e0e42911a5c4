//! Circuits between endpoints on loopback: who gets in, what arrives, and what bad input costs.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use fairway::clock;
use fairway::limits::{CIRCUIT_BACKLOG_BYTES, CLIENT_MESSAGES_PER_S, HANDSHAKE_S, HANDSHAKES, MESSAGE_BYTES};
use fairway::net::{
    Authority, CircuitId, Endpoint, EndpointConfig, Event, Expect, HARBOUR_NAME, Identity, Peer, Way,
};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::Helm;
use fairway::wire::{Message, Rights, TicketError, encode, ticket};

mod raw;

use raw::Raw;

/// Longer than anything here takes; a test that waits for as long has failed.
const PATIENCE: Duration = Duration::from_secs(8);

fn open(identity: Identity, authority: Option<&Authority>, serve: &[&str]) -> Endpoint {
    Endpoint::open(EndpointConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        identity,
        authority: authority.map(|authority| authority.certificate().to_vec()),
        serve: serve.iter().map(|&name| name.to_owned()).collect(),
    })
    .unwrap()
}

fn alone() -> Endpoint {
    open(Identity::generate().unwrap(), None, &[])
}

/// An endpoint whose key the authority signed for these names.
fn region(authority: &Authority, names: &[&str]) -> Endpoint {
    let identity = Identity::generate().unwrap();
    let chain = authority.sign_region(&identity.public_key(), names, 14).unwrap();
    open(identity.with_chain(chain), Some(authority), names)
}

fn next(endpoint: &Endpoint) -> Event {
    endpoint.events().recv_timeout(PATIENCE).expect("an event in time")
}

fn opened(endpoint: &Endpoint) -> (CircuitId, Peer, String) {
    match next(endpoint) {
        Event::Opened { circuit, peer, name } => (circuit, peer, name),
        other => panic!("wanted Opened, got {other:?}"),
    }
}

fn closed(endpoint: &Endpoint) -> String {
    loop {
        match next(endpoint) {
            Event::Closed { reason, .. } => return reason,
            Event::Opened { .. } => {}
            other @ Event::Received { .. } => panic!("wanted Closed, got {other:?}"),
        }
    }
}

fn received(endpoint: &Endpoint) -> (Option<RegionId>, Message) {
    match next(endpoint) {
        Event::Received { to, message, .. } => (to, message),
        other => panic!("wanted Received, got {other:?}"),
    }
}

/// Two endpoints with an open circuit from the first to the second.
fn pair() -> (Endpoint, CircuitId, Endpoint, CircuitId) {
    let (here, there) = (alone(), alone());
    let circuit = here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    let (other, ..) = opened(&there);
    assert_eq!(opened(&here).0, circuit);
    (here, circuit, there, other)
}

fn numbered(number: u64) -> Message {
    Message::Views { tick: Tick(number), views: Vec::new() }
}

#[test]
fn messages_come_in_order_and_both_ways() {
    let (here, circuit, there, other) = pair();
    for number in 0..1000 {
        here.send(circuit, None, numbered(number), Way::Stream);
        there.send(other, Some(RegionId(7)), numbered(number), Way::Stream);
    }
    for number in 0..1000 {
        assert_eq!(received(&there), (None, numbered(number)));
        assert_eq!(received(&here), (Some(RegionId(7)), numbered(number)));
    }
    assert!(here.rtt(circuit).unwrap() < Duration::from_millis(100));
    assert_eq!(here.counters().messages_out, 1000);
    assert_eq!(there.counters().messages_in, 1000);
}

#[test]
fn stream_messages_sent_before_the_circuit_is_open_arrive() {
    let (here, there) = (alone(), alone());
    let circuit = here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    here.send(circuit, None, Message::Leave, Way::Stream);
    opened(&there);
    assert_eq!(received(&there).1, Message::Leave);
}

#[test]
fn datagrams_arrive_soon() {
    let (here, circuit, there, other) = pair();
    let mut waits = Vec::new();
    for seq in 0..100 {
        let order = Message::Helm { vessel: VesselId(3), seq, helm: Helm::default() };
        let sent = clock::now();
        here.send(circuit, Some(RegionId(2)), order.clone(), Way::Datagram);
        assert_eq!(received(&there), (Some(RegionId(2)), order));
        there.send(other, None, numbered(0), Way::Datagram);
        received(&here);
        waits.push(sent.elapsed());
    }
    waits.sort();
    // There and back through four threads; 5 ms leaves room for a machine that does other work.
    assert!(waits[50] < Duration::from_millis(5), "median {:?}", waits[50]);
    assert_eq!(here.counters().datagrams_out, 100);
    assert_eq!(there.counters().datagrams_in, 100);
}

#[test]
fn datagram_that_does_not_fit_is_dropped_and_counted() {
    let (here, circuit, there, _) = pair();
    let large = Message::Refused { reason: "x".repeat(1200) };
    here.send(circuit, None, large, Way::Datagram);
    here.send(circuit, None, Message::Leave, Way::Datagram);
    assert_eq!(received(&there).1, Message::Leave);
    assert_eq!(here.counters().datagrams_dropped_out, 1);
}

#[test]
fn server_name_chooses_among_regions_on_one_port() {
    let authority = Authority::generate("admiralty").unwrap();
    let there = region(&authority, &["r1.admiralty.fairway", "r2.admiralty.fairway"]);
    let here = alone();
    let expect = || Expect::Authority(authority.certificate().to_vec());
    for name in ["r1.admiralty.fairway", "r2.admiralty.fairway"] {
        here.dial(there.local_addr(), name, expect());
        assert_eq!(opened(&there).2, name);
        assert_eq!(opened(&here).1, Peer::Region("r1.admiralty.fairway".to_owned()));
    }
    here.dial(there.local_addr(), "r3.admiralty.fairway", expect());
    let reason = closed(&here);
    assert!(reason.contains("r3.admiralty.fairway") && reason.contains("no server answers"), "{reason}");
    there.serve(vec!["r3.admiralty.fairway".to_owned()]);
    here.dial(there.local_addr(), "r3.admiralty.fairway", expect());
    let reason = closed(&here);
    assert!(reason.contains("not r3.admiralty.fairway"), "a name without a signature for it: {reason}");
}

#[test]
fn peers_are_who_the_authority_says() {
    let authority = Authority::generate("admiralty").unwrap();
    let there = region(&authority, &["r1.admiralty.fairway"]);
    let expect = || Expect::Authority(authority.certificate().to_vec());

    let harbour = open(authority.harbour_identity().unwrap(), Some(&authority), &[HARBOUR_NAME]);
    let circuit = harbour.dial(there.local_addr(), "r1.admiralty.fairway", expect());
    assert_eq!(opened(&there).1, Peer::Harbour);
    assert_eq!(opened(&harbour).1, Peer::Region("r1.admiralty.fairway".to_owned()));
    assert!(harbour.peer_key(circuit).is_some());

    let neighbour = region(&authority, &["r2.admiralty.fairway"]);
    neighbour.dial(there.local_addr(), "r1.admiralty.fairway", expect());
    assert_eq!(opened(&there).1, Peer::Region("r2.admiralty.fairway".to_owned()));

    // The same names, signed by an authority of one's own, and by the right one but no longer valid.
    let impostor = Authority::generate("admiralty").unwrap();
    let late = Identity::generate().unwrap();
    let chain = authority.sign_region(&late.public_key(), &["r3.admiralty.fairway"], 0).unwrap();
    let mut strangers = Vec::new();
    for identity in [impostor.harbour_identity().unwrap(), late.with_chain(chain)] {
        let key = identity.key_hash();
        let stranger = open(identity, None, &[]);
        stranger.dial(there.local_addr(), "r1.admiralty.fairway", expect());
        assert_eq!(opened(&there).1, Peer::Client(key));
        strangers.push(stranger);
    }
}

#[test]
fn dialling_refuses_another_authority_and_another_key() {
    let authority = Authority::generate("admiralty").unwrap();
    let identity = Identity::generate().unwrap();
    let key = identity.key_hash();
    let chain = authority.sign_region(&identity.public_key(), &["r1.admiralty.fairway"], 14).unwrap();
    let there = open(identity.with_chain(chain), Some(&authority), &[]);
    let here = alone();

    let other = Authority::generate("admiralty").unwrap();
    let expect = Expect::Authority(other.certificate().to_vec());
    here.dial(there.local_addr(), "r1.admiralty.fairway", expect);
    let reason = closed(&here);
    assert!(reason.contains("authority does not vouch"), "{reason}");

    here.dial(there.local_addr(), "r1.admiralty.fairway", Expect::Key([1; 32]));
    let reason = closed(&here);
    assert!(reason.contains("another key"), "{reason}");

    here.dial(there.local_addr(), "r1.admiralty.fairway", Expect::Key(key));
    opened(&here);
}

#[test]
fn authority_signs_neither_the_harbours_name_for_a_region_nor_foreign_keys() {
    let authority = Authority::generate("admiralty").unwrap();
    let key = Identity::generate().unwrap().public_key();
    assert!(authority.sign_region(&key, &["r1.fairway", "Harbour.Fairway"], 14).is_err());
    assert!(authority.sign_region(&key, &[], 14).is_err());
    assert!(authority.sign_region(&key[1..], &["r1.fairway"], 14).is_err());
}

#[test]
fn authority_that_was_kept_vouches_for_what_it_signed_before() {
    let before = Authority::generate("admiralty").unwrap();
    let there = region(&before, &["r1.admiralty.fairway"]);
    let after = Authority::from_pkcs8("admiralty", &before.pkcs8()).unwrap();
    let here = alone();
    let expect = Expect::Authority(after.certificate().to_vec());
    here.dial(there.local_addr(), "r1.admiralty.fairway", expect);
    opened(&here);
    assert_eq!(after.key(), before.key());
    assert_eq!(fairway::net::authority_key(before.certificate()).unwrap(), after.key());
}

#[test]
fn enrolled_certificate_counts_from_then_on() {
    let authority = Authority::generate("admiralty").unwrap();
    let expect = || Expect::Authority(authority.certificate().to_vec());
    let identity = Identity::generate().unwrap();
    let key = identity.key_hash();
    let guest = open(identity, Some(&authority), &["r1.admiralty.fairway"]);
    let harbour = open(authority.harbour_identity().unwrap(), Some(&authority), &[HARBOUR_NAME]);

    let refused = harbour.dial(guest.local_addr(), "r1.admiralty.fairway", expect());
    assert!(closed(&harbour).contains("authority does not vouch"));
    assert_eq!(harbour.rtt(refused), None);

    // As the harbour enrols a guest: by the hash that it published, then with the key that it proved.
    let circuit = harbour.dial(guest.local_addr(), "r1.admiralty.fairway", Expect::Key(key));
    assert_eq!(opened(&guest).1, Peer::Harbour);
    assert_eq!(opened(&harbour).1, Peer::Client(key));
    let proved = harbour.peer_key(circuit).unwrap();
    let chain = authority.sign_region(&proved, &["r1.admiralty.fairway"], 14).unwrap();
    harbour.send(circuit, None, Message::Enrol { chain: chain.clone() }, Way::Stream);
    let (_, Message::Enrol { chain: received_chain }) = received(&guest) else { panic!("wanted Enrol") };
    guest.enrol(received_chain);

    harbour.dial(guest.local_addr(), "r1.admiralty.fairway", expect());
    assert_eq!(opened(&harbour).1, Peer::Region("r1.admiralty.fairway".to_owned()));
    opened(&guest);
    // It shows the same when it dials.
    guest.dial(harbour.local_addr(), HARBOUR_NAME, expect());
    assert_eq!(opened(&harbour).1, Peer::Region("r1.admiralty.fairway".to_owned()));
    assert_eq!(opened(&guest).1, Peer::Harbour);
}

#[test]
fn ticket_admits_its_key_alone() {
    let authority = Authority::generate("admiralty").unwrap();
    let there = region(&authority, &["r1.admiralty.fairway"]);
    let (crew, thief) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let now_s = clock::unix_s();
    let bytes = authority.ticket(VesselId(5), Rights::Sail, now_s + 60, crew.key_hash()).unwrap();
    let authority_key = fairway::net::authority_key(authority.certificate()).unwrap();
    let mut clients = Vec::new();
    for (identity, admitted) in [(crew, true), (thief, false)] {
        let client = open(identity, None, &[]);
        let expect = Expect::Authority(authority.certificate().to_vec());
        let circuit = client.dial(there.local_addr(), "r1.admiralty.fairway", expect);
        client.send(
            circuit,
            None,
            Message::Join { ticket: bytes.clone(), boat: None, resume: None },
            Way::Stream,
        );
        let (_, Peer::Client(proved), _) = opened(&there) else { panic!("wanted a client") };
        let (_, Message::Join { ticket: shown, .. }) = received(&there) else { panic!("wanted Join") };
        let outcome = ticket::verify(&shown, &authority_key, now_s, "admiralty", &proved);
        if admitted {
            assert_eq!(outcome.unwrap().vessel, VesselId(5));
        } else {
            assert_eq!(outcome, Err(TicketError::OtherKey));
        }
        clients.push(client);
    }
}

#[test]
fn port_in_use_is_told_with_its_remedy() {
    let first = alone();
    let error = Endpoint::open(EndpointConfig {
        listen: first.local_addr(),
        identity: Identity::generate().unwrap(),
        authority: None,
        serve: Vec::new(),
    })
    .unwrap_err()
    .to_string();
    assert!(error.contains(&first.local_addr().to_string()), "{error}");
    assert!(error.contains("choose another port") && !error.contains('\n'), "{error}");
}

#[test]
fn silent_address_is_given_up() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = alone();
    here.dial(silent.local_addr().unwrap(), "sea.fairway", Expect::Anyone);
    let reason = closed(&here);
    assert!(reason.contains("no answer within 5 s"), "{reason}");
}

#[test]
fn dialling_can_be_called_off() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = alone();
    let circuit = here.dial(silent.local_addr().unwrap(), "sea.fairway", Expect::Anyone);
    here.close(circuit);
    assert_eq!(closed(&here), "closed by the other side");
    assert_eq!(here.counters().circuits_open, 0);
}

/// What is wrong with some stream bytes, and with what words the circuit is closed.
#[test]
fn malformed_stream_closes_its_circuit_with_the_reason() {
    let there = alone();
    let good = encode(None, &Message::Leave).unwrap();
    let mut other_version = good.clone();
    other_version[0] = 9;
    let nan = Message::Report {
        region: RegionId(1),
        tick: Tick(1),
        load: f32::NAN,
        dilation: 1.0,
        clock_doubt_ns: 0,
        prims: 0,
        carries: 0,
        vessels: Vec::new(),
        counts: fairway::wire::message::RegionCounts::default(),
        stamp_ns: 0,
    };
    let cases: [(Vec<u8>, &str); 7] = [
        (framed(&other_version), "speaks version 9"),
        (framed(&encode(None, &nan).unwrap()), "not finite"),
        (framed(&good[..good.len() - 1]), "ends before"),
        (framed(&[good.as_slice(), &[0]].concat()), "bytes follow after the end"),
        (framed(&[1, 0x92, 0xc0, 0xa5, b'S', b'i', b'n', b'k', b'!']), "not a message"),
        (u32::MAX.to_be_bytes().to_vec(), "are more than"),
        (framed(&vec![0; 40_000]), "are more than"),
    ];
    for (number, (bytes, words)) in (1..).zip(cases) {
        let raw = Raw::dial(there.local_addr());
        opened(&there);
        raw.write(&bytes);
        let reason = closed(&there);
        assert!(reason.contains(words), "wanted `{words}`, got `{reason}`");
        assert!(raw.close_reason().contains(words), "the peer reads it too");
        assert_eq!(there.counters().malformed, number);
    }
}

#[test]
fn malformed_datagram_closes_its_circuit_with_the_reason() {
    let there = alone();
    let raw = Raw::dial(there.local_addr());
    opened(&there);
    raw.datagram(&[1, 0x91]);
    assert!(closed(&there).contains("ends before"));
    assert!(raw.close_reason().contains("datagram"));
}

#[test]
fn message_cut_off_by_the_end_of_its_stream_is_malformed() {
    let there = alone();
    let raw = Raw::dial(there.local_addr());
    opened(&there);
    raw.write(&[0, 0, 0, 100, 1, 2, 3]);
    raw.finish();
    assert!(closed(&there).contains("ends before"));
}

#[test]
fn good_messages_before_a_bad_one_arrive() {
    let there = alone();
    let raw = Raw::dial(there.local_addr());
    opened(&there);
    raw.write(&[framed(&encode(None, &Message::Leave).unwrap()), vec![0xff; 4]].concat());
    assert_eq!(received(&there).1, Message::Leave);
    closed(&there);
}

#[test]
fn peer_that_never_reads_costs_bounded_memory() {
    let there = alone();
    let raw = Raw::dial(there.local_addr());
    let (circuit, ..) = opened(&there);
    let large = Message::Refused { reason: "x".repeat(200_000) };
    let enough = 2 * CIRCUIT_BACKLOG_BYTES / 200_000;
    for _ in 0..enough {
        there.send(circuit, None, large.clone(), Way::Stream);
    }
    let reason = closed(&there);
    assert!(reason.contains("does not read"), "{reason}");
    assert_eq!(there.counters().overrun, 1);
    let reason = raw.close_reason();
    assert!(reason.contains("does not read"), "{reason}");
}

#[test]
fn message_larger_than_allowed_closes_the_circuit_here() {
    let (here, circuit, _there, _other) = pair();
    let large = Message::Refused { reason: "x".repeat(MESSAGE_BYTES) };
    here.send(circuit, None, large, Way::Stream);
    let reason = closed(&here);
    assert!(reason.contains("could not be sent") && reason.contains("are more than"), "{reason}");
}

#[test]
fn full_event_queue_stops_the_sender_and_loses_no_stream_message() {
    // The side that was dialled sends: a client may not send as fast.
    let (there, _, here, circuit) = pair();
    // More than the event queue holds, in small messages; nobody takes them for a while.
    let count = 20_000;
    for number in 0..count {
        here.send(circuit, None, numbered(number), Way::Stream);
    }
    std::thread::sleep(Duration::from_millis(200));
    for number in 0..count {
        assert_eq!(received(&there).1, numbered(number));
    }
}

#[test]
fn what_was_sent_before_close_and_drop_arrives() {
    // The side that was dialled sends: a stranger who dials may not speak at such length.
    let (there, _, here, circuit) = pair();
    // Far more than QUIC takes at once, far less than may wait.
    let large = Message::Refused { reason: "x".repeat(100_000) };
    for _ in 0..15 {
        here.send(circuit, None, large.clone(), Way::Stream);
    }
    let begun = clock::now();
    here.close_because(circuit, "gone ashore");
    for _ in 0..15 {
        assert_eq!(received(&there).1, large);
    }
    assert_eq!(closed(&there), "gone ashore");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(closed(&here), "gone ashore");

    let (here, circuit, there, _) = pair();
    here.send(circuit, None, Message::Leave, Way::Stream);
    here.send(circuit, None, numbered(1), Way::Datagram);
    let begun = clock::now();
    drop(here);
    assert!(begun.elapsed() < Duration::from_millis(200));
    let mut arrived = [received(&there).1, received(&there).1];
    arrived.sort_by_key(|message| *message == Message::Leave);
    assert_eq!(arrived, [numbered(1), Message::Leave]);
    assert_eq!(closed(&there), "the other side stops");
}

#[test]
fn endpoint_with_a_peer_that_never_reads_still_stops_in_time() {
    let there = alone();
    let _raw = Raw::dial(there.local_addr());
    let (circuit, ..) = opened(&there);
    for _ in 0..5 {
        there.send(circuit, None, Message::Refused { reason: "x".repeat(300_000) }, Way::Stream);
    }
    let begun = clock::now();
    drop(there);
    assert!(begun.elapsed() < Duration::from_millis(250), "{:?}", begun.elapsed());
}

#[test]
fn garbage_from_strangers_is_ignored() {
    let (here, circuit, there, _) = pair();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut byte = 1_u8;
    for length in (0..1400).step_by(7) {
        let garbage: Vec<u8> = (0..length)
            .map(|_| {
                byte = byte.wrapping_mul(37).wrapping_add(101);
                byte
            })
            .collect();
        stranger.send_to(&garbage, there.local_addr()).unwrap();
    }
    here.send(circuit, None, Message::Leave, Way::Stream);
    assert_eq!(received(&there).1, Message::Leave);
    let counters = there.counters();
    assert_eq!((counters.circuits_open, counters.malformed), (1, 0));
}

#[test]
fn peer_without_a_key_is_refused() {
    let there = alone();
    let reason = Raw::dial_without_key(there.local_addr());
    assert!(reason.contains("certificate"), "{reason}");
    assert_eq!(there.counters().circuits_opened, 0);
}

#[test]
fn second_circuit_has_no_early_data() {
    let there = alone();
    assert!(!Raw::resumes(there.local_addr()), "0-RTT was offered");
}

#[test]
fn client_that_says_nothing_is_sent_away() {
    let there = alone();
    let raw = Raw::dial(there.local_addr());
    opened(&there);
    // Part of a message is not one.
    raw.write(&[0, 0, 0, 100, 1]);
    let begun = clock::now();
    let reason = closed(&there);
    assert!(reason.contains("nothing was asked for"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(HANDSHAKE_S + 2), "{:?}", begun.elapsed());
    assert_eq!(there.counters().silent, 1);
}

#[test]
fn client_that_sends_too_fast_is_sent_away() {
    let way_too_many = 3 * CLIENT_MESSAGES_PER_S;
    for way in [Way::Stream, Way::Datagram] {
        let (here, circuit, there, _) = pair();
        for number in 0..way_too_many {
            here.send(circuit, None, numbered(number.into()), way);
            // A pace at which no queue on the way is full.
            if number % 50 == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let mut arrived = 0;
        let reason = loop {
            match next(&there) {
                Event::Received { .. } => arrived += 1,
                Event::Closed { reason, .. } => break reason,
                Event::Opened { .. } => {}
            }
        };
        assert!(reason.contains("messages came in a second"), "{way:?}: {reason}");
        assert!(arrived < way_too_many, "{way:?}: {arrived} arrived");
        assert_eq!(there.counters().flooded, 1);
    }
}

#[test]
fn handshakes_come_no_faster_than_allowed_and_none_is_lost() {
    let there = alone();
    let here = alone();
    let begun = clock::now();
    let all = HANDSHAKES + 100;
    for _ in 0..all {
        here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    }
    for _ in 0..all {
        opened(&here);
        opened(&there);
    }
    // More than are saved up had to wait for their next packet.
    let counters = there.counters();
    println!("{all} circuits in {:?}, {} packets put off", begun.elapsed(), counters.handshakes_put_off);
    assert_eq!(counters.circuits_opened, all as u64);
}

#[test]
fn half_open_handshakes_leave_room_for_others() {
    let there = alone();
    flood(there.local_addr(), HANDSHAKES + 100);
    let begun = clock::now();
    let here = alone();
    here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    opened(&here);
    opened(&there);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(there.counters().circuits_open, 1);
}

/// Sends the first packets of so many handshakes, and nothing after them.
fn flood(addr: SocketAddr, handshakes: usize) {
    let dead_end = UdpSocket::bind("127.0.0.1:0").unwrap();
    dead_end.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let dialler = alone();
    for _ in 0..handshakes {
        dialler.dial(dead_end.local_addr().unwrap(), "sea.fairway", Expect::Anyone);
    }
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut packet = [0; 2048];
    let mut sent = 0;
    while let Ok(length) = dead_end.recv(&mut packet) {
        attacker.send_to(&packet[..length], addr).unwrap();
        sent += 1;
        if sent >= 3 * handshakes {
            break;
        }
    }
    // The dead end may lose a few when its buffer is full.
    assert!(sent >= HANDSHAKES, "{sent} packets of {handshakes} handshakes");
}

#[test]
fn hundreds_of_circuits_open_at_once() {
    let there = alone();
    let here = alone();
    for _ in 0..300 {
        here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    }
    for _ in 0..300 {
        opened(&here);
        opened(&there);
    }
    assert_eq!(there.counters().circuits_open, 300);
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [length.to_be_bytes().as_slice(), bytes].concat()
}

/// Nanoseconds of processor time of each endpoint's thread in this process, oldest first.
fn endpoint_threads_ns() -> Vec<u64> {
    let mut threads: Vec<(u32, u64)> = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| {
            let task = task.ok()?.path();
            let name = std::fs::read_to_string(task.join("comm")).ok()?;
            let spent = std::fs::read_to_string(task.join("schedstat")).ok()?;
            let number = task.file_name()?.to_str()?.parse().ok()?;
            (name.trim() == "net").then(|| Some((number, spent.split(' ').next()?.parse().ok()?)))?
        })
        .collect();
    threads.sort_unstable();
    threads.into_iter().map(|(_, spent_ns)| spent_ns).collect()
}

/// Prints; asserts nothing about speed. Run alone, in release:
/// `cargo test --release --test circuits cost_of_a_datagram -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a measurement")]
fn cost_of_a_datagram() {
    const CLIENTS: usize = 100;
    const TICKS: u64 = 45 * 4;
    let there = alone();
    let here = alone();
    for _ in 0..CLIENTS {
        here.dial(there.local_addr(), "sea.fairway", Expect::Anyone);
    }
    let circuits: Vec<CircuitId> = (0..CLIENTS).map(|_| opened(&there).0).collect();
    for _ in 0..CLIENTS {
        opened(&here);
    }
    for reply in [false, true] {
        let before = endpoint_threads_ns();
        let begun = clock::now();
        let mut latencies = Vec::new();
        let mut sending = Duration::ZERO;
        for tick in 0..TICKS {
            let sent = clock::now();
            for &circuit in &circuits {
                let message = Message::Refused { reason: "x".repeat(1000) };
                there.send(circuit, None, message, Way::Datagram);
            }
            sending += sent.elapsed();
            for number in 0..CLIENTS {
                let Ok(Event::Received { circuit, .. }) = here.events().recv_timeout(Duration::from_secs(1))
                else {
                    panic!("lost one");
                };
                if number == 0 {
                    latencies.push(sent.elapsed());
                }
                if reply {
                    let helm = Helm::default();
                    here.send(
                        circuit,
                        None,
                        Message::Helm { vessel: VesselId(1), seq: 1, helm },
                        Way::Datagram,
                    );
                }
            }
            while there.events().try_recv().is_ok() {}
            let due = Duration::from_micros((tick + 1) * 22_222);
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        latencies.sort();
        let after = endpoint_threads_ns();
        let count = TICKS * CLIENTS as u64;
        let each_us = |thread: usize| (after[thread] - before[thread]) as f64 / count as f64 / 1000.0;
        println!(
            "helm back: {reply}; server {:.2} µs, client {:.2} µs a datagram; caller {:.2} µs; first of a tick after {:?} (p99 {:?})",
            each_us(0),
            each_us(1),
            sending.as_secs_f64() * 1e6 / count as f64,
            latencies[latencies.len() / 2],
            latencies[latencies.len() * 99 / 100],
        );
        println!("{:?}", there.counters());
    }
}
