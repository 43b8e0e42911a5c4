//! What may happen along a course: how often its climate brings it, what its owner scripts, where its tide rips.

use glam::DVec2;
use serde::{Deserialize, Serialize};

use super::course::Frame;
use super::file::{ClimateTable, EventTable, RipTable};
use super::load::Reader;
use crate::limits::{COURSE_EVENTS, COURSE_RIPS};
use crate::units::{TICK_HZ, Tick, radians, wrap_heading};

/// How often a climate brings what; each is a mean over many days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adventures {
    /// Fronts that pass over the course, a day.
    pub fronts_per_day: f64,
    /// Squalls that pass over a place, a day.
    pub squalls_per_day: f64,
    /// Thunderstorms that pass over a place, a day.
    pub thunderstorms_per_day: f64,
    /// Trains of higher waves in each swell, a day.
    pub swell_trains_per_day: f64,
    /// Freak waves on a square of 10 km, a day.
    pub freak_waves_per_day: f64,
}

impl Adventures {
    /// Nothing ever happens.
    pub const NONE: Self = Self {
        fronts_per_day: 0.0,
        squalls_per_day: 0.0,
        thunderstorms_per_day: 0.0,
        swell_trains_per_day: 0.0,
        freak_waves_per_day: 0.0,
    };

    /// A temperate coast in summer: a front every five days, and a thunderstorm every fifty, as maps of thunder
    /// days show them for temperate coasts (WMO/OMM-21, 1953: 5 to 15 a year); a squall every five days.
    pub const USUAL: Self = Self {
        fronts_per_day: 0.2,
        squalls_per_day: 0.2,
        thunderstorms_per_day: 0.02,
        swell_trains_per_day: 6.0,
        freak_waves_per_day: 4.0,
    };
}

/// What a course can have happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// A line over which the wind veers.
    Front,
    /// A cell of rain with a gust front.
    Squall,
    /// A larger one, with lightning.
    Thunderstorm,
    /// A bank of fog.
    Fog,
    /// A train of higher waves in the course's swells.
    SwellTrain,
    /// One wave far above the others.
    FreakWave,
}

/// Bounds and usual values of one kind of scripted event: least, usual, most.
struct Measures {
    lasts_s: [f64; 3],
    /// None for what reaches from horizon to horizon.
    radius_m: Option<[f64; 3]>,
    strength: [f64; 3],
    /// Speed of its way where the wind does not say it, m/s.
    speed_mps: [f64; 3],
}

impl Happening {
    const fn measures(self) -> Measures {
        match self {
            Self::Front => Measures {
                lasts_s: [600.0, 7_200.0, 43_200.0],
                radius_m: None,
                strength: [-120.0, 50.0, 120.0],
                speed_mps: [4.0, 10.0, 25.0],
            },
            Self::Squall => Measures {
                lasts_s: [120.0, 1_800.0, 14_400.0],
                radius_m: Some([200.0, 2_000.0, 15_000.0]),
                strength: [1.0, 9.0, 40.0],
                speed_mps: [0.0, 8.0, 25.0],
            },
            Self::Thunderstorm => Measures {
                lasts_s: [120.0, 2_700.0, 14_400.0],
                radius_m: Some([200.0, 4_000.0, 15_000.0]),
                strength: [1.0, 12.0, 40.0],
                speed_mps: [0.0, 8.0, 25.0],
            },
            Self::Fog => Measures {
                lasts_s: [300.0, 5_400.0, 86_400.0],
                radius_m: Some([100.0, 1_500.0, 15_000.0]),
                strength: [20.0, 150.0, 5_000.0],
                speed_mps: [0.0, 3.0, 25.0],
            },
            Self::SwellTrain => Measures {
                lasts_s: [60.0, 300.0, 3_600.0],
                radius_m: None,
                strength: [1.0, 1.6, 3.0],
                speed_mps: [0.0, 0.0, 0.0],
            },
            Self::FreakWave => Measures {
                lasts_s: [30.0, 90.0, 300.0],
                radius_m: Some([50.0, 200.0, 1_000.0]),
                strength: [1.0, 1.5, 2.0],
                speed_mps: [0.0, 0.0, 0.0],
            },
        }
    }
}

/// Something that a course has happen, whatever the seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scripted {
    /// What.
    pub what: Happening,
    /// Where, course frame, metres: its middle when it begins; a front or a train of swell is there then; a freak wave
    /// stands there in the middle of its time.
    pub place: DVec2,
    /// When it begins.
    pub from: Tick,
    /// How long it lasts, seconds.
    pub lasts_s: f64,
    /// How far it reaches, metres; infinite for fronts and trains of swell.
    pub radius_m: f64,
    /// How strong: degrees of veer of a front; rise of the wind in a squall or thunderstorm, m/s; visibility in fog,
    /// metres; height over what the swell has else; crest of a freak wave over the significant height.
    pub strength: f64,
    /// Where it comes from, radians clockwise from north; with the wind, or the swell, where nothing is said.
    pub from_rad: Option<f64>,
    /// How fast it moves, m/s; with the wind, or the swell, where nothing is said.
    pub speed_mps: Option<f64>,
}

/// Ground over which the current runs faster: tide rips and overfalls stand there.
#[derive(Clone, Debug, PartialEq)]
pub struct Rip {
    /// What sailors call it.
    pub name: String,
    /// Its middle, course frame, metres.
    pub place: DVec2,
    /// How far it reaches, metres.
    pub radius_m: f64,
    /// The current in its middle over that around it.
    pub strength: f64,
}

/// The climate's rates, checked.
pub(super) fn rates(reader: &mut Reader<'_>, table: &ClimateTable) -> Adventures {
    let mut range = |key: &str, value, most| {
        reader.faults.range(format!("climate.{key}"), value, 0.0, most);
    };
    // The most that one draw a slot can bring, and that a day has room for.
    range("fronts_per_day", table.fronts_per_day, 4.0);
    range("squalls_per_day", table.squalls_per_day, 48.0);
    range("thunderstorms_per_day", table.thunderstorms_per_day, 48.0);
    range("swell_trains_per_day", table.swell_trains_per_day, 72.0);
    range("freak_waves_per_day", table.freak_waves_per_day, 48.0);
    Adventures {
        fronts_per_day: table.fronts_per_day,
        squalls_per_day: table.squalls_per_day,
        thunderstorms_per_day: table.thunderstorms_per_day,
        swell_trains_per_day: table.swell_trains_per_day,
        freak_waves_per_day: table.freak_waves_per_day,
    }
}

/// The rips that a course marks.
pub(super) fn rips(reader: &mut Reader<'_>, tables: &[RipTable], frame: &Frame) -> Vec<Rip> {
    if tables.len() > COURSE_RIPS {
        let what = format!("are {} in number", tables.len());
        reader.faults.add("rips", what, format!("give {COURSE_RIPS} at most"));
    }
    let mut rips = Vec::new();
    for (number, table) in (1..).zip(tables.iter().take(COURSE_RIPS)) {
        let key = format!("rip {number} \"{}\"", table.name);
        reader.faults.range(format!("{key} radius_m"), table.radius_m, 150.0, 10_000.0);
        reader.faults.range(format!("{key} strength"), table.strength, 1.0, 4.0);
        if let Some(place) = reader.place(&key, table.at, frame) {
            rips.push(Rip {
                name: table.name.clone(),
                place,
                radius_m: table.radius_m,
                strength: table.strength,
            });
        }
    }
    rips
}

/// The events that a course scripts; `swells` is how many it has, `start_unix_s` its start.
pub(super) fn scripted(
    reader: &mut Reader<'_>,
    tables: &[EventTable],
    frame: &Frame,
    swells: usize,
    [epoch_unix_s, start_unix_s]: [Option<i64>; 2],
) -> Vec<Scripted> {
    if tables.len() > COURSE_EVENTS {
        let what = format!("are {} in number", tables.len());
        reader.faults.add("events", what, format!("give {COURSE_EVENTS} at most"));
    }
    let mut events = Vec::new();
    for (number, table) in (1..).zip(tables.iter().take(COURSE_EVENTS)) {
        let key = format!("event {number}");
        let measures = table.what.measures();
        let mut value = |name: &str, given: Option<f64>, [least, usual, most]: [f64; 3]| {
            let value = given.unwrap_or(usual);
            reader.faults.range(format!("{key} {name}"), value, least, most);
            value
        };
        let lasts_s = value("lasts_s", table.lasts_s, measures.lasts_s);
        let strength = value("strength", table.strength, measures.strength);
        let radius_m = match measures.radius_m {
            Some(bounds) => value("radius_m", table.radius_m, bounds),
            None => f64::INFINITY,
        };
        let of_the_sea = matches!(table.what, Happening::SwellTrain | Happening::FreakWave);
        if table.speed_mps.is_some() && !of_the_sea {
            value("speed_mps", table.speed_mps, measures.speed_mps);
        }
        if table.from_deg.is_some() {
            value("from_deg", table.from_deg, [0.0, 0.0, 360.0]);
        }
        fitting(reader, &key, table, swells);
        let place = reader.place(&key, table.at, frame);
        let from = moment(reader, &key, table, epoch_unix_s, start_unix_s);
        let (Some(place), Some(from)) = (place, from) else { continue };
        events.push(Scripted {
            what: table.what,
            place,
            from,
            lasts_s,
            radius_m,
            strength,
            from_rad: table.from_deg.map(|from_deg| wrap_heading(radians(from_deg))),
            speed_mps: table.speed_mps,
        });
    }
    events
}

/// Notes keys that mean nothing for the kind of event, and what it needs of the course.
fn fitting(reader: &mut Reader<'_>, key: &str, table: &EventTable, swells: usize) {
    let of_the_sea = matches!(table.what, Happening::SwellTrain | Happening::FreakWave);
    if of_the_sea && (table.from_deg.is_some() || table.speed_mps.is_some()) {
        let remedy = "leave from_deg and speed_mps out";
        reader.faults.add(key, "has a way, but waves run as their periods say", remedy);
    }
    if table.what.measures().radius_m.is_none() && table.radius_m.is_some() {
        reader.faults.add(key, "has a radius, but reaches from horizon to horizon", "leave radius_m out");
    }
    if table.what == Happening::SwellTrain && swells == 0 {
        reader.faults.add(key, "raises the swell, of which the course has none", "give it a [[swell]]");
    }
}

/// The tick at which an event begins.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: seconds of ten years")]
#[expect(clippy::cast_precision_loss, reason = "45, and seconds of our age")]
fn moment(
    reader: &mut Reader<'_>,
    key: &str,
    table: &EventTable,
    epoch_unix_s: Option<i64>,
    start_unix_s: Option<i64>,
) -> Option<Tick> {
    // Ten years: longer than any passage, and than any sea that is left to itself.
    const LATEST_S: f64 = 10.0 * 366.0 * 86_400.0;
    let since_epoch_s = match (table.after_s, &table.time) {
        (Some(after_s), None) => {
            reader.faults.range(format!("{key} after_s"), after_s, 0.0, LATEST_S);
            (start_unix_s? - epoch_unix_s?) as f64 + after_s
        }
        (None, Some(text)) => (reader.moment(&format!("{key} time"), text)? - epoch_unix_s?) as f64,
        _ => {
            let remedy =
                "give after_s = seconds after the course's start, or time = \"2025-06-07T19:30:00Z\"";
            reader.faults.add(key, "says neither or both of when it begins", remedy);
            return None;
        }
    };
    if !(0.0..=100.0 * LATEST_S).contains(&since_epoch_s) {
        reader.faults.add(key, "begins before the course's epoch, or a thousand years later", "move it");
        return None;
    }
    Some(Tick((since_epoch_s * TICK_HZ as f64 + 0.5) as u64))
}
