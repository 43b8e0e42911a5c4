//! Fairway: a sea that exists where somebody sails.
//!
//! A vessel books a passage along a course. Small regions are started ahead of it, sail it with real
//! physics, hand it over border after border, and are stopped behind it. The rooms, from the bottom up;
//! a room uses only rooms below it (`tests/layers.rs` holds it to that):
//!
//! | layer | rooms |
//! |---|---|
//! | base | [`units`] ticks, ids, conversions · [`limits`] every bound, with its reason · [`trig`] elementary functions with the same bits everywhere · [`noise`] counter-based draws · [`wide`] the widest vectors at hand |
//! | model, pure | [`atlas`] courses, coasts, frames, cells · [`weather`] wind and visibility · [`sea`] waves, tide, current, depth · [`creatures`] whales, dolphins, logs, nets · [`events`] what happens along a course · [`vessel`] hull, foils, sails, engine · [`sim`] the tick, islands, groups · [`trials`] what one boat does on a simple sea |
//! | protocol, pure | [`wire`] messages, tickets, their bytes · [`handoff`] passing ownership · [`custody`] who answers for a vessel when somebody died · [`corridor`] which regions should exist · [`region`] one region server's behaviour |
//! | shell, does I/O | [`clock`] the time · [`config`] start options · [`xenstore`] values that a Xen host and its guests share · [`init`] PID 1 of a guest · [`net`] QUIC circuits · [`record`] applied-input logs and replay · [`metrics`] process figures · [`image`] what a guest boots from · [`harbour`] bookings, engines, HTTP · [`pilots`] headless sailors · [`server`] the region server, which joins them · [`chart`] pictures |

pub mod limits;
pub mod noise;
pub mod trig;
pub mod units;
pub mod wide;

pub mod atlas;
pub mod creatures;
pub mod events;
pub mod sea;
pub mod sim;
pub mod trials;
pub mod vessel;
pub mod weather;

pub mod corridor;
pub mod custody;
pub mod handoff;
pub mod region;
pub mod wire;

#[cfg(feature = "harbour")]
pub mod chart;
pub mod clock;
pub mod config;
#[cfg(feature = "harbour")]
pub mod harbour;
#[cfg(feature = "harbour")]
pub mod image;
pub mod init;
pub mod metrics;
pub mod net;
#[cfg(feature = "pilots")]
pub mod pilots;
pub mod record;
pub mod server;
pub mod xenstore;
