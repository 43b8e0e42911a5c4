//! The region server; see `fairway-region --help`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let start = fairway::clock::now();
    fairway::server::main(std::env::args_os().skip(1), start)
}
