//! One dom0 in QEMU, shared by every test of this target.
//!
//! QEMU emulates the processor, so that no virtualisation is needed of the machine. dom0 answers on a port
//! of its own (`dom0/agent`), which nothing else writes to: what a script printed arrives unmixed with consoles.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::stage;

/// A busy machine takes 60 s, a quiet one 15.
const BOOT_PATIENCE: Duration = Duration::from_secs(400);
/// The agent ends a script by itself after its seconds and five more; this is for the agent.
const AGENT_PATIENCE: Duration = Duration::from_secs(60);
const SWEEP_PATIENCE: Duration = Duration::from_secs(60);
/// Of dom0's 3 GiB the guests have two.
const MACHINE_MIB: &str = "3072";
/// The oldest processor that we are built for, with the random instruction that every machine of the last ten
/// years has: without it a guest's first key waits for clock ticks.
const PROCESSOR: &str = "qemu64,+rdtscp,+fsgsbase,+rdrand";
/// Emulation has no side channels worth their workarounds.
const XEN_ARGS: &str = "console=com1 com1=115200,8n1 loglvl=warning guest_loglvl=warning noreboot=1 \
    dom0_mem=1024M,max:1024M dom0_max_vcpus=2 sched=credit2 spec-ctrl=no xpti=0 pv-l1tf=0 watchdog=0";
const DOM0_ARGS: &str = "console=hvc0 loglevel=4 mitigations=off root=/dev/vda";

/// The booted dom0, or why there is none: booted by the first test that asks, and not twice.
static LAB: Mutex<Option<Result<Lab, String>>> = Mutex::new(None);

/// Where the lab's parts lie: `FAIRWAY_LAB`, otherwise `~/.cache/fairway-lab`.
pub(crate) fn folder() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/fairway-lab");
    std::env::var_os("FAIRWAY_LAB").map_or_else(home, PathBuf::from)
}

/// What a script did in dom0.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) text: String,
}

/// Whether it has been set up on this machine.
pub(crate) fn is_there() -> bool {
    folder().join("dom0/disk.inputs").exists()
}

/// What a test that failed has left in dom0, which would slow every other and be counted by them.
const SWEEP: &str = "for pid in $(cat /tmp/*.pid 2>/dev/null); do kill -9 $pid; done 2>/dev/null\n\
    for name in $(xl list | awk 'NR > 1 && $1 != \"Domain-0\" { print $1 }'); do xl destroy $name; done\n\
    [ $(xl list | wc -l) = 2 ]";

/// Lends dom0 to one test at a time, with no guests of one that failed.
pub(crate) fn with_lab<T>(claim: impl FnOnce(&mut Lab) -> T) -> T {
    let mut held = LAB.lock().unwrap_or_else(|failed| {
        let mut held = failed.into_inner();
        if let Some(Ok(lab)) = held.as_mut() {
            lab.until(SWEEP_PATIENCE, SWEEP);
        }
        LAB.clear_poison();
        held
    });
    match held.get_or_insert_with(Lab::boot) {
        Ok(lab) => claim(lab),
        Err(why) => panic!("no dom0: {why}"),
    }
}

pub(crate) struct Lab {
    port: BufReader<UnixStream>,
    console: PathBuf,
}

impl Lab {
    fn boot() -> Result<Self, String> {
        let dom0 = folder().join("dom0");
        if !is_there() {
            return Err(format!("{} is not there: run tests/xen/setup.sh", dom0.display()));
        }
        let run = run_folder()?;
        let disk = stage::make(&run)?;
        let began = Instant::now();
        let (socket, console) = (run.join("port"), run.join("console.log"));
        keep(qemu(&dom0, &disk, &socket, &console), &run);

        let fail = |why: &str| Err(format!("{why}; {}:\n{}", console.display(), tail(&console)));
        let stream = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(why) if began.elapsed() > Duration::from_secs(20) => {
                    return fail(&format!("QEMU gave no port: {why}: {}", tail(&run.join("qemu.log"))));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        };
        stream.set_read_timeout(Some(BOOT_PATIENCE)).unwrap();
        let mut lab = Self { port: BufReader::new(stream), console: console.clone() };
        match lab.line() {
            Ok(line) if line.starts_with("ready") => {
                println!("dom0 answers {:.1} s after QEMU's start", began.elapsed().as_secs_f64());
                Ok(lab)
            }
            Ok(line) => fail(&format!("dom0 said {line:?}")),
            Err(why) => fail(&why),
        }
    }

    /// Runs a shell script in dom0, at most so long, and returns what it said whatever its status.
    pub(crate) fn ask(&mut self, patience: Duration, script: &str) -> Answer {
        let hex: String = script.bytes().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("{} {hex}\n", patience.as_secs().max(1));
        self.port.get_mut().write_all(line.as_bytes()).unwrap();
        self.port.get_ref().set_read_timeout(Some(patience + AGENT_PATIENCE)).unwrap();
        let head = self.line().unwrap_or_else(|why| panic!("{why}\n{script}\n{}", tail(&self.console)));
        let (status, bytes) = head.trim().split_once(' ').unwrap();
        let mut text = vec![0; bytes.parse().unwrap()];
        self.port.read_exact(&mut text).unwrap();
        Answer { status: status.parse().unwrap(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    /// The same, for what must succeed.
    pub(crate) fn run(&mut self, patience: Duration, script: &str) -> String {
        let answer = self.ask(patience, script);
        assert_eq!(answer.status, 0, "{script}\nsaid {}\n{}", answer.text, tail(&self.console));
        answer.text
    }

    /// Asks again and again until a script succeeds.
    ///
    /// # Panics
    /// When it has not within `patience`, with what it said last.
    pub(crate) fn until(&mut self, patience: Duration, script: &str) -> String {
        let began = Instant::now();
        loop {
            let answer = self.ask(patience, script);
            if answer.status == 0 {
                return answer.text;
            }
            assert!(began.elapsed() < patience, "not within {patience:?}: {script}\nsaid {}", answer.text);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.port.read_line(&mut line) {
            Ok(0) => Err("QEMU has ended".to_owned()),
            Ok(_) => Ok(line),
            Err(why) => Err(format!("dom0 does not answer: {why}")),
        }
    }
}

/// Boots a staged kernel and ramdisk without a hypervisor, as QEMU does by PVH's entry, until its console has said
/// something; all that it said.
pub(crate) fn boot_directly(kernel: &str, patience: Duration, until: &str) -> Result<String, String> {
    let run = run_folder()?;
    let (image, console) = (run.join("pvh"), run.join("pvh.log"));
    stage::image(kernel, &image)?;
    stage::region_of_start(&run.join("pvh.cpio"))?;
    let mut initrd = fs::read(image.join("initrd.gz")).map_err(|why| why.to_string())?;
    initrd.extend(fs::read(run.join("pvh.cpio")).map_err(|why| why.to_string())?);
    fs::write(run.join("pvh.img"), initrd).map_err(|why| why.to_string())?;
    let mut command = machine("64", &console);
    command.args(["-append", "console=ttyS0 loglevel=4", "-kernel"]).arg(image.join("vmlinux"));
    command.arg("-initrd").arg(run.join("pvh.img")).stdin(Stdio::null());
    let mut child = command.spawn().map_err(|why| format!("QEMU cannot be run: {why}"))?;
    let began = Instant::now();
    let mut said = String::new();
    while !said.lines().any(|line| line.contains(until) && line.ends_with('}')) && began.elapsed() < patience
    {
        std::thread::sleep(Duration::from_millis(200));
        said =
            fs::read(&console).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    }
    let _ = child.kill();
    let _ = child.wait();
    if said.contains(until) { Ok(said) } else { Err(format!("not within {patience:?}:\n{said}")) }
}

/// A folder for this process; those of processes that are gone go too.
fn run_folder() -> Result<PathBuf, String> {
    let all = folder().join("run");
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let run = all.join(std::process::id().to_string());
    fs::create_dir_all(&run).map_err(|why| format!("{}: {why}", run.display()))?;
    Ok(run)
}

/// An emulated machine with so much memory, MiB, that writes what it says to a file.
fn machine(memory_mib: &str, console: &Path) -> Command {
    // The kernel sends KILL to QEMU when the thread that started it ends, however this process does.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi"]);
    command.args(["-cpu", PROCESSOR, "-m", memory_mib, "-display", "none", "-nodefaults", "-no-reboot"]);
    command.args(["-monitor", "none", "-serial"]).arg(format!("file:{}", console.display()));
    command
}

fn qemu(dom0: &Path, disk: &Path, socket: &Path, console: &Path) -> Command {
    let (dom0, disk) = (dom0.display(), disk.display());
    let mut command = machine(MACHINE_MIB, console);
    command.args(["-smp", "2", "-append", XEN_ARGS]);
    command.arg("-kernel").arg(format!("{dom0}/xen"));
    command.arg("-initrd").arg(format!("{dom0}/vmlinuz {DOM0_ARGS},{dom0}/initrd.gz"));
    // Every run starts from the same disk, and leaves it as it was.
    command.args(["-drive", &format!("file={dom0}/root.ext4,format=raw,if=virtio,snapshot=on")]);
    command.args(["-drive", &format!("file={disk},format=raw,if=virtio,readonly=on")]);
    command.arg("-chardev").arg(format!("socket,id=port,path={},server=on,wait=off", socket.display()));
    command.args(["-device", "virtio-serial-pci"]);
    command.args(["-device", "virtserialport,chardev=port,name=fairway.lab"]);
    command
}

/// Starts QEMU in a thread that lives as long as it does.
fn keep(mut command: Command, run: &Path) {
    let log = fs::File::create(run.join("qemu.log")).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    std::thread::spawn(move || {
        let mut child = command.spawn().expect("setpriv of util-linux is on every Debian");
        let _ = child.wait();
    });
}

/// The last lines of a log.
fn tail(path: &Path) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
