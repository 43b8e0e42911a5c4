//! pilots
