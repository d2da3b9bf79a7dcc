//! Parses the `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date.

use std::time::Duration;

use crate::dates;
use crate::decimal;
use crate::http::head::Head;

/// Longest wait that is returned. A server that announces more means "not any time soon".
const MAX_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// Returns the wait that a response announces, at most a year; `None` if the header is missing or malformed.
///
/// A date is compared with the `Date` of the same response, so that this machine's clock does not matter. `now`, in
/// seconds since 1970, is used if that is missing. A date in the past is a wait of zero.
pub(crate) fn parse(head: &Head, now: u64) -> Option<Duration> {
    let value = head.header("retry-after")?;
    let seconds = if decimal::is_digits(value) {
        value.parse().unwrap_or(u64::MAX)
    } else {
        let date = head.header("date").and_then(dates::parse_http).unwrap_or(now);
        dates::parse_http(value)?.saturating_sub(date)
    };
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Head, MAX_WAIT, parse};

    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const DATE_IN_SECONDS: u64 = 784_111_777;

    fn wait(value: &str, date: Option<&str>, now: u64) -> Option<Duration> {
        let fields = [("retry-after", Some(value)), ("date", date)];
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.as_bytes().to_vec())));
        parse(&Head::new(429, fields), now)
    }

    #[test]
    fn seconds_and_dates_are_parsed() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(wait(" 20 ", Some(DATE), 0), seconds(20));
        assert_eq!(wait("0", None, 0), seconds(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", Some(DATE), 0), seconds(30));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", None, DATE_IN_SECONDS), seconds(30));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT", Some(DATE), 0), seconds(0));
        assert_eq!(wait("Thu, 01 Jan 1970 00:00:00 GMT", None, DATE_IN_SECONDS), seconds(0));
    }

    #[test]
    fn malformed_values_are_ignored() {
        for value in ["soon", "-1", "", "1.5", "20 s"] {
            assert_eq!(wait(value, Some(DATE), 0), None, "{value}");
        }
        assert_eq!(parse(&Head::new(429, []), 0), None);
    }

    #[test]
    fn waits_of_more_than_a_year_are_a_year() {
        for value in ["99999999999999999999999", "31536001", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(wait(value, Some(DATE), 0), Some(MAX_WAIT), "{value}");
        }
    }
}
