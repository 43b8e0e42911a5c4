//! Processors and memory that come and go while a region serves.

use crate::guest::{self, Guest, Plan};
use crate::lab::with_lab;
use crate::stage;

/// Vessels that are tried until one processor is not enough for them: the steps are small enough that two are then.
const VESSELS: [u32; 6] = [60, 85, 120, 160, 210, 256];
/// Longest time from a second processor to a pace that xenstore says is right, s. `tests/hands.rs` has the time without
/// emulation.
const RELIEF_S: f64 = 20.0;

/// A guest in which so many vessels sail, with up to two processors.
fn crowded<'lab>(lab: &'lab mut crate::lab::Lab, name: &'static str, vessels: u32) -> Guest<'lab> {
    let arguments = Some(stage::arguments(&[format!("--adrift={vessels}")]));
    let plan = Plan { vcpus_max: 2, memory_mib: 128, arguments, ..Plan::tuned(name, 23) };
    let (mut guest, _) = guest::start(lab, &plan).unwrap();
    guest.until(&format!("[ $(xenstore-read /local/domain/$id/data/fairway/vessels) = {vessels} ]"));
    // Figures of two windows after that.
    guest.run("sleep 3");
    guest
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn second_processor_brings_a_late_region_back_in_time() {
    with_lab(|lab| {
        let number = |guest: &mut Guest<'_>, key: &str| -> f64 { guest.entry(key).parse().unwrap() };
        let mut tries = VESSELS.into_iter();
        let (mut guest, vessels, before) = loop {
            let vessels = tries.next().expect("256 vessels are too many for an emulated processor");
            let mut guest = crowded(&mut *lab, "late", vessels);
            let (load, pace) = (number(&mut guest, "load"), number(&mut guest, "pace"));
            println!("{vessels} vessels: load {load:.2}, pace {pace:.2}");
            if pace < 0.95 {
                break (guest, vessels, pace);
            }
            guest.destroy();
        };
        let text = guest.run(
            "up() { cut -d' ' -f1 /proc/uptime; }\n\
             began=$(up); xl vcpu-set $name 2; set=$(up); tries=0\n\
             until [ $tries -ge 100 ]; do\n\
                 pace=$(xenstore-read /local/domain/$id/data/fairway/pace)\n\
                 case $pace in 1.*|0.9[5-9]*) break ;; esac\n\
                 tries=$((tries + 1)); sleep 0.2\n\
             done\n\
             echo $began $set $(up) $pace",
        );
        let times: Vec<f64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
        // And it stays so.
        guest.run("sleep 5");
        let (load, after) = (number(&mut guest, "load"), number(&mut guest, "pace"));
        println!(
            "{vessels} vessels: pace {before:.2}, {:.1} s after vcpu-set {:.2}, then {after:.2} at load {load:.2}",
            times[2] - times[1],
            times[3]
        );
        assert!(times[3] >= 0.95 && times[2] - times[1] <= RELIEF_S, "{text}");
        assert!(after > before.max(0.9), "for a moment: {after}");
        assert!(guest.answers(), "and it hears");
        guest.destroy();
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
