//! What goes over the wire: messages, tickets, and their bytes.
//!
//! MessagePack, compact, version first. A decoder caps the size before it reads, the depth while it reads,
//! and refuses numbers that are not finite and bytes after the end.

pub mod circuit;
pub mod message;

pub use message::Message;
