//! Dates as HTTP headers carry them (RFC 9110 section 5.6.7), the one form that is still sent.
//!
//! Only `IMF-fixdate` (`Sun, 06 Nov 1994 08:49:37 GMT`) is read; the two obsolete forms are not.

/// Reads an HTTP date as whole seconds since 1970-01-01T00:00:00Z. The name of the weekday is not checked.
pub(crate) fn parse(text: &str) -> Option<u64> {
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
    use super::parse;

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
            assert_eq!(parse(text), seconds, "{text}");
        }
    }
}
