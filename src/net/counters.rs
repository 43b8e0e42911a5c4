//! What an endpoint counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counters {
    ($($(#[$doc:meta])+ $name:ident),+ $(,)?) => {
        /// What an endpoint has done since it opened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            /// Circuits that are open or being dialled now.
            pub circuits_open: u64,
            $($(#[$doc])+ pub $name: u64,)+
        }

        /// The same, as the endpoint's thread adds to it.
        #[derive(Debug, Default)]
        pub(super) struct Tally {
            $(pub(super) $name: Count,)+
        }

        impl Tally {
            pub(super) fn read(&self, circuits_open: u64) -> Counters {
                Counters { circuits_open, $($name: self.$name.0.load(Relaxed),)+ }
            }
        }
    };
}

counters! {
    /// Circuits that were opened, dialled or accepted.
    circuits_opened,
    /// Circuits that were asked for while as many as allowed were open or being opened.
    circuits_refused,
    /// First packets of handshakes that came faster than handshakes are begun, and were not answered.
    handshakes_put_off,
    /// Circuits whose handshake failed or took too long: unknown name, no key, garbage.
    handshakes_failed,
    /// Circuits that were closed because of what came over them.
    malformed,
    /// Circuits that were closed because their peer did not read.
    overrun,
    /// Circuits that were closed because a client sent faster than it may.
    flooded,
    /// Circuits that were closed because a client did not say what it wants.
    silent,
    /// Datagrams received.
    datagrams_in,
    /// Datagrams handed to QUIC.
    datagrams_out,
    /// Datagrams received and dropped because the event queue was full.
    datagrams_dropped_in,
    /// Datagrams not sent, or replaced by newer ones before they were: too large, no circuit, no room.
    datagrams_dropped_out,
    /// Stream messages received.
    messages_in,
    /// Stream messages queued to be sent.
    messages_out,
}

/// A count that only grows.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}
