//! A fleet that sails through guests: the harbour in dom0 starts them ahead of it and stops them behind it, its host
//! shuts one down with the fleet aboard, and destroys another.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, with_lab};
use crate::stage::COURSE;

/// Emulated boats sail slowly, and a border is a cell away.
const PATIENCE: Duration = Duration::from_secs(300);
/// What `fairway sail` takes to say how it went.
const SUMMARY_PATIENCE: Duration = Duration::from_secs(120);
const VESSELS: u64 = 2;

/// Looks in a row in which one guest must have all of them: none of them is being handed on.
const LOOKS: usize = 4;

/// The guest that sails all vessels, once there is one other than these.
fn next_owner(lab: &mut Lab, before: &[String]) -> String {
    let began = Instant::now();
    let mut seen = Vec::new();
    loop {
        // Each guest that serves: its name, and how many vessels it sails.
        let text = lab.run(
            PATIENCE,
            "for id in $(xenstore-list /local/domain); do\n\
             state=/local/domain/$id/data/fairway; vessels=$(xenstore-read $state/vessels 2>/dev/null) || continue\n\
             echo \"$(xenstore-read /local/domain/$id/name) $vessels $(xenstore-read $state/state)\"; done; \
             [ ! -e /tmp/sail.status ] || { cat /tmp/sail.json; tail -20 /tmp/sail.err; exit 1; }",
        );
        let guests: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let all = guests.iter().find(|guest| guest[1] == VESSELS.to_string() && guest[2] == "ready");
        // Somebody who could take them next stands by.
        let company = guests.iter().filter(|guest| guest[2] == "ready").count() > 1;
        let owner = all.filter(|guest| company && !before.iter().any(|name| name == guest[0]));
        seen.push(owner.map(|guest| guest[0].to_owned()));
        let last = &seen[seen.len().saturating_sub(LOOKS)..];
        if let Some(Some(owner)) =
            last.first().filter(|first| last.len() == LOOKS && last.iter().all(|one| one == *first))
        {
            println!("all in {owner} after {:.0} s", began.elapsed().as_secs_f64());
            return owner.clone();
        }
        assert!(began.elapsed() < PATIENCE, "nobody but {before:?} has all of them: {text}");
        std::thread::sleep(Duration::from_secs(2));
    }
}

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn fleet_sails_through_guests() {
    with_lab(|lab| {
        lab.run(
            PATIENCE,
            &format!(
                "cd /lab; rm -f /tmp/sail.*\n\
                 {{ ./fairway sail regions/{COURSE} --vessels {VESSELS} --boat launch --warp 1 -o json \
                 --engine xl --image /lab/tuned --bridge br0 --network 10.0.0.0/24 --patience 120 --silence 15 \
                 >/tmp/sail.json 2>/tmp/sail.err & echo $! >/tmp/sail.pid; wait $!; echo $? >/tmp/sail.status; }} \
                 </dev/null >/dev/null 2>&1 &"
            ),
        );
        // Across a border, to a guest that was started ahead of them.
        let mut owners = vec![next_owner(lab, &[])];
        owners.push(next_owner(lab, &owners));
        // From a guest that is shut down, to whoever stands by.
        lab.run(PATIENCE, &format!("xl shutdown {}", owners[1]));
        owners.push(next_owner(lab, &owners));
        lab.until(PATIENCE, &format!("! xl domid {}", owners[1]));
        // From one that is no more, by its guard.
        lab.run(PATIENCE, &format!("xl destroy {}", owners[2]));
        owners.push(next_owner(lab, &owners));

        lab.run(PATIENCE, "kill -INT $(cat /tmp/sail.pid)");
        lab.until(SUMMARY_PATIENCE, "cat /tmp/sail.status");
        let text = lab.run(PATIENCE, "cat /tmp/sail.json");
        let summary: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        println!("{summary}");
        let count = |key: &str| summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {summary}"));
        assert!(
            count("handoffs") >= 2 * VESSELS,
            "over a border, and away from a guest that ends: {summary}"
        );
        assert_eq!(count("resumed"), VESSELS, "by their guard: {summary}");
        assert_eq!(count("regions_failed"), 1, "the one that was destroyed: {summary}");
        assert!(count("regions_started") >= 4, "{summary}");
        let states: Vec<_> = summary["vessels"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
        assert_eq!(states, ["sailing"; VESSELS as usize], "{summary}");
        // Nobody is left behind, in no guest either.
        assert_eq!(
            lab.until(SUMMARY_PATIENCE, "xl list | awk 'NR > 2'; [ $(xl list | wc -l) = 2 ]").trim(),
            ""
        );
    });
}
