//! Companions as crews see them.

use glam::DVec2;

use super::companion::{Companion, Hull, Role};
use super::track::{Animal, Doing};
use super::traits;
use crate::trig;
use crate::units::{TICK_S, Tick};

/// How long dolphins take to the bow and to leave it, seconds.
const COMING_S: f64 = 20.0;
const LEAVING_S: f64 = 8.0;

/// A companion as crews see it: nothing of what is over.
pub fn seen_as(companion: &Companion, hull: &Hull, tick: Tick) -> impl Iterator<Item = Animal> {
    let count = match companion.role {
        Role::Over => 0,
        _ => companion.number,
    };
    (0..count).map(move |number| one_seen(companion, hull, tick, number))
}

fn one_seen(companion: &Companion, hull: &Hull, tick: Tick, number: u8) -> Animal {
    let Companion { id, species, place, velocity_mps, depth_m, heading_rad, .. } = *companion;
    let traits = traits(species);
    #[expect(clippy::cast_precision_loss, reason = "minutes of ticks")]
    let [t_s, left_s] = [tick.since(companion.since), companion.until.since(tick)].map(|n| n as f64 * TICK_S);
    let port = DVec2::new(-hull.forward.y, hull.forward.x);
    let bow_rad = trig::heading(hull.forward.x, hull.forward.y);
    let carried = |ahead_m: f64, port_m: f64| hull.place + hull.forward * ahead_m + port * port_m;
    let still = Animal { id, species, place, velocity_mps, depth_m, heading_rad, doing: Doing::Pushed };
    match companion.role {
        Role::Riding => {
            // By turns on both sides, two abreast, each leaping at times of its own.
            let n = f64::from(number);
            let side = if number.is_multiple_of(2) { 1.0 } else { -1.0 };
            let (weave, leap) = trig::sin_cos_turns(t_s / 5.0 + 0.381_966 * n);
            let ahead_m = 0.5 * hull.length_m + 1.0 - 0.8 * (0.5 * n).floor();
            let bow = carried(ahead_m + 0.4 * leap, side * (0.6 + 0.3 * n) + 0.3 * weave);
            let come = (t_s / COMING_S).min(1.0);
            let come = come * come * (3.0 - 2.0 * come);
            let leaving_m = 0.6 * (LEAVING_S - left_s).max(0.0);
            let depth_m = 0.3 - traits.leap_m * (leap - 0.5).max(0.0) + leaving_m;
            let doing = Doing::Riding;
            Animal {
                place: place + (bow - place) * come,
                velocity_mps: hull.velocity_mps,
                depth_m,
                heading_rad: bow_rad,
                doing,
                ..still
            }
        }
        Role::Snared => {
            let place = carried(-0.5 * hull.length_m, 0.0);
            let depth_m = 0.5 * hull.draft_m;
            Animal {
                place,
                velocity_mps: hull.velocity_mps,
                depth_m,
                heading_rad: bow_rad,
                doing: Doing::Snared,
                ..still
            }
        }
        Role::Haunting => {
            // Round the vessel, nearer as it takes heart.
            let (s, c) = trig::sin_cos_turns(t_s / 30.0);
            let round_m = 0.5 * hull.length_m + 12.0;
            let come = (t_s.min(left_s) / COMING_S).min(1.0);
            let near = carried(round_m * c, round_m * s);
            let depth_m = traits.radius_m - 1.2 * come;
            let doing = Doing::Haunting;
            Animal {
                place: place + (near - place) * come,
                velocity_mps: hull.velocity_mps,
                depth_m,
                doing,
                ..still
            }
        }
        Role::Fleeing => Animal { doing: Doing::Fleeing, ..still },
        Role::Dead => Animal { doing: Doing::Dead, ..still },
        Role::Pushed | Role::Over => still,
    }
}
