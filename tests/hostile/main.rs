//! A region server among enemies: every attack is refused, costs bounded memory and time, and leaves an honest
//! sailor undisturbed.
//!
//! The server is the real process, on loopback, under a harbour that this test plays and that is told what it
//! refused; `counts` looks at the same rules from within.
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
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

mod counts;
#[path = "../common/honest.rs"]
mod honest;
mod intruders;
mod neighbours;
#[path = "../common/peer.rs"]
mod peer;
#[path = "../common/port.rs"]
mod port;
mod storms;

#[path = "../raw/mod.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod raw;
