//! Around the map: title, legend, scale, north, the weather half-way, and what the signs mean.

use glam::DVec2;

use super::paper::Anchor;
use super::sheet::{BANDS, EDGE_PX, INKS, LEGEND_PX, Sheet};
use crate::trig;
use crate::units::{NAUTICAL_MILE_M, TICK_HZ, Tick, degrees, knots};

/// Names in the legend at most; the rest is counted.
const NAMES: usize = 30;

impl Sheet<'_> {
    pub(super) fn draw_neatline(&mut self) {
        let frame = self.frame;
        self.paper.element(
            "rect",
            format_args!(
                r##"x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" fill="none" stroke="#33424d" stroke-width="1.2""##,
                frame.left, frame.top, frame.width, frame.height
            ),
        );
        self.draw_scale_bar();
        self.draw_north();
    }

    /// A scale bar of a round number of miles, about a fifth of the map wide.
    fn draw_scale_bar(&mut self) {
        let frame = self.frame;
        let room_m = 0.24 * frame.width / frame.scale();
        let miles = [20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1]
            .into_iter()
            .find(|miles| miles * NAUTICAL_MILE_M <= room_m)
            .unwrap_or(0.05);
        let length = miles * NAUTICAL_MILE_M * frame.scale();
        let (x, y) = (frame.left + 16.0, frame.top + frame.height - 18.0);
        self.paper.element(
            "rect",
            format_args!(
                r##"x="{:.1}" y="{:.1}" width="{:.1}" height="38" rx="4" fill="#ffffff" fill-opacity="0.8""##,
                x - 8.0,
                y - 24.0,
                length + 16.0
            ),
        );
        for part in 0..4_u8 {
            let fill = if part % 2 == 0 { "#1d2b36" } else { "#ffffff" };
            self.paper.element(
                "rect",
                format_args!(
                    r##"x="{:.1}" y="{y:.1}" width="{:.1}" height="5" fill="{fill}" stroke="#1d2b36" stroke-width="0.8""##,
                    x + length * f64::from(part) / 4.0,
                    length / 4.0
                ),
            );
        }
        let words =
            if miles == 1.0 { "1 nautical mile".to_owned() } else { format!("{miles} nautical miles") };
        let words = if length < 110.0 { format!("{miles} M") } else { words };
        self.paper.text(DVec2::new(x, y - 6.0), "fine", Anchor::Start, &words);
    }

    fn draw_north(&mut self) {
        let at = DVec2::new(self.frame.left + self.frame.width - 26.0, self.frame.top + 44.0);
        self.paper.element(
            "path",
            format_args!(
                r##"d="M{x:.1} {tip:.1}L{l:.1} {low:.1}L{x:.1} {mid:.1}L{r:.1} {low:.1}Z" fill="#1d2b36" stroke="#fff" stroke-width="1""##,
                x = at.x,
                l = at.x - 8.0,
                r = at.x + 8.0,
                tip = at.y - 18.0,
                low = at.y + 14.0,
                mid = at.y + 7.0
            ),
        );
        self.paper.label(at - DVec2::new(0.0, 22.0), "mark", Anchor::Middle, "N");
    }

    pub(super) fn draw_title(&mut self) {
        let course = self.sea.course();
        let title = self.options.title.clone().unwrap_or_else(|| course.title.clone());
        self.paper.text(DVec2::new(EDGE_PX, 36.0), "title", Anchor::Start, &title);
        let ticks = || self.tracks.iter().flat_map(|track| track.points.iter().map(|(tick, _)| *tick));
        let vessels = match self.tracks.len() {
            1 => "1 vessel".to_owned(),
            n => format!("{n} vessels"),
        };
        let words = match (ticks().min(), ticks().max()) {
            (Some(first), Some(last)) => {
                let from = moment(course.epoch_unix_s, first);
                format!("{vessels}, from {from} UTC, {} under way", duration(last.since(first)))
            }
            _ => vessels,
        };
        self.paper.text(DVec2::new(EDGE_PX, 58.0), "subtitle", Anchor::Start, &words);
    }

    pub(super) fn draw_legend(&mut self) {
        let left = self.frame.left + self.frame.width + EDGE_PX;
        let mut y = self.frame.top + 8.0;
        y = self.draw_weather(left, y);
        self.paper.text(DVec2::new(left, y), "head", Anchor::Start, "Vessels");
        y += 20.0;
        for (index, track) in self.tracks.iter().take(NAMES).enumerate() {
            let ink = INKS[index % INKS.len()];
            self.paper.polyline(
                &[DVec2::new(left, y - 4.0), DVec2::new(left + 22.0, y - 4.0)],
                &format!(r#"stroke="{ink}" stroke-width="3""#),
            );
            let mut name: String = track.name.chars().take(20).collect();
            if name.len() < track.name.len() {
                name.push('…');
            }
            self.paper.text(DVec2::new(left + 30.0, y), "note", Anchor::Start, &name);
            let first = track.points.first().map_or(Tick(0), |(tick, _)| *tick);
            let arrival = track.finished.map_or("under way".to_owned(), |tick| duration(tick.since(first)));
            self.paper.text(DVec2::new(left + LEGEND_PX - 6.0, y), "note", Anchor::End, &arrival);
            y += 19.0;
        }
        if self.tracks.len() > NAMES {
            let words = format!("and {} more", self.tracks.len() - NAMES);
            self.paper.text(DVec2::new(left + 30.0, y), "fine", Anchor::Start, &words);
            y += 19.0;
        }
        self.draw_key(left, y + 12.0);
    }

    /// Wind, sea and tide half-way through; returns where the legend goes on.
    pub(super) fn draw_weather(&mut self, left: f64, top: f64) -> f64 {
        let here = self.place_in_the_middle();
        let sample = self.sea.at(here, self.middle);
        let wind = sample.wind_mps;
        let from_deg = degrees(trig::heading(-wind.x, -wind.y));
        let mut y = top;
        let clock = moment(self.sea.course().epoch_unix_s, self.middle);
        let clock = clock.split(' ').nth(1).unwrap_or("").to_owned();
        self.paper.text(DVec2::new(left, y), "head", Anchor::Start, &format!("At {clock} UTC"));
        let centre = DVec2::new(left + 26.0, y + 38.0);
        self.paper.element(
            "circle",
            format_args!(
                r##"cx="{:.1}" cy="{:.1}" r="24" fill="#ffffff" stroke="#9aa7b1" stroke-width="1""##,
                centre.x, centre.y
            ),
        );
        if wind.length() > 0.1 {
            self.draw_arrow(centre, wind.normalize() * 40.0, "#1d2b36", 2.4);
        }
        let notes = [
            format!("Wind {:03.0}°, {:.0} kn", from_deg, knots(wind.length())),
            format!("Waves {:.1} m, {:.0} s", sample.wave_hs_m, sample.wave_tp_s),
            format!("Current {:.1} kn", knots(sample.current_mps.length())),
            format!("Tide {:+.1} m", sample.tide_m),
        ];
        y += 18.0;
        for note in notes {
            self.paper.text(DVec2::new(left + 62.0, y), "note", Anchor::Start, &note);
            y += 17.0;
        }
        y + 22.0
    }

    /// Where the first vessel was half-way through its time.
    fn place_in_the_middle(&self) -> DVec2 {
        let on_track = self.tracks.first().and_then(|track| {
            track.points.iter().find(|(tick, _)| *tick >= self.middle).or(track.points.last())
        });
        on_track.map_or(self.frame.area.centre(), |(_, place)| *place)
    }

    /// What the signs mean.
    fn draw_key(&mut self, left: f64, top: f64) {
        let mut y = top;
        self.paper.text(DVec2::new(left, y), "head", Anchor::Start, "Key");
        y += 20.0;
        self.paper.element(
            "circle",
            format_args!(
                r##"cx="{:.1}" cy="{:.1}" r="2.2" fill="#fff" stroke="#33424d" stroke-width="1.2""##,
                left + 11.0,
                y - 4.0
            ),
        );
        let words = format!("every {} min of course time", self.options.dot_minutes);
        self.paper.text(DVec2::new(left + 30.0, y), "fine", Anchor::Start, &words);
        if self.options.currents {
            y += 18.0;
            self.draw_arrow(DVec2::new(left + 14.0, y - 4.0), DVec2::new(self.knot_px, 0.0), "#2a8a8a", 1.0);
            self.paper.text(DVec2::new(left + 36.0, y), "fine", Anchor::Start, "current, 1 kn");
        }
        if self.options.cells {
            y += 18.0;
            self.paper.element(
                "rect",
                format_args!(
                    r##"x="{:.1}" y="{:.1}" width="12" height="12" fill="#5b7fa6" fill-opacity="0.08" stroke="#5b7fa6" stroke-opacity="0.5""##,
                    left + 5.0,
                    y - 10.0
                ),
            );
            let words = format!("region of {:.0} m", self.sea.course().cell_m);
            self.paper.text(DVec2::new(left + 30.0, y), "fine", Anchor::Start, &words);
        }
        if self.options.depths {
            y += 18.0;
            self.draw_depth_key(left, y);
        }
    }

    fn draw_depth_key(&mut self, left: f64, y: f64) {
        let mut x = left;
        for (level_m, colour) in BANDS.into_iter().rev() {
            self.paper.element(
                "rect",
                format_args!(
                    r##"x="{x:.1}" y="{y:.1}" width="32" height="10" fill="{colour}" stroke="#9aa7b1" stroke-width="0.5""##
                ),
            );
            self.paper.text(
                DVec2::new(x + 32.0, y + 23.0),
                "fine",
                Anchor::Middle,
                &format!("{:.0}", -level_m),
            );
            x += 32.0;
        }
        self.paper.text(DVec2::new(x + 10.0, y + 9.5), "fine", Anchor::Start, "depth, m");
    }
}

/// Course time between two ticks as people say it.
pub(super) fn duration(ticks: u64) -> String {
    let minutes = (ticks + 30 * TICK_HZ) / (60 * TICK_HZ);
    if minutes < 60 {
        format!("{minutes} min")
    } else {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    }
}

/// A tick's date and time, as in "2025-06-14 09:30".
pub(super) fn moment(epoch_unix_s: i64, tick: Tick) -> String {
    let seconds = epoch_unix_s.saturating_add(i64::try_from(tick.0 / TICK_HZ).unwrap_or(i64::MAX));
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| format!("tick {}", tick.0),
        |at| at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}
