//! Speed curves of boats under power: throttle to the right, speed upwards.

use glam::DVec2;

use super::paper::{Anchor, Paper};
use super::sheet::INKS;

/// The diagram on the page, pixels.
const LEFT_PX: f64 = 70.0;
const TOP_PX: f64 = 92.0;
const WIDTH_PX: f64 = 640.0;
const HEIGHT_PX: f64 = 380.0;
/// Blank edge, pixels.
const EDGE_PX: f64 = 36.0;

/// A speed curve: a whole SVG document. Points are (throttle 0 to 1, knots), rising; `hull_kn` is the speed of a
/// wave as long as the waterline.
#[must_use]
pub fn throttle(title: &str, subtitle: &str, points: &[(f64, f64)], hull_kn: f64) -> String {
    let most = points.iter().map(|point| point.1).fold(hull_kn, f64::max);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| most / step <= 10.0).unwrap_or(20.0);
    let top = (most / step).ceil() * step;
    let at = |throttle: f64, speed: f64| {
        DVec2::new(LEFT_PX + throttle * WIDTH_PX, TOP_PX + HEIGHT_PX * (1.0 - speed / top))
    };
    let mut paper = Paper::default();
    paper.text(DVec2::new(EDGE_PX, 40.0), "title", Anchor::Start, title);
    paper.text(DVec2::new(EDGE_PX, 62.0), "subtitle", Anchor::Start, subtitle);
    let web = r##"stroke="#dde3e7" stroke-width="0.8""##;
    let mut speed = 0.0;
    while speed <= top + 1e-9 {
        paper.polyline(&[at(0.0, speed), at(1.0, speed)], web);
        paper.text(at(0.0, speed) + DVec2::new(-10.0, 4.0), "fine", Anchor::End, &format!("{speed:.0}"));
        speed += step;
    }
    for tenth in 0_u8..=10 {
        let share = f64::from(tenth) / 10.0;
        paper.polyline(&[at(share, 0.0), at(share, top)], web);
        if tenth % 2 == 0 {
            let words = format!("{:.0} %", 100.0 * share);
            paper.text(at(share, 0.0) + DVec2::new(0.0, 18.0), "fine", Anchor::Middle, &words);
        }
    }
    paper.polyline(&[at(0.0, 0.0), at(1.0, 0.0)], r##"stroke="#33424d" stroke-width="1.2""##);
    paper.polyline(&[at(0.0, 0.0), at(0.0, top)], r##"stroke="#33424d" stroke-width="1.2""##);
    paper.text(at(0.0, top) + DVec2::new(0.0, -10.0), "fine", Anchor::Middle, "knots");
    paper.text(at(1.0, 0.0) + DVec2::new(0.0, 36.0), "fine", Anchor::End, "throttle");
    let hull = [at(0.0, hull_kn), at(1.0, hull_kn)];
    paper.polyline(&hull, r##"stroke="#8a1f6a" stroke-width="1.2" stroke-dasharray="6 4""##);
    let words = format!("hull speed {hull_kn:.1}");
    paper.label(hull[0] + DVec2::new(12.0, -6.0), "fine", Anchor::Start, &words);
    let mut line = vec![at(0.0, 0.0)];
    line.extend(points.iter().map(|&(throttle, speed)| at(throttle, speed)));
    let ink = INKS[1];
    paper.polyline(&line, &format!(r#"stroke="{ink}" stroke-width="2.4" stroke-linejoin="round""#));
    for &(throttle, speed) in points {
        let at = at(throttle, speed);
        paper.element(
            "circle",
            format_args!(
                r##"cx="{:.1}" cy="{:.1}" r="3.5" fill="#ffffff" stroke="{ink}" stroke-width="2""##,
                at.x, at.y
            ),
        );
    }
    paper.finish(LEFT_PX + WIDTH_PX + EDGE_PX, TOP_PX + HEIGHT_PX + 56.0)
}
