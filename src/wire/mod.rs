//! What goes over the wire: messages, tickets, and their bytes.
//!
//! MessagePack, compact, version first. A decoder caps the size before it reads, the depth while it reads,
//! and refuses numbers that are not finite and bytes after the end.

mod check;
pub mod circuit;
pub mod codec;
mod course_time;
pub mod message;
pub mod ticket;

pub use codec::{VERSION, WireError, decode, encode, encode_into};
pub use message::Message;
pub use ticket::{AuthorityKey, Rights, Ticket, TicketError, TicketKey};
