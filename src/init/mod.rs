//! PID 1 of a guest: everything that a kernel leaves to the first program, and nothing else.
//!
//! ```text
//! kernel ─▶ begin: mounts, modules, address, xenstore ─▶ arguments (or stand by for them) ─▶ region server ─▶ power off
//!                       └─ keeper: reaps, brings processors and memory on line, tells xenstore how the region fares
//! ```
//!
//! What the guest is to be comes in words, `fairway.ip=10.0.0.1/24`, from the kernel's command line and from the file
//! `/region/words` of its ramdisk, which counts more; and in a region server's arguments, one a line, in
//! `/region/arguments`. A guest without arguments stands by: the host writes them to `data/fairway/arguments`.
//! Nothing of it is secret.

mod address;
mod hotplug;
mod keeper;
mod words;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, Signal, getpid, kill_process};
use rustix::system::{RebootCommand, reboot};

use crate::clock;
use crate::xenstore::Xenstore;

use keeper::Keeper;
pub use keeper::{Board, Phase};
use words::Words;

/// Our own place in the ramdisk: what the kernel runs first, and again when the host asks for the guest's end.
const INIT: &str = "/init";
/// What the second one is called with.
const POWER_OFF: &str = "poweroff";
/// The folder of the ramdisk that is made for each start.
const REGION: &str = "/region";
/// Modules of kernels that have them, in order of their names.
const MODULES: &str = "/modules";
/// Where a host writes the arguments of a guest that stands by.
pub const ARGUMENTS_KEY: &str = "data/fairway/arguments";
/// How PID 1 is asked to end: the power is failing.
pub const SIGPWR: i32 = Signal::POWER.as_raw();
/// Pause between two looks at a host that has not said anything yet.
const STANDBY_PAUSE: Duration = Duration::from_millis(100);

/// Why a guest cannot become a region.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// Something of its surroundings.
    #[error("cannot {what}: {error}")]
    Surroundings {
        /// What was tried.
        what: String,
        /// What came of it.
        error: io::Error,
    },
    /// A word that cannot be read.
    #[error("{0}")]
    Word(String),
}

fn failed<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> InitError {
    move |error| InitError::Surroundings { what: what.into(), error: error.into() }
}

/// Whether a guest would understand words.
///
/// # Errors
/// With the word that it would not, and how to write it.
pub fn check(words: &str) -> Result<(), InitError> {
    Words::default().take_all(words)
}

/// Whether this process is the first of a system, and was started as such.
#[must_use]
pub fn is_first(program: Option<&OsStr>) -> bool {
    getpid() == Pid::INIT && program.is_some_and(|program| program == INIT)
}

/// What to do when this process is the kernel's helper, run as `/init poweroff`: asks PID 1 to end.
#[must_use]
pub fn help_to_end(program: Option<&OsStr>, first: Option<&OsStr>) -> Option<ExitCode> {
    if program.is_none_or(|program| program != INIT) || first.is_none_or(|word| word != POWER_OFF) {
        return None;
    }
    Some(kill_process(Pid::INIT, Signal::POWER).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

/// A guest that is up.
#[derive(Debug)]
pub struct Guest {
    /// Where the region server says how it fares.
    pub board: Arc<Board>,
    /// The boot clock at our first line, milliseconds.
    pub began_ms: f64,
    /// The address of its interface.
    pub address: Option<Ipv4Addr>,
    /// Set when the guest was asked to end.
    pub stop: Arc<AtomicBool>,
    store: Option<Xenstore>,
}

impl Guest {
    /// Makes a system of what the kernel left: mounts, modules, an address, and a keeper that sees to the rest.
    ///
    /// # Errors
    /// Where a region could not be sailed without what is missing.
    pub fn begin() -> Result<Self, InitError> {
        let began_ms = boot_ms();
        mount_all()?;
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [SIGPWR, signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(failed("watch for signals"))?;
        }
        // Not in every container that tries this out.
        let _ = reboot(RebootCommand::CadOff);
        if let Err(error) = fs::write("/proc/sys/kernel/poweroff_cmd", format!("{INIT} {POWER_OFF}")) {
            say(&format!("cannot have the kernel tell us of a shutdown: {error}"));
        }
        let mut store = Xenstore::connect().ok();
        if store.is_none() {
            say("no xenstore: this is no guest of Xen; nobody is told how the region fares");
        }
        let address = reach_out(store.as_mut()).inspect_err(|error| {
            if let Some(store) = &mut store {
                // The console has it as well.
                let _ = store.write("data/fairway/error", &error.to_string());
            }
        })?;
        let board = Arc::new(Board::default());
        Keeper::start(Arc::clone(&board), store.is_some()).map_err(failed("start the keeper"))?;
        Ok(Self { board, began_ms, address, stop, store })
    }

    /// The arguments of the region server that this guest is to be: from its ramdisk, or, where there are none, from
    /// its host, waited for. None when the host wants its end first.
    ///
    /// # Errors
    /// When there are none, and no host to wait for.
    pub fn arguments(&mut self) -> Result<Option<Vec<OsString>>, InitError> {
        let file = Path::new(REGION).join("arguments");
        match fs::read_to_string(&file) {
            Ok(text) => return Ok(Some(lines(&text))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(format!("read {}", file.display()))(error)),
        }
        let Some(store) = &mut self.store else {
            return Err(InitError::Word(format!(
                "no arguments in {}, and no xenstore to wait for them: append what 'fairway image region' makes to the ramdisk",
                file.display()
            )));
        };
        let broke =
            |error: crate::xenstore::XenstoreError| failed("wait for arguments")(io::Error::other(error));
        store.watch(ARGUMENTS_KEY).map_err(broke)?;
        self.board.enter(Phase::Standby);
        say(&format!("standing by for {ARGUMENTS_KEY}"));
        while !self.stop.load(Ordering::Relaxed) {
            store.changed(STANDBY_PAUSE).map_err(broke)?;
            if let Some(text) = store.read(ARGUMENTS_KEY).map_err(broke)?.filter(|text| !text.is_empty()) {
                return Ok(Some(lines(&text)));
            }
        }
        Ok(None)
    }

    /// Says on the console and to the host why no region is sailed here.
    pub fn failed(&self, why: &str) {
        say(why);
        self.board.failed(why.to_owned());
    }

    /// Ends the guest.
    pub fn power_off(self) -> ! {
        self.board.enter(Phase::Stopped);
        // The keeper tells the host within its pause.
        std::thread::sleep(keeper::PAUSE * 2);
        end()
    }
}

/// Ends a guest that never came up.
pub fn give_up(why: &str) -> ! {
    say(why);
    end()
}

fn end() -> ! {
    rustix::fs::sync();
    let refused = reboot(RebootCommand::PowerOff);
    say(&format!("cannot power off ({refused:?}); ending PID 1 instead"));
    std::process::exit(0);
}

/// The boot clock, milliseconds.
#[must_use]
pub fn boot_ms() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "hours of milliseconds, for people")]
    let ms = clock::boot_ns() as f64 * 1e-6;
    ms
}

/// Total and available memory, KiB, as the kernel counts it.
#[must_use]
pub fn memory_kib() -> [u64; 2] {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    [field("MemTotal:").unwrap_or(0), field("MemAvailable:").unwrap_or(0)]
}

/// Memory that nobody uses, KiB. Opens no file.
#[must_use]
pub fn free_kib() -> u64 {
    let info = rustix::system::sysinfo();
    info.freeram.saturating_mul(u64::from(info.mem_unit)) / 1_024
}

/// A line on the console. When nobody can read it, nothing can be done about it.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "fairway-region: {line}");
}

fn lines(text: &str) -> Vec<OsString> {
    text.lines().filter(|line| !line.is_empty()).map(OsString::from).collect()
}

/// The kernel's own file systems, where they are not there already.
fn mount_all() -> Result<(), InitError> {
    for (kind, place, mark) in
        [("proc", "/proc", "/proc/self"), ("sysfs", "/sys", "/sys/class"), ("devtmpfs", "/dev", "/dev/full")]
    {
        // Kernels mount /dev by themselves if they are told to; containers come with all of them.
        if Path::new(mark).exists() {
            continue;
        }
        let tried = fs::create_dir_all(place).and_then(|()| {
            let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
            mount(kind, place, kind, flags, None).map_err(io::Error::from)
        });
        tried.map_err(failed(format!("mount {kind} at {place}")))?;
    }
    // Old kernels have xenstore here instead of in /dev.
    if Path::new("/proc/xen").is_dir() {
        let _ = mount("xenfs", "/proc/xen", "xenfs", MountFlags::empty(), None);
    }
    Ok(())
}

/// Loads what the network needs, and gives the interface the address that we were told.
fn reach_out(store: Option<&mut Xenstore>) -> Result<Option<Ipv4Addr>, InitError> {
    load_modules(Path::new(MODULES))?;
    let mut words = Words::read(Path::new("/proc/cmdline"), &Path::new(REGION).join("words"))?;
    if words.address.is_none()
        && let Some(store) = store
        && let Ok(Some(text)) = store.read("data/fairway/ip")
    {
        words.take("ip", &text)?;
    }
    address::lift("lo").map_err(failed("bring up lo"))?;
    match words.address {
        Some(address) => address::give("eth0", address, words.gateway)
            .map_err(failed(format!("give eth0 the address {address}")))?,
        None => say("no address: name one with fairway.ip=10.0.0.1/24 on the kernel's command line"),
    }
    Ok(words.address.map(|address| address.ip))
}

/// Loads every module of a folder, in order of their names; a kernel that needs none has no folder.
fn load_modules(folder: &Path) -> Result<(), InitError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files {
        let what = format!("load {}", file.display());
        let module = fs::File::open(&file).map_err(failed(what.clone()))?;
        match rustix::system::finit_module(module, c"", 0) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(failed(what)(error)),
        }
    }
    Ok(())
}
