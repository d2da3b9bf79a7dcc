//! Formats durations and lists for error messages.

use std::fmt;
use std::time::Duration;

/// A duration as people read it: `300 ms`, `1.5 s`, `20 s`.
///
/// Tenths of a second are shown below ten seconds only; the rest is cut off, not rounded.
///
/// ```
/// use regq::error::HumanDuration;
/// use std::time::Duration;
///
/// assert_eq!(HumanDuration(Duration::from_millis(1_550)).to_string(), "1.5 s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HumanDuration(
    /// The duration to show.
    pub Duration,
);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, tenths) = (self.0.as_secs(), self.0.subsec_millis() / 100);
        match (seconds, tenths) {
            (0, _) => write!(f, "{} ms", self.0.as_millis()),
            (1..10, 1..) => write!(f, "{seconds}.{tenths} s"),
            _ => write!(f, "{seconds} s"),
        }
    }
}

/// Joins the messages of an error and its sources, outermost first.
#[must_use]
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// The names of a list that are shown.
const MAX_NAMES: usize = 20;

/// The characters of each name that are shown.
const MAX_NAME_LENGTH: usize = 80;

/// Joins names from a server with commas. Long names and long lists are shortened.
pub(super) fn list(names: &[impl fmt::Display]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().take(MAX_NAMES).enumerate() {
        let name = name.to_string();
        text.push_str(if index == 0 { "" } else { ", " });
        match name.char_indices().nth(MAX_NAME_LENGTH) {
            Some((end, _)) => text.extend([name.get(..end).unwrap_or_default(), "..."]),
            None => text.push_str(&name),
        }
    }
    match names.len().saturating_sub(MAX_NAMES) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::HumanDuration;
    use std::time::Duration;

    #[test]
    fn durations_are_short() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (1, "1 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_099, "1 s"),
            (1_500, "1.5 s"),
            (9_999, "9.9 s"),
            (10_900, "10 s"),
            (61_000, "61 s"),
        ] {
            let shown = HumanDuration(Duration::from_millis(milliseconds)).to_string();
            assert_eq!(shown, expected, "{milliseconds} ms");
        }
    }
}
