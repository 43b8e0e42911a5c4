//! Every order in which a handoff, deaths, stops, images and a harbour's restart can meet, up to a bound.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests are no library")]

mod harbour;
mod region;
mod world;

use std::io::Write as _;
use std::time::Instant;

use region::Rule;
use stateright::{Checker, HasDiscoveries, Model};
use world::{Kind, Sea};

#[test]
fn probe() {
    let number = |name: &str, default: u64| std::env::var(name).map_or(default, |t| t.parse().unwrap());
    let kinds: &'static [Kind] = match number("KINDS", 0) {
        0 => &[Kind::Die, Kind::Stop, Kind::Image, Kind::Restart],
        1 => &[Kind::Die],
        2 => &[Kind::Break],
        3 => &[Kind::Die, Kind::Image],
        4 => &[Kind::Die, Kind::Restart],
        5 => &[Kind::Stop],
        _ => &[Kind::Die, Kind::Stop, Kind::Image, Kind::Restart, Kind::Break],
    };
    let rules = [
        Rule::Ours,
        Rule::FirstAnswer,
        Rule::NextTick,
        Rule::NoPromise,
        Rule::NoLease,
        Rule::LateCommitNeedsNoLease,
        Rule::OldHandoffStays,
        Rule::ForgottenEnds,
    ];
    let sea = Sea {
        rule: rules[number("RULE", 0) as usize],
        ticks: number("TICKS", 5),
        faults: number("FAULTS", 1) as u8,
        kinds,
        mortals: match number("MORTAL", 0) {
            0 => &world::REGIONS,
            1 => &world::REGIONS[..1],
            2 => &world::REGIONS[1..2],
            _ => &world::REGIONS[2..],
        },
        offers: number("OFFERS", 1) as u8,
        calls: number("CALLS", 0) as u8,
        mischief: number("MISCHIEF", 0) as u8,
        slow_reports: number("SLOW", 0) > 0,
        idle_leases: number("LEASED", 1) > 0,
    };
    let begun = Instant::now();
    let dfs = number("DFS", 0) > 0;
    if dfs {
        let checker = sea
            .checker()
            .threads(2)
            .finish_when(HasDiscoveries::AnyFailures)
            .timeout(std::time::Duration::from_secs(number("SECS", 60)))
            .spawn_dfs()
            .join();
        let _ = writeln!(
            std::io::stdout(),
            "{} states, {:?}",
            checker.unique_state_count(),
            checker.discoveries().into_iter().map(|(n, p)| (n, p.into_actions())).collect::<Vec<_>>()
        );
        return;
    }
    let checker = sea
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .timeout(std::time::Duration::from_secs(number("SECS", 60)))
        .spawn_bfs()
        .join();
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "{} states, {} unique, depth {}, {:.1?}, done {}",
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        begun.elapsed(),
        checker.is_done()
    );
    for (name, path) in checker.discoveries() {
        let _ = writeln!(out, "== {name}: {} steps", path.clone().into_actions().len());
        if !name.starts_with("a ") {
            let last = path.last_state().clone();
            for action in path.into_actions() {
                let _ = writeln!(out, "   {action:?}");
            }
            let _ = writeln!(out, "{:?}\n{:#?}", last.published, last.harbour);
            for r in &last.regions {
                let _ = writeln!(out, "{r:?}");
            }
        }
    }
}
