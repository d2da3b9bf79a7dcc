//! The deadline of a question.

use std::time::{Duration, Instant};

/// The time by which a question must be answered. Shared by all requests of the question, so retries do not restart it.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    limit: Duration,
    end: Instant,
}

impl Deadline {
    /// Starts a deadline: it ends `limit` from now.
    pub(crate) fn new(limit: Duration) -> Deadline {
        let now = Instant::now();
        // A limit too long for the clock becomes a year.
        let end = now.checked_add(limit).unwrap_or(now + Duration::from_secs(365 * 86_400));
        Deadline { limit, end }
    }

    /// Returns the time that is left; `None` after the end.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Returns the limit it was started with, for messages.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Moves the end: a wait that the server announced does not count.
    pub(crate) fn extend(&mut self, wait: Duration) {
        self.end = self.end.checked_add(wait).unwrap_or(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadline, Duration};

    #[test]
    fn time_left_shrinks_to_none_and_grows_by_extension() {
        let mut deadline = Deadline::new(Duration::ZERO);
        assert_eq!(deadline.left(), None);
        deadline.extend(Duration::from_secs(60));
        assert!(deadline.left().is_some_and(|left| left <= Duration::from_secs(60)));
        assert_eq!(deadline.limit(), Duration::ZERO);
    }

    #[test]
    fn longest_limits_do_not_overflow() {
        let mut deadline = Deadline::new(Duration::MAX);
        assert!(deadline.left() > Some(Duration::from_secs(364 * 86_400)));
        deadline.extend(Duration::MAX);
        assert!(deadline.left().is_some());
    }
}
