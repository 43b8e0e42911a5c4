//! What a guest of Xen costs until it is a region: created cold, taken from a pool, restored; and its least memory.
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
/// Guests of one kind, in their own names and addresses.
const KINDS: [(&str, &[u32]); 2] = [("tuned", &TUNED_MIB), ("stock", &STOCK_MIB)];

/// Seconds of each way to a region, the median, and the least memory, for both kernels; none without a lab.
pub(crate) fn measure() -> Option<Vec<Figure>> {
    if !lab::is_there() {
        return None;
    }
    Some(with_lab(|lab| KINDS.iter().flat_map(|&(kernel, memory)| of(lab, kernel, memory)).collect()))
}

fn of(lab: &mut Lab, kernel: &'static str, memory: &[u32]) -> Vec<Figure> {
    let plan = if kernel == "tuned" { Plan::tuned("cold", 41) } else { Plan::stock("cold", 41) };
    let (mut cold, mut own, mut spare, mut restored) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
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
    let figure = |name, value, unit, detail: &str| Figure {
        name,
        value,
        unit,
        budget: None,
        detail: format!("{kernel} kernel, emulated: {detail}"),
    };
    vec![
        figure("guest_cold_s", median(&mut cold), "s", "xl create to the ready line"),
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
