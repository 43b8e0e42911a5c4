//! Vessels that are moored and go on: the real harbour with its store, and real regions, over played time, network
//! and processes; and once as a user would, with real ones.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "tests are no library, and use a part of the simulator"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nor a model"
)]

#[path = "simulate/dice.rs"]
mod dice;
#[path = "simulate/judge.rs"]
mod judge;
#[path = "simulate/net.rs"]
mod net;
#[path = "simulate/world.rs"]
mod world;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fairway::harbour::answers::{
    BookingRequest, MooredAnswer, MooredLine, PassageAnswer, PassageState, ResumeRequest, StatusAnswer,
};
use fairway::harbour::client::HarbourClient;
use fairway::harbour::{Answer, Request};
use fairway::region::Logged;
use fairway::sim::{Sim, Vessel};
use fairway::units::{RegionId, Tick, VesselId};
use fairway::wire::message::{AppliedInput, Epoch, Given};
use net::S;
use world::{Stage, World};

/// A seed whose network is clean and whose clocks agree.
const SEED: u64 = 3;

/// Turns in which a vessel that sank its region is set apart: its guard was found, and gave its shadow.
const SET_APART: u64 = 24;

fn moored(world: &mut World<'_>) -> Vec<MooredLine> {
    let answer = world.answer(&Request::Moored { from: VesselId(0), limit: None }, 5 * S).unwrap();
    serde_json::from_str::<MooredAnswer>(&answer.body).unwrap().moored
}

fn resume(world: &mut World<'_>, vessel: VesselId, quarantine: bool) -> Answer {
    world.answer(&Request::Resume(vessel, ResumeRequest { quarantine }), 10 * S).expect("an answer")
}

fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

fn run_for(world: &mut World<'_>, time: u64) {
    world.run_until(world.now() + time);
}

/// Runs until something is so.
fn run_until(world: &mut World<'_>, what: &str, patience: u64, mut so: impl FnMut(&mut World<'_>) -> bool) {
    let until = world.now() + patience;
    while !so(world) {
        assert!(world.now() < until, "{what} in vain");
        run_for(world, S / 20);
    }
}

/// Gives a passage up and waits until its vessel is ashore.
fn give_up(world: &mut World<'_>, vessel: VesselId) {
    world.answer(&Request::GiveUp(vessel), 5 * S).unwrap();
    run_until(world, "mooring", 5 * S, |world| moored(world).iter().any(|line| line.vessel == vessel.0));
}

/// What was published of a vessel, in order: ticks, epochs, hashes.
fn published(world: &World<'_>, id: VesselId) -> Vec<(Tick, Epoch, u64)> {
    let entry = |entry: &world::Entry| match &entry.logged {
        Logged::Published { vessel, tick, epoch, hash } if *vessel == id => Some((*tick, *epoch, *hash)),
        _ => None,
    };
    let mut found: Vec<_> = world.log.iter().filter_map(entry).collect();
    found.sort_unstable_by_key(|(tick, ..)| *tick);
    found
}

fn launches(world: &World<'_>, id: VesselId) -> Vec<(Tick, Vessel)> {
    let entry = |entry: &world::Entry| match &entry.logged {
        Logged::Launched(tick, vessel) if vessel.id == id => Some((*tick, (**vessel).clone())),
        _ => None,
    };
    world.log.iter().filter_map(entry).collect()
}

fn hash(stage: &Stage, vessel: &Vessel, tick: Tick) -> u64 {
    let mut sim = Sim::new(Arc::clone(&stage.sea), Vec::new(), tick);
    sim.insert(vessel.clone());
    sim.hash(vessel.id).unwrap()
}

/// Stops the harbour and holds the whole run to the laws.
fn judge(stage: &Stage, world: &mut World<'_>) {
    assert!(world.answer(&Request::Stop { reason: None }, 25 * S).is_some() && world.harbour_is_over());
    judge::judge(stage, world, None);
    assert!(world.violations.is_empty(), "{:?}", world.violations);
}

#[test]
fn given_up_vessel_goes_on_where_and_as_it_was() {
    let stage = Stage::new();
    let mut world = World::new(&stage, SEED);
    let id = world.book("launch");
    run_for(&mut world, 12 * S);
    give_up(&mut world, id);
    let lines = moored(&mut world);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].reason.contains("given up by request") && !lines[0].needs_quarantine, "{lines:?}");
    // Its region goes, and time passes.
    run_for(&mut world, 20 * S);
    assert!(world.owners().is_empty());
    let before = *published(&world, id).last().unwrap();
    assert_eq!(before.0.0, lines[0].tick);
    let passage: PassageAnswer = serde_json::from_str(&resume(&mut world, id, false).body).unwrap();
    assert_eq!((passage.state, passage.vessel), (PassageState::Sailing, id.0));
    assert!(passage.region.is_some() && passage.ticket.is_some(), "its crew can come aboard");
    run_until(&mut world, "sailing", 5 * S, |world| world.vessel(id).is_some());
    let launches = launches(&world, id);
    let (tick, vessel) = &launches[1];
    assert_eq!(hash(&stage, vessel, *tick), before.2, "not a bit of its state is another");
    assert!(tick.since(before.0) > 15 * 45);
    run_for(&mut world, 5 * S);
    let now = *published(&world, id).last().unwrap();
    assert!(now.0.since(*tick) > 4 * 45, "it sails on");
    assert!(now.1.term > before.1.term, "{now:?} after {before:?}");
    assert!(moored(&mut world).is_empty());
    assert!(error(&resume(&mut world, id, false), 409).contains("under way"));
    judge(&stage, &mut world);
}

/// Waits until a vessel sails with a guard, and has its own region die of it.
fn sink(world: &mut World<'_>, id: VesselId) -> RegionId {
    run_until(world, "sailing", 10 * S, |world| world.vessel(id).is_some());
    let (region, ..) = world.vessel(id).unwrap();
    world.sink(region, id);
    region
}

/// Sinks a vessel until it is moored: once among others, once alone.
fn sink_twice(world: &mut World<'_>, id: VesselId) {
    let first = sink(world, id);
    run_until(world, "sailing alone", 10 * S, |world| world.vessel(id).is_some_and(|(own, ..)| own != first));
    sink(world, id);
    run_until(world, "mooring", 5 * S, |world| !moored(world).is_empty());
}

#[test]
fn vessel_that_sank_two_regions_goes_on_alone_and_only_when_told_so() {
    let stage = Stage::new();
    let mut world = World::new(&stage, SEED);
    let id = world.book("launch");
    let other = world.book("launch");
    run_for(&mut world, 12 * S);
    let crash = world.vessel(id).unwrap().2;
    sink_twice(&mut world, id);
    let line = moored(&mut world).remove(0);
    assert!(line.needs_quarantine && line.regions_sunk == 2 && line.reason.contains("2 regions"), "{line:?}");
    let refused = error(&resume(&mut world, id, false), 409);
    assert!(refused.contains("\"quarantine\": true"), "{refused}");
    assert!(world.vessel(id).is_none());
    run_for(&mut world, 10 * S);
    let answer = resume(&mut world, id, true);
    assert_eq!(answer.status, 200, "{answer:?}");
    run_until(&mut world, "sailing", 5 * S, |world| world.vessel(id).is_some());
    let (alone, vessel, _) = world.vessel(id).unwrap();
    // What its crew had ordered by then it still follows, but for what no guard had heard of.
    let ordered = world.log.iter().filter_map(|entry| match &entry.logged {
        Logged::Applied(AppliedInput { vessel, tick, given: Given::Order(input) }) => {
            (*vessel == id && tick.after(3) <= crash).then_some(*input)
        }
        _ => None,
    });
    let last = ordered.max_by_key(|input| (input.session, input.seq)).expect("orders");
    assert!((vessel.state.session, vessel.state.seq) >= (last.session, last.seq), "{:?}", vessel.state);
    // Alone: nobody is introduced to it, while the other one has company.
    run_for(&mut world, 10 * S);
    let (_, shadows) = world.held_by(alone);
    assert_eq!((world.vessel(id).unwrap().0, shadows), (alone, 0));
    assert_ne!(world.vessel(other).unwrap().0, alone);
    // And it does it again: ashore at once, with all that is known of it.
    world.sink(alone, id);
    run_until(&mut world, "mooring", 5 * S, |world| !moored(world).is_empty());
    assert_eq!(moored(&mut world)[0].regions_sunk, 3);
    // Once more, and it behaves: after half a minute it is among the others, and nothing of it is kept ashore.
    assert_eq!(resume(&mut world, id, true).status, 200);
    run_for(&mut world, 40 * S);
    assert!(world.vessel(id).is_some());
    assert!(moored(&mut world).is_empty());
    let status = world.status().unwrap();
    assert_eq!(status.sailing, 2, "{status:?}");
    judge(&stage, &mut world);
}

/// Whatever the harbour was doing when it was killed, the vessel sails on afterwards, once.
#[test]
fn harbour_that_is_killed_while_it_resumes_a_vessel_goes_on_with_it() {
    let stage = Stage::new();
    for quarantine in [false, true] {
        for turns in (0..40).step_by(2) {
            let mut world = World::new(&stage, SEED);
            let id = world.book("launch");
            run_for(&mut world, 6 * S);
            give_up(&mut world, id);
            run_for(&mut world, 8 * S);
            assert!(world.owners().is_empty());
            let _answer = world.ask(Request::Resume(id, ResumeRequest { quarantine }));
            for _ in 0..turns {
                world.turn();
            }
            world.kill_harbour(S);
            let story = format!("killed after {turns} turns, alone: {quarantine}");
            run_until(&mut world, &story, 15 * S, |world| world.vessel(id).is_some());
            run_for(&mut world, 4 * S);
            let (region, ..) = world.vessel(id).expect("it sails");
            assert_eq!(world.owners(), [region], "{story}");
            // Alone: for all that the plan knows, nobody sails, and no other region is there.
            assert_eq!(world.running() == [region], quarantine, "{story}: {:?}", world.running());
            assert!(matches!(world.passage(id), Some((PassageState::Sailing, _))), "{story}");
            assert!(moored(&mut world).is_empty(), "{story}");
            judge(&stage, &mut world);
        }
    }
}

/// The same while it is sinking its second region, and while it is being moored.
#[test]
fn harbour_that_is_killed_while_a_vessel_sinks_its_regions_loses_nothing() {
    let stage = Stage::new();
    for turns in (0..48).step_by(3) {
        let mut world = World::new(&stage, SEED);
        let id = world.book("launch");
        run_for(&mut world, 8 * S);
        let first = sink(&mut world, id);
        for _ in 0..turns {
            world.turn();
        }
        world.kill_harbour(S);
        let story = format!("killed {turns} turns after a vessel had sunk its region");
        run_until(&mut world, &story, 20 * S, |world| {
            let ashore = world.status().is_some() && !moored(world).is_empty();
            ashore || world.vessel(id).is_some_and(|(region, ..)| region != first)
        });
        run_for(&mut world, 4 * S);
        // By then the harbour had set it apart, or its region had not started yet: either is on disk.
        if turns >= SET_APART {
            let own = world.vessel(id).map(|(region, ..)| region);
            assert_eq!(world.running(), Vec::from_iter(own), "{story}: not alone");
        }
        if let [line] = &moored(&mut world)[..] {
            assert_eq!(resume(&mut world, VesselId(line.vessel), true).status, 200, "{story}");
        }
        run_until(&mut world, &story, 10 * S, |world| world.vessel(id).is_some());
        judge(&stage, &mut world);
    }
}

/// A harbour of real processes, ended with this value.
struct Process {
    child: Child,
    http: std::net::SocketAddr,
}

impl Process {
    fn start(state: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fairway"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["harbour", "regions/gullwing", "--http-port=0", "--state"])
            .arg(state)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        Self { child, http: ready["http"].as_str().unwrap().parse().unwrap() }
    }

    fn ask(&self, args: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_fairway"))
            .args(args)
            .args(["--harbour", &self.http.to_string()])
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As a user would: moored when the harbour was stopped, resumed by command when it is there again.
#[test]
fn vessel_outlives_its_stopped_harbour_and_is_resumed_by_command() {
    let state = tempfile::tempdir().unwrap();
    {
        let mut harbour = Process::start(state.path());
        let client = HarbourClient::new(harbour.http);
        let (code, out, _) = harbour.ask(&["moored"]);
        assert_eq!((code, out.as_str()), (0, "no vessel is moored\n"));
        let booking =
            BookingRequest { boat: "launch".into(), key: "ab".repeat(32), name: Some("Gull".into()) };
        assert_eq!(client.book(&booking).unwrap().vessel, 1);
        std::thread::sleep(std::time::Duration::from_millis(600));
        let status = client.stop("gone for lunch").unwrap();
        assert_eq!((status.afloat, status.given_up), (0, 1));
        harbour.child.wait().unwrap();
    }
    let harbour = Process::start(state.path());
    let (code, out, error) = harbour.ask(&["moored", "-o", "json"]);
    assert_eq!(code, 0, "{error}");
    let list: MooredAnswer = serde_json::from_str(&out).unwrap();
    assert_eq!(list.moored.len(), 1, "{out}");
    assert_eq!((list.moored[0].name.as_str(), list.moored[0].reason.as_str()), ("Gull", "gone for lunch"));
    let (code, out, error) = harbour.ask(&["resume", "1", "-o", "json"]);
    assert_eq!(code, 0, "{error}");
    let passage: PassageAnswer = serde_json::from_str(&out).unwrap();
    assert_eq!(passage.state, PassageState::Sailing);
    let (code, out, error) = harbour.ask(&["status", "-o", "json"]);
    assert_eq!(code, 0, "{error}");
    let status: StatusAnswer = serde_json::from_str(&out).unwrap();
    assert_eq!((status.sailing, status.given_up), (1, 0), "{out}");
    assert!(out.contains("\"joins_refused\":0"), "{out}");
    let (code, out, error) = harbour.ask(&["resume", "1", "-o", "json"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("under way"), "{error}");
    let (code, _, error) = harbour.ask(&["resume", "9"]);
    assert!(code == 2 && error.contains("vessel 9"), "{error}");
    HarbourClient::new(harbour.http).stop("the test is over").unwrap();
}
