//! Creatures and floating things: where they are, and what becomes of a vessel that meets them.
//!
//! A course is divided into cells of [`CELL_M`], time into periods of half an hour, each species' and cell's
//! shifted by a draw. For each of these a counter-based draw says how many groups are there, and each group's
//! track is a closed form of the tick. So animals and things are pure functions of (course, seed, place,
//! tick), like the sea; [`Field`] is a memo of them and changes no answer.
//!
//! What a vessel attracts or touches becomes its [`Companion`], which is part of its state: it crosses and is
//! recorded with it.
//!
//! ```text
//! track ──comes near──▶ companion: riding, struck, snaring, haunting ──over──▶ over ──its track ends──▶ forgotten
//! ```
//!
//! **Whose is an animal?** Two vessels that are sailed by different processes cannot ask each other in time,
//! so no rule here needs to: what rides a bow came up from the part of a pod that is below, for this vessel
//! alone, and its name is the pod's with the vessel's. A whale, log or net that a vessel has touched is for this
//! vessel no longer on its track; for all others it is, as if they met the next of a group. Regions show it to
//! crews where it is for the vessel that has it.

mod blow;
mod companion;
mod shown;
mod species;
mod track;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use glam::DVec2;

use crate::atlas::{Area, Cell, Species};
use crate::noise::{self, Stream};
use crate::sea::Sea;
use crate::units::Tick;

pub use blow::{lethality, strike_force};
pub use companion::{COMPANIONS, Companion, Happening, Hull, Push, Role, What, is_sound, meet};
pub use shown::seen_as;
pub use species::{Haunts, Kind, Rides, Snares, Traits, traits};
pub use track::{Animal, AnimalId, Doing, Group, PERIOD_TICKS};

/// Side of the squares that groups are drawn for, metres. Nothing comes farther from its home than
/// 2.7 km and its group's scatter, so that who looks a kilometre around needs nine cells.
pub const CELL_M: f64 = 4_000.0;
/// Farthest that a group's middle comes from its home, metres: 900 s at 2.8 m/s, and its meander.
const TRAVEL_M: f64 = 2_700.0;
/// Farthest that a search looks, metres.
pub const SEARCH_M_MAX: f64 = 1_000.0;
/// Farthest that anything is attracted from, metres.
pub const ATTRACT_M_MAX: f64 = 160.0;
/// Groups of one species in one cell and period at most; their numbers have eight bits.
const GROUPS_MAX: u32 = 200;
/// Rosters that a memo keeps at most: those of thirty cells and all their neighbours take a third of it.
const ROSTERS_MAX: usize = 4_096;
/// Passages that one listing holds at most.
pub const PASSAGES_MAX: usize = 10_000;
/// Draw of how many groups there are, and of the shift of the periods: in place of a group's number.
const ROSTER: u32 = 255;

/// The creatures and floating things of one sea.
#[derive(Clone, Debug)]
pub struct Creatures {
    sea: Arc<Sea>,
    /// Each species that is there, and its mean number of groups in a cell.
    kinds: Vec<(Species, f64)>,
}

/// What will pass, for those who want to know before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// The group.
    pub id: AnimalId,
    /// What they are.
    pub species: Species,
    /// How many.
    pub number: u32,
    /// The first tick of their time.
    pub from: Tick,
    /// The first tick after it.
    pub until: Tick,
    /// Where they are at the first, course frame, metres.
    pub start: DVec2,
    /// Where they are at the last.
    pub end: DVec2,
}

impl Creatures {
    /// Those of a sea: as its course says, and where it says nothing, as its climate has them.
    #[must_use]
    pub fn new(sea: Arc<Sea>) -> Self {
        let (wild, air_c) = (&sea.course().wildlife, sea.course().climate.air_c);
        let per_cell = CELL_M * CELL_M / 1e8;
        let kinds = Species::ALL
            .into_iter()
            .filter_map(|species| {
                let traits = traits(species);
                let here = match (wild.species.get(&species), traits.kind) {
                    (_, Kind::Monster) => f64::from(u8::from(wild.monster)),
                    (Some(&times), _) => times,
                    (None, _) => f64::from(u8::from((traits.air_c[0]..=traits.air_c[1]).contains(&air_c))),
                };
                let mean = traits.frequency_per_100km2 * per_cell * wild.frequency * here;
                (mean > 0.0).then_some((species, mean))
            })
            .collect();
        Self { sea, kinds }
    }

    /// The sea that they are in.
    #[must_use]
    pub const fn sea(&self) -> &Arc<Sea> {
        &self.sea
    }

    /// Each species that is there, and its mean number of groups in a cell, on land or not.
    #[must_use]
    pub fn kinds(&self) -> &[(Species, f64)] {
        &self.kinds
    }

    /// The number of the period of a species in a cell that a tick lies in.
    #[must_use]
    pub fn period(&self, species: Species, cell: Cell, tick: Tick) -> u64 {
        (tick.0 + PERIOD_TICKS - self.shift(species, cell)) / PERIOD_TICKS
    }

    /// By how many ticks the periods of a species in a cell are shifted.
    fn shift(&self, species: Species, cell: Cell) -> u64 {
        let counter = [cell_word(cell), u32::MAX, species_word(species, ROSTER)];
        u64::from(noise::draw(self.sea.seed(), Stream::Creature, counter)[0]) % PERIOD_TICKS
    }

    /// The groups of a species whose home is in a cell, in a period; those that would be on land among them.
    #[must_use]
    pub fn drawn(&self, species: Species, cell: Cell, period: u64) -> Vec<Group> {
        let Some(&(_, mean)) = self.kinds.iter().find(|(kind, _)| *kind == species) else {
            return Vec::new();
        };
        let seed = self.sea.seed();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "periods repeat after a quarter of a million years"
        )]
        let counter = |number: u32| [cell_word(cell), period as u32, species_word(species, number)];
        let uniform = noise::uniform(seed, Stream::Creature, counter(ROSTER));
        let count = track::poisson(mean, uniform, GROUPS_MAX);
        let shift = self.shift(species, cell).cast_signed();
        let length = PERIOD_TICKS.cast_signed();
        let middle =
            period.cast_signed().saturating_mul(length).saturating_sub(length / 2).saturating_add(shift);
        let area = cell.area(CELL_M);
        (0..count)
            .map(|number| {
                let id = id_of(species, cell, period, number);
                Group::drawn(seed, species, id, counter(number), (area.min, CELL_M), middle)
            })
            .collect()
    }

    /// The animals and things within a radius of a place at a tick, by their ids; those far below among them.
    /// The radius is at most [`SEARCH_M_MAX`].
    #[must_use]
    pub fn near(&self, place: DVec2, radius_m: f64, tick: Tick) -> Vec<Animal> {
        Field::default().near(self, place, radius_m, tick)
    }

    /// Which groups pass over the course's extent between two ticks, by when they come; [`PASSAGES_MAX`] at most.
    #[must_use]
    pub fn during(&self, from: Tick, until: Tick) -> Vec<Passage> {
        let extent = self.sea.course().extent;
        let reach = extent.grown(TRAVEL_M);
        let (low, high) = (Cell::of(reach.min, CELL_M), Cell::of(reach.max, CELL_M));
        let mut found = Vec::new();
        for (y, x) in (low.y..=high.y).flat_map(|y| (low.x..=high.x).map(move |x| (y, x))) {
            let cell = Cell { x, y };
            for &(species, _) in &self.kinds {
                let (first, last) = (self.period(species, cell, from), self.period(species, cell, until));
                for period in first..=last {
                    let groups = self.drawn(species, cell, period);
                    found.extend(groups.iter().filter_map(|group| self.passage(group, extent)));
                    if found.len() > PASSAGES_MAX {
                        found.truncate(PASSAGES_MAX);
                        break;
                    }
                }
            }
        }
        found.retain(|passage: &Passage| passage.from < until && passage.until > from);
        found.sort_by_key(|passage| (passage.from, passage.id));
        found
    }

    /// A group's passage, if it comes over an area.
    fn passage(&self, group: &Group, area: Area) -> Option<Passage> {
        let (from, until) = group.time();
        let at = |quarter: u64| group.place(&self.sea, from.after((until.since(from) / 4) * quarter));
        let places = [at(0)?, at(1)?, at(2)?, at(3)?, at(4)?];
        places.iter().any(|place| area.contains(*place)).then_some(Passage {
            id: group.id,
            species: group.species,
            number: group.size,
            from,
            until,
            start: places[0],
            end: places[4],
        })
    }
}

/// A cell as half of a counter: courses are far smaller than 2^15 cells.
const fn cell_word(cell: Cell) -> u32 {
    ((cell.x.cast_unsigned() & 0xffff) << 16) | (cell.y.cast_unsigned() & 0xffff)
}

/// A species and the number of a group as a part of a counter; its low byte is left to the group's own draws.
const fn species_word(species: Species, number: u32) -> u32 {
    ((species as u32) << 24) | (number << 8)
}

/// An id: 5 bits of species, 12 each of the cell, 21 of the period, 8 of the group; 6 are left to its members.
fn id_of(species: Species, cell: Cell, period: u64, number: u32) -> AnimalId {
    let cell_bits =
        u64::from(cell.x.cast_unsigned() & 0xfff) << 12 | u64::from(cell.y.cast_unsigned() & 0xfff);
    let kind = u64::from(u8::from(species));
    AnimalId((((kind << 24 | cell_bits) << 21 | (period & 0x1f_ffff)) << 8 | u64::from(number)) << 6)
}

thread_local! {
    static LAST: RefCell<Option<(u64, Field)>> = const { RefCell::new(None) };
}

/// Calls `then` with this thread's memo of the creatures of a sea: regions that are sailed by one thread, and those
/// that take a vessel over, look at each track once.
///
/// # Panics
/// When `then` asks for it again.
pub fn with_field<T>(creatures: &Creatures, then: impl FnOnce(&mut Field) -> T) -> T {
    let number = creatures.sea.number();
    LAST.with_borrow_mut(|last| {
        let (of, field) = last.get_or_insert_with(|| (number, Field::default()));
        if *of != number {
            (*of, *field) = (number, Field::default());
        }
        then(field)
    })
}

/// The groups of a species and cell in the period that was asked for last.
type Roster = (u64, Vec<Arc<Group>>);

/// A memo of the groups that were asked for: makes no difference to any answer.
#[derive(Debug, Default)]
pub struct Field {
    rosters: BTreeMap<(Cell, Species), Roster>,
}

impl Field {
    /// Calls `found` with every group that is there at a tick and whose home is within a cell of a place's own.
    pub fn around(
        &mut self,
        creatures: &Creatures,
        cell: Cell,
        tick: Tick,
        mut found: impl FnMut(&Arc<Group>),
    ) {
        if self.rosters.len() > ROSTERS_MAX {
            self.rosters.clear();
        }
        for cell in cell.around(1) {
            for &(species, _) in &creatures.kinds {
                let (period, groups) =
                    self.rosters.entry((cell, species)).or_insert_with(|| (u64::MAX, Vec::new()));
                // The shift is drawn again only where the time is over.
                let over = groups.first().is_none_or(|group| {
                    let (from, until) = group.time();
                    tick < from || tick >= until
                });
                if over {
                    let now = creatures.period(species, cell, tick);
                    if *period != now {
                        *period = now;
                        *groups = creatures.drawn(species, cell, now).into_iter().map(Arc::new).collect();
                    }
                }
                groups.iter().filter(|group| !group.is_known_gone()).for_each(&mut found);
            }
        }
    }

    /// As [`Creatures::near`].
    pub fn near(&mut self, creatures: &Creatures, place: DVec2, radius_m: f64, tick: Tick) -> Vec<Animal> {
        let radius_m = radius_m.clamp(0.0, SEARCH_M_MAX);
        let mut groups = Vec::new();
        self.around(creatures, Cell::of(place, CELL_M), tick, |group| {
            let (at, slack_m) = group.about(tick);
            let reach_m = radius_m + slack_m + scatter_m(group.traits());
            if (at - place).length_squared() < reach_m * reach_m {
                groups.push(Arc::clone(group));
            }
        });
        let within = |animal: &Animal| (animal.place - place).length_squared() < radius_m * radius_m;
        let mut found: Vec<Animal> = groups
            .iter()
            .flat_map(|group| group.animals(&creatures.sea, tick).filter(within).collect::<Vec<_>>())
            .collect();
        found.sort_by_key(|animal| animal.id);
        found
    }
}

/// How far from its middle a group's members are at most, metres.
#[must_use]
pub fn scatter_m(traits: &Traits) -> f64 {
    traits.spread_m + traits.sway_m + traits.length_m
}
