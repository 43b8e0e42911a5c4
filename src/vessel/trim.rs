//! Sheets: what a hand on the winch does to a sail, and the rule of thumb that sailors keep.
//!
//! A sheet of 1 holds the boom 4° from the centreline, a sheet of 0 lets it out to 85°; between them the
//! angle is proportional. Where the sheet stands as [`sheet_for`] says, the sail has the lift and drag of
//! the ORC tables. Eased further it luffs: lift falls in proportion to what is left of the angle of
//! attack, down to a flogging sail. Hauled further it stalls: lift falls and drag grows.

/// Boom angle with the sheet hauled in, radians.
pub const BOOM_IN_RAD: f64 = 4.0 * DEG;
/// Boom angle with the sheet let fly, radians.
pub const BOOM_OUT_RAD: f64 = 85.0 * DEG;
/// Apparent wind angle below which the sheet is hauled in, radians.
const CLOSE_RAD: f64 = 28.0 * DEG;
/// Apparent wind angle above which it is let out, radians.
const SQUARE_RAD: f64 = 160.0 * DEG;
/// Boom angle hauled too far at which a sail is fully stalled, radians.
const STALL_RAD: f64 = 40.0 * DEG;
/// Share of its lift that a stalled sail keeps.
const STALLED_LIFT: f64 = 0.45;
/// Drag coefficient that stalling adds.
const STALLED_DRAG: f64 = 0.55;
/// Drag coefficient of a flogging sail (Hoerner 1965, flags of cloth).
const FLOGGING_DRAG: f64 = 0.12;
/// Apparent wind angle below which every sail flogs, more the nearer to the wind's eye, radians.
const LUFF_RAD: f64 = 12.0 * DEG;
/// Angle of attack of a sail at least, radians: below the closest angle the tables themselves lose their lift.
const ATTACK_RAD_MIN: f64 = 10.0 * DEG;
const DEG: f64 = std::f64::consts::PI / 180.0;

/// The sheet that suits an apparent wind angle, as any sailor knows it: hauled in to 28°, then eased
/// evenly until it is let out at 160°.
///
/// `apparent_wind_angle_rad` is counted from the bow, either side; returns 0 (let fly) to 1 (hauled in).
#[must_use]
pub fn sheet_for(apparent_wind_angle_rad: f64) -> f64 {
    1.0 - ((apparent_wind_angle_rad.abs() - CLOSE_RAD) / (SQUARE_RAD - CLOSE_RAD)).clamp(0.0, 1.0)
}

/// The sheet with which a sail draws a share of its lift, 0 (shaking) to 1 (well trimmed), at an apparent wind angle
/// from the bow, radians.
#[must_use]
pub fn sheet_to_draw(share: f64, apparent_wind_angle_rad: f64) -> f64 {
    let angle = apparent_wind_angle_rad.abs();
    let best = sheet_for(angle);
    let attack = (angle - boom_rad(best)).max(ATTACK_RAD_MIN);
    best - (1.0 - share) * attack / (BOOM_OUT_RAD - BOOM_IN_RAD)
}

/// The boom's angle for a sheet, radians.
#[must_use]
pub fn boom_rad(sheet: f64) -> f64 {
    BOOM_OUT_RAD + (BOOM_IN_RAD - BOOM_OUT_RAD) * sheet
}

/// What a sheet makes of a well-trimmed sail's coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trim {
    /// Factor on lift.
    pub lift: f64,
    /// Factor on drag.
    pub drag: f64,
    /// Added to the drag coefficient.
    pub drag_more: f64,
}

/// The trim of a sheet at an apparent wind angle from the bow, radians, 0 to π.
#[must_use]
pub fn trim(sheet: f64, apparent_wind_angle_rad: f64) -> Trim {
    let best = boom_rad(sheet_for(apparent_wind_angle_rad));
    let eased = boom_rad(sheet) - best;
    let luff = FLOGGING_DRAG * (1.0 - apparent_wind_angle_rad / LUFF_RAD).max(0.0);
    if eased >= 0.0 {
        let attack = (apparent_wind_angle_rad - best).max(ATTACK_RAD_MIN);
        let full = (1.0 - eased / attack).max(0.0);
        Trim { lift: full, drag: full, drag_more: luff + FLOGGING_DRAG * (1.0 - full) }
    } else {
        let over = (-eased / STALL_RAD).min(1.0);
        Trim { lift: 1.0 - (1.0 - STALLED_LIFT) * over, drag: 1.0, drag_more: luff + STALLED_DRAG * over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_sheet_is_best() {
        for angle in [30.0, 60.0, 90.0, 120.0, 150.0] {
            let angle = angle * DEG;
            let best = sheet_for(angle);
            assert_eq!(trim(best, angle), Trim { lift: 1.0, drag: 1.0, drag_more: 0.0 });
            for wrong in [best - 0.2, best + 0.2] {
                let wrong = trim(wrong.clamp(0.0, 1.0), angle);
                assert!(wrong.lift <= 1.0);
            }
        }
        assert!(trim(0.0, 40.0 * DEG).lift < 1e-12, "let fly, a sail does not draw");
    }

    #[test]
    fn sails_draw_as_they_are_asked_to() {
        for (angle, share) in [(25.0, 0.4), (45.0, 0.7), (60.0, 0.2), (90.0, 0.9)] {
            let angle = angle * DEG;
            assert!((trim(sheet_to_draw(share, angle), angle).lift - share).abs() < 1e-12);
        }
    }
}
