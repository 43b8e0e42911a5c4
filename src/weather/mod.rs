//! Wind with its shifts and gusts, and visibility: pure functions of (course, seed, place, tick).
