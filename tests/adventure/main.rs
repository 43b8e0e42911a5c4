//! What happens along a course is the same for the same seed, is what is felt, and has no seams.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "nor a model"
)]

mod crews;
mod felt;
mod passages;
#[path = "../crossing/world.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod world;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use fairway::atlas::{Adventures, Area, Course};
use fairway::events::{self, Event, Kind};
use fairway::sea::{Sea, WAVES};
use fairway::units::{TICK_HZ, Tick};
use glam::DVec2;

const HOUR: u64 = 3_600 * TICK_HZ;
const DAY: u64 = 24 * HOUR;

/// More of everything than any coast has.
const LIVELY: Adventures = Adventures {
    fronts_per_day: 1.0,
    squalls_per_day: 4.0,
    thunderstorms_per_day: 2.0,
    swell_trains_per_day: 12.0,
    freak_waves_per_day: 8.0,
};

/// The sea of a course after a change of it.
fn changed(name: &str, seed: u64, change: impl Fn(&mut Course)) -> Sea {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name);
    let mut course = Course::load(&dir).unwrap();
    change(&mut course);
    Sea::new(Arc::new(course), seed)
}

fn lively(name: &str, seed: u64) -> Sea {
    changed(name, seed, |course| {
        course.climate.adventures = LIVELY;
        course.climate.dew_point_c = course.climate.air_c - 2.0;
    })
}

fn ids(events: &[Event]) -> BTreeSet<(Kind, u64)> {
    events.iter().map(|event| (event.what, event.id)).collect()
}

#[test]
fn same_seed_is_the_same_adventure() {
    for name in ["admiralty", "gullwing"] {
        let sea = lively(name, 7);
        let (from, until) = (sea.course().start, sea.course().start.after(2 * DAY));
        let list = events::during(&sea, from, until);
        assert!(list.len() > 20, "{name}: {} events", list.len());
        // Another process, thread and order of questions.
        let again = std::thread::spawn(move || {
            let sea = lively(name, 7);
            let first = sea.at(sea.course().marks[0].place, from.after(9 * HOUR));
            assert!(first.wind_mps.is_finite());
            (events::during(&sea, from, until), events::strokes(&sea, from, until))
        });
        let (again, strokes) = again.join().unwrap();
        assert_eq!(list, again, "{name}");
        assert_eq!(strokes, events::strokes(&sea, from, until), "{name}");
        let other = events::during(&lively(name, 8), from, until);
        // The tide is the moon's, and a shift is known by its time alone.
        let drawn = |event: &&Event| !matches!(event.what, Kind::Overfalls | Kind::WindShift);
        let of = |events: &[Event]| ids(&events.iter().filter(drawn).copied().collect::<Vec<_>>());
        assert!(of(&list).is_disjoint(&of(&other)), "{name}: another seed is another adventure");
    }
}

/// Asked for hour by hour and quarter by quarter, as regions do, the list is the same.
#[test]
fn list_does_not_depend_on_how_it_is_divided() {
    let sea = lively("admiralty", 3);
    let (start, extent) = (sea.course().start, sea.course().extent);
    let whole = ids(&events::during(&sea, start, start.after(12 * HOUR)));
    let mut pieces = BTreeSet::new();
    let middle = extent.centre();
    for hour in 0..12 {
        for [x, y] in [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]] {
            let min = extent.min + (middle - extent.min) * DVec2::new(x, y);
            let area = Area { min, max: min + (middle - extent.min) };
            let (from, until) = (start.after(hour * HOUR), start.after((hour + 1) * HOUR));
            pieces.extend(ids(&events::within(&sea, area, from, until)));
        }
    }
    assert_eq!(whole, pieces);
}

/// Wind, waves and sight change little over a centimetre and over a tick, also over the borders of cells and patches, of
/// squares of ten kilometres, and of the minutes and half hours for which things are looked up.
#[test]
fn adventures_have_no_seams() {
    for name in ["admiralty", "gullwing"] {
        let sea = lively(name, 11);
        let extent = sea.course().extent;
        let draw =
            |i: u32, part: u32| fairway::noise::uniform(5, fairway::noise::Stream::Trial, [i, part, 0]);
        let mut acting = 0;
        for i in 0..4_000_u32 {
            let place = extent.min + (extent.max - extent.min) * DVec2::new(draw(i, 0), draw(i, 1));
            let hour = sea.course().start.0 + u64::from(i) * 7 * 60 * TICK_HZ;
            let edge = Tick(hour - hour % (30 * 60 * TICK_HZ));
            acting += events_near(&sea, place, edge, i);
            for side_m in [256.0, 10_000.0] {
                let border = (place / side_m).round() * side_m;
                let on = DVec2::new(border.x, place.y).clamp(extent.min, extent.max);
                alike(&sea, [on - DVec2::X * 0.01, on + DVec2::X * 0.01], [edge, edge]);
                let on = DVec2::new(place.x, border.y).clamp(extent.min, extent.max);
                alike(&sea, [on - DVec2::Y * 0.01, on + DVec2::Y * 0.01], [edge, edge]);
            }
            alike(&sea, [place, place], [Tick(edge.0 - 1), edge]);
            let minute = edge.after(u64::from(i % 30) * 60 * TICK_HZ);
            alike(&sea, [place, place], [Tick(minute.0 - 1), minute]);
        }
        assert!(acting > 20, "{name}: something happened {acting} times");
    }
}

/// How many events act there; asked now and then, because it takes long.
fn events_near(sea: &Sea, place: DVec2, tick: Tick, i: u32) -> usize {
    if i.is_multiple_of(40) { events::at(sea, place, tick).len() } else { 0 }
}

fn alike(sea: &Sea, places: [DVec2; 2], ticks: [Tick; 2]) {
    let [a, b] = [0, 1].map(|i| sea.water(places[i], ticks[i]));
    let off = |what: &str, difference: f64, most: f64| {
        assert!(difference < most, "{what} jumps by {difference} at {places:?} {ticks:?}");
    };
    // Gusts of a thunderstorm's wind pass at up to 30 m/s.
    off("wind", (a.wind_mps - b.wind_mps).length(), 0.4);
    let [near, far] = [0, 1].map(|i| 1.0 / sea.visibility_m(places[i], ticks[i]));
    off("extinction", (near - far).abs(), 5e-6);
    let passed = (ticks[1].0 - ticks[0].0) as f64;
    for i in 0..WAVES {
        off("amplitude", f64::from((a.waves.amplitude_m[i] - b.waves.amplitude_m[i]).abs()), 0.01);
        let turned = f64::from(b.waves.phase[i]) - f64::from(a.waves.phase[i])
            + f64::from(a.waves.omega_radps[i]) / std::f64::consts::TAU / TICK_HZ as f64 * passed;
        let turned = turned - (turned + 0.5).floor();
        off("phase", turned.abs(), 0.03);
    }
}

/// Over a year there is as much of everything as the climate says, within three standard deviations of Poisson's law.
#[test]
fn a_year_has_as_much_as_its_climate_says() {
    let mut sea = changed("admiralty", 21, |course| course.climate.adventures = LIVELY);
    let (from, days) = (Tick(40 * DAY), 365.0);
    let until = from.after(365 * DAY);
    let near = |what: &str, count: usize, per_day: f64| {
        let (count, mean) = (count as f64, per_day * days);
        assert!((count - mean).abs() < 3.0 * mean.sqrt(), "{what}: {count} in a year, {mean} expected");
    };
    let begins = |t_s: f64| (from.seconds()..until.seconds()).contains(&t_s);
    let weather = sea.weather();
    let fronts = weather.fronts(from, until);
    near("fronts", fronts.iter().filter(|front| begins(front.passes_s)).count(), 1.0);
    // Those whose way comes nearer to a place than their radius.
    let place = sea.course().extent.centre();
    let squalls = weather.squalls(from, until);
    for (thunder, per_day) in [(false, 4.0), (true, 2.0)] {
        let passing = squalls.iter().filter(|squall| squall.thunder == thunder).filter(|squall| {
            let way = squall.velocity_mps * squall.lasts_s;
            let along = ((place - squall.place).dot(way) / way.length_squared()).clamp(0.0, 1.0);
            (squall.place + way * along - place).length() < squall.radius_m && begins(squall.from_s)
        });
        near("squalls at a place", passing.count(), per_day);
    }
    let trains = sea.trains(from, until);
    near("swell trains", trains.iter().filter(|train| begins(train.passes_s)).count(), 12.0);
    let freaks = sea.freaks(from, until);
    let extent = sea.course().extent;
    let share = |i: u32, part| fairway::noise::uniform(2, fairway::noise::Stream::Trial, [i, part, 7]);
    let wet = (0..20_000)
        .filter(|&i| {
            let at = extent.min + (extent.max - extent.min) * DVec2::new(share(i, 0), share(i, 1));
            !sea.course().coast().is_land(at)
        })
        .count() as f64
        / 20_000.0;
    let side = extent.max - extent.min;
    let per_day = 8.0 * wet * side.x * side.y / 1e8;
    let (count, mean) = (freaks.iter().filter(|freak| begins(freak.at_s)).count() as f64, per_day * days);
    // In sheltered water too few components carry the sea for a crest of their height: there are fewer there.
    assert!(count < mean + 3.0 * mean.sqrt() && count > 0.8 * mean, "{count} freak waves, {mean} at most");
    sea = changed("admiralty", 21, |course| course.climate.adventures = Adventures::NONE);
    let kinds: BTreeSet<Kind> =
        events::during(&sea, from, from.after(30 * DAY)).iter().map(|event| event.what).collect();
    assert!(kinds.iter().all(|kind| matches!(kind, Kind::WindShift | Kind::Overfalls)), "{kinds:?}");
}
