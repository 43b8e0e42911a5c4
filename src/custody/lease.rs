//! The owner's licence to publish.

/// For how long a renewal counts from the moment at which it was asked for, nanoseconds of the owner's boot
/// clock: some tens of reports, so that a loaded host does not pause a sound region, and less than the silence
/// after which the harbour ends one.
pub const LEASE_NS: u64 = 2_000_000_000;

/// Who renews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grantor {
    /// The harbour.
    Harbour,
    /// Another region, which keeps shadows of the owner's vessels.
    Guard,
}

/// One region's lease on all that it publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The last moment at which it counts; none before the first renewal, and once it has lapsed.
    until_ns: Option<u64>,
}

impl Lease {
    /// A renewal that was asked for at `asked_ns` has come; both times are of the owner's boot clock.
    ///
    /// A guard prolongs what still counts. What has lapsed it cannot revive: the harbour may have given the
    /// vessels to somebody else.
    pub fn renew(&mut self, grantor: Grantor, asked_ns: u64, now_ns: u64) {
        let held = self.holds(now_ns);
        let until_ns = asked_ns.saturating_add(LEASE_NS);
        // A stamp from the future is not one of ours.
        if asked_ns > now_ns || until_ns < now_ns || (grantor == Grantor::Guard && !held) {
            return;
        }
        self.until_ns = Some(self.until_ns.map_or(until_ns, |known| known.max(until_ns)));
    }

    /// Whether the owner may publish now; one that lapsed stays so until the harbour renews it.
    pub fn holds(&mut self, now_ns: u64) -> bool {
        if self.until_ns.is_some_and(|until| now_ns > until) {
            self.until_ns = None;
        }
        self.until_ns.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn lease_counts_from_when_it_was_asked_for() {
        let mut lease = Lease::default();
        assert!(!lease.holds(10 * S));
        lease.renew(Grantor::Harbour, 10 * S, 11 * S);
        assert!(lease.holds(12 * S) && !lease.holds(12 * S + 1));
    }

    #[test]
    fn guard_prolongs_and_never_revives() {
        let mut lease = Lease::default();
        lease.renew(Grantor::Guard, 10 * S, 10 * S);
        assert!(!lease.holds(10 * S), "a guard cannot start a lease");
        lease.renew(Grantor::Harbour, 10 * S, 10 * S);
        lease.renew(Grantor::Guard, 11 * S, 11 * S);
        assert!(lease.holds(13 * S));
        // Stopped for a minute: the guard's answer from then, and a new one, change nothing.
        lease.renew(Grantor::Guard, 13 * S, 73 * S);
        lease.renew(Grantor::Guard, 73 * S, 73 * S);
        assert!(!lease.holds(73 * S));
        lease.renew(Grantor::Harbour, 13 * S, 73 * S);
        assert!(!lease.holds(73 * S), "an answer to a question from before the stop");
        lease.renew(Grantor::Harbour, 73 * S, 73 * S);
        assert!(lease.holds(74 * S));
    }

    #[test]
    fn stamp_from_the_future_is_refused() {
        let mut lease = Lease::default();
        lease.renew(Grantor::Harbour, u64::MAX, 10 * S);
        assert!(!lease.holds(10 * S));
    }
}
