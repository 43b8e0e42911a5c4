//! The plan itself: what is wanted, what is kept, what goes.

use std::collections::{BTreeMap, BTreeSet};

use glam::DVec2;

use super::path::{Ahead, cells_ahead};
use super::{Action, Phase, RegionView, Snapshot, VesselView, regions_max};
use crate::atlas::Cell;
use crate::units::{RegionId, Tick, VesselId};

/// A region on the way ahead is kept for this many lead times before it is needed; it is started within
/// one. The difference keeps a change of speed or heading from stopping what was just started.
const KEEP_LEADS: f64 = 2.5;
/// A region is kept while a vessel is this near to it, metres: a vessel that tacks along a border is in and
/// out of it all the time.
const KEEP_M: f64 = 40.0;
/// A region that nobody needs is kept this much longer, seconds of course time; no less than one lead time.
const LINGER_S: f64 = 20.0;
/// A region that stands by gives way to one that is needed earlier by this much, seconds of course time.
const GIVE_WAY_S: f64 = 10.0;
/// What is doubtful is started this many times later than what is certain.
const DOUBT_FACTOR: f64 = 1.5;
/// While somebody sails, this many regions stand: the owner, and one that can guard its vessels.
const COMPANY: usize = 2;
/// How far ahead a cell is looked for that can guard, seconds of course time; where the way leads nowhere, it is
/// any cell beside the vessel's.
const COMPANY_AHEAD_S: f64 = 600.0;
/// A report is carried forward along its velocity for no longer than this, seconds of course time.
const CARRY_S: f64 = 20.0;
/// Regions nearer to each other than this are neighbours, metres: as far as vessels see and feel each other.
const NEIGHBOUR_M: f64 = 220.0;
/// Rows and columns around a cell that are looked at for neighbours at most: of the smallest cells.
const RINGS_MAX: f64 = 8.0;
/// Neighbours that one region is told of: eight around it and those around vessels that are past its
/// borders.
const NEIGHBOURS: usize = 64;

/// The plan's memory between snapshots: what keeps it from changing its mind all the time.
#[derive(Clone, Debug, Default)]
pub struct Corridor {
    /// When each region was last needed.
    needed: BTreeMap<RegionId, Tick>,
    /// Whom each region was told of.
    told: BTreeMap<RegionId, Vec<RegionId>>,
}

/// How soon a cell is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Want {
    /// Course time until somebody is there, seconds; doubt makes it later.
    in_s: f64,
    /// Whether regions that stand by must give way to it.
    certain: bool,
}

/// One vessel with where it is now and the cells ahead of it.
struct Track<'a> {
    vessel: &'a VesselView,
    place: DVec2,
    ahead: Vec<Ahead>,
    leads: bool,
}

impl Corridor {
    /// A plan without memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A region may have missed what it was told: it is told again.
    pub fn forget_told(&mut self, region: RegionId) {
        self.told.remove(&region);
    }

    /// What shall be done now. Pure: the same memory and snapshot give the same actions.
    #[must_use]
    pub fn plan(&mut self, snapshot: &Snapshot) -> Vec<Action> {
        let tracks = tracks(snapshot);
        let mut wanted = wanted(snapshot, &tracks);
        want_company(snapshot, &tracks, &mut wanted);
        let mut actions = Vec::new();
        let going = self.drain_unneeded(snapshot, &tracks, &wanted, &mut actions);
        start_wanted(snapshot, &wanted, going, &mut actions);
        let introductions = self.introduce(snapshot, &tracks, &actions);
        actions.extend(introductions);
        actions
    }

    /// Drains what was not needed for a while; returns the regions that are going from now on.
    fn drain_unneeded(
        &mut self,
        snapshot: &Snapshot,
        tracks: &[Track<'_>],
        wanted: &BTreeMap<Cell, Want>,
        actions: &mut Vec<Action>,
    ) -> BTreeSet<RegionId> {
        let exist: BTreeSet<RegionId> = snapshot.regions.iter().map(|region| region.id).collect();
        self.needed.retain(|id, _| exist.contains(id));
        self.told.retain(|id, _| exist.contains(id));
        let nobody_sails = tracks.is_empty() && snapshot.bookings.is_empty();
        let linger_s = LINGER_S.max(snapshot.lead_s);
        let mut going = BTreeSet::new();
        for region in &snapshot.regions {
            if region.phase == Phase::Draining {
                going.insert(region.id);
                continue;
            }
            let since = self.needed.entry(region.id).or_insert(snapshot.now);
            let others = snapshot.regions.iter().filter(|other| {
                other.id != region.id
                    && matches!(other.phase, Phase::Ready | Phase::Live)
                    && !going.contains(&other.id)
            });
            let is_company = !nobody_sails && others.count() < COMPANY;
            if is_company || is_needed(region, snapshot, tracks, wanted) {
                *since = snapshot.now;
            } else if nobody_sails || Tick(snapshot.now.since(*since)).seconds() >= linger_s {
                actions.push(end(region));
                going.insert(region.id);
            }
        }
        going
    }

    /// Tells every region that can listen of its neighbours when they are not the ones it was told of.
    fn introduce(&mut self, snapshot: &Snapshot, tracks: &[Track<'_>], decided: &[Action]) -> Vec<Action> {
        let ending: BTreeSet<RegionId> = decided
            .iter()
            .filter_map(|action| match action {
                Action::Drain { region } | Action::Stop { region } => Some(*region),
                _ => None,
            })
            .collect();
        let targets: Vec<&RegionView> = snapshot
            .regions
            .iter()
            .filter(|region| matches!(region.phase, Phase::Ready | Phase::Live))
            .filter(|region| !ending.contains(&region.id))
            .collect();
        // Who is near enough for vessels to feel each other, and on whose ground they may come next.
        #[expect(clippy::cast_possible_truncation, reason = "a few cells")]
        let rings = (NEIGHBOUR_M / snapshot.cell_m).ceil().clamp(1.0, RINGS_MAX) as i32;
        let around: BTreeMap<RegionId, BTreeSet<Cell>> = snapshot
            .regions
            .iter()
            .filter(|region| region.phase != Phase::Booting)
            .map(|region| {
                let mut around: BTreeSet<Cell> = region.cell.around(rings).collect();
                for track in tracks.iter().filter(|track| track.vessel.owner == region.id) {
                    around.extend(track.ahead.iter().flat_map(|ahead| ahead.cell.around(rings)));
                }
                (region.id, around)
            })
            .collect();
        // Where a region is met: on its own ground, and wherever its vessels are.
        let at: BTreeMap<RegionId, BTreeSet<Cell>> = snapshot
            .regions
            .iter()
            .map(|region| {
                let own = tracks.iter().filter(|track| track.vessel.owner == region.id);
                let places = own.map(|track| Cell::of(track.place, snapshot.cell_m));
                (region.id, places.chain([region.cell]).collect())
            })
            .collect();
        let reaches = |from: RegionId, to: RegionId| {
            around.get(&from).zip(at.get(&to)).is_some_and(|(around, at)| !around.is_disjoint(at))
        };
        let mut actions = Vec::new();
        for region in snapshot.regions.iter().filter(|region| region.phase != Phase::Booting) {
            // Both know each other, or neither: an owner whose vessels are far past its border is no stranger to
            // those who are to take them, nor to the owners of those whom they meet there.
            let mut neighbours: Vec<RegionId> = targets
                .iter()
                .filter(|other| other.id != region.id)
                .filter(|other| reaches(region.id, other.id) || reaches(other.id, region.id))
                .map(|other| other.id)
                .take(NEIGHBOURS)
                .collect();
            if neighbours.is_empty() {
                // Far from all others, it needs somebody to guard its vessels all the same.
                neighbours =
                    targets.iter().map(|other| other.id).filter(|&id| id != region.id).take(1).collect();
            }
            if self.told.get(&region.id) != Some(&neighbours) {
                self.told.insert(region.id, neighbours.clone());
                actions.push(Action::Introduce { region: region.id, neighbours });
            }
        }
        actions
    }
}

/// Every vessel with the cells ahead of it; the leader of a group is its lowest vessel that is there.
fn tracks(snapshot: &Snapshot) -> Vec<Track<'_>> {
    let mut leaders: BTreeMap<VesselId, VesselId> = BTreeMap::new();
    for vessel in &snapshot.vessels {
        let leader = leaders.entry(vessel.group).or_insert(vessel.id);
        *leader = vessel.id.min(*leader);
    }
    let horizon_s = snapshot.lead_s * KEEP_LEADS;
    snapshot
        .vessels
        .iter()
        .map(|vessel| {
            let age_s = Tick(snapshot.now.since(vessel.tick)).seconds().min(CARRY_S);
            let place = vessel.place + vessel.velocity_mps * age_s;
            Track {
                vessel,
                place,
                ahead: cells_ahead(vessel, place, snapshot.cell_m, horizon_s),
                leads: leaders.get(&vessel.group) == Some(&vessel.id),
            }
        })
        .collect()
}

/// The cells that groups and bookings want within the keeping time, each with its earliest want.
fn wanted(snapshot: &Snapshot, tracks: &[Track<'_>]) -> BTreeMap<Cell, Want> {
    let mut wanted: BTreeMap<Cell, Want> = BTreeMap::new();
    let mut add = |cell: Cell, want: Want| {
        let entry = wanted.entry(cell).or_insert(want);
        entry.in_s = entry.in_s.min(want.in_s);
        entry.certain |= want.certain;
    };
    for ahead in tracks.iter().filter(|track| track.leads).flat_map(|track| &track.ahead) {
        let factor = if ahead.doubtful { DOUBT_FACTOR } else { 1.0 };
        add(ahead.cell, Want { in_s: ahead.in_s * factor, certain: !ahead.doubtful });
    }
    for booking in &snapshot.bookings {
        let in_s = Tick(booking.at.since(snapshot.now)).seconds();
        if in_s <= snapshot.lead_s * KEEP_LEADS {
            add(Cell::of(booking.place, snapshot.cell_m), Want { in_s, certain: true });
        }
    }
    wanted
}

/// A vessel needs a guard in another process: where fewer regions stand or are wanted, the next cell on the way
/// of the first vessel is wanted, too.
fn want_company(snapshot: &Snapshot, tracks: &[Track<'_>], wanted: &mut BTreeMap<Cell, Want>) {
    let standing = snapshot.regions.iter().filter(|region| region.phase != Phase::Draining);
    let soon = wanted.iter().filter(|(_, want)| want.in_s <= snapshot.lead_s).map(|(&cell, _)| cell);
    let cells: BTreeSet<Cell> = standing.map(|region| region.cell).chain(soon).collect();
    let Some(track) = tracks.first().filter(|_| cells.len() < COMPANY) else { return };
    let here = Cell::of(track.place, snapshot.cell_m);
    let ahead = cells_ahead(track.vessel, track.place, snapshot.cell_m, COMPANY_AHEAD_S);
    // Becalmed or not yet under way, it will go for its next mark.
    let mark = track.vessel.marks_ahead.first().map(|mark| {
        let way = (mark.place - track.place).normalize_or_zero();
        Cell::of(track.place + way * snapshot.cell_m, snapshot.cell_m)
    });
    let candidates = ahead.iter().filter(|ahead| !ahead.doubtful).map(|ahead| ahead.cell);
    let free = |cell: &Cell| *cell != here && !cells.contains(cell) && !snapshot.blocked.contains(cell);
    if let Some(cell) = candidates.chain(mark).chain(here.around(1)).find(free) {
        wanted.insert(cell, Want { in_s: snapshot.lead_s, certain: true });
    }
}

/// Whether a region must stay: it owns a vessel, somebody is on the way to it, or near it.
fn is_needed(
    region: &RegionView,
    snapshot: &Snapshot,
    tracks: &[Track<'_>],
    wanted: &BTreeMap<Cell, Want>,
) -> bool {
    region.phase == Phase::Live
        || wanted.contains_key(&region.cell)
        || tracks.iter().any(|track| {
            track.vessel.owner == region.id
                || region.cell.area(snapshot.cell_m).distance_m(track.place) < KEEP_M
        })
}

/// Starts what is wanted within the lead time, the earliest first, and makes room where there is none.
fn start_wanted(
    snapshot: &Snapshot,
    wanted: &BTreeMap<Cell, Want>,
    mut going: BTreeSet<RegionId>,
    actions: &mut Vec<Action>,
) {
    let served: BTreeSet<Cell> = snapshot
        .regions
        .iter()
        .filter(|region| !going.contains(&region.id))
        .map(|region| region.cell)
        .collect();
    let mut missing: Vec<(Cell, Want)> = wanted
        .iter()
        .filter(|(cell, want)| want.in_s <= snapshot.lead_s && !served.contains(cell))
        .filter(|(cell, _)| !snapshot.blocked.contains(cell))
        .map(|(&cell, &want)| (cell, want))
        .collect();
    missing.sort_by(|(_, a), (_, b)| b.certain.cmp(&a.certain).then(a.in_s.total_cmp(&b.in_s)));
    let cap = regions_max(groups(snapshot));
    // Groups that join need fewer regions than they had apart: what only stands by goes first.
    while snapshot.regions.len() - going.len() > cap
        && let Some(region) = least_needed(snapshot, wanted, &going, -GIVE_WAY_S)
    {
        going.insert(region.id);
        actions.push(end(region));
    }
    let mut room = cap.saturating_sub(snapshot.regions.len());
    // Each region that is going makes room for one of those that must wait for it.
    let mut coming = going.len();
    for (cell, want) in missing {
        if room > 0 {
            room -= 1;
            actions.push(Action::Start { cell });
        } else if coming > 0 {
            coming -= 1;
        } else if want.certain
            && let Some(region) = least_needed(snapshot, wanted, &going, want.in_s)
        {
            going.insert(region.id);
            actions.push(end(region));
        }
    }
}

/// The region without vessels that is needed last of all, if that is clearly later than `in_s` seconds.
fn least_needed<'a>(
    snapshot: &'a Snapshot,
    wanted: &BTreeMap<Cell, Want>,
    going: &BTreeSet<RegionId>,
    in_s: f64,
) -> Option<&'a RegionView> {
    let needed_in_s = |region: &RegionView| wanted.get(&region.cell).map_or(f64::INFINITY, |want| want.in_s);
    snapshot
        .regions
        .iter()
        .filter(|region| matches!(region.phase, Phase::Booting | Phase::Ready))
        .filter(|region| !going.contains(&region.id))
        .filter(|region| !snapshot.vessels.iter().any(|vessel| vessel.owner == region.id))
        .filter(|region| needed_in_s(region) > in_s + GIVE_WAY_S)
        .max_by(|a, b| needed_in_s(a).total_cmp(&needed_in_s(b)).then(b.id.cmp(&a.id)))
}

/// How a region without vessels is ended.
fn end(region: &RegionView) -> Action {
    match region.phase {
        Phase::Booting => Action::Stop { region: region.id },
        _ => Action::Drain { region: region.id },
    }
}

/// Groups under way, and bookings that lie where no vessel is: those in one cell count as one group.
fn groups(snapshot: &Snapshot) -> usize {
    let sailing: BTreeSet<VesselId> = snapshot.vessels.iter().map(|vessel| vessel.group).collect();
    let occupied: BTreeSet<Cell> =
        snapshot.vessels.iter().map(|vessel| Cell::of(vessel.place, snapshot.cell_m)).collect();
    let booked: BTreeSet<Cell> = snapshot
        .bookings
        .iter()
        .map(|booking| Cell::of(booking.place, snapshot.cell_m))
        .filter(|cell| !occupied.contains(cell))
        .collect();
    sailing.len() + booked.len()
}
