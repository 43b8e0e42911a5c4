//! What a guest of Xen costs until it is a region: created cold, taken from a pool, restored, beside a guest that is
//! nothing but a shell; its least memory; and how many of them a host carries.
//!
//! In the lab of `tests/xen`, where it has been set up: the hypervisor, dom0 and the guests are emulated, so seconds are
//! to be compared with each other only.

use std::time::Duration;

use crate::guest::{self, Guest, PATIENCE, Plan};
use crate::lab::{self, Lab, with_lab};
use crate::stage;
use crate::{Figure, median};

const STARTS: usize = 5;
/// Memory that is tried, MiB, downwards.
const TUNED_MIB: [u32; 8] = [48, 40, 36, 32, 30, 28, 26, 24];
const STOCK_MIB: [u32; 8] = [128, 112, 104, 96, 88, 84, 80, 76];
const FLOOR_PATIENCE: Duration = Duration::from_secs(30);
/// Guests that are started beside each other at most, the vessels and the memory of each, and how long one may take
/// beside the others; below this share of the ticks that are due one is late.
const NAMES: [&str; 16] = [
    "crowd1", "crowd2", "crowd3", "crowd4", "crowd5", "crowd6", "crowd7", "crowd8", "crowd9", "crowd10",
    "crowd11", "crowd12", "crowd13", "crowd14", "crowd15", "crowd16",
];
const CROWD: u32 = 10;
const CROWD_MIB: u32 = 48;
const CROWD_PATIENCE: Duration = Duration::from_secs(90);
const IN_TIME: f64 = 0.98;
/// Guests of one kind, in their own names and addresses.
const KINDS: [(&str, &[u32]); 2] = [("tuned", &TUNED_MIB), ("stock", &STOCK_MIB)];

/// Seconds of each way to a region, the median, and the least memory, for both kernels; none without a lab.
pub(crate) fn measure() -> Option<Vec<Figure>> {
    if !lab::is_there() {
        return None;
    }
    Some(with_lab(|lab| {
        let mut figures: Vec<Figure> =
            KINDS.iter().flat_map(|&(kernel, memory)| of(lab, kernel, memory)).collect();
        figures.extend(per_host(lab));
        figures
    }))
}

fn of(lab: &mut Lab, kernel: &'static str, memory: &[u32]) -> Vec<Figure> {
    let plan = if kernel == "tuned" { Plan::tuned("cold", 41) } else { Plan::stock("cold", 41) };
    let [mut cold, mut own, mut spare, mut restored, mut bare] = [const { Vec::new() }; 5];
    for _ in 0..STARTS {
        bare.push(bare_init(lab, &plan));
        let (mut guest, start) = guest::start(lab, &plan).expect("guests start in this lab");
        cold.push(start.ready_s);
        let at = |key: &str| start.ready[key].as_f64().expect("a number");
        own.push(at("boottime_first_tick_ms") - at("boottime_init_ms"));
        restored.push(restore(&mut guest));
        guest.destroy();
        let arguments = Some(stage::arguments(&[]));
        let (mut guest, start) =
            guest::start(lab, &Plan { arguments, name: "spare", host: 42, ..plan.clone() })
                .expect("spares start");
        spare.push(start.ready_s - start.told_s.expect("it was told what to be"));
        guest.destroy();
    }
    let least = memory.iter().take_while(|&&memory_mib| {
        let plan = Plan { memory_mib, patience: FLOOR_PATIENCE, name: "floor", host: 43, ..plan.clone() };
        guest::start(lab, &plan).is_ok_and(|(mut guest, _)| {
            guest.destroy();
            true
        })
    });
    let least = least.last().copied().map_or(f64::NAN, f64::from);
    lab.ask(PATIENCE, "xl destroy floor");
    let (cold, bare) = (median(&mut cold), median(&mut bare));
    let figure = |name, value, unit, detail: &str| Figure {
        name,
        value,
        unit,
        budget: None,
        detail: format!("{kernel} kernel, emulated: {detail}"),
    };
    vec![
        figure("guest_cold_s", cold, "s", "xl create to the ready line"),
        figure("guest_bare_s", bare, "s", "the same until a shell that is its init speaks"),
        figure("guest_cold_ratio", cold / bare, "", "a region to a shell"),
        figure(
            "guest_pool_s",
            median(&mut spare),
            "s",
            "a booted guest is told what to be, to the ready line",
        ),
        figure("guest_restore_s", median(&mut restored), "s", "xl restore to its state in xenstore"),
        figure(
            "guest_init_to_first_tick_ms",
            median(&mut own),
            "ms",
            "boot clock, what the region server takes of it",
        ),
        figure("guest_memory_floor_mib", least, "MiB", "the least that serves"),
    ]
}

/// Seconds from `xl create` until a guest that is nothing but a shell speaks.
fn bare_init(lab: &mut Lab, plan: &Plan) -> f64 {
    let plan = Plan { name: "bare", words: Some("rdinit=/bin/busybox -- sh /speak"), ..plan.clone() };
    let script = format!(
        "log=/var/log/xen/guest-bare.log; cat >/tmp/bare.cfg <<'END'\n{}END\n\
         cp /lab/bare.gz /tmp/bare.img; cat /lab/{}/vmlinux >/dev/null; : >$log\n\
         up() {{ cut -d' ' -f1 /proc/uptime; }}\n\
         began=$(up); xl create -q /tmp/bare.cfg || exit 1; tries=0\n\
         until grep -aq 'bare init' $log; do\n\
             [ $tries -lt 600 ] || {{ tail -20 $log; exit 1; }}; tries=$((tries + 1)); sleep 0.1\n\
         done\n\
         spoke=$(up); xl destroy bare; echo times $began $spoke",
        plan.config(),
        plan.kernel
    );
    let text = lab.run(plan.patience, &script);
    let times: Vec<f64> = text
        .split_once("times ")
        .expect("it says when")
        .1
        .split_whitespace()
        .map(|word| word.parse().expect("a time"))
        .collect();
    times[1] - times[0]
}

/// How many guests, each with some vessels, one host carries until one of them is late.
#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn per_host(lab: &mut Lab) -> Vec<Figure> {
    let arguments = stage::arguments(&[format!("--adrift={CROWD}")]);
    let (mut carried, mut alone) = (0, 0.0);
    for (host, name) in (50..).zip(NAMES) {
        let plan = Plan {
            memory_mib: CROWD_MIB,
            arguments: Some(arguments.clone()),
            patience: CROWD_PATIENCE,
            ..Plan::tuned(name, host)
        };
        if let Err(why) = guest::start(lab, &plan) {
            println!("guest {} of one host: {}", carried + 1, why.lines().last().unwrap_or_default());
            break;
        }
        // Their figures are those of the last second.
        let text = lab.run(
            PATIENCE,
            "sleep 4; for id in $(xenstore-list /local/domain); do own=/local/domain/$id/data/fairway\n\
             xenstore-exists $own/pace && echo $(xenstore-read $own/pace $own/load); done; true",
        );
        let figures: Vec<(f64, f64)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(pace, load)| (pace.parse().expect("a share"), load.parse().expect("a share")))
            .collect();
        let slowest = figures.iter().map(|(pace, _)| *pace).fold(f64::INFINITY, f64::min);
        println!(
            "{} guests with {CROWD} vessels each: the slowest sails {slowest:.3} of its ticks",
            figures.len()
        );
        if carried == 0 {
            alone = figures[0].1;
        }
        if slowest < IN_TIME {
            break;
        }
        carried += 1;
    }
    for name in NAMES {
        lab.ask(PATIENCE, &format!("xl destroy {name} 2>/dev/null"));
    }
    let figure = |name, value, unit, detail: String| Figure { name, value, unit, budget: None, detail };
    let of = format!("tuned kernel, emulated, two processors, {CROWD} vessels each");
    vec![
        figure(
            "guests_per_host",
            f64::from(carried),
            "",
            format!("{of}: before one sails less than {IN_TIME} of its ticks"),
        ),
        figure("guest_load", alone, "", format!("{of}: busy share of the first one's processor")),
    ]
}

/// Seconds from `xl restore` of a saved guest until it says anew that it serves.
fn restore(guest: &mut Guest<'_>) -> f64 {
    let text = guest.run(
        "up() { cut -d' ' -f1 /proc/uptime; }\n\
         xl save $name /tmp/$name.state >/dev/null 2>&1 || exit 1; began=$(up)\n\
         xl restore /tmp/$name.state >/dev/null 2>&1 || exit 1; rm /tmp/$name.state\n\
         id=$(xl domid $name)\n\
         until [ \"$(xenstore-read /local/domain/$id/data/fairway/state 2>/dev/null)\" = ready ]; do sleep 0.05; done\n\
         echo $began $(up)",
    );
    let times: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a time")).collect();
    times[1] - times[0]
}
