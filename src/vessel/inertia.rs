//! Mass with the water that must move along, and its inverse.

use glam::DVec3;

/// A symmetric 6 × 6 matrix over (linear, angular) body axes.
pub type Matrix6 = [[f64; 6]; 6];

/// Adds a mass that differs by direction, at a place from the centre of gravity: Jᵀ diag(a) J.
pub fn add_at(matrix: &mut Matrix6, place_m: DVec3, mass_kg: DVec3) {
    let r = place_m;
    // Velocity of the place for unit motion in each of the six directions.
    let columns = [DVec3::X, DVec3::Y, DVec3::Z, DVec3::X.cross(r), DVec3::Y.cross(r), DVec3::Z.cross(r)];
    for (row, a) in columns.iter().enumerate() {
        for (column, b) in columns.iter().enumerate() {
            let (p, q) = (*a * mass_kg, *b);
            matrix[row][column] += p.x * q.x + p.y * q.y + p.z * q.z;
        }
    }
}

/// The inverse by Gauss and Jordan, pivots in order: the matrix is positive definite.
///
/// # Panics
/// When a pivot is not positive: the matrix was none of mass.
#[must_use]
pub fn inverse(matrix: &Matrix6) -> Matrix6 {
    let mut left = *matrix;
    let mut right: Matrix6 = [[0.0; 6]; 6];
    for (n, row) in right.iter_mut().enumerate() {
        row[n] = 1.0;
    }
    for pivot in 0..6 {
        assert!(left[pivot][pivot] > 0.0, "a mass matrix has positive pivots");
        let scale = 1.0 / left[pivot][pivot];
        for column in 0..6 {
            left[pivot][column] *= scale;
            right[pivot][column] *= scale;
        }
        for row in 0..6 {
            if row == pivot {
                continue;
            }
            let factor = left[row][pivot];
            for column in 0..6 {
                left[row][column] -= factor * left[pivot][column];
                right[row][column] -= factor * right[pivot][column];
            }
        }
    }
    right
}

/// The matrix times (force, torque): (linear, angular) acceleration.
#[must_use]
pub fn times(matrix: &Matrix6, force: DVec3, torque: DVec3) -> (DVec3, DVec3) {
    let v = [force.x, force.y, force.z, torque.x, torque.y, torque.z];
    let row = |n: usize| {
        let m = &matrix[n];
        ((m[0] * v[0] + m[1] * v[1]) + (m[2] * v[2] + m[3] * v[3])) + (m[4] * v[4] + m[5] * v[5])
    };
    (DVec3::new(row(0), row(1), row(2)), DVec3::new(row(3), row(4), row(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_a_mass() {
        let mut m: Matrix6 = [[0.0; 6]; 6];
        add_at(&mut m, DVec3::ZERO, DVec3::splat(7000.0));
        for (n, inertia) in [(3, 16_000.0), (4, 60_000.0), (5, 61_000.0)] {
            m[n][n] += inertia;
        }
        add_at(&mut m, DVec3::new(0.3, 0.0, -1.5), DVec3::new(0.0, 2000.0, 0.0));
        let (force, torque) = (DVec3::new(1.0, -2.0, 3.0), DVec3::new(400.0, 5.0, -60.0));
        let (a, b) = times(&inverse(&m), force, torque);
        let (f, t) = times(&m, a, b);
        assert!((f - force).length() < 1e-9 && (t - torque).length() < 1e-9);
    }
}
