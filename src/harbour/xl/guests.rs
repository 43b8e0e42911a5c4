//! What is done with guests, each on a thread of its own, and the one that looks at all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crossbeam::channel::Sender;

use super::super::engine::{EngineError, EngineEvent, ReadyInfo};
use super::super::process::read_ready;
use super::XlConfig;
use super::domain::{Domain, Life, Uuid};
use crate::clock;
use crate::image::{Image, RegionImage};
use crate::xenstore::{Xenstore, XenstoreError};

/// Pause between two looks at the guests, and at one that is awaited.
const LOOK: Duration = Duration::from_millis(400);
const LOOK_AT_ONE: Duration = Duration::from_millis(150);
/// The last thing that a guest says.
const STOPPED: &str = "stopped";
/// Bytes of what `xl` says that are kept.
const SAID_BYTES: u64 = 4_096;
/// Bytes at the end of a console that are looked at, and lines of it that are told.
const CONSOLE_BYTES: u64 = 4_096;
const CONSOLE_LINES: usize = 12;

/// All guests of one engine.
#[derive(Debug)]
pub(super) struct Guests {
    pub(super) config: XlConfig,
    image: Image,
    events: Sender<EngineEvent>,
    /// Those that Xen has created.
    known: Mutex<BTreeMap<Uuid, Known>>,
}

#[derive(Debug)]
struct Known {
    domain: Arc<Domain>,
    /// What it last said that it was doing.
    state: String,
    /// Why it cannot go on, by its own word.
    error: Option<String>,
}

/// A guest that is to be created.
pub(super) struct Start {
    pub(super) domain: Arc<Domain>,
    pub(super) course: PathBuf,
    /// Its region server's; without them it waits for some.
    pub(super) arguments: Option<Vec<String>>,
}

impl Guests {
    /// Looks whether this host can run guests, and starts to look after them.
    pub(super) fn open(
        config: XlConfig,
        image: Image,
        events: Sender<EngineEvent>,
    ) -> Result<Arc<Self>, EngineError> {
        let refuse = |what: String| EngineError(what);
        std::fs::create_dir_all(&config.folder)
            .map_err(|error| refuse(format!("cannot make {}: {error}", config.folder.display())))?;
        let guests = Arc::new(Self { config, image, events, known: Mutex::default() });
        guests.connect().map_err(|error| {
            refuse(format!(
                "this host does not run Xen, or its xenstore is down: {error}; name another socket with --xenstore, \
                 or leave --engine xl out: regions are processes then"
            ))
        })?;
        guests
            .xl(&["list"])
            .map_err(|said| refuse(format!("cannot use {}: {said}", guests.config.program.display())))?;
        let weak = Arc::downgrade(&guests);
        let named = std::thread::Builder::new().name("guests".to_owned());
        named
            .spawn(move || look_after(&weak))
            .map_err(|error| refuse(format!("cannot start a thread: {error}")))?;
        Ok(guests)
    }

    fn connect(&self) -> Result<Xenstore, XenstoreError> {
        self.config.xenstore.as_deref().map_or_else(Xenstore::connect, Xenstore::open)
    }

    fn with_known<T>(&self, what: impl FnOnce(&mut BTreeMap<Uuid, Known>) -> T) -> T {
        what(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates a guest and waits until it serves, or waits for a region.
    pub(super) fn start(self: &Arc<Self>, start: Start) {
        let guests = Arc::clone(self);
        self.aside(Arc::clone(&start.domain), move || {
            let Start { domain, course, arguments } = start;
            guests.create(&domain, &course, arguments.as_deref())?;
            guests.mind(Arc::clone(&domain));
            if domain.was_killed() {
                guests.destroy_now(&domain);
                return Ok(());
            }
            guests.await_ready(&domain)
        });
    }

    /// Makes a guest that waits a region.
    pub(super) fn assign(self: &Arc<Self>, domain: Arc<Domain>, arguments: &[String]) {
        let (guests, text) = (Arc::clone(self), arguments.join("\n"));
        self.aside(Arc::clone(&domain), move || {
            let tried = guests.connect().and_then(|mut store| {
                let number = domid(&mut store, domain.uuid)?.unwrap_or_default();
                store.write(&entry(&number, "arguments"), &text)
            });
            tried.map_err(|error| format!("cannot be told what to be: {error}"))?;
            guests.await_ready(&domain)
        });
    }

    /// Runs something for a guest on a thread; when it fails, so has the guest.
    fn aside(
        self: &Arc<Self>,
        domain: Arc<Domain>,
        what: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) {
        let guests = Arc::clone(self);
        let failed = Arc::clone(&domain);
        let run = move || {
            if let Err(how) = what() {
                guests.fails(&domain, how);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("guest".to_owned()).spawn(run) {
            self.fails(&failed, format!("no thread for it: {error}"));
        }
    }

    /// A guest that came to nothing: told of, and not left behind.
    fn fails(&self, domain: &Domain, how: String) {
        // Before it is gone, or that is all that would be told of it.
        self.with_known(|known| known.remove(&domain.uuid));
        let console = self.console(domain);
        self.destroy_now(domain);
        self.tell_end(domain, how, false, console);
    }

    fn tell_end(&self, domain: &Domain, how: String, clean: bool, console: Vec<String>) {
        if domain.goes()
            && let Some(region) = domain.region()
        {
            // Full only when the harbour has stopped polling.
            let _ = self.events.try_send(EngineEvent::Ended { region, how, clean, console });
        }
    }

    /// Looks after a guest that runs.
    pub(super) fn mind(&self, domain: Arc<Domain>) {
        self.with_known(|known| {
            known.insert(domain.uuid, Known { domain, state: String::new(), error: None });
        });
    }

    /// The number of a guest today, if it runs and xenstore tells.
    fn number(&self, domain: &Domain) -> Option<String> {
        let mut store = self.connect().ok()?;
        domid(&mut store, domain.uuid).ok().flatten()
    }

    /// Whether a guest runs.
    pub(super) fn runs(&self, domain: &Domain) -> bool {
        self.number(domain).is_some()
    }

    /// Gives a guest so many processors.
    pub(super) fn set_processors(self: &Arc<Self>, domain: Arc<Domain>, processors: u32) {
        self.give(domain, format!("{processors} processors"), vec![("vcpu-set", processors.to_string())]);
    }

    /// Gives a guest so much memory: first what it may have, which is refused where it has more than that, then what it
    /// should.
    pub(super) fn set_memory(self: &Arc<Self>, domain: Arc<Domain>, mib: u32) {
        let steps = ["mem-max", "mem-set"].map(|verb| (verb, format!("{mib}m")));
        self.give(domain, format!("{mib} MiB of memory"), steps.to_vec());
    }

    /// Has `xl` give a guest something, the last step of which counts; what it refuses is told.
    fn give(self: &Arc<Self>, domain: Arc<Domain>, what: String, steps: Vec<(&'static str, String)>) {
        let guests = Arc::clone(self);
        self.aside(Arc::clone(&domain), move || {
            // It may have ended meanwhile.
            let Some(number) = guests.number(&domain) else { return Ok(()) };
            let steps: Vec<_> = steps.iter().map(|(verb, much)| guests.xl(&[verb, &number, much])).collect();
            let failed = steps.last().is_some_and(Result::is_err);
            let why = steps.into_iter().find_map(Result::err).filter(|_| failed);
            if let (Some(why), Some(region)) = (why, domain.region()) {
                let what = format!("it cannot have {what}: {why}");
                let _ = guests.events.try_send(EngineEvent::Refused { region, what });
            }
            Ok(())
        });
    }

    /// Ends a guest at once.
    pub(super) fn destroy(self: &Arc<Self>, domain: Arc<Domain>) {
        if domain.is_to_end() && !domain.is_gone() {
            let guests = Arc::clone(self);
            self.aside(Arc::clone(&domain), move || {
                guests.destroy_now(&domain);
                Ok(())
            });
        }
    }

    /// Ends a guest, if it runs, by its number: a name could be another's by now.
    pub(super) fn destroy_now(&self, domain: &Domain) {
        if let Some(number) = self.number(domain) {
            // It may have ended by itself meanwhile.
            let _ = self.xl(&["destroy", &number]);
        }
    }

    /// Ends every domain that is ours and unknown: left by a harbour that was killed.
    pub(super) fn end_strays(&self, own: [u8; 8], known: &[Uuid]) {
        let Ok(mut store) = self.connect() else { return };
        let mut domains = BTreeMap::new();
        if find_domains(&mut store, &mut domains).is_err() {
            return;
        }
        for (number, uuid) in domains {
            if uuid.is_of(own) && !known.contains(&uuid) {
                let _ = self.xl(&["destroy", &number]);
            }
        }
    }

    /// Writes what Xen needs and has the guest created.
    fn create(&self, domain: &Domain, course: &Path, arguments: Option<&[String]>) -> Result<(), String> {
        let prefix = self.config.network.prefix();
        let words = format!("fairway.ip={}/{prefix}", domain.ip);
        let region = RegionImage { course, arguments, words: &words };
        let ramdisk = self.config.folder.join(format!("{}.initrd", domain.name));
        let settings = self.config.folder.join(format!("{}.cfg", domain.name));
        let written = self.image.with_region(&region).map_err(|error| error.to_string()).and_then(|bytes| {
            let write = |path: &Path, bytes: &[u8]| {
                std::fs::write(path, bytes)
                    .map_err(|error| format!("cannot write {}: {error}", path.display()))
            };
            write(&ramdisk, &bytes)?;
            write(&settings, self.settings(domain, &ramdisk).as_bytes())
        });
        let made =
            written.and_then(|()| self.xl(&["create", "-q", &settings.display().to_string()]).map(drop));
        for path in [&ramdisk, &settings] {
            // Xen has read them; what cannot be removed is overwritten by the next guest of the name.
            let _ = std::fs::remove_file(path);
        }
        made.map_err(|said| format!("could not be created: {said}"))
    }

    /// The guest's configuration, as xl.cfg(5) has it.
    fn settings(&self, domain: &Domain, ramdisk: &Path) -> String {
        let XlConfig { bridge, vif_script, memory_mib, processors_max, kernel_words, .. } = &self.config;
        let script = vif_script.as_ref().map_or_else(String::new, |script| format!(",script={script}"));
        format!(
            "name = \"{}\"\nuuid = \"{}\"\ntype = \"pv\"\nkernel = \"{}\"\nramdisk = \"{}\"\nextra = \"{kernel_words}\"\n\
             memory = {memory_mib}\nmaxmem = {memory_mib}\nvcpus = 1\nmaxvcpus = {processors_max}\nvif = [ \"bridge={bridge}{script}\" ]\n\
             on_poweroff = \"destroy\"\non_reboot = \"destroy\"\non_crash = \"destroy\"\n",
            domain.name,
            domain.uuid,
            self.image.kernel().display(),
            ramdisk.display(),
        )
    }

    /// Waits until a guest says that it serves, or that it waits for a region.
    fn await_ready(&self, domain: &Arc<Domain>) -> Result<(), String> {
        let late = clock::now() + self.config.patience;
        let mut store = self.connect().map_err(|error| error.to_string())?;
        let mut number = None;
        loop {
            if domain.is_gone() || domain.was_killed() {
                return Ok(());
            }
            if number.is_none() {
                number = domid(&mut store, domain.uuid).map_err(|error| error.to_string())?;
            }
            let said = number.as_deref().map(|number| said(&mut store, number)).transpose();
            let fresh = said.map_err(|error| error.to_string())?.flatten();
            match (fresh, domain.region()) {
                (Some(Said::Ready(info)), Some(region)) => {
                    domain.enters(Life::Serves);
                    let _ = self.events.try_send(EngineEvent::Ready { region, info });
                    return Ok(());
                }
                (Some(Said::Standby), None) => {
                    domain.enters(Life::Waits);
                    return Ok(());
                }
                (Some(Said::Error(why)), _) => return Err(format!("says: {why}")),
                _ => {}
            }
            if clock::now() > late {
                return Err(format!("was not ready within {} s", self.config.patience.as_secs()));
            }
            std::thread::sleep(LOOK_AT_ONE);
        }
    }

    /// Runs `xl`; what it said when it failed, or did not end in time.
    fn xl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.config.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("it cannot be run: {error}; name it with --xl"))?;
        let reader = child.stderr.take().map(|stderr| {
            std::thread::spawn(move || {
                let (mut said, mut rest) = (Vec::new(), stderr);
                let _ = rest.by_ref().take(SAID_BYTES).read_to_end(&mut said);
                let _ = std::io::copy(&mut rest, &mut std::io::sink());
                String::from_utf8_lossy(&said).trim().replace('\n', " | ")
            })
        });
        let status = wait(&mut child, clock::now() + self.config.patience);
        let said = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        match status {
            Some(status) if status.success() => Ok(said),
            Some(status) => Err(format!("xl {} ended with {status}: {said}", arguments[0])),
            None => {
                Err(format!("xl {} did not end within {} s", arguments[0], self.config.patience.as_secs()))
            }
        }
    }

    /// The last lines of a guest's console, where the host keeps them.
    fn console(&self, domain: &Domain) -> Vec<String> {
        let name = format!("guest-{}.log", domain.name);
        let text = self.config.consoles.iter().find_map(|folder| tail(&folder.join(&name)));
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines.iter().skip(lines.len().saturating_sub(CONSOLE_LINES)).map(|line| (*line).to_owned()).collect()
    }

    /// One look at all guests that were created; `numbers` are those of domains that were seen before.
    fn look(
        self: &Arc<Self>,
        store: &mut Xenstore,
        numbers: &mut BTreeMap<String, Uuid>,
    ) -> Result<(), XenstoreError> {
        find_domains(store, numbers)?;
        let alive: BTreeMap<Uuid, &String> = numbers.iter().map(|(number, &uuid)| (uuid, number)).collect();
        let minded: BTreeSet<Uuid> = self.with_known(|known| known.keys().copied().collect());
        for uuid in minded {
            let Some(number) = alive.get(&uuid) else {
                self.ended(uuid);
                continue;
            };
            let mut value = |key: &str| store.read(&entry(number, key));
            let (state, error) = (value("state")?, value("error")?);
            let stopped = state.as_deref() == Some(STOPPED);
            let domain = self.with_known(|known| {
                let entry = known.get_mut(&uuid)?;
                // What it said last counts, not that it is being cleared away.
                entry.state = state.unwrap_or_else(|| std::mem::take(&mut entry.state));
                entry.error = error.or_else(|| entry.error.take());
                Some(Arc::clone(&entry.domain))
            });
            // It has nothing left to do, and the host takes its time to clear it away.
            if let Some(domain) = domain.filter(|domain| stopped && domain.is_to_end()) {
                let guests = Arc::clone(self);
                self.aside(Arc::clone(&domain), move || {
                    guests.destroy_now(&domain);
                    guests.ended(uuid);
                    Ok(())
                });
            }
        }
        Ok(())
    }

    /// A guest is no more: told of, with what it said last.
    fn ended(&self, uuid: Uuid) {
        let Some(gone) = self.with_known(|known| known.remove(&uuid)) else { return };
        let ended_well = ["draining", STOPPED].contains(&gone.state.as_str()) && gone.error.is_none();
        let how =
            gone.error.unwrap_or_else(|| format!("its guest is gone; it was {}", state_of(&gone.state)));
        let console = self.console(&gone.domain);
        self.tell_end(&gone.domain, how, ended_well, console);
    }
}

/// What a guest says of itself.
enum Said {
    Standby,
    Ready(ReadyInfo),
    Error(String),
}

/// Where a guest of a number and its host tell each other something.
fn entry(number: &str, key: &str) -> String {
    format!("/local/domain/{number}/data/fairway/{key}")
}

/// What the guest of a number says of itself.
fn said(store: &mut Xenstore, number: &str) -> Result<Option<Said>, XenstoreError> {
    let mut value = |key: &str| store.read(&entry(number, key));
    if let Some(why) = value("error")? {
        return Ok(Some(Said::Error(why)));
    }
    Ok(match value("state")?.as_deref() {
        Some("standby") => Some(Said::Standby),
        Some("ready") => match value("ready")?.map(|line| read_ready(line.as_bytes())) {
            Some(Ok(info)) => Some(Said::Ready(info)),
            Some(Err(why)) => Some(Said::Error(why)),
            None => None,
        },
        _ => None,
    })
}

fn state_of(state: &str) -> &str {
    if state.is_empty() { "booting" } else { state }
}

/// Looks at all guests now and then, until nobody needs them any more.
fn look_after(guests: &Weak<Guests>) {
    let mut store = None;
    let mut numbers = BTreeMap::new();
    while let Some(guests) = guests.upgrade() {
        store = store.or_else(|| guests.connect().ok());
        // A xenstore that went away may come back; guests are not gone because it is.
        if store.as_mut().is_none_or(|store| guests.look(store, &mut numbers).is_err()) {
            store = None;
        }
        drop(guests);
        std::thread::sleep(LOOK);
    }
}

/// Brings what is known of the domains that are there, by number, up to date.
fn find_domains(store: &mut Xenstore, known: &mut BTreeMap<String, Uuid>) -> Result<(), XenstoreError> {
    let numbers = store.list("/local/domain")?;
    known.retain(|number, _| numbers.contains(number));
    for number in numbers {
        if known.contains_key(&number) {
            continue;
        }
        let vm = store.read(&format!("/local/domain/{number}/vm"))?;
        if let Some(uuid) = vm.as_deref().and_then(|vm| vm.strip_prefix("/vm/")).and_then(Uuid::read) {
            known.insert(number, uuid);
        }
    }
    Ok(())
}

/// The number of a domain today.
fn domid(store: &mut Xenstore, uuid: Uuid) -> Result<Option<String>, XenstoreError> {
    let mut domains = BTreeMap::new();
    find_domains(store, &mut domains)?;
    Ok(domains.into_iter().find(|(_, other)| *other == uuid).map(|(number, _)| number))
}

fn wait(child: &mut std::process::Child, late: Instant) -> Option<std::process::ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().ok().flatten() {
            return Some(status);
        }
        if clock::now() > late {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The end of a file.
fn tail(path: &Path) -> Option<String> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(CONSOLE_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.take(CONSOLE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
