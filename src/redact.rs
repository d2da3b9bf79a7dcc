//! Texts that are never shown, and the search for them in what others say.
//!
//! Servers repeat what they were sent, and seldom letter by letter: percent-encoded in URLs, with backslashes in
//! JSON and headers, with entities in pages, in lower case in names of hosts. So a text is looked at as it is and
//! as it reads once such writing is undone, layer by layer, and what is found there is taken out where it stands.
//! This is no parser of any of these: what reads as an escape is one.

use std::fmt;

/// Stands where something was taken out, and where a text was cut.
const CUT: &str = "...";
/// So many layers of writing are undone.
const LAYERS: usize = 4;

/// Texts that are not shown, by `Debug` neither.
#[derive(Default)]
pub(crate) struct Redactor {
    /// Folded; in every layer of their own.
    needles: Vec<String>,
}

impl Redactor {
    /// Shorter ones, in bytes, are not looked for: they are in any text, and what is left out of it would tell them.
    pub(crate) const SHORTEST: usize = 6;

    /// Hides texts, and these as they read.
    pub(crate) fn new(texts: impl IntoIterator<Item = String>) -> Redactor {
        let mut needles: Vec<String> = Vec::new();
        for text in texts.into_iter().filter(|text| text.len() >= Redactor::SHORTEST) {
            for needle in layers(&text).iter().map(Layer::folded) {
                if needle.len() >= Redactor::SHORTEST && !needles.contains(&needle) {
                    needles.push(needle);
                }
            }
        }
        Redactor { needles }
    }

    /// The text without what is secret, and without the beginning of that where the text was cut.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut found = Found::default();
        if !self.needles.is_empty() {
            for layer in layers(text) {
                self.find(&layer, &mut found);
            }
        }
        found.taken_out_of(text)
    }

    /// Where in the text that a layer is made of something secret stands.
    fn find(&self, layer: &Layer, found: &mut Found) {
        let folded = layer.folded();
        for needle in self.needles.iter().filter(|needle| needle.len() <= folded.len()) {
            let hits = folded.match_indices(needle.as_str());
            hits.for_each(|(at, _)| found.add(layer.place(at, at + needle.len())));
        }
        let mut begin = 0;
        for (cut, _) in folded.match_indices(CUT) {
            let part = folded.get(begin..cut).unwrap_or_default();
            begin = cut + CUT.len();
            let begun = |needle: &String| {
                let lengths = Redactor::SHORTEST..=needle.len().min(part.len());
                lengths.rev().find(|length| part.ends_with(needle.get(..*length).unwrap_or(CUT)))
            };
            if let Some(length) = self.needles.iter().filter_map(begun).max() {
                // With the mark, which would stand twice.
                found.add(layer.place(cut - length, begin));
            }
        }
    }
}

/// The text without tokens that nobody knows of: what is named so, and JWTs. What reads `token: ...` without quotes
/// is a sentence.
pub(crate) fn without_tokens(text: &str) -> String {
    let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\\']).len();
    let quote = |text: &str| usize::from(text.starts_with(['"', '\'']));
    let after = |at: usize| {
        let rest = |skipped: usize| text.get(at + skipped..).unwrap_or_default();
        let escaped = blank(rest(0));
        let quoted = quote(rest(escaped));
        let sign = escaped + quoted + blank(rest(escaped + quoted));
        let named = rest(sign).starts_with('=') || (quoted > 0 && rest(sign).starts_with(':'));
        let value = sign + 1 + blank(rest(sign + 1));
        named.then(|| at + value + quote(rest(value)))
    };
    let lower = text.to_ascii_lowercase();
    let mut named = lower.match_indices("token").filter_map(|(at, word)| after(at + word.len()));
    let mut found = Found::default();
    let mut look = |starts: &mut dyn Iterator<Item = usize>, is_jwt: bool| {
        let mut read = 0;
        for start in starts {
            // What was looked at is not looked at again, so that no text takes long.
            if start < read {
                continue;
            }
            let rest = text.get(start..).unwrap_or_default();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._~+/=%".contains(c);
            let length = rest.find(|c| !plain(c)).unwrap_or(rest.len());
            read = start + length;
            let dotted = rest.get(..length).is_some_and(|value| value.contains('.'));
            if length >= Redactor::SHORTEST && (dotted || !is_jwt) {
                found.add((start, read));
            }
        }
    };
    look(&mut named, false);
    look(&mut text.match_indices("eyJ").map(|(start, _)| start), true);
    found.taken_out_of(text)
}

/// What of a text is to be taken out: for each byte, whether it is. Parts may overlap, and come in any order.
#[derive(Default)]
struct Found(Vec<bool>);

impl Found {
    fn add(&mut self, (start, end): (usize, usize)) {
        if self.0.len() < end {
            self.0.resize(end, false);
        }
        self.0.get_mut(start..end).unwrap_or_default().fill(true);
    }

    /// The text with one mark for each run of what was found.
    fn taken_out_of(&self, text: &str) -> String {
        let is_hidden = |at: usize| self.0.get(at).is_some_and(|redactor| *redactor);
        let mut kept = String::with_capacity(text.len());
        let mut before = false;
        for (at, c) in text.char_indices() {
            match (is_hidden(at), before) {
                (false, _) => kept.push(c),
                (true, false) => kept.push_str(CUT),
                (true, true) => {}
            }
            before = is_hidden(at);
        }
        kept
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

/// A text as it reads, byte by byte.
struct Layer {
    bytes: Vec<u8>,
    /// Where each byte begins in the text, and behind the last the end. All bytes of an escape begin where it does.
    starts: Vec<usize>,
}

/// The text as it is, and as it reads with more and more undone: of all writings, and of each alone, since what ends
/// in a backslash or begins with digits makes an escape with what stands beside it.
fn layers(text: &str) -> Vec<Layer> {
    let bytes = text.as_bytes().to_vec();
    let mut layers = vec![Layer { bytes, starts: (0..=text.len()).collect() }];
    for marks in ["%\\&", "%", "\\", "&"] {
        let mut last = 0;
        for _ in 0..LAYERS {
            let Some(next) = layers.get(last).and_then(|layer| layer.undone(marks)) else { break };
            last = layers.len();
            layers.push(next);
        }
    }
    layers
}

impl Layer {
    /// The next layer, without the escapes that begin so; `None` where this one has none.
    fn undone(&self, marks: &str) -> Option<Layer> {
        let escape = |byte| marks.as_bytes().contains(&byte);
        marks.bytes().find(|mark| self.bytes.contains(mark))?;
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        let mut rest = self.bytes.as_slice();
        while let Some(first) = rest.first() {
            let start = self.starts.get(self.bytes.len() - rest.len()).copied().unwrap_or_default();
            let length = match escaped(rest).filter(|_| escape(*first)) {
                Some((Written::Byte(byte), length)) => {
                    bytes.push(byte);
                    length
                }
                Some((Written::Char(c), length)) => {
                    bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
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
        (bytes.len() < self.bytes.len()).then_some(Layer { bytes, starts })
    }

    /// For comparing: ASCII, each byte where it was. Case is lost in names of hosts and of schemes, a blank is a
    /// plus in forms, and base64 has two alphabets.
    fn folded(&self) -> String {
        let fold = |byte: &u8| match byte & 0x7f {
            b' ' | b'-' => '+',
            b'_' => '/',
            byte => char::from(byte.to_ascii_lowercase()),
        };
        self.bytes.iter().map(fold).collect()
    }

    /// The part of the text that these bytes are made of.
    fn place(&self, from: usize, to: usize) -> (usize, usize) {
        let start = |at| self.starts.get(at).copied().unwrap_or_default();
        let last = start(to.saturating_sub(1));
        let end = self.starts.iter().skip(to).find(|start| **start > last);
        (start(from), end.copied().unwrap_or(last))
    }
}

/// What an escape stands for.
enum Written {
    Byte(u8),
    Char(char),
}

/// What the escape at the beginning stands for, and its length.
fn escaped(text: &[u8]) -> Option<(Written, usize)> {
    let byte = |digits: &[u8]| u8::try_from(number(digits, 16)?).ok().map(Written::Byte);
    match text {
        [b'%', high, low, ..] => Some((byte(&[*high, *low])?, 3)),
        [b'\\', b'x', high, low, ..] => Some((byte(&[*high, *low])?, 4)),
        [b'\\', b'u', b'{', rest @ ..] => {
            let end = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((Written::Char(char::from_u32(number(rest.get(..end)?, 16)?)?), end + 4))
        }
        [b'\\', b'u', rest @ ..] => {
            let half = |rest: Option<&[u8]>| u16::try_from(number(rest?, 16)?).ok();
            let first = half(rest.get(..4))?;
            // Above U+FFFF JSON writes two halves.
            let second = rest.get(4..10).and_then(|rest| half(rest.strip_prefix(b"\\u")));
            let mut chars = char::decode_utf16([first].into_iter().chain(second));
            let c = chars.next()?.ok()?;
            Some((Written::Char(c), if c.len_utf16() == 2 { 12 } else { 6 }))
        }
        [b'\\', letter, ..] => {
            let byte = match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'\\' | b'"' | b'\'' | b'/' => *letter,
                // Nobody writes others so.
                _ => return None,
            };
            Some((Written::Byte(byte), 2))
        }
        [b'&', rest @ ..] => {
            let end = rest.iter().take(9).position(|byte| *byte == b';')?;
            let c = match rest.get(..end)? {
                b"amp" => '&',
                b"lt" => '<',
                b"gt" => '>',
                b"quot" => '"',
                b"apos" => '\'',
                [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
                [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
                _ => return None,
            };
            Some((Written::Char(c), end + 2))
        }
        _ => None,
    }
}

/// A number of these digits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_alphanumeric);
    let digits = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    u32::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::{Redactor, without_tokens};

    const SECRET: &str = "hunter2/\u{fc}&\"b\\c\u{1f600}";

    #[track_caller]
    fn hides(secret: &str, text: &str, due: &str) {
        let redactor = Redactor::new([secret.to_owned()]);
        assert_eq!(redactor.redact(text), due, "{secret}");
    }

    #[test]
    fn a_text_is_found_however_it_is_written() {
        for written in [
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
            hides(SECRET, &format!("<{written}>"), "<...>");
            hides(SECRET, &format!("\u{e9}%41{written}\u{e9}"), "\u{e9}%41...\u{e9}");
        }
    }

    /// What is not in the way of others' writing reads as an escape, and is found all the same.
    #[test]
    fn what_looks_escaped_itself_is_found() {
        for secret in
            ["a%2Fb%2Fc", "a\\nb\\tc", "x&amp;y&lt;z", "%41%42%43%44%45%46", "passw\u{f6}rd%C3"]
        {
            let debug = format!("{secret:?}");
            let inner = debug.trim_matches('"');
            for written in
                [secret, inner, &secret.replace('%', "%25"), &secret.replace('&', "&amp;")]
            {
                hides(secret, &format!("({written})"), "(...)");
            }
        }
        hides("nopassword", "C:\\nopassword", "C:\\...");
        hides("2Fsecret", "a%2Fsecret", "a%...");
        hides("<secret\\", "&lt;secret\\, \"&lt;secret\\\"", "..., \"...\"");
    }

    #[test]
    fn beginnings_are_found_where_a_text_is_cut() {
        hides("abcdefghijkl", "<abcdefgh...", "<...");
        hides("abcdefghijkl", "<abcde...", "<abcde...");
        hides("abc/efghijkl", "<abc%2Fefg..., abc/ef", "<..., abc/ef");
        hides("abcdefghijkl", "abcdefghijklabcdefghijkl", "...");
    }

    /// Secrets of servers' own choice in texts of their choice, as long as regq reads them.
    #[test]
    fn no_text_takes_long() {
        let begun = std::time::Instant::now();
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
        let took = begun.elapsed();
        assert!(took.as_secs() < 20, "{took:?}");
    }

    #[test]
    fn what_overlaps_is_taken_out_once() {
        let redactor =
            Redactor::new(["abcdefgh".to_owned(), "efghijkl".to_owned(), "short".to_owned()]);
        assert_eq!(redactor.redact("-abcdefghijkl-short-"), "-...-short-");
        assert_eq!(format!("{redactor:?}"), "Redactor(..)");
    }

    #[test]
    fn tokens_that_nobody_knows_are_found_by_their_names() {
        for (text, due) in [
            ("403 access_token=abc.def-1&x", "403 access_token=...&x"),
            ("Token = abcdef, ID_TOKEN='ghijkl'", "Token = ..., ID_TOKEN='...'"),
            (
                r#"{"token":"abcdef", "id_token" : "ghijkl"}"#,
                r#"{"token":"...", "id_token" : "..."}"#,
            ),
            (r#"{\"token\":\"abcdef\"}"#, r#"{\"token\":\"...\"}"#),
            ("got eyJhbGci.eyJhIjoi.c2ln!", "got ...!"),
        ] {
            assert_eq!(without_tokens(text), due);
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
    fn nothing_else_is_changed() {
        let text = "100% \\ & &; &#; &#x110000; \\u{ \\ud800 \\u{d800} %2 %zz \u{fc}... \\";
        hides("hunter2/slash", text, text);
        assert_eq!(Redactor::default().redact(text), text);
    }
}
