//! What a species is like, as its file says.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::atlas::Species;

/// What may become of a species.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Blows, dives, and may be struck.
    Whale,
    /// Leaps, and may ride a bow.
    Dolphin,
    /// Seen, no more.
    Shark,
    /// Seen, no more.
    Bird,
    /// Drifts, and may be struck.
    Log,
    /// Drifts, and may catch a keel.
    Net,
    /// Comes to a vessel and rocks it.
    Monster,
}

impl Kind {
    /// Whether it goes where the water goes.
    #[must_use]
    pub const fn drifts(self) -> bool {
        matches!(self, Self::Log | Self::Net)
    }

    /// Whether a hull that meets it feels a blow.
    #[must_use]
    pub const fn is_struck(self) -> bool {
        matches!(self, Self::Whale | Self::Log)
    }

    /// Whether anything may come of it for a vessel.
    #[must_use]
    pub const fn matters(self) -> bool {
        !matches!(self, Self::Shark | Self::Bird)
    }
}

/// A species' file; `assets/creatures/README.md` says what each key is, and where its figures come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "one table explains them, for those who write the files")]
pub struct Traits {
    pub name: String,
    pub group_name: String,
    pub kind: Kind,
    pub air_c: [f64; 2],
    pub frequency_per_100km2: f64,
    pub group: [f64; 3],
    pub spread_m: f64,
    pub length_m: f64,
    pub radius_m: f64,
    pub mass_kg: f64,
    pub speed_mps: [f64; 2],
    pub speed_max_mps: f64,
    pub water_min_m: f64,
    #[serde(default)]
    pub sway_m: f64,
    #[serde(default = "minute")]
    pub sway_s: f64,
    #[serde(default = "minute")]
    pub surface_s: f64,
    #[serde(default = "one")]
    pub breaths: f64,
    #[serde(default)]
    pub leap_m: f64,
    #[serde(default)]
    pub dive_s: f64,
    #[serde(default)]
    pub dive_m: f64,
    #[serde(default)]
    pub height_m: [f64; 2],
    #[serde(default)]
    pub blow_s: f64,
    pub rides: Option<Rides>,
    pub snares: Option<Snares>,
    pub haunts: Option<Haunts>,
}

const fn minute() -> f64 {
    60.0
}

const fn one() -> f64 {
    1.0
}

/// How it rides a bow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "see Traits")]
pub struct Rides {
    pub reach_m: f64,
    pub speed_mps: [f64; 2],
    pub chance_per_s: f64,
    pub minutes: [f64; 2],
    pub number: [f64; 2],
}

/// How it catches a keel.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "see Traits")]
pub struct Snares {
    pub chance: f64,
    pub drag_m2: f64,
    pub minutes: [f64; 2],
}

/// How it haunts a vessel.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "see Traits")]
pub struct Haunts {
    pub reach_m: f64,
    pub chance_per_s: f64,
    pub minutes: [f64; 2],
    pub rock_rad: f64,
    pub push_g: f64,
}

/// Fastest mean speed of a group, m/s: none comes farther than a cell from its home while it is there.
const TRAVEL_MPS_MAX: f64 = 2.8;
/// Greatest scatter of a group, metres: what a search of the cells around reaches beyond the track.
pub(super) const SPREAD_M_MAX: f64 = 60.0;
/// Widest circle that one swims or flies, metres.
pub(super) const SWAY_M_MAX: f64 = 40.0;
/// Most of a group: their numbers have six bits, and one is the whole group's.
const GROUP_MAX: f64 = 60.0;

impl Traits {
    /// Reads a file.
    ///
    /// # Errors
    /// One line: the key and its range, or what the parser says.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let traits: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        traits.check().map(|()| traits)
    }

    fn check(&self) -> Result<(), String> {
        let within = |key: &str, values: &[f64], low: f64, high: f64| {
            let rising = values.windows(2).all(|pair| pair[0] <= pair[1]);
            if rising && values.iter().all(|value| (low..=high).contains(value)) {
                Ok(())
            } else {
                Err(format!("{key} = {values:?}: must rise from {low} to {high}"))
            }
        };
        within("air_c", &self.air_c, -60.0, 60.0)?;
        within("frequency_per_100km2", &[self.frequency_per_100km2], 0.0, 50.0)?;
        within("group", &self.group, 1.0, GROUP_MAX)?;
        within("spread_m", &[self.spread_m], 0.0, SPREAD_M_MAX)?;
        within("length_m", &[self.length_m], 0.1, 60.0)?;
        within("radius_m", &[self.radius_m], 0.01, 0.5 * self.length_m)?;
        within("mass_kg", &[self.mass_kg], 0.1, 200_000.0)?;
        within("speed_mps", &self.speed_mps, 0.0, TRAVEL_MPS_MAX)?;
        within("water_min_m", &[self.water_min_m], 0.0, 1_000.0)?;
        within("sway_m", &[self.sway_m], 0.0, SWAY_M_MAX)?;
        within("sway_s", &[self.sway_s], 5.0, 600.0)?;
        within("surface_s", &[self.surface_s], 5.0, 600.0)?;
        within("breaths", &[self.breaths], 1.0, 50.0)?;
        within("leap_m", &[self.leap_m], 0.0, 5.0)?;
        within("dive_s", &[self.dive_s], 0.0, 1_000.0)?;
        within("dive_m", &[self.dive_m], 0.0, 100.0)?;
        within("height_m", &self.height_m, 0.0, 100.0)?;
        within("blow_s", &[self.blow_s], if self.kind.is_struck() { 0.1 } else { 0.0 }, 2.0)?;
        // Whether the figures keep their own promise is for the tracks to show.
        within("speed_max_mps", &[self.speed_max_mps], self.speed_mps[1], 30.0)?;
        if let Some(rides) = &self.rides {
            within("rides.reach_m", &[rides.reach_m], 1.0, super::ATTRACT_M_MAX)?;
            within("rides.speed_mps", &rides.speed_mps, 0.0, 20.0)?;
            within("rides.chance_per_s", &[rides.chance_per_s], 0.0, 1.0)?;
            within("rides.minutes", &rides.minutes, 0.1, 60.0)?;
            within("rides.number", &rides.number, 1.0, self.group[2])?;
        }
        if let Some(snares) = &self.snares {
            within("snares.chance", &[snares.chance], 0.0, 1.0)?;
            within("snares.drag_m2", &[snares.drag_m2], 0.0, 10.0)?;
            within("snares.minutes", &snares.minutes, 0.1, 60.0)?;
        }
        if let Some(haunts) = &self.haunts {
            within("haunts.reach_m", &[haunts.reach_m], 1.0, super::ATTRACT_M_MAX)?;
            within("haunts.chance_per_s", &[haunts.chance_per_s], 0.0, 1.0)?;
            within("haunts.minutes", &haunts.minutes, 0.1, 60.0)?;
            within("haunts.rock_rad", &[haunts.rock_rad], 0.0, 0.2)?;
            within("haunts.push_g", &[haunts.push_g], 0.0, 0.1)?;
        }
        Ok(())
    }
}

const FILES: [&str; Species::ALL.len()] = [
    include_str!("../../assets/creatures/humpback.toml"),
    include_str!("../../assets/creatures/gray_whale.toml"),
    include_str!("../../assets/creatures/orca.toml"),
    include_str!("../../assets/creatures/white_sided_dolphin.toml"),
    include_str!("../../assets/creatures/common_dolphin.toml"),
    include_str!("../../assets/creatures/porpoise.toml"),
    include_str!("../../assets/creatures/blue_shark.toml"),
    include_str!("../../assets/creatures/gull.toml"),
    include_str!("../../assets/creatures/log.toml"),
    include_str!("../../assets/creatures/net.toml"),
    include_str!("../../assets/creatures/serpent.toml"),
];

/// What a species is like.
///
/// # Panics
/// Never: the files are part of the program and a test reads each.
#[must_use]
pub fn traits(species: Species) -> &'static Traits {
    static ALL: OnceLock<Vec<Traits>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let read = |(species, text): (Species, &str)| {
            Traits::from_toml(text)
                .unwrap_or_else(|error| panic!("the built-in {} is broken: {error}", species.key()))
        };
        Species::ALL.into_iter().zip(FILES).map(read).collect()
    });
    &all[species as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_species_has_a_sound_file() {
        for species in Species::ALL {
            let traits = traits(species);
            assert!(!traits.name.is_empty() && traits.group_name.ends_with('s'), "{}", traits.name);
            assert_eq!(Species::of_key(species.key()), Some(species));
            assert_eq!(Species::try_from(u8::from(species)), Ok(species));
        }
        assert!(Species::try_from(200).is_err());
    }

    #[test]
    fn broken_file_is_refused_by_key() {
        let text = FILES[0].replace("mass_kg = 30000", "mass_kg = -1");
        assert!(Traits::from_toml(&text).unwrap_err().contains("mass_kg"));
        let text = FILES[0].replace("spread_m", "spraed_m");
        assert!(Traits::from_toml(&text).unwrap_err().contains("spraed_m"));
    }
}
