use super::*;
use crate::atlas::Adventures;
use crate::units::TICK_HZ;
use std::path::Path;

fn weather(seed: u64) -> Weather {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    let mut course = Course::load(&dir).unwrap();
    // What is tested here is the wind between adventures.
    course.climate.adventures = Adventures::NONE;
    Weather::new(&course, seed)
}

fn sky(weather: &Weather, tick: Tick) -> Sky {
    let mut sky = Sky::default();
    weather.turn_sky(&mut sky, tick);
    sky
}

fn wind(weather: &Weather, place: DVec2, tick: Tick) -> DVec2 {
    let segment = weather.segment(Weather::segment_number(tick));
    weather.wind(&segment, &weather.turns(&segment, tick), &sky(weather, tick), place)
}

/// WMO/TD-1555 (Harper et al. 2010): at sea, the highest 3 s mean of 600 s is 1.23 times the mean of all.
#[test]
fn gust_factor_is_that_of_the_open_sea() {
    let mut factors = Vec::new();
    for seed in 0..8 {
        let weather = weather(seed);
        for record in 0..40_u64 {
            let first = 5 * TICK_HZ * 3600 + record * 637 * TICK_HZ;
            let place = DVec2::new(137.0 * f64::from(u8::try_from(record).unwrap()), -91.0);
            let mut segment = weather.segment(Weather::segment_number(Tick(first)));
            // Samples each third of a second.
            let speeds: Vec<f64> = (0..1800_u64)
                .map(|sample| {
                    let tick = Tick(first + sample * TICK_HZ / 3);
                    if Weather::segment_number(tick) != segment.number {
                        segment = weather.segment(Weather::segment_number(tick));
                    }
                    weather.wind(&segment, &weather.turns(&segment, tick), &sky(&weather, tick), place).length()
                })
                .collect();
            let mean = speeds.iter().sum::<f64>() / 1800.0;
            let gust = speeds.windows(9).map(|nine| nine.iter().sum::<f64>() / 9.0).fold(0.0, f64::max);
            factors.push(gust / mean);
        }
    }
    let count = u16::try_from(factors.len()).unwrap();
    let mean = factors.iter().sum::<f64>() / f64::from(count);
    assert!((mean - 1.23).abs() < 0.04, "gust factor {mean} of {count} records");
}

#[test]
fn wind_keeps_to_its_climate() {
    let weather = weather(1);
    let (mut speed, mut along) = (0.0, DVec2::ZERO);
    let n = 4000_u64;
    for i in 0..n {
        let now = wind(&weather, DVec2::new(3.0, 5.0), Tick(i * 97 * TICK_HZ));
        speed += now.length() / 4000.0;
        along += now / 4000.0;
    }
    assert!((speed / weather.climate.wind_mps - 1.0).abs() < 0.03, "mean speed {speed}");
    assert!(along.dot(weather.downwind) > 0.97 * along.length(), "mean direction {along}");
}

#[test]
fn wind_has_no_seam_in_time() {
    let weather = weather(1);
    for segment in [1, 7, 8, 50] {
        // The end of a segment, and the end of the fade in it.
        for tick in [segment * SEGMENT_TICKS, segment * SEGMENT_TICKS + 120 * TICK_HZ] {
            for place in [DVec2::ZERO, DVec2::new(7000.0, -9000.0)] {
                let before = wind(&weather, place, Tick(tick - 1));
                let after = wind(&weather, place, Tick(tick));
                assert!((before - after).length() < 0.12, "{before} {after} at {tick}");
            }
        }
    }
}

/// Logarithmic profile with z0 = 0.2 mm: reference figures for 2 m and 20 m.
#[test]
fn wind_profile_is_logarithmic() {
    assert!((wind_at_height(2.0) - 0.851_250_379_6).abs() < 1e-9);
    assert!((wind_at_height(20.0) - 1.064_062_974_5).abs() < 1e-9);
}

#[test]
fn fog_lies_where_air_is_damp() {
    let mut weather = weather(1);
    let seen = |weather: &Weather| -> Vec<f64> {
        (0..200_u32)
            .map(|i| (DVec2::new(f64::from(i) * 900.0, 0.0), Tick(u64::from(i) * 5000)))
            .map(|(place, tick)| weather.visibility_m(&sky(weather, tick), place))
            .collect()
    };
    weather.climate.dew_point_c = weather.climate.air_c - 1.5;
    let damp = seen(&weather);
    assert!(damp.iter().any(|&m| m < 1000.0) && damp.iter().any(|&m| m > 10_000.0), "patches of fog");
    weather.climate.dew_point_c = weather.climate.air_c - 8.0;
    assert!(seen(&weather).iter().all(|&m| m > 29_000.0), "dry air is clear");
}
