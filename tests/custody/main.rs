//! Every order in which a handoff and up to two faults can act, up to a bound: who publishes which tick, under which
//! lease, and who sails on. The state machines that are checked are those that run.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests are no library")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "nor a model"
)]

mod harbour;
mod region;
mod world;

use std::io::Write as _;
use std::time::{Duration, Instant};

use region::Rule;
use stateright::{Checker, Expectation, HasDiscoveries, Model};
use world::{Kind, REGIONS, Sea};

/// A check that takes longer than this is no check but a flaw of the bounds.
const PATIENCE: Duration = Duration::from_secs(300);
/// What one quiet handoff takes; the others differ in what may go wrong.
const QUIET: Sea = Sea {
    rule: Rule::Ours,
    ticks: 4,
    faults: 0,
    kinds: &[],
    mortals: &REGIONS,
    offers: 1,
    calls: 0,
    mischief: 0,
    slow_reports: false,
    idle_leases: true,
};

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Looks at every order of events; returns how many states of the world there are.
fn holds(name: &str, sea: Sea) -> usize {
    let begun = Instant::now();
    let checker = sea
        .checker()
        .threads(threads())
        .finish_when(HasDiscoveries::AnyFailures)
        .timeout(PATIENCE)
        .spawn_bfs()
        .join();
    let elapsed = begun.elapsed();
    for (claim, path) in checker.discoveries() {
        let fails = checker.model().property(claim).expectation != Expectation::Sometimes;
        assert!(!fails, "{name}: not true that {claim}: {:#?}", path.into_actions());
    }
    assert!(elapsed < PATIENCE, "{name}: not all orders were looked at");
    let states = checker.unique_state_count();
    let depth = checker.max_depth();
    say(&format!(
        "custody: {name}: {states} states, up to {depth} events deep, {:.1} s",
        elapsed.as_secs_f64()
    ));
    states
}

/// Finds an order of events in which a wrong rule breaks a claim.
fn breaks(name: &str, claim: &'static str, rule: Rule, sea: Sea) {
    let sea = Sea { rule, ..sea };
    let checker = sea
        .checker()
        .threads(threads())
        .finish_when(HasDiscoveries::AnyOf([claim].into()))
        .timeout(PATIENCE)
        .spawn_bfs()
        .join();
    let path = checker.discovery(claim).unwrap_or_else(|| panic!("{name}: it is not found that not {claim}"));
    let events = path.into_actions().len();
    say(&format!("custody: wrong rule, {name}: after {events} events it is not true that {claim}"));
}

#[test]
fn custody_holds_in_every_order() {
    let [owner, target, guard] = [&REGIONS[..1], &REGIONS[1..2], &REGIONS[2..]];
    let (die, image) = (&[Kind::Die][..], &[Kind::Die, Kind::Image][..]);
    let one = Sea { faults: 1, ..QUIET };
    let two = Sea { faults: 2, ticks: 3, ..QUIET };
    let states = [
        holds("nothing goes wrong", Sea { offers: 2, ..QUIET }),
        holds("words are lost and repeated", Sea { mischief: 2, ..QUIET }),
        holds("reports are slow", Sea { slow_reports: true, idle_leases: false, ticks: 3, ..QUIET }),
        holds("the owner dies", Sea { kinds: die, mortals: owner, ..one.clone() }),
        holds("the target dies", Sea { kinds: die, mortals: target, ..one.clone() }),
        holds("the guard dies", Sea { kinds: die, mortals: guard, ticks: 3, ..one.clone() }),
        holds("a region stops for a while", Sea { kinds: &[Kind::Stop], ..one.clone() }),
        holds("a circuit breaks", Sea { kinds: &[Kind::Break], calls: 1, ..one.clone() }),
        holds("the harbour comes back", Sea { kinds: &[Kind::Restart], ticks: 2, ..one }),
        holds("the owner dies, its image wakes", Sea { kinds: image, mortals: owner, ..two.clone() }),
        holds("the target dies, its image wakes", Sea { kinds: image, mortals: target, ..two.clone() }),
        holds("owner and target die", Sea { kinds: die, mortals: &REGIONS[..2], ticks: 2, ..two.clone() }),
        holds(
            "the owner dies, the harbour comes back",
            Sea { kinds: &[Kind::Die, Kind::Restart], mortals: owner, ticks: 2, ..two },
        ),
    ];
    let all: usize = states.iter().sum();
    say(&format!("custody: {all} states in all"));
    assert!(all > 500_000, "{all} states are too few: a bound cuts off what matters");
}

/// Each rule matters: without it, the check finds an order of events that breaks a claim.
#[test]
fn wrong_rules_are_found_out() {
    let two_owners = "no tick has two owners";
    let licence = "nobody publishes without a lease or after its end";
    let obeys = "at rest its owner obeys its crew";
    let [owner, target] = [&REGIONS[..1], &REGIONS[1..2]];
    let death = Sea { faults: 1, kinds: &[Kind::Die], mortals: owner, ..QUIET };
    let image = Sea { faults: 2, kinds: &[Kind::Die, Kind::Image], ticks: 3, ..QUIET };
    breaks("the harbour acts on the first answer", two_owners, Rule::FirstAnswer, death.clone());
    breaks("a successor publishes the next tick", two_owners, Rule::NextTick, death.clone());
    breaks("an answer is no promise", two_owners, Rule::NoPromise, death);
    breaks("no leases", licence, Rule::NoLease, Sea { mortals: owner, ..image.clone() });
    // Each of these three was the rule once.
    let late = Sea { mortals: target, ..image };
    breaks("late ticks need no lease", licence, Rule::LateCommitNeedsNoLease, late);
    let restart = Sea { faults: 2, kinds: &[Kind::Die, Kind::Restart], mortals: owner, ticks: 2, ..QUIET };
    breaks("the harbour forgets who ended", two_owners, Rule::ForgottenEnds, restart);
    let circuit = Sea { faults: 1, kinds: &[Kind::Break], calls: 1, ..QUIET };
    breaks("an old handoff seals a vessel", obeys, Rule::OldHandoffStays, circuit);
}
