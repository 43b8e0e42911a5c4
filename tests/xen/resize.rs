//! Processors and memory that come and go while a region serves.

use crate::guest::{self, Guest, Plan};
use crate::lab::with_lab;
use crate::stage;

/// Vessels of the first guest. The next has more where one processor is enough for them, and fewer where two are not: how
/// many are right changes with what else the machine does.
const VESSELS: u32 = 130;
const GUESTS: u32 = 12;
/// The pace of a region that is in time, in so many readings in a row, half a second apart as its windows are.
const IN_TIME: f64 = 0.95;
const READINGS: usize = 5;
/// How long it is looked for, and how long one processor must not have shown it, s. `tests/hands.rs` has how long it takes
/// without emulation.
const RELIEF_S: u32 = 15;
const LATE_S: u32 = 6;

/// Seconds from now until a guest is in time, if it is within so many.
fn in_time(guest: &mut Guest<'_>, within_s: u32) -> Option<f64> {
    let text = guest.run(&format!(
        "now() {{ cut -d' ' -f1 /proc/uptime; }}\n\
         for n in $(seq $((2 * {within_s}))); do\n\
             sleep 0.5; echo $(now) $(xenstore-read /local/domain/$id/data/fairway/pace)\n\
         done"
    ));
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (times, paces): (Vec<f64>, Vec<f64>) = numbers.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
    println!("  {paces:.2?}");
    let first = paces.windows(READINGS).position(|row| row.iter().all(|pace| *pace >= IN_TIME))?;
    Some(times[first] - times[0])
}

/// Gives and takes a guest's processors, until it sails by as many threads.
fn set_processors(guest: &mut Guest<'_>, processors: u32) {
    guest.run(&format!("xl vcpu-set $name {processors}"));
    guest.until_processors(processors);
    guest.until(&format!("[ $(xenstore-read /local/domain/$id/data/fairway/threads) = {processors} ]"));
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn second_processor_brings_a_late_region_back_in_time() {
    with_lab(|lab| {
        let mut vessels = VESSELS;
        for _ in 0..GUESTS {
            println!("{vessels} vessels");
            let arguments = Some(stage::arguments(&[format!("--adrift={vessels}")]));
            let plan = Plan { vcpus_max: 2, memory_mib: 128, arguments, ..Plan::tuned("late", 23) };
            let (mut guest, _) = guest::start(&mut *lab, &plan).unwrap();
            guest.until(&format!("[ $(xenstore-read /local/domain/$id/data/fairway/vessels) = {vessels} ]"));
            // Vessels come to rest on the water first, which takes more work than sailing.
            guest.run("sleep 6");
            if in_time(&mut guest, LATE_S).is_some() {
                guest.destroy();
                vessels = (vessels * 23 / 20).min(256);
                continue;
            }
            set_processors(&mut guest, 2);
            let relieved = in_time(&mut guest, RELIEF_S);
            // It was the processor that did it: there is no less to do than before, rather more, as they drift together.
            set_processors(&mut guest, 1);
            let alone = in_time(&mut guest, LATE_S);
            assert!(guest.answers(), "and it hears");
            guest.destroy();
            match (relieved, alone) {
                (Some(after_s), None) => {
                    println!("{vessels} vessels are in time {after_s:.1} s after the second processor");
                    return;
                }
                (None, _) => vessels = vessels * 9 / 10,
                (Some(_), Some(_)) => {}
            }
        }
        panic!("none of {GUESTS} guests was late on one processor and in time on two");
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
