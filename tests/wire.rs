//! Bytes from anywhere: what is refused, and why; and that messages come back as they were.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::SocketAddr;

use glam::{DQuat, DVec2, DVec3};
use proptest::collection::vec;
use proptest::prelude::*;

use fairway::atlas::{Area, Mark, Species};
use fairway::creatures::{AnimalId, COMPANIONS, Companion, Doing, Role};
use fairway::limits::{
    CLIENT_MESSAGE_BYTES, DATAGRAM_BYTES, GROUP_VESSELS, MESSAGE_BYTES, MESSAGE_DEPTH, TICKET_BYTES,
};
use fairway::net::{Authority, Identity};
use fairway::sim::{Instruments, Vessel, Voyage};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::wake::{COMPANY_VESSELS, TRAIL_WAKES, Wake};
use fairway::vessel::{BoatSpec, Gear, Helm, Input, VesselState};
use fairway::wire::message::{
    AppliedInput, Epoch, Given, Neighbour, Sighting, Soundings, State, VesselRecord, VesselReport, View, Word,
};
use fairway::wire::{
    Message, Rights, Ticket, TicketError, TicketKey, VERSION, WireError, decode, encode, encode_into, ticket,
};

fn real() -> impl Strategy<Value = f64> {
    -1e7..1e7
}

fn plane() -> impl Strategy<Value = DVec2> {
    (real(), real()).prop_map(|(x, y)| DVec2::new(x, y))
}

fn space() -> impl Strategy<Value = DVec3> {
    (real(), real(), real()).prop_map(|(x, y, z)| DVec3::new(x, y, z))
}

fn helm() -> impl Strategy<Value = Helm> {
    (real(), real(), real(), any::<bool>(), real()).prop_map(
        |(rudder_rad, sheet, reef, spinnaker, throttle)| Helm {
            rudder_rad,
            sheet,
            reef,
            flat: 1.0,
            spinnaker,
            throttle,
        },
    )
}

fn input() -> impl Strategy<Value = Input> {
    (any::<u32>(), any::<u32>(), helm()).prop_map(|(session, seq, helm)| Input { session, seq, helm })
}

fn view() -> impl Strategy<Value = View> {
    (any::<u32>(), space(), space(), -1_f32..1.0).prop_map(|(vessel, position_m, velocity_mps, half)| View {
        vessel: VesselId(vessel),
        position_m,
        attitude: DQuat::from_xyzw(0.0, 0.0, f64::from(half), 1.0).normalize(),
        velocity_mps,
        length_m: 10.5,
        beam_m: 3.25,
    })
}

fn state() -> impl Strategy<Value = State> {
    (view(), vec(view(), 0..4), any::<(u32, u32, u64, u32, u32, u16)>()).prop_map(
        |(own, others, (term, hop, tick, session, seq, marks_passed))| State {
            vessel: own.vessel,
            epoch: Epoch { term, hop },
            tick: Tick(tick),
            own,
            instruments: Instruments { heel_rad: -0.25, ..Instruments::default() },
            session,
            seq,
            marks_passed,
            dilation: 1.0,
            others,
        },
    )
}

fn report() -> impl Strategy<Value = Message> {
    (any::<u32>(), any::<u64>(), vec((any::<u32>(), plane(), any::<Option<u64>>()), 0..20)).prop_map(
        |(region, tick, vessels)| Message::Report {
            region: RegionId(region),
            tick: Tick(tick),
            load: 0.5,
            dilation: 1.0,
            prims: 75,
            carries: 256,
            clock_doubt_ns: 7,
            vessels: vessels
                .into_iter()
                .map(|(vessel, place, finished)| VesselReport {
                    vessel: VesselId(vessel),
                    epoch: Epoch::default(),
                    group: VesselId(vessel),
                    place,
                    velocity_mps: place * 1e-6,
                    marks_passed: 2,
                    finished: finished.map(Tick),
                    ground_m: 1.5,
                    water_m: 2.5,
                    guarded: false,
                })
                .collect(),
            counts: fairway::wire::message::RegionCounts::default(),
            stamp_ns: 5,
        },
    )
}

fn neighbours() -> impl Strategy<Value = Message> {
    vec((any::<u32>(), plane(), any::<[u8; 4]>(), any::<u16>(), "[a-z0-9.]{0,40}"), 0..9).prop_map(|found| {
        Message::Neighbours(
            found
                .into_iter()
                .map(|(region, min, ip, port, name)| Neighbour {
                    region: RegionId(region),
                    area: Area { min, max: min + DVec2::splat(256.0) },
                    addr: SocketAddr::from((ip, port)),
                    name,
                })
                .collect(),
        )
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        vec(any::<u8>(), 0..600).prop_map(|ticket| Message::Join { ticket, boat: None, resume: Some(3) }),
        (any::<u32>(), any::<u32>(), helm()).prop_map(|(vessel, seq, helm)| Message::Helm {
            vessel: VesselId(vessel),
            seq,
            helm
        }),
        Just(Message::Leave),
        Just(Message::Drain),
        Just(Message::Leaving),
        Just(Message::Relieved),
        state().prop_map(|state| Message::State(Box::new(state))),
        vec(any::<i16>(), 0..300).prop_map(|depths_dm| Message::Soundings(Soundings {
            origin: DVec2::new(-256.0, 512.0),
            spacing_m: 8.0,
            columns: 10,
            depths_dm,
        })),
        neighbours(),
        "\\PC{0,80}".prop_map(|reason| Message::Refused { reason }),
        (vec(any::<u32>(), 0..9), vec((any::<u32>(), any::<u64>(), input()), 0..9)).prop_map(
            |(vessels, inputs)| Message::Inputs {
                vessels: vessels.into_iter().map(VesselId).collect(),
                through: Tick(9),
                stamp_ns: 6,
                inputs: inputs
                    .into_iter()
                    .map(|(vessel, tick, input)| AppliedInput {
                        vessel: VesselId(vessel),
                        tick: Tick(tick),
                        given: Given::Order(input),
                    })
                    .collect(),
            }
        ),
        vec(vec(any::<u8>(), 0..900), 0..3).prop_map(|chain| Message::Enrol { chain }),
        report(),
        any::<u32>().prop_map(|vessel| Message::Moor(VesselId(vessel))),
    ]
}

proptest! {
    #[test]
    fn any_message_comes_back_as_it_was(to in any::<Option<u32>>(), message in message()) {
        let to = to.map(RegionId);
        let bytes = encode(to, &message).unwrap();
        prop_assert_eq!(decode(&bytes, MESSAGE_BYTES), Ok((to, message)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in vec(any::<u8>(), 0..400), versioned in any::<bool>()) {
        if versioned && !bytes.is_empty() {
            bytes[0] = VERSION;
        }
        let _ = decode(&bytes, MESSAGE_BYTES);
    }

    #[test]
    fn any_damage_is_read_or_refused(message in message(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(None, &message).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes, MESSAGE_BYTES);
    }

    #[test]
    fn cut_message_is_truncated(message in message(), at in any::<prop::sample::Index>()) {
        let bytes = encode(None, &message).unwrap();
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(decode(cut, MESSAGE_BYTES), Err(WireError::Truncated));
    }

    #[test]
    fn message_with_more_after_it_is_refused(message in message(), more in vec(any::<u8>(), 1..9)) {
        let mut bytes = encode(None, &message).unwrap();
        bytes.extend_from_slice(&more);
        prop_assert_eq!(decode(&bytes, MESSAGE_BYTES), Err(WireError::Trailing(more.len())));
    }

    #[test]
    fn other_versions_are_told_before_anything_else(message in message(), theirs in any::<u8>()) {
        prop_assume!(theirs != VERSION);
        let mut bytes = encode(None, &message).unwrap();
        bytes[0] = theirs;
        bytes.truncate(2);
        let refused = decode(&bytes, MESSAGE_BYTES);
        prop_assert_eq!(refused, Err(WireError::Version { theirs, ours: VERSION }));
    }

    #[test]
    fn message_over_the_cap_is_too_large(message in message()) {
        let bytes = encode(None, &message).unwrap();
        let cap = bytes.len() - 1;
        prop_assert_eq!(decode(&bytes, cap), Err(WireError::TooLarge { bytes: bytes.len(), cap }));
    }

    #[test]
    fn number_that_is_not_finite_is_refused(
        mut state in state(),
        bad in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e39)],
        narrow in any::<bool>(),
    ) {
        if narrow {
            #[expect(clippy::cast_possible_truncation, reason = "1e39 becomes infinity, as it may")]
            let bad = bad as f32;
            state.dilation = bad;
        } else {
            state.own.position_m.y = bad;
        }
        let bytes = encode(None, &Message::State(Box::new(state))).unwrap();
        prop_assert_eq!(decode(&bytes, MESSAGE_BYTES), Err(WireError::NotFinite));
    }

    #[test]
    fn any_bytes_are_no_ticket(bytes in vec(any::<u8>(), 0..600)) {
        let authority = Authority::generate("admiralty").unwrap();
        prop_assert!(ticket::verify(&bytes, &authority.key(), 0, "admiralty", &[0; 32]).is_err());
    }
}

#[test]
fn nesting_is_refused_before_it_costs_stack() {
    for open in [0x91, 0x81] {
        let mut bytes = vec![VERSION];
        bytes.extend(std::iter::repeat_n(open, 100_000));
        bytes.push(0xc0);
        bytes.extend(std::iter::repeat_n(0xc0, 100_000));
        assert_eq!(decode(&bytes, MESSAGE_BYTES), Err(WireError::TooDeep));
    }
    let mut as_deep_as_allowed = vec![VERSION];
    as_deep_as_allowed.extend(std::iter::repeat_n(0x91, MESSAGE_DEPTH));
    as_deep_as_allowed.push(0xc0);
    assert!(matches!(decode(&as_deep_as_allowed, MESSAGE_BYTES), Err(WireError::Malformed(_))));
}

#[test]
fn announced_lengths_cost_nothing_before_they_are_there() {
    // Arrays, maps, texts and bytes of four thousand million entries, in messages of a few bytes.
    for head in [0xdd, 0xdf, 0xdb, 0xc6] {
        let bytes = [VERSION, 0x92, 0xc0, head, 0xff, 0xff, 0xff, 0xff, 0x00];
        assert_eq!(decode(&bytes, MESSAGE_BYTES), Err(WireError::Truncated));
    }
}

#[test]
fn extensions_and_unknown_messages_are_malformed() {
    for value in [&[0xc1_u8][..], &[0xd4, 1, 1], &[0xa4, b'S', b'i', b'n', b'k'], &[0x80], &[0xc0], &[0x2a]] {
        let bytes = [&[VERSION, 0x92, 0xc0], value].concat();
        let refused = decode(&bytes, MESSAGE_BYTES);
        assert!(matches!(refused, Err(WireError::Malformed(_))), "{value:02x?}: {refused:?}");
    }
    assert_eq!(decode(&[], MESSAGE_BYTES), Err(WireError::Truncated));
}

#[test]
fn message_too_large_to_send_leaves_the_buffer_as_it_was() {
    let mut buffer = vec![7; 4];
    let large = Message::Refused { reason: "x".repeat(MESSAGE_BYTES) };
    assert!(matches!(encode_into(&mut buffer, None, &large), Err(WireError::TooLarge { .. })));
    assert_eq!(buffer, [7; 4]);
}

#[test]
fn state_with_its_neighbours_fits_one_datagram() {
    let far = DVec3::new(123_456.789, -98_765.432, 1.234_567);
    let view = View {
        vessel: VesselId(u32::MAX),
        position_m: far,
        attitude: DQuat::from_xyzw(0.1, 0.2, 0.3, 0.927),
        velocity_mps: far,
        length_m: 10.5,
        beam_m: 3.3,
    };
    let state = |others: usize| {
        Message::State(Box::new(State {
            vessel: view.vessel,
            epoch: Epoch { term: u32::MAX, hop: u32::MAX },
            tick: Tick(u64::MAX),
            own: view,
            instruments: Instruments::default(),
            session: u32::MAX,
            seq: u32::MAX,
            marks_passed: u16::MAX,
            dilation: 0.5,
            others: vec![view; others],
        }))
    };
    let bytes = |others| encode(Some(RegionId(u32::MAX)), &state(others)).unwrap().len();
    assert!(bytes(7) <= DATAGRAM_BYTES, "{} bytes with none, {} with seven others", bytes(0), bytes(7));
}

/// Every animal in sight of a crew fits one datagram.
#[test]
fn sixteen_animals_fit_a_datagram() {
    let sighting = Sighting {
        id: AnimalId(u64::MAX),
        species: Species::Serpent,
        doing: Doing::Haunting,
        with: Some(VesselId(u32::MAX)),
        offset_m: [-123.4, 567.8],
        depth_m: 1.23,
        heading_rad: 3.21,
        speed_mps: 2.34,
    };
    let message = Message::Wildlife { tick: Tick(u64::MAX), seen: vec![sighting; 16] };
    let bytes = encode(Some(RegionId(u32::MAX)), &message).unwrap();
    assert!(bytes.len() <= DATAGRAM_BYTES, "{} bytes", bytes.len());
    assert_eq!(decode(&bytes, DATAGRAM_BYTES), Ok((Some(RegionId(u32::MAX)), message)));
}

/// A vessel with everything that a record can hold.
fn record(number: u32) -> VesselRecord {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/boats/first407.toml");
    let boat = BoatSpec::from_toml(&std::fs::read_to_string(folder).unwrap(), folder).unwrap();
    let far = DVec3::new(123_456.789, -98_765.432, 1.234_567);
    let helm = Helm { rudder_rad: 0.1, sheet: 0.7, reef: 0.9, flat: 0.8, spinnaker: true, throttle: 0.3 };
    let state = VesselState {
        position_m: far,
        attitude: DQuat::from_xyzw(0.1, 0.2, 0.3, 0.927),
        velocity_mps: far,
        spin_radps: far,
        helm,
        gear: Gear {
            rudder_rad: 0.1,
            sheet: 0.7,
            reef: 0.9,
            flat: 0.8,
            spinnaker: 0.5,
            throttle: 0.3,
            crew: -0.4,
        },
        session: u32::MAX,
        seq: u32::MAX,
    };
    let mark = |number| Mark {
        name: format!("Fairway buoy of the {number}th leg"),
        place: DVec2::new(far.x, far.y),
        radius_m: 50.5,
    };
    let trail = Wake {
        id: VesselId(number),
        tick: Tick(u64::MAX),
        place_m: DVec2::new(far.x, far.y),
        velocity_mps: [1.1; 2],
        track_mps: [1.2; 2],
        air_mps: [1.3; 2],
        drag_m2: 1.4,
        side_m2: 1.5,
        height_m: 1.6,
        waterline_m: 1.7,
        draft_m: 1.8,
    };
    let companion = Companion {
        id: AnimalId(u64::MAX),
        species: Species::Serpent,
        role: Role::Haunting,
        number: u8::MAX,
        since: Tick(1 << 40),
        until: Tick(1 << 40),
        forget: Tick(1 << 40),
        place: DVec2::new(far.x, far.y),
        velocity_mps: DVec2::new(1.1, 1.2),
        depth_m: 1.3,
        heading_rad: 1.4,
    };
    VesselRecord {
        vessel: Vessel {
            id: VesselId(number),
            boat,
            state,
            voyage: Voyage {
                marks: (0..12).map(mark).collect(),
                passed: 11,
                companions: vec![companion; COMPANIONS],
                ..Voyage::default()
            },
            trail: vec![trail; TRAIL_WAKES],
            company: vec![trail; COMPANY_VESSELS],
        },
        tick: Tick(u64::MAX),
        epoch: Epoch { term: u32::MAX, hop: u32::MAX },
        crew_key: [0xff; 32],
        sessions: u32::MAX,
        guard: Some(RegionId(u32::MAX)),
    }
}

#[test]
fn full_group_is_offered_in_half_of_one_message() {
    let vessels: Vec<VesselRecord> = (0..64).map(record).collect();
    assert_eq!(vessels.len(), GROUP_VESSELS);
    let offer = Message::Handoff(Word::Offer { number: u32::MAX, vessels, commit: Tick(u64::MAX) });
    let bytes = encode(Some(RegionId(u32::MAX)), &offer).unwrap();
    assert!(bytes.len() <= MESSAGE_BYTES / 2, "{} bytes", bytes.len());
    assert_eq!(decode(&bytes, MESSAGE_BYTES), Ok((Some(RegionId(u32::MAX)), offer)));
}

#[test]
fn boat_fits_what_a_client_may_send() {
    let join =
        Message::Join { ticket: vec![0xff; TICKET_BYTES], boat: Some(record(1).vessel.boat), resume: None };
    let bytes = encode(None, &join).unwrap();
    assert!(bytes.len() <= CLIENT_MESSAGE_BYTES / 2, "{} bytes", bytes.len());
    assert_eq!(decode(&bytes, CLIENT_MESSAGE_BYTES), Ok((None, join)));
}

const NOW_S: u64 = 1_800_000_000;

fn booked() -> (TicketKey, Ticket) {
    let key = TicketKey::from_pkcs8(&Identity::generate().unwrap().pkcs8()).unwrap();
    let ticket = Ticket {
        course: "admiralty".to_owned(),
        vessel: VesselId(5),
        rights: Rights::Sail,
        expires_unix_s: NOW_S + 60,
        key: [9; 32],
    };
    (key, ticket)
}

#[test]
fn ticket_is_accepted_as_it_was_signed() {
    let (key, ticket) = booked();
    let bytes = ticket.sign(&key).unwrap();
    assert!(bytes.len() <= TICKET_BYTES / 2, "{} bytes", bytes.len());
    let accepted = ticket::verify(&bytes, &key.public(), NOW_S, "admiralty", &[9; 32]).unwrap();
    assert_eq!(accepted, ticket);
    assert_eq!(accepted.admits(VesselId(5)), Ok(()));
    let refused = accepted.admits(VesselId(6)).unwrap_err();
    assert_eq!(refused, TicketError::OtherVessel { theirs: VesselId(5), ours: VesselId(6) });
    assert_eq!(refused.to_string(), "the ticket is for vessel 5, not for vessel 6");
}

#[test]
fn ticket_is_refused_late_elsewhere_and_with_another_key() {
    let (key, ticket) = booked();
    let bytes = ticket.sign(&key).unwrap();
    let verify = |now_s, course, peer: &[u8; 32]| ticket::verify(&bytes, &key.public(), now_s, course, peer);
    assert_eq!(verify(NOW_S + 60, "admiralty", &[9; 32]), Err(TicketError::Expired(0)));
    assert_eq!(verify(NOW_S + 90, "admiralty", &[9; 32]), Err(TicketError::Expired(30)));
    assert_eq!(verify(NOW_S, "admiralty", &[8; 32]), Err(TicketError::OtherKey));
    let elsewhere = TicketError::OtherCourse { theirs: "admiralty".to_owned(), ours: "blake".to_owned() };
    assert_eq!(verify(NOW_S, "blake", &[9; 32]), Err(elsewhere));
}

#[test]
fn ticket_with_any_byte_changed_is_refused() {
    let (key, ticket) = booked();
    let bytes = ticket.sign(&key).unwrap();
    for at in 0..bytes.len() {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let refused = ticket::verify(&forged, &key.public(), NOW_S, "admiralty", &[9; 32]).unwrap_err();
        if at == 0 {
            assert!(matches!(refused, TicketError::Unreadable(WireError::Version { .. })));
        } else {
            assert_eq!(refused, TicketError::Forged, "byte {at}");
        }
    }
    let (other, _) = booked();
    let refused = ticket::verify(&bytes, &other.public(), NOW_S, "admiralty", &[9; 32]);
    assert_eq!(refused, Err(TicketError::Forged));
}

#[test]
fn ticket_for_a_course_with_an_endless_name_is_not_signed() {
    let (key, ticket) = booked();
    let long = Ticket { course: "x".repeat(TICKET_BYTES), ..ticket };
    assert!(matches!(long.sign(&key), Err(TicketError::Unreadable(WireError::TooLarge { .. }))));
}
