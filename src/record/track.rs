//! One vessel's record: what the logs hold of it, in order, and what they lack.

use std::collections::BTreeMap;

use super::replay::{Mismatch, ReplaySummary};
use crate::sim::Vessel;
use crate::units::{Tick, VesselId};
use crate::vessel::{Input, Wake};
use crate::wire::message::{AppliedInput, Given};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Published {
    pub(super) tick: u64,
    /// Term and hop.
    pub(super) epoch: (u32, u32),
    pub(super) log: u32,
    pub(super) hash: u64,
}

/// A vessel as it was sailed on after its owner had ended.
pub(super) struct Resumption {
    pub(super) tick: Tick,
    pub(super) through: Tick,
    pub(super) term: u32,
    pub(super) vessel: Box<Vessel>,
}

/// A vessel as it was handed over.
pub(super) struct Taken {
    pub(super) tick: Tick,
    pub(super) commit: Tick,
    pub(super) log: u32,
    pub(super) vessel: Box<Vessel>,
    pub(super) given: Vec<AppliedInput>,
}

/// All that the logs hold of one vessel.
#[derive(Default)]
pub(super) struct Track {
    pub(super) launches: Vec<(Tick, Box<Vessel>)>,
    pub(super) taken: Vec<Taken>,
    pub(super) resumed: Vec<Resumption>,
    pub(super) inputs: Vec<(Tick, u32, Input)>,
    pub(super) companies: Vec<(Tick, u32, Vec<Wake>)>,
    pub(super) published: Vec<Published>,
    pub(super) left: Vec<Tick>,
}

/// One vessel's record in order, with its place in it.
pub(super) struct Passage {
    pub(super) id: VesselId,
    pub(super) launches: Vec<(Tick, Box<Vessel>)>,
    pub(super) resumed: Vec<Resumption>,
    pub(super) inputs: Vec<(Tick, Input)>,
    pub(super) companies: BTreeMap<Tick, Vec<Wake>>,
    pub(super) bridges: Vec<(Tick, Box<Vessel>)>,
    pub(super) published: Vec<Published>,
    pub(super) left: Vec<Tick>,
    pub(super) next_launch: usize,
    pub(super) next_bridge: usize,
    pub(super) next_resumed: usize,
    pub(super) next_input: usize,
    pub(super) next_published: usize,
    pub(super) next_left: usize,
}

impl Passage {
    /// Puts a track in order: of each tick the publication of the highest epoch stands, and with it the
    /// orders of the log that wrote it.
    pub(super) fn of(
        id: VesselId,
        mut track: Track,
        ends: &BTreeMap<u32, u64>,
        summary: &mut ReplaySummary,
    ) -> Self {
        track.launches.sort_by_key(|(tick, _)| *tick);
        track.left.sort_unstable();
        track.published.sort_unstable();
        let mut standing: Vec<Published> = Vec::with_capacity(track.published.len());
        for published in track.published {
            match standing.last_mut() {
                Some(last) if last.tick == published.tick => {
                    summary.double += 1;
                    *last = published;
                }
                _ => standing.push(published),
            }
        }
        let mut epochs: Vec<(u32, u32)> = standing.iter().map(|published| published.epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        summary.epochs += epochs.len();
        // Who published a tick has decided what was given for it; of one that nobody published, or whose log is lost,
        // whoever took the vessel over after it knows.
        let log_of = |tick: u64| {
            standing
                .binary_search_by_key(&tick, |published| published.tick)
                .ok()
                .map(|place| standing[place].log)
        };
        let mut inputs: Vec<(Tick, Input)> = Vec::new();
        let mut companies = BTreeMap::new();
        let mut bridges: Vec<(Tick, Box<Vessel>)> = Vec::new();
        for taken in track.taken {
            if log_of(taken.commit.0) != Some(taken.log) || log_of(taken.commit.0 - 1).is_some() {
                continue;
            }
            for input in taken.given.into_iter().filter(|input| log_of(input.tick.0).is_none()) {
                match input.given {
                    Given::Order(order) => inputs.push((input.tick, order)),
                    Given::Company(company) => drop(companies.insert(input.tick, company)),
                }
            }
            bridges.push((taken.tick, taken.vessel));
        }
        bridges.sort_by_key(|(tick, _)| *tick);
        let orders = track.inputs.iter().filter(|(tick, log, _)| log_of(tick.0) == Some(*log));
        inputs.extend(orders.map(|(tick, _, input)| (*tick, *input)));
        inputs.sort_by_key(|(tick, input)| (*tick, input.session, input.seq));
        let told = track.companies.into_iter().filter(|(tick, log, _)| log_of(tick.0) == Some(*log));
        companies.extend(told.map(|(tick, _, company)| (tick, company)));
        track.resumed.sort_by_key(|resumption| (resumption.tick, resumption.term));
        let passage = Self {
            id,
            launches: track.launches,
            resumed: track.resumed,
            inputs,
            companies,
            bridges,
            published: standing,
            left: track.left,
            next_launch: 0,
            next_bridge: 0,
            next_resumed: 0,
            next_input: 0,
            next_published: 0,
            next_left: 0,
        };
        passage.count_missing(ends, summary);
        passage
    }

    /// Ticks after a launch, up to leaving or to the last word, that nobody published.
    fn count_missing(&self, ends: &BTreeMap<u32, u64>, summary: &mut ReplaySummary) {
        let last = self.published.last().map_or(0, |published| published.tick);
        let mut afloat_until = None;
        for (launch, _) in &self.launches {
            // Taken up again while it sailed: no new stretch.
            if afloat_until.is_some_and(|until| launch.0 < until) {
                continue;
            }
            let from = launch.0;
            let until =
                self.left.iter().map(|tick| tick.0).find(|tick| *tick >= from).unwrap_or(last.max(from));
            afloat_until = Some(until);
            let start = self.published.partition_point(|published| published.tick <= from);
            let end = self.published.partition_point(|published| published.tick <= until);
            let here = &self.published[start..end.max(start)];
            let mut due = from + 1;
            for tick in here.iter().map(|published| published.tick).chain([until + 1]) {
                if tick > due {
                    self.count_gap(Tick(due), Tick(tick - 1), ends, summary);
                }
                due = tick + 1;
            }
        }
        for resumption in &self.resumed {
            let known = self.published.partition_point(|published| published.tick <= resumption.through.0);
            let until = self.published.partition_point(|published| published.tick <= resumption.tick.0);
            summary.history_lost += (until - known.min(until)) as u64;
        }
    }

    /// Ticks from `first` to `last` that nobody published: interrupted where the next one took up a dead owner's
    /// vessel after them, or had it committed for after them by an owner whose log ends before.
    fn count_gap(&self, first: Tick, last: Tick, ends: &BTreeMap<u32, u64>, summary: &mut ReplaySummary) {
        let next = self.published.partition_point(|published| published.tick < first.0);
        let handed_over = next.checked_sub(1).and_then(|before| {
            let (before, after) = (self.published.get(before)?, self.published.get(next)?);
            let died = ends.get(&before.log).is_some_and(|end| *end <= last.0);
            Some(died && before.log != after.log && before.epoch < after.epoch)
        });
        let resumed = self.resumed.iter().any(|resumption| resumption.tick == last);
        if resumed || handed_over == Some(true) {
            summary.interrupted += last.since(first) + 1;
            return;
        }
        summary.missing += last.since(first) + 1;
        summary.first_missing.get_or_insert(Mismatch { vessel: self.id, tick: first });
    }

    pub(super) fn last(&self) -> Tick {
        let published = self.published.last().map_or(Tick(0), |published| Tick(published.tick));
        published.max(self.launches[self.launches.len() - 1].0)
    }

    /// Whether the state of a tick was published and is not lost with its owner.
    pub(super) fn stands_at(&self, tick: Tick) -> bool {
        self.published.binary_search_by_key(&tick.0, |published| published.tick).is_ok()
            && !self.resumed.iter().any(|resumption| tick > resumption.through && tick <= resumption.tick)
    }
}
