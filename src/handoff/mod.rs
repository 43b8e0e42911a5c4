//! Passing a group's ownership from one region to another: who may publish which tick.
//!
//! Pure state machines: words and ticks in, words and verdicts out; no clock, no socket, no vessel. The
//! owner's side is [`Outgoing`], the target's [`Incoming`]; each handoff has one of either.
//!
//! ```text
//! owner   offered ──Ready before K──▶ agreed ──just before K──▶ committed ──Acknowledged──▶ done
//!            │                          │                          └─(repeats Commit)
//!            └──K comes first, NotYet, No, group changed──┴──▶ cancelled: sails on
//!
//! target  rebuilding ──caught up──▶ ready ──Commit──▶ committed ──tick K − 1──▶ owner
//!            └────────Cancel, owner gone─┴──▶ dropped
//! ```
//!
//! The owner publishes ticks before K, the target from K on. The owner decides alone, at one moment: before
//! `Commit` is sent the group is its own whatever the target believes, afterwards the target's whatever gets
//! lost. So no order of loss, delay or repetition makes two owners.

mod incoming;
mod outgoing;

pub use incoming::{Incoming, Reply};
pub use outgoing::{Outgoing, Verdict};
