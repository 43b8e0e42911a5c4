//! The harbour's control loop, over regions that are played: they boot, sail, hand over, drain and die as
//! each test says, while its clock runs at the test's pace.
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

mod bookings;
mod moored;
mod play;
mod regions;
