//! Processors and memory that come and go while a region serves.

use std::ops::Range;

use crate::guest::{self, Guest, Plan};
use crate::lab::with_lab;
use crate::stage;

/// Among so many vessels there is a number that one emulated processor is too slow for, and two are not.
const VESSELS: Range<u32> = 60..256;
/// The pace of a region that is late, and of one that is in time: the middle of so many readings, half a second apart as
/// its windows are.
const LATE: f64 = 0.92;
const IN_TIME: f64 = 0.97;
const READINGS: u32 = 9;
/// Longest time from a second processor to the first such reading, s. `tests/hands.rs` has the time without emulation.
const RELIEF_S: f64 = 20.0;

/// What one guest showed of what its processors are worth.
enum Worth {
    /// One is enough for its vessels.
    One,
    /// Two are enough, and one is not.
    Two,
    /// Two are not enough.
    More,
}

/// Takes a guest's second processor away and gives it back, twice.
fn worth(guest: &mut Guest<'_>) -> Worth {
    // Vessels come to rest on the water first, which takes more work than sailing.
    guest.run("sleep 12");
    for _ in 0..2 {
        let late = pace_on(guest, 1);
        if late.middle > LATE {
            return Worth::One;
        }
        let relieved = pace_on(guest, 2);
        if relieved.middle < IN_TIME || relieved.reached_s > RELIEF_S {
            return Worth::More;
        }
    }
    Worth::Two
}

struct PaceOn {
    /// After `vcpu-set`, until the first window in time; endless where there was none.
    reached_s: f64,
    middle: f64,
}

/// The pace with so many processors, once what changed with them has passed.
fn pace_on(guest: &mut Guest<'_>, processors: u32) -> PaceOn {
    guest.run(&format!("xl vcpu-set $name {processors}"));
    guest.until_processors(processors);
    let text = guest.run(&format!(
        "pace() {{ xenstore-read /local/domain/$id/data/fairway/pace; }}\n\
         now() {{ cut -d' ' -f1 /proc/uptime; }}\n\
         began=$(now); tries=0; while :; do\n\
             [ {processors} = 1 ] && {{ sleep 2; break; }}\n\
             case $(pace) in 1.*|0.9[7-9]*) break ;; esac\n\
             tries=$((tries + 1)); [ $tries -lt 50 ] || break; sleep 0.4\n\
         done\n\
         echo $began $(now); for n in $(seq {READINGS}); do sleep 0.5; pace; done"
    ));
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let reached_s = numbers[1] - numbers[0];
    let mut readings = numbers[2..].to_vec();
    readings.sort_by(f64::total_cmp);
    let middle = readings[readings.len() / 2];
    println!("  on {processors}: after {reached_s:.1} s pace {middle:.2} of {readings:.2?}");
    PaceOn { reached_s, middle }
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn second_processor_brings_a_late_region_back_in_time() {
    with_lab(|lab| {
        let mut among = VESSELS;
        while among.len() > 4 {
            let vessels = among.start.midpoint(among.end);
            println!("{vessels} vessels");
            let arguments = Some(stage::arguments(&[format!("--adrift={vessels}")]));
            let plan = Plan { vcpus_max: 2, memory_mib: 128, arguments, ..Plan::tuned("late", 23) };
            let (mut guest, _) = guest::start(&mut *lab, &plan).unwrap();
            guest.until(&format!("[ $(xenstore-read /local/domain/$id/data/fairway/vessels) = {vessels} ]"));
            let shown = worth(&mut guest);
            assert!(guest.answers(), "and it hears");
            guest.destroy();
            match shown {
                Worth::One => among.start = vessels,
                Worth::Two => return,
                Worth::More => among.end = vessels,
            }
        }
        panic!("no number of vessels is late on one processor and in time on two");
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn processors_come_and_go() {
    with_lab(|lab| {
        for plan in [Plan::tuned("processors", 21), Plan::stock("processors", 21)] {
            let (mut guest, _) = guest::start(lab, &Plan { vcpus_max: 2, ..plan }).unwrap();
            guest.until_processors(1);
            // Twice: what was taken away can be given again.
            for times in 1..=2 {
                guest.run("xl vcpu-set $name 2");
                guest.until_processors(2);
                guest.until(&format!(
                    "[ $(grep -ac 'cpu1 is on line' $log) = {times} ] || {{ tail -5 $log; false; }}"
                ));
                guest.run("xl vcpu-set $name 1");
                guest.until_processors(1);
            }
            assert_eq!(guest.entry("state"), "ready");
            assert!(guest.answers(), "with the processor that is left");
            guest.destroy();
        }
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn memory_is_lent_back_and_added() {
    with_lab(|lab| {
        let (mut guest, _) = guest::start(lab, &Plan::tuned("memory", 22)).unwrap();
        let mut room = 0;
        for mib in [48, 64, 96, 48] {
            // As the harbour has it set: what it may have is refused where it has more.
            guest.run(&format!("xl mem-max $name {mib}m 2>/dev/null; xl mem-set $name {mib}m"));
            guest.until(&format!(
                "now=$(xl list $name | awk 'NR == 2 {{ print $3 }}'); echo $now MiB; tail -3 $log; [ $now -ge $(({mib} - 2)) ] && [ $now -le {mib} ]"
            ));
            assert_eq!(guest.entry("state"), "ready");
            assert!(guest.answers(), "with {mib} MiB");
            // What it has room for follows, up and down, and is no less than a harbour reckons with.
            let least = (mib - fairway::limits::GUEST_MIB) * 1_024 / fairway::limits::VESSEL_KIB as u32;
            let told = guest.until(&format!(
                "now=$(xenstore-read /local/domain/$id/data/fairway/room); echo $now; [ $now != {room} ] && [ $now -ge {least} ] && [ $now -le $((2 * {least})) ]"
            ));
            room = told.trim().parse::<u32>().unwrap();
            println!("{mib} MiB: room for {room} vessels, by the harbour's reckoning for {least}");
        }
        guest.until("grep -aE 'memory[0-9]+ is on line' $log");
        guest.destroy();
    });
}
