//! `fairway image`: what a guest boots from.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use fairway::atlas::Course;
use fairway::clock;
use fairway::image::{self, RegionImage, Sizes, kernel::Kernel};

use crate::EXIT_CODES;
use crate::outcome::{Failure, Format};

/// Where the region server is looked for, from the project's own folder, when it is not named.
const STATIC: &str = "target/x86_64-unknown-linux-gnu/dist/fairway-region";
/// Sizes that are aimed at, MB: the region server, the ramdisk.
const BUDGETS_MB: [f64; 2] = [8.0, 4.0];
/// Port of a region whose command line names none.
const PORT: u16 = 4045;

/// Make what a guest boots from.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the kernel and the ramdisk that all guests share.
    #[command(after_help = EXIT_CODES)]
    Build(Build),
    /// Make the part of the ramdisk that makes a guest one region; appended to the other, both boot.
    #[command(after_help = EXIT_CODES)]
    Region(Region),
}

/// Options of `image build`.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// tuned (built from Debian's source in minutes, once), stock (Debian's own), or an unpacked kernel.
    #[arg(long, value_name = "tuned|stock|FILE", default_value = "tuned")]
    kernel: String,
    /// The static region server; without it the one that README.md's command has built below this folder's target/.
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Folder for vmlinux and initrd.gz.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder in which kernels are kept; ~/.cache/fairway without it. What they are built from lies in $FAIRWAY_LAB,
    /// ~/.cache/fairway-lab without it.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// How to print the sizes.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Options of `image region`.
#[derive(Debug, Args)]
pub(crate) struct Region {
    /// Course folder.
    #[arg(long, value_name = "DIR")]
    course: PathBuf,
    /// Cell of the course; without it the guest waits for its host to name one.
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    cell: Option<String>,
    /// The guest's address, such as 10.0.0.1/24; from the kernel's command line without it.
    #[arg(long, value_name = "ADDR/N")]
    ip: Option<String>,
    /// The region's UDP port.
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,
    /// File for the archive.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How to print its size.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
}

/// Runs the command.
///
/// # Errors
/// [`Failure::Input`] for what cannot be used, [`Failure::Broke`] for a kernel that could not be had.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Build(build) => make(&build),
        Command::Region(region) => pack(&region),
    }
}

fn input(error: impl ToString) -> Failure {
    Failure::Input(error.to_string())
}

fn make(build: &Build) -> Result<(), Failure> {
    let init = build.init.clone().unwrap_or_else(|| PathBuf::from(STATIC));
    // Before a kernel is built for minutes.
    image::prepare(&init, &build.out).map_err(input)?;
    let cache = build.cache.clone().or_else(|| Some(std::env::home_dir()?.join(".cache/fairway")));
    let cache =
        cache.ok_or_else(|| input("no home folder to keep kernels in: name a folder with --cache"))?;
    std::fs::create_dir_all(&cache).map_err(|error| {
        input(format!("cannot make {}: {error}; name another folder with --cache", cache.display()))
    })?;
    let kernel: Kernel = build.kernel.parse().unwrap_or_else(|never| match never {});
    let (kernel, modules) = kernel.get(&cache).map_err(|error| Failure::Broke(error.to_string()))?;
    let sizes = image::build(&kernel, &modules, &init, &build.out).map_err(input)?;
    match build.output {
        Format::Json => say!("{}", serde_json::json!(sizes)),
        Format::Text => print(&build.out, sizes),
    }
    Ok(())
}

fn print(out: &Path, sizes: Sizes) {
    #[expect(clippy::cast_precision_loss, reason = "megabytes, for people")]
    let mb = |bytes: u64| bytes as f64 * 1e-6;
    let [init_mb, ramdisk_mb] = BUDGETS_MB;
    let out = out.display();
    say!("{out}/vmlinux    {:6.2} MB", mb(sizes.kernel));
    say!("{out}/initrd.gz  {:6.2} MB, budget {ramdisk_mb:.0} MB", mb(sizes.ramdisk));
    say!("in it /init, the region server, {:.2} MB, budget {init_mb:.0} MB", mb(sizes.init));
}

fn pack(region: &Region) -> Result<(), Failure> {
    Course::load(&region.course).map_err(input)?;
    let began = clock::now();
    let arguments = region.cell.as_ref().map(|cell| {
        vec![
            format!("--course={}", RegionImage::place_of(&region.course)),
            format!("--cell={cell}"),
            format!("--listen={}", SocketAddr::from((Ipv4Addr::UNSPECIFIED, region.port))),
        ]
    });
    if let Some(arguments) = &arguments {
        fairway::config::parse(arguments.iter().map(std::ffi::OsString::from)).map_err(input)?;
    }
    let words = region.ip.as_ref().map_or_else(String::new, |ip| format!("fairway.ip={ip}"));
    fairway::init::check(&words).map_err(input)?;
    let part = RegionImage { course: &region.course, arguments: arguments.as_deref(), words: &words };
    let bytes = part.pack().map_err(input)?;
    std::fs::write(&region.out, &bytes).map_err(|error| {
        input(format!("cannot write {}: {error}; name another file with --out", region.out.display()))
    })?;
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    match region.output {
        Format::Json => say!("{}", serde_json::json!({ "region": bytes.len(), "made_ms": took_ms })),
        Format::Text => say!("{}  {} bytes, made in {took_ms:.1} ms", region.out.display(), bytes.len()),
    }
    Ok(())
}
