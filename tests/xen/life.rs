//! How a region's guest ends, and how it comes back.

use crate::guest::{self, Plan};
use crate::lab::with_lab;

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn shutdown_drains_and_powers_off() {
    with_lab(|lab| {
        let plan = Plan { afterwards: "preserve", ..Plan::tuned("shutdown", 31) };
        let (mut guest, _) = guest::start(lab, &plan).unwrap();
        guest.until_state("ready");
        // Every state that it goes through, as a host sees them that watches.
        guest.run(
            "state=/local/domain/$id/data/fairway/state\n\
             xenstore-watch $state | while read -r path; do xenstore-read $state; done >/tmp/states 2>/dev/null &",
        );
        guest.until("grep -q ready /tmp/states");
        let began = guest.run("cut -d' ' -f1 /proc/uptime; xl shutdown $name");
        guest.until("xl list $name; [ $(xl list $name | awk 'NR == 2 && $5 ~ /s/' | wc -l) = 1 ]");
        let ended = guest.run("cut -d' ' -f1 /proc/uptime");
        let seconds = |text: &str| text.lines().next().unwrap().trim().parse::<f64>().unwrap();
        println!("xl shutdown to powered off: {:.1} s", seconds(&ended) - seconds(&began));
        assert_eq!(guest.entry("state"), "stopped");
        let flags = guest.run("xl list $name | awk 'NR == 2 { print $5 }'");
        assert!(!flags.contains('c'), "powered off is not crashed: {flags}");
        let order = ["ready", "draining", "stopped"];
        let states = guest.run("cat /tmp/states");
        let seen: Vec<_> = states.lines().map(|line| order.iter().position(|state| *state == line)).collect();
        assert!(seen.iter().all(Option::is_some) && seen.is_sorted(), "{states}");
        guest.destroy();
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn restored_guest_sails_on() {
    with_lab(|lab| {
        let (mut guest, start) = guest::start(lab, &Plan::tuned("saved", 32)).unwrap();
        guest.until_state("ready");
        assert!(guest.ticks() > Some(0), "before");
        let before = guest.run("echo $id; xl save $name /tmp/saved.state; ls -l /tmp/saved.state");
        guest.until("! xl domid $name");
        // Longer than what counts as an outage.
        guest.run("sleep 2; xl restore /tmp/saved.state; rm /tmp/saved.state");
        let after = guest.run("echo $id");
        assert_ne!(before.lines().next(), after.lines().next(), "it has another number");
        // Nothing of it was left in xenstore: it has noticed, and says everything anew.
        guest.until_state("ready");
        let told: serde_json::Value = serde_json::from_str(&guest.entry("ready")).unwrap();
        assert_eq!(told, start.ready);
        println!("{}", guest.until("grep -a 'was away for' $log").trim());
        assert!(guest.answers(), "after");
        assert!(guest.ticks() > Some(0), "after");
        guest.run("xl vcpu-list $name; xl shutdown -w $name");
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn destroyed_guest_leaves_its_neighbour_alone() {
    with_lab(|lab| {
        let (mut one, _) = guest::start(lab, &Plan::tuned("neighbour", 33)).unwrap();
        one.until_state("ready");
        let (mut other, _) = guest::start(lab, &Plan::tuned("destroyed", 34)).unwrap();
        other.until_state("ready");
        let id = other.run("echo $id");
        other.destroy();
        other.until(&format!("! xl domid $name && ! xenstore-exists /local/domain/{}", id.trim()));
        other.until(&format!(
            "ls /sys/class/net/br0/brif; ! ls /sys/class/net/br0/brif | grep vif{}.",
            id.trim()
        ));
        let mut one = guest::Guest { lab, plan: Plan::tuned("neighbour", 33) };
        assert_eq!(one.entry("state"), "ready");
        assert!(one.answers() && one.ticks() > Some(0));
        one.destroy();
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn guest_that_cannot_begin_says_why_and_ends() {
    with_lab(|lab| {
        let plan = Plan { words: Some("fairway.ip=harbour"), ..Plan::tuned("lost", 35) };
        let why = guest::start(lab, &plan).err().unwrap();
        assert!(why.contains("it ended") && why.contains("harbour"), "{why}");
    });
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn first_process_that_is_lost_is_a_crash() {
    with_lab(|lab| {
        let plan = Plan {
            words: Some("rdinit=/nowhere"),
            afterwards: "preserve",
            patience: std::time::Duration::from_secs(15),
            ..Plan::tuned("crashed", 36)
        };
        assert!(guest::start(lab, &plan).is_err());
        let mut guest = guest::Guest { lab, plan };
        guest.until("xl list $name; [ $(xl list $name | awk 'NR == 2 && $5 ~ /c/' | wc -l) = 1 ]");
        guest.destroy();
    });
}
