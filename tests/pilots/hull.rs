//! The helmsman on a real hull in waves and gusts, the sea laid by hand.

#[path = "../common/mod.rs"]
mod common;

use fairway::pilots::Helmsman;
use fairway::sim::Instruments;
use fairway::trig;
use fairway::units::{Tick, VesselId, degrees, radians};
use fairway::vessel::{Class, VesselState, boats, forces};
use fairway::wire::message::{Epoch, State, View};
use glam::DVec2;

use common::{Train, calm, lay, look, wind_from};

pub(crate) struct Glance {
    pub(crate) place: DVec2,
    pub(crate) speed: f64,
    pub(crate) heel: f64,
    pub(crate) true_angle: f64,
    pub(crate) rudder: f64,
    pub(crate) gear: String,
}

#[expect(clippy::cast_possible_truncation)]
fn state(class: &Class, vessel: &VesselState, water: &fairway::sea::Water, tick: u64, passed: u16) -> State {
    let seen = look(class, vessel, water);
    let (speed, angle) = forces::apparent_wind(class, vessel, water);
    let bow = vessel.attitude * glam::DVec3::X;
    State {
        vessel: VesselId(1),
        epoch: Epoch::default(),
        tick: Tick(tick),
        own: View {
            vessel: VesselId(1),
            position_m: vessel.position_m,
            attitude: vessel.attitude,
            velocity_mps: vessel.velocity_mps,
            length_m: 12.0,
            beam_m: 3.8,
        },
        instruments: Instruments {
            apparent_wind_mps: speed as f32,
            apparent_wind_rad: angle as f32,
            speed_mps: vessel.velocity_mps.dot(bow) as f32,
            under_keel_m: 40.0,
            heel_rad: seen.heel_rad as f32,
            heading_rad: seen.heading_rad as f32,
            turn_radps: seen.turn_radps as f32,
            visibility_m: 10_000.0,
        },
        session: 1,
        seq: 0,
        marks_passed: passed,
        dilation: 1.0,
        others: Vec::new(),
    }
}

/// Sails round marks in a seaway; the pilot sees every `stride`th tick.
pub(crate) fn sail(
    boat: &str,
    marks: &[DVec2],
    wind_mps: f64,
    sea: &[Train],
    stride: u64,
    minutes: u64,
) -> (Helmsman, usize, Vec<Glance>) {
    let spec = boats::named(boat).unwrap();
    let class = Class::new(spec);
    let mut vessel = common::at_rest(&class, 0.9);
    let list = marks
        .iter()
        .map(|place| fairway::atlas::Mark { name: String::new(), place: *place, radius_m: 50.0 })
        .collect();
    let mut pilot = Helmsman::new(spec, list, 4);
    let mut passed = 0;
    let mut log = Vec::new();
    for tick in 0..minutes * 60 * 45 {
        #[expect(clippy::cast_precision_loss)]
        let time_s = tick as f64 / 45.0;
        // Gusts of a fifth in 40 s, shifts of 6° in 7 minutes.
        let gust = 1.0 + 0.2 * trig::sin(time_s * 0.157);
        let mut water = calm(wind_from(radians(6.0) * trig::sin(time_s * 0.015), wind_mps * gust));
        let place = DVec2::new(vessel.position_m.x, vessel.position_m.y);
        lay(&mut water, sea, place, time_s);
        if passed < marks.len() && (marks[passed] - place).length() < 50.0 {
            passed += 1;
            if passed == marks.len() {
                break;
            }
        }
        if tick % stride == 0 {
            pilot.see(&state(&class, &vessel, &water, tick, passed.try_into().unwrap()));
            if let Some(helm) = pilot.decide() {
                vessel.helm = helm;
            }
        }
        common::tick(&class, &mut vessel, &water);
        if tick % 45 == 0 {
            let seen = look(&class, &vessel, &water);
            log.push(Glance {
                place,
                speed: seen.speed_mps,
                heel: degrees(seen.heel_rad),
                true_angle: -degrees(fairway::units::wrap_angle(seen.heading_rad)),
                rudder: degrees(vessel.gear.rudder_rad),
                gear: format!(
                    "sheet {:.2} reef {:.2} flat {:.2} kite {:.1}",
                    vessel.gear.sheet, vessel.gear.reef, vessel.gear.flat, vessel.gear.spinnaker
                ),
            });
        }
    }
    (pilot, passed, log)
}

/// A sea of a metre from the wind, in three trains.
pub(crate) fn chop() -> [Train; 3] {
    let train = |amplitude_m, omega_radps, towards_deg: f64, phase_turns| Train {
        amplitude_m,
        omega_radps,
        towards_rad: radians(towards_deg),
        phase_turns,
    };
    [train(0.22, 1.3, 180.0, 0.1), train(0.18, 1.6, 195.0, 0.4), train(0.12, 2.1, 165.0, 0.8)]
}

#[test]
fn yacht_beats_and_runs_home_in_flat_water_and_a_seaway() {
    let marks = [DVec2::new(0.0, 2_000.0), DVec2::new(0.0, 0.0)];
    let seaway = chop();
    let winds = [(8.0, 1), (12.0, 5), (18.0, 1), (18.0, 10), (20.0, 5)];
    for (wind_kn, stride, sea) in
        winds.iter().flat_map(|(wind, n)| [(wind, *n, &[][..]), (wind, *n, &seaway[..])])
    {
        let (pilot, passed, log) = sail("first407", &marks, wind_kn * 0.5144, sea, stride, 60);
        if std::env::var_os("SHOW").is_some() {
            for (n, at) in log.iter().enumerate().step_by(5) {
                println!(
                    "{n:5} {:6.0} {:6.0} {:5.2} m/s heel {:5.1} twa {:6.1} rudder {:5.1} {}",
                    at.place.x, at.place.y, at.speed, at.heel, at.true_angle, at.rudder, at.gear
                );
            }
        }
        let minutes = log.len() / 60;
        let heel = log.iter().map(|at| at.heel.abs()).fold(0.0, f64::max);
        println!(
            "{wind_kn} kn, {} wave trains, stride {stride}: {passed} marks in {minutes} min, {} tacks, {} gybes, heel to {heel:.0}°",
            sea.len(),
            pilot.tacks(),
            pilot.gybes()
        );
        assert_eq!(passed, 2, "at {} kn", wind_kn);
        assert!(heel < 45.0);
    }
}
