//! A fleet that sails through guests: the harbour in dom0 starts them ahead of it and stops them behind it, its host
//! destroys one with a vessel aboard, and shuts another down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{Lab, with_lab};
use crate::stage::COURSE;

/// Emulated boats sail slowly, and a border is a cell away.
const PATIENCE: Duration = Duration::from_secs(300);
/// What `fairway sail` takes to say how it went.
const SUMMARY_PATIENCE: Duration = Duration::from_secs(120);
const VESSELS: u64 = 2;
/// Guests that sail some vessel, one after the other.
const GUESTS: usize = 4;

/// What xenstore has of a guest.
#[derive(Debug, Default)]
struct Guest {
    name: String,
    vessels: u64,
    state: String,
}

/// All guests, of lines like `/local/domain/5/data/fairway/state = "ready"`.
fn guests(text: &str) -> Vec<Guest> {
    let mut guests: BTreeMap<&str, Guest> = BTreeMap::new();
    for (path, value) in text.lines().filter_map(|line| line.split_once(" = ")) {
        let (number, key) = path.trim_start_matches("/local/domain/").split_once('/').unwrap();
        let (guest, value) = (guests.entry(number).or_default(), value.trim_matches('"'));
        match key {
            "name" => guest.name = value.to_owned(),
            "data/fairway/vessels" => guest.vessels = value.parse().unwrap(),
            _ => guest.state = value.to_owned(),
        }
    }
    guests.into_values().collect()
}

/// The fleet in its guests, and every guest that ever had some of it.
struct Fleet<'lab> {
    lab: &'lab mut Lab,
    owners: BTreeSet<String>,
}

impl Fleet<'_> {
    /// Waits until all vessels are in guests that serve, other than one, while another stands by, and until more is so;
    /// returns one of those that have some.
    fn sails(&mut self, but: &str, until: impl Fn(&Self) -> bool) -> String {
        let began = Instant::now();
        loop {
            // In one go: a process takes an emulated dom0 a quarter of a second.
            let text = self.lab.run(
                PATIENCE,
                "[ ! -e /tmp/sail.status ] || { cat /tmp/sail.json; tail -20 /tmp/sail.err; exit 1; }\n\
                 xenstore-ls -f /local/domain | grep -E '^/local/domain/[0-9]+/(name|data/fairway/(vessels|state)) '",
            );
            let mut guests = guests(&text);
            guests.retain(|guest| guest.state == "ready" && guest.name != but);
            let aboard: u64 = guests.iter().map(|guest| guest.vessels).sum();
            let owners: Vec<&Guest> = guests.iter().filter(|guest| guest.vessels > 0).collect();
            self.owners.extend(owners.iter().map(|guest| guest.name.clone()));
            if aboard == VESSELS && guests.len() > owners.len() && until(self) {
                println!("after {:.0} s in {owners:?}", began.elapsed().as_secs_f64());
                return owners[0].name.clone();
            }
            assert!(began.elapsed() < PATIENCE, "not all sail but in {but:?}: {text}");
            std::thread::sleep(Duration::from_secs(1));
        }
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
        let mut fleet = Fleet { lab, owners: BTreeSet::new() };
        // Over a border, to a guest that was started ahead of them.
        let one = fleet.sails("", |fleet| fleet.owners.len() > 1);
        // From one that is no more, by its guard.
        fleet.lab.run(PATIENCE, &format!("xl destroy {one}"));
        let one = fleet.sails(&one, |_| true);
        // From one that is told to end.
        fleet.lab.run(PATIENCE, &format!("xl shutdown {one}"));
        fleet.lab.until(PATIENCE, &format!("! xl domid {one}"));
        fleet.sails(&one, |fleet| fleet.owners.len() >= GUESTS);

        let Fleet { lab, owners } = fleet;
        lab.run(PATIENCE, "kill -INT $(cat /tmp/sail.pid)");
        lab.until(SUMMARY_PATIENCE, "cat /tmp/sail.status");
        let text = lab.run(PATIENCE, "cat /tmp/sail.json");
        let summary: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        println!("{summary}\nsailed by {owners:?}");
        let count = |key: &str| summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {summary}"));
        assert!(count("handoffs") >= 2, "over a border, and away from a guest that ends: {summary}");
        assert!(count("regions_failed") >= 1, "the one that was destroyed: {summary}");
        let states: Vec<_> = summary["vessels"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
        assert!(states.iter().all(|state| *state == "sailing"), "{summary}");
        // Nobody is left behind, in no guest either.
        lab.until(SUMMARY_PATIENCE, "xl list; [ $(xl list | wc -l) = 2 ]");
    });
}
