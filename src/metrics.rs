//! Figures of this process.
