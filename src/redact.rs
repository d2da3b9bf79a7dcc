//! Removes secrets from text that a server sent.
//!
//! Servers echo what they receive: in error messages, headers, redirect URLs, even certificate names. Everything regq
//! prints goes through a [`Redactor`] that knows the secrets of the run. It finds them verbatim and with any nesting,
//! up to four deep, of percent-encoding, backslash escapes (JSON, shells, Rust's `Debug`) and HTML entities. Case, and
//! the differences between the two base64 alphabets and between a space and a plus, are ignored. A beginning of a
//! secret is found where a server truncated it with `...`.
//!
//! Secrets shorter than 6 bytes are not redacted: they occur in ordinary text, and the gaps would reveal them. base64 is
//! not decoded; `credentials` passes secrets in that form too. This is not a parser of any of these notations: whatever
//! looks like an escape is decoded as one, which at worst redacts too much.

use std::fmt;
use std::ops::Range;

/// Replaces redacted text. Also how servers mark that they truncated a text.
const ELLIPSIS: &str = "...";
/// How many nested escapes are decoded.
const MAX_DEPTH: usize = 4;

/// Removes known secrets from texts. `Debug` does not show them.
#[derive(Default)]
pub(crate) struct Redactor {
    /// The secrets in every decoding, folded.
    needles: Vec<String>,
}

impl Redactor {
    /// Bytes of the shortest secret that is redacted.
    pub(crate) const MIN_LENGTH: usize = 6;

    /// Creates a redactor of these secrets. Those that are too short are ignored.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Redactor {
        let mut needles: Vec<String> = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= Redactor::MIN_LENGTH) {
            for needle in decodings(&secret).iter().map(Decoding::folded) {
                if needle.len() >= Redactor::MIN_LENGTH && !needles.contains(&needle) {
                    needles.push(needle);
                }
            }
        }
        Redactor { needles }
    }

    /// Returns the text with `...` in place of each secret.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut mask = Mask::default();
        if !self.needles.is_empty() {
            for decoding in decodings(text) {
                let folded = decoding.folded();
                self.mask_secrets(&decoding, &folded, &mut mask);
                self.mask_truncated(&decoding, &folded, &mut mask);
            }
        }
        mask.apply(text)
    }

    fn mask_secrets(&self, decoding: &Decoding, folded: &str, mask: &mut Mask) {
        for needle in self.needles.iter().filter(|needle| needle.len() <= folded.len()) {
            for (at, _) in folded.match_indices(needle.as_str()) {
                mask.add(decoding.source(at..at + needle.len()));
            }
        }
    }

    /// Masks beginnings of secrets before an ellipsis, and the ellipsis, so that it is not doubled.
    fn mask_truncated(&self, decoding: &Decoding, folded: &str, mask: &mut Mask) {
        let mut part_start = 0;
        for (at, _) in folded.match_indices(ELLIPSIS) {
            let part = folded.get(part_start..at).unwrap_or_default();
            part_start = at + ELLIPSIS.len();
            let longest_beginning = |needle: &String| {
                let lengths = Redactor::MIN_LENGTH..=needle.len().min(part.len());
                lengths.rev().find(|length| {
                    needle.get(..*length).is_some_and(|beginning| part.ends_with(beginning))
                })
            };
            if let Some(length) = self.needles.iter().filter_map(longest_beginning).max() {
                mask.add(decoding.source(at - length..part_start));
            }
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

/// Redacts tokens that regq does not know: values named `token` or `..._token`, and JWTs.
pub(crate) fn without_tokens(text: &str) -> String {
    let mut mask = Mask::default();
    let lower = text.to_ascii_lowercase();
    let names = lower.match_indices("token").map(|(at, name)| at + name.len());
    mask_values(text, names.filter_map(|end| value_start(text, end)), |_| true, &mut mask);
    // `eyJ` is `{"` in base64, the start of every JWT.
    let jwts = text.match_indices("eyJ").map(|(at, _)| at);
    mask_values(text, jwts, |value| value.contains('.'), &mut mask);
    mask.apply(text)
}

/// Where the value of a name starts that ends at `name_end`, as in `name=value`, `name = "value"` or
/// `"name": "value"`, even if the quotes are escaped. `name: value` without quotes is a sentence, not a value.
fn value_start(text: &str, name_end: usize) -> Option<usize> {
    let skip_blank = |text: &str| text.len() - text.trim_start_matches([' ', '\\']).len();
    let skip_quote = |text: &str| usize::from(text.starts_with(['"', '\'']));
    let rest = |at: usize| text.get(at..).unwrap_or_default();
    let quote = name_end + skip_blank(rest(name_end));
    let after_quote = quote + skip_quote(rest(quote));
    let sign = after_quote + skip_blank(rest(after_quote));
    let is_quoted = after_quote > quote;
    let is_assigned = rest(sign).starts_with('=') || (is_quoted && rest(sign).starts_with(':'));
    let value = sign + 1 + skip_blank(rest(sign + 1));
    is_assigned.then(|| value + skip_quote(rest(value)))
}

/// Masks the values that start at these positions, in growing order, if they are long enough and `matches` accepts them.
fn mask_values(
    text: &str,
    starts: impl Iterator<Item = usize>,
    matches: impl Fn(&str) -> bool,
    mask: &mut Mask,
) {
    let mut scanned = 0;
    for start in starts {
        // Scanning each byte once keeps this linear.
        if start < scanned {
            continue;
        }
        let rest = text.get(start..).unwrap_or_default();
        let in_value = |c: char| c.is_ascii_alphanumeric() || "-._~+/=%".contains(c);
        let length = rest.find(|c| !in_value(c)).unwrap_or(rest.len());
        scanned = start + length;
        if length >= Redactor::MIN_LENGTH && rest.get(..length).is_some_and(&matches) {
            mask.add(start..scanned);
        }
    }
}

/// For each byte of a text, whether it is redacted. May be shorter than the text.
#[derive(Default)]
struct Mask(Vec<bool>);

impl Mask {
    fn add(&mut self, range: Range<usize>) {
        if self.0.len() < range.end {
            self.0.resize(range.end, false);
        }
        self.0.get_mut(range).unwrap_or_default().fill(true);
    }

    /// Replaces each masked run by one ellipsis.
    fn apply(&self, text: &str) -> String {
        let is_masked = |at: usize| self.0.get(at).is_some_and(|masked| *masked);
        let mut redacted = String::with_capacity(text.len());
        let mut in_run = false;
        for (at, c) in text.char_indices() {
            match (is_masked(at), in_run) {
                (false, _) => redacted.push(c),
                (true, false) => redacted.push_str(ELLIPSIS),
                (true, true) => {}
            }
            in_run = is_masked(at);
        }
        redacted
    }
}

/// A text with some of its escapes decoded.
struct Decoding {
    bytes: Vec<u8>,
    /// Where each byte comes from in the original text, then the text's length. All bytes of an escape come from its
    /// start.
    starts: Vec<usize>,
}

/// The text itself, and the text with more and more nested escapes decoded: of all notations together, and of each alone,
/// because text next to a secret can combine with it into what looks like an escape of another notation.
fn decodings(text: &str) -> Vec<Decoding> {
    let bytes = text.as_bytes().to_vec();
    let mut decodings = vec![Decoding { bytes, starts: (0..=text.len()).collect() }];
    for introducers in [&b"%\\&"[..], b"%", b"\\", b"&"] {
        let mut outer = 0;
        for _ in 0..MAX_DEPTH {
            let Some(next) = decodings.get(outer).and_then(|outer| outer.decode(introducers))
            else {
                break;
            };
            outer = decodings.len();
            decodings.push(next);
        }
    }
    decodings
}

impl Decoding {
    /// Decodes the escapes that begin with one of these bytes; `None` if there are none.
    fn decode(&self, introducers: &[u8]) -> Option<Decoding> {
        // A search for each byte is fast in long texts.
        introducers.iter().find(|byte| self.bytes.contains(byte))?;
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        let mut rest = self.bytes.as_slice();
        while let Some(first) = rest.first() {
            let start = self.start(self.bytes.len() - rest.len());
            let length = match decode_escape(rest).filter(|_| introducers.contains(first)) {
                Some((decoded, length)) => {
                    decoded.append_to(&mut bytes);
                    length
                }
                None => {
                    bytes.push(*first);
                    1
                }
            };
            starts.resize(bytes.len(), start);
            rest = rest.get(length..).unwrap_or_default();
        }
        starts.extend(self.starts.last());
        (bytes.len() < self.bytes.len()).then_some(Decoding { bytes, starts })
    }

    /// The text for comparisons, one ASCII character per byte. Lower case, because host names and schemes lose their
    /// case; a space is a plus, as in forms; and the two base64 alphabets are one.
    fn folded(&self) -> String {
        let fold = |byte: &u8| match byte & 0x7f {
            b' ' | b'-' => '+',
            b'_' => '/',
            byte => char::from(byte.to_ascii_lowercase()),
        };
        self.bytes.iter().map(fold).collect()
    }

    /// The part of the original text that these bytes were decoded from.
    fn source(&self, range: Range<usize>) -> Range<usize> {
        let last = self.start(range.end.saturating_sub(1));
        let end = self.starts.iter().skip(range.end).find(|start| **start > last);
        self.start(range.start)..end.copied().unwrap_or(last)
    }

    fn start(&self, at: usize) -> usize {
        self.starts.get(at).copied().unwrap_or_default()
    }
}

/// The decoded value of an escape.
enum Decoded {
    Byte(u8),
    Char(char),
}

impl Decoded {
    fn append_to(self, bytes: &mut Vec<u8>) {
        match self {
            Decoded::Byte(byte) => bytes.push(byte),
            Decoded::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Decodes the escape at the start of the text. Returns its value and its length.
fn decode_escape(text: &[u8]) -> Option<(Decoded, usize)> {
    let (introducer, rest) = text.split_first()?;
    let (decoded, length) = match introducer {
        b'%' => decode_percent(rest),
        b'\\' => decode_backslash(rest),
        b'&' => decode_entity(rest),
        _ => None,
    }?;
    Some((decoded, length + 1))
}

/// Decodes what follows a percent sign.
fn decode_percent(text: &[u8]) -> Option<(Decoded, usize)> {
    match text {
        [high, low, ..] => Some((hex_byte(*high, *low)?, 2)),
        _ => None,
    }
}

/// Decodes what follows a backslash: `n`, `x41`, `u0041`, two UTF-16 surrogates, or Rust's `u{41}`.
fn decode_backslash(text: &[u8]) -> Option<(Decoded, usize)> {
    match text {
        [b'x', high, low, ..] => Some((hex_byte(*high, *low)?, 3)),
        [b'u', b'{', rest @ ..] => {
            let length = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((decode_char(rest.get(..length)?, 16)?, length + 3))
        }
        [b'u', rest @ ..] => {
            let unit = |digits: Option<&[u8]>| u16::try_from(parse_number(digits?, 16)?).ok();
            let first = unit(rest.get(..4))?;
            let second = rest.get(4..10).and_then(|rest| unit(rest.strip_prefix(b"\\u")));
            let c = char::decode_utf16([first].into_iter().chain(second)).next()?.ok()?;
            Some((Decoded::Char(c), if c.len_utf16() == 2 { 11 } else { 5 }))
        }
        [letter, ..] => {
            let byte = match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'\\' | b'"' | b'\'' | b'/' => *letter,
                _ => return None,
            };
            Some((Decoded::Byte(byte), 1))
        }
        [] => None,
    }
}

/// Decodes what follows the `&` of an HTML entity.
fn decode_entity(text: &[u8]) -> Option<(Decoded, usize)> {
    let end = text.iter().take(9).position(|byte| *byte == b';')?;
    let decoded = match text.get(..end)? {
        b"amp" => Decoded::Char('&'),
        b"lt" => Decoded::Char('<'),
        b"gt" => Decoded::Char('>'),
        b"quot" => Decoded::Char('"'),
        b"apos" => Decoded::Char('\''),
        [b'#', b'x' | b'X', digits @ ..] => decode_char(digits, 16)?,
        [b'#', digits @ ..] => decode_char(digits, 10)?,
        _ => return None,
    };
    Some((decoded, end + 1))
}

fn hex_byte(high: u8, low: u8) -> Option<Decoded> {
    u8::try_from(parse_number(&[high, low], 16)?).ok().map(Decoded::Byte)
}

fn decode_char(digits: &[u8], radix: u32) -> Option<Decoded> {
    char::from_u32(parse_number(digits, radix)?).map(Decoded::Char)
}

/// Parses a number without a sign, which `from_str_radix` would accept.
fn parse_number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_unsigned = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u32::from_str_radix(digits, radix).ok().filter(|_| is_unsigned)
}

#[cfg(test)]
mod tests {
    use super::{Redactor, without_tokens};

    const SECRET: &str = "hunter2/\u{fc}&\"b\\c\u{1f600}";

    #[track_caller]
    fn assert_redacted(secret: &str, text: &str, expected: &str) {
        let redactor = Redactor::new([secret.to_owned()]);
        assert_eq!(redactor.redact(text), expected, "{secret}");
    }

    #[test]
    fn secrets_are_found_in_every_notation() {
        for echoed in [
            SECRET,
            "HUNTER2/\u{fc}&\"B\\C\u{1f600}",
            "hunter2%2F%C3%BC%26%22b%5Cc%F0%9F%98%80",
            "hunter2%2f%c3%bc&%22b%5cc%f0%9f%98%80",
            "hunter2%252F%25C3%25BC%2526%2522b%255Cc%25F0%259F%2598%2580",
            r#"hunter2/\u{fc}&\"b\\c\u{1f600}"#,
            r#"hunter2\/\u00fc\u0026\"b\\c\ud83d\uDE00"#,
            r#"hunter2\\/\\u00fc&\\\"b\\\\c\\ud83d\\ude00"#,
            r#"hunter2/\xc3\xbc&\"b\\c\xf0\x9f\x98\x80"#,
            "hunter2/&#252;&amp;&quot;b&#92;c&#x1F600;",
            "hunter2&#x2f;&#xFC;&amp;amp;&#34;b\\c&#128512;",
        ] {
            assert_redacted(SECRET, &format!("<{echoed}>"), "<...>");
            assert_redacted(SECRET, &format!("\u{e9}%41{echoed}\u{e9}"), "\u{e9}%41...\u{e9}");
        }
    }

    #[test]
    fn secrets_that_look_escaped_themselves_are_found() {
        for secret in
            ["a%2Fb%2Fc", "a\\nb\\tc", "x&amp;y&lt;z", "%41%42%43%44%45%46", "passw\u{f6}rd%C3"]
        {
            let debug = format!("{secret:?}");
            let inner = debug.trim_matches('"');
            for echoed in
                [secret, inner, &secret.replace('%', "%25"), &secret.replace('&', "&amp;")]
            {
                assert_redacted(secret, &format!("({echoed})"), "(...)");
            }
        }
        assert_redacted("nopassword", "C:\\nopassword", "C:\\...");
        assert_redacted("2Fsecret", "a%2Fsecret", "a%...");
        assert_redacted("<secret\\", "&lt;secret\\, \"&lt;secret\\\"", "..., \"...\"");
    }

    #[test]
    fn truncated_secrets_are_found_before_an_ellipsis() {
        assert_redacted("abcdefghijkl", "<abcdefgh...", "<...");
        assert_redacted("abcdefghijkl", "<abcde...", "<abcde...");
        assert_redacted("abc/efghijkl", "<abc%2Fefg..., abc/ef", "<..., abc/ef");
        assert_redacted("abcdefghijkl", "abcdefghijklabcdefghijkl", "...");
    }

    /// A hostile server chooses both the token and the text, up to the limits on bodies.
    #[test]
    fn adversarial_texts_are_redacted_in_time() {
        let start = std::time::Instant::now();
        for (secret, text) in [
            ("a", "a"),
            ("a...", "a..."),
            ("%25", "%25"),
            ("%252525", "&amp;amp;"),
            ("\\\\", "\\u005c"),
            (".", "."),
        ] {
            let many = |text: &str| text.repeat(65_536 / text.len());
            let half = |end: &str| many(secret).split_off(32_768) + end;
            let redactor = Redactor::new([half("b"), half("c"), half("")]);
            let _ = redactor.redact(&many(text));
        }
        let elapsed = start.elapsed();
        assert!(elapsed.as_secs() < 20, "{elapsed:?}");
    }

    #[test]
    fn overlapping_secrets_leave_one_ellipsis() {
        let redactor =
            Redactor::new(["abcdefgh".to_owned(), "efghijkl".to_owned(), "short".to_owned()]);
        assert_eq!(redactor.redact("-abcdefghijkl-short-"), "-...-short-");
        assert_eq!(format!("{redactor:?}"), "Redactor(..)");
    }

    #[test]
    fn unknown_tokens_are_found_by_name_or_shape() {
        for (text, expected) in [
            ("403 access_token=abc.def-1&x", "403 access_token=...&x"),
            ("Token = abcdef, ID_TOKEN='ghijkl'", "Token = ..., ID_TOKEN='...'"),
            (
                r#"{"token":"abcdef", "id_token" : "ghijkl"}"#,
                r#"{"token":"...", "id_token" : "..."}"#,
            ),
            (r#"{\"token\":\"abcdef\"}"#, r#"{\"token\":\"...\"}"#),
            ("got eyJhbGci.eyJhIjoi.c2ln!", "got ...!"),
        ] {
            assert_eq!(without_tokens(text), expected);
        }
        for text in [
            "invalid token: expired today",
            "error=\"invalid_token\", realm=\"https://h/token\",service=\"registry\"",
            "tokens=100000, token=none, eyJournal",
            "token=",
            "\u{fc}token\u{fc}=\u{fc}",
        ] {
            assert_eq!(without_tokens(text), text);
        }
        for many in ["token=".repeat(20_000), "eyJ".repeat(40_000), "token ".repeat(20_000)] {
            assert!(without_tokens(&many).len() <= many.len());
        }
    }

    #[test]
    fn text_without_secrets_is_unchanged() {
        let text = "100% \\ & &; &#; &#x110000; \\u{ \\ud800 \\u{d800} %2 %zz \u{fc}... \\";
        assert_redacted("hunter2/slash", text, text);
        assert_eq!(Redactor::default().redact(text), text);
    }
}
