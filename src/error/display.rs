//! Durations and lists as error messages show them.

use std::fmt;
use std::time::Duration;

/// A duration for people: `300 ms`, `1.5 s`, `60 s`.
pub(crate) struct Shown(pub(crate) Duration);

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

/// How many names of a list are shown.
const MOST_NAMES: usize = 20;

/// How many characters of one of them are shown.
const MOST_OF_A_NAME: usize = 80;

/// Names that a server sent, with commas between them: the first ones, and how many more there are.
pub(super) fn list(names: &[impl fmt::Display]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().take(MOST_NAMES).enumerate() {
        let name = name.to_string();
        text.push_str(if at == 0 { "" } else { ", " });
        match name.char_indices().nth(MOST_OF_A_NAME) {
            Some((end, _)) => text.extend([name.get(..end).unwrap_or_default(), "..."]),
            None => text.push_str(&name),
        }
    }
    match names.len().saturating_sub(MOST_NAMES) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
