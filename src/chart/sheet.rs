//! What stands on the chart, layer by layer from the water up.

use std::collections::BTreeSet;

use glam::DVec2;

use super::bands::{Relief, push_ring};
use super::legend::duration;
use super::paper::{Anchor, Frame, Paper};
use super::{Options, Track};
use crate::atlas::Cell;
use crate::sea::Sea;
use crate::units::{TICK_HZ, Tick, knots};

/// Colours of tracks, told apart also by most colour-blind readers (Okabe and Ito 2008, darkened to be
/// read on white).
pub(super) const INKS: [&str; 8] =
    ["#c1440e", "#0060a0", "#00785a", "#7a3d8f", "#a07000", "#c2185b", "#2f4b8f", "#5b5b00"];
/// Heights above chart datum at which the colour changes, with the colour from there up.
pub(super) const BANDS: [(f64, &str); 5] =
    [(-50.0, "#eef5fa"), (-20.0, "#dfedf7"), (-10.0, "#cde3f2"), (-5.0, "#b5d6ec"), (-2.0, "#9cc8e4")];
/// Colour of land.
pub(super) const LAND: &str = "#f2e3b6";
/// Distance between two arrows of current, pixels.
const CURRENT_STEP_PX: f64 = 58.0;
/// Width of the legend, pixels.
pub(super) const LEGEND_PX: f64 = 230.0;
/// Blank edge of the page, pixels.
pub(super) const EDGE_PX: f64 = 22.0;
/// Height of the title, pixels.
const HEAD_PX: f64 = 74.0;
/// Points of one track drawn at most: several per pixel are of no use.
const POINTS: usize = 3_000;
/// Cells outlined at most; beyond that the lattice would hide the chart.
const CELLS: usize = 2_000;

/// A chart in the making.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    pub(super) sea: &'a Sea,
    pub(super) tracks: &'a [Track],
    pub(super) options: &'a Options,
    pub(super) frame: Frame,
    /// The middle of the passages.
    pub(super) middle: Tick,
    /// Length of an arrow of one knot of current, pixels.
    pub(super) knot_px: f64,
    pub(super) paper: Paper,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(sea: &'a Sea, tracks: &'a [Track], options: &'a Options) -> Self {
        let course = sea.course();
        let places = tracks
            .iter()
            .flat_map(|track| track.points.iter().map(|(_, place)| *place))
            .chain(course.marks.iter().map(|mark| mark.place))
            .chain([course.start_line.port, course.start_line.starboard]);
        let width = (f64::from(options.width_px) - LEGEND_PX - 3.0 * EDGE_PX).max(200.0);
        let frame = Frame::around(places, EDGE_PX, HEAD_PX, width);
        let ticks = || tracks.iter().flat_map(|track| track.points.iter().map(|(tick, _)| *tick));
        let first = ticks().min().unwrap_or(course.start);
        let last = ticks().max().unwrap_or(course.start);
        let middle = first.after(last.since(first) / 2);
        Self { sea, tracks, options, frame, middle, knot_px: 28.0, paper: Paper::default() }
    }

    pub(super) fn draw(mut self) -> String {
        self.draw_ground();
        if self.options.cells {
            self.draw_cells();
        }
        if self.options.currents {
            self.draw_currents();
        }
        self.draw_graticule();
        self.draw_start();
        for index in 0..self.tracks.len() {
            self.draw_track(index);
        }
        self.draw_marks();
        self.paper.raw("</g>");
        self.draw_neatline();
        self.draw_title();
        self.draw_legend();
        let width = f64::from(self.options.width_px).max(self.frame.left + self.frame.width + LEGEND_PX);
        let height = self.frame.top + self.frame.height.max(420.0) + EDGE_PX + 14.0;
        self.paper.finish(width, height)
    }

    fn draw_ground(&mut self) {
        self.draw_paper();
        let frame = self.frame;
        let relief = Relief::sample(&frame, |place| self.sea.bed_m(place));
        if self.options.depths {
            for (level_m, colour) in BANDS {
                let path = relief.above(level_m, &frame);
                self.paper.element("path", format_args!(r#"d="{path}" fill="{colour}""#));
            }
        }
        self.draw_land(&relief);
    }

    /// The map's rectangle; a group that is clipped to it is left open.
    pub(super) fn draw_paper(&mut self) {
        let frame = self.frame;
        let rect = format!(
            r#"x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}""#,
            frame.left, frame.top, frame.width, frame.height
        );
        self.paper.raw(&format!(r#"<clipPath id="map"><rect {rect}/></clipPath>"#));
        self.paper.element("rect", format_args!(r##"{rect} fill="#fbfdfe""##));
        self.paper.raw(r#"<g clip-path="url(#map)">"#);
    }

    /// Land, the coast, and the course's extent.
    pub(super) fn draw_land(&mut self, relief: &Relief) {
        let frame = self.frame;
        let land = relief.above(0.0, &frame);
        self.paper.element("path", format_args!(r#"d="{land}" fill="{LAND}""#));
        // A digitised coast is sharper than the grid of depths, and gets the ink.
        let mut coast = String::new();
        for ring in self.sea.course().coast().rings() {
            let ring: Vec<DVec2> = ring.iter().map(|place| frame.at(*place)).collect();
            push_ring(&mut coast, &ring);
        }
        self.paper.element(
            "path",
            format_args!(
                r##"d="{coast}" fill="{LAND}" stroke="#a8935a" stroke-width="0.8" fill-rule="evenodd""##
            ),
        );
        let extent = self.sea.course().extent;
        let (corner, opposite) = (
            frame.at(DVec2::new(extent.min.x, extent.max.y)),
            frame.at(DVec2::new(extent.max.x, extent.min.y)),
        );
        self.paper.element(
            "rect",
            format_args!(
                r##"x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="none" stroke="#6b7c88" stroke-width="1" stroke-dasharray="8 5""##,
                corner.x,
                corner.y,
                opposite.x - corner.x,
                opposite.y - corner.y
            ),
        );
    }

    /// Outlines the cells that a track touched.
    fn draw_cells(&mut self) {
        let cell_m = self.sea.course().cell_m;
        let crossed: BTreeSet<(i32, i32)> = self
            .tracks
            .iter()
            .flat_map(|track| track.points.iter())
            .map(|(_, place)| Cell::of(*place, cell_m))
            .map(|cell| (cell.y, cell.x))
            .collect();
        let side = cell_m * self.frame.scale();
        for (y, x) in crossed.into_iter().take(CELLS) {
            let area = Cell { x, y }.area(cell_m);
            let corner = self.frame.at(DVec2::new(area.min.x, area.max.y));
            self.paper.element(
                "rect",
                format_args!(
                    r##"x="{:.1}" y="{:.1}" width="{side:.1}" height="{side:.1}" fill="#5b7fa6" fill-opacity="0.05" stroke="#5b7fa6" stroke-opacity="0.3" stroke-width="0.6""##,
                    corner.x, corner.y
                ),
            );
        }
    }

    /// The current on a grid of pixels where there is water to flow: place and velocity.
    fn currents(&self) -> Vec<(DVec2, DVec2)> {
        let area = self.frame.area;
        let step_m = CURRENT_STEP_PX / self.frame.scale();
        let mut found = Vec::new();
        let mut place = area.min + DVec2::splat(0.5 * step_m);
        while place.y < area.max.y {
            if self.sea.bed_m(place) < -3.0 {
                let current = self.sea.at(place, self.middle).current_mps;
                if current.length() > 0.03 {
                    found.push((place, current));
                }
            }
            place.x += step_m;
            if place.x >= area.max.x {
                place = DVec2::new(area.min.x + 0.5 * step_m, place.y + step_m);
            }
        }
        found
    }

    fn draw_currents(&mut self) {
        let found = self.currents();
        let fastest_kn = found.iter().map(|(_, current)| knots(current.length())).fold(0.0, f64::max);
        // The fastest stays within its own step; where all is slow a knot has half a step.
        self.knot_px = (0.85 * CURRENT_STEP_PX / fastest_kn.max(0.1)).min(28.0);
        for (place, current) in found {
            let length = (self.knot_px * knots(current.length())).max(4.0);
            self.draw_arrow(self.frame.at(place), current.normalize() * length, "#2a8a8a", 1.0);
        }
    }

    /// An arrow centred on a pixel; `along` in pixels with y up.
    pub(super) fn draw_arrow(&mut self, centre: DVec2, along: DVec2, colour: &str, width: f64) {
        let half = DVec2::new(along.x, -along.y) * 0.5;
        let (tail, tip) = (centre - half, centre + half);
        let unit = half.normalize_or_zero();
        let side = DVec2::new(-unit.y, unit.x);
        let barb = (3.0 + 1.4 * width).min(half.length());
        let (left, right) = (tip - unit * barb + side * barb * 0.5, tip - unit * barb - side * barb * 0.5);
        self.paper.element(
            "path",
            format_args!(
                r#"d="M{:.1} {:.1}L{:.1} {:.1}M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}" fill="none" stroke="{colour}" stroke-opacity="0.75" stroke-width="{width}" stroke-linecap="round""#,
                tail.x, tail.y, tip.x, tip.y, left.x, left.y, tip.x, tip.y, right.x, right.y
            ),
        );
    }

    /// Meridians and parallels at round minutes, where the course lies on Earth.
    pub(super) fn draw_graticule(&mut self) {
        let frame = self.frame;
        let course = self.sea.course();
        let centre = frame.area.centre();
        let (Some(south_west), Some(north_east), Some(middle)) = (
            course.geographic_of(frame.area.min),
            course.geographic_of(frame.area.max),
            course.geographic_of(centre),
        ) else {
            return;
        };
        let (low, high) = (frame.left, frame.top + frame.height);
        for minute in round_minutes(south_west.0, north_east.0) {
            let Ok(place) = course.place_of(minute / 60.0, middle.1) else { continue };
            let y = frame.at(place).y;
            self.draw_thin_line(DVec2::new(low, y), DVec2::new(low + frame.width, y));
            let words = angle_words(minute, if minute < 0.0 { 'S' } else { 'N' });
            self.paper.label(DVec2::new(low + 6.0, y - 3.0), "fine", Anchor::Start, &words);
        }
        for minute in round_minutes(south_west.1, north_east.1) {
            let Ok(place) = course.place_of(middle.0, minute / 60.0) else { continue };
            let x = frame.at(place).x;
            self.draw_thin_line(DVec2::new(x, frame.top), DVec2::new(x, high));
            let words = angle_words(minute, if minute < 0.0 { 'W' } else { 'E' });
            self.paper.label(DVec2::new(x + 4.0, frame.top + 13.0), "fine", Anchor::Start, &words);
        }
    }

    fn draw_thin_line(&mut self, from: DVec2, to: DVec2) {
        self.paper.polyline(&[from, to], r##"stroke="#6b7c88" stroke-width="0.5" stroke-opacity="0.45""##);
    }

    pub(super) fn draw_start(&mut self) {
        let line = self.sea.course().start_line;
        let (port, starboard) = (self.frame.at(line.port), self.frame.at(line.starboard));
        self.paper
            .polyline(&[port, starboard], r##"stroke="#8a1f6a" stroke-width="2" stroke-dasharray="5 3""##);
        for (end, colour) in [(port, "#b3261e"), (starboard, "#1b7a3d")] {
            self.paper.element(
                "circle",
                format_args!(
                    r##"cx="{:.1}" cy="{:.1}" r="3.2" fill="{colour}" stroke="#fff" stroke-width="1""##,
                    end.x, end.y
                ),
            );
        }
        let below = if port.y > starboard.y { port } else { starboard };
        self.paper.label(below + DVec2::new(0.0, 17.0), "mark", Anchor::Middle, "Start");
    }

    fn draw_track(&mut self, index: usize) {
        let track = &self.tracks[index];
        let ink = INKS[index % INKS.len()];
        let stride = track.points.len() / POINTS + 1;
        let mut line: Vec<DVec2> =
            track.points.iter().step_by(stride).map(|(_, place)| self.frame.at(*place)).collect();
        if let Some((_, last)) = track.points.last() {
            line.push(self.frame.at(*last));
        }
        // Many boats: thinner lines, or the picture drowns.
        let width = if self.tracks.len() > 20 { 1.1 } else { 2.0 };
        let dash = if index / INKS.len() % 2 == 1 { r#" stroke-dasharray="7 2""# } else { "" };
        self.paper.polyline(
            &line,
            &format!(
                r#"stroke="{ink}" stroke-width="{width}" stroke-opacity="0.9" stroke-linejoin="round"{dash}"#
            ),
        );
        self.draw_time_dots(index, ink);
        if let [.., before, last] = line[..] {
            let along = (last - before).normalize_or_zero();
            if track.finished.is_none() && along != DVec2::ZERO {
                self.draw_hull(last, along, ink);
            }
        }
    }

    /// Dots along a track at round times of the passage; hours are written beside the first one's.
    fn draw_time_dots(&mut self, index: usize, ink: &str) {
        let track = &self.tracks[index];
        let (Some((first, _)), Some((last, _))) = (track.points.first(), track.points.last()) else { return };
        let step = u64::from(self.options.dot_minutes.max(1)) * 60 * TICK_HZ;
        let dots = last.since(*first) / step;
        // About a dozen labels, whatever the length of the passage.
        let label_every = [1, 3, 6, 12, 36].into_iter().find(|every| dots / every <= 14).unwrap_or(144);
        let mut points = track.points.iter().peekable();
        let mut labels = Vec::new();
        for dot in 1..=dots.min(1_000) {
            let due = first.after(dot * step);
            while points.peek().is_some_and(|(tick, _)| *tick < due) {
                points.next();
            }
            let Some((_, place)) = points.peek() else { break };
            let at = self.frame.at(*place);
            let labelled = dot % label_every == 0;
            if self.tracks.len() <= 20 || labelled {
                self.paper.element(
                    "circle",
                    format_args!(
                        r##"cx="{:.1}" cy="{:.1}" r="{}" fill="#fff" stroke="{ink}" stroke-width="1.2""##,
                        at.x,
                        at.y,
                        if labelled { 3.0 } else { 1.7 }
                    ),
                );
            }
            if labelled && index == 0 {
                labels.push((at + DVec2::new(6.0, -5.0), duration(dot * step)));
            }
        }
        for (at, words) in labels {
            self.paper.label(at, "time", Anchor::Start, &words);
        }
    }

    /// A small hull at the end of a track that has not finished.
    fn draw_hull(&mut self, at: DVec2, along: DVec2, ink: &str) {
        let side = DVec2::new(-along.y, along.x);
        let (bow, left, right) =
            (at + along * 9.0, at - along * 5.0 + side * 4.0, at - along * 5.0 - side * 4.0);
        self.paper.element(
            "path",
            format_args!(
                r##"d="M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z" fill="{ink}" stroke="#fff" stroke-width="1""##,
                bow.x, bow.y, left.x, left.y, right.x, right.y
            ),
        );
    }

    pub(super) fn draw_marks(&mut self) {
        let course = self.sea.course();
        let last = course.marks.len().saturating_sub(1);
        for (index, mark) in course.marks.iter().enumerate() {
            let at = self.frame.at(mark.place);
            let radius = (mark.radius_m * self.frame.scale()).max(4.0);
            self.paper.element(
                "circle",
                format_args!(
                    r##"cx="{:.1}" cy="{:.1}" r="{radius:.1}" fill="#8a1f6a" fill-opacity="0.10" stroke="#8a1f6a" stroke-width="1.3" stroke-dasharray="3 2""##,
                    at.x, at.y
                ),
            );
            self.paper.element(
                "circle",
                format_args!(r##"cx="{:.1}" cy="{:.1}" r="2" fill="#8a1f6a""##, at.x, at.y),
            );
            let words = if index == last {
                format!("{} (finish)", mark.name)
            } else {
                format!("{} {}", index + 1, mark.name)
            };
            // Names stay on the paper: to the left of marks near the right edge.
            let right = at.x > self.frame.left + 0.72 * self.frame.width;
            let (shift, anchor) =
                if right { (-radius - 5.0, Anchor::End) } else { (radius + 5.0, Anchor::Start) };
            self.paper.label(at + DVec2::new(shift, 4.5), "mark", anchor, &words);
        }
    }
}

/// Round minutes of arc between two angles in degrees, about five of them.
fn round_minutes(from_deg: f64, to_deg: f64) -> Vec<f64> {
    let (from, to) = (from_deg * 60.0, to_deg * 60.0);
    let step = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0].into_iter().find(|step| (to - from) / step < 6.0);
    let Some(step) = step else { return Vec::new() };
    let mut minutes = Vec::new();
    let mut minute = (from / step).ceil() * step;
    while minute < to {
        minutes.push(minute);
        minute += step;
    }
    minutes
}

/// An angle in minutes as charts write it.
fn angle_words(minutes: f64, letter: char) -> String {
    let whole = minutes.abs().round();
    let degrees = (whole / 60.0).floor();
    format!("{degrees:.0}°{:02.0}′{letter}", whole - 60.0 * degrees)
}
