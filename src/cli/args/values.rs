//! Parses the values of flags.
//!
//! Each function parses one text and uses nothing else: no file, environment or clock. An error message follows the name of
//! the flag. How flags depend on each other is checked in `parser`.

use std::path::PathBuf;
use std::time::Duration;

use regq::credentials::Secret;
use regq::explain;
use regq::platform::Platform;
use regq::reference::Registry;

/// The maximum duration. Adding it to a clock must not overflow.
const MAX_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Where a token is read from.
#[derive(Debug)]
pub(crate) enum TokenSource {
    Text(Secret),
    Stdin,
}

/// A file that is generated from the tables of commands and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    Man,
    Bash,
    Zsh,
    Fish,
}

/// The values of `--generate`.
pub(crate) const GENERATED: [(&str, Generated); 4] = [
    ("man", Generated::Man),
    ("bash", Generated::Bash),
    ("zsh", Generated::Zsh),
    ("fish", Generated::Fish),
];

/// Parses a value of `--generate`.
pub(crate) fn generated(text: &str) -> Result<Generated, String> {
    let found = GENERATED.iter().find(|(name, _)| *name == text);
    found.map(|(_, kind)| *kind).ok_or_else(|| format!("{text:?}: must be man, bash, zsh or fish"))
}

/// Parses `OS/ARCH[/VARIANT]`, or `local` for this machine.
pub(crate) fn platform(text: &str) -> Result<Platform, String> {
    if text == "local" {
        return Ok(Platform::local());
    }
    Platform::parse(text).map_err(|error| error.to_string())
}

/// Parses seconds, or a number with `ms`, `s`, `m` or `h`. Decimals are allowed.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let invalid =
        || format!("{text:?}: not a duration: use seconds, or a number with ms, s, m or h");
    let long = || format!("{text:?}: must be at most one year");
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let (number, unit) = units
        .iter()
        .find_map(|(unit, length)| text.strip_suffix(unit).map(|number| (number, *length)))
        .unwrap_or((text, 1_000));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || (whole.is_empty() && decimals.is_empty()) {
        return Err(invalid());
    }
    // Integers avoid 10 KB of code for floating point. Digits after the sixth decimal are ignored.
    let millionths = format!("{decimals:0<6}").chars().take(6).collect::<String>();
    let whole: u64 = format!("0{whole}").parse().map_err(|_| long())?;
    let millionths: u64 = millionths.parse().map_err(|_| invalid())?;
    let milliseconds = whole.checked_mul(unit).ok_or_else(long)?;
    let duration = Duration::from_millis(milliseconds) + Duration::from_nanos(millionths * unit);
    if duration <= MAX_DURATION { Ok(duration) } else { Err(long()) }
}

/// Parses a time limit, which must not be zero.
pub(crate) fn deadline(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("{text:?}: must be longer than zero")),
        duration => Ok(duration),
    }
}

/// Parses a decimal number without a sign.
pub(crate) fn count(text: &str) -> Result<u32, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let count = if plain { text.parse().ok() } else { None };
    count.ok_or_else(|| format!("{text:?}: must be a number from 0 to {}", u32::MAX))
}

/// Checks that a user name is valid in HTTP's Basic scheme (RFC 7617 section 2).
pub(crate) fn user(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.contains(':') || text.chars().any(char::is_control) {
        // The value is not shown: the part after the colon may be a password.
        return Err("must not contain a colon or control characters; the password goes to \
                    --password-stdin or --password-file"
            .to_owned());
    }
    Ok(text.to_owned())
}

/// Parses the name of a file. The file is opened later.
pub(crate) fn file(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("must not be empty".to_owned()),
        "-" => Err("must be a file, not standard input".to_owned()),
        name => Ok(PathBuf::from(name)),
    }
}

/// Parses a token, or `-` for standard input. Any text is accepted, because `explain` diagnoses tokens.
pub(crate) fn token(text: &str) -> TokenSource {
    match text {
        "-" => TokenSource::Stdin,
        text => TokenSource::Text(Secret::new(text)),
    }
}

/// Parses an HTTP status.
pub(crate) fn status(text: &str) -> Result<u16, String> {
    let code = count(text).ok().and_then(|code| u16::try_from(code).ok());
    let code = code.filter(|code| (100..600).contains(code));
    code.ok_or_else(|| format!("{text:?}: must be an HTTP status from 100 to 599"))
}

/// Parses a time in the format of the `Date` header. Returns seconds since 1970.
pub(crate) fn date(text: &str) -> Result<i64, String> {
    let example = "Thu, 22 Sep 2016 12:23:03 GMT";
    explain::parse_date(text).ok_or_else(|| format!("{text:?}: must be a date such as {example:?}"))
}

/// Checks a dotted path of keys.
pub(crate) fn key(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// Checks the host of a token server. It has no port, because all ports of the host are trusted.
pub(crate) fn realm(text: &str) -> Result<String, String> {
    // With a port, a name without dots is a host, too.
    match Registry::parse(&format!("{text}:443")) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("{text:?}: must be a host name, without scheme, port or path")),
    }
}

#[cfg(test)]
mod tests {
    use super::{count, deadline, duration};
    use std::time::Duration;

    #[test]
    fn durations_have_units_and_decimals() {
        for (text, milliseconds) in [
            ("5", 5_000),
            ("0", 0),
            ("0.5", 500),
            ("1.5s", 1_500),
            ("250ms", 250),
            ("2m", 120_000),
            (".5h", 1_800_000),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn invalid_durations_are_refused() {
        for text in
            ["", "s", ".", "-1", "+1", "1e3", "inf", "nan", "1 s", "1d", "1.2.3", "9999h", "1_0"]
        {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(deadline("0s").is_err());
        assert!(duration(&"9".repeat(400)).is_err());
    }

    #[test]
    fn counts_are_digits_only() {
        assert_eq!(count("0"), Ok(0));
        for text in ["", "-1", "+1", "4294967296", "1.0"] {
            assert!(count(text).is_err(), "{text}");
        }
    }
}
