//! Start options.
