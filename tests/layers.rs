//! Imports point one way: a room uses only rooms below it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests are no library"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the bottom up; a room may use those of lower layers, and those named for it in its own.
const LAYERS: [&[&str]; 4] = [
    &["units", "limits", "trig", "noise", "wide"],
    &["atlas", "weather", "sea", "creatures", "events", "vessel", "sim", "trials"],
    &["wire", "handoff", "custody", "corridor", "region"],
    &[
        "clock", "config", "xenstore", "init", "net", "record", "metrics", "image", "harbour", "pilots",
        "chart", "server",
    ],
];

/// Arrows within a layer. `server` and the programs join shells; no other room does.
const WITHIN: [(&str, &[&str]); 19] = [
    ("limits", &["units"]),
    ("trig", &["units"]),
    ("weather", &["atlas"]),
    ("sea", &["weather", "atlas"]),
    ("creatures", &["sea", "atlas"]),
    ("events", &["sea", "weather", "atlas"]),
    ("vessel", &["sea"]),
    ("sim", &["vessel", "creatures", "sea", "weather", "atlas"]),
    ("trials", &["vessel", "sea"]),
    ("handoff", &["wire"]),
    ("custody", &["wire"]),
    ("region", &["handoff", "custody", "wire"]),
    ("corridor", &[]),
    ("net", &["clock", "config"]),
    ("record", &["clock"]),
    ("init", &["clock", "xenstore"]),
    ("harbour", &["clock", "config", "net", "xenstore", "image"]),
    ("pilots", &["clock", "net"]),
    ("server", &["clock", "config", "init", "net", "record", "metrics"]),
];

fn sources(room: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// Rooms named by `crate::room` outside comments and test modules.
fn rooms_used(text: &str) -> Vec<(usize, String)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut used = Vec::new();
    for (number, line) in code.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for part in line.split("crate::").skip(1) {
            let names = part
                .strip_prefix('{')
                .map_or_else(|| vec![part], |list| list.trim_end_matches(['}', ';']).split(',').collect());
            for name in names {
                let name: String =
                    name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                used.push((number + 1, name));
            }
        }
    }
    used
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let layer_of: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, rooms)| rooms.iter().map(move |&room| (room, layer)))
        .collect();
    let within: BTreeMap<&str, &[&str]> = WITHIN.into_iter().collect();
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        if room == "lib" || room == "bin" {
            continue;
        }
        let layer = layer_of.get(room).unwrap_or_else(|| panic!("src/{room} is in no layer"));
        for (line, used) in rooms_used(&fs::read_to_string(&file).unwrap()) {
            let Some(used_layer) = layer_of.get(used.as_str()) else { continue };
            arrows += 1;
            let beside =
                used_layer == layer && within.get(room).is_some_and(|rooms| rooms.contains(&used.as_str()));
            if used != room && used_layer >= layer && !beside {
                wrong.push(format!("{}:{line}: {room} uses {used}", relative.display()));
            }
        }
    }
    assert!(arrows > 50, "the check saw only {arrows} imports");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}
