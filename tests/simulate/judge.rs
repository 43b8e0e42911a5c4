//! What must hold after every run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fairway::region::Logged;
use fairway::sim::{Sim, Vessel};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::vessel::{Input, Wake};
use fairway::wire::message::{AppliedInput, Epoch, Given};

use crate::world::{Stage, World};

/// All that was logged of one vessel.
#[derive(Default)]
struct Track {
    published: BTreeMap<Tick, (Epoch, u64, RegionId)>,
    applied: Vec<(Tick, Input)>,
    /// Whose wakes acted on it from a tick on, as each region that sailed it decided.
    companies: BTreeMap<Tick, Vec<(RegionId, Vec<Wake>)>>,
    launched: Vec<(Tick, Vessel)>,
    resumed: BTreeMap<Tick, (Tick, Epoch, Vessel)>,
}

/// Looks at the log of a run: owners, epochs, orders, bits. `lost_max` is how much history a resumption may lose.
pub fn judge(stage: &Stage, world: &mut World<'_>, lost_max: Option<u64>) {
    let mut tracks: BTreeMap<VesselId, Track> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in &world.log {
        match &entry.logged {
            Logged::Published { vessel, tick, epoch, hash } => {
                let track = tracks.entry(*vessel).or_default();
                if entry.zombie {
                    wrong
                        .push(format!("{:?} published {tick:?} of {} after its end", entry.region, vessel.0));
                }
                if let Some((other, ..)) = track.published.insert(*tick, (*epoch, *hash, entry.region)) {
                    wrong.push(format!("{tick:?} of {} has two owners, {other:?} and {epoch:?}", vessel.0));
                }
            }
            Logged::Applied(AppliedInput { vessel, tick, given }) => {
                let track = tracks.entry(*vessel).or_default();
                match given {
                    Given::Order(input) => track.applied.push((*tick, *input)),
                    Given::Company(company) => {
                        track.companies.entry(*tick).or_default().push((entry.region, company.clone()));
                    }
                }
            }
            Logged::Launched(tick, vessel) => {
                tracks.entry(vessel.id).or_default().launched.push((*tick, (**vessel).clone()));
            }
            Logged::Resumed { tick, through, epoch, vessel } => {
                let resumption = (*through, *epoch, (**vessel).clone());
                tracks.entry(vessel.id).or_default().resumed.insert(*tick, resumption);
            }
            Logged::Left(..) | Logged::Taken { .. } => {}
        }
    }
    for (id, track) in &mut tracks {
        epochs_grow(*id, track, &mut wrong);
        orders_are_applied_once(*id, track, &mut wrong);
        if track.launched.len() > 1 {
            // Its owner and its guard ended together: it was launched again where the harbour last saw it.
            continue;
        }
        history_is_whole(*id, track, lost_max, &world.killed(), &mut wrong);
    }
    bits_are_equal(stage, &tracks, &mut wrong);
    world.violations.append(&mut wrong);
}

fn epochs_grow(id: VesselId, track: &Track, wrong: &mut Vec<String>) {
    let mut last = Epoch::default();
    for (tick, (epoch, ..)) in &track.published {
        if *epoch < last {
            wrong.push(format!("epoch of {} fell from {last:?} to {epoch:?} at {tick:?}", id.0));
        }
        last = *epoch;
    }
}

/// Of the history that stands: what a dead owner applied after its shadow's knowledge is gone with it.
fn orders_are_applied_once(id: VesselId, track: &mut Track, wrong: &mut Vec<String>) {
    for (tick, (through, ..)) in &track.resumed {
        track.applied.retain(|(applied, _)| *applied <= *through || *applied > *tick);
    }
    track.applied.sort_by_key(|(tick, input)| (*tick, input.session, input.seq));
    for pair in track.applied.windows(2) {
        let ((_, a), (tick, b)) = (pair[0], pair[1]);
        // A vessel that was launched again from a checkpoint has forgotten the orders since.
        let again = track.launched.iter().any(|(launched, _)| *launched < tick && *launched >= pair[0].0);
        if (b.session, b.seq) <= (a.session, a.seq) && !again {
            wrong.push(format!("order {} of {} was applied twice, again at {tick:?}", b.seq, id.0));
        }
    }
}

fn history_is_whole(
    id: VesselId,
    track: &Track,
    lost_max: Option<u64>,
    killed: &BTreeSet<RegionId>,
    wrong: &mut Vec<String>,
) {
    let mut last: Option<(Tick, RegionId)> = None;
    for (&tick, &(.., region)) in &track.published {
        if let Some((last, owner)) = last.filter(|(last, _)| tick.since(*last) > 1) {
            let resumed = track.resumed.range(last..tick).next();
            match resumed {
                // It had committed the vessel and died before the commit tick: the target sails those ticks, and
                // cannot know whether they were published.
                None if killed.contains(&owner) => {}
                None => wrong.push(format!("nobody published {} between {last:?} and {tick:?}", id.0)),
                Some((_, (through, ..))) => {
                    let lost = last.since(*through);
                    if lost_max.is_some_and(|most| lost > most) {
                        wrong.push(format!("{lost} ticks of {} before {tick:?} are lost", id.0));
                    }
                }
            }
        }
        last = Some((tick, region));
    }
}

/// Whether a vessel is near one that nobody published in the last second.
fn beside_one_adrift(sim: &Sim, id: VesselId, tick: Tick, tracks: &BTreeMap<VesselId, Track>) -> bool {
    let Some(own) = sim.state(id).map(|state| state.position_m) else { return false };
    tracks.iter().filter(|(other, _)| **other != id).any(|(&other, track)| {
        let near = sim.state(other).is_some_and(|state| (state.position_m - own).length() < 40.0);
        let lately = tick.before(44);
        near && track.published.range(lately..=tick).count() < 45
    })
}

/// What was felt of another vessel is what that vessel did, wherever its history stands.
fn wakes_are_the_seas(
    sim: &Sim,
    id: VesselId,
    company: &[Wake],
    tracks: &BTreeMap<VesselId, Track>,
    wrong: &mut Vec<String>,
) {
    for wake in company {
        let stands = tracks.get(&wake.id).is_some_and(|track| {
            track.published.contains_key(&wake.tick)
                && track.launched.len() == 1
                && !track.resumed.range(wake.tick..).any(|(_, (through, ..))| wake.tick > *through)
        });
        let here =
            sim.wakes_since(wake.tick.before(1)).find(|own| (own.id, own.tick) == (wake.id, wake.tick));
        if stands && here.is_some_and(|here| here != wake) {
            wrong.push(format!("{} felt a wake of {} at {:?} that is not its", id.0, wake.id.0, wake.tick));
        }
    }
}

/// Law 3: sailed again in one sea with the same orders, every published tick has the same hash.
fn bits_are_equal(stage: &Stage, tracks: &BTreeMap<VesselId, Track>, wrong: &mut Vec<String>) {
    let first = tracks.values().filter_map(|track| track.launched.first().map(|(tick, _)| *tick)).min();
    let last = tracks.values().filter_map(|track| track.published.keys().next_back().copied()).max();
    let (Some(first), Some(last)) = (first, last) else { return };
    let mut sim = Sim::new(Arc::clone(&stage.sea), stage.course.prims.clone(), first);
    sim.follow(Tick(u64::MAX));
    let mut next: BTreeMap<VesselId, usize> = BTreeMap::new();
    let mut reported: Vec<VesselId> = Vec::new();
    loop {
        let tick = sim.tick();
        for (&id, track) in tracks {
            let put = |sim: &mut Sim, vessel: &Vessel| {
                sim.remove(id);
                sim.insert(vessel.clone());
            };
            if let Some((_, vessel)) = track.launched.iter().find(|(at, _)| *at == tick) {
                put(&mut sim, vessel);
            }
            if let Some((_, _, vessel)) = track.resumed.get(&tick) {
                put(&mut sim, vessel);
            }
            // What a dead owner published after its shadow's knowledge came of orders that are gone with it.
            let lost = track.resumed.range(tick..).any(|(_, (through, ..))| tick > *through);
            if let Some((_, published, _)) = track.published.get(&tick)
                && !lost
                && sim.hash(id) != Some(*published)
                && !reported.contains(&id)
            {
                reported.push(id);
                // Beside a vessel that was adrift just then it sailed as if alone: nobody had that one.
                if !beside_one_adrift(&sim, id, tick, tracks) {
                    let owner = track.published.get(&tick).map(|(epoch, _, region)| (*region, *epoch));
                    let resumed: Vec<_> = track
                        .resumed
                        .iter()
                        .map(|(tick, (through, epoch, _))| (tick.0, through.0, *epoch))
                        .collect();
                    let launched: Vec<u64> = track.launched.iter().map(|(tick, _)| tick.0).collect();
                    wrong.push(format!(
                        "the bits of {} differ at {tick:?} of {owner:?}; launched {launched:?}, resumed {resumed:?}",
                        id.0
                    ));
                }
            }
        }
        if tick >= last {
            return;
        }
        for (&id, track) in tracks {
            let at = next.entry(id).or_default();
            while let Some((when, input)) = track.applied.get(*at).filter(|(when, _)| *when <= tick.after(1))
            {
                if *when == tick.after(1) {
                    sim.apply(id, *input);
                }
                *at += 1;
            }
            // Who published the tick decided it; of one that nobody did, who committed the vessel and died.
            let owner = track.published.range(..=tick.after(1)).next_back().map(|(_, (.., region))| *region);
            let told = track.companies.get(&tick.after(1)).into_iter().flatten();
            for (_, company) in told.filter(|(region, _)| Some(*region) == owner) {
                wakes_are_the_seas(&sim, id, company, tracks, wrong);
                sim.tell_company(id, company);
            }
        }
        sim.step();
    }
}
