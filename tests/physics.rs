//! A vessel does in the water what outside numbers say that it should.

mod common;

use common::*;
use fairway::units::{KNOT_MPS, degrees, radians};
use fairway::vessel::{Class, boats};
use glam::DVec2;

fn class(name: &str) -> Class {
    Class::new(boats::named(name).unwrap())
}

#[test]
fn look_at_sailing() {
    let class = class("first407");
    println!("{:?} draft {} cg {} x {}", class.still, class.canoe_draft_m, class.cg_m, class.cg_x_m);
    let water = calm(DVec2::ZERO);
    let mut s = at_rest(&class, 0.0);
    for n in 0..ticks(30.0) {
        tick(&class, &mut s, &water);
        if n % 225 == 0 {
            println!("{:?} {:?} {:?}", s.position_m, s.velocity_mps, s.attitude);
        }
    }
    for tws in [6.0, 8.0, 12.0, 16.0, 20.0] {
        for twa in [38.0, 42.0, 45.0, 52.0, 75.0, 90.0, 120.0, 150.0] {
            let mut best = (0.0, String::new());
            for spin in [false, true] {
                for flat in [1.0, 0.8, 0.65] {
                    for reef in [1.0, 0.85] {
                        let water = calm(wind_from(0.0, tws * KNOT_MPS));
                        let mut s = at_rest(&class, radians(twa));
                        s.velocity_mps = glam::DVec3::new(radians(twa).sin(), radians(twa).cos(), 0.0) * 3.0;
                        s.helm.flat = flat;
                        s.gear.flat = flat;
                        s.helm.spinnaker = spin;
                        s.helm.reef = reef;
                        s.gear.reef = reef;
                        let mut l = look(&class, &s, &water);
                        for _ in 0..ticks(120.0) {
                            l = steer(&class, &mut s, &water, radians(twa));
                            tick(&class, &mut s, &water);
                        }
                        let kn = l.speed_mps / KNOT_MPS;
                        if kn > best.0 {
                            best = (
                                kn,
                                format!(
                                    "{kn:.2} kn vmg {:.2} heel {:.1} lee {:.1} awa {:.0} rudder {:.1} hdg {:.0} flat {flat} spi {spin} reef {reef}",
                                    kn * radians(twa).cos(),
                                    degrees(l.heel_rad),
                                    degrees(l.leeway_rad),
                                    degrees(l.apparent_rad),
                                    degrees(s.gear.rudder_rad),
                                    degrees(l.heading_rad)
                                ),
                            );
                        }
                    }
                }
            }
            println!("{tws} {twa}: {}", best.1);
        }
    }
}
