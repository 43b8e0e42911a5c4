//! From the files of a course folder to a [`Course`], or to everything that is wrong with them.

use std::collections::BTreeMap;
use std::path::Path;

use glam::{DVec2, DVec3};
use serde::Deserialize;

use super::course::Frame;
use super::depth::HeightMap;
use super::faults::{Fault, Faults};
use super::file::{ClimateTable, CourseFile, DepthTable, Place, PlaceTable, PrimTable, ShapeName, TideTable};
use super::files::{Files, Source};
use super::measured::Spectrum;
use super::projection::Projection;
use super::stations::StatedTide;
use super::{
    Area, Climate, Coast, Course, CourseError, Depth, LandRaster, Mark, Measures, Prim, Shape, StartLine,
    Station, Swell, adventures, stations,
};
use crate::limits::{COURSE_COAST_POINTS, COURSE_MARKS, COURSE_PRIMS, COURSE_SIDE_M, COURSE_STATIONS};
use crate::units::{TICK_HZ, Tick, radians, wrap_heading};

/// Reads a course folder and checks all of it.
///
/// # Errors
/// Everything that was found wrong, one line each: file, place in it, what is wrong, and what to do.
pub fn check(dir: &Path) -> Result<Course, Vec<CourseError>> {
    check_source(&Files::new(dir, Source::Disk))
}

/// Checks a course whose files are in memory, by their names; `name` is the course's.
///
/// # Errors
/// As [`check`].
pub fn check_files(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<Course, Vec<CourseError>> {
    check_source(&Files::new(Path::new(name), Source::Memory(files)))
}

/// The files that a course is read from, by their names in its folder, checked as [`check`] does: all that it takes
/// elsewhere.
///
/// # Errors
/// The first fault.
pub fn course_files(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, CourseError> {
    let files = Files::new(dir, Source::Disk);
    let first = |errors: Vec<CourseError>| errors.into_iter().next();
    if let Err(Some(error)) = check_source(&files).map(drop).map_err(first) {
        return Err(error);
    }
    let read = |name: String| files.bytes(&name).map(|bytes| (name, bytes));
    files.names().into_iter().map(read).collect::<Result<_, _>>().map_err(|fault| fault.into_error())
}

fn check_source(files: &Files<'_>) -> Result<Course, Vec<CourseError>> {
    let path = files.dir().join(COURSE_FILE);
    let mut faults = Faults::of(&path);
    let course = files
        .text(COURSE_FILE)
        .and_then(|text| parse(&path, &text))
        .map_err(|fault| faults.push(fault))
        .ok()
        .and_then(|file| Reader { dir: files.dir(), files, faults: &mut faults }.course(file));
    match course {
        Some(course) if faults.is_empty() => Ok(course),
        _ => Err(faults.into_errors()),
    }
}

/// Bytes of a mark's name: every record of a vessel that sails the course carries it.
const MARK_NAME_BYTES: usize = 128;

/// Name of the file that says what the others are.
const COURSE_FILE: &str = "course.toml";

/// The tables of a course file.
fn parse(path: &Path, text: &str) -> Result<CourseFile, Fault> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(0, |span| 1 + text.bytes().take(span.start).filter(|&byte| byte == b'\n').count());
        let remedy = "see regions/README.md for the keys and their values";
        Fault::new(path, format!("line {line}"), error.message(), remedy)
    })
}

/// A reader of one course folder, which goes on after a fault to find the next.
pub(super) struct Reader<'a> {
    dir: &'a Path,
    files: &'a Files<'a>,
    pub(super) faults: &'a mut Faults,
}

impl Reader<'_> {
    fn course(mut self, file: CourseFile) -> Option<Course> {
        let name = self.name();
        let epoch_unix_s = self.moment("epoch", &file.epoch);
        let start_unix_s = self.moment("start", &file.start);
        self.faults.range("time_limit_s", file.time_limit_s, 60.0, 30.0 * 86_400.0);
        self.faults.range("cell_m", file.cell_m, 64.0, 4096.0);
        let start = self.start(epoch_unix_s, start_unix_s);
        let climate = self.climate(&file.climate);
        let swells = self.swells(&file);
        let spectrum = file.spectrum.as_deref().and_then(|file| self.spectrum(file));
        let wildlife = super::wildlife::read(&file.creatures, self.faults);
        let frame = self.frame(&file.place);
        let extent = self.extent(&file.place);
        let (frame, extent) = (frame?, extent?);
        let depth = self.depth(&file.depth, extent);
        let coast = self.coast(&file.place, &frame, depth.as_ref());
        let stations = self.stations(&file.tide, &frame, extent);
        self.check_years(&stations, start_unix_s, file.time_limit_s);
        let prims = self.prims(&file.prims, &frame, extent);
        let start_line = self.start_line(&file, &frame);
        let marks = self.marks(&file, &frame);
        let rips = adventures::rips(&mut self, &file.rips, &frame);
        let moments = [epoch_unix_s, start_unix_s];
        let events = adventures::scripted(&mut self, &file.events, &frame, swells.len(), moments);
        let (depth, coast) = (depth?, coast?);
        let raster = LandRaster::of(&coast, extent);
        let course = Course {
            name,
            title: file.title,
            digest: self.files.digest(),
            seed: file.seed,
            epoch_unix_s: epoch_unix_s?,
            start: start?,
            cell_m: file.cell_m,
            prims_per_region: file.prims_per_region,
            start_line: start_line?,
            marks,
            time_limit_s: file.time_limit_s,
            prims,
            extent,
            climate,
            swells,
            spectrum,
            wildlife,
            events,
            rips,
            stations,
            frame,
            coast,
            raster,
            depth,
        };
        self.check_waters(&course);
        Some(course)
    }

    /// The folder's own name, also of a folder given as `.`.
    fn name(&mut self) -> String {
        let name = std::path::absolute(self.dir).ok();
        let name = name.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| {
            self.faults.add(
                "",
                "has no folder name, which is the course's",
                "put it into a folder of its own",
            );
            String::new()
        })
    }

    /// Seconds since the Unix epoch of an RFC 3339 time.
    pub(super) fn moment(&mut self, key: &str, text: &str) -> Option<i64> {
        match text.parse::<jiff::Timestamp>() {
            Ok(moment) => Some(moment.as_second()),
            Err(error) => {
                let what = format!("\"{text}\" is not a time ({error})");
                self.faults.add(key, what, "write it like \"2025-06-07T19:00:00Z\"");
                None
            }
        }
    }

    fn start(&mut self, epoch_unix_s: Option<i64>, start_unix_s: Option<i64>) -> Option<Tick> {
        let seconds =
            start_unix_s?.checked_sub(epoch_unix_s?).and_then(|seconds| u64::try_from(seconds).ok());
        if seconds.is_none() {
            self.faults.add("start", "is before the epoch", "let the epoch be the earlier one");
        }
        Some(Tick(seconds?.checked_mul(TICK_HZ)?))
    }

    fn climate(&mut self, table: &ClimateTable) -> Climate {
        let mut range = |key: &str, value, least, most| {
            self.faults.range(format!("climate.{key}"), value, least, most);
        };
        range("wind_mps", table.wind_mps, 0.5, 40.0);
        range("wind_from_deg", table.wind_from_deg, 0.0, 360.0);
        range("shift_deg", table.shift_deg, 0.0, 45.0);
        range("shift_share", table.shift_share, 0.0, 0.5);
        range("gustiness", table.gustiness, 0.0, 3.0);
        range("fetch_m", table.fetch_m, 100.0, 2_000_000.0);
        range("air_c", table.air_c, -60.0, 60.0);
        range("dew_point_c", table.dew_point_c, -60.0, table.air_c);
        range("visibility_m", table.visibility_m, 50.0, 100_000.0);
        Climate {
            wind_mps: table.wind_mps,
            wind_from_rad: wrap_heading(radians(table.wind_from_deg)),
            shift_rad: radians(table.shift_deg),
            shift_share: table.shift_share,
            gustiness: table.gustiness,
            fetch_m: table.fetch_m,
            air_c: table.air_c,
            dew_point_c: table.dew_point_c,
            visibility_m: table.visibility_m,
            adventures: adventures::rates(self, table),
        }
    }

    fn spectrum(&mut self, file: &str) -> Option<Spectrum> {
        let path = self.dir.join(file);
        let read = self.files.text(file).and_then(|text| Spectrum::parse(&path, &text));
        self.faults.take(read)
    }

    fn swells(&mut self, file: &CourseFile) -> Vec<Swell> {
        if file.swell.len() > 2 {
            self.faults.add("swell", format!("is given {} times", file.swell.len()), "give two at most");
        }
        let mut swells = Vec::new();
        for (number, table) in (1..).zip(file.swell.iter().take(2)) {
            self.faults.range(format!("swell {number} height_m"), table.height_m, 0.0, 15.0);
            self.faults.range(format!("swell {number} period_s"), table.period_s, 3.0, 25.0);
            self.faults.range(format!("swell {number} from_deg"), table.from_deg, 0.0, 360.0);
            swells.push(Swell {
                height_m: table.height_m,
                period_s: table.period_s,
                from_rad: wrap_heading(radians(table.from_deg)),
            });
        }
        swells
    }

    fn frame(&mut self, place: &PlaceTable) -> Option<Frame> {
        match (place.lat_deg, place.lon_deg, place.region) {
            (Some(lat_deg), Some(lon_deg), None) => {
                self.faults.range("place.lat_deg", lat_deg, -80.0, 80.0);
                self.faults.range("place.lon_deg", lon_deg, -180.0, 180.0);
                Some(Frame::Earth(Projection::new(lat_deg, lon_deg)))
            }
            (None, None, Some(region)) => Some(Frame::Grid { region }),
            _ => {
                let remedy = "give lat_deg and lon_deg on Earth, or region = [X, Y] on a virtual grid";
                self.faults.add("place", "says neither or both of where the course lies", remedy);
                None
            }
        }
    }

    /// The extent on Earth as written, on a grid that of its regions.
    fn extent(&mut self, place: &PlaceTable) -> Option<Area> {
        let corners = match (place.extent_m, place.regions) {
            (Some(corners), None) if place.region.is_none() => corners,
            (None, Some([columns, rows])) if place.region.is_some() => [
                0.0,
                0.0,
                f64::from(columns) * crate::limits::CELL_M,
                f64::from(rows) * crate::limits::CELL_M,
            ],
            _ => {
                let remedy = "give extent_m = [west, south, east, north] on Earth, or regions = [columns, rows] on a grid";
                self.faults.add("place", "does not say how far the course extends", remedy);
                return None;
            }
        };
        let [west, south, east, north] = corners;
        let sides = [east - west, north - south];
        if sides.iter().all(|&side| (256.0..=COURSE_SIDE_M).contains(&side)) && west.abs() + south.abs() < 2e5
        {
            return Some(Area { min: DVec2::new(west, south), max: DVec2::new(east, north) });
        }
        let what = format!("is {} m wide and {} m high", sides[0], sides[1]);
        self.faults.add(
            "place extent",
            what,
            format!("give sides from 256 m to {COURSE_SIDE_M} m, near the anchor"),
        );
        None
    }

    fn depth(&mut self, table: &DepthTable, extent: Area) -> Option<Depth> {
        match (&table.heightmap, table.shore_slope, table.deepest_m) {
            (Some(file), None, None) => {
                let (Some(spacing_m), Some(lowest_m), Some(step_m)) =
                    (table.spacing_m, table.lowest_m, table.step_m)
                else {
                    let remedy = "give spacing_m, lowest_m and step_m";
                    self.faults.add("depth", "does not say what the heightmap's samples mean", remedy);
                    return None;
                };
                self.faults.range("depth.spacing_m", spacing_m, 0.5, 1000.0);
                self.faults.range("depth.lowest_m", lowest_m, -11_000.0, 9000.0);
                self.faults.range("depth.step_m", step_m, 1e-4, 1.0);
                let path = self.dir.join(file);
                let map = self.files.bytes(file).and_then(|bytes| {
                    HeightMap::from_pgm(&bytes, extent.min, spacing_m, lowest_m, step_m)
                        .map_err(|what| Fault::new(&path, "", what, "export the heights again as 16-bit PGM"))
                });
                let map = self.faults.take(map)?;
                let covered = map.area().max;
                if covered.x < extent.max.x || covered.y < extent.max.y {
                    let what =
                        format!("covers {} × {} m only", covered.x - extent.min.x, covered.y - extent.min.y);
                    self.faults.add("depth.heightmap", what, "let it cover the course's extent");
                }
                Some(Depth::Map(map))
            }
            (None, Some(slope), Some(deepest_m)) => {
                self.faults.range("depth.shore_slope", slope, 0.001, 2.0);
                self.faults.range("depth.deepest_m", deepest_m, 1.0, 11_000.0);
                Some(Depth::Shore { slope, deepest_m })
            }
            _ => {
                let remedy = "give a heightmap, or shore_slope and deepest_m";
                self.faults.add("depth", "says neither or both of where depths come from", remedy);
                None
            }
        }
    }

    fn coast(&mut self, place: &PlaceTable, frame: &Frame, depth: Option<&Depth>) -> Option<Coast> {
        match (&place.coast, frame, depth) {
            (Some(file), Frame::Earth(projection), _) => {
                let path = self.dir.join(file);
                let rings = self.files.text(file).and_then(|text| geojson_rings(&path, &text, projection));
                self.faults.take(rings).map(Coast::new)
            }
            (Some(_), Frame::Grid { .. }, _) => {
                let remedy = "leave it out: the heightmap has it";
                self.faults.add("place.coast", "is given on a virtual grid", remedy);
                None
            }
            (None, _, Some(Depth::Map(map))) => {
                let rings = map.rings(0.0);
                if rings.is_none() {
                    let what = format!("has a shore of more than {COURSE_COAST_POINTS} points");
                    self.faults.add("depth.heightmap", what, "smooth it, or take a wider spacing");
                }
                rings.map(Coast::new)
            }
            (None, _, Some(Depth::Shore { .. })) => {
                let remedy = "name a GeoJSON file of land polygons";
                self.faults.add("place.coast", "is missing, and the shore rule needs it", remedy);
                None
            }
            (None, _, None) => None,
        }
    }

    fn stations(&mut self, table: &TideTable, frame: &Frame, extent: Area) -> Vec<Station> {
        match (&table.stations, &table.stated, frame) {
            (Some(file), None, Frame::Earth(projection)) => {
                let path = self.dir.join(file);
                let read = self
                    .files
                    .text(file)
                    .and_then(|text| stations::parse(&path, &text))
                    .and_then(|list| placed(&path, list, projection));
                self.faults.take(read).unwrap_or_default()
            }
            (None, Some(stated), _) => {
                let mut range = |key: &str, value, least, most| {
                    self.faults.range(format!("tide.stated.{key}"), value, least, most);
                };
                range("period_h", stated.period_h, 0.1, 1000.0);
                range("mean_m", stated.mean_m, -20.0, 20.0);
                range("amplitude_m", stated.amplitude_m, 0.0, 10.0);
                range("flood_lead_h", stated.flood_lead_h, -1000.0, 1000.0);
                range("flood_mps", stated.flood_mps, -8.0, 8.0);
                range("ebb_mps", stated.ebb_mps, -8.0, 8.0);
                range("flood_to_deg", stated.flood_to_deg, 0.0, 360.0);
                range("ebb_to_deg", stated.ebb_to_deg, 0.0, 360.0);
                let high_water = self.moment("tide.stated.high_water", &stated.high_water);
                let Some(high_water_unix_s) = high_water else { return Vec::new() };
                StatedTide {
                    period_s: stated.period_h * 3600.0,
                    high_water_unix_s,
                    mean_m: stated.mean_m,
                    amplitude_m: stated.amplitude_m,
                    flood_lead_s: stated.flood_lead_h * 3600.0,
                    flood_mps: stated.flood_mps,
                    ebb_mps: stated.ebb_mps,
                    axis: [super::toward(stated.flood_to_deg), super::toward(stated.ebb_to_deg)],
                }
                .stations(extent.centre())
            }
            _ => {
                let remedy = "give stations = \"FILE\" on Earth, or a [tide.stated] table";
                self.faults.add("tide", "says neither or both of where the tide comes from", remedy);
                Vec::new()
            }
        }
    }

    /// The stations' tables must reach over every passage that starts when the course says.
    fn check_years(&mut self, stations: &[Station], start_unix_s: Option<i64>, time_limit_s: f64) {
        let Some(start_unix_s) = start_unix_s else { return };
        #[expect(clippy::cast_possible_truncation, reason = "a month of seconds")]
        let end_unix_s = start_unix_s.saturating_add(time_limit_s.clamp(0.0, 1e7) as i64);
        let outside = stations.iter().find(|station| {
            let years = &station.constituents.year_start_s;
            station.geographic_deg.is_some()
                && !(years.first().is_some_and(|&first| first <= start_unix_s)
                    && years.last().is_some_and(|&last| end_unix_s < last))
        });
        if let Some(station) = outside {
            let (first, last) = (station.constituents.first_year, station.constituents.last_year());
            let what = format!("is outside the years {first} to {last} that station {} knows", station.id);
            self.faults.add("start", what, "start in one of them");
        }
    }

    /// A place as written.
    pub(super) fn place(&mut self, key: &str, at: Place, frame: &Frame) -> Option<DVec2> {
        let place = match frame {
            Frame::Earth(projection) => projection.place_of(at[0], at[1]),
            Frame::Grid { .. } => Some(DVec2::from(at)).filter(|place| place.length() < 2e5),
        };
        if place.is_none() {
            let remedy = match frame {
                Frame::Earth(_) => "give latitude and longitude in degrees, in this order",
                Frame::Grid { .. } => "give metres east and north of the first region's south-west corner",
            };
            self.faults.add(key, format!("[{}, {}] is nowhere near the course", at[0], at[1]), remedy);
        }
        place
    }

    fn start_line(&mut self, file: &CourseFile, frame: &Frame) -> Option<StartLine> {
        self.faults.range("start_line.heading_deg", file.start_line.heading_deg, 0.0, 360.0);
        let port = self.place("start_line.port", file.start_line.port, frame);
        let starboard = self.place("start_line.starboard", file.start_line.starboard, frame);
        let heading_rad = wrap_heading(radians(file.start_line.heading_deg));
        let line = StartLine { port: port?, starboard: starboard?, heading_rad };
        if !(1.0..=5000.0).contains(&(line.port - line.starboard).length()) {
            self.faults.add("start_line", "is not from 1 m to 5 km long", "move one of its ends");
        }
        Some(line)
    }

    fn marks(&mut self, file: &CourseFile, frame: &Frame) -> Vec<Mark> {
        if file.marks.is_empty() || file.marks.len() > COURSE_MARKS {
            let what = format!("are {} in number", file.marks.len());
            self.faults.add("marks", what, format!("give one, the finish, to {COURSE_MARKS}"));
        }
        let mut marks = Vec::new();
        for (number, table) in (1..).zip(file.marks.iter().take(COURSE_MARKS)) {
            let key = format!("mark {number} \"{}\"", table.name);
            self.faults.range(format!("{key} radius_m"), table.radius_m, 1.0, 5000.0);
            if table.name.len() > MARK_NAME_BYTES {
                let what = format!("has a name of {} bytes", table.name.len());
                self.faults.add(format!("mark {number}"), what, format!("give {MARK_NAME_BYTES} at most"));
            }
            if let Some(place) = self.place(&key, table.at, frame) {
                marks.push(Mark { name: table.name.clone(), place, radius_m: table.radius_m });
            }
        }
        marks
    }

    fn prims(&mut self, tables: &[PrimTable], frame: &Frame, extent: Area) -> Vec<Prim> {
        if tables.len() > COURSE_PRIMS {
            let what = format!("are {} in number", tables.len());
            self.faults.add("prims", what, format!("give {COURSE_PRIMS} at most"));
        }
        let mut prims = Vec::new();
        for (number, table) in (1..).zip(tables.iter().take(COURSE_PRIMS)) {
            let key = format!("prim {number} \"{}\"", table.name);
            self.faults.range(format!("{key} z_m"), table.z_m, -200.0, 200.0);
            self.faults.range(format!("{key} heading_deg"), table.heading_deg, 0.0, 360.0);
            let shape = self.shape(&key, table);
            let Some(place) = self.place(&key, table.at, frame) else { continue };
            if !extent.contains(place) {
                self.faults.add(&key, "lies outside the course's extent", "move it, or widen the extent");
            }
            let Some(shape) = shape else { continue };
            prims.push(Prim {
                name: table.name.clone(),
                centre_m: DVec3::new(place.x, place.y, table.z_m),
                heading_rad: wrap_heading(radians(table.heading_deg)),
                shape,
            });
        }
        prims
    }

    fn shape(&mut self, key: &str, table: &PrimTable) -> Option<Shape> {
        let sizes: Vec<f64> =
            table.size_m.into_iter().flatten().chain(table.radius_m).chain(table.height_m).collect();
        for size_m in sizes {
            self.faults.range(format!("{key} size"), size_m, 0.01, 500.0);
        }
        match (table.shape, table.size_m, table.radius_m, table.height_m) {
            (ShapeName::Box, Some(size_m), None, None) => Some(Shape::Box(DVec3::from(size_m) * 0.5)),
            (ShapeName::Cylinder, None, Some(radius_m), Some(height_m)) => {
                Some(Shape::Cylinder { radius_m, half_height_m: 0.5 * height_m })
            }
            (ShapeName::Ball, None, Some(radius_m), None) => Some(Shape::Ball(radius_m)),
            _ => {
                let remedy = "give size_m = [length, breadth, height] for a box, radius_m and height_m for a \
                              cylinder, radius_m for a ball";
                self.faults.add(key, "has not the sizes that its shape needs", remedy);
                None
            }
        }
    }

    /// Marks and legs must lie in the water, within the extent.
    fn check_waters(&mut self, course: &Course) {
        let line = course.start_line;
        for (key, place) in [("start_line.port", line.port), ("start_line.starboard", line.starboard)] {
            self.check_place(course, key, place);
        }
        if course.coast.crosses(line.port, line.starboard) {
            self.faults.add("start_line", "crosses the coast", "move one of its ends");
        }
        for (number, mark) in (1..).zip(&course.marks) {
            self.check_place(course, &format!("mark {number} \"{}\"", mark.name), mark.place);
        }
        for (number, ((from, to), mark)) in (1..).zip(course.legs().zip(&course.marks)) {
            if course.coast.crosses(from, to) {
                let key = format!("leg {number} to \"{}\"", mark.name);
                self.faults.add(key, "goes over land", "move its ends, or put a mark between them");
            }
        }
    }

    fn check_place(&mut self, course: &Course, key: &str, place: DVec2) {
        if !course.extent.contains(place) {
            self.faults.add(key, "lies outside the course's extent", "move it, or widen the extent");
        } else if course.coast.is_land(place) {
            self.faults.add(key, "lies on land", "move it into the water");
        }
    }
}

/// Stations in the course frame, of which there must be some for height and some for current.
fn placed(path: &Path, mut list: Vec<Station>, projection: &Projection) -> Result<Vec<Station>, Fault> {
    if list.len() > COURSE_STATIONS {
        let what = format!("holds {} stations, at most {COURSE_STATIONS} are used", list.len());
        return Err(Fault::new(path, "stations", what, "keep those that the course needs"));
    }
    for station in &mut list {
        let place =
            station.geographic_deg.and_then(|(lat_deg, lon_deg)| projection.place_of(lat_deg, lon_deg));
        station.place = place.ok_or_else(|| {
            let remedy = "keep those that the course needs";
            Fault::new(path, format!("station {}", station.id), "is nowhere near the course", remedy)
        })?;
        if station.measures == (Measures::Current { axis: None }) {
            let remedy = "use a station with flood_dir_deg and ebb_dir_deg";
            let place = format!("station {}", station.id);
            return Err(Fault::new(path, place, "has no directions, so its current cannot be used", remedy));
        }
    }
    let heights = list.iter().filter(|station| station.measures == Measures::Height).count();
    if heights == 0 || heights == list.len() {
        let what = format!("holds {heights} stations for height and {} for current", list.len() - heights);
        return Err(Fault::new(path, "stations", what, "give at least one of each"));
    }
    Ok(list)
}

#[derive(Deserialize)]
struct GeoJson {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Geometry,
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    LineString(Vec<[f64; 2]>),
    Polygon(Vec<Vec<[f64; 2]>>),
    MultiPolygon(Vec<Vec<Vec<[f64; 2]>>>),
}

/// Rings of land in the course frame from a GeoJSON file (RFC 7946: longitude first).
fn geojson_rings(path: &Path, text: &str, projection: &Projection) -> Result<Vec<Vec<DVec2>>, Fault> {
    let file: GeoJson = serde_json::from_str(text).map_err(|error| {
        let remedy = "give a FeatureCollection of closed LineStrings, Polygons or MultiPolygons";
        Fault::new(path, format!("line {}", error.line()), format!("is not a coast: {error}"), remedy)
    })?;
    let mut rings = Vec::new();
    let mut points = 0;
    for (number, feature) in (1..).zip(file.features) {
        let lines = match feature.geometry {
            Geometry::LineString(line) => vec![line],
            Geometry::Polygon(polygon) => polygon,
            Geometry::MultiPolygon(polygons) => polygons.into_iter().flatten().collect(),
        };
        for line in lines {
            let place = || format!("feature {number}");
            if line.len() < 4 || line.first() != line.last() {
                let remedy = "close it: join pieces, and close them along the cut where the coast was cut";
                return Err(Fault::new(path, place(), "is not a closed ring", remedy));
            }
            points += line.len();
            if points > COURSE_COAST_POINTS {
                let what = format!("brings the coast to more than {COURSE_COAST_POINTS} points");
                return Err(Fault::new(path, place(), what, "cut the coast to the extent, or simplify it"));
            }
            let ring = line[1..]
                .iter()
                .map(|&[lon_deg, lat_deg]| {
                    projection.place_of(lat_deg, lon_deg).ok_or_else(|| {
                        let what = format!("[{lon_deg}, {lat_deg}] is nowhere near the course");
                        Fault::new(
                            path,
                            place(),
                            what,
                            "write longitude first, and cut the coast to the extent",
                        )
                    })
                })
                .collect::<Result<Vec<_>, _>>()?;
            rings.push(ring);
        }
    }
    Ok(rings)
}

#[cfg(test)]
mod tests;
