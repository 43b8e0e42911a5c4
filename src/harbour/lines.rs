//! The harbour's lines to its regions: one circuit each, apart from how circuits are made.

use super::engine::ReadyInfo;
use crate::units::RegionId;
use crate::wire::Message;

/// What happened on a line.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every event is a message")]
pub enum LineEvent {
    /// The region is there and enrolled: it takes messages.
    Open(RegionId),
    /// The region said something.
    Heard(RegionId, Message),
    /// The line is gone, or could not be opened; why.
    Lost(RegionId, String),
}

/// Lines to regions. Calls return at once; what comes of them is told by [`Lines::poll`].
pub trait Lines {
    /// Opens a line to a region that is ready, and enrols it: a certificate for the key that it showed.
    fn open(&mut self, region: RegionId, name: &str, info: &ReadyInfo);

    /// Sends a message, in order; lost when the line is.
    fn send(&mut self, region: RegionId, message: Message);

    /// Closes a line, if it is open; nothing more is heard of it.
    fn close(&mut self, region: RegionId);

    /// The next thing that happened, if any did.
    fn poll(&mut self) -> Option<LineEvent>;
}
