//! Loopback addresses for region servers of this machine: one port number, an address for each.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Last bytes of addresses in use: 127.x.y.1 is left to others, the end to broadcasts by habit.
const HOSTS: u32 = 249;
/// Third bytes of addresses in use; 249 × 250 regions are more than any machine runs.
const SUBNETS: u32 = 250;

/// The addresses in use. Each is given out again as late as possible, so that what still looks for a
/// region that is gone does not meet another one.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    taken: BTreeSet<u32>,
    next: u32,
}

impl Addresses {
    /// An address that is not in use, with this port; `None` when all are.
    pub(super) fn take(&mut self, port: u16) -> Option<SocketAddr> {
        let all = HOSTS * SUBNETS;
        let index =
            (0..all).map(|step| (self.next + step) % all).find(|index| !self.taken.contains(index))?;
        self.taken.insert(index);
        self.next = (index + 1) % all;
        let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        let ip = Ipv4Addr::new(127, 0, byte(index / HOSTS), byte(2 + index % HOSTS));
        Some(SocketAddr::V4(SocketAddrV4::new(ip, port)))
    }

    /// Notes an address that was given out before this process started.
    pub(super) fn keep(&mut self, addr: SocketAddr) {
        if let Some(index) = index_of(addr) {
            self.taken.insert(index);
            self.next = self.next.max(index + 1) % (HOSTS * SUBNETS);
        }
    }

    /// Gives an address back.
    pub(super) fn give_back(&mut self, addr: SocketAddr) {
        if let Some(index) = index_of(addr) {
            self.taken.remove(&index);
        }
    }
}

fn index_of(addr: SocketAddr) -> Option<u32> {
    let SocketAddr::V4(addr) = addr else { return None };
    let [_, _, subnet, host] = addr.ip().octets();
    Some(u32::from(subnet) * HOSTS + u32::from(host).saturating_sub(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_run_through_every_subnet_and_come_back_last() {
        let mut addresses = Addresses::default();
        let first = addresses.take(4000).unwrap();
        assert_eq!(first.to_string(), "127.0.0.2:4000");
        for _ in 1..249 {
            addresses.take(4000).unwrap();
        }
        assert_eq!(addresses.take(4000).unwrap().to_string(), "127.0.1.2:4000");
        addresses.give_back(first);
        assert_eq!(addresses.take(4000).unwrap().to_string(), "127.0.1.3:4000", "not the one just freed");
    }

    #[test]
    fn freed_address_is_used_when_all_others_are_taken() {
        let mut addresses = Addresses::default();
        let all: Vec<_> = std::iter::from_fn(|| addresses.take(1)).collect();
        assert_eq!(all.len(), 249 * 250);
        addresses.give_back(all[1000]);
        assert_eq!(addresses.take(1), Some(all[1000]));
        assert_eq!(addresses.take(1), None);
    }
}
