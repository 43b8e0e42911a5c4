//! What clients notice of a border, beside what they notice away from one.
//!
//! Launches under power on gullwing, cut into cells of 64 m, so that each crosses a border about every twenty
//! seconds. All four kinds sail at once, in the same regions: single-handed and with four more aboard, on a clean
//! and on a bad network. Between regions, and to the harbour, the network is clean.

use std::time::{Duration, Instant};

use fairway::units::TICK_S;
use fairway::wire::message::Epoch;

use crate::figures::{Figure, PEERS_MS, PEERS_TICKS, PEERS_UNKNOWN};
use crate::port::{Port, Waters};
use crate::relay::Relay;
use crate::sailors::{Arrival, Berth, Quay, Sailors, Seen};

/// Clients aboard besides the one at the helm.
const CREWS: [usize; 2] = [0, 4];
/// Half of the window around a crossing, as `fairway sail` has it.
const HALF_WINDOW: Duration = Duration::from_secs(1);
/// Distance of a window away from borders from any crossing.
const APART: Duration = Duration::from_secs(3);
/// Wall time after the last client came aboard that does not count: circuits find their pace.
const SETTLE: Duration = Duration::from_secs(4);
/// Wall time in which all clients must have come aboard; on the bad network each takes several round trips.
const ABOARD: Duration = Duration::from_secs(30);

/// How much is sailed.
pub(crate) struct Size {
    /// Vessels of each of the four kinds.
    pub(crate) vessels: usize,
    /// For how long.
    pub(crate) measure: Duration,
}

/// What windows showed.
#[derive(Default)]
struct Noticed {
    gap_ticks: Vec<f64>,
    gap_ms: Vec<f64>,
    age_ms: Vec<f64>,
    helm_ms: Vec<f64>,
}

/// Measures; figures for both kinds of windows, networks and crews.
pub(crate) fn measure(size: &Size) -> Vec<Figure> {
    let waters = Waters { cell_m: 64, line: None, heading_deg: 77.0 };
    let port = Port::open(&waters, false);
    let (clean, lossy) = (Quay::open(), Quay::open());
    // Dealt out by turns, so that no kind lies apart from the others.
    let (mut clean_berths, mut lossy_berths) = (Vec::new(), Vec::new());
    let mut kinds = [Vec::new(), Vec::new()];
    for _ in 0..size.vessels {
        for crew in CREWS {
            for (network, quay, berths) in [(0, &clean, &mut clean_berths), (1, &lossy, &mut lossy_berths)] {
                let booking = port.book(&quay.key);
                for number in 0..=crew {
                    berths.push(Berth { booking: booking.clone(), steers: number == 0 });
                    kinds[network].push(crew);
                }
            }
        }
    }
    let clean = Sailors::start(clean, None, port.client.clone(), clean_berths);
    let relay = Relay::new(5);
    let postman = relay.postman();
    let lossy = Sailors::start(lossy, Some(relay), port.client.clone(), lossy_berths);
    clean.wait_until_aboard(ABOARD);
    lossy.wait_until_aboard(ABOARD);
    std::thread::sleep(SETTLE);
    let from = fairway::clock::now();
    std::thread::sleep(size.measure);
    let to = fairway::clock::now();
    let handoffs = port.status();
    let networks = [("clean", clean.finish()), ("lossy", lossy.finish())];
    drop(port);
    let mut figures = Vec::new();
    for ((network, seen), crews) in networks.iter().zip(&kinds) {
        for crew in CREWS {
            let of_kind = || seen.iter().zip(crews).filter(|(_, theirs)| **theirs == crew).map(|(s, _)| s);
            figures.extend(figures_of(of_kind(), crew, network, from, to));
        }
        for lost in seen.iter().filter_map(|seen| seen.error.as_ref()) {
            eprintln!("crossing: a client of the {network} network ended early: {lost}");
        }
    }
    if let Some(figure) = figures.first_mut() {
        let (count, missed) = (handoffs.handoffs, handoffs.handoff_ticks_missed);
        let (carried, lost, late_ms) = postman.told();
        figure.note = format!(
            "{count} handoffs in all, {missed} ticks that the target published late; the relay carried {carried} \
             datagrams, lost {lost}, and was {late_ms:.1} ms late with one at worst"
        );
        figure.more.push(("relay_late_ms", late_ms.into()));
        figure.more.push(("handoffs", count.into()));
        figure.more.push(("ticks_missed", missed.into()));
    }
    figures
}

fn figures_of<'a>(
    seen: impl Iterator<Item = &'a Seen>,
    crew: usize,
    network: &'static str,
    from: Instant,
    to: Instant,
) -> Vec<Figure> {
    let (mut crossing, mut away) = (Noticed::default(), Noticed::default());
    for seen in seen {
        notice(seen, from, to, &mut crossing, &mut away);
    }
    let mut figures = Vec::new();
    for (place, noticed) in [("crossing", crossing), ("away", away)] {
        for (metric, samples, peers) in [
            ("client_gap_ticks", noticed.gap_ticks, PEERS_TICKS),
            ("client_gap_ms", noticed.gap_ms, PEERS_MS),
            ("state_age_ms", noticed.age_ms, PEERS_UNKNOWN),
            ("helm_latency_ms", noticed.helm_ms, PEERS_MS),
        ] {
            let figure = Figure::new(metric, samples, peers);
            figures.push(figure.key("crew", crew).key("network", network).key("where", place));
        }
    }
    figures
}

/// Sorts what one client saw into windows around crossings and away from them.
fn notice(seen: &Seen, from: Instant, to: Instant, crossing: &mut Noticed, away: &mut Noticed) {
    let pairs = || seen.arrivals.iter().zip(seen.arrivals.iter().skip(1));
    let hop = |epoch: Epoch| (epoch.term, epoch.hop);
    let crossings: Vec<Instant> =
        pairs().filter(|(a, b)| hop(b.epoch) > hop(a.epoch)).map(|(_, b)| b.at).collect();
    let apart = |a: Instant, b: Instant| a.max(b).saturating_duration_since(a.min(b));
    for &middle in crossings.iter().filter(|&&at| at > from + HALF_WINDOW && at + HALF_WINDOW < to) {
        let begin = middle.checked_sub(HALF_WINDOW).unwrap_or(middle);
        crossing.take(&seen.arrivals, begin, middle + HALF_WINDOW);
    }
    let mut begin = from;
    while begin + 2 * HALF_WINDOW < to {
        let middle = begin + HALF_WINDOW;
        if crossings.iter().all(|&at| apart(at, middle) > APART + HALF_WINDOW) {
            away.take(&seen.arrivals, begin, begin + 2 * HALF_WINDOW);
        }
        begin += 2 * HALF_WINDOW;
    }
    for &(sent, delay) in seen.delays.iter().filter(|(sent, _)| *sent > from && *sent < to) {
        let delay_ms = delay.as_secs_f64() * 1e3;
        if crossings.iter().any(|&at| apart(at, sent) <= HALF_WINDOW) {
            crossing.helm_ms.push(delay_ms);
        } else if crossings.iter().all(|&at| apart(at, sent) > APART) {
            away.helm_ms.push(delay_ms);
        }
    }
}

impl Noticed {
    fn take(&mut self, arrivals: &[Arrival], from: Instant, to: Instant) {
        if let Some((ticks, ms)) = longest(arrivals, from, to) {
            self.gap_ticks.push(ticks);
            self.gap_ms.push(ms);
        }
        let within = arrivals.iter().filter(|arrival| arrival.at >= from && arrival.at <= to);
        self.age_ms.extend(within.map(|arrival| arrival.age_ms));
    }
}

/// The most ticks without a state, and the longest silence in milliseconds, between two states that touch a
/// window: each beyond one tick.
#[expect(clippy::cast_precision_loss, reason = "a few ticks")]
fn longest(arrivals: &[Arrival], from: Instant, to: Instant) -> Option<(f64, f64)> {
    let begin = arrivals.partition_point(|arrival| arrival.at < from).saturating_sub(1);
    let end = arrivals.partition_point(|arrival| arrival.at <= to);
    let touching = &arrivals[begin..arrivals.len().min(end + 1)];
    let pairs = || touching.iter().zip(touching.iter().skip(1));
    let ticks = pairs().map(|(a, b)| b.tick.since(a.tick).saturating_sub(1)).max()?;
    let silence = pairs().map(|(a, b)| b.at.saturating_duration_since(a.at)).max()?;
    Some((ticks as f64, (silence.as_secs_f64() - TICK_S).max(0.0) * 1e3))
}
