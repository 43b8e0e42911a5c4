use super::*;
use crate::atlas::{Adventures, Happening, Rip, Scripted};
use crate::noise::{Stream, uniform};
use std::f64::consts::TAU;
use std::path::{Path, PathBuf};

fn sea(name: &str) -> Sea {
    changed(name, |course| course.climate.adventures = Adventures::NONE)
}

/// A course's sea after a change of the course.
fn changed(name: &str, change: impl Fn(&mut Course)) -> Sea {
    let mut course = Course::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name)).unwrap();
    change(&mut course);
    let seed = course.seed;
    Sea::new(Arc::new(course), seed)
}

/// An arbitrary place in a sea's extent.
fn some_place(sea: &Sea, i: u32) -> DVec2 {
    let extent = sea.course().extent;
    let share = DVec2::new(uniform(9, Stream::Trial, [i, 0, 0]), uniform(9, Stream::Trial, [i, 1, 0]));
    extent.min + (extent.max - extent.min) * share
}

/// Everything of an answer, as bits.
fn bits(water: &Water) -> Vec<u64> {
    let mut bits: Vec<u64> = [
        water.wind_mps.x,
        water.wind_mps.y,
        water.current_mps.x,
        water.current_mps.y,
        water.level_m,
        water.bed_m,
        water.bed_slope.x,
        water.bed_slope.y,
    ]
    .map(f64::to_bits)
    .to_vec();
    let waves = &water.waves;
    bits.extend(waves.amplitude_m.iter().chain(&waves.phase).map(|number| u64::from(number.to_bits())));
    bits
}

#[test]
fn sea_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Sea>();
}

/// Law 1: what was prepared, which thread asks and in which order changes no bit.
#[test]
fn answers_depend_on_nothing_but_the_question() {
    for name in ["admiralty", "gullwing"] {
        let first = sea(name);
        let questions: Vec<(DVec2, Tick)> = (0..300)
            .map(|i| {
                let later = u64::from(crate::noise::draw(9, Stream::Trial, [i, 2, 0])[0] % 100_000);
                (some_place(&first, i), first.course().start.after(later))
            })
            .collect();
        let ask = |sea: &Sea, &(place, tick): &(DVec2, Tick)| bits(&sea.water(place, tick));
        let answers: Vec<Vec<u64>> = questions.iter().map(|question| ask(&first, question)).collect();
        let prepared = sea(name);
        let area = prepared.course().extent;
        prepared.prepare(Area { min: area.centre() - 700.0, max: area.centre() + 700.0 });
        let backwards: Vec<Vec<u64>> =
            questions.iter().rev().map(|question| ask(&prepared, question)).collect();
        assert!(answers.iter().eq(backwards.iter().rev()), "{name}: other order, prepared");
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        // Two seas in turn on one thread: neither may see the other's memo.
                        questions.iter().map(|q| (ask(&prepared, q), ask(&first, q))).collect::<Vec<_>>()
                    })
                })
                .collect();
            for handle in handles {
                for (answer, (a, b)) in answers.iter().zip(handle.join().unwrap()) {
                    assert!(*answer == a && *answer == b, "{name}: another thread");
                }
            }
        });
    }
}

#[test]
fn another_seed_is_another_sea() {
    let one = sea("admiralty");
    let other = Sea::new(Arc::clone(one.course()), one.course().seed + 1);
    let (place, tick) = (one.course().marks[0].place, one.course().start);
    assert!((one.wind(place, tick) - other.wind(place, tick)).length() > 1e-3);
    assert!(one.water(place, tick).waves.phase != other.water(place, tick).waves.phase);
    assert_eq!(one.tide(place, tick), other.tide(place, tick), "the tide is the moon's");
}

/// Nothing jumps from one metre, or one tick, to the next, also across patches and at their corners.
#[test]
fn sea_has_no_seams() {
    for name in ["admiralty", "gullwing"] {
        let sea = sea(name);
        let start = sea.course().start;
        let extent = sea.course().extent;
        let check = |a: DVec2, b: DVec2, ticks: u64, tick: Tick| {
            let (one, two) = (sea.water(a, tick), sea.water(b, tick.after(ticks)));
            let off = |what: &str, difference: f64, most: f64| {
                assert!(
                    difference < most,
                    "{name}: {what} jumps by {difference} from {a} to {b} at {tick:?}"
                );
            };
            off("wind", (one.wind_mps - two.wind_mps).length(), 0.15);
            off("current", (one.current_mps - two.current_mps).length(), 0.05);
            off("level", (one.level_m - two.level_m).abs(), 0.002);
            off("bed", (one.bed_m - two.bed_m).abs(), 0.4);
            for i in 0..WAVES {
                let (a, b) = (one.waves.amplitude_m[i], two.waves.amplitude_m[i]);
                off("amplitude", f64::from((a - b).abs()), 0.02);
            }
        };
        for i in 0..400 {
            let place = some_place(&sea, i);
            // To both sides of a patch's border and of a bed node's line.
            let border = (place / PATCH_M).floor() * PATCH_M;
            let near = |x: f64, y: f64| DVec2::new(x, y).clamp(extent.min, extent.max);
            check(near(border.x - 0.01, place.y), near(border.x + 0.01, place.y), 0, start);
            check(near(place.x, border.y - 0.01), near(place.x, border.y + 0.01), 0, start);
            check(place, place + DVec2::new(0.5, 0.5), 0, start);
            check(place, place, 1, start.after(u64::from(i) * 449));
            check(place, place, 1, Tick((start.0 / 27_000 + u64::from(i)) * 27_000 - 1));
        }
    }
}

/// The course's waves run on: after one tick each phase has fallen by its frequency's share.
#[test]
fn phases_fall_with_time_and_rise_along_the_crests_way() {
    let sea = sea("admiralty");
    let (place, tick) = (sea.course().marks[1].place, sea.course().start);
    let wrapped = |turns: f64| turns - (turns + 0.5).floor();
    let [one, later] = [tick, tick.after(1)].map(|tick| sea.water(place, tick).waves);
    let moved = sea.water(place + DVec2::new(3.0, -2.0), tick).waves;
    for i in 0..WAVES {
        let fallen = wrapped(f64::from(one.phase[i]) - f64::from(later.phase[i]));
        let expected = f64::from(one.omega_radps[i]) / TAU / 45.0;
        assert!(wrapped(fallen - expected).abs() < 2e-6, "component {i} fell by {fallen}");
        let risen = wrapped(f64::from(moved.phase[i]) - f64::from(one.phase[i]));
        let expected = 3.0 * f64::from(one.kx[i]) - 2.0 * f64::from(one.ky[i]);
        assert!(wrapped(risen - expected).abs() < 2e-6, "component {i} rose by {risen}");
    }
}

/// A sea's components hold the height that its wind and fetch say, and it comes from where the wind does.
#[test]
fn open_water_has_the_grown_sea() {
    let sea = sea("admiralty");
    let course = sea.course();
    let place = course.extent.min + DVec2::new(600.0, 20_500.0);
    let hour = |i: u64| course.start.after(i * 45 * 3600);
    let heights: Vec<f64> = (0..48).map(|i| sea.at(place, hour(i)).wave_hs_m).collect();
    let mean_m = heights.iter().sum::<f64>() / 48.0;
    // Fetches of 10 km (north-east) to 40 km (west) are in the spread; currents steepen and flatten it.
    let (wind_sea_m, _) = grown_sea(course.climate.wind_mps, course.climate.fetch_m);
    let most_m = (wind_sea_m * wind_sea_m + course.swells[0].height_m * course.swells[0].height_m).sqrt();
    assert!(mean_m > 0.7 * most_m && mean_m < 1.1 * most_m, "mean height {mean_m} m of {most_m} m");
    let from_deg = sea.at(place, course.start).wave_from_deg;
    assert!((300.0..360.0).contains(&from_deg), "from {from_deg}°");
}

#[test]
fn land_shelters_and_stops_waves_and_current() {
    let sea = sea("admiralty");
    let course = sea.course();
    let at = |lat_deg, lon_deg| sea.at(course.place_of(lat_deg, lon_deg).unwrap(), course.start);
    let (inlet, bay, land) = (at(48.158, -122.735), at(48.085, -122.765), at(48.16, -122.60));
    assert!(bay.wave_hs_m < 0.6 * inlet.wave_hs_m, "bay {} inlet {}", bay.wave_hs_m, inlet.wave_hs_m);
    assert!(bay.current_mps.length() < 0.25 * inlet.current_mps.length(), "{bay:?}");
    assert!(land.wave_hs_m == 0.0 && land.current_mps == DVec2::ZERO && land.depth_m == 0.0, "{land:?}");
}

/// At a station's own place its own current runs.
#[test]
fn current_at_a_station_is_the_stations() {
    let sea = sea("admiralty");
    let course = sea.course();
    for hours in [0_u64, 2, 5, 8, 11] {
        let tick = course.start.after(hours * 3600 * 45);
        let station = course.station("PUG1624_47").unwrap();
        let speed_mps = station_value(station, course.unix_s_of(tick));
        let (current_mps, _) = sea.tide(station.place, tick);
        assert!(
            (current_mps.length() - speed_mps.abs()).abs() < 0.1 * speed_mps.abs() + 0.1,
            "{} where the station says {speed_mps} at hour {hours}",
            current_mps.length()
        );
        let (_, level_m) = sea.tide(course.place_of(48.1129, -122.7595).unwrap(), tick);
        let height_m = station_value(course.station("9444900").unwrap(), course.unix_s_of(tick));
        assert!((level_m - height_m).abs() < 0.02, "tide {level_m} where the station says {height_m}");
    }
}

/// Near the coast what runs across it is small against what runs along it.
#[test]
fn no_current_runs_through_the_coast() {
    let sea = sea("admiralty");
    let course = sea.course();
    let (mut across, mut along, mut count) = (0.0, 0.0, 0);
    for i in 0..40_000 {
        let place = some_place(&sea, i);
        let Some((distance_m, point)) = course.coast().nearest(place) else { continue };
        if !(20.0..60.0).contains(&distance_m) || course.coast().is_land(place) {
            continue;
        }
        let normal = (point - place) / distance_m;
        let (current_mps, _) = sea.tide(place, course.start);
        across += current_mps.dot(normal).abs();
        along += current_mps.perp_dot(normal).abs();
        count += 1;
    }
    assert!(count > 50 && across < 0.25 * along, "{across} across, {along} along at {count} places");
}

#[test]
fn the_fair_tide_that_the_course_promises_runs() {
    let sea = sea("admiralty");
    let course = sea.course();
    let (from, to) = course.legs().nth(3).unwrap();
    for half_hours in 0..5 {
        let tick = course.start.after(half_hours * 1800 * 45);
        let (current_mps, _) = sea.tide((from + to) * 0.5, tick);
        assert!(current_mps.dot((to - from).normalize()) > 0.3, "{current_mps} at {half_hours} half hours");
    }
}

#[test]
fn bed_is_the_heightmap_and_its_slope_is_its_own() {
    let sea = sea("gullwing");
    for i in 0..500 {
        let place = some_place(&sea, i);
        let exact = sea.course().depth().bed_m(place, 0.0);
        assert!((sea.bed_m(place) - exact).abs() < 1e-3, "{} is not {exact} at {place}", sea.bed_m(place));
        let water = sea.water(place, Tick(0));
        let node = (place / 16.0).floor() * 16.0;
        let inside = (place - node).max(DVec2::splat(0.2)).min(DVec2::splat(15.8)) + node;
        let slope = sea.water(inside, Tick(0)).bed_slope;
        let rise = sea.bed_m(inside + DVec2::new(0.1, 0.0)) - sea.bed_m(inside - DVec2::new(0.1, 0.0));
        assert!((slope.x - rise / 0.2).abs() < 1e-4, "{} is not {}", slope.x, rise / 0.2);
        assert!(water.bed_m.is_finite() && water.level_m.is_finite());
    }
}

/// Beyond the extent, and however far, the sea goes on as at its edge.
#[test]
fn sea_goes_on_beyond_its_extent() {
    let sea = sea("admiralty");
    for far in [1e3, 1e5, 1e9] {
        let water = sea.water(DVec2::new(-far, far), sea.course().start);
        assert!(water.bed_m.is_finite() && water.wind_mps.is_finite() && water.current_mps.is_finite());
        assert!(water.waves.phase.iter().all(|phase| (-0.5..=0.5).contains(phase)));
    }
}

/// The reference figures of other programs; `None` where they are absent, which is said aloud.
fn reference(file: &str) -> Option<serde_json::Value> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("FAIRWAY_REQUIRE_ALL").is_none(), "{} is absent", path.display());
        eprintln!("SKIPPED: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The expected rows of one validation case.
fn case(id: &str) -> Vec<serde_json::Value> {
    let Some(cases) = reference("hydro/validation_cases.json") else { return Vec::new() };
    let case = cases.as_array().unwrap().iter().find(|case| case["id"] == id).unwrap();
    case["expected"].as_array().unwrap().clone()
}

fn within(what: &str, ours: f64, expected: f64, tolerance: f64) {
    assert!(
        (ours / expected - 1.0).abs() <= tolerance,
        "{what}: {ours} is not {expected} within {tolerance}"
    );
}

fn number(row: &serde_json::Value, key: &str) -> f64 {
    row[key].as_f64().unwrap()
}

#[test]
fn dispersion_agrees_with_airy() {
    for row in case("sea.dispersion") {
        let [period_s, length_m] = [0, 1].map(|i| row[i].as_f64().unwrap());
        // The lengths are rounded to a hundredth.
        within("deep", TAU / wave_number(TAU / period_s, 10_000.0), length_m, 1e-3 + 0.005 / length_m);
    }
    for row in case("sea.dispersion.h") {
        let k_radpm = wave_number(TAU / number(&row, "T"), number(&row, "h"));
        within("shallow", TAU / k_radpm, number(&row, "L"), 5e-3);
    }
}

/// Moments of a spectrum.
fn moments(spectrum: impl Fn(f64) -> f64) -> [f64; 3] {
    let step_hz = 1e-4;
    let mut moments = [0.0; 3];
    // Up to 20 rad/s.
    for i in 1..31_831_u32 {
        let frequency_hz = f64::from(i) * step_hz;
        let density = spectrum(frequency_hz) * step_hz;
        moments[0] += density;
        moments[1] += density * frequency_hz;
        moments[2] += density * frequency_hz * frequency_hz;
    }
    moments
}

#[test]
fn spectra_agree_with_their_references() {
    for row in case("sea.PM") {
        let (height_m, period_s) = (number(&row, "Hs_exact"), number(&row, "Tp"));
        let [m0, ..] = moments(|frequency_hz| pierson_moskowitz(frequency_hz, height_m, period_s));
        within("PM", 4.0 * m0.sqrt(), number(&row, "Hs_numeric"), 0.02);
    }
    for row in case("sea.JONSWAP") {
        let (height_m, period_s) = (number(&row, "Hs"), number(&row, "Tp"));
        let [m0, m1, m2] = moments(|frequency_hz| jonswap(frequency_hz, height_m, period_s));
        within("JONSWAP height", 4.0 * m0.sqrt(), number(&row, "Hs_from_m0"), 2e-3);
        within("JONSWAP mean period", m0 / m1, number(&row, "Tm01"), 0.01);
        within("JONSWAP crossing period", (m0 / m2).sqrt(), number(&row, "Tz_cut20"), 0.01);
    }
}

#[test]
fn seas_grow_with_fetch_as_the_manual_says() {
    for row in case("sea.fetch").iter().filter(|row| row.get("U").is_some()) {
        let (height_m, period_s) = grown_sea(number(row, "U"), 1000.0 * number(row, "F_km"));
        within("height", height_m, number(row, "Hs"), 1e-3);
        within("period", period_s, number(row, "Tp"), 1e-3);
    }
}

#[test]
fn waves_steepen_against_the_current() {
    let Some(reference) = reference("sea/sea_wind_reference.json") else { return };
    for row in reference["wave_current"].as_array().unwrap() {
        let (Some(ratio), Some(expected)) = (row["U_over_c0"].as_f64(), row["a_ratio"].as_f64()) else {
            continue;
        };
        #[expect(clippy::cast_possible_truncation)]
        let gain = f64::from(current_gain(ratio as f32));
        if ratio >= f64::from(-0.16_f32) {
            within("gain", gain, expected, 1e-3);
        } else {
            assert!(gain < expected, "what is steeper breaks: {gain}");
        }
    }
    assert!(current_gain(-0.3) == 0.0 && current_gain(-5.0) == 0.0, "blocked");
}

/// One record of waves, summed as a hull sums them, has the height that the instruments tell.
#[test]
fn summed_elevation_has_the_stated_height() {
    let sea = sea("admiralty");
    let (place, start) = (sea.course().marks[0].place, sea.course().start);
    let (mut square, mut stated) = (0.0, 0.0);
    let samples = 6000_u32;
    for i in 0..samples {
        let tick = start.after(u64::from(i) * 20);
        let waves = sea.water(place, tick).waves;
        let elevation_m: f64 = (0..WAVES)
            .map(|i| f64::from(waves.amplitude_m[i]) * trig::sin_cos_turns(f64::from(waves.phase[i])).1)
            .sum();
        square += elevation_m * elevation_m / f64::from(samples);
        stated += sea.at(place, tick).wave_hs_m / f64::from(samples);
    }
    within("height of a record", 4.0 * square.sqrt(), stated, 0.06);
}

fn script(what: Happening, place: DVec2, from: Tick, strength: f64) -> Scripted {
    let (lasts_s, radius_m) = (120.0, if what == Happening::FreakWave { 300.0 } else { f64::INFINITY });
    Scripted { what, place, from, lasts_s, radius_m, strength, from_rad: None, speed_mps: None }
}

/// A train raises its swell by what it says, in its middle, and leaves the wind's sea and what is far away alone.
#[test]
fn swell_train_raises_the_swell_as_it_passes() {
    let calm = sea("admiralty");
    let (place, start) = (calm.course().marks[0].place, calm.course().start);
    let raised = changed("admiralty", |course| {
        course.climate.adventures = Adventures::NONE;
        course.events = vec![script(Happening::SwellTrain, place, start, 1.7)];
    });
    let way = raised.trains(start, start.after(1))[0].velocity_mps;
    // Ten seconds of swell: groups at half of 15.6 m/s in deep water, and up to a tenth more over the inlet's bed.
    assert!((7.8..8.8).contains(&way.length()), "{way}");
    for after_s in [0_u32, 30, 60, 100, 119] {
        let tick = start.after(u64::from(after_s) * 45);
        // Where its middle is then, or was.
        for off_s in [-400.0, 0.0, 300.0] {
            let here = place + way * (f64::from(after_s) - 60.0 + off_s);
            let [with, without] = [&raised, &calm].map(|sea| sea.water(here, tick).waves.amplitude_m);
            let gain = if off_s == 0.0 { 1.7 } else { 1.0 };
            for i in 0..WAVES {
                let expected = if i < calm.waves.wind_waves { 1.0 } else { gain };
                let least = without[i] * expected * 0.999 - 1e-6;
                let most = without[i] * expected * 1.001 + 1e-6;
                // Where waves break there is less of all.
                assert!((least..=most).contains(&with[i]), "{i}: {} {} at {off_s}", with[i], without[i]);
            }
        }
    }
}

/// At its place and time a freak wave's crest is as high as it says; before, after and beside it nothing is changed, and
/// nowhere are amplitudes.
#[test]
fn freak_wave_stands_where_and_when_it_says() {
    let calm = sea("admiralty");
    let (place, start) = (calm.course().marks[1].place, calm.course().start);
    let stirred = changed("admiralty", |course| {
        course.climate.adventures = Adventures::NONE;
        course.events = vec![script(Happening::FreakWave, place, start, 1.4)];
    });
    let crest = |sea: &Sea, place: DVec2, tick: Tick| {
        let waves = sea.water(place, tick).waves;
        let parts = waves.amplitude_m.iter().zip(&waves.phase);
        let elevation_m: f64 =
            parts.map(|(&a, &phase)| f64::from(a) * trig::sin_cos_turns(f64::from(phase)).1).sum();
        elevation_m / sea.at(place, tick).wave_hs_m
    };
    let at = start.after(60 * 45);
    let stated = stirred.freaks(start, start.after(1))[0].crest;
    assert!((stated - 1.4).abs() < 0.01, "{stated}");
    // The current of the moment favours some components.
    let here = crest(&stirred, place, at);
    assert!((here - 1.4).abs() < 0.15, "crest of {here} significant heights");
    for (off, tick) in [(0.0, start), (0.0, start.after(120 * 45)), (900.0, at)] {
        let there = place + DVec2::new(off, 0.0);
        let [with, without] = [&stirred, &calm].map(|sea| sea.water(there, tick).waves);
        assert!(with.phase == without.phase, "{off} m away at {tick:?}");
    }
    let [with, without] = [&stirred, &calm].map(|sea| sea.water(place, at).waves);
    assert!(with.amplitude_m == without.amplitude_m && with.phase != without.phase);
}

/// A random sea has no more crests above 1.25 Hs than its law allows; drawn freak waves are the rarest of them.
#[test]
fn drawn_freak_waves_are_the_highest_of_their_square_and_day() {
    let sea = changed("admiralty", |course| {
        course.climate.adventures = Adventures { freak_waves_per_day: 20.0, ..Adventures::NONE };
    });
    let start = sea.course().start;
    let freaks = sea.freaks(start, start.after(5 * 86_400 * 45));
    assert!(freaks.len() > 50, "{} freak waves", freaks.len());
    // exp(−8 c²) of some 1e9 waves a square and day: 1.45 to 1.6 where the sea has waves enough in step.
    let mean = freaks.iter().map(|freak| freak.crest).sum::<f64>() / freaks.len() as f64;
    assert!((1.25..1.75).contains(&mean), "mean crest {mean}");
    assert!(freaks.iter().all(|freak| freak.crest > 1.19 && freak.crest < 2.0));
}

/// In a rip the current runs as much faster as it says, and the waves that it opposes are steeper.
#[test]
fn rips_run_faster_and_steepen_the_waves() {
    let calm = changed("admiralty", |course| {
        course.climate.adventures = Adventures::NONE;
        course.rips.clear();
    });
    let place = calm.course().place_of(48.155, -122.745).unwrap();
    let radius_m = 700.0;
    let ripped = changed("admiralty", |course| {
        course.climate.adventures = Adventures::NONE;
        course.rips = vec![Rip { name: "Trial".to_owned(), place, radius_m, strength: 1.8 }];
    });
    let mut seen = 0;
    for half_hours in 0..48 {
        let tick = calm.course().start.after(half_hours * 1_800 * 45);
        let [with, without] = [&ripped, &calm].map(|sea| sea.tide(place, tick).0);
        assert!((with - without * 1.8).length() < 0.05 * with.length() + 1e-6, "{with} of {without}");
        let beside = place + DVec2::new(0.0, radius_m + 200.0);
        assert_eq!(ripped.tide(beside, tick), calm.tide(beside, tick));
        let [with, without] = [&ripped, &calm].map(|sea| sea.steepness(place, tick));
        // What is blocked is as steep as it gets.
        if without > 1.1 {
            assert!(with > without || with > 2.5, "{with} {without}");
            seen += 1;
        }
    }
    assert!(seen > 3, "the ebb opposed the waves {seen} times");
    let day =
        ripped.overfalls(ripped.course().extent, calm.course().start, calm.course().start.after(86_400 * 45));
    let here: Vec<_> = day.iter().filter(|spell| spell.place == place).collect();
    assert!(!here.is_empty() && here.iter().all(|spell| spell.steepness >= OVERFALLS), "{day:?}");
    for spell in here {
        let middle = Tick((spell.from.0 + spell.until.0) / 2);
        assert!(ripped.steepness(place, middle) >= OVERFALLS);
    }
}

/// Steepness by wave action against the figures of the literature: at a tenth of the phase speed a wave is a third higher
/// and a quarter shorter.
#[test]
fn steepness_in_still_water_is_one() {
    let sea = sea("admiralty");
    let bay = sea.course().place_of(48.085, -122.765).unwrap();
    let slack = (0..720)
        .map(|minutes| sea.course().start.after(minutes * 60 * 45))
        .find(|&tick| sea.tide(bay, tick).0.length() < 0.02)
        .unwrap();
    assert!((sea.steepness(bay, slack) - 1.0).abs() < 0.03);
}

/// Prints what the README quotes: `cargo test --release --lib sea::tests::costs -- --ignored --nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "that is what it is for")]
#[ignore = "measures; run it alone in release"]
fn costs() {
    let time = |what: &str, count: u32, act: &mut dyn FnMut()| {
        // The least of all runs: other programs share the machine.
        let mut run = || {
            let begin = crate::clock::now();
            act();
            begin.elapsed()
        };
        let least = std::iter::repeat_with(&mut run).take(count as usize).min().unwrap();
        println!("{what}: {least:.2?}");
    };
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty");
    time("first load", 1, &mut || drop(Course::load(&dir).unwrap()));
    time("load", 50, &mut || drop(Course::load(&dir).unwrap()));
    let course = Arc::new(Course::load(&dir).unwrap());
    time("sea", 20, &mut || drop(Sea::new(Arc::clone(&course), 1)));
    let area = crate::atlas::Cell::of(course.marks[2].place, course.cell_m).area(course.cell_m).grown(256.0);
    for (mark, at) in course.marks.iter().enumerate() {
        let area = crate::atlas::Cell::of(at.place, course.cell_m).area(course.cell_m).grown(255.0);
        let seas: Vec<Sea> = (0..10).map(|_| Sea::new(Arc::clone(&course), 1)).collect();
        let mut next = seas.iter();
        time(&format!("prepare 768 m at mark {mark}"), 10, &mut || next.next().unwrap().prepare(area));
    }
    let sea = Sea::new(Arc::clone(&course), 1);
    sea.prepare(area);
    let mut sum = DVec2::ZERO;
    let mut tick = course.start;
    let places: Vec<DVec2> = (0..64_u8).map(|i| area.min + DVec2::new(f64::from(i) * 11.0, 300.0)).collect();
    time("64 × water", 2000, &mut || {
        tick = tick.after(1);
        for &place in &places {
            let water = std::hint::black_box(sea.water(place, tick));
            sum += water.current_mps;
        }
    });
    time("64 × wind", 2000, &mut || {
        tick = tick.after(1);
        for &place in &places {
            sum += sea.wind(place, tick);
        }
    });
    time("64 × tide", 2000, &mut || {
        tick = tick.after(1);
        for &place in &places {
            sum += sea.tide(place, tick).0;
        }
    });
    time("1 × water, tick by tick", 20_000, &mut || {
        tick = tick.after(1);
        sum += sea.water(places[3], tick).current_mps;
    });
    println!("{sum}");
}
