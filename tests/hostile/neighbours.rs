//! Regions with good certificates and bad manners: words said again, epochs nobody gave, names not theirs.

use std::time::Duration;

use fairway::units::{Tick, VesselId};
use fairway::wire::message::{Epoch, VesselRecord, Word};

use crate::peer::Peer;
use crate::port::{PATIENCE, Port, record};
use crate::storms::alone;

/// How long a word that should not come is waited for.
const SILENCE: Duration = Duration::from_millis(400);
const OWNERS: Epoch = Epoch { term: 3, hop: 7 };

/// A port with regions 2 and 3 beside it, and region 2 linked.
fn beset() -> (Port, Peer) {
    let port = Port::open();
    port.name_neighbours(&[2, 3]);
    // The list is heard before what comes after it on the same circuit.
    port.launch(1, [0; 32]);
    port.report_when(|told| told.vessels.len() == 1);
    let peer = Peer::link(&port, 2, 2);
    (port, peer)
}

fn offered(tick: Tick) -> VesselRecord {
    record(40, Port::area().centre(), tick, OWNERS, [4; 32])
}

fn offer(number: u32, tick: Tick, commit: Tick) -> Word {
    Word::Offer { number, vessels: vec![offered(tick)], commit }
}

fn commit(number: u32, commit: Tick, epoch: Epoch) -> Word {
    Word::Commit { number, commit, epochs: vec![(VesselId(40), epoch)], inputs: Vec::new() }
}

/// The epochs under which the region says that it owns vessel 40.
fn owned(port: &Port) -> Vec<Epoch> {
    let told = port.report();
    told.vessels.iter().filter(|vessel| vessel.vessel == VesselId(40)).map(|vessel| vessel.epoch).collect()
}

#[test]
fn repeated_offers_and_commits_make_no_second_owner_and_stop_nothing() {
    let _alone = alone();
    let (port, peer) = beset();
    let tick = port.report().tick;
    let at = tick.after(60);
    peer.word(offer(1, tick, at));
    assert_eq!(peer.hear(PATIENCE), Some(Word::Ready { number: 1 }));
    let raised = OWNERS.next_hop();
    peer.word(commit(1, at, raised));
    assert_eq!(peer.hear(PATIENCE), Some(Word::Acknowledged { number: 1 }));
    // Before the commit tick: the same offer, the same vessel under another number, the commit again.
    for (word, number) in [(offer(1, tick, at), 1), (offer(2, tick, at.after(5)), 2)] {
        peer.word(word);
        assert!(matches!(peer.hear(PATIENCE), Some(Word::No { number: n, .. }) if n == number));
    }
    peer.word(commit(1, at, raised));
    assert_eq!(peer.hear(PATIENCE), Some(Word::Acknowledged { number: 1 }));
    peer.word(commit(2, at.after(5), raised));
    assert_eq!(peer.hear(SILENCE), None);
    port.report_when(|told| told.tick > at.after(10));
    assert_eq!(owned(&port), [raised]);
    // And afterwards, as old as they are now, with the old epoch and with a new one.
    for _ in 0..20 {
        peer.word(offer(1, tick, at));
        assert!(matches!(peer.hear(PATIENCE), Some(Word::No { number: 1, .. })));
        peer.word(commit(1, at, raised));
        assert_eq!(peer.hear(PATIENCE), Some(Word::Acknowledged { number: 1 }));
        peer.word(commit(1, at, Epoch { term: 9, hop: 0 }));
        assert_eq!(peer.hear(PATIENCE), Some(Word::Acknowledged { number: 1 }));
    }
    assert_eq!(owned(&port), [raised]);
}

#[test]
fn epochs_that_nobody_gave_are_not_believed() {
    let _alone = alone();
    let (port, peer) = beset();
    let tick = port.report().tick;
    let at = tick.after(90);
    peer.word(offer(1, tick, at));
    assert_eq!(peer.hear(PATIENCE), Some(Word::Ready { number: 1 }));
    let wrong = [
        Epoch { term: OWNERS.term + 1, hop: OWNERS.hop + 1 },
        Epoch { term: OWNERS.term + 1, hop: 0 },
        Epoch { term: u32::MAX, hop: u32::MAX },
        Epoch { hop: OWNERS.hop + 2, ..OWNERS },
        OWNERS,
    ];
    for epoch in wrong {
        peer.word(commit(1, at, epoch));
        assert_eq!(peer.hear(SILENCE / 4), None, "{epoch:?}");
    }
    // Nor other ticks, other vessels, or none.
    peer.word(commit(1, at.after(1), OWNERS.next_hop()));
    for epochs in [vec![], vec![(VesselId(1), OWNERS.next_hop())]] {
        peer.word(Word::Commit { number: 1, commit: at, epochs, inputs: Vec::new() });
    }
    assert_eq!(peer.hear(SILENCE / 2), None);
    port.report_when(|told| told.tick > at.after(10));
    assert_eq!(owned(&port), []);
}

#[test]
fn offers_that_cannot_be_are_refused_with_their_reason() {
    let _alone = alone();
    let (port, peer) = beset();
    let tick = port.report().tick;
    let at = tick.after(200);
    let changed = |change: &dyn Fn(&mut VesselRecord)| {
        let mut record = offered(tick);
        change(&mut record);
        vec![record]
    };
    let twice = vec![offered(tick), offered(tick)];
    let cases: [(Vec<VesselRecord>, &str); 9] = [
        (vec![], "no vessel"),
        (twice, "not one of this protocol"),
        (changed(&|record| record.vessel.id = VesselId(1)), "owned here"),
        (changed(&|record| record.epoch.hop = u32::MAX), "run out"),
        (changed(&|record| record.vessel.state.position_m.x = 3e38), "nowhere near"),
        (changed(&|record| record.vessel.state.velocity_mps.z = -1e30), "that fast"),
        (changed(&|record| record.vessel.state.attitude *= 2.0), "rotation"),
        (changed(&|record| record.vessel.voyage.passed = 3), "more marks"),
        (changed(&|record| record.vessel.boat.mass_kg = 1.0), "mass_kg"),
    ];
    for (number, (vessels, words)) in (10..).zip(cases) {
        peer.word(Word::Offer { number, vessels, commit: at });
        match peer.hear(PATIENCE) {
            Some(Word::No { number: n, reason }) if n == number => {
                assert!(reason.contains(words), "wanted `{words}`, got `{reason}`");
            }
            other => panic!("wanted No for `{words}`, got {other:?}"),
        }
    }
    assert_eq!(owned(&port), []);
}

#[test]
fn region_speaks_only_for_the_name_that_was_signed() {
    let _alone = alone();
    let (port, _peer) = beset();
    let liar = Peer::link(&port, 2, 3);
    assert!(liar.is_closed());
    // A prefix of a name is not that name.
    let liar = Peer::link(&port, 31, 3);
    assert!(liar.is_closed());
    assert_eq!(port.report().vessels.len(), 1);
}

/// A region whose certificate is good, but that the harbour has not named as a neighbour: its circuit stays,
/// as its name may be on the way, but it is given nothing and gives nothing.
#[test]
fn region_that_no_list_names_hands_nothing_over() {
    let _alone = alone();
    let (port, _peer) = beset();
    let stranger = Peer::link(&port, 4, 4);
    let tick = port.report().tick;
    let at = tick.after(60);
    stranger.word(offer(1, tick, at));
    assert_eq!(stranger.hear(PATIENCE), Some(Word::NotYet { number: 1 }));
    stranger.word(commit(1, at, OWNERS.next_hop()));
    assert_eq!(stranger.hear(SILENCE), None);
    // Once it is named, the same offer is taken.
    port.name_neighbours(&[2, 3, 4]);
    port.launch(2, [0; 32]);
    port.report_when(|told| told.vessels.len() == 2);
    let tick = port.report().tick;
    stranger.word(offer(2, tick, tick.after(60)));
    assert_eq!(stranger.hear(PATIENCE), Some(Word::Ready { number: 2 }));
}
