//! Dates as servers write them, as seconds since 1970-01-01T00:00:00Z and back. No clock is read here.
//!
//! HTTP headers carry `IMF-fixdate` (`Sun, 06 Nov 1994 08:49:37 GMT`, RFC 9110 section 5.6.7); the two obsolete
//! forms are not read. Token servers write RFC 3339 (`2016-09-22T12:23:03.5+02:00`).

/// Reads an HTTP date as whole seconds. The name of the weekday is not checked.
pub(crate) fn parse_http(text: &str) -> Option<u64> {
    let (weekday, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let day = digits(words.next()?, 2)?;
    let month = MONTHS.iter().position(|name| Some(*name) == words.clone().next())?;
    let month = u64::try_from(month).ok()? + 1;
    let year = digits(words.nth(1)?, 4)?;
    let mut clock = words.next()?.split(':');
    let (hour, minute, second) =
        (digits(clock.next()?, 2)?, digits(clock.next()?, 2)?, digits(clock.next()?, 2)?);
    let ends = words.next() == Some("GMT") && words.next().is_none() && clock.next().is_none();
    // A leap second is written as :60.
    let sane = weekday.len() == 3
        && (1..=days_in(year, month)).contains(&day)
        && year >= 1970
        && hour < 24
        && minute < 60
        && second <= 60;
    (ends && sane)
        .then(|| days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Reads an RFC 3339 timestamp as whole seconds; fractions are dropped, years before 1970 are not read.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
    let (clock, zone) = rest.split_at_checked(8)?;
    let (year, month, day) = triple(date, '-', 4)?;
    let (hour, minute, second) = triple(clock, ':', 2)?;
    let zone = zone
        .strip_prefix('.')
        .map_or(zone, |fraction| fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()));
    let sane = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && year >= 1970
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = i64::try_from(seconds).ok().filter(|_| sane)?;
    if zone.eq_ignore_ascii_case("z") {
        return Some(seconds);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let ahead = i64::try_from(digits(hours, 2)? * 3_600 + digits(minutes, 2)? * 60).ok()?;
    match sign {
        "+" => Some(seconds - ahead),
        "-" => Some(seconds + ahead),
        _ => None,
    }
}

/// Three numbers of two digits, the first of `length`.
fn triple(text: &str, between: char, length: usize) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(between);
    let triple =
        (digits(parts.next()?, length)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    parts.next().is_none().then_some(triple)
}

/// A time for people, `2016-09-22 12:23:03 UTC`; `None` for years that do not have four digits.
pub(crate) fn utc(seconds: i64) -> Option<String> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Counted from 1 March of year 0, so that a leap day ends a year; an era is 400 years.
    let days = days.checked_add(719_468)?;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, late) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + of_era_year + late;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    (0..=9999)
        .contains(&year)
        .then(|| format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn digits(text: &str, length: usize) -> Option<u64> {
    let all = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

fn days_in(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, by counting years from March, so that the leap
/// day is a year's last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
    days.saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::{parse_http, parse_rfc3339, utc};

    #[test]
    fn reads_the_form_that_is_sent() {
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
    fn reads_what_token_servers_write() {
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
    fn shows_times_of_all_four_digit_years() {
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
