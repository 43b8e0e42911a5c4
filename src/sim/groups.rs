//! Which vessels are near enough to affect each other: they need one owner.

use glam::DVec2;

use crate::limits::GROUP_VESSELS;
use crate::units::VesselId;

/// A vessel as grouping sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Which vessel.
    pub id: VesselId,
    /// Its place, course frame, metres.
    pub place: DVec2,
    /// Its velocity over the ground, m/s.
    pub velocity_mps: DVec2,
    /// Its length over all, metres.
    pub length_m: f64,
}

/// Seconds of closing speed that are added to the distance at which vessels join.
const CLOSING_S: f64 = 2.0;
/// A pair that is together parts at this multiple of the distance at which it joins.
const PARTING: f64 = 2.0;

/// Groups of vessels, each in rising order and led by its first; groups in order of their leaders.
///
/// Two vessels join when nearer than their lengths plus two seconds of closing speed; a pair in `before`
/// (as returned by the last call, any owner's) parts at twice that. Where a group would outgrow
/// [`GROUP_VESSELS`], the pairs that are nearest for their size join first and the pair that would exceed
/// the bound stays apart: still a function of places and speeds alone, the same for every owner.
#[must_use]
pub fn group(members: &[Member], before: &[Vec<VesselId>]) -> Vec<Vec<VesselId>> {
    let mut sorted = members.to_vec();
    sorted.sort_by_key(|member| member.id);
    sorted.dedup_by_key(|member| member.id);
    let mut last: Vec<(VesselId, usize)> =
        before.iter().enumerate().flat_map(|(n, group)| group.iter().map(move |id| (*id, n))).collect();
    last.sort_unstable();
    let was: Vec<Option<usize>> = sorted
        .iter()
        .map(|member| last.binary_search_by_key(&member.id, |(id, _)| *id).ok().map(|place| last[place].1))
        .collect();
    let mut pairs = near_pairs(&sorted, &was);
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));

    let mut leader: Vec<usize> = (0..sorted.len()).collect();
    let mut size = vec![1_usize; sorted.len()];
    for (_, a, b) in pairs {
        let (a, b) = (find(&leader, a), find(&leader, b));
        if a != b && size[a] + size[b] <= GROUP_VESSELS {
            let (low, high) = (a.min(b), a.max(b));
            leader[high] = low;
            size[low] += size[high];
        }
    }
    let mut groups: Vec<Vec<VesselId>> = Vec::new();
    let mut of_leader = vec![usize::MAX; sorted.len()];
    for (n, member) in sorted.iter().enumerate() {
        let leader = find(&leader, n);
        if of_leader[leader] == usize::MAX {
            of_leader[leader] = groups.len();
            groups.push(Vec::new());
        }
        groups[of_leader[leader]].push(member.id);
    }
    groups
}

/// Pairs within their joining distance, with the share of it that lies between them.
fn near_pairs(sorted: &[Member], was: &[Option<usize>]) -> Vec<(f64, usize, usize)> {
    let mut by_east: Vec<usize> = (0..sorted.len()).collect();
    by_east.sort_by(|a, b| sorted[*a].place.x.total_cmp(&sorted[*b].place.x).then(a.cmp(b)));
    // No pair joins farther apart than both would at their full speeds.
    let own_m = |member: &Member| PARTING * (member.length_m + CLOSING_S * member.velocity_mps.length());
    let widest_m = sorted.iter().fold(0.0_f64, |widest, member| widest.max(own_m(member)));
    let mut pairs = Vec::new();
    for (n, first) in by_east.iter().enumerate() {
        let reach_m = own_m(&sorted[*first]) + widest_m;
        for second in &by_east[n + 1..] {
            if sorted[*second].place.x - sorted[*first].place.x > reach_m {
                break;
            }
            let (a, b) = (*first.min(second), *first.max(second));
            let (one, other) = (&sorted[a], &sorted[b]);
            let apart = other.place - one.place;
            let distance_m = apart.length();
            let closing_mps = if distance_m > 0.0 {
                -((other.velocity_mps - one.velocity_mps).dot(apart) / distance_m)
            } else {
                0.0
            };
            let join_m = one.length_m + other.length_m + CLOSING_S * closing_mps.max(0.0);
            let together = was[a].is_some() && was[a] == was[b];
            let limit_m = if together { PARTING * join_m } else { join_m };
            if distance_m < limit_m {
                pairs.push((distance_m / limit_m, a, b));
            }
        }
    }
    pairs
}

fn find(leader: &[usize], mut index: usize) -> usize {
    while leader[index] != index {
        index = leader[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u32, x: f64, vx: f64) -> Member {
        Member {
            id: VesselId(id),
            place: DVec2::new(x, 0.0),
            velocity_mps: DVec2::new(vx, 0.0),
            length_m: 10.0,
        }
    }

    fn ids(groups: &[Vec<VesselId>]) -> Vec<Vec<u32>> {
        groups.iter().map(|group| group.iter().map(|id| id.0).collect()).collect()
    }

    #[test]
    fn vessels_join_near_and_part_at_twice_that() {
        let at = |x: f64| [member(3, 0.0, 0.0), member(1, x, 0.0), member(2, 500.0, 0.0)];
        assert_eq!(ids(&group(&at(21.0), &[])), [vec![1], vec![2], vec![3]]);
        let joined = group(&at(19.0), &[]);
        assert_eq!(ids(&joined), [vec![1, 3], vec![2]]);
        assert_eq!(ids(&group(&at(39.0), &joined)), [vec![1, 3], vec![2]]);
        assert_eq!(ids(&group(&at(41.0), &joined)), [vec![1], vec![2], vec![3]]);
        // Closing at 5 m/s they join 10 m earlier; opening does not count.
        assert_eq!(ids(&group(&[member(1, 0.0, 5.0), member(2, 29.0, 0.0)], &[])), [[1, 2]]);
        assert_eq!(ids(&group(&[member(1, 0.0, -5.0), member(2, 21.0, 0.0)], &[])), [[1], [2]]);
    }

    #[test]
    fn order_of_members_does_not_matter() {
        let forward: Vec<Member> =
            (0..40).map(|n| member(n, f64::from(n * n % 37) * 7.0, f64::from(n % 5))).collect();
        let mut backward = forward.clone();
        backward.reverse();
        assert_eq!(group(&forward, &[]), group(&backward, &[]));
    }

    #[test]
    fn no_group_outgrows_its_bound() {
        let crowd: Vec<Member> = (0..200).map(|n| member(n, f64::from(n) * 3.0, 0.0)).collect();
        let groups = group(&crowd, &[]);
        assert!(groups.iter().all(|group| group.len() <= GROUP_VESSELS));
        assert_eq!(groups.iter().map(Vec::len).sum::<usize>(), 200);
        assert!(groups.len() < 30, "{}", groups.len());
        assert_eq!(groups, group(&crowd, &groups), "a crowd that stands still keeps its groups");
    }
}
