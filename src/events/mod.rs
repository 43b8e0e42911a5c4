//! What happens along a course: one list of all that weather and sea bring, before it happens and while it does.
//!
//! Nothing is made here: squalls, fronts, fog, trains of swell, freak waves and overfalls come from the rooms that make
//! vessels feel them ([`crate::weather`], [`crate::sea`]), by the same functions. So what is listed is what is felt, for a
//! seed, on any machine, in any division into regions.
//!
//! ```
//! use std::{path::Path, sync::Arc};
//! use fairway::{atlas::Course, events, sea::Sea};
//!
//! let course = Arc::new(Course::load(Path::new("regions/admiralty"))?);
//! let sea = Sea::new(Arc::clone(&course), course.seed);
//! for event in events::during(&sea, course.start, course.start.after(45 * 3600)) {
//!     println!("{} from {:?}: {}", event.what.name(), event.from, event.strength_text());
//! }
//! # Ok::<(), fairway::atlas::CourseError>(())
//! ```

use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::atlas::Area;
use crate::sea::Sea;
use crate::units::{Tick, degrees};
use crate::weather::{nearest_m, tick_of};

/// Least slow shift of the wind that is told, radians: 20°, a header that no crew sails on with.
const SHIFT_RAD: f64 = 20.0 * std::f64::consts::PI / 180.0;
/// Events in one list at most: a year of a lively climate; what begins last is left out.
pub const EVENTS_MAX: usize = 20_000;
/// How far a crew is told of an event, metres from its edge: as far as one sees a line of rain or white water.
pub const SIGHT_M: f64 = 3_000.0;
/// How long before it begins a crew is told, ticks: five minutes, as a sky warns of a squall.
pub const WARNING_TICKS: u64 = 300 * crate::units::TICK_HZ;
/// How far lightning is told, metres: thunder is heard for about 15 km (Uman 1987, "The Lightning Discharge", § 15).
pub const THUNDER_M: f64 = 15_000.0;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The wind's direction swings. Strength: degrees, positive for a veer.
    WindShift,
    /// A front passes. Strength: degrees of veer.
    Front,
    /// A squall. Strength: rise of the wind, m/s.
    Squall,
    /// A thunderstorm. Strength: rise of the wind, m/s.
    Thunderstorm,
    /// A stroke of lightning. Strength: 1.
    Lightning,
    /// A bank of fog. Strength: visibility in its middle, metres.
    Fog,
    /// Higher swell for some minutes. Strength: height over what the swell has else.
    SwellTrain,
    /// One wave far above the others. Strength: crest over the significant height.
    FreakWave,
    /// Waves made steep by the current. Strength: steepness over that in still water.
    Overfalls,
}

impl Kind {
    /// What sailors call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WindShift => "wind shift",
            Self::Front => "front",
            Self::Squall => "squall",
            Self::Thunderstorm => "thunderstorm",
            Self::Lightning => "lightning",
            Self::Fog => "fog bank",
            Self::SwellTrain => "swell train",
            Self::FreakWave => "freak wave",
            Self::Overfalls => "overfalls",
        }
    }

    /// Whether it is a line from horizon to horizon, square to its way; other kinds are discs.
    #[must_use]
    pub const fn is_line(self) -> bool {
        matches!(self, Self::WindShift | Self::Front | Self::SwellTrain)
    }
}

/// One event of a course.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// A number of its own; the same wherever and whenever the event is asked for.
    pub id: u64,
    /// What happens.
    pub what: Kind,
    /// When it begins: a line, at its place.
    pub from: Tick,
    /// When it is over: a line, at its place.
    pub until: Tick,
    /// Its middle when it begins, or a place that a line passes; course frame, metres.
    pub place: DVec2,
    /// Its way, m/s.
    pub velocity_mps: DVec2,
    /// How far it reaches, metres; 0 for lines, which reach from horizon to horizon, and for lightning.
    pub radius_m: f64,
    /// How strong, as its kind says.
    pub strength: f64,
    /// Whether the course's file has it happen, and not the seed.
    pub scripted: bool,
}

impl Event {
    /// Its middle at a tick; that of a line as it passes its place.
    #[must_use]
    pub fn centre(&self, tick: Tick) -> DVec2 {
        self.place + self.velocity_mps * (tick.seconds() - self.from.seconds())
    }

    /// Whether it acts at a place and tick.
    #[must_use]
    pub fn acts_at(&self, place: DVec2, tick: Tick) -> bool {
        if self.what.is_line() {
            return (self.from.seconds()..self.until.seconds()).contains(&self.local_s(place, tick));
        }
        (self.from..self.until).contains(&tick) && self.distance_m(place, tick) <= 0.0
    }

    /// How far a place is from where it acts at a tick, metres; a disc is taken to be where it begins before it begins,
    /// and where it ends after that.
    #[must_use]
    pub fn distance_m(&self, place: DVec2, tick: Tick) -> f64 {
        if self.what.is_line() {
            let local_s = self.local_s(place, tick);
            let off_s = (self.from.seconds() - local_s).max(local_s - self.until.seconds()).max(0.0);
            return off_s * self.velocity_mps.length();
        }
        let centre = self.centre(tick.clamp(self.from, self.until));
        ((place - centre).length() - self.radius_m).max(0.0)
    }

    /// Whether a crew at a place is told of it at a tick: it acts, or is about to, within sight.
    #[must_use]
    pub fn is_told(&self, place: DVec2, tick: Tick) -> bool {
        let near_m = if self.what == Kind::Lightning { THUNDER_M } else { SIGHT_M };
        let distance_m = self.distance_m(place, tick);
        if self.what.is_line() {
            return distance_m <= near_m && self.local_s(place, tick) < self.until.seconds();
        }
        let early = Tick(self.from.0.saturating_sub(WARNING_TICKS));
        (early..self.until).contains(&tick) && distance_m <= near_m
    }

    /// The time at its place when a line was, or will be, where the given place is at a tick, seconds.
    fn local_s(&self, place: DVec2, tick: Tick) -> f64 {
        let speed2 = self.velocity_mps.length_squared().max(1e-6);
        tick.seconds() - (place - self.place).dot(self.velocity_mps) / speed2
    }

    /// How strong it is, for people.
    #[must_use]
    pub fn strength_text(&self) -> String {
        let strength = self.strength;
        match self.what {
            Kind::WindShift | Kind::Front if strength < 0.0 => format!("backs by {:.0}°", -strength),
            Kind::WindShift | Kind::Front => format!("veers by {strength:.0}°"),
            Kind::Squall | Kind::Thunderstorm => {
                format!("wind up by {:.0} kn", crate::units::knots(strength))
            }
            Kind::Lightning => "strikes".to_owned(),
            Kind::Fog => format!("visibility {strength:.0} m"),
            Kind::SwellTrain => format!("swell {strength:.1} times as high"),
            Kind::FreakWave => format!("crest {strength:.1} times the significant height"),
            Kind::Overfalls => format!("waves {strength:.1} times as steep"),
        }
    }
}

/// Every event along a course within a span of ticks, by its beginning; lightning apart, of which [`strokes`] tells.
///
/// At most [`EVENTS_MAX`], of a span that is as long as one likes.
#[must_use]
pub fn during(sea: &Sea, from: Tick, until: Tick) -> Vec<Event> {
    within(sea, sea.course().extent, from, until)
}

/// The same within an area: what can act there, and perhaps what passes it by.
#[must_use]
pub fn within(sea: &Sea, area: Area, from: Tick, until: Tick) -> Vec<Event> {
    let scripts = sea.course().events.len() as u64;
    let mut events = weather_events(sea, from, until);
    events.extend(sea_events(sea, area, from, until));
    for event in &mut events {
        event.scripted = event.id < scripts;
    }
    events.retain(|event| touches(event, area, from, until));
    events.sort_by_key(|event| (event.from, event.what, event.id));
    events.truncate(EVENTS_MAX);
    events
}

/// The events that act at a place and tick.
#[must_use]
pub fn at(sea: &Sea, place: DVec2, tick: Tick) -> Vec<Event> {
    let area = Area { min: place, max: place }.grown(1.0);
    let mut events = within(sea, area, tick, tick.after(1));
    events.retain(|event| event.acts_at(place, tick));
    events
}

/// Strokes of lightning along a course within a span of ticks, by their ticks.
#[must_use]
pub fn strokes(sea: &Sea, from: Tick, until: Tick) -> Vec<Event> {
    let squalls = sea.weather().squalls(from, until);
    let strokes = squalls.iter().flat_map(|squall| squall.strokes(sea.seed(), from, until));
    let mut events: Vec<Event> = strokes
        .map(|stroke| Event {
            id: stroke.id,
            what: Kind::Lightning,
            from: stroke.tick,
            until: stroke.tick.after(1),
            place: stroke.place,
            velocity_mps: DVec2::ZERO,
            radius_m: 0.0,
            strength: 1.0,
            scripted: false,
        })
        .collect();
    events.sort_by_key(|event| (event.from, event.id));
    events.truncate(EVENTS_MAX);
    events
}

/// Whether an event acts somewhere in an area within a span of ticks.
fn touches(event: &Event, area: Area, from: Tick, until: Tick) -> bool {
    if event.what.is_line() {
        // A line's time is linear in place, so that its extremes are at the corners.
        let corners =
            [area.min, area.max, DVec2::new(area.min.x, area.max.y), DVec2::new(area.max.x, area.min.y)];
        let first_s =
            corners.map(|corner| event.local_s(corner, from)).into_iter().fold(f64::INFINITY, f64::min);
        let last_s =
            corners.map(|corner| event.local_s(corner, until)).into_iter().fold(f64::NEG_INFINITY, f64::max);
        return first_s < event.until.seconds() && last_s > event.from.seconds();
    }
    let (begin, end) = (from.max(event.from), until.min(event.until));
    begin <= end && nearest_m(area, event.centre(begin), event.centre(end)) <= event.radius_m
}

fn weather_events(sea: &Sea, from: Tick, until: Tick) -> Vec<Event> {
    let weather = sea.weather();
    let mut events = Vec::new();
    let shift = weather.shift_way();
    // Shifts are found as they pass the anchor, from which the farthest corner is so far.
    let far_m = sea.course().extent.min.length().max(sea.course().extent.max.length());
    let lag_s = far_m / shift.length();
    let (early, late) = (tick_of(from.seconds() - lag_s), tick_of(until.seconds() + lag_s));
    events.extend(weather.shifts(early, late, SHIFT_RAD).into_iter().map(|([begin_s, end_s], veer_rad)| {
        Event {
            // The beginning tells it from every other shift.
            id: !tick_of(begin_s).0,
            velocity_mps: shift,
            ..event(Kind::WindShift, [begin_s, end_s], DVec2::ZERO, degrees(veer_rad))
        }
    }));
    events.extend(weather.fronts(from, until).into_iter().map(|front| Event {
        id: front.id,
        velocity_mps: front.velocity_mps,
        ..event(Kind::Front, front.span_s(), front.place, degrees(front.veer_rad))
    }));
    events.extend(weather.squalls(from, until).into_iter().map(|squall| {
        let what = if squall.thunder { Kind::Thunderstorm } else { Kind::Squall };
        let span_s = [squall.from_s, squall.from_s + squall.lasts_s];
        Event {
            id: squall.id,
            velocity_mps: squall.velocity_mps,
            radius_m: squall.radius_m,
            ..event(what, span_s, squall.place, squall.rise_mps)
        }
    }));
    events.extend(weather.banks(from, until).into_iter().map(|bank| Event {
        id: bank.id,
        velocity_mps: bank.velocity_mps,
        radius_m: bank.radius_m,
        ..event(Kind::Fog, [bank.from_s, bank.from_s + bank.lasts_s], bank.place, bank.visibility_m)
    }));
    events
}

fn sea_events(sea: &Sea, area: Area, from: Tick, until: Tick) -> Vec<Event> {
    let mut events = Vec::new();
    events.extend(sea.trains(from, until).into_iter().map(|train| {
        let half_s = 0.5 * train.lasts_s;
        let span_s = [train.passes_s - half_s, train.passes_s + half_s];
        Event {
            id: train.id,
            velocity_mps: train.velocity_mps,
            ..event(Kind::SwellTrain, span_s, train.place, train.higher)
        }
    }));
    events.extend(sea.freaks(from, until).into_iter().map(|freak| {
        let [begin_s, end_s] = freak.span_s();
        let place = freak.place - freak.velocity_mps * (freak.at_s - begin_s);
        Event {
            id: freak.id,
            velocity_mps: freak.velocity_mps,
            radius_m: freak.radius_m,
            ..event(Kind::FreakWave, [begin_s, end_s], place, freak.crest)
        }
    }));
    events.extend(sea.overfalls(area, from, until).into_iter().map(|spell| Event {
        id: spell.id,
        what: Kind::Overfalls,
        from: spell.from,
        until: spell.until,
        place: spell.place,
        velocity_mps: DVec2::ZERO,
        radius_m: spell.radius_m,
        strength: spell.steepness,
        scripted: false,
    }));
    events
}

/// An event of a kind, its seconds as ticks; what else it has is filled in by who asks.
fn event(what: Kind, [begin_s, end_s]: [f64; 2], place: DVec2, strength: f64) -> Event {
    Event {
        id: 0,
        what,
        from: tick_of(begin_s),
        until: tick_of(end_s),
        place,
        velocity_mps: DVec2::ZERO,
        radius_m: 0.0,
        strength,
        scripted: false,
    }
}

#[cfg(test)]
mod tests;
