//! The pilots sail: a toy boat with a polar, a scripted network, and the real simulation.
#![cfg(feature = "pilots")]
#![expect(clippy::unwrap_used, reason = "a test")]

#[cfg(feature = "harbour")]
mod course;
mod hull;
mod network;
mod seamanship;
mod toy;
