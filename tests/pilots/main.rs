//! The pilots sail: a toy boat with a polar, a scripted network, and the real simulation.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]
#![cfg(feature = "pilots")]

#[cfg(feature = "harbour")]
mod course;
mod hull;
mod network;
mod seamanship;
mod toy;
