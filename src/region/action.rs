//! What a region asks of whoever runs it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::sim::Vessel;
use crate::units::{RegionId, Tick, VesselId};
use crate::wire::circuit::{CircuitId, Way};
use crate::wire::message::{AppliedInput, Epoch, Message};

/// Something for the input log.
#[derive(Clone, Debug, PartialEq)]
pub enum Logged {
    /// A vessel was put into the water: its state after a tick.
    Launched(Tick, Box<Vessel>),
    /// An input was applied.
    Applied(AppliedInput),
    /// A tick of a vessel was published.
    Published {
        /// Which vessel.
        vessel: VesselId,
        /// The tick.
        tick: Tick,
        /// Under which epoch.
        epoch: Epoch,
        /// The hash of its state.
        hash: u64,
    },
    /// A vessel of an owner that ended was taken up: its state after the last tick that is nobody's.
    Resumed {
        /// That tick.
        tick: Tick,
        /// The last tick of which the orders are known.
        through: Tick,
        /// The new epoch.
        epoch: Epoch,
        /// The vessel.
        vessel: Box<Vessel>,
    },
    /// A group's vessel was taken over: its state as it was offered, and what it was given until the commit
    /// tick. Together they bridge what is lost of an owner's log when it dies.
    Taken {
        /// The tick of the state.
        tick: Tick,
        /// The first tick that is published here.
        commit: Tick,
        /// The vessel.
        vessel: Box<Vessel>,
        /// Its inputs after that state.
        given: Vec<AppliedInput>,
    },
    /// A vessel left the water after a tick.
    Left(Tick, VesselId),
}

/// What a region that was told to stop has done with its vessels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Farewell {
    /// Vessels handed over to other regions.
    pub handed: u32,
    /// Vessels that nobody took, moored with the harbour.
    pub moored: u32,
    /// From the word to stop until now.
    pub took: Duration,
}

/// What whoever runs the region has to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every action is a message; boxing each would cost more"
)]
pub enum Action {
    /// Send a message.
    Send {
        /// On which circuit.
        circuit: CircuitId,
        /// The region that it speaks to, where the circuit's name does not say.
        to: Option<RegionId>,
        /// The message.
        message: Message,
        /// How.
        way: Way,
    },
    /// Open a circuit to a neighbour, and tell its number with [`super::Region::dialled`].
    Dial {
        /// The neighbour.
        region: RegionId,
        /// Where it listens.
        addr: SocketAddr,
        /// Its server name.
        name: String,
    },
    /// End a circuit.
    Close(CircuitId),
    /// Show this certificate chain from now on.
    Enrol(Vec<Vec<u8>>),
    /// Write to the input log.
    Log(Logged),
    /// All is handed over or moored: end.
    Stop,
}
