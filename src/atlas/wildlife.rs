//! Which creatures and floating things a course has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::faults::Faults;
use super::file::CreaturesTable;

/// A kind of creature or floating thing; on the wire and in records its place in [`Species::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Species {
    /// Humpback whale.
    Humpback,
    /// Gray whale.
    GrayWhale,
    /// Orca.
    Orca,
    /// Pacific white-sided dolphin.
    WhiteSidedDolphin,
    /// Common dolphin.
    CommonDolphin,
    /// Harbour porpoise.
    Porpoise,
    /// Blue shark.
    BlueShark,
    /// Gull.
    Gull,
    /// Floating log.
    Log,
    /// Drifting net.
    Net,
    /// Sea serpent.
    Serpent,
}

impl Species {
    /// All of them; new ones come last.
    pub const ALL: [Self; 11] = [
        Self::Humpback,
        Self::GrayWhale,
        Self::Orca,
        Self::WhiteSidedDolphin,
        Self::CommonDolphin,
        Self::Porpoise,
        Self::BlueShark,
        Self::Gull,
        Self::Log,
        Self::Net,
        Self::Serpent,
    ];

    /// Its name in files.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Humpback => "humpback",
            Self::GrayWhale => "gray_whale",
            Self::Orca => "orca",
            Self::WhiteSidedDolphin => "white_sided_dolphin",
            Self::CommonDolphin => "common_dolphin",
            Self::Porpoise => "porpoise",
            Self::BlueShark => "blue_shark",
            Self::Gull => "gull",
            Self::Log => "log",
            Self::Net => "net",
            Self::Serpent => "serpent",
        }
    }

    /// The one of a name in files.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|species| species.key() == key)
    }
}

impl From<Species> for u8 {
    fn from(species: Species) -> Self {
        species as Self
    }
}

impl TryFrom<u8> for Species {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or_else(|| format!("no creature has the number {number}"))
    }
}

/// Which creatures a course has, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct Wildlife {
    /// Times the frequency of every kind's own file.
    pub frequency: f64,
    /// Whether the sea monster is there.
    pub monster: bool,
    /// Times the frequency of a kind, whatever the climate; kinds that are not named are there by the climate.
    pub species: BTreeMap<Species, f64>,
}

impl Default for Wildlife {
    fn default() -> Self {
        Self { frequency: 1.0, monster: false, species: BTreeMap::new() }
    }
}

/// Reads the table of a course file.
pub(super) fn read(table: &CreaturesTable, faults: &mut Faults) -> Wildlife {
    faults.range("creatures.frequency", table.frequency, 0.0, 20.0);
    let mut species = BTreeMap::new();
    for (name, &times) in &table.species {
        let key = format!("creatures.species.{name}");
        faults.range(&key, times, 0.0, 20.0);
        match Species::of_key(name) {
            Some(Species::Serpent) => {
                faults.add(key, "is no species that comes of itself", "give creatures.monster = true");
            }
            Some(kind) => drop(species.insert(kind, times)),
            None => {
                let names: Vec<&str> = Species::ALL.into_iter().map(Species::key).collect();
                faults.add(key, "is no species", format!("give one of {}", names.join(", ")));
            }
        }
    }
    Wildlife { frequency: table.frequency, monster: table.monster, species }
}
