//! Time: what a question may take, when a request is sent again, and how long to wait before.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom as _, SystemRandom};

use crate::dates;

/// The time that one question has. Waits that a server announced are not counted.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    limit: Duration,
    ends: Instant,
}

impl Deadline {
    /// A deadline that begins now.
    pub(crate) fn new(limit: Duration) -> Deadline {
        let now = Instant::now();
        // A limit beyond what the clock can express is as good as a year.
        let ends = now.checked_add(limit).unwrap_or(now + Duration::from_secs(365 * 86_400));
        Deadline { limit, ends }
    }

    /// The time that is left; `None` when it is over.
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.ends.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The whole time, for messages.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Does not count a wait.
    pub(super) fn extend(&mut self, wait: Duration) {
        self.ends = self.ends.checked_add(wait).unwrap_or(self.ends);
    }
}

/// True for the statuses that a later try may turn into an answer.
pub(super) fn worth_retrying(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// The wait before the next try when nobody said how long: 0.2 s, doubled with every try, up to 10 s, and
/// anything from half of that to all of it, so that many clients do not come back in step.
pub(super) fn backoff(tries: u32) -> Duration {
    let full = Duration::from_millis(200).saturating_mul(1 << tries.min(8)).min(LONGEST_BACKOFF);
    let mut random = [0; 2];
    // Without randomness the wait is the longest, which is right as well.
    let share = match SystemRandom::new().fill(&mut random) {
        Ok(()) => u32::from(u16::from_be_bytes(random)),
        Err(_) => u32::from(u16::MAX),
    };
    full / 2 + (full / 2) * share / u32::from(u16::MAX)
}

const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// The wait that a `Retry-After` header asks for (RFC 9110 section 10.2.3): seconds, or a date, which is
/// held against the same answer's `Date` where there is one, so that this machine's clock does not matter.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let then = dates::parse_http(value)?;
    let now = date.and_then(dates::parse_http).or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
    })?;
    Some(Duration::from_secs(then.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::{Duration, backoff, retry_after};

    #[test]
    fn waits_grow_and_stay_in_bounds() {
        for (tries, low, high) in [(0, 100, 200), (1, 200, 400), (2, 400, 800), (40, 5_000, 10_000)]
        {
            let wait = backoff(tries);
            assert!(wait >= Duration::from_millis(low), "{tries}: {wait:?}");
            assert!(wait <= Duration::from_millis(high), "{tries}: {wait:?}");
        }
    }

    #[test]
    fn announced_waits() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after(" 20 ", date), seconds(20));
        assert_eq!(retry_after("99999999999999999999999", None), seconds(u64::MAX));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", date), seconds(30));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", date), seconds(0));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", None), seconds(0));
        assert_eq!(retry_after("soon", date), None);
        assert_eq!(retry_after("-1", date), None);
        assert_eq!(retry_after("", date), None);
    }
}
