//! What regions run as: the options that several commands share.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fairway::harbour::engine::Engine;
use fairway::harbour::process::{ProcessConfig, ProcessEngine, Program, Tie};
use fairway::harbour::xl::{Network, XlConfig, XlEngine};

use crate::outcome::Failure;

/// Where hosts keep the consoles of their guests.
const CONSOLES: [&str; 2] = ["/var/log/xen/console", "/var/log/xen"];
/// Least memory of a guest, MiB: a kernel and its ramdisk, unpacked.
const MEMORY_MIB_MIN: i64 = 16;
/// Most, MiB.
const MEMORY_MIB_MAX: i64 = 4_096;

/// What region servers run as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Processes of this machine.
    Process,
    /// Guests of this Xen host.
    Xl,
}

/// The options.
#[derive(Clone, Debug, clap::Args)]
#[group(id = "engine-options")]
pub(crate) struct Args {
    /// What region servers run as.
    #[arg(long, value_name = "ENGINE", default_value = "process")]
    engine: Kind,
    /// Another program as region server, such as fairway-region; this one without it.
    #[arg(long, value_name = "PATH")]
    region_server: Option<PathBuf>,
    /// Kernel and ramdisk of guests, as `fairway image build` leaves them.
    #[arg(long, value_name = "DIR", required_if_eq("engine", "xl"), help_heading = "Guests (--engine xl)")]
    image: Option<PathBuf>,
    /// The host's bridge that guests are put on.
    #[arg(long, value_name = "NAME", default_value = "br0", help_heading = "Guests (--engine xl)")]
    bridge: String,
    /// The network that guests get their addresses from; this host has one in it on the bridge, the last.
    #[arg(long, value_name = "ADDR/N", default_value = "10.0.0.0/24", help_heading = "Guests (--engine xl)")]
    network: Network,
    /// The hotplug script of guests' interfaces; the host's own without it.
    #[arg(long, value_name = "NAME", help_heading = "Guests (--engine xl)")]
    vif_script: Option<String>,
    /// Memory that a guest starts with, MiB.
    #[arg(long, value_name = "MIB", default_value_t = 32, value_parser = clap::value_parser!(u32).range(MEMORY_MIB_MIN..=MEMORY_MIB_MAX), help_heading = "Guests (--engine xl)")]
    memory: u32,
    /// Memory that a guest is given at most while more vessels are booked than it carries, MiB; bookings go by it.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(MEMORY_MIB_MIN..=MEMORY_MIB_MAX), help_heading = "Guests (--engine xl)")]
    memory_max: u32,
    /// Processors that a guest gets while one is not enough for it, at most.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=8), help_heading = "Guests (--engine xl)")]
    vcpus: u32,
    /// Guests that are kept booted and wait for a region.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Guests (--engine xl)")]
    pool: u8,
    /// Seconds that a guest may take until it serves.
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3_600), help_heading = "Guests (--engine xl)")]
    patience: u64,
    /// Seconds without a word after which a guest counts as dead, and its vessels' guards take over.
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u64).range(3..=600), help_heading = "Guests (--engine xl)")]
    silence: u64,
    /// Words for the guests' kernel.
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "console=hvc0 loglevel=4 rootfstype=ramfs",
        help_heading = "Guests (--engine xl)"
    )]
    kernel_words: String,
    /// The `xl` program.
    #[arg(long, value_name = "PATH", default_value = "xl", help_heading = "Guests (--engine xl)")]
    xl: PathBuf,
    /// Xenstore's socket; the usual places without it.
    #[arg(long, value_name = "PATH", help_heading = "Guests (--engine xl)")]
    xenstore: Option<PathBuf>,
}

/// Why guests and this harbour belong together.
pub(crate) struct Ownership<'a> {
    /// The course's folder.
    pub(crate) course: &'a Path,
    /// The authority's certificate: another harbour has another one.
    pub(crate) authority: &'a [u8],
    /// Where the harbour keeps its state, if it does.
    pub(crate) state: Option<&'a Path>,
    /// The one UDP port of all regions.
    pub(crate) port: u16,
    /// With whom regions end.
    pub(crate) tie: Tie,
    /// Whether regions are to write logs.
    pub(crate) records: bool,
}

impl Args {
    /// Whether the options go together.
    ///
    /// # Errors
    /// With those that do not.
    pub(crate) fn check(&self, records: bool) -> Result<(), Failure> {
        let refuse = |what: String| Err(Failure::Input(what));
        let of_guests = [
            ("--image", self.image.is_some()),
            ("--vif-script", self.vif_script.is_some()),
            ("--xenstore", self.xenstore.is_some()),
        ];
        match self.engine {
            Kind::Process => match of_guests.iter().find(|(_, given)| *given) {
                Some((option, _)) => {
                    refuse(format!("{option} is for guests: give --engine xl too, or leave {option} out"))
                }
                None => Ok(()),
            },
            Kind::Xl if records => refuse(
                "--record and --engine xl: a guest has no disk to record on; leave one of them out"
                    .to_owned(),
            ),
            Kind::Xl if self.memory > self.memory_max => refuse(format!(
                "--memory {} is more than --memory-max {}: give as much at most",
                self.memory, self.memory_max
            )),
            Kind::Xl => Ok(()),
        }
    }

    /// The engine.
    ///
    /// # Errors
    /// When it cannot be had on this machine, or cannot do what is asked of it.
    pub(crate) fn open(&self, of: &Ownership<'_>) -> Result<Box<dyn Engine>, Failure> {
        self.check(of.records)?;
        match self.engine {
            Kind::Process => {
                let program = region_server(self.region_server.as_ref())?;
                Ok(Box::new(ProcessEngine::new(ProcessConfig { program, port: of.port, tie: of.tie })))
            }
            Kind::Xl => self.open_xl(of),
        }
    }

    fn open_xl(&self, of: &Ownership<'_>) -> Result<Box<dyn Engine>, Failure> {
        let scratch = || std::env::temp_dir().join(format!("fairway-guests-{}", std::process::id()));
        let config = XlConfig {
            program: self.xl.clone(),
            image: self.image.clone().unwrap_or_default(),
            network: self.network.clone(),
            bridge: self.bridge.clone(),
            vif_script: self.vif_script.clone(),
            port: of.port,
            memory_mib: self.memory,
            memory_max_mib: self.memory_max,
            processors_max: self.vcpus,
            kernel_words: self.kernel_words.clone(),
            pool: usize::from(self.pool),
            patience: Duration::from_secs(self.patience),
            silence: Duration::from_secs(self.silence),
            folder: of.state.map_or_else(scratch, |state| state.join("guests")),
            consoles: CONSOLES.map(PathBuf::from).to_vec(),
            xenstore: self.xenstore.clone(),
            outlive: of.tie == Tie::Nobody,
        };
        let engine = XlEngine::new(config, of.authority, of.course.to_owned());
        engine
            .map(|engine| Box::new(engine) as Box<dyn Engine>)
            .map_err(|error| Failure::Input(error.to_string()))
    }

    /// Where this process's own sockets must be to reach regions.
    pub(crate) const fn local(&self) -> IpAddr {
        IpAddr::V4(match self.engine {
            Kind::Process => Ipv4Addr::LOCALHOST,
            Kind::Xl => Ipv4Addr::UNSPECIFIED,
        })
    }

    /// How long regions need to end with the harbour, at most.
    pub(crate) const fn last_breath(&self) -> Duration {
        match self.engine {
            Kind::Process => Duration::from_millis(500),
            Kind::Xl => Duration::from_secs(self.patience),
        }
    }

    /// The same options on the command line of a harbour.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut add = |option: &str, value: Option<String>| {
            if let Some(value) = value {
                arguments.extend([option.to_owned(), value]);
            }
        };
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        add("--region-server", shown(&self.region_server));
        if self.engine == Kind::Xl {
            add("--engine", Some("xl".to_owned()));
            add("--image", shown(&self.image));
            add("--bridge", Some(self.bridge.clone()));
            add("--network", Some(self.network.to_string()));
            add("--vif-script", self.vif_script.clone());
            add("--memory", Some(self.memory.to_string()));
            add("--memory-max", Some(self.memory_max.to_string()));
            add("--vcpus", Some(self.vcpus.to_string()));
            add("--pool", Some(self.pool.to_string()));
            add("--patience", Some(self.patience.to_string()));
            add("--silence", Some(self.silence.to_string()));
            add("--kernel-words", Some(self.kernel_words.clone()));
            add("--xl", Some(self.xl.display().to_string()));
            add("--xenstore", shown(&self.xenstore));
        }
        arguments
    }
}

/// The program that regions are run with.
fn region_server(chosen: Option<&PathBuf>) -> Result<Program, Failure> {
    if let Some(path) = chosen {
        if !path.is_file() {
            return Err(Failure::Input(format!(
                "cannot use --region-server {}: there is no such file",
                path.display()
            )));
        }
        return Ok(Program { path: path.clone(), arguments: Vec::new() });
    }
    let path = std::env::current_exe().map_err(|error| {
        Failure::Broke(format!("cannot find this program's own file: {error}; name one with --region-server"))
    })?;
    Ok(Program { path, arguments: vec!["region".to_owned()] })
}
