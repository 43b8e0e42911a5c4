//! Regions as guests of a real Xen: the hypervisor, a dom0 with `xl` and paravirtual guests, emulated by QEMU on any
//! machine (`setup.sh` makes what is booted). All tests share one dom0, each has guests of its own.
//!
//! `.ci/xen` runs them; by hand, after `tests/xen/setup.sh`:
//! `cargo test --release --test xen -- --ignored --nocapture`. Times that they print are those of an emulated machine:
//! compare them with each other, and with nothing else.
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

mod boot;
mod guest;
mod lab;
mod life;
mod passage;
mod resize;
mod stage;
