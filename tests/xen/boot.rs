//! From power-on to a region that serves.

use std::time::Duration;

use crate::guest::{self, Plan};
use crate::lab::{self, with_lab};
use crate::stage;

/// Starts of each kernel; emulated times scatter, and `cargo bench --bench boot` has more of them.
const STARTS: usize = 2;
/// Memory that the tuned kernel is tried with, MiB, downwards.
const MEMORY_MIB: [u32; 4] = [32, 28, 24, 20];
/// Vessels that are sailed in so little.
const VESSELS: u32 = 40;
/// What must be enough for them, MiB.
const MEMORY_ENOUGH_MIB: u32 = 32;
/// A guest that is not up by then has too little memory to come up.
const MEMORY_PATIENCE: Duration = Duration::from_secs(40);

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn guests_of_both_kernels_become_regions() {
    with_lab(|lab| {
        let mut fastest_s = Vec::new();
        for plan in [Plan::tuned("boots", 11), Plan::stock("stock", 12)] {
            let mut all_ready_s = Vec::new();
            for _ in 0..STARTS {
                let (mut guest, start) = guest::start(lab, &plan).unwrap();
                let ms = |key: &str| start.ready[key].as_f64().unwrap();
                println!(
                    "{} kernel: xl create {:.2} s, ready after {:.2} s; boot clock: init {:.0} ms, first tick {:.0} ms; {:.1} of {:.1} MiB available",
                    plan.kernel,
                    start.created_s,
                    start.ready_s,
                    ms("boottime_init_ms"),
                    ms("boottime_first_tick_ms"),
                    ms("mem_available_kib") / 1_024.0,
                    ms("mem_total_kib") / 1_024.0,
                );
                assert!(ms("boottime_init_ms") <= ms("boottime_first_tick_ms"), "{:?}", start.ready);
                assert!(ms("mem_total_kib") < 1_024.0 * f64::from(plan.memory_mib), "{:?}", start.ready);
                guest.until_state("ready");
                let told: serde_json::Value = serde_json::from_str(&guest.entry("ready")).unwrap();
                assert_eq!(told, start.ready, "xenstore says what the console says");
                assert!(guest.answers(), "{} does not answer", plan.name);
                guest.destroy();
                all_ready_s.push(start.ready_s);
            }
            fastest_s.push(all_ready_s.into_iter().fold(f64::INFINITY, f64::min));
        }
        assert!(fastest_s[0] < fastest_s[1], "what tuning gains: {fastest_s:?} s");
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn little_memory_is_enough() {
    with_lab(|lab| {
        let mut least_mib = None;
        for memory_mib in MEMORY_MIB {
            let arguments = Some(stage::arguments(&[format!("--adrift={VESSELS}")]));
            let plan = Plan { memory_mib, arguments, patience: MEMORY_PATIENCE, ..Plan::tuned("small", 13) };
            let (mut guest, start) = match guest::start(lab, &plan) {
                Ok(started) => started,
                Err(why) => {
                    println!("{memory_mib} MiB: {why}");
                    break;
                }
            };
            println!(
                "{memory_mib} MiB, {VESSELS} vessels: ready {:.2} s after it was told what to be, {} KiB available",
                start.ready_s - start.told_s.unwrap(),
                start.ready["mem_available_kib"]
            );
            guest.until(&format!("[ $(xenstore-read /local/domain/$id/data/fairway/vessels) = {VESSELS} ]"));
            assert!(guest.answers(), "{memory_mib} MiB");
            // With one of a pilot more, or a word that there is no room.
            let states = guest.ticks();
            guest.destroy();
            let Some(states) = states else {
                println!("{memory_mib} MiB: no room for another vessel");
                break;
            };
            assert!(states > 0, "{memory_mib} MiB");
            least_mib = Some(memory_mib);
        }
        println!("the least that serves: {least_mib:?} MiB");
        assert!(least_mib.is_some_and(|least| least <= MEMORY_ENOUGH_MIB), "{least_mib:?} MiB");
        lab.ask(guest::PATIENCE, "xl destroy small");
    });
}

/// The same kernel and ramdisk by PVH's entry, started by QEMU itself: no hypervisor of Xen's, no xenstore, no network.
#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn kernel_boots_by_its_pvh_entry_too() {
    let console = lab::boot_directly("tuned", MEMORY_PATIENCE, "fairway-region: ready ").unwrap();
    let ready = console.lines().find_map(|line| line.split_once("fairway-region: ready ")).unwrap().1;
    let ready: serde_json::Value = serde_json::from_str(ready).unwrap();
    println!("PVH: {ready}");
    let (x, y) = stage::start_cell();
    assert_eq!(ready["cells"], serde_json::json!([[x, y]]));
    assert!(console.contains("no xenstore"), "{console}");
}
