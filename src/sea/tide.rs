//! Heights and currents at stations, from their harmonic constants.

use crate::atlas::Station;
use crate::trig;

/// What a station shows at a moment: metres above chart datum, or m/s, positive with the flood.
///
/// `unix_s` is in seconds since the Unix epoch. v = offset + Σ f(y) · A · cos(speed · t + (V₀+u)(y) − κ), with
/// t since the year y began on the station's meridian (Schureman 1940, "Manual of harmonic analysis and
/// prediction of tides", §§ 70–76). Beyond its tables a station goes on with its first or last year.
#[must_use]
pub fn station_value(station: &Station, unix_s: f64) -> f64 {
    let constituents = &station.constituents;
    let starts = &constituents.year_start_s;
    let meridian_s = to_f64(station.meridian_s);
    let local_s = unix_s + meridian_s;
    let year = starts
        .partition_point(|&start_s| to_f64(start_s) <= local_s)
        .saturating_sub(1)
        .min(starts.len().saturating_sub(2));
    // Both are whole seconds within 2^53, or close to: nothing is lost in the difference.
    let since_s = local_s - to_f64(starts[year]);
    let mut value = station.offset;
    for term in &station.terms {
        let constituent = &constituents.list[term.constituent];
        let angle_rad = constituent.speed_radps * since_s + constituent.phase_rad[year] - term.lag_rad;
        value += constituent.node_factor[year] * term.amplitude * trig::cos(angle_rad);
    }
    value
}

#[expect(clippy::cast_precision_loss, reason = "seconds of our age have 36 bits")]
fn to_f64(seconds: i64) -> f64 {
    seconds as f64
}
