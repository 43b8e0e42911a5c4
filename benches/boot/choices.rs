//! What each choice for the guests' kernel gains: guests of kernels that differ from ours in one thing, and guests of
//! ours that are told another thing, beside ours in the same run.
//!
//! `cargo bench --bench boot -- choices`, in the lab of `tests/xen`: a quarter of an hour. The kernels are built first,
//! three minutes each on two cores, and kept.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::guest::{self, Plan};
use crate::lab::{self, Lab, with_lab};
use crate::stage;

/// Rounds in which each is looked at once. The best of each counts, as what else the machine does only ever adds; in rounds,
/// so that an hour in which it is slow is not one choice's alone.
const ROUNDS: usize = 3;
/// Vessels by which a region is kept busy, and how long it is watched, s.
const VESSELS: u32 = 10;
const WATCH_S: u32 = 5;
/// Memory that each kernel is tried with, MiB, downwards, and how long it may take to serve in that.
const MEMORY_MIB: [u32; 3] = [28, 24, 20];
const MEMORY_PATIENCE: Duration = Duration::from_secs(20);

/// One thing that is done otherwise.
struct Choice {
    name: &'static str,
    /// Lines for the kernel's configuration; a kernel of its own, if there are any.
    config: &'static str,
    /// Words for its command line, after ours.
    words: &'static str,
}

const fn ours(name: &'static str) -> Choice {
    Choice { name, config: "", words: "" }
}

const CHOICES: [Choice; 10] = [
    ours("ours"),
    Choice { config: "# CONFIG_HZ_100 is not set\nCONFIG_HZ_1000=y\n", ..ours("hz-1000") },
    Choice { config: "# CONFIG_PREEMPT_NONE is not set\nCONFIG_PREEMPT=y\n", ..ours("preempt") },
    Choice {
        config: "# CONFIG_CC_OPTIMIZE_FOR_SIZE is not set\nCONFIG_CC_OPTIMIZE_FOR_PERFORMANCE=y\n",
        ..ours("for-speed")
    },
    Choice { config: "CONFIG_PHYSICAL_START=0x1000000\n", ..ours("at-16-mib") },
    Choice { words: "random.trust_cpu=off", ..ours("no-trust-in-cpu") },
    Choice { words: "clocksource=tsc", ..ours("clock-tsc") },
    Choice { words: "loglevel=7", ..ours("all-messages") },
    Choice { words: "rootfstype=tmpfs", ..ours("root-tmpfs") },
    ours("ours-again"),
];

/// The least that was seen of one choice.
struct Seen {
    /// On the guest's boot clock.
    init_ms: f64,
    first_tick_ms: f64,
    /// Of 64 MiB that its region leaves.
    used_mib: f64,
    /// Of a processor, by a region without vessels and with some.
    idle_share: f64,
    busy_share: f64,
}

impl Seen {
    const NOTHING: Self = Self {
        init_ms: f64::INFINITY,
        first_tick_ms: f64::INFINITY,
        used_mib: f64::INFINITY,
        idle_share: f64::INFINITY,
        busy_share: f64::INFINITY,
    };

    fn least(&self, other: &Self) -> Self {
        Self {
            init_ms: self.init_ms.min(other.init_ms),
            first_tick_ms: self.first_tick_ms.min(other.first_tick_ms),
            used_mib: self.used_mib.min(other.used_mib),
            idle_share: self.idle_share.min(other.idle_share),
            busy_share: self.busy_share.min(other.busy_share),
        }
    }
}

/// Builds what is not there yet, starts guests of each choice, and prints a table.
#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
pub(crate) fn measure(root: &Path) {
    assert!(lab::is_there(), "there is no lab: make one with tests/xen/setup.sh");
    for choice in CHOICES.iter().filter(|choice| !choice.config.is_empty()) {
        println!("kernel {}", choice.name);
        build(root, choice);
    }
    with_lab(|lab| {
        let mut seen: Vec<Result<Seen, String>> = CHOICES.iter().map(|_| Ok(Seen::NOTHING)).collect();
        for round in 1..=ROUNDS {
            for (choice, seen) in CHOICES.iter().zip(&mut seen) {
                println!("round {round} of {ROUNDS}: {}", choice.name);
                if let Ok(before) = seen {
                    *seen = look(lab, choice).map(|now| now.least(before));
                }
            }
        }
        println!(
            "{:<16} {:>8} {:>14} {:>9} {:>7} {:>13} {:>10}",
            "choice", "init ms", "first tick ms", "used MiB", "idle %", "10 vessels %", "least MiB"
        );
        for (choice, seen) in CHOICES.iter().zip(seen) {
            match seen {
                Ok(Seen { init_ms, first_tick_ms, used_mib, idle_share, busy_share }) => println!(
                    "{:<16} {init_ms:>8.0} {first_tick_ms:>14.0} {used_mib:>9.1} {:>7.1} {:>13.1} {:>10}",
                    choice.name,
                    100.0 * idle_share,
                    100.0 * busy_share,
                    least_memory_mib(lab, choice).map_or_else(|| "more".to_owned(), |mib| mib.to_string())
                ),
                Err(why) => println!("{:<16} {}", choice.name, why.lines().last().unwrap_or_default()),
            }
        }
    });
}

/// Makes the image of a kernel of its own.
fn build(root: &Path, choice: &Choice) {
    let folder = lab::folder().join("choices").join(choice.name);
    fs::create_dir_all(&folder).expect("a folder can be made");
    let more = folder.join("more.config");
    fs::write(&more, choice.config).expect("it can be written");
    let status = Command::new(root.join("assets/guest/kernel.sh"))
        .arg(folder.join("kernel"))
        .env("FAIRWAY_LAB", lab::folder())
        .env("FAIRWAY_KERNEL_MORE", &more)
        .status()
        .expect("a shell can be run");
    assert!(status.success(), "the kernel {} does not build", choice.name);
    stage::image(&folder.join("kernel/vmlinux").to_string_lossy(), &folder.join("image"))
        .expect("an image is made");
}

/// A guest of a choice that is to be started.
fn plan(choice: &Choice) -> Plan {
    let kernel: &'static str =
        if choice.config.is_empty() { "tuned" } else { format!("choices/{}/image", choice.name).leak() };
    let words = Some(&*format!("fairway.ip=10.0.0.45/24 {}", choice.words).leak());
    Plan { kernel, words, ..Plan::tuned("choice", 45) }
}

/// Two guests of it: one without vessels and one with some.
fn look(lab: &mut Lab, choice: &Choice) -> Result<Seen, String> {
    let mut seen = Seen::NOTHING;
    for vessels in [0, VESSELS] {
        let arguments = (vessels > 0).then(|| stage::arguments(&[format!("--adrift={vessels}")]));
        let (mut guest, start) = guest::start(lab, &Plan { arguments, ..plan(choice) })?;
        let text = guest.run(&format!(
            "at() {{ echo $(cut -d' ' -f1 /proc/uptime) $(xl list $name | awk 'NR == 2 {{ print $6 }}'); }}\n\
             sleep 2; at; sleep {WATCH_S}; at"
        ));
        guest.destroy();
        let at: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        let share = (at[3] - at[1]) / (at[2] - at[0]);
        if vessels > 0 {
            seen.busy_share = share;
            continue;
        }
        let said = |key: &str| start.ready[key].as_f64().expect("a number");
        seen.init_ms = said("boottime_init_ms");
        seen.first_tick_ms = said("boottime_first_tick_ms");
        seen.used_mib = f64::from(plan(choice).memory_mib) - said("mem_available_kib") / 1_024.0;
        seen.idle_share = share;
    }
    Ok(seen)
}

/// The least memory in which its region serves.
fn least_memory_mib(lab: &mut Lab, choice: &Choice) -> Option<u32> {
    let served = MEMORY_MIB.into_iter().take_while(|&memory_mib| {
        let plan = Plan { memory_mib, patience: MEMORY_PATIENCE, ..plan(choice) };
        guest::start(lab, &plan).map(|(mut guest, _)| guest.destroy()).is_ok()
    });
    let least = served.last();
    lab.ask(guest::PATIENCE, "xl destroy choice");
    least
}
