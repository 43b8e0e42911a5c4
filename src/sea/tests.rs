use super::*;
use std::path::Path;

fn sea(name: &str) -> Sea {
    let course =
        Arc::new(Course::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name)).unwrap());
    let seed = course.seed;
    Sea::new(course, seed)
}

#[test]
fn sea_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Sea>();
}

#[test]
fn sea_makes_sense_along_both_courses() {
    for name in ["admiralty", "gullwing"] {
        let sea = sea(name);
        for mark in sea.course().marks.clone() {
            println!("{name} {}: {:.2?}", mark.name, sea.at(mark.place, sea.course().start));
        }
    }
}

/// Prints what the README quotes: `cargo test --release --lib sea::tests::costs -- --ignored --nocapture`.
#[test]
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
