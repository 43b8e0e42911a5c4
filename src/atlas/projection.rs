//! From latitude and longitude to metres and back, with the same bits on every machine.
//!
//! The ellipsoidal transverse Mercator projection about the course's anchor, scale 1 on its meridian, on
//! WGS 84. It is written out here because a library's sines come from the machine's libm, whose last bits
//! differ between a static and a dynamic build of the same program: two processes would then disagree
//! about a coast that both of them read. The tests hold it to the `geodesy` crate.
//!
//! Source: Krüger (1912) in powers of the third flattening n, coefficients as in Karney (2011),
//! "Transverse Mercator with an accuracy of a few nanometers", eqs. 7–11, 35 and 36, to fourth order: the
//! terms left out are below a micrometre within 200 km of the anchor.

use glam::DVec2;

use crate::trig;
use crate::units;

/// Equatorial radius of WGS 84, metres.
const EQUATOR_M: f64 = 6_378_137.0;
/// Flattening of WGS 84.
const FLATTENING: f64 = 1.0 / 298.257_223_563;
/// Distance from the anchor up to which a place is projected, metres. Farther out the scale is off by more
/// than 0.05 %, and no course is that large.
pub(super) const REACH_M: f64 = 200_000.0;

/// Transverse Mercator about one anchor.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    anchor_lat_deg: f64,
    anchor_lon_deg: f64,
    /// Square root of the first eccentricity squared.
    eccentricity: f64,
    /// Radius of the sphere of equal meridian length, metres.
    radius_m: f64,
    forward: [f64; 4],
    inverse: [f64; 4],
    /// Rectified latitude of the anchor, radians.
    anchor_xi: f64,
}

impl Projection {
    /// A projection whose origin is the anchor, degrees.
    pub(super) fn new(anchor_lat_deg: f64, anchor_lon_deg: f64) -> Self {
        let n = FLATTENING / (2.0 - FLATTENING);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        let mut projection = Self {
            anchor_lat_deg,
            anchor_lon_deg,
            eccentricity: (FLATTENING * (2.0 - FLATTENING)).sqrt(),
            radius_m: EQUATOR_M / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0),
            forward: [
                n / 2.0 - 2.0 / 3.0 * n2 + 5.0 / 16.0 * n3 + 41.0 / 180.0 * n4,
                13.0 / 48.0 * n2 - 3.0 / 5.0 * n3 + 557.0 / 1440.0 * n4,
                61.0 / 240.0 * n3 - 103.0 / 140.0 * n4,
                49561.0 / 161_280.0 * n4,
            ],
            inverse: [
                n / 2.0 - 2.0 / 3.0 * n2 + 37.0 / 96.0 * n3 - 1.0 / 360.0 * n4,
                1.0 / 48.0 * n2 + 1.0 / 15.0 * n3 - 437.0 / 1440.0 * n4,
                17.0 / 480.0 * n3 - 37.0 / 840.0 * n4,
                4397.0 / 161_280.0 * n4,
            ],
            anchor_xi: 0.0,
        };
        projection.anchor_xi = projection.rectified(anchor_lat_deg, 0.0).0;
        projection
    }

    /// Metres east and north of the anchor, rounded to millimetres; `None` beyond [`REACH_M`] or off the
    /// globe.
    pub(super) fn place_of(&self, lat_deg: f64, lon_deg: f64) -> Option<DVec2> {
        // The negation also turns away what is not a number.
        if !(lat_deg.abs() <= 89.0 && lon_deg.abs() <= 360.0) {
            return None;
        }
        let around = (lon_deg - self.anchor_lon_deg) / 360.0;
        let east_deg = (around - (around + 0.5).floor()) * 360.0;
        if east_deg.abs() > 30.0 || (lat_deg - self.anchor_lat_deg).abs() > 30.0 {
            return None;
        }
        let (xi, eta) = self.rectified(lat_deg, east_deg);
        let place = DVec2::new(eta, xi - self.anchor_xi) * self.radius_m;
        (place.length() <= REACH_M).then(|| DVec2::new(millimetre(place.x), millimetre(place.y)))
    }

    /// Latitude and longitude in degrees of a place in metres.
    pub(super) fn geographic_of(&self, place: DVec2) -> (f64, f64) {
        let xi = place.y / self.radius_m + self.anchor_xi;
        let eta = place.x / self.radius_m;
        let (mut xi_sphere, mut eta_sphere) = (xi, eta);
        for (order, coefficient) in (1_u32..).zip(self.inverse) {
            let twice = 2.0 * f64::from(order);
            let (s, c) = trig::sin_cos(twice * xi);
            xi_sphere -= coefficient * s * hyperbolic_cosine(twice * eta);
            eta_sphere -= coefficient * c * hyperbolic_sine(twice * eta);
        }
        let (s, c) = trig::sin_cos(xi_sphere);
        let across = hyperbolic_sine(eta_sphere);
        let tau = self.geographic_tangent(s / (across * across + c * c).sqrt());
        let lon_deg = self.anchor_lon_deg + units::degrees(trig::atan2(across, c));
        (units::degrees(trig::atan(tau)), lon_deg)
    }

    /// Rectified coordinates (north, east) in radians of a latitude and a longitude from the anchor's
    /// meridian, degrees.
    fn rectified(&self, lat_deg: f64, east_deg: f64) -> (f64, f64) {
        let sine = trig::sin(units::radians(lat_deg));
        let isometric = artanh(sine) - self.eccentricity * artanh(self.eccentricity * sine);
        let tau = hyperbolic_sine(isometric);
        let (s, c) = trig::sin_cos(units::radians(east_deg));
        let xi_sphere = trig::atan2(tau, c);
        let eta_sphere = arsinh(s / (tau * tau + c * c).sqrt());
        let (mut xi, mut eta) = (xi_sphere, eta_sphere);
        for (order, coefficient) in (1_u32..).zip(self.forward) {
            let twice = 2.0 * f64::from(order);
            let (s, c) = trig::sin_cos(twice * xi_sphere);
            xi += coefficient * s * hyperbolic_cosine(twice * eta_sphere);
            eta += coefficient * c * hyperbolic_sine(twice * eta_sphere);
        }
        (xi, eta)
    }

    /// Tangent of the geographic latitude from that of the conformal one, by Newton's method (Karney 2011,
    /// eqs. 19–21); it gains six digits a step.
    fn geographic_tangent(&self, conformal: f64) -> f64 {
        const STEPS: usize = 4;
        let e2 = self.eccentricity * self.eccentricity;
        let mut tau = conformal / (1.0 - e2);
        for _ in 0..STEPS {
            let secant = (1.0 + tau * tau).sqrt();
            let sigma = hyperbolic_sine(self.eccentricity * artanh(self.eccentricity * tau / secant));
            let guess = tau * (1.0 + sigma * sigma).sqrt() - sigma * secant;
            let slope = (1.0 + (1.0 - e2) * tau * tau) / ((1.0 - e2) * secant);
            tau += (conformal - guess) / (1.0 + guess * guess).sqrt() * slope;
        }
        tau
    }
}

/// The nearest whole millimetre. A coast is known to metres; a place then reads the same in a picture, a
/// log and a check by another program.
fn millimetre(length_m: f64) -> f64 {
    (length_m * 1000.0 + 0.5).floor() / 1000.0
}

/// Hyperbolic sine; keeps its digits near zero, where the exponentials cancel.
fn hyperbolic_sine(x: f64) -> f64 {
    if x.abs() < 0.05 {
        let z = x * x;
        return x * (1.0 + z / 6.0 * (1.0 + z / 20.0 * (1.0 + z / 42.0 * (1.0 + z / 72.0))));
    }
    let e = trig::exp(x);
    0.5 * (e - 1.0 / e)
}

/// Hyperbolic cosine.
fn hyperbolic_cosine(x: f64) -> f64 {
    let e = trig::exp(x);
    0.5 * (e + 1.0 / e)
}

/// Inverse hyperbolic tangent; keeps its digits near zero.
fn artanh(x: f64) -> f64 {
    if x.abs() < 0.05 {
        let z = x * x;
        return x * (1.0 + z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z / 11.0)))));
    }
    0.5 * trig::ln((1.0 + x) / (1.0 - x))
}

/// Inverse hyperbolic sine, by the inverse tangent's series near zero.
fn arsinh(x: f64) -> f64 {
    artanh(x / (1.0 + x * x).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use geodesy::prelude::*;

    #[test]
    fn projection_agrees_with_the_geodesy_crate() {
        for (lat, lon) in [(48.1, -122.68), (-33.9, 151.2), (59.0, 179.9), (0.3, 6.5)] {
            let ours = Projection::new(lat, lon);
            let mut context = Minimal::new();
            let tmerc =
                context.op(&format!("tmerc lat_0={lat} lon_0={lon} k_0=1 x_0=0 y_0=0 ellps=WGS84")).unwrap();
            for (north, east) in [(0.0, 0.0), (0.1, -0.15), (-0.3, 0.4), (0.9, 1.2), (-1.0, -0.02)] {
                let mut data = [Coor2D::geo(lat + north, lon + east)];
                context.apply(tmerc, Fwd, &mut data).unwrap();
                let place = ours.place_of(lat + north, lon + east).unwrap();
                assert!(
                    (place.x - data[0][0]).abs() < 0.6e-3 && (place.y - data[0][1]).abs() < 0.6e-3,
                    "({lat}, {lon}) + ({north}, {east}): {place} is not {:?}",
                    data[0]
                );
            }
        }
    }

    #[test]
    fn inverse_leads_back_to_the_millimetre() {
        let projection = Projection::new(48.1, -122.68);
        for place in [DVec2::new(1.0, 2.0), DVec2::new(-15_000.123, 9_876.543), DVec2::new(90e3, -120e3)] {
            let (lat, lon) = projection.geographic_of(place);
            let back = projection.place_of(lat, lon).unwrap();
            assert!((back - place).length() < 1e-6, "{place} came back as {back}");
        }
    }

    #[test]
    fn far_places_and_nonsense_are_refused() {
        let projection = Projection::new(48.1, -122.68);
        for (lat, lon) in
            [(48.1, -119.0), (10.0, -122.0), (f64::NAN, 0.0), (48.0, f64::INFINITY), (91.0, 0.0)]
        {
            assert!(projection.place_of(lat, lon).is_none(), "{lat} {lon}");
        }
        assert!(projection.place_of(48.1, 360.0 - 122.68).is_some(), "the same meridian, counted eastward");
    }
}
