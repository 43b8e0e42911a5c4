//! A wave spectrum as a buoy measured it, in place of the sea that the wind raises.
//!
//! The file is a table of comma-separated numbers under the heading
//! `frequency_hz,density_m2phz,from_deg,spread_deg`, in rising frequencies.

use super::faults::Fault;
use crate::units::{radians, wrap_heading};
use std::path::Path;

/// Heading of a spectrum file.
const HEADING: &str = "frequency_hz,density_m2phz,from_deg,spread_deg";
/// Rows at most: buoys report 46 or 47 bands.
const ROWS_MAX: usize = 256;
/// Highest sea that a course may have, significant height in metres; the highest that a buoy measured is 19.
const HEIGHT_M_MAX: f64 = 20.0;

/// A directional wave spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Bands in rising frequencies, two at least.
    pub bands: Vec<Band>,
}

/// One band of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Its middle, Hz.
    pub frequency_hz: f64,
    /// Its width, Hz.
    pub width_hz: f64,
    /// Energy in it, m²/Hz.
    pub density_m2phz: f64,
    /// Where its waves come from, radians clockwise from north.
    pub from_rad: f64,
    /// Circular standard deviation of their directions, radians (Kuik, van Vledder & Holthuijsen 1988).
    pub spread_rad: f64,
}

impl Spectrum {
    /// Reads the text of a spectrum file; `path` is for the message.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Fault> {
        let refused =
            |line: usize, what: &str, remedy: &str| Fault::new(path, format!("line {line}"), what, remedy);
        let mut lines =
            (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        if lines.next().is_none_or(|(_, heading)| heading.trim() != HEADING) {
            return Err(refused(1, "has another heading", &format!("begin the table with {HEADING}")));
        }
        let mut bands: Vec<Band> = Vec::new();
        for (line, row) in lines {
            let numbers: Vec<f64> = row.split(',').map_while(|cell| cell.trim().parse().ok()).collect();
            let [frequency_hz, density_m2phz, from_deg, spread_deg] = numbers[..] else {
                return Err(refused(line, "is not four numbers", "write them with commas between"));
            };
            let rising = bands.last().is_none_or(|last| frequency_hz > last.frequency_hz);
            if !rising || !(0.02..=1.5).contains(&frequency_hz) {
                let what = "has a frequency that does not rise, or is not within 0.02 to 1.5 Hz";
                return Err(refused(line, what, "sort the rows"));
            }
            if !(0.0..=1e4).contains(&density_m2phz) || !(0.0..=360.0).contains(&from_deg) {
                return Err(refused(
                    line,
                    "has a density or direction out of range",
                    "give 0 to 10000 and 0 to 360",
                ));
            }
            if !(0.0..=81.0).contains(&spread_deg) {
                return Err(refused(
                    line,
                    "has a spread out of range",
                    "give 0 to 81°, as √(2 − 2 r₁) can be",
                ));
            }
            if bands.len() == ROWS_MAX {
                return Err(refused(line, "is one row too many", &format!("give {ROWS_MAX} at most")));
            }
            let from_rad = wrap_heading(radians(from_deg));
            let spread_rad = radians(spread_deg);
            bands.push(Band { frequency_hz, width_hz: 0.0, density_m2phz, from_rad, spread_rad });
        }
        if bands.len() < 2 {
            return Err(refused(1, "has fewer than two bands", "give the whole spectrum"));
        }
        widen(&mut bands);
        let spectrum = Self { bands };
        let height_m = spectrum.height_m();
        if !(0.0..=HEIGHT_M_MAX).contains(&height_m) || height_m < 0.01 {
            let what = format!("has a significant height of {height_m:.2} m");
            return Err(Fault::new(path, "", what, format!("give a sea of 0.01 to {HEIGHT_M_MAX} m")));
        }
        Ok(spectrum)
    }

    /// Significant height, metres: four times the root of the energy.
    #[must_use]
    pub fn height_m(&self) -> f64 {
        4.0 * self.bands.iter().map(|band| band.density_m2phz * band.width_hz).sum::<f64>().sqrt()
    }
}

/// Widths: from half-way to the band below to half-way to the band above; the ends reach as far out as in.
fn widen(bands: &mut [Band]) {
    let middles: Vec<f64> = bands.iter().map(|band| band.frequency_hz).collect();
    let last = middles.len() - 1;
    for (n, band) in bands.iter_mut().enumerate() {
        let below = if n == 0 { middles[1] - middles[0] } else { middles[n] - middles[n - 1] };
        let above = if n == last { middles[last] - middles[last - 1] } else { middles[n + 1] - middles[n] };
        band.width_hz = 0.5 * (below + above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectrum_file_is_read_and_a_broken_one_is_told() {
        let text = format!("{HEADING}\n0.10,2.0,180,30\n0.12,4.0,190,25\n0.14,1.0,200,40\n");
        let spectrum = Spectrum::parse(Path::new("sea.csv"), &text).unwrap();
        assert!((spectrum.height_m() - 4.0 * (0.02_f64 * 7.0).sqrt()).abs() < 1e-9);
        for (from, to) in [
            ("frequency_hz", "f"),
            ("0.12,4.0", "0.09,4.0"),
            ("190", "north"),
            ("25\n", "99\n"),
            ("4.0", "400000000"),
        ] {
            let error = Spectrum::parse(Path::new("sea.csv"), &text.replacen(from, to, 1)).unwrap_err();
            assert!(error.into_error().to_string().contains("sea.csv"));
        }
    }
}
