use super::*;
use std::fs;

/// A folder with a copy of a course, of which one file is changed.
fn changed(course: &str, file: &str, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(course);
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    let path = dir.path().join(file);
    fs::write(&path, change(fs::read_to_string(&path).unwrap_or_default())).unwrap();
    dir
}

/// All faults of a course of which one file is changed.
fn faults(course: &str, file: &str, change: impl Fn(String) -> String) -> Vec<String> {
    let dir = changed(course, file, change);
    let errors = check(dir.path()).unwrap_err();
    errors.into_iter().map(|error| error.to_string()).collect()
}

/// Replaces text in the course file and expects one fault: one line that names the file and says all `parts`.
fn expect(course: &str, from: &str, to: &str, parts: &[&str]) {
    expect_in(
        course,
        "course.toml",
        |text| {
            assert!(text.contains(from), "{from} is not in the file");
            text.replacen(from, to, 1)
        },
        parts,
    );
}

fn expect_in(course: &str, file: &str, change: impl Fn(String) -> String, parts: &[&str]) {
    let faults = faults(course, file, change);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(!faults[0].contains('\n') && faults[0].contains("; "), "no remedy: {}", faults[0]);
    for part in parts {
        assert!(faults[0].contains(part), "\"{part}\" is missing: {}", faults[0]);
    }
}

#[test]
fn both_courses_load() {
    for name in ["admiralty", "gullwing"] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name);
        match check(&dir) {
            Ok(course) => assert_eq!(course.name, name),
            Err(errors) => panic!("{errors:#?}"),
        }
    }
}

/// Places that a chart shows as land or water.
#[test]
fn known_places_are_land_and_water() {
    let course = Course::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty")).unwrap();
    let land = |lat_deg, lon_deg| course.coast.is_land(course.place_of(lat_deg, lon_deg).unwrap());
    for (name, lat_deg, lon_deg) in [
        ("Whidbey Island", 48.16, -122.60),
        ("Marrowstone Island", 48.06, -122.69),
        ("Quimper Peninsula", 48.10, -122.79),
        ("Rat Island", 48.0887, -122.736),
        ("Fort Worden", 48.138, -122.764),
    ] {
        assert!(land(lat_deg, lon_deg), "{name} is land");
    }
    for (name, lat_deg, lon_deg) in [
        ("Admiralty Inlet", 48.12, -122.70),
        ("Port Townsend Bay", 48.09, -122.75),
        ("Saratoga Passage", 48.12, -122.54),
        ("off Point Wilson", 48.15, -122.75),
        ("Kilisut Harbor", 48.072, -122.711),
    ] {
        assert!(!land(lat_deg, lon_deg), "{name} is water");
    }
}

/// The example in the owners' manual is a course.
#[test]
fn the_manuals_example_is_a_course() {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/README.md")).unwrap();
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("course.toml"), example).unwrap();
    let mut heights = b"P5 65 65 65535\n".to_vec();
    heights.extend(std::iter::repeat_n(5000_u16.to_be_bytes(), 65 * 65).flatten());
    fs::write(dir.path().join("heights.pgm"), heights).unwrap();
    let course = check(dir.path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!((course.marks.len(), course.prims.len()), (2, 1));
    assert_eq!((course.rips.len(), course.events.len()), (1, 2));
}

#[test]
fn missing_files_are_named() {
    let errors = check(Path::new("regions/no-such-course")).unwrap_err();
    assert!(errors[0].0.contains("no-such-course/course.toml: cannot be read"), "{errors:?}");
    expect("admiralty", "coast.geojson", "cost.geojson", &["cost.geojson", "cannot be read"]);
    expect("admiralty", "stations.json", "station.json", &["station.json", "cannot be read"]);
    expect("gullwing", "heights.pgm", "depths.pgm", &["depths.pgm", "cannot be read"]);
}

#[test]
fn large_files_are_refused_unread() {
    let dir = changed("admiralty", "course.toml", |text| text);
    let file = fs::File::create(dir.path().join("coast.geojson")).unwrap();
    file.set_len(crate::limits::COURSE_FILE_BYTES + 1).unwrap();
    let errors = check(dir.path()).unwrap_err();
    assert!(errors.len() == 1 && errors[0].0.contains("coast.geojson: is too large"), "{errors:?}");
}

#[test]
fn bad_numbers_are_named_by_key() {
    expect("admiralty", "wind_mps = 6.8", "wind_mps = \"fresh\"", &["line ", "invalid type: string"]);
    expect("admiralty", "wind_mps = 6.8", "wind_mps = nan", &["climate.wind_mps: is NaN", "from 0.5 to 40"]);
    expect("admiralty", "wind_mps = 6.8", "wind_mps = -inf", &["climate.wind_mps: is -inf"]);
    expect("admiralty", "time_limit_s = 14400", "time_limit_s = 3", &["time_limit_s: is 3"]);
    expect("admiralty", "seed = 1792", "seed = -1", &["line ", "-1"]);
    expect("admiralty", "radius_m = 150", "radius_m = 0", &["mark 1 \"Point Wilson\" radius_m: is 0"]);
    expect("gullwing", "step_m = 0.001", "step_m = 0", &["depth.step_m: is 0"]);
    expect(
        "gullwing",
        "high_water = \"2025",
        "high_water = \"at noon 2025",
        &["high_water", "is not a time"],
    );
    expect("admiralty", "period_s = 10", "period_s = 100", &["swell 1 period_s: is 100"]);
}

#[test]
fn unknown_and_missing_keys_are_named_by_line() {
    expect("admiralty", "shift_deg = 6", "shft_deg = 6", &["line ", "unknown field `shft_deg`"]);
    expect("admiralty", "seed = 1792\n", "", &["missing field `seed`"]);
    expect("admiralty", "seed = 1792", "seed == 1792", &["line 6"]);
    expect("admiralty", "[[marks]]", "[[buoys]]", &["unknown field `buoys`"]);
}

#[test]
fn marks_and_legs_on_land_are_refused() {
    let move_first = |to: &str, parts: &[&str]| expect("admiralty", "at = [48.1580, -122.7350]", to, parts);
    // Behind Fort Worden: the mark is land, and both its legs cross the coast.
    let faults = faults("admiralty", "course.toml", |text| {
        text.replacen("at = [48.1580, -122.7350]", "at = [48.138, -122.764]", 1)
    });
    assert!(
        faults.iter().any(|f| f.contains("mark 1 \"Point Wilson\": lies on land; move it")),
        "{faults:#?}"
    );
    assert!(faults.iter().any(|f| f.contains("leg 1 to \"Point Wilson\": goes over land")), "{faults:#?}");
    move_first("at = [58.1, -122.7]", &["mark 1", "nowhere near", "latitude and longitude"]);
    move_first("at = [-122.735, 48.158]", &["mark 1", "nowhere near", "in this order"]);
    // South of Marrowstone Island, in the water, but the straight way there leads over the island.
    expect("admiralty", "at = [48.0340, -122.6180]", "at = [48.012, -122.705]", &["leg 4", "goes over land"]);
    expect("gullwing", "at = [450, 330]", "at = [-50, 330]", &["mark 4", "outside the course's extent"]);
}

#[test]
fn start_line_over_land_is_refused() {
    let faults = faults("admiralty", "course.toml", |text| {
        text.replacen("port = [48.1180, -122.7440]", "port = [48.1180, -122.7600]", 1)
    });
    assert!(faults.iter().any(|f| f.contains("start_line.port: lies on land")), "{faults:#?}");
    assert!(faults.iter().any(|f| f.contains("start_line: crosses the coast")), "{faults:#?}");
    expect("gullwing", "port = [420, 260]", "port = [420, 160]", &["start_line", "from 1 m to 5 km long"]);
}

#[test]
fn start_outside_the_calendar_of_the_tide_is_refused() {
    expect(
        "admiralty",
        "start = \"2025-06",
        "start = \"2055-06",
        &["start: is outside the years 2015 to 2045"],
    );
    expect("admiralty", "start = \"2025-06", "start = \"2024-06", &["start: is before the epoch"]);
}

#[test]
fn broken_station_files_are_named_by_station() {
    let change = |from: &'static str, to: &'static str, parts: &[&str]| {
        expect_in(
            "admiralty",
            "stations.json",
            |text| {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            },
            parts,
        );
    };
    change("\"units\":\"knots\"", "\"units\":\"furlongs\"", &["station PUG1623_45", "furlongs"]);
    change("\"M2\":[2.25", "\"M22\":[2.25", &["station 9444900", "refers to the constituent \"M22\""]);
    change("\"flood_dir_deg\":120", "\"flood_dir_deg\":361", &["station PUG1623_45", "no directions"]);
    change("\"lat\":48.1129", "\"lat\":18.1129", &["station 9444900", "nowhere near"]);
    change("\"stations\":[", "\"stations\":{", &["line 4", "not a station file"]);
}

#[test]
fn unknown_stations_are_answered_with_the_known_ones() {
    let course = Course::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/admiralty")).unwrap();
    assert_eq!(course.station("pug1616_31").unwrap().id, "PUG1616_31");
    assert_eq!(course.station("foulweather").unwrap().id, "9445016");
    let unknown = course.station("Atlantis").unwrap_err().0;
    assert!(unknown.contains("unknown station \"Atlantis\"") && unknown.contains("9444900"), "{unknown}");
    let several = course.station("Marrowstone").unwrap_err().0;
    assert!(several.contains("PUG1619_46") && several.contains("PUG1620_28"), "{several}");
}

#[test]
fn broken_coasts_are_named_by_feature() {
    let coast = |line: &'static str, parts: &[&str]| {
        let collection = format!("{{\"features\":[\n{{\"geometry\":{line}}}]}}");
        expect_in("admiralty", "coast.geojson", |_| collection.clone(), parts);
    };
    coast(
        "{\"type\":\"LineString\",\"coordinates\":[[-122.7,48.2],[-122.6,48.2],[-122.6,48.19]]}",
        &["feature 1", "not a closed ring"],
    );
    coast("{\"type\":\"Point\",\"coordinates\":[-122.7,48.2]}", &["line 2", "not a coast"]);
    coast(
        "{\"type\":\"LineString\",\"coordinates\":[[48.2,-122.7],[48.2,-122.6],[48.3,-122.6],[48.2,-122.7]]}",
        &["feature 1", "longitude first"],
    );
}

#[test]
fn broken_heightmaps_and_prims_are_named() {
    expect_in("gullwing", "heights.pgm", |_| "P5 97 65 255\n".into(), &["heights.pgm", "16 bits"]);
    expect("gullwing", "spacing_m = 16", "spacing_m = 15", &["depth.heightmap", "1440 × 960 m only"]);
    expect("gullwing", "size_m = [60, 8, 1]", "radius_m = 4", &["prim 4 \"Harbour dock\"", "sizes"]);
    expect("gullwing", "shape = \"ball\"", "shape = \"cone\"", &["line ", "unknown variant `cone`"]);
    expect("gullwing", "at = [655, 470]", "at = [2655, 470]", &["prim 6 \"Gull Rock\"", "outside"]);
    expect(
        "gullwing",
        "[tide.stated]",
        "[tide]\nstations = \"s.json\"\n[tide.stated]",
        &["tide", "neither or both"],
    );
}

#[test]
fn several_faults_are_found_at_once() {
    let faults =
        faults("admiralty", "course.toml", |text| {
            text.replace("wind_mps = 6.8", "wind_mps = 99")
                .replace("deepest_m = 75.0", "deepest_m = 0")
                .replacen("at = [48.1100, -122.6700]", "at = [48.06, -122.69]", 1)
        });
    for part in ["climate.wind_mps", "depth.deepest_m", "mark 3 \"Marrowstone Point\": lies on land"] {
        assert!(faults.iter().any(|fault| fault.contains(part)), "{part}: {faults:#?}");
    }
}

#[test]
fn places_and_ticks_convert_both_ways() {
    let regions = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions");
    let course = Course::load(&regions.join("admiralty")).unwrap();
    let place = course.place_of(48.034, -122.618).unwrap();
    let (lat_deg, lon_deg) = course.geographic_of(place).unwrap();
    assert!((lat_deg - 48.034).abs() < 1e-8 && (lon_deg + 122.618).abs() < 1e-8);
    assert!(course.place_of_grid(1000.0, 1000.0).is_err());
    assert!((course.unix_s_of(course.start) - 1_749_322_800.0).abs() < 1e-6, "2025-06-07T19:00:00Z");
    assert_eq!(course.tick_at(course.unix_s_of(course.start)), course.start);
    assert_eq!(course.tick_at(0.0), Tick(0));

    let course = Course::load(&regions.join("gullwing")).unwrap();
    assert_eq!(course.place_of_grid(1002.5, 1001.0).unwrap(), DVec2::new(640.0, 256.0));
    assert!(course.place_of(48.0, -122.0).unwrap_err().0.contains("virtual grid"));
    assert!(course.place_of_grid(f64::NAN, 1000.0).is_err());
    assert!(course.geographic_of(DVec2::ZERO).is_none());
}

/// A course with lines added to its file: all faults, or none.
fn added(course: &str, lines: &str) -> Vec<String> {
    let dir = changed(course, "course.toml", |text| format!("{text}\n{lines}\n"));
    match check(dir.path()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
    }
}

#[test]
fn events_and_rips_are_read() {
    let lines = "[[events]]\nwhat = \"squall\"\nat = [700, 300]\nafter_s = 600\nradius_m = 900\nfrom_deg = 270\n\
                 [[events]]\nwhat = \"fog\"\nat = [700, 300]\ntime = \"2025-06-01T12:20:00Z\"\nlasts_s = 900\n\
                 [[rips]]\nname = \"The Race\"\nat = [1200, 500]\nradius_m = 200\nstrength = 1.5";
    let dir = changed("gullwing", "course.toml", |text| format!("{text}\n{lines}\n"));
    let course = check(dir.path()).unwrap();
    let [squall, fog] = [course.events[0], course.events[1]];
    assert_eq!((squall.from, squall.radius_m, squall.lasts_s), (course.start.after(27_000), 900.0, 1_800.0));
    assert_eq!((fog.from, fog.lasts_s, fog.from_rad), (course.start.after(54_000), 900.0, None));
    assert_eq!((squall.place, course.rips[0].strength), (DVec2::new(700.0, 300.0), 1.5));
}

#[test]
fn events_that_cannot_be_are_named() {
    let event = |keys: &str| format!("[[events]]\nat = [700, 300]\n{keys}");
    for (keys, parts) in [
        ("what = \"squal\"\nafter_s = 1", ["squal", "expected"]),
        ("what = \"squall\"", ["event 1", "when it begins"]),
        ("what = \"squall\"\nafter_s = -1", ["event 1 after_s", "from 0"]),
        ("what = \"squall\"\nafter_s = 1\nstrength = 90", ["event 1 strength", "from 1 to 40"]),
        ("what = \"fog\"\nafter_s = 1\nradius_m = 1e6", ["event 1 radius_m", "from 100 to 15000"]),
        ("what = \"front\"\nafter_s = 1\nradius_m = 500", ["event 1", "horizon"]),
        ("what = \"swell_train\"\nafter_s = 1", ["event 1", "[[swell]]"]),
        ("what = \"freak_wave\"\nafter_s = 1\nspeed_mps = 3", ["event 1", "periods"]),
        ("what = \"fog\"\ntime = \"noon\"", ["event 1 time", "not a time"]),
        ("what = \"fog\"\ntime = \"2024-06-01T12:20:00Z\"", ["event 1", "before the course's epoch"]),
    ] {
        let faults = added("gullwing", &event(keys));
        assert_eq!(faults.len(), 1, "{keys}: {faults:#?}");
        assert!(parts.iter().all(|part| faults[0].contains(part)), "{keys}: {}", faults[0]);
        assert!(faults[0].contains("course.toml") && faults[0].contains("; "), "{}", faults[0]);
    }
    expect(
        "gullwing",
        "visibility_m = 20000",
        "visibility_m = 20000\nsqualls_per_day = 99",
        &["climate.squalls_per_day", "from 0 to 48"],
    );
    let many = event("what = \"fog\"\nafter_s = 1\n").repeat(300);
    assert!(added("gullwing", &many)[0].contains("at most"));
}
