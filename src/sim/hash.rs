//! The hash of a vessel: its bit patterns in one fixed order.

use xxhash_rust::xxh3::xxh3_64;

use super::Voyage;
use crate::creatures::Companion;
use crate::vessel::{Gear, Helm, VesselState};

/// Bytes of what is hashed: 13 of motion, 5 of helm, 7 of gear, 2 of progress, at 8 bytes; then the rest.
const BYTES: usize = 8 * 27 + 1 + 4 + 4 + 2 + 9;

/// XXH3 of state and progress; the marks themselves are the passage's and do not change.
pub(super) fn of(state: &VesselState, voyage: &Voyage) -> u64 {
    let VesselState { position_m: p, attitude: q, velocity_mps: v, spin_radps: w, helm, gear, session, seq } =
        state;
    let Helm { rudder_rad, sheet, reef, flat, spinnaker, throttle } = helm;
    let Gear { rudder_rad: rudder, sheet: sheets, reef: reefed, flat: flatness, .. } = gear;
    let numbers = [
        p.x,
        p.y,
        p.z,
        q.x,
        q.y,
        q.z,
        q.w,
        v.x,
        v.y,
        v.z,
        w.x,
        w.y,
        w.z,
        *rudder_rad,
        *sheet,
        *reef,
        *flat,
        *throttle,
        *rudder,
        *sheets,
        *reefed,
        *flatness,
        gear.spinnaker,
        gear.throttle,
        gear.crew,
        voyage.ground_m,
        voyage.water_m,
    ];
    let mut bytes = [0_u8; BYTES];
    let (fixed, rest) = bytes.split_at_mut(8 * numbers.len());
    for (slot, number) in fixed.chunks_exact_mut(8).zip(numbers) {
        slot.copy_from_slice(&number.to_bits().to_le_bytes());
    }
    rest[0] = u8::from(*spinnaker);
    rest[1..5].copy_from_slice(&session.to_le_bytes());
    rest[5..9].copy_from_slice(&seq.to_le_bytes());
    rest[9..11].copy_from_slice(&voyage.passed.to_le_bytes());
    rest[11] = u8::from(voyage.finished.is_some());
    rest[12..20].copy_from_slice(&voyage.finished.map_or(0, |tick| tick.0).to_le_bytes());
    let hash = xxh3_64(&bytes);
    // Most vessels are alone most of the time.
    if voyage.companions.is_empty() { hash } else { with_companions(hash, &voyage.companions) }
}

/// The hash of a vessel with its companions.
fn with_companions(hash: u64, companions: &[Companion]) -> u64 {
    let mut bytes = Vec::with_capacity(8 + 96 * companions.len());
    bytes.extend(hash.to_le_bytes());
    for companion in companions {
        let Companion { id, species, role, number, since, until, forget, .. } = companion;
        let Companion { place, velocity_mps, depth_m, heading_rad, .. } = companion;
        bytes.extend([u8::from(*species), *role as u8, *number]);
        for number in [id.0, since.0, until.0, forget.0] {
            bytes.extend(number.to_le_bytes());
        }
        for number in [place.x, place.y, velocity_mps.x, velocity_mps.y, *depth_m, *heading_rad] {
            bytes.extend(number.to_bits().to_le_bytes());
        }
    }
    xxh3_64(&bytes)
}
