//! Parses decimal numbers made of ASCII digits alone.
//!
//! `str::parse` also accepts a leading `+`, which no grammar that regq reads allows: ports, dates, `Retry-After`,
//! variants and versions are plain digits.

use std::str::FromStr;

/// Parses one or more ASCII digits; `None` for anything else and for numbers that do not fit the type.
pub(crate) fn parse<T: FromStr>(text: &str) -> Option<T> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

/// Whether a text is one or more ASCII digits.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn only_digits_are_numbers() {
        for (text, number) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("255", Some(255)),
            ("256", None),
            ("99999999999", None),
        ] {
            assert_eq!(parse::<u8>(text), number, "{text}");
        }
        for text in ["", "+1", "-1", " 1", "1 ", "1.0", "0x1", "\u{661}"] {
            assert_eq!(parse::<u64>(text), None, "{text}");
        }
    }
}
