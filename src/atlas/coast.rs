//! Where land is: closed rings, and fast answers about them.

use glam::DVec2;

use super::Area;

/// Side of a bucket of segments, metres: a few segments each on a full-resolution coast.
const BUCKET_M: f64 = 512.0;
/// Height of a band of segments, metres.
const BAND_M: f64 = 128.0;
/// The distance that stands for "no coast anywhere near", metres.
pub const FAR_M: f64 = 50_000.0;

/// The coast of a course, course frame.
#[derive(Clone, Debug, Default)]
pub struct Coast {
    rings: Vec<Vec<DVec2>>,
    segments: Vec<[DVec2; 2]>,
    bands: Bins,
    buckets: Bins,
}

/// Which segments touch which square of a lattice.
#[derive(Clone, Debug, Default)]
struct Bins {
    /// West and south index of the first bin.
    origin: [i64; 2],
    /// Bins east and north.
    size: [i64; 2],
    /// Where each bin's list starts; one more than bins.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Coast {
    /// A coast from closed rings of land (the last point joins the first and is not repeated); a place
    /// within an odd number of rings is land, so that a ring within a ring is a lake.
    #[must_use]
    pub fn new(rings: Vec<Vec<DVec2>>) -> Self {
        let segments: Vec<[DVec2; 2]> = rings
            .iter()
            .flat_map(|ring| (0..ring.len()).map(move |i| [ring[i], ring[(i + 1) % ring.len()]]))
            .collect();
        let bands = Bins::of(&segments, |p| [0, index(p.y, BAND_M)]);
        let buckets = Bins::of(&segments, |p| [index(p.x, BUCKET_M), index(p.y, BUCKET_M)]);
        Self { rings, segments, bands, buckets }
    }

    /// The rings, each closed by joining its last point to its first.
    #[must_use]
    pub fn rings(&self) -> &[Vec<DVec2>] {
        &self.rings
    }

    /// Whether a place is land: a line to the east of it crosses the coast an odd number of times.
    #[must_use]
    pub fn is_land(&self, place: DVec2) -> bool {
        let band = self.bands.at([0, index(place.y, BAND_M)]);
        band.iter()
            .filter(|&&i| crossing(&self.segments[i as usize], place.y).is_some_and(|x| x > place.x))
            .count()
            % 2
            == 1
    }

    /// Where a line of constant y crosses the coast: rising x in metres, into `crossings`.
    pub(crate) fn crossings(&self, y: f64, crossings: &mut Vec<f64>) {
        crossings.clear();
        let band = self.bands.at([0, index(y, BAND_M)]);
        crossings.extend(band.iter().filter_map(|&i| crossing(&self.segments[i as usize], y)));
        crossings.sort_unstable_by(f64::total_cmp);
    }

    /// The nearest point of the coast and its distance, metres; `None` where a course has no coast or it
    /// is farther than [`FAR_M`].
    #[must_use]
    pub fn nearest(&self, place: DVec2) -> Option<(f64, DVec2)> {
        #[expect(clippy::cast_possible_truncation, reason = "a hundred buckets")]
        let reach = (FAR_M / BUCKET_M) as i64;
        let (bx, by) = (index(place.x, BUCKET_M), index(place.y, BUCKET_M));
        let mut best: Option<(f64, DVec2)> = None;
        for ring in 0..=reach {
            // Buckets of this ring are at least ring − 1 buckets away.
            #[expect(clippy::cast_precision_loss, reason = "a hundred buckets")]
            let nearest_possible_m = (ring - 1) as f64 * BUCKET_M;
            if best.is_some_and(|(distance_m, _)| distance_m <= nearest_possible_m) {
                break;
            }
            for dy in -ring..=ring {
                let step = if dy.abs() == ring { 1 } else { (2 * ring).max(1) };
                let mut dx = -ring;
                while dx <= ring {
                    best = self.nearest_of(self.buckets.at([bx + dx, by + dy]), place, best);
                    dx += step;
                }
            }
        }
        best
    }

    /// The nearer of `best` and the nearest point of some segments.
    fn nearest_of(&self, items: &[u32], place: DVec2, best: Option<(f64, DVec2)>) -> Option<(f64, DVec2)> {
        let mut best = best;
        for &i in items {
            let point = nearest_on(&self.segments[i as usize], place);
            let distance_m = (point - place).length();
            if best.is_none_or(|(least_m, _)| distance_m < least_m) {
                best = Some((distance_m, point));
            }
        }
        best
    }

    /// Segments of which one can be the nearest to a place in a rectangle.
    pub(crate) fn candidates(&self, area: Area) -> Vec<u32> {
        let centre = area.centre();
        let Some((distance_m, _)) = self.nearest(centre) else { return Vec::new() };
        let radius_m = distance_m + (area.max - area.min).length();
        let low = centre - DVec2::splat(radius_m);
        let high = centre + DVec2::splat(radius_m);
        let mut found = Vec::new();
        for by in index(low.y, BUCKET_M)..=index(high.y, BUCKET_M) {
            for bx in index(low.x, BUCKET_M)..=index(high.x, BUCKET_M) {
                found.extend(self.buckets.at([bx, by]).iter().copied().filter(|&i| {
                    (nearest_on(&self.segments[i as usize], centre) - centre).length() <= radius_m
                }));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Those of `candidates` of which one can be the nearest to a place in a rectangle, into `few`.
    pub(crate) fn narrow(&self, candidates: &[u32], area: Area, few: &mut Vec<u32>) {
        few.clear();
        let centre = area.centre();
        let Some((distance_m, _)) = self.nearest_among(candidates, centre) else { return };
        let radius_m = distance_m + (area.max - area.min).length();
        let near = |&i: &u32| {
            (nearest_on(&self.segments[i as usize], centre) - centre).length_squared() <= radius_m * radius_m
        };
        few.extend(candidates.iter().copied().filter(near));
    }

    /// The nearest point of the coast among `candidates`, and its distance in metres.
    pub(crate) fn nearest_among(&self, candidates: &[u32], place: DVec2) -> Option<(f64, DVec2)> {
        let mut best: Option<(f64, DVec2)> = None;
        for &i in candidates {
            let point = nearest_on(&self.segments[i as usize], place);
            let squared = (point - place).length_squared();
            if best.is_none_or(|(least, _)| squared < least) {
                best = Some((squared, point));
            }
        }
        best.map(|(squared, point)| (squared.sqrt(), point))
    }

    /// Whether the straight line between two places touches the coast.
    #[must_use]
    pub fn crosses(&self, from: DVec2, to: DVec2) -> bool {
        self.segments.iter().any(|[a, b]| {
            let side = |p: DVec2, q: DVec2, r: DVec2| (q - p).perp_dot(r - p);
            side(*a, *b, from) * side(*a, *b, to) <= 0.0 && side(from, to, *a) * side(from, to, *b) <= 0.0
        })
    }
}

/// Index of the lattice square that a coordinate falls in.
#[expect(clippy::cast_possible_truncation, reason = "courses are within 200 km")]
fn index(coordinate_m: f64, side_m: f64) -> i64 {
    (coordinate_m / side_m).floor() as i64
}

/// The x at which a segment crosses a line of constant y; each segment holds its lower end only, so that a
/// line through a vertex counts once.
fn crossing([a, b]: &[DVec2; 2], y: f64) -> Option<f64> {
    ((a.y <= y) != (b.y <= y)).then(|| a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
}

/// The point of a segment nearest to a place.
fn nearest_on([a, b]: &[DVec2; 2], place: DVec2) -> DVec2 {
    let along = *b - *a;
    let length2 = along.length_squared();
    if length2 == 0.0 {
        return *a;
    }
    *a + along * ((place - *a).dot(along) / length2).clamp(0.0, 1.0)
}

impl Bins {
    /// Sorts segments into the bins that their bounding boxes touch.
    fn of(segments: &[[DVec2; 2]], bin: impl Fn(DVec2) -> [i64; 2]) -> Self {
        let range = |segment: &[DVec2; 2]| (bin(segment[0].min(segment[1])), bin(segment[0].max(segment[1])));
        let mut low = [i64::MAX; 2];
        let mut high = [i64::MIN; 2];
        for segment in segments {
            let (first, last) = range(segment);
            for axis in 0..2 {
                low[axis] = low[axis].min(first[axis]);
                high[axis] = high[axis].max(last[axis]);
            }
        }
        if segments.is_empty() {
            return Self::default();
        }
        let size = [high[0] - low[0] + 1, high[1] - low[1] + 1];
        let mut bins = Self { origin: low, size, starts: Vec::new(), items: Vec::new() };
        let mut counts = vec![0_u32; bins.slot(high).map_or(0, |slot| slot + 2)];
        let visit = |segment: &[DVec2; 2], act: &mut dyn FnMut(usize)| {
            let (first, last) = range(segment);
            for y in first[1]..=last[1] {
                for x in first[0]..=last[0] {
                    if let Some(slot) = bins.slot([x, y]) {
                        act(slot);
                    }
                }
            }
        };
        for segment in segments {
            visit(segment, &mut |slot| counts[slot + 1] += 1);
        }
        for slot in 1..counts.len() {
            counts[slot] += counts[slot - 1];
        }
        let mut items = vec![0; counts.last().map_or(0, |&total| total as usize)];
        let mut next = counts.clone();
        for (number, segment) in (0_u32..).zip(segments) {
            visit(segment, &mut |slot| {
                items[next[slot] as usize] = number;
                next[slot] += 1;
            });
        }
        bins.starts = counts;
        bins.items = items;
        bins
    }

    /// Where a bin is in the list; `None` outside.
    fn slot(&self, bin: [i64; 2]) -> Option<usize> {
        let x = bin[0] - self.origin[0];
        let y = bin[1] - self.origin[1];
        let inside = x >= 0 && y >= 0 && x < self.size[0] && y < self.size[1];
        inside.then(|| usize::try_from(y * self.size[0] + x).unwrap_or(usize::MAX))
    }

    /// The segments of a bin.
    fn at(&self, bin: [i64; 2]) -> &[u32] {
        self.slot(bin)
            .map_or(&[], |slot| &self.items[self.starts[slot] as usize..self.starts[slot + 1] as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn island() -> Coast {
        let square = |low: f64, high: f64| {
            vec![DVec2::new(low, low), DVec2::new(high, low), DVec2::new(high, high), DVec2::new(low, high)]
        };
        Coast::new(vec![square(0.0, 1000.0), square(400.0, 600.0)])
    }

    #[test]
    fn land_is_inside_and_a_ring_within_is_a_lake() {
        let coast = island();
        assert!(coast.is_land(DVec2::new(100.0, 100.0)));
        assert!(!coast.is_land(DVec2::new(500.0, 500.0)), "lake");
        assert!(!coast.is_land(DVec2::new(-1.0, 500.0)) && !coast.is_land(DVec2::new(1001.0, 500.0)));
        assert!(!Coast::default().is_land(DVec2::ZERO));
    }

    #[test]
    fn nearest_point_is_exact_near_and_far() {
        let coast = island();
        let (distance_m, point) = coast.nearest(DVec2::new(-3000.0, 500.0)).unwrap();
        assert!((distance_m - 3000.0).abs() < 1e-9 && point == DVec2::new(0.0, 500.0));
        let (distance_m, _) = coast.nearest(DVec2::new(20_000.0, 15_000.0)).unwrap();
        assert!((distance_m - DVec2::new(19_000.0, 14_000.0).length()).abs() < 1e-9);
        assert!(coast.nearest(DVec2::new(90_000.0, 0.0)).is_none());
        let area = Area { min: DVec2::new(-600.0, -700.0), max: DVec2::new(-100.0, -200.0) };
        let candidates = coast.candidates(area);
        for place in [area.min, area.max, area.centre()] {
            let direct = coast.nearest(place).unwrap();
            assert_eq!(coast.nearest_among(&candidates, place).unwrap().1, direct.1);
        }
    }

    #[test]
    fn lines_over_land_are_noticed() {
        let coast = island();
        assert!(coast.crosses(DVec2::new(-10.0, 500.0), DVec2::new(1010.0, 500.0)));
        assert!(!coast.crosses(DVec2::new(-10.0, -10.0), DVec2::new(1010.0, -10.0)));
    }
}
