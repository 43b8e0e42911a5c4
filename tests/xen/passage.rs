//! A fleet that sails through guests: the harbour in dom0 starts them ahead of it and stops them behind it.

use std::time::Duration;

use serde_json::Value;

use crate::lab::with_lab;
use crate::stage::COURSE;

/// Emulated boats sail slowly.
const PATIENCE: Duration = Duration::from_secs(400);

#[test]
#[ignore = "boots Xen in QEMU: .ci/xen runs it"]
fn fleet_sails_through_guests() {
    with_lab(|lab| {
        let answer = lab.ask(
            PATIENCE,
            &format!(
                "cd /lab && ./fairway sail regions/{COURSE} --vessels 2 --warp 2 --for 7m -o json --engine xl \
                 --image /lab/tuned --bridge br0 --network 10.0.0.0/24 2>/tmp/sail.err >/tmp/sail.json\n\
                 status=$?; cat /tmp/sail.json; [ $status = 0 ] || {{ tail -20 /tmp/sail.err; exit $status; }}"
            ),
        );
        assert_eq!(answer.status, 0, "{}", answer.text);
        let summary: Value = serde_json::from_str(&answer.text).unwrap();
        println!("{summary}");
        let count = |key: &str| summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {summary}"));
        assert!(count("handoffs") >= 2, "{summary}");
        assert!(count("regions_started") >= 2, "{summary}");
        assert_eq!(count("regions_started"), count("regions_stopped"), "{summary}");
        // Nobody is left behind, in no guest either.
        let guests = lab.run(PATIENCE, "xl list | awk 'NR > 2'");
        assert_eq!(guests.trim(), "", "{summary}");
    });
}
