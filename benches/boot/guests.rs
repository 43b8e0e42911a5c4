//! What a guest of Xen costs until it is a region: created cold, taken from a pool, restored, beside a guest that is
//! nothing but a shell; its least memory; the clients that one serves, beside the same program as a process; and how many
//! guests a host carries.
//!
//! In the lab of `tests/xen`, where it has been set up: the hypervisor, dom0 and the guests are emulated, so seconds are
//! to be compared with each other only.

use std::time::Duration;

use fairway::units::TICK_HZ;

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
/// Clients that are tried at one region, upwards, and the share of its ticks, and of their states, below which a region
/// does not serve them.
const CLIENTS: [u32; 10] = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const SERVED: f64 = 0.98;
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
        figures.extend(clients(lab));
        figures.extend(per_host(lab));
        figures
    }))
}

#[expect(clippy::print_stdout, reason = "it takes minutes")]
fn of(lab: &mut Lab, kernel: &'static str, memory: &[u32]) -> Vec<Figure> {
    let plan = if kernel == "tuned" { Plan::tuned("cold", 41) } else { Plan::stock("cold", 41) };
    let [mut cold, mut own, mut spare, mut restored, mut bare] = [const { Vec::new() }; 5];
    let shell = Plan {
        words: Some("rdinit=/bin/busybox -- sh /speak"),
        ramdisk: Some("/lab/bare.gz"),
        ..plan.clone()
    };
    for _ in 0..STARTS {
        let (mut guest, start) = guest::start(lab, &shell).expect("a shell starts in this lab");
        bare.push(start.ready_s);
        guest.destroy();
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
        println!("{kernel} kernel: {} of {STARTS} starts of each kind", spare.len());
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

/// How many clients a region serves at 45 Hz as a guest, and as a process of dom0: the same program on the same emulated
/// processors. dom0 has both of them for this, its pilots on the first.
#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn clients(lab: &mut Lab) -> Vec<Figure> {
    lab.run(PATIENCE, "echo 1 >/sys/devices/system/cpu/cpu1/online");
    let (x, y) = stage::start_cell();
    let process = format!(
        "cd /lab; taskset -c 1 ./fairway-region --course regions/{course} --cell {x},{y} --listen 10.0.0.254:4046 \
             </dev/null >/tmp/process.out 2>&1 & pid=$!\n\
         until grep -q ready /tmp/process.out; do sleep 0.1; done; to=10.0.0.254:4046\n\
         spent() {{ awk '{{ print ($14 + $15) / 100 }}' /proc/$pid/stat; }}\n\
         end() {{ kill $pid; wait $pid; }}",
        course = stage::COURSE,
    );
    let guest = "to=10.0.0.44:4045; end() { :; }\n\
         spent() { xl list served | awk 'NR == 2 { print $6 }'; }";
    let (mut started, _) =
        guest::start(lab, &Plan { vcpus_max: 1, ..Plan::tuned("served", 44) }).expect("guests start");
    let lab = &mut *started.lab;
    let (mut figures, mut processors) = (Vec::new(), Vec::new());
    for (name, begin, detail) in [
        ("process_clients", process.as_str(), "as a process of dom0"),
        ("guest_clients", guest, "as a guest, tuned kernel"),
    ] {
        let (mut most, mut shares) = (0, Vec::new());
        for count in CLIENTS {
            let seen = serve(lab, begin, count);
            println!(
                "{count} clients of a region {detail}: {:.3} of its ticks, {:.3} of their states, {:.2} of a processor",
                seen.ticks, seen.states, seen.processors
            );
            if seen.ticks.min(seen.states) < SERVED {
                break;
            }
            most = count;
            shares.push(seen.processors);
        }
        figures.push(Figure {
            name,
            value: f64::from(most),
            unit: "",
            budget: None,
            detail: format!("at 45 Hz, {detail}, emulated, on two processors with its pilots"),
        });
        processors.push(shares);
    }
    let both = processors[0].iter().zip(&processors[1]).zip(CLIENTS).next_back();
    figures.extend(both.map(|((process, guest), count)| Figure {
        name: "guest_clients_cost",
        value: guest / process,
        unit: "",
        budget: None,
        detail: format!("processor time of a guest with {count} clients to that of a process with as many"),
    }));
    started.destroy();
    started.lab.run(PATIENCE, "echo 0 >/sys/devices/system/cpu/cpu1/online");
    figures
}

/// What clients saw of a region, as shares of what was due, and the processors that it used.
struct Served {
    ticks: f64,
    states: f64,
    processors: f64,
}

/// Has pilots sail at a region that `begin` names, or starts.
#[expect(clippy::cast_precision_loss, reason = "45")]
fn serve(lab: &mut Lab, begin: &str, clients: u32) -> Served {
    let text = lab.run(
        PATIENCE,
        &format!(
            "{begin}\n\
             up() {{ cut -d' ' -f1 /proc/uptime; }}\n\
             taskset -c 0 /lab/fairway pilot --connect $to --vessels {clients} --boat launch --for 18s -o json \
                 >/tmp/pilots.json 2>/tmp/pilots.err & pilots=$!\n\
             sleep 8; began=\"$(up) $(spent)\"; sleep 8; echo $began $(up) $(spent)\n\
             wait $pilots || cat /tmp/pilots.err; end; cat /tmp/pilots.json"
        ),
    );
    let mut lines = text.lines();
    let numbers: Vec<f64> = lines
        .next()
        .expect("it says what was spent")
        .split_whitespace()
        .map(|word| word.parse().expect("a number"))
        .collect();
    let processors = (numbers[3] - numbers[1]) / (numbers[2] - numbers[0]);
    // Where not all came aboard there is no more.
    let told: serde_json::Value =
        lines.next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    let share = |key: &str| told[key].as_f64().unwrap_or_default() / TICK_HZ as f64;
    Served { ticks: share("ticks_hz"), states: share("states_hz"), processors }
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
