//! Processors and memory that come and go while a region serves.

use crate::guest::{self, Plan};
use crate::lab::with_lab;
use crate::stage;

/// Boats without crews that a region sails.
const ADRIFT: u32 = 250;
/// How much faster course time runs at each try to be too much for one processor, and at most.
const FASTER: f64 = 1.2;
const WARP_MAX: f64 = 20.0;
/// Ticks sailed over ticks due: of a region that is late, and of one that is not.
const LATE: f64 = 0.95;
const IN_TIME: f64 = 0.98;

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

/// A region that cannot keep up on one processor is in time again with two.
#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn second_processor_brings_a_late_region_back() {
    with_lab(|lab| {
        let name = "late";
        let fleet = format!("--adrift={ADRIFT}");
        let plan = |clock: Option<String>| Plan {
            vcpus_max: 2,
            memory_mib: 96,
            arguments: Some(stage::arguments(&[vec![fleet.clone()], clock.into_iter().collect()].concat())),
            ..Plan::tuned(name, 23)
        };
        let figure = |guest: &mut guest::Guest<'_>, key| guest.entry(key).parse::<f64>().unwrap();
        let (mut guest, _) = guest::start(lab, &plan(None)).unwrap();
        // What it was late with from its start is made up for by then.
        guest.run("sleep 15");
        let load = figure(&mut guest, "load");
        assert_eq!(guest.entry("vessels"), ADRIFT.to_string());
        guest.destroy();
        // How fast course time must run for one processor to be too few.
        let mut warp = 1.0 / load;
        let mut guest = loop {
            warp *= FASTER;
            let now_ns = lab.run(guest::PATIENCE, "date +%s%N");
            let clock = format!("--clock={},{},{warp:.3}", stage::start_tick(), now_ns.trim());
            let (mut guest, _) = guest::start(lab, &plan(Some(clock))).unwrap();
            guest.run("sleep 10");
            let (pace, load) = (figure(&mut guest, "pace"), figure(&mut guest, "load"));
            println!("{ADRIFT} vessels at warp {warp:.2} on one processor: pace {pace:.3}, load {load:.2}");
            if pace < LATE {
                break guest;
            }
            guest.destroy();
            assert!(warp < WARP_MAX, "{ADRIFT} vessels at warp {warp:.2} are not too many");
        };
        guest.run("xl vcpu-set $name 2");
        let began = guest.run("cut -d' ' -f1 /proc/uptime");
        guest.until("grep -aq 'cpu1 is on line' $log");
        guest.until(
            "pace=$(xenstore-read /local/domain/$id/data/fairway/pace); echo $pace; [ $pace = 1.000 ]",
        );
        let ended = guest.run("cut -d' ' -f1 /proc/uptime");
        let seconds = |text: &str| text.trim().parse::<f64>().unwrap();
        println!("in time again {:.1} s after xl vcpu-set", seconds(&ended) - seconds(&began));
        guest.run("sleep 4");
        let (pace, load) = (figure(&mut guest, "pace"), figure(&mut guest, "load"));
        println!("on two processors: pace {pace:.3}, load {load:.2}");
        assert!(pace > IN_TIME, "it stays in time: {pace}, load {load}");
        guest.destroy();
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn memory_is_lent_back_and_added() {
    with_lab(|lab| {
        let (mut guest, _) = guest::start(lab, &Plan::tuned("memory", 22)).unwrap();
        for (mib, grown) in [(48, false), (64, false), (160, true)] {
            if grown {
                // More than it was started with: first what it may have, then what it should.
                guest.run(&format!("xl mem-max $name {mib}"));
            }
            guest.run(&format!("xl mem-set $name {mib}m"));
            guest.until(&format!(
                "now=$(xl list $name | awk 'NR == 2 {{ print $3 }}'); echo $now MiB; tail -3 $log; [ $now -ge $(({mib} - 2)) ] && [ $now -le {mib} ]"
            ));
            assert_eq!(guest.entry("state"), "ready");
            assert!(guest.answers(), "with {mib} MiB");
        }
        guest.until("grep -aE 'memory[0-9]+ is on line' $log");
        guest.destroy();
    });
}
