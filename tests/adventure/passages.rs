//! A vessel that sails through an adventure in many regions has the bits of one that sails through it in one.

use fairway::atlas::{Area, Happening, Scripted};
use fairway::events;
use fairway::units::{TICK_HZ, Tick, VesselId, radians};
use fairway::vessel::Helm;
use glam::DVec2;

use super::world::{Setting, World, cells};

const BOAT: VesselId = VesselId(1);
/// Water that the passage needs, metres.
const WATER_M: DVec2 = DVec2::new(256.0, 128.0);
/// How long the boat sails, seconds.
const SAILS_S: u64 = 90;

/// An event in the middle of the passage; `radius_m` as its kind has.
fn script(what: Happening, radius_m: f64, strength: f64, from_s: u64) -> Scripted {
    Scripted {
        what,
        place: DVec2::new(80.0, 50.0),
        from: Tick(from_s * TICK_HZ),
        lasts_s: 60.0,
        radius_m,
        strength,
        from_rad: None,
        speed_mps: None,
    }
}

/// The world after the passage, and where the boat was after each second of it.
fn sail(events: &[Scripted], areas: &[Area]) -> (World, Vec<DVec2>) {
    let setting = Setting {
        seed: 4,
        wind_mps: Some(9.0),
        water_m: WATER_M,
        prims: Vec::new(),
        events: events.to_vec(),
    };
    let mut world = World::divided(&setting, areas);
    world.launch_from_origin(BOAT, "first407", DVec2::new(12.0, 40.0), 80.0);
    let mut track = Vec::new();
    for second in 0..SAILS_S {
        world.run(TICK_HZ);
        track.push(world.place(BOAT));
        let helm = Helm { sheet: 0.5, throttle: 1.0, ..Helm::default() };
        world.steer(BOAT, DVec2::new(250.0, 40.0 + (second % 3) as f64), helm);
    }
    (world, track)
}

#[test]
fn vessel_in_an_adventure_keeps_every_bit_over_borders() {
    // Its line comes 45 seconds after the start: half an hour and seven kilometres before it gets to its place.
    let downwind = DVec2::new(0.939_7, 0.342);
    let front = Scripted {
        place: DVec2::new(80.0, 50.0) + downwind * (4.0 * 1_755.0),
        lasts_s: 3_600.0,
        from_rad: Some(radians(250.0)),
        speed_mps: Some(4.0),
        ..script(Happening::Front, f64::INFINITY, 60.0, 0)
    };
    let adventures = [
        ("squall", script(Happening::Squall, 250.0, 10.0, 5)),
        ("thunderstorm", script(Happening::Thunderstorm, 400.0, 14.0, 5)),
        ("front", front),
        ("freak wave", script(Happening::FreakWave, 120.0, 1.5, 10)),
        ("fog", script(Happening::Fog, 200.0, 60.0, 5)),
    ];
    let whole = [Area { min: DVec2::new(-256.0, -256.0), max: DVec2::new(512.0, 512.0) }];
    // Much of the same water, in squares of 64 m.
    let divided = cells(8, 4, 64.0, DVec2::splat(-64.0));
    let calm = sail(&[], &whole).0.hashes();
    for (name, script) in adventures {
        let (one, track) = sail(&[script], &whole);
        let (many, _) = sail(&[script], &divided);
        assert!(many.handoffs() >= 3, "{name}: {} handoffs", many.handoffs());
        let report = many.compare_with_undivided();
        assert_eq!(
            (report.mismatches, report.missing, report.doubled),
            (0, 0, 0),
            "{name}: {:?}",
            report.first
        );
        assert!(report.compared >= (SAILS_S * TICK_HZ) as usize - 1, "{name}: {}", report.compared);
        // It was in it; and it was another passage for that, but for fog, which touches no boat.
        let met = (1..=SAILS_S).zip(&track).any(|(second, place)| {
            let tick = one.start().after(second * TICK_HZ);
            events::at(one.sea(), *place, tick).iter().any(|event| event.scripted)
        });
        assert!(met, "{name}: the boat never was in it");
        assert_eq!(one.hashes() == calm, name == "fog", "{name}");
    }
}
