use super::*;
use crate::units::TICK_HZ;

fn event(what: Kind) -> Event {
    Event {
        id: 1,
        what,
        from: Tick(1_000 * TICK_HZ),
        until: Tick(1_600 * TICK_HZ),
        place: DVec2::new(100.0, 0.0),
        velocity_mps: DVec2::new(5.0, 0.0),
        radius_m: if what.is_line() { 0.0 } else { 400.0 },
        strength: 3.0,
        scripted: false,
    }
}

fn at_s(t_s: u64) -> Tick {
    Tick(t_s * TICK_HZ)
}

#[test]
fn discs_act_where_they_have_drifted_to() {
    let squall = event(Kind::Squall);
    assert!(squall.acts_at(DVec2::new(100.0, 399.0), at_s(1_000)));
    assert!(!squall.acts_at(DVec2::new(100.0, 399.0), at_s(1_100)), "it has gone 500 m");
    assert!(squall.acts_at(DVec2::new(600.0, 399.0), at_s(1_100)));
    assert!(!squall.acts_at(DVec2::new(100.0, 0.0), at_s(999)) && !squall.acts_at(squall.place, at_s(1_600)));
    assert!((squall.distance_m(DVec2::new(600.0, 1_000.0), at_s(1_100)) - 600.0).abs() < 1e-6);
}

#[test]
fn lines_pass_each_place_in_its_turn() {
    let front = event(Kind::Front);
    for (x, first_s) in [(100.0, 1_000), (600.0, 1_100), (-400.0, 900)] {
        for y in [-40_000.0, 0.0, 90_000.0] {
            let place = DVec2::new(x, y);
            assert!(!front.acts_at(place, at_s(first_s - 1)) && front.acts_at(place, at_s(first_s + 1)));
            assert!(front.acts_at(place, at_s(first_s + 599)) && !front.acts_at(place, at_s(first_s + 601)));
        }
    }
    // A hundred seconds of its way.
    assert!((front.distance_m(DVec2::new(600.0, 0.0), at_s(1_000)) - 500.0).abs() < 1e-6);
}

#[test]
fn crews_are_told_before_and_within_sight() {
    let squall = event(Kind::Squall);
    let near = DVec2::new(100.0, 3_000.0);
    assert!(!squall.is_told(near, at_s(699)) && squall.is_told(near, at_s(701)), "five minutes ahead");
    assert!(!squall.is_told(DVec2::new(100.0, 3_500.0), at_s(1_000)), "out of sight");
    assert!(!squall.is_told(near, at_s(1_600)), "over");
    let front = event(Kind::Front);
    assert!(front.is_told(DVec2::new(2_900.0, 0.0), at_s(1_000)), "it comes");
    assert!(!front.is_told(DVec2::new(-5_000.0, 0.0), at_s(1_000)), "it has passed");
}
