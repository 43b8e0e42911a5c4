//! The region server as the whole user space of a guest.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

use super::{Server, ServerError, say};
use crate::config::{self, Request};
use crate::init::{self, Guest, InitError};
use crate::limits::{GUEST_SPARE_KIB, VESSEL_KIB};

/// Serves as PID 1, when that is what this process is; or does what the kernel runs us for beside it.
pub(super) fn main(start: Instant) -> Option<ExitCode> {
    let mut arguments = std::env::args_os();
    let (program, first) = (arguments.next(), arguments.next());
    if let Some(code) = init::help_to_end(program.as_deref(), first.as_deref()) {
        return Some(code);
    }
    if !init::is_first(program.as_deref()) {
        return None;
    }
    let mut guest = match Guest::begin() {
        Ok(guest) => guest,
        // Without mounts or an address there is nobody to tell but the console.
        Err(error) => init::give_up(&error.to_string()),
    };
    if let Err(error) = serve(&mut guest, start) {
        guest.failed(&error.to_string());
    }
    guest.power_off()
}

fn serve(guest: &mut Guest, start: Instant) -> Result<(), ServerError> {
    let broke = |error: InitError| ServerError::Broke(error.to_string());
    let Some(arguments) = guest.arguments().map_err(broke)? else { return Ok(()) };
    match config::parse(arguments).map_err(|error| ServerError::Input(error.to_string()))? {
        Request::Serve(options) => Server::start(*options, start, Some(guest)).and_then(Server::run),
        Request::Help | Request::Version => Err(ServerError::Input(
            "the guest's arguments ask for no region: name --course and --cell".to_owned(),
        )),
    }
}

/// Vessels that this guest has memory for besides those that it sails; opens no file.
pub(super) fn more_vessels() -> usize {
    let free_kib = init::free_kib();
    usize::try_from(free_kib.saturating_sub(GUEST_SPARE_KIB) / VESSEL_KIB).unwrap_or(usize::MAX)
}

/// The ready line of a guest: what a process says, when it was by the boot clock, and the memory that is left.
pub(super) fn say_ready(guest: &Guest, ready: &mut serde_json::Value) -> Result<(), ServerError> {
    let [total_kib, available_kib] = init::memory_kib();
    if let Some(fields) = ready.as_object_mut() {
        // Who listens at every address is found at the guest's own.
        let listens = fields.get("addr").and_then(|addr| addr.as_str()?.parse::<SocketAddr>().ok());
        if let (Some(listens), Some(ip)) = (listens.filter(|addr| addr.ip().is_unspecified()), guest.address)
        {
            let at = SocketAddr::new(ip.into(), listens.port());
            fields.insert("addr".to_owned(), at.to_string().into());
        }
        fields.insert("boottime_init_ms".to_owned(), guest.began_ms.into());
        fields.insert("boottime_first_tick_ms".to_owned(), init::boot_ms().into());
        fields.insert("mem_total_kib".to_owned(), total_kib.into());
        fields.insert("mem_available_kib".to_owned(), available_kib.into());
    }
    let line = ready.to_string();
    say(&format!("fairway-region: ready {line}"))?;
    guest.board.is_ready(line);
    Ok(())
}
