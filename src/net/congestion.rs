//! How much a circuit may have under way.
//!
//! CUBIC as QUIC has it, with a floor. What a circuit carries does not grow to fill its path: states come 45 to 225
//! times a second whatever the path is like, and are worth nothing late. A controller that takes every loss for
//! congestion closes its window on a link that loses two packets in a hundred, and, since what is sent never fills the
//! window, never opens it again: states then queue here for most of a second.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory, CubicConfig};
use quinn_proto::RttEstimator;

use crate::limits::CIRCUIT_FLIGHT_BYTES;

/// Makes controllers with a floor.
#[derive(Debug, Default)]
pub(super) struct FlooredConfig(Arc<CubicConfig>);

impl ControllerFactory for FlooredConfig {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(Floored(Arc::clone(&self.0).build(now, mtu)))
    }
}

/// A controller whose window never falls below [`CIRCUIT_FLIGHT_BYTES`].
struct Floored(Box<dyn Controller>);

impl Controller for Floored {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.0.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        self.0.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.0.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, is_persistent: bool, lost_bytes: u64) {
        self.0.on_congestion_event(now, sent, is_persistent, lost_bytes);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.0.on_mtu_update(mtu);
    }

    fn window(&self) -> u64 {
        self.0.window().max(CIRCUIT_FLIGHT_BYTES)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self(self.0.clone_box()))
    }

    fn initial_window(&self) -> u64 {
        self.0.initial_window().max(CIRCUIT_FLIGHT_BYTES)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn losses_do_not_close_the_window_below_its_floor() {
        let begun = clock::now();
        let mut controller = Arc::new(FlooredConfig::default()).build(begun, 1_200);
        for n in 1..50 {
            let now = begun + std::time::Duration::from_millis(200 * n);
            controller.on_congestion_event(now, now, true, 1_200);
            assert_eq!(controller.window(), CIRCUIT_FLIGHT_BYTES);
        }
        assert_eq!(controller.clone_box().window(), CIRCUIT_FLIGHT_BYTES);
    }
}
