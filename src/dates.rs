//! Parses and formats the dates that servers send, as seconds since 1970-01-01T00:00:00Z.
//!
//! HTTP headers use `IMF-fixdate` (`Sun, 06 Nov 1994 08:49:37 GMT`, RFC 9110 section 5.6.7); its two obsolete forms are
//! not supported. Token servers use RFC 3339 (`2016-09-22T12:23:03.5+02:00`). No clock is read here.

use crate::decimal;

const SECONDS_PER_DAY: u64 = 86_400;
/// Days from 1 March of year 0 to 1970-01-01.
const EPOCH_DAY: u64 = 719_468;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses an HTTP date. `None` if it is malformed or before 1970. The name of the weekday is not checked.
pub(crate) fn parse_http(text: &str) -> Option<u64> {
    let (weekday, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day = digits(words.next()?, 2)?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let month = u64::try_from(month).ok()? + 1;
    let year = digits(words.next()?, 4)?;
    let clock = triple(words.next()?, ':', 2)?;
    let is_complete = words.next() == Some("GMT") && words.next().is_none();
    (is_complete && weekday.len() == 3).then(|| seconds((year, month, day), clock)).flatten()
}

/// Parses an RFC 3339 timestamp. Fractions of seconds are dropped. `None` if it is malformed or before 1970.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
    let (clock, zone) = rest.split_at_checked(8)?;
    let seconds = seconds(triple(date, '-', 4)?, triple(clock, ':', 2)?)?;
    let seconds = i64::try_from(seconds).ok()?;
    let zone = zone
        .strip_prefix('.')
        .map_or(zone, |fraction| fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    if zone.eq_ignore_ascii_case("z") {
        return Some(seconds);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let offset = i64::try_from(digits(hours, 2)? * 3_600 + digits(minutes, 2)? * 60).ok()?;
    match sign {
        "+" => Some(seconds - offset),
        "-" => Some(seconds + offset),
        _ => None,
    }
}

/// Formats a time as `2016-09-22 12:23:03 UTC`. `None` for years that do not have four digits.
pub(crate) fn utc(seconds: i64) -> Option<String> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years are counted from 1 March of year 0, so that a leap day is the last of its year, in eras of 400 years.
    let days = days.checked_add(i64::try_from(EPOCH_DAY).ok()?)?;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + next_year;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (0..=9999)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

/// Seconds since 1970 of a date (year, month, day) and a time (hour, minute, second), if both exist.
fn seconds((year, month, day): (u64, u64, u64), clock: (u64, u64, u64)) -> Option<u64> {
    let (hour, minute, second) = clock;
    let exists = year >= 1970
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        // A leap second is 60.
        && second <= 60;
    exists.then(|| {
        days_since_1970(year, month, day) * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second
    })
}

/// Parses three numbers with a separator. The first has `length` digits, the others two.
fn triple(text: &str, separator: char, length: usize) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(separator);
    let triple =
        (digits(parts.next()?, length)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    parts.next().is_none().then_some(triple)
}

/// Parses a number with exactly this many digits.
fn digits(text: &str, length: usize) -> Option<u64> {
    decimal::parse(text).filter(|_| text.len() == length)
}

fn days_in_month(year: u64, month: u64) -> u64 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // Years start in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year;
    days.saturating_sub(EPOCH_DAY)
}

#[cfg(test)]
mod tests {
    use super::{parse_http, parse_rfc3339, utc};

    #[test]
    fn http_dates_are_parsed() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 23:59:60 GMT", Some(1_709_251_200)),
            ("Tue, 01 Mar 2000 00:00:00 GMT", Some(951_868_800)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799)),
            ("Wed, 29 Feb 2023 00:00:00 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("Thu, 01 Jan 1969 00:00:00 GMT", None),
            ("120", None),
            ("", None),
        ] {
            assert_eq!(parse_http(text), seconds, "{text}");
        }
    }

    #[test]
    fn rfc3339_timestamps_are_parsed() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2016-09-22T12:23:03Z", Some(1_474_546_983)),
            ("2016-09-22T12:23:03.123456789Z", Some(1_474_546_983)),
            ("2016-09-22T14:23:03+02:00", Some(1_474_546_983)),
            ("2016-09-22t07:53:03.5-04:30", Some(1_474_546_983)),
            ("2016-09-22T12:23:03", None),
            ("2016-09-22", None),
            ("2023-02-29T00:00:00Z", None),
            ("2016-13-01T00:00:00Z", None),
            ("2016-09-22T12:23:03+0200", None),
            ("0001-01-01T00:00:00Z", None),
            ("1474546983", None),
            ("", None),
        ] {
            assert_eq!(parse_rfc3339(text), seconds, "{text}");
        }
    }

    #[test]
    fn times_are_formatted_for_years_of_four_digits() {
        for (seconds, text) in [
            (0, Some("1970-01-01 00:00:00 UTC")),
            (-1, Some("1969-12-31 23:59:59 UTC")),
            (1_474_546_983, Some("2016-09-22 12:23:03 UTC")),
            (951_782_400, Some("2000-02-29 00:00:00 UTC")),
            (951_868_800, Some("2000-03-01 00:00:00 UTC")),
            (253_402_300_799, Some("9999-12-31 23:59:59 UTC")),
            (253_402_300_800, None),
            (-62_167_219_200, Some("0000-01-01 00:00:00 UTC")),
            (-62_167_219_201, None),
            (i64::MAX, None),
            (i64::MIN, None),
        ] {
            assert_eq!(utc(seconds).as_deref(), text, "{seconds}");
        }
    }
}
