//! An honest sailor while others attack: the time between its states, and what the attack costs the server.
//!
//! The attackers are paced: on a machine of two cores one that sends as fast as it can eats what the server
//! would need, which says nothing of the server. What is left at these rates is its own doing.

use std::net::UdpSocket;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fairway::limits::HANDSHAKES;
use fairway::net::{Endpoint, Event, Expect, Identity, Way};
use fairway::units::VesselId;
use fairway::vessel::Helm;
use fairway::wire::{Message, encode};

use crate::honest::Sailor;
use crate::port::{NAME, Port, endpoint};
use crate::raw::Raw;

/// How long the sailor is watched without and with the attack.
const WATCH: Duration = Duration::from_millis(2_500);
/// A sailor sees nothing of two states that are late one after the other: clients sail on between states.
/// The 99th percentile of the time between states may be that, 3 × 22 ms; or, where other work on the
/// machine makes even the calm worse, as much worse again.
const BOUND_MS: f64 = 67.0;
const BOUND_RATIO: f64 = 3.0;
/// Share of the states that must come all the same; the kernel of a busy machine drops a few.
const ARRIVE: f64 = 0.9;
/// By how much an attack may make the server grow, KiB: far below what would stop a guest of 64 MiB.
const GROWTH_KIB: u64 = 24 * 1024;
/// Share of one core that an attack may cost the server, beyond what it uses in the calm.
const CORE: f64 = 0.6;

/// One storm at a time: they would measure each other.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls so many times a second for as long as the sailor is watched; returns how many calls there were.
fn paced(per_second: u32, mut act: impl FnMut(u64)) -> u64 {
    let begun = Instant::now();
    let mut done = 0;
    while begun.elapsed() < WATCH {
        let due = (begun.elapsed().as_secs_f64() * f64::from(per_second)) as u64;
        // After a pause of this thread it does not make up for more than a tenth of a second.
        done = done.max(due.saturating_sub(u64::from(per_second) / 10));
        while done < due {
            act(done);
            done += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    done
}

/// Watches a sailor in the calm and under an attack, and holds both to the bounds.
fn storm<S>(name: &str, prepare: impl FnOnce(&Port) -> S, attack: impl FnOnce(&Port, &mut S) -> u64) {
    let _alone = alone();
    let port = Port::open();
    let sailor = Sailor::join(&port, 1);
    let mut state = prepare(&port);
    std::thread::sleep(Duration::from_millis(700));
    let (from, before) = (Instant::now(), port.used());
    std::thread::sleep(WATCH);
    let (calm, between) = (sailor.since(from), port.used());
    let from = Instant::now();
    let sent = attack(&port, &mut state);
    let (stormy, after) = (sailor.since(from), port.used());
    let share = |a: crate::port::Use, b: crate::port::Use| {
        (b.cpu - a.cpu).as_secs_f64() / (b.at - a.at).as_secs_f64()
    };
    let (idle, busy) = (share(before, between), share(between, after));
    let growth_kib = after.resident_kib.saturating_sub(between.resident_kib);
    println!(
        "{name}: {sent} sent; gap p50 {:.1} → {:.1} ms, p99 {:.1} → {:.1} ms (× {:.2}), longest {:.1} → {:.1} ms; \
         states {:.1} % → {:.1} %; server {:.1} % → {:.1} % of a core, {} → {} KiB",
        calm.p50_ms,
        stormy.p50_ms,
        calm.p99_ms,
        stormy.p99_ms,
        stormy.p99_ms / calm.p99_ms,
        calm.longest_ms,
        stormy.longest_ms,
        100.0 * calm.states as f64 / calm.due,
        100.0 * stormy.states as f64 / stormy.due,
        100.0 * idle,
        100.0 * busy,
        between.resident_kib,
        after.resident_kib,
    );
    assert!(sent > 0, "{name}: nothing was sent");
    let bound_ms = BOUND_MS.max(BOUND_RATIO * calm.p99_ms);
    assert!(stormy.p99_ms <= bound_ms, "{name}: p99 {} ms, at most {bound_ms} ms", stormy.p99_ms);
    assert!(stormy.states as f64 >= ARRIVE * stormy.due.min(calm.states as f64), "{name}: {stormy:?}");
    assert!(growth_kib <= GROWTH_KIB, "{name}: the server grew by {growth_kib} KiB");
    assert!(busy - idle <= CORE, "{name}: {:.0} % of a core", 100.0 * busy);
    let told = port.report();
    assert!(told.vessels.iter().any(|vessel| vessel.vessel == VesselId(1)), "{name}: the vessel is gone");
    assert!(sailor.last().0.session == sailor.session, "{name}: somebody else steers");
}

/// Bytes without meaning, the same each time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            (x >> 24) as u8
        })
        .collect()
}

#[test]
fn garbage_from_strangers_disturbs_nobody() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    storm(
        "garbage",
        |_| (),
        |port, ()| {
            paced(4_000, |n| {
                let mut bytes = noise(n, 1_200);
                match n % 4 {
                    // First packets of QUIC version 1, of an unknown version, and of circuits that never were.
                    0 => bytes[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]),
                    1 => bytes[..6].copy_from_slice(&[0xc3, 0x1a, 0x2a, 0x3a, 0x4a, 8]),
                    2 => bytes[0] = 0x43,
                    _ => bytes.truncate(n as usize % 1_200),
                }
                let _ = socket.send_to(&bytes, port.addr);
            })
        },
    );
}

#[test]
fn half_open_handshakes_disturb_nobody() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    storm(
        "half-open",
        |_| first_packets(600),
        |port, packets| {
            paced(240, |n| {
                let _ = socket.send_to(&packets[n as usize % packets.len()], port.addr);
            })
        },
    );
}

/// The first packets of so many handshakes with different circuits.
fn first_packets(handshakes: usize) -> Vec<Vec<u8>> {
    let dead_end = UdpSocket::bind("127.0.0.1:0").unwrap();
    dead_end.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut packets = Vec::new();
    let mut buffer = [0; 2_048];
    for _ in 0..handshakes.div_ceil(HANDSHAKES) {
        let dialler = endpoint(Identity::generate().unwrap(), None);
        for _ in 0..HANDSHAKES {
            dialler.dial(dead_end.local_addr().unwrap(), NAME, Expect::Anyone);
        }
        while let Ok(length) = dead_end.recv(&mut buffer) {
            packets.push(buffer[..length].to_vec());
            if packets.len() % (HANDSHAKES + HANDSHAKES / 2) == 0 {
                break;
            }
        }
    }
    assert!(packets.len() >= handshakes / 2, "{} packets", packets.len());
    packets
}

/// Six times as many as are begun: whole handshakes, each of which costs the server a millisecond.
#[test]
fn circuits_that_never_join_disturb_nobody() {
    storm(
        "never joining",
        |_| endpoint(Identity::generate().unwrap(), None),
        |port, dialler| {
            paced(600, |_| {
                dialler.dial(port.addr, NAME, Expect::Anyone);
                while dialler.events().try_recv().is_ok() {}
            })
        },
    );
}

/// Joins that the harbour never signed, as many on each circuit as it takes before the server ends it.
#[test]
fn forged_tickets_disturb_nobody() {
    storm(
        "forged tickets",
        |_| endpoint(Identity::generate().unwrap(), None),
        |port, dialler| {
            let mut circuit = None;
            paced(4_000, |n| {
                while let Ok(event) = dialler.events().try_recv() {
                    if matches!(event, Event::Closed { .. }) {
                        circuit = None;
                    }
                }
                let circuit = *circuit.get_or_insert_with(|| dialler.dial(port.addr, NAME, Expect::Anyone));
                let mut ticket = noise(n, 160);
                ticket[0] = 1;
                dialler.send(circuit, None, Message::Join { ticket, boat: None, resume: None }, Way::Stream);
            })
        },
    );
}

/// A client with a ticket of its own that steers as fast as it can: its own vessel, and that of another.
#[test]
fn orders_without_end_disturb_nobody() {
    storm(
        "orders",
        |port| joined(port, 2),
        |_, (line, circuit)| {
            paced(4_000, |n| {
                let vessel = VesselId(1 + n as u32 % 2);
                let helm = Helm { rudder_rad: -0.5, ..Helm::default() };
                let order = Message::Helm { vessel, seq: 1_000_000 + n as u32, helm };
                line.send(*circuit, None, order, Way::Datagram);
                while line.events().try_recv().is_ok() {}
            })
        },
    );
}

/// A client that joined a vessel of its own.
fn joined(port: &Port, vessel: u32) -> (Endpoint, fairway::net::CircuitId) {
    let identity = Identity::generate().unwrap();
    let key = identity.key_hash();
    port.launch(vessel, key);
    let line = endpoint(identity, None);
    let circuit = line.dial(port.addr, NAME, port.expect());
    let join = Message::Join { ticket: port.ticket(vessel, key), boat: None, resume: None };
    line.send(circuit, None, join, Way::Stream);
    (line, circuit)
}

/// Crews with good tickets that go silent at once, while the server sends them a state a tick.
#[test]
fn crews_that_never_read_disturb_nobody() {
    storm(
        "never reading",
        |port| {
            // Dialled before the calm, so that the attack is their silence and not their handshakes.
            let dial = |vessel: u32| {
                let raw = Raw::dial_name(port.addr, NAME);
                port.launch(vessel, raw.key);
                (vessel, raw)
            };
            (2..26).map(dial).collect::<Vec<(u32, Raw)>>()
        },
        |port, raws| {
            let silent = raws.len() as u64;
            for (vessel, raw) in raws.drain(..) {
                let join = Message::Join { ticket: port.ticket(vessel, raw.key), boat: None, resume: None };
                raw.write(&framed(&encode(None, &join).unwrap()));
                std::thread::sleep(Duration::from_millis(10));
                // Its thread ends; nothing is acknowledged any more.
                drop(raw);
            }
            paced(1, |_| ());
            silent
        },
    );
}

/// Frames that never end: the length of a large message, then a byte now and then.
#[test]
fn messages_that_never_end_disturb_nobody() {
    storm(
        "endless messages",
        |port| (0..40).map(|_| Raw::dial_name(port.addr, NAME)).collect::<Vec<Raw>>(),
        |_, raws| {
            for raw in raws.iter() {
                raw.write(&32_000_u32.to_be_bytes());
            }
            let count = raws.len() as u64;
            paced(400, |n| raws[(n % count) as usize].write(&[0x91]))
        },
    );
}

pub fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [length.to_be_bytes().as_slice(), bytes].concat()
}
