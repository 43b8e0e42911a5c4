//! Polar diagrams: speed as distance from the middle, wind angle from the top.

use glam::DVec2;

use super::paper::{Anchor, Paper};
use super::sheet::INKS;
use crate::trig;
use crate::units::radians;

/// Radius of the diagram, pixels.
const RADIUS_PX: f64 = 430.0;
/// Blank edge and height of the title, pixels.
const EDGE_PX: f64 = 36.0;
const HEAD_PX: f64 = 84.0;
/// Width of the legend, pixels.
const LEGEND_PX: f64 = 150.0;
/// Rings at most.
const RINGS: u32 = 40;

/// One curve: a boat's speeds in one wind.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// Wind angle, degrees from the top, and speed, knots; in rising angles.
    pub points: Vec<(f64, f64)>,
    /// Points of note, drawn as rings: best beat and run.
    pub marks: Vec<(f64, f64)>,
}

/// A polar diagram of starboard half: a whole SVG document.
#[must_use]
pub fn polar(title: &str, subtitle: &str, curves: &[Curve]) -> String {
    let all = || curves.iter().flat_map(|curve| curve.points.iter().chain(&curve.marks));
    let top = all().map(|point| point.1).fold(1.0, f64::max).ceil();
    let diagram =
        Diagram { middle: DVec2::new(EDGE_PX + 20.0, HEAD_PX + RADIUS_PX), per_knot: RADIUS_PX / top };
    let mut paper = Paper::default();
    paper.text(DVec2::new(EDGE_PX, 40.0), "title", Anchor::Start, title);
    paper.text(DVec2::new(EDGE_PX, 62.0), "subtitle", Anchor::Start, subtitle);
    diagram.draw_web(&mut paper, top);
    let mut line = DVec2::new(diagram.middle.x + RADIUS_PX + EDGE_PX, HEAD_PX + 20.0);
    paper.text(line, "head", Anchor::Start, "True wind");
    for (n, curve) in curves.iter().enumerate() {
        let ink = INKS[n % INKS.len()];
        // Beat and run close the curve where they lie beyond its ends.
        let mut points = curve.points.clone();
        points.extend(curve.marks.iter().filter(|mark| {
            let inner = |point: &&(f64, f64)| (point.0 - mark.0).abs() < 1.0;
            curve.points.iter().find(inner).is_none()
        }));
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let places: Vec<DVec2> = points.iter().map(|&(angle, speed)| diagram.at(angle, speed)).collect();
        let places = smooth(&places);
        paper.polyline(&places, &format!(r#"stroke="{ink}" stroke-width="2" stroke-linejoin="round""#));
        for &(angle, speed) in &curve.marks {
            let at = diagram.at(angle, speed);
            paper.element(
                "circle",
                format_args!(
                    r##"cx="{:.1}" cy="{:.1}" r="4" fill="#ffffff" stroke="{ink}" stroke-width="2""##,
                    at.x, at.y
                ),
            );
        }
        line.y += 22.0;
        paper.polyline(
            &[line - DVec2::new(0.0, 4.0), line + DVec2::new(26.0, -4.0)],
            &format!(r#"stroke="{ink}" stroke-width="3""#),
        );
        paper.text(line + DVec2::new(34.0, 0.0), "note", Anchor::Start, &curve.name);
    }
    line.y += 30.0;
    paper.text(line, "fine", Anchor::Start, "○ best beat and run");
    line.y += 16.0;
    paper.text(line, "fine", Anchor::Start, "rings: knots");
    let width = diagram.middle.x + RADIUS_PX + EDGE_PX + LEGEND_PX;
    paper.finish(width, HEAD_PX + 2.0 * RADIUS_PX + EDGE_PX)
}

/// Where speeds and angles lie on the page.
struct Diagram {
    middle: DVec2,
    per_knot: f64,
}

impl Diagram {
    fn at(&self, angle_deg: f64, speed_kn: f64) -> DVec2 {
        let (s, c) = trig::sin_cos(radians(angle_deg));
        self.middle + DVec2::new(s, -c) * (speed_kn * self.per_knot)
    }

    fn draw_web(&self, paper: &mut Paper, top_kn: f64) {
        let step = if top_kn > 12.0 { 2.0 } else { 1.0 };
        for n in 1..=RINGS {
            let speed = f64::from(n) * step;
            if speed > top_kn + 1e-6 {
                break;
            }
            let arc: Vec<DVec2> = (0..=60).map(|part| self.at(3.0 * f64::from(part), speed)).collect();
            paper.polyline(&arc, r##"stroke="#c3ccd2" stroke-width="0.8""##);
            let label = self.at(0.0, speed) + DVec2::new(-6.0, 4.0);
            paper.text(label, "fine", Anchor::End, &format!("{speed}"));
        }
        for part in 0_u8..=12 {
            let angle = 15.0 * f64::from(part);
            let line = [self.middle, self.at(angle, top_kn)];
            paper.polyline(&line, r##"stroke="#dde3e7" stroke-width="0.8""##);
            if part % 2 == 0 {
                let label = self.at(angle, top_kn + 16.0 / self.per_knot) + DVec2::new(0.0, 4.0);
                paper.text(label, "fine", Anchor::Middle, &format!("{angle:.0}°"));
            }
        }
    }
}

/// A smooth line through all points (Catmull and Rom 1974).
fn smooth(points: &[DVec2]) -> Vec<DVec2> {
    let Some(&last) = points.last() else { return Vec::new() };
    let at = |n: usize| points[n.min(points.len() - 1)];
    let mut line = Vec::new();
    for n in 0..points.len() - 1 {
        let (a, b, c, d) = (at(n.saturating_sub(1)), at(n), at(n + 1), at(n + 2));
        for part in 0_u8..10 {
            let t = f64::from(part) / 10.0;
            let (slope, bend, turn) = (c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * b - a - 3.0 * c + d);
            line.push(b + 0.5 * t * (slope + t * (bend + t * turn)));
        }
    }
    line.push(last);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diagram_draws_every_curve_through_its_points() {
        let curve = Curve {
            name: "12 kn".into(),
            points: vec![(52.0, 6.0), (90.0, 7.5), (150.0, 6.5)],
            marks: vec![(40.0, 5.5)],
        };
        let svg = polar("A & B", "", &[curve.clone(), curve]);
        assert!(svg.starts_with("<svg") && svg.contains("A &amp; B"));
        assert_eq!(svg.matches("12 kn").count(), 2);
        // 7.5 of 8 knots at 90°: straight to the right of the middle.
        let x = EDGE_PX + 20.0 + RADIUS_PX * 7.5 / 8.0;
        assert!(svg.contains(&format!("{x:.1},{:.1}", HEAD_PX + RADIUS_PX)));
    }
}
