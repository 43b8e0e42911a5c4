//! What all places share at one tick: stations, waves' phases, the wind's segment, what happens along the course.
//!
//! A thread remembers its last moment, because vessels are sailed tick by tick. It is a memo of pure
//! functions: it changes how fast an answer comes, never the answer.

use std::cell::RefCell;

use super::Sea;
use super::freak::Freak;
use super::swell::Train;
use super::tide::station_value;
use super::waves::WaveMoment;
use crate::units::{TICK_HZ, Tick};
use crate::weather::{GustTurns, Segment, Sky, Weather};

/// Stations are computed every ten seconds of course time and blended between: a current that swings with
/// 2.5 m/s in twelve hours is off by less than a micrometre a second.
const NODE_TICKS: u64 = 10 * TICK_HZ;
/// Trains of swell and freak waves are looked up for so many ticks at once: a minute.
const STIR_TICKS: u64 = 60 * TICK_HZ;

/// What all places share at one tick.
#[derive(Debug)]
pub(super) struct Moment {
    sea: u64,
    pub(super) tick: Tick,
    /// Flood, flood, ebb and ebb speed at each current station, m/s, as a share has its parts.
    pub(super) drives_mps: Vec<[f32; 4]>,
    /// Height at each height station, metres.
    pub(super) heights_m: Vec<f32>,
    pub(super) waves: WaveMoment,
    pub(super) segment: Segment,
    pub(super) turns: GustTurns,
    pub(super) sky: Sky,
    /// Trains of swell and freak waves of the minute.
    pub(super) trains: Vec<Train>,
    pub(super) freaks: Vec<Freak>,
    /// All stations at a node and the next.
    node: u64,
    values: [Vec<f64>; 2],
}

thread_local! {
    static LAST: RefCell<Option<Box<Moment>>> = const { RefCell::new(None) };
}

/// Calls `then` with the moment of a tick.
pub(super) fn with<T>(sea: &Sea, tick: Tick, then: impl FnOnce(&Moment) -> T) -> T {
    LAST.with_borrow_mut(|last| match last {
        Some(moment) if moment.sea == sea.number && moment.tick == tick => then(moment),
        Some(moment) if moment.sea == sea.number => {
            moment.turn_to(sea, tick);
            then(moment)
        }
        _ => then(last.insert(Box::new(Moment::new(sea, tick)))),
    })
}

impl Moment {
    fn new(sea: &Sea, tick: Tick) -> Self {
        let segment = sea.weather.segment(Weather::segment_number(tick));
        let mut moment = Self {
            sea: sea.number,
            tick,
            drives_mps: vec![[0.0; 4]; sea.gauges.currents.len()],
            heights_m: vec![0.0; sea.gauges.heights.len()],
            waves: sea.waves.moment(tick),
            turns: sea.weather.turns(&segment, tick),
            segment,
            sky: Sky::default(),
            trains: sea.trains_of_minute(tick),
            freaks: sea.freaks_of_minute(tick),
            node: tick.0 / NODE_TICKS,
            values: [stations_at(sea, tick.0 / NODE_TICKS), stations_at(sea, tick.0 / NODE_TICKS + 1)],
        };
        sea.weather.turn_sky(&mut moment.sky, tick);
        moment.blend_stations(sea);
        moment
    }

    /// Becomes the moment of another tick, keeping what is still good.
    fn turn_to(&mut self, sea: &Sea, tick: Tick) {
        if Weather::segment_number(tick) != Weather::segment_number(self.tick) {
            self.segment = sea.weather.segment(Weather::segment_number(tick));
        }
        if tick.0 / STIR_TICKS != self.tick.0 / STIR_TICKS {
            self.trains = sea.trains_of_minute(tick);
            self.freaks = sea.freaks_of_minute(tick);
        }
        self.tick = tick;
        sea.weather.turn_sky(&mut self.sky, tick);
        self.turns = sea.weather.turns(&self.segment, tick);
        self.waves = sea.waves.moment(tick);
        let node = tick.0 / NODE_TICKS;
        if node == self.node + 1 {
            self.values.swap(0, 1);
            self.values[1] = stations_at(sea, node + 1);
        } else if node != self.node {
            self.values = [stations_at(sea, node), stations_at(sea, node + 1)];
        }
        self.node = node;
        self.blend_stations(sea);
    }

    fn blend_stations(&mut self, sea: &Sea) {
        #[expect(clippy::cast_precision_loss, reason = "450 ticks")]
        let share = (self.tick.0 % NODE_TICKS) as f64 / NODE_TICKS as f64;
        #[expect(clippy::cast_possible_truncation, reason = "places blend them in single precision")]
        let at = |i: usize| (self.values[0][i] + (self.values[1][i] - self.values[0][i]) * share) as f32;
        for (height_m, &i) in self.heights_m.iter_mut().zip(&sea.gauges.heights) {
            *height_m = at(i);
        }
        for (drive, &i) in self.drives_mps.iter_mut().zip(&sea.gauges.currents) {
            let speed_mps = at(i);
            let (flood, ebb) = (speed_mps.max(0.0), (-speed_mps).max(0.0));
            *drive = [flood, flood, ebb, ebb];
        }
    }
}

impl Sea {
    fn trains_of_minute(&self, tick: Tick) -> Vec<Train> {
        let minute = tick.0 / STIR_TICKS;
        self.trains.within(Tick(minute * STIR_TICKS), Tick((minute + 1) * STIR_TICKS))
    }

    fn freaks_of_minute(&self, tick: Tick) -> Vec<Freak> {
        let minute = tick.0 / STIR_TICKS;
        self.freaks(Tick(minute * STIR_TICKS), Tick((minute + 1) * STIR_TICKS))
    }
}

/// What every station shows at a node of time.
fn stations_at(sea: &Sea, node: u64) -> Vec<f64> {
    let unix_s = sea.course.unix_s_of(Tick(node * NODE_TICKS));
    sea.course.stations.iter().map(|station| station_value(station, unix_s)).collect()
}
