//! The program for people; see `fairway --help`.

/// Prints a line on standard output. A reader that has seen enough may close the pipe.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod ask;
mod boat;
mod course;
mod engine;
mod harbour;
mod image;
mod outcome;
mod pilot;
mod replay;
mod sail;
mod sea;
mod sea_events;
mod sea_map;
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
#[derive(Parser)]
#[command(name = "fairway", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sail a fleet of pilots along a course, over regions that come and go with it.
    #[command(after_help = EXIT_CODES)]
    Sail(Box<sail::Args>),
    /// Run the control plane: bookings over HTTP, and the regions that they need.
    #[command(after_help = EXIT_CODES)]
    Harbour(Box<harbour::Args>),
    /// Tell how a harbour, its regions and its passages fare.
    #[command(after_help = EXIT_CODES)]
    Status(ask::StatusArgs),
    /// List the vessels that a harbour keeps out of the water with their passage unfinished.
    #[command(after_help = EXIT_CODES)]
    Moored(ask::ListArgs),
    /// Have a moored vessel go on with its passage, where and as it was.
    #[command(after_help = EXIT_CODES)]
    Resume(ask::ResumeArgs),
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
    /// Sail a record again, undivided, and hold every published tick to its bits.
    #[command(after_help = EXIT_CODES)]
    Replay(replay::Args),
    /// Make what a Xen guest boots from: kernel and ramdisk, and the part that makes it a region.
    #[command(subcommand, after_help = EXIT_CODES)]
    Image(image::Command),
    /// Measure a boat: its polar, its swings, its turning circle, its answer to waves.
    #[command(after_help = EXIT_CODES)]
    Boat(boat::Args),
    /// Check course folders, or describe one.
    #[command(after_help = EXIT_CODES)]
    Course(course::Args),
    /// Predict heights or currents of a course's tide stations.
    #[command(after_help = EXIT_CODES)]
    Tide(tide::Args),
    /// Tell wind, waves, current and depth at a place and time of a course, or what will happen along it.
    #[command(after_help = EXIT_CODES)]
    Sea(sea::Args),
}

fn main() -> ExitCode {
    let start = fairway::clock::now();
    let mut arguments = std::env::args_os().skip(1).peekable();
    // The harbour starts regions through this program: what they do not need is not on their way.
    if arguments.next_if(|argument| argument == "region").is_some() {
        return fairway::server::main(arguments, start);
    }
    fairway::server::end_on_panic();
    let result = match Cli::try_parse() {
        Ok(cli) => run(cli.command),
        Err(error) => refuse(&error),
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

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Sail(args) => sail::run(*args),
        Command::Harbour(args) => harbour::run(*args),
        Command::Status(args) => ask::status(&args),
        Command::Moored(args) => ask::list(&args),
        Command::Resume(args) => ask::resume(&args),
        // Taken before the command line is parsed; listed there for its help.
        Command::Region { .. } => Err(Failure::Input("`region` comes first on the command line".to_owned())),
        Command::Pilot(args) => pilot::run(args),
        // What a record does not hold has been told on standard output as well.
        Command::Replay(args) => replay::run(args),
        Command::Image(command) => image::run(command),
        Command::Boat(args) => boat::run(args).map_err(Failure::Input),
        Command::Course(args) => course::run(args).map_err(Failure::Input),
        Command::Tide(args) => tide::run(args).map_err(Failure::Input),
        Command::Sea(args) => sea::run(args).map_err(Failure::Input),
    }
}

/// Prints help where that was asked for; otherwise says in one line what is wrong with the command line.
fn refuse(error: &clap::Error) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if asked {
        // A reader that has seen enough may close the pipe.
        let _ = error.print();
        return if error.use_stderr() { Err(Failure::Usage) } else { Ok(()) };
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim);
    // After the error itself come hints and the usage, which --help has as well.
    let what: Vec<&str> = lines
        .take_while(|line| {
            !["Usage:", "For more information", "tip:"].iter().any(|hint| line.starts_with(hint))
        })
        .filter(|line| !line.is_empty())
        .collect();
    let what = what.join(" ");
    Err(Failure::Input(format!("{}; see --help", what.strip_prefix("error: ").unwrap_or(&what))))
}
