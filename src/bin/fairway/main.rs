//! The program for people; see `fairway --help`.

mod course;
mod harbour;
mod outcome;
mod pilot;
mod sail;
mod sea;
mod setup;
mod tide;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use outcome::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What follows the options in every `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    all went well
  1    a passage did not arrive, or a replay differs
  2    bad input: command line, course, boat, or a port that is taken
  3    something broke while running
  130  interrupted";

/// A sea that exists where somebody sails: regions start ahead of a vessel and stop behind it.
#[derive(Debug, Parser)]
#[command(name = "fairway", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sail a fleet of pilots along a course, over regions that come and go with it.
    #[command(after_help = EXIT_CODES)]
    Sail(Box<sail::Args>),
    /// Run the control plane: bookings over HTTP, and the regions that they need.
    #[command(after_help = EXIT_CODES)]
    Harbour(Box<harbour::Args>),
    /// Run a region server, as `fairway-region` does; `fairway region --help` has its options.
    #[command(disable_help_flag = true)]
    Region {
        /// The region server's own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Sail one boat at a region server that runs alone.
    #[command(after_help = EXIT_CODES)]
    Pilot(pilot::Args),
    /// Look at courses: what is wrong with one, or what it holds.
    #[command(after_help = EXIT_CODES)]
    Course(course::Args),
    /// Say what the sea is like at a place and time.
    #[command(after_help = EXIT_CODES)]
    Sea(sea::Args),
    /// Predict the height or the current at a tide station.
    #[command(after_help = EXIT_CODES)]
    Tide(tide::Args),
}

fn main() -> ExitCode {
    let start = fairway::clock::now();
    let mut arguments = std::env::args_os().skip(1).peekable();
    // The harbour starts regions through this program: what they do not need is not on their way.
    if arguments.next_if(|argument| argument == "region").is_some() {
        return fairway::server::main(arguments, start);
    }
    let result = match Cli::parse().command {
        Command::Sail(args) => sail::run(*args),
        Command::Harbour(args) => harbour::run(*args),
        Command::Region { args } => return fairway::server::main(args, start),
        Command::Pilot(args) => pilot::run(args).map_err(Failure::Broke),
        Command::Course(args) => course::run(args).map_err(Failure::Input),
        Command::Sea(args) => sea::run(args).map_err(Failure::Input),
        Command::Tide(args) => tide::run(args).map_err(Failure::Input),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(line) = failure.line() {
                let _ = writeln!(std::io::stderr(), "fairway: {line}");
            }
            ExitCode::from(failure.code())
        }
    }
}
