//! The list is what is felt.

use fairway::atlas::{Adventures, Happening, Scripted};
use fairway::events::{self, Event, Kind};
use fairway::sea::Sea;
use fairway::trig::{heading, sin_cos_turns};
use fairway::units::{TICK_HZ, Tick, degrees, radians, wrap_angle};
use glam::DVec2;

use super::{DAY, HOUR, LIVELY, changed};

fn middle(event: &Event) -> Tick {
    Tick(u64::midpoint(event.from.0, event.until.0))
}

/// A course in a climate, and the same under one in which nothing happens.
fn pair(adventures: Adventures) -> [Sea; 2] {
    [adventures, Adventures::NONE]
        .map(|adventures| changed("admiralty", 5, |course| course.climate.adventures = adventures))
}

/// Events of some kinds that overlap with no other of them.
fn alone(sea: &Sea, kinds: &[Kind]) -> Vec<Event> {
    let start = sea.course().start;
    let list: Vec<Event> = events::during(sea, start, start.after(8 * DAY))
        .into_iter()
        .filter(|event| kinds.contains(&event.what) && event.from > start)
        .collect();
    let apart = |a: &Event, b: &Event| {
        a.until.0 + 3 * HOUR < b.from.0
            || b.until.0 + 3 * HOUR < a.from.0
            || !a.what.is_line()
                && !b.what.is_line()
                && (a.centre(middle(a)) - b.centre(middle(a))).length() > a.radius_m + b.radius_m + 500.0
    };
    list.iter().filter(|a| list.iter().all(|b| a.id == b.id || apart(a, b))).copied().collect()
}

#[test]
fn listed_squalls_are_in_the_wind() {
    let [sea, calm] = pair(Adventures { fronts_per_day: 0.0, ..LIVELY });
    let mut seen = 0;
    for event in alone(&sea, &[Kind::Squall, Kind::Thunderstorm]) {
        let tick = middle(&event);
        let ahead = event.velocity_mps.normalize();
        let place = event.centre(tick) + ahead * (0.4 * event.radius_m);
        // What has left the course by then is not looked at there.
        if !sea.course().extent.contains(event.centre(tick)) {
            continue;
        }
        let rise = |place, tick| (sea.mean_wind(place, tick) - calm.mean_wind(place, tick)).length();
        assert!((rise(place, tick) - event.strength).abs() < 0.05 * event.strength, "{event:?}");
        assert!(sea.visibility_m(event.centre(tick), tick) < 5_000.0, "no rain: {event:?}");
        for (outside, when) in [
            (event.centre(tick) + ahead * (event.radius_m + 1.0), tick),
            (event.place, Tick(event.from.0 - 1)),
            (event.centre(event.until), event.until.after(1)),
        ] {
            assert!(rise(outside, when) < 1e-9, "felt at {outside} {when:?}: {event:?}");
        }
        seen += 1;
    }
    assert!(seen > 5, "{seen} stood alone");
}

#[test]
fn listed_fronts_are_in_the_wind() {
    let [sea, calm] = pair(Adventures { fronts_per_day: 1.0, ..Adventures::NONE });
    let fronts = alone(&sea, &[Kind::Front]);
    for event in &fronts {
        let passed = event.from.after((1_800 + 95) * TICK_HZ);
        let [a, b] = [&sea, &calm].map(|sea| sea.mean_wind(event.place, passed));
        let veer_deg = degrees(wrap_angle(heading(a.x, a.y) - heading(b.x, b.y)));
        assert!((veer_deg - event.strength).abs() < 2.0, "veers by {veer_deg}°: {event:?}");
    }
    assert!(fronts.len() > 2, "{} stood alone", fronts.len());
}

#[test]
fn listed_waves_are_in_the_sea() {
    let [sea, calm] = pair(LIVELY);
    let start = sea.course().start;
    let (mut trains, mut freaks, mut crest) = (0, 0, 0.0);
    for event in events::during(&sea, start, start.after(DAY)) {
        if event.what == Kind::SwellTrain && event.from > start {
            let tick = middle(&event);
            let [a, b] = [&sea, &calm].map(|sea| sea.water(event.place, tick).waves.amplitude_m);
            let gain = f64::from(a[31] / b[31]);
            assert!((gain / event.strength - 1.0).abs() < 0.02, "swell raised by {gain}: {event:?}");
            trains += 1;
        }
        if event.what == Kind::FreakWave && event.from > start {
            let tick = middle(&event);
            let place = event.centre(tick);
            let waves = sea.water(place, tick).waves;
            let parts = waves.amplitude_m.iter().zip(&waves.phase);
            let height_m: f64 = parts.map(|(&a, &p)| f64::from(a) * sin_cos_turns(f64::from(p)).1).sum();
            crest += height_m / sea.at(place, tick).wave_hs_m / event.strength;
            freaks += 1;
        }
    }
    // Current and the wind's slow turns favour some of the components that stand in step.
    let share = crest / f64::from(freaks);
    assert!(trains > 3 && freaks > 10, "{trains} trains, {freaks} freak waves");
    assert!((0.85..1.15).contains(&share), "crests are {share} of what is listed");
}

#[test]
fn listed_fog_and_overfalls_are_there() {
    let sea = changed("admiralty", 5, |course| {
        course.climate.adventures = Adventures::NONE;
        course.climate.dew_point_c = course.climate.air_c - 1.8;
    });
    let start = sea.course().start;
    let (mut banks, mut overfalls) = (0, 0);
    for event in events::during(&sea, start, start.after(DAY)) {
        let tick = middle(&event);
        match event.what {
            Kind::Fog => {
                let seen_m = sea.visibility_m(event.centre(tick), tick);
                assert!((seen_m - event.strength).abs() < 60.0, "sees {seen_m} m: {event:?}");
                banks += 1;
            }
            Kind::Overfalls => {
                let steepness = sea.steepness(event.place, tick);
                assert!(steepness > 1.4 && steepness <= event.strength + 0.1, "{steepness}: {event:?}");
                overfalls += 1;
            }
            _ => {}
        }
    }
    assert!(banks > 3 && overfalls > 3, "{banks} banks, {overfalls} overfalls");
}

/// What a course's file has happen is on the list, where and when it says, and is felt, whatever the seed.
#[test]
fn scripted_events_happen_where_and_when_they_are_written() {
    let place = DVec2::new(700.0, 300.0);
    let script = |what, from_s: u64, lasts_s, radius_m, strength| Scripted {
        what,
        place,
        from: Tick(from_s * TICK_HZ),
        lasts_s,
        radius_m,
        strength,
        from_rad: Some(radians(270.0)),
        speed_mps: Some(2.0),
    };
    for seed in [1, 99] {
        let [sea, calm] = [true, false].map(|scripted| {
            changed("gullwing", seed, |course| {
                course.climate.adventures = Adventures::NONE;
                if scripted {
                    course.events = vec![
                        script(Happening::Squall, 600, 900.0, 800.0, 9.0),
                        script(Happening::Fog, 3_000, 1_200.0, 400.0, 80.0),
                    ];
                    course.events.iter_mut().for_each(|event| event.from = course.start.after(event.from.0));
                }
            })
        });
        let start = sea.course().start;
        let list: Vec<Event> = events::during(&sea, start, start.after(2 * HOUR))
            .into_iter()
            .filter(|event| event.scripted)
            .collect();
        let told: Vec<_> = list.iter().map(|event| (event.what, event.from.since(start) / TICK_HZ)).collect();
        assert_eq!(told, [(Kind::Squall, 600), (Kind::Fog, 3_000)]);
        let at = |s: u64| start.after(s * TICK_HZ);
        // It has gone east for 450 s at 2 m/s; its gust front is 320 m ahead.
        let front = place + DVec2::new(900.0 + 320.0, 0.0);
        let rise = |s: u64| (sea.wind(front, at(s)) - calm.wind(front, at(s))).length();
        assert!(rise(1_050) > 8.0, "{}", rise(1_050));
        assert!(rise(599) < 1e-9 && rise(1_501) < 1e-9);
        let seen_m = |s: u64| sea.visibility_m(place + DVec2::new(2.0 * (s as f64 - 3_000.0), 0.0), at(s));
        assert!((seen_m(3_600) - 80.0).abs() < 1.0 && seen_m(2_999) > 10_000.0 && seen_m(4_201) > 10_000.0);
        assert_eq!(events::at(&sea, place, at(3_010)).iter().filter(|event| event.scripted).count(), 1);
    }
}
