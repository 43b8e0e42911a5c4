//! `fairway`: for people.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod course;
mod sea;
mod tide;

/// A sea that exists where somebody sails.
#[derive(Parser)]
#[command(name = "fairway", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at courses.
    Course(course::Args),
    /// Say what the sea is like at a place and time.
    Sea(sea::Args),
    /// Predict the tide at a station.
    Tide(tide::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Course(args) => course::run(args),
        Command::Sea(args) => sea::run(args),
        Command::Tide(args) => tide::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fairway: {error}");
            ExitCode::from(2)
        }
    }
}
