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
                    weather
                        .wind(&segment, &weather.turns(&segment, tick), &sky(&weather, tick), place)
                        .length()
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

/// Weather of a course after a change of it.
fn changed(change: impl Fn(&mut Course)) -> Weather {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    let mut course = Course::load(&dir).unwrap();
    course.climate.adventures = Adventures::NONE;
    change(&mut course);
    Weather::new(&course, 5)
}

fn mean(weather: &Weather, place: DVec2, tick: Tick) -> DVec2 {
    let segment = weather.segment(Weather::segment_number(tick));
    weather.mean_wind(&segment, &sky(weather, tick), place)
}

/// Ahead of a squall the wind is 1.5 to 2.5 times what it was (Wakimoto 1982) or has risen by 8 m/s (WMO); in its middle
/// it is what carries it; behind it there is less.
#[test]
fn gust_front_runs_ahead_of_a_squall() {
    let calm = weather(5);
    let stormy = changed(|course| course.climate.adventures.squalls_per_day = 12.0);
    let from = Tick(1_000_000);
    let squalls = stormy.squalls(from, Tick(from.0 + 24 * 3_600 * TICK_HZ));
    let mut seen = 0;
    for squall in &squalls {
        let t_s = squall.from_s + 0.5 * squall.lasts_s;
        let tick = tick_of(t_s);
        let others = stormy.squalls(tick, tick);
        let (centre, ahead) = (squall.centre(t_s), squall.velocity_mps.normalize());
        if !stormy.extent.contains(centre) {
            continue;
        }
        let reach = |other: &Squall| (other.centre(t_s) - centre).length() < other.radius_m + squall.radius_m;
        if others.iter().filter(|other| reach(other)).count() > 1 {
            continue;
        }
        seen += 1;
        let places = [1.0, 0.0, -1.0].map(|side| centre + ahead * (side * squall.core_m()));
        let [front, middle, behind] = places.map(|place| mean(&stormy, place, tick).length());
        let [was, was_middle, _] = places.map(|place| mean(&calm, place, tick).length());
        assert!((middle - was_middle).abs() < 0.1, "middle {middle} of {was_middle}");
        assert!(front > 1.45 * was && front - was > 7.0, "gust front {front} of {was}");
        assert!((front - was - squall.rise_mps).abs() < 0.6, "stated {}", squall.rise_mps);
        assert!(behind < 0.7 * was, "behind {behind} of {was}");
        let outside = centre + ahead * (squall.radius_m + 1.0);
        assert_eq!(mean(&stormy, outside, tick), mean(&calm, outside, tick));
        assert!(stormy.visibility_m(&sky(&stormy, tick), centre) < 5_000.0, "rain");
    }
    assert!(seen > 5, "{seen} of {} squalls stand alone", squalls.len());
}

/// A thunderstorm strikes two or three times a minute at its height, within itself; a squall never.
#[test]
fn lightning_strikes_within_thunderstorms() {
    let stormy = changed(|course| {
        course.climate.adventures.thunderstorms_per_day = 6.0;
        course.climate.adventures.squalls_per_day = 6.0;
    });
    let (from, until) = (Tick(45), Tick(86_400 * TICK_HZ));
    let squalls = stormy.squalls(from, until);
    let (mut strokes, mut minutes) = (0.0, 0.0);
    for squall in &squalls {
        let all = squall.strokes(5, from, until);
        assert!(squall.thunder || all.is_empty());
        for stroke in &all {
            let t_s = stroke.tick.seconds();
            assert!((stroke.place - squall.centre(t_s)).length() <= squall.radius_m);
            assert!(squall.growth(t_s) > 0.0);
        }
        if squall.thunder && squall.from_s > 1.0 && squall.from_s + squall.lasts_s < 86_400.0 {
            strokes += all.len() as f64;
            minutes += squall.lasts_s / 60.0;
        }
        // Asked for in pieces, they are the same.
        let middle = tick_of(squall.from_s + 700.0);
        let mut pieces = squall.strokes(5, from, middle);
        pieces.extend(squall.strokes(5, middle, until));
        assert_eq!(pieces, all);
    }
    assert!(minutes > 100.0 && (1.5..3.0).contains(&(strokes / minutes)), "{strokes} in {minutes} min");
}

/// The wind backs and freshens ahead of a front, has veered by what it says once the line has passed, and comes back.
#[test]
fn front_veers_the_wind_as_it_passes() {
    let calm = weather(5);
    let fronted = changed(|course| course.climate.adventures.fronts_per_day = 1.0);
    let day = 86_400 * TICK_HZ;
    let fronts = fronted.fronts(Tick(day), Tick(12 * day));
    assert!(fronts.len() > 4, "{fronts:?}");
    for front in &fronts {
        let veer = |since_s: f64| {
            let tick = tick_of(front.passes_s + since_s);
            let [a, b] = [&fronted, &calm].map(|weather| mean(weather, front.place, tick));
            let turned = trig::heading(a.x, a.y) - trig::heading(b.x, b.y);
            (crate::units::wrap_angle(turned), a.length() / b.length())
        };
        let alone =
            fronted.fronts(tick_of(front.passes_s - 2_000.0), tick_of(front.passes_s + front.lasts_s)).len()
                == 1;
        if !alone {
            continue;
        }
        assert!(front.veer_rad > 0.5, "veers in the north");
        let (ahead, fresh) = veer(-100.0);
        assert!((ahead + 0.25 * front.veer_rad).abs() < 0.02 && fresh > 1.15, "{ahead} {fresh}");
        let (behind, _) = veer(95.0);
        assert!((behind - front.veer_rad).abs() < 0.02, "{behind} of {}", front.veer_rad);
        let (after, calmed) = veer(front.lasts_s - 60.0);
        assert!(after.abs() < 0.02 && (calmed - 1.0).abs() < 0.02);
    }
}

/// Visibility in rain as measured on links (Carbonneau and Wisely 1998): some 5 km at 5 mm/h, 1.1 km at 50 mm/h.
#[test]
fn rain_takes_the_sight() {
    let seen_m = |rain_mmph: f64| 1.0 / fog::rain_extinction(rain_mmph);
    assert!((seen_m(5.0) / 5_370.0 - 1.0).abs() < 0.02, "{}", seen_m(5.0));
    assert!((seen_m(50.0) / 1_149.0 - 1.0).abs() < 0.02, "{}", seen_m(50.0));
    assert!((fog::rain_extinction(9.99e-4) / fog::rain_extinction(1.001e-3) - 1.0).abs() < 0.01, "no jump");
}

/// Every bank on the list is fog in its middle while it lasts, and where there is fog a bank is on the list.
#[test]
fn listed_banks_are_where_fog_lies() {
    let damp = changed(|course| course.climate.dew_point_c = course.climate.air_c - 1.6);
    let day = 86_400 * TICK_HZ;
    let banks = damp.banks(Tick(day), Tick(2 * day));
    assert!(banks.len() > 10, "{} banks", banks.len());
    let seen_m = |place, t_s: f64| damp.visibility_m(&sky(&damp, tick_of(t_s)), place);
    for bank in &banks {
        for share in [0.02, 0.5, 0.98] {
            let t_s = bank.from_s + share * bank.lasts_s;
            let here_m = seen_m(bank.place + bank.velocity_mps * (t_s - bank.from_s), t_s);
            assert!(here_m < 1_050.0, "{here_m} m in a bank");
        }
    }
    // Asked for in two halves, they are the same.
    let mut halves = damp.banks(Tick(day), Tick(day + day / 2));
    halves.extend(damp.banks(Tick(day + day / 2), Tick(2 * day)));
    halves.sort_by(|a, b| a.from_s.total_cmp(&b.from_s).then(a.id.cmp(&b.id)));
    halves.dedup_by_key(|bank| bank.id);
    assert_eq!(halves, banks);
}
