//! Who answers for a vessel when somebody died: leases, roll calls, and who sails it on.
//!
//! Owns no vessel and no clock: stamps, rosters and ends go in, verdicts come out. Three rules keep a tick
//! from having two owners, whatever dies, stalls, or comes back:
//!
//! 1. **An owner publishes under a lease** ([`Lease`]). The harbour renews it with every report, guards with
//!    what they are streamed. Once it has lapsed the harbour alone renews it: a process that was stopped, or
//!    restored from an image, publishes nothing until it has been heard there.
//! 2. **The harbour calls the roll** ([`RollCall`]) when a region has ended or a vessel is not reported. Each
//!    region answers with what it holds, what it gave to whom, and the shadows that it keeps; its answer is also
//!    a promise to take nothing any more from those who have ended. A vessel is adrift only if, with all answers
//!    in, its highest claim leads to nobody who lives.
//! 3. **Who sails on publishes from a tick that no earlier owner can have reached**: the tick that is due once
//!    its end is certain. The ticks between its shadow and that one are sailed, and nobody's.
//!
//! ```text
//!  region ends ─▶ roll call ─▶ all answered ─▶ held by someone: nothing to do
//!                     ▲                    ├─▶ on its way between two who live: wait, call again
//!                     └─ another one ended └─▶ adrift: term + 1, the best shadow sails on, or lost
//! ```

mod lease;
mod roll;

pub use lease::{Grantor, LEASE_NS, Lease};
pub use roll::{Finding, RollCall};
