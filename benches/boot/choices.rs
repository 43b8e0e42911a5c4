//! What each choice for the guests' kernel gains: guests of kernels that differ from ours in one thing, and guests of ours that
//! are told another thing, beside ours in the same run.
//!
//! `cargo bench --bench boot -- choices`, in the lab of `tests/xen`. The kernels are built first, three minutes each on two
//! cores, and kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::guest::{self, Plan};
use crate::lab::{self, Lab, with_lab};
use crate::stage;

/// Starts of each, of which the best counts: what else the machine does only ever adds.
const STARTS: usize = 3;
/// Vessels by which a region is kept busy, and how long it is watched, s.
const VESSELS: u32 = 10;
const WATCH_S: u32 = 10;

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

/// What a guest of one choice was seen to do.
struct Seen {
    init_ms: f64,
    first_tick_ms: f64,
    available_mib: f64,
    idle_share: f64,
    busy_share: f64,
}

/// Builds what is not there yet, starts guests of each choice, and prints a table.
#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
pub(crate) fn measure(root: &Path) {
    assert!(lab::is_there(), "there is no lab: make one with tests/xen/setup.sh");
    for choice in CHOICES.iter().filter(|choice| !choice.config.is_empty()) {
        println!("kernel {}", choice.name);
        build(root, choice);
    }
    println!(
        "{:<16} {:>8} {:>12} {:>14} {:>8} {:>14}",
        "choice", "init ms", "first tick", "available MiB", "idle %", "10 vessels %"
    );
    with_lab(|lab| {
        for choice in &CHOICES {
            match look(lab, choice) {
                Ok(Seen { init_ms, first_tick_ms, available_mib, idle_share, busy_share }) => println!(
                    "{:<16} {init_ms:>8.0} {first_tick_ms:>12.0} {available_mib:>14.1} {:>8.1} {:>14.1}",
                    choice.name,
                    100.0 * idle_share,
                    100.0 * busy_share
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

fn look(lab: &mut Lab, choice: &Choice) -> Result<Seen, String> {
    let kernel: &'static str =
        if choice.config.is_empty() { "tuned" } else { format!("choices/{}/image", choice.name).leak() };
    let words = Some(&*format!("fairway.ip=10.0.0.45/24 {}", choice.words).leak());
    let plan = Plan { kernel, words, ..Plan::tuned("choice", 45) };
    let mut seen = Seen {
        init_ms: f64::INFINITY,
        first_tick_ms: f64::INFINITY,
        available_mib: 0.0,
        idle_share: f64::NAN,
        busy_share: f64::NAN,
    };
    for _ in 0..STARTS {
        let (mut guest, start) = guest::start(lab, &plan)?;
        let at = |key: &str| start.ready[key].as_f64().expect("a number");
        seen.init_ms = seen.init_ms.min(at("boottime_init_ms"));
        seen.first_tick_ms = seen.first_tick_ms.min(at("boottime_first_tick_ms"));
        seen.available_mib = at("mem_available_kib") / 1_024.0;
        guest.destroy();
    }
    let share = |lab: &mut Lab, vessels: u32| -> Result<f64, String> {
        let arguments = Some(stage::arguments(&[format!("--adrift={vessels}")]));
        let (mut guest, _) = guest::start(lab, &Plan { arguments, ..plan.clone() })?;
        let text = guest.run(&format!(
            "at() {{ echo $(cut -d' ' -f1 /proc/uptime) $(xl list $name | awk 'NR == 2 {{ print $6 }}'); }}\n\
             sleep 3; at; sleep {WATCH_S}; at"
        ));
        guest.destroy();
        let at: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
        Ok((at[3] - at[1]) / (at[2] - at[0]))
    };
    seen.idle_share = share(lab, 0)?;
    seen.busy_share = share(lab, VESSELS)?;
    Ok(seen)
}
