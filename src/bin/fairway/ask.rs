//! `fairway status`, `fairway moored`, `fairway resume`: a running harbour is asked how it goes, which vessels it
//! keeps ashore, and to have one of them go on.

use std::net::{SocketAddr, ToSocketAddrs as _};

use fairway::harbour::answers::{MooredAnswer, PassageAnswer, StatusAnswer};
use fairway::harbour::client::{ClientError, HarbourClient};
use fairway::units::Tick;
use serde::Serialize;

use crate::outcome::{Failure, Format};

/// Which harbour is asked, and how its answer is printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Harbour {
    /// Where the harbour's HTTP interface listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:4080")]
    harbour: String,
    /// How to print the answer.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Tell how a harbour, its regions and its passages fare.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    harbour: Harbour,
}

/// List the vessels that a harbour keeps out of the water with their passage unfinished.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    harbour: Harbour,
}

/// Have a moored vessel go on with its passage, where and as it was.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {
    /// The vessel's number, as `fairway moored` lists it.
    vessel: u32,
    /// Also where it has brought down two regions: it sails alone at first, in a region of its own.
    #[arg(long, alias = "quarantine")]
    anyway: bool,
    #[command(flatten)]
    harbour: Harbour,
}

impl Harbour {
    fn client(&self) -> Result<HarbourClient, Failure> {
        let found: Option<SocketAddr> =
            self.harbour.to_socket_addrs().ok().and_then(|mut found| found.next());
        found.map(HarbourClient::new).ok_or_else(|| {
            let what = format!("--harbour {} is no address and port, such as 127.0.0.1:4080", self.harbour);
            Failure::Input(what)
        })
    }

    fn print<T: Serialize>(&self, answer: &T, text: impl FnOnce(&T)) -> Result<(), Failure> {
        match self.output {
            Format::Text => text(answer),
            Format::Json => {
                let line = serde_json::to_string(answer);
                say!("{}", line.map_err(|error| Failure::Broke(format!("cannot print: {error}")))?);
            }
        }
        Ok(())
    }
}

/// What a harbour does not want is the asker's to change; anything else broke.
fn failure(error: ClientError) -> Failure {
    match error {
        ClientError::Refused { status: 400..500, error } => Failure::Input(error),
        other => Failure::Broke(other.to_string()),
    }
}

/// Tells how it goes.
pub(crate) fn status(args: &StatusArgs) -> Result<(), Failure> {
    let answer = args.harbour.client()?.status().map_err(failure)?;
    args.harbour.print(&answer, show_status)
}

fn show_status(status: &StatusAnswer) {
    say!(
        "{}: {} booked, {} sailing, {} arrived, {} given up; {} handoffs, {} ticks missed at them",
        status.course,
        status.booked,
        status.sailing,
        status.arrived,
        status.given_up,
        status.handoffs,
        status.handoff_ticks_missed,
    );
    for region in &status.regions {
        let counts = region.counts;
        say!(
            "{:<28} vessels {} of {}, load {:.0} %, dilation {:.2}; refused {} joins, dropped {} orders, cancelled {} \
             offers; {} messages out of place, {} wakes late, {} ticks paused",
            region.name,
            region.vessels.len(),
            region.carries.map_or_else(|| "?".to_owned(), |vessels| vessels.to_string()),
            100.0 * region.load,
            region.dilation,
            counts.joins_refused,
            counts.orders_dropped,
            counts.offers_cancelled,
            counts.out_of_place,
            counts.wakes_late,
            counts.ticks_paused,
        );
    }
    for trouble in &status.troubles {
        say!("trouble: {trouble}");
    }
}

/// Lists moored vessels.
pub(crate) fn list(args: &ListArgs) -> Result<(), Failure> {
    let client = args.harbour.client()?;
    let mut all = client.moored(0).map_err(failure)?;
    while let Some(next) = all.next {
        let more = client.moored(next).map_err(failure)?;
        all.moored.extend(more.moored);
        // A list that does not move on would never end.
        all.next = more.next.filter(|more| *more > next);
    }
    args.harbour.print(&all, show)
}

fn show(answer: &MooredAnswer) {
    if answer.moored.is_empty() {
        say!("no vessel is moored");
    }
    for line in &answer.moored {
        let days = Tick(line.tick).seconds() / 86_400.0;
        let anyway = if line.needs_quarantine { "; resume it with --anyway" } else { "" };
        say!(
            "{:>5}  {} ({}), mark {} of {}, {:.0} m E {:.0} m N, day {days:.3} of the course: {}{anyway}",
            line.vessel,
            line.name,
            line.boat,
            line.marks_passed,
            line.marks_total,
            line.place[0],
            line.place[1],
            line.reason,
        );
    }
}

/// Resumes a moored vessel.
pub(crate) fn resume(args: &ResumeArgs) -> Result<(), Failure> {
    let answer = args.harbour.client()?.resume(args.vessel, args.anyway).map_err(failure)?;
    args.harbour.print(&answer, |passage: &PassageAnswer| match &passage.region {
        Some(region) => say!("{} sails on in {} ({})", passage.name, region.name, region.addr),
        None => say!("{} waits for its region; ask again with `fairway moored`", passage.name),
    })
}
