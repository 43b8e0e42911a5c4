//! Attitudes without libm: axes, headings and the turn of one tick.

use glam::{DMat3, DQuat, DVec3};

use crate::trig;

/// Body axes in the course frame: columns forward, port, up.
#[must_use]
pub fn axes(attitude: DQuat) -> DMat3 {
    DMat3::from_quat(attitude)
}

/// Upright on a heading, radians clockwise from north.
#[must_use]
pub fn upright(heading_rad: f64) -> DQuat {
    // Heading 0 looks north: a quarter turn from the body's x axis over the course's.
    let angle = std::f64::consts::FRAC_PI_2 - heading_rad;
    let (s, c) = trig::sin_cos(0.5 * angle);
    DQuat::from_xyzw(0.0, 0.0, s, c)
}

/// Heading, radians clockwise from north in [0, 2π).
#[must_use]
pub fn heading_rad(axes: &DMat3) -> f64 {
    trig::heading(axes.x_axis.x, axes.x_axis.y)
}

/// Heel, radians, positive to starboard.
#[must_use]
pub fn heel_rad(axes: &DMat3) -> f64 {
    trig::atan2(axes.y_axis.z, axes.z_axis.z)
}

/// Pitch, radians, positive bow up.
#[must_use]
pub fn pitch_rad(axes: &DMat3) -> f64 {
    trig::asin(axes.x_axis.z)
}

/// The attitude after turning at a rate, course axes in rad/s, for a time.
#[must_use]
pub fn turned(attitude: DQuat, spin_radps: DVec3, time_s: f64) -> DQuat {
    let half = spin_radps * (0.5 * time_s);
    let angle = (half.x * half.x + half.y * half.y + half.z * half.z).sqrt();
    // sin a / a, by its series near zero where the division would lose bits.
    let (ratio, c) = if angle < 1e-4 {
        (1.0 - angle * angle / 6.0, 1.0 - 0.5 * angle * angle)
    } else {
        let (s, c) = trig::sin_cos(angle);
        (s / angle, c)
    };
    let turn = DQuat::from_xyzw(half.x * ratio, half.y * ratio, half.z * ratio, c);
    normal(turn * attitude)
}

/// The same attitude at unit length.
#[must_use]
pub fn normal(q: DQuat) -> DQuat {
    let length = (q.x * q.x + q.y * q.y + q.z * q.z + q.w * q.w).sqrt();
    DQuat::from_xyzw(q.x / length, q.y / length, q.z / length, q.w / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_and_heels_have_their_signs() {
        let east = axes(upright(std::f64::consts::FRAC_PI_2));
        assert!((east.x_axis - DVec3::X).length() < 1e-15 && (east.y_axis - DVec3::Y).length() < 1e-15);
        assert!((heading_rad(&axes(upright(1.0))) - 1.0).abs() < 1e-14);
        // A turn about the forward axis puts the mast to starboard.
        let heeled = axes(turned(upright(0.0), DVec3::Y * 0.3, 1.0));
        assert!((heel_rad(&heeled) - 0.3).abs() < 1e-12 && heeled.z_axis.x > 0.2);
        let clockwise = turned(upright(0.0), DVec3::NEG_Z * 0.4, 1.0);
        assert!((heading_rad(&axes(clockwise)) - 0.4).abs() < 1e-12);
        let bow_up = axes(turned(upright(0.0), DVec3::X * 0.2, 1.0));
        assert!((pitch_rad(&bow_up) - 0.2).abs() < 1e-12);
    }
}
