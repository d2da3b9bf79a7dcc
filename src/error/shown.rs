//! Durations as error messages show them.

use std::fmt;
use std::time::Duration;

/// A duration for people: `300 ms`, `1.5 s`, `60 s`.
pub(super) struct Shown(pub(super) Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(duration) = self;
        if *duration < Duration::from_secs(1) {
            write!(f, "{} ms", duration.as_millis())
        } else if duration.subsec_millis() == 0 || *duration >= Duration::from_secs(60) {
            write!(f, "{} s", duration.as_secs())
        } else {
            write!(f, "{}.{} s", duration.as_secs(), duration.subsec_millis() / 100)
        }
    }
}
