//! Processors and memory that come and go while a region serves.

use crate::guest::{self, Plan};
use crate::lab::with_lab;

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
