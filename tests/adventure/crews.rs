//! Crews are told what happens around them, and the console names it once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fairway::atlas::{Adventures, Cell, Course, Happening, Scripted};
use fairway::events::{Event, Kind};
use fairway::limits::EVENTS_TOLD;
use fairway::region::{Action, Now, Region, RegionConfig};
use fairway::sea::Sea;
use fairway::units::{RegionId, TICK_HZ};
use fairway::vessel::boats;
use fairway::wire::circuit::{CircuitId, Peer};
use fairway::wire::message::ClockSetting;
use fairway::wire::{Message, decode, encode};

/// A region that runs alone on the small course, with events at its start line.
fn region(events: &[(Happening, u64)]) -> Region {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/gullwing");
    let mut course = Course::load(&dir).unwrap();
    course.climate.adventures = Adventures::NONE;
    let place = course.start_line.port;
    course.events = events
        .iter()
        .map(|&(what, from_s)| Scripted {
            what,
            place,
            from: course.start.after(from_s * TICK_HZ),
            lasts_s: 120.0,
            radius_m: 300.0,
            strength: if what == Happening::Fog { 90.0 } else { 8.0 },
            from_rad: None,
            speed_mps: Some(0.0),
        })
        .collect();
    let start = course.start;
    let area = Cell::of(place, course.cell_m).area(course.cell_m);
    let config = RegionConfig {
        id: RegionId(1),
        name: "r1.gullwing.fairway".to_owned(),
        area,
        clock: ClockSetting { tick: start, unix_ns: 0, warp: 1.0 },
        authority: None,
        log: false,
    };
    Region::new(config, Arc::new(Sea::new(Arc::new(course), 1)), start)
}

/// Sails for some seconds; what the crew was told of events, with the second, and what the console said.
fn watch(region: &mut Region, seconds: u64) -> (Vec<(u64, Vec<Event>)>, Vec<String>) {
    let (mut told, mut notes) = (Vec::new(), Vec::new());
    for tick in 1..=seconds * TICK_HZ {
        let now_ns = tick * 1_000_000_000 / TICK_HZ;
        let now = Now { unix_ns: now_ns, boot_ns: now_ns };
        region.set_now(now);
        region.step();
        region.pump(now, &|_| Some(Duration::from_millis(1)));
        while let Some(action) = region.poll_action() {
            if let Action::Send { message: Message::Events { events, .. }, .. } = action {
                told.push((tick / TICK_HZ, events));
            }
        }
        notes.extend(std::iter::from_fn(|| region.poll_note()));
    }
    (told, notes)
}

fn join(region: &mut Region, circuit: u64) {
    let boat = boats::named("launch").unwrap().clone();
    region.opened(CircuitId(circuit), Peer::Client([circuit as u8; 32]));
    let join = Message::Join { ticket: Vec::new(), boat: Some(boat), resume: None };
    region.received(CircuitId(circuit), join);
}

#[test]
fn crew_is_told_when_something_comes_and_goes() {
    let mut region = region(&[(Happening::Fog, 400), (Happening::Squall, 700)]);
    join(&mut region, 1);
    let (told, notes) = watch(&mut region, 840);
    let scripted: Vec<(u64, Vec<Kind>)> = told
        .iter()
        .map(|(second, events)| {
            let mut kinds: Vec<Kind> =
                events.iter().filter(|event| event.scripted).map(|event| event.what).collect();
            kinds.sort_unstable();
            (*second, kinds)
        })
        .collect();
    // Five minutes ahead, at the next look; and when it is over.
    let first = |kinds: &[Kind]| scripted.iter().find(|(_, told)| told == kinds).map(|(second, _)| *second);
    assert!(first(&[Kind::Fog]).is_some_and(|s| (100..=103).contains(&s)), "{scripted:?}");
    assert!(first(&[Kind::Squall, Kind::Fog]).is_some_and(|s| (400..=403).contains(&s)), "{scripted:?}");
    assert!(first(&[Kind::Squall]).is_some_and(|s| (520..=523).contains(&s)), "{scripted:?}");
    assert!(
        scripted.last().is_some_and(|(s, told)| told.is_empty() && (820..=823).contains(s)),
        "{scripted:?}"
    );
    assert!(told.len() < 12, "told on change only: {scripted:?}");
    for what in ["fog bank", "squall"] {
        let named = notes.iter().filter(|note| note.contains(&format!("vessel 1 meets {what}"))).count();
        assert_eq!(named, 1, "{notes:?}");
    }
}

#[test]
fn who_comes_aboard_later_is_told_as_well() {
    let mut region = region(&[(Happening::Fog, 100)]);
    join(&mut region, 1);
    assert!(!watch(&mut region, 20).0.is_empty());
    join(&mut region, 2);
    assert!(!watch(&mut region, 4).0.is_empty());
}

/// However much happens, what a crew is told stays small.
#[test]
fn what_a_crew_is_told_is_bounded() {
    let mut region = region(&[(Happening::Fog, 100); 100]);
    join(&mut region, 1);
    let (told, _) = watch(&mut region, 20);
    let (_, events) = told.last().unwrap();
    assert_eq!(events.len(), EVENTS_TOLD);
    let message = Message::Events { vessel: fairway::units::VesselId(1), events: events.clone() };
    let bytes = encode(None, &message).unwrap();
    assert!(bytes.len() < 1_400, "{} bytes", bytes.len());
    assert_eq!(decode(&bytes, 1 << 20).unwrap().1, message);
}
