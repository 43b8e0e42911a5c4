//! What people see while a fleet sails: a bar per passage and a line of regions, or plain lines now and then.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use fairway::clock;
use fairway::harbour::answers::{PassageLine, PassageState, RegionAnswer, RegionPhase, StatusAnswer};
use fairway::pilots::PilotProgress;
use fairway::units::{NAUTICAL_MILE_M, knots};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::sailed_s;

/// Bars at most; the rest of a larger fleet is summed up in the line of regions.
const BARS: usize = 24;
/// Cells that are named in the line of regions.
const CELLS: usize = 6;
/// Wall time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// Steps of a bar.
const STEPS: u64 = 1_000;

/// The display.
pub(crate) struct Display {
    bars: Vec<ProgressBar>,
    /// The whole way of each vessel, metres, from the first look at it.
    ways_m: Vec<f64>,
    regions: Option<ProgressBar>,
    /// Held so that the bars stay drawn together.
    _together: Option<MultiProgress>,
    next_plain: Instant,
    marks: usize,
}

impl Display {
    /// A display for vessels of these names on a course with so many marks.
    pub(crate) fn new(names: &[String], marks: usize) -> Self {
        let mut display = Self {
            bars: Vec::new(),
            ways_m: vec![0.0; names.len()],
            regions: None,
            _together: None,
            next_plain: clock::now(),
            marks,
        };
        if !std::io::stderr().is_terminal() {
            return display;
        }
        let together = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for name in names.iter().take(BARS) {
            let bar = together.add(ProgressBar::new(STEPS));
            bar.set_style(style("{prefix} {bar:28.cyan/dim} {msg}"));
            bar.set_prefix(format!("{name:width$}"));
            display.bars.push(bar);
        }
        let regions = together.add(ProgressBar::new(1));
        regions.set_style(style("{msg}"));
        display.regions = Some(regions);
        display._together = Some(together);
        display
    }

    /// Shows how it goes now.
    pub(crate) fn show(&mut self, status: &StatusAnswer, passages: &[PassageLine], pilots: &[PilotProgress]) {
        for (way_m, passage) in self.ways_m.iter_mut().zip(passages) {
            *way_m = way_m.max(passage.to_go_m);
        }
        let Some(regions) = &self.regions else {
            self.show_plain(status, passages);
            return;
        };
        for ((bar, passage), way_m) in self.bars.iter().zip(passages).zip(&self.ways_m) {
            let pilot = pilots.iter().find(|pilot| pilot.vessel.0 == passage.vessel);
            bar.set_position(steps(1.0 - passage.to_go_m / way_m.max(1.0)));
            bar.set_message(line_of(passage, pilot, self.marks));
        }
        regions.set_message(line_of_regions(status));
    }

    fn show_plain(&mut self, status: &StatusAnswer, passages: &[PassageLine]) {
        if clock::now() < self.next_plain {
            return;
        }
        self.next_plain = clock::now() + PLAIN_EVERY;
        let furthest_m = passages.iter().map(|passage| passage.to_go_m).fold(0.0, f64::max);
        // Nobody may be reading any more; the sail goes on.
        let _ = writeln!(
            std::io::stderr(),
            "{} arrived, {} sailing, last one {:.1} nm to go; {}",
            status.arrived,
            status.sailing,
            furthest_m / NAUTICAL_MILE_M,
            line_of_regions(status)
        );
    }

    /// A line for people, above the bars.
    pub(crate) fn say(&self, what: &str) {
        match &self._together {
            // A terminal that went away takes nothing with it.
            Some(together) => drop(together.println(what)),
            None => drop(writeln!(std::io::stderr(), "{what}")),
        }
    }

    /// Leaves the last picture standing.
    pub(crate) fn finish(&self) {
        for bar in self.bars.iter().chain(&self.regions) {
            bar.abandon();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants of this file; the default one would only look different.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn steps(share: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    let steps = (share.clamp(0.0, 1.0) * 1_000.0) as u64;
    steps
}

fn line_of(passage: &PassageLine, pilot: Option<&PilotProgress>, marks: usize) -> String {
    let speed = pilot.map_or(0.0, |pilot| knots(pilot.speed_mps));
    match passage.state {
        PassageState::Booked => "waits for its region".to_owned(),
        PassageState::Sailing => format!(
            "{:5.2} nm to go, mark {}/{marks}, {speed:4.1} kn, region {}",
            passage.to_go_m / NAUTICAL_MILE_M,
            passage.marks_passed,
            passage.region.map_or_else(|| "?".to_owned(), |id| id.to_string()),
        ),
        PassageState::Arrived => format!("arrived after {}", time(passage.sailed_s)),
        PassageState::GivenUp => format!("given up after {}", time(passage.sailed_s)),
    }
}

fn line_of_regions(status: &StatusAnswer) -> String {
    let cells = |phase: RegionPhase| {
        let named: Vec<String> = status
            .regions
            .iter()
            .filter(|region| region.phase == phase)
            .take(CELLS)
            .map(|RegionAnswer { cell: [x, y], .. }| format!("{x},{y}"))
            .collect();
        if named.is_empty() { String::new() } else { format!(" ({})", named.join(" ")) }
    };
    format!(
        "{} into it; regions: {} booting{}, {} standing by{}, {} live{}, {} draining; {} started, {} stopped; {} handoffs",
        time(sailed_s(status)),
        status.booting,
        cells(RegionPhase::Booting),
        status.standing_by,
        cells(RegionPhase::StandingBy),
        status.live,
        cells(RegionPhase::Live),
        status.draining,
        status.regions_started,
        status.regions_stopped,
        status.handoffs,
    )
}

/// Hours, minutes and seconds.
pub(crate) fn time(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let seconds = seconds.max(0.0).round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
