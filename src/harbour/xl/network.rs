//! Addresses of guests: those of one network, given out again as late as possible.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// Guests that a network may have at most; no host runs as many.
const HOSTS_MAX: u32 = 4_096;

/// A network for guests: its addresses from the first on; the last one before the broadcast is the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    first: u32,
    prefix: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: not a network of IPv4 addresses; write it like 10.0.0.0/24");
        let (ip, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let ip: Ipv4Addr = ip.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        if !(8..=29).contains(&prefix) {
            return Err(format!(
                "{text}: has no room for guests, or too much (/8 to /29 can be used); write it like 10.0.0.0/24"
            ));
        }
        let mask = u32::MAX << (32 - prefix);
        Ok(Self { first: u32::from(ip) & mask, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

impl Network {
    /// Length of the prefix.
    pub(super) const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Addresses for guests: without the network's, the host's and the broadcast.
    fn room(&self) -> u32 {
        ((1_u32 << (32 - self.prefix)) - 3).min(HOSTS_MAX)
    }
}

/// The addresses in use.
#[derive(Debug)]
pub(super) struct Pool {
    network: Network,
    taken: BTreeSet<u32>,
    next: u32,
}

impl Pool {
    pub(super) const fn new(network: Network) -> Self {
        Self { network, taken: BTreeSet::new(), next: 0 }
    }

    /// An address that is not in use.
    pub(super) fn take(&mut self) -> Option<Ipv4Addr> {
        let room = self.network.room();
        let index =
            (0..room).map(|step| (self.next + step) % room).find(|index| !self.taken.contains(index))?;
        self.taken.insert(index);
        self.next = (index + 1) % room;
        Some(Ipv4Addr::from(self.network.first + 1 + index))
    }

    /// Notes an address that was given out before this process started.
    pub(super) fn keep(&mut self, ip: Ipv4Addr) {
        if let Some(index) = self.index_of(ip) {
            self.taken.insert(index);
        }
    }

    /// Gives an address back.
    pub(super) fn give_back(&mut self, ip: Ipv4Addr) {
        if let Some(index) = self.index_of(ip) {
            self.taken.remove(&index);
        }
    }

    fn index_of(&self, ip: Ipv4Addr) -> Option<u32> {
        u32::from(ip).checked_sub(self.network.first + 1).filter(|index| *index < self.network.room())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_leave_the_host_its_own_and_come_back_last() {
        let mut pool = Pool::new("10.0.0.9/29".parse().unwrap());
        let taken: Vec<String> = std::iter::from_fn(|| pool.take()).map(|ip| ip.to_string()).collect();
        assert_eq!(taken, ["10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13"]);
        pool.give_back(Ipv4Addr::new(10, 0, 0, 11));
        assert_eq!(pool.take(), Some(Ipv4Addr::new(10, 0, 0, 11)));
        pool.give_back(Ipv4Addr::new(192, 168, 0, 1));
        assert_eq!(pool.take(), None);
    }

    #[test]
    fn networks_without_room_are_refused() {
        for text in ["10.0.0.0", "10.0.0.0/30", "10.0.0.0/33", "here/24", "10.0.0.0/4"] {
            assert!(text.parse::<Network>().unwrap_err().contains("10.0.0.0/24"), "{text}");
        }
    }
}
