//! Properties of the `WWW-Authenticate` parser.
//!
//! One plain function checks them: the tests call it with generated values, a fuzz target with its own. The fuzz target
//! includes this file, so it uses only regq and std.

use regq::http::challenge::{
    Challenge, ChallengeError, ChallengeErrorCode, MAX_CHALLENGES, MAX_PARAMS, parse,
};

type Parsed = Vec<Result<Challenge, ChallengeError>>;

/// Panics if a property does not hold. `data` is field lines separated by line feeds.
pub(crate) fn challenge_holds(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let parsed = parse(lines.iter().copied());
    check_items(&parsed, &lines);
    check_case(&parsed, &lines);
    check_round_trip(&parsed);
    check_joining(&parsed, &lines);
}

/// Limits, alphabets, and errors that point into their line.
fn check_items(parsed: &Parsed, lines: &[&[u8]]) {
    let good = parsed.iter().filter(|item| item.is_ok()).count();
    assert!(good <= MAX_CHALLENGES, "{good} challenges");
    assert!(parsed.len() <= MAX_CHALLENGES + lines.len(), "{} elements", parsed.len());
    let mut line = 0;
    for item in parsed {
        match item {
            Ok(challenge) => check_challenge(challenge),
            Err(error) => {
                assert!(error.line >= line, "errors are in order of their lines");
                line = error.line;
                check_position(error, lines[line - 1]);
            }
        }
    }
}

fn check_challenge(challenge: &Challenge) {
    assert!(is_lower_token(challenge.scheme()), "{challenge:?}");
    assert!(challenge.params().len() <= MAX_PARAMS, "{challenge:?}");
    assert!(challenge.token68().is_none() || challenge.params().is_empty(), "{challenge:?}");
    assert_ne!(challenge.token68(), Some(""));
    for (name, value) in challenge.params() {
        assert!(is_lower_token(name), "{challenge:?}");
        assert!(!value.bytes().any(|b| b.is_ascii_control() && b != b'\t'), "{challenge:?}");
        assert_eq!(challenge.param(&name.to_ascii_uppercase()), Some(value.as_str()));
    }
}

fn is_lower_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| is_tchar(b) && !b.is_ascii_uppercase())
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The byte at the error's position matches its code.
fn check_position(error: &ChallengeError, line: &[u8]) {
    let from_there = line.get(error.at..).expect("the position is within the line");
    let byte = from_there.first().copied();
    let control = byte.is_some_and(|b| b.is_ascii_control() && b != b'\t');
    let fits = match &error.code {
        ChallengeErrorCode::ControlChar => control,
        ChallengeErrorCode::UnterminatedQuote => byte == Some(b'"'),
        ChallengeErrorCode::ParamWithoutScheme => byte == Some(b'='),
        ChallengeErrorCode::DuplicateParam(name) => {
            let there = from_there.get(..name.len()).expect("the name is there");
            there.eq_ignore_ascii_case(name.as_bytes())
        }
        ChallengeErrorCode::TooMany => byte.is_some_and(is_tchar),
        ChallengeErrorCode::BadChar => byte.is_some() && !control,
        // These two may also be at the end of the line.
        ChallengeErrorCode::ExpectedComma => byte.is_some_and(|b| b != b',') && !control,
        ChallengeErrorCode::ExpectedParam => !control,
        other => panic!("a new code, {other}: add here what it points at"),
    };
    assert!(fits, "{error} in {:?}", line.escape_ascii().to_string());
}

/// Swapping the case of all letters changes only values, not names and schemes.
fn check_case(parsed: &Parsed, lines: &[&[u8]]) {
    let swapped: Vec<Vec<u8>> =
        lines.iter().map(|line| line.iter().map(swap_byte).collect()).collect();
    let other = parse(swapped.iter().map(Vec::as_slice));
    let expected: Vec<_> = parsed.iter().map(|item| item.as_ref().map(swapped_values)).collect();
    let found: Vec<_> = other.iter().map(|item| item.as_ref().map(plain_values)).collect();
    assert_eq!(found, expected);
}

type Values = (String, Vec<(String, String)>, Option<String>);

fn plain_values(challenge: &Challenge) -> Values {
    let token68 = challenge.token68().map(str::to_owned);
    (challenge.scheme().to_owned(), challenge.params().to_vec(), token68)
}

fn swapped_values(challenge: &Challenge) -> Values {
    let (scheme, params, token68) = plain_values(challenge);
    let params = params.into_iter().map(|(name, value)| (name, swap(&value))).collect();
    (scheme, params, token68.map(|value| swap(&value)))
}

fn swap(text: &str) -> String {
    text.chars().map(swap_char).collect()
}

fn swap_char(char: char) -> char {
    if char.is_ascii_uppercase() { char.to_ascii_lowercase() } else { char.to_ascii_uppercase() }
}

fn swap_byte(byte: &u8) -> u8 {
    if byte.is_ascii_uppercase() { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() }
}

/// Parsed challenges, formatted as in the RFC, parse as the same.
fn check_round_trip(parsed: &Parsed) {
    let good: Vec<&Challenge> = parsed.iter().flatten().collect();
    let line = good.iter().map(|challenge| formatted(challenge)).collect::<Vec<_>>().join(", ");
    let again = parse([line.as_bytes()]);
    let again: Vec<&Challenge> =
        again.iter().map(|item| item.as_ref().unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    assert_eq!(again, good, "{line}");
}

fn formatted(challenge: &Challenge) -> String {
    let params = challenge.params().iter().map(|(name, value)| {
        format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    });
    let rest: Vec<String> =
        challenge.token68().map(str::to_owned).into_iter().chain(params).collect();
    format!("{} {}", challenge.scheme(), rest.join(", "))
}

/// Lines without errors parse the same when joined by commas.
fn check_joining(parsed: &Parsed, lines: &[&[u8]]) {
    if parsed.iter().all(Result::is_ok) {
        assert_eq!(parse([lines.join(&b',').as_slice()]), *parsed);
    }
}
