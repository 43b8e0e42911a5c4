//! What a sail came to: for people, for programs, on a chart, and for a replay.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fairway::atlas::{Course, Species};
use fairway::chart;
use fairway::clock;
use fairway::creatures::Doing;
use fairway::events::Kind;
use fairway::harbour::answers::PassageState;
use fairway::pilots::Seen;
use fairway::sea::Sea;
use fairway::units::{NAUTICAL_MILE_M, Tick};
use serde::Serialize;

use super::chaos::Strokes;
use super::display::time;
use super::fleet::Fared;
use super::{Args, End, Sailed};
use crate::outcome::{Failure, Format};

/// Wall times in which a crew saw no new state, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Gaps {
    p50: f64,
    p99: f64,
    max: f64,
}

/// An event that a vessel met, for programs.
#[derive(Debug, Serialize)]
struct MetSummary {
    tick: u64,
    what: Kind,
    strength: f64,
    scripted: bool,
}

/// One vessel, for programs.
#[derive(Debug, Serialize)]
struct VesselSummary {
    vessel: u32,
    name: String,
    boat: String,
    state: PassageState,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    sailed_s: f64,
    ground_m: f64,
    water_m: f64,
    to_go_m: f64,
    marks_passed: u16,
    handoffs_seen: u32,
    tacks: u32,
    gybes: u32,
    stale_states: u64,
    ticks_missed: u64,
    /// Events of which the pilot was told, and those that the vessel met.
    events_told: u32,
    events_met: Vec<MetSummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pilot_error: Option<String>,
}

/// The one JSON object that `-o json` prints.
#[derive(Debug, Serialize)]
struct Figures {
    course: String,
    passages: u32,
    arrived: u32,
    given_up: u32,
    regions_started: u32,
    regions_stopped: u32,
    regions_failed: u32,
    regions_peak: u32,
    handoffs: u32,
    handoff_ticks_missed: u64,
    client_gap_ms: Gaps,
    client_gaps: usize,
    control_gap_ms: Gaps,
    control_gaps: usize,
    distance_m: f64,
    water_m: f64,
    sim_s: f64,
    wall_s: f64,
    warp: f64,
    seed: u64,
    start_tick: u64,
    ended: &'static str,
    /// Vessels sailed on after their region had died.
    resumed: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    chaos: Option<Strokes>,
    troubles: Vec<String>,
    /// Groups of each species that somebody saw.
    seen: BTreeMap<&'static str, usize>,
    whales_struck: usize,
    nets_caught: usize,
    vessels: Vec<VesselSummary>,
}

/// How a sail went.
pub(crate) struct Summary {
    figures: Figures,
    end: End,
    seen: Seen,
    fared: Vec<Fared>,
}

impl Summary {
    /// Sums up.
    pub(crate) fn new(args: &Args, course: &Course, seed: u64, sailed: Sailed, began: Instant) -> Self {
        let Sailed { end, status, vessels, tick, strokes } = sailed;
        let gaps = |of: fn(&Fared) -> &[f64]| -> Vec<f64> { vessels.iter().flat_map(of).copied().collect() };
        let (client, control) = (gaps(|fared| &fared.pilot.gap_ms), gaps(|fared| &fared.pilot.control_ms));
        let arrived = vessels.iter().filter(|fared| fared.passage.state == PassageState::Arrived).count();
        let given_up = vessels.iter().filter(|fared| failed(fared, end)).count();
        let start_tick = status.clock.tick.0;
        let mut seen = Seen::default();
        vessels.iter().for_each(|fared| seen.join(&fared.pilot.seen));
        let figures = Figures {
            course: course.name.clone(),
            passages: count(vessels.len()),
            arrived: count(arrived),
            given_up: count(given_up),
            regions_started: status.regions_started,
            regions_stopped: status.regions_stopped,
            regions_failed: status.regions_failed,
            regions_peak: status.regions_peak,
            handoffs: status.handoffs,
            handoff_ticks_missed: status.handoff_ticks_missed,
            client_gaps: client.len(),
            client_gap_ms: spread(client),
            control_gaps: control.len(),
            control_gap_ms: spread(control),
            distance_m: vessels.iter().map(|fared| fared.passage.ground_m).sum(),
            water_m: vessels.iter().map(|fared| fared.passage.water_m).sum(),
            sim_s: Tick(tick.saturating_sub(start_tick)).seconds(),
            wall_s: clock::now().saturating_duration_since(began).as_secs_f64(),
            warp: args.warp,
            seed,
            start_tick,
            ended: match end {
                End::AllOver => "all_over",
                End::TimeUp => "time_up",
                End::Interrupted => "interrupted",
            },
            resumed: status.resumed,
            chaos: strokes,
            troubles: status.troubles.clone(),
            seen: Species::ALL
                .into_iter()
                .map(|species| (species.key(), seen.groups(species)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            whales_struck: seen.met(Doing::Fleeing) + seen.met(Doing::Dead),
            nets_caught: seen.met(Doing::Snared),
            vessels: vessels.iter().map(vessel_summary).collect(),
        };
        Self { figures, end, seen, fared: vessels }
    }

    /// Writes the summary to standard output.
    pub(crate) fn print(&self, format: Format) {
        let text = match format {
            Format::Json => serde_json::to_string(&self.figures).unwrap_or_default() + "\n",
            Format::Text => self.text(),
        };
        let mut stdout = std::io::stdout();
        // A reader that has seen enough may close the pipe.
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Whether all went well.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        if self.end == End::Interrupted {
            return Err(Failure::Interrupted);
        }
        let all_arrived = self.figures.arrived == self.figures.passages;
        let nothing_failed = self.end == End::TimeUp && self.figures.given_up == 0;
        if all_arrived || nothing_failed { Ok(()) } else { Err(Failure::NotArrived) }
    }

    fn text(&self) -> String {
        let figures = &self.figures;
        let mut lines =
            vec![format!("{}: {} of {} arrived", figures.course, figures.arrived, figures.passages)];
        let width = figures.vessels.iter().map(|vessel| vessel.name.chars().count()).max().unwrap_or(0);
        for vessel in &figures.vessels {
            let how = match vessel.state {
                PassageState::Arrived => "arrived after",
                PassageState::GivenUp => "ended after  ",
                PassageState::Booked | PassageState::Sailing => "under way for",
            };
            lines.push(format!(
                "  {:width$}  {how} {}  {:6.2} nm through the water, {:6.2} nm over the ground, {} tacks, {} gybes{}",
                vessel.name,
                time(vessel.sailed_s),
                vessel.water_m / NAUTICAL_MILE_M,
                vessel.ground_m / NAUTICAL_MILE_M,
                vessel.tacks,
                vessel.gybes,
                vessel.reason.as_ref().map_or_else(String::new, |reason| format!("; {reason}")),
            ));
        }
        for fared in &self.fared {
            let met = fared.pilot.log.counts();
            if !met.is_empty() {
                let met: Vec<String> =
                    met.iter().map(|(kind, count)| format!("{count} × {}", kind.name())).collect();
                lines.push(format!("  {:width$}  met {}", fared.passage.name, met.join(", ")));
            }
        }
        lines.push(format!(
            "regions: {} started, {} stopped, {} at most at once{}",
            figures.regions_started,
            figures.regions_stopped,
            figures.regions_peak,
            if figures.regions_failed > 0 {
                format!(", {} failed", figures.regions_failed)
            } else {
                String::new()
            },
        ));
        lines.push(format!("handoffs: {}, {} ticks missed", figures.handoffs, figures.handoff_ticks_missed));
        lines.extend(self.seen.line().map(|seen| format!("seen: {seen}")));
        lines.push(gap_line("gaps at handoffs ", figures.client_gap_ms, figures.client_gaps));
        lines.push(gap_line("gaps away from it", figures.control_gap_ms, figures.control_gaps));
        lines.push(format!(
            "{} of course time in {:.1} s at warp {}, seed {}",
            time(figures.sim_s),
            figures.wall_s,
            figures.warp,
            figures.seed
        ));
        lines.extend(figures.troubles.iter().map(|trouble| format!("trouble: {trouble}")));
        lines.join("\n") + "\n"
    }

    /// Draws the tracks.
    pub(crate) fn write_plot(&self, file: &Path, course: &Arc<Course>) -> Result<(), Failure> {
        let tracks: Vec<chart::Track> = self
            .fared
            .iter()
            .map(|fared| chart::Track {
                name: fared.passage.name.clone(),
                points: fared.pilot.track.iter().map(|point| (point.tick, point.place)).collect(),
                finished: fared.passage.arrived_tick.map(Tick),
            })
            .collect();
        let sea = Sea::new(Arc::clone(course), self.figures.seed);
        write(file, "--plot", &chart::tracks(&sea, &tracks, &chart::Options::default()))
    }
}

fn write(file: &Path, option: &str, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::Broke(format!("cannot write {option} {}: {error}", file.display())))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether a passage ended badly: a vessel that was under way when time was up did not.
fn failed(fared: &Fared, end: End) -> bool {
    match fared.passage.state {
        PassageState::GivenUp => true,
        PassageState::Booked | PassageState::Sailing => end == End::AllOver,
        PassageState::Arrived => false,
    }
}

fn vessel_summary(fared: &Fared) -> VesselSummary {
    let Fared { passage, pilot, sailed_s } = fared;
    VesselSummary {
        vessel: passage.vessel,
        name: passage.name.clone(),
        boat: passage.boat.clone(),
        state: passage.state,
        reason: passage.reason.clone(),
        sailed_s: *sailed_s,
        ground_m: passage.ground_m,
        water_m: passage.water_m,
        to_go_m: passage.to_go_m,
        marks_passed: passage.marks_passed,
        handoffs_seen: pilot.handoffs_seen,
        tacks: pilot.tacks,
        gybes: pilot.gybes,
        stale_states: pilot.stale,
        ticks_missed: pilot.missed_ticks.iter().sum(),
        events_told: pilot.log.told,
        events_met: pilot
            .log
            .met
            .iter()
            .map(|met| MetSummary {
                tick: met.tick.0,
                what: met.event.what,
                strength: met.event.strength,
                scripted: met.event.scripted,
            })
            .collect(),
        pilot_error: pilot.error.clone(),
    }
}

/// Median, 99th percentile and maximum; nearest rank.
fn spread(mut figures: Vec<f64>) -> Gaps {
    figures.sort_by(f64::total_cmp);
    let Some(&max) = figures.last() else { return Gaps::default() };
    let rank = |percent: usize| figures[(figures.len() * percent).div_ceil(100).max(1) - 1];
    let milli = |value: f64| (value * 1e3).round() / 1e3;
    Gaps { p50: milli(rank(50)), p99: milli(rank(99)), max: milli(max) }
}

fn gap_line(what: &str, gaps: Gaps, count: usize) -> String {
    if count == 0 {
        return format!("{what}: none measured");
    }
    format!(
        "{what}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms ({count} measured)",
        gaps.p50, gaps.p99, gaps.max
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let figures: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(spread(figures), Gaps { p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(spread(vec![7.0]), Gaps { p50: 7.0, p99: 7.0, max: 7.0 });
        assert_eq!(spread(Vec::new()), Gaps::default());
    }
}
