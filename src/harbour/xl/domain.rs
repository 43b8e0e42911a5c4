//! One guest: its name, its UUID, and what is known of it.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};

use crate::config::{from_hex, to_hex};
use crate::units::RegionId;

/// What Xen knows a domain by, whatever its number is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Uuid([u8; 16]);

impl Uuid {
    /// A new one whose first half tells whose it is.
    pub(super) fn new(own: [u8; 8]) -> Result<Self, ()> {
        use ring::rand::SecureRandom as _;
        let mut bytes = [0; 16];
        ring::rand::SystemRandom::new().fill(&mut bytes).map_err(drop)?;
        bytes[..8].copy_from_slice(&own);
        Ok(Self(bytes))
    }

    /// Reads one as Xen writes it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        Some(Self(from_hex(&digits).ok()?.try_into().ok()?))
    }

    /// Whether its first half is this.
    pub(super) fn is_of(self, own: [u8; 8]) -> bool {
        self.0[..8] == own
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = to_hex(&self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// How far a guest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Being created, or booting.
    Starting,
    /// Booted, and waits for its region.
    Waits,
    /// Serves, or will soon, or did: it is told of once.
    Serves,
    /// No more.
    Gone,
}

/// A guest.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    pub(super) ip: Ipv4Addr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    life: Life,
    region: Option<RegionId>,
    /// Whether its end was asked for.
    killed: bool,
}

impl Domain {
    /// A guest that is to be; a spare when it has no region.
    pub(super) fn new(name: String, uuid: Uuid, ip: Ipv4Addr, region: Option<RegionId>) -> Self {
        Self { name, uuid, ip, state: Mutex::new(State { life: Life::Starting, region, killed: false }) }
    }

    fn with<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        what(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The region that it is.
    pub(super) fn region(&self) -> Option<RegionId> {
        self.with(|state| state.region)
    }

    /// A spare becomes a region.
    pub(super) fn becomes(&self, region: RegionId) {
        self.with(|state| {
            state.region = Some(region);
            state.life = Life::Serves;
        });
    }

    pub(super) fn enters(&self, life: Life) {
        self.with(|state| {
            if state.life != Life::Gone {
                state.life = life;
            }
        });
    }

    /// Whether it has booted and waits for a region.
    pub(super) fn waits(&self) -> bool {
        self.with(|state| state.life == Life::Waits && !state.killed)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.with(|state| state.life == Life::Gone)
    }

    /// Notes that it is gone; false when that was known.
    pub(super) fn goes(&self) -> bool {
        self.with(|state| std::mem::replace(&mut state.life, Life::Gone) != Life::Gone)
    }

    /// Notes that its end was asked for; false when it was before.
    pub(super) fn is_to_end(&self) -> bool {
        self.with(|state| !std::mem::replace(&mut state.killed, true))
    }

    pub(super) fn was_killed(&self) -> bool {
        self.with(|state| state.killed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_tell_whose_they_are_and_survive_xen() {
        let own = [1, 2, 3, 4, 5, 6, 7, 8];
        let uuid = Uuid::new(own).unwrap();
        assert!(uuid.is_of(own) && !uuid.is_of([0; 8]));
        assert_eq!(Uuid::read(&uuid.to_string()), Some(uuid));
        assert_eq!(Uuid::read("no uuid"), None);
        assert!(uuid.to_string().starts_with("01020304-0506-0708-"));
    }
}
