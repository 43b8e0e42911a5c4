//! The paper: a rectangle of the course frame on a rectangle of pixels, and SVG elements by hand.

use std::fmt::Write as _;

use glam::DVec2;

use crate::atlas::Area;

/// A map's frame on the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// What it shows, metres.
    pub area: Area,
    /// Left edge, pixels.
    pub left: f64,
    /// Top edge, pixels.
    pub top: f64,
    /// Width, pixels.
    pub width: f64,
    /// Height, pixels.
    pub height: f64,
}

impl Frame {
    /// A frame of a given width that shows at least these places, north up, without distortion; its shape
    /// stays between 3:2 and 2:3.
    pub(super) fn around(places: impl Iterator<Item = DVec2>, left: f64, top: f64, width: f64) -> Self {
        let mut min = DVec2::INFINITY;
        let mut max = DVec2::NEG_INFINITY;
        for place in places.filter(|place| place.is_finite()) {
            min = min.min(place);
            max = max.max(place);
        }
        if !min.is_finite() {
            (min, max) = (DVec2::splat(-500.0), DVec2::splat(500.0));
        }
        let centre = (min + max) * 0.5;
        // A margin of a twelfth, and never less than two cables' width of sea to look at.
        let mut half = ((max - min) * 0.5 * 1.17).max(DVec2::splat(185.0));
        half.x = half.x.max(half.y / 1.5);
        half.y = half.y.max(half.x / 1.5);
        let area = Area { min: centre - half, max: centre + half };
        Self { area, left, top, width, height: width * half.y / half.x }
    }

    /// Pixels per metre.
    pub(super) fn scale(&self) -> f64 {
        self.width / (self.area.max.x - self.area.min.x)
    }

    /// Where a place lies on the page, pixels.
    pub(super) fn at(&self, place: DVec2) -> DVec2 {
        let from_corner = (place - self.area.min) * self.scale();
        DVec2::new(self.left + from_corner.x, self.top + self.height - from_corner.y)
    }
}

/// An SVG document being written.
#[derive(Debug, Default)]
pub(super) struct Paper {
    body: String,
}

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Paper {
    /// Writes an element as it is.
    pub(super) fn raw(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// An element with attributes already in SVG's words.
    pub(super) fn element(&mut self, name: &str, attributes: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "<{name} {attributes}/>");
    }

    /// A text in one line.
    pub(super) fn text(&mut self, at: DVec2, class: &str, anchor: Anchor, words: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = writeln!(
            self.body,
            r#"<text x="{:.1}" y="{:.1}" class="{class}" text-anchor="{anchor}">{}</text>"#,
            at.x,
            at.y,
            escape(words)
        );
    }

    /// A text with a white halo, to be read on anything. Drawn twice: not every reader of SVG knows
    /// `paint-order`.
    pub(super) fn label(&mut self, at: DVec2, class: &str, anchor: Anchor, words: &str) {
        self.text(at, &format!("{class} halo"), anchor, words);
        self.text(at, class, anchor, words);
    }

    /// A line through pixels.
    pub(super) fn polyline(&mut self, points: &[DVec2], attributes: &str) {
        if points.len() < 2 {
            return;
        }
        let mut path = String::with_capacity(points.len() * 12);
        for point in points {
            let _ = write!(path, "{:.1},{:.1} ", point.x, point.y);
        }
        let _ = writeln!(self.body, r#"<polyline points="{}" fill="none" {attributes}/>"#, path.trim_end());
    }

    /// The whole document.
    pub(super) fn finish(self, width: f64, height: f64) -> String {
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="'Source Sans 3','Segoe UI','Helvetica Neue',Arial,sans-serif">
<style>
.title{{font-size:24px;font-weight:600;fill:#1d2b36}}
.subtitle{{font-size:14px;fill:#4a5a66}}
.head{{font-size:13px;font-weight:600;fill:#1d2b36;letter-spacing:.04em}}
.note{{font-size:13px;fill:#2c3a45}}
.fine{{font-size:11px;fill:#5d6b75}}
.mark{{font-size:13px;font-weight:600;fill:#8a1f6a}}
.time{{font-size:10.5px;fill:#33424d}}
.halo{{fill:#fff;stroke:#fff;stroke-width:3px;stroke-linejoin:round;stroke-opacity:.85}}
</style>
<rect width="100%" height="100%" fill="#fdfcf8"/>
{}</svg>
"##,
            self.body
        )
    }
}

/// Text as XML wants it; control characters are left out.
fn escape(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_keeps_north_up_and_shapes_undistorted() {
        let places = [DVec2::new(0.0, 0.0), DVec2::new(1_000.0, 40_000.0)];
        let frame = Frame::around(places.into_iter(), 20.0, 50.0, 600.0);
        let (south, north) = (frame.at(places[0]), frame.at(places[1]));
        assert!(north.y < south.y, "north is up");
        let metres = (south.y - north.y) / frame.scale();
        assert!((metres - 40_000.0).abs() < 1e-6);
        assert!(frame.height <= frame.width * 1.5 + 1e-9);
        for at in [south, north] {
            assert!(at.x > 20.0 && at.x < 620.0 && at.y > 50.0 && at.y < 50.0 + frame.height);
        }
    }

    #[test]
    fn names_cannot_break_the_document() {
        assert_eq!(escape("<b>&\"\u{7}"), "&lt;b&gt;&amp;&quot;");
    }
}
