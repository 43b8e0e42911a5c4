//! The sea of one moment on a chart: what a sailor looks at before going.

use glam::DVec2;

use super::bands::Relief;
use super::legend::moment;
use super::paper::Anchor;
use super::sheet::{BANDS, EDGE_PX, LAND, Sheet};
use super::{Options, SEA_PX};
use crate::sea::Sea;
use crate::trig;
use crate::units::{NAUTICAL_MILE_M, Tick, degrees, knots};

/// What a map of the sea shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The tide's stream: speed in colour, arrows along it.
    Current,
    /// The mean wind at 10 m: speed in colour, arrows along it.
    Wind,
    /// Waves: significant height in colour, arrows where they run.
    Waves,
    /// Depth with the tide in it: soundings, contours, colour.
    Depth,
}

/// Colours from little to much of everything but depth, light to dark (after Crameri's sequential maps).
const INKS: [&str; 7] = ["#eef6f2", "#d3ebe0", "#aedccb", "#82c7b8", "#56aba6", "#338a92", "#1f6678"];
/// Steps in the colours of current and waves; one that leaves about five of them is taken.
const STEPS: [f64; 9] = [0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];
/// Distance of arrows and soundings, pixels.
const STEP_PX: f64 = 46.0;
/// Shallower than this nothing flows or runs that a chart could show, metres.
const SHALLOW_M: f64 = 0.5;
/// Slower than this a stream has no direction worth an arrow, m/s.
const SLACK_MPS: f64 = 0.03;
/// Colour of arrows.
const ARROW: &str = "#12343b";

/// What one layer looks like.
struct Look {
    title: &'static str,
    unit: &'static str,
    /// What arrows stand for, if there are any.
    arrows: Option<&'static str>,
}

impl Layer {
    const fn look(self) -> Look {
        let (title, unit, arrows) = match self {
            Self::Current => ("Tidal stream", "kn", Some("stream")),
            Self::Wind => ("Wind at 10 m", "kn", Some("wind")),
            Self::Waves => ("Significant wave height", "m", Some("waves run")),
            Self::Depth => ("Depth with the tide", "m", None),
        };
        Look { title, unit, arrows }
    }

    /// The layer's size and direction at a place, in its unit.
    fn at(self, sea: &Sea, place: DVec2, tick: Tick) -> (f64, DVec2) {
        match self {
            Self::Current => {
                let current = sea.tide(place, tick).0;
                (knots(current.length()), if current.length() > SLACK_MPS { current } else { DVec2::ZERO })
            }
            Self::Wind => {
                let wind = sea.mean_wind(place, tick);
                (knots(wind.length()), wind)
            }
            Self::Waves => {
                let sample = sea.at(place, tick);
                let (s, c) = trig::sin_cos(crate::units::radians(sample.wave_from_deg));
                (sample.wave_hs_m, DVec2::new(-s, -c))
            }
            Self::Depth => ((sea.tide(place, tick).1 - sea.bed_m(place)).max(0.0), DVec2::ZERO),
        }
    }
}

/// Levels of colour: the lowest, the step from one to the next, and what the map has at most.
#[derive(Clone, Copy, Debug)]
struct Levels {
    from: f64,
    step: f64,
    most: f64,
}

impl Levels {
    /// Round levels, about five of them between the least and the most.
    fn between(least: f64, most: f64) -> Self {
        let step = STEPS.into_iter().find(|step| (most - least) / step <= 6.0).unwrap_or(20.0);
        Self { from: (least / step).floor() * step, step, most }
    }

    fn at(self, band: usize) -> f64 {
        self.from + self.step * f64::from(u32::try_from(band).unwrap_or(0))
    }
}

/// A chart of a course with one layer of its sea at a tick: a whole SVG document.
#[must_use]
pub fn sea_map(sea: &Sea, tick: Tick, layer: Layer) -> String {
    let options = Options { width_px: SEA_PX, depths: layer == Layer::Depth, ..Options::default() };
    let mut sheet = Sheet::new(sea, &[], &options);
    sheet.middle = tick;
    Map { layer, tick, levels: None, scale_px: 0.0, sheet }.draw()
}

struct Map<'a> {
    layer: Layer,
    tick: Tick,
    levels: Option<Levels>,
    /// Length of an arrow for one of the layer's unit, pixels; 0 where all are of one length.
    scale_px: f64,
    sheet: Sheet<'a>,
}

impl Map<'_> {
    fn draw(mut self) -> String {
        let frame = self.sheet.frame;
        let sea = self.sheet.sea;
        self.sheet.draw_paper();
        let relief = Relief::sample(&frame, |place| sea.bed_m(place));
        if self.layer == Layer::Depth {
            self.draw_depths();
        } else {
            self.draw_field();
        }
        self.sheet.draw_land(&relief);
        self.draw_points();
        self.sheet.draw_graticule();
        self.draw_legs();
        self.sheet.draw_start();
        self.sheet.draw_marks();
        self.sheet.paper.raw("</g>");
        self.sheet.draw_neatline();
        self.draw_title();
        self.draw_legend();
        let height = frame.top + frame.height.max(420.0) + EDGE_PX + 14.0;
        self.sheet.paper.finish(f64::from(SEA_PX), height)
    }

    /// Colour by size, from the least to the most within the frame.
    fn draw_field(&mut self) {
        let (frame, sea) = (self.sheet.frame, self.sheet.sea);
        let (layer, tick) = (self.layer, self.tick);
        let extent = sea.course().extent;
        let field = Relief::sample(&frame, |place| {
            // Beyond the extent nobody sails: what holds at its edge.
            layer.at(sea, place.clamp(extent.min, extent.max), tick).0
        });
        let (least, most) = field.range(|place| sea.bed_m(place) < -SHALLOW_M);
        // A stream's colours start from slack water.
        let least = if layer == Layer::Wind { least } else { 0.0 };
        let levels = Levels::between(least, most);
        for (band, ink) in INKS.into_iter().enumerate() {
            let path = field.above(levels.at(band), &frame);
            if !path.is_empty() {
                self.sheet
                    .paper
                    .element("path", format_args!(r#"d="{path}" fill="{ink}" fill-rule="evenodd""#));
            }
        }
        self.scale_px = if layer == Layer::Waves { 0.0 } else { 0.92 * STEP_PX / most.max(0.1) };
        self.levels = Some(levels);
    }

    /// Colour and contours of the water's depth at this moment.
    fn draw_depths(&mut self) {
        let (frame, sea, tick) = (self.sheet.frame, self.sheet.sea, self.tick);
        let heights = Relief::sample(&frame, |place| sea.bed_m(place) - sea.tide(place, tick).1);
        for (level_m, ink) in BANDS {
            let path = heights.above(level_m, &frame);
            self.sheet.paper.element(
                "path",
                format_args!(
                    r##"d="{path}" fill="{ink}" fill-rule="evenodd" stroke="#6c9cc0" stroke-width="0.6" stroke-opacity="0.8""##
                ),
            );
        }
    }

    /// Arrows, or soundings, on a grid of pixels; every other row stands between those beside it.
    fn draw_points(&mut self) {
        let (frame, sea) = (self.sheet.frame, self.sheet.sea);
        let step_m = STEP_PX / frame.scale();
        let mut row = 0_u32;
        let mut y = frame.area.min.y + 0.5 * step_m;
        while y < frame.area.max.y {
            let mut x = frame.area.min.x + if row.is_multiple_of(2) { 0.5 } else { 1.0 } * step_m;
            while x < frame.area.max.x {
                let place = DVec2::new(x, y);
                if sea.course().extent.contains(place) && sea.bed_m(place) < -SHALLOW_M {
                    self.draw_point(place);
                }
                x += step_m;
            }
            y += step_m;
            row += 1;
        }
    }

    fn draw_point(&mut self, place: DVec2) {
        let at = self.sheet.frame.at(place);
        let (size, along) = self.layer.at(self.sheet.sea, place, self.tick);
        if self.layer == Layer::Depth {
            let words = if size < 9.95 { format!("{size:.1}") } else { format!("{size:.0}") };
            self.sheet.paper.text(at + DVec2::new(0.0, 4.0), "time", Anchor::Middle, &words);
        } else if along != DVec2::ZERO {
            let length = if self.scale_px > 0.0 { (self.scale_px * size).max(6.0) } else { 0.55 * STEP_PX };
            self.sheet.draw_arrow(at, along.normalize() * length, ARROW, 1.3);
        }
    }

    /// Straight legs between the marks, each with its course and distance.
    fn draw_legs(&mut self) {
        let legs: Vec<(DVec2, DVec2)> = self.sheet.sea.course().legs().collect();
        for (from, to) in legs {
            let ends = [self.sheet.frame.at(from), self.sheet.frame.at(to)];
            self.sheet.paper.polyline(
                &ends,
                r##"stroke="#8a1f6a" stroke-width="1.4" stroke-dasharray="9 5" stroke-opacity="0.85""##,
            );
            let leg = to - from;
            let words = format!(
                "{:03.0}° {:.1} M",
                degrees(trig::heading(leg.x, leg.y)),
                leg.length() / NAUTICAL_MILE_M
            );
            // Beside the line, clear of it, where it is long enough for words.
            let along = ends[1] - ends[0];
            if along.length() > 90.0 {
                let aside = DVec2::new(-along.y, along.x).normalize_or_zero();
                let aside = if aside.x < 0.0 { -aside } else { aside };
                let at = (ends[0] + ends[1]) * 0.5 + aside * 9.0 + DVec2::new(0.0, 4.0);
                self.sheet.paper.label(at, "fine", Anchor::Start, &words);
            }
        }
    }

    fn draw_title(&mut self) {
        let course = self.sheet.sea.course();
        let title = format!("{}: {}", course.title, self.layer.look().title.to_lowercase());
        let paper = &mut self.sheet.paper;
        paper.text(DVec2::new(EDGE_PX, 36.0), "title", Anchor::Start, &title);
        let mut words = format!("{} UTC", moment(course.epoch_unix_s, self.tick));
        if let Some((_, lon_deg)) = course.geographic_of(course.extent.centre()) {
            // Nautical zone time: whole hours by the meridian, summer and winter.
            let hours = (lon_deg / 15.0).round();
            #[expect(clippy::cast_possible_truncation, reason = "within half a day")]
            let epoch_s = course.epoch_unix_s + 3600 * hours as i64;
            let local = moment(epoch_s, self.tick);
            words = format!("{words}, zone time {local} (UTC{hours:+.0})");
        }
        let drawn = format!("{words}; sea of seed {}; not for navigation", course.seed);
        paper.text(DVec2::new(EDGE_PX, 58.0), "subtitle", Anchor::Start, &drawn);
    }

    fn draw_legend(&mut self) {
        let look = self.layer.look();
        let left = self.sheet.frame.left + self.sheet.frame.width + EDGE_PX;
        let mut y = self.sheet.draw_weather(left, self.sheet.frame.top + 8.0) + 4.0;
        let head = format!("{}, {}", look.title, look.unit);
        self.sheet.paper.text(DVec2::new(left, y), "head", Anchor::Start, &head);
        y += 12.0;
        let bands: Vec<(String, &str)> = match self.levels {
            Some(levels) => {
                let shown = INKS.into_iter().enumerate().filter(|(band, _)| levels.at(*band) < levels.most);
                shown.map(|(band, ink)| (from_to(levels, band), ink)).collect()
            }
            None => depth_bands(),
        };
        for (words, ink) in bands.into_iter().rev() {
            self.sheet.paper.element(
                "rect",
                format_args!(
                    r##"x="{left:.1}" y="{y:.1}" width="26" height="16" fill="{ink}" stroke="#9aa7b1" stroke-width="0.5""##
                ),
            );
            self.sheet.paper.text(DVec2::new(left + 36.0, y + 12.5), "note", Anchor::Start, &words);
            y += 17.0;
        }
        y += 20.0;
        if let Some(word) = look.arrows {
            let (length, words) = self.arrow_key(word);
            self.sheet.draw_arrow(DVec2::new(left + 26.0, y - 4.0), DVec2::new(length, 0.0), ARROW, 1.3);
            self.sheet.paper.text(DVec2::new(left + 62.0, y), "note", Anchor::Start, &words);
            y += 22.0;
        }
        let dash = [DVec2::new(left, y - 4.0), DVec2::new(left + 52.0, y - 4.0)];
        let stroke = r##"stroke="#8a1f6a" stroke-width="1.4" stroke-dasharray="9 5""##;
        self.sheet.paper.polyline(&dash, stroke);
        self.sheet.paper.text(DVec2::new(left + 62.0, y), "note", Anchor::Start, "legs: course, miles");
        y += 20.0;
        self.sheet.paper.element(
            "rect",
            format_args!(
                r##"x="{left:.1}" y="{:.1}" width="26" height="14" fill="{LAND}" stroke="#a8935a" stroke-width="0.8""##,
                y - 12.0
            ),
        );
        self.sheet.paper.text(DVec2::new(left + 62.0, y), "note", Anchor::Start, "land");
    }

    /// Length of the legend's arrow and its words.
    fn arrow_key(&self, word: &str) -> (f64, String) {
        if self.scale_px <= 0.0 {
            return (0.55 * STEP_PX, word.to_owned());
        }
        // The longest round number that fits beside its words.
        let fits = |size: &f64| size * self.scale_px <= 48.0;
        let size = STEPS.into_iter().rev().find(fits).unwrap_or(STEPS[0]);
        (size * self.scale_px, format!("{word} of {size} {}", self.layer.look().unit))
    }
}

fn from_to(levels: Levels, band: usize) -> String {
    let places = if levels.step < 0.1 || (levels.step * 10.0).fract() > 0.01 {
        2
    } else {
        usize::from(levels.step < 1.0)
    };
    let (low, high) = (levels.at(band), levels.at(band + 1));
    if band + 1 == INKS.len() {
        format!("from {low:.places$}")
    } else {
        format!("{low:.places$} to {high:.places$}")
    }
}

/// The colours of depth with their words, the shallowest last.
fn depth_bands() -> Vec<(String, &'static str)> {
    let mut words = vec![("more than 50".to_owned(), "#fbfdfe")];
    for (n, (level_m, ink)) in BANDS.into_iter().enumerate() {
        let next = BANDS.get(n + 1).map_or(0.0, |band| band.0);
        words.push((format!("{:.0} to {:.0}", -next + 0.0, -level_m), ink));
    }
    words.reverse();
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atlas::Course;
    use std::path::Path;
    use std::sync::Arc;

    #[test]
    fn every_layer_of_every_course_names_its_marks_unit_and_time() {
        for name in ["admiralty", "gullwing"] {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions").join(name);
            let course = Arc::new(Course::load(&dir).unwrap());
            let sea = Sea::new(Arc::clone(&course), course.seed);
            for layer in [Layer::Current, Layer::Wind, Layer::Waves, Layer::Depth] {
                let svg = sea_map(&sea, course.start.after(30 * 60 * crate::units::TICK_HZ), layer);
                assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
                assert!(course.marks.iter().all(|mark| svg.contains(mark.name.as_str())), "{name}: marks");
                let look = layer.look();
                assert!(svg.contains(&format!("{}, {}", look.title, look.unit)), "{name}: unit");
                assert!(svg.contains(" UTC"), "{name}: time");
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name} {layer:?}: numbers");
            }
        }
    }

    #[test]
    fn levels_are_round_and_few() {
        for (least, most) in [(0.0, 0.31), (0.0, 2.7), (12.1, 14.9), (0.0, 0.0), (0.0, 40.0)] {
            let levels = Levels::between(least, most);
            assert!(levels.from <= least && levels.at(INKS.len()) >= most, "{least} to {most}: {levels:?}");
        }
    }
}
