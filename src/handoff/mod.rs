//! Passing a group's ownership from one region to another.

use serde::{Deserialize, Serialize};

/// One word of the protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word;
