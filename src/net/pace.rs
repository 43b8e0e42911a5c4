//! How fast others may go: allowances that fill up with time.

use std::time::Instant;

use crate::clock;

/// An allowance of so many a second, of which at most so many are saved up.
#[derive(Debug)]
pub(super) struct Allowance {
    per_second: f64,
    most: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    /// A full one.
    pub(super) fn new(per_second: u32, most: u32) -> Self {
        let most = f64::from(most);
        Self { per_second: f64::from(per_second), most, left: most, at: clock::now() }
    }

    /// Takes one; false when there is none left.
    pub(super) fn take(&mut self) -> bool {
        self.take_at(clock::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        let grown = now.saturating_duration_since(self.at).as_secs_f64() * self.per_second;
        self.left = (self.left + grown).min(self.most);
        self.at = now;
        let some = self.left >= 1.0;
        if some {
            self.left -= 1.0;
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn allowance_is_spent_and_fills_up_again_to_its_bound() {
        let mut allowance = Allowance::new(10, 3);
        let start = clock::now();
        let taken = |allowance: &mut Allowance, ms| {
            let now = start + Duration::from_millis(ms);
            (0..100).filter(|_| allowance.take_at(now)).count()
        };
        assert_eq!(taken(&mut allowance, 0), 3);
        assert_eq!(taken(&mut allowance, 50), 0);
        assert_eq!(taken(&mut allowance, 101), 1);
        assert_eq!(taken(&mut allowance, 60_000), 3);
    }
}
