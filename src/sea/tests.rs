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
