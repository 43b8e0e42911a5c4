//! Headless sailors: they sail a vessel over the network as a person would, from what the wire tells them.
//!
//! [`Helmsman`] is pure: states and soundings in, helm orders out. [`Session`] is one pilot's life on the
//! network (circuits, sessions, epochs) behind the small trait [`Line`], so that tests need no sockets.
//! [`Crew`] runs many sessions on one thread over one endpoint.
//!
//! ```text
//! State, Soundings ─▶ Senses (wind, current, speeds) ─┐
//!                 └─▶ Lookout (depths, traffic) ──────┴▶ Tactics (a course) ─▶ Helmsman (manoeuvre) ─▶ Helm
//! ```

mod crew;
mod gaps;
mod helmsman;
mod log;
mod lookout;
mod seen;
mod senses;
mod session;
mod steering;
mod tactics;

pub use crew::{Booking, Crew, PilotProgress};
pub use helmsman::Helmsman;
pub use log::{Log, Met};
pub use seen::Seen;
pub use session::{Line, Outcome, Session, TrackPoint};
