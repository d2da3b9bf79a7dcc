//! The `WWW-Authenticate` parser: vectors, properties, and a comparison with a second implementation of the grammar.

use std::collections::{BTreeMap, BTreeSet};

use arbtest::arbitrary::{Result as Drawn, Unstructured};
use arbtest::arbtest;
use regq::http::challenge::{Challenge, ChallengeError, ChallengeErrorCode, parse};
use serde_json::{Value, json};

use crate::literal_grammar::{self, Read, Reading};
use crate::properties_challenge::challenge_holds;

const VECTORS: &str = include_str!("../vectors/challenges.tsv");

// Vectors.

/// An expected error may have no position.
#[test]
fn vectors_parse_as_expected() {
    let mut wrong = Vec::new();
    let rows: Vec<Vec<&str>> =
        VECTORS.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert!(rows.len() > 100, "only {} rows", rows.len());
    for row in rows {
        let [id, lines, expected, ..] = row[..] else {
            panic!("a row with too few columns: {row:?}")
        };
        let lines: Vec<String> = serde_json::from_str(lines).unwrap();
        let expected: Vec<Value> = serde_json::from_str(expected).unwrap();
        let parsed = parse(lines.iter().map(String::as_bytes));
        let found: Vec<Value> = parsed
            .iter()
            .enumerate()
            .map(|(at, item)| {
                as_json(item, expected.get(at).is_some_and(|e| e.get("at").is_some()))
            })
            .collect();
        if found != expected {
            wrong.push(format!(
                "row {id}: {lines:?}\n  expected {expected:?}\n     found {found:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn as_json(item: &Result<Challenge, ChallengeError>, with_position: bool) -> Value {
    match item {
        Ok(challenge) => {
            let params: BTreeMap<_, _> = challenge.params().iter().cloned().collect();
            assert_eq!(params.len(), challenge.params().len(), "each name once");
            let mut object = json!({"scheme": challenge.scheme(), "params": params});
            if let Some(token68) = challenge.token68() {
                object["token68"] = token68.into();
            }
            object
        }
        Err(error) if with_position => {
            json!({"error": error.code.to_string(), "line": error.line, "at": error.at})
        }
        Err(error) => json!({"error": error.code.to_string()}),
    }
}

/// Not among the vectors, because JSON is always UTF-8.
#[test]
fn invalid_utf8_becomes_the_replacement_character() {
    let parsed = parse([b"Basic realm=\"a\xffb\"".as_slice()]);
    assert_eq!(parsed[0].as_ref().unwrap().param("realm"), Some("a\u{fffd}b"));

    // Equal once replaced, but the server sent two values.
    let parsed = parse([b"Basic realm=\"\xff\", realm=\"\xfe\"".as_slice()]);
    let code = ChallengeErrorCode::DuplicateParam("realm".to_owned());
    assert_eq!(parsed, [Err(ChallengeError { code, line: 1, at: 17 })]);

    let parsed = parse([b"Basic realm=\xff".as_slice()]);
    assert_eq!(
        parsed,
        [Err(ChallengeError { code: ChallengeErrorCode::BadChar, line: 1, at: 12 })]
    );
}

#[test]
fn without_lines_there_are_no_challenges() {
    assert_eq!(parse([]), []);
}

#[test]
fn parameters_are_in_order_and_their_names_case_insensitive() {
    let parsed = parse([b"Bearer Service=s, REALM=r, scope=\"\"".as_slice()]);
    let challenge = parsed[0].as_ref().unwrap();
    let names: Vec<_> = challenge.params().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["service", "realm", "scope"]);
    assert_eq!(challenge.param("Realm"), Some("r"));
    assert_eq!(challenge.param("scope"), Some(""));
    assert_eq!(challenge.param("error"), None);
}

#[test]
fn errors_display_line_byte_and_code() {
    let parsed =
        parse(["Basic".as_bytes(), b"Bearer realm=\"x\", Realm=\"y\"", b"Bearer realm=\"x"]);
    let messages: Vec<String> =
        parsed.iter().filter_map(|item| Some(item.as_ref().err()?.to_string())).collect();
    assert_eq!(
        messages,
        ["line 2, byte 18: duplicate-param:realm", "line 3, byte 13: unterminated-quote"]
    );
}

// Properties.

/// Combinations of fragments reach more of the parser than random bytes do.
const FRAGMENTS: &[&[u8]] = &[
    b"Bearer",
    b"Basic",
    b"realm",
    b"Realm",
    b"scope",
    b"a",
    b"=",
    b" = ",
    b"==",
    b"\"",
    b"\"x\"",
    b"\"a, b\"",
    b"\\",
    b"\\\"",
    b",",
    b", ",
    b" ",
    b"\t",
    b"\n",
    b"/",
    b":",
    b"@",
    b"\x00",
    b"\x7f",
    b"\xff",
    "é".as_bytes(),
    b"realm=\"x\"",
    b"Bearer a=1,a=2,",
    b"S, S, S, S, S, S, ",
    b"a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,",
];

fn fragments(u: &mut Unstructured<'_>) -> Drawn<Vec<u8>> {
    let mut data = Vec::new();
    for _ in 0..u.int_in_range(0..=24)? {
        data.extend_from_slice(u.choose(FRAGMENTS)?);
    }
    Ok(data)
}

#[test]
fn properties_hold_for_any_bytes() {
    arbtest(|u| {
        challenge_holds(u.arbitrary()?);
        Ok(())
    });
}

#[test]
fn properties_hold_for_combinations_of_fragments() {
    arbtest(|u| {
        challenge_holds(&fragments(u)?);
        Ok(())
    });
}

#[test]
fn properties_hold_for_the_vectors() {
    for row in VECTORS.lines().skip(1) {
        let lines: Vec<String> = serde_json::from_str(row.split('\t').nth(1).unwrap()).unwrap();
        challenge_holds(lines.join("\n").as_bytes());
    }
}

/// A parser that backtracks would not finish a megabyte of some repetition in time.
#[test]
fn long_lines_are_parsed_in_one_pass() {
    for fragment in FRAGMENTS {
        let mut line = b"Bearer x=\"y\", ".to_vec();
        line.extend(fragment.iter().cycle().take(1 << 20).filter(|byte| **byte != b'\n'));
        let parsed = parse([line.as_slice()]);
        assert!(parsed.len() <= 20, "{}", parsed.len());
    }
}

// Differential tests: headers generated from the grammar, so that their meaning is known.

#[derive(Debug)]
struct Generated {
    lines: Vec<String>,
    meaning: Reading,
}

const SCHEMES: &[&str] = &["Basic", "BEARER", "Negotiate", "x", "a!#$%&'*+-.^_`|~9"];
const NAMES: &[&str] = &["realm", "Service", "scope", "x", "!", "error_description", "a.b"];
const TOKENS: &[&str] = &["s", "gcr.io", "*", "a-b_c~", "SHA-256"];
const TOKEN68: &[&str] = &["a", "realm", "realm=", "oYG0MIGx/+-._~==", "/", "abc="];
const TEXTS: &[&str] =
    &["", "a", ",", "\"", "\\", "é", "\t", " ", "=", "https://h/t?a=b,c", ", Basic realm=\"", "n"];
const SPACES: &[&str] = &["", "", "", " ", "  ", "\t", " \t"];

fn generated(u: &mut Unstructured<'_>) -> Drawn<Generated> {
    let mut generated = Generated { lines: vec![String::new()], meaning: Vec::new() };
    generated.separate(u, 0)?;
    let count = u.int_in_range(0..=4)?;
    for left in (0..count).rev() {
        generated.challenge(u)?;
        generated.separate(u, usize::from(left > 0))?;
    }
    Ok(generated)
}

impl Generated {
    fn line(&mut self) -> &mut String {
        self.lines.last_mut().unwrap()
    }

    fn text(&mut self, u: &mut Unstructured<'_>, choices: &[&'static str]) -> Drawn<&'static str> {
        let text = *u.choose(choices)?;
        self.line().push_str(text);
        Ok(text)
    }

    /// Appends at least `commas` separators with white space around them: commas or new lines.
    fn separate(&mut self, u: &mut Unstructured<'_>, commas: usize) -> Drawn<()> {
        self.text(u, SPACES)?;
        let more = if u.ratio(1, 4)? { 2 } else { 0 };
        for _ in 0..commas + more {
            if u.ratio(1, 5)? {
                self.lines.push(String::new());
            } else {
                self.line().push(',');
            }
            self.text(u, SPACES)?;
        }
        Ok(())
    }

    fn challenge(&mut self, u: &mut Unstructured<'_>) -> Drawn<()> {
        let scheme = self.text(u, SCHEMES)?.to_ascii_lowercase();
        let mut read = Read { scheme, params: Vec::new(), token68: None };
        match u.int_in_range(0..=4)? {
            0 => {}
            1 => {
                self.text(u, &[" ", "   "])?;
                read.token68 = Some(self.text(u, TOKEN68)?.to_owned());
            }
            _ => {
                self.text(u, &[" ", "   "])?;
                if u.ratio(1, 8)? {
                    self.separate(u, 1)?;
                }
                self.params(u, &mut read)?;
            }
        }
        self.meaning.push(read);
        Ok(())
    }

    fn params(&mut self, u: &mut Unstructured<'_>, read: &mut Read) -> Drawn<()> {
        let skip = u.int_in_range(0..=NAMES.len() - 1)?;
        let count = u.int_in_range(1..=4)?;
        for (at, name) in NAMES.iter().cycle().skip(skip).take(count).enumerate() {
            if at > 0 {
                self.separate(u, 1)?;
            }
            self.line().push_str(name);
            self.text(u, SPACES)?;
            self.line().push('=');
            self.text(u, SPACES)?;
            let value =
                if u.ratio(1, 3)? { self.text(u, TOKENS)?.to_owned() } else { self.quoted(u)? };
            read.params.push((name.to_ascii_lowercase(), value));
        }
        Ok(())
    }

    fn quoted(&mut self, u: &mut Unstructured<'_>) -> Drawn<String> {
        let mut value = String::new();
        for _ in 0..u.int_in_range(0..=4)? {
            value.push_str(u.choose(TEXTS)?);
        }
        self.line().push('"');
        for char in value.chars() {
            if char == '"' || char == '\\' || u.ratio(1, 6)? {
                self.line().push('\\');
            }
            self.line().push(char);
        }
        self.line().push('"');
        Ok(value)
    }
}

/// The parser's result as a reading of the literal grammar; `None` if it has an error.
fn reading<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Reading> {
    let read = |challenge: Challenge| Read {
        scheme: challenge.scheme().to_owned(),
        params: challenge.params().to_vec(),
        token68: challenge.token68().map(str::to_owned),
    };
    parse(lines).into_iter().map(|item| item.ok().map(read)).collect()
}

/// On one line and on several.
#[test]
fn generated_headers_parse_as_their_meaning() {
    arbtest(|u| {
        let generated = generated(u)?;
        assert_eq!(
            reading(generated.lines.iter().map(String::as_bytes)).as_ref(),
            Some(&generated.meaning),
            "{generated:?}"
        );
        assert_eq!(
            reading([generated.lines.join(",").as_bytes()]).as_ref(),
            Some(&generated.meaning),
            "{generated:?}"
        );
        Ok(())
    })
    .size_max(4096);
}

/// Only short ones, because the literal grammar is slow.
#[test]
fn the_literal_grammar_agrees_on_generated_headers() {
    arbtest(|u| {
        let generated = generated(u)?;
        let line = generated.lines.join(",");
        if line.len() <= 80 {
            let readings = literal_grammar::rfc9110(line.as_bytes());
            assert_eq!(readings, BTreeSet::from([generated.meaning]), "{line:?}");
        }
        Ok(())
    });
}

/// For every string over small alphabets: if the RFC's grammar has a reading, it is the parser's. Otherwise
/// the parser accepts exactly what the tolerant grammar accepts.
#[test]
fn the_parser_agrees_with_the_literal_grammar_on_all_short_strings() {
    let alphabets = [("a ,=", 7), ("ab,=\" ", 6), ("a=\"\\, ", 6), ("a/ =,\t", 5), ("a=é\"\\:", 5)];
    let (mut by_the_rfc, mut tolerated, mut rejected) = (0, 0, 0);
    for line in alphabets.iter().flat_map(|(alphabet, length)| lines(alphabet, *length)) {
        let found = reading([line.as_bytes()]);
        let strict = literal_grammar::rfc9110(line.as_bytes());
        if let Some(reading) = strict.first() {
            assert_eq!(strict.len(), 1, "the RFC's grammar is ambiguous: {line:?} {strict:?}");
            assert_eq!(found.as_ref(), Some(reading), "{line:?}");
            by_the_rfc += 1;
            continue;
        }
        let tolerant = literal_grammar::tolerant(line.as_bytes());
        match found {
            Some(found) => {
                assert!(
                    tolerant.contains(&found),
                    "{line:?} parses as {found:?}, not {tolerant:?}"
                );
                tolerated += 1;
            }
            None => {
                assert!(tolerant.is_empty(), "{line:?} is rejected, not {tolerant:?}");
                rejected += 1;
            }
        }
    }
    // The comparison must not become vacuous.
    assert!(by_the_rfc > 10_000, "{by_the_rfc} lines valid by the RFC");
    assert!(tolerated > 3_000, "{tolerated} lines tolerated");
    assert!(rejected > 100_000, "{rejected} lines rejected");
}

/// All strings, and shorter ones after a challenge with a parameter, because some errors need one.
fn lines(alphabet: &str, length: usize) -> Vec<String> {
    let alphabet: Vec<char> = alphabet.chars().collect();
    let after = strings(&alphabet, length - 1).into_iter().map(|tail| format!("s a=b{tail}"));
    strings(&alphabet, length).into_iter().chain(after).collect()
}

/// All strings of at most `length` characters.
fn strings(alphabet: &[char], length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = all.len();
        for at in from..to {
            for char in alphabet {
                all.push(format!("{}{char}", all[at]));
            }
        }
        from = to;
    }
    all
}
