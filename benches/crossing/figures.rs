//! Figures: how samples are summed up, and how they are printed for people and for machines.

use serde_json::{Map, Value, json};

/// Peers, as far as anybody has told: measured on OpenSimulator 0.9.2.2 (an avatar without a boat between two
/// regions of one process), and what residents of Second Life report.
pub(crate) const PEERS: &str = "OpenSimulator 294 ms in the median (80-564) for an avatar without a boat; \
                                Second Life about 1 s, 10 s at worst";
/// The same, short, beside a figure in milliseconds or ticks.
pub(crate) const PEERS_MS: &str = "OpenSim 294 (80-564), SL ~1000, worst 10000";
/// 294 ms, 80 to 564 ms, 1 s and 10 s in ticks of 45 Hz.
pub(crate) const PEERS_TICKS: &str = "OpenSim 13 (4-25), SL ~45, worst 450";
/// Neither loses a boat to a neighbour: what dies is gone, and its sailors log in again.
pub(crate) const PEERS_NONE: &str = "no peer resumes";
/// What nobody has told of a peer.
pub(crate) const PEERS_UNKNOWN: &str = "not known";

/// Median, 99th percentile and maximum; nearest ranks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
    pub(crate) count: usize,
}

impl Spread {
    /// The spread of samples; zeros without any.
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let Some(&max) = samples.last() else { return Self::default() };
        let rank = |percent: usize| samples[(samples.len() * percent).div_ceil(100).max(1) - 1];
        Self { p50: rank(50), p99: rank(99), max, count: samples.len() }
    }
}

/// One figure of the bench.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) metric: &'static str,
    /// What tells it from others of the same metric: name and value, in the order in which they are printed.
    pub(crate) keys: Vec<(&'static str, Value)>,
    pub(crate) spread: Spread,
    pub(crate) peers: &'static str,
    /// More for machines, and a remark for people.
    pub(crate) more: Vec<(&'static str, Value)>,
    pub(crate) note: String,
}

impl Figure {
    /// A figure with its samples' spread.
    pub(crate) fn new(metric: &'static str, samples: Vec<f64>, peers: &'static str) -> Self {
        let spread = Spread::of(samples);
        Self { metric, keys: Vec::new(), spread, peers, more: Vec::new(), note: String::new() }
    }

    /// The same figure with one more key.
    pub(crate) fn key(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.keys.push((name, value.into()));
        self
    }

    /// The same figure with something more for machines.
    pub(crate) fn more(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// The same figure with a remark.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The heading of the table.
    pub(crate) fn heading() -> String {
        format!(
            "{:<28} {:<26} {:>9} {:>9} {:>9} {:>6}  {:<44} note",
            "metric", "of", "p50", "p99", "max", "count", "peers"
        )
    }

    /// Its line of the table.
    pub(crate) fn line(&self) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let of: Vec<String> = self
            .keys
            .iter()
            .map(|(name, value)| match value {
                Value::String(_) => text(value),
                _ => format!("{name} {value}"),
            })
            .collect();
        let Spread { p50, p99, max, count } = self.spread;
        let numbers = if count == 0 {
            format!("{:>9} {:>9} {:>9}", "-", "-", "-")
        } else {
            format!("{p50:>9.2} {p99:>9.2} {max:>9.2}")
        };
        let Self { metric, peers, note, .. } = self;
        format!("{metric:<28} {:<26} {numbers} {count:>6}  {peers:<44} {note}", of.join(", "))
    }

    /// Its line for machines.
    pub(crate) fn json(&self) -> String {
        let milli = |value: f64| (value * 1e3).round() / 1e3;
        let Spread { p50, p99, max, count } = self.spread;
        let mut line = Map::new();
        line.insert("bench".to_owned(), json!("crossing"));
        line.insert("metric".to_owned(), json!(self.metric));
        for (name, value) in self.keys.iter().chain(&self.more) {
            line.insert((*name).to_owned(), value.clone());
        }
        for (name, value) in [("p50", p50), ("p99", p99), ("max", max)] {
            let value = if count == 0 { Value::Null } else { json!(milli(value)) };
            line.insert(name.to_owned(), value);
        }
        line.insert("count".to_owned(), json!(count));
        Value::Object(line).to_string()
    }
}
