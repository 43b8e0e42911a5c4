//! What a pilot has seen of animals and floating things.

use std::collections::BTreeSet;

use crate::atlas::Species;
use crate::creatures::{AnimalId, Doing, traits};
use crate::units::VesselId;
use crate::wire::message::Sighting;

/// Groups and meetings that are remembered: days of sailing in the fullest of seas.
const REMEMBERED: usize = 4_096;

/// Groups that were seen, and what the own vessel had to do with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    groups: BTreeSet<(Species, AnimalId)>,
    met: BTreeSet<(Doing, Species, AnimalId, VesselId)>,
}

impl Seen {
    /// Takes down what a message tells.
    pub fn note(&mut self, own: VesselId, seen: &[Sighting]) {
        for sighting in seen {
            if self.groups.len() < REMEMBERED {
                self.groups.insert((sighting.species, sighting.id.group()));
            }
            if sighting.with == Some(own) && self.met.len() < REMEMBERED {
                self.met.insert((sighting.doing, sighting.species, sighting.id, own));
            }
        }
    }

    /// Takes down what another has seen; a group that both saw is one.
    pub fn join(&mut self, other: &Self) {
        self.groups.extend(&other.groups);
        self.met.extend(&other.met);
    }

    /// Groups of a species.
    #[must_use]
    pub fn groups(&self, species: Species) -> usize {
        self.groups.iter().filter(|(kind, _)| *kind == species).count()
    }

    /// How many met a vessel of ours in a way.
    #[must_use]
    pub fn met(&self, doing: Doing) -> usize {
        self.met.iter().filter(|(how, ..)| *how == doing).count()
    }

    /// One line for people; none where nothing was seen.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let one = |species: Species| {
            let (count, traits) = (self.groups(species), traits(species));
            let most = traits.group[2];
            (count > 0).then(|| match (count, most > 1.0) {
                (1, true) => format!("1 group of {}", traits.group_name),
                (1, false) => format!("1 {}", traits.name),
                (_, true) => format!("{count} groups of {}", traits.group_name),
                (_, false) => format!("{count} {}", traits.group_name),
            })
        };
        let ways = [
            (Doing::Riding, "rode a bow"),
            (Doing::Fleeing, "struck"),
            (Doing::Dead, "struck dead"),
            (Doing::Pushed, "hit"),
            (Doing::Snared, "caught a keel"),
            (Doing::Haunting, "haunted a vessel"),
        ];
        let met = ways.into_iter().filter(|(doing, _)| self.met(*doing) > 0).map(|(doing, what)| {
            let mut names: Vec<&str> = Vec::new();
            for (_, species, ..) in self.met.iter().filter(|(how, ..)| *how == doing) {
                let traits = traits(*species);
                let name = if doing == Doing::Riding { &traits.group_name } else { &traits.name };
                if !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
            format!("{} {what} {}", names.join(" and "), times(self.met(doing)))
        });
        let parts: Vec<String> = Species::ALL.into_iter().filter_map(one).chain(met).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn times(count: usize) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_count_once_however_often_they_are_seen() {
        let sighting = |id: u64, species, doing, with: Option<u32>| Sighting {
            id: AnimalId(id << 6),
            species,
            doing,
            with: with.map(VesselId),
            offset_m: [1.0, 2.0],
            depth_m: 0.3,
            heading_rad: 1.0,
            speed_mps: 2.0,
        };
        let dolphin = sighting(1, Species::CommonDolphin, Doing::Swimming, None);
        let riding = sighting(1, Species::CommonDolphin, Doing::Riding, Some(3));
        let log = sighting(2, Species::Log, Doing::Drifting, None);
        let (mut first, mut second) = (Seen::default(), Seen::default());
        first.note(VesselId(3), &[dolphin, riding, log]);
        first.note(VesselId(3), &[dolphin]);
        second.note(VesselId(4), &[dolphin, riding]);
        assert_eq!((second.groups(Species::CommonDolphin), second.met(Doing::Riding)), (1, 0));
        first.join(&second);
        assert_eq!(
            first.line().as_deref(),
            Some("1 group of common dolphins, 1 floating log, common dolphins rode a bow once")
        );
        assert_eq!(Seen::default().line(), None);
    }
}
